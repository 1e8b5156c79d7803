/**
 * What RFC 9421 (https://www.rfc-editor.org/rfc/rfc9421) signs: the signature base (section 2.5), and the digest of a
 * body (RFC 9530, section 2). Only what the gateway's protocol needs is here (docs/spec/govern/gateway-v1.md).
 */

import { encodeBase64 } from '../../core/base64.ts';
import { sha256Of } from '../../kernel/digest.ts';

/** Says that a signature is of this protocol, and of nothing else that the same key may sign. */
export const TAG = 'trefoil-gateway-v1';

/** The components of a request that are signed. */
export const REQUEST_COMPONENTS = '("@method" "@target-uri" "content-digest")';

/** The label of our own signatures. */
export const LABEL = 'trefoil';

/** One line of a signature base: the identifier of the component as it is written there, and its value. */
export type Component = readonly [identifier: string, value: string];

/** Writes a signature base. It has no line feed at its end, so that it is never the text of a note. */
export function signatureBase(components: readonly Component[], params: string): string {
  return [...components, ['"@signature-params"', params] as const]
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** The field `content-digest` of a body. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${encodeBase64(sha256Of(body))}:`;
}

/** Writes a string of structured fields (RFC 8941, section 3.3.3). Names of keys have no control characters. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Names a key in a signature. */
export function keyIdOf({ name, keyHash }: { readonly name: string; readonly keyHash: string }): string {
  return `${name}+${keyHash}`;
}

/** The signature base of a request. */
export function requestBase(parts: {
  readonly method: string;
  readonly target: string;
  readonly digest: string;
  readonly params: string;
}): string {
  const { method, target, digest, params } = parts;
  return signatureBase(
    [
      ['"@method"', method],
      ['"@target-uri"', target],
      ['"content-digest"', digest],
    ],
    params,
  );
}

/** The components of an answer that are signed: with the signature of its request, if that has one. */
export function answerComponents(label: string | null): string {
  return `("@status" "content-digest"${label === null ? '' : ` "signature";req;key="${label}"`})`;
}

/** The signature base of an answer. */
export function answerBase(parts: {
  readonly status: number;
  readonly digest: string;
  /** The label and the value of the request's signature. */
  readonly request: { readonly label: string; readonly value: string } | null;
  readonly params: string;
}): string {
  const { status, digest, request, params } = parts;
  const bound: readonly Component[] =
    request === null ? [] : [[`"signature";req;key="${request.label}"`, request.value]];
  return signatureBase([['"@status"', String(status)], ['"content-digest"', digest], ...bound], params);
}
