import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClearPart, clear } from '../../src/format/composed/clear.ts';
import { oneOf } from '../../src/format/composed/one-of.ts';
import { seq } from '../../src/format/composed/seq.ts';
import { email } from '../../src/format/email/email.ts';
import { type Format, type FormatEngine, formatEngine, makeFormat } from '../../src/format/engine.ts';
import { pattern } from '../../src/format/pattern.ts';
import { digits, text } from '../../src/format/text.ts';
import { refusal, there } from './composed.ts';

const engineOf = (format: Format): FormatEngine => formatEngine('format', format);
const reference = oneOf(digits({ length: 8 }), pattern('AA999999'), clear('unknown'), clear(pattern('?9')));

describe('oneOf', () => {
  it('takes what its members take, and says which', () => {
    const shapes = ['12345678', 'AB123456', 'unknown', '?7'].map((value) => {
      there(reference, value);
      return engineOf(reference).split(value).shape;
    });
    expect(shapes).toEqual(['1:11:8', '1:20:', '1:30:', '1:40:']);
    expect(engineOf(reference).split('?7').clear).toBe('0:1:7');
    expect(reference.unrank(5, '00000000')).toBe('00000005');
    expect(reference.unrank(5, 'AA000000')).toBe('AA000005');
    expect(reference.unrank(5)).toBe('00000005');
    expect(reference.unrank(0, '?7')).toBe('?7');
    expect(() => reference.unrank(1, '?7')).toThrow(RangeError);
    expect(() => reference.unrank(1, 'unknown')).toThrow(RangeError);
  });

  it.each([
    '',
    '1234567',
    '123456789',
    'A1234567',
    'ABC12345',
    'ab123456',
    'Unknown',
    'unknown ',
    'unknowns',
    'UNKNOWN',
    '12345678\n',
    '１２３４５６７８',
    '1234567\u{1d7d8}',
    '?x',
    '?',
    'AB12345\u0301',
  ])('%j is none', (value) => {
    expect(refusal(reference, value).code).toBe('outside_format');
  });

  it('refuses half a surrogate pair and what is no text', () => {
    expect(reference.test('1234567\ud800')).toBe(false);
    for (const value of [null, undefined, 5, {}, ['12345678']]) expect(reference.test(value as string)).toBe(false);
  });

  it('says of which format the trouble is', () => {
    expect(refusal(reference, '1234567x').message).toBe('format 1 (digits): character 8 is not a digit');
    expect(refusal(reference, 'AB12345x').message).toBe('format 2 (pattern): character 8 does not fit the pattern');
    expect(refusal(reference, 'xxx').message).toBe('the value fits none of the 4 formats');
    expect(refusal(reference, 'unknowm').message).toBe('the value fits none of the 4 formats');
  });

  it('the smallest member decides, members in clear do not count', () => {
    expect(reference.size).toBe(10n ** 8n);
    expect(reference.strength().because).toBe(
      'format 1 (digits) is the smallest: 8 characters of an alphabet of 10: 10^8',
    );
    expect(oneOf(digits({ length: 8 }), pattern('A99')).size).toBe(2600n);
    expect(oneOf(clear('x'), oneOf(clear('y'), pattern('A99'))).size).toBe(2600n);
  });

  it('every value of small ones is there, once', () => {
    const format = oneOf(pattern('9'), pattern('Aa'), seq('-', text('xyz', { min: 1, max: 2 })), clear('none'));
    const values = new Set<string>();
    for (const like of ['0', 'Aa', '-x', '-xx', 'none']) {
      const size = Number(BigInt((engineOf(format).split(like) as unknown as { size: number }).size));
      for (let i = 0; i < size; i++) {
        const value = format.unrank(i, like);
        expect(format.rank(value)).toBe(BigInt(i));
        values.add(value);
      }
    }
    expect(values.size).toBe(10 + 676 + 3 + 9 + 1);
    for (const value of values) expect(value).toMatch(/^(?:[0-9]|[A-Z][a-z]|-[xyz]{1,2}|none)$/);
  });

  it('one radix makes numeral strings, several or a member in clear make an index', () => {
    expect(engineOf(oneOf(digits({ length: 8 }), digits({ length: 9 })))).toMatchObject({
      kind: 'numerals',
      radix: 10,
    });
    expect(engineOf(oneOf(digits({ length: 8 }), pattern('A99'))).kind).toBe('index');
    expect(engineOf(oneOf(digits({ length: 8 }), clear('x'))).kind).toBe('index');
    expect(engineOf(oneOf(digits(), clear(pattern('A')))).hasClear).toBe(true);
    expect(engineOf(oneOf(digits({ length: 8 }), digits({ length: 9 }))).hasClear).toBe(false);
  });

  it.each([
    ['by their lengths', () => [digits({ length: 8 }), digits({ min: 9 })], ['12345678', '123456789']],
    ['by a position', () => [pattern('A99'), pattern('9A9'), pattern('999')], ['A12', '1A2', '123']],
    ['by a later position', () => [pattern('99-99'), pattern('999-9')], ['12-34', '123-4']],
    ['by the least common length', () => [text('ab', { min: 3 }), seq('ab-', digits())], ['abab', 'ab-123456']],
    [
      'by a character that one always has',
      () => [email(), digits(), text('xyz')],
      ['jo@x.de', '123456', 'xxxxxxxxxxxxx'],
    ],
    ['by an astral position', () => [pattern('\u{1f600}9'), pattern('\u{1f601}9')], ['\u{1f600}1', '\u{1f601}1']],
    [
      'by a literal in front',
      () => [seq('p:', digits()), seq('e:', email()), seq('f:', email({ domain: 'enciphered' }))],
      ['p:123456', 'e:ada@example.com', 'f:ada@example.com'],
    ],
    [
      'in both written forms',
      () => [email({ domain: 'enciphered' }), digits(), clear('none')],
      ['ada@example.com', '123456', 'none'],
    ],
  ] as [string, () => (Format | ClearPart)[], string[]][])('told apart %s', (_, make, values) => {
    const format = oneOf(...make());
    for (const value of values) there(format, value);
  });

  it.each([
    [() => [digits(), digits()], 'format 1 (digits) and format 2 (digits) cannot be told apart'],
    [
      () => [digits({ length: 5 }), pattern('A9'), digits({ max: 5, min: 4 })],
      'format 1 (digits) and format 3 (digits)',
    ],
    [() => [pattern('9A'), pattern('99'), pattern('9A')], 'format 1 (pattern) and format 3 (pattern)'],
    [() => [email(), clear('nobody@example.com')], 'format 1 (email) and format 2 (clear)'],
    [() => [email(), email({ domain: 'enciphered' })], 'format 1 (email) and format 2 (email)'],
    [() => [clear('x'), clear('y')], 'at least one format that is not in clear'],
    [() => [digits()], 'expected 2 to 64 formats'],
    [() => [], 'expected 2 to 64 formats'],
    [() => [digits(), email({ domain: 'hashed' })], 'format 2: email replaces its clear part and cannot restore it'],
  ] as [() => (Format | ClearPart)[], string][])('refuses %s', (make, message) => {
    expect(() => oneOf(...make())).toThrow(RangeError);
    expect(() => oneOf(...make())).toThrow(message);
  });

  it('what is not known proves nothing', () => {
    const plain = engineOf(digits({ length: 6 })) as FormatEngine & { kind: 'numerals' };
    const dim = makeFormat({ type: 'dim' }, { ...plain, outline: { min: 6, max: 6, at: () => null } });
    expect(() => oneOf(dim, pattern('AAAAAA'))).toThrow('format 1 (dim) and format 2 (pattern)');
    expect(() => oneOf(email(), dim)).toThrow(RangeError);
    expect(() => oneOf(dim, pattern('AAAAA'))).not.toThrow();
  });

  it('refuses what it cannot hold', () => {
    const plain = engineOf(digits()) as FormatEngine & { kind: 'numerals' };
    const own = { name: 'x', bind: () => ({ encryptMany: () => [], decryptMany: () => [] }) };
    expect(() => oneOf(makeFormat({ type: 'owned' }, { ...plain, own }), clear('x'))).toThrow('cipher of its own');
    for (const bad of [null, undefined, 5, {}, { type: 'digits' }]) {
      expect(() => oneOf(digits(), bad as never)).toThrow(TypeError);
    }
    expect(() => oneOf(digits(), 'unknown' as never)).toThrow('format 2: expected a format; write a text as clear(…)');
  });

  it('descriptor and data', () => {
    const format = oneOf(digits({ length: 8 }), clear('x'), clear(pattern('A9')));
    expect(engineOf(format).descriptor).toEqual(['oneOf@1', '8:digits@1', 'literal:x', 'clear:9:pattern@12:A9']);
    expect(engineOf(oneOf(clear('x'), digits({ length: 8 }))).descriptor).toEqual([
      'oneOf@1',
      'literal:x',
      '8:digits@1',
    ]);
    expect(JSON.stringify(format)).toBe(
      '{"type":"oneOf","formats":[{"type":"digits","length":8},{"type":"clear","of":"x"},' +
        '{"type":"clear","of":{"type":"pattern","pattern":"A9"}}]}',
    );
    expect(Object.isFrozen(format) && Object.isFrozen(format.formats)).toBe(true);
    expect(engineOf(format).visible).toBe(
      'which of the 3 formats a value has; format 1: the length (8); format 2: all of it; format 3: all of it',
    );
  });

  it('nests', () => {
    const inner = oneOf(pattern('A9'), seq('-', oneOf(digits({ length: 4 }), pattern('aa'))), pattern('a999'));
    for (const value of ['B7', '-1234', '-xy', 'q123']) there(inner, value);
    const outer = seq('<', inner, '>', clear(oneOf(clear('x'), pattern('9'))));
    expect(outer.test('<-1234>x')).toBe(true);
    for (const value of ['<B7>x', '<-1234>7', '<-xy>0', '<q123>x']) there(outer, value);
    expect(outer.size).toBe(260n);
    // A part of varying length that might hold what stands behind it.
    expect(() => seq(inner, oneOf(pattern('a'), pattern('99')))).toThrow(RangeError);
  });

  it('whatever is put together, no text is of two members, and what is of one is taken', () => {
    const lengths = fc.tuple(fc.nat(3), fc.nat(2)).map(([a, b]) => ({ min: a + 1, max: a + b + 1 }));
    const base: fc.Arbitrary<Format> = fc.oneof(
      fc
        .tuple(fc.constantFrom('01', 'ab', 'abc', '-a', '0\u{1f600}'), lengths)
        .map(([symbols, limits]) => text(symbols, limits)),
      fc.stringMatching(/^[Aa9x-]{0,3}[Aa9]$/).map(pattern),
      fc
        .tuple(fc.constantFrom('-', 'a', '0'), fc.constantFrom('ab', '01'), lengths)
        .map(([literal, symbols, limits]) => seq(literal, text(symbols, limits))),
      fc
        .tuple(fc.constantFrom('-', 'a', '0'), lengths)
        .map(([literal, limits]) => seq(text('xy', limits), literal, pattern('9'))),
    );
    let made = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(base, { minLength: 2, maxLength: 4 }),
        fc.array(fc.string({ unit: fc.constantFrom(...'01ab-xyA\u{1f600}'), maxLength: 6 }), {
          minLength: 6,
          maxLength: 6,
        }),
        fc.infiniteStream(fc.nat(99_999)),
        (members, texts, numbers) => {
          let format: Format;
          try {
            format = oneOf(...members);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            refused++;
            return;
          }
          made++;
          const next = () => numbers.next().value as number;
          const tried = [...texts];
          for (const [i, member] of members.entries()) {
            const value = member.unrank(BigInt(next()) % member.size);
            there(format, value);
            expect(engineOf(format).split(value).shape.slice(0, 3)).toBe(`1:${i + 1}`);
            const points = [...value];
            points.splice(next() % points.length, next() % 2, '01ab-x'[next() % 6]!);
            tried.push(value, points.join(''));
          }
          for (const value of tried) {
            const count = members.filter((member) => member.test(value)).length;
            expect(count).toBeLessThan(2);
            expect(format.test(value)).toBe(count === 1);
          }
        },
      ),
      { numRuns: 1500 },
    );
    expect(made).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  });
});
