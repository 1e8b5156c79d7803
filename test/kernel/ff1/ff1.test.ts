import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { text } from '../../../src/format.ts';
import { MIN_DOMAIN, minimumLength } from '../../../src/kernel/domain.ts';
import { ff1, MAX_LENGTH, MAX_TWEAK } from '../../../src/kernel/ff1/ff1.ts';
import { bytes } from '../../helpers/hex.ts';
import { ff1Reference } from '../../reference/ff1.ts';
import { random } from '../../reference/random.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

interface Sample {
  readonly name: string;
  readonly radix: number;
  readonly key: string;
  readonly tweak: string;
  readonly pt: readonly number[];
  readonly ct: readonly number[];
}

interface Wycheproof {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly radix: number;
    readonly alphabet?: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly flags: readonly string[];
      readonly key: string;
      readonly tweak: string;
      readonly msg: string | readonly number[];
      readonly ct: string | readonly number[];
      readonly result: 'valid' | 'invalid';
    }[];
  }[];
}

describe.skipIf(!sharedIsThere)('published vectors', () => {
  it('NIST samples, both ways', () => {
    const { vectors } = sharedJson<{ vectors: readonly Sample[] }>('vectors/nist/ff1_samples.json');
    for (const { name, radix, key, tweak, pt, ct } of vectors) {
      const cipher = ff1(bytes(key), radix);
      expect(cipher.encrypt(pt, bytes(tweak)), name).toEqual(ct);
      expect(cipher.decrypt(ct, bytes(tweak)), name).toEqual(pt);
      expect(ff1Reference('encrypt', bytes(key), radix, pt, bytes(tweak)), name).toEqual(ct);
      expect(ff1Reference('decrypt', bytes(key), radix, ct, bytes(tweak)), name).toEqual(pt);
    }
    expect(vectors.length).toBeGreaterThanOrEqual(15);
  });

  it.each(['base10', 'base36', 'radix16', 'radix256'])('Wycheproof %s: valid both ways, invalid refused', (name) => {
    const file = sharedJson<Wycheproof>(`vectors/wycheproof/aes_ff1_${name}_test.json.gz`);
    let valid = 0;
    let refused = 0;
    let small = 0;
    for (const { radix, alphabet, tests } of file.testGroups) {
      const numerals = (value: string | readonly number[]) =>
        typeof value === 'string' ? [...value].map((symbol) => alphabet!.indexOf(symbol)) : value;
      for (const { tcId, flags, key, tweak, msg, ct, result } of tests) {
        const isSmall = flags.includes('SmallMessageSize');
        const run = () => {
          const cipher = ff1(bytes(key), radix, isSmall ? { minDomain: 100 } : {});
          return [cipher.encrypt(numerals(msg), bytes(tweak)), cipher.decrypt(numerals(ct), bytes(tweak))];
        };
        if (result === 'valid') {
          expect(run(), `test ${tcId}`).toEqual([numerals(ct), numerals(msg)]);
          valid++;
          if (isSmall) {
            // Above the lowered limit and below the default one.
            const standing = ff1(bytes(key), radix);
            expect(() => standing.encrypt(numerals(msg), bytes(tweak)), `test ${tcId}`).toThrow(RangeError);
            small++;
          }
        } else {
          expect(() => ff1(bytes(key), radix).encrypt(numerals(msg), bytes(tweak)), `test ${tcId}`).toThrow(RangeError);
          if (flags.includes('InvalidPlaintext') && alphabet !== undefined) {
            expect(text(alphabet).test(msg as string), `test ${tcId}`).toBe(false);
          }
          refused++;
        }
      }
    }
    expect(valid + refused).toBe(file.numberOfTests);
    expect(valid).toBeGreaterThan(1700);
    expect(refused).toBeGreaterThan(250);
    expect(small).toBeGreaterThan(0);
  });
});

describe('against the literal algorithm', () => {
  const radices = [2, 3, 5, 7, 10, 16, 26, 32, 36, 62, 64, 100, 255, 256, 257, 1000, 4096, 32_768, 65_521, 65_535];

  it('gives the outputs of Algorithms 7 and 8 over 3,000 pseudo-random cases', () => {
    const { bytes, below } = random('ff1 digest');
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let i = 0; i < 3000; i++) {
      const radix = i % 3 === 0 ? radices[below(radices.length)]! : 2 + below(65_534);
      const least = minimumLength(radix);
      const length = least + below(61 - least);
      const key = bytes([16, 24, 32][below(3)]!);
      const tweak = bytes(below(65));
      const numerals = Array.from({ length }, () => below(radix));
      const cipher = ff1(key, radix);
      const encrypted = cipher.encrypt(numerals, tweak);
      expect(cipher.decrypt(encrypted, tweak)).toEqual(numerals);
      fast.update(JSON.stringify([encrypted, cipher.decrypt(numerals, tweak)]));
      slow.update(
        JSON.stringify([
          ff1Reference('encrypt', key, radix, numerals, tweak),
          ff1Reference('decrypt', key, radix, numerals, tweak),
        ]),
      );
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('5247fc9bd93af87f2da7b8719c30d179beacb49d139084eaa9045a70880a3ab7');
  });

  it('gives them for radix 2 at every length from 20 to 128 and for long strings', () => {
    const { bytes, below } = random('ff1 lengths');
    const lengths = [...Array.from({ length: 109 }, (_, i) => i + 20), 255, 256, 257, 512, 513, 4096];
    for (const length of lengths) {
      const key = bytes(32);
      const bits = Array.from({ length }, () => below(2));
      const tweak = bytes(length % 40);
      expect(ff1(key, 2).encrypt(bits, tweak)).toEqual(ff1Reference('encrypt', key, 2, bits, tweak));
    }
  });

  it('takes numerals at their limits: all zero, all radix - 1', () => {
    const { bytes } = random('ff1 limits');
    for (const radix of radices) {
      const key = bytes(32);
      for (const numeral of [0, radix - 1]) {
        const numerals = new Array<number>(minimumLength(radix) + 1).fill(numeral);
        const cipher = ff1(key, radix);
        const encrypted = cipher.encrypt(numerals);
        expect(encrypted).toEqual(ff1Reference('encrypt', key, radix, numerals));
        expect(cipher.decrypt(encrypted)).toEqual(numerals);
      }
    }
  });

  it('is a permutation: all 1,000 strings of three digits have different images', () => {
    const cipher = ff1(random('ff1 permutation').bytes(16), 10, { minDomain: 1000 });
    const images = new Set<string>();
    for (let i = 0; i < 1000; i++) images.add(cipher.encrypt([...`${i}`.padStart(3, '0')].map(Number)).join(''));
    expect(images.size).toBe(1000);
  });
});

describe('buffers of the caller', () => {
  const { bytes } = random('ff1 buffers');
  const numerals = [1, 2, 3, 4, 5, 6, 7];

  it('a key that is overwritten after set-up changes nothing', () => {
    const key = bytes(32);
    const cipher = ff1(key, 10);
    const before = cipher.encrypt(numerals);
    key.fill(0);
    expect(cipher.encrypt(numerals)).toEqual(before);
    expect(cipher.decrypt(before)).toEqual(numerals);
  });

  it('a tweak and a list that are reused change nothing and are not written to', () => {
    const cipher = ff1(bytes(16), 10);
    const tweak = new Uint8Array([1, 2, 3]);
    const list = Uint16Array.from(numerals);
    const first = cipher.encrypt(list, tweak);
    expect([...tweak]).toEqual([1, 2, 3]);
    expect([...list]).toEqual(numerals);
    tweak.fill(9);
    list.fill(0);
    const second = cipher.encrypt(numerals, tweak);
    expect(second).not.toEqual(first);
    expect(cipher.decrypt(first, Uint8Array.of(1, 2, 3))).toEqual(numerals);
    expect(cipher.decrypt(second, Uint8Array.of(9, 9, 9))).toEqual(numerals);
  });

  it('no tweak is the empty tweak, and a view into a larger buffer is its own bytes', () => {
    const cipher = ff1(bytes(24), 10);
    expect(cipher.encrypt(numerals)).toEqual(cipher.encrypt(numerals, new Uint8Array(0)));
    const large = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect(cipher.encrypt(numerals, large.subarray(4, 9))).toEqual(
      cipher.encrypt(numerals, Uint8Array.of(4, 5, 6, 7, 8)),
    );
  });
});

describe('limits', () => {
  const key = new Uint8Array(32).fill(7);

  it('minimumLength is the least length that reaches the floor', () => {
    for (const radix of [2, 3, 10, 26, 36, 256, 999, 1000, 1001, 65_535]) {
      const length = minimumLength(radix);
      expect(radix ** length).toBeGreaterThanOrEqual(MIN_DOMAIN);
      expect(length === 2 || radix ** (length - 1) < MIN_DOMAIN).toBe(true);
    }
    expect(minimumLength(10, 100)).toBe(2);
    expect(minimumLength(10)).toBe(6);
    expect(minimumLength(2)).toBe(20);
  });

  it('keys, radices and floors that do not fit are refused', () => {
    for (const length of [0, 15, 17, 31, 33, 64]) {
      expect(() => ff1(new Uint8Array(length), 10)).toThrow(`"key" expected 16, 24 or 32 bytes, got ${length}`);
    }
    for (const wrong of ['0'.repeat(32), null, undefined, [1], 5]) {
      expect(() => ff1(wrong as unknown as Uint8Array, 10)).toThrow(/^"key" expected bytes, got/);
    }
    for (const radix of [-1, 0, 1, 65_537, 1.5, Number.NaN]) expect(() => ff1(key, radix)).toThrow(RangeError);
    expect(() => ff1(key, '10' as unknown as number)).toThrow(TypeError);
    for (const minDomain of [0, 1, 99, 100.5, Number.POSITIVE_INFINITY]) {
      expect(() => ff1(key, 10, { minDomain })).toThrow(RangeError);
    }
    expect(() => ff1(key, 10, { floor: 100 } as object)).toThrow(TypeError);
  });

  it('numerals and tweaks that do not fit are refused, without the numerals', () => {
    const cipher = ff1(key, 10);
    const good = [1, 2, 3, 4, 5, 6];
    for (const wrong of [10, -1, 0.5, Number.NaN, '1', null, undefined, 1n]) {
      for (let at = 0; at < good.length; at++) {
        const numerals = good.map((numeral, i) => (i === at ? wrong : numeral)) as number[];
        const message = `"numerals" expected whole numbers from 0 to 9; the one at index ${at} is not`;
        expect(() => cipher.encrypt(numerals)).toThrow(message);
        expect(() => cipher.decrypt(numerals)).toThrow(message);
      }
    }
    expect(() => cipher.encrypt([1, 2, 3, 4, 5])).toThrow(
      '"numerals" expected a length of 6 to 4096 in radix 10, got 5',
    );
    expect(() => cipher.encrypt(new Uint8Array(MAX_LENGTH + 1))).toThrow(RangeError);
    expect(() => cipher.encrypt('123456' as unknown as number[])).toThrow(TypeError);
    expect(() => cipher.encrypt(null as unknown as number[])).toThrow(TypeError);
    expect(() => cipher.encrypt(new Array(6) as number[])).toThrow(RangeError);
    expect(() => cipher.encrypt(good, 'tweak' as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => cipher.encrypt(good, new Uint8Array(MAX_TWEAK + 1))).toThrow(RangeError);
    expect(cipher.decrypt(cipher.encrypt(good, new Uint8Array(MAX_TWEAK)), new Uint8Array(MAX_TWEAK))).toEqual(good);
  });
});
