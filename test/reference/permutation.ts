/**
 * A second, slow implementation of the permutations of small spaces (docs/spec/fpe-v1.md, "Small spaces"). It permutes
 * whole lists, in the words of the papers, without caches and without batches.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { ROUNDS } from '../../src/kernel/permutation/swap-or-not-rounds.ts';
import { list } from './tree.ts';

const fourBytes = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const hmac = (key: Uint8Array, ...items: readonly (string | Uint8Array)[]): Buffer =>
  createHmac('sha256', key)
    .update(list(...items))
    .digest();

const aes256 = (key: Uint8Array): ((block: bigint) => Buffer) => {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return (block) => cipher.update(Buffer.from(block.toString(16).padStart(32, '0'), 'hex'));
};

/** Draws whole numbers from 0 to `limit` - 1 from E(0), E(1), …, and counts the words that were skipped. */
export function drawsReference(key: Uint8Array): { below: (limit: number) => number; rejected: () => number } {
  const E = aes256(key);
  const words: bigint[] = [];
  let counter = 0n;
  let rejected = 0;
  const below = (limit: number): number => {
    const m = BigInt(limit);
    for (;;) {
      if (words.length === 0) {
        const block = E(counter++);
        for (const at of [0, 4, 8, 12]) words.push(BigInt(block.readUInt32BE(at)));
      }
      const p = words.shift()! * m;
      if (p % 2n ** 32n >= 2n ** 32n % m) return Number(p / 2n ** 32n);
      rejected++;
    }
  };
  return { below, rejected: () => rejected };
}

/** The images of 0 to N - 1 under the table. */
export function tableReference(key: Uint8Array, N: number, tweak: Uint8Array): number[] {
  const { below } = drawsReference(hmac(key, 'fisher-yates', fourBytes(N), tweak));
  const T = Array.from({ length: N }, (_, i) => i);
  for (let i = N - 1; i >= 1; i--) {
    const j = below(i + 1);
    [T[i], T[j]] = [T[j]!, T[i]!];
  }
  return T;
}

/** The image of X under the sometimes-recurse shuffle, as a recursion, as in Figure 1 of the paper. */
export function sometimesRecurseReference(
  key: Uint8Array,
  N: number,
  tweak: Uint8Array,
): { readonly encrypt: (X: number) => number; readonly roundKeys: readonly (readonly number[])[] } {
  const mask = BigInt(`0x${hmac(key, 'sometimes-recurse', 'tweak', fourBytes(N), tweak).toString('hex').slice(0, 32)}`);
  const block = aes256(hmac(key, 'sometimes-recurse', 'bits', fourBytes(N)));
  const { below } = drawsReference(hmac(key, 'sometimes-recurse', 'rounds', fourBytes(N)));
  const roundKeys: number[][] = [];
  for (let n = N; n > 1; n = n % 2 === 0 ? n / 2 : (n + 1) / 2) {
    let b = 0;
    while (2 ** b < n) b++;
    roundKeys.push(Array.from({ length: ROUNDS[b]! }, () => below(n)));
  }

  const F = (round: number, m: number): number => block(mask ^ ((BigInt(round) << 32n) | BigInt(m)))[0]! & 1;

  function E(n: number, stage: number, first: number, X: number): number {
    if (n === 1) return X;
    for (const [i, K] of roundKeys[stage]!.entries()) {
      const other = (((K - X) % n) + n) % n;
      if (F(first + i, Math.max(X, other)) === 1) X = other;
    }
    const half = n % 2 === 0 ? n / 2 : (n + 1) / 2;
    return X < half ? E(half, stage + 1, first + roundKeys[stage]!.length, X) : X;
  }
  return { encrypt: (X) => E(N, 0, 0, X), roundKeys };
}
