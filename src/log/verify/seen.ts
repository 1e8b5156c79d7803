/** What an overseer keeps of a log that was verified, so that the next look only reads what is new. */

import { encodeBase64 } from '../../core/base64.ts';
import { equalBytes } from '../../core/bytes.ts';
import { ownProperties, typeName } from '../../core/checks.ts';
import { scanJson } from '../../core/json/scan.ts';
import { fail } from '../../errors.ts';
import { parseNote } from '../../note/parse.ts';
import { decodeHash, parseCheckpoint } from '../tree/checkpoint.ts';
import { rootOf, subtreesOf } from '../tree/range.ts';
import { orNull } from '../witness/latest.ts';
import { MOST_OPEN_LOOKS, type OpenLook } from './uncosigned.ts';

/** The most characters of the text: a note, 53 hashes, and a line for each witness. */
const MOST_CHARACTERS = 1_048_576;

/** The most witnesses that are remembered. A policy of tlog-policy has far fewer. */
const MOST_COSIGNED = 256;

/** What a witness had cosigned of a tree that was verified. */
export interface SeenCosigned {
  /** The verifier key of the witness. */
  readonly key: string;
  /** How many entries it had cosigned. */
  readonly size: number;
  /** When, by its own clock, in seconds since 1970. */
  readonly time: number;
}

/** A tree that was verified. It is data: `JSON.stringify` writes it, and {@link parseSeen} reads it. */
export interface Seen {
  readonly trefoil: 'seen-v1';
  readonly origin: string;
  /** How many entries were verified. */
  readonly size: number;
  /** The hash of the tree, in base64. */
  readonly root: string;
  /** The roots of the complete subtrees that the tree consists of, from the left, in base64. */
  readonly edge: readonly string[];
  /** The time of the last entry, in seconds since 1970; `null` if entries were not read. */
  readonly at: number | null;
  /** The checkpoint with its signatures: the proof that the log has signed this tree. */
  readonly checkpoint: string;
  /** The largest tree that each witness had cosigned. So one that is down at the next look still counts for these. */
  readonly cosigned: readonly SeenCosigned[];
  /** The looks at entries that no quorum had cosigned yet, the first one first. */
  readonly open: readonly OpenLook[];
}

const NAMES = ['trefoil', 'origin', 'size', 'root', 'edge', 'at', 'checkpoint', 'cosigned', 'open'] as const;

/** Makes the record of a verified tree. */
export function seenOf(
  tree: { readonly origin: string; readonly size: number; readonly root: Uint8Array },
  edge: readonly Uint8Array[],
  at: number | null,
  checkpoint: string,
  { cosigned, open }: Pick<Seen, 'cosigned' | 'open'>,
): Seen {
  return Object.freeze({
    trefoil: 'seen-v1' as const,
    origin: tree.origin,
    size: tree.size,
    root: encodeBase64(tree.root),
    edge: Object.freeze(edge.map(encodeBase64)),
    at,
    checkpoint,
    cosigned,
    open,
  });
}

/**
 * Reads what an overseer has kept of a log. Anyone who can write this text can hide from the overseer what
 * was changed before, so keep it where the operator of the log cannot write.
 *
 * @param text JSON, as `JSON.stringify` writes a {@link Seen}; at most 1 MiB.
 * @throws TrefoilError `seen_invalid`, also if the hashes do not lead to the root, or the checkpoint is not that of the
 *   tree. Its signatures are not verified: that needs a policy.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner, parseSeen, signNote } from 'trefoil/log';
 *
 * const root = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
 * const signer = noteSigner(newNoteKey('log.example').privateKey);
 * const checkpoint = await signNote(`log.example\n0\n${root}\n`, [signer]);
 * const seen = { trefoil: 'seen-v1', origin: 'log.example', size: 0, root, edge: [], at: null, checkpoint };
 * parseSeen(JSON.stringify({ ...seen, cosigned: [], open: [] })).size; // → 0
 * ```
 */
export function parseSeen(text: string): Seen {
  if (typeof text !== 'string') fail('wrong_type', `expected text, got ${typeName(text)}`);
  if (text.length > MOST_CHARACTERS) invalid(`is longer than ${MOST_CHARACTERS} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    invalid('is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid('is not an object of JSON');
  if (scanJson(text, value) !== null) invalid('has a name twice, or a number that is not exact');
  return checkedSeen(value).seen;
}

/** A record with its hashes as bytes. */
export interface CheckedSeen {
  readonly seen: Seen;
  readonly root: Uint8Array;
  readonly edge: readonly Uint8Array[];
}

/** Checks a record. @throws TrefoilError `seen_invalid`. */
export function checkedSeen(value: unknown): CheckedSeen {
  if (typeof value !== 'object' || value === null) invalid('is not an object');
  const own = ownProperties(value as Partial<Record<keyof Seen, unknown>>);
  if (own.trefoil !== 'seen-v1') invalid('is not of the version seen-v1');
  if (!Object.keys(own).every((name) => (NAMES as readonly string[]).includes(name))) invalid('has an unknown field');
  const { origin, size, root, edge, at, checkpoint, cosigned, open } = own;
  if (typeof origin !== 'string' || typeof checkpoint !== 'string') invalid('lacks its origin or its checkpoint');
  if (!isCount(size)) invalid('has a size that is not a whole number');
  if (at !== null && !isCount(at)) invalid('has a time that is not a whole number or null');
  if (!Array.isArray(edge) || edge.length !== subtreesOf(size)) invalid('has another number of hashes than its size');
  const hashes = edge.map((hash: unknown) => bytesOf(hash));
  const rootBytes = bytesOf(root);
  if (!equalBytes(rootOf(hashes), rootBytes)) invalid('has hashes that do not lead to its root');
  const signed = orNull(() => parseCheckpoint(parseNote(checkpoint).text));
  // It is the evidence if the log is forked one day, so it has to be that of this tree.
  if (signed?.origin !== origin || signed.size !== size || !equalBytes(signed.root, rootBytes)) {
    invalid('has a checkpoint that is not the one of its tree');
  }
  const seen = Object.freeze({
    trefoil: 'seen-v1' as const,
    origin,
    size,
    root: root as string,
    edge,
    at,
    checkpoint,
    cosigned: listOf<SeenCosigned>('cosigned', cosigned, MOST_COSIGNED, ['key', 'size', 'time'], size),
    open: listOf<OpenLook>('open', open, MOST_OPEN_LOOKS, ['size', 'time'], size),
  });
  return { seen, root: rootBytes, edge: hashes };
}

/** Checks a list of objects with exactly these names. None has more entries than were seen. */
function listOf<T extends { readonly size: number }>(
  field: string,
  value: unknown,
  most: number,
  names: readonly (keyof T & string)[],
  size: number,
): readonly T[] {
  if (!Array.isArray(value) || value.length > most) invalid(`lacks its list \`${field}\`, or has a longer one`);
  const items: T[] = [];
  // A list of somebody else's class may have a `map` of its own.
  for (let i = 0; i < value.length; i++) items.push(itemOf<T>(field, value[i], names, size));
  return Object.freeze(items);
}

function itemOf<T>(field: string, item: unknown, names: readonly (keyof T & string)[], size: number): T {
  if (typeof item !== 'object' || item === null) invalid(`has something else than objects in \`${field}\``);
  const own = ownProperties(item as Record<string, unknown>);
  const isGood = (name: string): boolean =>
    name === 'key' ? typeof own[name] === 'string' : isCount(own[name]) && (name !== 'size' || own[name] <= size);
  if (Object.keys(own).length !== names.length || !names.every(isGood)) {
    invalid(`has an object in \`${field}\` that is not in its form`);
  }
  return Object.freeze(Object.fromEntries(names.map((name) => [name, own[name]])) as unknown as T);
}

function bytesOf(hash: unknown): Uint8Array {
  return (
    (typeof hash === 'string' ? decodeHash(hash) : null) ?? invalid('has a hash that is not the base64 of 32 bytes')
  );
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function invalid(what: string): never {
  return fail(
    'seen_invalid',
    `the record of the last look ${what}; restore it from a backup, because a look without it finds no entry that was ` +
      'changed and signed anew before',
  );
}
