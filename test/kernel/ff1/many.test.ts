import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alphabet, ff1, ff1Text } from '../../../src/ff1.ts';
import { manyBlocks, portableBlocks } from '../../../src/kernel/aes/aes.ts';
import { minimumLength } from '../../../src/kernel/domain.ts';
import { bigints, doublesHalf, fitsDouble, type Half, limbed, makeHalf } from '../../../src/kernel/ff1/halves.ts';
import { ff1Reference } from '../../reference/ff1.ts';
import { random } from '../../reference/random.ts';

describe('one block at a time and many at once', () => {
  it('give the same bytes for keys of 16, 24 and 32 bytes and any number of blocks', () => {
    const { bytes } = random('aes doors');
    for (const length of [16, 24, 32]) {
      for (const blocks of [0, 1, 2, 7, 8, 9, 100]) {
        const key = bytes(length);
        const buffer = bytes(16 * blocks);
        expect(Buffer.from(portableBlocks(key)(buffer))).toEqual(Buffer.from(manyBlocks(key)(buffer)));
      }
    }
  });
});

// Radices, lengths up to 200 and tweaks up to 64 bytes, in batches whose values share a length.
interface Batch {
  readonly radix: number;
  readonly key: Uint8Array;
  readonly batch: number[][];
  readonly tweaks: Uint8Array[];
}

function* batches(name: string, cases: number, each: number): Generator<Batch> {
  const { bytes, below } = random(name);
  for (let done = 0; done < cases; done += each) {
    const edge = [2, 10, 16, 26, 36, 62, 256, 65_535, 65_536];
    const radix = below(2) === 0 ? edge[below(edge.length)]! : 2 + below(65_535);
    const least = minimumLength(radix);
    const length = least + below(201 - least);
    const tweakLength = below(65);
    yield {
      radix,
      key: bytes([16, 24, 32][below(3)]!),
      batch: Array.from({ length: each }, () => Array.from({ length }, () => below(radix))),
      tweaks: Array.from({ length: each }, () => bytes(tweakLength)),
    };
  }
}

describe('a digest over pseudo-random cases, in batches', () => {
  function digests(name: string, cases: number): { fast: string; slow: string } {
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (const { radix, key, batch, tweaks } of batches(name, cases, 50)) {
      const cipher = ff1(key, radix);
      const encrypted = cipher.encryptMany(batch, tweaks);
      expect(cipher.decryptMany(encrypted, tweaks)).toEqual(batch);
      fast.update(JSON.stringify(encrypted));
      slow.update(JSON.stringify(batch.map((X, i) => ff1Reference('encrypt', key, radix, X, tweaks[i]!))));
    }
    return { fast: fast.digest('hex'), slow: slow.digest('hex') };
  }

  it('is that of the literal algorithm over 3,000', () => {
    const { fast, slow } = digests('ff1 3,000', 3000);
    expect(fast).toBe(slow);
    expect(fast).toBe('018bb2204e042c7ffe398a05fedfb254950e04e7b5b13f305e6e28792769187e');
  });

  // Two minutes of literal arithmetic: .ci/run does it.
  it.runIf(process.env.TREFOIL_LONG)('is that of the literal algorithm over 100,000', { timeout: 900_000 }, () => {
    const { fast, slow } = digests('ff1 100,000', 100_000);
    expect(fast).toBe(slow);
    expect(fast).toBe('a2675f2db73579aa21487327a7d78f9072bbde78b3593fed9d2add93446d66a4');
  });
});

describe('a batch', () => {
  const { bytes, below } = random('ff1 batches');

  it('gives what its values give alone: mixed lengths, mixed tweaks, batches of 1 to 3,000', () => {
    for (const [radix, count, most] of [
      [10, 1, 20],
      [10, 7, 40],
      [10, 8, 19],
      [2, 300, 130],
      [36, 200, 60],
      [62, 100, 200],
      [65_536, 50, 30],
      [10, 3000, 18],
    ] as const) {
      const cipher = ff1(bytes(32), radix);
      const least = minimumLength(radix);
      const batch = Array.from({ length: count }, () =>
        Array.from({ length: least + below(most - least + 1) }, () => below(radix)),
      );
      const tweaks = batch.map(() => bytes(below(40)));
      const encrypted = cipher.encryptMany(batch, tweaks);
      expect(encrypted).toEqual(batch.map((value, i) => cipher.encrypt(value, tweaks[i])));
      expect(cipher.decryptMany(encrypted, tweaks)).toEqual(batch);
      // The same tweaks of one length, one after another.
      const each = tweaks.map((tweak) => Buffer.concat([tweak, Buffer.alloc(40)]).subarray(0, 21));
      const column = { bytes: new Uint8Array(Buffer.concat(each)), each: 21 };
      expect(cipher.encryptMany(batch, column)).toEqual(cipher.encryptMany(batch, each));
      expect(cipher.encryptMany(batch, tweaks[0]!)).toEqual(batch.map((value) => cipher.encrypt(value, tweaks[0])));
      expect(cipher.encryptMany(batch)).toEqual(batch.map((value) => cipher.encrypt(value)));
    }
  });

  it('gives typed arrays for typed arrays, of the same kind, and leaves what it was given alone', () => {
    const cipher = ff1(bytes(16), 10);
    const value = [4, 1, 1, 1, 1, 1, 1, 1, 1, 2];
    const encrypted = cipher.encrypt(value);
    for (const kind of [Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array, Int8Array, Int32Array, Float64Array]) {
      const typed = kind.from(value);
      const [out] = cipher.encryptMany([typed]);
      expect(out).toBeInstanceOf(kind);
      expect(Array.from(out!)).toEqual(encrypted);
      expect(Array.from(typed)).toEqual(value);
    }
    const arrayLike: ArrayLike<number> = Object.assign({ length: 10 }, value);
    expect(cipher.encryptMany([arrayLike])).toEqual([encrypted]);
    expect(cipher.encrypt(new Uint8Array(value))).toEqual(encrypted);
    expect(cipher.encryptMany([])).toEqual([]);
  });

  it('is never cut: a kind of typed array that does not hold every numeral is refused', () => {
    const key = bytes(16);
    const KINDS = [
      [Int8Array, 128],
      [Uint8Array, 256],
      [Uint8ClampedArray, 256],
      [Int16Array, 32_768],
      [Uint16Array, 65_536],
      [Int32Array, 65_536],
      [Uint32Array, 65_536],
      [Float32Array, 65_536],
      [Float64Array, 65_536],
    ] as const;
    for (const radix of [10, 127, 128, 129, 255, 256, 257, 1000, 32_768, 32_769, 65_535, 65_536]) {
      const cipher = ff1(key, radix);
      const value = Array.from({ length: 8 }, () => below(Math.min(radix, 128)));
      for (const [kind, most] of KINDS) {
        // The result of one value is an array of numbers, which can hold every numeral.
        const typed = kind.from(value);
        expect(cipher.encrypt(typed)).toEqual(cipher.encrypt(value));
        expect(cipher.decrypt(typed)).toEqual(cipher.decrypt(value));
        if (radix > most) {
          for (const run of [cipher.encryptMany, cipher.decryptMany]) {
            expect(() => run([typed])).toThrow(
              new RangeError(
                `"batch" expected arrays that can hold 0 to ${radix - 1}, got one that cannot (value 1 of the batch)`,
              ),
            );
          }
          continue;
        }
        const [out] = cipher.encryptMany([typed]);
        expect(out).toBeInstanceOf(kind);
        expect(Array.from(out!)).toEqual(cipher.encrypt(value));
        expect(cipher.decryptMany([out!])).toEqual([typed]);
      }
    }
  });

  it('gives Uint8Arrays for Buffers and for subclasses', () => {
    class Own extends Uint8Array {
      constructor() {
        super(0);
        throw new Error('is not made again');
      }
    }
    const value = Uint8Array.of(200, 1, 2, 255);
    const cipher = ff1(bytes(16), 256);
    const own = Object.setPrototypeOf(Uint8Array.from(value), Own.prototype) as Uint8Array;
    for (const typed of [Buffer.from(value), own]) {
      const [out] = cipher.encryptMany([typed]);
      expect(Object.getPrototypeOf(out)).toBe(Uint8Array.prototype);
      expect(Array.from(out!)).toEqual(cipher.encrypt(value));
    }
    expect(() => ff1(bytes(16), 257).encryptMany([Buffer.from(value)])).toThrow(
      /^"batch" expected arrays that can hold/,
    );
    expect(() => ff1(bytes(16), 256).encryptMany([new BigUint64Array(4)] as never)).toThrow(
      /^"numerals" expected whole/,
    );
    expect(() => ff1(bytes(16), 256).encryptMany([new DataView(new ArrayBuffer(4))] as never)).toThrow(TypeError);
  });

  it('enciphers what was checked: every numeral is read once', () => {
    const cipher = ff1(bytes(16), 10);
    const value = [1, 1, 1, 1, 1, 1, 1];
    /** A list whose third numeral is another one, and no numeral, from the second time on. */
    function turning(list: { [index: number]: number }, reads: { count: number }): ArrayLike<number> {
      Object.defineProperty(list, 2, {
        get: () => {
          reads.count++;
          return reads.count === 1 ? 1 : 9e15;
        },
      });
      return list as ArrayLike<number>;
    }
    const lists = [
      () => [...value],
      () => Object.assign({ length: 7 }, value),
      () => Object.create({ ...value, length: 7 }) as { [index: number]: number },
    ];
    for (const list of lists) {
      const runs = [
        (turned: ArrayLike<number>) => cipher.encrypt(turned),
        (turned: ArrayLike<number>) => cipher.encryptMany([turned])[0],
      ];
      for (const run of runs) {
        const reads = { count: 0 };
        expect(run(turning(list(), reads))).toEqual(cipher.encrypt(value));
        expect(reads.count).toBe(1);
      }
    }
    const base10 = alphabet('0123456789');
    expect(base10.format(turning([...value], { count: 0 }))).toBe('1111111');
  });

  it('is not changed by the lists behind, nor by what a typed array says of its length', () => {
    const cipher = ff1(bytes(16), 10);
    const first = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
    const behind = [1, 1, 1, 1, 1, 1, 1];
    Object.defineProperty(behind, 0, {
      get: () => {
        first.fill(255);
        return 1;
      },
    });
    const expected = cipher.encrypt(first);
    expect(Array.from(cipher.encryptMany<ArrayLike<number>>([first, behind])[0]!)).toEqual(expected);
    const liar = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
    Object.defineProperty(liar, 'length', { value: 9 });
    expect(cipher.encryptMany([liar]).map((out) => Array.from(out))).toEqual([expected]);
    expect(() => cipher.encrypt(liar)).toThrow(
      /^"numerals" expected whole numbers from 0 to 9; the one at index 7 is not$/,
    );
  });

  it('says which value of it does not fit, without it', () => {
    const cipher = ff1(bytes(16), 10);
    const good = [1, 2, 3, 4, 5, 6, 7];
    expect(() => cipher.encryptMany([good, [1, 2, 3, 4, 5, 6, 77]])).toThrow(
      new RangeError('"numerals" expected whole numbers from 0 to 9; the one at index 6 is not (value 2 of the batch)'),
    );
    expect(() => cipher.encryptMany([good, [1, 2]])).toThrow(/length of 6 to 4096 .*got 2 \(value 2 of the batch\)/);
    expect(() => cipher.encryptMany([good], [])).toThrow(/^"tweaks" expected one for each of 1 values, got 0$/);
    expect(() => cipher.encryptMany([good], { bytes: new Uint8Array(3), each: 2 })).toThrow(
      /^"tweaks" expected 2 bytes for each of 1 values, got 3 in all$/,
    );
    expect(() => cipher.encryptMany([good], { bytes: [1] as never, each: 1 })).toThrow(TypeError);
    expect(() => cipher.encryptMany([good], { bytes: new Uint8Array(0), each: -1 })).toThrow(RangeError);
    expect(() => cipher.encryptMany([good], {} as never)).toThrow(/^"tweak" expected bytes/);
    expect(() => cipher.encryptMany([good], ['x' as never])).toThrow(/^"tweak" expected bytes/);
    expect(() => cipher.encryptMany('1234567' as never)).toThrow(TypeError);
    expect(() => cipher.encryptMany([null as never])).toThrow(TypeError);
  });

  it('does not depend on what the cipher did before, nor on tweaks changed since', () => {
    const key = bytes(32);
    const fresh = (value: number[], tweak: Uint8Array) => ff1(key, 10).encrypt(value, tweak);
    const cipher = ff1(key, 10);
    const tweak = bytes(20);
    for (let i = 0; i < 200; i++) {
      const value = Array.from({ length: 6 + below(30) }, () => below(10));
      if (i % 3 === 0) tweak[below(20)]! ^= 1;
      if (i % 7 === 0)
        cipher.encryptMany(
          Array.from({ length: 1 + below(20) }, () => value),
          tweak,
        );
      expect(cipher.encrypt(value, tweak)).toEqual(fresh(value, tweak));
    }
  });
});

describe('the arithmetics agree', () => {
  const S = (hex: string) => {
    const bytes = Buffer.from(hex, 'hex');
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  };
  const kinds: readonly (readonly [string, (radix: number, digits: number) => Half])[] = [
    ['doubles', doublesHalf],
    ['limbs', limbed],
    ['BigInt', bigints],
    ['the one that is chosen', makeHalf],
  ];

  it('on numerals, bytes and sums, to the literal ones, at every edge', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 3, 10, 36, 62, 255, 256, 65_535, 65_536),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(0, 1, 2),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        fc.constantFrom<1 | -1>(1, -1),
        (radix, digits, edge, noise, sign) => {
          const next = () => noise.next().value as number;
          const numerals = Array.from({ length: digits }, () =>
            edge === 0 ? 0 : edge === 1 ? radix - 1 : Math.floor(next() * radix),
          );
          const modulus = BigInt(radix) ** BigInt(digits);
          const b = Math.ceil((modulus - 1n).toString(2).length / 8);
          const d = 4 * Math.ceil(b / 4) + 4;
          const hex = Array.from({ length: 2 * d }, () =>
            (edge === 1 ? 15 : Math.floor(next() * 16)).toString(16),
          ).join('');
          const y = BigInt(`0x${hex}`);
          const x = numerals.reduce((sum, numeral) => sum * BigInt(radix) + BigInt(numeral), 0n);
          const sum = (((x + BigInt(sign) * y) % modulus) + modulus) % modulus;
          for (const [name, make] of kinds) {
            if (name === 'doubles' && !fitsDouble(radix, digits)) continue;
            const half = make(radix, digits);
            half.reserve(1);
            half.load(0, numerals, 0);
            const stride = 16 * Math.ceil((b + 1) / 16);
            const q = new Uint8Array(stride);
            half.xorInto(new DataView(q.buffer), 1, stride);
            expect(BigInt(`0x${Buffer.from(q).toString('hex')}`), name).toBe(x);
            half.add(S(hex), 1, d, d, sign);
            const out = new Array<number>(digits);
            half.store(0, out, 0);
            expect(
              out.reduce((value, numeral) => value * BigInt(radix) + BigInt(numeral), 0n),
              name,
            ).toBe(sum);
            if (radix === 2) {
              expect(BigInt(half.bits(0)), name).toBe(sum);
              half.loadBits(0, fitsDouble(2, digits) ? Number(x) : x);
              expect(BigInt(half.bits(0)), name).toBe(x);
            }
          }
        },
      ),
      { numRuns: 4000, seed: 31 },
    );
  });
});

describe('alphabet', () => {
  it('is a bijection for alphabets of every kind', () => {
    const astral = alphabet('a\u{1f600}\u{1f601}é');
    expect(astral.parse('\u{1f601}aé')).toEqual([2, 0, 3]);
    expect(astral.format([2, 0, 3])).toBe('\u{1f601}aé');
    for (const symbols of ['01', '0123456789', 'zyx', '0123456789abcdefghijklmnopqrstuvwxyz']) {
      const { parse, format, radix } = alphabet(symbols);
      expect(radix).toBe(symbols.length);
      const { below } = random(symbols);
      for (let length = 0; length < 40; length++) {
        const numerals = Array.from({ length }, () => below(radix));
        expect(format(numerals)).toBe(numerals.map((numeral) => symbols[numeral]).join(''));
        expect(parse(format(numerals))).toEqual(numerals);
      }
    }
  });

  it('refuses what is not in it, by its place', () => {
    const { parse } = alphabet('0123456789');
    for (const [text, place] of [
      ['12x', 3],
      ['１2', 1],
      ['1\u0301', 2],
      [' 1', 1],
      ['1\n', 2],
      ['\ud8001', 1],
    ] as const) {
      expect(() => parse(text)).toThrow(
        new RangeError(`"text" character ${place} is not one of the 10 of the alphabet`),
      );
    }
    expect(() => parse(12 as never)).toThrow(TypeError);
    for (const bad of ['', 'a', 'aa', '\ud800a']) expect(() => alphabet(bad)).toThrow(RangeError);
  });
});

describe('a column whose elements are getters', () => {
  const KEY = new Uint8Array(32).fill(7);
  const OTHER = ['9999999999999999', '88888888888'];
  /** A copy of a list in which reading some elements does something first. */
  const watched = <T>(values: readonly T[], act: (i: number) => void): T[] => {
    const list = [...values];
    for (const i of new Set([0, values.length >> 1, values.length - 1])) {
      const value = values[i]!;
      const get = (): T => {
        act(i);
        return value;
      };
      Object.defineProperty(list, i, { get, enumerable: true, configurable: true });
    }
    return list;
  };
  const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => String(4111111111111111 + i * 97));

  it.each([1, 2, 3, 8, 9, 1023, 1025, 2050])('may call the same cipher: %i texts', (count) => {
    for (const symbols of ['0123456789', '0123456789\u{1f600}']) {
      const cipher = ff1Text(KEY, symbols);
      const values = texts(count);
      const tweaks = values.map((_, i) => Uint8Array.of(i, i >> 8));
      const calls = [() => cipher.encryptMany(OTHER), () => cipher.encrypt(OTHER[0]!), () => cipher.decrypt(OTHER[1]!)];
      for (const call of calls) {
        const want = cipher.encryptMany(values);
        expect(cipher.encryptMany(watched(values, call))).toEqual(want);
        expect(cipher.decryptMany(watched(want, call))).toEqual(values);
        const tweaked = cipher.encryptMany(values, tweaks);
        expect(cipher.encryptMany(watched(values, call), watched(tweaks, call))).toEqual(tweaked);
      }
    }
  });

  it('is read once, so that what was checked is what is enciphered', () => {
    const cipher = ff1Text(KEY, '0123456789');
    const [good, short] = ['4111111111111111', '1'];
    let asked = 0;
    const texts = [good, good];
    Object.defineProperty(texts, 1, { get: () => (asked++ === 0 ? good : short) });
    expect(cipher.encryptMany(texts)).toEqual(cipher.encryptMany([good, good]));
    expect(asked).toBe(1);
    const numerals = ff1(KEY, 10);
    const list = [1, 2, 3, 4, 5, 6];
    let tweak = 0;
    const tweaks = [Uint8Array.of(1), Uint8Array.of(2)];
    Object.defineProperty(tweaks, 1, { get: () => (tweak++ === 0 ? Uint8Array.of(2) : 'changed') });
    expect(numerals.encryptMany([list, list], tweaks)).toEqual(
      numerals.encryptMany([list, list], [Uint8Array.of(1), Uint8Array.of(2)]),
    );
    const column = {
      asked: 0,
      each: 1,
      get bytes() {
        return this.asked++ === 0 ? Uint8Array.of(1, 2) : Uint8Array.of(3, 4);
      },
    };
    expect(numerals.encryptMany([list, list], column)).toEqual(
      numerals.encryptMany([list, list], { bytes: Uint8Array.of(1, 2), each: 1 }),
    );
  });
});
