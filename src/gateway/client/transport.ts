/** Signed requests to a gateway, and its answers: nothing is believed that is not signed for this very request. */

import { utf8 } from '../../core/bytes.ts';
import { badType } from '../../core/checks.ts';
import { fail, type IssueCode, kindOf, TrefoilError } from '../../errors.ts';
import type { Signer } from '../../note/signer.ts';
import { checkOf, type Verifier } from '../../note/verifier.ts';
import { answerBase, answerComponents, contentDigest, keyIdOf, LABEL } from '../http/base.ts';
import { memberOf, readSignature } from '../http/signature.ts';
import { signedRequest } from '../http/signing.ts';
import { limitedBody } from '../wire/limited.ts';
import { MOST_ANSWER, SKEW } from '../wire/limits.ts';

/** How long an answer is waited for, in milliseconds: a use may have to be cosigned, which takes up to a minute. */
const PATIENCE = 90_000;

/** What requests are sent with. */
export interface TransportParts {
  /** The address of the gateway without a path. */
  readonly origin: string;
  readonly answers: Verifier;
  readonly signer: Signer;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
}

/** An answer: of a refusal it has the code and the message. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Sends a request and returns the answer, whatever it says. */
export type Ask = (name: string, body: object) => Promise<Answer>;

/** Makes what sends requests. */
export function makeAsk(parts: TransportParts): Ask {
  const { origin, signer, fetch, now, random } = parts;
  return async (name, content) => {
    const target = `${origin}/v1/${name}`;
    const body = utf8(JSON.stringify(content));
    const headers = await signedRequest({ method: 'POST', target, body }, { signer, now, random });
    const response = await reach(() =>
      fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: body as Uint8Array<ArrayBuffer>,
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE),
      }),
    );
    if (typeof Object(Object(response).headers).get !== 'function')
      badType('fetch', 'returned something else than a response');
    const bytes = await reach(() => limitedBody(response, MOST_ANSWER, () => broken('is too long')));
    checkAnswer(response, bytes, headers.signature, parts);
    return { status: response.status, body: objectOf(bytes) };
  };
}

/** The body of an answer that is not a refusal. @throws TrefoilError with the code of the gateway. */
export function accepted({ status, body }: Answer): Readonly<Record<string, unknown>> {
  if (status === 200) return body;
  const { code, message } = body;
  if (status >= 500 && (typeof code !== 'string' || code === 'internal')) {
    fail('gateway_unavailable', 'the gateway has a fault; its operator can see which');
  }
  if (!isCode(code) || typeof message !== 'string') broken('refuses with something that is no code');
  return fail(code, `the gateway refuses: ${message}`);
}

function isCode(code: unknown): code is IssueCode {
  try {
    kindOf(code as IssueCode);
    return true;
  } catch {
    return false;
  }
}

/** Does something over the network. Its errors may hold addresses and more, so they are not passed on. */
async function reach<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TrefoilError) throw error;
    return fail('gateway_unavailable', 'the gateway cannot be reached, redirects, or does not answer in time');
  }
}

/** Checks that the key for answers has signed this answer, to this request, now. */
function checkAnswer(
  { status, headers }: Response,
  body: Uint8Array,
  requestSignature: string,
  { answers, now }: TransportParts,
): void {
  const read = readSignature(headers.get('signature-input'), headers.get('signature'));
  if (read === null || read.components !== answerComponents(LABEL) || read.keyId !== keyIdOf(answers)) {
    broken('is not signed by the key for answers');
  }
  const digest = contentDigest(body);
  if (headers.get('content-digest') !== digest) broken('has another digest than its content');
  const base = answerBase({ status, digest, request: memberOf(requestSignature), params: read.params });
  if (checkOf(answers)!(base, read.signature) === null) broken('has a signature that does not verify for this request');
  // It is bound to the request's nonce, so its time matters for the clocks alone.
  if (Math.abs(read.created - Math.floor(now() / 1000)) > SKEW + PATIENCE / 1000) broken('was signed at another time');
}

function objectOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  return broken('is not an object of JSON');
}

/** Refuses an answer. */
export function broken(what: string): never {
  return fail('gateway_answer_broken', `the answer of the gateway ${what}`);
}
