/** The gateway: a function from requests to signed answers (docs/spec/govern/gateway-v1.md). */

import { utf8 } from '../../core/bytes.ts';
import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import type { Sequencer } from '../../govern/ledger/sequencer.ts';
import type { ProtectedPeople } from '../../govern/people/protected.ts';
import { randomBytes } from '../../kernel/random.ts';
import { type DomainKeys, openKeys } from '../../keys/domain-keys.ts';
import type { Signer } from '../../note/signer.ts';
import type { Stores } from '../../vault/session.ts';
import { memberOf } from '../http/signature.ts';
import { checkSigner, signedAnswer } from '../http/signing.ts';
import { limitedBody } from '../wire/limited.ts';
import { MOST_BODY } from '../wire/limits.ts';
import { type Caller, makeGatekeeper } from './authentic.ts';
import { type Body, checkNames, malformed, readBody, textIn } from './body.ts';
import { makeMetrics } from './metrics.ts';
import { makePapers } from './papers.ts';
import { refusedBy } from './refusal.ts';
import { protectWork, revealWork, type Worked } from './work.ts';

/** Options of {@link gateway}. */
export interface GatewayOptions {
  /** The keys. They are in this process and not governed: the gateway asks the sequencer itself. */
  readonly keys: DomainKeys;
  /** Decides uses and leases, and writes them to the log: what `openSequencer` returns. */
  readonly sequencer: Sequencer;
  /** Signs answers with the key that the charter names for them: what `requestSigner` returns. */
  readonly answers: Signer;
  /** The address that desks and clients are configured with, without a path: it is part of what they sign. */
  readonly url: string;
  /** Vaults, by the names that rules use. */
  readonly stores?: Stores | undefined;
  /** The list of people whose records need more signatures. It is needed if the charter names one. */
  readonly protectedPeople?: ProtectedPeople | undefined;
  /** Digests of requests of the last two minutes that the log has: `recentRequests` finds them. Default: none. */
  readonly seen?: Iterable<string> | undefined;
  /** Called with every error that is no refusal, so that an operator sees it. Default: nothing. */
  readonly report?: ((error: unknown) => void) | undefined;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Returns so many random bytes. Default: the generator of the system. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

type Verb = (caller: Caller, body: Body) => Promise<Worked>;

/**
 * Makes a gateway: the one process that has the keys. Desks send it warrants and protected values, and clients send it
 * values to protect; every request is signed, and so is every answer.
 *
 * A use is in the log and on the disk before anything of it is opened.
 *
 * **Warning**: it does not stop the administrator of its machine, a gateway that was changed, and what a desk does with
 * the values. Answers are signed and not encrypted: the channel must be a local one, or TLS.
 *
 * @returns a function for any server that has the web's `Request` and `Response`. It never rejects.
 * @throws TrefoilError `wrong_domain` if the charter is for another domain; `charter_invalid` if it names no key for
 *   answers, or another one.
 *
 * @example
 * ```ts
 * import { keyset } from 'trefoil';
 * import { gateway, type GatewayOptions } from 'trefoil/gateway';
 *
 * // docs/guide/govern/gateway.md has all of it.
 * function serve(options: Pick<GatewayOptions, 'sequencer' | 'answers'>) {
 *   const keys = keyset.generate().domain('eu-enclave');
 *   return gateway({ ...options, keys, url: 'http://127.0.0.1:7380' });
 * }
 * typeof serve; // → 'function'
 * ```
 */
export function gateway(options: GatewayOptions): (request: Request) => Promise<Response> {
  const { keys, sequencer, answers, origin, stores, list, seen, report, now, random } = settingsOf(options);
  const metrics = makeMetrics();
  const gatekeeper = makeGatekeeper(now, seen);
  const papers = makePapers({ keys, sequencer, list, now });
  const parts = { keys, stores, sequencer, papers, list, now, random };

  const note =
    (take: (note: string) => Promise<unknown>): Verb =>
    async (_, body) => {
      checkNames(body, ['note']);
      await take(textIn(body, 'note'));
      return { answer: {}, values: 0 };
    };
  const verbs: Readonly<Record<string, Verb>> = {
    facts: async (_, body) => {
      checkNames(body, []);
      return { answer: factsOf(keys, sequencer), values: 0 };
    },
    warrants: async (caller, body) => {
      checkNames(body, ['note', 'dossier']);
      const { sha256 } = await papers.present(caller, textIn(body, 'note'), textIn(body, 'dossier'));
      return { answer: { warrant: sha256 }, values: 0 };
    },
    refusals: note(sequencer.refuse),
    ratifications: note(sequencer.ratify),
    clock: note(sequencer.setClock),
    charter: note(sequencer.changeCharter),
    reveal: (caller, body) => revealWork(parts, caller, body),
    protect: (caller, body) => protectWork(parts, caller, body),
  };

  async function work(name: string, request: Request): Promise<{ readonly status: number; readonly body: object }> {
    let warrant: string | undefined;
    try {
      const bytes = await bodyOf(request);
      const message = { method: request.method, target: `${origin}/v1/${name}`, headers: request.headers, body: bytes };
      const caller = gatekeeper.check(message, sequencer.charter());
      const body = readBody(bytes);
      if (typeof body.warrant === 'string') warrant = body.warrant;
      const { answer, values } = await verbs[name]!(caller, body);
      metrics.count(name, 'ok', values);
      return { status: 200, body: answer };
    } catch (error) {
      const { status, code, message } = refusedBy(error);
      metrics.count(name, code, 0);
      if (status < 500) sequencer.deny(code, warrant);
      else report(error);
      return { status, body: { code, message } };
    }
  }

  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const name = /^\/v1\/([a-z]+)$/.exec(pathname)?.[1] ?? '';
    if (request.method === 'GET' && pathname === '/healthz') return plain(200, 'ok\n');
    if (request.method === 'GET' && pathname === '/metrics') return plain(200, metrics.text());
    if (!Object.hasOwn(verbs, name) || search !== '') return plain(404, 'not found\n');
    if (request.method !== 'POST') return plain(405, 'method not allowed\n', { allow: 'POST' });
    const { status, body } = await work(name, request);
    const bytes = utf8(JSON.stringify(body));
    const bound = memberOf(request.headers.get('signature'));
    try {
      const headers = await signedAnswer({ status, body: bytes, request: bound }, { signer: answers, now });
      return new Response(bytes as Uint8Array<ArrayBuffer>, {
        status,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
      });
    } catch (error) {
      report(error);
      return plain(500, 'the answer could not be signed\n');
    }
  };
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } });
}

/** The body of a request. What was compressed could become any number of bytes, so nothing is unpacked. */
async function bodyOf(request: Request): Promise<Uint8Array> {
  if (request.headers.has('content-encoding')) malformed('a body must not have a content-encoding');
  const tooLarge = (): never => malformed(`the body has more than ${MOST_BODY} bytes`, 413);
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BODY) tooLarge();
  return limitedBody(request, MOST_BODY, tooLarge);
}

/** What a desk or client may know of the keys: names and check values. */
function factsOf(keys: DomainKeys, sequencer: Sequencer): object {
  const { domain, keyId, keyCheck, region } = keys;
  const { version, sha256 } = sequencer.charter();
  const opened = openKeys(keys);
  return {
    domain,
    region: region ?? null,
    keyId,
    keyCheck,
    ready: opened.keys.filter((key) => key.isReady).map(({ id }) => id),
    retired: Object.fromEntries(opened.retired),
    charter: { version, sha256 },
  };
}

function settingsOf(options: GatewayOptions) {
  const names = ['keys', 'sequencer', 'answers', 'url', 'stores', 'protectedPeople', 'seen', 'report', 'now', 'random'];
  const given = checkOptions<GatewayOptions>('options', options, names);
  const { keys, sequencer, answers, url, stores = {}, protectedPeople: list = null, seen = [] } = given;
  const { report = () => {}, now = Date.now, random = randomBytes } = given;
  if (openKeys(keys).place !== null) badType('keys', 'expected keys that are not governed: the gateway asks the log');
  if (['charter', 'admit', 'use', 'forward', 'deny'].some((verb) => typeof Object(sequencer)[verb] !== 'function')) {
    badType('sequencer', `expected what openSequencer returns, got ${typeName(sequencer)}`);
  }
  checkSigner('answers', answers);
  if (typeof Object(seen)[Symbol.iterator] !== 'function') badType('seen', `expected digests, got ${typeName(seen)}`);
  if (list !== null && typeof list?.has !== 'function') {
    badType('protectedPeople', `expected what parseProtected returns, got ${typeName(list)}`);
  }
  for (const [name, value] of Object.entries({ report, now, random })) {
    if (typeof value !== 'function') badType(name, `expected a function, got ${typeName(value)}`);
  }
  const charter = sequencer.charter();
  if (charter.domain !== keys.domain) {
    fail('wrong_domain', `the charter is for domain ${charter.domain}, the keys are of ${keys.domain}`);
  }
  if (charter.answers === null)
    fail('charter_invalid', 'the charter has no line "answers", so nothing can be answered');
  if (charter.answers.text !== answers.verifierKey) {
    fail('charter_invalid', 'the key that signs answers is not the one that the charter names');
  }
  return { keys, sequencer, answers, origin: originOf(url), stores, list, seen, report, now, random };
}

/** The scheme and authority of an address. */
export function originOf(url: unknown): string {
  if (typeof url !== 'string') return badType('url', `expected text, got ${typeName(url)}`);
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.href !== `${parsed.origin}/`) {
    return badRange('url', 'expected an address such as http://127.0.0.1:7380, without a path');
  }
  return parsed.origin;
}
