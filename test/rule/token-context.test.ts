/** `per` and `after` of `token`: other fields that are hashed with the value, and a part that stays in clear. */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { protectCsv } from '../../src/csv.ts';
import { drop, keep, keyset, mark, policy, token } from '../../src/index.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { check, explain, narrow, parsePolicy } from '../../src/policy.ts';
import { trim } from '../../src/prepare.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { base32, child, keysetJson, list, ruleNode } from '../reference/tree.ts';
import { DOMAIN, keys, otherDomain, ROOT } from './keys.ts';

const account = token({ scope: 'account', form: 'bare', per: 'tenant' }).bind(keys);
const plain = token({ scope: 'account', form: 'bare' }).bind(keys);
async function read(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

const wellFormed = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });

/** The steps of token-v1 on node:crypto. */
function reference(names: readonly string[], contexts: readonly string[], value: string): string {
  const key = ruleNode(ROOT, DOMAIN, 'token', 'account', 'hmac-sha256', list(), list('per', ...names));
  return base32(
    createHmac('sha256', key)
      .update(list(...contexts, value))
      .digest(),
    128,
  );
}

describe('per', () => {
  it('property: is the construction of the specification', () => {
    const run = fc.array(fc.tuple(wellFormed, wellFormed), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(wellFormed, run, fc.boolean(), (value, pairs, one) => {
        const names = pairs.map(([name], i) => `${name}${i}`);
        const contexts = pairs.map(([, context]) => context);
        const fields = names.map((name, i) => ({ field: `f${i}`, name }));
        const rule = token({ scope: 'account', form: 'bare', per: fields }).bind(keys);
        const made = one
          ? rule.protect(value, { per: contexts })
          : rule.protectMany([value], { per: contexts.map((context) => [context]) })[0];
        expect(made).toBe(reference(names, contexts, value));
      }),
      { numRuns: 200 },
    );
  });

  it('tells contexts, names and the absence of both apart', () => {
    const made = [
      account.protect('7', { per: 'a' }),
      account.protect('7', { per: 'b' }),
      account.protect('a', { per: '7' }),
      plain.protect('7'),
      token({ scope: 'account', form: 'bare', per: 'org' }).bind(keys).protect('7', { per: 'a' }),
      token({ scope: 'account', form: 'bare', per: ['tenant', 'org'] })
        .bind(keys)
        .protect('7', { per: ['a', 'a'] }),
      token({ scope: 'account', form: 'bare', per: 'tenant' }).bind(otherDomain).protect('7', { per: 'a' }),
    ];
    expect(new Set(made).size).toBe(made.length);
    expect(made[0]).toBe(reference(['tenant'], ['a'], '7'));
  });

  it('the name is the last part of the path, or the one that is set', () => {
    const of = (per: string | { field: string; name: string }) =>
      token({ scope: 'account', form: 'bare', per }).bind(keys).protect('7', { per: 'a' });
    const due = reference(['tenant'], ['a'], '7');
    expect([of('tenant'), of('order.tenant'), of({ field: 'x.y', name: 'tenant' })]).toEqual([due, due, due]);
    expect(of('order\\.tenant')).toBe(reference(['order.tenant'], ['a'], '7'));
    expect(of('a\\\\.b')).toBe(reference(['b'], ['a'], '7'));
  });

  it('columns: contexts that follow each other and contexts that change, missing values and long messages', () => {
    const values = ['1', '2', null, 'x'.repeat(700), '', '1', undefined, 7];
    const contexts = ['a', 'a', 'b', 'b', null, 'a', undefined, 8n];
    const made = account.protectMany(values, { per: contexts });
    expect(made).toEqual([
      reference(['tenant'], ['a'], '1'),
      reference(['tenant'], ['a'], '2'),
      null,
      reference(['tenant'], ['b'], 'x'.repeat(700)),
      '',
      reference(['tenant'], ['a'], '1'),
      undefined,
      reference(['tenant'], ['8'], '7'),
    ]);
    // Many equal texts, which a rule without contexts would work on once.
    const many = Array.from({ length: 3000 }, (_, i) => `${i % 5}`);
    const tenants = many.map((_, i) => i % 7);
    expect(account.protectMany(many, { per: new Int32Array(tenants) })).toEqual(
      many.map((value, i) => account.protect(value, { per: tenants[i] })),
    );
  });

  it('works with blake3, with steps and with matches', () => {
    const rule = token({ scope: 'account', per: ['a', 'b'], prepare: trim, prf: 'blake3', label: 'acc' }).bind(keys);
    const made = rule.protect(' 7 ', { per: ['x', 1] });
    expect(
      rule.protectMany(['7', '7'], {
        per: [
          ['x', 'x'],
          [1, 2],
        ],
      })[0],
    ).toBe(made);
    expect(rule.matches('7', made, { per: ['x', '1'] })).toBe(true);
    expect(rule.matches('7', made, { per: ['x', '2'] })).toBe(false);
    expect(codeOf(() => rule.matches('7', made, { per: ['x', null] }))).toBe('missing_context');
  });

  it('a missing or empty context is an issue that names the field and no value', () => {
    for (const context of [null, undefined, '']) {
      expect(codeOf(() => account.protect('7', { per: context }))).toBe('missing_context');
    }
    const error = thrown(() => account.protectMany(['7', '8', '9'], { per: ['a', '', 'a'] }));
    expect(error.issues).toEqual([
      {
        code: 'missing_context',
        row: 2,
        message: expect.stringMatching(/^the context, field tenant, is missing or empty/),
      },
    ]);
    const codes = [1.5, true, {}, '\ud800'].map((context) =>
      codeOf(() => account.protect('7', { per: context as string })),
    );
    expect(codes).toEqual(['unsafe_integer', 'wrong_type', 'wrong_type', 'lone_surrogate']);
    expect(codeOf(() => account.protect('\ud800', { per: 'a' }))).toBe('lone_surrogate');
    // The writer keeps nothing of a row that failed.
    expect(account.protectMany(['7'], { per: ['a'] })).toEqual([reference(['tenant'], ['a'], '7')]);
  });

  it.each([
    [[], /list of 1 to 8 fields$/],
    [Array.from({ length: 9 }, (_, i) => `f${i}`), /list of 1 to 8 fields$/],
    [['a.id', 'b.id'], /two fields of one name; give one of them another: \{ field: PATH, name: NAME \}$/],
    [['a', 'a'], /^"per" has one field twice$/],
    [['tenant', { year: 'seen' }], /^"per" has a period in a list; a period stands alone: \{ month: PATH \}$/],
    [{ month: 'seen', year: 'seen' }, /^"per" has two periods; expected one of day, week, month, quarter, year$/],
    [{ month: 'items[].seen' }, /^"per" expected a path without arrays: the date is one value$/],
    [{ month: 'seen', as: 'x' }, /^"per" has an option that is not one of month, name$/],
    [{ field: 'a', name: '' }, /^"per" expected a name of at least one character/],
    [{ field: 'a', as: 'b' }, /^"per" has an option that is not one of field, name$/],
    [{ name: 'a' }, /^"per" expected the path of a field, got undefined$/],
    ['', /^"per" expected the path of a field, got the empty text$/],
    ['items[].id', /^"per" expected a path without arrays: a context is one value$/],
    [7, /^"per" expected the path of a field, a list of paths, or \{ field, name \}, got number$/],
    [null, /got null$/],
  ])('per: %j is refused', (per, message) => {
    expect(() => token({ scope: 'a', per: per as never })).toThrow(message);
  });

  it('arguments that do not fit the rule are refused', () => {
    const two = token({ scope: 'a', per: ['a', 'b'] }).bind(keys);
    expect(() => account.protect('7', undefined as never)).toThrow(/^"options" expected an object, got undefined$/);
    expect(() => two.protect('7', { per: 'a' } as never)).toThrow(/^"per" expected a list of contexts, got string$/);
    expect(() => two.protect('7', { per: ['a'] } as never)).toThrow(
      /^"per" expected 2 contexts, as the rule has fields$/,
    );
    expect(() => account.protectMany(['7'], { per: ['a', 'b'] })).toThrow(/^"per" expected as many contexts as there/);
    expect(() => account.protectMany(['7'], { per: 'a' as never })).toThrow(/^"per" expected an array of contexts/);
  });
});

describe('a policy with per', () => {
  const sheet = policy(
    { id: token({ scope: 'account', form: 'bare', per: 'order.tenant' }), order: { tenant: drop } },
    { domain: 'eu' },
  );
  const bound = sheet.bind(keys);

  it('reads the context before its own rule, for one record and for many', async () => {
    const due = reference(['tenant'], ['acme'], '7');
    expect(bound.protect({ id: 7, order: { tenant: 'acme' } })).toEqual({ id: due, order: {} });
    expect(bound.protectMany([{ id: '7', order: { tenant: 'acme' } }])).toEqual([{ id: due, order: {} }]);
    expect(bound.protectColumns({ id: ['7'], 'order.tenant': ['acme'] })).toEqual({ id: [due] });
    expect(await read(protectCsv(['id,order.tenant\n7,acme\n'], bound))).toBe(`id\n${due}\n`);
    expect(await read(protectNdjson(['{"id":7,"order":{"tenant":"acme"}}\n'], bound))).toBe(
      `{"id":"${due}","order":{}}\n`,
    );
  });

  it('is the same from a file', () => {
    const written = JSON.stringify(sheet);
    expect(JSON.parse(written).fields.id).toEqual({
      rule: 'token',
      scope: 'account',
      per: 'order.tenant',
      form: 'bare',
    });
    expect(JSON.stringify(parsePolicy(JSON.parse(written)))).toBe(written);
    const per = [{ field: 't', name: 'tenant' }, 'y'];
    const fields = { id: { rule: 'token', scope: 's', per }, t: 'drop', y: 'keep' };
    expect(parsePolicy({ trefoil: 1, domain: 'eu', fields }).fields.id).toEqual({ rule: 'token', scope: 's', per });
  });

  it('a period in a list is refused, and so is a field that is not there', () => {
    const issueOf = (per: unknown) => {
      const fields = { id: { rule: 'token', scope: 's', per }, t: 'drop' };
      return check({ trefoil: 1, domain: 'eu', fields }).map(({ code, field, message }) => [code, field, message])[0];
    };
    const period = ['wrong_option', 'fields.id.per', expect.stringMatching(/^"per" has a period/)];
    expect(issueOf([{ month: 't' }])).toEqual(period);
    const lost = 'a field of per is not a field of this policy; write its path from the top of the record';
    expect(issueOf('tenant')).toEqual(['wrong_option', expect.any(String), expect.stringContaining(lost)]);
    expect(issueOf('id')![2]).toBe('a field of per is the field itself; name another field of the record');
    expect(issueOf(['t', 7])![0]).toBe('must_be_text');
    expect(issueOf(7)![0]).toBe('must_be_text');
  });

  it('fields of one scope need the same names, and explain uses the words of the EDPB', () => {
    const half = () => policy({ a: token({ scope: 's', per: 't' }), b: token({ scope: 's' }), t: drop });
    expect(codeOf(half)).toBe('half_join');
    expect(thrown(half).message).toMatch(/different contexts \(per\), so equal values never join/);
    const page = explain(policy({ a: token({ scope: 's', per: 't' }), b: token({ scope: 's', per: ['t'] }), t: keep }));
    expect(page).toContain('a relationship or transaction pseudonym (EDPB Guidelines 01/2025, paragraphs 117 to 121)');
    expect(page).toContain('`a`, `b`: join with each other');
    expect(page).toContain(', and the values of `t` are the same');
  });
});

describe('after', () => {
  const reference_ = token({ scope: 'patient', after: 'Patient/' }).bind(keys);
  const patient = token({ scope: 'patient' }).bind(keys);

  it('the token is that of what follows', () => {
    const values = ['Patient/7', null, 'Patient/', '', undefined, 'Patient/Zoë'];
    const due = [
      `Patient/${patient.protect('7')}`,
      null,
      'Patient/',
      '',
      undefined,
      `Patient/${patient.protect('Zoë')}`,
    ];
    expect(values.map((value) => reference_.protect(value))).toEqual(due);
    expect(reference_.protectMany(values)).toEqual(due);
    expect(reference_.matches('Patient/7', due[0] as string)).toBe(true);
    expect(reference_.matches('Patient/8', due[0] as string)).toBe(false);
    expect(codeOf(() => reference_.matches('Patient/7', patient.protect('7')))).toBe('malformed_token');
    const many = Array.from({ length: 2000 }, (_, i) => `Patient/${i % 3}`);
    expect(reference_.protectMany(many)).toEqual(many.map((value) => reference_.protect(value)));
  });

  it('a value that does not begin with it is an issue of its row', () => {
    for (const value of ['patient/7', '7', ' Patient/7', 'Group/7', 7, true]) {
      expect(codeOf(() => reference_.protect(value as string))).toBe('outside_format');
    }
    const error = thrown(() => reference_.protectMany(['Patient/7', 'Group/1', 'Patient/7', 'x']));
    expect(error.issues.map(({ row, code }) => [row, code])).toEqual([
      [2, 'outside_format'],
      [4, 'outside_format'],
    ]);
    expect(error.message).not.toContain('Group');
  });

  it('a second run is noticed, or passes', () => {
    const made = reference_.protect('Patient/7');
    expect(codeOf(() => reference_.protect(made))).toBe('already_token');
    const passing = token({ scope: 'patient', after: 'Patient/', onToken: 'pass', prepare: trim }).bind(keys);
    const once = passing.protect('Patient/7');
    expect([passing.protect(once), ...passing.protectMany([once, 'Patient/ 7'])]).toEqual([once, once, once]);
  });

  it('the empty rest gets a token if the empty text does', () => {
    const rule = token({ scope: 'patient', after: 'P', missing: [] }).bind(keys);
    expect(rule.protect('P')).toBe(`P${token({ scope: 'patient', missing: [] }).bind(keys).protect('')}`);
    expect(rule.protectMany(['P'])).toEqual([rule.protect('P')]);
  });

  it.each([[''], [7], [null], ['x'.repeat(201)], ['\ud800']])('after: %j is refused', (after) => {
    expect(() => token({ scope: 'a', after: after as never })).toThrow(/^"after" expected /);
  });

  it('explain says what stays in clear and what joins', () => {
    const page = explain(policy({ id: token({ scope: 'p' }), ref: token({ scope: 'p', after: 'Patient/' }) }));
    expect(page).toContain('replaced by a keyed token, except that it begins with `Patient/`, which stays in clear');
    expect(page).toContain('`id`, `ref`: join with each other');
    expect(page).toContain('; in `ref`, what follows `Patient/` is what joins');
  });
});

describe('missing', () => {
  it('a context that is a missing text of its own field is missing, and so is what follows the part in clear', () => {
    const id = token({ scope: 's', after: 'P/', per: 'tenant', missing: ['', 'NA'] });
    const bound = policy({ id, tenant: mark(keep, { missing: ['-'] }) }, { missing: ['?'] }).bind(keys);
    expect(bound.protect({ id: 'NA', tenant: '-' })).toEqual({ id: 'NA', tenant: '-' });
    expect(bound.protect({ id: 'P/NA', tenant: '-' })).toEqual({ id: 'P/NA', tenant: '-' });
    expect(codeOf(() => bound.protect({ id: 'P/7', tenant: '-' }))).toBe('missing_context');
    expect(codeOf(() => bound.protect({ id: 'P/7', tenant: '' }))).toBe('missing_context');
    expect(bound.protect({ id: 'P/7', tenant: '?' }).id).toMatch(/^P\//);
    const plain_ = token({ scope: 's', after: 'P/', missing: ['', 'NA'] }).bind(keys);
    expect([plain_.protect('P/NA'), ...plain_.protectMany(['P/NA', 'NA'])]).toEqual(['P/NA', 'P/NA', 'NA']);
  });
});

describe('a period', () => {
  const UNITS = ['day', 'week', 'month', 'quarter', 'year'] as const;

  /** The steps of token-v1 on node:crypto. */
  function periodToken(name: string, period: string, value: string): string {
    const key = ruleNode(ROOT, DOMAIN, 'token', 'account', 'hmac-sha256', list(), list('period', name));
    return base32(
      createHmac('sha256', child(key, 32, 'period', period))
        .update(value)
        .digest(),
      128,
    );
  }

  /** The ISO week of a date by counting days from Mondays, one after another. */
  function isoWeek(date: string): string {
    const thursday = new Date(`${date}T00:00:00Z`);
    thursday.setUTCDate(thursday.getUTCDate() - ((thursday.getUTCDay() + 6) % 7) + 3);
    const year = thursday.getUTCFullYear();
    let week = 0;
    for (const day = new Date(Date.UTC(year, 0, 1)); day <= thursday; day.setUTCDate(day.getUTCDate() + 1)) {
      if (day.getUTCDay() === 4) week++;
    }
    return `${year}-W${`${week}`.padStart(2, '0')}`;
  }

  const days = fc
    .date({ min: new Date('1900-01-01'), max: new Date('2400-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));

  it('property: is the construction of the specification, for every kind', () => {
    fc.assert(
      fc.property(wellFormed, days, fc.constantFrom(...UNITS), (value, date, unit) => {
        const texts = {
          day: date,
          week: isoWeek(date),
          month: date.slice(0, 7),
          quarter: `${date.slice(0, 4)}-Q${Math.ceil(Number(date.slice(5, 7)) / 3)}`,
          year: date.slice(0, 4),
        };
        const rule = token({ scope: 'account', form: 'bare', per: { [unit]: 'seen' } as { month: string } }).bind(keys);
        expect(rule.protect(value, { per: date })).toBe(periodToken('seen', texts[unit], value));
        expect(rule.protectMany([value], { per: [`${date} 23:59:59+14`] })).toEqual([
          periodToken('seen', texts[unit], value),
        ]);
        expect(rule.candidates(value, { per: date })).toEqual([rule.protect(value, { per: date })]);
        expect(rule.matches(value, rule.protect(value, { per: date }), { per: date })).toBe(true);
      }),
    );
  });

  it.each([
    ['2024-12-30', '2025-W01'],
    ['2024-03-01', '2024-W09'],
    ['2021-01-03', '2020-W53'],
    ['2020-12-31', '2020-W53'],
    ['0001-01-01', '0001-W01'],
    ['9999-12-31', '9999-W52'],
  ])('%s is in the week %s', (date, week) => {
    const rule = token({ scope: 'account', form: 'bare', per: { week: 'seen' } }).bind(keys);
    expect(rule.protect('7', { per: date })).toBe(periodToken('seen', week, '7'));
  });

  const month = policy(
    { id: token({ scope: 'account', form: 'bare', per: { month: 'seen' } }), seen: keep },
    { domain: 'eu' },
  );

  it('goes through records, columns, CSV and NDJSON alike, and Date objects count in UTC', async () => {
    const bound = month.bind(keys);
    const [march, april] = [periodToken('seen', '2024-03', '7'), periodToken('seen', '2024-04', '7')];
    const rows = [
      { id: '7', seen: '2024-03-31' },
      { id: '7', seen: '2024-04-01' },
      { id: '7', seen: '2024-03' },
      { id: null, seen: 'never' },
      { id: '', seen: '' },
    ];
    const made = [march, april, march, null, ''];
    expect(bound.protectMany(rows).map(({ id }) => id)).toEqual(made);
    expect(rows.map((row) => bound.protect(row).id)).toEqual(made);
    expect(bound.protectColumns({ id: ['7', '7'], seen: ['2024-03-31', '2024-04-01'] }).id).toEqual([march, april]);
    expect(bound.protect({ id: 7, seen: new Date('2024-03-31T23:30:00Z') }).id).toBe(march);
    expect(await read(protectCsv(['id,seen\n7,2024-03-31\n7,2024-04-01\n'], bound))).toBe(
      `id,seen\n${march},2024-03-31\n${april},2024-04-01\n`,
    );
    expect(await read(protectNdjson(['{"id":"7","seen":"2024-04-01"}\n'], bound))).toBe(
      `{"id":"${april}","seen":"2024-04-01"}\n`,
    );
  });

  it.each(['', 'never', '2024-02-30', '31.03.2024', '2024', '0000-01-01', '12024-01-01'])(
    'a record with the date %j is the issue missing_context, with its row',
    (seen) => {
      const error = thrown(() =>
        month.bind(keys).protectMany([
          { id: '7', seen: '2024-03-01' },
          { id: '7', seen },
        ]),
      );
      expect(error.issues).toEqual([
        { code: 'missing_context', row: 2, field: 'id', message: expect.stringMatching(/^the date, field seen/) },
      ]);
      expect(error.message).not.toContain(seen === '' ? '\u0000' : seen);
    },
  );

  it('the key of one day can be handed out alone, and opens no other', () => {
    const rule = token({ scope: 'account', form: 'bare', per: { day: 'seen' } });
    const sheet = policy({ id: rule, seen: keep }, { domain: DOMAIN });
    const full = keyset.parse(keysetJson(ROOT));
    const { keyset: alone, branchCheck } = narrow(full, sheet, { verbs: ['protect'], period: '2024-03-01' });
    const bound = rule.bind(alone.domain(DOMAIN, { branchCheck }));
    expect(bound.protect('7', { per: '2024-03-01' })).toBe(periodToken('seen', '2024-03-01', '7'));
    const other = thrown(() => bound.protect('7', { per: '2024-03-02' }));
    expect(other.issues).toMatchObject([{ code: 'period_not_granted', message: expect.stringMatching(/field seen/) }]);
    expect(other.message).not.toContain('2024');
    expect(codeOf(() => bound.candidates('7', { per: '2024-03-02' }))).toBe('period_not_granted');
    // The other rows of a batch live.
    const rows = [1, 2, 1, 3].map((day, i) => ({ id: String(i), seen: `2024-03-0${day}` }));
    const batch = sheet.bind(alone.domain(DOMAIN, { branchCheck }));
    expect(thrown(() => batch.protectMany(rows)).issues.map(({ code, field, row }) => [code, field, row])).toEqual([
      ['period_not_granted', 'id', 2],
      ['period_not_granted', 'id', 4],
    ]);
    // Keys that have nothing of the rule are the wrong keys, whatever the date.
    const strange = token({ scope: 'strange', form: 'bare', per: { day: 'seen' } });
    const wrong = strange.bind(alone.domain(DOMAIN, { branchCheck }));
    expect(codeOf(() => wrong.protect('7', { per: '2024-03-01' }))).toBe('not_granted');
    for (const period of ['2024-03', '2024-W09', '2024', 'March', '', 5]) {
      expect(() => narrow(full, sheet, { verbs: ['protect'], period: period as string })).toThrow(/^"period" expected/);
    }
  });

  it('is the same from a file, and explain and check know it', () => {
    const written = JSON.stringify(month);
    expect(JSON.parse(written).fields.id.per).toEqual({ month: 'seen' });
    expect(JSON.stringify(parsePolicy(JSON.parse(written)))).toBe(written);
    expect(explain(month)).toContain('one for each value in each month of `seen`: a pseudonym for a period');
    const other = policy({ id: token({ scope: 'account', form: 'bare', per: { year: 'seen' } }), seen: keep });
    expect(() =>
      policy({
        a: token({ scope: 'account', per: { year: 'seen' } }),
        b: token({ scope: 'account', per: { month: 'seen' } }),
        seen: keep,
      }),
    ).toThrow(/different contexts \(per\)/);
    expect(other.bind(keys).protect({ id: '7', seen: '2024-03-01' }).id).not.toBe(
      month.bind(keys).protect({ id: '7', seen: '2024-03-01' }).id,
    );
    const named = token({ scope: 'account', form: 'bare', per: { month: 'last', name: 'seen' } }).bind(keys);
    expect(named.protect('7', { per: '2024-03-01' })).toBe(periodToken('seen', '2024-03', '7'));
  });
});
