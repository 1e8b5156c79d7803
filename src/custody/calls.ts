/**
 * Calls of key wrappers: a time limit, up to three attempts, and errors in our own words. The error of a provider is
 * never passed on and never kept as a cause, because its message may quote a request, an answer or a key.
 */

import { fail, type IssueCode, TrefoilError } from '../errors.ts';
import type { KeyContext, KeyWrapper, WrapperCall } from './wrapper.ts';
import { FILE_KEY_LENGTH } from './wrapper.ts';

/** How many times a call is made if the KMS is unavailable. */
const ATTEMPTS = 3;

/** The time limit of an attempt, in milliseconds, if the caller sets none. */
export const DEFAULT_TIMEOUT = 10_000;

/** The most bytes that a wrapper may return for a key. */
export const MAX_WRAPPED = 4_096;

/** How calls are made. */
export interface CallOptions {
  readonly context: KeyContext;
  /** Time limit of an attempt in milliseconds. */
  readonly timeout: number;
  /** Aborted when the caller gives up. */
  readonly signal: AbortSignal | undefined;
}

/** The ways in which a call fails. */
type CallCode = Extract<IssueCode, 'key_unavailable' | 'key_refused' | 'key_answer_broken'>;

const MESSAGES: Readonly<Record<CallCode, string>> = {
  key_unavailable: 'the KMS cannot be reached, is overloaded or does not answer in time; try again later',
  key_refused: 'the KMS refuses the call; check the permissions of this process, the name of the keyset and its region',
  key_answer_broken: 'the KMS answered something that is not a key; check its address',
};

/** Has a wrapper encrypt the key of a file. Returns 1 to 4,096 bytes. */
export async function wrapKey(wrapper: KeyWrapper, key: Uint8Array, options: CallOptions): Promise<Uint8Array> {
  return attempt(wrapper.uri, options, async (call) => {
    // The wrapper gets a copy, because the key is still needed if it changes the bytes.
    const wrapped = bytesOf(await wrapper.wrap(key.slice(), options.context, call));
    if (wrapped.length === 0 || wrapped.length > MAX_WRAPPED || contains(wrapped, key)) broken();
    return wrapped;
  });
}

/** Has a wrapper decrypt the key of a file. Returns exactly 16 bytes. */
export async function unwrapKey(wrapper: KeyWrapper, wrapped: Uint8Array, options: CallOptions): Promise<Uint8Array> {
  return attempt(wrapper.uri, options, async (call) => {
    const key = bytesOf(await wrapper.unwrap(wrapped.slice(), options.context, call));
    if (key.length !== FILE_KEY_LENGTH) broken();
    return key;
  });
}

/**
 * Makes up to three attempts. It waits a random time between them, so that many processes do not repeat their calls at
 * once.
 */
async function attempt<T>(uri: string, options: CallOptions, work: (call: WrapperCall) => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await within(options, work);
    } catch (error) {
      options.signal?.throwIfAborted();
      const { code, again } = verdictOn(error);
      if (!again || tried === ATTEMPTS) fail(code, `${uri}: ${MESSAGES[code]}`);
    }
    // 50 to 150 ms, then 200 to 600 ms.
    await pause(100 * 4 ** (tried - 1) * (0.5 + Math.random()), options.signal);
  }
}

/** An attempt did not end in time. */
class TooSlow extends Error {}

/** The result of some work, unless it takes too long or the caller gives up. */
async function within<T>({ timeout, signal }: CallOptions, work: (call: WrapperCall) => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const abort = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const end = (error: unknown) => {
      // A call that never ends must not keep the process alive.
      clearTimeout(timer);
      reject(error);
      abort.abort();
    };
    const timer = setTimeout(() => end(new TooSlow()), timeout);
    const giveUp = () => end(signal!.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    // A wrapper may throw before it returns a promise.
    new Promise<T>((start) => start(work({ signal: abort.signal }))).then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    });
  });
}

function pause(time: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp);
      resolve();
    }, time);
    signal?.addEventListener('abort', giveUp, { once: true });
  });
}

/**
 * Returns an error of ours that was made anew. Engines keep the functions of an error's call stack until its text is
 * read, and with them what those functions can see: identities, tokens and keys.
 */
export function withoutStack(error: TrefoilError): TrefoilError {
  return new TrefoilError(error.issues, error.total);
}

/**
 * Makes the engine forget the last text that a regular expression has matched, which it keeps for `RegExp.lastMatch`:
 * an identity or a token.
 */
export function forgetLastMatch(): void {
  /^/.test('');
}

function broken(): never {
  return fail('key_answer_broken', MESSAGES.key_answer_broken);
}

/** A copy of what a wrapper returned, as a plain array of bytes. */
function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? Uint8Array.from(value) : broken();
}

/** Whether some bytes contain others: a wrapper that returns the key as it is has not encrypted it. */
function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}

/** What an error of a provider shows about its kind: names, codes and numbers, never its message. */
interface Clues {
  readonly status: number | null;
  readonly grpc: number | null;
  readonly words: readonly string[];
}

/**
 * Names and codes of errors that pass by themselves. AWS reports throttling with the HTTP status 400, so names are
 * looked at before the status.
 */
const PASSES: readonly RegExp[] = [
  /^E(CONN|PIPE|HOST|NET|AI_|NOTFOUND|TIMEDOUT)|^UND_ERR_/,
  /^(Throttl|TooManyRequests|KMSInternal|KeyUnavailable|DependencyTimeout|ServiceUnavailable|Timeout|Abort)/,
];

/** Names of errors that stay: nobody is logged in, or the key, the ciphertext or the context is the wrong one. */
const STAYS: readonly RegExp[] = [
  /AccessDenied|Disabled|InvalidCiphertext|IncorrectKey|InvalidState|NotFound/,
  /Credentials|ExpiredToken|UnrecognizedClient|PERMISSION_DENIED|FAILED_PRECONDITION/,
];

/** Status codes of gRPC (https://grpc.io/docs/guides/status-codes): those that pass, and those that stay. */
const GRPC_PASSES: ReadonlySet<number> = new Set([4, 8, 10, 13, 14]);

/** Which error a failed attempt is, and whether another attempt can help. */
interface Verdict {
  readonly code: CallCode;
  readonly again: boolean;
}

/** An error that says nothing may be one of the adapter itself, which another attempt would repeat. */
const UNKNOWN: Verdict = { code: 'key_unavailable', again: false };

function verdictOn(error: unknown): Verdict {
  try {
    return classify(error);
  } catch {
    // The properties of a foreign error may be getters that throw.
    return UNKNOWN;
  }
}

function classify(error: unknown): Verdict {
  if (error instanceof TooSlow) return { code: 'key_unavailable', again: true };
  if (error instanceof TrefoilError && Object.hasOwn(MESSAGES, error.code)) {
    return { code: error.code as CallCode, again: error.code === 'key_unavailable' };
  }
  // The parser of an SDK met an answer that is no JSON.
  if (error instanceof SyntaxError) return { code: 'key_answer_broken', again: false };
  const { status, grpc, words } = cluesOf(error);
  if (matches(words, PASSES)) return { code: 'key_unavailable', again: true };
  if (matches(words, STAYS)) return { code: 'key_refused', again: false };
  if (status !== null) {
    if (status === 408 || status === 429 || status >= 500) return { code: 'key_unavailable', again: true };
    return { code: status >= 400 ? 'key_refused' : 'key_answer_broken', again: false };
  }
  if (grpc !== null) {
    const passes = GRPC_PASSES.has(grpc);
    return { code: passes ? 'key_unavailable' : 'key_refused', again: passes };
  }
  return UNKNOWN;
}

const matches = (words: readonly string[], patterns: readonly RegExp[]): boolean =>
  words.some((word) => patterns.some((pattern) => pattern.test(word)));

function cluesOf(error: unknown): Clues {
  const read = (value: unknown): Record<string, unknown> =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  let status: number | null = null;
  let grpc: number | null = null;
  const words: string[] = [];
  const own = read(error);
  for (const from of [own, read(own.cause)]) {
    for (const word of [from.name, from.code]) if (typeof word === 'string') words.push(word);
    for (const number of [read(from.$metadata).httpStatusCode, from.statusCode, from.status, from.code]) {
      if (typeof number !== 'number') continue;
      if (number >= 300 && number <= 599) status ??= number;
      else if (number >= 1 && number <= 16) grpc ??= number;
    }
  }
  return { status, grpc, words };
}
