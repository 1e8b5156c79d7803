/**
 * Prefix-preserving encryption of addresses, the part that all such ciphers share: each bit of an address is flipped,
 * or not, by a function of the bits before it (Xu, Fan, Ammar, Moon: "Prefix-Preserving IP Address Anonymization",
 * ICNP 2002, theorem 1: every prefix-preserving permutation has this form). What differs is that function: see
 * `cryptopan.ts` and `ipcrypt-pfx.ts`.
 *
 * Going forward all blocks of an address are known at once, since they are made from the plain bits, and a whole
 * column is one call of the door for many blocks. Going back a bit has to be known before the next one: a column goes
 * bit by bit, with one call a bit, a single address block by block.
 *
 * Version 4: the first 16 bits come from a table of 2 × 128 KiB a key, which is made when 1024 addresses have been
 * asked for (about 1 ms), so that half the blocks are left. Outputs do not depend on whether it is there.
 */

import { BLOCK, type Blocks } from '../aes/aes.ts';

/** Whether to flip a bit of an address: a block cipher's answer to the bits before it. */
export interface FlipFunction {
  /**
   * `leading`: a block begins with the prefix, and a version 4 address is bits 0 to 31 of it. `trailing`: a block ends
   * with the prefix, and a version 4 address is bits 96 to 127 of its form with 128 bits, ::ffff:a.b.c.d.
   */
  readonly side: 'leading' | 'trailing';
  /** Writes the block for the first `length` bits of an address of four words, most significant first. */
  readonly write: (view: DataView, at: number, address: Int32Array, length: number) => void;
  /** Answers many blocks: bit `shift` of byte `tap` of each block that comes out of the first, plus the second's. */
  readonly first: Blocks;
  readonly second: Blocks | null;
  readonly tap: number;
  readonly shift: number;
  /** Answers one block of little-endian words: 0 or 1. */
  readonly one: (s0: number, s1: number, s2: number, s3: number) => number;
}

/** A prefix-preserving permutation of each family of addresses. */
export interface PrefixCipher {
  /** A version 4 address as a number below 2^32. */
  readonly encryptV4: (address: number) => number;
  readonly decryptV4: (address: number) => number;
  readonly encryptV4Many: (column: Uint32Array) => Uint32Array;
  readonly decryptV4Many: (column: Uint32Array) => Uint32Array;
  /** Any number of version 6 addresses, 16 bytes each, one after the other. */
  readonly encryptV6: (column: Uint8Array) => Uint8Array;
  readonly decryptV6: (column: Uint8Array) => Uint8Array;
}

/** So many addresses make the table worth its time. */
const TABLE_AFTER = 1024;

/**
 * Addresses a call. 32 of version 4 are 8 KiB of blocks, 8 of version 6 are 16 KiB: with 128 KiB a call columns take
 * 1.4 times as long in one run of three (measured), since what goes in and comes out no longer stays near the core.
 */
const V4_CHUNK = 32;
const V6_CHUNK = 8;
const BACK_CHUNK = 1024;

/** Below this many addresses, going back is faster block by block than with a call for each bit. */
const BACK_ONE_BY_ONE = 8;

/** Blocks of version 4 addresses, of which all but one word a block is the same for every address. */
interface Stage {
  /** The first bit whose block is here. */
  readonly from: number;
  readonly capacity: number;
  readonly buffer: Uint8Array;
  readonly view: DataView;
  readonly single: Uint8Array;
}

/** The first 16 bits of version 4 addresses, forward and back. */
interface Tops {
  readonly forward: Uint16Array;
  readonly back: Uint16Array;
}

export function prefixCipher(flip: FlipFunction): PrefixCipher {
  const { side, first, second, tap, shift } = flip;
  // A block for bits of a version 4 address differs from that of 0.0.0.0 in one word, by the prefix itself.
  const firstBit = side === 'leading' ? 0 : 96;
  const word = side === 'leading' ? 0 : 3;
  const zero = Int32Array.of(0, 0, side === 'leading' ? 0 : 0xffff, 0);
  const fixed = new DataView(new ArrayBuffer(32 * BLOCK));
  const masks = new Int32Array(32);
  const downs = new Int32Array(32);
  for (let bit = 0; bit < 32; bit++) {
    flip.write(fixed, bit * BLOCK, zero, firstBit + bit);
    masks[bit] = bit === 0 ? 0 : -1 << (32 - bit);
    downs[bit] = side === 'leading' ? 0 : (32 - bit) & 31;
  }
  const fixedWords = Int32Array.from({ length: 32 }, (_, bit) => fixed.getInt32(bit * BLOCK + 4 * word));

  const scratch = new DataView(new ArrayBuffer(BLOCK));
  let few: Stage | null = null;
  let many: Stage | null = null;
  let tops: Tops | null = null;
  let asked = 0;

  /** Counts addresses; tells whether the table is there. */
  function table(addresses: number): Tops | null {
    if (tops === null) {
      asked += addresses;
      if (asked >= TABLE_AFTER) tops = makeTops();
    }
    return tops;
  }

  function stage(from: number, capacity: number): Stage {
    const row = (32 - from) * BLOCK;
    const buffer = new Uint8Array(capacity * row);
    for (let i = 0; i < capacity; i++) buffer.set(new Uint8Array(fixed.buffer, from * BLOCK), i * row);
    const view = new DataView(buffer.buffer);
    return { from, capacity, buffer, view, single: buffer.subarray(0, row) };
  }

  function stageFor(withTable: boolean): Stage {
    if (withTable) {
      many ??= stage(16, V4_CHUNK);
      return many;
    }
    few ??= stage(0, V4_CHUNK);
    return few;
  }

  /** Writes the blocks of one address into place `i` of a stage. */
  function fill({ from, view }: Stage, i: number, address: number): void {
    let at = i * (32 - from) * BLOCK + 4 * word;
    for (let bit = from; bit < 32; bit++, at += BLOCK) {
      view.setInt32(at, fixedWords[bit]! | ((address & masks[bit]!) >>> downs[bit]!));
    }
  }

  /** Reads the answer to block `i`. */
  function answer(a: Uint8Array, b: Uint8Array | null, i: number): number {
    const byte = b === null ? a[i * BLOCK + tap]! : a[i * BLOCK + tap]! ^ b[i * BLOCK + tap]!;
    return (byte >>> shift) & 1;
  }

  /** Reads the answers to the blocks of place `i`: one bit each, the last one lowest. */
  function answers(a: Uint8Array, b: Uint8Array | null, from: number, i: number): number {
    const end = (i + 1) * (32 - from);
    let bits = 0;
    for (let block = i * (32 - from); block < end; block++) bits = (bits << 1) | answer(a, b, block);
    return bits;
  }

  function encryptV4(address: number): number {
    const top = table(1);
    const place = stageFor(top !== null);
    fill(place, 0, address);
    const bits = answers(first(place.single), second === null ? null : second(place.single), place.from, 0);
    if (top === null) return (address ^ bits) >>> 0;
    return ((top.forward[address >>> 16]! << 16) | ((address & 0xffff) ^ bits)) >>> 0;
  }

  function encryptV4Many(column: Uint32Array): Uint32Array {
    const top = table(column.length);
    const place = stageFor(top !== null);
    const result = new Uint32Array(column.length);
    for (let start = 0; start < column.length; start += place.capacity) {
      const count = Math.min(place.capacity, column.length - start);
      for (let i = 0; i < count; i++) fill(place, i, column[start + i]!);
      const blocks = place.buffer.subarray(0, count * place.single.length);
      const a = first(blocks);
      const b = second === null ? null : second(blocks);
      for (let i = 0; i < count; i++) {
        const address = column[start + i]!;
        const bits = answers(a, b, place.from, i);
        result[start + i] =
          top === null ? address ^ bits : (top.forward[address >>> 16]! << 16) | ((address & 0xffff) ^ bits);
      }
    }
    return result;
  }

  function decryptV4(address: number): number {
    const top = table(1);
    let plain = top === null ? 0 : top.back[address >>> 16]! << 16;
    for (let bit = top === null ? 0 : 16; bit < 32; bit++) {
      writeV4(scratch, 0, bit, plain);
      plain |= (((address >>> (31 - bit)) & 1) ^ askOne()) << (31 - bit);
    }
    return plain >>> 0;
  }

  /** Writes the block for the first `bit` bits of a version 4 address. */
  function writeV4(view: DataView, at: number, bit: number, address: number): void {
    const from = bit * BLOCK;
    for (let i = 0; i < BLOCK; i += 4) view.setInt32(at + i, fixed.getInt32(from + i));
    view.setInt32(at + 4 * word, fixedWords[bit]! | ((address & masks[bit]!) >>> downs[bit]!));
  }

  /** The answer to the block in `scratch`. */
  function askOne(): number {
    return flip.one(
      scratch.getInt32(0, true),
      scratch.getInt32(4, true),
      scratch.getInt32(8, true),
      scratch.getInt32(12, true),
    );
  }

  function decryptV4Many(column: Uint32Array): Uint32Array {
    const top = table(column.length);
    const plain = top === null ? new Uint32Array(column.length) : column.map((y) => top.back[y >>> 16]! << 16);
    const view = new DataView(new ArrayBuffer(Math.min(BACK_CHUNK, column.length) * BLOCK));
    for (let start = 0; start < column.length; start += BACK_CHUNK) {
      const count = Math.min(BACK_CHUNK, column.length - start);
      for (let bit = top === null ? 0 : 16; bit < 32; bit++) {
        for (let i = 0; i < count; i++) writeV4(view, i * BLOCK, bit, plain[start + i]!);
        const blocks = new Uint8Array(view.buffer, 0, count * BLOCK);
        const a = first(blocks);
        const b = second === null ? null : second(blocks);
        for (let i = 0; i < count; i++) {
          plain[start + i]! |= (((column[start + i]! >>> (31 - bit)) & 1) ^ answer(a, b, i)) << (31 - bit);
        }
      }
    }
    return plain;
  }

  function makeTops(): Tops {
    const forward = new Uint16Array(1 << 16);
    // Level by level: what is known of the prefixes of `bit` bits stands in the first 2^bit places.
    for (let bit = 0; bit < 16; bit++) {
      const view = new DataView(new ArrayBuffer(BLOCK << bit));
      for (let prefix = 0; prefix < 1 << bit; prefix++) writeV4(view, prefix * BLOCK, bit, prefix << (32 - bit));
      const blocks = new Uint8Array(view.buffer);
      const a = first(blocks);
      const b = second === null ? null : second(blocks);
      for (let prefix = (1 << bit) - 1; prefix >= 0; prefix--) {
        const flipped = answer(a, b, prefix);
        const known = forward[prefix]! << 1;
        forward[2 * prefix + 1] = known | (1 ^ flipped);
        forward[2 * prefix] = known | flipped;
      }
    }
    const back = new Uint16Array(1 << 16);
    for (let prefix = 0; prefix < 1 << 16; prefix++) back[forward[prefix]!] = prefix;
    return { forward, back };
  }

  function encryptV6(column: Uint8Array): Uint8Array {
    const addresses = wordsOf(column);
    const result = Uint8Array.from(column);
    const count = column.length / BLOCK;
    const view = new DataView(new ArrayBuffer(Math.min(V6_CHUNK, count) * 128 * BLOCK));
    for (let start = 0; start < count; start += V6_CHUNK) {
      const chunk = Math.min(V6_CHUNK, count - start);
      for (let i = 0, at = 0; i < chunk; i++) {
        const address = addresses.subarray(4 * (start + i), 4 * (start + i + 1));
        for (let bit = 0; bit < 128; bit++, at += BLOCK) flip.write(view, at, address, bit);
      }
      const blocks = new Uint8Array(view.buffer, 0, chunk * 128 * BLOCK);
      const a = first(blocks);
      const b = second === null ? null : second(blocks);
      for (let i = 0; i < chunk * 128; i++) result[BLOCK * start + (i >>> 3)]! ^= answer(a, b, i) << (7 - (i & 7));
    }
    return result;
  }

  function decryptV6(column: Uint8Array): Uint8Array {
    const count = column.length / BLOCK;
    const given = wordsOf(column);
    const plain = new Int32Array(given.length);
    const chunk = Math.min(BACK_CHUNK, count);
    const view = new DataView(new ArrayBuffer(chunk * BLOCK));
    // Words are set bit by bit from zero: what stands behind the prefix is not looked at by `write`.
    const settle = (i: number, bit: number, flipped: number): void => {
      const at = 4 * i + (bit >>> 5);
      plain[at]! |= (((given[at]! >>> (31 - (bit & 31))) & 1) ^ flipped) << (31 - (bit & 31));
    };
    for (let start = 0; start < count; start += chunk) {
      const here = Math.min(chunk, count - start);
      for (let bit = 0; bit < 128; bit++) {
        if (here < BACK_ONE_BY_ONE) {
          for (let i = start; i < start + here; i++) {
            flip.write(scratch, 0, plain.subarray(4 * i, 4 * i + 4), bit);
            settle(i, bit, askOne());
          }
          continue;
        }
        for (let i = 0; i < here; i++) {
          flip.write(view, i * BLOCK, plain.subarray(4 * (start + i), 4 * (start + i + 1)), bit);
        }
        const blocks = new Uint8Array(view.buffer, 0, here * BLOCK);
        const a = first(blocks);
        const b = second === null ? null : second(blocks);
        for (let i = 0; i < here; i++) settle(start + i, bit, answer(a, b, i));
      }
    }
    return bytesOf(plain);
  }

  return { encryptV4, decryptV4, encryptV4Many, decryptV4Many, encryptV6, decryptV6 };
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getInt32(4 * i);
  return words;
}

function bytesOf(words: Int32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (let i = 0; i < words.length; i++) view.setInt32(4 * i, words[i]!);
  return new Uint8Array(view.buffer);
}
