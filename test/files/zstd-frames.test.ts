/** The frames of Zstandard: made by hand from RFC 8878, section 3.1, and found again. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alongFrames } from '../../src/files/inputs/zstd-frames.ts';

const little = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);

interface Shape {
  readonly single: boolean;
  readonly content: number;
  readonly dictionary: number;
  readonly checksum: boolean;
  /** Block types: 0 is raw, 1 is RLE, 2 is compressed. For the length, raw and compressed blocks are the same. */
  readonly blocks: readonly { readonly type: 0 | 1 | 2; readonly size: number }[];
}

/**
 * A frame whose bytes after the headers are all magic numbers. None of them must be read as the beginning of a frame.
 */
function frameOf({ single, content, dictionary, checksum, blocks }: Shape): number[] {
  const filler = (bytes: number): number[] => Array.from({ length: bytes }, (_, i) => [0x28, 0xb5, 0x2f, 0xfd][i % 4]!);
  const contentBytes = content === 0 ? (single ? 1 : 0) : 2 ** content;
  return [
    ...[0x28, 0xb5, 0x2f, 0xfd],
    (content << 6) | (single ? 32 : 0) | (checksum ? 4 : 0) | dictionary,
    ...filler((single ? 0 : 1) + [0, 1, 2, 4][dictionary]! + contentBytes),
    ...blocks.flatMap(({ type, size }, i) => [
      ...little((size << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0), 3),
      ...filler(type === 1 ? 1 : size),
    ]),
    ...filler(checksum ? 4 : 0),
  ];
}

const shape: fc.Arbitrary<Shape> = fc.record({
  single: fc.boolean(),
  content: fc.nat(3),
  dictionary: fc.nat(3),
  checksum: fc.boolean(),
  blocks: fc.array(fc.record({ type: fc.constantFrom(0, 1, 2), size: fc.nat(300) }), { minLength: 1, maxLength: 4 }),
});
const frame = shape.map((it) => ({ skippable: false, bytes: frameOf(it) }));
const skippable = fc.tuple(fc.nat(15), fc.nat(40)).map(([kind, size]) => ({
  skippable: true,
  bytes: [0x50 + kind, 0x2a, 0x4d, 0x18, ...little(size, 4), ...Array<number>(size).fill(0xfd)],
}));

/** The frames that are found in chunks of these sizes. */
async function walk(
  bytes: readonly number[],
  sizes: readonly number[],
): Promise<{ chunks: number[][]; fault?: string }> {
  const chunks: number[][] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!) {
      yield Uint8Array.from(bytes.slice(at, at + sizes[i % sizes.length]!));
    }
  }
  try {
    const fault = (what: string): never => {
      throw new Error(what);
    };
    for await (const chunk of alongFrames(source(), fault)) chunks.push([...chunk]);
  } catch (error) {
    return { chunks, fault: (error as Error).message };
  }
  return { chunks };
}

const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });

describe('frames of Zstandard', () => {
  test('no chunk goes beyond the end of a frame, and skippable frames are left out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(frame, skippable), { minLength: 1, maxLength: 5 }),
        sizes,
        async (frames, cut) => {
          const { chunks, fault } = await walk(
            frames.flatMap(({ bytes }) => bytes),
            cut,
          );
          expect(fault).toBeUndefined();
          const plain = frames.filter((it) => !it.skippable).map(({ bytes }) => bytes);
          const ends = plain.map((_, i) => plain.slice(0, i + 1).flat().length);
          expect(chunks.flat()).toEqual(plain.flat());
          let at = 0;
          const reached = new Set(chunks.map((chunk) => (at += chunk.length)));
          for (const each of ends) expect(reached).toContain(each);
        },
      ),
    );
  });

  test('a cut at any place except between two frames is reported', async () => {
    await fc.assert(
      fc.asyncProperty(frame, fc.oneof(frame, skippable), sizes, fc.nat(), async (first, second, cut, n) => {
        const all = [...first.bytes, ...second.bytes];
        const at = n % all.length;
        const { fault } = await walk(all.slice(0, at), cut);
        expect(fault).toBe(at === first.bytes.length ? undefined : 'cut');
      }),
    );
  });

  test('bytes after the last frame, a file that is not Zstandard, and a reserved block', async () => {
    const one = frameOf({ single: true, content: 0, dictionary: 0, checksum: true, blocks: [{ type: 0, size: 5 }] });
    expect((await walk([...one, 1, 2, 3, 4], [3])).fault).toBe('behind');
    // Fewer bytes than a magic number has: bytes that do not begin one, and bytes that do.
    for (const rest of [[10], [0x28, 0xb4], [0x5f, 0x2b], [0x28, 0xb5, 0x2e]]) {
      expect((await walk([...one, ...rest], [100])).fault).toBe('behind');
      expect((await walk(rest, [1])).fault).toBe('broken');
    }
    for (const rest of [[0x28], [0x28, 0xb5, 0x2f], [0x50], [0x5f, 0x2a, 0x4d]]) {
      expect((await walk([...one, ...rest], [100])).fault).toBe('cut');
      expect((await walk(rest, [1])).fault).toBe('cut');
    }
    expect((await walk([1, 2, 3, 4, 5], [9])).fault).toBe('broken');
    expect((await walk([], [1])).fault).toBe('cut');
    const reserved = [...one];
    reserved[6] = 0x2f;
    expect((await walk(reserved, [100])).fault).toBe('broken');
  });
});
