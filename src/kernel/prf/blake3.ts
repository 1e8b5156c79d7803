/**
 * Keyed BLAKE3: the BLAKE3 specification (https://github.com/BLAKE3-team/BLAKE3-specs), sections 2.1 to 2.4, as the
 * second function for tokens. It needs one compression for a message of up to 64 bytes; HMAC-SHA-256 needs two for up
 * to 55.
 *
 * Messages of one chunk, up to 1,024 bytes, are hashed here. Longer ones make a tree of chunks and go to @noble/hashes.
 */

import { blake3 } from '@noble/hashes/blake3.js';
import { checkText } from '../../core/checks.ts';
import { swapBytes } from '../aes/aes.ts';
import { lendBatch, type MessageBatch, type Prf, type Shelf, SLOTS, TAG_STEP, TAG_WORDS, tagAt } from './prf.ts';
import { type Algorithm, checked } from './self-test.ts';
import { INITIAL, STATE_WORDS } from './sha256.ts';

/** Bytes of a block and of a chunk (section 2.1). */
const BLOCK = 64;
const CHUNK = 1024;

/** Flags (table 3). */
const CHUNK_START = 1;
const CHUNK_END = 2;
const ROOT = 8;
const KEYED_HASH = 16;

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** The UTF-8 of a text that cannot be packed straight into a block. Longer texts get an array of their own. */
const scratch: Uint8Array = /* @__PURE__ */ new Uint8Array(4096);

/**
 * Key set-up. The returned function tests itself while it runs: self-test.ts.
 *
 * @param key 32 bytes.
 */
export function keyedBlake3(key: Uint8Array): Prf {
  return checked(KEYED_BLAKE3, key);
}

/** What the self-test needs. The known answer is computed again in test/kernel/prf/self-test.test.ts. */
export const KEYED_BLAKE3: Algorithm<MessageBatch> = /* @__PURE__ */ Object.freeze({
  name: 'keyed BLAKE3',
  make: setUp,
  makeBatch: () => makeBlake3Batch(),
  oracle: (key: Uint8Array) => (message: Uint8Array) => blake3(message, { key }),
  answer: '931c97d5739e98a66ba3bb7ae94f3b46fae198e0a3824d22367f07f119fbc1f6',
});

function setUp(key: Uint8Array): Prf {
  if (key.length !== 4 * STATE_WORDS) throw new RangeError('the key of keyed BLAKE3 has 32 bytes');
  const own = Uint8Array.from(key);
  const view = new DataView(own.buffer);
  const keyWords = Int32Array.from({ length: STATE_WORDS }, (_, i) => view.getInt32(4 * i, true));
  const tag = new Int32Array(STATE_WORDS);
  const state = new Int32Array(STATE_WORDS);
  const block = new Int32Array(BLOCK / 4);

  function text(message: string): void {
    if (packText(message, block)) {
      compress(keyWords, block, message.length, CHUNK_START | CHUNK_END | ROOT | KEYED_HASH, tag);
      toBigEndian(tag);
      return;
    }
    const utf8 = 3 * checkText(message).length <= scratch.length ? scratch : new Uint8Array(3 * message.length);
    bytes(utf8, 0, encoder.encodeInto(message, utf8).written);
  }

  function bytes(message: Uint8Array, from: number, to: number): void {
    if (to - from > CHUNK) {
      const digest = blake3(message.subarray(from, to), { key: own });
      const words = new DataView(digest.buffer, digest.byteOffset, digest.length);
      for (let j = 0; j < STATE_WORDS; j++) tag[j] = words.getInt32(4 * j, false);
      return;
    }
    let at = from;
    let now = keyWords;
    let flags = CHUNK_START | KEYED_HASH;
    for (; to - at > BLOCK; at += BLOCK) {
      packBytes(message, at, at + BLOCK, block);
      compress(now, block, BLOCK, flags, state);
      now = state;
      flags = KEYED_HASH;
    }
    packBytes(message, at, to, block);
    compress(now, block, to - at, flags | CHUNK_END | ROOT, tag);
    toBigEndian(tag);
  }

  // The tag is computed when its message is put: with one compression a message, a batch saves nothing.
  function putTag(batch: MessageBatch, slot: number): void {
    const at = tagAt(slot);
    for (let j = 0; j < STATE_WORDS; j++) batch.tags[at + j * TAG_STEP] = tag[j]!;
  }

  return {
    tag,
    text,
    bytes,
    withBatch: withBlake3Batch,
    putText(batch, slot, message) {
      text(message);
      putTag(batch, slot);
    },
    putBytes(batch, slot, message, from, to) {
      bytes(message, from, to);
      putTag(batch, slot);
    },
    run() {},
  };
}

/** Makes a batch, which is no more than the tags: the messages are hashed when they are put. */
export function makeBlake3Batch(): MessageBatch {
  return { tags: new Int32Array(SLOTS * TAG_WORDS), rows: new Int32Array(SLOTS), unit: null };
}

const shelf: Shelf<MessageBatch> = { spare: null };

function withBlake3Batch<T>(_expected: number, work: (batch: MessageBatch) => T): T {
  return lendBatch(shelf, shelf.spare ?? makeBlake3Batch(), work);
}

function toBigEndian(words: Int32Array): void {
  for (let j = 0; j < STATE_WORDS; j++) words[j] = swapBytes(words[j]!);
}

/** Packs a text of up to 64 ASCII characters into a block, followed by zeros. Returns `false` for any other text. */
function packText(message: string, block: Int32Array): boolean {
  const { length } = message;
  if (length > BLOCK) return false;
  let all = 0;
  let at = 0;
  let i = 0;
  for (const whole = length - 3; i < whole; i += 4) {
    const c0 = message.charCodeAt(i);
    const c1 = message.charCodeAt(i + 1);
    const c2 = message.charCodeAt(i + 2);
    const c3 = message.charCodeAt(i + 3);
    all |= c0 | c1 | c2 | c3;
    block[at++] = c0 | (c1 << 8) | (c2 << 16) | (c3 << 24);
  }
  let last = 0;
  for (let shift = 0; i < length; i++, shift += 8) {
    const c = message.charCodeAt(i);
    all |= c;
    last |= c << shift;
  }
  if (all > 127) return false;
  if (at < block.length) block[at++] = last;
  while (at < block.length) block[at++] = 0;
  return true;
}

/** Packs up to 64 bytes into a block, followed by zeros. */
function packBytes(message: Uint8Array, from: number, to: number, block: Int32Array): void {
  block.fill(0);
  for (let i = from; i < to; i++) block[(i - from) >>> 2]! |= message[i]! << (8 * ((i - from) & 3));
}

/**
 * The compression function (section 2.2) on a block of chunk 0. The first eight words of its result, the chaining
 * value, are written to `out`, which may be `state`.
 *
 * It is written out with local variables because the seven rounds are the whole cost of a tag.
 */
function compress(state: Int32Array, block: Int32Array, length: number, flags: number, out: Int32Array): void {
  let m0 = block[0]! | 0;
  let m1 = block[1]! | 0;
  let m2 = block[2]! | 0;
  let m3 = block[3]! | 0;
  let m4 = block[4]! | 0;
  let m5 = block[5]! | 0;
  let m6 = block[6]! | 0;
  let m7 = block[7]! | 0;
  let m8 = block[8]! | 0;
  let m9 = block[9]! | 0;
  let m10 = block[10]! | 0;
  let m11 = block[11]! | 0;
  let m12 = block[12]! | 0;
  let m13 = block[13]! | 0;
  let m14 = block[14]! | 0;
  let m15 = block[15]! | 0;
  let v0 = state[0]! | 0;
  let v1 = state[1]! | 0;
  let v2 = state[2]! | 0;
  let v3 = state[3]! | 0;
  let v4 = state[4]! | 0;
  let v5 = state[5]! | 0;
  let v6 = state[6]! | 0;
  let v7 = state[7]! | 0;
  let v8 = INITIAL[0]! | 0;
  let v9 = INITIAL[1]! | 0;
  let v10 = INITIAL[2]! | 0;
  let v11 = INITIAL[3]! | 0;
  let v12 = 0;
  let v13 = 0;
  let v14 = length | 0;
  let v15 = flags | 0;
  // biome-ignore format: the function G (table 1) is two lines: four on the columns, four on the diagonals
  for (let r = 0; ; r++) {
    v0 = v0 + v4 + m0 | 0; v12 ^= v0; v12 = v12 >>> 16 | v12 << 16; v8 = v8 + v12 | 0; v4 ^= v8; v4 = v4 >>> 12 | v4 << 20;
    v0 = v0 + v4 + m1 | 0; v12 ^= v0; v12 = v12 >>> 8 | v12 << 24; v8 = v8 + v12 | 0; v4 ^= v8; v4 = v4 >>> 7 | v4 << 25;
    v1 = v1 + v5 + m2 | 0; v13 ^= v1; v13 = v13 >>> 16 | v13 << 16; v9 = v9 + v13 | 0; v5 ^= v9; v5 = v5 >>> 12 | v5 << 20;
    v1 = v1 + v5 + m3 | 0; v13 ^= v1; v13 = v13 >>> 8 | v13 << 24; v9 = v9 + v13 | 0; v5 ^= v9; v5 = v5 >>> 7 | v5 << 25;
    v2 = v2 + v6 + m4 | 0; v14 ^= v2; v14 = v14 >>> 16 | v14 << 16; v10 = v10 + v14 | 0; v6 ^= v10; v6 = v6 >>> 12 | v6 << 20;
    v2 = v2 + v6 + m5 | 0; v14 ^= v2; v14 = v14 >>> 8 | v14 << 24; v10 = v10 + v14 | 0; v6 ^= v10; v6 = v6 >>> 7 | v6 << 25;
    v3 = v3 + v7 + m6 | 0; v15 ^= v3; v15 = v15 >>> 16 | v15 << 16; v11 = v11 + v15 | 0; v7 ^= v11; v7 = v7 >>> 12 | v7 << 20;
    v3 = v3 + v7 + m7 | 0; v15 ^= v3; v15 = v15 >>> 8 | v15 << 24; v11 = v11 + v15 | 0; v7 ^= v11; v7 = v7 >>> 7 | v7 << 25;
    v0 = v0 + v5 + m8 | 0; v15 ^= v0; v15 = v15 >>> 16 | v15 << 16; v10 = v10 + v15 | 0; v5 ^= v10; v5 = v5 >>> 12 | v5 << 20;
    v0 = v0 + v5 + m9 | 0; v15 ^= v0; v15 = v15 >>> 8 | v15 << 24; v10 = v10 + v15 | 0; v5 ^= v10; v5 = v5 >>> 7 | v5 << 25;
    v1 = v1 + v6 + m10 | 0; v12 ^= v1; v12 = v12 >>> 16 | v12 << 16; v11 = v11 + v12 | 0; v6 ^= v11; v6 = v6 >>> 12 | v6 << 20;
    v1 = v1 + v6 + m11 | 0; v12 ^= v1; v12 = v12 >>> 8 | v12 << 24; v11 = v11 + v12 | 0; v6 ^= v11; v6 = v6 >>> 7 | v6 << 25;
    v2 = v2 + v7 + m12 | 0; v13 ^= v2; v13 = v13 >>> 16 | v13 << 16; v8 = v8 + v13 | 0; v7 ^= v8; v7 = v7 >>> 12 | v7 << 20;
    v2 = v2 + v7 + m13 | 0; v13 ^= v2; v13 = v13 >>> 8 | v13 << 24; v8 = v8 + v13 | 0; v7 ^= v8; v7 = v7 >>> 7 | v7 << 25;
    v3 = v3 + v4 + m14 | 0; v14 ^= v3; v14 = v14 >>> 16 | v14 << 16; v9 = v9 + v14 | 0; v4 ^= v9; v4 = v4 >>> 12 | v4 << 20;
    v3 = v3 + v4 + m15 | 0; v14 ^= v3; v14 = v14 >>> 8 | v14 << 24; v9 = v9 + v14 | 0; v4 ^= v9; v4 = v4 >>> 7 | v4 << 25;
    if (r === 6) break;
    // The permutation of the message words (table 2), cycle by cycle.
    let t = 0;
    t = m0; m0 = m2; m2 = m3; m3 = m10; m10 = m12; m12 = m9; m9 = m11; m11 = m5; m5 = t;
    t = m1; m1 = m6; m6 = m4; m4 = m7; m7 = m13; m13 = m14; m14 = m15; m15 = m8; m8 = t;
  }
  out[0] = v0 ^ v8;
  out[1] = v1 ^ v9;
  out[2] = v2 ^ v10;
  out[3] = v3 ^ v11;
  out[4] = v4 ^ v12;
  out[5] = v5 ^ v13;
  out[6] = v6 ^ v14;
  out[7] = v7 ^ v15;
}
