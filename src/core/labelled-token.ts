/**
 * The labelled form of tokens: `<label>_<key id><body><check>` (docs/spec/token-v1.md, "Reading"). It is read without
 * any key.
 */

import { ALPHABET_CLASS, symbolValue } from './base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from './check-characters.ts';

/** Length of the shown key id. */
export const ID_LENGTH = 5;

/** Symbols of a whole body, 128 bits, and of the shortest. */
export const BODY_LENGTH = 26;
export const SHORTEST_BODY = 6;

/** The last symbol of a whole body has three bits of the tag and two zero bits. */
export const BODY_CLASS: string = `[${ALPHABET_CLASS}]{${BODY_LENGTH - 1}}[048cgmrw]`;

/** A body that is shorter. Only a label tells it from a word, so a shorter token has one. */
const SHORT_BODY_CLASS = `[${ALPHABET_CLASS}]{${SHORTEST_BODY},${BODY_LENGTH - 1}}`;
const LABEL_CLASS = '[a-z][a-z0-9]{0,15}';
const ID_CLASS = `[${ALPHABET_CLASS}]{${ID_LENGTH}}`;
const CHECK_CLASS = `[${ALPHABET_CLASS}]{${CHECK_LENGTH}}`;

/** The form of a label. */
export const LABEL: RegExp = /* @__PURE__ */ new RegExp(`^${LABEL_CLASS}$`);

/**
 * Finds labelled tokens in text; take `new RegExp(tokenPattern, 'g')` to find all. A match may still have wrong check
 * characters: `inspect` tells.
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

/** Lengths without the label and its `_`. */
const WHOLE_LENGTH = ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;
const SHORTEST = ID_LENGTH + SHORTEST_BODY + CHECK_LENGTH;

const UNDERSCORE = 95;

/** What a labelled token says about itself. */
export interface TokenParts {
  readonly label: string | null;
  /** Shown id of the key of its domain. */
  readonly keyId: string;
  readonly body: string;
  /** Whether the check characters fit: if not, the token was mistyped or damaged. */
  readonly intact: boolean;
}

/**
 * Reads a labelled token without any key; `null` for what has not the form of one. It catches accidents and is no
 * security check: anyone can write a token that passes.
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
  // Without a label the body is a whole one: any word of 15 letters would be a token otherwise.
  if (label === undefined && body!.length !== BODY_LENGTH) return null;
  const intact = checkCharacters(crc20(token.slice(0, -CHECK_LENGTH))) === check;
  return { label: label ?? null, keyId: keyId!, body: body!, intact };
}

/**
 * Whether a text ends as tokens do: in as many symbols of base32 as a token has behind its label. It costs a few
 * nanoseconds where `inspect` costs hundreds, and every value of a column is asked.
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

/** The check of tokens with one head and one length of body, as one table look-up a symbol. */
export interface CheckTable {
  /** The CRC over the head and as many zero bytes as the body has symbols. */
  readonly start: number;
  /** What symbol s at place k changes in it, at 32 k + s: a CRC is linear. */
  readonly changes: Int32Array;
}

/** Makes the table for a head, the symbols of the body in the given alphabet. */
export function checkTable(head: string, bodyLength: number, alphabet: string): CheckTable {
  const zeros = '\0'.repeat(bodyLength);
  const changes = new Int32Array(32 * bodyLength);
  for (let k = 0; k < bodyLength; k++) {
    for (let s = 0; s < 32; s++) changes[32 * k + s] = crc20(alphabet[s]! + zeros.slice(k + 1));
  }
  return { start: crc20(zeros, crc20(head)), changes };
}
