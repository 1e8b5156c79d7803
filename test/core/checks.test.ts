import { describe, expect, it } from 'vitest';
import { concat, encodeList, utf8 } from '../../src/core/bytes.ts';
import {
  badRange,
  badType,
  checkInteger,
  checkName,
  checkOneOf,
  checkOptions,
  checkText,
  isArgumentError,
  typeName,
} from '../../src/core/checks.ts';
import { TrefoilError } from '../../src/errors.ts';
import { thrown } from '../helpers/errors.ts';
import { hex } from '../helpers/hex.ts';
import { list } from '../reference/tree.ts';

describe('argument errors', () => {
  it('begin with the argument in quotation marks and remember it', () => {
    const type = thrown(() => badType('radix', 'expected a number, got text'), TypeError);
    expect(type).toBeInstanceOf(TypeError);
    expect(type.message).toBe('"radix" expected a number, got text');
    const range = thrown(() => badRange('radix', 'expected 2..65536, got 1'), RangeError);
    expect(range).toBeInstanceOf(RangeError);
    expect([type, range].every(isArgumentError)).toBe(true);
    expect([new TypeError('other'), null, 'text', {}].some(isArgumentError)).toBe(false);
  });
});

describe('typeName', () => {
  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [[], 'array'],
    [new Uint8Array(0), 'bytes'],
    [{}, 'object'],
    [new Date(0), 'object'],
    ['text', 'string'],
    [1, 'number'],
    [1n, 'bigint'],
    [true, 'boolean'],
    [Symbol('s'), 'symbol'],
    [() => 1, 'function'],
  ])('of %o is %s', (value, name) => {
    expect(typeName(value)).toBe(name);
  });
});

describe('names', () => {
  it.each(['a', '0', 'eu-enclave', 'person.email', 'a_b', 'a'.repeat(64), '0-._'])('%s is one', (name) => {
    expect(checkName('scope', name)).toBe(name);
  });

  it.each(['', 'A', 'é', '-a', '.a', '_a', 'a b', 'a/b', 'a\n', '\na', 'a'.repeat(65), 'a\u0000', 'ａ', 'а'])(
    '%j is none',
    (name) => {
      expect(() => checkName('scope', name)).toThrow(RangeError);
    },
  );

  it.each([undefined, null, 5, {}, ['a'], Symbol('a')])('%o is no text', (name) => {
    expect(() => checkName('scope', name)).toThrow(TypeError);
  });
});

describe('small checks', () => {
  it('checkInteger takes whole numbers between two limits', () => {
    for (const value of [0, 5, 10, -0]) expect(checkInteger('n', value, 0, 10)).toBe(value);
    for (const value of [-1, 11, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => checkInteger('n', value, 0, 10)).toThrow('"n" expected a whole number from 0 to 10');
    }
    for (const value of ['5', 5n, null, undefined, [5]])
      expect(() => checkInteger('n', value, 0, 10)).toThrow(TypeError);
  });

  it('checkOneOf names the words and not the value', () => {
    expect(checkOneOf('form', 'bare', ['labelled', 'bare'])).toBe('bare');
    for (const value of ['Bare', '', 5, null, ['bare']]) {
      expect(() => checkOneOf('form', value, ['labelled', 'bare'])).toThrow('"form" expected one of labelled, bare');
    }
  });

  it('checkOptions takes an object with known names', () => {
    const options = { a: 1 };
    expect(checkOptions('options', options, ['a', 'b'])).toEqual(options);
    expect(() => checkOptions('options', Object.create(null), [])).not.toThrow();
    for (const value of [null, undefined, 'a', 5, [], () => 1])
      expect(() => checkOptions('options', value, ['a'])).toThrow(TypeError);
    expect(() => checkOptions('options', { secretName: 1 }, ['a', 'b'])).toThrow(
      '"options" has an option that is not one of a, b',
    );
  });

  it('checkText refuses half a surrogate pair anywhere', () => {
    for (const value of ['', 'a', 'Zoë', '\u{1f600}', '\ufffd', '\0']) expect(checkText(value)).toBe(value);
    for (const value of ['\ud800', '\udc00', 'a\ud83d', '\ude00a', '\ude00\ud83d', 'a\ud800b']) {
      const error = thrown(() => checkText(value));
      expect(error).toBeInstanceOf(TrefoilError);
      expect(error.code).toBe('lone_surrogate');
    }
    expect(thrown(() => checkText(5)).code).toBe('wrong_type');
  });
});

describe('bytes', () => {
  it('encodeList is injective and the one of the specification', () => {
    const lists = [
      [],
      [''],
      ['', ''],
      ['a'],
      ['a', ''],
      ['', 'a'],
      ['ab', 'c'],
      ['a', 'bc'],
      ['abc'],
      ['ë'],
      ['\u0000'],
      ['\u0000\u0000\u0000\u0000'],
    ];
    const seen = new Set(lists.map((items) => hex(encodeList(items))));
    expect(seen.size).toBe(lists.length);
    for (const items of lists) expect(Buffer.from(encodeList(items)).equals(list(...items))).toBe(true);
    expect(encodeList([Uint8Array.of(1, 2), 'a'])).toEqual(Uint8Array.of(0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 97));
  });

  it('concat joins', () => {
    expect(concat([])).toEqual(new Uint8Array(0));
    expect(concat([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
    expect(utf8('ë')).toEqual(Uint8Array.of(0xc3, 0xab));
  });
});
