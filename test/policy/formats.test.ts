/**
 * Formats in a policy file: every one of them as code makes it and as the file has it is the same rule, and what is
 * wrong is found where it stands.
 */
import { describe, expect, it } from 'vitest';
import { clear, digits, type Format, seq } from '../../src/format.ts';
import { fpe, keyset, policy } from '../../src/index.ts';
import { check, explain, parsePolicy } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { EVERY_FORMAT, REASON, ruleOf } from '../property/every-format.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';
import { keys, pinned, ROOT } from '../rule/keys.ts';

const file = (format: unknown, more: object = {}) => ({
  trefoil: 1,
  domain: 'eu',
  keyCheck: { ...keys.keyCheck },
  fields: { f: { rule: 'fpe', scope: 'field', format, ...more } },
});
const reason = { allowCodebook: REASON };
/** Codes and places below the format, of a file with this one. */
const problems = (format: unknown, more: object = {}) =>
  check(file(format, more)).map(
    ({ code, field }) => `${code} ${field!.replace('fields.f.', '').replace('format.', '')}`,
  );
const messageOf = (format: unknown, more: object = {}) => check(file(format, more))[0]!.message;
/** What a rule of the file makes of values. */
const protectOf = (value: unknown) => {
  const { bind } = parsePolicy(value);
  const bound = bind(pinned, revealAccess);
  return {
    protect: (text: string) => (bound.protect({ f: text }) as { f: string }).f,
    reveal: (text: string) => (bound.reveal({ f: text }) as { f: string }).f,
  };
};

describe.each(EVERY_FORMAT.map((each) => [each.name, each] as const))('%s', (_, each) => {
  const { format, like, codebook, revealed = (value: string) => value } = each;
  const sheet = policy({ f: ruleOf(each) }, { domain: 'eu', keyCheck: keys.keyCheck });
  const json = JSON.stringify(sheet);

  it('is plain data, which the file reads as the same data', () => {
    expect(check(JSON.parse(json))).toEqual([]);
    const read = parsePolicy(JSON.parse(json));
    expect(JSON.stringify(read)).toBe(json);
    expect(explain(read)).toBe(explain(sheet));
    // Nothing of the format is lost on the way into JSON: it has no function, bigint, date or undefined in it.
    const rule = JSON.parse(json).fields.f as { format: object; allowCodebook?: string };
    expect(rule.format).toEqual(JSON.parse(JSON.stringify(format)));
    expect(rule.format).toMatchObject({ type: format.type });
    expect(rule.allowCodebook).toBe(codebook === true ? REASON : undefined);
  });

  it('has the same key and outputs from the file, and the way back', () => {
    const fromCode = ruleOf(each).bind(pinned, revealAccess);
    const fromFile = protectOf(JSON.parse(json));
    for (const value of like) {
      const out = fromCode.protect(value);
      expect(fromFile.protect(value)).toBe(out);
      expect(fromFile.reveal(out)).toBe(revealed(value, out));
    }
  });
});

describe('words of the file', () => {
  it('a name alone is the format without options', () => {
    for (const name of ['digits', 'card', 'iban', 'phone', 'email', 'uuid', 'ip', 'ipv4', 'ipv6', 'caseKept']) {
      const [short, long] = [parsePolicy(file(name)), parsePolicy(file({ type: name }))];
      expect(JSON.stringify(short)).toBe(JSON.stringify(long));
    }
  });

  it('text among the parts of a seq, and in a clear, is what stands there; among the formats of a oneOf a name', () => {
    const literal = protectOf(file({ type: 'seq', parts: ['digits', { type: 'digits', length: 6 }] }));
    expect(literal.protect('digits123456')).toMatch(/^digits[0-9]{6}$/);
    const inClear = protectOf(
      file({
        type: 'oneOf',
        formats: [
          { type: 'digits', length: 7 },
          { type: 'clear', of: 'digits' },
        ],
      }),
    );
    expect(inClear.protect('digits')).toBe('digits');
    const named = protectOf(file({ type: 'oneOf', formats: ['uuid', { type: 'digits', length: 7 }] }));
    expect(named.protect('1234567')).toMatch(/^[0-9]{7}$/);
    expect(problems({ type: 'oneOf', formats: ['digits', 'unknown'] })).toEqual(['unknown_format formats.1']);
  });

  it('numbers of any size may be text', () => {
    const wide = file({ type: 'integer', min: '-9223372036854775808', max: '9223372036854775807' });
    expect(protectOf(wide).reveal(protectOf(wide).protect('-1'))).toBe('-1');
    const same = (a: unknown, b: unknown) =>
      expect(protectOf(file(a)).protect('7')).toBe(protectOf(file(b)).protect('7'));
    same({ type: 'integer', min: 0, max: 99_999 }, { type: 'integer', min: '0', max: '99999' });
  });

  it('a reason takes a format of few values, and without one the message says how', () => {
    const few = { type: 'enumOf', values: ['north', 'south', 'east'] };
    expect(problems(few)).toEqual(['space_too_small format']);
    expect(messageOf(few)).toContain('allowCodebook');
    expect(check(file(few))[0]).toMatchObject({ minimum: 10_000, actual: 3 });
    expect(problems(few, reason)).toEqual([]);
    const { protect, reveal } = protectOf(file(few, reason));
    const outs = few.values.map(protect);
    expect([...outs].sort()).toEqual([...few.values].sort());
    expect(outs.map(reveal)).toEqual(few.values);
    // The reason is for the record: it changes no output, and stands in the file again.
    expect(protectOf(file(few, { allowCodebook: 'another' })).protect('north')).toBe(outs[0]);
    expect(JSON.parse(JSON.stringify(parsePolicy(file(few, reason)))).fields.f.allowCodebook).toBe(REASON);
  });

  it.each([
    ['', 'wrong_option allowCodebook'],
    ['  ', 'wrong_option allowCodebook'],
    ['x'.repeat(1001), 'wrong_option allowCodebook'],
    [true, 'must_be_text allowCodebook'],
    [null, 'must_be_text allowCodebook'],
    [['why'], 'must_be_text allowCodebook'],
  ])('no reason: %j', (allowCodebook, expected) => {
    expect(problems({ type: 'enumOf', values: ['a', 'b'] }, { allowCodebook })).toEqual([expected]);
  });

  it('one value hides nothing whatever the reason, and no other rule has one', () => {
    expect(problems({ type: 'pattern', pattern: 'x\\9' }, reason)).toEqual(['wrong_option pattern']);
    const token = { ...file('digits'), fields: { f: { rule: 'token', scope: 'a', allowCodebook: 'x' } } };
    expect(check(token).map(({ code, field }) => [code, field])).toEqual([
      ['unknown_option', 'fields.f.allowCodebook'],
    ]);
  });

  it('more parts than a format has are one problem, however many', () => {
    for (const count of [65, 100_000]) {
      const message = `expected at most 64, got ${count}`;
      expect(problems({ type: 'seq', parts: new Array(count).fill('x') })).toEqual(['wrong_option parts']);
      expect(problems({ type: 'oneOf', formats: new Array(count).fill('digits') })).toEqual(['wrong_option formats']);
      expect(messageOf({ type: 'seq', parts: new Array(count).fill('x') })).toContain(message);
    }
    expect(problems({ type: 'seq', parts: [...new Array(63).fill('x'), 'x'] })).not.toEqual([]);
    expect(problems({ type: 'seq', parts: [...new Array(63).fill('x'), { type: 'digits' }] })).toEqual([]);
  });

  it('a format that has the empty text wants a list of missing texts without it', () => {
    const maybe = { type: 'regex', regex: '[0-9]{0,6}' };
    expect(problems(maybe)).toEqual(['wrong_option format']);
    expect(messageOf(maybe)).toContain('the empty text, which counts as missing, is a value of the format');
    expect(problems(maybe, { missing: ['-', ''] })).toEqual(['wrong_option missing']);
    expect(problems(maybe, { missing: ['-'] })).toEqual([]);
    expect(problems(maybe, { missing: [] })).toEqual([]);
  });

  it('limits are the boundaries of 10,000 and 1,000,000 values', () => {
    expect(problems({ type: 'integer', min: 1, max: 9_999 })).toEqual(['space_too_small format']);
    expect(problems({ type: 'integer', min: 1, max: 10_000 })).toEqual([]);
    expect(problems({ type: 'digits', length: 3 })).toEqual(['space_too_small format']);
    expect(problems({ type: 'digits', length: 4 })).toEqual([]);
    expect(problems({ type: 'card', clear: { first: 6, last: 4 } })).toEqual(['space_too_small format']);
    expect(problems({ type: 'card', clear: { first: 6, last: 4 }, min: 15 })).toEqual([]);
  });
});

const six = { type: 'digits', length: 6 };
const WRONG: readonly (readonly [format: unknown, ...expected: string[]])[] = [
  ['digit', 'unknown_format format'],
  [{ type: 'digit' }, 'unknown_format type'],
  [{ type: '__proto__' }, 'unknown_format type'],
  [{ type: 'constructor' }, 'unknown_format type'],
  [{}, 'missing_option type'],
  [[], 'missing_option type'],
  [{ type: 5 }, 'must_be_text type'],
  [{ type: 'digits', lenght: 6 }, 'unknown_option lenght'],
  [{ type: 'digits', length: '6' }, 'wrong_option length'],
  [{ type: 'digits', length: 0 }, 'wrong_option length'],
  [{ type: 'digits', min: 9, max: 8 }, 'wrong_option min'],
  [{ type: 'digits', length: 9, min: 8 }, 'wrong_option length'],
  [{ type: 'text' }, 'missing_option alphabet'],
  [{ type: 'text', alphabet: 'aa' }, 'wrong_option alphabet'],
  [{ type: 'pattern', pattern: '' }, 'wrong_option pattern'],
  [{ type: 'pattern', regex: '9' }, 'unknown_option regex', 'missing_option pattern'],
  [{ type: 'regex', regex: '[0-9]+' }, 'wrong_option regex'],
  [{ type: 'regex', regex: 1234567 }, 'must_be_text regex'],
  [{ type: 'enumOf', values: 'abc' }, 'wrong_option values'],
  [{ type: 'enumOf', values: ['a', 1, null] }, 'must_be_text values.1', 'must_be_text values.2'],
  [{ type: 'enumOf', values: ['a', 'a'] }, 'wrong_option values'],
  [{ type: 'integer', min: 1 }, 'missing_option max'],
  [{ type: 'integer', min: 5, max: 3 }, 'wrong_option max'],
  [{ type: 'integer', min: 1.5, max: 3 }, 'wrong_option min'],
  [{ type: 'integer', min: true, max: 3 }, 'wrong_option min'],
  [{ type: 'decimal', min: 0, max: 9 }, 'missing_option places'],
  [{ type: 'decimal', min: 0, max: '9.999', places: 2 }, 'wrong_option max'],
  [{ type: 'date', from: 20200101, to: '2029-12-31' }, 'must_be_text from'],
  [{ type: 'date', from: '2020-01-01', to: '2029-02-29' }, 'wrong_option to'],
  [{ type: 'dateTime', from: '2020-01-01T00:00:00Z', to: '2029-12-31T00:00:00' }, 'wrong_option to'],
  [{ type: 'uuid', letters: 'upper' }, 'unknown_option letters'],
  [{ type: 'card', clear: 6 }, 'wrong_option clear'],
  [{ type: 'card', clear: [6] }, 'wrong_option clear'],
  [{ type: 'card', clear: { first: '6' } }, 'wrong_option clear.first'],
  [{ type: 'card', clear: { frist: 6 } }, 'wrong_option clear'],
  [{ type: 'card', clear: { first: 13 } }, 'wrong_option clear.first'],
  [{ type: 'card', clear: { last: 5 } }, 'wrong_option clear.last'],
  [{ type: 'card', luhn: 'yes' }, 'wrong_option luhn'],
  [{ type: 'card', brands: ['visa', 4] }, 'must_be_text brands.1'],
  [{ type: 'card', brands: ['viza'], clear: { first: 6 } }, 'wrong_option brands'],
  [{ type: 'iban', countries: 'DE' }, 'wrong_option countries'],
  [{ type: 'iban', countries: ['DE', false] }, 'must_be_text countries.1'],
  [{ type: 'iban', countries: ['ZZ'] }, 'wrong_option countries'],
  [{ type: 'phone', min: 1 }, 'wrong_option min'],
  [{ type: 'email', domain: 'keep' }, 'wrong_option domain'],
  [{ type: 'ipv4', prefixPreserving: 'yes' }, 'wrong_option prefixPreserving'],
  [{ type: 'ipv6', keepSpecial: true }, 'unknown_option keepSpecial'],
  [{ type: 'caseKept', minSize: 9 }, 'wrong_option minSize'],
  ['clear', 'missing_option of'],
  [{ type: 'clear', of: six }, 'wrong_option format'],
  [{ type: 'clear', of: 'x' }, 'wrong_option format'],
  ['seq', 'missing_option parts'],
  [{ type: 'seq', parts: 'digits' }, 'wrong_option parts'],
  [{ type: 'seq', parts: [] }, 'wrong_option parts'],
  [{ type: 'seq', parts: ['x', 'y'] }, 'wrong_option parts'],
  [{ type: 'seq', parts: ['', six] }, 'wrong_option parts'],
  [{ type: 'seq', parts: ['digits', 'digits'] }, 'wrong_option parts'],
  [
    { type: 'seq', parts: ['x', 5, null, []] },
    'must_be_text parts.1',
    'wrong_option parts.2',
    'missing_option parts.3.type',
  ],
  [
    { type: 'seq', parts: [{ type: 'digitz' }, { type: 'digits', length: 0 }, { type: 'clear', of: { type: 'uid' } }] },
    'unknown_format parts.0.type',
    'wrong_option parts.1.length',
    'unknown_format parts.2.of.type',
  ],
  [{ type: 'seq', parts: [six, { type: 'clear' }] }, 'missing_option parts.1.of'],
  [{ type: 'seq', parts: [six, { type: 'clear', of: 3 }] }, 'must_be_text parts.1.of'],
  [{ type: 'seq', parts: [six, { type: 'clear', of: { type: 'clear', of: 'x' } }] }, 'wrong_option parts.1.of'],
  [{ type: 'seq', parts: ['digits', { type: 'digits' }, { type: 'digits' }] }, 'wrong_option parts'],
  [{ type: 'seq', parts: ['x', { type: 'ipv4', prefixPreserving: true }] }, 'wrong_option parts'],
  [{ type: 'seq', parts: ['x', { type: 'email', domain: 'hashed' }] }, 'wrong_option parts'],
  ['oneOf', 'missing_option formats'],
  [{ type: 'oneOf', formats: ['digits'] }, 'wrong_option formats'],
  [{ type: 'oneOf', formats: ['digits', 'digits'] }, 'wrong_option formats'],
  [{ type: 'oneOf', formats: ['digits', 'pattern'] }, 'missing_option formats.1.pattern'],
  [
    { type: 'oneOf', formats: [{ type: 'seq', parts: [{ type: 'oneOf', formats: ['nope', 'digits'] }] }, six] },
    'unknown_format formats.0.parts.0.formats.0',
  ],
];

describe('what is wrong is found where it stands', () => {
  it.each(WRONG.map(([format, ...expected]) => [JSON.stringify(format), format, expected] as const))(
    '%s',
    (_, format, expected) => {
      expect(problems(format).sort()).toEqual([...expected].sort());
      expect(() => parsePolicy(file(format))).toThrow();
    },
  );

  it('in words that name the item of a list, and suggest a name', () => {
    expect(messageOf({ type: 'enumOf', values: ['a', 1] })).toBe('item 2 of values must be text: quote it');
    expect(messageOf({ type: 'seq', parts: [six, null] })).toBe('item 2 of parts must be text or a map');
    expect(messageOf({ type: 'seq', parts: [{ type: 'ibna' }] })).toContain('did you mean iban?');
    expect(messageOf({ type: 'dateTime', form: 'x', from: 'x', to: 'y' })).toContain('did you mean from?');
  });

  it('and no message quotes a value', () => {
    const mark = (value: unknown): unknown => {
      if (typeof value === 'string') return `QXQX${value}`;
      if (Array.isArray(value)) return value.map(mark);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, key === 'type' ? inner : mark(inner)]),
      );
    };
    for (const [format] of WRONG)
      for (const { message } of check(file(mark(format)))) expect(message).not.toContain('QXQX');
  });
});

describe('nesting', () => {
  const nest = (levels: number): unknown =>
    Array.from({ length: levels }).reduce<unknown>(
      (inner, _, i) => ({ type: 'seq', parts: [`${i % 10}`, inner] }),
      six,
    );
  const nestClear = (levels: number): unknown =>
    Array.from({ length: levels }).reduce<unknown>(
      (inner) => ({ type: 'seq', parts: [six, { type: 'clear', of: inner }] }),
      six,
    );

  it('eight levels are taken and not more, whatever holds them', () => {
    expect(problems(nest(8))).toEqual([]);
    expect(protectOf(file(nest(8))).protect('76543210123456')).toMatch(/^76543210[0-9]{6}$/);
    expect(problems(nest(9))).toEqual([`wrong_option ${'parts.1.'.repeat(9).slice(0, -1)}`]);
    expect(problems(nestClear(4))).toEqual([]);
    const deepest = 'parts.1.of.'.repeat(4);
    expect(problems(nestClear(5))).toEqual([`wrong_option ${deepest}parts.0`, `wrong_option ${deepest}parts.1`]);
    expect(messageOf(nestClear(5))).toBe('formats are nested deeper than 8');
  });

  it('a thousand levels are complaints about the ninth and no stack', () => {
    for (const [deep, count] of [
      [nest(1000), 1],
      [nestClear(1000), 2],
    ] as const) {
      const found = check(file(deep)).map(({ code, message }) => `${code}: ${message}`);
      expect(found).toEqual(new Array(count).fill('wrong_option: formats are nested deeper than 8'));
    }
  });

  it('a format made in code and its JSON are one key', () => {
    const format: Format = seq(clear(digits({ length: 2 })), '/', seq('no ', digits({ length: 6 })));
    const other = keyset.parse(keysetJson(testRoot('formats'))).domain('eu');
    const sheet = policy({ f: fpe({ scope: 'field', format }) });
    const read = parsePolicy({ trefoil: 1, domain: 'eu', fields: JSON.parse(JSON.stringify(sheet)).fields });
    for (const under of [keys, other, keyset.parse(keysetJson(ROOT)).domain('eu')])
      expect(read.bind(under).protect({ f: '12/no 345678' })).toEqual(sheet.bind(under).protect({ f: '12/no 345678' }));
  });
});
