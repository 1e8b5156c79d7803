/**
 * Branches: nodes below a domain that are handed out in place of a root key (docs/spec/keyset-v1.md, "Branches").
 *
 * A path is a list of steps, each a list as it goes into HKDF. A flat list would not do: it would spell two different
 * nodes alike, and wrong keys would be derived in silence.
 */

import { encodeList, equalBytes, utf8 } from '../core/bytes.ts';
import { fail } from '../errors.ts';
import { decode, encode } from '../wire/base32.ts';
import { child, descend, NODE_LENGTH, type Step } from './derive.ts';

/** Length of a branch check in characters. */
export const BRANCH_CHECK_LENGTH = 26;

/** The most steps of a path, and the most names in one step. */
const MAX_STEPS = 8;
const MAX_NAMES = 8;

/** Names in a path that are longer than this, in bytes, are kept as digests: a list of a format may be very long. */
const LONGEST_NAME = 64;

/** The key of such digests. It is public. */
const DIGEST_KEY = 'trefoil path name';

/** A long name, as its digest of 32 bytes. */
interface Digest {
  readonly digest: Uint8Array;
}

/** One step of a branch. */
export type PathStep = readonly [word: string, ...names: (string | Uint8Array | Digest)[]];

/** A node, and the way to it from the node of its domain. */
export interface Branch {
  readonly domain: string;
  readonly path: readonly PathStep[];
  readonly node: Uint8Array;
}

/** A name in a path of a file: text, bytes in base32, or the digest of a long name. */
type NameText = string | { readonly b32: string } | { readonly digest: string };

/** Writes a path as the file has it. Bytes are never written as text. */
export function writePath(path: readonly PathStep[]): readonly (readonly NameText[])[] {
  return path.map((step) =>
    step.map((name) => {
      if (typeof name === 'string') return name;
      return name instanceof Uint8Array ? { b32: encode(name) } : { digest: encode(name.digest) };
    }),
  );
}

/** Replaces the long names of a path by their digests. */
export function shorten(path: readonly Step[]): readonly PathStep[] {
  return path.map(([word, ...names]): PathStep => [word, ...names.map(short)]);
}

function short(name: string | Uint8Array): string | Uint8Array | Digest {
  const bytes = typeof name === 'string' ? utf8(name) : name;
  return bytes.length <= LONGEST_NAME ? name : { digest: child(utf8(DIGEST_KEY), 'name', [bytes]) };
}

/** Reads a path. @param name whose path it is, for messages. */
export function readPath(value: unknown, name: string): readonly PathStep[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_STEPS) {
    fail('invalid_keyset', `the path of ${name} must be a list of 1 to ${MAX_STEPS} steps`);
  }
  return value.map((step: unknown) => {
    if (!Array.isArray(step) || step.length === 0 || step.length > MAX_NAMES || typeof step[0] !== 'string') {
      fail('invalid_keyset', `a step of the path of ${name} must be a list that begins with its word`);
    }
    return step.map((part: unknown) => readName(part, name)) as unknown as PathStep;
  });
}

function readName(part: unknown, name: string): PathStep[number] {
  if (typeof part === 'string' && part.isWellFormed() && utf8(part).length <= LONGEST_NAME) return part;
  const [[field, text] = [], ...more] = typeof part === 'object' && part !== null ? Object.entries(part) : [];
  const bytes = typeof text === 'string' && more.length === 0 ? decode(text) : null;
  if (field === 'b32' && bytes !== null && bytes.length <= LONGEST_NAME) return bytes;
  if (field === 'digest' && bytes?.length === NODE_LENGTH) return { digest: bytes };
  fail(
    'invalid_keyset',
    `a name in the path of ${name} must be text, bytes as { "b32": "…" }, or { "digest": "…" } if it is longer than ` +
      `${LONGEST_NAME} bytes`,
  );
}

/** The bytes of a name: a list of one, or of two for a digest, so that the two never meet. */
function nameBytes(name: PathStep[number]): Uint8Array {
  return typeof name === 'string' || name instanceof Uint8Array
    ? encodeList([name])
    : encodeList(['digest', name.digest]);
}

const stepBytes = (step: PathStep) => encodeList(step.map(nameBytes));

/** The bytes of a path: a list of steps, each a list of names. */
export function pathBytes(path: readonly PathStep[]): Uint8Array {
  return encodeList(path.map(stepBytes));
}

/** Whether some branch is below the end of a path: the path is the first steps of the branch, each whole. */
export function hasBranchBelow(branches: readonly Branch[], path: readonly Step[]): boolean {
  const steps = shorten(path).map(stepBytes);
  return branches.some(
    (branch) =>
      branch.path.length > steps.length && steps.every((step, i) => equalBytes(step, stepBytes(branch.path[i]!))),
  );
}

/**
 * Derives the node at the end of a path from the branch that covers it: the steps of the branch are the first steps of
 * the path, each whole. Returns `null` if no branch does.
 */
export function deriveFromBranches(branches: readonly Branch[], path: readonly Step[]): Uint8Array | null {
  const steps = shorten(path).map(stepBytes);
  for (const branch of branches) {
    if (branch.path.length > path.length) continue;
    if (!branch.path.every((step, i) => equalBytes(stepBytes(step), steps[i]!))) continue;
    return descend(branch.node, path.slice(branch.path.length));
  }
  return null;
}
