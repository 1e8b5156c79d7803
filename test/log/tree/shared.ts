/** Entries, and a reader of hashes that knows them all. */

import { concat } from '../../../src/core/bytes.ts';
import { completeRoot } from '../../../src/kernel/merkle/complete-root.ts';
import { leafHash } from '../../../src/kernel/merkle.ts';
import type { HashReader } from '../../../src/log/tree/nodes.ts';

/** Entry number i of the vectors: `i` times `i`, in decimal, in 0 to 40 copies, so that lengths differ. */
export function entry(i: number): Uint8Array {
  return new TextEncoder().encode(String(i * i).repeat(i % 41));
}

export const entries = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => entry(i));

/** Reads the hashes of complete subtrees from the hashes of all leaves. */
export function readerOver(leaves: readonly Uint8Array[]): HashReader {
  return (nodes) =>
    nodes.map(({ level, index }) => completeRoot(concat(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))));
}

export const leavesOf = (list: readonly Uint8Array[]): Uint8Array[] => list.map(leafHash);
