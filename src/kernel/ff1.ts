/**
 * FF1: NIST SP 800-38G, Algorithms 7 and 8 (https://doi.org/10.6028/NIST.SP.800-38G), with the rule of the second draft
 * of Revision 1 that a domain has at least 1,000,000 values (https://doi.org/10.6028/NIST.SP.800-38Gr1.2pd, section 5).
 *
 * The ten rounds run over a whole batch of values of one length: each round is one call of AES over all of them (and one
 * more for each further block that long values need). One value is a batch of one, with the door of AES for few blocks.
 *
 * What depends on the key alone is made once, what depends on the length once a length, and what depends on the tweak
 * alone (the CBC-MAC over P and the whole blocks of the tweak) once a tweak. The steps below have the numbers of
 * Algorithm 7; Algorithm 8 runs the same rounds in the other order, with a subtraction.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { BLOCK, type Blocks, encryptEach, expandKey, manyBlocks, type RoundKeys } from './aes.ts';
import { bytesOf, type Half, makeHalf, type Numerals } from './ff1-halves.ts';

/** The smallest domain, radix^minlen, of SP 800-38G Rev. 1, second draft. */
export const MIN_DOMAIN = 1_000_000;

/** The floor of the first edition of 2016; `minDomain` may be lowered to it to read old data. */
const OLD_MIN_DOMAIN = 100;

/** Longest numeral string: arithmetic is quadratic in it. SP 800-38G allows 2^32 - 1. */
export const MAX_LENGTH = 4096;

/** Longest tweak in bytes. SP 800-38G allows 2^32 - 1. */
export const MAX_TWEAK = 65_536;

/** Values that go through the rounds together: their blocks stay in the processor's second cache. */
const CHUNK = 1024;

/** From this many blocks on a call of the door for many blocks is faster than single ones (measured: 6 on Node 20). */
const MANY = 8;

/** One tweak for all values, or one a value. */
export type Tweaks = Uint8Array | readonly Uint8Array[];

/** A list of numerals, each a whole number from 0 to radix - 1. */
export type NumeralString = ArrayLike<number>;

/** What comes out for a list that went in: a typed array for a typed array, an array for anything else. */
export type NumeralsLike<T> = T extends Numerals ? T : number[];

/** FF1 under one key in one radix. */
export interface Ff1 {
  /** Algorithm 7. */
  readonly encrypt: (numerals: NumeralString, tweak?: Uint8Array) => number[];
  /** Algorithm 8. */
  readonly decrypt: (numerals: NumeralString, tweak?: Uint8Array) => number[];
  /** Algorithm 7 over a batch: typed arrays come out as typed arrays. */
  readonly encryptMany: <T extends NumeralString>(batch: readonly T[], tweaks?: Tweaks) => NumeralsLike<T>[];
  /** Algorithm 8 over a batch. */
  readonly decryptMany: <T extends NumeralString>(batch: readonly T[], tweaks?: Tweaks) => NumeralsLike<T>[];
}

const NO_TWEAK: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/**
 * @param key AES key of 16, 24 or 32 bytes; the bytes are copied.
 * @param radix 2 to 65,536.
 * @param options `minDomain`: the smallest radix^length taken, 1,000,000 unless lowered, never below 100.
 */
export function ff1(key: Uint8Array, radix: number, options: { readonly minDomain?: number } = {}): Ff1 {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) {
    badRange('key', `expected 16, 24 or 32 bytes, got ${key.length}`);
  }
  checkInteger('radix', radix, 2, 65_536);
  const { minDomain = MIN_DOMAIN } = checkOptions('options', options, ['minDomain']) as typeof options;
  checkInteger('minDomain', minDomain, OLD_MIN_DOMAIN, Number.MAX_SAFE_INTEGER);
  const minLength = minimumLength(radix, minDomain);
  const network = ff1Network(key, radix);

  function checkNumerals(numerals: NumeralString, at: string): void {
    if (typeof numerals !== 'object' || numerals === null || !Number.isSafeInteger(numerals.length)) {
      badType('numerals', `expected a list of numbers, got ${typeName(numerals)}${at}`);
    }
    const length = numerals.length;
    if (length < minLength || length > MAX_LENGTH) {
      badRange('numerals', `expected a length of ${minLength} to ${MAX_LENGTH} in radix ${radix}, got ${length}${at}`);
    }
    for (let i = 0; i < length; i++) {
      const numeral = numerals[i]!;
      if (typeof numeral !== 'number' || numeral >>> 0 !== numeral || numeral >= radix) {
        badRange('numerals', `expected whole numbers from 0 to ${radix - 1}; the one at index ${i} is not${at}`);
      }
    }
  }

  function one(numerals: NumeralString, tweak: Uint8Array, sign: 1 | -1): number[] {
    checkNumerals(numerals, '');
    checkTweak(tweak, '');
    const out = new Array<number>(numerals.length);
    const lane = network.lane(numerals.length);
    lane.load(1, tweak);
    lane.a.load(0, numerals, 0);
    lane.b.load(0, numerals, lane.u);
    lane.run(1, sign);
    lane.a.store(0, out, 0);
    lane.b.store(0, out, lane.u);
    return out;
  }

  function many<T extends NumeralString>(batch: readonly T[], tweaks: Tweaks, sign: 1 | -1): NumeralsLike<T>[] {
    if (!Array.isArray(batch)) badType('batch', `expected an array of lists of numbers, got ${typeName(batch)}`);
    checkTweaks(tweaks, batch.length);
    const out = new Array<NumeralsLike<T>>(batch.length);
    for (let i = 0; i < batch.length; i++) {
      checkNumerals(batch[i]!, ` (value ${i + 1} of the batch)`);
      out[i] = emptyLike(batch[i]!) as NumeralsLike<T>;
    }
    network.forEachLane(
      batch.length,
      (i) => batch[i]!.length,
      tweaks,
      sign,
      ({ a, b, u }, slot, i) => {
        a.load(slot, batch[i]!, 0);
        b.load(slot, batch[i]!, u);
      },
      ({ a, b, u }, slot, i) => {
        a.store(slot, out[i] as number[], 0);
        b.store(slot, out[i] as number[], u);
      },
    );
    return out;
  }

  return Object.freeze({
    encrypt: (numerals: NumeralString, tweak: Uint8Array = NO_TWEAK) => one(numerals, tweak, 1),
    decrypt: (numerals: NumeralString, tweak: Uint8Array = NO_TWEAK) => one(numerals, tweak, -1),
    encryptMany: <T extends NumeralString>(batch: readonly T[], tweaks: Tweaks = NO_TWEAK) => many(batch, tweaks, 1),
    decryptMany: <T extends NumeralString>(batch: readonly T[], tweaks: Tweaks = NO_TWEAK) => many(batch, tweaks, -1),
  });
}

/** The least length, at least 2, for which radix^length reaches `minDomain` (SP 800-38G, section 5.1). */
export function minimumLength(radix: number, minDomain: number = MIN_DOMAIN): number {
  let length = 0;
  for (let values = 1n; values < BigInt(minDomain); values *= BigInt(radix)) length++;
  return Math.max(2, length);
}

function checkTweak(tweak: Uint8Array, at: string): void {
  if (!(tweak instanceof Uint8Array)) badType('tweak', `expected bytes, got ${typeName(tweak)}${at}`);
  if (tweak.length > MAX_TWEAK) badRange('tweak', `expected at most ${MAX_TWEAK} bytes, got ${tweak.length}${at}`);
}

function checkTweaks(tweaks: Tweaks, count: number): void {
  if (!Array.isArray(tweaks)) {
    checkTweak(tweaks as Uint8Array, '');
    return;
  }
  if (tweaks.length !== count) badRange('tweaks', `expected one tweak a value (${count}), got ${tweaks.length}`);
  for (let i = 0; i < count; i++) checkTweak(tweaks[i], ` (value ${i + 1} of the batch)`);
}

/** An empty list of the same kind and length. */
function emptyLike(numerals: NumeralString): number[] | Numerals {
  if (!ArrayBuffer.isView(numerals)) return new Array<number>(numerals.length);
  const kind = numerals.constructor as new (length: number) => Numerals;
  return new kind(numerals.length);
}

/** The rounds for values of one length. */
export interface Lane {
  /** LEN(A). */
  readonly u: number;
  readonly a: Half;
  readonly b: Half;
  /** Gets ready for so many values: room, and what the tweaks decide. */
  readonly load: (count: number, tweaks: Tweaks) => void;
  /** The ten rounds over the first `count` values. */
  readonly run: (count: number, sign: 1 | -1) => void;
}

/** FF1 under one key in one radix, without checks: for this folder. */
export interface Network {
  readonly lane: (n: number) => Lane;
  /** Takes a batch apart into chunks of one length and one length of tweak, and runs each. */
  readonly forEachLane: (
    count: number,
    lengthOf: (i: number) => number,
    tweaks: Tweaks,
    sign: 1 | -1,
    load: (lane: Lane, slot: number, i: number) => void,
    store: (lane: Lane, slot: number, i: number) => void,
  ) => void;
}

/** Key set-up. */
export function ff1Network(key: Uint8Array, radix: number): Network {
  const doors = { few: expandKey(key), many: manyBlocks(key) };
  const lanes = new Map<number, Lane>();

  function lane(n: number): Lane {
    let made = lanes.get(n);
    if (made === undefined) {
      // A caller with very many lengths makes them again: a bound on memory, not on values.
      if (lanes.size >= 256) lanes.clear();
      made = makeLane(doors, radix, n);
      lanes.set(n, made);
    }
    return made;
  }

  return {
    lane,
    forEachLane(count, lengthOf, tweaks, sign, load, store) {
      const tweakLength = (i: number): number => (Array.isArray(tweaks) ? tweaks[i].length : 0);
      const groups = new Map<number, number[]>();
      let only: number[] = [];
      let held = -1;
      for (let i = 0; i < count; i++) {
        const group = lengthOf(i) * 2 * MAX_TWEAK + tweakLength(i);
        if (group !== held) {
          held = group;
          only = groups.get(group) ?? [];
          groups.set(group, only);
        }
        only.push(i);
      }
      for (const group of groups.values()) {
        const at = lane(lengthOf(group[0]!));
        for (let from = 0; from < group.length; from += CHUNK) {
          const size = Math.min(CHUNK, group.length - from);
          const chunk = Array.isArray(tweaks) ? group.slice(from, from + size).map((i) => tweaks[i]) : tweaks;
          at.load(size, chunk);
          for (let slot = 0; slot < size; slot++) load(at, slot, group[from + slot]!);
          at.run(size, sign);
          for (let slot = 0; slot < size; slot++) store(at, slot, group[from + slot]!);
        }
      }
    },
  };
}

/** The two doors of AES under one key. */
interface Doors {
  readonly few: RoundKeys;
  readonly many: Blocks;
}

/** Bytes, and the same as words. */
interface Room {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function makeRoom(length: number): Room {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** A batch of blocks on its way to AES, by the door that its size asks for. */
function makeBatch(doors: Doors) {
  let input = makeRoom(0);
  let output = input;
  return {
    reserve(count: number): Room {
      if (input.bytes.length !== count * BLOCK) {
        input = makeRoom(count * BLOCK);
        output = count < MANY ? makeRoom(count * BLOCK) : input;
      }
      return input;
    },
    encrypt(): Room {
      if (input.bytes.length < MANY * BLOCK) {
        encryptEach(doors.few, input.view, output.view);
        return output;
      }
      const bytes = doors.many(input.bytes);
      return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
    },
  };
}

/** What depends on the length of the numeral string, and the rounds. */
function makeLane(doors: Doors, radix: number, n: number): Lane {
  // 1. Let u = floor(n / 2); v = n - u.
  const u = Math.floor(n / 2);
  const v = n - u;
  // 2. Let A = X[1 .. u]; B = X[u + 1 .. n].
  const a = makeHalf(radix, u);
  const b = makeHalf(radix, v);
  // 3. Let b = ceil(ceil(v · LOG(radix)) / 8).
  const bytes = bytesOf(radix, v);
  // 4. Let d = 4 · ceil(b / 4) + 4.
  const d = 4 * Math.ceil(bytes / 4) + 4;

  // The last blocks of Q hold [i]^1 || [NUM(B)]^b, after what is left of the tweak and its padding.
  const tail = Math.ceil((bytes + 1) / BLOCK);
  const stride = tail * BLOCK;
  // Blocks of S after the first, step 6.iii.
  const more = Math.ceil(d / BLOCK) - 1;

  // For each value: the last blocks of Q without [i]^1 || [NUM(B)]^b, XORed with the CBC-MAC of all before; and with them.
  let base = makeRoom(0);
  let q = base;
  let s = base;
  const chain = makeBatch(doors);
  const counters = makeBatch(doors);
  let held: Uint8Array | null = null;

  function load(count: number, tweaks: Tweaks): void {
    a.reserve(count);
    b.reserve(count);
    if (base.bytes.length !== count * stride) {
      base = makeRoom(count * stride);
      // A tail of one block is what AES takes as it is.
      q = tail === 1 ? chain.reserve(count) : makeRoom(count * stride);
      s = makeRoom(more === 0 ? 0 : count * (more + 1) * BLOCK);
      held = null;
    }
    if (Array.isArray(tweaks)) {
      held = null;
      basesOf(tweaks);
    } else if (held === null || !equalBytes(held, tweaks as Uint8Array)) {
      held = (tweaks as Uint8Array).slice();
      basesOf([held]);
      for (let filled = stride; filled < base.bytes.length; filled *= 2) {
        base.bytes.copyWithin(filled, 0, base.bytes.length - filled);
      }
    }
  }

  /** Fills the base for tweaks of one length, one a value. */
  function basesOf(tweaks: readonly Uint8Array[]): void {
    const count = tweaks.length;
    const t = tweaks[0]!.length;
    // 5. Let P = [1]^1 || [2]^1 || [1]^1 || [radix]^3 || [10]^1 || [u mod 256]^1 || [n]^4 || [t]^4.
    const p = makeRoom(BLOCK);
    p.bytes.set([1, 2, 1, radix >>> 16, (radix >>> 8) & 255, radix & 255, 10, u & 255]);
    p.view.setUint32(8, n);
    p.view.setUint32(12, t);
    const start = makeRoom(BLOCK);
    encryptEach(doors.few, p.view, start.view);
    // 6.i. Let Q = T || [0]^((-t-b-1) mod 16) || [i]^1 || [NUM(B)]^b. Its blocks before the tail hold only T and zeros.
    const folded = BLOCK * Math.ceil((t + bytes + 1) / BLOCK) - stride;
    const fold = makeBatch(doors);
    const input = fold.reserve(count);
    let r: Uint8Array = new Uint8Array(count * BLOCK);
    for (let k = 0; k < count; k++) r.set(start.bytes, k * BLOCK);
    // 6.ii. Let R = PRF(P || Q), as far as it is the same in every round.
    for (let at = 0; at < folded; at += BLOCK) {
      input.bytes.set(r);
      for (let k = 0; k < count; k++) xorBytes(input.bytes, k * BLOCK, tweaks[k]!, at, Math.min(t, at + BLOCK));
      r = fold.encrypt().bytes;
    }
    for (let k = 0; k < count; k++) {
      const at = k * stride;
      base.bytes.fill(0, at, at + stride);
      xorBytes(base.bytes, at, r, k * BLOCK, (k + 1) * BLOCK);
      if (t > folded) xorBytes(base.bytes, at, tweaks[k]!, folded, t);
    }
  }

  /** Steps 6.ii and iii: R = PRF(P || Q), and S, in strides of 16 · ceil(d / 16) bytes. */
  function macs(count: number): DataView {
    if (tail === 1 && more === 0) return chain.encrypt().view;
    const input = chain.reserve(count).bytes;
    let r = input;
    for (let block = 0; block < tail; block++) {
      if (tail > 1) {
        if (block === 0) input.fill(0);
        else input.set(r);
        for (let k = 0; k < count; k++) {
          const at = k * stride + block * BLOCK;
          xorBytes(input, k * BLOCK, q.bytes, at, at + BLOCK);
        }
      }
      r = chain.encrypt().bytes;
    }
    if (more === 0) return viewOf(r);
    // iii. Let S be the first d bytes of R || CIPH(R xor [1]^16) || CIPH(R xor [2]^16) …
    const next = counters.reserve(count * more);
    for (let k = 0, at = 0; k < count; k++) {
      for (let j = 1; j <= more; j++, at += BLOCK) {
        copyBytes(next.bytes, at, r, k * BLOCK);
        // j is at most 2^16, so [j]^16 is in the last four bytes.
        next.view.setUint32(at + 12, next.view.getUint32(at + 12) ^ j);
      }
    }
    const rest = counters.encrypt().bytes;
    for (let k = 0, at = 0, from = 0; k < count; k++) {
      copyBytes(s.bytes, at, r, k * BLOCK);
      at += BLOCK;
      for (let j = 0; j < more; j++, at += BLOCK, from += BLOCK) copyBytes(s.bytes, at, rest, from);
    }
    return s.view;
  }

  function run(count: number, sign: 1 | -1): void {
    // 6. For i from 0 to 9 (Algorithm 8: from 9 to 0). The halves take turns, so A is A again after ten rounds.
    for (let turn = 0; turn < 10; turn++) {
      const i = sign === 1 ? turn : 9 - turn;
      const even = i % 2 === 0;
      copyAll(q, base);
      for (let at = stride - bytes - 1; at < q.bytes.length; at += stride) q.bytes[at] = q.bytes[at]! ^ i;
      (even ? b : a).xorInto(q.view, count, stride);
      // iv. Let y = NUM(S). v. If i is even, let m = u; else, let m = v. vi. Let c = (NUM(A) + y) mod radix^m.
      // vii. Let C = STR(c). viii. Let A = B. ix. Let B = C.
      (even ? a : b).add(macs(count), count, (more + 1) * BLOCK, d, sign);
    }
    // 7. Return A || B.
  }

  return { u, a, b, load, run };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Copies a room: by words where it is small, because a call of `set` costs as much as 16 of them. */
function copyAll(to: Room, from: Room): void {
  const { length } = from.bytes;
  if (length > 4 * BLOCK) to.bytes.set(from.bytes);
  else for (let at = 0; at < length; at += 4) to.view.setUint32(at, from.view.getUint32(at));
}

/** Copies one block. */
function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number): void {
  for (let i = 0; i < BLOCK; i++) to[at + i] = from[start + i]!;
}

/** XORs `from[start..end]` into `into` at `at`. */
function xorBytes(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  for (let i = start, to = at; i < end; i++, to++) into[to] = into[to]! ^ from[i]!;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
