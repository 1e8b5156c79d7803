/**
 * What a keyed function of messages to 32 bytes looks like to the rules: one message, or a batch of up to 1,024.
 * `hmac.ts` and `blake3.ts` are the two.
 *
 * Tags are eight big-endian words, so that a body takes its bits from the left whatever the function.
 */

import { LANES, type Lanes, makeLanes } from './hmac-lanes.ts';
import { BLOCK_WORDS, STATE_WORDS } from './sha256.ts';

/** Messages of a batch at most. */
export const SLOTS = 1024;

/** A pseudorandom function with its key. */
export interface Prf {
  /** The tag of the last `text` or `bytes`: eight words, reused. */
  readonly tag: Int32Array;
  /** Computes the tag of a text's UTF-8. Lone surrogates are refused (`lone_surrogate`). */
  readonly text: (message: string) => void;
  /** Computes the tag of the bytes from `from` to `to`. */
  readonly bytes: (message: Uint8Array, from: number, to: number) => void;
  /** Puts a text, or bytes, into a slot of a batch. */
  readonly putText: (batch: Batch, slot: number, message: string) => void;
  readonly putBytes: (batch: Batch, slot: number, message: Uint8Array, from: number, to: number) => void;
  /** Computes the tags of slots 0 to `count` - 1. */
  readonly run: (batch: Batch, count: number) => void;
}

/** Buffers for the messages and the tags of a batch. Four messages stand side by side, as hmac-lanes.ts wants them. */
export interface Batch {
  /** Words of padded blocks; word j of slot i at `blockAt(i) + j * LANES`. */
  readonly blocks: Int32Array;
  /** Words of tags; word j of slot i at `tagAt(i) + j * LANES`. */
  readonly tags: Int32Array;
  /** The vector unit, or `null` for plain TypeScript. */
  readonly lanes: Lanes | null;
  /** For the caller: the row that each slot belongs to. */
  readonly rows: Int32Array;
  /** Slots whose tags were computed as they were put, because the message has more than one block; and their tags. */
  readonly late: number[];
  readonly lateTags: number[];
}

/** Where the block of a slot begins. */
export function blockAt(slot: number): number {
  return (slot >>> 2) * (LANES * BLOCK_WORDS) + (slot & 3);
}

/** Where the tag of a slot begins. */
export function tagAt(slot: number): number {
  return (slot >>> 2) * (LANES * STATE_WORDS) + (slot & 3);
}

/** A batch of its own, with the given vector unit. */
export function makeBatch(lanes: Lanes | null): Batch {
  return {
    blocks: lanes?.blocks ?? new Int32Array(SLOTS * BLOCK_WORDS),
    tags: lanes?.tags ?? new Int32Array(SLOTS * STATE_WORDS),
    lanes,
    rows: new Int32Array(SLOTS),
    late: [],
    lateTags: [],
  };
}

/** Values after which the vector module is made: it costs 3 ms, which it gives back in some 15,000 messages. */
const WORTH_IT = 16_384;

let seen = 0;
let spare: Batch | null = null;

/**
 * Lends a batch to `work`. A column with getters could start another column in the middle of this one, which then gets
 * a batch of its own.
 */
export function withBatch<T>(expected: number, work: (batch: Batch) => T): T {
  const batch = takeBatch(expected);
  spare = null;
  try {
    return work(batch);
  } finally {
    batch.late.length = 0;
    batch.lateTags.length = 0;
    spare = batch;
  }
}

function takeBatch(expected: number): Batch {
  const before = seen;
  if (seen < WORTH_IT) seen += expected;
  if (before < WORTH_IT && seen >= WORTH_IT) return makeBatch(makeLanes(SLOTS));
  return spare ?? makeBatch(seen >= WORTH_IT ? makeLanes(SLOTS) : null);
}
