/**
 * A compact range: a tree of which only the right edge is known. These are the roots of the complete subtrees that the
 * tree consists of, from the left: one for each bit 1 of the size. They suffice to append leaves and to compute the
 * root (https://www.rfc-editor.org/rfc/rfc6962#section-2.1).
 */

import { emptyRoot, nodeHash } from '../../kernel/merkle.ts';

/** A tree by its right edge. */
export interface CompactRange {
  /** The number of leaves. */
  readonly size: number;
  /**
   * Appends a leaf.
   *
   * @param hash 32 bytes that nobody changes afterwards.
   */
  readonly append: (hash: Uint8Array) => void;
  /**
   * Appends complete subtrees of one size.
   *
   * @param level the subtree has 2^level leaves; the size has to be a multiple of that.
   */
  readonly appendSubtree: (level: number, hash: Uint8Array) => void;
  /** The hash of the tree. */
  readonly root: () => Uint8Array;
  /** The roots of the complete subtrees, from the left. */
  readonly hashes: () => Uint8Array[];
}

/** How many complete subtrees a tree consists of: the number of bits 1 of its size. */
export function subtreesOf(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/**
 * Starts with a tree.
 *
 * @param size its number of leaves.
 * @param hashes its right edge, as {@link CompactRange.hashes} returns it.
 * @param onComplete is called with each complete subtree that results from appending: its level, and its hash.
 */
export function compactRange(
  size = 0,
  hashes: readonly Uint8Array[] = [],
  onComplete?: (level: number, hash: Uint8Array) => void,
): CompactRange {
  const edge = [...hashes];
  let count = size;
  const appendSubtree = (level: number, hash: Uint8Array): void => {
    // Like the carry of an addition: two subtrees of one size become one of twice the size.
    let rest = count / 2 ** level;
    onComplete?.(level, hash);
    for (let height = level; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = nodeHash(edge.pop()!, hash);
      onComplete?.(++height, hash);
    }
    edge.push(hash);
    count += 2 ** level;
  };
  return {
    get size() {
      return count;
    },
    append: (hash) => appendSubtree(0, hash),
    appendSubtree,
    root: () => rootOf(edge),
    hashes: () => [...edge],
  };
}

/** The hash of a tree whose complete subtrees have these roots, from the left. */
export function rootOf(edge: readonly Uint8Array[]): Uint8Array {
  if (edge.length === 0) return emptyRoot();
  let root = edge[edge.length - 1]!;
  for (let i = edge.length - 2; i >= 0; i--) root = nodeHash(edge[i]!, root);
  return root;
}
