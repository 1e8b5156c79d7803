/** SHA-256 and SHA-512 (FIPS 180-4, https://doi.org/10.6028/NIST.FIPS.180-4) of whole texts and of bytes in pieces. */

import { sha256, sha512 } from '@noble/hashes/sha2.js';

/** A digest that can be read at any time and then continues. */
export interface RunningDigest {
  /** Hashes more bytes. */
  readonly add: (bytes: Uint8Array) => void;
  /** Returns the 32-byte digest of everything that was added so far. More bytes may be added afterwards. */
  readonly soFar: () => Uint8Array;
}

/** Starts a digest. */
export function runningSha256(): RunningDigest {
  const hash = sha256.create();
  return {
    add: (bytes) => void hash.update(bytes),
    soFar: () => hash.clone().digest(),
  };
}

/** SHA-512 of bytes: 64 bytes. SSH signatures are over it. */
export function sha512Of(bytes: Uint8Array): Uint8Array {
  return sha512(bytes);
}

/** SHA-256 of bytes that are all there: 32 bytes. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}
