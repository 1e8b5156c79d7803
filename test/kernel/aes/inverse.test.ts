import { createCipheriv, createDecipheriv } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aesBackend, eachBlock, encryptEach, manyBlocks, portableBlocks } from '../../../src/kernel/aes/aes.ts';
import {
  decryptWords,
  inverseBackend,
  manyInverseBlocks,
  portableInverseBlocks,
} from '../../../src/kernel/aes/inverse.ts';
import { bytes as hex } from '../../helpers/hex.ts';
import { random } from '../../reference/random.ts';

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Every way to decipher blocks. */
const WAYS: Readonly<Record<string, (key: Uint8Array, buffer: Uint8Array) => Uint8Array>> = {
  'many at once': (key, buffer) => manyInverseBlocks(key)(buffer),
  'many without node:crypto': (key, buffer) => portableInverseBlocks(key)(buffer),
  'one at a time': (key, buffer) => {
    const out = new Uint8Array(buffer.length);
    eachBlock(decryptWords, inverseBackend(key).block, view(buffer), view(out));
    return out;
  },
};

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(Object.entries(WAYS))('AES in the inverse direction, %s', (_, decipher) => {
  // FIPS 197, appendix C: the example vectors of the three key lengths.
  it.each([
    ['000102030405060708090a0b0c0d0e0f', '69c4e0d86a7b0430d8cdb78070b4c55a'],
    ['000102030405060708090a0b0c0d0e0f1011121314151617', 'dda97ca4864cdfe06eaf70a0ec0d7191'],
    ['000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '8ea2b7ca516745bfeafc49904b496089'],
  ])('has the vector of FIPS 197 for the key %s', (key, ciphertext) => {
    expect(Buffer.from(decipher(hex(key), hex(ciphertext))).toString('hex')).toBe('00112233445566778899aabbccddeeff');
  });

  it('is the inverse of the forward direction and that of node:crypto, for any number of blocks', () => {
    const { bytes } = random('aes inverse');
    for (const length of [16, 24, 32]) {
      for (const blocks of [0, 1, 2, 7, 8, 9, 100, 1025]) {
        const key = bytes(length);
        const plain = bytes(16 * blocks);
        const enciphered = manyBlocks(key)(plain).slice();
        expect(Buffer.from(decipher(key, enciphered))).toEqual(plain);
        const judge = createDecipheriv(`aes-${8 * length}-ecb`, key, null).setAutoPadding(false);
        expect(Buffer.from(decipher(key, plain))).toEqual(Buffer.concat([judge.update(plain), judge.final()]));
      }
    }
  });

  it('leaves its input and its key alone, and takes a part of a larger buffer', () => {
    const { bytes } = random('aes inverse inputs');
    const key = bytes(32);
    const all = bytes(96);
    const part = all.subarray(16, 80);
    const before = [key.toString('hex'), all.toString('hex')];
    const out = Buffer.from(decipher(key, part));
    expect([key.toString('hex'), all.toString('hex')]).toEqual(before);
    const judge = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    expect(judge.update(out)).toEqual(Buffer.from(part));
  });

  it('keeps the key that it was set up with', () => {
    const { bytes } = random('aes inverse key');
    const key = bytes(32);
    const block = bytes(16);
    const before = Buffer.from(decipher(key, block));
    const copy = Buffer.from(key);
    const backend = inverseBackend(key);
    key.fill(0);
    expect(Buffer.from(backend.blocks(block))).toEqual(before);
    expect(Buffer.from(decipher(copy, block))).toEqual(before);
  });
});

describe('without node:crypto', () => {
  it.each([
    ['no process', undefined],
    ['no built-in modules', {}],
    ['a node:crypto without the inverse direction', { getBuiltinModule: () => ({ createCipheriv }) }],
  ])('%s: the blocks are deciphered all the same', (_, process) => {
    const { bytes } = random('aes inverse elsewhere');
    const key = bytes(32);
    const plain = bytes(160);
    const expected = Buffer.from(portableInverseBlocks(key)(plain));
    vi.stubGlobal('process', process);
    const inverse = manyInverseBlocks(key);
    const forward = manyBlocks(key);
    vi.unstubAllGlobals();
    expect(Buffer.from(inverse(plain))).toEqual(expected);
    expect(Buffer.from(forward(inverse(plain)))).toEqual(plain);
    const out = new Uint8Array(160);
    encryptEach(aesBackend(key).block, view(plain), view(out));
    expect(Buffer.from(portableBlocks(key)(plain))).toEqual(Buffer.from(out));
  });
});
