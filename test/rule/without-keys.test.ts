import { describe, expect, it } from 'vitest';
import { constant, drop, keep, mask, optional, policy, seal, token } from '../../src/index.ts';
import { runColumn } from '../../src/rule/columns.ts';
import { ownLists } from '../../src/rule/missing.ts';
import type { Rule } from '../../src/rule/rule.ts';
import { ruleEngine } from '../../src/rule/rule.ts';
import { codeOf } from '../helpers/errors.ts';
import { keys } from './keys.ts';

/** A rule without keys over a column, and over one value. */
const many = (rule: Rule, column: readonly unknown[]) =>
  runColumn(ruleEngine(rule)!.bind(null, false, ownLists({})).protect, column);
const one = (rule: Rule, value: unknown) => many(rule, [value])[0];

describe('keep', () => {
  it('leaves single values as they are; a date is copied without what else hangs on it', () => {
    const date = new Date(0);
    const values = ['', 'text', 0, -0, Number.NaN, 1.5, 10n, true, false, null, undefined, date, '\ufffd'];
    const out = many(keep, values);
    expect(out).toEqual(values);
    expect(out.at(-2)).not.toBe(date);
    expect(Object.keys(many(keep, [Object.assign(new Date(0), { name: 'Ada' })])[0] as object)).toEqual([]);
  });

  it('refuses half of a surrogate pair, as every rule does', () => {
    expect(codeOf(() => many(keep, ['a\ud800']))).toBe('lone_surrogate');
    expect(() => constant({ value: '\ud800' })).toThrow(RangeError);
  });

  it('refuses what has parts: a field inside would pass without a rule', () => {
    for (const value of [
      {},
      [],
      { a: 1 },
      new Map(),
      new Uint8Array(1),
      Object.create(null),
      /x/,
      new Error('x'),
      Object('x'),
    ]) {
      expect(codeOf(() => one(keep, value))).toBe('nested_value');
    }
    for (const value of [() => 1, Symbol('s')]) expect(codeOf(() => one(keep, value))).toBe('wrong_type');
  });
});

describe('drop', () => {
  it('looks at nothing', () => {
    const hostile = Object.defineProperty({}, 'x', { get: () => expect.fail('looked'), enumerable: true });
    expect(policy({ a: keep, notes: drop }).bind(keys).protect({ a: 1, notes: hostile })).toEqual({ a: 1 });
  });
});

describe('constant', () => {
  it('replaces all there is, null and the empty text too', () => {
    for (const value of ['web', '', 0, 7.5, true, false, null]) {
      expect(many(constant({ value }), ['x', '', null, undefined, {}, []])).toEqual(new Array(6).fill(value));
    }
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, {}, [], 1n, Symbol('s'), () => 1])(
    '%o is no value',
    (value) => {
      expect(() => constant({ value } as never)).toThrow(TypeError);
    },
  );

  it('is frozen plain data', () => {
    expect(JSON.stringify(constant({ value: null, why: 'x' }))).toBe('{"rule":"constant","value":null,"why":"x"}');
    expect(Object.isFrozen(constant({ value: 1 }))).toBe(true);
  });
});

describe('mask', () => {
  it.each([
    [{}, 'anything', '***'],
    [{ last: 3 }, '+47 22 22 55 55', '*** 55'],
    [{ first: 2 }, 'abcdef', 'ab***'],
    [{ first: 2, last: 2 }, 'abcdef', 'ab***ef'],
    [{ first: 2, last: 2 }, 'abcde', 'ab***de'],
    [{ first: 2, last: 2 }, 'abcd', '***'],
    [{ first: 2, last: 2 }, 'a', '***'],
    [{ last: 3, with: '#' }, '123456', '###456'],
    [{ first: 1, with: '\u{1f600}' }, 'Zoë', 'Z\u{1f600}\u{1f600}\u{1f600}'],
    [{ first: 1, last: 1 }, '\u{1f600}abc\u{10400}', '\u{1f600}***\u{10400}'],
    [{ first: 64, last: 64 }, 'x'.repeat(128), '***'],
    [{ first: 64, last: 64 }, 'x'.repeat(129), `${'x'.repeat(64)}***${'x'.repeat(64)}`],
  ])('%j of %j is %j', (options, value, expected) => {
    expect(one(mask(options), value)).toBe(expected);
  });

  it('the length of what is hidden does not show', () => {
    expect(new Set([1, 2, 3, 10, 1000].map((length) => one(mask(), 'x'.repeat(length)))).size).toBe(1);
    expect(one(mask({ first: 1, last: 1 }), 'abc')).toBe(one(mask({ first: 1, last: 1 }), 'axxxxxxxxxxc'));
  });

  it('missing values pass', () => {
    expect(many(mask(), [null, undefined, ''])).toEqual([null, undefined, '']);
  });

  it('takes well-formed text', () => {
    for (const value of [5, true, {}, []]) expect(codeOf(() => one(mask(), value))).toBe('wrong_type');
    expect(codeOf(() => one(mask(), 'a\ud800'))).toBe('lone_surrogate');
  });

  it.each([
    { first: -1 },
    { last: 65 },
    { first: 0.5 },
    { with: '' },
    { with: '**' },
    { with: '\ud800' },
    { with: 'e\u0301' },
  ])('%j is refused', (options) => {
    expect(() => mask(options)).toThrow(RangeError);
  });

  it('is frozen plain data', () => {
    const rule = mask({ first: 1, last: 0, with: '#', optional: true });
    expect({ ...rule }).toEqual({ rule: 'mask', first: 1, last: 0, with: '#', optional: true });
    expect({ ...mask() }).toEqual({ rule: 'mask' });
    expect(Object.isFrozen(rule)).toBe(true);
    // `null` counts as the default. The data has the default then, which a policy file can have, too.
    const nulls = mask({ first: null, last: null, with: null } as never);
    expect({ ...nulls }).toEqual({ rule: 'mask', first: 0, last: 0, with: '*' });
  });
});

describe('optional', () => {
  it('gives the same rule for a field that may be absent, and leaves the first as it was', () => {
    const maybe = optional(keep);
    expect({ ...maybe }).toEqual({ rule: 'keep', optional: true });
    expect({ ...keep }).toEqual({ rule: 'keep' });
    expect(Object.isFrozen(maybe)).toBe(true);
    expect(
      policy({ a: maybe, b: optional(drop) })
        .bind(keys)
        .protect({}),
    ).toEqual({});
  });

  it('can be bound like the first', () => {
    const rule = token({ scope: 'a', label: 'x' });
    expect(optional(rule).bind(keys).protect('v')).toBe(rule.bind(keys).protect('v'));
    expect(JSON.stringify(optional(seal({ scope: 'a' })))).toBe('{"rule":"seal","scope":"a","optional":true}');
    expect(Object.keys(optional(rule))).toEqual(['rule', 'scope', 'label', 'optional']);
    expect({ ...optional(optional(rule)) }).toEqual({ ...optional(rule) });
  });

  it.each([undefined, null, {}, 'keep', { rule: 'keep' }, keep.rule])('%o is no rule', (value) => {
    expect(() => optional(value as never)).toThrow(/^"rule" expected a rule/);
  });
});
