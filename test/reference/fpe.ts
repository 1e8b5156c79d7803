/**
 * A second, slow implementation of fpe-v1 (docs/spec/fpe-v1.md), over the literal FF1.
 */
import { ff1Reference } from './ff1.ts';
import { list, ruleNode } from './tree.ts';

export type FormatCase =
  | { readonly type: 'digits' }
  | { readonly type: 'text'; readonly alphabet: string }
  | { readonly type: 'card'; readonly first: number }
  | { readonly type: 'pattern'; readonly pattern: string };

export interface FpeCase {
  readonly root: Uint8Array;
  readonly domain: string;
  readonly scope: string;
  readonly format: FormatCase;
}

const CLASSES: Readonly<Record<string, string>> = {
  A: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  a: 'abcdefghijklmnopqrstuvwxyz',
  9: '0123456789',
};

/** The enciphered value. */
export function fpeReference({ root, domain, scope, format }: FpeCase, value: string): string {
  const key = (engine: string, ...descriptor: string[]) =>
    ruleNode(root, domain, 'fpe', scope, list(...descriptor), engine);

  if (format.type === 'digits' || format.type === 'text') {
    const alphabet = format.type === 'digits' ? [...'0123456789'] : [...format.alphabet];
    const K = format.type === 'digits' ? key('ff1', 'digits@1') : key('ff1', 'text@1', format.alphabet);
    const numerals = [...value].map((symbol) => alphabet.indexOf(symbol));
    const out = ff1Reference('encrypt', K, alphabet.length, numerals, list(`${numerals.length}`, ''));
    return out.map((numeral) => alphabet[numeral]).join('');
  }

  if (format.type === 'card') {
    const plain = [...value].filter((character) => /[0-9]/.test(character)).join('');
    const clear = plain.slice(0, format.first);
    const secret = [...plain.slice(format.first, -1)].map(Number);
    const K = key('ff1', 'card@1', `first=${format.first}`);
    const body = clear + ff1Reference('encrypt', K, 10, secret, list(`${plain.length}`, clear)).join('');
    const all = body + luhnDigit(body);
    let next = 0;
    return [...value].map((character) => (/[0-9]/.test(character) ? all[next++] : character)).join('');
  }

  // A pattern: its positions with their classes. A literal has no class.
  const positions: { readonly symbols: string | null; readonly literal: string }[] = [];
  const source = [...format.pattern];
  for (let i = 0; i < source.length; i++) {
    const escaped = source[i] === '\\';
    if (escaped) i++;
    const literal = source[i]!;
    positions.push({ symbols: escaped ? null : (CLASSES[literal] ?? null), literal });
  }
  const canonical = positions
    .map(({ symbols, literal }) => (symbols === null && /[Aa9\\]/.test(literal) ? `\\${literal}` : literal))
    .join('');
  const sets = positions.flatMap(({ symbols }) => (symbols === null ? [] : [symbols]));
  const characters = [...value].filter((_, i) => positions[i]!.symbols !== null);
  const numerals = characters.map((character, i) => sets[i]!.indexOf(character));
  const same = sets.every((symbols) => symbols.length === sets[0]!.length);
  const tweak = list('', '');
  const out = same
    ? ff1Reference('encrypt', key('ff1', 'pattern@1', canonical), sets[0]!.length, numerals, tweak)
    : walk(
        key('ff1-cycle-walking', 'pattern@1', canonical),
        sets.map((symbols) => symbols.length),
        numerals,
        tweak,
      );
  let next = 0;
  return positions.map(({ symbols, literal }) => (symbols === null ? literal : symbols[out[next++]!])).join('');
}

/**
 * One number in mixed radix. FF1 over the bits of the enclosing power of two is repeated until the result is below N.
 */
function walk(K: Uint8Array, radices: readonly number[], numerals: readonly number[], tweak: Uint8Array): number[] {
  const N = radices.reduce((product, radix) => product * BigInt(radix), 1n);
  let k = 0;
  while (2n ** BigInt(k) < N) k++;
  let index = 0n;
  for (const [i, numeral] of numerals.entries()) index = index * BigInt(radices[i]!) + BigInt(numeral);
  do {
    const bits = [...index.toString(2).padStart(k, '0')].map(Number);
    index = BigInt(`0b${ff1Reference('encrypt', K, 2, bits, tweak).join('')}`);
  } while (index >= N);
  const out: number[] = [];
  for (const radix of [...radices].reverse()) {
    out.unshift(Number(index % BigInt(radix)));
    index /= BigInt(radix);
  }
  return out;
}

/** The digit that makes the sum of ISO/IEC 7812-1, annex B, a multiple of ten. It is found by trying all ten. */
export function luhnDigit(body: string): string {
  return [...'0123456789'].find((digit) => luhnHolds(body + digit))!;
}

/** From the right, every second digit is doubled and its digits added. */
export function luhnHolds(number: string): boolean {
  const digits = [...number].reverse().map(Number);
  const sum = digits.reduce((total, digit, i) => {
    const doubled = `${digit * 2}`;
    return total + (i % 2 === 0 ? digit : [...doubled].reduce((a, b) => a + Number(b), 0));
  }, 0);
  return sum % 10 === 0;
}
