/** What is proven is reported with exit 7, whatever else cannot be read, kept or written. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newNoteKey } from '../../../src/log.ts';
import { makeLogKey, ORIGIN } from '../../log/witness/small-log.ts';
import { type Ended, makePlace, type Place } from '../harness.ts';
import { logIn } from './log-files.ts';

let place: Place;
const log = makeLogKey();
const KEY = ['--log-key', log.verifier.text] as const;
const isLinux = process.platform === 'linux';

beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const verify = (args: readonly string[], target = 'log', seen = 'seen.json'): Promise<Ended> =>
  place.run(['oversee', 'verify', target, '--seen', seen, ...KEY, ...args]);

const first = ({ out }: Ended): string => out.split('\n')[0]!;

const written = (size: number, options: { branch?: number; fork?: number } = {}) =>
  logIn(place.path('log'), log.signer, size, options);

/** A log that was seen with 260 entries, and is another one from entry 257 on. */
async function forked(...args: readonly string[]): Promise<void> {
  await written(260);
  expect((await verify(args)).code).toBe(0);
  await written(300, { branch: 1, fork: 257 });
}

/** Serves the log, with an answer of its own for some paths. */
async function served<T>(
  answers: (path: string) => [status: number, body?: string] | null,
  act: (url: string) => Promise<T>,
) {
  const server = createServer(({ url }, response) => {
    const path = url!.slice(1);
    const file = join(place.path('log'), path);
    const [status, body] = answers(path) ?? (existsSync(file) ? [200] : [404]);
    response.writeHead(status).end(body ?? (status === 200 ? readFileSync(file) : ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  try {
    return await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

describe('a fork', () => {
  test('with --all, if an old bundle cannot be read', async () => {
    await forked();
    await served(
      (path) => (path === 'tile/entries/000' ? [500] : null),
      async (url) => {
        const daily = await verify([], url);
        expect([daily.code, first(daily)]).toEqual([7, expect.stringContaining('the log was forked: ')]);
        const weekly = await verify(['--all'], url);
        expect([weekly.code, first(weekly)]).toEqual([7, first(daily)]);
        expect(weekly.out).toMatch(/\n {2}not all of the log or its copies could be read: .*HTTP status 500/);
        const json = JSON.parse((await verify(['--all', '--json'], url)).out);
        expect(json).toMatchObject({ verified: false, unread: { code: 'log_unavailable' } });
        expect(json.findings[0]).toMatchObject({ word: 'forked', evidence: [expect.any(String), expect.any(String)] });
      },
    );
  });

  test('of the same size, if no tile can be read, or all are gone', async () => {
    await written(260);
    expect((await verify([])).code).toBe(0);
    await written(260, { branch: 1, fork: 257 });
    await served(
      (path) => (path.startsWith('tile/') ? [500] : null),
      async (url) => {
        const ended = await verify([], url);
        expect([ended.code, first(ended)]).toEqual([7, expect.stringContaining('the log was forked: ')]);
      },
    );
    rmSync(place.path('log/tile'), { recursive: true });
    const json = JSON.parse((await verify(['--json'])).out);
    expect(json.findings[0]).toMatchObject({ word: 'forked', evidence: [expect.any(String), expect.any(String)] });
    expect(first(await verify([]))).toContain('the log was forked: ');
  });

  test.each(['', '--all'])('if the folder of --keep cannot be written (%s)', async (all) => {
    await forked();
    writeFileSync(place.path('file'), '');
    mkdirSync(place.path('kept/tile/0'), { recursive: true });
    writeFileSync(place.path('kept/tile/0/001.p'), '');
    for (const folder of ['kept', 'file/kept', '/proc/kept']) {
      const ended = await verify(['--keep', folder, ...(all === '' ? [] : [all])]);
      expect([ended.code, first(ended)]).toEqual([7, expect.stringContaining('the log was forked: ')]);
    }
  });

  test.runIf(isLinux)('if standard output is full or has no reader', async () => {
    await forked();
    const command = `$T oversee verify log --seen seen.json ${KEY.join(' ')}`;
    const full = await place.bash(`${command} > /dev/full`);
    expect([full.code, full.err]).toEqual([7, expect.stringContaining('no space left')]);
    const closed = await place.bash(`${command} | true; exit \${PIPESTATUS[0]}`);
    expect(closed.code).toBe(7);
  });
});

describe('a log that verifies', () => {
  test('is verified if the folder of --keep cannot be written: exit 9', async () => {
    await written(260);
    writeFileSync(place.path('file'), '');
    const ended = await verify(['--keep', 'file/kept']);
    expect([ended.code, first(ended)]).toEqual([9, expect.stringMatching(/^verified WITHOUT/)]);
    expect(ended.err).toMatch(/warning: the copies of --keep could not be read or made: .*file/);
    // What was seen is remembered all the same.
    expect(JSON.parse(place.read('seen.json')).size).toBe(260);
  });

  test.runIf(isLinux)('has a verdict if the file of --seen cannot be written: exit 5', async () => {
    await written(5);
    const ended = await verify([], 'log', '/proc/seen.json');
    expect([ended.code, first(ended)]).toEqual([5, expect.stringMatching(/^verified WITHOUT/)]);
    expect(ended.err).toMatch(/trefoil: error: \/proc\/seen\.json: /);
    expect(ended.err).not.toContain('made /proc');
    const json = await verify(['--json'], 'log', '/proc/seen.json');
    expect(json.out.trim().split('\n')).toHaveLength(1);
  });

  test.runIf(isLinux)('is not taken for seen if nobody got the verdict', async () => {
    await written(5);
    expect((await verify([])).code).toBe(0);
    const before = place.read('seen.json');
    await written(9);
    const command = `$T oversee verify log --seen seen.json ${KEY.join(' ')}`;
    expect((await place.bash(`${command} > /dev/full`)).code).toBe(5);
    expect(place.read('seen.json')).toBe(before);
    expect((await verify([])).code).toBe(0);
    expect(place.read('seen.json')).not.toBe(before);
  });

  test('without entries and cosignatures says so', async () => {
    await written(0);
    const witness = newNoteKey('w.example', { algorithm: 'cosignature/v1' }).verifierKey;
    place.write('policy.txt', `log ${log.verifier.text}\nwitness W ${witness}\nquorum W\n`);
    const args = ['log', '--seen', 'seen.json', '--log-policy', 'policy.txt', '--no-witnesses'];
    const empty = await place.run(['oversee', 'verify', ...args]);
    expect([empty.code, first(empty)]).toEqual([0, expect.stringMatching(/0 entries, .*; cosigned by nobody yet; /)]);
    // What was added since is not cosigned either, and that is no longer good.
    await written(5);
    const grown = await place.run(['oversee', 'verify', ...args]);
    expect([grown.code, first(grown)]).toEqual([7, expect.stringContaining('too few witnesses have cosigned it')]);
    expect(JSON.parse(place.read('seen.json')).size).toBe(0);
  });
});

describe('what is refused before the log is read', () => {
  test.each([
    ['the folder of the log as --keep', ['--keep', 'log'], 2, /the folder of --keep is that of the log/],
    ['a link to it', ['--keep', 'link'], 2, /is that of the log/],
    ['another log as --keep', ['--keep', 'other'], 2, /has files of a log/],
  ] as const)('%s', async (_, args, code, message) => {
    await written(5);
    await logIn(place.path('other'), log.signer, 3);
    symlinkSync('log', place.path('link'));
    chmodSync(place.path('log'), 0o755);
    const ended = await verify(args);
    expect([ended.code, ended.out, ended.err]).toEqual([code, '', expect.stringMatching(message)]);
    expect(statSync(place.path('log')).mode & 0o777).toBe(0o755);
  });

  test.each([
    ['in a folder that is missing', 'none/seen.json', /none\/seen\.json: its folder cannot be read: there is no such/],
    ['that is a link to nothing', 'dangling', /dangling: it is a symbolic link to nothing/],
    ['that is a folder', 'folder', /folder: it is not a regular file/],
    ['that is a pipe', 'pipe', /pipe: it is not a regular file/],
  ])('a file of --seen %s', async (_, seen, message) => {
    symlinkSync('nothing', place.path('dangling'));
    mkdirSync(place.path('folder'));
    await place.bash('mkfifo pipe');
    // There is no log: nothing was read.
    const ended = await verify([], 'log', seen);
    expect([ended.code, ended.out, ended.err]).toEqual([5, '', expect.stringMatching(message)]);
  });

  test.each(['file:///log', 'ftp://log.example/'])('%s as LOG', async (address) => {
    const ended = await verify([], address);
    expect([ended.code, ended.err]).toEqual([2, expect.stringMatching(/not of http or https/)]);
  });

  test('one key twice', async () => {
    const ended = await verify(KEY);
    expect([ended.code, ended.err]).toEqual([2, expect.stringMatching(/--log-key has the same key twice/)]);
  });
});

test('a web server that answers with a page is no log at a first look, and an unreadable one after it', async () => {
  await written(5);
  await served(
    (path) => (path === 'checkpoint' ? [200, '<!doctype html><title>Welcome</title>'] : null),
    async (url) => {
      const ended = await verify([], url);
      expect([ended.code, ended.out]).toEqual([5, '']);
      expect(ended.err).toMatch(/something else than a checkpoint is at http.*; check the address of the log/);
      expect((await verify([])).code).toBe(0);
      expect((await verify([], url)).code).toBe(7);
    },
  );
});

test('a record whose checkpoint is not that of its tree is damaged', async () => {
  await written(5);
  expect((await verify([])).code).toBe(0);
  const seen = JSON.parse(place.read('seen.json'));
  await written(4);
  const other = readFileSync(place.path('log/checkpoint'), 'utf8');
  await written(5);
  for (const checkpoint of ['garbage', other, seen.checkpoint.replace(ORIGIN, 'other.example')]) {
    place.write('seen.json', JSON.stringify({ ...seen, checkpoint }));
    const ended = await verify([]);
    expect([ended.code, first(ended)]).toEqual([
      5,
      expect.stringMatching(/^NOT KNOWN: the file seen\.json is damaged/),
    ]);
    expect(ended.err).toContain('a checkpoint that is not the one of its tree');
  }
});

test('a name that reorders a line is refused', async () => {
  const ended = await place.run(['officer', 'new', '--name', 'a\u202eb', '--out', 'key']);
  expect([ended.code, ended.err]).toEqual([2, expect.stringMatching(/--name has a character that cannot be seen/)]);
  expect(place.files()).toEqual([]);
});

test.runIf(isLinux)('a key whose verifier key nobody got says how to print it', async () => {
  const ended = await place.bash('$T officer new --name log.example --out log.key > /dev/full');
  expect([ended.code, ended.err]).toEqual([5, expect.stringContaining('--verifier-key log.key prints it')]);
  expect((await place.run(['officer', 'new', '--verifier-key', 'log.key'])).code).toBe(0);
});

test.runIf(isLinux)(
  'a pipe as --out gets the key when it has a reader, and a signal ends the wait for one',
  async () => {
    const command = '$T officer new --name log.example --out pipe';
    const waiting = await place.bash(`mkfifo pipe; ${command} & sleep 1.5; kill -TERM $!; wait $!`);
    expect([waiting.code, waiting.out]).toEqual([143, '']);
    const read = await place.bash(`${command} > log.vkey & sleep 0.7; cat pipe; wait $!`);
    expect([read.code, read.out]).toEqual([0, expect.stringMatching(/^PRIVATE\+KEY\+log\.example\+/)]);
  },
);
