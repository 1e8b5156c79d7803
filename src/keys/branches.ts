/**
 * Branches: nodes below a domain that are handed out in place of a root key (docs/spec/keyset-v1.md, "Branches").
 *
 * A path is a list of steps, each a list as it goes into HKDF. A flat list would not do: it would spell two different
 * nodes alike, and wrong keys would be derived in silence.
 */

import { encodeList, equalBytes, utf8 } from '../core/bytes.ts';
import { fail } from '../errors.ts';
import { decode, encode } from '../wire/base32.ts';
import { child, descend, type Step } from './derive.ts';

/** Length of a branch check in bytes. */
const CHECK_BYTES = 16;

/** Length of a branch check in characters. */
export const BRANCH_CHECK_LENGTH = 26;

/** The key of the branch check. It is public: HKDF serves as a hash here. */
const CHECK_KEY = 'trefoil branch check';

/** The most steps of a path, and the most names in one step. */
const MAX_STEPS = 8;
const MAX_NAMES = 8;

/** A node, and the way to it from the node of its domain. */
export interface Branch {
  readonly domain: string;
  readonly path: readonly Step[];
  readonly node: Uint8Array;
}

/** A name in a path of a file: text, or bytes in base32. */
type NameText = string | { readonly b32: string };

/** Writes a path as the file has it. Bytes are never written as text. */
export function writePath(path: readonly Step[]): readonly (readonly NameText[])[] {
  return path.map((step) => step.map((name) => (typeof name === 'string' ? name : { b32: encode(name) })));
}

/** Reads a path. @param name whose path it is, for messages. */
export function readPath(value: unknown, name: string): readonly Step[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_STEPS) {
    fail('invalid_keyset', `the path of ${name} must be a list of 1 to ${MAX_STEPS} steps`);
  }
  return value.map((step: unknown) => {
    if (!Array.isArray(step) || step.length === 0 || step.length > MAX_NAMES || typeof step[0] !== 'string') {
      fail('invalid_keyset', `a step of the path of ${name} must be a list that begins with its word`);
    }
    return step.map((part: unknown) => readName(part, name)) as unknown as Step;
  });
}

function readName(part: unknown, name: string): string | Uint8Array {
  if (typeof part === 'string' && part.isWellFormed()) return part;
  if (typeof part === 'object' && part !== null && Object.keys(part).join() === 'b32') {
    const text = (part as { readonly b32: unknown }).b32;
    const bytes = typeof text === 'string' ? decode(text) : null;
    if (bytes !== null) return bytes;
  }
  fail('invalid_keyset', `a name in the path of ${name} must be text, or bytes as { "b32": "…" }`);
}

const bytesOf = (name: string | Uint8Array) => (typeof name === 'string' ? utf8(name) : name);

/** The bytes of a path: one list of lists, as they go into HKDF. */
export function pathBytes(path: readonly Step[]): Uint8Array {
  return encodeList(path.map((step) => encodeList(step)));
}

function sameStep(a: Step, b: Step): boolean {
  return a.length === b.length && a.every((name, i) => equalBytes(bytesOf(name), bytesOf(b[i]!)));
}

/**
 * Derives the node at the end of a path from the branch that covers it: the steps of the branch are the first steps of
 * the path, each whole. Returns `null` if no branch does.
 */
export function deriveFromBranches(branches: readonly Branch[], path: readonly Step[]): Uint8Array | null {
  for (const branch of branches) {
    if (branch.path.length > path.length) continue;
    if (!branch.path.every((step, i) => sameStep(step, path[i]!))) continue;
    return descend(branch.node, path.slice(branch.path.length));
  }
  return null;
}

/**
 * The branch check: 128 bits that a policy pins, since the ids and key checks of a file with branches are data that
 * anybody can write. It covers the key, the domain, the path and the bytes of every branch, in whatever order.
 *
 * @param branches by the id of their root key.
 */
export function branchCheckValue(branches: readonly (readonly [id: string, branch: Branch])[]): string {
  const lines = branches.map(([id, { domain, path, node }]) =>
    encodeList([id, domain, pathBytes(path), child(node, 'node check', [])]),
  );
  lines.sort(compareBytes);
  return encode(child(utf8(CHECK_KEY), 'branches', lines, CHECK_BYTES));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
