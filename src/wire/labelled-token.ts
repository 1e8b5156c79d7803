/**
 * The labelled form of tokens: `<label>_<key id><body><check>` (docs/spec/token-v1.md, "Reading"). It is read without
 * any key.
 */

import { ALPHABET, ALPHABET_CLASS, symbolValue } from './base32.ts';
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

/** The CRC over a head and as many zero bytes as the body has symbols: what {@link checkChanges} changes. */
export function checkStart(head: string, length: number): number {
  return crc20('\0'.repeat(length), crc20(head));
}

/**
 * A CRC is linear: what the symbols at one place change in it does not depend on the others. With `count` symbols (one
 * or two) a place, the change by value v at place k is at k * 32^count + v.
 */
export function checkChanges(length: number, count: 1 | 2): Int32Array {
  const zeros = '\0'.repeat(length);
  const values = 32 ** count;
  const changes = new Int32Array((length / count) * values);
  for (let k = 0; k < length / count; k++) {
    const behind = zeros.slice((k + 1) * count);
    for (let v = 0; v < values; v++) {
      const symbols = count === 1 ? ALPHABET[v]! : ALPHABET[v >>> 5]! + ALPHABET[v & 31]!;
      changes[k * values + v] = crc20(symbols + behind);
    }
  }
  return changes;
}
