/** One HTTP exchange with a witness: a time limit, a size limit, no redirects, and errors in our own words. */

import { badType, checkInteger, checkOptions, ownProperties, typeName } from '../../core/checks.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { checkOf, type Verifier } from '../../note/verifier.ts';

/** A witness, as a policy names it. */
export interface WitnessPlace {
  /** Its name in the policy, for messages. */
  readonly name: string;
  /** The key of its cosignatures. */
  readonly verifier: Verifier;
  /** The address before `/add-checkpoint`, http or https; `null` if the policy has none. */
  readonly url: string | null;
}

/** How a witness is asked. */
export interface WitnessCallOptions {
  /** Another `fetch`, such as one that knows the certificate of a company. */
  readonly fetch?: typeof globalThis.fetch;
  /** Time limit of one exchange, in milliseconds, its answer included. Default: 10,000. */
  readonly timeout?: number;
  /** Aborted when the caller gives up. */
  readonly signal?: AbortSignal;
}

/** Checks a witness, and returns a copy. @throws TypeError */
export function checkPlace(witness: WitnessPlace): WitnessPlace {
  if (typeof witness !== 'object' || witness === null) {
    badType('witness', `expected a witness of a policy, got ${typeName(witness)}`);
  }
  const { name, verifier, url } = ownProperties(witness);
  if (typeof name !== 'string') badType('witness', 'expected a witness with a name');
  if (checkOf(verifier) === null) badType('witness', 'expected a verifier, as verifierKey makes it');
  if (url !== null && typeof url !== 'string') badType('witness', 'expected an address as text, or null');
  return { name, verifier, url };
}

/** Checks options, and returns a copy. `more` names options that the caller checks. @throws TypeError, RangeError */
export function checkCall<T extends WitnessCallOptions>(options: T, more: readonly string[] = []): T {
  const checked = checkOptions<T>('options', options, ['fetch', 'timeout', 'signal', ...more]);
  const { fetch, timeout, signal } = checked;
  if (fetch !== undefined && typeof fetch !== 'function') {
    badType('fetch', `expected a function, got ${typeName(fetch)}`);
  }
  if (timeout !== undefined) checkInteger('timeout', timeout, 1, 2 ** 31 - 1);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    badType('signal', `expected an AbortSignal, got ${typeName(signal)}`);
  }
  return checked;
}

/** The time limit of an exchange, if the caller sets none, in milliseconds. */
export const DEFAULT_TIMEOUT = 10_000;

/** What a witness answered. */
export interface Answer {
  readonly status: number;
  /** The media type without its parameters, in lower case. */
  readonly type: string;
  readonly text: string;
}

/** An exchange did not end in time. */
class TooSlow extends Error {}

/** A body is longer than the limit, or is not UTF-8. */
export class Unreadable extends Error {
  readonly reason: 'too long' | 'not UTF-8';

  constructor(reason: Unreadable['reason']) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Makes a request and reads the answer. Every status is returned except redirects, which are refused: the policy names
 * the address of a witness, and nobody else does.
 *
 * @param path what follows the address of the witness, beginning with a slash.
 * @param limit the most bytes of the answer.
 * @throws TrefoilError `witness_unavailable` if there is no address or no answer in time; `witness_answer_broken` for a
 *   redirect, or an answer that is too long or not UTF-8. If the caller gives up, the reason of their signal.
 */
export async function exchange(
  { name, url }: WitnessPlace,
  path: string,
  init: { readonly method: 'GET' } | { readonly method: 'POST'; readonly body: string },
  limit: number,
  { fetch = globalThis.fetch, timeout = DEFAULT_TIMEOUT, signal }: WitnessCallOptions,
): Promise<Answer> {
  const address = `${baseOf(name, url)}${path}`;
  try {
    return await within(timeout, signal, async (abort) => {
      const answer = await fetch(address, { ...init, redirect: 'manual', signal: abort });
      // A browser hides the status of a redirect.
      if (answer.type === 'opaqueredirect' || (answer.status >= 300 && answer.status < 400)) {
        answer.body?.cancel().catch(() => {});
        fail(
          'witness_answer_broken',
          `the witness ${name} answers with a redirect; put its new address into the policy`,
        );
      }
      const type = (answer.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
      return { status: answer.status, type, text: await readText(answer.body, limit) };
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw translated(error, name);
  }
}

/** The address of a witness without slashes at its end. */
function baseOf(name: string, url: string | null): string {
  if (url === null) return fail('witness_unavailable', `the policy has no address of the witness ${name}`);
  const read = URL.canParse(url) ? new URL(url) : null;
  const isPlain = read !== null && read.username === '' && read.password === '' && read.search + read.hash === '';
  if (!isPlain || !/^https?:$/.test(read.protocol)) {
    return fail(
      'witness_unavailable',
      `the address of the witness ${name} is not one of http or https without user, query and fragment`,
    );
  }
  return `${read.origin}${read.pathname}`.replace(/\/+$/, '');
}

function translated(error: unknown, name: string): unknown {
  if (error instanceof TooSlow) {
    return made('witness_unavailable', `the witness ${name} does not answer in time; try again later`);
  }
  if (error instanceof Unreadable) {
    const answer =
      error.reason === 'too long' ? 'an answer longer than any witness has' : 'an answer that is not UTF-8';
    return made('witness_answer_broken', `the witness ${name} sends ${answer}; check its address`);
  }
  if (error instanceof TrefoilError) return error;
  // The message of fetch may quote the address, and says nothing that helps.
  return made('witness_unavailable', `the witness ${name} cannot be reached; check its address, or try again later`);
}

function made(code: 'witness_unavailable' | 'witness_answer_broken', message: string): TrefoilError {
  return new TrefoilError([{ code, message }]);
}

/** The result of some work, unless it takes too long or the caller gives up, also where `fetch` ignores its signal. */
async function within<T>(
  timeout: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const abort = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const end = (error: unknown): void => {
      reject(error);
      abort.abort();
    };
    const timer = setTimeout(() => end(new TooSlow()), timeout);
    const giveUp = (): void => end(signal!.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    new Promise<T>((start) => start(work(abort.signal))).then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    });
  });
}

/**
 * Reads a body of UTF-8. A longer one is not read to its end.
 *
 * @param limit the most bytes.
 * @throws Unreadable
 */
export async function readText(body: ReadableStream<Uint8Array> | null, limit: number): Promise<string> {
  if (body === null) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decode(decoder, undefined);
      length += value.length;
      if (length > limit) throw new Unreadable('too long');
      text += decode(decoder, value);
    }
  } finally {
    // It has no effect on a body that was read to its end.
    reader.cancel().catch(() => {});
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array | undefined): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new Unreadable('not UTF-8');
  }
}
