import { afterEach, describe, expect, it, vi } from 'vitest';
import { blockAt } from '../../../src/kernel/prf/hmac-batch.ts';
import { LANES, type Lanes, makeLanes } from '../../../src/kernel/prf/hmac-lanes.ts';
import { tagAt } from '../../../src/kernel/prf/prf.ts';
import { compressReference } from '../../reference/sha256.ts';
import { source } from '../../reference/texts.ts';

const unsigned = (words: ArrayLike<number>): number[] => Array.from(words, (word) => word >>> 0);

/** Both compressions, by the literal reference. */
function literal(inner: Int32Array, outer: Int32Array, block: readonly number[]): number[] {
  const digest = compressReference(unsigned(inner), block);
  return compressReference(unsigned(outer), [...digest, 0x80000000, 0, 0, 0, 0, 0, 0, 96 * 8]);
}

function check(lanes: Lanes, slots: number, seed: number): void {
  const random = source(seed);
  const words = (count: number) => Int32Array.from({ length: count }, () => random.below(2 ** 32) | 0);
  for (let count = 0; count <= slots; count = count < 20 ? count + 1 : count * 2 - 5) {
    // Two keys one after another: nothing of the first may be left.
    const [inner, outer] = [words(8), words(8)];
    lanes.blocks.set(words(lanes.blocks.length));
    lanes.tags.fill(0x55555555);
    lanes.run(inner, outer, count);
    for (let slot = 0; slot < count; slot++) {
      const block = Array.from({ length: 16 }, (_, j) => lanes.blocks[blockAt(slot) + j * LANES]! >>> 0);
      const tag = Array.from({ length: 8 }, (_, j) => lanes.tags[tagAt(slot) + j * LANES]! >>> 0);
      expect(tag).toEqual(literal(inner, outer, block));
    }
    // Groups after the last one are not computed.
    for (let slot = 4 * Math.ceil(count / 4); slot < slots; slot++) {
      expect(lanes.tags[tagAt(slot)]).toBe(0x55555555);
    }
  }
}

describe('four lanes', () => {
  it.each([4, 8, 32, 64])('with room for %s messages give what the standard gives for any state and block', (slots) => {
    const lanes = makeLanes(slots)!;
    expect([lanes.blocks.length, lanes.tags.length]).toEqual([16 * slots, 8 * slots]);
    check(lanes, slots, slots);
  });

  it('of two modules do not meet', () => {
    const [a, b] = [makeLanes(8)!, makeLanes(8)!];
    const random = source(20);
    const words = (count: number) => Int32Array.from({ length: count }, () => random.below(2 ** 32) | 0);
    a.blocks.set(words(128));
    const [inner, outer] = [words(8), words(8)];
    a.run(inner, outer, 8);
    const tags = Int32Array.from(a.tags);
    b.blocks.set(words(128));
    b.run(words(8), words(8), 8);
    expect(a.tags).toEqual(tags);
    a.run(inner, outer, 8);
    expect(a.tags).toEqual(tags);
    expect(b.tags).not.toEqual(tags);
  });

  it('take no states with them: they are not changed', () => {
    const lanes = makeLanes(4)!;
    const [inner, outer] = [new Int32Array(8).fill(1), new Int32Array(8).fill(2)];
    lanes.run(inner, outer, 4);
    expect([...inner, ...outer]).toEqual([...new Array(8).fill(1), ...new Array(8).fill(2)]);
  });
});

describe('where they cannot be had', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  class Refuses {
    constructor() {
      throw new EvalError('the content security policy forbids it');
    }
  }
  const real = WebAssembly;
  it.each([
    ['no WebAssembly', undefined],
    ['null', null],
    ['something else of that name', {}],
    ['no vectors', { ...real, validate: () => false }],
    ['a policy against Module', { validate: () => true, Module: Refuses, Instance: real.Instance }],
    ['a policy against Instance', { validate: () => true, Module: real.Module, Instance: Refuses }],
    [
      'a validate that throws',
      {
        ...real,
        validate: () => {
          throw new Error('no');
        },
      },
    ],
  ])('%s: null', (_, stub) => {
    vi.stubGlobal('WebAssembly', stub);
    expect(makeLanes(4)).toBeNull();
  });
});
