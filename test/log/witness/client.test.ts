/** Asking a witness: what it may answer, and what each answer becomes. */
import { describe, expect, test } from 'vitest';
import {
  type CosignOptions,
  cosign,
  cosigner,
  latestOf,
  newNoteKey,
  openNote,
  signNote,
  verifierKey,
  type WitnessPlace,
  witness,
  witnessMemory,
} from '../../../src/log.ts';
import { timelessCosigner } from '../../helpers/timeless.ts';
import { makeLogKey, ORIGIN, type SmallLog, smallLog } from './small-log.ts';

type Fetch = typeof globalThis.fetch;

const NOW = 1_790_000_000_000;

/** A log, a witness, and a `fetch` that goes to the witness or to somebody else. */
function setUp() {
  const log = makeLogKey();
  const key = newNoteKey('witness.example/w', { algorithm: 'cosignature/v1' });
  const signer = cosigner(key.privateKey, { now: () => NOW });
  const handle = witness({ signer, state: witnessMemory(), logs: [log.verifier], prefix: '/w' });
  const asked: string[] = [];
  const honest: Fetch = (url, init) => {
    const request = new Request(url, init);
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    return handle(request);
  };
  const place: WitnessPlace = { name: 'NCC', verifier: verifierKey(key.verifierKey), url: 'http://127.0.0.1:1/w/' };
  const ask = (next: SmallLog, oldSize: number, fetch: Fetch = honest, more: Partial<CosignOptions> = {}) =>
    cosign(next.checkpoint, oldSize, next.proof, place, { log: log.verifier, fetch, timeout: 500, ...more });
  return { log, signer, handle, honest, asked, place, ask };
}

/** The code of the error of a promise. */
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error) => error.code ?? error.name,
  );

const answering =
  (body: BodyInit | null, init: ResponseInit = {}): Fetch =>
  async () =>
    new Response(body, init);

const SIZE = { status: 409, headers: { 'content-type': 'text/x.tlog.size' } };

describe('growth', () => {
  test('a cosignature is one line, which makes the note complete', async () => {
    const { log, place, ask } = setUp();
    const next = await smallLog(log, 5);
    const { line, time } = await ask(next, 0);
    expect(time).toBe(NOW / 1000);
    const note = `${next.checkpoint}${line}\n`;
    expect(openNote(note, [log.verifier, place.verifier]).signatures).toHaveLength(2);
    expect((await ask(await smallLog(log, 300), 5)).line).toMatch(/^— witness\.example\/w /);
  });

  test('a witness that has seen another size gets a proof from there', async () => {
    const { log, ask, asked } = setUp();
    await ask(await smallLog(log, 5), 0);
    await ask(await smallLog(log, 9), 0);
    await ask(await smallLog(log, 20), 2);
    await ask(await smallLog(log, 20), 7);
    expect(asked).toHaveLength(1 + 2 + 2 + 2);
  });

  test('two processes that ask at once both get their cosignature, or learn that the other one was larger', async () => {
    const { log, ask } = setUp();
    const codes = await Promise.all([4, 5, 6].map(async (size) => codeOf(ask(await smallLog(log, size), 0))));
    expect(codes.every((code) => code === 'none' || code === 'log_rolled_back')).toBe(true);
    expect(codes).toContain('none');
  });
});

describe('a witness that has seen more', () => {
  test('proves it by a checkpoint that the log has signed: log_rolled_back', async () => {
    const { log, ask } = setUp();
    await ask(await smallLog(log, 9), 0);
    await expect(ask(await smallLog(log, 5), 0)).rejects.toMatchObject({
      code: 'log_rolled_back',
      issues: [{ expected: 9, actual: 5 }],
    });
  });

  test.each<[string, Fetch]>([
    ['serves nothing', answering('', { status: 404 })],
    ['serves a checkpoint of its own', answering('hello\n')],
    ['does not answer', async () => Promise.reject(new TypeError('fetch failed'))],
  ])('and %s: witness_disagrees', async (_, served) => {
    const { log, ask } = setUp();
    const fetch: Fetch = (url, init) =>
      init?.method === 'POST' ? answering('9\n', SIZE)(url, init) : served(url, init);
    expect(await codeOf(ask(await smallLog(log, 5), 0, fetch))).toBe('witness_disagrees');
  });

  test('and serves a smaller one, or one by another key: witness_disagrees', async () => {
    const { log, ask, signer } = setUp();
    const serve = async (size: number, key = log) => {
      const text = (await smallLog(key, size)).text;
      const note = await signNote(text, [key.signer, signer]);
      return ((url, init) => (init?.method === 'POST' ? answering('9\n', SIZE) : answering(note))(url, init)) as Fetch;
    };
    const five = await smallLog(log, 5);
    expect(await codeOf(ask(five, 0, await serve(5)))).toBe('witness_disagrees');
    expect(await codeOf(ask(five, 0, await serve(9, makeLogKey())))).toBe('witness_disagrees');
    expect(await codeOf(ask(five, 0, await serve(9, makeLogKey('other.example'))))).toBe('witness_disagrees');
    expect(await codeOf(ask(five, 0, await serve(9)))).toBe('log_rolled_back');
  });
});

describe('a witness that has seen another tree', () => {
  test('refuses it with 422: log_forked, and the message names the proof', async () => {
    const { log, ask } = setUp();
    await ask(await smallLog(log, 5), 0);
    const fork = ask(await smallLog(log, 8, { branch: ' b', fork: 2 }), 5);
    await expect(fork).rejects.toThrow(/another tree.*it serves that checkpoint, signed by the log/);
    expect(await codeOf(ask(await smallLog(log, 5, { branch: ' b', fork: 2 }), 5))).toBe('log_forked');
  });

  test('and serves no checkpoint, so it proves nothing: witness_disagrees', async () => {
    const { log, ask } = setUp();
    const fetch: Fetch = (url, init) =>
      (init?.method === 'POST' ? answering('', { status: 422 }) : answering('', { status: 404 }))(url, init);
    const fork = ask(await smallLog(log, 8), 5, fetch);
    await expect(fork).rejects.toMatchObject({ code: 'witness_disagrees' });
    await expect(fork).rejects.not.toThrow(/signed by the log/);
  });

  test('but serves the beginning of this one: witness_disagrees', async () => {
    const { log, ask, honest } = setUp();
    await ask(await smallLog(log, 5), 0);
    const fetch: Fetch = (url, init) =>
      init?.method === 'POST' ? answering('', { status: 422 })(url, init) : honest(url, init);
    expect(await codeOf(ask(await smallLog(log, 8), 5, fetch))).toBe('witness_disagrees');
    expect(await codeOf(ask(await smallLog(log, 5), 5, fetch))).toBe('witness_disagrees');
  });
});

describe('witness down, slow, wrong cosignature, redirects, 10 MB answer', () => {
  const rows: readonly (readonly [what: string, fetch: Fetch, code: string])[] = [
    ['404', answering('', { status: 404 }), 'witness_refused'],
    ['403', answering('', { status: 403 }), 'witness_refused'],
    ['400', answering('', { status: 400 }), 'witness_refused'],
    ['429', answering('', { status: 429 }), 'witness_unavailable'],
    ['500', answering('', { status: 500 }), 'witness_unavailable'],
    ['down', async () => Promise.reject(new TypeError('fetch failed')), 'witness_unavailable'],
    ['never an answer', () => new Promise(() => {}), 'witness_unavailable'],
    [
      'an answer that never ends',
      answering(new ReadableStream({ pull: () => new Promise(() => {}) })),
      'witness_unavailable',
    ],
    ['a redirect', answering('', { status: 307, headers: { location: 'http://x.example/' } }), 'witness_answer_broken'],
    ['a redirect that a browser hides', async () => Response.error(), 'witness_answer_broken'],
    ['10 MB', answering('x'.repeat(10_000_000)), 'witness_answer_broken'],
    ['nothing', answering(''), 'witness_answer_broken'],
    ['HTML', answering('<html>'), 'witness_answer_broken'],
    ['bytes that are not UTF-8', answering(Uint8Array.of(0xe2, 0x80)), 'witness_answer_broken'],
    ['another note', answering('— x.example AAAAAAAA\n\nhello\n'), 'witness_answer_broken'],
    ['a line without its line feed', answering('— x.example AAAAAAAA'), 'witness_answer_broken'],
    ['409 without a size', answering('', SIZE), 'witness_answer_broken'],
    ['409 with a size in words', answering('five\n', SIZE), 'witness_answer_broken'],
    ['409 with a negative size', answering('-1\n', SIZE), 'witness_answer_broken'],
    ['409 beyond 2^53', answering('9007199254740993\n', SIZE), 'witness_answer_broken'],
    ['409 of a proxy', answering('3\n', { status: 409 }), 'witness_answer_broken'],
    ['409 with the size that was sent', answering('0\n', SIZE), 'witness_answer_broken'],
  ];

  test.each(rows)('%s', async (what, fetch, code) => {
    const { log, ask } = setUp();
    const hidden: Fetch = async (url, init) =>
      Object.defineProperty(await fetch(url, init), 'type', { value: 'opaqueredirect' });
    const used = what.includes('browser') ? hidden : fetch;
    expect(await codeOf(ask(await smallLog(log, 5), 0, used, { timeout: 200 }))).toBe(code);
  });

  test('409 with another size each time ends', async () => {
    const { log, ask } = setUp();
    let size = 0;
    const fetch: Fetch = async () => new Response(`${++size}\n`, SIZE);
    expect(await codeOf(ask(await smallLog(log, 50), 0, fetch))).toBe('witness_unavailable');
    expect(size).toBeLessThan(10);
  });

  test('a wrong cosignature: of another checkpoint, by another key, without a time, with a changed bit', async () => {
    const { log, ask, place } = setUp();
    const next = await smallLog(log, 5);
    const line = (await ask(next, 0)).line;
    const other = setUp();
    const byOther = (await other.ask(await smallLog(other.log, 5), 0)).line;
    const head = line.slice(0, line.lastIndexOf(' ') + 1);
    const bytes = Buffer.from(line.slice(head.length), 'base64');
    const flip = (at: number) =>
      `${head}${Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))).toString('base64')}`;
    for (const wrong of [
      byOther,
      flip(4),
      flip(11),
      flip(12),
      flip(75),
      `${head}${bytes.subarray(0, -1).toString('base64')}`,
    ]) {
      expect(await codeOf(ask(next, 0, answering(`${wrong}\n`)))).toBe('witness_answer_broken');
    }
    const old = await smallLog(log, 4);
    expect(await codeOf(ask(old, 0, answering(`${line}\n`)))).toBe('witness_answer_broken');
    const timeless = timelessCosigner(newNoteKey('z.example', { algorithm: 'cosignature/v1' }).privateKey);
    const zero = (await signNote(next.text, [timeless])).slice(next.text.length + 1);
    const zeroPlace = { ...place, verifier: verifierKey(timeless.verifierKey) };
    const asking = cosign(next.checkpoint, 0, next.proof, zeroPlace, { log: log.verifier, fetch: answering(zero) });
    expect(await codeOf(asking)).toBe('witness_answer_broken');
    // Lines of keys that are not trusted are ignored.
    expect((await ask(next, 0, answering(`${byOther}\n${line}\n`))).line).toBe(line);
    const strange = '— w.example/ml-dsa AAAAAAAAAAAA';
    expect((await ask(next, 0, answering(`${strange}\n${line}\n`))).line).toBe(line);
  });

  test('the caller may give up', async () => {
    const { log, ask } = setUp();
    const abort = new AbortController();
    const asking = ask(await smallLog(log, 5), 0, () => new Promise(() => {}), {
      signal: abort.signal,
      timeout: 10_000,
    });
    abort.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });

  test.each([
    null,
    '',
    'ftp://w.example',
    'http://user:word@w.example',
    'http://w.example/?a',
    'w.example',
    'javascript:1',
  ])('an address that is none: %s', async (url) => {
    const { log, place, honest } = setUp();
    const next = await smallLog(log, 5);
    const options = { log: log.verifier, fetch: honest };
    expect(await codeOf(cosign(next.checkpoint, 0, next.proof, { ...place, url }, options))).toBe(
      'witness_unavailable',
    );
  });

  test('no message has the address or what the witness sent', async () => {
    const { log, ask } = setUp();
    const next = await smallLog(log, 5);
    for (const [, fetch] of rows) {
      const error = await ask(next, 0, fetch, { timeout: 100 }).catch((thrown) => thrown);
      expect(error.message).not.toMatch(/127\.0\.0\.1|x\.example|html|five/);
    }
  });
});

describe('latestOf', () => {
  test('returns the checkpoint that the witness serves, or null', async () => {
    const { log, ask, place, honest } = setUp();
    expect(await latestOf(place, log.verifier, { fetch: honest })).toBeNull();
    await ask(await smallLog(log, 5), 0);
    const latest = await latestOf(place, log.verifier, { fetch: honest });
    expect([latest?.size, latest?.time]).toEqual([5, NOW / 1000]);
    expect(latest?.root).toHaveLength(32);
    expect(latest?.note.startsWith(`${ORIGIN}\n5\n`)).toBe(true);
  });

  test('refuses what the log or the witness has not signed', async () => {
    const { log, place, signer } = setUp();
    const { text, checkpoint } = await smallLog(log, 5);
    for (const served of [checkpoint, await signNote(text, [signer]), text, '', 'x'.repeat(70_000)]) {
      const asking = latestOf(place, log.verifier, { fetch: answering(served) });
      expect(await codeOf(asking)).toBe('witness_answer_broken');
    }
    for (const status of [301, 500, 204]) {
      const asking = latestOf(place, log.verifier, { fetch: answering(null, { status }) });
      expect(await codeOf(asking)).toMatch(/^witness_/);
    }
  });
});

test('arguments that do not fit', async () => {
  const { log, place } = setUp();
  const next = await smallLog(log, 5);
  const options = { log: log.verifier };
  await expect(cosign(next.checkpoint, 6, next.proof, place, options)).rejects.toThrow(/"oldSize"/);
  await expect(cosign(next.checkpoint, -1, next.proof, place, options)).rejects.toThrow(/"oldSize"/);
  await expect(cosign(next.checkpoint, 0, [] as never, place, options)).rejects.toThrow(/"proof"/);
  expect(await codeOf(cosign('hello\n', 0, next.proof, place, options))).toBe('note_invalid');
});
