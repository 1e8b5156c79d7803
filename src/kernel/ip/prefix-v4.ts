/**
 * Prefix-preserving encryption of version 4 addresses, as numbers below 2^32, with any flip function.
 *
 * The first 16 bits of a result come from a table, so that only half of the blocks are left. The table takes 2 × 128
 * KiB for a key and about 1 ms; it is made once a key has seen 1,024 addresses. Results do not depend on it.
 */

import { BLOCK } from '../aes/aes.ts';
import { answerOne, answerReader, type FlipFunction } from './flip.ts';

/** Verbs for version 4 addresses. */
export interface PrefixCipherV4 {
  readonly encryptV4: (address: number) => number;
  readonly decryptV4: (address: number) => number;
  readonly encryptV4Many: (column: Uint32Array) => Uint32Array;
  readonly decryptV4Many: (column: Uint32Array) => Uint32Array;
}

/** After this many addresses the table is worth its time. */
const TABLE_AFTER = 1024;

/**
 * Addresses of one call of AES, which are 8 KiB of blocks. With 128 KiB a call, a column takes 1.4 times as long in one
 * run of three (measured), because input and output no longer stay in the caches near the core.
 */
const CHUNK = 32;
const BACK_CHUNK = 1024;

/** Buffers for the blocks of some addresses. Only one word of each block depends on the address. */
interface Stage {
  /** The first bit that has a block here: 16 with the table, 0 without. */
  readonly from: number;
  readonly buffer: Uint8Array;
  readonly view: DataView;
  /** The blocks of the first address alone. */
  readonly single: Uint8Array;
}

/** The first 16 bits of an address by those of its ciphertext, and the other way round. */
interface Table {
  readonly forward: Uint16Array;
  readonly back: Uint16Array;
}

/** Writes the blocks of version 4 addresses. */
interface BlockWriter {
  readonly makeStage: (from: number, capacity: number) => Stage;
  /** Writes all blocks of an address into place `i` of a stage. */
  readonly fill: (stage: Stage, i: number, address: number) => void;
  /** Writes the block for the first `bit` bits of an address. */
  readonly write: (view: DataView, at: number, bit: number, address: number) => void;
}

/** Key set-up. */
export function prefixV4(flip: FlipFunction): PrefixCipherV4 {
  const { first, second } = flip;
  const answer = answerReader(flip);
  const { makeStage, fill, write } = blockWriter(flip);
  const scratch = new DataView(new ArrayBuffer(BLOCK));
  const tableFor = tableWhenWorthIt(flip, write);
  const stageFor = stages(makeStage);

  /** Reads the answers to the blocks of place `i`: one bit each, the last one lowest. */
  function answers(a: Uint8Array, b: Uint8Array | null, from: number, i: number): number {
    const end = (i + 1) * (32 - from);
    let bits = 0;
    for (let block = i * (32 - from); block < end; block++) bits = (bits << 1) | answer(a, b, block);
    return bits;
  }

  function encryptV4(address: number): number {
    const top = tableFor(1);
    const stage = stageFor(top !== null);
    fill(stage, 0, address);
    const bits = answers(first(stage.single), second === null ? null : second(stage.single), stage.from, 0);
    if (top === null) return (address ^ bits) >>> 0;
    return ((top.forward[address >>> 16]! << 16) | ((address & 0xffff) ^ bits)) >>> 0;
  }

  function encryptV4Many(column: Uint32Array): Uint32Array {
    const top = tableFor(column.length);
    const stage = stageFor(top !== null);
    const result = new Uint32Array(column.length);
    for (let start = 0; start < column.length; start += CHUNK) {
      const count = Math.min(CHUNK, column.length - start);
      for (let i = 0; i < count; i++) fill(stage, i, column[start + i]!);
      const blocks = stage.buffer.subarray(0, count * stage.single.length);
      const a = first(blocks);
      const b = second === null ? null : second(blocks);
      for (let i = 0; i < count; i++) {
        const address = column[start + i]!;
        const bits = answers(a, b, stage.from, i);
        result[start + i] =
          top === null ? address ^ bits : (top.forward[address >>> 16]! << 16) | ((address & 0xffff) ^ bits);
      }
    }
    return result;
  }

  function decryptV4(address: number): number {
    const top = tableFor(1);
    let plain = top === null ? 0 : top.back[address >>> 16]! << 16;
    for (let bit = top === null ? 0 : 16; bit < 32; bit++) {
      write(scratch, 0, bit, plain);
      plain |= (((address >>> (31 - bit)) & 1) ^ answerOne(flip, scratch)) << (31 - bit);
    }
    return plain >>> 0;
  }

  function decryptV4Many(column: Uint32Array): Uint32Array {
    const top = tableFor(column.length);
    const plain = top === null ? new Uint32Array(column.length) : column.map((y) => top.back[y >>> 16]! << 16);
    const view = new DataView(new ArrayBuffer(Math.min(BACK_CHUNK, column.length) * BLOCK));
    for (let start = 0; start < column.length; start += BACK_CHUNK) {
      const count = Math.min(BACK_CHUNK, column.length - start);
      for (let bit = top === null ? 0 : 16; bit < 32; bit++) {
        for (let i = 0; i < count; i++) write(view, i * BLOCK, bit, plain[start + i]!);
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

  return { encryptV4, decryptV4, encryptV4Many, decryptV4Many };
}

/**
 * Makes a function that counts addresses and returns the table, or `null` as long as the table is not worth its time.
 */
function tableWhenWorthIt(flip: FlipFunction, write: BlockWriter['write']): (addresses: number) => Table | null {
  let table: Table | null = null;
  let seen = 0;
  return (addresses) => {
    if (table === null) {
      seen += addresses;
      if (seen >= TABLE_AFTER) table = makeTable(flip, write);
    }
    return table;
  };
}

/**
 * Makes a function that returns the stage for whole addresses, or the one for addresses whose first bits are in the
 * table.
 */
function stages(makeStage: BlockWriter['makeStage']): (withTable: boolean) => Stage {
  let wholeStage: Stage | null = null;
  let tableStage: Stage | null = null;
  return (withTable) => {
    if (withTable) {
      tableStage ??= makeStage(16, CHUNK);
      return tableStage;
    }
    wholeStage ??= makeStage(0, CHUNK);
    return wholeStage;
  };
}

function blockWriter(flip: FlipFunction): BlockWriter {
  const { side } = flip;
  // A block for a version 4 address differs from that of 0.0.0.0 in one word, by the prefix itself.
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

  return {
    makeStage(from, capacity) {
      const row = (32 - from) * BLOCK;
      const buffer = new Uint8Array(capacity * row);
      for (let i = 0; i < capacity; i++) buffer.set(new Uint8Array(fixed.buffer, from * BLOCK), i * row);
      return { from, buffer, view: new DataView(buffer.buffer), single: buffer.subarray(0, row) };
    },
    fill({ from, view }, i, address) {
      let at = i * (32 - from) * BLOCK + 4 * word;
      for (let bit = from; bit < 32; bit++, at += BLOCK) {
        view.setInt32(at, fixedWords[bit]! | ((address & masks[bit]!) >>> downs[bit]!));
      }
    },
    write(view, at, bit, address) {
      const from = bit * BLOCK;
      for (let i = 0; i < BLOCK; i += 4) view.setInt32(at + i, fixed.getInt32(from + i));
      view.setInt32(at + 4 * word, fixedWords[bit]! | ((address & masks[bit]!) >>> downs[bit]!));
    },
  };
}

function makeTable(flip: FlipFunction, write: BlockWriter['write']): Table {
  const { first, second } = flip;
  const answer = answerReader(flip);
  const forward = new Uint16Array(1 << 16);
  // Level by level: the ciphertexts of the prefixes of `bit` bits are in the first 2^bit places.
  for (let bit = 0; bit < 16; bit++) {
    const view = new DataView(new ArrayBuffer(BLOCK << bit));
    for (let prefix = 0; prefix < 1 << bit; prefix++) write(view, prefix * BLOCK, bit, prefix << (32 - bit));
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
