/** `per`, `after`, `read`, `missing` and `seal` with `value: json` in cells that hold JSON, as in records of NDJSON. */
import { describe, expect, test } from 'vitest';
import { protectCsv, revealCsv } from '../../../src/csv.ts';
import { each, keep, keyset, policy, seal, token } from '../../../src/index.ts';
import { protectNdjson, revealNdjson } from '../../../src/ndjson.ts';
import { readDate } from '../../../src/prepare.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { protectTsv, revealTsv } from '../../../src/tsv.ts';
import { brief, errorOf, textOf } from '../helpers.ts';

const keys = keyset.generate().domain('test');
const sheet = policy(
  {
    tenant: keep,
    d: {
      tenant: keep,
      subject: token({ scope: 'person', after: 'Patient/', per: 'tenant' }),
      own: token({ scope: 'own', per: 'd.tenant' }),
      born: token({ scope: 'born', read: readDate('DD.MM.YYYY'), missing: ['', 'NA'] }),
      balance: seal({ scope: 'balance', value: 'json' }),
      visits: each({
        id: token({ scope: 'visit', per: ['tenant', { field: 'd.tenant', name: 'inner' }] }),
        cost: seal({ scope: 'c', value: 'json' }),
      }),
    },
  },
  { keyCheck: keys.keyCheck },
);
const bound = sheet.bind(keys, revealAccess) as never;

const record = (tenant: string, inner: string, balance: string) =>
  `{"tenant":"${inner}","subject":"Patient/7","own":7,"born":"31.03.1984","balance":${balance},` +
  `"visits":[{"id":1,"cost":12.50},{"id":1,"cost":true},{"id":${tenant === 'a' ? 1 : 2},"cost":"12.50"}]}`;

const CASES = [
  ['a', 'x', '12.50'],
  ['b', 'x', '6150769120280496265'],
  ['a', 'y', '"12.50"'],
  ['a', 'x', '-0'],
  ['a', 'x', 'false'],
] as const;

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
const unquoted = (cell: string) => cell.slice(1, -1).replaceAll('""', '"');

describe('a record in a cell', () => {
  const records = CASES.map(([tenant, inner, balance]) => [tenant, record(tenant, inner, balance)] as const);
  const ndjson = records.map(([tenant, d]) => `{"tenant":"${tenant}","d":${d}}\n`).join('');
  const csv = `tenant,d\n${records.map(([tenant, d]) => `${tenant},${quoted(d)}\n`).join('')}`;
  const tsv = `tenant\td\n${records.map(([tenant, d]) => `${tenant}\t${d}\n`).join('')}`;
  const lines = (text: string) => text.trimEnd().split('\n');
  const parsed = (text: string) => lines(text).map((line) => JSON.parse(line) as { d: Record<string, unknown> });

  test('has the tokens and sealed values of NDJSON', async () => {
    const expected = parsed(await textOf(protectNdjson([ndjson], bound))).map(({ d }) => d);
    const inCsv = lines(await textOf(protectCsv([csv], bound))).slice(1);
    expect(inCsv.map((line) => JSON.parse(unquoted(line.slice(2))))).toEqual(expected);
    const inTsv = lines(await textOf(protectTsv([tsv], bound))).slice(1);
    expect(inTsv.map((line) => JSON.parse(line.slice(2)))).toEqual(expected);
    // A context is that of the record, whether it is beside the cell or inside.
    const [one, other, inner] = expected;
    expect(one!.subject).toMatch(/^Patient\/[0-9a-z]{30,}$/);
    expect(other!.subject).not.toBe(one!.subject);
    expect(inner!.subject).toBe(one!.subject);
    expect(other!.own).toBe(one!.own);
    expect(inner!.own).not.toBe(one!.own);
    expect(new Set(expected.map(({ born }) => born)).size).toBe(1);
    // The number and the text are two values, also in an element.
    expect(one!.balance).not.toBe(inner!.balance);
    const [first, second, third] = one!.visits as { id: string; cost: string }[];
    expect([first!.id === second!.id, second!.id === third!.id]).toEqual([true, true]);
    expect(new Set([first!.cost, second!.cost, third!.cost]).size).toBe(3);
  });

  test('has its sealed values back as they were written', async () => {
    const costs = /"balance":[^,]+|"cost":[^,}]+/g;
    for (const [text, protect, reveal] of [
      [ndjson, protectNdjson, revealNdjson],
      [csv, protectCsv, revealCsv],
      [tsv, protectTsv, revealTsv],
    ] as const) {
      const back = await textOf(reveal([await textOf(protect([text], bound))], bound));
      const plain = (one: string) => one.replaceAll('""', '"').match(costs);
      expect(plain(back)).toEqual(plain(text));
      expect(plain(back)).toHaveLength(20);
    }
  });
});

describe('an array of PostgreSQL', () => {
  const arrays = policy(
    {
      tenant: keep,
      ids: each(token({ scope: 'person', after: 'Patient/', per: 'tenant' })),
      v: each(seal({ scope: 'v', value: 'json' })),
    },
    { keyCheck: keys.keyCheck },
  ).bind(keys, revealAccess) as never;

  test('has contexts and scalars as a cell of a table has', async () => {
    const tsv = 'tenant\tids\tv\na\t{Patient/7,NULL,Patient/7}\t{12.50,t,true,"12.50",-0}\nb\t{Patient/7}\t{}\n';
    const safe = await textOf(protectTsv([tsv], arrays));
    const [first, second] = safe
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'));
    const [one, none, again] = first![1]!.slice(1, -1).split(',');
    expect(one).toMatch(/^Patient\/[0-9a-z]{30,}$/);
    expect([none, again]).toEqual(['NULL', one]);
    expect(second![1]).not.toBe(`{${one}}`);
    const back = (await textOf(revealTsv([safe], arrays))).split('\n');
    expect(back[1]!.split('\t')[2]).toBe('{12.50,t,true,12.50,-0}');
    expect(back[2]!.split('\t')[2]).toBe('{}');
  });
});

test('what the options do not allow is named by its path and element', async () => {
  const d = record('a', 'x', '1').replace('Patient/7', '7').replace('31.03.1984', '1984-03-31').replace('true', '{}');
  const { issues } = await errorOf(protectCsv([`tenant,d\na,${quoted(d)}\n`], bound));
  expect(issues.map(brief).sort()).toEqual(
    [
      expect.stringMatching(/^not_a_date row 1 line 2 d\.born/),
      expect.stringMatching(/row 1 line 2 d\.subject/),
      expect.stringMatching(/^wrong_type row 1 line 2 d\.visits\[\]\.cost/),
    ].sort(),
  );
  expect(issues.find(({ field }) => field === 'd.visits[].cost')).toMatchObject({ element: 'd.visits[1].cost' });
});
