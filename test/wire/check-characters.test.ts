/**
 * Proves again what the head of src/wire/check-characters.ts and docs/spec/token-v1.md claim of the polynomial.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALPHABET } from '../../src/wire/base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20, POLYNOMIAL } from '../../src/wire/check-characters.ts';
import { check, crc20 as slowCrc20 } from '../reference/tree.ts';

const FULL = (1 << 20) | POLYNOMIAL;

/** x^0, x^1, … modulo the polynomial: what an error of one bit adds, counted from the last bit of the check. */
function syndromes(count: number): Uint32Array {
  const out = new Uint32Array(count);
  let at = 1;
  for (let i = 0; i < count; i++) {
    out[i] = at;
    at <<= 1;
    if (at & (1 << 20)) at ^= FULL;
  }
  return out;
}

const SYNDROMES = syndromes(512);
const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 80 });

describe('the code', () => {
  it('is polynomial division, bit by bit', () => {
    fc.assert(
      fc.property(ascii, (text) => {
        expect(crc20(text)).toBe(slowCrc20(text));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(ascii, (text) => {
        expect(checkCharacters(crc20(text))).toBe(check(text));
      }),
    );
  });

  it('goes on from a state', () => {
    fc.assert(
      fc.property(ascii, ascii, (a, b) => {
        expect(crc20(b, crc20(a))).toBe(crc20(a + b));
      }),
    );
  });

  it('is four symbols of five bits', () => {
    expect(checkCharacters(0)).toBe('0000');
    expect(checkCharacters(0xfffff)).toBe('zzzz');
    expect(checkCharacters(0b00001_00010_00011_00100)).toBe('1234');
    expect(CHECK_LENGTH).toBe(4);
  });
});

describe('Hamming distance 6 up to 512 bits', () => {
  it('x + 1 divides the polynomial, so every odd number of changed bits is detected', () => {
    let ones = 0;
    for (let rest = FULL; rest > 0; rest >>>= 1) ones += rest & 1;
    expect(ones % 2).toBe(0);
    for (const syndrome of SYNDROMES) {
      let weight = 0;
      for (let rest = syndrome; rest > 0; rest >>>= 1) weight += rest & 1;
      expect(weight % 2).toBe(1);
    }
  });

  it('two and four changed bits are detected: all 130,816 sums of two syndromes are different and none is zero', () => {
    const seen = new Uint8Array(1 << 20);
    let clashes = 0;
    let pairs = 0;
    for (let i = 0; i < 512; i++) {
      for (let j = 0; j < i; j++) {
        const sum = SYNDROMES[i]! ^ SYNDROMES[j]!;
        if (sum === 0 || seen[sum] === 1) clashes++;
        seen[sum] = 1;
        pairs++;
      }
    }
    expect(pairs).toBe(130_816);
    expect(clashes).toBe(0);
  });

  it('six changed bits may pass: the distance is 6 and not more', () => {
    // A sum of two equal to a sum of four: looked for among the first 64 bits.
    const twos = new Map<number, number[]>();
    for (let i = 0; i < 512; i++) for (let j = 0; j < i; j++) twos.set(SYNDROMES[i]! ^ SYNDROMES[j]!, [i, j]);
    let found: number[] | undefined;
    search: for (let a = 0; a < 64; a++)
      for (let b = 0; b < a; b++)
        for (let c = 0; c < b; c++)
          for (let d = 0; d < c; d++) {
            const two = twos.get(SYNDROMES[a]! ^ SYNDROMES[b]! ^ SYNDROMES[c]! ^ SYNDROMES[d]!);
            if (two === undefined) continue;
            found = [a, b, c, d, ...two];
            break search;
          }
    expect(new Set(found).size).toBe(6);
  });
});

describe('changes of one or two characters', () => {
  /** What each change of one character adds: by its place, the differences that its alphabet has. */
  function changes(body: readonly string[]): number[][] {
    const out: number[][] = [];
    // The check: four symbols of five bits.
    for (let symbol = 0; symbol < CHECK_LENGTH; symbol++) {
      out.push(Array.from({ length: 31 }, (_, i) => (i + 1) << (5 * symbol)));
    }
    for (const [place, alphabet] of [...body].reverse().entries()) {
      const codes = [...alphabet].map((symbol) => symbol.charCodeAt(0));
      const differences = new Set(codes.flatMap((a) => codes.map((b) => a ^ b)));
      differences.delete(0);
      out.push(
        [...differences].map((difference) => {
          let sum = 0;
          for (let bit = 0; bit < 8; bit++) if (difference & (1 << bit)) sum ^= SYNDROMES[20 + 8 * place + bit]!;
          return sum;
        }),
      );
    }
    return out;
  }

  /** Two characters in different places pass when they add the same. */
  function undetected(body: readonly string[]): number {
    const places = new Map<number, number>();
    let count = 0;
    for (const [place, sums] of changes(body).entries()) {
      for (const sum of sums) {
        const other = places.get(sum);
        if (sum === 0 || (other !== undefined && other !== place)) count++;
        places.set(sum, place);
      }
    }
    return count;
  }

  const LABEL = 'abcdefghijklmnopqrstuvwxyz0123456789_';

  it('are detected in a token of up to 52 characters, wherever they are', () => {
    // A label of up to 16 characters, `_`, 31 characters of base32, the check: shorter tokens are the end of this one.
    const body = [...new Array<string>(17).fill(LABEL), ...new Array<string>(31).fill(ALPHABET)];
    expect(body.length + CHECK_LENGTH).toBe(52);
    expect(undetected(body)).toBe(0);
  });

  it('are detected, whatever letter of a label or digit stands for another', () => {
    expect(undetected(new Array<string>(48).fill(LABEL))).toBe(0);
  });

  it('are detected in the secret of a root key', () => {
    expect(undetected(new Array<string>(52).fill(ALPHABET))).toBe(0);
  });

  it('are seen by the code itself, in samples', () => {
    const character = fc.constantFrom(...LABEL);
    const body = fc.array(character, { minLength: 2, maxLength: 48 });
    fc.assert(
      fc.property(body, fc.nat(), fc.nat(), character, character, (characters, i, j, a, b) => {
        const changed = [...characters];
        changed[i % characters.length] = a;
        changed[j % characters.length] = b;
        const [before, after] = [characters.join(''), changed.join('')];
        expect(crc20(before) === crc20(after)).toBe(before === after);
      }),
      { numRuns: 5000 },
    );
  });
});
