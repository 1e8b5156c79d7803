import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compress, INITIAL, K } from '../../../src/kernel/prf/sha256.ts';
import { hex } from '../../helpers/hex.ts';
import { K as EXACT_K, rounds } from '../../reference/generators/make-rounds-sha256.mjs';
import { compressReference, H0, sha256Reference } from '../../reference/sha256.ts';
import { source } from '../../reference/texts.ts';

const unsigned = (words: ArrayLike<number>): number[] => Array.from(words, (word) => word >>> 0);
const words = (random: ReturnType<typeof source>, count: number): Int32Array =>
  Int32Array.from({ length: count }, () => random.below(2 ** 32) | 0);

describe('the constants', () => {
  it('are the roots of the primes, computed exactly', () => {
    expect(unsigned(K)).toEqual(EXACT_K);
    expect(unsigned(INITIAL)).toEqual(H0);
  });

  it('and the rounds are the ones that the generator writes', () => {
    const source = readFileSync(new URL('../../../src/kernel/prf/sha256.ts', import.meta.url), 'utf8');
    expect(source.includes(`\n${rounds()}\n`)).toBe(true);
    expect(rounds().split('\n')).toHaveLength(64 * 3 + 48);
  });
});

describe('compress', () => {
  it('is the one of the standard: FIPS 180-4, "abc"', () => {
    const block = new Int32Array(16);
    block[0] = 0x61626380;
    block[15] = 24;
    const out = new Int32Array(8);
    compress(INITIAL, block, 0, 1, out, 0, 1);
    expect(
      unsigned(out)
        .map((word) => word.toString(16).padStart(8, '0'))
        .join(''),
    ).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('is the literal one for any state and block', () => {
    const random = source(11);
    for (let i = 0; i < 1000; i++) {
      const [state, block, out] = [words(random, 8), words(random, 16), new Int32Array(8)];
      // Words at the edges of 32 bits, too.
      if (i % 4 === 0) block.fill([0, -1, 0x7fffffff, -0x80000000][(i / 4) % 4]!);
      if (i % 8 === 0) state.fill([-1, 0, -0x80000000, 0x7fffffff][(i / 8) % 4]!);
      compress(state, block, 0, 1, out, 0, 1);
      expect(unsigned(out)).toEqual(compressReference(unsigned(state), unsigned(block)));
    }
  });

  it('reads and writes words that are any number of places apart, and touches no other', () => {
    const random = source(12);
    for (const [at, step, outAt, outStep] of [
      [0, 1, 0, 1],
      [3, 4, 1, 4],
      [64, 4, 35, 4],
      [5, 3, 2, 7],
      [2, 1, 0, 4],
      [0, 4, 9, 1],
    ] as const) {
      const state = words(random, 8);
      const block = words(random, at + 16 * step);
      const given = Int32Array.from(block);
      const out = words(random, outAt + 8 * outStep + 3);
      const expected = unsigned(out);
      const message = Array.from({ length: 16 }, (_, j) => block[at + j * step]! >>> 0);
      compressReference(unsigned(state), message).forEach((word, j) => {
        expected[outAt + j * outStep] = word;
      });
      compress(state, block, at, step, out, outAt, outStep);
      expect(unsigned(out)).toEqual(expected);
      expect(block).toEqual(given);
    }
  });

  it('may write over the state it starts from', () => {
    const random = source(13);
    const [state, block] = [words(random, 8), words(random, 16)];
    const expected = compressReference(unsigned(state), unsigned(block));
    compress(state, block, 0, 1, state, 0, 1);
    expect(unsigned(state)).toEqual(expected);
  });

  it('chains: a million bytes "a", the long vector of the standard', () => {
    const block = new Int32Array(16).fill(0x61616161);
    const state = Int32Array.from(INITIAL);
    // 15,625 blocks, exactly.
    for (let i = 0; i < 15_625; i++) compress(state, block, 0, 1, state, 0, 1);
    block.fill(0);
    block[0] = 0x80000000;
    block[15] = 8_000_000;
    compress(state, block, 0, 1, state, 0, 1);
    expect(
      unsigned(state)
        .map((word) => word.toString(16).padStart(8, '0'))
        .join(''),
    ).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
  });
});

it('the literal reference is SHA-256', () => {
  const random = source(14);
  for (let length = 0; length <= 200; length++) {
    const message = random.bytes(length);
    expect(hex(sha256Reference(message))).toBe(createHash('sha256').update(message).digest('hex'));
  }
});
