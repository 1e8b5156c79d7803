/** What a message says about the names of a header, and a column without a name. */
import { describe, expect, test } from 'vitest';
import { protectCsv, revealCsv } from '../../src/csv.ts';
import { formatIssue, type Issue } from '../../src/errors.ts';
import { drop, each, keep, keyset, optional, policy, seal, token } from '../../src/index.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { explain, parsePolicy } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { protectTsv } from '../../src/tsv.ts';
import { brief, errorOf, textOf } from './helpers.ts';

const keys = keyset.generate().domain('test');
const bind = (fields: object, more: object = {}): never =>
  policy(fields as never, more).bind(keys, revealAccess) as never;
const csv = (text: string, bound: never, options = {}): Promise<string> => textOf(protectCsv([text], bound, options));
const issues = async (header: string, bound: never, options = {}): Promise<readonly Issue[]> =>
  (await errorOf(protectCsv([`${header}\n`], bound, options))).issues;
const messages = async (header: string, bound: never, options = {}): Promise<string> =>
  (await issues(header, bound, options)).map(({ message }) => message).join('\n');

const people = bind({ id: keep, email: keep });

describe('a column without a name', () => {
  const named = bind({ '': drop, id: token({ scope: 'person' }), email: keep });

  test.each([',id,email\n0,17,a\n', '"",id,email\n0,17,a\n', 'id,email,\n17,a,0\n'])(
    'can be named: %j',
    async (text) => {
      expect(await csv(text, named)).toMatch(/^id,email\n[0-9a-z]{35},a\n$/);
      expect(await csv(text, bind({ '': keep, id: keep, email: keep }))).toBe(text);
    },
  );

  test('in a policy file, in NDJSON and TSV, and back', async () => {
    const sheet = parsePolicy({ trefoil: 1, domain: 'test', fields: { '': { rule: 'seal', scope: 'i' }, id: 'keep' } });
    const bound = sheet.bind(keys, revealAccess);
    const safe = await textOf(protectCsv([',id\n0,17\n'], bound));
    expect(safe).toMatch(/^,id\n[0-9a-z]{20,},17\n$/);
    expect(await textOf(revealCsv([safe], bound))).toBe(',id\n0,17\n');
    expect(await textOf(protectTsv(['\tid\n0\t17\n'], bound))).toMatch(/^\tid\n[0-9a-z]{20,}\t17\n$/);
    expect(await textOf(protectNdjson(['{"":"0","id":17}\n'], bound))).toMatch(/^\{"":"[0-9a-z]{20,}","id":17\}\n$/);
    expect(JSON.parse(JSON.stringify(sheet)).fields['']).toEqual({ rule: 'seal', scope: 'i' });
    expect(bound.protectColumns({ '': ['0'], id: ['17'] })['']).toHaveLength(1);
  });

  test('is shown in issues and on the page', async () => {
    const bound = bind({ '': token({ scope: 'x', prepare: [] }), id: keep });
    const wrong = (await errorOf(protectNdjson(['{"":1.5,"id":1}\n'], bound))).issues[0]!;
    expect(wrong.field).toBe('');
    expect(formatIssue(wrong)).toContain('field "": ');
    expect(explain(policy({ '': keep, id: drop }))).toContain('| `""` | keep |');
    const joined = { '': token({ scope: 'x' }), id: token({ scope: 'x', prf: 'hmac-sha256', label: 'a' }) };
    expect(explain(policy(joined))).toContain('`""`');
    const wrongFile = { trefoil: 1, domain: 'test', fields: { '': { rule: 'token' } } };
    expect(() => parsePolicy(wrongFile)).toThrow(/fields\.""\.scope/);
  });

  test('two of them are two columns of one name', async () => {
    expect((await issues(',id,email,', named)).map(brief)).toEqual(['header_duplicate line 1']);
    expect(await messages(',id,email,', named)).toBe('columns 1 and 4 of the header have no name; name one of them');
  });

  test('that the policy does not name', async () => {
    expect(await messages(',id,email', people)).toBe(
      "column 1 of the header has no name; name it '' in the policy (such as '': drop), or set unnamed: drop",
    );
  });

  test('does not make a row a header', async () => {
    expect((await issues(',secret', bind({ '': drop, id: keep }))).map(brief)).toEqual([
      'unnamed_field line 1',
      'missing_field line 1 id',
    ]);
    expect(await messages(',secret', bind({ '': drop, id: keep }))).not.toContain('secret');
  });
});

describe('names that the policy does not have', () => {
  test('are shown if the line is a header, with the missing ones', async () => {
    expect(await messages('id,debug,mail', people)).toBe(
      [
        'column 2, "debug", is not named in the policy; name it, or set unnamed: drop',
        'column 3, "mail", is not named in the policy; name it, or set unnamed: drop',
        'the header does not have the field',
      ].join('\n'),
    );
    expect(await messages('id,email,debug,debug', people)).toContain('the same name, "debug"');
  });

  test('are shown if the caller has named the columns', async () => {
    expect(await messages('1,2', people, { header: ['id', 'x'] })).toContain('column 2, "x", is not named');
    const error = await errorOf(protectTsv(['1\t2\n'], people, { header: ['y', 'x'] }));
    expect(error.issues.map(brief)).toEqual(['header_missing line 1']);
    expect(error.message).toContain("none of the policy's fields is among the names of the columns");
  });

  test('are not shown if the line may be data', async () => {
    const years = bind({ 1: keep, 2: keep });
    for (const [line, bound] of [
      ['Ada Lovelace,7', people],
      ['1,Ada Lovelace,7', years],
      ['1,Ada Lovelace', years],
    ] as const) {
      const said = await messages(line, bound);
      expect(said).not.toMatch(/Ada|7/);
      expect(said).toContain('may be data');
      expect(said).toContain('--header');
    }
  });

  test('are not shown if they are values, though the line is a header', async () => {
    const said = await messages('id,email,zoe@example.com,2024-01-31,030901820', people);
    expect(said).not.toMatch(/zoe|2024|0309/);
    expect(said).toContain('looks like data');
  });

  test('are shown in one line and cut', async () => {
    expect(await messages('id,email,"a\nb\u202ec"', people)).toContain('column 3, "a\\nb\\u202ec", is');
    const said = await messages(`id,email,${'x'.repeat(500)}`, people);
    expect(said).toContain(`column 3, "${'x'.repeat(64)}…", is`);
  });
});

describe('names that are nearly those of the policy', () => {
  test.each([
    ['id, email', 'column 2 of the header differs from "email" only in white space'],
    ['id,Email', 'column 2 of the header differs from "email" only in letter case'],
    ['ID,EMAIL', 'column 1 of the header differs from "id" only in letter case'],
    ['id,\uff45mail', 'only in Unicode normalisation'],
    ['id,EMAIL ', 'column 2 of the header differs from "email" only in '],
  ])('%s', async (header, expected) => {
    const found = await issues(header, people);
    expect(found.every(({ code }) => code === 'missing_field')).toBe(true);
    expect(await messages(header, people)).toContain(expected);
  });

  test('Größe in two normal forms', async () => {
    expect(await messages('Gro\u0308ße', bind({ Größe: keep }))).toContain('only in Unicode normalisation');
  });

  test('each name once, and not if the field is there', async () => {
    expect((await issues('id,email,Email', people)).map(brief)).toEqual(['unnamed_field line 1']);
    expect((await issues('id,Email,EMAIL', people)).map(brief)).toEqual([
      'unnamed_field line 1',
      'missing_field line 1 email',
    ]);
    expect(await csv('id,Email\n1,2\n', bind({ id: keep, email: optional(keep) }, { unnamed: 'drop' }))).toBe(
      'id\n1\n',
    );
  });

  test('the beginning of a path', async () => {
    const bound = bind({ id: keep, tags: each(seal({ scope: 't' })) });
    expect(await messages('id,Tags', bound)).toContain('differs from "tags" only in letter case');
  });
});

describe('a column that is nearly an optional field', () => {
  const person = bind({ id: keep, email: optional(seal({ scope: 'mail' })) });

  test.each(['id,Email', 'id, email', 'id,email ', 'id,EMAIL'])('is never left out in silence: %j', async (header) => {
    expect((await issues(header, person)).map(brief)).toEqual(['missing_field line 1 email']);
    expect(await messages(header, person)).toMatch(/^column 2 of the header differs from "email" only in /);
  });

  test('nor inside a cell, in TSV, when a file is revealed, or beside the field itself', async () => {
    const nested = bind({ id: keep, data: { name: optional(keep) } });
    expect(await messages('id,Data', nested)).toMatch(/differs from "data/);
    expect((await errorOf(protectTsv(['id\tEmail\n'], person))).issues.map(({ code }) => code)).toEqual([
      'missing_field',
    ]);
    expect((await errorOf(revealCsv(['id,Email\n'], person))).issues.map(({ code }) => code)).toEqual([
      'missing_field',
    ]);
    expect((await issues('id,email,Email', person)).map(({ code }) => code)).toEqual(['unnamed_field']);
    expect((await issues('id,Email,EMAIL', person)).map(({ code }) => code)).toEqual([
      'unnamed_field',
      'missing_field',
    ]);
  });

  test('is left out only where the policy says so', async () => {
    const lenient = bind({ id: keep, email: optional(keep) }, { unnamed: 'drop' });
    expect(await csv('id,Email\n1,x\n', lenient)).toBe('id\n1\n');
  });
});

test('a header line that repeats the names which were set is not taken for a record', async () => {
  const header = ['id', 'email'];
  for (const text of ['id,email\n1,a\n', '"id","email"\r\n1,a\r\n', 'id,email']) {
    const { issues: found } = await errorOf(protectCsv([text], people, { header }));
    expect(found.map(brief)).toEqual(['header_duplicate line 1']);
  }
  const { issues: found } = await errorOf(protectTsv(['id\temail\n1\ta\n'], people, { header }));
  expect(found.map(brief)).toEqual(['header_duplicate line 1']);
  expect(await csv('email,id\n1,a\n', people, { header })).toBe('email,id\n1,a\n');
});
