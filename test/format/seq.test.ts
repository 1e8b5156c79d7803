import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseKept } from '../../src/format/case-kept.ts';
import { type ClearPart, clear } from '../../src/format/composed/clear.ts';
import { isSteady } from '../../src/format/composed/members.ts';
import { oneOf } from '../../src/format/composed/one-of.ts';
import { type SeqPart, seq } from '../../src/format/composed/seq.ts';
import { email } from '../../src/format/email/email.ts';
import {
  type Format,
  type FormatEngine,
  formatEngine,
  type IndexEngine,
  makeFormat,
  sizeOf,
} from '../../src/format/engine.ts';
import { enumOf } from '../../src/format/enum.ts';
import { ipv4 } from '../../src/format/ip.ts';
import { integer } from '../../src/format/number.ts';
import { pattern } from '../../src/format/pattern.ts';
import { phone } from '../../src/format/phone/phone.ts';
import { regex } from '../../src/format/regex.ts';
import { digits, text } from '../../src/format/text.ts';
import { EVERY_FORMAT } from '../property/every-format.ts';
import { refusal, there } from './composed.ts';

const engineOf = (format: Format): FormatEngine => formatEngine('format', format);
const parts = (format: Format, value: string) => engineOf(format).split(value);

const account = seq(clear(digits({ length: 3 })), '-', digits({ length: 7 }));

describe('seq', () => {
  it('takes what its parts take, and gives it back', () => {
    for (const value of ['030-1234567', '000-0000000', '999-9999999']) there(account, value);
    const { shape, clear: open } = parts(account, '030-1234567');
    expect(shape).toBe('1:31:7');
    expect(open).toBe('6:0:2:300:');
    expect(account.rank('030-1234567')).toBe(1234567n);
    expect(account.unrank(42, '030-1234567')).toBe('030-0000042');
    expect(account.unrank(42)).toBe('000-0000042');
    expect(account.size).toBe(10_000_000n);
  });

  it('the examples', () => {
    const plate = seq(text('ABCDEFGHIJKLMNOPQRSTUVWXYZ', { min: 1, max: 3 }), '-', digits({ length: 4 }));
    expect(plate.test('KA-1234')).toBe(true);
    expect(plate.size).toBe(260_000n);
    expect(account.unrank(0, '030-1234567')).toBe('030-0000000');
  });

  it.each([
    '',
    '030-123456',
    '030-12345678',
    '0301234567',
    '0301-234567',
    '03a-1234567',
    '030-123456a',
    '030_1234567',
    '030-1234567\n',
    ' 030-1234567',
    '030-1234567 ',
    '030\u20101234567',
    '０３０-1234567',
    '030-123456\u{1d7d8}',
    '030-1234567\u0301',
    '030-\u{1f600}1234567',
  ])('%j is none', (value) => {
    const error = refusal(account, value);
    expect(error.code).toBe('outside_format');
    if (value.length > 4) expect(error.message).not.toContain(value.slice(4));
  });

  it('refuses half a surrogate pair and what is no text', () => {
    expect(account.test('030-123456\ud800')).toBe(false);
    for (const value of [null, undefined, 5, {}, ['030-1234567']]) expect(account.test(value as string)).toBe(false);
  });

  it('says which part, and numbers', () => {
    expect(refusal(account, '030-1234').message).toBe('the value has 8 characters, expected 11');
    expect(refusal(account, '030-1234').issues[0]).toMatchObject({ minimum: 11, maximum: 11, actual: 8 });
    expect(refusal(account, '030x1234567').message).toBe('part 2 (literal) is not in its place');
    expect(refusal(account, '0x0-1234567').message).toBe('part 1 (digits): character 2 is not a digit');
  });

  it('one radix makes one numeral string, several make an index, the first part most significant', () => {
    expect(engineOf(account)).toMatchObject({ kind: 'numerals', radix: 10 });
    expect(engineOf(seq(digits({ length: 2 }), text('9876543210', { length: 2 })))).toMatchObject({ radix: 10 });
    const mixed = seq(text('abc', { length: 2 }), digits({ length: 2 }));
    expect(engineOf(mixed).kind).toBe('index');
    expect(mixed.size).toBe(900n);
    expect(mixed.rank('ba07')).toBe(307n);
  });

  it('every value of small ones is there, once, in order', () => {
    const formats: [Format, RegExp, number][] = [
      [seq(text('abc', { length: 2 }), '-', digits({ length: 2 })), /^[abc]{2}-[0-9]{2}$/, 900],
      [seq(digits({ length: 1 }), '/', digits({ length: 1 }), '.'), /^[0-9]\/[0-9]\.$/, 100],
      [seq(pattern('A9'), pattern('aa')), /^[A-Z][0-9][a-z]{2}$/, 175_760],
      [seq(seq('<', text('xyz', { length: 3 }), '>'), seq(':', pattern('9A'))), /^<[xyz]{3}>:[0-9][A-Z]$/, 7020],
    ];
    for (const [format, form, size] of formats) {
      expect(format.size).toBe(BigInt(size));
      const seen = new Set<string>();
      let bad = 0;
      for (let i = 0; i < size; i++) {
        const value = format.unrank(i);
        seen.add(value);
        if (!form.test(value) || format.rank(value) !== BigInt(i)) bad++;
      }
      expect([seen.size, bad]).toEqual([size, 0]);
    }
  });

  it('a part of any size is exact, to 2^53 and above', () => {
    for (const [a, b] of [
      [1, 1],
      [7, 8],
      [7, 9],
      [8, 8],
      [100, 100],
    ] as const) {
      const format = seq(digits({ length: a }), '-', text('abcdefghij', { length: b }), '-', pattern('Aa'));
      const size = 10n ** BigInt(a + b) * 676n;
      expect(format.size).toBe(size);
      const whole = parts(format, format.unrank(0)) as { size: unknown };
      expect(typeof whole.size).toBe(size <= 2n ** 53n ? 'number' : 'bigint');
      for (const index of [0n, 1n, 675n, 676n, size / 3n, size - 677n, size - 1n]) {
        expect(format.rank(format.unrank(index))).toBe(index);
      }
    }
  });

  it('the size just above 2^53 is a bigint: 3 × 107 × 28059810762433 = 2^53 + 1', () => {
    const below = (size: number): Format => {
      const width = `${size - 1}`.length;
      return makeFormat(
        { type: 'below' },
        {
          kind: 'index',
          descriptor: ['below@1', `${size}`],
          smallest: { size: BigInt(size), because: 'a test' },
          hasClear: false,
          visible: 'nothing',
          outline: { min: width, max: width, at: () => '0123456789' },
          sample: { shape: '', clear: '', layout: null, size, index: 0 },
          split: (value) => ({ shape: '', clear: '', layout: null, size, index: Number(value) }),
          assemble: (_, index) => `${index}`.padStart(width, '0'),
        },
      ) as Format;
    };
    const format = seq(below(3), below(107), below(28059810762433));
    expect(format.size).toBe(2n ** 53n + 1n);
    expect((parts(format, '210628059810762432') as { index: unknown }).index).toBe(2n ** 53n);
    expect(format.unrank(2n ** 53n)).toBe('210628059810762432');
    there(format, '210628059810762432');
  });

  it('cuts where there is one way only', () => {
    const cases: [Format, string[], string[]][] = [
      // One part of varying length, wherever it stands.
      [seq(digits({ min: 1, max: 3 }), pattern('99')), ['123', '12345'], ['12', '123456']],
      [seq(pattern('99'), digits({ min: 1, max: 3 })), ['123', '12345'], ['12', '123456']],
      [seq('5', digits({ min: 1, max: 3 }), '5'), ['555', '51235'], ['55', '512345', '61235']],
      // A part ends before a character that it cannot have.
      [
        seq(digits({ min: 1, max: 3 }), '-', digits({ min: 1, max: 3 }), '.', digits({ min: 1, max: 3 })),
        ['1-2.3', '123-456.789'],
        ['1-2', '1-2.', '-2.3', '1234-5.6', '1--2.3', '1.2-3'],
      ],
      [
        seq(text('abc', { min: 1, max: 3 }), digits({ min: 1, max: 3 })),
        ['a1', 'abc123'],
        ['a', '1', 'ab12a', 'abca1'],
      ],
      [
        seq(text('ab', { min: 1, max: 2 }), text('cd', { min: 1, max: 2 }), text('ab', { min: 1, max: 2 })),
        ['aca', 'abcdab'],
        ['acac', 'ac', 'abcda1'],
      ],
      // Code points, not code units.
      [
        seq(text('\u{1f600}\u{1f601}', { min: 1, max: 2 }), '\u{1f680}', text('\u{1f600}x', { min: 1, max: 3 })),
        ['\u{1f600}\u{1f680}x', '\u{1f601}\u{1f600}\u{1f680}\u{1f600}x\u{1f600}'],
        ['\u{1f680}x', '\u{1f600}\u{1f680}', '\u{1f600}\u{1f600}\u{1f601}\u{1f680}x'],
      ],
    ];
    for (const [format, good, bad] of cases) {
      for (const value of good) there(format, value);
      for (const value of bad) expect(refusal(format, value).code).toBe('outside_format');
    }
  });

  it.each([
    [() => [digits(), digits()], 'part 1 (digits) and part 2 (digits) both vary'],
    [() => [digits(), '0', digits()], 'part 1 (digits) and part 3 (digits) both vary'],
    [() => ['x', digits(), pattern('99'), '-', digits()], 'part 2 (digits) and part 5 (digits) both vary'],
    [() => [text('ab-'), '-', text('ab')], 'part 1 (text) and part 3 (text) both vary'],
    [() => [email(), '@', email()], 'part 1 (email) and part 3 (email) both vary'],
    [() => [], 'expected 1 to 64 parts'],
    [() => ['abc'], 'at least one format that is not in clear'],
    [() => [clear(digits())], 'at least one format that is not in clear'],
    [() => ['', digits()], 'part 1: expected text of 1 to 256 characters, got 0'],
    [() => ['x'.repeat(257), digits()], 'got 257'],
    [() => ['\ud800', digits()], 'halves of surrogate pairs'],
    [() => [digits({ length: 200 }), 'x'.repeat(57)], 'expected parts of at most 256 characters together'],
    [() => [digits({ length: 200 }), digits({ length: 57 })], 'expected parts of at most 256 characters together'],
    [() => new Array(65).fill('x').concat(digits()), 'expected 1 to 64 parts'],
    [() => [email({ domain: 'hashed' })], 'replaces its clear part and cannot restore it'],
    [() => [oneOf(digits(), clear('none')), 'x'], 'part 1: a oneOf with a member in clear cannot be a part'],
  ] as [() => SeqPart[], string][])('refuses what is ambiguous or nothing: %s', (make, message) => {
    expect(() => seq(...make())).toThrow(RangeError);
    expect(() => seq(...make())).toThrow(message);
    try {
      seq(...make());
    } catch (error) {
      expect((error as { argument?: string }).argument).toBe('parts');
    }
  });

  it.each([null, undefined, 5, {}, { type: 'digits' }, { type: 'clear', of: 'x' }, ['x']])('%j is no part', (part) => {
    expect(() => seq('x', part as never)).toThrow(TypeError);
    expect(() => seq('x', part as never)).toThrow('"parts" part 2: expected a format of trefoil/format');
  });

  it('refuses formats with a cipher or a written form that it cannot take apart', () => {
    const plain = engineOf(digits()) as FormatEngine & { kind: 'numerals' };
    const own = { name: 'x', bind: () => ({ encryptMany: () => [], decryptMany: () => [] }) };
    const owned = makeFormat({ type: 'owned' }, { ...plain, own });
    const faced = makeFormat(
      { type: 'faced' },
      { ...plain, enciphered: { split: plain.split, assemble: plain.assemble } },
    );
    expect(() => seq(owned)).toThrow('part 1: owned has a cipher of its own');
    expect(() => seq('x', faced)).toThrow('part 2: faced writes enciphered values in another form');
    // What is not known of a part's characters is no proof of where it ends.
    const dim = makeFormat({ type: 'dim' }, { ...plain, outline: { ...plain.outline, at: () => null } });
    expect(() => seq(dim, '-', digits())).toThrow('part 1 (dim) and part 3 (digits) both vary');
    expect(() => seq(digits(), dim)).toThrow('part 1 (digits) and part 2 (dim) both vary');
    there(seq(dim, '-', digits({ length: 6 })), '1234567-123456');
    there(seq(clear(owned), '-', digits({ length: 6 })), '123456-123456');
  });

  it('a part that is written otherwise when enciphered is so inside, too', () => {
    const format = seq('<', email({ domain: 'enciphered' }), '> ', digits({ length: 4 }));
    there(format, '<ada.lovelace@example.com> 1234');
    there(format, '<jo@x.de> 1234');
    const { enciphered, ...engine } = engineOf(format) as IndexEngine;
    const value = engine.split('<ada.lovelace@example.com> 1234');
    expect(enciphered!.assemble(value, 0n)).toBe('<aaa.aaaaaaaa@aaaaaaa.aaa.invalid> 0000');
    expect(() => enciphered!.split('<ada@example.com> 1234')).toThrow(
      'part 2 (email): the domain is not one that this rule has enciphered',
    );
    // A varying part may end before another only if that holds for both written forms.
    expect(() => seq(email({ domain: 'enciphered' }), ' ', digits())).not.toThrow();
  });

  it('the smallest space is the product, clear parts do not count, the longest value has 256 characters', () => {
    const format = seq(digits({ min: 2, max: 200 }), '-', clear(digits({ length: 5 })), pattern('A9'));
    expect(format.size).toBe(26_000n);
    expect(format.strength()).toMatchObject({ size: 26_000n, because: '2 parts together: 100 × 260' });
    there(format, '12-12345A1');
    const long = seq(digits({ min: 1, max: 256 }), '-', clear(text('ab', { min: 1, max: 256 })));
    there(long, `${'1'.repeat(128)}-${'a'.repeat(127)}`);
    expect(refusal(long, `${'1'.repeat(128)}-${'a'.repeat(128)}`).issues[0]).toMatchObject({ maximum: 256 });
  });

  it('what is written can be read: parts whose length may change count as their shortest value', () => {
    const letters = regex('[a-z]{1,200}');
    const cases: [Format, string[], string[]][] = [
      // Any value fits, and any value can become one of 401 characters.
      [seq(letters, '-', letters), ['a-b', `${'z'.repeat(200)}-${'z'.repeat(200)}`], [`${'z'.repeat(201)}-a`]],
      // 7 for an address, 1, and 248 are 256.
      [
        seq(ipv4(), '/', text('ab', { min: 20, max: 250 })),
        [`1.1.1.1/${'ab'.repeat(10)}`, `1.1.1.1/${'a'.repeat(248)}`, `100.100.100.100/${'b'.repeat(248)}`],
        [`1.1.1.1/${'a'.repeat(249)}`],
      ],
      [
        seq(integer({ min: 0, max: '9'.repeat(200) }), '/', text('ab', { min: 20, max: 256 })),
        [`0/${'ab'.repeat(127)}`, `${'9'.repeat(200)}/${'ab'.repeat(127)}`],
        [`0/${'a'.repeat(255)}`],
      ],
      // In another one, and behind a choice.
      [
        seq('<', seq(letters, '-', letters), '>', oneOf(ipv4(), pattern('AA')), text('#+', { min: 1, max: 256 })),
        [`<a-b>1.1.1.1${'#'.repeat(249)}`, `<abc-${'d'.repeat(200)}>XY${'#+'.repeat(100)}`],
        [`<a-b>1.1.1.1${'#'.repeat(250)}`],
      ],
      [
        oneOf(seq('!', letters, '-', letters), seq('?', digits({ length: 6 }))),
        ['!a-b', `!${'q'.repeat(200)}-${'q'.repeat(200)}`, '?123456'],
        ['?1234567'],
      ],
      // A clear part stays as it is, and so does what has one length in a shape.
      [
        seq(clear(letters), '-', caseKept(), '\n', phone(), '/', letters),
        ['abc-Ada Lovelace\n+49 30 90182000/abc', `${'c'.repeat(200)}-${'A'.repeat(39)}\n+493090182000/a`],
        [`${'c'.repeat(200)}-${'A'.repeat(40)}\n+493090182000/a`],
      ],
    ];
    for (const [format, good, bad] of cases) {
      for (const value of good) there(format, value);
      for (const value of bad) expect(refusal(format, value).code).toBe('outside_format');
    }
    const error = refusal(seq(ipv4(), '/', text('ab', { min: 20, max: 250 })), `1.1.1.1/${'a'.repeat(249)}`);
    expect(error.issues[0]).toMatchObject({ maximum: 249, actual: 250 });
    expect(error.message).toBe('the parts that keep their length have 250 characters, expected at most 249');
  });

  it('enciphered addresses of the greatest length are read back, too', () => {
    const format = seq(email({ domain: 'enciphered' }), ' ', digits({ min: 6, max: 256 }));
    const label = 'b'.repeat(60);
    const mail = `${'a'.repeat(60)}@${label}.${label}.${'d'.repeat(55)}.com`;
    for (const value of [`${mail} 123456`, `jo@x.de ${'1'.repeat(249)}`, `${mail} ${'1'.repeat(250)}`])
      there(format, value);
    expect(format.test(`jo@x.de ${'1'.repeat(251)}`)).toBe(false);
  });

  it('shape and layout fix the length of every format that says so', () => {
    for (const { format, like } of EVERY_FORMAT) {
      const engine = engineOf(format);
      if (!isSteady(engine)) continue;
      for (const value of like) {
        const length = [...value].length;
        const size = BigInt(sizeOf(engine, engine.split(value)));
        for (let i = 0n; i < 40n; i++) expect([...format.unrank((size * i) / 40n, value)]).toHaveLength(length);
      }
    }
    const steady = EVERY_FORMAT.filter(({ format }) => isSteady(engineOf(format))).map(({ format }) => format.type);
    for (const type of ['digits', 'text', 'pattern', 'card', 'iban', 'phone', 'date', 'uuid', 'caseKept', 'seq']) {
      expect(steady).toContain(type);
    }
    for (const format of [email(), email({ domain: 'enciphered' }), ipv4(), enumOf(['a', 'bc']), regex('a{1,2}')]) {
      expect(isSteady(engineOf(format))).toBe(false);
      expect(isSteady(engineOf(seq(format, '/')))).toBe(false);
      expect(isSteady(engineOf(seq('x/', clear(regex('y{1,2}')), digits({ length: 2 }))))).toBe(true);
    }
  });

  it('a clear decision on very many parts and levels', () => {
    expect(() => seq(...new Array<SeqPart>(100_000).fill('x'))).toThrow(/^"parts" expected 1 to 64 parts$/);
    // 31 parts of up to 200 characters, seven times: what stands where is not looked at position by position.
    const many = seq(...Array.from({ length: 31 }, () => [regex('a{1,200}'), ';']).flat(), digits({ length: 1 }));
    const all = seq(many, '|', many, '|', many, '|', many);
    there(all, new Array(4).fill(`${'a;'.repeat(31)}1`).join('|'));
  });

  it('what a part in clear puts into the tweak is injective', () => {
    const tweaks = new Set<string>();
    const values = ['0-00', '00-0', '1-23', '12-3', '01-2', '1-2', '10-2', '1-02'];
    const format = seq(clear(digits({ min: 1, max: 2 })), '-', clear(digits({ min: 1, max: 2 })), '-', digits());
    for (const value of values) {
      const { shape, clear: open } = parts(format, `${value}-123456`);
      tweaks.add(JSON.stringify([shape, open]));
    }
    expect(tweaks.size).toBe(values.length);
  });

  it('the descriptor has every part and no limits of length', () => {
    const descriptor = (...list: SeqPart[]) => engineOf(seq(...list)).descriptor;
    expect(descriptor(clear(digits({ length: 3 })), '-', digits({ length: 7 }))).toEqual([
      'seq@1',
      'clear:8:digits@1',
      'literal:-',
      '8:digits@1',
    ]);
    expect(descriptor(text('ab', { length: 9 }))).toEqual(['seq@1', '6:text@12:ab']);
    // A text in clear is a literal.
    expect(descriptor(clear('-'), digits())).toEqual(descriptor('-', digits()));
    expect(descriptor('8:digits@1', digits())).toEqual(['seq@1', 'literal:8:digits@1', '8:digits@1']);
    expect(descriptor(digits(), 'ab')).not.toEqual(descriptor(digits(), 'a', 'b'));
  });

  it('is frozen plain data', () => {
    expect(JSON.stringify(account)).toBe(
      '{"type":"seq","parts":[{"type":"clear","of":{"type":"digits","length":3}},"-",{"type":"digits","length":7}]}',
    );
    expect(JSON.parse(JSON.stringify(account))).toEqual({ ...account });
    for (const each of [account, account.parts, account.parts[0]]) expect(Object.isFrozen(each)).toBe(true);
    expect(engineOf(account).visible).toBe('the literals; part 1: all of it; part 3: the length (7)');
  });

  it('what join needs holds nothing secret', () => {
    const format = seq(digits({ length: 5 }), '-', email(), ' ', clear(digits({ length: 3 })));
    const seen = JSON.stringify(parts(format, '98765-ada@example.com 123').layout);
    expect(seen).not.toContain('98765');
    expect(seen).toBe(JSON.stringify(parts(format, '12345-xyz@example.com 123').layout));
  });
});

describe('clear', () => {
  it('is no format', () => {
    expect(() => formatEngine('format', clear(digits()))).toThrow(TypeError);
    expect(Object.isFrozen(clear('x'))).toBe(true);
    expect(JSON.stringify(clear('x'))).toBe('{"type":"clear","of":"x"}');
  });

  it.each([null, undefined, 5, {}, { type: 'digits' }, clear('x')])('clear(%j) is refused', (of) => {
    expect(() => clear(of as never)).toThrow(TypeError);
  });

  it.each(['', 'x'.repeat(257), '\udc00'])('clear(%j) is refused', (of) => {
    expect(() => clear(of)).toThrow(RangeError);
  });
});

describe('whatever is composed', () => {
  const lengths = fc.oneof(
    fc.nat(2).map((n) => ({ length: n + 1 })),
    fc.tuple(fc.nat(2), fc.nat(2)).map(([a, b]) => ({ min: a + 1, max: a + b + 1 })),
  );
  const base: fc.Arbitrary<Format> = fc.oneof(
    lengths.map((limits) => text('01', limits)),
    fc
      .tuple(fc.constantFrom('ab', 'abc', '-a', 'xy', '\u{1f600}a'), lengths)
      .map(([symbols, limits]) => text(symbols, limits)),
    fc.constantFrom('A9', '9', 'a-', '-9').map(pattern),
  );
  const part: fc.Arbitrary<SeqPart> = fc.oneof(
    { weight: 4, arbitrary: base },
    { weight: 2, arbitrary: fc.constantFrom('-', 'a', '0', '--', '\u{1f600}') },
    { weight: 1, arbitrary: base.map(clear) },
  );
  const composed = fc
    .array(part, { minLength: 1, maxLength: 5 })
    .map((list) => {
      try {
        return { list, format: seq(...list) };
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return null;
      }
    })
    .filter((made) => made !== null);

  /** All ways to cut a text into values of the parts, found by trying. */
  function ways(list: readonly SeqPart[], value: readonly string[]): number {
    const [first, ...rest] = list;
    if (first === undefined) return value.length === 0 ? 1 : 0;
    let count = 0;
    for (let end = 1; end <= value.length; end++) {
      const head = value.slice(0, end).join('');
      const of =
        typeof first === 'object' && first.type === 'clear' ? (first as ClearPart).of : (first as Format | string);
      if (typeof of === 'string' ? of === head : of.test(head)) count += ways(rest, value.slice(end));
    }
    return count;
  }

  it('is taken if there is one way to cut it, and there are never two', () => {
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        composed,
        fc.array(fc.string({ unit: fc.constantFrom(...'01ab-xyA\u{1f600}'), maxLength: 9 }), {
          minLength: 8,
          maxLength: 8,
        }),
        fc.infiniteStream(fc.nat(9999)),
        ({ list, format }, texts, numbers) => {
          const next = () => numbers.next().value as number;
          const tried = [...texts];
          // Values of the format, made without it, and what is near to them.
          for (let i = 0; i < 6; i++) {
            const value = list.map((each) => draw(each, next)).join('');
            expect(ways(list, [...value])).toBe(1);
            there(format, value);
            taken++;
            const points = [...value];
            points.splice(next() % points.length, next() % 2, '01ab-x'[next() % 6]!);
            tried.push(points.join(''));
          }
          for (const value of tried) {
            const count = ways(list, [...value]);
            expect(format.test(value)).toBe(count === 1);
            expect(count).toBeLessThan(2);
            if (count === 0) refused++;
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(taken).toBe(2400);
    expect(refused).toBeGreaterThan(1000);
  });

  function draw(each: SeqPart, next: () => number): string {
    const of = typeof each === 'object' && each.type === 'clear' ? (each as ClearPart).of : (each as Format | string);
    if (typeof of === 'string') return of;
    // Another length of the same alphabet, where there is one.
    const symbols = of.unrank(0);
    let value = of.unrank(BigInt(next()) % of.size);
    for (let grow = next() % 3; grow > 0; grow--) if (of.test(value + [...symbols][0])) value += [...symbols][0];
    return value;
  }
});

it('is nested up to eight levels, as in a file', () => {
  let format: Format = digits({ length: 6 });
  for (let level = 0; level < 8; level++) format = seq(`${level}`, format);
  expect(format.test('76543210123456')).toBe(true);
  expect(() => seq('8', format)).toThrow(/^"parts" makes formats nested deeper than 8$/);
  expect(() => oneOf(format, digits({ length: 3 }))).toThrow(/^"formats" makes formats nested deeper than 8$/);
});
