/** Temporary files of a run, and those that killed runs left behind. The processes are real and are killed. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeStale, temporaryPath } from '../../src/files/outputs/temporary.ts';
import { type Ended, makePlace, type Place } from '../cli/harness.ts';

const MARKER = 'Lovelace';
let place: Place;

beforeAll(async () => {
  place = makePlace();
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
  const inspected = await place.run(['keys', 'inspect', '--keys', 'k.json', '--domain', 'files']);
  const pin = /keyCheck: .*/.exec(inspected.out + inspected.err)![0];
  place.write(
    'p.yaml',
    `trefoil: 1\ndomain: files\n${pin}\nfields:\n  id: { rule: token, scope: p }\n  name: { rule: seal, scope: n }\n`,
  );
  // Random text, which cannot be compressed; some seconds of work.
  const pad = (i: number) =>
    Array.from({ length: 12 }, (_, k) => ((i * 2654435761 + k * 40503) >>> 0).toString(36)).join('');
  const rows = Array.from({ length: 300_000 }, (_, i) => `${i},${MARKER} ${i} ${pad(i)}`);
  place.write('one.csv', 'id,name\n1,x\n');
  place.write('in.csv', `id,name\n${rows.join('\n')}\n`);
  expect((await place.run(['protect', 'in.csv', ...P, '--out', 'safe.csv'])).err).toBe('');
}, 120_000);
afterAll(() => place.remove());

const P = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet', '--force'];
const own = (folder = '') => readdirSync(place.path(folder)).filter((name) => name.startsWith('.trefoil-'));

/** The path of a temporary name in which some parts are replaced. */
async function named(change: (parts: string[]) => void): Promise<string> {
  const parts = /^\.trefoil-(.*)\.tmp$/.exec(basename(await temporaryPath(place.dir)))![1]!.split('-');
  change(parts);
  return place.path(`.trefoil-${parts.join('-')}.tmp`);
}

describe('what is removed', () => {
  const DEAD = '4194305';
  test('files and folders of processes that have ended, and nothing else', async () => {
    const stale = [
      await named((parts) => parts.splice(2, 1, DEAD)),
      // Another process has the number: this one, which began at another time.
      await named((parts) => parts.splice(3, 1, '1')),
      // Before the machine was started again.
      await named((parts) => parts.splice(1, 1, '00000000')),
    ];
    const folder = await named((parts) => parts.splice(2, 1, DEAD));
    const kept = [
      await named(() => {}),
      // Another machine or container, whose processes are unknown.
      await named((parts) => parts.splice(0, 1, '00000000')),
      place.path('.trefoil-notes.tmp'),
      place.path('trefoil.tmp'),
    ];
    for (const path of [...stale, ...kept]) writeFileSync(path, 'x');
    mkdirSync(folder);
    writeFileSync(`${folder}/output`, 'x');
    await removeStale(place.dir);
    expect([...stale, folder].filter((path) => existsSync(path))).toEqual([]);
    expect(kept.filter((path) => !existsSync(path))).toEqual([]);
    await place.bash('rm -rf .trefoil-* trefoil.tmp');
  });

  test('a link is removed, and its target stays', async () => {
    mkdirSync(place.path('precious'));
    writeFileSync(place.path('precious/file'), 'x');
    const link = await named((parts) => parts.splice(2, 1, DEAD));
    symlinkSync(place.path('precious'), link);
    await removeStale(place.dir);
    expect(existsSync(link)).toBe(false);
    expect(readFileSync(place.path('precious/file'), 'utf8')).toBe('x');
  });

  test('a folder that cannot be read or does not exist is not an error', async () => {
    await removeStale(place.path('nowhere'));
    await removeStale(place.path('in.csv'));
  });
});

/** Starts a run and waits until DuckDB has written something. */
async function begin(command: string, input: string, output: string) {
  const { child, ended } = place.start([
    command,
    input,
    ...P,
    '--engine',
    'duckdb',
    '--format',
    'csv',
    '--out',
    output,
  ]);
  for (let i = 0; i < 3000; i++) {
    const [folder] = own().filter((name) => !seen.has(name));
    if (folder !== undefined && statSync(place.path(`${folder}/output`), { throwIfNoEntry: false })?.size) {
      seen.add(folder);
      return { child, ended, folder };
    }
    await new Promise((done) => setTimeout(done, 5));
  }
  throw new Error('the run never wrote');
}
const seen = new Set<string>();

function modeOf(path: string): string {
  return (statSync(place.path(path)).mode & 0o777).toString(8);
}

describe('a run by DuckDB that is killed', () => {
  test('SIGKILL leaves a private folder without plaintext, and the next run into the place removes it', async () => {
    const { child, ended, folder } = await begin('protect', 'in.csv', 'out.csv');
    child.kill('SIGKILL');
    await ended;
    expect(own()).toEqual([folder]);
    expect(readdirSync(place.path(folder))).toEqual(['output']);
    expect(modeOf(folder)).toBe('700');
    expect(readFileSync(place.path(`${folder}/output`)).includes(MARKER)).toBe(false);
    expect(place.files().filter((name) => /^out|tmp$/.test(name))).toEqual([folder]);
    expect(await place.run(['protect', 'one.csv', ...P, '--out', 'one.safe.csv'])).toMatchObject({ code: 0 });
    expect(own()).toEqual([]);
  });

  test('SIGKILL of a run that reveals leaves files that their owner alone reads', async () => {
    const { child, ended, folder } = await begin('reveal', 'safe.csv', 'back.csv');
    child.kill('SIGKILL');
    await ended;
    expect([modeOf(folder), modeOf(`${folder}/output`)]).toEqual(['700', '600']);
    expect(await place.run(['protect', 'one.csv', ...P, '--out', 'one.parquet'])).toMatchObject({ code: 0 });
    expect(own()).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s leaves nothing', async (signal) => {
    const { child, ended } = await begin('protect', 'in.csv', 'out.csv');
    child.kill(signal);
    expect((await ended).code).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    expect(own()).toEqual([]);
    expect(place.files()).not.toContain('out.csv');
  });

  test('the files of a running process are left alone, and two runs into one output do not mix', async () => {
    const runs: { child: ChildProcess; ended: Promise<Ended> }[] = [];
    for (const output of ['a.csv', 'b.csv', 'b.csv']) {
      const run = await begin('protect', 'in.csv', output);
      // The process is alive and stopped.
      run.child.kill('SIGSTOP');
      runs.push(run);
    }
    expect(own()).toHaveLength(3);
    expect(await place.run(['protect', 'one.csv', ...P, '--out', 'one.safe.csv'])).toMatchObject({ code: 0 });
    expect(own()).toHaveLength(3);
    for (const { child } of runs) child.kill('SIGCONT');
    for (const { ended } of runs) expect(await ended).toMatchObject({ code: 0, err: '' });
    expect(place.read('a.csv')).toBe(place.read('b.csv'));
    expect(place.read('a.csv').split('\n')).toHaveLength(300_002);
    expect(own()).toEqual([]);
  });
});

test('a half-written output of the other engine is removed by the next run, too', async () => {
  const { child, ended } = place.start(['protect', 'in.csv', ...P, '--out', 'out.csv']);
  for (let i = 0; i < 3000 && own().length === 0; i++) await new Promise((done) => setTimeout(done, 5));
  child.kill('SIGKILL');
  await ended;
  expect(own()).toHaveLength(1);
  expect(await place.run(['protect', 'one.csv', ...P, '--out', 'one.safe.csv'])).toMatchObject({ code: 0 });
  expect(own()).toEqual([]);
});

test('the order of the rows is that of the input, over many row groups and files', async () => {
  place.write('order.yaml', 'trefoil: 1\ndomain: files\nfields:\n  id: keep\n  name: drop\n');
  const args = ['--policy', 'order.yaml', '--quiet', '--force', '--out'];
  expect(await place.run(['protect', 'in.csv', ...args, 'order.parquet'])).toMatchObject({ code: 0, err: '' });
  const inputs = ['order.parquet', 'order.parquet'];
  place.write('order2.yaml', 'trefoil: 1\ndomain: files\nfields:\n  id: keep\n');
  const again = ['protect', ...inputs, '--policy', 'order2.yaml', '--quiet', '--force', '--out', 'order.csv'];
  expect(await place.run(again)).toMatchObject({ code: 0, err: '' });
  const ids = Array.from({ length: 300_000 }, (_, i) => i).join('\n');
  expect(place.read('order.csv') === `id\n${ids}\n${ids}\n`).toBe(true);
});
