/** The folder of `--keep` of `trefoil oversee verify`: what is copied, and how the copies are judged. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLogKey } from '../../log/witness/small-log.ts';
import { type Ended, makePlace, type Place } from '../harness.ts';
import { logIn, type WrittenLog } from './log-files.ts';

let place: Place;
const log = makeLogKey();
const KEY = ['--log-key', log.verifier.text] as const;

beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const verify = (args: readonly string[]): Promise<Ended> =>
  place.run(['oversee', 'verify', 'log', '--seen', 'seen.json', ...args]);

/** The first line of the output. */
const first = ({ out }: Ended): string => out.split('\n')[0]!;

const written = (size: number): Promise<WrittenLog> => logIn(place.path('log'), log.signer, size);

function flip(path: string, at: number): void {
  const bytes = Uint8Array.from(readFileSync(place.path(path)));
  bytes[at]! ^= 1;
  writeFileSync(place.path(path), bytes);
}

test('with --keep, the exact entry is named although everything was signed anew', async () => {
  await written(600);
  const kept = [...KEY, '--keep', 'kept'];
  expect((await verify(kept)).code).toBe(0);
  await written(610);
  expect((await verify(kept)).code).toBe(0);
  expect(readdirSync(place.path('kept/tile/0')).sort()).toEqual(['000', '001', '002.p']);
  expect(readdirSync(place.path('kept/tile/0/002.p'))).toEqual(['98']);
  expect(existsSync(place.path('kept/tile/entries'))).toBe(false);
  await logIn(place.path('log'), log.signer, 650, { branch: 1, fork: 333 });
  const ended = await verify(kept);
  expect([ended.code, first(ended)]).toEqual([7, expect.stringContaining('entry 333 changed since the last look')]);
  // What did not verify is not kept.
  expect(readdirSync(place.path('kept/tile/0/002.p'))).toEqual(['98']);
  expect(readdirSync(place.path('kept')).filter((name) => name !== 'tile')).toEqual([]);
});

test('copies that are lost or damaged are a warning, and --all makes them anew', async () => {
  await written(600);
  expect((await verify(KEY)).code).toBe(0);
  const kept = [...KEY, '--keep', 'kept'];
  // The right edge is read in each run: the tiles of the 88 last entries, and that of the two tiles before.
  const late = await verify(kept);
  expect([late.code, late.err]).toEqual([
    0,
    expect.stringMatching(/lacked 4 hash tiles of the .*; 2 were made anew; run with --all .* the others anew/),
  ]);
  expect((await verify([...kept, '--all'])).err).toMatch(
    /lacked 2 hash tiles of the entries that were seen; 2 were made anew\n/,
  );
  expect(readdirSync(place.path('kept/tile/0')).sort()).toEqual(['000', '001', '002.p']);
  expect((await verify(kept)).err).toBe('');

  const path = 'kept/tile/0/001';
  const good = readFileSync(place.path(path));
  flip(path, 100);
  rmSync(place.path('kept/tile/0/000'));
  expect((await verify(kept)).err).toMatch(
    /lacked 1 hash tile .*; run with --all while the log verifies to make them anew/,
  );
  const all = await verify([...kept, '--all']);
  expect(all.err).toMatch(/1 hash tile in the folder of --keep is damaged: .*; 1 was made anew\n/);
  expect(all.err).toMatch(/lacked 1 hash tile .*; 1 was made anew\n/);
  expect(readFileSync(place.path(path)).equals(good)).toBe(true);
  expect((await verify([...kept, '--all'])).err).toBe('');
});

test('good copies are never called damaged, whatever was done to the log', async () => {
  await written(600);
  const kept = [...KEY, '--keep', 'kept'];
  expect((await verify([...kept, '--all'])).code).toBe(0);
  const changes: readonly (readonly [verdict: RegExp, change: () => unknown])[] = [
    [/hash tile tile\/0\/000 was rewritten/, () => flip('log/tile/0/000', 100)],
    [
      /entry 100 changed since the last look/,
      () => logIn(place.path('log'), log.signer, 650, { branch: 1, fork: 100 }),
    ],
    [/the log was rolled back/, () => written(500)],
    [/its checkpoint was deleted/, () => rmSync(place.path('log/checkpoint'))],
  ];
  for (const [verdict, change] of changes) {
    await written(600);
    await change();
    const ended = await verify([...kept, '--all']);
    expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(verdict)]);
    expect(ended.err).toBe('trefoil: seen.json is still that of the last look\n');
  }
});

test('a copy that is damaged has no entry named, and is reported beside the fork', async () => {
  await written(600);
  const kept = [...KEY, '--keep', 'kept'];
  expect((await verify(kept)).code).toBe(0);
  flip('kept/tile/0/000', 40);
  await logIn(place.path('log'), log.signer, 650, { branch: 1, fork: 100 });
  const ended = await verify([...kept, '--all']);
  expect([ended.code, first(ended)]).toEqual([7, expect.stringContaining('one of the entries 0 to 511 changed')]);
  expect(ended.err).toMatch(
    /1 hash tile in the folder of --keep is damaged: .*; run with --all while the log verifies/,
  );
  // A copy of another length, and one of the right edge.
  for (const [path, count] of [
    ['kept/tile/0/001', '2 hash tiles'],
    ['kept/tile/0/002.p/88', '2 hash tiles'],
    // Nothing tells any more whether those below it are good.
    ['kept/tile/1/000.p/2', '1 hash tile'],
  ] as const) {
    const good = readFileSync(place.path(path));
    writeFileSync(place.path(path), new Uint8Array(9000));
    expect((await verify([...kept, '--all'])).err).toContain(`${count} in the folder of --keep `);
    writeFileSync(place.path(path), good);
  }
});
