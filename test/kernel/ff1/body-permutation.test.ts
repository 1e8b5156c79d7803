import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bitPermutation, digitPermutation } from '../../../src/kernel/ff1/body-permutation.ts';
import { random } from '../../reference/random.ts';
import { permutationReference } from '../../reference/renewal.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const KEY = sha256('renewal-v1 permutations');

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

/** The words of a whole number below 2^bits, whose highest bit is the first. */
function wordsOf(x: bigint, bits: number): number[] {
  const all = (x << BigInt(128 - bits)).toString(16).padStart(32, '0');
  return [0, 8, 16, 24].map((at) => Number.parseInt(all.slice(at, at + 8), 16) | 0);
}

function numberIn(words: ArrayLike<number>, at: number, bits: number): bigint {
  let all = 0n;
  for (let j = 0; j < 4; j++) all = (all << 32n) | BigInt(words[at + j]! >>> 0);
  // What comes after the bits is zero.
  expect(all & ((1n << BigInt(128 - bits)) - 1n)).toBe(0n);
  return all >> BigInt(128 - bits);
}

const BITS = Array.from({ length: 105 }, (_, i) => 24 + i);
const DIGITS = Array.from({ length: 33 }, (_, i) => 6 + i);

/** The permutation of whole numbers, in a column of this implementation. */
function column(
  unit: 'bits' | 'digits',
  size: number,
  xs: readonly bigint[],
  direction: 'encrypt' | 'decrypt',
): bigint[] {
  if (unit === 'digits') {
    const texts = xs.map((x) => x.toString().padStart(size, '0'));
    const out = digitPermutation(KEY, size)[`${direction}Many`](texts);
    for (const text of out) expect(text).toHaveLength(size);
    return out.map(BigInt);
  }
  const words = Int32Array.from([7, ...xs.flatMap((x) => wordsOf(x, size)), 7]);
  bitPermutation(KEY, size)[direction](words, 1, xs.length);
  expect([words[0], words.at(-1)]).toEqual([7, 7]);
  return xs.map((_, k) => numberIn(words, 1 + 4 * k, size));
}

describe('the permutation of every space', () => {
  it('has the digest that a program in Python computes, and that of the literal algorithm', () => {
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (const [unit, sizes] of [
      ['bits', BITS],
      ['digits', DIGITS],
    ] as const) {
      for (const size of sizes) {
        const xs = [0, 1, 2, 3].map((i) => {
          const t = numberOf(sha256(`${unit} ${size} ${i}`));
          return unit === 'bits' ? t >> BigInt(256 - size) : (t * 10n ** BigInt(size)) >> 256n;
        });
        const ys = column(unit, size, xs, 'encrypt');
        expect(column(unit, size, ys, 'decrypt')).toEqual(xs);
        xs.forEach((x, i) => {
          fast.update(`${unit} ${size} ${x} ${ys[i]}\n`);
          const y = permutationReference('encrypt', KEY, unit, size, x);
          expect(permutationReference('decrypt', KEY, unit, size, y)).toBe(x);
          slow.update(`${unit} ${size} ${x} ${y}\n`);
        });
      }
    }
    expect(fast.digest('hex')).toBe('804e2f2e89e402afec0bdd613364b3f6df2361ec290e5d99ebdb409abc7d6417');
    expect(slow.digest('hex')).toBe('804e2f2e89e402afec0bdd613364b3f6df2361ec290e5d99ebdb409abc7d6417');
  });

  it.each([
    ['bits', 24, 12786652n, 10994678n],
    ['bits', 60, 131427476111414099n, 651514182929942163n],
    ['bits', 122, 2198075000755103758590706642062765702n, 310152164535164745010496423613000548n],
    ['bits', 127, 138771980824394074895806308324213093376n, 53653444678746189498324504869032146022n],
    ['bits', 128, 235291700850942225328149915970559985689n, 306946918410598236345812401122719653020n],
    ['digits', 6, 36843n, 159621n],
    ['digits', 12, 949330546455n, 460242131170n],
    ['digits', 38, 75803230222010342254922692302280483962n, 13751944922950670033545548656522793797n],
  ] as const)('%s %s: %s becomes %s', (unit, size, x, y) => {
    expect(column(unit, size, [x], 'encrypt')).toEqual([y]);
    expect(column(unit, size, [y], 'decrypt')).toEqual([x]);
  });

  it('gives a column what it gives each value alone, for every number of values', () => {
    const { bytes } = random('permutation columns');
    for (const bits of [24, 60, 64, 65, 122, 128]) {
      for (const count of [0, 1, 2, 7, 8, 9, 1023, 1024, 1025, 2100]) {
        const xs = Array.from({ length: count }, () => numberOf(bytes(16)) >> BigInt(128 - bits));
        const ys = column('bits', bits, xs, 'encrypt');
        const at = Math.max(0, count - 3);
        expect(xs.slice(at).map((x) => column('bits', bits, [x], 'encrypt')[0])).toEqual(ys.slice(at));
        expect(column('bits', bits, ys, 'decrypt')).toEqual(xs);
      }
    }
  });

  it('goes there and back and takes no two values to one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 24, max: 128 }),
        fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), { minLength: 1, maxLength: 30 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (bits, values, key) => {
          const xs = [...new Set(values.map((value) => value >> BigInt(128 - bits)))];
          const words = Int32Array.from(xs.flatMap((x) => wordsOf(x, bits)));
          const permutation = bitPermutation(key, bits);
          permutation.encrypt(words, 0, xs.length);
          const ys = xs.map((_, k) => numberIn(words, 4 * k, bits));
          expect(new Set(ys).size).toBe(xs.length);
          permutation.decrypt(words, 0, xs.length);
          expect(xs.map((_, k) => numberIn(words, 4 * k, bits))).toEqual(xs);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('does not read what comes after the bits', () => {
    const clean = Int32Array.from(wordsOf(12345n, 30));
    const dirty = Int32Array.from(clean, (word, j) => (j === 0 ? word | 3 : -1));
    for (const words of [clean, dirty]) bitPermutation(KEY, 30).encrypt(words, 0, 1);
    expect(dirty).toEqual(clean);
  });
});

describe('arguments', () => {
  it('a key that is not 32 bytes, and a space that no token has, are refused', () => {
    for (const make of [bitPermutation, digitPermutation]) {
      expect(() => make(new Uint8Array(16), 30)).toThrow(new RangeError('"key" expected 32 bytes, got 16'));
      expect(() => make('x'.repeat(32) as never, 30)).toThrow(TypeError);
    }
    for (const bits of [0, 23, 129, 24.5, Number.NaN]) expect(() => bitPermutation(KEY, bits)).toThrow();
    for (const digits of [0, 5, 39, 6.5, Number.NaN]) expect(() => digitPermutation(KEY, digits)).toThrow();
  });

  it('texts that are not so many digits are refused, and no message has them', () => {
    const { encrypt, decrypt, encryptMany, decryptMany } = digitPermutation(KEY, 8);
    for (const text of ['1234567', '123456789', '1234567a', '', '١٢٣٤٥٦٧٨', '1234567\n', ' 1234567']) {
      for (const run of [
        () => encrypt(text),
        () => decrypt(text),
        () => encryptMany([text]),
        () => decryptMany([text]),
      ]) {
        expect(run).toThrow(RangeError);
        if (text.length > 2) expect(run).not.toThrow(text.slice(0, 6));
      }
    }
  });

  it('keeps the key that it was set up with', () => {
    const key = Uint8Array.from(KEY);
    const kept = [bitPermutation(key, 128), bitPermutation(key, 60)];
    key.fill(0);
    for (const [i, bits] of [128, 60].entries()) {
      for (const count of [1, 20]) {
        const words = Int32Array.from({ length: 4 * count }, () => 0);
        kept[i]!.encrypt(words, 0, count);
        expect(numberIn(words, 4 * count - 4, bits)).toBe(permutationReference('encrypt', KEY, 'bits', bits, 0n));
      }
    }
  });
});

describe('without node:crypto', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('is the same', () => {
    const xs = Array.from({ length: 20 }, (_, i) => numberOf(sha256(`elsewhere ${i}`)) >> 128n);
    const here = column('bits', 128, xs, 'encrypt');
    vi.stubGlobal('process', undefined);
    const words = Int32Array.from(xs.flatMap((x) => wordsOf(x, 128)));
    const permutation = bitPermutation(KEY, 128);
    permutation.encrypt(words, 0, 20);
    const there = xs.map((_, k) => numberIn(words, 4 * k, 128));
    permutation.decrypt(words, 0, 20);
    vi.unstubAllGlobals();
    expect(there).toEqual(here);
    expect(xs.map((_, k) => numberIn(words, 4 * k, 128))).toEqual(xs);
  });
});
