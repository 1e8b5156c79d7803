/** Entry bundles: up to 256 entries, each after its length (https://c2sp.org/tlog-tiles, "Log entries"). */

import { concat } from '../../core/bytes.ts';
import { checkInteger, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { TILE_WIDTH } from './tiles.ts';

/** Bytes of the length before each entry. */
export const LENGTH_BYTES = 2;

/** The most bytes of an entry, because its length has 16 bits. */
export const MOST_ENTRY_BYTES = 65_535;

/** The most bytes of a bundle: 256 entries of 65,535 bytes. */
export const MOST_BUNDLE_BYTES: number = TILE_WIDTH * (LENGTH_BYTES + MOST_ENTRY_BYTES);

/**
 * Writes a bundle: before each entry its length in two bytes, big-endian.
 *
 * @param entries 1 to 256, of at most 65,535 bytes each.
 * @throws TypeError, RangeError
 *
 * @example
 * ```ts
 * import { bundleBytes, parseBundle } from 'trefoil/log';
 *
 * const bundle = bundleBytes([new TextEncoder().encode('{}'), new TextEncoder().encode('[]')]);
 * bundle; // → Uint8Array.of(0, 2, 123, 125, 0, 2, 91, 93)
 * parseBundle(bundle, 2).length; // → 2
 * ```
 */
export function bundleBytes(entries: readonly Uint8Array[]): Uint8Array {
  if (!Array.isArray(entries)) throw new TypeError(`"entries" expected an array, got ${typeName(entries)}`);
  if (entries.length === 0 || entries.length > TILE_WIDTH) {
    throw new RangeError(`"entries" expected 1 to ${TILE_WIDTH} of them`);
  }
  return concat(
    entries.flatMap((entry) => {
      if (!(entry instanceof Uint8Array)) throw new TypeError(`"entries" expected bytes, got ${typeName(entry)}`);
      if (entry.length > MOST_ENTRY_BYTES) {
        throw new RangeError(`"entries" has one of more than ${MOST_ENTRY_BYTES} bytes`);
      }
      return [Uint8Array.of(entry.length >>> 8, entry.length & 255), entry];
    }),
  );
}

/**
 * Reads a bundle. The entries are views on it.
 *
 * @param count how many entries it has to have: its width, by which its file is named.
 * @throws TrefoilError `log_broken` if it has fewer or more, or ends inside one.
 *
 * @example
 * ```ts
 * import { parseBundle } from 'trefoil/log';
 *
 * parseBundle(Uint8Array.of(0, 1, 65), 1); // → [Uint8Array.of(65)]
 * ```
 */
export function parseBundle(bytes: Uint8Array, count: number): Uint8Array[] {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`"bytes" expected bytes, got ${typeName(bytes)}`);
  checkInteger('count', count, 1, TILE_WIDTH);
  const entries: Uint8Array[] = [];
  const { whole, end } = walkBundle(bytes, count, (at, length) => entries.push(bytes.subarray(at, at + length)));
  if (whole < count) fail('log_broken', 'the bundle ends before its last entry', { expected: count, actual: whole });
  if (end !== bytes.length) fail('log_broken', 'the bundle has bytes after its last entry', { expected: count });
  return entries;
}

/**
 * Calls a function with the place of each entry that is whole, of at most `count` entries.
 *
 * @returns how many are whole, and where the last of them ends.
 */
export function walkBundle(
  bytes: Uint8Array,
  count: number,
  visit: (at: number, length: number) => void,
): { readonly whole: number; readonly end: number } {
  let end = 0;
  let whole = 0;
  for (; whole < count && end + LENGTH_BYTES <= bytes.length; whole++) {
    const length = (bytes[end]! << 8) | bytes[end + 1]!;
    const at = end + LENGTH_BYTES;
    if (at + length > bytes.length) break;
    visit(at, length);
    end = at + length;
  }
  return { whole, end };
}
