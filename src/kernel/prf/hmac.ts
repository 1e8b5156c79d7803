/**
 * HMAC with SHA-256: FIPS 198-1 (https://doi.org/10.6028/NIST.FIPS.198-1), RFC 2104, for many short messages under one
 * key.
 *
 * The states of SHA-256 after the padded key are computed once per key (`inner`, `outer`), so a message of up to 55
 * bytes costs two compressions. ASCII texts are packed straight into the words of a block, without a byte array in
 * between and without allocation.
 */

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { checkText } from '../../core/checks.ts';
import { blockAt, type HmacBatch, makeHmacBatch, withHmacBatch } from './hmac-batch.ts';
import { LANES } from './hmac-lanes.ts';
import { type Prf, TAG_STEP, tagAt } from './prf.ts';
import { type Algorithm, checked } from './self-test.ts';
import { BLOCK_WORDS, compress, INITIAL, STATE_WORDS } from './sha256.ts';

/** Bytes of a block (FIPS 198-1, section 3: B). */
const B = 64;

/** Bytes of a message that fit into its last block together with the bit 1 and the length in 64 bits. */
const ONE_BLOCK = B - 9;

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** The UTF-8 of a text that cannot be packed straight into a block. Longer texts get an array of their own. */
const scratch: Uint8Array = /* @__PURE__ */ new Uint8Array(4096);

/** The block that is compressed, and the state between two blocks of one message. Nothing here calls back. */
const block: Int32Array = /* @__PURE__ */ new Int32Array(BLOCK_WORDS);
const state: Int32Array = /* @__PURE__ */ new Int32Array(STATE_WORDS);

/** Computes the 32-byte tag of a message. The returned array is reused: read it before the next call. */
export type Mac = (message: Uint8Array) => Uint8Array;

/** HMAC of one message of bytes at a time, for key derivation and for permutations of small spaces. */
export function hmacBytes(key: Uint8Array): Mac {
  const prf = hmacSha256(key);
  const out = new Uint8Array(4 * STATE_WORDS);
  const view = new DataView(out.buffer);
  return (message) => {
    prf.bytes(message, 0, message.length);
    for (let j = 0; j < STATE_WORDS; j++) view.setInt32(4 * j, prf.tag[j]!, false);
    return out;
  };
}

/**
 * Key set-up (FIPS 198-1, section 4, steps 1 to 4 and 7). The returned function tests itself while it runs:
 * self-test.ts.
 */
export function hmacSha256(key: Uint8Array): Prf<HmacBatch> {
  return checked(HMAC_SHA256, key);
}

/** What the self-test needs. The known answer is computed again in test/kernel/prf/self-test.test.ts. */
export const HMAC_SHA256: Algorithm<HmacBatch> = /* @__PURE__ */ Object.freeze({
  name: 'HMAC-SHA-256',
  make: setUp,
  makeBatch: (unit: HmacBatch['unit']) => makeHmacBatch(unit),
  oracle: (key: Uint8Array) => (message: Uint8Array) => hmac(sha256, key, message),
  answer: '4a1c3f1bcbe21e0ef20663fd4fb5b6e519e7a65f7c023a3b6dfd484a7800c231',
});

function setUp(key: Uint8Array): Prf<HmacBatch> {
  const tag = new Int32Array(STATE_WORDS);
  /** The block of the outer compression: the inner digest, the bit 1, zeros, the length in bits of B + 32 bytes. */
  const middle = new Int32Array(BLOCK_WORDS);
  middle[STATE_WORDS] = 0x80000000;
  middle[BLOCK_WORDS - 1] = 8 * (B + 32);

  // Steps 1 to 3: K0 is the key, or its digest if the key is longer than a block, followed by zeros.
  const k0 = new Uint8Array(B);
  if (key.length <= B) k0.set(key);
  else k0.set(digest(key));
  const inner = keyState(k0, 0x36363636);
  const outer = keyState(k0, 0x5c5c5c5c);
  k0.fill(0);

  function text(message: string): void {
    if (packText(message, block, 0, 1)) {
      compress(inner, block, 0, 1, middle, 0, 1);
      compress(outer, middle, 0, 1, tag, 0, 1);
    } else {
      const utf8 = 3 * checkText(message).length <= scratch.length ? scratch : new Uint8Array(3 * message.length);
      bytes(utf8, 0, encoder.encodeInto(message, utf8).written);
    }
  }

  function bytes(message: Uint8Array, from: number, to: number): void {
    // Steps 5 and 6, then 8 and 9.
    chain(inner, B, message, from, to, middle);
    compress(outer, middle, 0, 1, tag, 0, 1);
  }

  function putText(batch: HmacBatch, slot: number, message: string): void {
    if (!packText(message, batch.blocks, blockAt(slot), LANES)) {
      text(message);
      putLate(batch, slot);
    }
  }

  function putBytes(batch: HmacBatch, slot: number, message: Uint8Array, from: number, to: number): void {
    if (to - from <= ONE_BLOCK) {
      packBytes(message, from, to, batch.blocks, blockAt(slot), LANES);
      putLength(batch.blocks, blockAt(slot), LANES, B + (to - from));
    } else {
      bytes(message, from, to);
      putLate(batch, slot);
    }
  }

  function putLate(batch: HmacBatch, slot: number): void {
    batch.late.push(slot);
    for (let j = 0; j < STATE_WORDS; j++) batch.lateTags.push(tag[j]!);
  }

  function run({ blocks, tags, unit, late, lateTags }: HmacBatch, count: number): void {
    if (unit !== null) {
      unit.run(inner, outer, count);
    } else {
      for (let slot = 0; slot < count; slot++) {
        compress(inner, blocks, blockAt(slot), LANES, middle, 0, 1);
        compress(outer, middle, 0, 1, tags, tagAt(slot), TAG_STEP);
      }
    }
    for (let i = 0; i < late.length; i++) {
      const at = tagAt(late[i]!);
      for (let j = 0; j < STATE_WORDS; j++) tags[at + j * TAG_STEP] = lateTags[i * STATE_WORDS + j]!;
    }
    late.length = 0;
    lateTags.length = 0;
  }

  return { tag, text, bytes, withBatch: withHmacBatch, putText, putBytes, run };
}

/**
 * SHA-256 of some bytes followed by a message (FIPS 180-4, sections 5.1.1 and 6.2). `before` is the state after those
 * bytes, and `taken` their number.
 */
function chain(
  before: Int32Array,
  taken: number,
  message: Uint8Array,
  from: number,
  to: number,
  out: Int32Array,
): void {
  let last = from;
  let now = before;
  for (; to - last >= B; last += B) {
    packBytes(message, last, last + B, block, 0, 1);
    compress(now, block, 0, 1, state, 0, 1);
    now = state;
  }
  packBytes(message, last, to, block, 0, 1);
  if (to - last > ONE_BLOCK) {
    compress(now, block, 0, 1, state, 0, 1);
    now = state;
    block.fill(0);
  }
  putLength(block, 0, 1, taken + (to - from));
  compress(now, block, 0, 1, out, 0, 1);
}

/** Returns the SHA-256 digest of a key that is longer than a block. */
function digest(message: Uint8Array): Uint8Array {
  const words = new Int32Array(STATE_WORDS);
  chain(INITIAL, 0, message, 0, message.length, words);
  const out = new Uint8Array(4 * STATE_WORDS);
  const view = new DataView(out.buffer);
  for (let j = 0; j < STATE_WORDS; j++) view.setInt32(4 * j, words[j]!, false);
  return out;
}

/** Steps 4 and 7, and the compression of the block that they give. */
function keyState(padded: Uint8Array, pad: number): Int32Array {
  packBytes(padded, 0, B, block, 0, 1);
  for (let j = 0; j < BLOCK_WORDS; j++) block[j]! ^= pad;
  const out = new Int32Array(STATE_WORDS);
  compress(INITIAL, block, 0, 1, out, 0, 1);
  block.fill(0);
  return out;
}

/**
 * Packs a text of up to 55 ASCII characters as the only block of the inner hash, with padding and length. Returns
 * `false` for any other text.
 */
function packText(message: string, block: Int32Array, start: number, step: number): boolean {
  const { length } = message;
  if (length > ONE_BLOCK) return false;
  let at = start;
  let all = 0;
  let i = 0;
  for (const whole = length - 3; i < whole; i += 4) {
    const c0 = message.charCodeAt(i);
    const c1 = message.charCodeAt(i + 1);
    const c2 = message.charCodeAt(i + 2);
    const c3 = message.charCodeAt(i + 3);
    all |= c0 | c1 | c2 | c3;
    block[at] = (c0 << 24) | (c1 << 16) | (c2 << 8) | c3;
    at += step;
  }
  let last = 0;
  let shift = 24;
  for (; i < length; i++) {
    const c = message.charCodeAt(i);
    all |= c;
    last |= c << shift;
    shift -= 8;
  }
  if (all > 127) return false;
  block[at] = last | (0x80 << shift);
  const end = start + (BLOCK_WORDS - 1) * step;
  for (at += step; at < end; at += step) block[at] = 0;
  block[end] = 8 * (B + length);
  return true;
}

/** Packs up to 64 bytes. If they do not fill the block, the bit 1 and zeros follow. The length is not written. */
function packBytes(
  message: Uint8Array,
  from: number,
  to: number,
  block: Int32Array,
  start: number,
  step: number,
): void {
  let at = start;
  let i = from;
  for (const whole = to - 3; i < whole; i += 4) {
    block[at] = (message[i]! << 24) | (message[i + 1]! << 16) | (message[i + 2]! << 8) | message[i + 3]!;
    at += step;
  }
  const end = start + BLOCK_WORDS * step;
  if (at === end) return;
  let last = 0;
  let shift = 24;
  for (; i < to; i++) {
    last |= message[i]! << shift;
    shift -= 8;
  }
  block[at] = last | (0x80 << shift);
  for (at += step; at < end; at += step) block[at] = 0;
}

/** Writes the length of the whole hashed message, in bits, as the last two words (FIPS 180-4, section 5.1.1). */
function putLength(block: Int32Array, start: number, step: number, bytes: number): void {
  block[start + (BLOCK_WORDS - 2) * step] = Math.floor(bytes / 0x20000000);
  block[start + (BLOCK_WORDS - 1) * step] = bytes << 3;
}
