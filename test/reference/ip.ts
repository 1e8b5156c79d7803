/**
 * Slow, literal implementations of the address ciphers. Addresses are texts of 0 and 1, AES is that of node:crypto with
 * one block per call, and KIASU-BC follows FIPS 197 step by step.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

type Bits = string;

/** The bits of bytes, the most significant of the first byte first. */
export const toBits = (bytes: Uint8Array): Bits => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');

export const fromBits = (bits: Bits): Buffer =>
  Buffer.from(Array.from({ length: bits.length / 8 }, (_, i) => Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2)));

function aes(key: Uint8Array, block: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

function aesInverse(key: Uint8Array, block: Uint8Array): Buffer {
  const cipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

type Direction = 'encrypt' | 'decrypt';

/** Flips each bit by a function of the plain bits before it. */
function bitByBit(direction: Direction, address: Bits, flip: (prefix: Bits) => number): Bits {
  let plain = '';
  let out = '';
  for (const bit of address) {
    const other = String(Number(bit) ^ flip(plain));
    plain += direction === 'encrypt' ? bit : other;
    out += other;
  }
  return out;
}

/** Crypto-PAn for addresses of 4 or 16 bytes. */
export function cryptoPanReference(direction: Direction, key: Uint8Array, address: Uint8Array): Buffer {
  const aesKey = key.subarray(0, 16);
  const pad = toBits(aes(aesKey, key.subarray(16)));
  const flip = (prefix: Bits) => Number(toBits(aes(aesKey, fromBits(prefix + pad.slice(prefix.length))))[0]);
  return fromBits(bitByBit(direction, toBits(address), flip));
}

const MAPPED: Bits = '0'.repeat(80) + '1'.repeat(16);

/** ipcrypt-pfx for addresses of 4 or 16 bytes. Those of 16 are always treated as version 6. */
export function pfxReference(direction: Direction, key: Uint8Array, address: Uint8Array): Buffer {
  const before = address.length === 4 ? MAPPED : '';
  const flip = (prefix: Bits) => {
    const padded = fromBits(`1${before}${prefix}`.padStart(128, '0'));
    const [e1, e2] = [aes(key.subarray(0, 16), padded), aes(key.subarray(16), padded)];
    return (e1[15]! ^ e2[15]!) & 1;
  };
  return fromBits(bitByBit(direction, toBits(address), flip));
}

/** ipcrypt-deterministic for addresses of 16 bytes. */
export function deterministicReference(direction: Direction, key: Uint8Array, address: Uint8Array): Buffer {
  return (direction === 'encrypt' ? aes : aesInverse)(key, address);
}

/** ipcrypt-ndx for addresses of 16 bytes, by the XTS of OpenSSL: one data unit of one block. */
export function ndxReference(direction: Direction, key: Uint8Array, tweak: Uint8Array, block: Uint8Array): Buffer {
  const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  return make('aes-128-xts', key, tweak).update(block);
}

/** Product in GF(2^8), FIPS 197, section 4.2. */
function times(a: number, b: number): number {
  let product = 0;
  for (let i = 0; i < 8; i++) if ((b >> i) & 1) product ^= a << i;
  for (let i = 14; i >= 8; i--) if ((product >> i) & 1) product ^= 0x11b << (i - 8);
  return product;
}

/** Section 5.1.1: the inverse, then the affine map. */
const SBOX: readonly number[] = Array.from({ length: 256 }, (_, byte) => {
  let inverse = 0;
  for (let i = 1; i < 256; i++) if (times(byte, i) === 1) inverse = i;
  let out = 0;
  for (let i = 0; i < 8; i++) {
    const bit = [0, 4, 5, 6, 7].reduce((sum, by) => sum ^ (inverse >> ((i + by) % 8)), 0x63 >> i) & 1;
    out |= bit << i;
  }
  return out;
});

/** Section 5.2: eleven round keys of 16 bytes. */
function roundKeys(key: Uint8Array): number[][] {
  const words = Array.from({ length: 4 }, (_, i) => [...key.subarray(4 * i, 4 * i + 4)]);
  for (let i = 4, constant = 1; i < 44; i++) {
    let word = [...words[i - 1]!];
    if (i % 4 === 0) {
      word = [word[1]!, word[2]!, word[3]!, word[0]!].map((byte) => SBOX[byte]!);
      word[0]! ^= constant;
      constant = times(constant, 2);
    }
    words.push(word.map((byte, j) => byte ^ words[i - 4]![j]!));
  }
  return Array.from({ length: 11 }, (_, i) => words.slice(4 * i, 4 * i + 4).flat());
}

/** A byte of row r and column c is number r + 4c. */
const shiftRows = (state: readonly number[], by: 1 | -1) =>
  state.map((_, i) => state[(i % 4) + 4 * ((Math.floor(i / 4) + by * (i % 4) + 4) % 4)]!);

const mixColumns = (state: readonly number[], row: readonly number[]) =>
  state.map((_, i) =>
    [0, 1, 2, 3].reduce((sum, j) => sum ^ times(state[4 * Math.floor(i / 4) + j]!, row[(j - (i % 4) + 4) % 4]!), 0),
  );

/** ipcrypt-nd for addresses of 16 bytes: KIASU-BC, section 9.9 of the draft. */
export function ndReference(direction: Direction, key: Uint8Array, tweak: Uint8Array, block: Uint8Array): Buffer {
  const padded = Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? tweak[2 * Math.floor(i / 4) + (i % 4)]! : 0));
  const keys = roundKeys(key).map((round) => round.map((byte, i) => byte ^ padded[i]!));
  const add = (state: readonly number[], round: number) => state.map((byte, i) => byte ^ keys[round]![i]!);
  if (direction === 'encrypt') {
    let state = add([...block], 0);
    for (let round = 1; round <= 10; round++) {
      state = shiftRows(
        state.map((byte) => SBOX[byte]!),
        1,
      );
      if (round < 10) state = mixColumns(state, [2, 3, 1, 1]);
      state = add(state, round);
    }
    return Buffer.from(state);
  }
  // FIPS 197, section 5.3: the same steps backwards.
  let state: number[] = [...block];
  for (let round = 10; round >= 1; round--) {
    state = add(state, round);
    if (round < 10) state = mixColumns(state, [14, 11, 13, 9]);
    state = shiftRows(state, -1).map((byte) => SBOX.indexOf(byte));
  }
  return Buffer.from(add(state, 0));
}
