/** SHA-256 (FIPS 180-4) of bytes that come in pieces, with the digest of all that came so far. */

import { sha256 } from '@noble/hashes/sha2.js';

/** A digest that goes on. */
export interface RunningDigest {
  readonly add: (bytes: Uint8Array) => void;
  /** The 32 bytes of all that was added so far; more may be added afterwards. */
  readonly soFar: () => Uint8Array;
}

export function runningSha256(): RunningDigest {
  const hash = sha256.create();
  return {
    add: (bytes) => void hash.update(bytes),
    soFar: () => hash.clone().digest(),
  };
}
