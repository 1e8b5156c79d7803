/**
 * A log and its disk, seen from outside: the order of what is synchronised, and what happens if a call of the system
 * fails. strace watches a process that appends, and makes its calls fail one after the other.
 *
 * Without strace, tests are skipped on a developer's machine and fail in CI. The test of a full disk needs the right to
 * mount one, and is skipped without it; a limit on the size of files is tried everywhere.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CAN_TRACE } from '../../cli/trace.ts';
import { fill, filled, KEY, open, place } from './places.ts';
import { readLog } from './reference.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
if (!existsSync(`${root}dist/log.js`)) throw new Error('dist/log.js is not there: npm run build:js first');

/** Opens a log and appends the entries one after the other. It writes `in INDEX` or `out CODE` for each. */
const WRITER = `
  import { writeSync } from 'node:fs';
  import { noteSigner, openLog } from ${JSON.stringify(`${root}dist/log.js`)};
  import { logFolder } from ${JSON.stringify(`${root}dist/node.js`)};
  const [at, key, size, ...entries] = process.argv.slice(1);
  const store = logFolder(at + '/log', { head: at + '/head' });
  let log;
  try {
    log = await openLog(store, { signer: noteSigner(key), entries: 'bytes' });
  } catch (error) {
    writeSync(1, 'closed ' + error.code + '\\n');
    process.exit(0);
  }
  writeSync(1, 'opened\\n');
  for (const entry of entries) {
    const bytes = new Uint8Array(Number(size)).fill(120);
    new TextEncoder().encodeInto(entry, bytes);
    await log.append(bytes).then(
      ({ index }) => writeSync(1, 'in ' + index + '\\n'),
      (error) => writeSync(1, 'out ' + error.code + '\\n'),
    );
  }
  await log.close();
`;

interface Ended {
  readonly lines: readonly string[];
  readonly errors: string;
}

function append(at: string, size: number, entries: readonly string[], before: readonly string[] = []): Ended {
  const command = [...before, process.execPath, '--input-type=module', '--eval', WRITER, at, KEY.privateKey];
  const { stdout, stderr } = spawnSync(command[0]!, [...command.slice(1), String(size), ...entries], {
    encoding: 'utf8',
    // strace counts the calls of each thread by itself, so there is only one that works with files.
    env: { ...process.env, UV_USE_IO_URING: '0', UV_THREADPOOL_SIZE: '1' },
  });
  return { lines: stdout.split('\n').slice(0, -1), errors: stderr };
}

/** What the process was told is in the log, which then goes on and verifies. */
async function checkKept(at: string, before: number, { lines }: Ended, entries: readonly string[]): Promise<number> {
  const log = await open(at);
  await log.close();
  const found = readLog(join(at, 'log'), KEY.verifierKey).entries;
  const told = lines.filter((line) => line.startsWith('in '));
  for (const [i, line] of told.entries()) {
    expect(line).toBe(`in ${before + i}`);
    expect(found[before + i]!.subarray(0, entries[i]!.length).toString()).toBe(entries[i]);
  }
  const again = await open(at);
  await fill(again, again.size(), again.size() + 2);
  await again.close();
  readLog(join(at, 'log'), KEY.verifierKey);
  return told.length;
}

describe.skipIf(!CAN_TRACE)('under strace', () => {
  test('journal, tiles, their folders, head, its folder, checkpoint, and only then the append is fulfilled', async () => {
    const at = await filled(3);
    const trace = join(at, 'trace');
    const calls = 'trace=fdatasync,fsync,rename,renameat,renameat2,write';
    const { lines, errors } = append(at, 10, ['entry'], ['strace', '-f', '-qq', '-y', '-e', calls, '-o', trace]);
    expect(lines, errors).toEqual(['opened', 'in 3']);
    const steps: string[] = [];
    let from = false;
    for (const line of readFileSync(trace, 'utf8').split('\n')) {
      if (line.includes('"opened')) from = true;
      if (!from) continue;
      const synced = /(?:fdatasync|fsync)\(\d+<([^>]+)>/.exec(line)?.[1];
      const renamed = /rename\w*\(.*"([^"]+)"\) = 0/.exec(line)?.[1];
      if (synced !== undefined) steps.push(`sync ${synced.replace(at, '').replace('/log', '')}`);
      else if (renamed !== undefined) steps.push(`rename ${renamed.replace(at, '').replace('/log', '')}`);
      else if (line.includes('"in 3')) steps.push('fulfilled');
    }
    const place = (step: string): number => steps.indexOf(step);
    // Tiles are synchronised side by side, and so are their folders.
    expect([...steps].sort()).toEqual(
      [
        'fulfilled',
        'rename /checkpoint',
        'rename /head',
        'sync ',
        'sync /head.tmp',
        'sync /journal',
        'sync /tile/0/000.p',
        'sync /tile/0/000.p/4',
        // The folders above them, when they are first used.
        'sync /tile/0',
        'sync /tile/entries',
        'sync /tile',
        'sync ',
        'sync /tile/entries/000.p',
        'sync /tile/entries/000.p/4',
        // The folder of the journal, when it is first opened.
        'sync ',
      ].sort(),
    );
    const order = [
      ['sync /journal'],
      ['sync /tile/0/000.p/4', 'sync /tile/entries/000.p/4'],
      ['sync /tile/0/000.p', 'sync /tile/entries/000.p'],
      ['sync /head.tmp'],
      ['rename /head'],
    ];
    for (const [i, group] of order.slice(1).entries()) {
      for (const later of group) for (const earlier of order[i]!) expect(place(later)).toBeGreaterThan(place(earlier));
    }
    expect(steps.slice(place('rename /head'))).toEqual(['rename /head', 'sync ', 'rename /checkpoint', 'fulfilled']);
  });

  const entries = ['one', 'two', 'three'];
  test.each([
    ['fdatasync', 'EIO', 14],
    ['fsync', 'EIO', 12],
    ['rename', 'ENOSPC', 8],
    ['pwrite64', 'ENOSPC', 4],
  ] as const)(
    '%s fails with %s, at every place where it is called',
    async (call, error, most) => {
      let failures = 0;
      for (let when = 1; when <= most; when++) {
        const at = await filled(254);
        const inject = `inject=${call}:error=${error}:when=${when}`;
        const ended = append(at, 10, entries, [
          'strace',
          '-f',
          '-qq',
          '-e',
          `trace=${call}`,
          '-e',
          inject,
          '-o',
          '/dev/null',
        ]);
        expect(ended.errors).toBe('');
        const out = ended.lines.filter((line) => line.startsWith('out '));
        const closed = ended.lines.filter((line) => line.startsWith('closed '));
        if (out.length + closed.length > 0) failures++;
        // After the first error nothing more is taken.
        expect(out.slice(1)).toEqual(out.slice(1).map(() => 'out log_stopped'));
        expect(ended.lines.slice(1 + ended.lines.length - out.length).every((line) => line.startsWith('out'))).toBe(
          true,
        );
        await checkKept(at, 254, ended, entries);
      }
      expect(failures).toBeGreaterThan(2);
    },
    300_000,
  );
});

test('a file that becomes too long: the append is rejected, the log stops, and goes on when there is room', async () => {
  const at = await filled(3);
  // 64 blocks of 1,024 bytes: the journal of the third entry does not fit.
  const limited = ['bash', '-c', 'ulimit -f 64; exec "$0" "$@"'];
  const entries = ['one', 'two', 'three', 'four'];
  const ended = append(at, 30_000, entries, limited);
  expect(ended.lines).toContain('out no_space');
  expect(ended.lines.at(-1)).toBe('out log_stopped');
  await checkKept(at, 3, ended, entries);
});

test('a full disk: the append is rejected, the log stops, and goes on when there is room', async ({ skip }) => {
  const at = place();
  const disk = join(at, 'disk');
  mkdirSync(disk);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).status !== 0) skip('cannot mount a disk');
  try {
    const made = await open(disk, { create: true });
    await fill(made, 0, 2);
    await made.close();
    const entries = Array.from({ length: 12 }, (_, i) => `number ${i}`);
    const ended = append(disk, 20_000, entries);
    expect(ended.lines).toContain('out no_space');
    expect(ended.lines.at(-1)).toBe('out log_stopped');
    expect(spawnSync('mount', ['-o', 'remount,size=8m', disk]).status).toBe(0);
    expect(await checkKept(disk, 2, ended, entries)).toBeGreaterThan(0);
  } finally {
    spawnSync('umount', [disk]);
  }
});
