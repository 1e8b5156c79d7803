import { describe, expect, it } from 'vitest';
import { keyedBlake3 } from '../../../src/kernel/prf/blake3.ts';
import { hex } from '../../helpers/hex.ts';
import { blake3Reference } from '../../reference/blake3.ts';

/**
 * The published vectors of `keyed_hash` (test_vectors/test_vectors.json of BLAKE3-team/BLAKE3): the key, and the first
 * 32 bytes by the length of the input, which is the bytes 0 to 250 over and over.
 */
const KEY = Buffer.from('whats the Elvish word for friend');
const KEYED_HASH: Readonly<Record<number, string>> = {
  0: '92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26',
  1: '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b',
  1023: 'c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e',
  1024: '75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4',
  1025: '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69',
  2048: '879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1',
  2049: '9f29700902f7c86e514ddc4df1e3049f258b2472b6dd5267f61bf13983b78dd5',
  3072: '044a0e7b172a312dc02a4c9a818c036ffa2776368d7f528268d2e6b5df191770',
  3073: '68dede9bef00ba89e43f31a6825f4cf433389fedae75c04ee9f0cf16a427c95a',
  4096: 'befc660aea2f1718884cd8deb9902811d332f4fc4a38cf7c7300d597a081bfc0',
  4097: '00df940cd36bb9fa7cbbc3556744e0dbc8191401afe70520ba292ee3ca80abbc',
  5120: '2c493e48e9b9bf31e0553a22b23503c0a3388f035cece68eb438d22fa1943e20',
  5121: '6ccf1c34753e7a044db80798ecd0782a8f76f33563accaddbfbb2e0ea4b2d024',
  6144: '3d6b6d21281d0ade5b2b016ae4034c5dec10ca7e475f90f76eac7138e9bc8f1d',
  6145: '9ac301e9e39e45e3250a7e3b3df701aa0fb6889fbd80eeecf28dbc6300fbc539',
  7168: 'b42835e40e9d4a7f42ad8cc04f85a963a76e18198377ed84adddeaecacc6f3fc',
  7169: 'ed9b1a922c046fdb3d423ae34e143b05ca1bf28b710432857bf738bcedbfa511',
};

const hexOf = (words: Int32Array): string =>
  Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');

describe.each(Object.entries(KEYED_HASH))('keyed_hash of %s bytes', (length, expected) => {
  const input = Uint8Array.from({ length: Number(length) }, (_, i) => i % 251);

  it('is the published one', () => {
    const prf = keyedBlake3(KEY);
    prf.bytes(input, 0, input.length);
    expect(hexOf(prf.tag)).toBe(expected);
  });

  it('is the one of the literal reference', () => {
    expect(hex(blake3Reference(KEY, input))).toBe(expected);
  });
});

it('is the literal reference at every length from 0 to 3,000', { timeout: 60_000 }, () => {
  const prf = keyedBlake3(KEY);
  const input = Uint8Array.from({ length: 3000 }, (_, i) => (i * i) & 255);
  for (let length = 0; length <= 3000; length += length < 1100 ? 1 : 7) {
    prf.bytes(input, 0, length);
    expect(hexOf(prf.tag)).toBe(hex(blake3Reference(KEY, input.subarray(0, length))));
  }
});

it.each([0, 16, 31, 33, 64])('has keys of 32 bytes, not of %s', (length) => {
  expect(() => keyedBlake3(new Uint8Array(length))).toThrow(new RangeError('the key of keyed BLAKE3 has 32 bytes'));
});
