/**
 * What FF1 computes once a key, a length and a tweak: steps 5 and 6.i of SP 800-38G, Algorithms 7 and 8, and the part of
 * the CBC-MAC of step 6.ii that is the same in every round.
 */

import { equalBytes } from '../../core/bytes.ts';
import { BLOCK, type Blocks, encryptEach, type RoundKeys } from '../aes/aes.ts';
import { bytesOf } from './halves.ts';

/** From this many blocks on a call of the door for many blocks is faster than single ones (measured: 6 on Node 20). */
const MANY = 8;

/** Tweaks of one length, one a value, after one another. */
export interface TweakColumn {
  readonly bytes: Uint8Array;
  /** Bytes of each. */
  readonly each: number;
}

/** One tweak for all values, or one a value. */
export type Tweaks = Uint8Array | readonly Uint8Array[] | TweakColumn;

/** Whether there is one tweak for all values. */
export function isOneTweak(tweaks: Tweaks): tweaks is Uint8Array {
  return tweaks instanceof Uint8Array;
}

/** Tweaks of one length, after one another. */
function columnOf(tweaks: readonly Uint8Array[]): TweakColumn {
  const each = tweaks[0]!.length;
  const bytes = new Uint8Array(each * tweaks.length);
  for (let k = 0; k < tweaks.length; k++) bytes.set(tweaks[k]!, k * each);
  return { bytes, each };
}

/** The two doors of AES under one key. */
export interface AesBackend {
  readonly few: RoundKeys;
  readonly many: Blocks;
}

/** Bytes, and the same as words. */
export interface Buffers {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function makeRoom(length: number): Buffers {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Blocks on their way to AES, and back. The output is read before the next call. */
export interface Batch {
  /** Buffers for so many blocks. */
  readonly reserve: (count: number) => Buffers;
  /** Enciphers what is in the room. */
  readonly encrypt: () => Buffers;
}

/** A batch of blocks on its way to AES, by the door that its size asks for. */
export function makeBatch(doors: AesBackend): Batch {
  let input = makeRoom(0);
  let output = input;
  return {
    reserve(count: number): Buffers {
      if (input.bytes.length !== count * BLOCK) {
        input = makeRoom(count * BLOCK);
        output = count < MANY ? makeRoom(count * BLOCK) : input;
      }
      return input;
    },
    encrypt(): Buffers {
      if (input.bytes.length < MANY * BLOCK) {
        encryptEach(doors.few, input.view, output.view);
        return output;
      }
      const bytes = doors.many(input.bytes);
      return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
    },
  };
}

/** The numbers of Algorithm 7 that a length decides. */
export interface Sizes {
  readonly radix: number;
  readonly n: number;
  readonly u: number;
  readonly v: number;
  /** b, the bytes of NUM(B). */
  readonly b: number;
  /** d, the bytes of S. */
  readonly d: number;
  /** Blocks at the end of Q that hold [i]^1 || [NUM(B)]^b, after what is left of the tweak and its padding. */
  readonly tail: number;
  /** Blocks of S after the first, step 6.iii. */
  readonly more: number;
}

/** Steps 1, 3 and 4. */
export function sizesOf(radix: number, n: number): Sizes {
  // 1. Let u = floor(n / 2); v = n - u.
  const u = Math.floor(n / 2);
  const v = n - u;
  // 3. Let b = ceil(ceil(v · LOG(radix)) / 8).
  const b = bytesOf(radix, v);
  // 4. Let d = 4 · ceil(b / 4) + 4.
  const d = 4 * Math.ceil(b / 4) + 4;
  return { radix, n, u, v, b, d, tail: Math.ceil((b + 1) / BLOCK), more: Math.ceil(d / BLOCK) - 1 };
}

/** The last blocks of Q of every value, without [i]^1 || [NUM(B)]^b, XORed with the CBC-MAC of all that is before them. */
export interface Bases {
  readonly room: Buffers;
  /** Gets ready for so many values. Says whether anything changed since the last call. */
  readonly load: (count: number, tweaks: Tweaks) => boolean;
}

/** Folds tweaks; the last one is kept, as a copy, for a caller who stays with it. */
export function makeBases(doors: AesBackend, sizes: Sizes): Bases {
  const { radix, n, u, b, tail } = sizes;
  const stride = tail * BLOCK;
  const fold = makeBatch(doors);
  let room = makeRoom(0);
  let held: Uint8Array | null = null;

  const start = makeRoom(BLOCK);
  let startLength = -1;

  /** Step 5 and the first block of step 6.ii: CIPH(P) depends on the length of the tweak alone. */
  function startOf(t: number): void {
    if (startLength === t) return;
    // 5. Let P = [1]^1 || [2]^1 || [1]^1 || [radix]^3 || [10]^1 || [u mod 256]^1 || [n]^4 || [t]^4.
    const p = makeRoom(BLOCK);
    p.bytes.set([1, 2, 1, radix >>> 16, (radix >>> 8) & 255, radix & 255, 10, u & 255]);
    p.view.setUint32(8, n);
    p.view.setUint32(12, t);
    encryptEach(doors.few, p.view, start.view);
    startLength = t;
  }

  function foldTweaks({ bytes: tweaks, each: t }: TweakColumn, count: number): void {
    startOf(t);
    // 6.i. Let Q = T || [0]^((-t-b-1) mod 16) || [i]^1 || [NUM(B)]^b. Its blocks before the tail hold only T and zeros.
    const folded = BLOCK * Math.ceil((t + b + 1) / BLOCK) - stride;
    const input = fold.reserve(count);
    let r: Uint8Array = new Uint8Array(count * BLOCK);
    r.set(start.bytes);
    repeat(r, BLOCK);
    // 6.ii. Let R = PRF(P || Q), as far as it is the same in every round.
    for (let at = 0; at < folded; at += BLOCK) {
      input.bytes.set(r);
      for (let k = 0; k < count; k++)
        xorBytes(input.bytes, k * BLOCK, tweaks, k * t + at, k * t + Math.min(t, at + BLOCK));
      r = fold.encrypt().bytes;
    }
    if (tail === 1) {
      room.bytes.set(r.length === room.bytes.length ? r : r.subarray(0, count * BLOCK));
    } else {
      room.bytes.fill(0);
      for (let k = 0; k < count; k++) xorBytes(room.bytes, k * stride, r, k * BLOCK, (k + 1) * BLOCK);
    }
    for (let k = 0; k < count && t > folded; k++) {
      xorBytes(room.bytes, k * stride, tweaks, k * t + folded, k * t + t);
    }
  }

  return {
    get room() {
      return room;
    },
    load(count, tweaks) {
      if (room.bytes.length !== count * stride) {
        room = makeRoom(count * stride);
        held = null;
      }
      if (!isOneTweak(tweaks)) {
        held = null;
        foldTweaks('each' in tweaks ? tweaks : columnOf(tweaks), count);
        return true;
      }
      if (held !== null && equalBytes(held, tweaks)) return false;
      // `slice` of a Buffer is a view, which the caller could change afterwards.
      held = Uint8Array.from(tweaks);
      foldTweaks({ bytes: held, each: held.length }, 1);
      repeat(room.bytes, stride);
      return true;
    },
  };
}

/** Repeats the first bytes of an array to its end. */
function repeat(bytes: Uint8Array, length: number): void {
  for (let filled = length; filled < bytes.length; filled *= 2) {
    bytes.copyWithin(filled, 0, Math.min(filled, bytes.length - filled));
  }
}

/** XORs `from[start..end]` into `into` at `at`. */
export function xorBytes(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  for (let i = start, to = at; i < end; i++, to++) into[to] = into[to]! ^ from[i]!;
}
