import { describe, expect, it } from 'vitest';
import { cycleWalking } from '../../../src/kernel/ff1/cycle-walking.ts';
import { ff1Reference } from '../../reference/ff1.ts';
import { random } from '../../reference/random.ts';

/** One value at a time, as bigint. */
function oneByOne(key: Uint8Array, size: bigint) {
  const small = size <= 2n ** 53n;
  const walk = cycleWalking(key, small ? Number(size) : size);
  const integer = (index: bigint) => (small ? Number(index) : index);
  return {
    encrypt: (index: bigint, t: Uint8Array) => BigInt(walk.encryptMany([integer(index)], t)[0]!),
    decrypt: (index: bigint, t: Uint8Array) => BigInt(walk.decryptMany([integer(index)], t)[0]!),
  };
}

const tweak = new TextEncoder().encode('a tweak');

describe.each([1_000_003n, 2n ** 20n, 2n ** 20n + 1n, 26_000_000n])('of %s values', (size) => {
  const { bytes, below } = random(`cycle walking ${size}`);
  const key = bytes(32);
  const walk = oneByOne(key, size);

  it('goes there and back, stays below the size and never meets, over 20,000 samples', () => {
    const indices = new Set<bigint>([0n, 1n, size - 1n]);
    while (indices.size < 20_000) indices.add(BigInt(below(Number(size))));
    const images = new Set<bigint>();
    for (const index of indices) {
      const image = walk.encrypt(index, tweak);
      if (image < 0n || image >= size || walk.decrypt(image, tweak) !== index) expect.fail(`index ${index}`);
      images.add(image);
    }
    expect(images.size).toBe(indices.size);
  });

  it('is FF1 over bits, again and again, to the letter', () => {
    let k = 0;
    while (2n ** BigInt(k) < size) k++;
    let longest = 0;
    for (let i = 0; i < 200; i++) {
      const index = BigInt(below(Number(size)));
      let at = index;
      let steps = 0;
      do {
        const bits = [...at.toString(2).padStart(k, '0')].map(Number);
        at = BigInt(`0b${ff1Reference('encrypt', key, 2, bits, tweak).join('')}`);
        steps++;
      } while (at >= size);
      longest = Math.max(longest, steps);
      expect(walk.encrypt(index, tweak)).toBe(at);
    }
    // The enclosing power of two is below twice the size; a power of two itself never walks.
    if (size === 2n ** 20n) expect(longest).toBe(1);
    if (size === 2n ** 20n + 1n) expect(longest).toBeGreaterThan(1);
  });

  it('is another permutation under another tweak and another key', () => {
    const other = oneByOne(bytes(32), size);
    let same = 0;
    for (let i = 0n; i < 200n; i++) {
      if (walk.encrypt(i, tweak) === walk.encrypt(i, new Uint8Array(0))) same++;
      if (walk.encrypt(i, tweak) === other.encrypt(i, tweak)) same++;
    }
    expect(same).toBeLessThan(3);
  });
});

it('a size of more than 2^53 keeps every bit', () => {
  const size = 10n ** 30n + 57n;
  const walk = oneByOne(random('large').bytes(32), size);
  for (const index of [0n, 1n, 2n ** 53n + 1n, 10n ** 29n + 1n, size - 1n]) {
    expect(walk.decrypt(walk.encrypt(index, tweak), tweak)).toBe(index);
  }
});
