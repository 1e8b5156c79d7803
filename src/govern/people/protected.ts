/**
 * The list of people whose records need more signatures (docs/spec/govern/charter-v1.md, "Protected"). The charter
 * commits to it, and says nothing about who is on it: the file begins with 32 random bytes, so nobody who has the
 * charter and the log can try lists of people until one fits.
 */

import { utf8 } from '../../core/bytes.ts';
import { badType, checkOptions, checkText, typeName } from '../../core/checks.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { randomOf } from '../../log/entry/commitment.ts';
import { decode } from '../../wire/base32.ts';
import type { Charter } from '../charter/charter.ts';
import type { Demand } from '../text/items.ts';
import { digestHex } from '../warrant/fields.ts';

const TITLE = 'trefoil protected v1';

/** Bytes of the random number that hides the list. */
const RANDOM = 32;

/** The most people of a list. */
export const MOST_PROTECTED = 100_000;

/** Options of {@link writeProtected}. */
export interface ProtectedOptions {
  /** Returns so many random bytes. Default: the generator of the system. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/** People whose records need more signatures. */
export interface ProtectedPeople {
  /** SHA-256 of the bytes of the file, 64 hexadecimal digits: what a charter names. */
  readonly sha256: string;
  /** How many people are on the list. */
  readonly size: number;
  /** Whether somebody is, by the pseudonym in the log. */
  readonly has: (pseudonym: string) => boolean;
}

/**
 * Writes a list: a title, 64 random hexadecimal digits, and the pseudonyms of the people, ascending.
 *
 * **Note**: keep it where the gateway and the overseer alone can read it. Anyone who reads it learns the pseudonyms.
 *
 * @param pseudonyms 16 symbols each, as `subjectPseudonyms` returns them: at most 100,000. A person who has one for
 *   each of several root keys is on the list with all of them.
 * @throws TrefoilError `charter_invalid`.
 *
 * @example
 * ```ts
 * import { parseProtected, writeProtected } from 'trefoil/govern';
 *
 * parseProtected(writeProtected(['0123456789abcdef'])).has('0123456789abcdef'); // → true
 * ```
 */
export function writeProtected(pseudonyms: readonly string[], options: ProtectedOptions = {}): string {
  const { random = randomBytes } = checkOptions<ProtectedOptions>('options', options, ['random']);
  if (!Array.isArray(pseudonyms)) badType('pseudonyms', `expected an array, got ${typeName(pseudonyms)}`);
  const lines = [...new Set(pseudonyms as readonly string[])].map(checkText).sort();
  const text = `${[TITLE, writeHex(randomOf(random, RANDOM)), ...lines].join('\n')}\n`;
  parseProtected(text);
  return text;
}

/**
 * Reads a list.
 *
 * @param file the file as text or bytes.
 * @throws TrefoilError `charter_invalid` with the line.
 *
 * @example
 * ```ts
 * import { parseProtected, writeProtected } from 'trefoil/govern';
 *
 * parseProtected(writeProtected([])).size; // → 0
 * ```
 */
export function parseProtected(file: string | Uint8Array): ProtectedPeople {
  const text = textOf(file);
  const lines = text.split('\n');
  if (lines.pop() !== '') invalid('the list does not end with a line feed; is it cut?', lines.length + 1);
  if (lines[0] !== TITLE) invalid(`the first line is not "${TITLE}"`, 1);
  if (readHex(lines[1] ?? '', RANDOM) === null) invalid('the line is not 64 random hexadecimal digits', 2);
  const people = lines.slice(2);
  if (people.length > MOST_PROTECTED) invalid(`the list has more than ${MOST_PROTECTED} people`);
  for (const [i, pseudonym] of people.entries()) {
    if (pseudonym.length !== 16 || decode(pseudonym) === null) invalid('the line is not a pseudonym', 3 + i);
    if (i > 0 && people[i - 1]! >= pseudonym) invalid('the pseudonyms are not ascending, each once', 3 + i);
  }
  const set = new Set(people);
  return Object.freeze({ sha256: digestHex(utf8(text)), size: set.size, has: (one: string) => set.has(one) });
}

function textOf(file: unknown): string {
  if (typeof file === 'string') return file;
  if (!(file instanceof Uint8Array))
    return fail('wrong_type', `expected a list as text or bytes, got ${typeName(file)}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    return invalid('the list is not UTF-8');
  }
}

/**
 * The demands that come on top of those of a purpose, if one of the people is protected.
 *
 * @param people their pseudonyms.
 * @param list `null` if there is none at hand.
 * @throws TrefoilError `charter_invalid` if the charter has a list, and this is not it: nobody is taken for not
 *   protected because a file is missing.
 */
export function protectedDemands(
  { protected: named }: Charter,
  list: ProtectedPeople | null,
  people: Iterable<string>,
): readonly Demand[] {
  if (named === null) return [];
  if (list === null || list.sha256 !== named.sha256) {
    return invalid('the charter names a list of protected people, and the one at hand is missing or another');
  }
  for (const pseudonym of people) if (list.has(pseudonym)) return named.approvals;
  return [];
}

function invalid(message: string, line?: number): never {
  return fail('charter_invalid', message, line === undefined ? {} : { line });
}
