/**
 * Inclusion and consistency proofs: made as RFC 6962, sections 2.1.1 and 2.1.2, defines them, and checked by the
 * algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2 (https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2).
 *
 * Sizes are numbers up to 2^53 - 1, so nothing here uses the bit operators of JavaScript, which cut at 32 bits.
 */

import { equalBytes } from '../../core/bytes.ts';
import { badType, checkInteger, typeName } from '../../core/checks.ts';
import { emptyRoot, HASH_BYTES, nodeHash } from '../../kernel/merkle.ts';
import { type HashReader, type Part, rootsOf, splitOf } from './nodes.ts';

/** A tree of 2^53 leaves has 53 levels below its root, and a consistency proof may have one hash more. */
export const MOST_PROOF_HASHES = 63;

/**
 * Makes the proof that an entry is in a tree: at most 53 hashes, from the sibling of the leaf upwards.
 *
 * @param read reads the hashes of complete subtrees; it is called once.
 * @param index the number of the entry, from 0.
 * @param size the size of the tree, larger than the index.
 * @throws TypeError, RangeError; whatever `read` throws.
 *
 * @example
 * ```ts
 * import { checkInclusion, inclusionProof, leafHash, nodeHash } from 'trefoil/log';
 *
 * const leaves = [leafHash(Uint8Array.of(1)), leafHash(Uint8Array.of(2))];
 * const proof = await inclusionProof((nodes) => nodes.map(({ index }) => leaves[index]!), 0, 2);
 * checkInclusion(leaves[0]!, 0, 2, nodeHash(leaves[0]!, leaves[1]!), proof); // → true
 * ```
 */
export async function inclusionProof(read: HashReader, index: number, size: number): Promise<Uint8Array[]> {
  checkReader(read);
  checkInteger('size', size, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('index', index, 0, size - 1);
  // PATH(m, D[n]) of section 2.1.1, from the root downwards; the proof is in the other order.
  const parts: Part[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      parts.push([middle, end]);
      end = middle;
    } else {
      parts.push([start, middle]);
      start = middle;
    }
  }
  return rootsOf(read, parts.reverse());
}

/**
 * Makes the proof that one tree is the beginning of another. It has no hashes if one of the trees is empty or both have
 * one size.
 *
 * @param read reads the hashes of complete subtrees; it is called once.
 * @param from the size of the smaller tree.
 * @param to the size of the larger tree.
 * @throws TypeError, RangeError; whatever `read` throws.
 *
 * @example
 * ```ts
 * import { checkConsistency, consistencyProof, leafHash, nodeHash } from 'trefoil/log';
 *
 * const leaves = [leafHash(Uint8Array.of(1)), leafHash(Uint8Array.of(2))];
 * const proof = await consistencyProof((nodes) => nodes.map(({ index }) => leaves[index]!), 1, 2);
 * checkConsistency(1, 2, leaves[0]!, nodeHash(leaves[0]!, leaves[1]!), proof); // → true
 * ```
 */
export async function consistencyProof(read: HashReader, from: number, to: number): Promise<Uint8Array[]> {
  checkReader(read);
  checkInteger('to', to, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('from', from, 0, to);
  if (from === 0 || from === to) return [];
  // SUBPROOF(m, D[n], b) of section 2.1.2, from the root downwards. `b` says whether the part [start, from) is the
  // whole smaller tree, whose hash the verifier has.
  const parts: Part[] = [];
  let [start, end] = [0, to];
  let isWhole = true;
  while (end !== from) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      parts.push([middle, end]);
      end = middle;
    } else {
      parts.push([start, middle]);
      start = middle;
      isWhole = false;
    }
  }
  if (!isWhole) parts.push([start, end]);
  return rootsOf(read, parts.reverse());
}

/**
 * Checks the proof that a leaf is in a tree. It returns `false` for anything that is not one.
 *
 * @param leaf the hash of the leaf: `leafHash` of the entry.
 * @param index the number of the entry, from 0.
 * @param size the size of the tree.
 * @param root the hash of the tree.
 * @param proof hashes of 32 bytes, from the sibling of the leaf upwards.
 *
 * @example
 * ```ts
 * import { checkInclusion, leafHash } from 'trefoil/log';
 *
 * const only = leafHash(new TextEncoder().encode('the only entry'));
 * checkInclusion(only, 0, 1, only, []); // → true
 * ```
 */
export function checkInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  // Step 1: compare leaf_index with tree_size.
  if (!isSize(size) || !isSize(index) || index >= size) return false;
  if (!isHash(leaf) || !isHash(root) || !isProof(proof)) return false;
  // Step 2: fn and sn. Step 3: r.
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  // Step 4.
  for (const p of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else r = nodeHash(r, p);
    [fn, sn] = [half(fn), half(sn)];
  }
  // Step 5.
  return sn === 0 && equalBytes(r, root);
}

/**
 * Checks the proof that one tree is the beginning of another. It returns `false` for anything that is not one.
 *
 * The empty tree is the beginning of every tree, and a tree is the beginning of itself; for both, the proof has to be
 * empty (https://c2sp.org/tlog-witness).
 *
 * @param from the size of the smaller tree.
 * @param to the size of the larger tree.
 * @param fromRoot the hash of the smaller tree.
 * @param toRoot the hash of the larger tree.
 * @param proof hashes of 32 bytes.
 *
 * @example
 * ```ts
 * import { checkConsistency, leafHash } from 'trefoil/log';
 *
 * const root = leafHash(new TextEncoder().encode('the only entry'));
 * checkConsistency(1, 1, root, root, []); // → true
 * ```
 */
export function checkConsistency(
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(to) || !isSize(from) || from > to) return false;
  if (!isHash(fromRoot) || !isHash(toRoot) || !isProof(proof)) return false;
  if (from === 0) return proof.length === 0 && equalBytes(fromRoot, emptyRoot());
  if (from === to) return proof.length === 0 && equalBytes(fromRoot, toRoot);
  // Step 1.
  if (proof.length === 0) return false;
  // Step 2: if first is a power of two, its hash is the first of the proof.
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : [...proof];
  // Step 3: fn and sn. Step 4.
  let fn = from - 1;
  let sn = to - 1;
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  // Step 5: fr and sr.
  let fr = path[0]!;
  let sr = path[0]!;
  // Step 6.
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else sr = nodeHash(sr, c);
    [fn, sn] = [half(fn), half(sn)];
  }
  // Step 7.
  return sn === 0 && equalBytes(fr, fromRoot) && equalBytes(sr, toRoot);
}

function checkReader(read: unknown): void {
  if (typeof read !== 'function') badType('read', `expected a function, got ${typeName(read)}`);
}

const half = (number: number): number => Math.floor(number / 2);

function isPowerOfTwo(number: number): boolean {
  let power = 1;
  while (power < number) power *= 2;
  return power === number;
}

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isHash = (value: unknown): boolean => value instanceof Uint8Array && value.length === HASH_BYTES;

function isProof(proof: unknown): boolean {
  return Array.isArray(proof) && proof.length <= MOST_PROOF_HASHES && proof.every(isHash);
}

/** Checks the hashes of a proof that is to be written. @throws TypeError, RangeError */
export function checkProofHashes(proof: readonly Uint8Array[]): void {
  if (!Array.isArray(proof)) throw new TypeError(`"proof" expected an array, got ${typeName(proof)}`);
  if (!isProof(proof))
    throw new RangeError(`"proof" expected up to ${MOST_PROOF_HASHES} hashes of ${HASH_BYTES} bytes`);
}
