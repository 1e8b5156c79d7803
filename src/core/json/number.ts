/**
 * Numbers of JSON (RFC 8259, section 6) that a `number` of JavaScript cannot hold, or that JavaScript would write in
 * another way: `6150769120280496265`, `0.1234567890123456789`, `12.50`, `-0`, `1E400`. In place of a `number`, a record
 * holds their text. So `keep` returns what was read, and a rule that reads a number either reads all of it or refuses
 * it.
 */

// A registered symbol, so that the ES module and the CommonJS build in one process understand each other.
const TEXT: unique symbol = Symbol.for('trefoil.json-number.v1');

/** A number of JSON, as its text. */
export interface JsonNumber {
  readonly [TEXT]: string;
}

/** Makes a number from its text, which must be a number of JSON. */
export function jsonNumber(text: string): JsonNumber {
  return { [TEXT]: text };
}

/** Returns the text of such a number, or `null` for any other value, also for a `number` of JavaScript. */
export function jsonNumberText(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  return (value as Partial<JsonNumber>)[TEXT] ?? null;
}

/**
 * Returns whether `JSON.stringify(JSON.parse(text))` is `text`, and whether no reader of JSON can take the number for
 * another one: beyond 2^53 - 1, several integers have the same `number`.
 */
export function isCanonical(text: string): boolean {
  const number = Number(text);
  return String(number) === text && (Number.isSafeInteger(number) || !Number.isInteger(number));
}

/**
 * Returns the value that a rule reads: a `number` if it is exactly the number of the text, as for `12.50` and `1e3`.
 * Otherwise it returns the value unchanged. Rules refuse such a value or read its text (`inputText`).
 */
export function asNumber(value: unknown): unknown {
  const text = jsonNumberText(value);
  if (text === null) return value;
  const number = Number(text);
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) return value;
  return Number.isFinite(number) && decimalOf(text) === decimalOf(String(number)) ? number : value;
}

/** Returns whether the number of a text has no fraction: `1e400` and `12.0` have none, `1e-400` has one. */
export function isWhole(text: string): boolean {
  const [, exponent = '0'] = decimalOf(text).split('e');
  return Number(exponent) >= 0;
}

/** Calls {@link asNumber} for each value of a column. The column is copied if a value changes. */
export function asNumbers(column: readonly unknown[]): readonly unknown[] {
  const first = column.findIndex((value) => jsonNumberText(value) !== null);
  return first === -1 ? column : column.map(asNumber);
}

/** Returns a value in which each such number is its text, for people to read. */
export function withTexts(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const text = jsonNumberText(value);
  if (text !== null) return text;
  if (Array.isArray(value)) return value.map(withTexts);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTexts(member)]));
}

/**
 * Returns the absolute value of a decimal in one form for all spellings: its digits without zeros at either end, and an
 * exponent.
 */
function decimalOf(text: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  let start = 0;
  let end = digits.length;
  while (start < end && digits.charCodeAt(start) === ZERO) start++;
  while (end > start && digits.charCodeAt(end - 1) === ZERO) end--;
  if (start === end) return '0';
  return `${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

const ZERO = 48;
