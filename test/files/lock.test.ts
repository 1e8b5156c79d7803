/**
 * The lock of runs that can be resumed: only one run at a time holds it, even if several begin at the same instant. The
 * lock of a killed process does not stop the next run.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeLock } from '../../src/files/outputs/lock.ts';
import { thisOwner } from '../../src/files/outputs/owner.ts';
import { makePlace, type Place } from '../cli/harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trefoil-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = () => join(folder, 'x.lock');
const take = () => takeLock(path(), 'x');

/** Writes a lock that another process left or holds. */
async function leave(change: object, age = 0): Promise<void> {
  writeFileSync(path(), `${JSON.stringify({ trefoil: 'lock', ...(await thisOwner()), ...change })}\n`);
  const then = Date.now() / 1000 - age;
  utimesSync(path(), then, then);
}

describe('a lock', () => {
  test('is held by one run, has mode 0600, and is removed when it is released', async () => {
    const lock = await take();
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    await expect(take()).rejects.toMatchObject({ code: 'resume_refused' });
    await lock.check();
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
    await (await take()).release();
  });

  test('is taken by one of many runs that want it at once', async () => {
    const tried = await Promise.allSettled(Array.from({ length: 20 }, take));
    const got = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(got).toHaveLength(1);
    await got[0]!.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a process that has ended is taken over, even by one of many', async () => {
    await leave({ pid: 2 ** 22 + 1 });
    await (await take()).release();
    // The process number is in use again.
    await leave({ start: '1' });
    await (await take()).release();
    for (let i = 0; i < 50; i++) {
      await leave({ boot: '00000000', id: String(i) });
      const tried = await Promise.allSettled(Array.from({ length: 10 }, take));
      const got = tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(got).toHaveLength(1);
      await got[0]!.check();
      await got[0]!.release();
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test('is taken over if a process was killed while it took over, and nothing of that stays', async () => {
    await leave({ boot: '00000000' });
    const name = createHash('sha256')
      .update(`x.lock\0${readFileSync(path(), 'utf8')}`)
      .digest('hex')
      .slice(0, 32);
    const guard = join(folder, `.trefoil-guard-${name}.lock`);
    copyFileSync(path(), guard);
    await (await take()).release();
    expect(readdirSync(folder)).toEqual([]);
    // As long as the process that takes over is alive, the others wait for it, and then say so.
    await leave({ boot: '00000000' });
    const lock = await takeLock(guard, 'x');
    await expect(take()).rejects.toThrow('other runs are starting at the same time; try again');
    await lock.release();
    await (await take()).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of another container is taken over if it was not written for a minute, and not before', async () => {
    await leave({ host: '00000000' }, 30);
    await expect(take()).rejects.toThrow(/another machine or in another container/);
    await leave({ host: '00000000' }, 61);
    await (await take()).release();
  });

  test('is not taken over at once if its file is not a lock', async () => {
    writeFileSync(path(), 'something');
    await expect(take()).rejects.toMatchObject({ code: 'resume_refused' });
    expect(readFileSync(path(), 'utf8')).toBe('something');
  });

  test('that another run has taken over is noticed, and stays with that run', async () => {
    const lock = await take();
    rmSync(path());
    await leave({ host: '00000000' });
    await expect(lock.check()).rejects.toThrow(/no output of this run got its final name/);
    await lock.release();
    expect(existsSync(path())).toBe(true);
  });
});

describe('two runs of one command at once', () => {
  let place: Place;
  const rows = Array.from({ length: 60_000 }, (_, i) => `${i},Person ${i}`).join('\n');
  const args = ['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k.json', '--quiet'];

  beforeEach(async () => {
    place = makePlace();
    place.write(
      'p.yaml',
      'trefoil: 1\ndomain: eu\nfields:\n  id: { rule: token, scope: p }\n  name: { rule: seal, scope: n }\n',
    );
    place.write('in.csv', `id,name\n${rows}\n`);
    await place.run(['keys', 'new', '--out', 'k.json']);
  });
  afterEach(() => place.remove());

  test('one of them works, the other is refused, and the file is complete when the first has ended', async () => {
    expect((await place.run([...args, '--out', 'alone.csv'])).code).toBe(0);
    const whole = place.read('alone.csv');
    for (const delay of [0, 60, 200]) {
      const first = place.start([...args, '--out', 'out.csv', '--resume']);
      await new Promise((done) => setTimeout(done, delay));
      const second = place.start([...args, '--out', 'out.csv', '--resume']);
      const ended = await Promise.all([first.ended, second.ended]);
      expect(ended.map(({ code }) => code).sort(), ended.map(({ err }) => err).join()).toEqual([0, 5]);
      expect(ended.find(({ code }) => code === 5)!.err).toMatch(/still working|the output exists/);
      expect(place.read('out.csv') === whole).toBe(true);
      expect(place.files().filter((name) => /resume|part|lock|tmp/.test(name))).toEqual([]);
      rmSync(place.path('out.csv'));
    }
  });

  test('the same if only the file of rejects is shared', async () => {
    const rejecting = [...args, '--on-error', 'reject', '--rejects', 'r.ndjson', '--resume', '--out'];
    const runs = ['a.csv', 'b.csv'].map((out) => place.start([...rejecting, out]));
    const ended = await Promise.all(runs.map((one) => one.ended));
    expect(ended.map(({ code }) => code).sort()).toEqual([0, 5]);
    expect(place.files().filter((name) => /resume|part|lock|tmp/.test(name))).toEqual([]);
  });
});
