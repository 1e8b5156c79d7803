import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { putNumbers } from '../../src/core/json/exact.ts';
import { jsonNumber } from '../../src/core/json/number.ts';
import { rewriteJson } from '../../src/core/json/rewrite.ts';
import { scanJson } from '../../src/core/json/scan.ts';

/** Text and value as a cell is read. */
function read(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && scanJson(text, value) === 'inexact') putNumbers(text, value);
  return value;
}

/** Texts of JSON in any spelling: white space, escapes, numbers as other writers write them. */
const space = fc.constantFrom('', ' ', '\n', '\t', '  ', '\r\n');
const names = fc.oneof(fc.constantFrom('a', 'b', '10', '2', '', '__proto__', 'ä', 'a b'), fc.string({ maxLength: 4 }));
const quoted = (text: string, isEscaped: boolean): string =>
  isEscaped
    ? `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text);
const strings = fc.tuple(fc.oneof(names, fc.string({ unit: 'binary', maxLength: 6 })), fc.boolean());
const scalars = fc.oneof(
  strings.map(([text, isEscaped]) => quoted(text.toWellFormed(), isEscaped)),
  fc.constantFrom('0', '-0', '12.50', '1e3', '9007199254740993', '0.1234567890123456789', '-7', '3.25'),
  fc.constantFrom('true', 'false', 'null'),
);
const { array, object } = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalars, tie('array'), tie('object')),
  array: fc
    .tuple(fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }), space)
    .map(([items, alone]) => `[${items.map((parts) => parts.join('')).join(',') || alone}]`),
  object: fc
    .tuple(
      fc.uniqueArray(fc.tuple(space, names, fc.boolean(), space, space, tie('value'), space), {
        maxLength: 4,
        selector: ([, name]) => name.toWellFormed(),
      }),
      space,
    )
    .map(([members, alone]) => {
      const texts = members.map(
        ([a, name, isEscaped, b, c, value, d]) => `${a}${quoted(name.toWellFormed(), isEscaped)}${b}:${c}${value}${d}`,
      );
      return `{${texts.join(',') || alone}}`;
    }),
}));
const texts = fc.tuple(space, fc.oneof(array, object), space).map((parts) => parts.join(''));

describe('rewriteJson', () => {
  test('property: an unchanged value gives the same text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(rewriteJson(text, read(text))).toBe(text);
      }),
      { numRuns: 3000 },
    );
  });

  test('property: the text has the new values, and the order of the names', () => {
    // Every text becomes another one, and names are left out. The reference does it with the parsed value.
    const change = (value: unknown, keep: (name: string) => boolean): unknown => {
      if (typeof value === 'string') return `<${value}>`;
      if (Array.isArray(value)) return value.map((item) => change(item, keep));
      if (typeof value !== 'object' || value === null) return value;
      const out = {};
      for (const [name, member] of Object.entries(value).filter(([name]) => keep(name))) {
        const made = { value: change(member, keep), writable: true, enumerable: true, configurable: true };
        Object.defineProperty(out, name, made);
      }
      return out;
    };
    fc.assert(
      fc.property(texts, fc.constantFrom('a', 'b', '10', ''), (text, gone) => {
        const keep = (name: string): boolean => name !== gone;
        // A value without exact numbers, so that the reference is plain JSON.
        const value = JSON.parse(text);
        const out = rewriteJson(text, change(value, keep));
        expect(JSON.parse(out)).toEqual(change(value, keep));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    // PostgreSQL writes jsonb with spaces after colons and commas.
    ['{"b": 1, "10": 2, "name": "Zoe"}', { b: 1, 10: 2, name: 'x' }, '{"b": 1, "10": 2, "name": "x"}'],
    ['{"a": 1, "b": 2, "c": 3}', { b: 2, c: 3 }, '{"b": 2, "c": 3}'],
    ['{"a": 1, "b": 2, "c": 3}', { a: 1, c: 3 }, '{"a": 1, "c": 3}'],
    ['{"a": 1, "b": 2, "c": 3}', { a: 1, b: 2 }, '{"a": 1, "b": 2}'],
    ['{ "a" : 1 , "b" : 2 }', { b: 2 }, '{ "b" : 2 }'],
    ['{ "a" : {"x":[1]} }', {}, '{}'],
    ['{}', {}, '{}'],
    ['[ ]', [], '[ ]'],
    ['[1, "a", {"b":null}]', [1, 'x', { b: null }], '[1, "x", {"b":null}]'],
    ['{"n":12.50}', { n: 12.5 }, '{"n":12.50}'],
    ['{"n":12.50}', { n: 12 }, '{"n":12}'],
    ['{"n":1E400}', { n: jsonNumber('1E400') }, '{"n":1E400}'],
    ['{"n":-0}', { n: 0 }, '{"n":0}'],
    ['{"n":9007199254740993}', { n: 9007199254740992 }, '{"n":9007199254740992}'],
    ['{"n":9007199254740993}', { n: jsonNumber('9007199254740993') }, '{"n":9007199254740993}'],
    ['{"s":"\\u0041"}', { s: 'A' }, '{"s":"\\u0041"}'],
    ['{"s":"7"}', { s: 7 }, '{"s":7}'],
    ['{"s":7}', { s: '7' }, '{"s":"7"}'],
    ['{"s":"true"}', { s: true }, '{"s":true}'],
    ['{"s":"null"}', { s: null }, '{"s":null}'],
    ['{"s":{"a":[1,{"b":"}"}]},"t":1}', { s: 'gone', t: 1 }, '{"s":"gone","t":1}'],
    ['{"s":"}","t":"\\\\\\""}', { t: '\\"' }, '{"t":"\\\\\\""}'],
    ['{"s":1}', { s: { a: ['x'] } }, '{"s":{"a":["x"]}}'],
  ])('%s', (text, value, expected) => {
    expect(rewriteJson(text, value)).toBe(expected);
  });

  test('a text of megabytes', () => {
    const text = `{"a": "${'x'.repeat(5_000_000)}", "b": [${'1, '.repeat(500_000)}1]}`;
    const value = JSON.parse(text) as { a: string; b: number[] };
    expect(rewriteJson(text, value)).toBe(text);
    expect(rewriteJson(text, { ...value, a: 'y' })).toBe(text.replace(/x+/, 'y'));
  });
});
