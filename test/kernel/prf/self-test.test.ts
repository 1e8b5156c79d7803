/**
 * A kernel that is made wrong in one way has to be noticed within the number of tags that self-test.ts promises; the
 * right one never is.
 */
import { describe, expect, it } from 'vitest';
import { KEYED_BLAKE3, makeBlake3Batch } from '../../../src/kernel/prf/blake3.ts';
import { HMAC_SHA256 } from '../../../src/kernel/prf/hmac.ts';
import { makeHmacBatch } from '../../../src/kernel/prf/hmac-batch.ts';
import { type Lanes, makeLanes } from '../../../src/kernel/prf/hmac-lanes.ts';
import { type MessageBatch, type Prf, SLOTS, TAG_STEP, tagAt } from '../../../src/kernel/prf/prf.ts';
import { type Algorithm, checked, knownAnswer } from '../../../src/kernel/prf/self-test.ts';
import { hex } from '../../helpers/hex.ts';
import { blake3Reference } from '../../reference/blake3.ts';
import { hmacReference } from '../../reference/sha256.ts';

/** One of this many tags is computed again, and all known messages are after this many tags. */
const EVERY = 8192;
const WARM = 20_000;
const MARKER = 'QzHostileMarkerQz';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const lanes = makeLanes(SLOTS);

/** How a kernel is wrong: whether the tag that was just made is to be changed. `made` counts tags of all keys. */
interface Fault {
  readonly text?: (made: number, message: string) => boolean;
  readonly bytes?: (made: number) => boolean;
  readonly slot?: (made: number, slot: number, batch: MessageBatch) => boolean;
}

/** A new algorithm, because self-tests are counted by algorithm, with a fault. `sets` counts key set-ups. */
function broken(
  right: Algorithm,
  fault: Fault,
): Algorithm & { readonly sets: () => number; readonly made: () => number } {
  let made = 0;
  let sets = 0;
  const make = (key: Uint8Array): Prf => {
    sets++;
    const prf = right.make(key);
    return {
      ...prf,
      text(message) {
        prf.text(message);
        if (fault.text?.(made, message)) prf.tag[7]! ^= 1;
        made++;
      },
      bytes(message, from, to) {
        prf.bytes(message, from, to);
        if (fault.bytes?.(made)) prf.tag[0]! ^= 0x80000000;
        made++;
      },
      run(batch, count) {
        prf.run(batch, count);
        for (let slot = 0; slot < count; slot++, made++) {
          if (fault.slot?.(made, slot, batch)) batch.tags[tagAt(slot) + 3 * TAG_STEP]! ^= 0x100;
        }
      },
    };
  };
  return { ...right, make, sets: () => sets, made: () => made };
}

const FAULT = (name: string) =>
  new Error(
    `the self-test of ${name} failed: this machine or JavaScript engine computed a wrong tag; do not use ` +
      'anything that this process has protected',
  );

/** Returns how many tags are made in batches until a call throws; `null` if none of `most` does. */
function tagsUntilThrow(prf: Prf, batch: MessageBatch, most: number, size = SLOTS, message = MARKER): number | null {
  for (let tags = 0; tags < most; tags += size) {
    try {
      for (let slot = 0; slot < size; slot++) prf.putText(batch, slot, message);
      prf.run(batch, size);
    } catch (error) {
      expect(String(error)).not.toContain(MARKER);
      expect((error as Error).constructor).toBe(Error);
      return tags + size;
    }
  }
  return null;
}

/** The same with one text after another. */
function textsUntilThrow(prf: Prf, most: number, message = MARKER): number | null {
  for (let tags = 1; tags <= most; tags++) {
    try {
      prf.text(message);
    } catch (error) {
      expect(String(error)).not.toContain(MARKER);
      return tags;
    }
  }
  return null;
}

describe.each<Algorithm>([HMAC_SHA256, KEYED_BLAKE3])('$name', (right) => {
  // BLAKE3 has no vector unit: its batch is the same either way.
  const makeBatch: (unit: Lanes | null) => MessageBatch = right === HMAC_SHA256 ? makeHmacBatch : makeBlake3Batch;
  const fault = FAULT(right.name);

  it('has the known answer, computed by the literal reference', () => {
    const literal = right === HMAC_SHA256 ? hmacReference : blake3Reference;
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const messages = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1024, 1025].map((length) =>
      Buffer.from(Array.from({ length }, (_, i) => 32 + ((7 * i) % 95))),
    );
    messages.push(Buffer.from('Zoë Müller, 東京, \u{1f600}', 'utf8'));
    const tags = Buffer.concat(messages.map((message) => literal(key, message)));
    expect(hex(literal(key, tags))).toBe(right.answer);
  });

  it('right, never throws: one by one, in batches of any size, with vectors and without', () => {
    const algorithm = broken(right, {});
    const prf = checked(algorithm, KEY);
    expect(textsUntilThrow(prf, 3 * EVERY)).toBeNull();
    expect(tagsUntilThrow(prf, makeBatch(null), 4 * EVERY)).toBeNull();
    expect(tagsUntilThrow(prf, makeBatch(lanes), 20 * EVERY)).toBeNull();
    for (const size of [1, 3, 5, 1023]) {
      expect(tagsUntilThrow(prf, makeBatch(lanes), 3 * EVERY, size)).toBeNull();
    }
    const long = 'x'.repeat(1100);
    expect(textsUntilThrow(prf, EVERY + 1, long)).toBeNull();
    expect(tagsUntilThrow(prf, makeBatch(lanes), 2 * EVERY, SLOTS, long)).toBeNull();
    const bytes = Buffer.from(`before${MARKER}behind`);
    for (let i = 0; i <= EVERY; i++) prf.bytes(bytes, 6, 6 + MARKER.length);
    const batch = makeBatch(lanes);
    for (let i = 0; i < 2 * EVERY; i += 100) {
      for (let slot = 0; slot < 100; slot++) prf.putBytes(batch, slot, bytes, slot % 6, 12);
      // The caller may change the bytes before the tags are computed.
      prf.run(batch, 100);
    }
    // The key, the first test, the one after warm-up and, for HMAC, the one of the vector unit.
    expect(algorithm.sets()).toBe(right === HMAC_SHA256 ? 4 : 3);
  });

  it.each<[string, Fault]>([
    ['texts', { text: () => true }],
    ['texts of one length', { text: (_, message) => message.length === 119 }],
    ['texts that are not ASCII', { text: (_, message) => message.startsWith('Zoë') }],
    ['bytes', { bytes: () => true }],
    ['batches', { slot: () => true }],
    ['one slot', { slot: (_, slot) => slot === 25 }],
    ['one lane', { slot: (_, slot) => slot % 4 === 2 }],
  ])('wrong in %s: refuses its key set-up, every time', (_, wrong) => {
    const algorithm = broken(right, wrong);
    for (let i = 0; i < 3; i++) expect(() => checked(algorithm, KEY)).toThrow(fault);
  });

  it.each<[string, Algorithm]>([
    ['a wrong answer', { ...right, answer: right.answer.replace(/^./, (c) => (c === '0' ? '1' : '0')) }],
    ['a key that is not looked at', { ...right, make: () => right.make(KEY) }],
  ])('%s is noticed', (_, algorithm) => {
    expect(() => checked(algorithm, KEY)).toThrow(fault);
    expect(() => knownAnswer(algorithm, makeBatch(lanes))).toThrow(fault);
  });

  it('an oracle of another mind is noticed at the first comparison', () => {
    const algorithm = { ...right, oracle: () => () => new Uint8Array(32) };
    expect(textsUntilThrow(checked(algorithm, KEY), 2 * EVERY)).toBe(EVERY);
    const batched = { ...right, oracle: () => () => new Uint8Array(32) };
    expect(tagsUntilThrow(checked(batched, KEY), makeBatch(lanes), 2 * EVERY)).toBe(EVERY);
  });

  it('wrong in texts from some tag on is noticed within 8,192', () => {
    for (const from of [100, 10_000, 30_000]) {
      const prf = checked(broken(right, { text: (made) => made >= from }), KEY);
      expect(textsUntilThrow(prf, from + 2 * EVERY)).toBeLessThanOrEqual(from + EVERY);
    }
  });

  it('wrong in batches from some tag on is noticed within 8,192 and a chunk', () => {
    for (const batch of [makeBatch(null), makeBatch(lanes)]) {
      for (const from of [100, 10_000, 30_000]) {
        const prf = checked(broken(right, { slot: (made) => made >= from }), KEY);
        expect(tagsUntilThrow(prf, batch, from + 3 * EVERY)).toBeLessThanOrEqual(from + EVERY + SLOTS);
      }
    }
  });

  it('wrong in one lane of four from some tag on is noticed within four comparisons', () => {
    for (let lane = 0; lane < 4; lane++) {
      const wrong = { slot: (made: number, slot: number) => made >= 1000 && slot % 4 === lane };
      const prf = checked(broken(right, wrong), KEY);
      expect(tagsUntilThrow(prf, makeBatch(lanes), 5 * EVERY)).toBeLessThanOrEqual(4 * EVERY + SLOTS);
    }
  });

  it('wrong in one slot of 1,024 is noticed before every slot has had its turn', { timeout: 60_000 }, () => {
    const prf = checked(broken(right, { slot: (made, slot) => made >= 1000 && slot === 617 }), KEY);
    expect(tagsUntilThrow(prf, makeBatch(lanes), SLOTS * EVERY)).not.toBeNull();
  });

  it('goes through the known messages again after 20,000 texts', () => {
    const algorithm = broken(right, {});
    const prf = checked(algorithm, KEY);
    const sets = algorithm.sets();
    let tags = 0;
    for (; algorithm.sets() === sets && tags < 40 * EVERY; tags++) prf.text(MARKER);
    expect(tags).toBeGreaterThanOrEqual(WARM);
    expect(tags).toBeLessThanOrEqual(WARM + EVERY);
  });

  it.each([SLOTS, 10])('goes through the known messages again after 20,000 tags in batches of %s', (size) => {
    const algorithm = broken(right, {});
    const prf = checked(algorithm, KEY);
    const batch = makeBatch(lanes);
    // The first batch of a vector unit is tested separately.
    prf.putText(batch, 0, MARKER);
    prf.run(batch, 1);
    const sets = algorithm.sets();
    let tags = 1;
    for (; algorithm.sets() === sets && tags < 40 * EVERY; tags += size) {
      for (let slot = 0; slot < size; slot++) prf.putText(batch, slot, MARKER);
      prf.run(batch, size);
    }
    expect(tags).toBeGreaterThanOrEqual(WARM);
    expect(tags).toBeLessThanOrEqual(WARM + EVERY);
  });

  it('wrong with compiled code at one length only is noticed after 20,000 tags of other lengths', () => {
    const algorithm = broken(right, { text: (made, message) => made > 15_000 && message.length === 64 });
    expect(textsUntilThrow(checked(algorithm, KEY), 4 * EVERY)).toBeLessThanOrEqual(WARM + EVERY);
  });

  it.runIf(right === HMAC_SHA256)('tests vectors before their first tag', () => {
    const algorithm = broken(right, { slot: (_, __, batch) => batch.unit !== null });
    const prf = checked(algorithm, KEY);
    expect(tagsUntilThrow(prf, makeBatch(null), EVERY)).toBeNull();
    expect(tagsUntilThrow(prf, makeBatch(lanes), 4 * EVERY)).toBeLessThanOrEqual(SLOTS);
  });

  it('compares one of 8,192 tags also where many keys make few each', () => {
    const algorithm = broken(right, { text: (made) => made > 1000 });
    let noticed = false;
    for (let k = 0; k < 40 && !noticed; k++) {
      noticed =
        textsUntilThrow(
          checked(
            algorithm,
            KEY.map((byte) => byte ^ k),
          ),
          1000,
        ) !== null;
    }
    expect(noticed).toBe(true);
  });

  it('once it was wrong gives no tag any more', () => {
    const algorithm = broken(right, { text: (made) => made > 1000 });
    const prf = checked(algorithm, KEY);
    expect(textsUntilThrow(prf, 3 * EVERY)).not.toBeNull();
    expect(() => prf.text(MARKER)).toThrow(fault);
    expect(() => checked(algorithm, KEY)).toThrow(fault);
  });

  it('compares nothing that was put and never run, and nothing of another batch', () => {
    const prf = checked(broken(right, {}), KEY);
    const [a, b] = [makeBatch(lanes), makeBatch(null)];
    const run = () => {
      for (let round = 0; round < 3 * EVERY; round += 7) {
        // Never run, like a column in which an error was thrown.
        for (let slot = 0; slot < 3 + (round % 5); slot++) prf.putText(a, slot, `a ${round} ${slot}`);
        for (let slot = 0; slot < 7; slot++) prf.putText(b, slot, `b ${round} ${slot}`);
        prf.run(b, 7);
        if (round % 3 === 0) prf.run(a, 3);
        // Two batches that are filled in turn, slot by slot.
        for (let slot = 0; slot < 7; slot++) {
          prf.putText(b, slot, `c ${round} ${slot}`);
          prf.putText(a, slot, `d ${round} ${slot}`);
        }
        prf.run(b, 7);
        prf.run(a, 7);
      }
    };
    expect(run).not.toThrow();
  });
});
