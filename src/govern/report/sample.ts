/**
 * A sample of the entries whose details an overseer demands (docs/spec/govern/sample-v1.md). The writer of the log must
 * not know before the checkpoint which entries will be asked for, and the overseer must not choose them: both could
 * steer a sample that only one of them draws.
 */

import { concat } from '../../core/bytes.ts';
import { badRange, badType, checkInteger, typeName } from '../../core/checks.ts';
import { sha256Of } from '../../kernel/digest.ts';

/** Bytes of the random number, and of a root. */
const BYTES = 32;

/** The most entries of a sample. */
export const MOST_SAMPLED = 1000;

/** Draws a sample. */
export interface SampleDraw {
  /** Takes an entry that has a commitment. */
  readonly see: (index: number) => void;
  /** The entries that were drawn, ascending. */
  readonly entries: () => readonly number[];
}

/** An entry and its place in the draw. */
interface Drawn {
  readonly index: number;
  readonly rank: Uint8Array;
}

/**
 * Draws entries at random: those with the smallest SHA-256(seed ‖ index), where seed = SHA-256(random ‖ root). Anybody
 * who has the two can draw again.
 *
 * @param random 32 bytes that the overseer drew **after** it had the checkpoint.
 * @param root the root of that checkpoint, 32 bytes.
 * @param count how many: 1 to 1,000. If the log has fewer entries with commitments, all of them.
 * @throws TypeError, RangeError.
 *
 * @example
 * ```ts
 * import { drawSample } from 'trefoil/govern';
 *
 * const draw = drawSample(new Uint8Array(32), new Uint8Array(32), 2);
 * for (const index of [3, 5, 8, 13]) draw.see(index);
 * draw.entries().length; // → 2
 * ```
 */
export function drawSample(random: Uint8Array, root: Uint8Array, count: number): SampleDraw {
  for (const [name, bytes] of Object.entries({ random, root })) {
    if (!(bytes instanceof Uint8Array)) badType(name, `expected bytes, got ${typeName(bytes)}`);
    if (bytes.length !== BYTES) badRange(name, `expected ${BYTES} bytes`);
  }
  checkInteger('count', count, 1, MOST_SAMPLED);
  const seed = sha256Of(concat([random, root]));
  /** Ascending by rank. */
  const drawn: Drawn[] = [];
  return Object.freeze({
    see(index: number): void {
      checkInteger('index', index, 0, Number.MAX_SAFE_INTEGER);
      const rank = rankOf(seed, index);
      if (drawn.length === count && !isBefore(rank, drawn.at(-1)!.rank)) return;
      const place = drawn.findIndex((one) => isBefore(rank, one.rank));
      drawn.splice(place === -1 ? drawn.length : place, 0, { index, rank });
      if (drawn.length > count) drawn.pop();
    },
    entries: () => drawn.map(({ index }) => index).sort((a, b) => a - b),
  });
}

/** SHA-256(seed ‖ index as 8 bytes, big-endian). */
function rankOf(seed: Uint8Array, index: number): Uint8Array {
  const bytes = new Uint8Array(BYTES + 8);
  bytes.set(seed);
  new DataView(bytes.buffer).setBigUint64(BYTES, BigInt(index));
  return sha256Of(bytes);
}

function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < BYTES; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}
