/** A log on a web server (https://c2sp.org/tlog-tiles, "APIs"). */

import { concat } from '../../core/bytes.ts';
import { badRange, badType, checkInteger, checkOptions, typeName } from '../../core/checks.ts';
import { fail, TrefoilError } from '../../errors.ts';
import type { LogSource } from './source.ts';

/** The time limit of a request, if the caller sets none, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** The path of a partial tile or bundle. */
const PARTIAL = /^tile\/.*\.p\/[0-9]{1,3}$/;

/** Options of {@link logAt}. */
export interface LogAtOptions {
  /** Another `fetch`, such as one that knows the certificate of a company. */
  readonly fetch?: typeof globalThis.fetch;
  /** Time limit of one request, in milliseconds, its answer included. Default: 30,000. */
  readonly timeout?: number;
}

/**
 * Reads a log from a web server.
 *
 * The statuses 404 and 410 mean that there is no such file, and so does 403 for a partial tile or bundle, of which
 * there may be the full one. Redirects are refused: where the log is, is for the caller to say. An answer is read up
 * to the limit of its file, after decompression, so that a small one cannot become a large one.
 *
 * @param url the prefix of the log, http or https: what comes before `/checkpoint`.
 * @returns a source whose `read` throws `log_unavailable` if the server cannot be reached, does not answer in time,
 *   redirects, or answers with another status.
 * @throws TypeError, RangeError
 *
 * @example
 * ```ts
 * import { logAt } from 'trefoil/log';
 *
 * const log = logAt('https://log.example/2026', { fetch: async () => new Response('', { status: 404 }) });
 * await log.read('checkpoint', 1000); // → null
 * ```
 */
export function logAt(url: string, options: LogAtOptions = {}): LogSource {
  const { fetch = globalThis.fetch, timeout = DEFAULT_TIMEOUT } = checkOptions<LogAtOptions>('options', options, [
    'fetch',
    'timeout',
  ]);
  if (typeof fetch !== 'function') badType('fetch', `expected a function, got ${typeName(fetch)}`);
  checkInteger('timeout', timeout, 1, 2 ** 31 - 1);
  const prefix = prefixOf(url);
  return {
    async read(path, limit) {
      if (typeof path !== 'string') badType('path', `expected text, got ${typeName(path)}`);
      checkInteger('limit', limit, 0, Number.MAX_SAFE_INTEGER);
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeout);
      try {
        return await within(abort.signal, path, request(fetch, `${prefix}/${path}`, path, limit, abort.signal));
      } catch (error) {
        if (error instanceof TrefoilError) throw error;
        // The message of fetch may quote the address, and says nothing that helps.
        return unavailable(path, 'cannot be reached; check its address, or try again later');
      } finally {
        clearTimeout(timer);
        abort.abort();
      }
    },
  };
}

async function request(
  fetch: typeof globalThis.fetch,
  url: string,
  path: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const answer = await fetch(url, { redirect: 'manual', signal });
  const { status } = answer;
  if (status === 200) return readBody(answer.body, path, limit);
  answer.body?.cancel().catch(() => {});
  if (status === 404 || status === 410) return null;
  // A store such as S3 answers 403 for a missing object to those who may not list it. If a partial tile is missing, the
  // full one takes its place (https://c2sp.org/tlog-tiles); if that is refused too, nothing is known.
  if (status === 403 && PARTIAL.test(path)) return null;
  // A browser hides the status of a redirect.
  if (answer.type === 'opaqueredirect' || [301, 302, 303, 307, 308].includes(status)) {
    return unavailable(path, 'answers with a redirect; use its new address, if you trust it');
  }
  return unavailable(path, `answers with the HTTP status ${status}`);
}

/** Ends with an error when the signal is aborted, also where `fetch` ignores it. */
async function within<T>(signal: AbortSignal, path: string, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    work.then(resolve, reject);
    signal.addEventListener('abort', () => {
      reject(unavailableError(path, 'does not answer in time; try again later'));
    });
  });
}

/** Reads a body. A longer one than the limit is not read to its end. */
async function readBody(body: ReadableStream<Uint8Array> | null, path: string, limit: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0);
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > limit) fail('log_broken', `the file ${path} has more than ${limit} bytes`, { maximum: limit });
      parts.push(value);
    }
  } finally {
    // It has no effect on a body that was read to its end.
    reader.cancel().catch(() => {});
  }
  return concat(parts);
}

function prefixOf(url: string): string {
  if (typeof url !== 'string') badType('url', `expected text, got ${typeName(url)}`);
  const read = URL.canParse(url) ? new URL(url) : null;
  const isPlain = read !== null && read.username === '' && read.password === '' && read.search + read.hash === '';
  if (!isPlain || !/^https?:$/.test(read.protocol)) {
    badRange('url', 'expected an address of http or https without user, query and fragment');
  }
  return `${read.origin}${read.pathname}`.replace(/\/+$/, '');
}

function unavailable(path: string, what: string): never {
  throw unavailableError(path, what);
}

function unavailableError(path: string, what: string): TrefoilError {
  return new TrefoilError([{ code: 'log_unavailable', message: `the server of the log ${what}; asked for ${path}` }]);
}
