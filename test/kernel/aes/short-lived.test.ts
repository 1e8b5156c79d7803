/** AES for short-lived keys: compared with FIPS 197, node:crypto and @noble/ciphers. */
import { createCipheriv } from 'node:crypto';
import { unsafe } from '@noble/ciphers/aes.js';
import { describe, expect, it } from 'vitest';
import { encipher, expandInto, makeSchedule } from '../../../src/kernel/aes/short-lived.ts';
import { bytes, hex } from '../../helpers/hex.ts';
import { source } from '../../reference/texts.ts';

function encrypt(key: Uint8Array, input: Uint8Array): string {
  const schedule = makeSchedule();
  expandInto(schedule, new DataView(key.buffer, key.byteOffset, key.length), 0, key.length);
  const bytes = input.slice();
  const view = new DataView(bytes.buffer);
  const block = Int32Array.from({ length: 4 }, (_, i) => view.getInt32(4 * i, true));
  encipher(schedule, block);
  for (let i = 0; i < 4; i++) view.setInt32(4 * i, block[i]!, true);
  return hex(bytes);
}

describe('FIPS 197', () => {
  // Appendix C.1 to C.3 of the first edition; appendix B of both.
  const counted = Uint8Array.from({ length: 32 }, (_, i) => i);
  const plaintext = bytes('00112233445566778899aabbccddeeff');
  it.each([
    [16, '69c4e0d86a7b0430d8cdb78070b4c55a'],
    [24, 'dda97ca4864cdfe06eaf70a0ec0d7191'],
    [32, '8ea2b7ca516745bfeafc49904b496089'],
  ])('a key of %i bytes', (length, ciphertext) => {
    expect(encrypt(counted.slice(0, length), plaintext)).toBe(ciphertext);
  });

  it('appendix B', () => {
    const key = bytes('2b7e151628aed2a6abf7158809cf4f3c');
    expect(encrypt(key, bytes('3243f6a8885a308d313198a2e0370734'))).toBe('3925841d02dc09fbdc118597196a0b32');
  });
});

it.each([16, 24, 32])('2,000 keys of %i bytes: schedule and block are as noble and node:crypto have them', (length) => {
  const { bytes } = source(length);
  const schedule = makeSchedule();
  for (let i = 0; i < 2000; i++) {
    const [key, block] = [bytes(length), bytes(16)];
    expect(encrypt(key, block)).toBe(
      createCipheriv(`aes-${8 * length}-ecb`, key, null)
        .setAutoPadding(false)
        .update(block)
        .toString('hex'),
    );
    // A schedule that was used for another key before, longer or shorter, makes no difference.
    const room = Uint8Array.of(1, 2, 3, ...key);
    expandInto(schedule, new DataView(room.buffer), 3, length);
    const expected = unsafe.expandKeyLE(key);
    expect(Array.from(schedule.words.subarray(0, expected.length), (word) => word >>> 0)).toEqual([...expected]);
    expect(schedule.rounds).toBe(length / 4 + 6);
  }
});
