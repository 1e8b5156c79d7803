/**
 * The keyed functions of tokens, compared with node:crypto, @noble/hashes and the literal references, in every way that
 * they can be called: with a text, with bytes, with a batch of either, with and without vectors.
 *
 * A digest goes over the tags of 100,000 pseudo-random messages; with TREFOIL_LONG=1 over a million.
 */
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { blake3 } from '@noble/hashes/blake3.js';
import { describe, expect, it } from 'vitest';
import { KEYED_BLAKE3, keyedBlake3, makeBlake3Batch } from '../../../src/kernel/prf/blake3.ts';
import { HMAC_SHA256, hmacSha256 } from '../../../src/kernel/prf/hmac.ts';
import { blockAt, type HmacBatch, makeHmacBatch, withHmacBatch } from '../../../src/kernel/prf/hmac-batch.ts';
import { LANES, type Lanes, makeLanes } from '../../../src/kernel/prf/hmac-lanes.ts';
import { type MessageBatch, type Prf, SLOTS, TAG_STEP, TAG_WORDS, tagAt } from '../../../src/kernel/prf/prf.ts';
import { codeOf } from '../../helpers/errors.ts';
import { blake3Reference } from '../../reference/blake3.ts';
import { hmacReference } from '../../reference/sha256.ts';
import { type Source, source } from '../../reference/texts.ts';

type Digest = (message: Uint8Array | string) => Uint8Array;

interface Kind {
  readonly name: string;
  readonly make: (key: Uint8Array) => Prf;
  readonly bare: (key: Uint8Array) => Prf;
  /** BLAKE3 has no vector unit: its batch is the same either way. */
  readonly makeBatch: (lanes: Lanes | null) => MessageBatch;
  readonly oracle: (key: Uint8Array) => Digest;
  readonly literal: (key: Uint8Array, message: Uint8Array) => Uint8Array;
  readonly keyLength: (random: Source) => number;
}

const KINDS: readonly Kind[] = [
  {
    name: 'HMAC-SHA-256',
    make: hmacSha256,
    bare: HMAC_SHA256.make,
    makeBatch: makeHmacBatch,
    oracle(key) {
      // An empty KeyObject is refused by some versions of Node.
      const secret = key.length === 0 ? key : createSecretKey(key);
      return (message) => createHmac('sha256', secret).update(message).digest();
    },
    literal: hmacReference,
    keyLength: ({ below }) => (below(3) === 0 ? 32 : below(131)),
  },
  {
    name: 'keyed BLAKE3',
    make: keyedBlake3,
    bare: KEYED_BLAKE3.make,
    makeBatch: makeBlake3Batch,
    oracle: (key) => (message) => blake3(typeof message === 'string' ? Buffer.from(message, 'utf8') : message, { key }),
    literal: blake3Reference,
    keyLength: () => 32,
  },
];

/** Eight big-endian words, `step` apart, as bytes. */
function bytesOf(words: Int32Array, at = 0, step = 1): Buffer {
  const out = Buffer.alloc(32);
  for (let j = 0; j < 8; j++) out.writeInt32BE(words[at + j * step]!, 4 * j);
  return out;
}

const lanes = makeLanes(SLOTS);

it('there are vectors where the tests run', () => {
  expect(lanes).not.toBeNull();
});

/** A message of `length` bytes, or nearly so, as text or as bytes in the middle of an array. */
function messageOf(random: Source, length: number): string | { array: Uint8Array; from: number; to: number } {
  const { below } = random;
  const kind = below(4);
  if (kind === 0) return random.unicode(length);
  if (kind === 1) {
    const from = below(9);
    return { array: random.bytes(from + length + below(9)), from, to: from + length };
  }
  return random.ascii(length);
}

/** Sizes of batches: the smallest, the largest, and any. */
function sizeOf({ below }: Source): number {
  return [1, 2, 3, 4, 5, 1023, 1024, 1 + below(64), 1 + below(SLOTS)][below(9)]!;
}

/** Digests over the tags by the kernel and by its oracle. */
function run(kind: Kind, seed: number, cases: number): { fast: string; slow: string; lengths: Set<number> } {
  const random = source(seed);
  const fast = createHash('sha256');
  const slow = createHash('sha256');
  const lengths = new Set<number>();
  const keys = Array.from({ length: 7 }, () => {
    const key = random.bytes(kind.keyLength(random));
    return { prf: kind.make(Uint8Array.from(key)), oracle: kind.oracle(key) };
  });
  // Two batches are open at a time, of two keys.
  const batches = [kind.makeBatch(lanes), kind.makeBatch(null)];
  let length = 0;
  for (let done = 0; done < cases; ) {
    const sizes = batches.map(() => sizeOf(random));
    const open = batches.map((batch, b) => ({ batch, ...keys[(random.below(3) + 3 * b) % 7]! }));
    const expected: [Buffer[], Buffer[]] = [[], []];
    for (let slot = 0; slot < Math.max(...sizes); slot++) {
      open.forEach(({ batch, prf, oracle }, b) => {
        if (slot >= sizes[b]!) return;
        length = (length + 1) % 301;
        const message = messageOf(random, length);
        if (typeof message === 'string') {
          prf.putText(batch, slot, message);
          const utf8 = Buffer.from(message, 'utf8');
          lengths.add(utf8.length);
          expected[b]!.push(Buffer.from(oracle(message)));
          // Now and then one value alone, between the slots of a batch.
          if (slot % 3 === 0) {
            prf.text(message);
            fast.update(bytesOf(prf.tag));
            slow.update(expected[b]!.at(-1)!);
            prf.bytes(utf8, 0, utf8.length);
            fast.update(bytesOf(prf.tag));
            slow.update(expected[b]!.at(-1)!);
          }
        } else {
          const { array, from, to } = message;
          prf.putBytes(batch, slot, array, from, to);
          lengths.add(to - from);
          expected[b]!.push(Buffer.from(oracle(array.subarray(from, to))));
          // The caller may overwrite the bytes afterwards.
          array.fill(0xaa);
        }
      });
    }
    open.forEach(({ batch, prf }, b) => {
      prf.run(batch, sizes[b]!);
      for (let slot = 0; slot < sizes[b]!; slot++) fast.update(bytesOf(batch.tags, tagAt(slot), TAG_STEP));
      for (const tag of expected[b]!) slow.update(tag);
      done += sizes[b]!;
    });
  }
  return { fast: fast.digest('hex'), slow: slow.digest('hex'), lengths };
}

describe.each(KINDS)('$name', (kind) => {
  it('gives the tags of its oracle over 100,000 messages of every length from 0 to 300, by every way', () => {
    const { fast, slow, lengths } = run(kind, 4, 100_000);
    expect(fast).toBe(slow);
    for (let length = 0; length <= 300; length++) expect(lengths.has(length), `${length}`).toBe(true);
  });

  it.runIf(process.env.TREFOIL_LONG)('and over a million', { timeout: 600_000 }, () => {
    const { fast, slow } = run(kind, 5, 1_000_000);
    expect(fast).toBe(slow);
  });

  it('gives the tags of the literal reference', () => {
    const random = source(6);
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    for (let length = 0; length <= 300; length++) {
      const key = random.bytes(kind.keyLength(random));
      const message = random.bytes(length);
      const prf = kind.make(Uint8Array.from(key));
      prf.bytes(message, 0, length);
      fast.update(bytesOf(prf.tag));
      slow.update(kind.literal(key, message));
    }
    expect(fast.digest('hex')).toBe(slow.digest('hex'));
  });

  it('takes texts of every plane, every UTF-16 unit that stands alone, and what is longer than its scratch', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);
    const prf = kind.make(key);
    const oracle = kind.oracle(key);
    const batch = kind.makeBatch(lanes);
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    const texts: string[] = [];
    // Each code point of the first planes once, and 64 of each other plane; alone, after ASCII and before it.
    for (let point = 0; point < 0x110000; point += point < 0x3000 ? 1 : 1021) {
      if (point < 0xd800 || point > 0xdfff) texts.push(String.fromCodePoint(point));
    }
    for (const length of [1365, 1366, 4095, 4096, 4097, 8191, 8192, 70_000]) {
      texts.push('a'.repeat(length), '\u20ac'.repeat(length), '\u{1f600}'.repeat(length >> 1));
    }
    texts.forEach((text, i) => {
      const message = i % 3 === 0 ? text : i % 3 === 1 ? `ab${text}` : `${text}cde`;
      prf.text(message);
      fast.update(bytesOf(prf.tag));
      prf.putText(batch, i % SLOTS, message);
      prf.run(batch, (i % SLOTS) + 1);
      fast.update(bytesOf(batch.tags, tagAt(i % SLOTS), TAG_STEP));
      const tag = oracle(message);
      slow.update(tag).update(tag);
    });
    expect(fast.digest('hex')).toBe(slow.digest('hex'));
  });

  it('refuses half a surrogate pair in text() and putText(), wherever it stands, and goes on as before', () => {
    const key = new Uint8Array(32).fill(3);
    const prf = kind.make(key);
    const right = Buffer.from(kind.oracle(key)('Ada'));
    for (const batch of [kind.makeBatch(lanes), kind.makeBatch(null)]) {
      for (const half of ['\ud800', '\udbff', '\udc00', '\udfff', '\udc00\ud800']) {
        for (const before of [0, 1, 2, 3, 4, 5, 50, 54, 55, 56, 63, 64, 65, 300, 1365, 1366, 5000]) {
          for (const text of [`${'x'.repeat(before)}${half}`, `${half}${'x'.repeat(before)}`]) {
            if (text.isWellFormed()) continue;
            expect(codeOf(() => prf.text(text))).toBe('lone_surrogate');
            prf.putText(batch, 0, 'Ada');
            expect(codeOf(() => prf.putText(batch, 1, text))).toBe('lone_surrogate');
            prf.putText(batch, 1, 'Ada');
            prf.run(batch, 2);
            expect(bytesOf(batch.tags, tagAt(0), TAG_STEP)).toEqual(right);
            expect(bytesOf(batch.tags, tagAt(1), TAG_STEP)).toEqual(right);
          }
        }
      }
    }
  });

  it('any batch is its messages one by one: long ones between short ones, the same batch again, fewer than before', () => {
    const random = source(8);
    const { below } = random;
    const key = random.bytes(32);
    const prf = kind.bare(Uint8Array.from(key));
    const oracle = kind.oracle(key);
    for (const batch of [kind.makeBatch(lanes), kind.makeBatch(null)]) {
      // The blocks and tags of a full batch are still there when it is used again.
      for (const size of [1024, 1, 2, 3, 4, 5, 7, 8, 1023, 1024, 6, 1]) {
        const messages = Array.from({ length: size }, (_, i) =>
          i % 5 === below(5) ? random.ascii(56 + below(2000)) : random.ascii(below(56)),
        );
        messages.forEach((message, slot) => {
          prf.putText(batch, slot, message);
        });
        prf.run(batch, size);
        messages.forEach((message, slot) => {
          expect(bytesOf(batch.tags, tagAt(slot), TAG_STEP).equals(Buffer.from(oracle(message)))).toBe(true);
        });
        if (kind.name !== 'HMAC-SHA-256') continue;
        expect((batch as HmacBatch).late).toHaveLength(0);
        expect((batch as HmacBatch).lateTags).toHaveLength(0);
      }
    }
  });

  it('keeps its own copy of the key, and does not change it, nor the message', () => {
    const random = source(9);
    const key = random.bytes(32);
    const given = Uint8Array.from(key);
    const message = random.bytes(200);
    const prf = kind.make(given);
    const right = Buffer.from(kind.oracle(key)(message));
    expect(given).toEqual(key);
    given.fill(0);
    const copy = Uint8Array.from(message);
    for (let i = 0; i < 3; i++) {
      prf.bytes(copy, 0, 200);
      expect(bytesOf(prf.tag)).toEqual(right);
    }
    expect(copy).toEqual(message);
  });

  // The length in bits of what HMAC hashes, with the block of the key, exceeds 2^32 for some of these.
  const long = process.env.TREFOIL_LONG !== undefined && kind.name === 'HMAC-SHA-256';
  it.runIf(long)('goes through messages of half a gibibyte', { timeout: 600_000 }, () => {
    const key = source(11).bytes(32);
    const prf = kind.bare(Uint8Array.from(key));
    const oracle = kind.oracle(key);
    const message = Buffer.alloc(2 ** 29, 'trefoil ');
    for (const length of [2 ** 29 - 65, 2 ** 29 - 64, 2 ** 29]) {
      prf.bytes(message, 0, length);
      expect(bytesOf(prf.tag).equals(Buffer.from(oracle(message.subarray(0, length))))).toBe(true);
    }
  });

  it('goes through long messages', { timeout: 60_000 }, () => {
    const random = source(10);
    const key = random.bytes(32);
    const prf = kind.bare(Uint8Array.from(key));
    const oracle = kind.oracle(key);
    const message = Buffer.alloc(3_000_000, 'trefoil ');
    for (const length of [1023, 1024, 1025, 2047, 2048, 2049, 3071, 3072, 3073, 65_536, 1_000_000, 3_000_000]) {
      prf.bytes(message, 0, length);
      expect(bytesOf(prf.tag).equals(Buffer.from(oracle(message.subarray(0, length))))).toBe(true);
    }
  });
});

describe('places of a batch', () => {
  it('are all different, inside, and four side by side', () => {
    const blocks = new Set<number>();
    const tags = new Set<number>();
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let j = 0; j < 16; j++) blocks.add(blockAt(slot) + j * LANES);
      for (let j = 0; j < TAG_WORDS; j++) tags.add(tagAt(slot) + j * TAG_STEP);
    }
    expect([blocks.size, Math.max(...blocks)]).toEqual([16 * SLOTS, 16 * SLOTS - 1]);
    expect([tags.size, Math.max(...tags)]).toEqual([8 * SLOTS, 8 * SLOTS - 1]);
  });
});

describe('withBatch of HMAC', () => {
  it('lends one batch to one at a time, also after a throw, and clears what was put late', () => {
    const seen: HmacBatch[] = [];
    withHmacBatch(1, (outer) => {
      seen.push(outer);
      withHmacBatch(1, (inner) => {
        expect(inner).not.toBe(outer);
        expect(inner.blocks).not.toBe(outer.blocks);
        expect(inner.tags).not.toBe(outer.tags);
        seen.push(inner);
      });
    });
    expect(() =>
      withHmacBatch(1, (batch) => {
        batch.late.push(1);
        batch.lateTags.push(1, 2, 3);
        seen.push(batch);
        throw new Error('in the middle');
      }),
    ).toThrow('in the middle');
    withHmacBatch(1, (batch) => {
      expect([batch.late, batch.lateTags]).toEqual([[], []]);
      expect(seen).toContain(batch);
    });
    expect(withHmacBatch(0, () => 'what work gives')).toBe('what work gives');
  });

  it('has vectors once there was enough to do, also for those inside another', () => {
    withHmacBatch(20_000, () => {});
    withHmacBatch(1, (outer) => {
      expect(outer.unit).not.toBeNull();
      withHmacBatch(1, (inner) => {
        expect(inner.unit).not.toBeNull();
        expect(inner.unit).not.toBe(outer.unit);
      });
    });
  });
});

describe('withBatch of keyed BLAKE3', () => {
  it('lends one batch to one at a time, also after a throw, and never a vector unit', () => {
    const { withBatch } = keyedBlake3(new Uint8Array(32));
    const seen: MessageBatch[] = [];
    withBatch(20_000, (outer) => {
      seen.push(outer);
      expect(outer.unit).toBeNull();
      withBatch(1, (inner) => {
        expect(inner).not.toBe(outer);
        expect(inner.tags).not.toBe(outer.tags);
        seen.push(inner);
      });
    });
    expect(() =>
      withBatch(1, (batch) => {
        expect(seen).toContain(batch);
        throw new Error('in the middle');
      }),
    ).toThrow('in the middle');
    withBatch(1, (batch) => expect(seen).toContain(batch));
    expect(withBatch(0, () => 'what work gives')).toBe('what work gives');
  });
});
