/**
 * The keyed permutations of the bodies of tokens (docs/spec/renewal-v1.md, "Permutation"). A body is an element of a
 * space: all strings of n bits, or all strings of n decimal digits.
 *
 * - 128 bits: one block of AES-256 (FIPS 197).
 * - Other numbers of bits: FF1 (NIST SP 800-38G) in radix 2 with the empty tweak, the most significant bit first.
 * - Digits: FF1 in radix 10 with the empty tweak.
 *
 * FF1 needs a space of 1,000,000 elements (SP 800-38G Rev. 1, second public draft, section 5): 24 bits or 6 digits are
 * the least that a token has. This file is in ff1/, because a folder of kernel/ imports aes/ and no other primitive.
 */

import { badRange, badType, checkInteger, typeName } from '../../core/checks.ts';
import { type AesBackend, aesBackend, BLOCK, encryptWords, swapBytes, WORTH_A_CALL } from '../aes/aes.ts';
import { decryptWords, inverseBackend } from '../aes/inverse.ts';
import { alphabet } from '../alphabet.ts';
import { NO_TWEAK, networkOf } from './ff1.ts';
import { MAX_BITS, makeBinaryLane, WORDS } from './rounds-binary.ts';
import { ff1Symbols } from './text.ts';

/** The fewest bits and digits of a body: the hexadecimal and decimal forms of token-v1 have at least six characters. */
export const LEAST_BITS = 24;
export const LEAST_DIGITS = 6;

/** The most digits of a body. */
export const MOST_DIGITS = 38;

/**
 * A permutation of the strings of n bits.
 *
 * It works in place on words: four for each of `count` values, one value after another from word `at` on. The n bits
 * begin with the highest bit of the first word. The bits after them are not read, and are zeros afterwards.
 */
export interface BitPermutation {
  readonly encrypt: (words: Int32Array, at: number, count: number) => void;
  readonly decrypt: (words: Int32Array, at: number, count: number) => void;
}

/** A permutation of the strings of n decimal digits, one or a column. It throws a RangeError for other texts. */
export interface DigitPermutation {
  readonly encrypt: (digits: string) => string;
  readonly decrypt: (digits: string) => string;
  readonly encryptMany: (column: readonly string[]) => string[];
  readonly decryptMany: (column: readonly string[]) => string[];
}

/** How many values go through the rounds together. */
const CHUNK = 1024;

/**
 * Key set-up for strings of bits.
 *
 * @param key 32 bytes. They are copied.
 * @param bits 24 to 128.
 */
export function bitPermutation(key: Uint8Array, bits: number): BitPermutation {
  checkKey(key);
  checkInteger('bits', bits, LEAST_BITS, MAX_BITS);
  return bits === MAX_BITS ? blockPermutation(key) : feistelPermutation(key, bits);
}

/**
 * Key set-up for strings of digits.
 *
 * @param key 32 bytes. They are copied.
 * @param digits 6 to 38.
 */
export function digitPermutation(key: Uint8Array, digits: number): DigitPermutation {
  checkKey(key);
  checkInteger('digits', digits, LEAST_DIGITS, MOST_DIGITS);
  const cipher = ff1Symbols(key, alphabet('0123456789'));
  const checked = (text: string): string => {
    if (text.length !== digits) badRange('digits', `expected ${digits} digits, got ${text.length} characters`);
    return text;
  };
  return {
    encrypt: (text) => cipher.encrypt(checked(text)),
    decrypt: (text) => cipher.decrypt(checked(text)),
    encryptMany: (column) => cipher.encryptMany(column.map(checked)),
    decryptMany: (column) => cipher.decryptMany(column.map(checked)),
  };
}

function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) badType('key', `expected bytes, got ${typeName(key)}`);
  if (key.length !== 32) badRange('key', `expected 32 bytes, got ${key.length}`);
}

/** FF1 in radix 2. */
function feistelPermutation(key: Uint8Array, bits: number): BitPermutation {
  const network = networkOf(aesBackend(key), 2, makeBinaryLane);

  function run(words: Int32Array, at: number, count: number, sign: 1 | -1): void {
    const lane = network.lane(bits);
    for (let first = 0; first < count; first += CHUNK) {
      const chunk = Math.min(CHUNK, count - first);
      const from = at + WORDS * first;
      lane.load(chunk, NO_TWEAK);
      lane.read(words, from, 0, 0, chunk);
      lane.run(chunk, sign);
      lane.write(words, from, 0, 0, chunk);
    }
  }

  return {
    encrypt: (words, at, count) => run(words, at, count, 1),
    decrypt: (words, at, count) => run(words, at, count, -1),
  };
}

/** AES-256 on single blocks. */
function blockPermutation(key: Uint8Array): BitPermutation {
  const forward = aesBackend(key);
  const inverse = inverseBackend(key);
  return {
    encrypt: overBlocks(encryptWords, forward),
    decrypt: overBlocks(decryptWords, inverse),
  };
}

/** Makes one direction. The block of a body is its words, each most significant byte first. */
function overBlocks(one: typeof encryptWords, { block, blocks }: AesBackend): BitPermutation['encrypt'] {
  let bytes = new Uint8Array(0);
  let view = new DataView(bytes.buffer);

  return (words, at, count) => {
    if (count < WORTH_A_CALL) {
      for (let from = at; from < at + WORDS * count; from += WORDS) {
        const { s0, s1, s2, s3 } = one(
          block,
          swapBytes(words[from]!),
          swapBytes(words[from + 1]!),
          swapBytes(words[from + 2]!),
          swapBytes(words[from + 3]!),
        );
        words[from] = swapBytes(s0);
        words[from + 1] = swapBytes(s1);
        words[from + 2] = swapBytes(s2);
        words[from + 3] = swapBytes(s3);
      }
      return;
    }
    if (bytes.length !== BLOCK * count) {
      bytes = new Uint8Array(BLOCK * count);
      view = new DataView(bytes.buffer);
    }
    for (let i = 0; i < WORDS * count; i++) view.setInt32(4 * i, words[at + i]!);
    const done = blocks(bytes);
    const out = new DataView(done.buffer, done.byteOffset, done.length);
    for (let i = 0; i < WORDS * count; i++) words[at + i] = out.getInt32(4 * i);
  };
}
