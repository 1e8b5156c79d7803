/**
 * FF1 on texts over an alphabet: the same as ff1.ts without a list of numerals for every value. Where a half is one
 * double, a text is read into it and written from it directly, which for a column of 16 digits is half of the time.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import type { Symbols } from '../alphabet.ts';
import { checkTweak, MAX_LENGTH, NO_TWEAK, setUp, type Tweaks, takeTweaks } from './ff1.ts';
import type { DoublesHalf } from './halves.ts';
import { ALONE } from './numerals.ts';
import type { Lane } from './rounds.ts';

/** FF1 under one key over one alphabet. */
export interface Ff1Text {
  /** Algorithm 7. */
  readonly encrypt: (text: string, tweak?: Uint8Array) => string;
  /** Algorithm 8. */
  readonly decrypt: (text: string, tweak?: Uint8Array) => string;
  /** Algorithm 7 over a column. */
  readonly encryptMany: (column: readonly string[], tweaks?: Tweaks) => string[];
  /** Algorithm 8 over a column. */
  readonly decryptMany: (column: readonly string[], tweaks?: Tweaks) => string[];
}

/** Which value an error is about. Written when there is one: for every value of a column it cost a tenth of the time. */
function where(row: number): string {
  return row === ALONE ? '' : ` (value ${row + 1} of the column)`;
}

/** @param options As of `ff1`. */
export function ff1Text(key: Uint8Array, symbols: Symbols, options: { readonly minDomain?: number } = {}): Ff1Text {
  const { radix, units } = symbols;
  const { network, minLength } = setUp(key, radix, options);

  function checkLength(length: number, row: number): void {
    if (length < minLength || length > MAX_LENGTH) {
      badRange(
        'text',
        `expected ${minLength} to ${MAX_LENGTH} characters of an alphabet of ${radix}, got ${length}${where(row)}`,
      );
    }
  }

  /** The number of symbols of a text. */
  function lengthOf(text: unknown, row: number): number {
    if (typeof text !== 'string') badType('text', `expected text, got ${typeName(text)}${where(row)}`);
    if (units !== null) return text.length;
    const numerals = symbols.read(text, MAX_LENGTH);
    return typeof numerals === 'number' ? badSymbol(-numerals, row) : numerals.length;
  }

  function badSymbol(place: number, row: number): never {
    badRange('text', `character ${place} is not one of the ${radix} of the alphabet${where(row)}`);
  }

  /** NUM_radix of the units from `start` on; the place, from -1 down, of what is not in the alphabet. */
  function num(text: string, start: number, end: number, table: Int32Array): number {
    let x = 0;
    for (let i = start; i < end; i++) {
      const code = text.charCodeAt(i);
      const numeral = code < table.length ? table[code]! : -1;
      if (numeral < 0) return -1 - i;
      x = x * radix + numeral;
    }
    return x;
  }

  function load(lane: Lane, slot: number, text: string, row: number): void {
    const { a, b, u } = lane;
    if (units !== null && lane.short) {
      const x = num(text, 0, u, units);
      const y = x < 0 ? x : num(text, u, text.length, units);
      if (y < 0) badSymbol(-y, row);
      (a as DoublesHalf).values[slot] = x;
      (b as DoublesHalf).values[slot] = y;
      return;
    }
    const numerals = symbols.read(text, MAX_LENGTH);
    if (typeof numerals === 'number') badSymbol(-numerals, row);
    a.load(slot, numerals, 0);
    b.load(slot, numerals, u);
  }

  function store({ a, b, u, v, short }: Lane, slot: number): string {
    if (short) {
      return symbols.write((a as DoublesHalf).values[slot]!, u) + symbols.write((b as DoublesHalf).values[slot]!, v);
    }
    const numerals = new Array<number>(u + v);
    a.store(slot, numerals, 0);
    b.store(slot, numerals, u);
    return symbols.format(numerals);
  }

  function one(text: string, tweak: Uint8Array, sign: 1 | -1): string {
    const length = lengthOf(text, ALONE);
    checkLength(length, ALONE);
    checkTweak(tweak, ALONE);
    const lane = network.lane(length);
    lane.load(1, tweak);
    load(lane, 0, text, ALONE);
    lane.run(1, sign);
    return store(lane, 0);
  }

  function many(column: readonly string[], tweaks: Tweaks, sign: 1 | -1): string[] {
    if (!Array.isArray(column)) badType('column', `expected an array of texts, got ${typeName(column)}`);
    const count = column.length;
    const own = takeTweaks(tweaks, count);
    const lengths = new Uint16Array(count);
    // What was checked is what is enciphered: an element may be a getter, and it may call this cipher.
    const out = new Array<string>(count);
    for (let i = 0; i < count; i++) {
      const text: unknown = column[i];
      const length = lengthOf(text, i);
      if (length < minLength || length > MAX_LENGTH) checkLength(length, i);
      lengths[i] = length;
      out[i] = text as string;
    }
    network.forEachLane(
      count,
      (i) => lengths[i]!,
      own,
      sign,
      (lane, slot, i) => load(lane, slot, out[i]!, i),
      (lane, slot, i) => {
        out[i] = store(lane, slot);
      },
    );
    return out;
  }

  return Object.freeze({
    encrypt: (text: string, tweak: Uint8Array = NO_TWEAK) => one(text, tweak, 1),
    decrypt: (text: string, tweak: Uint8Array = NO_TWEAK) => one(text, tweak, -1),
    encryptMany: (column: readonly string[], tweaks: Tweaks = NO_TWEAK) => many(column, tweaks, 1),
    decryptMany: (column: readonly string[], tweaks: Tweaks = NO_TWEAK) => many(column, tweaks, -1),
  });
}
