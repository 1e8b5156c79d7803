import { describe, expect, it } from 'vitest';
import { keyset, type Sealed, seal, TrefoilError } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { sealReference } from '../reference/seal.ts';
import { source } from '../reference/texts.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';
import { DOMAIN, keys, otherDomain, pinned, ROOT } from './keys.ts';

const SCOPE = 'person.name';
type S = Sealed<typeof SCOPE>;
const bound = seal({ scope: SCOPE }).bind(keys, revealAccess);
const reference = (value: string, root: Uint8Array = ROOT) =>
  sealReference({ root, domain: DOMAIN, scope: SCOPE }, value);

/** A column of typical and of unwanted values: most short, a few long, some missing, some repeated. */
function mixed(count: number, seed: number): (string | null | undefined)[] {
  const { below, ascii, unicode } = source(seed);
  const made: (string | null | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const kind = below(40);
    if (kind === 0) made.push(null);
    else if (kind === 1) made.push(undefined);
    else if (kind === 2) made.push('');
    else if (kind === 3) made.push(unicode(below(300)));
    else if (kind === 4) made.push(ascii(below(5000)));
    else if (kind === 5) made.push(ascii(30 + below(4)));
    else if (kind === 6) made.push(made[below(made.length || 1)]);
    else if (kind < 16) made.push(unicode(1 + below(30)));
    else made.push(ascii(1 + below(30)));
  }
  return made;
}

describe('a column is its values one by one', () => {
  it.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 100, 1023, 1024, 1025, 3000])('%i values', (count) => {
    const column = mixed(count, 100 + count);
    const sealed = bound.protectMany(column);
    expect(sealed).toHaveLength(count);
    for (const [i, value] of column.entries()) {
      const right = value === null || value === undefined || value === '' ? value : bound.protect(value);
      if (sealed[i] !== right) expect(sealed[i], `row ${i}`).toBe(right);
    }
    expect(bound.revealMany(sealed)).toEqual(column);
    for (const [i, text] of sealed.entries()) {
      if (i % 7 === 0) expect(bound.reveal(text)).toBe(column[i]);
    }
  });

  it('and both are what the specification says', () => {
    const column = mixed(1500, 7).filter((value) => typeof value === 'string' && value !== '') as string[];
    const sealed = bound.protectMany(column);
    let compared = 0;
    for (let i = 0; i < column.length; i += 1 + (i % 3)) {
      expect(sealed[i]).toBe(reference(column[i]!));
      compared++;
    }
    expect(compared).toBeGreaterThan(500);
  });

  it('every length around every bucket up to 4096 bytes, in one column', () => {
    const column: string[] = [];
    for (let bucket = 32; bucket <= 4096; bucket *= 2) {
      for (let less = -2; less <= 2; less++) {
        column.push(
          'x'.repeat(bucket + less),
          `${'é'.repeat((bucket + less) >> 1)}`,
          `${'x'.repeat(bucket + less - 3)}€`,
        );
      }
    }
    const sealed = bound.protectMany(column);
    for (const [i, value] of column.entries()) {
      expect(sealed[i]).toBe(bound.protect(value));
      if (i % 11 === 0) expect(sealed[i]).toBe(reference(value));
    }
    expect(bound.revealMany(sealed)).toEqual(column);
  });

  it('large values among small ones', () => {
    const column = [
      'a',
      'x'.repeat(1_048_575),
      'b',
      'ü'.repeat(200_000),
      'c',
      'x'.repeat(100_000),
      'y'.repeat(100_000),
    ];
    const sealed = bound.protectMany(column);
    for (const [i, value] of column.entries()) expect(sealed[i] === bound.protect(value)).toBe(true);
    const back = bound.revealMany(sealed);
    for (const [i, value] of column.entries()) expect(back[i] === value).toBe(true);
  });

  it('with the empty text as a value', () => {
    const strict = seal({ scope: SCOPE, missing: [] }).bind(keys, revealAccess);
    const column = ['', 'a', '', null, 'x'.repeat(40), ''];
    const sealed = strict.protectMany(column);
    expect(sealed[0]).toBe(reference(''));
    expect(sealed[2]).toBe(sealed[0]);
    expect(strict.revealMany(sealed)).toEqual(column);
    expect(codeOf(() => strict.revealMany(['' as S]))).toBe('not_sealed');
  });

  it('what stood in a room before never shows: zero bytes and paddings after longer values', () => {
    const filler = Array.from({ length: 1024 }, (_, i) => `${'\x80~'.repeat(12)}${i}`.slice(0, 20));
    bound.revealMany(bound.protectMany(filler));
    const column = ['\0', 'a\0', '\0\0\0\0', 'a', 'ab', 'abc', 'abcd', 'abcde', '\u0080', '\0\u0080'];
    const sealed = bound.protectMany(column);
    expect(sealed).toEqual(column.map((value) => reference(value)));
    expect(bound.revealMany(sealed)).toEqual(column);
    expect(column.map((value) => bound.protect(value))).toEqual(sealed);
  });
});

describe('keys', () => {
  const roots = [testRoot('new'), ROOT, testRoot('older')];
  const several = seal({ scope: SCOPE }).bind(keyset.parse(keysetJson(...roots)).domain(DOMAIN), revealAccess);

  it('a column sealed with several keys is revealed, in any order and in all buckets', () => {
    const { below } = source(31);
    const column = mixed(2500, 32);
    const bounds = roots.map((root) => seal({ scope: SCOPE }).bind(keyset.parse(keysetJson(root)).domain(DOMAIN)));
    const sealed = column.map((value) => bounds[below(3)]!.protect(value));
    expect(several.revealMany(sealed)).toEqual(column);
    for (let i = 0; i < 60; i++) expect(several.reveal(sealed[i]!)).toBe(column[i]);
  });

  it('protecting takes the primary key', () => {
    const out = several.protectMany(['a', 'b', 'c', 'd', 'e']);
    expect(out).toEqual(['a', 'b', 'c', 'd', 'e'].map((value) => reference(value, roots[0])));
  });

  it('a pinned policy protects with its key alone', () => {
    expect(seal({ scope: SCOPE }).bind(pinned).protectMany(['a'])).toEqual([reference('a')]);
    const older = keyset.parse(keysetJson(...roots)).domain(DOMAIN, { keyCheck: keys.keyCheck });
    for (const column of [[], [null], ['a'], ['a', 'b', 'c', 'd', 'e']]) {
      expect(codeOf(() => seal({ scope: SCOPE }).bind(older).protectMany(column))).toBe('key_not_pinned');
    }
    expect(codeOf(() => seal({ scope: SCOPE }).bind(older).protect(null))).toBe('key_not_pinned');
  });
});

describe('issues', () => {
  const good = bound.protectMany(Array.from({ length: 3000 }, (_, i) => `name ${i}${'x'.repeat(i % 90)}`));

  it('of protecting: rows from 1, in order, the first hundred of all', () => {
    const column: unknown[] = mixed(2000, 41);
    for (let row = 5; row <= 2000; row += 13) {
      column[row - 1] = ['\ud800', 5, 'x'.repeat(1_048_576), {}, `${'é'.repeat(20)}\udfff`][row % 5];
    }
    const error = thrown(() => bound.protectMany(column as string[]));
    expect(error).toBeInstanceOf(TrefoilError);
    expect(error.total).toBe(Math.floor((2000 - 5) / 13) + 1);
    expect(error.issues.map(({ row }) => row)).toEqual(Array.from({ length: 100 }, (_, i) => 5 + 13 * i));
    const codes = ['lone_surrogate', 'wrong_type', 'too_long', 'wrong_type', 'lone_surrogate'];
    for (const { row, code } of error.issues) expect(code).toBe(codes[row! % 5]);
  });

  it('of revealing: whatever is found late stands in the order of rows', () => {
    const column: unknown[] = [...good];
    const { below } = source(43);
    const wanted = new Map<number, string>();
    const broken = (text: string) => {
      const at = 9 + below(text.length - 10);
      return text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
    };
    const foreign = seal({ scope: SCOPE }).bind(otherDomain).protect('x');
    const scoped = seal({ scope: 'person.street' }).bind(keys).protect('x');
    for (let row = 3; row <= 3000; row += 1 + below(60)) {
      const [value, code] = (
        [
          [broken(good[row - 1]!), 'reveal_failed'],
          [good[row - 1]!.slice(0, -1), 'reveal_failed'],
          [scoped, 'reveal_failed'],
          [foreign, 'unknown_key'],
          ['x', 'not_sealed'],
          [7, 'wrong_type'],
          [`${good[0]!.slice(0, -1)}\ud800`, 'lone_surrogate'],
          [`${good[0]!.slice(0, -1)}\u0130`, 'reveal_failed'],
        ] as const
      )[below(8)]!;
      column[row - 1] = value;
      wanted.set(row, code);
    }
    const error = thrown(() => bound.revealMany(column as S[]));
    expect(error.total).toBe(wanted.size);
    expect(error.issues.map(({ row, code }) => [row, code])).toEqual([...wanted].slice(0, 100));
    for (const issue of error.issues) expect(Object.keys(issue).sort()).toEqual(['code', 'message', 'row']);
    const opaque = error.issues.filter(({ code }) => code === 'reveal_failed').map(({ message }) => message);
    expect(new Set(opaque).size).toBe(1);
  });

  it('repeat with the values of a column that repeats', () => {
    const names = Array.from({ length: 4096 }, (_, i) => (i % 50 === 7 ? 'Zo\ud800' : `name ${i % 50}`));
    const error = thrown(() => bound.protectMany(names));
    expect(error.total).toBe(82);
    expect(error.issues.slice(0, 3).map(({ row }) => row)).toEqual([8, 58, 108]);
    const texts = Array.from({ length: 4096 }, (_, i) => (i % 50 === 7 ? (`${good[7]}0` as S) : good[i % 50]!));
    const back = thrown(() => bound.revealMany(texts));
    expect(back.issues.slice(0, 3).map(({ row, code }) => [row, code])).toEqual([
      [8, 'reveal_failed'],
      [58, 'reveal_failed'],
      [108, 'reveal_failed'],
    ]);
  });

  it('a column that repeats comes out like any other', () => {
    const { below } = source(44);
    const few = mixed(200, 45);
    const column = Array.from({ length: 5000 }, () => few[below(few.length)]);
    const sealed = bound.protectMany(column);
    expect(sealed).toEqual(column.map((value) => bound.protect(value)));
    expect(bound.revealMany(sealed)).toEqual(column);
  });
});

describe('integers', () => {
  const integers = seal({ scope: 'person.age', value: 'integer' }).bind(keys, revealAccess);

  it('in a column, and in a typed array', () => {
    const { below } = source(51);
    const column = Array.from({ length: 2000 }, (_, i) =>
      i % 50 === 0 ? null : (below(2) === 0 ? 1 : -1) * below(0xffffffff) * (1 + below(0x1fffff)),
    ).map((value) => (Object.is(value, -0) ? 0 : value));
    const sealed = integers.protectMany(column);
    expect(integers.revealMany(sealed)).toEqual(column);
    for (let i = 0; i < 2000; i += 97) expect(sealed[i]).toBe(integers.protect(column[i]!));
    const typed = Int32Array.from({ length: 300 }, (_, i) => i * i - 1000);
    const out = (integers.protectMany as unknown as (column: Int32Array) => typeof sealed)(typed);
    expect(integers.revealMany(out)).toEqual([...typed]);
  });

  it('texts that are none are refused in their rows', () => {
    const texts = seal({ scope: 'person.age' }).bind(keys).protectMany(['1', '01', '2', '1e3', 'Zoë', '3', ' ', '-0']);
    const error = thrown(() => integers.revealMany(texts as never));
    expect(error.issues.map(({ row, code }) => [row, code])).toEqual(
      [2, 4, 5, 7, 8].map((row) => [row, 'reveal_failed']),
    );
  });
});

describe('columns inside columns', () => {
  it('a getter that seals and reveals another column in the middle of this one', () => {
    const inner = Array.from({ length: 600 }, (_, i) => `inner ${i}`);
    const other = seal({ scope: 'other' }).bind(keys, revealAccess);
    const column = Array.from({ length: 1500 }, (_, i) => `outer ${i}`);
    const wanted = bound.protectMany(column);
    const watched = (values: readonly string[]): string[] =>
      new Proxy([...values], {
        get(target, name, receiver) {
          if (name === '700') expect(other.revealMany(other.protectMany(inner))).toEqual(inner);
          if (name === '701') other.reveal(other.protect('x'));
          return Reflect.get(target, name, receiver) as unknown;
        },
      });
    expect(bound.protectMany(watched(column))).toEqual(wanted);
    expect(bound.revealMany(watched(wanted) as S[])).toEqual(column);
  });
});
