/**
 * Short tests of FF1: every path through the arithmetic and the rounds a few times, compared with the literal
 * algorithm. Mutation testing runs them for every mutant (docs/contributing.md). The long tests are in test/kernel.
 */
import { describe, expect, it } from 'vitest';
import { alphabet } from '../../src/kernel/alphabet.ts';
import { minimumLength } from '../../src/kernel/domain.ts';
import { cycleWalking } from '../../src/kernel/ff1/cycle-walking.ts';
import { ff1, ff1Network, MAX_LENGTH, MAX_TWEAK } from '../../src/kernel/ff1/ff1.ts';
import { bigints, bytesOf, doublesHalf, fitsDouble, limbed } from '../../src/kernel/ff1/halves.ts';
import { ff1Reference } from '../reference/ff1.ts';
import { random } from '../reference/random.ts';

// Radix, length, and bytes of the tweak. The shapes cover halves in one double; in limbs; in limbs with a second block
// of S; with a second block of Q; in BigInt; odd lengths, where the halves differ; halves of 2^36, and one more digit.
const shapes = [
  [10, 6, 0],
  [10, 7, 12],
  [10, 16, 13],
  [10, 20, 7],
  [10, 21, 40],
  [10, 40, 3],
  [10, 41, 16],
  [10, 77, 1],
  [10, 199, 20],
  [10, 203, 5],
  [2, 20, 8],
  [2, 33, 31],
  [2, 72, 10],
  [2, 73, 11],
  [2, 235, 60],
  [2, 721, 2],
  [36, 5, 9],
  [36, 14, 15],
  [36, 30, 17],
  [255, 9, 4],
  [65_536, 2, 32],
  [65_536, 4, 6],
  [65_536, 5, 14],
  [65_536, 47, 33],
] as const;

describe.each(shapes)('radix %i, %i numerals, a tweak of %i bytes', (radix, length, tweakLength) => {
  const { bytes, below } = random(`short ff1 ${radix} ${length}`);
  const key = bytes(32);
  const batch = Array.from({ length: 9 }, () => Array.from({ length }, () => below(radix)));
  batch[3] = batch[3]!.fill(0);
  batch[4] = batch[4]!.fill(radix - 1);
  const tweaks = batch.map(() => new Uint8Array(bytes(tweakLength)));
  const encrypted = batch.map((X, i) => ff1Reference('encrypt', key, radix, X, tweaks[i]!));
  const together = batch.map((X) => ff1Reference('encrypt', key, radix, X, tweaks[0]!));

  it('one value', () => {
    const cipher = ff1(key, radix);
    for (let i = 0; i < 5; i++) {
      expect(cipher.encrypt(batch[i]!, tweaks[i]!)).toEqual(encrypted[i]);
      expect(cipher.decrypt(encrypted[i]!, tweaks[i]!)).toEqual(batch[i]);
    }
  });

  it.each([1, 3, 9])('%i together', (count) => {
    const cipher = ff1(key, radix);
    const values = batch.slice(0, count);
    expect(cipher.encryptMany(values, tweaks.slice(0, count))).toEqual(encrypted.slice(0, count));
    expect(cipher.decryptMany(encrypted.slice(0, count), tweaks.slice(0, count))).toEqual(values);
    expect(cipher.encryptMany(values, tweaks[0]!)).toEqual(together.slice(0, count));
    expect(cipher.decryptMany(together.slice(0, count), tweaks[0]!)).toEqual(values);
  });
});

it('encrypts a batch of mixed lengths and tweaks, and one with more values than one pass of the rounds takes', () => {
  const { bytes, below } = random('short ff1 batch');
  const cipher = ff1(bytes(16), 10);
  const batch = Array.from({ length: 30 }, (_, i) => Array.from({ length: 6 + ((i >> 1) % 5) }, () => below(10)));
  const tweaks = batch.map((_, i) => new Uint8Array(bytes(i % 3)));
  const encrypted = batch.map((value, i) => cipher.encrypt(value, tweaks[i]!));
  expect(cipher.encryptMany(batch, tweaks)).toEqual(encrypted);
  expect(cipher.decryptMany(encrypted, tweaks)).toEqual(batch);
  const many = Array.from({ length: 1030 }, (_, i) => [...`${100_000 + i}`].map(Number));
  const theirs = many.map((_, i) => Uint8Array.of(i & 1));
  const out = cipher.encryptMany(many, theirs);
  for (const i of [0, 1, 1023, 1024, 1029]) expect(out[i]).toEqual(cipher.encrypt(many[i]!, theirs[i]!));
  expect(cipher.encryptMany(many, theirs[1]!)[1027]).toEqual(cipher.encrypt(many[1027]!, theirs[1]!));
});

/** Whole numbers whose quotient in doubles may be wrong by one: multiples of a divisor, and their neighbours. */
function edges(divisor: bigint, most: bigint, below: (limit: number) => number): bigint[] {
  const out = [0n, 1n, most, most - 1n];
  for (let i = 0; i < 16; i++) {
    const quotient = (most / divisor / 2n ** 30n) * BigInt(below(2 ** 30)) + BigInt(below(1000));
    for (const near of [-1n, 0n, 1n]) out.push(quotient * divisor + near);
  }
  return out.filter((x) => x >= 0n && x <= most);
}

// For 49, 98, 103, 107 and 161, the inverse times a multiple is below the exact quotient in doubles.
describe.each([
  [2, 20],
  [2, 36],
  [2, 37],
  [2, 100],
  [3, 22],
  [10, 1],
  [10, 3],
  [10, 5],
  [10, 10],
  [10, 11],
  [10, 35],
  [10, 105],
  [49, 4],
  [49, 6],
  [49, 13],
  [98, 5],
  [103, 5],
  [107, 5],
  [161, 4],
  [255, 7],
  [65_521, 2],
  [65_536, 1],
  [65_536, 2],
  [65_536, 9],
] as const)('halves of %i^%i', (radix, digits) => {
  const { below } = random(`short halves ${radix} ${digits}`);
  const modulus = BigInt(radix) ** BigInt(digits);
  const b = Math.ceil((modulus - 1n).toString(2).length / 8);
  const d = 4 * Math.ceil(b / 4) + 4;
  const stride = 16 * Math.ceil(Math.max(b + 1, d) / 16);
  const numeralsOf = (x: bigint) => {
    const out = new Array<number>(digits);
    for (let i = digits - 1; i >= 0; i--, x /= BigInt(radix)) out[i] = Number(x % BigInt(radix));
    return out;
  };
  const kinds = [limbed, bigints, ...(fitsDouble(radix, digits) ? [doublesHalf] : [])];
  // The code divides in three places: by the radix, by the base of a limb, and by the modulus.
  const values = [...edges(BigInt(radix), modulus - 1n, below), ...edges(BigInt(radix) ** 2n, modulus - 1n, below)];
  const sums = edges(modulus, 2n ** BigInt(8 * d) - 1n, below);

  it('b is the number of bytes of the largest half', () => {
    expect(bytesOf(radix, digits)).toBe(b);
    expect(fitsDouble(radix, digits)).toBe(modulus <= 2n ** 36n);
  });

  it.each(kinds.map((make) => [make.name, make] as const))('numerals and bytes, %s', (_, make) => {
    const half = make(radix, digits);
    half.reserve(values.length);
    const bytes = new Uint8Array(stride * values.length).fill(0xa5);
    for (const [i, x] of values.entries()) half.load(i, [7, 7, 7, ...numeralsOf(x), 7], 3);
    half.xorInto(new DataView(bytes.buffer), values.length, stride);
    for (const [i, x] of values.entries()) {
      const own = bytes.subarray(i * stride, (i + 1) * stride).map((byte) => byte ^ 0xa5);
      if (BigInt(`0x${Buffer.from(own).toString('hex')}`) !== x) expect.fail(`bytes of ${x}`);
      const out = [8, 8, ...new Array<number>(digits).fill(-1), 8];
      half.store(i, out, 2);
      if (out.join() !== [8, 8, ...numeralsOf(x), 8].join()) expect.fail(`numerals of ${x}`);
      if (radix === 2) {
        expect(BigInt(half.bits(i))).toBe(x);
        half.loadBits(i, modulus - 1n - x);
        expect(BigInt(half.bits(i))).toBe(modulus - 1n - x);
      }
    }
  });

  it.each(kinds.map((make) => [make.name, make] as const))('sums, %s', (_, make) => {
    const half = make(radix, digits);
    half.reserve(sums.length);
    const s = Buffer.alloc(stride * sums.length, 0xff);
    for (const [i, y] of sums.entries()) s.write(y.toString(16).padStart(2 * d, '0'), i * stride, 'hex');
    for (const x of [0n, modulus - 1n, modulus / 3n]) {
      for (const sign of [1, -1] as const) {
        for (let i = 0; i < sums.length; i++) half.load(i, numeralsOf(x), 0);
        half.add(new DataView(s.buffer, s.byteOffset, s.length), sums.length, stride, d, sign);
        for (const [i, y] of sums.entries()) {
          const out = new Array<number>(digits);
          half.store(i, out, 0);
          const expected = numeralsOf((((x + BigInt(sign) * y) % modulus) + modulus) % modulus);
          if (out.join() !== expected.join()) expect.fail(`${x} and ${sign} times ${y}`);
        }
      }
    }
  });
});

describe('a network', () => {
  it('returns the same results after more lengths than it keeps', () => {
    const cipher = ff1(random('short lengths').bytes(32), 10);
    const value = (length: number) => Array.from({ length }, (_, i) => i % 10);
    const first = cipher.encrypt(value(12));
    for (let length = 6; length < 270; length++) cipher.encrypt(value(length));
    expect(cipher.encrypt(value(12))).toEqual(first);
  });

  it('prepares each length once', () => {
    const network = ff1Network(random('short lanes').bytes(32), 10);
    const lane = network.lane(12);
    expect(network.lane(13)).not.toBe(lane);
    expect(network.lane(12)).toBe(lane);
    // 256 lengths are kept. The next one empties the list.
    for (let length = 14; length < 14 + 254; length++) network.lane(length);
    expect(network.lane(12)).toBe(lane);
    network.lane(14 + 254);
    expect(network.lane(12)).not.toBe(lane);
  });
});

describe('messages', () => {
  const key = new Uint8Array(16);
  const cipher = ff1(key, 10);
  const good = [1, 2, 3, 4, 5, 6];

  it.each([
    [() => ff1('k' as never, 10), TypeError, '"key" expected bytes, got string'],
    [() => ff1(new Uint8Array(17), 10), RangeError, '"key" expected 16, 24 or 32 bytes, got 17'],
    [() => ff1(key, 1), RangeError, '"radix" expected a whole number from 2 to 65536'],
    [() => ff1(key, 65_537), RangeError, '"radix" expected a whole number from 2 to 65536'],
    [() => ff1(key, 10, 5 as never), TypeError, '"options" expected an object, got number'],
    [() => ff1(key, 10, { other: 1 } as never), TypeError, '"options" has an option that is not one of minDomain'],
    [
      () => ff1(key, 10, { minDomain: 99 }),
      RangeError,
      '"minDomain" expected a whole number from 100 to 9007199254740991',
    ],
    [() => cipher.encrypt('123456' as never), TypeError, '"numerals" expected a list of numbers, got string'],
    [() => cipher.encrypt(null as never), TypeError, '"numerals" expected a list of numbers, got null'],
    [() => cipher.encrypt({} as never), TypeError, '"numerals" expected a list of numbers, got object'],
    [() => cipher.encrypt([1]), RangeError, '"numerals" expected a length of 6 to 4096 in radix 10, got 1'],
    [
      () => cipher.encrypt(new Uint8Array(MAX_LENGTH + 1)),
      RangeError,
      '"numerals" expected a length of 6 to 4096 in radix 10, got 4097',
    ],
    [
      () => cipher.decrypt([1, 2, 3, 4, 5, 10]),
      RangeError,
      '"numerals" expected whole numbers from 0 to 9; the one at index 5 is not',
    ],
    [() => cipher.encrypt(good, 'x' as never), TypeError, '"tweak" expected bytes, got string'],
    [
      () => cipher.encrypt(good, new Uint8Array(MAX_TWEAK + 1)),
      RangeError,
      '"tweak" expected at most 65536 bytes, got 65537',
    ],
    [() => cipher.encryptMany(5 as never), TypeError, '"batch" expected an array of lists of numbers, got number'],
    [() => cipher.encryptMany([good], 5 as never), TypeError, '"tweak" expected bytes, got number'],
    [() => cipher.encryptMany([good], []), RangeError, '"tweaks" expected one for each of 1 values, got 0'],
    [
      () => cipher.encryptMany([good, good], [key, 5 as never]),
      TypeError,
      '"tweak" expected bytes, got number (value 2 of the batch)',
    ],
    [
      () => cipher.encryptMany([good, [1]]),
      RangeError,
      '"numerals" expected a length of 6 to 4096 in radix 10, got 1 (value 2 of the batch)',
    ],
    [
      () => cipher.decryptMany([5 as never]),
      TypeError,
      '"numerals" expected a list of numbers, got number (value 1 of the batch)',
    ],
    [() => alphabet(5 as never), TypeError, '"alphabet" expected text, got number'],
    [() => alphabet('a\ud800'), RangeError, '"alphabet" expected text without halves of surrogate pairs'],
    [() => alphabet('a'), RangeError, '"alphabet" expected 2 to 65536 characters, got 1'],
    [() => alphabet('aba'), RangeError, '"alphabet" expected different characters; one of them occurs twice'],
    [() => alphabet('ab').parse(5 as never), TypeError, '"text" expected text, got number'],
    [() => alphabet('ab').parse('abc'), RangeError, '"text" character 3 is not one of the 2 of the alphabet'],
    [() => alphabet('a\u{1f600}').parse('aab'), RangeError, '"text" character 3 is not one of the 2 of the alphabet'],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(kind);
    expect(call).toThrow(new kind(message));
  });

  it('accepts values at the limits', () => {
    const long = new Uint8Array(MAX_LENGTH).fill(7);
    expect(cipher.decrypt(cipher.encrypt(long))).toEqual([...long]);
    const tweak = new Uint8Array(MAX_TWEAK);
    expect(cipher.decryptMany(cipher.encryptMany([good], [tweak]), tweak)).toEqual([good]);
    expect(ff1(key, 10, { minDomain: 100 }).encrypt([1, 2])).toHaveLength(2);
    expect([
      minimumLength(2),
      minimumLength(10),
      minimumLength(1000),
      minimumLength(1001),
      minimumLength(10, 100),
    ]).toEqual([20, 6, 2, 2, 2]);
  });
});

describe('an alphabet', () => {
  it('may have any size up to 65,536, and characters of two code units', () => {
    const all = Array.from({ length: 65_537 }, (_, i) => String.fromCodePoint(0x10000 + i));
    expect(alphabet(all.slice(0, 65_536).join('')).parse(all[65_535]! + all[0]!)).toEqual([65_535, 0]);
    expect(() => alphabet(all.join(''))).toThrow('"alphabet" expected 2 to 65536 characters, got 65537');
  });

  it('reads one numeral more than the limit, and returns the place of a character that is not in it', () => {
    for (const symbols of ['ab', 'a\u{1f600}b']) {
      const { read } = alphabet(symbols);
      expect((read('abab', 4) as number[]).length).toBe(4);
      expect((read('ababa', 4) as number[]).length).toBe(5);
      expect((read('ababab', 4) as number[]).length).toBe(5);
      expect(read('', 4)).toEqual([]);
      expect(read('xab', 4)).toBe(-1);
      expect(read('abx', 4)).toBe(-3);
      expect(read('abé', 4)).toBe(-3);
    }
  });
});

describe('a walk', () => {
  it('over a column continues with the values that are not below the size yet, each under its tweak', () => {
    const { bytes, below } = random('short walk');
    for (const size of [2 ** 20 + 1, 2n ** 60n + 1n]) {
      const walk = cycleWalking(bytes(32), size);
      const indices = Array.from({ length: 12 }, () =>
        typeof size === 'number' ? below(size) : BigInt(below(2 ** 30)) << 29n,
      );
      const tweaks = indices.map((_, i) => new Uint8Array(bytes(i % 3)));
      const out = walk.encryptMany(indices, tweaks);
      expect(out).toEqual(indices.map((index, i) => walk.encryptMany([index], tweaks[i]!)[0]));
      expect(out.every((index) => index < size)).toBe(true);
      expect(walk.decryptMany(out, tweaks)).toEqual(indices);
      expect(walk.decryptMany(walk.encryptMany(indices, tweaks[5]!), tweaks[5]!)).toEqual(indices);
    }
  });

  it('is FF1 in radix 2 for sizes above 2^53, too', () => {
    const { bytes } = random('short wide walk');
    const key = bytes(32);
    for (const k of [61, 100]) {
      const walk = cycleWalking(key, 2n ** BigInt(k));
      const index = 2n ** BigInt(k - 1) + 12_345n;
      const bits = ff1Reference('encrypt', key, 2, [...index.toString(2)].map(Number), Uint8Array.of(1));
      expect(walk.encryptMany([index], Uint8Array.of(1))).toEqual([BigInt(`0b${bits.join('')}`)]);
    }
  });
});
