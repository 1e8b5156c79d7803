/** The witness as a function: each clause of https://c2sp.org/tlog-witness, and clients that lie. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  cosigner,
  newNoteKey,
  openNote,
  signNote,
  type Verifier,
  verifierKey,
  type WitnessEvent,
  type WitnessState,
  witness,
  witnessMemory,
} from '../../../src/log.ts';
import { type LogKey, makeLogKey, ORIGIN, type SmallLog, smallLog } from './small-log.ts';

const NOW = 1_790_000_000_000;

function setUp(options: { state?: WitnessState; logs?: Verifier[]; prefix?: string } = {}) {
  const log = makeLogKey();
  const key = newNoteKey('witness.example/w', { algorithm: 'cosignature/v1' });
  const events: WitnessEvent[] = [];
  const state = options.state ?? witnessMemory();
  const handle = witness({
    signer: cosigner(key.privateKey, { now: () => NOW }),
    state,
    logs: options.logs ?? [log.verifier],
    report: (event) => events.push(event),
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
  });
  const verifier = verifierKey(key.verifierKey);
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    handle(new Request(`http://w.example${options.prefix ?? ''}/add-checkpoint`, { method: 'POST', body, headers }));
  const add = (next: SmallLog, oldSize: number, proof = next.proof(oldSize)) =>
    post(bodyOf(oldSize, proof, next.checkpoint));
  const get = (origin: string = ORIGIN, method = 'GET') =>
    handle(new Request(`http://w.example${options.prefix ?? ''}/${hashOf(origin)}/checkpoint`, { method }));
  return { log, key, verifier, state, events, handle, post, add, get };
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

function bodyOf(oldSize: number | string, proof: readonly Uint8Array[], checkpoint: string): string {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `old ${oldSize}\n${lines}\n${checkpoint}`;
}

/** Cosigns one log after the other, of these sizes. */
async function grow(use: ReturnType<typeof setUp>, sizes: readonly number[], log: LogKey = use.log) {
  let before = 0;
  for (const size of sizes) {
    const response = await use.add(await smallLog(log, size), before);
    expect(response.status).toBe(200);
    before = size;
  }
}

describe('add-checkpoint', () => {
  test('cosigns the first checkpoint and what extends it', async () => {
    const use = setUp();
    await grow(use, [0, 1, 3, 3, 70, 255, 256, 257]);
    const next = await smallLog(use.log, 300);
    const response = await use.add(next, 257);
    expect(response.status).toBe(200);
    const line = await response.text();
    expect(line).toMatch(/^— witness\.example\/w \S+\n$/);
    const opened = openNote(`${next.checkpoint}${line}`, [use.log.verifier, use.verifier]);
    expect(opened.signatures.map(({ time }) => time)).toEqual([null, NOW / 1000]);
    expect(use.events.at(-1)).toEqual({ status: 200, origin: ORIGIN, size: 300, disputed: null, other: null });
  });

  test('cosigns extension lines of the checkpoint with it', async () => {
    const use = setUp();
    const next = await smallLog(use.log, 3, { extensions: 'an extension\n' });
    const line = await (await use.add(next, 0)).text();
    expect(openNote(`${next.checkpoint}${line}`, [use.verifier]).text).toBe(next.text);
  });

  test('names its size with 409 if the client has another one', async () => {
    const use = setUp();
    await grow(use, [5]);
    for (const oldSize of [0, 4, 6, 9]) {
      const response = await use.add(await smallLog(use.log, 9), oldSize, []);
      expect([response.status, await response.text()]).toEqual([409, '5\n']);
      expect(response.headers.get('content-type')).toBe('text/x.tlog.size');
    }
  });

  test('a rollback is refused with 409, also with the size that the client wishes for', async () => {
    const use = setUp();
    await grow(use, [5]);
    expect((await use.add(await smallLog(use.log, 3), 0)).status).toBe(409);
    expect((await use.add(await smallLog(use.log, 3), 3, [])).status).toBe(409);
    const response = await use.add(await smallLog(use.log, 3), 5, []);
    expect(response.status).toBe(400);
  });

  test('two forks of one log: the second one is 422, and is reported with its signature', async () => {
    const use = setUp();
    await grow(use, [5]);
    const fork = await smallLog(use.log, 8, { branch: ' b', fork: 4 });
    expect((await use.add(fork, 5)).status).toBe(422);
    expect(use.events.at(-1)).toEqual({
      status: 422,
      origin: ORIGIN,
      size: null,
      disputed: fork.checkpoint,
      other: null,
    });
    const same = await smallLog(use.log, 5, { branch: ' b', fork: 4 });
    expect((await use.add(same, 5)).status).toBe(422);
    const { disputed, other } = use.events.at(-1)!;
    expect(disputed).toBe(same.checkpoint);
    expect(openNote(other!, [use.log.verifier]).text).toBe((await smallLog(use.log, 5)).text);
    // The last checkpoint itself with a wrong proof is no evidence of anything.
    expect((await use.add(await smallLog(use.log, 5), 5, [new Uint8Array(32)])).status).toBe(422);
    expect(use.events.at(-1)).toMatchObject({ status: 422, disputed: null, other: null });
    // What was refused has changed nothing.
    expect((await use.add(await smallLog(use.log, 8), 5)).status).toBe(200);
  });

  test.each([
    ['a hash too few', (proof: Uint8Array[]) => proof.slice(1)],
    ['a hash too many', (proof: Uint8Array[]) => [...proof, proof[0]!]],
    [
      'a changed hash',
      (proof: Uint8Array[]) => [proof[0]!.map((byte, i) => (i === 31 ? byte ^ 1 : byte)), ...proof.slice(1)],
    ],
    ['no hash', () => []],
  ])('a proof with %s is 422', async (_, change) => {
    const use = setUp();
    await grow(use, [5]);
    const next = await smallLog(use.log, 8);
    expect((await use.add(next, 5, change(next.proof(5)))).status).toBe(422);
  });

  test('a proof from size 0 or to the same size has to be empty', async () => {
    const use = setUp();
    const hash = new Uint8Array(32);
    expect((await use.add(await smallLog(use.log, 5), 0, [hash])).status).toBe(422);
    await grow(use, [5]);
    expect((await use.add(await smallLog(use.log, 5), 5, [hash])).status).toBe(422);
  });

  test('a checkpoint of size 0 has the root of the empty tree, else 422', async () => {
    const use = setUp();
    const wrong = await signNote(`${ORIGIN}\n0\n${Buffer.alloc(32, 1).toString('base64')}\n`, [use.log.signer]);
    expect((await use.post(bodyOf(0, [], wrong))).status).toBe(422);
  });

  test('an unknown origin is 404, an unknown or broken signature 403', async () => {
    const use = setUp();
    const other = makeLogKey('other.example/log');
    expect((await use.add(await smallLog(other, 3), 0)).status).toBe(404);
    const impostor = makeLogKey();
    expect((await use.add(await smallLog(impostor, 3), 0)).status).toBe(403);
    const { checkpoint } = await smallLog(use.log, 3);
    const broken = checkpoint.replace(/(.{6})(.)=*\n$/, (_, head, last) => `${head}${last === 'A' ? 'B' : 'A'}==\n`);
    expect([400, 403]).toContain((await use.post(bodyOf(0, [], broken))).status);
    // A valid signature of an impostor beside a missing one of the log does not help, and unknown lines are ignored.
    const strange = checkpoint.slice(checkpoint.indexOf('— '));
    const both = `${(await smallLog(impostor, 3)).checkpoint}${strange}`;
    expect((await use.post(bodyOf(0, [], both))).status).toBe(200);
  });

  test('a known key whose signature does not verify is 403, although another one does', async () => {
    const use = setUp();
    const [three, four] = [await smallLog(use.log, 3), await smallLog(use.log, 4)];
    const lineOfFour = four.checkpoint.slice(four.checkpoint.indexOf('— '));
    expect((await use.post(bodyOf(0, [], `${three.checkpoint}${lineOfFour}`))).status).toBe(403);
  });

  test.each([
    ['nothing', () => ''],
    ['no empty line', () => 'old 0\n'],
    ['no old line', (note: string) => `\n${note}`],
    ['a leading zero', (note: string) => `old 00\n\n${note}`],
    ['a negative size', (note: string) => `old -1\n\n${note}`],
    ['a size beyond 2^53', (note: string) => `old 9007199254740993\n\n${note}`],
    ['a fraction', (note: string) => `old 1e0\n\n${note}`],
    ['CRLF', (note: string) => `old 0\r\n\r\n${note}`],
    ['a short hash', (note: string) => `old 0\nAAAA\n\n${note}`],
    ['64 hashes', (note: string) => `old 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n${note}`],
    ['no note', () => 'old 0\n\nhello\n'],
    [
      'a note that is no checkpoint',
      (note: string) => `old 0\n\n${ORIGIN}\nfive\n${note.slice(note.indexOf('\n') + 3)}`,
    ],
    ['an old size beyond the checkpoint', (note: string) => `old 4\n\n${note}`],
  ])('bad request: %s', async (_, body) => {
    const use = setUp();
    const { status } = await use.post(body((await smallLog(use.log, 3)).checkpoint));
    // A changed text has no valid signature either, and 403 is right as well.
    expect([400, 403]).toContain(status);
  });

  test('a long body is 413, a compressed one 415, bytes that are not UTF-8 400, other methods 405', async () => {
    const use = setUp();
    expect((await use.post('x'.repeat(131_073))).status).toBe(413);
    expect((await use.post('x', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await use.post(Uint8Array.of(0xff, 0xfe))).status).toBe(400);
    const response = await use.handle(new Request('http://w.example/add-checkpoint'));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await use.handle(new Request('http://w.example/'))).status).toBe(404);
    expect((await use.handle(new Request('http://w.example/sign-subtree', { method: 'POST' }))).status).toBe(404);
  });

  test('no answer repeats what the client sent', async () => {
    const use = setUp();
    const secret = 'Ada-Lovelace';
    for (const body of [
      secret,
      `old ${secret}\n\n`,
      `old 0\n${secret}\n\nx`,
      `old 0\n\n${secret}\n1\n\n— x AAAAAAA=\n`,
    ]) {
      expect(await (await use.post(body)).text()).not.toContain(secret);
    }
  });

  test('a log may have two keys, and other logs their own sizes', async () => {
    const [old, young, other] = [makeLogKey(), makeLogKey(), makeLogKey('other.example')];
    const use = setUp({ logs: [old.verifier, young.verifier, other.verifier] });
    await grow(use, [3], old);
    await grow(use, [7], other);
    expect((await use.add(await smallLog(young, 5), 3)).status).toBe(200);
  });
});

describe('the checkpoint that is served', () => {
  test('is the last one, signed by the log and the witness', async () => {
    const use = setUp();
    expect((await use.get()).status).toBe(404);
    await grow(use, [3, 9]);
    const response = await use.get();
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const opened = openNote(await response.text(), [use.log.verifier, use.verifier]);
    expect(opened.signatures).toHaveLength(2);
    expect(opened.text).toBe((await smallLog(use.log, 9)).text);
    expect((await use.get('other.example')).status).toBe(404);
    expect(await (await use.get(ORIGIN, 'HEAD')).text()).toBe('');
    expect((await use.get(ORIGIN, 'DELETE')).status).toBe(405);
  });

  test('has the prefix of the witness', async () => {
    const use = setUp({ prefix: '/a/witness' });
    await grow(use, [3]);
    expect((await use.get()).status).toBe(200);
    expect((await use.handle(new Request('http://w.example/add-checkpoint', { method: 'POST' }))).status).toBe(404);
  });
});

describe('one critical section for each log', () => {
  /** A state whose writes take a while, so that requests meet each other. */
  function slowState(): WitnessState & { readonly written: string[] } {
    const inner = witnessMemory();
    const written: string[] = [];
    const pause = () => new Promise((resolve) => setTimeout(resolve, 2));
    return {
      written,
      latest: async (origin) => {
        await pause();
        return inner.latest(origin);
      },
      async replace(origin, before, after) {
        await pause();
        const done = await inner.replace(origin, before, after);
        if (done) written.push(after.split('\n')[1]!);
        return done;
      },
    };
  }

  test('a hundred requests at once: the size never falls, and one tree of each size is cosigned', async () => {
    const state = slowState();
    const use = setUp({ state });
    const trees = new Map<string, Set<string>>();
    const ask = async (size: number, branch: string) => {
      const next = await smallLog(use.log, size, { branch, fork: 2 });
      for (let from = 0; ; ) {
        const response = await use.add(next, from, next.proof(from));
        const text = await response.text();
        if (response.status === 200) {
          const cosigned = trees.get(String(size)) ?? new Set();
          trees.set(String(size), cosigned.add(next.text));
        }
        if (response.status !== 409 || Number(text) > size) return;
        from = Number(text);
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => ask(3 + ((i * 37) % 20), i % 2 === 0 ? ' a' : ' b')));
    const sizes = state.written.map(Number);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect([...trees.values()].every((texts) => texts.size === 1)).toBe(true);
  });

  test('if the state cannot be written, there is no cosignature', async () => {
    const inner = witnessMemory();
    const full = new Error('the disk is full');
    const use = setUp({ state: { latest: inner.latest, replace: () => Promise.reject(full) } });
    const response = await use.add(await smallLog(use.log, 3), 0);
    expect([response.status, await response.text()]).toEqual([500, 'the witness has failed\n']);
    expect(use.events).toEqual([{ status: 500, origin: ORIGIN, size: null, disputed: null, other: null, error: full }]);
    // The witness goes on, and a later request is not blocked by the failed one.
    expect((await use.add(await smallLog(use.log, 3), 0)).status).toBe(500);
  });

  test('if another process has written the state, there is no cosignature', async () => {
    const inner = witnessMemory();
    const use = setUp({ state: { latest: inner.latest, replace: async () => false } });
    expect((await use.add(await smallLog(use.log, 3), 0)).status).toBe(500);
    expect((use.events[0]!.error as { code: string }).code).toBe('witness_state_broken');
  });

  test('a state that was changed is never a reason to begin anew', async () => {
    const inner = witnessMemory();
    let changed: string | null = null;
    const state = { latest: async (origin: string) => changed ?? inner.latest(origin), replace: inner.replace };
    const use = setUp({ state });
    await grow(use, [5]);
    const note = (await inner.latest(ORIGIN))!;
    const next = await smallLog(use.log, 9);
    const other = setUp();
    await grow(other, [5]);
    const byAnother = await other.state.latest(ORIGIN);
    for (changed of ['', 'hello\n', note.replace('\n5\n', '\n0\n'), note.slice(0, -3), next.checkpoint, byAnother]) {
      use.events.length = 0;
      expect((await use.add(next, 0)).status).toBe(500);
      expect((await use.get()).status).toBe(500);
      expect(use.events.map(({ error }) => (error as { code: string }).code)).toEqual(
        Array.from({ length: 2 }, () => 'witness_state_broken'),
      );
    }
    changed = null;
    expect((await use.add(next, 5)).status).toBe(200);
  });
});

test('options that do not fit', () => {
  const log = makeLogKey();
  const key = newNoteKey('w.example', { algorithm: 'cosignature/v1' });
  const good = { signer: cosigner(key.privateKey), state: witnessMemory(), logs: [log.verifier] };
  expect(() => witness({ ...good, signer: log.signer })).toThrow(/cosigner makes/);
  expect(() => witness({ ...good, logs: [] })).toThrow(/at least one log/);
  expect(() => witness({ ...good, logs: [verifierKey(key.verifierKey)] })).toThrow(/its own witness/);
  const other = newNoteKey('other.example', { algorithm: 'cosignature/v1' });
  expect(() => witness({ ...good, logs: [verifierKey(other.verifierKey)] })).toThrow(/a log needs a key of type 1/);
  expect(() => witness({ ...good, prefix: 'witness' })).toThrow(/"prefix"/);
  expect(() => witness({ ...good, prefix: '/witness/' })).toThrow(/"prefix"/);
  expect(() => witness({ ...good, state: {} as WitnessState })).toThrow(/"state"/);
  expect(() => witness({ ...good, other: 1 } as never)).toThrow(/"options"/);
});
