/**
 * The labelled form of tokens, `<label>_<key id><body><check>` (docs/spec/token-v1.md, "Reading"). No key is needed to
 * read it.
 */

import { ALPHABET, ALPHABET_CLASS, symbolValue } from './base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from './check-characters.ts';

/** How many characters the shown key id has: 25 bits of base32. */
export const ID_LENGTH = 5;

/** How many symbols a whole body has, which is 128 bits, and how many the shortest body has. */
export const BODY_LENGTH = 26;
export const SHORTEST_BODY = 6;

/** A whole body, for a regular expression. Its last symbol has three bits of the tag and two zero bits. */
export const BODY_CLASS: string = `[${ALPHABET_CLASS}]{${BODY_LENGTH - 1}}[048cgmrw]`;

/** A shorter body. Only a label distinguishes a token with such a body from a word, so it always has one. */
const SHORT_BODY_CLASS = `[${ALPHABET_CLASS}]{${SHORTEST_BODY},${BODY_LENGTH - 1}}`;
const LABEL_CLASS = '[a-z][a-z0-9]{0,15}';
const ID_CLASS = `[${ALPHABET_CLASS}]{${ID_LENGTH}}`;
const CHECK_CLASS = `[${ALPHABET_CLASS}]{${CHECK_LENGTH}}`;

/** What a label looks like: 1 to 16 characters of a-z and 0-9, the first a letter. */
export const LABEL: RegExp = /* @__PURE__ */ new RegExp(`^${LABEL_CLASS}$`);

/**
 * Matches a labelled token in a text. Use `new RegExp(tokenPattern, 'g')` to find all of them. The check characters of
 * a match may be wrong; {@link inspect} tells whether they are.
 *
 * @example
 * ```ts
 * import { tokenPattern } from 'trefoil';
 *
 * tokenPattern.test('no token in this sentence'); // → false
 * ```
 */
export const tokenPattern: RegExp = /* @__PURE__ */ new RegExp(
  `(?<![A-Za-z0-9_])(?:(?:${LABEL_CLASS}_)?${ID_CLASS}${BODY_CLASS}${CHECK_CLASS}|` +
    `${LABEL_CLASS}_${ID_CLASS}${SHORT_BODY_CLASS}${CHECK_CLASS})(?![A-Za-z0-9_])`,
);

const WHOLE = /* @__PURE__ */ new RegExp(
  `^(?:(${LABEL_CLASS})_)?(${ID_CLASS})(${BODY_CLASS}|${SHORT_BODY_CLASS})(${CHECK_CLASS})$`,
);

/** Lengths of tokens, without the label and its `_`. */
const WHOLE_LENGTH = ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;
const SHORTEST = ID_LENGTH + SHORTEST_BODY + CHECK_LENGTH;

const UNDERSCORE = 95;

/** The parts of a labelled token. */
export interface TokenParts {
  /** The label, or `null` if the token has none. */
  readonly label: string | null;
  /** The shown id of the key under which the token was made. */
  readonly keyId: string;
  readonly body: string;
  /** Whether the check characters are right. If not, the token was mistyped or damaged. */
  readonly intact: boolean;
}

/**
 * Reads a labelled token without any key. Returns `null` if the text is not a labelled token.
 *
 * The check characters detect accidents. They are not a security check, because anyone can write a token that passes.
 *
 * @example
 * ```ts
 * import { inspect } from 'trefoil';
 *
 * inspect('cust_k3m7a'); // → null
 * ```
 */
export function inspect(token: string): TokenParts | null {
  if (typeof token !== 'string' || !endsLikeToken(token)) return null;
  const match = WHOLE.exec(token);
  if (match === null) return null;
  const [, label, keyId, body, check] = match;
  // Without a label the body must be a whole one. Otherwise any word of 15 letters would be a token.
  if (label === undefined && body!.length !== BODY_LENGTH) return null;
  const intact = checkCharacters(crc20(token.slice(0, -CHECK_LENGTH))) === check;
  return { label: label ?? null, keyId: keyId!, body: body!, intact };
}

/**
 * Returns whether a text ends as a token does: with as many symbols of base32 as a token has after its label. This
 * takes a few nanoseconds and `inspect` takes hundreds, and it is called for every value of a column.
 */
export function endsLikeToken(text: string): boolean {
  const { length } = text;
  if (length < SHORTEST) return false;
  let at = length - 1;
  for (const stop = Math.max(0, length - WHOLE_LENGTH); at >= stop; at--) {
    if (symbolValue(text.charCodeAt(at)) < 0) break;
  }
  const symbols = length - 1 - at;
  if (at < 0) return symbols === WHOLE_LENGTH;
  return symbols >= SHORTEST && text.charCodeAt(at) === UNDERSCORE;
}

/**
 * Returns the CRC over a head followed by as many zero bytes as the body has symbols. {@link checkChanges} has what the
 * symbols change in it.
 */
export function checkStart(head: string, length: number): number {
  return crc20('\0'.repeat(length), crc20(head));
}

/**
 * Returns a table of what each symbol of a body changes in the CRC. A CRC is linear, so a symbol's change does not
 * depend on the other symbols. `count` symbols (one or two) are looked up together: the change by their value v at
 * place k is at k * 32^count + v.
 */
export function checkChanges(length: number, count: 1 | 2): Int32Array {
  const zeros = '\0'.repeat(length);
  const values = 32 ** count;
  const changes = new Int32Array((length / count) * values);
  for (let k = 0; k < length / count; k++) {
    const after = zeros.slice((k + 1) * count);
    for (let v = 0; v < values; v++) {
      const symbols = count === 1 ? ALPHABET[v]! : ALPHABET[v >>> 5]! + ALPHABET[v & 31]!;
      changes[k * values + v] = crc20(symbols + after);
    }
  }
  return changes;
}

/** What pairs of symbols change in the check of a whole body: 52 KiB. */
let ofWholeBody: Int32Array | null = null;

/** Returns what pairs of symbols change in the check of a whole body. The table is made for the first caller. */
export function wholeChanges(): Int32Array {
  ofWholeBody ??= checkChanges(BODY_LENGTH, 2);
  return ofWholeBody;
}
