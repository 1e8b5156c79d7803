/** `trefoil oversee verify` as a process: over a folder, over HTTP, after each manipulation, and its memory. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cosigner, newNoteKey, signNote, verifierKey, witness, witnessMemory } from '../../../src/log.ts';
import { makeLogKey, ORIGIN } from '../../log/witness/small-log.ts';
import { type Ended, makePlace, type Place } from '../harness.ts';
import { logIn, type WrittenLog } from './log-files.ts';

let place: Place;
const log = makeLogKey();
const keys = Object.fromEntries(
  ['NCC', 'DPA'].map((name) => [name, newNoteKey(`${name.toLowerCase()}.example/w`, { algorithm: 'cosignature/v1' })]),
);

beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const KEY = ['--log-key', log.verifier.text] as const;

function verify(args: readonly string[], target = 'log'): Promise<Ended> {
  return place.run(['oversee', 'verify', target, '--seen', 'seen.json', ...args]);
}

/** The first line of the output. */
const first = ({ out }: Ended): string => out.split('\n')[0]!;

/** A log in the folder `log`, with so many entries. */
async function written(size: number, options: { branch?: number; fork?: number } = {}): Promise<WrittenLog> {
  return logIn(place.path('log'), log.signer, size, options);
}

describe('a log that verifies', () => {
  test('the first look makes the file of --seen, and later looks say what is new', async () => {
    await written(5);
    const one = await verify(KEY);
    expect([one.code, first(one)]).toEqual([
      0,
      `verified WITHOUT A WITNESS: ${ORIGIN}, 5 entries, all of them read; the holder of its key could show others a ` +
        'different log',
    ]);
    expect(one.out).toContain('\n  entries: beat 5\n');
    expect(one.err).toContain('made seen.json: this was the first look');
    expect(JSON.parse(place.read('seen.json'))).toMatchObject({ trefoil: 'seen-v1', origin: ORIGIN, size: 5 });

    await written(700);
    const two = await verify(KEY);
    expect([two.code, two.err]).toEqual([0, '']);
    expect(first(two)).toContain('700 entries, 695 new since the last look;');
    const three = await verify(KEY);
    expect(first(three)).toContain('700 entries, 0 new since the last look;');
    const all = await verify([...KEY, '--all']);
    expect(first(all)).toContain('700 entries, 0 new since the last look, all of them read;');
    expect(place.files()).toEqual(['log', 'seen.json']);
  });

  test('as JSON', async () => {
    await written(3);
    const { code, out } = await verify([...KEY, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      verified: true,
      origin: ORIGIN,
      size: 3,
      before: null,
      checked: 3,
      quorum: 'none',
      findings: [],
      kinds: { beat: 3 },
      silent: [],
    });
  });

  test('an entry whose time is ahead of the clock is a warning and exit 9', async () => {
    const text = (at: number) => JSON.stringify({ trefoil: 'log-v1', kind: 'beat', at });
    const now = Math.floor(Date.now() / 1000);
    const grown = async (...times: readonly number[]) =>
      logIn(place.path('log'), log.signer, times.length, { text: (i) => text(times[i]!) });
    const right = [now - 10, now + 300];
    const wrong = [...right, now + 7200, now + 7200];
    await grown(...right);
    expect((await verify(KEY)).code).toBe(0);
    await grown(...wrong);
    const ended = await verify(KEY);
    expect([ended.code, first(ended)]).toEqual([9, expect.stringMatching(/^verified .* 2 new since the last look/)]);
    expect(ended.err).toMatch(/warning: the time of entry 2 is (?:2 h|120 min) ahead of the clock of this machine/);
    // What was read before is not read again, unless --all says so.
    const json = async (...more: readonly string[]) => JSON.parse((await verify([...KEY, '--json', ...more])).out);
    expect(await json()).toMatchObject({ verified: true, ahead: null });
    expect(await json('--all')).toMatchObject({ verified: true, ahead: { entry: 2, time: now + 7200 } });
    // If the log does not verify, that is the exit code.
    const bundle = place.path('log/tile/entries/000.p/4');
    writeFileSync(bundle, readFileSync(bundle, 'latin1').replace(String(now - 10), String(now - 11)), 'latin1');
    const bad = await verify([...KEY, '--all']);
    expect([bad.code, first(bad)]).toEqual([7, expect.stringContaining('entry 0 was rewritten')]);
  });

  test('entries of any form, if --entries any says so', async () => {
    await logIn(place.path('log'), log.signer, 3, { text: (i) => `entry ${i}` });
    const strict = await verify(KEY);
    expect([strict.code, first(strict)]).toEqual([7, expect.stringContaining('entry 0 cannot be read')]);
    expect(strict.out).toMatch(/what to do: if this log has entries of its own form, verify it with `--entries bytes`/);
    expect((await verify([...KEY, '--entries', 'bytes'])).code).toBe(0);
  });
});

describe('a log that does not verify: exit 7, the entry and the word', () => {
  const leaf = (path: string) => `log/tile/0/${path}`;
  const bundle = (path: string) => `log/tile/entries/${path}`;

  /** What is done to a log of 600 entries after a first look, what the verdict says, and with which options. */
  type Change = (before: WrittenLog) => unknown;
  const rows: readonly (readonly [what: string, change: Change, verdict: RegExp, options?: readonly string[]])[] = [
    [
      'an entry of a full bundle is changed',
      () => replaceIn(bundle('001'), '"at":300', '"at":301'),
      /entry 300 was rewritten/,
      ['--all'],
    ],
    [
      'an entry of the last bundle is changed',
      () => replaceIn(bundle('002.p/88'), '"at":520', '"at":521'),
      /entry 520 was rewritten/,
      ['--all'],
    ],
    [
      'an entry is taken out',
      () => replaceIn(bundle('002.p/88'), /.{2}\{"trefoil":"log-v1","kind":"beat","at":540\}/s, ''),
      /deleted|rewritten/,
      ['--all'],
    ],
    ['a bundle in the middle is deleted', () => rmSync(place.path(bundle('001'))), /deleted/, ['--all']],
    [
      'the last bundle is deleted',
      () => rmSync(place.path(bundle('002.p')), { recursive: true }),
      /the log is cut: the entries from 512 on/,
      ['--all'],
    ],
    [
      'a leaf tile is deleted',
      () => rmSync(place.path(leaf('001'))),
      /: hash tile tile\/0\/001 was deleted$/,
      ['--all'],
    ],
    [
      'a hash of a leaf tile is changed',
      () => flip(leaf('001'), 100),
      /: hash tile tile\/0\/001 was rewritten at entry 259; the entries are right$/,
      ['--all'],
    ],
    [
      'a hash of the last leaf tile is changed',
      () => flip(leaf('002.p/88'), 100),
      /: hash tile tile\/0\/002\.p\/88 was rewritten; the entries are right$/,
    ],
    [
      'an entry and its hash are changed',
      () => {
        replaceIn(bundle('001'), '"at":300', '"at":301');
        flip(leaf('001'), 44 * 32);
      },
      /rewritten/,
      ['--all'],
    ],
    ['the checkpoint is deleted', () => rmSync(place.path('log/checkpoint')), /: log: its checkpoint was deleted$/],
    [
      'the checkpoint is signed by somebody else',
      async (old) => writeFileSync(place.path('log/checkpoint'), await signNote(old.text, [makeLogKey().signer])),
      /not signed by a log of the policy/,
    ],
    [
      'the checkpoint is changed',
      (old) => writeFileSync(place.path('log/checkpoint'), old.note.replace('\n600\n', '\n599\n')),
      /has a signature that does not verify: it was changed/,
    ],
    [
      'everything after entry 300 is written and signed anew',
      () => logIn(place.path('log'), log.signer, 650, { branch: 1, fork: 300 }),
      /the log was forked: .*changed since the last look/,
    ],
    [
      'an old copy is restored',
      () => logIn(place.path('log'), log.signer, 400),
      /the log was rolled back to 400 entries/,
    ],
    [
      'another log is in its place',
      () => logIn(place.path('log'), makeLogKey('other.example').signer, 600),
      /not signed by a log of the policy/,
    ],
  ];

  function replaceIn(path: string, from: string | RegExp, to: string): void {
    const before = readFileSync(place.path(path), 'latin1');
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(place.path(path), after, 'latin1');
  }

  function flip(path: string, at: number): void {
    const bytes = readFileSync(place.path(path));
    bytes[at]! ^= 1;
    writeFileSync(place.path(path), bytes);
  }

  test.each(rows.map((row) => ({ what: row[0], row })))('$what', async ({ row }) => {
    const [, change, verdict, options = []] = row;
    const before = await written(600);
    expect((await verify(KEY)).code).toBe(0);
    const seen = place.read('seen.json');
    await change(before);
    const ended = await verify([...KEY, ...options]);
    expect(ended.code).toBe(7);
    expect(first(ended)).toMatch(/^NOT VERIFIED: /);
    expect(first(ended)).toMatch(verdict);
    expect(ended.out).toContain('\n  there may be more: ');
    // Without a quorum, nobody has to cosign.
    expect(ended.out).not.toContain('unwitnessed');
    expect(ended.out).toMatch(/\n {2}(deleted|cut|rewritten|forked|rolled back|unsigned): .*\n {4}what to do: /);
    expect(ended.err).toContain('seen.json is still that of the last look');
    expect(place.read('seen.json')).toBe(seen);
    const json = JSON.parse((await verify([...KEY, ...options, '--json'])).out);
    expect(json).toMatchObject({ verified: false, place: 'log' });
    expect(json.findings[0].word).toBeTruthy();
  });

  test('a first look has nothing to compare with, and keeps nothing of a bad log', async () => {
    await written(5);
    rmSync(place.path('log/tile'), { recursive: true });
    const ended = await verify(KEY);
    expect([ended.code, ended.err]).toEqual([7, 'trefoil: nothing was kept\n']);
    expect(existsSync(place.path('seen.json'))).toBe(false);
  });
});

describe('witnesses', () => {
  const witnesses: Record<string, ReturnType<typeof witness>> = {};
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer(async (incoming, outgoing) => {
      const name = incoming.url!.split('/')[1]!;
      const response = await witnesses[name]?.(new Request(`http://w${incoming.url}`));
      outgoing.statusCode = response?.status ?? 503;
      outgoing.end(await response?.text());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  /** Writes a policy with two witnesses, and starts them anew. */
  function policy(quorum = 'all'): void {
    for (const [name, key] of Object.entries(keys)) {
      witnesses[name] = witness({
        signer: cosigner(key.privateKey),
        state: witnessMemory(),
        logs: [log.verifier],
        prefix: `/${name}`,
      });
    }
    const lines = Object.entries(keys).map(([name, key]) => `witness ${name} ${key.verifierKey} ${url}/${name}\n`);
    const group = quorum === 'none' ? 'quorum none\n' : `group outside ${quorum} NCC DPA\nquorum outside\n`;
    place.write('policy.txt', `log ${log.verifier.text}\n${lines.join('')}${group}`);
  }

  /** Has witnesses cosign a log. Returns their lines. */
  async function cosigned(next: WrittenLog, from: number, names: readonly string[]): Promise<string> {
    let lines = '';
    for (const name of names) {
      const hashes = next.proof(from).map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
      const body = `old ${from}\n${hashes.join('')}\n${next.note}`;
      const response = await witnesses[name]!(new Request(`http://w/${name}/add-checkpoint`, { method: 'POST', body }));
      expect(response.status).toBe(200);
      lines += await response.text();
    }
    return lines;
  }

  const POLICY = ['--log-policy', 'policy.txt'] as const;

  test('the verdict names them and says how old their cosignatures are', async () => {
    policy();
    await cosigned(await written(5), 0, ['NCC', 'DPA']);
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([
      0,
      expect.stringMatching(
        /^verified: log\.example\/2026, 5 entries, all of them read; cosigned by NCC \d s ago and DPA \d s ago$/,
      ),
    ]);
    // Entries that are not cosigned yet are named, and are no finding.
    await written(8);
    const next = await verify(POLICY);
    expect([next.code, first(next)]).toEqual([
      0,
      expect.stringMatching(/cosigned the first 5, and not yet the newest 3$/),
    ]);
  });

  test('a fork that a witness holds is not hidden by an old tile that is missing', async () => {
    policy('any');
    const base = await written(1000);
    await cosigned(base, 0, ['NCC', 'DPA']);
    expect((await verify(POLICY)).code).toBe(0);
    await cosigned(await written(1100, { branch: 1, fork: 1000 }), 1000, ['NCC']);
    await cosigned(await written(5000), 1000, ['DPA']);
    const forked = await verify(POLICY);
    expect([forked.code, first(forked)]).toEqual([7, expect.stringMatching(/the witness NCC has seen another one/)]);
    rmSync(place.path('log/tile/0/004'));
    for (const more of [[], ['--all']]) {
      const ended = await verify([...POLICY, ...more]);
      expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(/^NOT VERIFIED: /)]);
      expect(ended.out).toMatch(/cannot show that it has the 1100 entries of the witness NCC: .*tile\/0\/004/);
    }
  }, 30_000);

  /** Has all cosign the first 5 entries of a log, so many seconds from now, and then the log grow. */
  async function grownSince(seconds: number): Promise<void> {
    policy('any');
    const old = await written(5);
    const now = () => Date.now() + seconds * 1000;
    const signers = Object.values(keys).map(({ privateKey }) => cosigner(privateKey, { now }));
    const lines = (await signNote(old.text, signers)).slice(old.text.length + 1);
    for (const name of Object.keys(keys)) witnesses[name] = async () => new Response(`${old.note}${lines}`);
    await written(5000);
  }

  test('a log may be ahead of its witnesses for 20 minutes; after that, exit 9', async () => {
    for (const [seconds, code] of [
      [-1100, 0],
      [-1300, 9],
    ] as const) {
      await grownSince(seconds);
      const ended = await verify(POLICY);
      const covers = /^verified: .* cosigned the first 5, and not yet the newest 4,995$/;
      expect([ended.code, first(ended)]).toEqual([code, expect.stringMatching(covers)]);
      expect(ended.err.includes('older than 20 minutes')).toBe(code === 9);
      rmSync(place.path('seen.json'));
      const json = JSON.parse((await verify([...POLICY, '--json'])).out);
      expect(json).toMatchObject({ late: code === 9, witnessed: 5, silent: [] });
      rmSync(place.path('seen.json'));
    }
  }, 20_000);

  test('one that is down for a moment is exit 9, also in the looks after it, and with --all', async () => {
    policy();
    await cosigned(await written(330), 0, ['NCC', 'DPA']);
    expect((await verify(POLICY)).code).toBe(0);
    const dpa = witnesses.DPA!;
    delete witnesses.DPA;
    const next = await written(332);
    writeFileSync(place.path('log/checkpoint'), `${next.note}${await cosigned(next, 330, ['NCC'])}`);
    const line =
      /^verified: .*; cosigned by NCC \d s ago and DPA \d+ s ago; .* the first 330, and not yet the newest 2; NO ANSWER FROM DPA$/;
    for (const more of [[], [], ['--all']]) {
      const ended = await verify([...POLICY, ...more]);
      expect([ended.code, first(ended)]).toEqual([9, expect.stringMatching(line)]);
    }
    // Half an hour later, somebody has to look after it.
    const seen = JSON.parse(place.read('seen.json'));
    expect(seen.open).toEqual([{ size: 332, time: expect.any(Number) }]);
    place.write('seen.json', JSON.stringify({ ...seen, open: [{ size: 332, time: seen.open[0].time - 1900 }] }));
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(/too few witnesses have cosigned it/)]);
    expect(ended.out).toMatch(/unwitnessed: .* more than the first 330 entries.*\(entries from 330 to 331\)/);
    witnesses.DPA = dpa;
    await cosigned(next, 330, ['DPA']);
    expect((await verify(POLICY)).code).toBe(0);
  }, 30_000);

  test('the first line names the entry that was signed anew, and every finding has a line with its place', async () => {
    policy();
    await cosigned(await written(330), 0, ['NCC', 'DPA']);
    expect((await verify([...POLICY, '--keep', 'kept'])).code).toBe(0);
    await written(330, { branch: 1, fork: 100 });
    const ended = await verify([...POLICY, '--keep', 'kept']);
    expect([ended.code, first(ended)]).toEqual([
      7,
      `NOT VERIFIED: ${ORIGIN}: the log was forked: entry 100 changed since the last look; 3 more findings below`,
    ]);
    expect(ended.out).toMatch(/\n {2}forked: the log has another tree than at the last look.* \(entry 100\)\n/);
    expect(ended.out).toMatch(/\n {2}forked: the witness NCC has .* \(one of the entries 0 to 329\)\n/);
    expect(ended.out).toMatch(/\n {2}forked: the witness DPA has .* \(one of the entries 0 to 329\)\n/);
    expect(ended.out).toMatch(/\n {2}unwitnessed: .*\n/);
    const json = JSON.parse((await verify([...POLICY, '--keep', 'kept', '--json'])).out);
    expect(json.findings.map(({ word, entry }: { word: string; entry?: number }) => [word, entry])).toEqual([
      ['forked', undefined],
      ['forked', undefined],
      ['unwitnessed', undefined],
      ['forked', 100],
    ]);
  }, 30_000);

  test('a cosignature from the future does not count, and the reason says so', async () => {
    await grownSince(3600);
    const ended = await verify([...POLICY, '--json']);
    expect(ended.code).toBe(7);
    const { silent, witnessed } = JSON.parse(ended.out);
    expect(witnessed).toBe(0);
    const reason =
      /from the future, so it does not count: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ, \d+ min ahead of the clock/;
    expect(silent[0]).toEqual({ name: 'NCC', reason: expect.stringMatching(reason) });
  });

  test('too few of them: exit 7', async () => {
    policy();
    await cosigned(await written(5), 0, ['NCC']);
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(/too few witnesses have cosigned it/)]);
    expect(ended.out).toContain('\n  no cosignature that counts: DPA\n');
    expect(ended.out).toContain('\n  the witness DPA said nothing: it has no checkpoint of this log');
  });

  test('one that says nothing is a warning and exit 9, also if the quorum is satisfied', async () => {
    policy('any');
    await cosigned(await written(5), 0, ['NCC']);
    delete witnesses.DPA;
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([9, expect.stringMatching(/^verified: .*cosigned by NCC/)]);
    expect(ended.err).toMatch(/1 witness of the policy said nothing\n {2}DPA: it cannot be reached/);
    expect(ended.err).toMatch(
      /the quorum of the policy does not prevent forks: NCC alone .* and so do DPA|DPA alone .* NCC/,
    );
  });

  test('one that does not answer is exit 9, also if the checkpoint of the log has its cosignature', async () => {
    policy();
    const next = await written(5);
    const lines = await cosigned(next, 0, ['NCC', 'DPA']);
    writeFileSync(place.path('log/checkpoint'), `${next.note}${lines}`);
    const fine = await verify(POLICY);
    expect([fine.code, first(fine)]).toEqual([0, expect.not.stringContaining('NO ANSWER')]);
    const answers: readonly Response[] = [404, 500, 503, 200].map((status) => new Response('junk', { status }));
    for (const answer of answers) {
      witnesses.DPA = async () => answer.clone();
      const ended = await verify(POLICY);
      expect([answer.status, ended.code, first(ended)]).toEqual([
        answer.status,
        9,
        expect.stringMatching(/^verified: .*cosigned by NCC .* and DPA .*; NO ANSWER FROM DPA$/),
      ]);
      expect(ended.err).toMatch(/1 witness of the policy said nothing\n {2}DPA: it /);
    }
    const json = JSON.parse((await verify([...POLICY, '--json'])).out);
    expect(json).toMatchObject({ verified: true, silent: [{ name: 'DPA' }] });
  });

  test('two forks of one log, a quorum of one: the overseer asks all and sees it', async () => {
    policy('any');
    // Fork B is for NCC alone; the overseer is shown fork A with the cosignature of the DPA.
    const forkB = await written(9, { branch: 1, fork: 8 });
    await cosigned(forkB, 0, ['NCC']);
    const forkA = await written(10);
    const lines = await cosigned(forkA, 0, ['DPA']);
    writeFileSync(place.path('log/checkpoint'), `${forkA.note}${lines}`);
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(/the witness NCC has seen another one/)]);
    expect(ended.out).toMatch(/keep the checkpoints of `evidence`.*\n {4}`evidence` is printed with --json only/);
    const json = JSON.parse((await verify([...POLICY, '--json'])).out);
    expect(json.findings[0]).toMatchObject({ word: 'forked', witness: 'NCC' });
    expect(json.findings[0].evidence).toHaveLength(2);
    // Without asking, nobody sees it, and the verdict says that nobody was asked.
    const quiet = await verify([...POLICY, '--no-witnesses']);
    expect([quiet.code, first(quiet)]).toEqual([0, expect.stringMatching(/witnesses were not asked$/)]);
  });

  test('the end of the log is taken away, and a witness has it: rolled back', async () => {
    policy('any');
    await cosigned(await written(9), 0, ['NCC', 'DPA']);
    await written(5);
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(/the log was rolled back to 5 entries/)]);
  }, 20_000);

  test('quorum none is in the first line', async () => {
    policy('none');
    await cosigned(await written(5), 0, ['NCC', 'DPA']);
    const ended = await verify(POLICY);
    expect([ended.code, first(ended)]).toEqual([
      0,
      expect.stringMatching(/^verified, BUT THE POLICY DEMANDS NO WITNESS: /),
    ]);
  });
});

describe('over HTTP', () => {
  test('a log is verified at its address; a server that fails is exit 5', async () => {
    await written(300);
    let status = 200;
    const server = createServer((incoming, outgoing) => {
      const path = place.path(`log${incoming.url!.slice('/2026'.length)}`);
      if (status !== 200 || !existsSync(path)) {
        outgoing.statusCode = status === 200 ? 404 : status;
        outgoing.end();
      } else outgoing.end(readFileSync(path));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/2026/`;
    const ended = await verify(KEY, url);
    expect([ended.code, first(ended)]).toEqual([0, expect.stringContaining('300 entries')]);
    status = 503;
    const failed = await verify(KEY, url);
    expect([failed.code, failed.out]).toEqual([5, '']);
    await new Promise((resolve) => server.close(resolve));
    const gone = await verify(KEY, url);
    expect([gone.code, gone.out]).toEqual([5, '']);
    expect(gone.err).not.toContain('127.0.0.1');
  });
});

test('--all reads everything of one checkpoint, whatever the server shows the second time', async () => {
  await logIn(place.path('tiny'), log.signer, 1);
  await written(5000);
  let reads = 0;
  let isEvil = false;
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url!.slice(1);
    if (path === 'checkpoint') reads++;
    const file = place.path(`${isEvil && reads > 1 ? 'tiny' : 'log'}/${path}`);
    // The oldest entries are gone.
    const isGone = isEvil && /(?:entries|tile\/0)\/00[0-9]$/.test(path);
    if (isGone || !existsSync(file)) outgoing.writeHead(404).end();
    else outgoing.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    expect((await verify(KEY, url)).code).toBe(0);
    reads = 0;
    const honest = await verify([...KEY, '--all', '--json'], url);
    expect([honest.code, JSON.parse(honest.out).checked, reads]).toEqual([0, 5000, 1]);
    reads = 0;
    isEvil = true;
    const ended = await verify([...KEY, '--all'], url);
    expect([ended.code, first(ended)]).toEqual([7, expect.stringMatching(/^NOT VERIFIED: .*deleted/)]);
  } finally {
    server.close();
  }
}, 20_000);

describe('what cannot be verified', () => {
  test('no LOG, no file of --seen, no key, both keys, a bad key, a bad address', async () => {
    await written(3);
    const run = (...args: string[]) => place.run(['oversee', 'verify', ...args]);
    expect((await run()).code).toBe(2);
    expect((await run('log', ...KEY)).err).toMatch(/--seen FILE is required/);
    expect((await run('log', '--seen', 's')).err).toMatch(/either --log-policy FILE or --log-key VKEY/);
    expect((await run('log', ...KEY, '--log-policy', 'p', '--seen', 's')).code).toBe(2);
    expect((await run('log', '--log-key', 'x', '--seen', 's')).err).toMatch(/--log-key: /);
    expect((await run('log', ...KEY, '--seen', '-')).err).toMatch(/--seen expected a file/);
    expect((await run('http://user:word@x.example/', ...KEY, '--seen', 's')).err).toMatch(/LOG is not an address/);
    expect((await run('none', ...KEY, '--seen', 's')).code).toBe(5);
    const json = await run('none', ...KEY, '--seen', 's', '--json');
    expect([json.code, JSON.parse(json.out)]).toEqual([
      5,
      { verified: null, place: 'none', error: { code: 'io_failed', message: expect.any(String) }, findings: [] },
    ]);
    expect((await run('log', '--log-policy', 'none.txt', '--seen', 's')).code).toBe(5);
    place.write('policy.txt', 'quorum none\n');
    expect((await run('log', '--log-policy', 'policy.txt', '--seen', 's')).err).toMatch(/names no log/);
    place.write('policy.txt', 'hello\n');
    expect((await run('log', '--log-policy', 'policy.txt', '--seen', 's')).code).toBe(3);
    expect(existsSync(place.path('s'))).toBe(false);
  });

  test('a place without a checkpoint, where no log was seen: nothing is known', async () => {
    mkdirSync(place.path('log'));
    const ended = await verify(KEY);
    expect([ended.code, ended.out]).toEqual([5, '']);
    expect(ended.err).toMatch(/no checkpoint at log; check the address/);
    const server = createServer((_, outgoing) => {
      outgoing.statusCode = 404;
      outgoing.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/2062`;
    const mistyped = await verify(KEY, url);
    expect([mistyped.code, mistyped.out]).toEqual([5, '']);
    expect(mistyped.err).toContain(`no checkpoint at ${url};`);
    await written(3);
    expect((await verify(KEY)).code).toBe(0);
    const gone = await verify(KEY, url);
    expect([gone.code, first(gone)]).toEqual([7, `NOT VERIFIED: ${url}: its checkpoint was deleted`]);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a file of --seen that is broken, or of another log', async () => {
    await written(3);
    for (const text of ['', '{}', 'null', '{"trefoil":"seen-v1"}']) {
      place.write('seen.json', text);
      const ended = await verify(KEY);
      expect([ended.code, ended.out]).toEqual([5, 'NOT KNOWN: the file seen.json is damaged, and log was not read\n']);
      expect(ended.err).toMatch(/seen\.json: .*restore it from a backup/);
      const json = await verify([...KEY, '--json']);
      expect(json.code).toBe(5);
      expect(JSON.parse(json.out)).toMatchObject({ verified: null, place: 'log', seen: { file: 'seen.json' } });
      expect(place.read('seen.json')).toBe(text);
    }
    const other = makeLogKey('other.example');
    await logIn(place.path('other'), other.signer, 3);
    rmSync(place.path('seen.json'));
    expect((await verify(['--log-key', other.verifier.text], 'other')).code).toBe(0);
    const seen = place.read('seen.json');
    const ended = await verify(KEY);
    expect([ended.code, ended.out]).toEqual([
      5,
      'NOT KNOWN: the file seen.json is of another log, and log was not read\n',
    ]);
    expect(ended.err).toMatch(
      /seen\.json: the file is that of a log that the policy does not name; .* belong together/,
    );
    expect(JSON.parse((await verify([...KEY, '--json'])).out)).toMatchObject({ verified: null, findings: [] });
    expect(place.read('seen.json')).toBe(seen);
    // If the policy names both, the log at this place is not the one that was seen.
    const both = await verify([...KEY, '--log-key', other.verifier.text]);
    expect([both.code, first(both)]).toEqual([7, expect.stringMatching(/checkpoint is of another log of the policy/)]);
  });
});

test('a copy of the log verifies like the log', async () => {
  await written(600);
  cpSync(place.path('log'), place.path('copy'), { recursive: true });
  expect((await verify(KEY, 'copy')).code).toBe(0);
  expect(verifierKey(log.verifier.text).name).toBe(ORIGIN);
  expect(readdirSync(join(place.dir, 'copy')).sort()).toEqual(['checkpoint', 'tile']);
});
