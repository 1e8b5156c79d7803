/** The sample of openings, against the vectors of its page, which were computed in Python. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawSample } from '../../../src/govern.ts';

const page = readFileSync(new URL('../../../docs/spec/govern/sample-v1.md', import.meta.url), 'utf8');
const vectors = new Map([...page.matchAll(/^\| (.+?) \| `(.+?)` \|$/gm)].map(([, name, value]) => [name!, value!]));
const bytes = (name: string): Uint8Array => Uint8Array.from(Buffer.from(vectors.get(name)!, 'hex'));
const indices = (name: string): number[] => vectors.get(name)!.split(' ').map(Number);

describe('sample-v1', () => {
  it.each([1, 3, 9])('draws the sample of %i that the page has, in whatever order entries come', (count) => {
    for (const entries of [indices('sample of 9'), indices('sample of 9').toReversed()]) {
      const draw = drawSample(bytes('random'), bytes('root'), count);
      for (const index of entries) draw.see(index);
      expect(draw.entries()).toEqual(indices(`sample of ${count}`));
    }
  });

  it('depends on the random bytes and on the root', () => {
    const drawn = (random: Uint8Array, root: Uint8Array) => {
      const draw = drawSample(random, root, 20);
      for (let index = 0; index < 10_000; index++) draw.see(index);
      return draw.entries().join(' ');
    };
    const [random, root] = [bytes('random'), bytes('root')];
    expect(new Set([drawn(random, root), drawn(root, random), drawn(random, random)]).size).toBe(3);
  });

  it('has each entry with the same probability', () => {
    const counts = new Array<number>(10).fill(0);
    for (let run = 0; run < 2000; run++) {
      const random = new Uint8Array(32);
      new DataView(random.buffer).setUint32(0, run);
      const draw = drawSample(random, bytes('root'), 3);
      for (let index = 0; index < 10; index++) draw.see(index);
      for (const index of draw.entries()) counts[index]!++;
    }
    // 600 expected, with a standard deviation of 20.5: five of them.
    for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(103);
  });
});
