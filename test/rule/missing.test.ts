import { describe, expect, it } from 'vitest';
import { digits, text } from '../../src/format.ts';
import { coarsen, constant, drop, fpe, keep, mark, mask, policy, seal, shiftDate, token } from '../../src/index.ts';
import { parsePolicy } from '../../src/policy.ts';
import { trim } from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import { isMissing, missingTexts } from '../../src/rule/missing.ts';
import { memoryStore, vault } from '../../src/vault.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { keys, pinned } from './keys.ts';

describe('isMissing', () => {
  it.each([
    ['', [''], true],
    ['', [], false],
    ['', ['-'], false],
    ['-', ['-'], true],
    ['- ', ['-'], false],
    ['NA', ['', 'NA'], true],
    ['na', ['', 'NA'], false],
    ['NAB', ['', 'NA'], false],
    ['é', ['e\u0301'], false],
    [0, ['0'], false],
    [false, ['false'], false],
    [null, [], true],
    [undefined, [], true],
    [[], [''], false],
  ])('%j with %j: %j', (value, list, expected) => {
    expect(isMissing(value, missingTexts(list))).toBe(expected);
  });
});

describe('the list of a policy', () => {
  const rules = {
    id: token({ scope: 'person' }),
    name: seal({ scope: 'name' }),
    pan: fpe({ scope: 'pan', format: digits({ length: 8 }) }),
    born: coarsen({ date: 'year' }),
    seen: shiftDate({ scope: 'seen', subject: 'id', days: 9 }),
    phone: mask({ last: 2 }),
    said: constant({ value: 'x' }),
    kept: keep,
    gone: drop,
  };
  const sheet = policy(rules, { domain: 'eu', missing: ['', 'n/a'] });
  const bound = sheet.bind(pinned, revealAccess);
  const all = (value: string) => Object.fromEntries(Object.keys(rules).map((name) => [name, value])) as never;

  it('passes in every rule, in both directions; constant writes and drop drops', () => {
    for (const value of ['n/a', '']) {
      const { gone: _, ...rest } = all(value) as Record<string, string>;
      expect(bound.protect(all(value))).toEqual({ ...rest, said: 'x' });
      expect(bound.reveal({ ...rest, said: 'x' } as never)).toEqual({ ...rest, said: 'x' });
      expect(bound.protectMany([all(value), all(value)])).toEqual(new Array(2).fill({ ...rest, said: 'x' }));
    }
  });

  it('is in the file, and a field has its own in place of it', () => {
    const made = policy(
      { a: token({ scope: 's', missing: ['none'] }), b: token({ scope: 's' }), c: mark(mask(), { missing: [] }) },
      { domain: 'eu', missing: ['n/a'] },
    );
    expect(JSON.parse(JSON.stringify(made))).toEqual({
      trefoil: 1,
      domain: 'eu',
      missing: ['n/a'],
      fields: {
        a: { rule: 'token', scope: 's', missing: ['none'] },
        b: { rule: 'token', scope: 's' },
        c: { rule: 'mask', missing: [] },
      },
    });
    for (const one of [made, parsePolicy(JSON.parse(JSON.stringify(made)))]) {
      const { a, b, c } = one.bind(keys).protect({ a: 'none', b: 'n/a', c: '' } as never) as Record<string, string>;
      expect([a, b, c]).toEqual(['none', 'n/a', '***']);
      const other = one.bind(keys).protect({ a: 'n/a', b: 'none', c: 'n/a' } as never) as Record<string, string>;
      expect(Object.values(other).some((value) => value === 'none' || value === 'n/a')).toBe(false);
      // The list enters no key.
      expect(other.b).toBe(token({ scope: 's' }).bind(keys).protect('none'));
    }
  });

  it('protects the empty text if the list does not have it, also one that is empty once prepared', () => {
    const strict = token({ scope: 's', prepare: trim, missing: ['-'] }).bind(keys);
    expect(strict.protect(' ')).toBe(strict.protect(''));
    expect(strict.protect('')).not.toBe('');
    expect(strict.protect('-')).toBe('-');
    // Compared before the steps, and a text that they make is not missing.
    expect(strict.protect(' -')).not.toBe('-');
  });

  it('a number is never missing', () => {
    const one = token({ scope: 's', missing: ['0'] }).bind(keys);
    expect(one.protect('0')).toBe('0');
    expect(one.protect(0)).toBe(token({ scope: 's' }).bind(keys).protect('0'));
    expect(
      policy({ n: coarsen({ number: 10, missing: ['0'] }) })
        .bind(keys)
        .protectMany([{ n: 0 }, { n: '0' }]),
    ).toEqual([{ n: 0 }, { n: '0' }]);
  });

  it('of an integer cell', () => {
    const one = seal({ scope: 's', value: 'integer', missing: ['999'] }).bind(keys, revealAccess);
    expect(one.protect(999)).toHaveLength(85);
    expect(one.reveal('999' as never)).toBe('999');
  });
});

describe('a subject that is missing', () => {
  const visit = shiftDate({ scope: 'seen', subject: 'id', days: 9 });
  const subjectOf = (list: readonly string[] | undefined, own: readonly string[] | undefined) =>
    policy(
      { id: own === undefined ? token({ scope: 's' }) : token({ scope: 's', missing: own }), seen: visit },
      list === undefined ? {} : { missing: list },
    ).bind(keys);

  it.each([
    [undefined, undefined, ['']],
    [['n/a'], undefined, ['', 'n/a']],
    [['n/a'], ['none'], ['', 'none']],
    [['n/a'], [], ['']],
  ])('policy %j, field %j: %j', (list, own, missing) => {
    const bound = subjectOf(list, own);
    for (const id of ['', 'n/a', 'none']) {
      const protect = () => bound.protect({ id, seen: '2024-02-28' });
      if (missing.includes(id)) expect(codeOf(protect)).toBe('missing_subject');
      else expect(protect().seen).toMatch(/^2024-0[23]-\d\d$/);
    }
  });

  it('has no vault entry either, and a missing value needs none', async () => {
    const people = policy(
      { id: drop, name: vault({ scope: 'n', store: 'm', subject: 'id' }) },
      { missing: ['', 'n/a'] },
    );
    const open = await people.open(keys, { m: memoryStore() }, revealAccess);
    expect(await open.protect({ id: 'n/a', name: 'n/a' })).toEqual({ name: 'n/a' });
    expect(await open.reveal({ name: 'n/a' } as never)).toEqual({ name: 'n/a' });
    await expect(open.protect({ id: 'n/a', name: 'Ada' })).rejects.toMatchObject({ code: 'missing_subject' });
  });

  it('alone: by the list of the rule itself', async () => {
    const alone = shiftDate({ scope: 'seen', subject: 'id', days: 9, missing: ['-'] }).bind(keys);
    expect(alone.protect('-', { subject: '-' })).toBe('-');
    expect(codeOf(() => alone.protect('2024-02-28', { subject: '-' }))).toBe('missing_subject');
    expect(codeOf(() => alone.protect('2024-02-28', { subject: '' }))).toBe('missing_subject');
  });
});

describe('a missing text that is a value of a format', () => {
  const word = fpe({ scope: 'w', format: text('abcdefghijklmnopqrstuvwxyz', { min: 4, max: 9 }) });
  it('is refused, in a rule and in a policy, without the text', () => {
    expect(() => fpe({ scope: 'w', format: word.format, missing: ['', 'none'] })).toThrow(
      new RangeError(
        '"missing" expected texts that are no value of the format, and item 2 is one; leave it out of the list',
      ),
    );
    const error = thrown(() => policy({ w: word }, { missing: ['', 'none'] }));
    expect(error.issues).toEqual([
      {
        code: 'wrong_option',
        message:
          'item 2 of missing is a value of the format, so an output could be the same text; give the field its own list',
        field: 'w',
      },
    ]);
    expect(() => policy({ w: mark(word, { role: 'other' }) }, { missing: ['', 'n/a'] })).not.toThrow();
  });
});

describe('mark', () => {
  it('sets options in the order of a constructor, keeps the others, and checks them', () => {
    const shelf = mark(mark(keep, { why: 'w', role: 'other' }), { optional: true });
    expect(JSON.stringify(shelf)).toBe('{"rule":"keep","optional":true,"why":"w","role":"other"}');
    expect(Object.isFrozen(shelf)).toBe(true);
    expect(JSON.stringify(mark(keep, {}))).toBe('{"rule":"keep"}');
    const id = mark(token({ scope: 's' }), { role: 'quasi' });
    expect(id.bind(keys).protect('v')).toBe(token({ scope: 's' }).bind(keys).protect('v'));
    for (const options of [
      { role: 'key' },
      { missing: 'NA' },
      { missing: [1] },
      { also: 1 },
      { missing: ['a', 'a'] },
    ]) {
      expect(() => mark(keep, options as never)).toThrow(/^"(role|missing|options)" /);
    }
    expect(() => mark(token({ scope: 's' }), { missing: [] })).toThrow('pass it where the rule is made, to token');
    expect(() => mark('keep' as never, {})).toThrow(TypeError);
  });
});
