import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aesBackend } from '../../../src/kernel/aes/aes.ts';
import { cycleWalking } from '../../../src/kernel/ff1/cycle-walking.ts';
import { ff1 } from '../../../src/kernel/ff1/ff1.ts';
import { sizesOf } from '../../../src/kernel/ff1/prf.ts';
import { makeLane } from '../../../src/kernel/ff1/rounds.ts';
import { isBinary, MAX_BITS, makeBinaryLane } from '../../../src/kernel/ff1/rounds-binary.ts';
import { bytes as hex } from '../../helpers/hex.ts';
import { ff1Reference } from '../../reference/ff1.ts';
import { random } from '../../reference/random.ts';
import { sharedIsThere, sharedJson } from '../../shared.ts';

/** The bits `from` to `from` + `n` of four words, as numerals. */
function bitsIn(words: readonly number[], from: number, n: number): number[] {
  const all = words.flatMap((word) => [...(word >>> 0).toString(2).padStart(32, '0')].map(Number));
  return all.slice(from, from + n);
}

/** The four words that have these bits from `from` on, and zeros elsewhere. */
function wordsOf(bits: readonly number[], from: number): number[] {
  const all = [...new Array<number>(from).fill(0), ...bits].join('').padEnd(128, '0');
  return [0, 32, 64, 96].map((at) => Number.parseInt(all.slice(at, at + 32), 2) | 0);
}

interface Case {
  readonly n: number;
  readonly from: number;
  readonly count: number;
  readonly sign: 1 | -1;
  readonly key: Uint8Array;
  readonly tweak: Uint8Array;
  readonly fill: number;
}

/** Runs a lane over a column of words, and returns what is in the words of each value afterwards. */
function runLane({ n, from, sign, key, tweak }: Case, values: readonly (readonly number[])[]): number[][] {
  const lane = makeBinaryLane(aesBackend(key), sizesOf(2, n));
  const { length } = values;
  const words = Int32Array.from([-1, -1, -1, ...values.flat(), -1, -1]);
  lane.load(length, tweak);
  // In two parts, which are written back in one.
  const first = length >> 1;
  lane.read(words, 3, from, 0, first);
  lane.read(words, 3 + 4 * first, from, first, length - first);
  lane.run(length, sign);
  lane.write(words, 3, from, 0, length);
  const out = Array.from(words);
  // Nothing else is written.
  expect([...out.slice(0, 3), ...out.slice(-2)]).toEqual([-1, -1, -1, -1, -1]);
  return values.map((_, k) => out.slice(3 + 4 * k, 7 + 4 * k));
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    n: fc.integer({ min: 2, max: MAX_BITS }),
    place: fc.double({ min: 0, max: 1, noNaN: true }),
    count: fc.integer({ min: 1, max: 20 }),
    sign: fc.constantFrom(1 as const, -1 as const),
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    tweak: fc.uint8Array({ maxLength: 40 }),
    fill: fc.nat(),
  })
  .map(({ place, ...rest }) => ({ ...rest, from: Math.floor(place * (MAX_BITS - rest.n + 0.5)) }));

describe('FF1 over bits in words', () => {
  it('gives the bits of the literal algorithm, wherever they are, and zeros around them', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { word } = wordsFrom(`binary ${one.fill}`);
        const values = Array.from({ length: one.count }, () => [word(), word(), word(), word()]);
        const out = runLane(one, values);
        for (const [k, value] of values.entries()) {
          const X = bitsIn(value, one.from, one.n);
          const Y = ff1Reference(one.sign === 1 ? 'encrypt' : 'decrypt', one.key, 2, X, one.tweak);
          expect(out[k]).toEqual(wordsOf(Y, one.from));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('gives them for every length from 2 to 128 at the edges: zeros, ones, carries and borrows', () => {
    const { bytes } = random('binary edges');
    const key = bytes(32);
    for (let n = 2; n <= MAX_BITS; n++) {
      const edges = [[0, 0, 0, 0], [-1, -1, -1, -1], [1, -1, 0, -1], wordsOf([1], n - 1), wordsOf([1], 0)];
      for (const sign of [1, -1] as const) {
        const out = runLane({ n, from: 0, count: edges.length, sign, key, tweak: new Uint8Array(0), fill: 0 }, edges);
        for (const [k, edge] of edges.entries()) {
          const Y = ff1Reference(sign === 1 ? 'encrypt' : 'decrypt', key, 2, bitsIn(edge, 0, n));
          expect(out[k], `${n} bits`).toEqual(wordsOf(Y, 0));
        }
      }
    }
  });

  it('has the digest of the literal algorithm over 2,000 values', () => {
    const { bytes, below } = random('binary digest');
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let i = 0; i < 200; i++) {
      const n = 20 + below(109);
      const one: Case = {
        n,
        from: below(129 - n),
        count: 10,
        sign: i % 2 === 0 ? 1 : -1,
        key: bytes([16, 24, 32][below(3)]!),
        tweak: bytes(below(65)),
        fill: i,
      };
      const { word } = wordsFrom(`binary digest ${i}`);
      const values = Array.from({ length: 10 }, () => [word(), word(), word(), word()]);
      fast.update(JSON.stringify(runLane(one, values)));
      const literal = values.map((value) =>
        wordsOf(
          ff1Reference(one.sign === 1 ? 'encrypt' : 'decrypt', one.key, 2, bitsIn(value, one.from, n), one.tweak),
          one.from,
        ),
      );
      slow.update(JSON.stringify(literal));
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('4d79b6f01de786648705c24fabd842ec2a059c9962cce009f6f15dcb6d4ec36e');
  });

  it('is the general arithmetic on numerals, value by value and as a batch', () => {
    const { bytes, below } = random('binary numerals');
    for (const n of [65, 72, 73, 96, 127, 128]) {
      const aes = aesBackend(bytes(32));
      const sizes = sizesOf(2, n);
      const tweak = bytes(below(20));
      const values = Array.from({ length: 9 }, () => Array.from({ length: n }, () => below(2)));
      for (const sign of [1, -1] as const) {
        const results = [makeLane(aes, sizes), makeBinaryLane(aes, sizes)].map((lane) => {
          lane.load(values.length, tweak);
          values.forEach((value, slot) => {
            lane.a.load(slot, value, 0);
            lane.b.load(slot, value, lane.u);
          });
          lane.run(values.length, sign);
          return values.map((_, slot) => {
            const out = new Array<number>(n);
            lane.a.store(slot, out, 0);
            lane.b.store(slot, out, lane.u);
            return out;
          });
        });
        expect(results[1]).toEqual(results[0]);
      }
    }
  });

  it('is taken in radix 2 up to 128 bits only', () => {
    expect([2, 72, 73, 128, 129].map((n) => isBinary(sizesOf(2, n)))).toEqual([true, true, true, true, false]);
    expect(isBinary(sizesOf(3, 40))).toBe(false);
  });

  it.skipIf(!sharedIsThere)('has the published samples of radix 2', () => {
    const { vectors } = sharedJson<{ vectors: readonly Sample[] }>('vectors/nist/ff1_samples.json');
    const binary = vectors.filter(({ radix, pt }) => radix === 2 && pt.length <= MAX_BITS);
    expect(binary.length).toBeGreaterThan(0);
    for (const { name, key, tweak, pt, ct } of binary) {
      const one = { n: pt.length, from: 0, count: 1, key: hex(key), tweak: hex(tweak), fill: 0 };
      expect(runLane({ ...one, sign: 1 }, [wordsOf(pt, 0)]), name).toEqual([wordsOf(ct, 0)]);
      expect(runLane({ ...one, sign: -1 }, [wordsOf(ct, 0)]), name).toEqual([wordsOf(pt, 0)]);
    }
  });
});

interface Sample {
  readonly name: string;
  readonly radix: number;
  readonly key: string;
  readonly tweak: string;
  readonly pt: readonly number[];
  readonly ct: readonly number[];
}

function wordsFrom(name: string): { word: () => number } {
  const { bytes } = random(name);
  return { word: () => Buffer.from(bytes(4)).readInt32BE() };
}

describe('a walk over words', () => {
  // The last two are the ends of what four words hold, and the first size beyond.
  const sizes = [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n, 2n ** 64n + 1n, 2n ** 72n + 1n, 2n ** 73n - 1n];
  sizes.push(10n ** 30n + 57n, 2n ** 122n, 2n ** 127n + 1n, 2n ** 128n - 1n, 2n ** 128n, 2n ** 128n + 1n);

  it.each(sizes)('is FF1 over bits, again and again, to the letter: %s values', (size) => {
    const { bytes } = random(`walk over words ${size}`);
    const key = bytes(32);
    const tweaks: readonly Uint8Array[] = Array.from({ length: 12 }, (_, i) => bytes(i % 3));
    const walk = cycleWalking(key, size <= 2n ** 53n ? Number(size) : size);
    const k = (size - 1n).toString(2).length;
    const drawn = Array.from({ length: 9 }, () => BigInt(`0x${Buffer.from(bytes(20)).toString('hex')}`) % size);
    const indices = [0n, 1n, size - 1n, ...drawn];
    const integers = indices.map((index) => (size <= 2n ** 53n ? Number(index) : index));
    const literal = (index: bigint, tweak: Uint8Array): bigint => {
      let at = index;
      do {
        const X = [...at.toString(2).padStart(k, '0')].map(Number);
        at = BigInt(`0b${ff1Reference('encrypt', key, 2, X, tweak).join('')}`);
      } while (at >= size);
      return at;
    };
    for (const given of [tweaks, tweaks[1]!]) {
      const out = walk.encryptMany(integers, given);
      expect(out.map(BigInt)).toEqual(
        indices.map((index, i) => literal(index, Array.isArray(given) ? given[i]! : given)),
      );
      expect(walk.decryptMany(out, given)).toEqual(integers);
      expect(
        integers.map((index, i) => walk.encryptMany([index], Array.isArray(given) ? given[i]! : given)[0]),
      ).toEqual(out);
    }
  });
});

it('numerals of 65 to 128 bits go the same way through ff1', () => {
  const { bytes, below } = random('binary ff1');
  for (const n of [65, 72, 73, 100, 128, 129]) {
    const cipher = ff1(bytes(32), 2);
    const values = Array.from({ length: 5 }, () => Array.from({ length: n }, () => below(2)));
    const out = cipher.encryptMany(values);
    expect(out).toEqual(values.map((value) => cipher.encrypt(value)));
    expect(cipher.decryptMany(out)).toEqual(values);
  }
});
