import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ff3 } from '../../src/kernel/ff3/ff3.ts';
import { bytes } from '../helpers/hex.ts';
import { ff3Reference } from '../reference/ff3.ts';
import { random } from '../reference/random.ts';
import { sharedIsThere, sharedJson } from '../shared.ts';

const BASE36 = '0123456789abcdefghijklmnopqrstuvwxyz';
const numerals = (text: string, alphabet: string) => [...text].map((symbol) => alphabet.indexOf(symbol));

/** 2 * floor(log_radix(2^96)), counted. */
function longest(radix: number): number {
  let half = 0;
  while (BigInt(radix) ** BigInt(half + 1) <= 1n << 96n) half++;
  return 2 * half;
}

/** The least length of 1,000,000 values, counted. */
function shortest(radix: number, values = 1_000_000): number {
  let length = 2;
  while (BigInt(radix) ** BigInt(length) < BigInt(values)) length++;
  return length;
}

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('NIST samples of FF3: 128, 192 and 256 bits of key, radix 10 and 26', () => {
    interface Sample {
      readonly radix: number;
      readonly key: string;
      readonly tweak: string;
      readonly plaintext: string;
      readonly ciphertext: string;
    }
    const { vectors } = sharedJson<{ vectors: readonly Sample[] }>('vectors/nist/ff3_samples.json');
    for (const { radix, key, tweak, plaintext, ciphertext } of vectors) {
      const [pt, ct] = [numerals(plaintext, BASE36), numerals(ciphertext, BASE36)];
      expect(ff3(bytes(key), radix).decrypt(ct, bytes(tweak))).toEqual(pt);
      expect(ff3Reference('encrypt', bytes(key), radix, pt, bytes(tweak))).toEqual(ct);
      expect(ff3Reference('decrypt', bytes(key), radix, ct, bytes(tweak))).toEqual(pt);
    }
    expect(vectors.length).toBeGreaterThanOrEqual(15);
  });

  it('ACVP samples of FF3-1', () => {
    interface Sample {
      readonly name: string;
      readonly radix: number;
      readonly key: string;
      readonly tweak: string;
      readonly pt: string;
      readonly ct: string;
      readonly alphabet: string | null;
    }
    const { vectors } = sharedJson<{ vectors: readonly Sample[] }>('vectors/nist/ff3_1_samples.json');
    for (const { name, radix, key, tweak, ...sample } of vectors) {
      const alphabet = sample.alphabet ?? BASE36;
      const [pt, ct] = [numerals(sample.pt, alphabet), numerals(sample.ct, alphabet)];
      expect(ff3(bytes(key), radix).decrypt(ct, bytes(tweak)), name).toEqual(pt);
      expect(ff3Reference('encrypt', bytes(key), radix, pt, bytes(tweak)), name).toEqual(ct);
      expect(ff3Reference('decrypt', bytes(key), radix, ct, bytes(tweak)), name).toEqual(pt);
    }
    expect(vectors.length).toBeGreaterThanOrEqual(10);
  });
});

describe('vectors of other radices', () => {
  const LOWER = 'abcdefghijklmnopqrstuvwxyz';
  const BASE64 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/';
  // NIST ACVP-Server, gen-val/json-files/ACVP-AES-FF3-1-1.0: test cases 25, 27, 35, 51, 52 and 54.
  it.each([
    [
      '0123456789',
      '1A2D4C2A908B89F4CD1726A3E4973019',
      '2F312451DD247C',
      '7623183748152054627556',
      '7354098610557860554984',
    ],
    [
      LOWER,
      'C7630C6EE431283365A70B06D3FA6CD8',
      '9FC475DB5A5824',
      'bnlilrtlwmleozfxpddesinwvuqostxzkovolgbe',
      'bdzzkydglpqydxwndiyakofjrfihynehnycbmxuc',
    ],
    [
      LOWER,
      '171C0F2A5DDA17AD9D5A0FF6FD80E9A6',
      'DAF1FEEF6724B6',
      'gditsobqfbotlaakywrgghqmafkkoioqiynzawz',
      'iyljvejlweoakfsmbqptaszydoypjqjxvspssrj',
    ],
    [BASE64, 'F25F9847BFCE672767C28F75E0C22663', '02E98B70FCADF3', 'oUpPhk2jm9', 'khz4xTwSnT'],
    [
      BASE64,
      '786B59C511F71B2E2034FE5B54C0F39C',
      '95B70373E4DF87',
      'XemT7oMMk1NO2lTm1quMXsVMHhem',
      'nPPBTwnwHbzuIvKx7ZAwHm6thq3e',
    ],
    [BASE64, 'DE18172688946A7F095785C297B042D4', 'DF64820B3FD59C', 'g5g7kU8u03lr8wALz8q4/', '5cbk674xcetd7PrECiDkF'],
  ])('over %s', (alphabet, key, tweak, pt, ct) => {
    const cipher = ff3(bytes(key), alphabet.length);
    expect(cipher.decrypt(numerals(ct, alphabet), bytes(tweak))).toEqual(numerals(pt, alphabet));
  });
});

describe('against the literal algorithm', () => {
  // Around the size where halves are no longer doubles (2^34), powers of two, primes, the ends.
  const radices = [
    2, 3, 4, 5, 7, 10, 16, 26, 32, 36, 62, 64, 100, 255, 256, 257, 1000, 4096, 32_768, 65_521, 65_535, 65_536,
  ];

  it('turns back what Algorithm 9 gave, over 4,000 pseudo-random cases of both tweaks', () => {
    const { bytes, below } = random('ff3 digest');
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let i = 0; i < 4000; i++) {
      const radix = i % 2 === 0 ? radices[below(radices.length)]! : 2 + below(65_535);
      const least = shortest(radix);
      const length = least + below(Math.min(longest(radix), 80) - least + 1);
      const key = bytes([16, 24, 32][below(3)]!);
      const tweak = bytes(7 + (i % 2));
      const digits = Array.from({ length }, () => below(radix));
      const cipher = ff3(key, radix);
      const encrypted = ff3Reference('encrypt', key, radix, digits, tweak);
      expect(cipher.decrypt(encrypted, tweak)).toEqual(digits);
      fast.update(JSON.stringify([encrypted, cipher.decrypt(digits, tweak)]));
      slow.update(JSON.stringify([encrypted, ff3Reference('decrypt', key, radix, digits, tweak)]));
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('3981e5834a60b02ce3e1fb8b2d6578c1f82b20328ef5ea9d56a96994ab53c77c');
  });

  it('takes every length of radix 2, 10, 16 and 65,536, with both tweaks', () => {
    const { bytes, below } = random('ff3 lengths');
    for (const radix of [2, 10, 16, 65_536]) {
      for (let length = shortest(radix); length <= longest(radix); length++) {
        const key = bytes(32);
        const digits = Array.from({ length }, () => below(radix));
        for (const tweak of [bytes(8), bytes(7)]) {
          expect(ff3(key, radix).decrypt(digits, tweak)).toEqual(ff3Reference('decrypt', key, radix, digits, tweak));
        }
      }
    }
    expect([longest(2), longest(10), longest(16), longest(65_536)]).toEqual([192, 56, 48, 12]);
  });

  it('takes digits at their limits, at the longest length: all zero, all radix - 1', () => {
    const { bytes } = random('ff3 limits');
    for (const radix of radices) {
      const key = bytes(24);
      const tweak = bytes(8);
      for (const length of [shortest(radix), longest(radix) - 1, longest(radix)]) {
        for (const digit of [0, radix - 1]) {
          const digits = new Array<number>(length).fill(digit);
          const encrypted = ff3Reference('encrypt', key, radix, digits, tweak);
          expect(ff3(key, radix).decrypt(encrypted, tweak)).toEqual(digits);
          expect(ff3(key, radix).decrypt(digits, tweak)).toEqual(ff3Reference('decrypt', key, radix, digits, tweak));
        }
      }
    }
  });

  it('every bit of both tweaks counts where the specification uses it', () => {
    const { bytes } = random('ff3 tweaks');
    const key = bytes(16);
    const digits = [1, 2, 3, 4, 5, 6, 7, 8];
    const cipher = ff3(key, 10);
    for (const size of [7, 8]) {
      const seen = new Set<string>();
      for (let bit = 0; bit < 8 * size; bit++) {
        const tweak = new Uint8Array(size);
        tweak[bit >> 3] = 0x80 >> (bit & 7);
        const out = cipher.decrypt(digits, tweak);
        expect(out).toEqual(ff3Reference('decrypt', key, 10, digits, tweak));
        seen.add(out.join(''));
      }
      expect(seen.size).toBe(8 * size);
    }
  });

  it('a tweak of FF3-1 is the one of FF3 with its middle half byte moved to the end', () => {
    const cipher = ff3(new Uint8Array(16).fill(9), 10);
    const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(cipher.decrypt(digits, bytes('0123456789abcd'))).toEqual(cipher.decrypt(digits, bytes('0123456089abcd70')));
  });

  it('is a permutation: all 1,000 strings of three digits come from different ones', () => {
    const { bytes } = random('ff3 permutation');
    const cipher = ff3(bytes(16), 10, { minDomain: 1000 });
    const tweak = bytes(7);
    const all = Array.from({ length: 1000 }, (_, i) => Array.from(`${i}`.padStart(3, '0'), Number));
    expect(new Set(cipher.decryptMany(all, tweak).map((digits) => digits.join(''))).size).toBe(1000);
  });
});

describe('properties', () => {
  const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const values = fc.oneof(fc.integer({ min: 2, max: 65_536 }), fc.constantFrom(2, 10, 36, 65_536)).chain((radix) =>
    fc.record({
      radix: fc.constant(radix),
      key: fc.oneof(bytesOf(16), bytesOf(24), bytesOf(32)),
      batch: fc.array(
        fc.record({
          numerals: fc.array(fc.integer({ min: 0, max: radix - 1 }), {
            minLength: shortest(radix),
            maxLength: longest(radix),
          }),
          tweak: fc.oneof(bytesOf(7), bytesOf(8)),
        }),
        { minLength: 1, maxLength: 12 },
      ),
    }),
  );

  it('what the literal algorithm encrypts comes back, one by one and together', () => {
    fc.assert(
      fc.property(values, ({ radix, key, batch }) => {
        const cipher = ff3(key, radix);
        const encrypted = batch.map(({ numerals, tweak }) => ff3Reference('encrypt', key, radix, numerals, tweak));
        const tweaks = batch.map(({ tweak }) => tweak);
        const plain = batch.map(({ numerals }) => numerals);
        expect(encrypted.map((numerals, i) => cipher.decrypt(numerals, tweaks[i]!))).toEqual(plain);
        expect(cipher.decryptMany(encrypted, tweaks)).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });
});

describe('many', () => {
  it('gives what one by one gives, in order, whatever the lengths and the size of the batch', () => {
    const { bytes, below } = random('ff3 many');
    for (const [radix, count] of [
      [10, 2500],
      [36, 1],
      [36, 7],
      [36, 8],
      [65_536, 300],
      [2, 200],
    ] as const) {
      const cipher = ff3(bytes(32), radix);
      const least = shortest(radix);
      const span = longest(radix) - least + 1;
      const batch = Array.from({ length: count }, () =>
        Array.from({ length: least + below(span) }, () => below(radix)),
      );
      const tweaks = batch.map((_, i) => bytes(7 + (i % 2)));
      expect(cipher.decryptMany(batch, tweaks)).toEqual(batch.map((digits, i) => cipher.decrypt(digits, tweaks[i]!)));
      const one = bytes(8);
      expect(cipher.decryptMany(batch, one)).toEqual(batch.map((digits) => cipher.decrypt(digits, one)));
    }
  });

  it('gives the same on more values of one length than go together', () => {
    const { bytes, below } = random('ff3 together');
    const key = bytes(16);
    const tweak = bytes(8);
    const batch = Array.from({ length: 3000 }, () => Array.from({ length: 16 }, () => below(10)));
    const out = ff3(key, 10).decryptMany(batch, tweak);
    for (const i of [0, 1, 1023, 1024, 1025, 2047, 2048, 2999]) {
      expect(out[i]).toEqual(ff3Reference('decrypt', key, 10, batch[i]!, tweak));
    }
    expect(new Set(out.map((digits) => digits.join(''))).size).toBe(new Set(batch.map((d) => d.join(''))).size);
  });

  it('gives nothing for nothing', () => {
    const cipher = ff3(new Uint8Array(16), 10);
    expect(cipher.decryptMany([], [])).toEqual([]);
    expect(cipher.decryptMany([], new Uint8Array(8))).toEqual([]);
  });

  it('throws for the first that does not fit, with its index, and gives nothing', () => {
    const cipher = ff3(new Uint8Array(16), 10);
    const good = [1, 2, 3, 4, 5, 6];
    const tweak = new Uint8Array(8);
    const wrong: readonly (readonly [unknown, unknown, string])[] = [
      [[good, [1, 2, 3]], tweak, '"batch" expected a length of 6 to 56 in radix 10, got 3 (value 2 of the batch)'],
      [
        [good, good, [1, 2, 3, 4, 5, 10]],
        tweak,
        '"batch" expected whole numbers from 0 to 9; the one at index 5 is not (value 3 of the batch)',
      ],
      [[good, '123456'], tweak, '"batch" expected a list of numbers, got string (value 2 of the batch)'],
      [[good, null], tweak, '"batch" expected a list of numbers, got null (value 2 of the batch)'],
      [new Array(1), tweak, '"batch" expected a list of numbers, got undefined (value 1 of the batch)'],
      ['123456', tweak, '"batch" expected an array of lists of numbers, got string'],
      [[good], [], '"tweaks" expected one tweak, or one for each of 1 values, got 0'],
      [[good], [tweak, tweak], '"tweaks" expected one tweak, or one for each of 1 values, got 2'],
      [
        [good, good],
        [tweak, new Uint8Array(6)],
        '"tweaks" expected 8 bytes (FF3) or 7 (FF3-1), got 6 (value 2 of the batch)',
      ],
      [[good], [null], '"tweaks" expected bytes, got null (value 1 of the batch)'],
      [[good], 'tweak', '"tweaks" expected bytes or an array of them, got string'],
      [[good], undefined, '"tweaks" expected bytes or an array of them, got undefined'],
    ];
    for (const [batch, tweaks, message] of wrong) {
      expect(() => cipher.decryptMany(batch as number[][], tweaks as Uint8Array), message).toThrow(message);
    }
  });
});

describe('buffers of the caller', () => {
  const digits = [1, 2, 3, 4, 5, 6, 7];

  it('a key that is overwritten after set-up changes nothing, and it is not reversed in place', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const tweak = new Uint8Array(8);
    const cipher = ff3(key, 10);
    expect([...key]).toEqual(Array.from({ length: 32 }, (_, i) => i));
    const before = cipher.decrypt(digits, tweak);
    const many = cipher.decryptMany(new Array<number[]>(20).fill(digits), tweak);
    key.fill(0);
    expect(cipher.decrypt(digits, tweak)).toEqual(before);
    expect(cipher.decryptMany(new Array<number[]>(20).fill(digits), tweak)).toEqual(many);
  });

  it('narrow typed arrays come out as arrays of numbers, which hold every numeral', () => {
    for (const [radix, kind] of [
      [1000, Uint8Array],
      [1000, Int8Array],
      [1000, Uint8ClampedArray],
      [65_536, Int16Array],
      [256, Buffer],
    ] as const) {
      const cipher = ff3(new Uint8Array(16).fill(3), radix);
      const value = [1, 2, 3, 4, 5, 6];
      const expected = cipher.decrypt(value, new Uint8Array(8));
      const typed = (kind as typeof Uint8Array).from(value);
      expect(cipher.decrypt(typed, new Uint8Array(8))).toEqual(expected);
      expect(cipher.decryptMany([typed], new Uint8Array(8))).toEqual([expected]);
    }
  });

  it('lists and tweaks are not written to, and any list of numbers will do', () => {
    const cipher = ff3(new Uint8Array(16), 10);
    const tweak = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
    const expected = cipher.decrypt(digits, tweak);
    for (const list of [
      Uint8Array.from(digits),
      Float64Array.from(digits),
      Object.freeze([...digits]),
      { ...digits, length: 7 },
    ]) {
      expect(cipher.decrypt(list, tweak)).toEqual(expected);
      expect(Array.from(list)).toEqual(digits);
    }
    expect([...tweak]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const large = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect(cipher.decrypt(digits, large.subarray(1, 8))).toEqual(expected);
  });
});

describe('limits', () => {
  const key = new Uint8Array(32).fill(7);
  const tweak = new Uint8Array(8);

  it('decrypts, and nothing else', () => {
    expect(Object.keys(ff3(key, 10)).sort()).toEqual(['decrypt', 'decryptMany']);
    expect(Reflect.ownKeys(ff3(key, 10)).sort()).toEqual(['decrypt', 'decryptMany']);
    expect('encrypt' in ff3(key, 10)).toBe(false);
  });

  it('takes the lengths of the specification in every radix, and no others', () => {
    const { below } = random('ff3 length limits');
    const some = Array.from({ length: 100 }, () => 2 + below(65_535));
    for (const radix of [2, 3, 7, 8, 9, 10, 26, 36, 64, 255, 256, 257, 999, 1000, 1001, 65_535, 65_536, ...some]) {
      const cipher = ff3(key, radix);
      const [least, most] = [shortest(radix), longest(radix)];
      expect(cipher.decrypt(new Array(least).fill(0), tweak).length).toBe(least);
      expect(cipher.decrypt(new Array(most).fill(1), tweak).length).toBe(most);
      for (const length of [0, 1, least - 1, most + 1, most + 2]) {
        expect(() => cipher.decrypt(new Array(length).fill(0), tweak)).toThrow(
          `"numerals" expected a length of ${least} to ${most} in radix ${radix}, got ${length}`,
        );
      }
    }
  });

  it('the floor can be lowered to that of 2016 by name, and not further', () => {
    const digits = [4, 2];
    expect(() => ff3(key, 10).decrypt(digits, tweak)).toThrow(RangeError);
    const encrypted = ff3Reference('encrypt', key, 10, digits, tweak);
    expect(ff3(key, 10, { minDomain: 100 }).decrypt(encrypted, tweak)).toEqual(digits);
    expect(() => ff3(key, 10, { minDomain: 1000 }).decrypt(encrypted, tweak)).toThrow(
      '"numerals" expected a length of 3 to 56 in radix 10, got 2',
    );
    expect(() => ff3(key, 2, { minDomain: 100 }).decrypt([0, 1, 1, 0, 1, 1], tweak)).toThrow(
      'expected a length of 7 to 192 in radix 2, got 6',
    );
    for (const minDomain of [0, 1, 99, 100.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => ff3(key, 10, { minDomain })).toThrow(RangeError);
    }
    expect(() => ff3(key, 10, { minDomain: '100' as unknown as number })).toThrow(TypeError);
    expect(() => ff3(key, 10, { floor: 100 } as object)).toThrow(TypeError);
    expect(() => ff3(key, 10, null as unknown as object)).toThrow(TypeError);
  });

  it('keys and radices that do not fit are refused', () => {
    for (const length of [0, 15, 17, 31, 33, 64]) {
      expect(() => ff3(new Uint8Array(length), 10)).toThrow(`"key" expected 16, 24 or 32 bytes, got ${length}`);
    }
    for (const wrong of ['0'.repeat(32), null, undefined, [1], 5]) {
      expect(() => ff3(wrong as unknown as Uint8Array, 10)).toThrow(/^"key" expected bytes, got/);
    }
    for (const radix of [-1, 0, 1, 65_537, 1.5, Number.NaN]) expect(() => ff3(key, radix)).toThrow(RangeError);
    for (const radix of ['10', null, undefined, 10n])
      expect(() => ff3(key, radix as unknown as number)).toThrow(TypeError);
  });

  it('digits that do not fit are refused, without the digits', () => {
    const cipher = ff3(key, 10);
    const good = [1, 2, 3, 4, 5, 6];
    for (const wrong of [10, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, 1n, 77_777]) {
      for (let at = 0; at < good.length; at++) {
        const digits = good.map((digit, i) => (i === at ? wrong : digit)) as number[];
        const message = `"numerals" expected whole numbers from 0 to 9; the one at index ${at} is not`;
        expect(() => cipher.decrypt(digits, tweak)).toThrow(new RangeError(message));
      }
    }
    for (const wrong of ['123456', null, undefined, 123_456, () => 1, { length: 1e300 }, { length: '6' }, {}]) {
      expect(() => cipher.decrypt(wrong as unknown as number[], tweak)).toThrow(TypeError);
    }
    expect(() => cipher.decrypt({ length: -1 }, tweak)).toThrow(RangeError);
    expect(() => cipher.decrypt(new Array(6) as number[], tweak)).toThrow(RangeError);
    // -0 is taken as 0, and a result has no -0.
    expect(cipher.decrypt([-0, -0, -0, -0, -0, -0], tweak)).toEqual(cipher.decrypt([0, 0, 0, 0, 0, 0], tweak));
  });

  it('tweaks of another length or type are refused', () => {
    const cipher = ff3(key, 10);
    const good = [1, 2, 3, 4, 5, 6];
    for (const length of [0, 1, 6, 9, 16]) {
      expect(() => cipher.decrypt(good, new Uint8Array(length))).toThrow(
        new RangeError(`"tweak" expected 8 bytes (FF3) or 7 (FF3-1), got ${length}`),
      );
    }
    for (const wrong of [undefined, null, 'd8e7920afa330a73', [1, 2, 3, 4, 5, 6, 7], new ArrayBuffer(8)]) {
      expect(() => cipher.decrypt(good, wrong as unknown as Uint8Array)).toThrow(TypeError);
    }
  });
});
