/**
 * Which hashes of complete subtrees a part of a tree consists of. Complete subtrees never change while the log grows,
 * so these are the hashes that tiles have.
 */

import { HASH_BYTES } from '../../kernel/merkle.ts';
import { rootOf } from './range.ts';

/** A complete subtree: the leaves from `index` * 2^level on, 2^level of them. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/**
 * Reads the hashes of complete subtrees, in the order of the list. It is called once for a proof, so that it can read
 * the tiles side by side.
 */
export type HashReader = (nodes: readonly TreeNode[]) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

/** The largest power of two that is smaller than a number above 1: where RFC 6962 divides a tree. */
export function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/**
 * The complete subtrees that a part of a tree consists of, from the left.
 *
 * @param start a multiple of the largest power of two that fits into the part, as in all subtrees of RFC 6962.
 * @param end the index after the last leaf.
 */
export function nodesOf(start: number, end: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = start; at < end; ) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** A part of a tree: the leaves from `start` to before `end`. */
export type Part = readonly [start: number, end: number];

/** Reads the hashes of parts of a tree, all at once, and computes the root of each part. */
export async function rootsOf(read: HashReader, parts: readonly Part[]): Promise<Uint8Array[]> {
  const nodes = parts.map(([start, end]) => nodesOf(start, end));
  const all = nodes.flat();
  const hashes = all.length === 0 ? [] : await read(all);
  const isHash = (hash: unknown): boolean => hash instanceof Uint8Array && hash.length === HASH_BYTES;
  if (!Array.isArray(hashes) || hashes.length !== all.length || !hashes.every(isHash)) {
    throw new RangeError('"read" expected to return a hash for each node');
  }
  let from = 0;
  return nodes.map(({ length }) => {
    from += length;
    return rootOf(hashes.slice(from - length, from));
  });
}
