/**
 * ECDSA over P-256 with SHA-256, verification alone: FIPS 186-5, section 6.4.2
 * (https://doi.org/10.6028/NIST.FIPS.186-5) and SEC 1, section 4.1.4 (https://www.secg.org/sec1-v2.pdf).
 *
 * A signature is r and s, each in 32 bytes, big-endian, as in IEEE P1363. Both are 1 to n - 1; nothing is reduced. For
 * a signature (r, s), (r, n - s) is one of the same message as well: hardware writes either, so both are accepted. A
 * signature is therefore no name of what it signs.
 *
 * A public key is an uncompressed point (SEC 1, section 2.3.3), 65 bytes. It is checked to be on the curve. The group
 * has prime order, so every such point but the identity, which has no form of 65 bytes, is a good key.
 *
 * node:crypto verifies where it gives the right answers, else @noble/curves does. Both give the same verdict
 * (test/kernel/curves/p256.test.ts).
 */

import { p256 } from '@noble/curves/nist.js';
import { concat } from '../../core/bytes.ts';
import { readHex } from '../../core/hex.ts';
import { nodeCrypto } from '../node-crypto.ts';

/** Bytes of a public key: 0x04, x and y. */
export const POINT_BYTES = 65;

/** Bytes of a signature: r and s. */
export const SIGNATURE_BYTES = 64;

/** Bytes of a number modulo n. */
export const SCALAR_BYTES = 32;

/** Returns whether the bytes are a signature of the message. Other lengths than 64 bytes are `false`. */
export type P256Verify = (message: Uint8Array, signature: Uint8Array) => boolean;

/** One implementation. The caller has checked the key with {@link p256KeyFault}. */
export type P256Verifier = (publicKey: Uint8Array) => P256Verify;

/** Says why bytes are not a public key, in words that follow "the key"; `null` if they are one. */
export function p256KeyFault(publicKey: Uint8Array): string | null {
  if (publicKey.length !== POINT_BYTES) return `has ${publicKey.length} bytes, not ${POINT_BYTES}`;
  if (publicKey[0] !== 0x04) return 'is not an uncompressed point';
  try {
    // Coordinates of p and more are refused here as well.
    p256.Point.fromBytes(publicKey).assertValidity();
    return null;
  } catch {
    return 'is not a point of the curve';
  }
}

/**
 * Makes a function that verifies under one public key, after it has checked the key.
 *
 * @param onFault is called for a key that {@link p256KeyFault} refuses, with its words, and throws.
 */
export function p256Verifier(publicKey: Uint8Array, onFault: (fault: string) => never): P256Verify {
  const fault = p256KeyFault(publicKey);
  return fault === null ? p256Here()(Uint8Array.from(publicKey)) : onFault(fault);
}

let here: P256Verifier | undefined;

/** The implementation for this runtime. */
function p256Here(): P256Verifier {
  if (here === undefined) {
    const node = nodeP256();
    here = node !== null && isRight(node) ? node : portableP256;
  }
  return here;
}

/** Whether r and s are 1 to n - 1. Both implementations check it too; here it holds whatever they do. */
function isInRange(signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const { ORDER } = p256.Point.Fn;
  return [0, SCALAR_BYTES].every((at) => {
    let value = 0n;
    for (const byte of signature.subarray(at, at + SCALAR_BYTES)) value = (value << 8n) | BigInt(byte);
    return value > 0n && value < ORDER;
  });
}

/** P-256 of noble. Exported for tests. */
export const portableP256: P256Verifier = (publicKey) => (message, signature) =>
  // noble hashes the message with SHA-256. By default it would refuse s of more than n / 2.
  isInRange(signature) && p256.verify(signature, message, publicKey, { lowS: false, format: 'compact' });

/** The part of node:crypto that is used. Keys are opaque. */
interface NodeCrypto {
  readonly createPublicKey: (options: { key: Uint8Array; format: 'der'; type: 'spki' }) => object;
  readonly verify: (
    algorithm: 'sha256',
    message: Uint8Array,
    key: { key: object; dsaEncoding: 'ieee-p1363' },
    signature: Uint8Array,
  ) => boolean;
}

/** What DER has before the point of a public key (SPKI): RFC 5480, section 2, with the curve secp256r1. */
const SPKI = '3059301306072a8648ce3d020106082a8648ce3d030107034200';

/** P-256 of node:crypto; `null` if the runtime does not have it. Exported for tests. */
export function nodeP256(): P256Verifier | null {
  const crypto = nodeCrypto<NodeCrypto>('createPublicKey', 'verify');
  if (crypto === null) return null;
  return (publicKey) => {
    const der = concat([readHex(SPKI, SPKI.length / 2)!, publicKey]);
    const key = crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
    return (message, signature) =>
      isInRange(signature) && crypto.verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
  };
}

/** RFC 6979, section A.2.5, "With SHA-256, message = sample". Its s is more than n / 2. */
const TEST = {
  publicKey:
    '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' +
    '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
  message: '73616d706c65',
  right:
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
    'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
} as const;

/** Whether an implementation accepts a right signature and refuses it under another message. */
function isRight(verifier: P256Verifier): boolean {
  const [key, message, right] = [TEST.publicKey, TEST.message, TEST.right].map(
    (text) => readHex(text, text.length / 2)!,
  ) as [Uint8Array, Uint8Array, Uint8Array];
  try {
    const verify = verifier(key);
    return verify(message, right) && !verify(message.subarray(1), right);
  } catch {
    return false;
  }
}
