import { expect, it } from 'vitest';
import { nearest } from '../../src/core/suggest.ts';

const WORDS = ['keep', 'drop', 'constant', 'mask', 'coarsen', 'token', 'fpe', 'seal'];

it.each([
  ['tokn', 'token'],
  ['Token', 'token'],
  ['tokens', 'token'],
  ['seel', 'seal'],
  ['SEAL', 'seal'],
  ['const', 'constant'],
  ['constnat', 'constant'],
  ['coarse', 'coarsen'],
  ['keeep', 'keep'],
  ['maks', 'mask'],
  ['fp', 'fpe'],
])('%s is near %s', (word, expected) => {
  expect(nearest(word, WORDS)).toBe(expected);
});

it.each(['encrypt', '', 'x', 'pseudonymise', 'a'.repeat(64), 'token'.repeat(1000)])('%s is near nothing', (word) => {
  expect(nearest(word, WORDS)).toBeNull();
});

it('takes the nearest, and the first of equals', () => {
  expect(nearest('mast', ['mask', 'mash', 'mast'])).toBe('mast');
  expect(nearest('masx', ['mask', 'mash'])).toBe('mask');
  expect(nearest('anything', [])).toBeNull();
});
