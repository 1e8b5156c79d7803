/**
 * Ed25519: RFC 8032, section 5.1 (https://www.rfc-editor.org/rfc/rfc8032), the pure variant without a context.
 *
 * RFC 8032 leaves open which signatures a verifier accepts, and implementations differ (Chalkias et al., "Taming the
 * many EdDSAs", https://eprint.iacr.org/2020/1244). Here one equation holds on every runtime: S < L; the public key A
 * has its canonical encoding and is a point of order L; and the 32 bytes of R are the encoding of S·B − h·A. OpenSSL,
 * Web Crypto and Go compare in the same way, without the cofactor, but they accept keys of small order; under such a
 * key, some signatures are valid for every message. So the key is checked first.
 *
 * `verify` of @noble/curves multiplies by the cofactor, whatever its option `zip215` says, and would accept signatures
 * that the others refuse (test/kernel/curves/). It is not used: without node:crypto, the equation is computed over
 * points. Both ways give the same verdict and the same signatures. Measured on one core, node:crypto verifies 13 times
 * and signs 25 times as fast.
 *
 * Without node:crypto, signing is not constant in time beyond what @noble/curves does over `bigint`.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, equalBytes } from '../../core/bytes.ts';
import { readHex } from '../../core/hex.ts';
import { nodeCrypto } from '../node-crypto.ts';

/** Bytes of a public key and of a seed, from which the private key is derived (section 5.1.5). */
export const KEY_BYTES = 32;

/** Bytes of a signature: R and S (section 5.1.6). */
export const SIGNATURE_BYTES = 64;

/** Signs under one key. */
export interface Ed25519Signer {
  /** The 32 bytes of the public key. */
  readonly publicKey: Uint8Array;
  /** Returns the 64 bytes of the signature, which are always the same for a message. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** Returns whether the bytes are a signature of the message. Other lengths than 64 bytes are `false`. */
export type Ed25519Verify = (message: Uint8Array, signature: Uint8Array) => boolean;

/** One implementation of both. */
export interface Ed25519 {
  readonly signer: (seed: Uint8Array) => Ed25519Signer;
  /** The caller has checked the key with {@link ed25519KeyFault}. */
  readonly verifier: (publicKey: Uint8Array) => Ed25519Verify;
}

type Point = InstanceType<typeof ed25519.Point>;

/**
 * Says why bytes are not a public key, in words that follow "the key"; `null` if they are one. A key of small or mixed
 * order, or with an encoding that is not canonical, is not one. It takes a scalar multiplication, about a millisecond,
 * so the result should be kept.
 */
export function ed25519KeyFault(publicKey: Uint8Array): string | null {
  if (publicKey.length !== KEY_BYTES) return `has ${publicKey.length} bytes, not ${KEY_BYTES}`;
  const point = decode(publicKey);
  if (point === null) return 'is not the canonical encoding of a point of the curve';
  if (point.isSmallOrder()) return 'is a point of small order, under which anybody can make signatures';
  if (!point.isTorsionFree()) return 'is not a point of prime order';
  return null;
}

/** Decodes a point (section 5.1.3). Returns `null` if the bytes are not its canonical encoding. */
function decode(bytes: Uint8Array): Point | null {
  try {
    return ed25519.Point.fromBytes(bytes);
  } catch {
    return null;
  }
}

/**
 * Makes a signer from the 32 bytes of a seed. It has its own copy of them.
 *
 * @throws RangeError for another number of bytes, which is a mistake of the caller.
 */
export function ed25519Signer(seed: Uint8Array): Ed25519Signer {
  if (seed.length !== KEY_BYTES) throw new RangeError(`a seed of Ed25519 has ${KEY_BYTES} bytes`);
  return ed25519Here().signer(seed);
}

/**
 * Makes a function that verifies under one public key, after it has checked the key, which takes about a millisecond.
 *
 * @param onFault is called for a key that {@link ed25519KeyFault} refuses, with its words, and throws.
 */
export function ed25519Verifier(publicKey: Uint8Array, onFault: (fault: string) => never): Ed25519Verify {
  const fault = ed25519KeyFault(publicKey);
  return fault === null ? ed25519Here().verifier(Uint8Array.from(publicKey)) : onFault(fault);
}

let here: Ed25519 | undefined;

/** The implementation for this runtime: node:crypto where it gives the right answers, else ours over noble's points. */
function ed25519Here(): Ed25519 {
  if (here === undefined) {
    const node = nodeEd25519();
    here = node !== null && isRight(node) ? node : portableEd25519();
  }
  return here;
}

/** Ed25519 over the points of noble. Exported for tests. */
export function portableEd25519(): Ed25519 {
  return {
    signer: (given) => {
      const seed = Uint8Array.from(given);
      const publicKey = ed25519.getPublicKey(seed);
      return { publicKey, sign: (message) => ed25519.sign(message, seed) };
    },
    verifier: (publicKey) => {
      const A = decode(publicKey);
      if (A === null) throw new RangeError('the key was not checked');
      const minusA = A.negate();
      return (message, signature) => {
        // 1. Split the signature into R and S, and refuse S >= L (section 5.1.7, step 1).
        const S = scalarOf(signature);
        if (S === null) return false;
        const R = signature.subarray(0, KEY_BYTES);
        // 2. h = SHA-512(R || A || M), as an integer modulo L.
        const h = littleEndian(sha512(concat([R, publicKey, message]))) % ed25519.Point.Fn.ORDER;
        // 3. Compare encode(S·B − h·A) with R. Section 5.1.7 allows this for step 3, and its encoding is canonical.
        const found = ed25519.Point.BASE.multiplyUnsafe(S).add(minusA.multiplyUnsafe(h));
        return equalBytes(found.toBytes(), R);
      };
    },
  };
}

/** The S of a signature; `null` if the signature does not have 64 bytes or S is L or more. */
function scalarOf(signature: Uint8Array): bigint | null {
  if (signature.length !== SIGNATURE_BYTES) return null;
  const S = littleEndian(signature.subarray(KEY_BYTES));
  return S < ed25519.Point.Fn.ORDER ? S : null;
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** The part of node:crypto that is used. Keys are opaque. */
interface NodeCrypto {
  readonly createPrivateKey: (options: { key: Uint8Array; format: 'der'; type: 'pkcs8' }) => object;
  readonly createPublicKey: (options: { key: Uint8Array; format: 'der'; type: 'spki' } | object) => {
    readonly export: (options: { format: 'der'; type: 'spki' }) => Uint8Array;
  };
  readonly sign: (algorithm: null, message: Uint8Array, key: object) => Uint8Array;
  readonly verify: (algorithm: null, message: Uint8Array, key: object, signature: Uint8Array) => boolean;
}

/** What DER has before the 32 bytes of a seed (PKCS #8) and of a public key (SPKI): RFC 8410, sections 4, 7 and 10. */
const PKCS8 = '302e020100300506032b657004220420';
const SPKI = '302a300506032b6570032100';

const der = (prefix: string, bytes: Uint8Array): Uint8Array => concat([readHex(prefix, prefix.length / 2)!, bytes]);

/** Ed25519 of node:crypto; `null` if the runtime does not have it. Exported for tests. */
export function nodeEd25519(): Ed25519 | null {
  const crypto = nodeCrypto<NodeCrypto>('createPrivateKey', 'createPublicKey', 'sign', 'verify');
  if (crypto === null) return null;
  return {
    signer: (seed) => {
      const encoded = der(PKCS8, seed);
      const key = crypto.createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' });
      encoded.fill(0);
      const spki = crypto.createPublicKey(key).export({ format: 'der', type: 'spki' });
      return {
        publicKey: Uint8Array.from(spki.subarray(-KEY_BYTES)),
        sign: (message) => Uint8Array.from(crypto.sign(null, message, key)),
      };
    },
    verifier: (publicKey) => {
      const key = crypto.createPublicKey({ key: der(SPKI, publicKey), format: 'der', type: 'spki' });
      return (message, signature) => scalarOf(signature) !== null && crypto.verify(null, message, key, signature);
    },
  };
}

/** A seed (RFC 8032, section 7.1, test 2), its public key, and two signatures of the message `72`. */
const TEST = {
  seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  right:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  // Its R is an honest one plus a point of order 8. A verifier that multiplies by the cofactor accepts it.
  withTorsion:
    '4745d9afce5559af48f13ca97dab2a485929600500056abdac830205c0261d7c' +
    '3f25e475104019ffe316b43fe23eefecf61b053b4c62b898e8970b4e58dc5501',
} as const;

/** Whether an implementation gives the answers of this page for two signatures, of which only one is right. */
function isRight({ signer, verifier }: Ed25519): boolean {
  const [seed, key, right, withTorsion] = [TEST.seed, TEST.publicKey, TEST.right, TEST.withTorsion].map(
    (text) => readHex(text, text.length / 2)!,
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const message = Uint8Array.of(0x72);
  try {
    const made = signer(seed);
    const verify = verifier(key);
    const signs = equalBytes(made.publicKey, key) && equalBytes(made.sign(message), right);
    return signs && verify(message, right) && !verify(message, withTorsion);
  } catch {
    return false;
  }
}
