/**
 * The lists of numerals that FF1 takes and gives (SP 800-38G, section 3.2, "numeral string"): arrays of numbers, typed
 * arrays, whatever has a length. They are checked and copied in one go, so that what was checked is what is enciphered:
 * a list may have getters.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';

/** A list of numerals, each a whole number from 0 to radix - 1. */
export type NumeralString = ArrayLike<number>;

/** Typed arrays that numerals may stand in. */
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

/** What comes out for a list that went in: a typed array for a typed array, an array for anything else. */
export type NumeralsLike<T> = T extends Uint8Array ? Uint8Array : T extends Numerals ? T : number[];

/** The row of a value that is in no batch. */
export const ALONE = -1;

/** Which value an error is about. Written when there is one: for every value of a batch it cost a tenth of the time. */
export function where(row: number): string {
  return row === ALONE ? '' : ` (value ${row + 1} of the batch)`;
}

/** What every numeral string of a call must be. */
export interface Limits {
  readonly radix: number;
  readonly least: number;
  readonly most: number;
}

/** Checks a list of numerals and copies it into an array; each numeral is read once. `row`: which of a batch it is. */
export function takeNumerals(numerals: NumeralString, limits: Limits, row: number): number[] {
  const length = checkLength(numerals, limits, row);
  const { radix } = limits;
  const out = new Array<number>(length);
  for (let i = 0; i < length; i++) {
    const numeral = numerals[i]!;
    if (typeof numeral !== 'number' || numeral >>> 0 !== numeral || numeral >= radix) refuseNumeral(i, limits, row);
    // `| 0` keeps an array of small integers one, whatever the numeral was read from.
    out[i] = numeral | 0;
  }
  return out;
}

/**
 * The same for what stands in a batch: a typed array is copied as the kind that it is.
 *
 * @throws RangeError for a kind that cannot hold every numeral of the radix, so that an output would be cut.
 */
export function takeLike(numerals: NumeralString, limits: Limits, row: number): number[] | Numerals {
  const kind = ArrayBuffer.isView(numerals) ? KINDS[kindOf.call(numerals)] : undefined;
  if (kind === undefined) return takeNumerals(numerals, limits, row);
  checkLength(numerals, limits, row);
  const { radix } = limits;
  if (radix > kind.radix) {
    badRange('batch', `expected arrays that hold 0 to ${radix - 1}, got one that does not${where(row)}`);
  }
  const out = kind.copy(numerals);
  // Whatever length it claims to have.
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
  /** A copy by the array's own bytes: its members cannot have getters, and what it says of itself is not asked. */
  readonly copy: (numerals: NumeralString) => Numerals;
  /** The largest radix whose numerals it holds. */
  readonly radix: number;
}

/** Each kind of typed array. */
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

/** %TypedArray%.prototype[@@toStringTag]: the kind, of subclasses (a Buffer is a Uint8Array) and of other realms, too. */
const kindOf: (this: ArrayBufferView) => string = /* @__PURE__ */ (() =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!)();
