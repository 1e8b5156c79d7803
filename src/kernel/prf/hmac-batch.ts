/**
 * The batches of HMAC-SHA-256: padded message blocks and tags, in the memory of the WebAssembly module of
 * `hmac-lanes.ts` once enough messages were hashed to make the module worth its set-up, and in plain arrays before.
 */

import { LANES, type Lanes, makeLanes } from './hmac-lanes.ts';
import { lendBatch, type MessageBatch, type Shelf, SLOTS, TAG_WORDS } from './prf.ts';
import { BLOCK_WORDS } from './sha256.ts';

/**
 * The buffers of a batch of HMAC-SHA-256. The blocks of four messages lie side by side, as `hmac-lanes.ts` wants them.
 */
export interface HmacBatch extends MessageBatch {
  /** The words of the padded blocks. Word j of a slot is at `blockAt(slot) + j * LANES`. */
  readonly blocks: Int32Array;
  readonly unit: Lanes | null;
  /** Slots of messages of more than one block. Their tags were computed when they were put, and are in `lateTags`. */
  readonly late: number[];
  readonly lateTags: number[];
}

/** Returns where the block of a slot begins in the blocks of a batch. */
export function blockAt(slot: number): number {
  return (slot >>> 2) * (LANES * BLOCK_WORDS) + (slot & 3);
}

/** Makes a batch in the memory of a vector unit, or in arrays of its own if there is no unit. */
export function makeHmacBatch(lanes: Lanes | null): HmacBatch {
  return {
    tags: lanes?.tags ?? new Int32Array(SLOTS * TAG_WORDS),
    rows: new Int32Array(SLOTS),
    unit: lanes,
    blocks: lanes?.blocks ?? new Int32Array(SLOTS * BLOCK_WORDS),
    late: [],
    lateTags: [],
  };
}

/** Messages after which the module is assembled. That takes 3 ms, which some 15,000 messages save again. */
const WORTH_IT = 16_384;

let seen = 0;
const shelf: Shelf<HmacBatch> = { spare: null };

/** `withBatch` of `Prf`, for HMAC-SHA-256 under any key. */
export function withHmacBatch<T>(expected: number, work: (batch: HmacBatch) => T): T {
  const batch = takeBatch(expected);
  // A caller that was interrupted by an error leaves these behind.
  batch.late.length = 0;
  batch.lateTags.length = 0;
  return lendBatch(shelf, batch, work);
}

function takeBatch(expected: number): HmacBatch {
  const before = seen;
  if (seen < WORTH_IT) seen += expected;
  if (before < WORTH_IT && seen >= WORTH_IT) return makeHmacBatch(makeLanes(SLOTS));
  return shelf.spare ?? makeHmacBatch(seen >= WORTH_IT ? makeLanes(SLOTS) : null);
}
