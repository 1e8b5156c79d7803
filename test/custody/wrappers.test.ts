/** Key wrappers: what they are called with, how often, and what becomes of everything that can go wrong with them. */
import { createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import * as age from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { type KeyContext, type KeyWrapper, openKeyFile, sealKeyFile, type WrapperCall } from '../../src/custody.ts';
import { fail, type TrefoilError } from '../../src/errors.ts';
import { keyset } from '../../src/keys.ts';
import { secretAccess } from '../../src/reveal.ts';
import { codeOf, rejection } from '../helpers/errors.ts';
import { newIdentity, newKeyset } from './age.ts';

const text = newKeyset();

/** A call of a wrapper. */
interface Seen {
  readonly verb: 'wrap' | 'unwrap';
  readonly context: KeyContext;
}

/** A wrapper that adds a number to each byte, writes down its calls, and unwraps as it is told. */
function makeWrapper(
  uri = 'test:key',
  unwrap?: (key: Uint8Array, call: WrapperCall, attempt: number) => unknown,
): KeyWrapper & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const shift = (bytes: Uint8Array, by: number) => Uint8Array.from(bytes, (byte) => byte + by);
  return {
    uri,
    seen,
    async wrap(key, context) {
      seen.push({ verb: 'wrap', context });
      return shift(key, 7);
    },
    async unwrap(wrapped, context, call) {
      seen.push({ verb: 'unwrap', context });
      const key = shift(wrapped, -7);
      if (unwrap === undefined) return key;
      return (await unwrap(key, call, seen.filter(({ verb }) => verb === 'unwrap').length)) as Uint8Array;
    },
  };
}

const NAMED = { age, name: 'production' } as const;
const sealed = (...wrappers: readonly KeyWrapper[]) => sealKeyFile(text, { ...NAMED, wrappers });
const opened = (file: Uint8Array, ...wrappers: readonly KeyWrapper[]) => openKeyFile(file, { ...NAMED, wrappers });

/** What an adapter must never show: the text of the keyset, and what a provider would say. */
const NEVER = [/trefoil-root/, /provider/i, /hunter2/];

function expectOpaque(error: TrefoilError): void {
  const shown = [error.message, String(error.stack?.split('\n    at ')[0]), JSON.stringify(error)].join('\n');
  for (const pattern of NEVER) expect(shown).not.toMatch(pattern);
  expect(error.cause).toBeUndefined();
}

describe('a key wrapper', () => {
  it('is called once to seal and once to open, with a context that the caller has named', async () => {
    const wrapper = makeWrapper();
    const file = await sealKeyFile(text, { ...NAMED, wrappers: [wrapper], region: 'eu' });
    expect(await openKeyFile(file, { ...NAMED, wrappers: [wrapper], region: 'eu' })).toBe(text);
    const context = { trefoil: 'keyset', name: 'production', region: 'eu' };
    expect(wrapper.seen).toEqual([
      { verb: 'wrap', context },
      { verb: 'unwrap', context },
    ]);
    await openKeyFile(file, { age, wrappers: [wrapper], name: 'test' });
    expect(wrapper.seen[2]).toEqual({ verb: 'unwrap', context: { trefoil: 'keyset', name: 'test' } });
  });

  it('is not asked if the file names another, however similar', async () => {
    for (const uri of ['test:key2', 'test:ke', 'Test:key', 'test:key/', 'test:key%20']) {
      const other = makeWrapper(uri);
      const error = await rejection(opened(await sealed(makeWrapper()), other));
      expect(error.code).toBe('key_refused');
      expect(error.message).toBe('nothing that was passed opens the key file, which is sealed with 1 key wrapper');
      expect(other.seen).toEqual([]);
    }
  });

  it('is not asked if an identity opens the file', async () => {
    const { identity, recipient } = await newIdentity();
    const wrapper = makeWrapper();
    const file = await sealKeyFile(text, { ...NAMED, recipients: [recipient], wrappers: [wrapper] });
    expect(await openKeyFile(file, { ...NAMED, identities: [identity], wrappers: [wrapper] })).toBe(text);
    expect(wrapper.seen.map(({ verb }) => verb)).toEqual(['wrap']);
  });

  it('may stand in for another that is down', async () => {
    const down = makeWrapper('test:down', () => fail('key_refused', 'x'));
    const up = makeWrapper('test:up');
    const file = await sealed(down, up);
    expect(await opened(file, down, up)).toBe(text);
    expect(await opened(file, up)).toBe(text);
  });

  it('gets a copy of the bytes, so it cannot change those of the file', async () => {
    const wrapper = makeWrapper();
    const greedy: KeyWrapper = {
      ...wrapper,
      async wrap(key, context, call) {
        const wrapped = await wrapper.wrap(key, context, call);
        key.fill(0);
        return wrapped;
      },
    };
    expect(await opened(await sealed(greedy), wrapper)).toBe(text);
  });

  it('that has its verbs on a class keeps its object', async () => {
    class Wrapper implements KeyWrapper {
      readonly uri = 'test:class';
      readonly #by = 3;
      async wrap(key: Uint8Array) {
        return Uint8Array.from(key, (byte) => byte + this.#by);
      }
      async unwrap(key: Uint8Array) {
        return Uint8Array.from(key, (byte) => byte - this.#by);
      }
    }
    expect(await opened(await sealed(new Wrapper()), new Wrapper())).toBe(text);
  });
});

describe('an adapter that returns something else than the key', () => {
  it.each([
    ['0 bytes', () => new Uint8Array(0), 'key_answer_broken'],
    ['15 bytes', (key: Uint8Array) => key.slice(0, 15), 'key_answer_broken'],
    ['17 bytes', (key: Uint8Array) => Uint8Array.from([...key, 0]), 'key_answer_broken'],
    ['undefined, as an SDK does for {}', () => undefined, 'key_answer_broken'],
    ['a text', () => 'hunter2hunter2hu', 'key_answer_broken'],
    ['a list of 16 numbers', () => new Array(16).fill(1), 'key_answer_broken'],
    ['16 wrong bytes', () => new Uint8Array(16), 'invalid_keyset'],
    ['16 bytes with one wrong bit', (key: Uint8Array) => key.with(3, key[3]! ^ 4), 'invalid_keyset'],
  ])('%s', async (_, unwrap, code) => {
    const wrapper = makeWrapper('test:key', unwrap);
    const error = await rejection(opened(await sealed(makeWrapper()), wrapper));
    expect(error.code).toBe(code);
    expectOpaque(error);
    expect(wrapper.seen).toHaveLength(1);
  });

  it.each([
    ['nothing', () => new Uint8Array(0)],
    ['too much', () => new Uint8Array(4_097)],
    ['the key as it is', (key: Uint8Array) => key],
    ['the key with something around it', (key: Uint8Array) => Uint8Array.from([1, ...key, 2])],
    ['a text', () => 'x'],
  ])('%s, when a file is sealed', async (_, wrap) => {
    const wrapper = { ...makeWrapper(), wrap: async (key: Uint8Array) => wrap(key) as Uint8Array };
    const error = await rejection(sealed(wrapper));
    expect(error.code).toBe('key_answer_broken');
    expectOpaque(error);
  });
});

/** An error of a provider: its message has the key and the answer. */
function providers(more: object, message = 'provider says: hunter2'): Error {
  return Object.assign(new Error(message), { $response: { body: text } }, more);
}

describe('an adapter that throws', () => {
  it.each([
    ['a refused connection', { code: 'ECONNREFUSED' }, 'key_unavailable', 3],
    ['a lost connection of fetch', { name: 'TypeError', cause: { code: 'UND_ERR_SOCKET' } }, 'key_unavailable', 3],
    ['an unknown host', { cause: { code: 'ENOTFOUND' } }, 'key_unavailable', 3],
    ['a time-out of an SDK', { name: 'TimeoutError' }, 'key_unavailable', 3],
    [
      'AWS, throttled with the status 400',
      { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } },
      'key_unavailable',
      3,
    ],
    [
      'AWS, KMSInternalException',
      { name: 'KMSInternalException', $metadata: { httpStatusCode: 500 } },
      'key_unavailable',
      3,
    ],
    ['AWS, KeyUnavailableException', { name: 'KeyUnavailableException' }, 'key_unavailable', 3],
    ['status 429', { status: 429 }, 'key_unavailable', 3],
    ['status 503 as Azure has it', { statusCode: 503 }, 'key_unavailable', 3],
    ['status 503 as Google has it', { code: 503 }, 'key_unavailable', 3],
    ['gRPC UNAVAILABLE', { code: 14 }, 'key_unavailable', 3],
    [
      'AWS, AccessDeniedException',
      { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } },
      'key_refused',
      1,
    ],
    ['AWS, DisabledException', { name: 'DisabledException' }, 'key_refused', 1],
    ['AWS, InvalidCiphertextException', { name: 'InvalidCiphertextException' }, 'key_refused', 1],
    ['AWS, IncorrectKeyException', { name: 'IncorrectKeyException' }, 'key_refused', 1],
    [
      'AWS, KMSInvalidStateException',
      { name: 'KMSInvalidStateException', $metadata: { httpStatusCode: 409 } },
      'key_refused',
      1,
    ],
    ['AWS, nobody is logged in', { name: 'CredentialsProviderError' }, 'key_refused', 1],
    ['status 401', { statusCode: 401 }, 'key_refused', 1],
    ['status 403', { code: 403 }, 'key_refused', 1],
    ['status 404', { status: 404 }, 'key_refused', 1],
    ['gRPC PERMISSION_DENIED', { code: 7 }, 'key_refused', 1],
    ['gRPC FAILED_PRECONDITION', { code: 9 }, 'key_refused', 1],
    ['a redirect that an SDK did not follow', { status: 302 }, 'key_answer_broken', 1],
    ['an error that says nothing', {}, 'key_unavailable', 1],
  ])('%s', async (_, more, code, calls) => {
    const wrapper = makeWrapper('test:key', () => {
      throw providers(more);
    });
    const error = await rejection(opened(await sealed(makeWrapper()), wrapper));
    expect(error.code).toBe(code);
    expect(error.kind).toBe(code === 'key_refused' ? 'keys' : 'io');
    expectOpaque(error);
    expect(wrapper.seen).toHaveLength(calls);
  });

  it('the error of a parser, which quotes the answer', async () => {
    const wrapper = makeWrapper('test:key', () => JSON.parse('<html>provider hunter2</html>'));
    const error = await rejection(opened(await sealed(makeWrapper()), wrapper));
    expect(error.code).toBe('key_answer_broken');
    expectOpaque(error);
  });

  it('what is no error at all, and before it returns a promise', async () => {
    for (const thrown of ['hunter2', null, undefined, 7, { toString: () => 'hunter2' }]) {
      const wrapper = {
        ...makeWrapper(),
        unwrap(): never {
          throw thrown;
        },
      };
      const error = await rejection(opened(await sealed(makeWrapper()), wrapper));
      expect(error.code).toBe('key_unavailable');
      expectOpaque(error);
    }
  });

  it('an error whose properties throw', async () => {
    const wrapper = makeWrapper('test:key', () => {
      throw new Proxy(new Error('hunter2'), {
        get() {
          throw new Error('provider');
        },
      });
    });
    const error = await rejection(opened(await sealed(makeWrapper()), wrapper));
    expect(error.code).toBe('key_unavailable');
    expectOpaque(error);
  });

  it('our error with a message of its own, which is replaced', async () => {
    const wrapper = makeWrapper('test:key', () => fail('key_refused', 'provider hunter2'));
    const error = await rejection(opened(await sealed(makeWrapper()), wrapper));
    expect(error.code).toBe('key_refused');
    expectOpaque(error);
  });

  it('and succeeds at the third attempt', async () => {
    const wrapper = makeWrapper('test:key', (key, _call, attempt) => {
      if (attempt < 3) throw providers({ status: 503 });
      return key;
    });
    expect(await opened(await sealed(makeWrapper()), wrapper)).toBe(text);
    expect(wrapper.seen).toHaveLength(3);
  });
});

describe('an adapter that hangs', () => {
  it('is ended after its time, three times, and is told so', async () => {
    const signals: AbortSignal[] = [];
    const wrapper = makeWrapper('test:key', (_key, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const begin = performance.now();
    const file = await sealed(makeWrapper());
    const error = await rejection(openKeyFile(file, { ...NAMED, wrappers: [wrapper], timeout: 200 }));
    expect(error.code).toBe('key_unavailable');
    expect(error.message).toContain('test:key: the KMS cannot be reached');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  it('is left at once if the caller gives up, during a call and between two', async () => {
    const file = await sealed(makeWrapper());
    for (const unwrap of [
      () => new Promise(() => {}),
      () => {
        throw providers({ status: 503 });
      },
    ]) {
      const abort = new AbortController();
      const wrapper = makeWrapper('test:key', unwrap);
      setTimeout(() => abort.abort(new Error('the user went away')), 30);
      const work = openKeyFile(file, { ...NAMED, wrappers: [wrapper], signal: abort.signal });
      await expect(work).rejects.toThrow('the user went away');
    }
    const gone = AbortSignal.abort(new Error('never began'));
    const wrapper = makeWrapper();
    const early = openKeyFile(file, { ...NAMED, wrappers: [wrapper], signal: gone });
    await expect(early).rejects.toThrow('never began');
    expect(wrapper.seen).toEqual([]);
  });
});

/** A file with the stanzas of another one and a new payload, written by someone who knows the file key (C2SP/age). */
function rewritten(file: Uint8Array, fileKey: Uint8Array, payload: string): Uint8Array {
  const bytes = Buffer.from(file);
  const header = bytes.subarray(0, bytes.indexOf('\n---') + 4);
  const keyOf = (salt: Uint8Array, info: string) => Buffer.from(hkdfSync('sha256', fileKey, salt, info, 32));
  const mac = createHmac('sha256', keyOf(Buffer.alloc(0), 'header'))
    .update(header)
    .digest('base64');
  const nonce = Buffer.alloc(16, 1);
  // The only chunk of STREAM, which is number 0 and the last.
  const cipher = createCipheriv(
    'chacha20-poly1305',
    keyOf(nonce, 'payload'),
    Buffer.concat([Buffer.alloc(11), Buffer.of(1)]),
    { authTagLength: 16 },
  );
  const chunk = Buffer.concat([cipher.update(payload, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([header, Buffer.from(` ${mac.replace(/=+$/, '')}\n`), nonce, chunk]);
}

describe('a sealed file', () => {
  it('rewritten by someone who may decrypt opens by every stanza that it had', async () => {
    const own = await newIdentity();
    let fileKey: Uint8Array | undefined;
    const wrapper = makeWrapper('test:key', (key) => {
      fileKey = Uint8Array.from(key);
      return key;
    });
    const file = await sealKeyFile(text, { ...NAMED, recipients: [own.recipient], wrappers: [wrapper] });
    await opened(file, wrapper);
    const foreign = newKeyset();
    const forged = rewritten(file, fileKey!, foreign);
    expect(await opened(forged, wrapper)).toBe(foreign);
    expect(await openKeyFile(forged, { age, identities: [own.identity] })).toBe(foreign);
    // The pins of the policy stop it, and they alone.
    const { keyCheck } = keyset.parse(text).domain('eu');
    expect(codeOf(() => keyset.parse(foreign).domain('eu', { keyCheck }))).toBe('key_check_mismatch');
  });
});

describe('stanzas of key wrappers in a file of somebody else', () => {
  const fileWith = async (args: string[], body: Uint8Array = new Uint8Array(16)) => {
    const encrypter = new age.Encrypter();
    encrypter.addRecipient({ wrapFileKey: () => [{ args, body }] });
    return encrypter.encrypt(text);
  };
  const NAME = Buffer.from('test:key').toString('base64url');

  it.each([
    ['without a name', ['trefoil/kms-v1']],
    ['with a host in a second argument', ['trefoil/kms-v1', NAME, 'https://attacker.example']],
    ['without a body', ['trefoil/kms-v1', NAME], new Uint8Array(0)],
    ['with a body that no KMS makes', ['trefoil/kms-v1', NAME], new Uint8Array(4_097)],
  ])('%s are refused, and nobody is asked', async (_, args, body?: Uint8Array) => {
    const wrapper = makeWrapper();
    expect((await rejection(opened(await fileWith(args, body), wrapper))).code).toBe('invalid_keyset');
    expect(wrapper.seen).toEqual([]);
  });

  it('of another version are those of nobody', async () => {
    const wrapper = makeWrapper();
    expect((await rejection(opened(await fileWith(['trefoil/kms-v2', NAME]), wrapper))).code).toBe('key_refused');
    expect(wrapper.seen).toEqual([]);
  });

  it('twice with one name are refused, so that a start makes one call', async () => {
    const stanza = { args: ['trefoil/kms-v1', NAME], body: new Uint8Array(16) };
    const encrypter = new age.Encrypter();
    encrypter.addRecipient({ wrapFileKey: () => [stanza, stanza] });
    const wrapper = makeWrapper();
    expect((await rejection(opened(await encrypter.encrypt(text), wrapper))).code).toBe('invalid_keyset');
    expect(wrapper.seen).toEqual([]);
  });

  it('with the name changed to that of our wrapper do not open', async () => {
    const file = await sealed(makeWrapper('test:other'));
    const latin = Buffer.from(file).toString('latin1');
    const swapped = latin.replace(Buffer.from('test:other').toString('base64url'), NAME);
    const error = await rejection(opened(Buffer.from(swapped, 'latin1'), makeWrapper()));
    expect(error.code).toBe('invalid_keyset');
  });
});

describe('a multi-region key of AWS', () => {
  const wrapper = () => makeWrapper('aws-kms:arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd');
  const regional = keyset.generate({ region: 'eu' }).export(secretAccess);

  it('seals keys for one region only if the caller allows it', async () => {
    const options = { age, wrappers: [wrapper()], name: 'a', region: 'eu' };
    await expect(sealKeyFile(regional, options)).rejects.toThrow(/"allowMultiRegion" expected true, because the keys/);
    await expect(sealKeyFile(regional, { ...options, allowMultiRegion: false })).rejects.toThrow(RangeError);
    await expect(sealKeyFile(regional, { ...options, allowMultiRegion: 1 as never })).rejects.toThrow(TypeError);
    expect(await sealKeyFile(regional, { ...options, allowMultiRegion: true })).toBeInstanceOf(Uint8Array);
    // Another key of the same place, and keys for any region.
    const single = makeWrapper('aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd');
    expect(await sealKeyFile(regional, { ...options, wrappers: [single] })).toBeInstanceOf(Uint8Array);
    const anywhere = keyset.generate().export(secretAccess);
    expect(await sealKeyFile(anywhere, { age, wrappers: [wrapper()], name: 'a' })).toBeInstanceOf(Uint8Array);
  });
});

describe('options', () => {
  it.each([
    ['no name', { wrappers: [makeWrapper()] }, '"name" expected the name of the keyset, which wrappers need'],
    [
      'two wrappers with one uri',
      { wrappers: [makeWrapper(), makeWrapper()], name: 'a' },
      '"wrappers" has two with one "uri"',
    ],
    ['a uri with a space', { wrappers: [makeWrapper('a b')], name: 'a' }, '"wrappers" expected a "uri" of 1 to 512'],
    ['a uri that is too long', { wrappers: [makeWrapper('a'.repeat(513))], name: 'a' }, '"wrappers" expected a "uri"'],
    ['an empty uri', { wrappers: [makeWrapper('')], name: 'a' }, '"wrappers" expected a "uri"'],
    ['a name with a space', { wrappers: [makeWrapper()], name: 'a b' }, '"name" expected 1 to 64 characters'],
    ['no wrapper', { wrappers: [{}], name: 'a' }, '"wrappers" expected a key wrapper with "uri", "wrap" and "unwrap"'],
  ])('%s is refused', async (_, options, message) => {
    await expect(openKeyFile(text, { age, ...options } as never)).rejects.toThrow(message);
  });
});
