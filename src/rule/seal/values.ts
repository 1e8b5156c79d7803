/**
 * What a `seal` rule seals (docs/spec/seal-v1.md, "Inputs"): the text that stands for a value, and the value of a text
 * that was opened.
 */

import { checkText, typeName } from '../../core/checks.ts';
import { readCivilDate } from '../../core/civil-date.ts';
import { asNumber, isCanonical, jsonNumber, jsonNumberText } from '../../core/json/number.ts';
import { fail } from '../../errors.ts';

/**
 * What a `seal` rule seals: text; safe integers, which are revealed as numbers; scalars of JSON, which keep their type
 * and the spelling of a number; or dates.
 */
export type SealValue = 'text' | 'integer' | 'json' | 'date';

/** What the value of each kind can be in code. */
export type SealedValueOf<Kind extends SealValue> = Kind extends 'integer'
  ? number
  : Kind extends 'json'
    ? string | number | bigint | boolean
    : Kind extends 'date'
      ? Date | string
      : string;

/** The kinds by name. */
export const SEAL_VALUES: readonly SealValue[] = ['text', 'integer', 'json', 'date'];

/** A number of JSON (RFC 8259, section 6). */
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** How a text of JSON begins in its sealed form if it could be taken for a value of another type. */
const QUOTE = '"';

/** How `Date` writes a date of the years 0001 to 9999. */
const ISO = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/** One kind of values. */
interface Kind {
  /** The text that is sealed for a value. @throws TrefoilError if the value is not of this kind. */
  readonly textOf: (value: unknown) => string;
  /** The value of a text that was opened, or `undefined` if sealing writes no such text; `null` returns every text. */
  readonly read: ((text: string) => unknown) | null;
  /**
   * What code gets for a revealed value, if that differs from what a file gets. @throws TrefoilError if JavaScript has
   * no such value.
   */
  readonly inCode?: (value: unknown) => unknown;
}

/** The kinds. Made by a call, so that a bundle without `seal` drops them. */
export const KINDS: Readonly<Record<SealValue, Kind>> = /* @__PURE__ */ makeKinds();

function makeKinds(): Readonly<Record<SealValue, Kind>> {
  return {
    text: { textOf: textOnly, read: null },
    integer: { textOf: integerText, read: integerOf },
    json: { textOf: jsonText, read: jsonOf, inCode: jsonInCode },
    date: { textOf: dateText, read: null, inCode: dateInCode },
  };
}

/** Most values are text, so they are checked first. */
function textOnly(value: unknown): string {
  const type = typeof value === 'string' ? 'string' : typeName(value);
  if (type !== 'number' && type !== 'bigint' && type !== 'boolean') return checkText(value);
  return fail('wrong_type', `expected text, got ${type}; to seal numbers, true and false as well, set value: json`);
}

function integerText(value: unknown): string {
  if (jsonNumberText(value) === null && typeof value !== 'number') {
    fail('wrong_type', 'expected a whole number; write value: text to seal text');
  }
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    fail(
      'unsafe_integer',
      'expected a whole number from -(2^53 - 1) to 2^53 - 1, and not negative zero; to seal any number, set value: json',
    );
  }
  return String(value);
}

/** Only the one decimal spelling that sealing writes is accepted. */
function integerOf(text: string): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && String(number) === text ? number : undefined;
}

/** A number is sealed as it was spelled, `true` and `false` as in JSON, and a text as itself where it can. */
function jsonText(value: unknown): string {
  if (typeof value === 'string') {
    const text = checkText(value);
    return isPlain(text) ? text : QUOTE + text;
  }
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail('not_a_number', 'JSON has no such number; pass null for a missing value');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      fail('unsafe_integer', 'the number is beyond 2^53 - 1 and may have been rounded; pass it as a bigint');
    }
    return Object.is(value, -0) ? '-0' : String(value);
  }
  const number = jsonNumberText(value);
  if (number !== null) return number;
  return fail(
    'wrong_type',
    `expected text, a number, true or false, got ${typeName(value)}; name the fields inside it`,
  );
}

/** Whether a text is sealed as itself: not if it could be another value of JSON, or begins as a longer text does. */
function isPlain(text: string): boolean {
  const first = text[0];
  if (first === QUOTE || first === '{' || first === '[') return false;
  return !NUMBER.test(text) && text !== 'true' && text !== 'false' && text !== 'null';
}

function jsonOf(text: string): unknown {
  if (text.startsWith(QUOTE)) {
    const rest = text.slice(1);
    return isPlain(rest) ? undefined : rest;
  }
  if (isPlain(text)) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  if (!NUMBER.test(text)) return undefined;
  return isCanonical(text) ? Number(text) : jsonNumber(text);
}

/** In code a number is a `number` or a `bigint`, if one of the two is exactly that number. */
function jsonInCode(value: unknown): unknown {
  const text = jsonNumberText(value);
  if (text === null) return value;
  const number = asNumber(value);
  if (typeof number === 'number') return number;
  if (/^-?[0-9]+$/.test(text)) return BigInt(text);
  return fail('unsafe_integer', 'JavaScript cannot hold the number exactly; reveal it in a file of NDJSON or CSV');
}

/** A `Date` is sealed as `toISOString` writes it, and a text as it came in. */
function dateText(value: unknown): string {
  const time = timeOf(value);
  if (time !== null) {
    const text = Number.isNaN(time) ? '' : new Date(time).toISOString();
    if (!ISO.test(text)) fail('not_a_date', 'expected a date of the years 0000 to 9999');
    return text;
  }
  const text = checkText(value);
  readCivilDate(text);
  return text;
}

/** The time of a `Date`, also of another realm, such as a test runner's; `null` for any other value. */
function timeOf(value: unknown): number | null {
  if (typeof value !== 'object' || value === null) return null;
  try {
    return Date.prototype.getTime.call(value);
  } catch {
    return null;
  }
}

/** In code a text that `toISOString` writes is a `Date`. Any other text stays one: its time zone may not be known. */
function dateInCode(value: unknown): unknown {
  if (typeof value !== 'string' || !ISO.test(value)) return value;
  const date = new Date(value);
  // `24:00` is a time of the day before, which no Date writes.
  return Number.isNaN(date.getTime()) || date.toISOString() !== value ? value : date;
}
