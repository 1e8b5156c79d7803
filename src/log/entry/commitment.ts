/**
 * Commitments: an entry carries a digest of its details, and the details are in an opening that is kept outside the
 * log (docs/spec/log-v1.md, "Commitments"). Anyone who has the opening can show that these were the details. When the
 * opening is destroyed, the digest says nothing about them, because 32 random bytes were hashed with them.
 */

import { concat, equalBytes, utf8 } from '../../core/bytes.ts';
import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { scanJson } from '../../core/json/scan.ts';
import { fail } from '../../errors.ts';
import { runningSha256 } from '../../kernel/digest.ts';
import { randomBytes } from '../../kernel/random.ts';

/** Bytes of the random number that hides the details. */
const NONCE = 32;

/** The most bytes of the details. */
export const MAX_DETAILS = 1_048_576;

const PREFIX = '{"trefoil":"log-v1 opening","nonce":"';
const MIDDLE = '","details":';
const NONCE_END = PREFIX.length + 2 * NONCE;
const DETAILS_AT = NONCE_END + MIDDLE.length;

/** A commitment and what opens it. */
export interface Commitment {
  /** For the field `commit` of an entry: 64 hexadecimal digits. */
  readonly commit: string;
  /** The text that opens it: JSON. It is private, and is to be stored outside the log. */
  readonly opening: string;
}

/** Options of {@link commitment}. */
export interface CommitmentOptions {
  /** Returns so many random bytes. Default: the generator of the system. For tests and vectors. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Commits to details: SHA-256 over 32 random bytes and the JSON text of the details.
 *
 * @param details an object that `JSON.stringify` writes: at most 1 MiB, nested at most 100 deep, without whole numbers
 * beyond 2^53 - 1.
 * @throws TypeError or RangeError if the details are not such an object.
 *
 * @example
 * ```ts
 * import { checkOpening, commitment } from 'trefoil/log';
 *
 * const { commit, opening } = commitment({ rows: [17, 18] });
 * checkOpening(commit, opening); // → { rows: [17, 18] }
 * ```
 */
export function commitment(details: object, options: CommitmentOptions = {}): Commitment {
  const { random = randomBytes } = checkOptions<CommitmentOptions>('options', options, ['random']);
  if (typeof details !== 'object' || details === null || Array.isArray(details)) {
    badType('details', `expected an object, got ${typeName(details)}`);
  }
  const text = jsonOf(details);
  if (text === null || utf8(text).length > MAX_DETAILS || !isPlain(text)) {
    badRange('details', `expected an object that JSON can hold, in at most ${MAX_DETAILS} bytes`);
  }
  const nonce = randomOf(random, NONCE);
  return { commit: writeHex(digest(nonce, text)), opening: `${PREFIX}${writeHex(nonce)}${MIDDLE}${text}}` };
}

/** The JSON of a value; `null` if it has none, such as a number that JSON does not have, or a circle. */
function jsonOf(value: object): string | null {
  try {
    return (JSON.stringify(value) as string | undefined) ?? null;
  } catch {
    return null;
  }
}

/** Calls a function that returns random bytes, and checks what it returns. */
export function randomOf(random: (length: number) => Uint8Array, length: number): Uint8Array {
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  const bytes: unknown = random(length);
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    badRange('random', 'expected a function that returns as many bytes as it was asked for');
  }
  return bytes;
}

/** SHA-256(nonce ‖ details). */
function digest(nonce: Uint8Array, details: string): Uint8Array {
  const hash = runningSha256();
  hash.add(concat([nonce, utf8(details)]));
  return hash.soFar();
}

/** Whether a text is an object of JSON with exactly one reading, spelled as `JSON.stringify` spells it. */
function isPlain(text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return text.isWellFormed() && scanJson(text, value) === null && JSON.stringify(value) === text;
}

/**
 * Checks that an opening is the one of a commitment, and returns its details.
 *
 * @param commit the field `commit` of an entry, or an entry that has one.
 * @param opening the text of the opening, exactly as it was made.
 * @throws TrefoilError `opening_wrong` if the text is not an opening, or is that of another entry.
 * @throws TypeError if `commit` is not a commitment.
 *
 * @example
 * ```ts
 * import { checkOpening, commitment, readEntry, writeEntry } from 'trefoil/log';
 *
 * const { commit, opening } = commitment({ rows: [17, 18] });
 * const { event } = readEntry(writeEntry({ kind: 'erase', commit }, 1_796_126_400));
 * if (event?.kind === 'erase') checkOpening(event, opening); // → { rows: [17, 18] }
 * ```
 */
export function checkOpening(commit: string | { readonly commit: string }, opening: string): unknown {
  const expected = typeof commit === 'object' && commit !== null ? commit.commit : commit;
  const bytes = typeof expected === 'string' ? readHex(expected, 32) : null;
  if (bytes === null) badType('commit', 'expected a commitment of 64 hexadecimal digits');
  if (typeof opening !== 'string') badType('opening', `expected text, got ${typeName(opening)}`);
  const nonce = readHex(opening.slice(PREFIX.length, NONCE_END), NONCE);
  const text = opening.slice(DETAILS_AT, -1);
  const isSpelled = nonce !== null && opening === `${PREFIX}${writeHex(nonce)}${MIDDLE}${text}}`;
  if (!isSpelled || utf8(text).length > MAX_DETAILS || !isPlain(text)) {
    fail('opening_wrong', 'the text is not an opening as trefoil writes it; pass the file unchanged');
  }
  if (!equalBytes(digest(nonce, text), bytes)) {
    fail('opening_wrong', 'the opening is not the one of this entry, or one of them was changed');
  }
  return JSON.parse(text);
}
