/**
 * Short tests of the permutations of small spaces: every path through tables and shuffles, compared with the slow
 * reference. Mutation testing runs them for every mutant (docs/contributing.md). The long tests are in
 * test/kernel/permutation/permutation.test.ts.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sometimesRecurse, tablePermutation } from '../../src/kernel/permutation/permutation.ts';
import { drawsFrom } from '../../src/kernel/permutation/small-space.ts';
import { sometimesRecurseReference, tableReference } from '../reference/permutation.ts';
import { random } from '../reference/random.ts';

const range = (length: number) => Array.from({ length }, (_, i) => i);

describe.each([1, 2, 3, 10, 65, 600])('a table of %i', (size) => {
  const { bytes } = random(`short table ${size}`);
  const key = bytes(32);
  const tweaks = [new Uint8Array(0), bytes(3), bytes(3), bytes(40)];
  const expected = tweaks.map((tweak) => tableReference(key, size, tweak));

  it('equals that of the reference, value by value and in columns', () => {
    const table = tablePermutation(key, size);
    expect(table.size).toBe(size);
    for (const [i, tweak] of tweaks.entries()) {
      expect(table.encryptMany(range(size), tweak)).toEqual(expected[i]);
      expect(table.decryptMany(expected[i]!, tweak)).toEqual(range(size));
      for (const index of [0, size - 1, size >> 1]) {
        expect(table.encrypt(index, tweak)).toBe(expected[i]![index]);
        expect(table.decrypt(expected[i]![index]!, tweak)).toBe(index);
      }
    }
  });

  it('takes a tweak for each value, in runs and mixed', () => {
    const table = tablePermutation(key, size);
    const rows = [0, 0, 1, 1, 2, 1, 0, 3, 3, 2];
    const indices = rows.map((_, i) => (i * 7) % size);
    const out = rows.map((which, i) => expected[which]![indices[i]!]!);
    // In the second call, the tweaks have equal bytes in other arrays.
    for (const copy of [(tweak: Uint8Array) => tweak, (tweak: Uint8Array) => Uint8Array.from(tweak)]) {
      const theirs = rows.map((which) => copy(tweaks[which]!));
      expect(table.encryptMany(indices, theirs)).toEqual(out);
      expect(table.decryptMany(out, theirs)).toEqual(indices);
    }
  });
});

describe.each([2, 3, 4, 5, 9, 16, 33, 700])('sometimes-recurse of %i', (size) => {
  const { bytes, below } = random(`short shuffle ${size}`);
  const key = bytes(32);
  const tweaks = [new Uint8Array(0), bytes(5), bytes(33)];
  const slow = tweaks.map((tweak) => sometimesRecurseReference(key, size, tweak));
  const indices = [0, size - 1, ...range(14).map((i) => (size <= 16 ? i % size : below(size)))];
  const expected = slow.map(({ encrypt }) => indices.map(encrypt));

  it('equals that of the reference, value by value', () => {
    const shuffle = sometimesRecurse(key, size);
    expect(shuffle.size).toBe(size);
    for (const [i, tweak] of tweaks.entries()) {
      expect(indices.slice(0, 5).map((index) => shuffle.encrypt(index, tweak))).toEqual(expected[i]!.slice(0, 5));
      expect(expected[i]!.slice(0, 5).map((index) => shuffle.decrypt(index, tweak))).toEqual(indices.slice(0, 5));
    }
  });

  it.each([1, 4, 11, 12, 16])('equals it for %i values in one call', (count) => {
    const shuffle = sometimesRecurse(key, size);
    const some = indices.slice(0, count);
    expect(shuffle.encryptMany(some, tweaks[1]!)).toEqual(expected[1]!.slice(0, count));
    expect(shuffle.decryptMany(expected[1]!.slice(0, count), tweaks[1]!)).toEqual(some);
    // A column with runs of equal tweaks.
    const rows = range(count).map((i) => (i < 3 ? 0 : i % 3));
    const theirs = rows.map((which) => tweaks[which]!);
    const out = rows.map((which, i) => expected[which]![i]!);
    expect(shuffle.encryptMany(some, theirs)).toEqual(out);
    expect(shuffle.decryptMany(out, theirs)).toEqual(some);
    expect(shuffle.encryptMany([], theirs.slice(0, 0))).toEqual([]);
    expect(shuffle.decryptMany([], tweaks[0]!)).toEqual([]);
  });
});

it('takes a column with more values than one pass of the rounds takes', () => {
  const { bytes } = random('short column');
  const key = bytes(32);
  const shuffle = sometimesRecurse(key, 2);
  const tweaks = [bytes(1), bytes(2)];
  const whole = tweaks.map((tweak) => range(2).map(sometimesRecurseReference(key, 2, tweak).encrypt));
  const indices = range(4100).map((i) => i % 2);
  const theirs = indices.map((_, i) => tweaks[(i >> 3) & 1]!);
  const out = indices.map((index, i) => whole[(i >> 3) & 1]![index]!);
  expect(shuffle.encryptMany(indices, theirs)).toEqual(out);
});

describe('tables that are kept', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const key = random('kept tables').bytes(32);
  const tweak = (i: number) => Uint8Array.of(i >> 8, i & 255);
  /**
   * Counts the tables that were made. Each has a keystream of its own, for which AES over many blocks is set up once.
   */
  const made = () => {
    const spy = vi.spyOn(process, 'getBuiltinModule');
    return () => {
      const calls = spy.mock.calls.length;
      spy.mockClear();
      return calls;
    };
  };

  it('a table is made once for a tweak and serves both directions', () => {
    const table = tablePermutation(key, 100);
    const count = made();
    for (const i of [1, 2, 1, 2, 1]) table.encrypt(5, tweak(i));
    expect(count()).toBe(2);
    for (const i of [2, 1, 1]) table.decrypt(5, tweak(i));
    expect(count()).toBe(0);
    table.encryptMany([1, 2, 3], [tweak(3), tweak(1), tweak(3)]);
    expect(count()).toBe(1);
    table.encryptMany([1, 2, 3], tweak(4));
    table.encryptMany([], tweak(5));
    expect(count()).toBe(1);
  });

  it('the least recently used are dropped, in two generations of 2^21 entries', () => {
    const size = 2 ** 17;
    const table = tablePermutation(key, size);
    const count = made();
    // Each has 2 * 2^17 + 98 entries, so a generation has seven.
    for (let i = 1; i <= 14; i++) table.encrypt(0, tweak(i));
    expect(count()).toBe(14);
    // 1 to 7 are the older generation. 8 to 14 are in the newer one and stay there.
    for (let i = 14; i >= 8; i--) table.encrypt(0, tweak(i));
    expect(count()).toBe(0);
    // A table of the older generation is used, so it begins a new one: 8 to 14 become the older, and 2 to 7 are
    // dropped.
    table.encrypt(0, tweak(1));
    expect(count()).toBe(0);
    table.encrypt(0, tweak(2));
    expect(count()).toBe(1);
    table.encrypt(0, tweak(8));
    table.encrypt(0, tweak(1));
    expect(count()).toBe(0);
  });

  it('one table that is larger than the bound is kept until another tweak is used', () => {
    const table = tablePermutation(key, 2 ** 20);
    const count = made();
    const first = table.encrypt(77, tweak(1));
    expect(table.decrypt(first, tweak(1))).toBe(77);
    expect(count()).toBe(1);
  });

  it('a long tweak counts with its length', () => {
    const table = tablePermutation(key, 2);
    const count = made();
    const long = (i: number) => new Uint8Array(65_536).fill(i);
    // Each has 65,636 entries, so a generation has 31.
    for (let i = 0; i < 62; i++) table.encrypt(0, long(i));
    expect(count()).toBe(62);
    for (let i = 0; i < 31; i++) table.encrypt(0, long(61 - i));
    expect(count()).toBe(0);
    table.encrypt(0, long(0));
    expect(count()).toBe(0);
    table.encrypt(0, long(1));
    expect(count()).toBe(1);
  });
});

describe('draws', () => {
  it('encrypt at most 512 blocks in a call, and no more than are expected', () => {
    const lengths: number[] = [];
    const blocks = (input: Uint8Array) => {
      lengths.push(input.length / 16);
      return Uint8Array.from(input);
    };
    for (const [expected, size] of [
      [0, 1],
      [1, 1],
      [4, 1],
      [5, 2],
      [2048, 512],
      [100_000, 512],
    ] as const) {
      lengths.length = 0;
      const draw = drawsFrom(blocks, expected);
      for (let i = 0; i < 4 * size; i++) draw(1);
      expect(lengths).toEqual([size]);
      draw(1);
      expect(lengths).toEqual([size, size]);
    }
  });

  it('read the words of E(0), E(1), … in order, big-endian', () => {
    // The cipher is the identity, so each block is three words of zeros and the counter.
    const draw = drawsFrom((input) => Uint8Array.from(input), 8);
    const words = range(40).map(() => draw(2 ** 20) * 2 ** 12);
    expect(words.every((word) => word === 0)).toBe(true);
    const high = drawsFrom((input) => Uint8Array.from(input, (_, i) => (i % 16) * 16 + input[(i | 15) as number]!), 8);
    expect(range(12).map(() => high(2 ** 16))).toEqual(
      [0, 1, 2].flatMap((c) => [0, 0x40, 0x80, 0xc0].map((top) => ((top + c) << 8) | (top + 16 + c))),
    );
  });
});
