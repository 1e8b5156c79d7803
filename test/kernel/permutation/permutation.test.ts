import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { portableBlocks } from '../../../src/kernel/aes/aes.ts';
import { type Permutation, sometimesRecurse, tablePermutation } from '../../../src/kernel/permutation/permutation.ts';
import { drawsFrom } from '../../../src/kernel/permutation/small-space.ts';
import { ROUNDS } from '../../../src/kernel/permutation/swap-or-not-rounds.ts';
import { isWithin, LARGEST_BITS, render, rounds, STAGE_BITS } from '../../reference/generators/make-rounds.mjs';
import { drawsReference, sometimesRecurseReference, tableReference } from '../../reference/permutation.ts';
import { random } from '../../reference/random.ts';

const both = [
  ['table', tablePermutation],
  ['sometimes-recurse', sometimesRecurse],
] as const;

const range = (length: number) => Array.from({ length }, (_, i) => i);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Whether a list has every whole number below its length once. */
const isPermutation = (list: readonly number[]) => {
  const seen = new Uint8Array(list.length);
  for (const value of list) seen[value] = 1;
  return seen.every((flag) => flag === 1);
};

/** The image of every index under each of many tweaks, in one call. */
const images = (permutation: Permutation, tweaks: readonly Uint8Array[]): number[][] => {
  const { size } = permutation;
  const all = permutation.encryptMany(
    tweaks.flatMap(() => range(size)),
    tweaks.flatMap((tweak) => range(size).map(() => tweak)),
  );
  return tweaks.map((_, i) => all.slice(i * size, (i + 1) * size));
};

/** Standard deviations that a chi-square statistic is away from its mean. */
const deviation = (counts: readonly number[], expected: number, freedom: number) =>
  (counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) - freedom) / Math.sqrt(2 * freedom);

describe('rounds', () => {
  it('the committed table is the generated one', () => {
    const file = readFileSync(
      new URL('../../../src/kernel/permutation/swap-or-not-rounds.ts', import.meta.url),
      'utf8',
    );
    expect(file).toBe(render());
    expect(ROUNDS).toHaveLength(LARGEST_BITS + 1);
  });

  it('every stage has the fewest rounds for 2^-85, and 20 of them stay below 2^-80', () => {
    for (let b = 1; b <= LARGEST_BITS; b++) {
      expect(ROUNDS[b]).toBe(rounds(b));
      expect(isWithin(2 ** b, 2 ** (b - 1), ROUNDS[b], STAGE_BITS)).toBe(true);
      expect(isWithin(2 ** b, 2 ** (b - 1), ROUNDS[b]! - 1, STAGE_BITS)).toBe(false);
    }
    expect(LARGEST_BITS * 2 ** -STAGE_BITS).toBeLessThan(2 ** -80);
  });

  it('sizes between two powers of two need no more', () => {
    const { below } = random('sizes between');
    const sizes = [...range(1500).map((i) => i + 2), ...range(200).map(() => 2 + below(2 ** 20 - 2)), 999_999];
    for (const n of sizes) {
      const b = Math.ceil(Math.log2(n));
      if (!isWithin(n, Math.floor(n / 2), ROUNDS[b], STAGE_BITS)) expect.fail(`${n} points`);
    }
    expect(sizes.length).toBe(1701);
  });

  // The step of the proof on which the keys of the rounds rest: they may be known, so they may be shared by all tweaks.
  it.each([
    [2, 6],
    [3, 5],
    [4, 5],
    [5, 4],
  ])('the bound holds on average over public K: %i points, up to %i rounds, counted out', (n, most) => {
    for (let q = 1; q < n; q++) {
      for (let r = 1; r <= most; r++) {
        const bound = ((2 * n ** 1.5) / (r + 2)) * ((q + n) / (2 * n)) ** (r / 2 + 1);
        let sum = 0;
        for (let code = 0; code < n ** r; code++) {
          const keys = range(r).map((i) => Math.floor(code / n ** i) % n);
          sum += distance(n, q, keys);
        }
        expect(sum / n ** r).toBeLessThanOrEqual(bound);
      }
    }
  });
});

/** How far q cards are from uniform after swap-or-not with these K, by going through all coins: total variation. */
function distance(n: number, q: number, keys: readonly number[]): number {
  let states = new Map<string, number>([[range(q).join(), 1]]);
  for (const K of keys) {
    const next = new Map<string, number>();
    const pairs = range(n)
      .map((x) => [x, (K - x + n) % n] as const)
      .filter(([x, y]) => x < y);
    for (const [state, probability] of states) {
      for (let coins = 0; coins < 2 ** pairs.length; coins++) {
        const place = range(n);
        for (const [i, [x, y]] of pairs.entries()) if ((coins >> i) & 1) [place[x], place[y]] = [y, x];
        const moved = state.split(',').map((card) => place[Number(card)]);
        const name = moved.join();
        next.set(name, (next.get(name) ?? 0) + probability / 2 ** pairs.length);
      }
    }
    states = next;
  }
  const count = range(q).reduce((product, i) => product * (n - i), 1);
  let total = (count - states.size) / count;
  for (const probability of states.values()) total += Math.abs(probability - 1 / count);
  return total / 2;
}

describe('draws', () => {
  /** A keystream that is a list of words, then zeros. */
  const stream = (words: readonly number[]) => {
    let at = 0;
    return (input: Uint8Array) => {
      const out = new DataView(new ArrayBuffer(input.length));
      for (let i = 0; i < input.length; i += 4) out.setUint32(i, words[at++] ?? 0);
      return new Uint8Array(out.buffer);
    };
  };

  it('passes over exactly the words that would bias it', () => {
    // 2^32 mod 3 = 1: of the words with w * 3 mod 2^32 < 1 there is one, 0.
    expect(drawsFrom(stream([0, 0, 0, 1]), 4)(3)).toBe(0);
    expect(drawsFrom(stream([0, 0x55555556]), 4)(3)).toBe(1);
    // 2^32 mod 1,000,000 = 967,296: w = 0 and the first word of the next result are passed over.
    expect(drawsFrom(stream([0, 4295, 4294]), 4)(1_000_000)).toBe(0);
    const passed = 4294967296 % 1_000_000;
    const first = Math.ceil((7 * 2 ** 32) / 1_000_000);
    expect((first * 1_000_000) % 2 ** 32 < passed).toBe(true);
    expect(drawsFrom(stream([first, first + 1]), 4)(1_000_000)).toBe(7);
    expect(drawsFrom(stream([first, 0xffffffff]), 4)(1_000_000)).toBe(999_999);
    // A power of two divides 2^32: nothing is passed over.
    expect(drawsFrom(stream([0, 0xffffffff]), 4)(2 ** 20)).toBe(0);
    expect(drawsFrom(stream([0xffffffff]), 4)(2 ** 20)).toBe(2 ** 20 - 1);
  });

  it('gives every result the same number of words', () => {
    // The same arithmetic for words of 8 bits, counted out: the rule is unbiased for every limit.
    for (let limit = 1; limit <= 256; limit++) {
      const counts = new Array<number>(limit).fill(0);
      for (let w = 0; w < 256; w++) {
        const p = w * limit;
        if (p % 256 >= 256 % limit) counts[Math.floor(p / 256)]!++;
      }
      expect(new Set(counts).size).toBe(1);
    }
  });
});

describe('the slow reference and the fast one agree', () => {
  it('tables', () => {
    const { bytes, below } = random('tables');
    const digest = createHash('sha256');
    for (let i = 0; i < 300; i++) {
      const size = 1 + below(i < 200 ? 64 : 1500);
      const key = bytes(32);
      const tweak = bytes(below(40));
      const table = tablePermutation(key, size);
      const expected = tableReference(key, size, tweak);
      expect(table.encryptMany(range(size), tweak)).toEqual(expected);
      expect(table.decryptMany(expected, tweak)).toEqual(range(size));
      digest.update(Uint32Array.from(expected));
    }
    expect(digest.digest('hex')).toBe('c5fd693c9db56fafea61b4bea400c2f2b4cc550ec106e8dde0f13a2e3e35437c');
  });

  it('a table that passes over words', () => {
    const key = random('rejected').bytes(32);
    const size = 500_000;
    const { below, rejected } = drawsReference(key);
    const draw = drawsFrom(portableBlocks(key), size);
    for (let i = size; i > 1; i--) if (draw(i) !== below(i)) expect.fail(`draw below ${i}`);
    expect(rejected()).toBeGreaterThan(3);
  });

  it('sometimes-recurse', () => {
    const { bytes, below } = random('sometimes-recurse');
    const digest = createHash('sha256');
    for (let i = 0; i < 120; i++) {
      const size = i < 60 ? 2 + i : 2 + below(2 ** (7 + (i % 14)) - 2);
      const key = bytes(32);
      const tweak = bytes(below(40));
      const fast = sometimesRecurse(key, size);
      const slow = sometimesRecurseReference(key, size, tweak);
      // The first and the last point: the first goes through every stage when it is deciphered.
      const indices = [0, size - 1, below(size), below(size)];
      const expected = indices.map(slow.encrypt);
      expect(fast.encryptMany(indices, tweak)).toEqual(expected);
      expect(indices.map((index) => fast.encrypt(index, tweak))).toEqual(expected);
      expect(expected.map((index) => fast.decrypt(index, tweak))).toEqual(indices);
      expect(slow.encrypt(fast.decrypt(0, tweak))).toBe(0);
      digest.update(Uint32Array.from(expected));
    }
    expect(digest.digest('hex')).toBe('fb6a9bda46484fdbcc80c47a4818feba12ac39c97546647c78e87f2b5f798091');
  });
});

it('the vectors of the specification', () => {
  const key = Uint8Array.from(range(32));
  const tweak = Buffer.from('00000002313600000006343131313131', 'hex');
  expect(tablePermutation(key, 10).encryptMany(range(10), tweak)).toEqual([4, 9, 7, 8, 3, 5, 2, 0, 6, 1]);
  const points = [0, 1, 12_345, 99_999];
  expect(sometimesRecurse(key, 100_000).encryptMany(points, tweak)).toEqual([93_059, 65_449, 7_902, 66_460]);
  const { roundKeys } = sometimesRecurseReference(key, 100_000, tweak);
  expect(roundKeys[0]!.slice(0, 4)).toEqual([92_366, 5_105, 20_721, 11_658]);
  expect(roundKeys.map((keys) => keys.length)).toEqual(ROUNDS.slice(1, 18).toReversed());
});

describe('whole permutations', () => {
  const sizes = [...range(63).map((i) => i + 2), 97, 127, 128, 129, 255, 257, 1000, 1023, 1024, 1025, 4095, 4096, 4097];

  it.each([...sizes, 1, 10_000, 43_830, 65_535, 65_536, 65_537, 99_999, 100_000, 1_000_000, 2 ** 20])(
    'table of %i',
    (size) => {
      const { bytes } = random(`whole table ${size}`);
      const table = tablePermutation(bytes(32), size);
      const tweak = bytes(9);
      const out = table.encryptMany(range(size), tweak);
      expect(isPermutation(out)).toBe(true);
      expect(table.decryptMany(out, tweak).every((index, i) => index === i)).toBe(true);
    },
  );

  it.each([...sizes, 10_000, 30_011, 2 ** 17])('sometimes-recurse of %i', (size) => {
    const { bytes } = random(`whole shuffle ${size}`);
    const shuffle = sometimesRecurse(bytes(32), size);
    const tweak = bytes(9);
    const out = shuffle.encryptMany(range(size), tweak);
    expect(isPermutation(out)).toBe(true);
    // The way back of the largest is the slow part of this file: a seventh of it, everywhere in the space.
    const back = size > 50_000 ? range(size).filter((index) => index % 7 === 3) : range(size);
    expect(
      shuffle.decryptMany(
        back.map((index) => out[index]!),
        tweak,
      ),
    ).toEqual(back);
  });

  it('samples of the largest sizes go there and back', () => {
    for (const size of [100_000, 999_999, 2 ** 20]) {
      const { bytes, below } = random(`samples of ${size}`);
      const shuffle = sometimesRecurse(bytes(32), size);
      const indices = [...new Set([0, 1, size - 1, ...range(5000).map(() => below(size))])];
      const tweaks = indices.map(() => bytes(12));
      const out = shuffle.encryptMany(indices, tweaks);
      expect(out.every((index) => Number.isInteger(index) && index >= 0 && index < size)).toBe(true);
      expect(shuffle.decryptMany(out, tweaks)).toEqual(indices);
    }
  });

  it.each(both)('%s: property, there and back for any key, size, index and tweak', (_, make) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 2, max: 3000 }),
        fc.nat(),
        fc.uint8Array({ maxLength: 100 }),
        (key, size, number, tweak) => {
          const permutation = make(key, size);
          const index = number % size;
          const image = permutation.encrypt(index, tweak);
          return image >= 0 && image < size && permutation.decrypt(image, tweak) === index;
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.each(both)('%s has no bias that a count would show', (name, make) => {
  it.each([3, 4, 5])('all orders of %i values are equally frequent', (size) => {
    const { bytes } = random(`${name} orders ${size}`);
    const counts = new Map<string, number>();
    for (let k = 0; k < 6; k++) {
      const tweaks = range(1000).map(() => bytes(8));
      for (const image of images(make(bytes(32), size), tweaks)) {
        counts.set(image.join(), (counts.get(image.join()) ?? 0) + 1);
      }
    }
    const orders = range(size).reduce((product, i) => product * (i + 1), 1);
    expect(counts.size).toBe(orders);
    expect(Math.abs(deviation([...counts.values()], 6000 / orders, orders - 1))).toBeLessThan(4);
  });

  it.each([8, 10, 31, 64])(
    'every index of %i goes to every place, fixed points and parity are as by chance',
    (size) => {
      const { bytes } = random(`${name} places ${size}`);
      const counts = new Array<number>(size * size).fill(0);
      const samples = size > 50 ? 800 : 1500;
      let fixed = 0;
      let odd = 0;
      for (let k = 0; k < 10; k++) {
        const tweaks = range(samples / 10).map(() => bytes(8));
        for (const image of images(make(bytes(32), size), tweaks)) {
          for (const [from, to] of image.entries()) {
            counts[from * size + to]!++;
            if (from === to) fixed++;
          }
          odd += (size - cycles(image)) % 2;
        }
      }
      expect(Math.abs(deviation(counts, samples / size, (size - 1) ** 2))).toBeLessThan(4);
      // The number of fixed points has mean 1 and variance 1; half of all permutations are odd.
      expect(Math.abs(fixed - samples) / Math.sqrt(samples)).toBeLessThan(4);
      expect(Math.abs(odd - samples / 2) / Math.sqrt(samples / 4)).toBeLessThan(4);
    },
  );

  it('one bit of the key or of the tweak, or another size, changes everything', () => {
    const { bytes } = random(`${name} avalanche`);
    const size = 1000;
    const key = bytes(32);
    const tweak = bytes(16);
    const plain = make(key, size).encryptMany(range(size), tweak);
    const meetings = (list: readonly number[]) => list.filter((index, i) => index === plain[i]).length;
    for (let bit = 0; bit < 16; bit++) {
      const flip = (from: Uint8Array) =>
        from.map((byte, i) => (i === (bit * 5) % from.length ? byte ^ (1 << (bit % 8)) : byte));
      // As many meet as two random permutations have in common: 1 on average, more than 8 with a chance of 10^-6.
      expect(meetings(make(flip(key), size).encryptMany(range(size), tweak))).toBeLessThan(9);
      expect(meetings(make(key, size).encryptMany(range(size), flip(tweak)))).toBeLessThan(9);
    }
    expect(meetings(make(key, size).encryptMany(range(size), new Uint8Array(0)))).toBeLessThan(9);
    expect(meetings(make(key, size).encryptMany(range(size), Buffer.concat([tweak, Buffer.alloc(1)])))).toBeLessThan(9);
    expect(meetings(make(key, size + 1).encryptMany(range(size), tweak))).toBeLessThan(9);
  });
});

/** Number of cycles of a permutation. */
function cycles(image: readonly number[]): number {
  const seen = new Set<number>();
  let count = 0;
  for (let start = 0; start < image.length; start++) {
    if (seen.has(start)) continue;
    count++;
    for (let at = start; !seen.has(at); at = image[at]!) seen.add(at);
  }
  return count;
}

describe.each(both)('%s: one and many', (name, make) => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const { bytes, below } = random(`${name} one and many`);
  const size = 3000;
  const key = bytes(32);
  const few = range(7).map((i) => utf8(`tweak ${i}`));
  const column = (length: number) => ({
    indices: range(length).map(() => below(size)),
    tweaks: range(length).map(() => few[below(7)]!),
  });

  it.each([0, 1, 2, 11, 12, 13, 500])('a column of %i values is its values one by one', (length) => {
    const permutation = make(key, size);
    const { indices, tweaks } = column(length);
    const out = indices.map((index, i) => permutation.encrypt(index, tweaks[i]!));
    expect(permutation.encryptMany(indices, tweaks)).toEqual(out);
    expect(permutation.decryptMany(out, tweaks)).toEqual(indices);
    expect(permutation.encryptMany(indices, few[0]!)).toEqual(
      indices.map((index) => permutation.encrypt(index, few[0]!)),
    );
  });

  it('batches and order do not matter', () => {
    const { indices, tweaks } = column(9001);
    const out = make(key, size).encryptMany(indices, tweaks);
    expect(make(key, size).encryptMany(indices.toReversed(), tweaks.toReversed())).toEqual(out.toReversed());
    const other = make(key, size);
    expect([
      ...other.encryptMany(indices.slice(0, 17), tweaks.slice(0, 17)),
      ...other.encryptMany(indices.slice(17), tweaks.slice(17)),
    ]).toEqual(out);
    expect(other.decryptMany(out, tweaks)).toEqual(indices);
  });

  it('without node:crypto the results are the same', () => {
    const { indices, tweaks } = column(300);
    const out = make(key, size).encryptMany(indices, tweaks);
    const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    const portable = make(key, size);
    expect(portable.encryptMany(indices, tweaks)).toEqual(out);
    expect(portable.decryptMany(out, tweaks)).toEqual(indices);
    expect(builtin).toHaveBeenCalled();
  });

  it('the caller may write another tweak or another key into the same array', () => {
    const own = Uint8Array.from(key);
    const permutation = make(own, size);
    const tweak = Uint8Array.from(few[0]!);
    const first = permutation.encryptMany(range(50), tweak);
    own.fill(0);
    tweak.set(few[1]!);
    const expected = make(key, size).encryptMany(range(50), few[1]!);
    expect(expected).not.toEqual(first);
    expect(permutation.encryptMany(range(50), tweak)).toEqual(expected);
    expect(range(50).map((index) => permutation.encrypt(index, tweak))).toEqual(expected);
    expect(permutation.encryptMany(range(50), few[0]!)).toEqual(first);
  });
});

it('more tables than are kept change nothing', () => {
  const { bytes, below } = random('more tables');
  const key = bytes(32);
  const size = 4096;
  const tweaks = range(700).map((i) => utf8(`${i}`));
  const permutation = tablePermutation(key, size);
  const rows = range(1200).map(() => ({ index: below(size), tweak: tweaks[below(700)]! }));
  const out = rows.map(({ index, tweak }) => permutation.encrypt(index, tweak));
  expect(rows.map(({ tweak }, i) => permutation.decrypt(out[i]!, tweak))).toEqual(rows.map(({ index }) => index));
  expect(
    tablePermutation(key, size).encryptMany(
      rows.map(({ index }) => index),
      rows.map(({ tweak }) => tweak),
    ),
  ).toEqual(out);
  const fresh = rows.slice(0, 40).map(({ index, tweak }) => tablePermutation(key, size).encrypt(index, tweak));
  expect(out.slice(0, 40)).toEqual(fresh);
});

describe.each(both)('%s refuses', (_, make) => {
  const key = random('refused').bytes(32);
  const tweak = new Uint8Array(3);

  it('keys and sizes that it does not have', () => {
    expect(() => make('a'.repeat(32) as never, 100)).toThrow(TypeError);
    for (const length of [0, 16, 31, 33, 64]) expect(() => make(new Uint8Array(length), 100)).toThrow(RangeError);
    for (const size of [0, -1, 1.5, 2 ** 20 + 1, Number.NaN]) expect(() => make(key, size)).toThrow(RangeError);
    expect(() => make(key, '100' as never)).toThrow(TypeError);
    if (make === sometimesRecurse) expect(() => make(key, 1)).toThrow(RangeError);
    else expect(make(key, 1).encrypt(0, tweak)).toBe(0);
  });

  it('what is outside, without saying what it was', () => {
    const permutation = make(key, 777);
    for (const index of [-1, 777, 4711.25, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 1, -4711]) {
      for (const call of [
        () => permutation.encrypt(index, tweak),
        () => permutation.decrypt(index, tweak),
        () => permutation.encryptMany([1, index], tweak),
        () => permutation.decryptMany([1, index], [tweak, tweak]),
      ]) {
        expect(call).toThrow(RangeError);
        expect(call).toThrow(/^"index" expected a whole number from 0 to 776$/);
      }
    }
    for (const index of ['5', null, undefined, 5n, {}, [5]]) {
      expect(() => permutation.encrypt(index as never, tweak)).toThrow(TypeError);
      expect(() => permutation.encryptMany([index as never], tweak)).toThrow(TypeError);
    }
  });

  it('tweaks that do not fit', () => {
    const permutation = make(key, 777);
    for (const wrong of ['tweak', null, undefined, 5, [1, 2]]) {
      expect(() => permutation.encrypt(1, wrong as never)).toThrow(TypeError);
      expect(() => permutation.decryptMany([1], [wrong as never])).toThrow(TypeError);
    }
    expect(() => permutation.encryptMany([1], 'tweak' as never)).toThrow(TypeError);
    expect(() => permutation.encryptMany(5 as never, tweak)).toThrow(TypeError);
    expect(() => permutation.encryptMany([1, 2], [tweak])).toThrow(RangeError);
    expect(() => permutation.encryptMany([], [tweak])).toThrow(RangeError);
    expect(() => permutation.encrypt(1, new Uint8Array(65_537))).toThrow(RangeError);
    const longest = new Uint8Array(65_536).fill(255);
    expect(permutation.decrypt(permutation.encrypt(1, longest), longest)).toBe(1);
  });
});
