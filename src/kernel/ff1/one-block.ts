/**
 * The buffers of a lane in which Q ends in one block and S is one block, as they are for most values: those of
 * rounds-short.ts and of rounds-binary.ts. A round is then one call of AES over the batch.
 */

import type { AesBackend } from '../aes/aes.ts';
import type { LaneHalf } from './halves.ts';
import { makeBases, makeBlockBatch, type Sizes, type Tweaks } from './prf.ts';

/** The blocks of a batch: what a round reads and what it writes. */
export interface OneBlock {
  /** Allocates space for `count` values and computes what depends on the tweaks. */
  readonly load: (count: number, tweaks: Tweaks) => void;
  /** The bases of the values: see {@link makeBases}. `load` may replace this view. */
  readonly base: DataView;
  /** Whether all bases are equal, because one tweak is that of all values. */
  readonly areEqual: boolean;
  /** The last block of Q of `count` values. It begins as the bases; a round changes its last twelve bytes at most. */
  readonly q: (count: number) => DataView;
  /** Returns S of every value, in strides of a block. */
  readonly encrypt: () => DataView;
}

/** Makes the buffers for one length, whose halves are `a` and `b`. */
export function makeOneBlock(aes: AesBackend, sizes: Sizes, a: LaneHalf, b: LaneHalf): OneBlock {
  const bases = makeBases(aes, sizes);
  const batch = makeBlockBatch(aes);
  return {
    load(count, tweaks) {
      a.reserve(count);
      b.reserve(count);
      const changed = bases.load(count, tweaks);
      const q = batch.reserve(count);
      // As long as the tweaks stay the same, only the bytes that a round writes change.
      if (changed) q.bytes.set(bases.buffers.bytes);
    },
    get base() {
      return bases.buffers.view;
    },
    get areEqual() {
      return bases.areEqual;
    },
    q: (count) => batch.reserve(count).view,
    encrypt: () => batch.encrypt().view,
  };
}
