/**
 * The lists of numerals that FF1 takes and returns (SP 800-38G, section 3.2, "numeral string"): arrays of numbers,
 * typed arrays, and any other object with a length. A list is checked and copied in one pass, because it may have
 * getters: what is enciphered is then what was checked.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';

/** A list of numerals, each a whole number from 0 to radix - 1. */
export type NumeralString = ArrayLike<number>;

/** The typed arrays that may hold numerals. */
export type Numerals =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** The type of a result: a typed array for a typed array, an array of numbers for any other list. */
export type NumeralsLike<T> = T extends Uint8Array ? Uint8Array : T extends Numerals ? T : number[];

/** The row of a value that does not belong to a batch. */
export const ALONE = -1;

/**
 * Says in a message which value it is about. It is called for an error only: for every value of a batch it would take a
 * tenth of the time.
 */
export function where(row: number): string {
  return row === ALONE ? '' : ` (value ${row + 1} of the batch)`;
}

/** What every numeral string of a call must be. */
export interface Limits {
  readonly radix: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Checks a list of numerals and copies it into an array. Each numeral is read once. `row` is the list's index in a
 * batch.
 */
export function takeNumerals(numerals: NumeralString, limits: Limits, row: number): number[] {
  const length = checkLength(numerals, limits, row);
  const { radix } = limits;
  const out = new Array<number>(length);
  for (let i = 0; i < length; i++) {
    const numeral = numerals[i]!;
    if (typeof numeral !== 'number' || numeral >>> 0 !== numeral || numeral >= radix) refuseNumeral(i, limits, row);
    // With `| 0`, V8 keeps the array as one of small integers, whatever the numeral was read from.
    out[i] = numeral | 0;
  }
  return out;
}

/**
 * The same for a list in a batch, where a typed array is copied as a typed array of the same kind.
 *
 * @throws RangeError for a kind that cannot hold every numeral of the radix, because it would truncate a result.
 */
export function takeLike(numerals: NumeralString, limits: Limits, row: number): number[] | Numerals {
  const kind = ArrayBuffer.isView(numerals) ? KINDS[kindOf.call(numerals)] : undefined;
  if (kind === undefined) return takeNumerals(numerals, limits, row);
  checkLength(numerals, limits, row);
  const { radix } = limits;
  if (radix > kind.radix) {
    badRange('batch', `expected arrays that can hold 0 to ${radix - 1}, got one that cannot${where(row)}`);
  }
  const out = kind.copy(numerals);
  // Checked again on the copy, because `length` of a typed array can be overridden.
  checkLength(out, limits, row);
  for (let i = 0; i < out.length; i++) {
    const numeral = out[i]!;
    if (numeral >>> 0 !== numeral || numeral >= radix) refuseNumeral(i, limits, row);
  }
  return out;
}

function checkLength(numerals: NumeralString, { radix, least, most }: Limits, row: number): number {
  if (typeof numerals !== 'object' || numerals === null) refuseList(numerals, row);
  const { length } = numerals;
  if (!Number.isSafeInteger(length)) refuseList(numerals, row);
  if (length < least || length > most) {
    badRange('numerals', `expected a length of ${least} to ${most} in radix ${radix}, got ${length}${where(row)}`);
  }
  return length;
}

function refuseList(numerals: unknown, row: number): never {
  badType('numerals', `expected a list of numbers, got ${typeName(numerals)}${where(row)}`);
}

function refuseNumeral(i: number, { radix }: Limits, row: number): never {
  badRange('numerals', `expected whole numbers from 0 to ${radix - 1}; the one at index ${i} is not${where(row)}`);
}

interface Kind {
  /** Copies the array's own elements: they cannot have getters, and no property of the array is read. */
  readonly copy: (numerals: NumeralString) => Numerals;
  /** The largest radix of which it can hold every numeral. */
  readonly radix: number;
}

/** The kinds of typed arrays by their names. */
const KINDS: Readonly<Record<string, Kind>> = {
  Uint8Array: { copy: (numerals) => new Uint8Array(numerals), radix: 256 },
  Uint8ClampedArray: { copy: (numerals) => new Uint8ClampedArray(numerals), radix: 256 },
  Uint16Array: { copy: (numerals) => new Uint16Array(numerals), radix: 65_536 },
  Uint32Array: { copy: (numerals) => new Uint32Array(numerals), radix: 65_536 },
  Int8Array: { copy: (numerals) => new Int8Array(numerals), radix: 128 },
  Int16Array: { copy: (numerals) => new Int16Array(numerals), radix: 32_768 },
  Int32Array: { copy: (numerals) => new Int32Array(numerals), radix: 65_536 },
  Float32Array: { copy: (numerals) => new Float32Array(numerals), radix: 65_536 },
  Float64Array: { copy: (numerals) => new Float64Array(numerals), radix: 65_536 },
};

/**
 * %TypedArray%.prototype[@@toStringTag], which names the kind of any typed array, also of a subclass (a `Buffer` is a
 * `Uint8Array`) and of one from another realm.
 */
const kindOf: (this: ArrayBufferView) => string = /* @__PURE__ */ (() =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!)();
