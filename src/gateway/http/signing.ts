/** Signing requests and answers with keys of notes. */

import { encodeBase64, encodeBase64url } from '../../core/base64.ts';
import { utf8 } from '../../core/bytes.ts';
import { badRange, badType, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import type { Signer } from '../../note/signer.ts';
import {
  answerBase,
  answerComponents,
  contentDigest,
  keyIdOf,
  LABEL,
  quoted,
  REQUEST_COMPONENTS,
  requestBase,
  TAG,
} from './base.ts';

/** Random bytes of a nonce. */
const NONCE = 16;

/** The header fields of a signed message. */
export type SignedHeaders = Readonly<Record<'content-digest' | 'signature-input' | 'signature', string>>;

/** Signs a request. */
export async function signedRequest(
  message: { readonly method: string; readonly target: string; readonly body: Uint8Array },
  { signer, now, random }: { readonly signer: Signer; now: () => number; random: (length: number) => Uint8Array },
): Promise<SignedHeaders> {
  const { method, target, body } = message;
  const digest = contentDigest(body);
  const nonce: unknown = random(NONCE);
  if (!(nonce instanceof Uint8Array) || nonce.length !== NONCE) {
    badRange('random', `returned something else than the ${NONCE} bytes it was asked for`);
  }
  const created = Math.floor(now() / 1000);
  const params =
    `${REQUEST_COMPONENTS};created=${created};keyid=${quoted(keyIdOf(signer))};` +
    `nonce="${encodeBase64url(nonce)}";tag="${TAG}"`;
  return headersOf(digest, params, await signer.sign(utf8(requestBase({ method, target, digest, params }))));
}

/** Signs an answer. */
export async function signedAnswer(
  message: {
    readonly status: number;
    readonly body: Uint8Array;
    readonly request: { readonly label: string; readonly value: string } | null;
  },
  { signer, now }: { readonly signer: Signer; readonly now: () => number },
): Promise<SignedHeaders> {
  const { status, body, request } = message;
  const digest = contentDigest(body);
  const created = Math.floor(now() / 1000);
  const components = answerComponents(request?.label ?? null);
  const params = `${components};created=${created};keyid=${quoted(keyIdOf(signer))};tag="${TAG}"`;
  return headersOf(digest, params, await signer.sign(utf8(answerBase({ status, digest, request, params }))));
}

/** Checks that a value is a signer. @throws TypeError */
export function checkSigner(argument: string, value: unknown): Signer {
  const { name, keyHash, verifierKey, sign } = Object(value) as Partial<Signer>;
  const isNamed = [name, keyHash, verifierKey].every((text) => typeof text === 'string');
  if (!isNamed || typeof sign !== 'function') {
    badType(argument, `expected what requestSigner returns, got ${typeName(value)}`);
  }
  return value as Signer;
}

function headersOf(digest: string, params: string, signature: unknown): SignedHeaders {
  if (!(signature instanceof Uint8Array) || signature.length !== 64) {
    fail('signature_invalid', 'the signer returned something that is no signature');
  }
  return {
    'content-digest': digest,
    'signature-input': `${LABEL}=${params}`,
    signature: `${LABEL}=:${encodeBase64(signature)}:`,
  };
}
