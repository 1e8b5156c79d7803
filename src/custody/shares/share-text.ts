/**
 * The text of one share (docs/spec/identity-share-v1.md, "Text"): two lines of base32, each with check characters, and
 * two lines before them for people.
 *
 * A share is copied from paper by hand, so a reader has to name the line that is mistyped. Each line has 36 symbols and
 * 4 check characters. The proof of the check characters (docs/spec/token-v1.md) holds for 52 symbols before them, so
 * every change of one or two characters of a line is noticed. The check of line 2 covers line 1 as well. Lines of two
 * shares therefore pass together only if their first lines end in the same check characters, by chance once in 2^20.
 *
 * No regular expression is used on a secret text: an engine keeps the last text that one has matched (`RegExp.input`),
 * so a share would stay in memory after everybody has let it go. `test/custody/shares/heap.test.ts` looks for it.
 */

import { concat } from '../../core/bytes.ts';
import { badType, typeName } from '../../core/checks.ts';
import { fail, type Issue } from '../../errors.ts';
import { ALPHABET, decode, encode } from '../../wire/base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from '../../wire/check-characters.ts';

/** The name of the format. It is the version of a ceremony, the salt of commitments, and the start of every check. */
export const SHARE_FORMAT = 'identity-share-v1';

/** The most shares of a ceremony, and the least threshold. */
export const MOST_SHARES = 16;
export const LEAST_THRESHOLD = 2;

/** Bytes of the ceremony's id: 80 bits. */
export const CEREMONY_BYTES = 10;
/** Bytes of an identity, and so of the value of a share. */
export const SECRET_BYTES = 32;
/** The ceremony's id, threshold, number of shares, number of this share, value: 45 bytes are 72 symbols. */
const SHARE_BYTES = CEREMONY_BYTES + 3 + SECRET_BYTES;
/** Symbols of a line, without its check characters. */
const LINE_SYMBOLS = 36;
const LINE_LENGTH = LINE_SYMBOLS + CHECK_LENGTH;

/** The longest text that is read, in UTF-16 code units. What is written has about 270. */
const MAX_TEXT = 4096;

/** What a share is made of. */
export interface Share {
  /** The id of the ceremony: 16 symbols of base32. */
  readonly ceremony: string;
  /** How many shares join to the identity. */
  readonly threshold: number;
  /** How many shares there are. */
  readonly shares: number;
  /** The number of this share, from 1: the point at which the polynomials were evaluated. */
  readonly number: number;
  /** The values of the polynomials at that point: 32 bytes. */
  readonly value: Uint8Array;
}

/** A share that was read, and the recipient in its line for people; `null` if the text does not have that line. */
export interface ReadShare extends Share {
  readonly recipient: string | null;
}

/** An X25519 recipient of age (https://age-encryption.org/v1): Bech32 of 32 bytes. */
export const RECIPIENT_PATTERN: RegExp = /^age1[02-9ac-hj-np-z]{58}$/;

/** Writes a share and the recipient of its ceremony. */
export function writeShare(share: Share, recipient: string): string {
  const { ceremony, threshold, shares, number, value } = share;
  const symbols = encode(concat([decode(ceremony)!, Uint8Array.of(threshold, shares, number), value]));
  const line1 = symbols.slice(0, LINE_SYMBOLS);
  const line2 = symbols.slice(LINE_SYMBOLS);
  return [
    headOf(share),
    `opens ${recipient}`,
    `1: ${inGroups(line1 + checkOf(1, line1))}`,
    `2: ${inGroups(line2 + checkOf(2, symbols))}`,
    '',
  ].join('\n');
}

/** The first line, for people. */
function headOf({ ceremony, threshold, shares, number }: Share): string {
  return `trefoil share ${number} of ${shares}, ${threshold} needed, ceremony ${ceremony}`;
}

/** The check characters of a line. Those of line 2 are over the symbols of both lines. */
function checkOf(line: 1 | 2, symbols: string): string {
  return checkCharacters(crc20(`${SHARE_FORMAT}_${line}${symbols}`));
}

/** Groups of four characters, which are easier to copy. */
function inGroups(line: string): string {
  return Array.from({ length: line.length / 4 }, (_, i) => line.slice(4 * i, 4 * i + 4)).join(' ');
}

/**
 * Reads a share. The two lines for people may be missing. If they are not, they must state what the other two contain.
 * Spaces are ignored, and upper case is read as lower case.
 *
 * @param place where the text is from, for errors.
 * @throws TrefoilError `share_mistyped` with the `line` (1 or 2) if it is one of the two lines of base32; `share_wrong`
 * with the number of the share as `actual`, if it has numbers that no ceremony has (0 among them, at which everybody's
 * value would be the identity).
 */
export function readShare(text: unknown, place: Pick<Issue, 'row'> = {}): ReadShare {
  if (typeof text !== 'string') badType('text', `expected the text of a share, got ${typeName(text)}`);
  const { head, opens, line1, line2 } = linesOf(text, place);
  const symbols1 = checkedLine(1, line1, place);
  const symbols2 = checkedLine(2, line2, place);
  if (checkOf(1, symbols1) !== checkPart(line1!)) {
    mistyped('a character of the line that begins with 1: is mistyped; compare each with the paper', 1, place);
  }
  const symbols = symbols1 + symbols2;
  if (checkOf(2, symbols) !== checkPart(line2!)) {
    const message = 'a character of the line that begins with 2: is mistyped, or the two lines are of different shares';
    mistyped(message, 2, place);
  }
  const bytes = decode(symbols)!;
  const [threshold, shares, number] = bytes.subarray(CEREMONY_BYTES, CEREMONY_BYTES + 3) as unknown as [
    number,
    number,
    number,
  ];
  const isPossible = threshold >= LEAST_THRESHOLD && threshold <= shares && shares <= MOST_SHARES;
  if (!isPossible || number < 1 || number > shares) {
    const message = `share ${number} of ${shares} with ${threshold} needed is in no ceremony; trefoil did not write it`;
    fail('share_wrong', message, { ...place, actual: number });
  }
  const ceremony = encode(bytes.subarray(0, CEREMONY_BYTES));
  const share = { ceremony, threshold, shares, number, value: bytes.slice(SHARE_BYTES - SECRET_BYTES) };
  if (head !== undefined && head !== headOf(share)) {
    mistyped('the line that begins with "trefoil share" is not that of the lines 1: and 2:', undefined, place);
  }
  return { ...share, recipient: opens ?? null };
}

interface Lines {
  head?: string;
  opens?: string;
  line1?: string;
  line2?: string;
}

/** The lines of a text by what they begin with, in lower case; those of base32 without spaces. */
function linesOf(text: string, place: Pick<Issue, 'row'>): Lines {
  if (text.length > MAX_TEXT) mistyped('the text is too long for a share', undefined, place);
  const lines: Lines = {};
  const put = (name: keyof Lines, line: string, label: string, number?: 1 | 2): void => {
    if (lines[name] !== undefined) mistyped(`the text has two lines that begin with ${label}`, number, place);
    lines[name] = line;
  };
  const raw = text.startsWith('\ufeff') ? text.slice(1) : text;
  for (const part of raw.replaceAll('\r', '\n').replaceAll('\t', ' ').split('\n')) {
    const words = lowerCase(part).split(' ');
    const line = words.filter((word) => word !== '').join(' ');
    if (line === '') continue;
    if (line.startsWith('1:')) put('line1', line.slice(2).replaceAll(' ', ''), '1:', 1);
    else if (line.startsWith('2:')) put('line2', line.slice(2).replaceAll(' ', ''), '2:', 2);
    else if (line.startsWith('trefoil share ')) put('head', line, '"trefoil share"');
    else if (line.startsWith('opens ') && RECIPIENT_PATTERN.test(line.slice(6))) put('opens', line.slice(6), '"opens"');
    else mistyped('the text has a line that no share has; the lines of a share begin with 1: and 2:', undefined, place);
  }
  return lines;
}

/** Lower case for ASCII alone: `toLowerCase` also turns the Kelvin sign into a k. */
function lowerCase(text: string): string {
  return Array.from(text, (one) => (one >= 'A' && one <= 'Z' ? one.toLowerCase() : one)).join('');
}

/** The symbols of a line that has the right number of characters, all of them from the alphabet. */
function checkedLine(line: 1 | 2, text: string | undefined, place: Pick<Issue, 'row'>): string {
  if (text === undefined) mistyped(`the line that begins with ${line}: is missing`, line, place);
  const characters = [...text];
  const wrong = characters.findIndex((character) => !ALPHABET.includes(character));
  if (wrong >= 0) {
    const message =
      `character ${wrong + 1} of the line that begins with ${line}: is in no share, spaces not counted; ` +
      'shares have digits and the letters a to z without i, l, o and u';
    mistyped(message, line, place);
  }
  if (characters.length !== LINE_LENGTH) {
    const message =
      `the line that begins with ${line}: has ${characters.length} characters, spaces not counted, ` +
      `and every line of a share has ${LINE_LENGTH}`;
    mistyped(message, line, { ...place, actual: characters.length, expected: LINE_LENGTH });
  }
  return text.slice(0, LINE_SYMBOLS);
}

function checkPart(line: string): string {
  return line.slice(LINE_SYMBOLS);
}

function mistyped(message: string, line: 1 | 2 | undefined, more: Pick<Issue, 'row' | 'actual' | 'expected'>): never {
  fail('share_mistyped', message, { ...more, ...(line !== undefined && { line }) });
}
