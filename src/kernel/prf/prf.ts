/**
 * The interface of a keyed function that maps a message to a tag of 32 bytes. Rules use it for one message at a time,
 * or for a batch of up to 1,024 messages. There are two implementations: `hmac.ts` and `blake3.ts`.
 *
 * Each implementation has a batch type of its own and makes its own batches, so a program that never uses HMAC never
 * assembles the WebAssembly module of HMAC. What all batches share is how their tags are laid out.
 */

/** The most messages that one batch holds. */
export const SLOTS = 1024;

/** Words of a tag: eight big-endian words of 32 bits, whichever function computed it. */
export const TAG_WORDS = 8;

/**
 * How far two words of one tag are apart. The tags of four messages lie side by side, as vector instructions want them.
 */
export const TAG_STEP = 4;

/** Returns where the tag of a slot begins in the tags of a batch. Its word j is at `tagAt(slot) + j * TAG_STEP`. */
export function tagAt(slot: number): number {
  return (slot >>> 2) * (TAG_STEP * TAG_WORDS) + (slot & 3);
}

/** What computes the tags of a batch in vector instructions, in a memory of its own. */
export interface VectorUnit {
  readonly blocks: Int32Array;
  readonly tags: Int32Array;
}

/** The buffers of a batch, as far as they are the same for every implementation. */
export interface MessageBatch {
  /** The words of the tags, laid out as {@link tagAt} says. */
  readonly tags: Int32Array;
  /** For the caller: the row that each slot belongs to. */
  readonly rows: Int32Array;
  /**
   * The vector unit that computes the tags; `null` if plain TypeScript computes them. The self-test tests every unit.
   */
  readonly unit: VectorUnit | null;
}

/** A pseudorandom function with its key. */
export interface Prf<Batch extends MessageBatch = MessageBatch> {
  /** The tag of the last call of `text` or `bytes`: eight words. The array is reused. */
  readonly tag: Int32Array;
  /** Computes the tag of a text, which is hashed as UTF-8. A lone surrogate is refused (`lone_surrogate`). */
  readonly text: (message: string) => void;
  /** Computes the tag of the bytes from `from` to `to`. */
  readonly bytes: (message: Uint8Array, from: number, to: number) => void;
  /**
   * Lends a batch to `work` and returns its result. `expected` is about how many messages the caller has in all: a
   * faster way to compute tags that takes time to set up is set up once enough messages were expected.
   */
  readonly withBatch: <T>(expected: number, work: (batch: Batch) => T) => T;
  // These three are methods, so that a `Prf` of any batch type is a `Prf`. They take only the batches that `withBatch`
  // of the same implementation lends.
  /** Puts a text into a slot of a batch. A lone surrogate is refused (`lone_surrogate`). */
  putText(batch: Batch, slot: number, message: string): void;
  /** Puts the bytes from `from` to `to` into a slot of a batch. */
  putBytes(batch: Batch, slot: number, message: Uint8Array, from: number, to: number): void;
  /** Computes the tags of slots 0 to `count` - 1. */
  run(batch: Batch, count: number): void;
}

/** The place where an implementation keeps one batch for its next caller. */
export interface Shelf<Batch extends MessageBatch> {
  spare: Batch | null;
}

/**
 * Lends a batch to `work`, and keeps it for the next caller. While it is lent the shelf is empty: a column with getters
 * can start another column in the middle of this one, and the inner column then needs a batch of its own.
 */
export function lendBatch<Batch extends MessageBatch, T>(
  shelf: Shelf<Batch>,
  batch: Batch,
  work: (batch: Batch) => T,
): T {
  shelf.spare = null;
  try {
    return work(batch);
  } finally {
    shelf.spare = batch;
  }
}
