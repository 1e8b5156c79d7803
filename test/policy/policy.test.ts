import { describe, expect, it } from 'vitest';
import { card, digits } from '../../src/format.ts';
import {
  coarsen,
  constant,
  drop,
  each,
  fpe,
  keep,
  mask,
  optional,
  policy,
  type Rule,
  seal,
  shiftDate,
  TrefoilError,
  token,
} from '../../src/index.ts';
import { joinWarnings } from '../../src/policy/joins.ts';
import { policyLeaves } from '../../src/policy/policy.ts';
import { explain } from '../../src/policy.ts';
import { emailAddress, trim } from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import { vault } from '../../src/vault.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { keys, otherDomain, otherKeyset, pinned } from '../rule/keys.ts';

const CARD = '4111 1111 1111 1111';
const id = token({ scope: 'person', label: 'cust' });
const name = seal({ scope: 'person.name' });
const pan = fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) });

describe('records', () => {
  const sheet = policy({
    id,
    name,
    pan,
    country: keep,
    notes: drop,
    source: constant({ value: 'web' }),
    phone: mask({ last: 3 }),
    born: coarsen({ date: 'year' }),
    address: { street: seal({ scope: 'street' }), city: keep, geo: { lat: coarsen({ number: 0.5 }), secret: drop } },
    items: each({ sku: keep, buyer: id, lines: each({ text: seal({ scope: 'line' }) }) }),
    tags: each(name),
    matrix: each(each(keep)),
  });
  const bound = sheet.bind(pinned, revealAccess);
  const row = {
    notes: 'called twice',
    id: 10017,
    name: 'Zoë Müller',
    pan: CARD,
    country: 'DE',
    source: null,
    phone: '+47 22 22 55 55',
    born: '1984-03-12',
    address: { city: 'Oslo', street: 'Main 1', geo: { secret: 1, lat: 59.9 } },
    items: [
      { sku: 'A1', buyer: 10017, lines: [{ text: 'x' }, { text: 'y' }] },
      { sku: 'B2', buyer: '10018', lines: [] },
    ],
    tags: ['a', '', 'b'],
    matrix: [[1, 2], [], [3]],
  } as const;
  const safe = bound.protect(row);

  it('every field gets its rule, however deep it lies', () => {
    const [token1, seal1] = [id.bind(keys), name.bind(keys)];
    expect(safe).toEqual({
      id: token1.protect(10017),
      name: seal1.protect('Zoë Müller'),
      pan: pan.bind(keys).protect(CARD),
      country: 'DE',
      source: 'web',
      phone: '*** 55',
      born: '1984',
      address: { city: 'Oslo', street: seal({ scope: 'street' }).bind(keys).protect('Main 1'), geo: { lat: 59.5 } },
      items: [
        {
          sku: 'A1',
          buyer: token1.protect(10017),
          lines: ['x', 'y'].map((text) => ({ text: seal({ scope: 'line' }).bind(keys).protect(text) })),
        },
        { sku: 'B2', buyer: token1.protect(10018), lines: [] },
      ],
      tags: [seal1.protect('a'), '', seal1.protect('b')],
      matrix: [[1, 2], [], [3]],
    });
  });

  it('keeps the order of the record’s keys', () => {
    expect(Object.keys(safe)).toEqual(Object.keys(row).filter((key) => key !== 'notes'));
    expect(Object.keys(safe.address)).toEqual(['city', 'street', 'geo']);
    expect(Object.keys(bound.reveal(safe))).toEqual(Object.keys(safe));
  });

  it('reveal gives back sealed and enciphered fields and leaves the others', () => {
    expect(bound.reveal(safe)).toEqual({
      ...safe,
      name: row.name,
      pan: row.pan,
      address: { ...safe.address, street: 'Main 1' },
      items: [
        { ...safe.items[0], lines: [{ text: 'x' }, { text: 'y' }] },
        { ...safe.items[1], lines: [] },
      ],
      tags: ['a', '', 'b'],
    });
  });

  it('takes frozen records and does not write to them', () => {
    const before = JSON.stringify(row);
    const frozen = deepFreeze(structuredClone(row));
    expect(bound.protect(frozen)).toEqual(safe);
    expect(bound.protectMany([frozen, frozen])).toEqual([safe, safe]);
    expect(JSON.stringify(row)).toBe(before);
    const out = bound.protect(row);
    expect(out.address).not.toBe(row.address);
    expect(out.matrix[0]).not.toBe(row.matrix[0]);
  });

  it('missing values pass at every level', () => {
    const empty = {
      ...row,
      id: null,
      name: undefined,
      pan: '',
      address: null,
      items: undefined,
      tags: [null, undefined],
      matrix: [null],
    };
    expect(bound.protect(empty)).toMatchObject({
      id: null,
      name: undefined,
      pan: '',
      address: null,
      items: undefined,
      tags: [null, undefined],
      matrix: [null],
    });
    const revealed = bound.reveal(bound.protect(empty));
    expect(revealed).toMatchObject({
      id: null,
      name: undefined,
      pan: '',
      address: null,
      items: undefined,
      tags: [null, undefined],
      matrix: [null],
    });
    expect(Object.hasOwn(bound.protect(empty), 'name')).toBe(true);
  });

  it('the output of one field does not depend on its neighbours', () => {
    expect(bound.protectMany([row, { ...row, id: 1 }, row])[2]).toEqual(safe);
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(Object.freeze(value))) deepFreeze(inner);
  return value;
}

describe('fields that should not be there, or should', () => {
  const sheet = policy({ a: keep, b: optional(name), c: { d: optional(keep) }, e: optional(drop) });
  const bound = sheet.bind(keys, revealAccess);
  const loose = policy({ a: keep, c: { d: keep } }, { unnamed: 'drop' }).bind(keys, revealAccess);

  it('an absent field is an error unless its rule is optional', () => {
    expect(thrown(() => bound.protect({ b: 'x' } as never)).issues).toMatchObject([
      { code: 'missing_field', field: 'a' },
    ]);
    expect(bound.protect({ a: 1 } as never)).toEqual({ a: 1 });
    expect(bound.protect({ a: 1, c: {} })).toEqual({ a: 1, c: {} });
    expect(bound.reveal({ a: 1, c: {} } as never)).toEqual({ a: 1, c: {} });
    expect(thrown(() => loose.protect({ a: 1 } as never)).issues).toMatchObject([
      { code: 'missing_field', field: 'c' },
    ]);
    expect(thrown(() => loose.protect({ a: 1, c: {} } as never)).issues).toMatchObject([
      { code: 'missing_field', field: 'c.d' },
    ]);
  });

  it('a field of a prototype is absent', () => {
    expect(codeOf(() => bound.protect(Object.create({ a: 1 })))).toBe('missing_field');
    expect(
      codeOf(() =>
        policy({ toString: keep })
          .bind(keys)
          .protect({} as never),
      ),
    ).toBe('missing_field');
    expect(
      policy({ toString: keep, constructor: keep, hasOwnProperty: keep } as never)
        .bind(keys)
        .protect({ toString: 1, constructor: 2, hasOwnProperty: 3 } as never),
    ).toEqual({
      toString: 1,
      constructor: 2,
      hasOwnProperty: 3,
    });
  });

  it('a field without a rule is an error, at every level, and no value is in the message', () => {
    const top = thrown(() => bound.protect({ a: 1, debug: 'MARKER' } as never));
    expect(top.issues).toMatchObject([{ code: 'unnamed_field', field: 'debug' }]);
    expect(top.message).not.toContain('MARKER');
    const inner = thrown(() => bound.protect({ a: 1, c: { x: 'MARKER', y: { MARKER: 2 } } } as never));
    expect(inner.issues).toMatchObject([
      { code: 'unnamed_field', field: 'c.x' },
      { code: 'unnamed_field', field: 'c.y' },
    ]);
    expect(inner.message).not.toContain('MARKER');
  });

  it('unnamed: drop leaves it out, at every level, both ways', () => {
    const row = { a: 1, x: 'secret', c: { d: 2, y: { z: 'secret' } } };
    expect(loose.protect(row as never)).toEqual({ a: 1, c: { d: 2 } });
    expect(loose.reveal(row as never)).toEqual({ a: 1, c: { d: 2 } });
  });

  it('__proto__ is a field without a rule, and never a prototype', () => {
    const row = JSON.parse('{"a":1,"__proto__":{"polluted":true}}');
    expect(codeOf(() => bound.protect(row))).toBe('unnamed_field');
    const out = loose.protect({ ...JSON.parse('{"c":{"d":1,"__proto__":{"polluted":true}}}'), a: 1 });
    expect(out).toEqual({ a: 1, c: { d: 1 } });
    expect(Object.getPrototypeOf(out.c)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(() => policy(JSON.parse('{"__proto__":{}}'))).toThrow(RangeError);
    expect(() => policy({ ['__proto__']: keep })).toThrow('the name __proto__ cannot be a field');
  });

  it('a dropped field that is there when revealing was not protected by this policy', () => {
    const dropping = policy({ a: keep, notes: drop });
    expect(codeOf(() => dropping.bind(keys, revealAccess).reveal({ a: 1, notes: 'called' } as never))).toBe(
      'unnamed_field',
    );
    expect(dropping.bind(keys, revealAccess).reveal({ a: 1 } as never)).toEqual({ a: 1 });
    const loosely = policy({ a: keep, notes: drop }, { unnamed: 'drop' });
    expect(loosely.bind(keys, revealAccess).reveal({ a: 1, notes: 'called' } as never)).toEqual({ a: 1 });
    expect(codeOf(() => dropping.bind(keys).protect({ a: 1 } as never))).toBe('missing_field');
  });

  it('nesting where a single value was promised, and the other way round', () => {
    const flat = policy({
      k: keep,
      s: seal({ scope: 's' }),
      t: token({ scope: 't' }),
      m: mask(),
      c: coarsen({ date: 'year' }),
    }).bind(keys);
    const good = { k: 1, s: 'x', t: 'y', m: 'z', c: '2024-01-01' };
    expect(() => flat.protect(good)).not.toThrow();
    for (const field of Object.keys(good)) {
      for (const value of [{}, [], { MARKER: 'MARKER' }, ['MARKER']]) {
        const error = thrown(() => flat.protect({ ...good, [field]: value } as never));
        expect(error.issues).toMatchObject([{ code: field === 'k' ? 'nested_value' : 'wrong_type', field }]);
        expect(error.message).not.toContain('MARKER');
      }
    }
    for (const value of ['MARKER', 5, true, [1], []]) {
      const error = thrown(() => bound.protect({ a: 1, c: value } as never));
      expect(error.issues).toMatchObject([{ code: 'wrong_type', field: 'c' }]);
      expect(error.message).not.toContain('MARKER');
    }
    const arrays = policy({ list: each({ x: keep }) }).bind(keys);
    for (const value of ['MARKER', 5, { x: 1 }]) {
      expect(thrown(() => arrays.protect({ list: value } as never)).issues).toMatchObject([
        { code: 'wrong_type', field: 'list' },
      ]);
    }
    expect(thrown(() => arrays.protect({ list: [{ x: 1 }, 5] } as never)).issues).toMatchObject([
      { code: 'wrong_type' },
    ]);
  });

  it.each([null, undefined, 'text', 5, [], [1]])('%j is no record', (row) => {
    expect(codeOf(() => bound.protect(row as never))).toBe('wrong_type');
    expect(codeOf(() => bound.reveal(row as never))).toBe('wrong_type');
    expect(thrown(() => bound.protectMany([{ a: 1 }, row] as never)).issues).toMatchObject([
      { code: 'wrong_type', row: 2 },
    ]);
  });
});

describe('many records', () => {
  const bound = policy({ id, card: fpe({ scope: 'c', format: digits() }), n: keep }).bind(pinned, revealAccess);
  const good = { id: 1, card: '123456', n: 1 };

  it('are the records one by one, and none is none', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ id: i, card: `${100_000 + i}`, n: null }));
    const safe = bound.protectMany(rows);
    expect(safe).toEqual(rows.map((row) => bound.protect(row)));
    expect(bound.revealMany(safe)).toEqual(safe.map((row) => bound.reveal(row)));
    expect(bound.protectMany([])).toEqual([]);
    expect(bound.revealMany([])).toEqual([]);
  });

  it('throw once, with the first 100 issues, their rows and fields, and the number of all', () => {
    const rows = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? good : { ...good, card: 'x' }));
    const error = thrown(() => bound.protectMany(rows));
    expect(error.issues).toHaveLength(100);
    expect(error.total).toBe(200);
    expect(
      error.issues.every(({ row, field, code }) => row! % 2 === 0 && field === 'card' && code === 'outside_format'),
    ).toBe(true);
    expect(error.message.split('\n')).toHaveLength(12);
    expect(error.message).toContain('… and 190 more');
  });

  it('with onReject leave the rows with an issue out and go on', () => {
    const issues: unknown[] = [];
    const rows = [good, { ...good, card: 'x' }, good, { ...good, n: {} as never }, good];
    const out = bound.protectMany(rows, { onReject: (issue) => issues.push(issue) });
    expect(out).toEqual([good, good, good].map((row) => bound.protect(row)));
    expect(issues).toMatchObject([
      { row: 2, field: 'card', code: 'outside_format' },
      { row: 4, field: 'n', code: 'nested_value' },
    ]);
    const back = bound.revealMany([...out, { ...out[0], card: 'x' }] as never, {
      onReject: (issue) => issues.push(issue),
    });
    expect(back).toHaveLength(3);
    expect(issues.at(-1)).toMatchObject({ row: 4, code: 'outside_format' });
  });

  it('what onReject throws goes up', () => {
    expect(() =>
      bound.protectMany([{ ...good, card: 'x' }], {
        onReject() {
          throw new Error('stop here');
        },
      }),
    ).toThrow('stop here');
  });

  it.each([null, undefined, {}, 'rows', new Set()])('%o are none', (rows) => {
    expect(() => bound.protectMany(rows as never)).toThrow(/^"rows" expected an array/);
    expect(() => bound.revealMany(rows as never)).toThrow(/^"rows" expected an array/);
  });

  it('options that do not fit are refused', () => {
    for (const options of [null, 5, { onreject: () => 1 }])
      expect(() => bound.protectMany([good], options as never)).toThrow(TypeError);
    for (const onReject of [5, 'x', {}, null]) {
      expect(() => bound.protectMany([{ ...good, card: 'x' }], { onReject } as never)).toThrow(/^"onReject" expected/);
      expect(() => bound.protectMany([good], { onReject } as never)).toThrow(/^"onReject" expected/);
    }
  });

  it('a sparse array has records that are none', () => {
    const rows = new Array(3) as never[];
    rows[0] = rows[2] = good as never;
    expect(thrown(() => bound.protectMany(rows)).issues).toMatchObject([{ row: 2, code: 'wrong_type' }]);
  });
});

describe('columns', () => {
  const sheet = policy({ id, user: { name }, 'odd.name': keep, notes: drop, maybe: optional(keep) });
  const bound = sheet.bind(keys);

  it('are protected by field path', () => {
    const out = bound.protectColumns({
      'odd\\.name': [1, 2],
      id: [7, 8],
      notes: ['x', {}],
      'user.name': ['Zoë', null],
    });
    expect(out).toEqual({
      'odd\\.name': [1, 2],
      id: id.bind(keys).protectMany([7, 8]),
      'user.name': name.bind(keys).protectMany(['Zoë', null]),
    });
    expect(Object.keys(out)).toEqual(['odd\\.name', 'id', 'user.name']);
  });

  const good = { id: [1], 'user.name': ['x'], 'odd\\.name': [1], notes: [1] };

  it('missing, unnamed and unequal ones are errors', () => {
    const { id: _, ...without } = good;
    expect(thrown(() => bound.protectColumns(without)).issues).toMatchObject([{ code: 'missing_field', field: 'id' }]);
    const unnamed = thrown(() => bound.protectColumns({ ...good, debug: ['MARKER'] }));
    expect(unnamed.issues).toMatchObject([{ code: 'unnamed_field', field: 'debug' }]);
    expect(unnamed.message).not.toContain('MARKER');
    expect(() => bound.protectColumns({ ...good, id: [1, 2] })).toThrow(RangeError);
    expect(() => bound.protectColumns({ ...good, id: 'x' as never })).toThrow(TypeError);
    for (const wrong of [null, undefined, 5, 'x'])
      expect(() => bound.protectColumns(wrong as never)).toThrow(/^"columns" expected/);
    expect(
      codeOf(() =>
        policy({ list: each(keep) })
          .bind(keys)
          .protectColumns({ 'list[]': [1] }),
      ),
    ).toBe('not_tabular');
    expect(
      policy({ id }, { unnamed: 'drop' })
        .bind(keys)
        .protectColumns({ id: [1], other: [2, 3] }),
    ).toEqual({ id: [id.bind(keys).protect(1)] });
  });

  it('issues have field and row, and all are counted', () => {
    const error = thrown(() =>
      bound.protectColumns({
        ...good,
        id: [1, '\ud800', 3],
        'user.name': [5, 'x', 6],
        'odd\\.name': [1, 2, 3],
        notes: [1, 2, 3],
      }),
    );
    expect(error.issues.map(({ field, row, code }) => [field, row, code])).toEqual([
      ['id', 2, 'lone_surrogate'],
      ['user.name', 1, 'wrong_type'],
      ['user.name', 3, 'wrong_type'],
    ]);
    const many = thrown(() =>
      policy({ a: name, b: name })
        .bind(keys)
        .protectColumns({ a: new Array(400).fill(1), b: new Array(400).fill(1) }),
    );
    expect(many.total).toBe(800);
    expect(many.issues).toHaveLength(100);
  });
});

describe('keys and capabilities', () => {
  const sheet = policy({ id, name }, { domain: 'eu' });

  it('keys of another domain are refused', () => {
    expect(codeOf(() => sheet.bind(otherDomain))).toBe('wrong_domain');
    expect(() => sheet.bind(keys)).not.toThrow();
    expect(() => policy({ id }).bind(otherDomain)).not.toThrow();
  });

  it('keys that are not the pinned ones are refused before the first record', () => {
    const pinnedSheet = policy({ id, name }, { domain: 'eu', keyCheck: keys.keyCheck });
    expect(() => pinnedSheet.bind(keys)).not.toThrow();
    expect(codeOf(() => pinnedSheet.bind(otherKeyset))).toBe('key_check_mismatch');
    const wrong = { [keys.keyId]: '0'.repeat(16) };
    expect(codeOf(() => policy({ id }, { keyCheck: wrong }).bind(keys))).toBe('key_check_mismatch');
  });

  it('revealing fpe fields needs a pinned key check, revealing others does not', () => {
    expect(codeOf(() => policy({ pan }).bind(keys, revealAccess))).toBe('key_check_required');
    expect(thrown(() => policy({ a: keep, deep: { pan } }).bind(keys, revealAccess)).issues[0]!.field).toBe('deep.pan');
    expect(() => policy({ pan }).bind(keys)).not.toThrow();
    const pinnedSheet = policy({ pan }, { keyCheck: keys.keyCheck }).bind(keys, revealAccess);
    expect(pinnedSheet.reveal(pinnedSheet.protect({ pan: CARD }))).toEqual({ pan: CARD });
    expect(() => policy({ pan }).bind(pinned, revealAccess)).not.toThrow();
    expect(() => policy({ name }).bind(keys, revealAccess)).not.toThrow();
  });

  it('there is no reveal without the capability', () => {
    const bound = sheet.bind(keys);
    expect(Object.keys(bound)).toEqual(['protect', 'protectMany', 'protectColumns']);
    expect(Object.keys(sheet.bind(keys, revealAccess))).toEqual([
      'protect',
      'protectMany',
      'protectColumns',
      'reveal',
      'revealMany',
    ]);
    for (const access of [null, true, {}, 'reveal'])
      expect(() => sheet.bind(keys, access as never)).toThrow(/^"revealAccess" expected/);
  });

  it('the wrong keyset on reveal: an error for every sealed field, and never another value', () => {
    const safe = sheet.bind(keys).protect({ id: 1, name: 'Zoë' });
    const error = thrown(() => sheet.bind(otherKeyset, revealAccess).revealMany([safe, safe]));
    expect(error.issues).toMatchObject([{ row: 1, field: 'name', code: 'unknown_key' }, { row: 2 }]);
  });

  it('a token as a value is an error, with its field', () => {
    const safe = sheet.bind(keys).protect({ id: 1, name: 'Zoë' });
    expect(thrown(() => sheet.bind(keys).protect(safe as never)).issues).toMatchObject([
      { field: 'id', code: 'already_token' },
    ]);
  });

  it('a policy does not change with the objects that it was made from', () => {
    const options: { domain: string; unnamed: 'error' | 'drop'; keyCheck: Record<string, string> } = {
      domain: 'eu',
      unnamed: 'error',
      keyCheck: { ...keys.keyCheck },
    };
    const fields: Record<string, typeof keep | typeof name> = { a: keep };
    const made = policy(fields, options);
    const before = JSON.stringify(made);
    options.domain = 'us';
    options.unnamed = 'drop';
    options.keyCheck = { zzzzz: 'x' };
    fields.b = name;
    expect(JSON.stringify(made)).toBe(before);
    expect(codeOf(() => made.bind(otherDomain))).toBe('wrong_domain');
    expect(codeOf(() => made.bind(keys).protect({ a: 1, b: 2 }))).toBe('unnamed_field');
    expect(() => made.bind(keys)).not.toThrow();
  });
});

describe('what is no policy', () => {
  it('two token rules of one scope with other prepare steps half-join', () => {
    const a = token({ scope: 'person.email', prepare: emailAddress });
    const b = token({ scope: 'person.email', prepare: [trim, emailAddress] });
    const error = thrown(() => policy({ a, deep: { b }, c: token({ scope: 'person.email' }) }));
    expect(error.issues).toMatchObject([
      { code: 'half_join', field: 'deep.b' },
      { code: 'half_join', field: 'c' },
    ]);
    expect(error.message).toContain('has the same scope as a but different prepare steps');
    expect(() => policy({ a, b: token({ scope: 'person.email', prepare: [emailAddress], label: 'x' }) })).not.toThrow();
    expect(() => policy({ a: token({ scope: 'x', prepare: [] }), b: token({ scope: 'x' }) })).not.toThrow();
    expect(() => policy({ a, b: seal({ scope: 'person.email' }) })).not.toThrow();
  });

  it('one label for two scopes, or for a token and a vault, is refused', () => {
    const label = 'cust';
    const id = token({ scope: 'person', label });
    const vaulted = (scope: string) => vault({ scope, store: 'main', label });
    for (const [other, why] of [
      [token({ scope: 'staff', label }), 'another scope'],
      [vaulted('staff'), 'another scope'],
      [vaulted('person'), 'is a vault and not a token'],
    ] as const) {
      const error = thrown(() => policy({ id, deep: { other } }));
      expect(error.issues).toMatchObject([{ code: 'half_join', field: 'deep.other' }]);
      expect(error.message).toContain(`has the same label as id but ${why}, so the two look alike`);
    }
    expect(() => policy({ id, other: token({ scope: 'person', label }), none: token({ scope: 'x' }) })).not.toThrow();
    expect(() => policy({ id, other: token({ scope: 'staff', label: 'staff' }) })).not.toThrow();
    expect(() => policy({ a: token({ scope: 'x' }), b: token({ scope: 'y' }) })).not.toThrow();
  });

  it('two rules of one scope that join in part are refused; what differs at the first look is told', () => {
    const scope = 'x';
    const vaulted = (more: object) => vault({ scope, store: 'main', ...more } as never);
    const refused: readonly (readonly [one: Rule, other: Rule, reason: string])[] = [
      [token({ scope }), token({ scope, prf: 'blake3' }), 'a different prf, so equal values never join'],
      [vaulted({}), vaulted({ store: 'other' }), 'a different store, so the same value has two tokens'],
      [vaulted({}), vaulted({ subject: 'a' }), 'a subject where the other has none, so the same value'],
      [
        shiftDate({ scope, subject: 'a', days: 9 }),
        shiftDate({ scope, subject: 'a', days: 8 }),
        'different days, so intervals between dates of the two are wrong',
      ],
    ];
    for (const [one, other, reason] of refused) {
      const error = thrown(() => policy({ a: keep, one, other }));
      expect(error.issues, reason).toMatchObject([{ code: 'half_join', field: 'other' }]);
      expect(error.message).toContain(`has the same scope as one but ${reason}`);
    }
    const told: typeof refused = [
      [
        token({ scope }),
        token({ scope, label: 'cust' }),
        'a different label, so equal values have tokens with different texts',
      ],
      [token({ scope }), token({ scope, form: 'hex' }), 'a different form, a different length, so equal values'],
      [
        token({ scope, label: 'a' }),
        token({ scope, label: 'a', length: 20, population: 1000 }),
        'a different length, so equal values have tokens',
      ],
      [
        fpe({ scope, format: digits() }),
        fpe({ scope, format: card() }),
        'a different format, so equal values never join',
      ],
      [vaulted({}), vaulted({ label: 'x' }), 'a different label, so equal values have tokens'],
    ];
    for (const [one, other, reason] of told) {
      const sheet = policy({ a: keep, one, other }, { domain: 'eu' });
      const [warning, ...more] = joinWarnings(policyLeaves(sheet));
      expect([warning?.field, more], reason).toEqual(['other', []]);
      expect(warning?.message).toContain(`has the same scope as one but ${reason}`);
      expect(explain(sheet as never)).toContain('`one` and `other`: the scope `x` is the same, but they do not join');
    }
    const same: readonly (readonly [one: Rule, other: Rule])[] = [
      [token({ scope, length: 26 }), token({ scope, form: 'labelled' })],
      [token({ scope, prepare: [] }), token({ scope, onToken: 'pass', why: 'x' })],
      [fpe({ scope, format: digits({ length: 9 }) }), fpe({ scope, format: digits({ min: 7 }) })],
      [seal({ scope }), seal({ scope, value: 'integer' })],
      [vaulted({ ttl: 3 }), vaulted({ onErased: 'new' })],
      [token({ scope }), seal({ scope })],
    ];
    for (const [one, other] of same) {
      expect(joinWarnings(policyLeaves(policy({ a: keep, one, other })))).toEqual([]);
    }
  });

  it('spaces that are too small are refused when bound, all at once', () => {
    const sheet = policy({
      a: fpe({ scope: 'a', format: digits({ length: 3 }) }),
      b: { c: fpe({ scope: 'c', format: digits({ length: 2 }) }) },
      d: fpe({ scope: 'd', format: digits({ length: 4 }) }),
      e: fpe({ scope: 'e', format: digits({ length: 1 }), allowCodebook: 'a shelf of ten' }),
    });
    expect(thrown(() => sheet.bind(keys)).issues).toMatchObject([
      { code: 'space_too_small', field: 'a', minimum: 10_000, actual: 1000 },
      { code: 'space_too_small', field: 'b.c', minimum: 10_000, actual: 100 },
    ]);
  });

  it.each([undefined, null, 'x', 5, [], keep, () => 1])('fields: %o', (fields) => {
    expect(() => policy(fields as never)).toThrow(/^"fields" expected an object of rules/);
  });

  it.each([
    [{}, RangeError],
    [{ a: {} }, RangeError],
    [{ '': { a: keep } }, RangeError],
    [{ '': each(keep) }, RangeError],
    [{ '*': keep }, RangeError],
    [{ 'scores.*': keep }, RangeError],
    [{ scores: { '*': keep } }, RangeError],
    [{ items: each({ '*': keep }) }, RangeError],
    [{ 'a\ud800': keep }, RangeError],
    [{ a: { '': keep } }, RangeError],
    [{ a: 'keep' }, TypeError],
    [{ a: { rule: 'keep' } }, TypeError],
    [{ a: null }, TypeError],
    [{ a: [keep] }, TypeError],
    [{ a: undefined }, TypeError],
    [{ a: token }, TypeError],
    [{ a: each('x' as never) }, TypeError],
    [{ a: each({}) }, RangeError],
  ])('fields %#', (fields, kind) => {
    expect(() => policy(fields as never)).toThrow(kind);
  });

  it('nests 32 levels and not more, and a cycle is no policy', () => {
    const nest = (levels: number) => Array.from({ length: levels }).reduce<object>((inner) => ({ a: inner }), keep);
    expect(() => policy(nest(32) as never)).not.toThrow();
    expect(() => policy(nest(33) as never)).toThrow(RangeError);
    const cycle: Record<string, unknown> = {};
    cycle.a = cycle;
    expect(() => policy(cycle as never)).toThrow(RangeError);
  });

  it.each([
    { domain: 'EU' },
    { domain: '' },
    { unnamed: 'keep' },
    { keyCheck: { x: 'y' } },
    { keyCheck: { aaaaa: 'short' } },
  ])('options %j', (options) => {
    expect(() => policy({ a: keep }, options as never)).toThrow(RangeError);
  });

  it.each([{ domain: 5 }, { keyCheck: [] }, { keyCheck: 'x' }, { why: 'x' }, null, 'x'])('options %j', (options) => {
    expect(() => policy({ a: keep }, options as never)).toThrow(TypeError);
  });

  it('each refuses nothing by itself and is judged in a policy', () => {
    expect(Object.isFrozen(each(keep))).toBe(true);
    expect(() => policy({ a: each(undefined as never) })).toThrow();
  });
});

describe('frozen', () => {
  it('policies and bound policies, with all that is in them', () => {
    const sheet = policy(
      { a: token({ scope: 'a', prepare: [trim] }), b: { c: keep } },
      { domain: 'eu', keyCheck: keys.keyCheck },
    );
    const bound = sheet.bind(keys, revealAccess);
    for (const value of [sheet, sheet.fields, sheet.keyCheck, bound, ...Object.values(sheet.fields)])
      expect(Object.isFrozen(value)).toBe(true);
    expect(Object.keys(sheet)).toEqual(['trefoil', 'domain', 'keyCheck', 'fields']);
    expect(Object.keys(sheet.fields)).toEqual(['a', 'b.c']);
  });

  it('errors are of one class, with frozen issues', () => {
    const error = thrown(() =>
      policy({ a: name })
        .bind(keys)
        .protect({ a: 5 } as never),
    );
    expect(error).toBeInstanceOf(TrefoilError);
    expect(error.kind).toBe('data');
    expect(Object.isFrozen(error.issues)).toBe(true);
  });
});

it('refuses to drop the elements of an array', () => {
  expect(() => policy({ tags: each(drop) })).toThrow(/drop the array itself/);
});
