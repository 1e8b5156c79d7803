/**
 * A stream of pseudo-random numbers that is the same in every run: SHA-256 of a name and a counter.
 */
import { createHash } from 'node:crypto';

export interface Random {
  readonly bytes: (length: number) => Buffer;
  /** A whole number from 0 to `limit` - 1, `limit` at most 2^32. */
  readonly below: (limit: number) => number;
}

export function random(name: string): Random {
  let held: Buffer = Buffer.alloc(0);
  let counter = 0;
  const bytes = (length: number): Buffer => {
    while (held.length < length)
      held = Buffer.concat([held, createHash('sha256').update(`${name} ${counter++}`).digest()]);
    const out = Buffer.from(held.subarray(0, length));
    held = held.subarray(length);
    return out;
  };
  return {
    bytes,
    below: (limit) => Number(BigInt(`0x${bytes(8).toString('hex')}`) % BigInt(limit)),
  };
}
