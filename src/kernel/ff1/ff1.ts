/**
 * FF1: NIST SP 800-38G, Algorithms 7 and 8 (https://doi.org/10.6028/NIST.SP.800-38G), with the rule of the second draft
 * of Revision 1 that a domain has at least 1,000,000 values (https://doi.org/10.6028/NIST.SP.800-38Gr1.2pd, section 5).
 *
 * The ten rounds run over a whole batch of values of one length. Each round is one call of AES for all of them, and one
 * more for each further block that long values need. A single value is a batch of one, whose blocks are enciphered one
 * at a time.
 *
 * What depends on the key alone is computed once, what depends on the length once per length, and what depends on the
 * tweak alone (the CBC-MAC over P and the whole blocks of the tweak) once per tweak. The steps are numbered as in
 * Algorithm 7. Algorithm 8 runs the same rounds in the other order, with a subtraction.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../../core/checks.ts';
import { type AesBackend, aesBackend } from '../aes/aes.ts';
import { MIN_DOMAIN, minimumLength, OLD_MIN_DOMAIN } from '../domain.ts';
import {
  ALONE,
  type NumeralString,
  type Numerals,
  type NumeralsLike,
  takeLike,
  takeNumerals,
  where,
} from './numerals.ts';
import { isOneTweak, type Sizes, sizesOf, type TweakColumn, type Tweaks } from './prf.ts';
import { type Lane, makeLane } from './rounds.ts';
import { isBinary, makeBinaryLane } from './rounds-binary.ts';
import { isShort, makeShortLane } from './rounds-short.ts';

export type { TweakColumn, Tweaks };

/**
 * The longest numeral string. SP 800-38G allows 2^32 - 1, but the time of the arithmetic is quadratic in the length.
 */
export const MAX_LENGTH = 4096;

/** The longest tweak in bytes. SP 800-38G allows 2^32 - 1. */
export const MAX_TWEAK = 65_536;

/** How many values go through the rounds together. Their blocks fit in the processor's second cache. */
const CHUNK = 1024;

/** FF1 under one key in one radix. */
export interface Ff1 {
  /** Algorithm 7. */
  readonly encrypt: (numerals: NumeralString, tweak?: Uint8Array) => number[];
  /** Algorithm 8. */
  readonly decrypt: (numerals: NumeralString, tweak?: Uint8Array) => number[];
  /** Algorithm 7 over a batch. The result of a typed array is a typed array. */
  readonly encryptMany: <T extends NumeralString>(batch: readonly T[], tweaks?: Tweaks) => NumeralsLike<T>[];
  /** Algorithm 8 over a batch. */
  readonly decryptMany: <T extends NumeralString>(batch: readonly T[], tweaks?: Tweaks) => NumeralsLike<T>[];
}

/** The empty tweak, which is the default. */
export const NO_TWEAK: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Options of {@link ff1}. */
export interface Ff1Options {
  /**
   * The smallest radix^length that is accepted. The default is 1,000,000, and 100 is the least. Lower it only to read
   * data that was written under the first edition of the standard: values of a small domain can be guessed, and FF1 can
   * be told from a random permutation there.
   */
  readonly minDomain?: number;
}

/**
 * FF1 under one key in one radix. It turns a numeral string into another one of the same length, and back.
 *
 * Numerals are whole numbers from 0 to radix − 1. A string needs at least 2 numerals, and so many that there are
 * 1,000,000 strings of its length; it has at most 4,096. A tweak has 0 to 65,536 bytes. It is public, and ciphertexts
 * under different tweaks have nothing to do with each other. Arguments are read during the call and are never kept or
 * changed.
 *
 * This function sets up the key once. `encryptMany` runs a whole batch through each round together, which is several
 * times faster per value. `tweaks` is then one tweak for all values, a list with one for each value, or `{ bytes, each
 * }`: tweaks of one length, written one after another. The result of a typed array is a typed array of the same kind
 * (of a `Buffer`, a `Uint8Array`), and the kind must be able to hold every numeral of the radix.
 *
 * *Warning*: FF1 does not authenticate. A changed ciphertext or another key yields another value and no error. Equal
 * values under one key and tweak have equal ciphertexts. The time of a single value depends on the data, because it
 * goes through table-based AES; batches use AES instructions if the runtime has node:crypto.
 *
 * Source: NIST SP 800-38G, Algorithms 7 and 8, with the smallest domain of Revision 1, second public draft.
 *
 * @param key AES key of 16, 24 or 32 bytes. The bytes are copied.
 * @param radix 2 to 65,536.
 * @throws TypeError or RangeError for a wrong argument. The message names the argument and never contains a numeral.
 *
 * @example
 * ```ts
 * import { ff1 } from 'trefoil/ff1';
 *
 * const key = Uint8Array.from({ length: 16 }, (_, i) => i);
 * const cipher = ff1(key, 10);
 * const ciphertext = cipher.encrypt([4, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
 * cipher.decrypt(ciphertext).join(''); // → '4111111111'
 * ```
 */
export function ff1(key: Uint8Array, radix: number, options: Ff1Options = {}): Ff1 {
  const { network, minLength } = setUp(key, radix, options);
  const limits = { radix, least: minLength, most: MAX_LENGTH };

  function one(numerals: NumeralString, tweak: Uint8Array, sign: 1 | -1): number[] {
    const out = takeNumerals(numerals, limits, ALONE);
    checkTweak(tweak, ALONE);
    const lane = network.lane(out.length);
    lane.load(1, tweak);
    lane.a.load(0, out, 0);
    lane.b.load(0, out, lane.u);
    lane.run(1, sign);
    lane.a.store(0, out, 0);
    lane.b.store(0, out, lane.u);
    return out;
  }

  function many<T extends NumeralString>(batch: readonly T[], tweaks: Tweaks, sign: 1 | -1): NumeralsLike<T>[] {
    if (!Array.isArray(batch)) badType('batch', `expected an array of lists of numbers, got ${typeName(batch)}`);
    const count = batch.length;
    const own = takeTweaks(tweaks, count);
    const out = new Array<number[] | Numerals>(count);
    for (let i = 0; i < count; i++) {
      out[i] = takeLike(batch[i]!, limits, i);
    }
    network.forEachLane(
      count,
      (i) => out[i]!.length,
      own,
      sign,
      ({ a, b, u }, slot, i) => {
        a.load(slot, out[i]!, 0);
        b.load(slot, out[i]!, u);
      },
      ({ a, b, u }, slot, i) => {
        a.store(slot, out[i]!, 0);
        b.store(slot, out[i]!, u);
      },
    );
    return out as NumeralsLike<T>[];
  }

  return Object.freeze({
    encrypt: (numerals: NumeralString, tweak: Uint8Array = NO_TWEAK) => one(numerals, tweak, 1),
    decrypt: (numerals: NumeralString, tweak: Uint8Array = NO_TWEAK) => one(numerals, tweak, -1),
    encryptMany: <T extends NumeralString>(batch: readonly T[], tweaks: Tweaks = NO_TWEAK) => many(batch, tweaks, 1),
    decryptMany: <T extends NumeralString>(batch: readonly T[], tweaks: Tweaks = NO_TWEAK) => many(batch, tweaks, -1),
  });
}

/** Checks the arguments and sets up the key. */
export function setUp(
  key: Uint8Array,
  radix: number,
  options: Ff1Options,
): { readonly network: Network; readonly minLength: number } {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) {
    badRange('key', `expected 16, 24 or 32 bytes, got ${key.length}`);
  }
  checkInteger('radix', radix, 2, 65_536);
  const { minDomain = MIN_DOMAIN } = checkOptions('options', options, ['minDomain']) as Ff1Options;
  checkInteger('minDomain', minDomain, OLD_MIN_DOMAIN, Number.MAX_SAFE_INTEGER);
  return { network: ff1Network(key, radix), minLength: minimumLength(radix, minDomain) };
}

/** Checks a tweak. `row` is its index in the batch, or {@link ALONE}. */
export function checkTweak(tweak: Uint8Array, row: number): void {
  if (!(tweak instanceof Uint8Array)) badType('tweak', `expected bytes, got ${typeName(tweak)}${where(row)}`);
  if (tweak.length > MAX_TWEAK)
    badRange('tweak', `expected at most ${MAX_TWEAK} bytes, got ${tweak.length}${where(row)}`);
}

/**
 * Checks the tweaks of a batch and returns them in arrays or objects of our own, so that nothing of the caller's is
 * read again: a list or an object may have getters, and a getter may call the same cipher while its buffers are in use.
 */
export function takeTweaks(tweaks: Tweaks, count: number): Tweaks {
  if (!Array.isArray(tweaks)) {
    if (isOneTweak(tweaks as Tweaks) || typeof tweaks !== 'object' || tweaks === null || !('each' in tweaks)) {
      checkTweak(tweaks as Uint8Array, ALONE);
      return tweaks;
    }
    const { bytes, each } = tweaks as TweakColumn;
    checkInteger('each', each, 0, MAX_TWEAK);
    if (!(bytes instanceof Uint8Array)) badType('tweaks', `expected bytes, got ${typeName(bytes)}`);
    if (bytes.length !== each * count) {
      badRange('tweaks', `expected ${each} bytes for each of ${count} values, got ${bytes.length} in all`);
    }
    return { bytes, each };
  }
  if (tweaks.length !== count) badRange('tweaks', `expected one for each of ${count} values, got ${tweaks.length}`);
  const own = new Array<Uint8Array>(count);
  for (let i = 0; i < count; i++) {
    const tweak = tweaks[i];
    checkTweak(tweak, i);
    own[i] = tweak;
  }
  return own;
}

/** FF1 under one key in one radix, without checks. Only this folder uses it. */
export interface Network<L extends Lane = Lane> {
  /** Returns the rounds for values of `n` numerals. */
  readonly lane: (n: number) => L;
  /**
   * Divides a batch into chunks in which all values have one length and all tweaks have one length, and loads the
   * tweaks of each. `run` loads the values, runs the lane and takes the results out. Slot k of the chunk is the value
   * `rows[from + k]`, or `from + k` if `rows` is `null`.
   */
  readonly forEachChunk: (
    count: number,
    lengthOf: (i: number) => number,
    tweaks: Tweaks,
    run: (lane: L, count: number, rows: readonly number[] | null, from: number) => void,
  ) => void;
  /** The same, value by value. `load` puts value i into a slot of the lane, and `store` takes its result out. */
  readonly forEachLane: (
    count: number,
    lengthOf: (i: number) => number,
    tweaks: Tweaks,
    sign: 1 | -1,
    load: (lane: L, slot: number, i: number) => void,
    store: (lane: L, slot: number, i: number) => void,
  ) => void;
}

/** Makes the fastest rounds for one length of numeral strings. */
function fastestLane(aes: AesBackend, sizes: Sizes): Lane {
  if (isShort(sizes)) return makeShortLane(aes, sizes);
  return (isBinary(sizes) ? makeBinaryLane : makeLane)(aes, sizes);
}

/** Key set-up, without checks. */
export function ff1Network(key: Uint8Array, radix: number): Network {
  return networkOf(aesBackend(key), radix, fastestLane);
}

/** The same with rounds of the caller's choice, for a key that is set up already. */
export function networkOf<L extends Lane>(
  aes: AesBackend,
  radix: number,
  makeRounds: (aes: AesBackend, sizes: Sizes) => L,
): Network<L> {
  const lanes = new Map<number, L>();

  function lane(n: number): L {
    let made = lanes.get(n);
    if (made === undefined) {
      // This bounds memory only: for a caller with more lengths, lanes are made again.
      if (lanes.size >= 256) lanes.clear();
      made = makeRounds(aes, sizesOf(radix, n));
      lanes.set(n, made);
    }
    return made;
  }

  const forEachChunk: Network<L>['forEachChunk'] = (count, lengthOf, tweaks, run) => {
    for (const rows of groupsOf(count, lengthOf, tweaks)) {
      const size = rows === null ? count : rows.length;
      const at = lane(lengthOf(rows === null ? 0 : rows[0]!));
      for (let from = 0; from < size; from += CHUNK) {
        const chunk = Math.min(CHUNK, size - from);
        at.load(chunk, tweaksOf(tweaks, rows, from, chunk));
        run(at, chunk, rows, from);
      }
    }
  };

  return {
    lane,
    forEachChunk,
    forEachLane(count, lengthOf, tweaks, sign, load, store) {
      forEachChunk(count, lengthOf, tweaks, (at, chunk, rows, from) => {
        for (let slot = 0; slot < chunk; slot++) load(at, slot, rows === null ? from + slot : rows[from + slot]!);
        at.run(chunk, sign);
        for (let slot = 0; slot < chunk; slot++) store(at, slot, rows === null ? from + slot : rows[from + slot]!);
      });
    },
  };
}

/**
 * Returns the indices of the values of each length and length of tweak. A `null` in place of a list means all values,
 * which is the usual case.
 */
function groupsOf(count: number, lengthOf: (i: number) => number, tweaks: Tweaks): Iterable<number[] | null> {
  const several = Array.isArray(tweaks) ? (tweaks as readonly Uint8Array[]) : null;
  const nameOf = (i: number): number => lengthOf(i) * 2 * MAX_TWEAK + (several === null ? 0 : several[i]!.length);
  let same = 0;
  while (same < count && nameOf(same) === nameOf(0)) same++;
  if (count === 0) return [];
  if (same === count) return [null];
  const groups = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const group = groups.get(nameOf(i));
    if (group === undefined) groups.set(nameOf(i), [i]);
    else group.push(i);
  }
  return groups.values();
}

/** Returns the tweaks of a chunk. */
function tweaksOf(tweaks: Tweaks, group: readonly number[] | null, from: number, count: number): Tweaks {
  if (isOneTweak(tweaks)) return tweaks;
  if ('each' in tweaks) {
    const { bytes, each } = tweaks;
    if (group === null) return { bytes: bytes.subarray(from * each, (from + count) * each), each };
    const chunk = new Uint8Array(count * each);
    for (let k = 0; k < count; k++) {
      const at = group[from + k]! * each;
      chunk.set(bytes.subarray(at, at + each), k * each);
    }
    return { bytes: chunk, each };
  }
  if (group === null) return tweaks.slice(from, from + count);
  return Array.from({ length: count }, (_, k) => tweaks[group[from + k]!]!);
}
