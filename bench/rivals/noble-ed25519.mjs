/** Ed25519 of @noble/curves, without the work of notes: the keys are ready, and the messages are bytes. */
import { ed25519 } from '@noble/curves/ed25519.js';

/** Signs under a seed. */
export function nobleSigner(seed) {
  return { publicKey: ed25519.getPublicKey(seed), sign: (message) => ed25519.sign(message, seed) };
}

/** Verifies pairs of a message and a signature, by the rules of RFC 8032. It multiplies by the cofactor. */
export function nobleVerifier(publicKey) {
  return ([message, signature]) => ed25519.verify(signature, message, publicKey, { zip215: false });
}
