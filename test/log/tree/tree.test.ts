/**
 * The tree and its files, compared with the words of RFC 6962 (test/reference/log/merkle.ts) and with the vectors of
 * golang.org/x/mod/sumdb/tlog (vectors.json, written by test/reference/generators/log/vectors).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '../../../src/core/base64.ts';
import { concat } from '../../../src/core/bytes.ts';
import { writeHex } from '../../../src/core/hex.ts';
import { completeRoot } from '../../../src/kernel/merkle/complete-root.ts';
import {
  emptyRoot,
  HASH_BYTES,
  leafHash,
  leafHashTo,
  nodeHash,
  platformSha256,
  portableSha256,
} from '../../../src/kernel/merkle.ts';
import { compactRange, subtreesOf } from '../../../src/log/tree/range.ts';
import { levelsOf, tileOf } from '../../../src/log/tree/tiles.ts';
import {
  bundleBytes,
  checkConsistency,
  checkInclusion,
  consistencyProof,
  inclusionProof,
  parseBundle,
  type Tile,
  tilePath,
  treeEdge,
} from '../../../src/log.ts';
import { mth, path, proof, tile } from '../../reference/log/merkle.ts';
import { random } from '../../reference/random.ts';
import { entries, entry, leavesOf, readerOver } from './shared.ts';

interface Vector {
  readonly size: number;
  readonly root: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  readonly inclusion: readonly { readonly index: number; readonly proof: readonly string[] }[];
  readonly consistency: readonly { readonly from: number; readonly proof: readonly string[] }[];
}

const VECTORS = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as readonly Vector[];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** All files of a log over some entries, by their paths. */
function filesOf(list: readonly Uint8Array[]): Map<string, Uint8Array> {
  const edge = treeEdge();
  for (const one of list) edge.append(leafHash(one));
  const files = new Map<string, Uint8Array>();
  for (const { level, index, width, hashes } of [...edge.takeFullTiles(), ...edge.partialTiles()]) {
    files.set(tilePath(level, index, width), hashes);
  }
  for (let from = 0; from < list.length; from += 256) {
    const part = list.slice(from, from + 256);
    files.set(tilePath('entries', from / 256, part.length), bundleBytes(part));
  }
  return files;
}

describe('SHA-256 of a tree', () => {
  it('is the same by node:crypto and by noble', () => {
    const platform = platformSha256()!;
    const bytes = random('merkle sha256');
    for (let i = 0; i < 300; i++) {
      const message = bytes.bytes(i);
      const [one, other] = [new Uint8Array(40), new Uint8Array(40)];
      platform(message, one, 4);
      portableSha256(message, other, 4);
      expect(one).toEqual(other);
      expect(writeHex(one.subarray(4, 36))).toBe(sha256(message));
    }
  });

  it('hashes a leaf in the middle of other bytes, and leaves them as they were', () => {
    const bytes = Uint8Array.of(9, 9, 9, 1, 2, 3, 9);
    const out = new Uint8Array(64);
    leafHashTo(bytes, 3, 3, out, 32);
    expect(bytes).toEqual(Uint8Array.of(9, 9, 9, 1, 2, 3, 9));
    expect(out.subarray(32)).toEqual(leafHash(Uint8Array.of(1, 2, 3)));
  });

  it('does not keep or change what it was called with', () => {
    const left = leafHash(Uint8Array.of(1));
    const right = leafHash(Uint8Array.of(2));
    const before = [left.slice(), right.slice()];
    const node = nodeHash(left, right);
    nodeHash(right, left);
    expect([left, right]).toEqual(before);
    expect(node).toEqual(mth([Uint8Array.of(1), Uint8Array.of(2)]));
    const row = concat([left, right]);
    expect(completeRoot(row)).toEqual(node);
    expect(row).toEqual(concat(before));
  });
});

describe('the tree of RFC 6962', () => {
  it('has the root, the proofs and the tiles of the literal definitions, at every size up to 70', async () => {
    for (let size = 0; size <= 70; size++) {
      const list = entries(size);
      const leaves = leavesOf(list);
      const edge = treeEdge();
      for (const leaf of leaves) edge.append(leaf);
      const root = mth(list);
      expect(edge.root()).toEqual(root);
      expect(edge.hashes()).toHaveLength(subtreesOf(size));
      for (let index = 0; index < size; index++) {
        const found = await inclusionProof(readerOver(leaves), index, size);
        expect(found).toEqual(path(index, list));
        expect(checkInclusion(leaves[index]!, index, size, root, found)).toBe(true);
      }
      for (let from = 1; from <= size; from++) {
        const found = await consistencyProof(readerOver(leaves), from, size);
        expect(found).toEqual(proof(from, list));
        expect(checkConsistency(from, size, mth(list.slice(0, from)), root, found)).toBe(true);
      }
    }
  });

  it('has the tiles of the formula of tlog-tiles', () => {
    const list = Array.from({ length: 1030 }, (_, i) => entry(i));
    const files = filesOf(list);
    const levels = levelsOf(list.length);
    expect(levels).toBe(2);
    let count = 0;
    for (let level = 0; level < levels; level++) {
      for (let index = 0; tile(level, index, list).length > 0; index++) {
        const hashes = tile(level, index, list);
        expect(files.get(tilePath(level, index, hashes.length))).toEqual(concat(hashes));
        count++;
      }
    }
    expect(count).toBe(6);
    expect(files.size).toBe(count + 5);
  });

  it('has the sizes of the example in tlog-tiles: 70,000 entries', () => {
    const edge = treeEdge();
    for (let i = 0; i < 70_000; i++) edge.append(new Uint8Array(32));
    const full = edge.takeFullTiles();
    expect(full.filter(({ level }) => level === 0)).toHaveLength(273);
    expect(full.filter(({ level }) => level === 1)).toHaveLength(1);
    expect(edge.partialTiles().map(({ level, width }) => [level, width])).toEqual([
      [0, 112],
      [1, 17],
      [2, 1],
    ]);
    expect(edge.takeFullTiles()).toEqual([]);
  });
});

describe('vectors of golang.org/x/mod', () => {
  const all = entries(VECTORS[VECTORS.length - 1]!.size);
  const leaves = leavesOf(all);
  const decode = (texts: readonly string[]): Uint8Array[] =>
    texts.map((text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));

  for (const { size, root, files, inclusion, consistency } of VECTORS) {
    it(`${size} entries: root, ${files.length} files, ${inclusion.length + consistency.length} proofs`, async () => {
      const ours = filesOf(all.slice(0, size));
      const edge = compactRange();
      for (const leaf of leaves.slice(0, size)) edge.append(leaf);
      expect(encodeBase64(edge.root())).toBe(root);
      for (const file of files) expect([file.path, sha256(ours.get(file.path)!)]).toEqual([file.path, file.sha256]);
      for (const { index, proof: texts } of inclusion) {
        const found = await inclusionProof(readerOver(leaves), index, size);
        expect(found.map(encodeBase64)).toEqual(texts);
        expect(checkInclusion(leaves[index]!, index, size, edge.root(), decode(texts))).toBe(true);
      }
      for (const { from, proof: texts } of consistency) {
        const found = await consistencyProof(readerOver(leaves), from, size);
        expect(found.map(encodeBase64)).toEqual(texts);
        const smaller = compactRange();
        for (const leaf of leaves.slice(0, from)) smaller.append(leaf);
        expect(checkConsistency(from, size, smaller.root(), edge.root(), decode(texts))).toBe(true);
      }
    });
  }
});

describe('a tree continues where it stopped', () => {
  it('from its partial tiles, at any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 600 }), (first, more) => {
        const leaf = (i: number): Uint8Array => leafHash(Uint8Array.of(i & 255, i >>> 8));
        const whole = treeEdge();
        for (let i = 0; i < first; i++) whole.append(leaf(i));
        const partial: Uint8Array[] = Array.from({ length: levelsOf(first) }, () => new Uint8Array(0));
        for (const { level, hashes } of whole.partialTiles()) partial[level] = hashes;
        const again = treeEdge({ size: first, partial });
        expect(again.root()).toEqual(whole.root());
        expect(again.hashes()).toEqual(whole.hashes());
        whole.takeFullTiles();
        for (let i = first; i < first + more; i++) {
          whole.append(leaf(i));
          again.append(leaf(i));
        }
        const tiles = (edge: typeof whole): Tile[] => [...edge.takeFullTiles(), ...edge.partialTiles()];
        expect(again.root()).toEqual(whole.root());
        expect(tiles(again)).toEqual(tiles(whole));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses partial tiles of another size', () => {
    expect(() => treeEdge({ size: 5, partial: [new Uint8Array(4 * 32)] })).toThrow(RangeError);
    expect(() => treeEdge({ size: 5, partial: [] })).toThrow(RangeError);
    expect(() => treeEdge({ size: 256, partial: [new Uint8Array(0)] })).toThrow(RangeError);
    expect(() => treeEdge({ size: 0, partial: [new Uint8Array(0)] })).toThrow(RangeError);
    expect(() => treeEdge({ size: 2 ** 53, partial: [] })).toThrow(RangeError);
    expect(() => treeEdge({ size: 1, partial: ['x'] as never })).toThrow(TypeError);
    expect(() => treeEdge().append(new Uint8Array(31))).toThrow(RangeError);
    expect(() => treeEdge().append('x' as never)).toThrow(TypeError);
  });

  it('does not share its bytes with the caller', () => {
    const leaf = new Uint8Array(32);
    const edge = treeEdge();
    edge.append(leaf);
    const root = edge.root();
    leaf.fill(1);
    edge.root().fill(2);
    edge.hashes()[0]!.fill(3);
    edge.partialTiles()[0]!.hashes.fill(4);
    expect(edge.root()).toEqual(root);
    expect(root).toEqual(new Uint8Array(32));
  });
});

describe('proofs that are wrong', () => {
  const list = entries(40);
  const leaves = leavesOf(list);

  it('no changed inclusion proof verifies: another index, size, leaf, root, hash, or number of hashes', async () => {
    const root = mth(list);
    for (const index of [0, 7, 31, 32, 38, 39]) {
      const good = await inclusionProof(readerOver(leaves), index, 40);
      const leaf = leaves[index]!;
      for (let other = 0; other <= 40; other++) {
        if (other !== index) expect(checkInclusion(leaf, other, 40, root, good)).toBe(false);
      }
      // A path of another form: RFC 9162 binds the size only where it changes the path, and the checkpoint signs it.
      for (const size of [0, index, 2, 16, 100, 2 ** 40])
        expect(checkInclusion(leaf, index, size, root, good)).toBe(false);
      expect(checkInclusion(leaves[(index + 1) % 40]!, index, 40, root, good)).toBe(false);
      expect(checkInclusion(leaf, index, 40, leaf, good)).toBe(false);
      expect(checkInclusion(leaf, index, 40, root, good.slice(1))).toBe(false);
      expect(checkInclusion(leaf, index, 40, root, good.slice(0, -1))).toBe(false);
      expect(checkInclusion(leaf, index, 40, root, [...good, leaf])).toBe(false);
      for (let at = 0; at < good.length; at++) {
        const changed = good.map((hash) => hash.slice());
        changed[at]![at % 32]! ^= 1;
        expect(checkInclusion(leaf, index, 40, root, changed)).toBe(false);
      }
    }
  });

  it('no changed consistency proof verifies', async () => {
    const root = mth(list);
    for (const from of [1, 2, 7, 8, 20, 31, 32, 33, 39]) {
      const smaller = mth(list.slice(0, from));
      const good = await consistencyProof(readerOver(leaves), from, 40);
      expect(checkConsistency(from, 40, root, smaller, good)).toBe(false);
      expect(checkConsistency(from, 40, smaller, root, good.slice(1))).toBe(false);
      expect(checkConsistency(from, 40, smaller, root, good.slice(0, -1))).toBe(false);
      expect(checkConsistency(from, 40, smaller, root, [...good, root])).toBe(false);
      expect(checkConsistency(from, 40, smaller, root, [])).toBe(false);
      for (let other = 1; other < 40; other++) {
        if (other !== from) expect(checkConsistency(other, 40, smaller, root, good)).toBe(false);
      }
      for (let at = 0; at < good.length; at++) {
        const changed = good.map((hash) => hash.slice());
        changed[at]![at % 32]! ^= 1;
        expect(checkConsistency(from, 40, smaller, root, changed)).toBe(false);
      }
    }
  });

  it('trees that are empty or equal have no proof', () => {
    const root = mth(list);
    expect(checkConsistency(0, 40, emptyRoot(), root, [])).toBe(true);
    expect(checkConsistency(0, 40, root, root, [])).toBe(false);
    expect(checkConsistency(0, 40, emptyRoot(), root, [root])).toBe(false);
    expect(checkConsistency(40, 40, root, root, [])).toBe(true);
    expect(checkConsistency(40, 40, emptyRoot(), root, [])).toBe(false);
    expect(checkConsistency(40, 40, root, root, [root])).toBe(false);
    expect(checkConsistency(41, 40, root, root, [root])).toBe(false);
  });

  it('hostile arguments are false, and never an exception or a long loop', () => {
    const hash = new Uint8Array(32);
    const many = new Array<Uint8Array>(1_000_000).fill(hash);
    for (const odd of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined]) {
      expect(checkInclusion(hash, odd as never, 5, hash, [hash])).toBe(false);
      expect(checkInclusion(hash, 0, odd as never, hash, [hash])).toBe(false);
      expect(checkConsistency(odd as never, 5, hash, hash, [hash])).toBe(false);
      expect(checkConsistency(1, odd as never, hash, hash, [hash])).toBe(false);
    }
    for (const odd of [new Uint8Array(31), 'x', null, undefined]) {
      expect(checkInclusion(odd as never, 0, 5, hash, [])).toBe(false);
      expect(checkInclusion(hash, 0, 5, odd as never, [])).toBe(false);
      expect(checkInclusion(hash, 0, 5, hash, [odd as never])).toBe(false);
      expect(checkInclusion(hash, 0, 5, hash, odd as never)).toBe(false);
      expect(checkConsistency(1, 2, odd as never, hash, [hash])).toBe(false);
    }
    expect(checkInclusion(hash, 0, 2 ** 53 - 1, hash, many)).toBe(false);
    expect(checkConsistency(1, 2 ** 53 - 1, hash, hash, many)).toBe(false);
  });

  it('proofs over trees of more than 2^32 entries are right: all leaves are equal, so the tree is known', async () => {
    const levels: Uint8Array[] = [leafHash(Uint8Array.of(7))];
    for (let level = 0; level < 53; level++) levels.push(nodeHash(levels[level]!, levels[level]!));
    const read = (nodes: readonly { level: number }[]): Uint8Array[] => nodes.map(({ level }) => levels[level]!);
    const rootOf = (size: number): Uint8Array => {
      const range = compactRange();
      for (let level = 52; level >= 0; level--) {
        if (Math.floor(size / 2 ** level) % 2 === 1) range.appendSubtree(level, levels[level]!);
      }
      expect(range.size).toBe(size);
      return range.root();
    };
    const most = Number.MAX_SAFE_INTEGER;
    for (const size of [2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12_345, most]) {
      for (const index of [0, 2 ** 31, 2 ** 32 - 1, size - 1]) {
        const found = await inclusionProof(read, index, size);
        expect(checkInclusion(levels[0]!, index, size, rootOf(size), found)).toBe(true);
      }
      for (const from of [1, 2 ** 31 + 1, 2 ** 32 - 1, size - 1]) {
        const found = await consistencyProof(read, from, size);
        expect(found.length).toBeLessThanOrEqual(54);
        expect(checkConsistency(from, size, rootOf(from), rootOf(size), found)).toBe(true);
      }
    }
    expect(tileOf(0, most - 1, most)).toEqual({ level: 0, index: 2 ** 45 - 1, width: 255 });
  });

  it('a reader that returns too few hashes is refused', async () => {
    await expect(inclusionProof(() => [], 0, 2)).rejects.toThrow(RangeError);
    await expect(inclusionProof(() => [new Uint8Array(HASH_BYTES)], 2, 2)).rejects.toThrow(RangeError);
    await expect(consistencyProof(() => [], 3, 2)).rejects.toThrow(RangeError);
  });
});

describe('tile paths', () => {
  it.each([
    [0, 0, 256, 'tile/0/000'],
    [0, 999, 256, 'tile/0/999'],
    [0, 1000, 1, 'tile/0/x001/000.p/1'],
    [0, 1234067, 256, 'tile/0/x001/x234/067'],
    [63, Number.MAX_SAFE_INTEGER, 255, 'tile/63/x009/x007/x199/x254/x740/991.p/255'],
    ['entries', 273, 112, 'tile/entries/273.p/112'],
  ] as const)('%s %s %s is %s', (level, index, width, expected) => {
    expect(tilePath(level, index, width)).toBe(expected);
  });

  it.each([
    [-1, 0, 1],
    [64, 0, 1],
    [0.5, 0, 1],
    [0, -1, 1],
    [0, 2 ** 53, 1],
    [0, 0, 0],
    [0, 0, 257],
    [0, 0, 1.5],
  ])('refuses %s %s %s', (level, index, width) => {
    expect(() => tilePath(level, index, width)).toThrow(RangeError);
  });
});

describe('bundles', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 }), (list) => {
        expect(parseBundle(bundleBytes(list), list.length)).toEqual(list);
      }),
      { numRuns: 50 },
    );
  });

  it('an entry of 65,535 bytes fits, an entry of 65,536 bytes does not', () => {
    const most = new Uint8Array(65_535).fill(7);
    expect(parseBundle(bundleBytes([most]), 1)).toEqual([most]);
    expect(() => bundleBytes([new Uint8Array(65_536)])).toThrow(RangeError);
  });

  it.each([
    ['no bytes', [], 1],
    ['one byte of a length', [0], 1],
    ['an entry that is cut', [0, 2, 1], 1],
    ['fewer entries', [0, 1, 1], 2],
    ['more entries', [0, 1, 1, 0, 1, 1], 1],
    ['a byte after its end', [0, 1, 1, 9], 1],
  ])('%s is log_broken', (_, bytes, count) => {
    expect(() => parseBundle(Uint8Array.from(bytes), count)).toThrow(expect.objectContaining({ code: 'log_broken' }));
  });

  it('refuses what is no list of entries', () => {
    expect(() => bundleBytes([])).toThrow(RangeError);
    expect(() => bundleBytes(new Array(257).fill(new Uint8Array(0)))).toThrow(RangeError);
    expect(() => bundleBytes('x' as never)).toThrow(TypeError);
    expect(() => bundleBytes(['x'] as never)).toThrow(TypeError);
  });
});
