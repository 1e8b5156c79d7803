/** Paths that reach into the cells of CSV and TSV: JSON, and arrays of PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { protectCsv, revealCsv } from '../../../src/csv.ts';
import type { Issue } from '../../../src/errors.ts';
import { digits } from '../../../src/format.ts';
import {
  coarsen,
  constant,
  drop,
  each,
  fpe,
  keep,
  keyset,
  optional,
  policy,
  seal,
  shiftDate,
  token,
} from '../../../src/index.ts';
import { makeApply } from '../../../src/io/apply.ts';
import { protectNdjson } from '../../../src/ndjson.ts';
import { openReady } from '../../../src/policy/bound.ts';
import { parsePolicy } from '../../../src/policy.ts';
import { emailAddress } from '../../../src/prepare.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { protectTsv, revealTsv, type TsvOptions } from '../../../src/tsv.ts';
import { memoryStore, vault } from '../../../src/vault.ts';
import { brief, errorOf, textOf } from '../helpers.ts';

const keys = keyset.generate().domain('test');
const KEY = { keyCheck: keys.keyCheck };
const bind = (fields: object, more: object = {}): never =>
  policy(fields as never, { ...KEY, ...more }).bind(keys, revealAccess) as never;

const csv = (text: string, bound: never): Promise<string> => textOf(protectCsv([text], bound));
const csvBack = (text: string, bound: never): Promise<string> => textOf(revealCsv([text], bound));
const tsv = (text: string, bound: never, options?: TsvOptions): Promise<string> =>
  textOf(protectTsv([text], bound, options));
const tsvBack = (text: string, bound: never, options?: TsvOptions): Promise<string> =>
  textOf(revealTsv([text], bound, options));

/** A row of CSV with one quoted cell. */
const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const cellOf = (out: string): string =>
  out.slice(out.indexOf('\n') + 1, -1).replace(/^"(.*)"$/s, (_, inner: string) => inner.replaceAll('""', '"'));
const one = async (text: string, bound: never): Promise<string> => cellOf(await csv(`d\n${cell(text)}\n`, bound));

const name = token({ scope: 'person.name' });
const tokenOf = (value: string | number): string => name.bind(keys).protect(value as never) as string;

describe('JSON in a cell', () => {
  const nested = bind({
    d: { name, n: keep, gone: drop, more: optional(keep), items: each({ sku: keep, who: name }) },
  });

  test('is turned as a record is, and has its own spelling elsewhere', async () => {
    const text =
      '{"n": 12.50, "10": 1, "name": "Zo\\u00eb", "gone": [1, 2], "items": [{"who": "Ada", "sku": "A1"}, {"sku": 1e3, "who": null}]}';
    const bound = bind({ d: { name, n: keep, 10: keep, gone: drop, items: each({ sku: keep, who: name }) } });
    expect(await one(text, bound)).toBe(
      `{"n": 12.50, "10": 1, "name": "${tokenOf('Zoë')}", "items": [{"who": "${tokenOf('Ada')}", "sku": "A1"}, {"sku": 1e3, "who": null}]}`,
    );
  });

  test('gives the outputs of NDJSON', async () => {
    const record = { n: 1, name: 'Ada', gone: true, items: [{ sku: 'A', who: 'Zoë' }] };
    const ndjson = await textOf(protectNdjson([JSON.stringify({ d: record })], nested));
    expect(`{"d":${await one(JSON.stringify(record), nested)}}\n`).toBe(ndjson);
  });

  test.each(['', '\\N'])('a missing cell passes: %j', async (missing) => {
    expect(await tsv(`d\n${missing}\n`, nested)).toBe(`d\n${missing}\n`);
    expect(await tsvBack(`d\n${missing}\n`, nested)).toBe(`d\n${missing}\n`);
  });

  test('an empty cell of CSV is written as it was read', async () => {
    expect(await csv('d,x\n,1\n"",2\n', bind({ d: { name }, x: keep }))).toBe('d,x\n,1\n"",2\n');
  });

  test.each(['null', ' null ', '{"name":null}'])('null in JSON passes: %s', async (text) => {
    expect(await one(text, bind({ d: { name } }))).toBe(text);
  });

  test('a large whole number has the token of its text, and is kept letter by letter', async () => {
    const bound = bind({ d: { id: name, kept: keep } });
    expect(await one('{"id":6150769120280496265,"kept":6150769120280496265}', bound)).toBe(
      `{"id":"${tokenOf('6150769120280496265')}","kept":6150769120280496265}`,
    );
    expect(await one('{"id":7,"kept":0.10}', bound)).toBe(`{"id":"${tokenOf('7')}","kept":0.10}`);
  });

  test('a rule for whole numbers gets the numbers of JSON, and the texts of cells', async () => {
    const age = seal({ scope: 'age', value: 'integer' });
    const bound = bind({ a: age, d: { age } });
    const out = await csv('a,d\n42,"{""age"": 42}"\n', bound);
    const [a, d] = out.split('\n')[1]!.split(/,(.*)/) as [string, string];
    expect(d).toBe(cell(`{"age": "${a}"}`));
    expect(await csvBack(out, bound)).toBe('a,d\n42,"{""age"": 42}"\n');
    expect((await errorOf(protectCsv(['a,d\n42,"{""age"": ""42""}"\n'], bound))).issues.map(brief)).toEqual([
      'wrong_type row 1 line 2 d.age',
    ]);
  });

  test('all that is reversible comes back byte for byte', async () => {
    const bound = bind({
      id: token({ scope: 'person' }),
      d: {
        name: seal({ scope: 'person.name' }),
        pin: fpe({ scope: 'pin', format: digits({ length: 6 }) }),
        n: keep,
        tags: each(seal({ scope: 'tag' })),
      },
    });
    const cells = [
      '{"name": "Zoë \\"X\\" \\\\ \\n", "pin": "012345", "n": 1.00, "tags": ["a", "b"]}',
      '{\n  "tags" : [ ],\n  "n" : null, "pin":"999999", "name":""\n}',
      '',
    ];
    const input = `id,d\n${cells.map((text) => `7,${text === '' ? '' : cell(text)}`).join('\n')}\n`;
    const safe = await csv(input, bound);
    expect(safe).not.toMatch(/Zoë|012345/);
    const id = safe.split('\n')[1]!.split(',')[0]!;
    expect(await csvBack(safe, bound)).toBe(input.replaceAll('\n7,', `\n${id},`));
    const lines = (text: string) => text.replaceAll(',', '\t');
    expect(await tsv('id\td\n7\t{"name":"Z\\\\u00eb","pin":"012345","n":1,"tags":[]}\n', bound)).not.toMatch(/012345/);
    expect(lines('a,b')).toBe('a\tb');
  });

  test('dropped names are gone, and an object whose names are all dropped is empty, as in NDJSON', async () => {
    const bound = bind({ d: { a: drop, b: { c: drop } } });
    expect(await one('{"a": 1, "b": {"c": 2}}', bound)).toBe('{"b": {}}');
    expect(await one('{"a": 1, "b": null}', bound)).toBe('{"b": null}');
    expect(await csvBack('d\n"{""b"": {}}"\n', bound)).toBe('d\n"{""b"": {}}"\n');
    expect((await errorOf(revealCsv(['d\n"{""a"": 1, ""b"": {}}"\n'], bound))).code).toBe('unnamed_field');
  });

  test('unnamed: drop leaves names out of cells', async () => {
    expect(await one('{"x": 1, "name": "Ada", "y": 2}', bind({ d: { name } }, { unnamed: 'drop' }))).toBe(
      `{"name": "${tokenOf('Ada')}"}`,
    );
  });
});

describe('what a cell must not be', () => {
  const bound = bind({ id: keep, d: { name, tags: optional(keep) }, a: each(keep) });
  const issues = async (d: string, a = '[]'): Promise<readonly Issue[]> =>
    (await errorOf(protectTsv([`id\td\ta\n1\t${d}\t${a}\n`], bound))).issues;

  test.each([
    ['text', 'invalid_json row 1 line 2 d'],
    ['{"name":"secret"', 'invalid_json row 1 line 2 d'],
    ['{"name":"secret"} x', 'invalid_json row 1 line 2 d'],
    ['{"name":"secret","name":"secret"}', 'duplicate_key row 1 line 2 d'],
    [`${'{"d":'.repeat(101)}1${'}'.repeat(101)}`, 'nested_value row 1 line 2 d'],
    ['[{"name":"secret"}]', 'wrong_type row 1 line 2 d'],
    ['"secret"', 'wrong_type row 1 line 2 d'],
    ['12345678901234567890', 'wrong_type row 1 line 2 d'],
    ['{}', 'missing_field row 1 line 2 d.name'],
    ['{"name":{"secret":1}}', 'wrong_type row 1 line 2 d.name'],
    ['{secret}', 'invalid_json row 1 line 2 d'],
  ])('%s', async (text, expected) => {
    const found = await issues(text);
    expect(found.map(brief)).toEqual([expected]);
    expect(found[0]).toMatchObject({ column: 3 });
    expect(JSON.stringify(found)).not.toMatch(/secret/);
  });

  test('a name that the policy does not have', async () => {
    const [issue] = await issues('{"name":"a","other":1}');
    expect(issue!.code).toBe('unnamed_field');
    expect(issue!.field).toMatch(/^d/);
  });

  test.each([
    ['{"a":1}', 'invalid_array row 1 line 2 a'],
    ['{a', 'invalid_array row 1 line 2 a'],
    ['[0:1]={a,b}', 'invalid_array row 1 line 2 a'],
    ['secret', 'invalid_json row 1 line 2 a'],
    ['[1', 'invalid_json row 1 line 2 a'],
    ['7', 'wrong_type row 1 line 2 a'],
    ['{{a}}', 'wrong_type row 1 line 2 a[]'],
    ['[["a"]]', 'nested_value row 1 line 2 a[]'],
  ])('an array: %s', async (text, expected) => {
    const found = await issues('{"name":"x"}', text);
    expect(found.map(brief)).toEqual([expected]);
    expect(JSON.stringify(found)).not.toMatch(/secret/);
  });

  test('the other rows go on, and the faulty ones are reported', async () => {
    const seen: string[] = [];
    const rows = ['1\t{"name":"Ada"}\t{}', '2\tsecret\t{}', '3\t{"name":"Ada"}\t{a'];
    const out = await textOf(
      protectTsv([`id\td\ta\n${rows.join('\n')}\n`], bound, { onReject: (issue) => seen.push(brief(issue)) }),
    );
    expect(out).toBe(`id\td\ta\n1\t{"name":"${tokenOf('Ada')}"}\t{}\n`);
    expect(seen).toEqual(['invalid_json row 2 line 3 d', 'invalid_array row 3 line 4 a']);
  });

  test('the place has the row, the column and the element', async () => {
    const mails = bind({ id: keep, d: { items: each({ mail: token({ scope: 'm', prepare: emailAddress }) }) } });
    const row = 'id\td\n1\t{"items": [{"mail": "a@x.de"}, {"mail": "secret"}]}\n';
    const { issues: found, message } = await errorOf(protectTsv([row], mails));
    expect(found).toMatchObject([{ row: 1, line: 2, column: 3, field: 'd.items[].mail', element: 'd.items[1].mail' }]);
    expect(message).toContain('d.items[1].mail');
    expect(message).not.toContain('secret');
  });
});

describe('arrays', () => {
  const email = token({ scope: 'mail', prepare: emailAddress });
  const mail = (value: string): string => email.bind(keys).protect(value) as string;
  const HEADER = { header: ['id', 'tags'] };
  const bound = bind({ id: keep, tags: each(email) });

  test('of PostgreSQL stay arrays of PostgreSQL, and those of JSON stay JSON', async () => {
    const input = '1\t{a@x.de,"B@x.de",NULL,""}\n2\t["a@x.de", null]\n3\t{}\n4\t\\N\n5\t[]\n';
    expect(await tsv(input, bound, HEADER)).toBe(
      `1\t{${mail('a@x.de')},${mail('b@x.de')},NULL,""}\n2\t["${mail('a@x.de')}", null]\n3\t{}\n4\t\\N\n5\t[]\n`,
    );
  });

  test('come back as they were', async () => {
    const sealed = bind({ tags: each(seal({ scope: 'tag' })), m: each(each(seal({ scope: 'm' }))) });
    const input =
      'tags\tm\n{a,"b,c",NULL,"","\\\\"q\\\\"","\\\\\\\\","null"," x "}\t{{1,2},{3,4}}\n["a"]\t[["b"],[]]\n';
    const safe = await tsv(input, sealed);
    expect(safe).not.toMatch(/b,c/);
    expect(await tsvBack(safe, sealed)).toBe(input);
  });

  test('of whole numbers', async () => {
    const ages = bind({ ages: each(seal({ scope: 'age', value: 'integer' })) });
    const input = 'ages\n{1,NULL,-7}\n';
    expect(await tsvBack(await tsv(input, ages), ages)).toBe(input);
    const { issues } = await errorOf(protectTsv(['ages\n{1,007}\n'], ages));
    expect(issues.map(brief)).toEqual(['not_an_integer row 1 line 2 ages[]']);
    expect(issues[0]).toMatchObject({ element: 'ages[1]', column: 1 });
  });

  test('of JSON: jsonb[]', async () => {
    const items = bind({ items: each({ sku: keep, who: seal({ scope: 'who' }) }), m: each(each(keep)) });
    const input = 'items\tm\n{"{\\\\"sku\\\\": \\\\"A\\\\", \\\\"who\\\\": \\\\"Zoe\\\\"}",NULL}\t{"[1, 2]"}\n';
    const safe = await tsv(input, items);
    expect(safe).not.toMatch(/Zoe/);
    expect(safe).toMatch(/\\\\"sku\\\\": \\\\"A\\\\"/);
    expect(await tsvBack(safe, items)).toBe(input);
    expect((await errorOf(protectTsv(['items\tm\n{a}\t{}\n'], items))).issues.map(brief)).toEqual([
      'invalid_json row 1 line 2 items[]',
    ]);
  });

  test('a rule that writes something else than text', async () => {
    const fixed = bind({ a: each(constant({ value: null })), b: each(constant({ value: 7 })) });
    expect(await tsv('a\tb\n{x,y}\t{x}\n["x"]\t["x", 1]\n', fixed)).toBe('a\tb\n{NULL,NULL}\t{7}\n[null]\t[7, 7]\n');
  });
});

describe('which column', () => {
  test('a column whose name is the whole path comes first, then the longest beginning', async () => {
    const bound = bind({ u: { a: keep, b: { c: keep, d: keep } } });
    expect(await csv('u.a,u.b.c,u.b.d\n1,2,3\n', bound)).toBe('u.a,u.b.c,u.b.d\n1,2,3\n');
    expect(await csv('u\n"{""a"":1,""b"":{""c"":2,""d"":3}}"\n', bound)).toMatch(/^u\n/);
    expect(await csv('u.a,u.b\n1,"{""c"":2,""d"":3}"\n', bound)).toMatch(/^u.a,u.b\n/);
    expect(await csv('u.b,u\n"{""c"":2,""d"":3}","{""a"":1}"\n', bound)).toMatch(/^u.b,u\n/);
    expect(await csv('u.b.c,u\n2,"{""a"":1,""b"":{""d"":3}}"\n', bound)).toMatch(/^u.b.c,u\n/);
    // What has a column of its own is not expected inside the cell, and not allowed there.
    const inside = 'u.b.c,u\n2,"{""a"":1,""b"":{""c"":9,""d"":3}}"\n';
    expect((await errorOf(protectCsv([inside], bound))).code).toBe('unnamed_field');
    // A column that no field belongs to any more is not named.
    expect((await errorOf(protectCsv(['u.a,u.b,u\n1,2,3\n'], bound))).issues.map(brief)).toEqual([
      'unnamed_field line 1',
    ]);
  });

  test('a name with a dot comes before a path', async () => {
    const bound = bind({ 'a.b': keep, a: { b: { c: keep } } });
    expect(await csv('a.b,a\nx,"{""b"":{""c"":1}}"\n', bound)).toBe('a.b,a\nx,"{""b"":{""c"":1}}"\n');
  });

  test('two objects of one column are refused', async () => {
    expect((await errorOf(protectCsv(['x\n'], bind({ 'a.b': { c: keep }, a: { b: { d: keep } } })))).code).toBe(
      'not_tabular',
    );
  });

  test('a column that is missing, and one that may be', async () => {
    const { issues } = await errorOf(protectCsv(['x\n1\n'], bind({ x: keep, d: { a: { b: keep } }, t: each(keep) })));
    expect(issues.map(brief)).toEqual(['missing_field line 1 d.a.b', 'missing_field line 1 t[]']);
    expect(issues[0]!.message).toContain('"d.a.b" or "d.a" or "d"');
    expect(await csv('x\n1\n', bind({ x: keep, d: { a: optional(keep) } }))).toBe('x\n1\n');
  });

  test('a policy file spells the same paths', async () => {
    const sheet = parsePolicy({
      trefoil: 1,
      domain: 'test',
      fields: { 'd.first\\.name': 'keep', 'd.list[].x': 'keep', 't[]': { rule: 'token', scope: 'person.name' } },
    }).bind(keys);
    const input = 'd,t\n"{""first.name"":1,""list"":[{""x"":2}]}","{a}"\n';
    expect(await textOf(protectCsv([input], sheet))).toBe(input.replace('"{a}"', `{${tokenOf('a')}}`));
  });
});

describe('a subject', () => {
  const days = { days: 100, scope: 'visit' };

  test('inside a cell, beside it, and for a date inside', async () => {
    const inCell = bind({ d: { id: keep }, at: shiftDate({ subject: 'd.id', ...days }) });
    const beside = bind({ id: keep, at: shiftDate({ subject: 'id', ...days }) });
    const dateInside = bind({ id: drop, v: each({ at: shiftDate({ subject: 'id', ...days }) }) });
    const same = bind({ d: { id: keep, at: shiftDate({ subject: 'd.id', ...days }) } });
    const moved = (await csv('id,at\n7,2024-02-28\n', beside)).trim().slice(-10);
    expect(await csv('d,at\n"{""id"":7}",2024-02-28\n', inCell)).toBe(`d,at\n"{""id"":7}",${moved}\n`);
    expect(await csv('id,v\n7,"[{""at"":""2024-02-28""}]"\n', dateInside)).toBe(`v\n"[{""at"":""${moved}""}]"\n`);
    expect(await csv('d\n"{""id"":""7"",""at"":""2024-02-28""}"\n', same)).toBe(
      `d\n"{""id"":""7"",""at"":""${moved}""}"\n`,
    );
  });

  test('a cell that cannot be read is reported once, and the subject is missing', async () => {
    const bound = bind({ at: shiftDate({ subject: 'd.id', ...days }), d: { id: keep } });
    const { issues } = await errorOf(protectCsv(['at,d\n2024-02-28,x\n'], bound));
    expect(issues.map(brief).sort()).toEqual(['invalid_json row 1 line 2 d', 'missing_subject row 1 line 2 at']);
  });
});

test('a rule over a store', async () => {
  const sheet = policy({ id: keep, d: { phone: vault({ scope: 'p', store: 'people', subject: 'id' }) } }, KEY);
  const store = memoryStore();
  const bound = await sheet.open(keys, { people: store }, revealAccess);
  const { protectFile, revealFile } = await import('../../../src/node.ts');
  const { mkdtemp, readFile, writeFile, rm } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/trefoil-cells-');
  try {
    const input = 'id,d\n7,"{""phone"": ""1""}"\n8,"{""phone"": ""1""}"\n9,\n';
    await writeFile(`${folder}/a.csv`, input);
    await protectFile(`${folder}/a.csv`, `${folder}/b.csv`, bound);
    const safe = await readFile(`${folder}/b.csv`, 'utf8');
    const [one, other] = safe.split('\n').slice(1, 3);
    expect(one!.slice(2)).toMatch(/^"\{""phone"": ""[0-9a-z]{20,}""\}"$/);
    expect(one!.slice(2)).not.toBe(other!.slice(2));
    await revealFile(`${folder}/b.csv`, `${folder}/c.csv`, bound);
    expect(await readFile(`${folder}/c.csv`, 'utf8')).toBe(input);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('the line contract', () => {
  const sheet = bind({ id: keep, 'd.x': keep, d: { name }, tags: each({ who: name }) });
  const apply = (columns: readonly string[] | null) => {
    const options = { direction: 'protect', fileFormat: 'tsv', columns, errorsInline: true, maxRecord: 1000 } as const;
    return makeApply(openReady(sheet), options);
  };
  const line = (text: string, columns: readonly string[] | null): string =>
    apply(columns).push(new TextEncoder().encode(`${text}\n`)).text;
  const ada = tokenOf('Ada');

  test('columns that are named', () => {
    expect(line('1\t2\t{"name": "Ada"}\t[{"who":"Ada"}]', ['id', 'd.x', 'd', 'tags'])).toBe(
      `1\t2\t{"name": "${ada}"}\t[{"who":"${ada}"}]\n`,
    );
  });

  test('without names, an array is one column', () => {
    expect(line('1\t2\tAda\t[{"who":"Ada"}]', null)).toBe(`1\t2\t${ada}\t[{"who":"${ada}"}]\n`);
    expect(line('1\t2\tAda\t[{"who":{}}]', null)).toMatch(/^\{"trefoil":"error","line":1,.*tags\[0\]\.who/);
  });
});

test('a rejected row is sealed as it was', async () => {
  const { openRejects, protectFile } = await import('../../../src/node.ts');
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/trefoil-cells-');
  try {
    await writeFile(`${folder}/a.csv`, 'd\n"{""name"": ""Ada""}"\n"{""name"": "\n');
    const rejects = `${folder}/r.ndjson`;
    await protectFile(`${folder}/a.csv`, `${folder}/b.csv`, bind({ d: { name } }), { rejects });
    const { records } = await openRejects(rejects, keys, revealAccess);
    const found: unknown[] = [];
    for await (const { row, record, issues } of records) found.push([row, record, issues[0]!.code]);
    expect(found).toEqual([[2, '"{""name"": "', 'invalid_json']]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('other texts of the policy that are missing are missing cells, too', async () => {
  const bound = bind({ d: { name, n: optional(keep) }, t: each(name) }, { missing: ['', 'NA', '-'] });
  expect(await csv('d,t\nNA,-\n"{""name"":""NA""}","{NA,Ada}"\n', bound)).toBe(
    `d,t\nNA,-\n"{""name"":""NA""}","{NA,${tokenOf('Ada')}}"\n`,
  );
  expect((await errorOf(protectCsv(['d,t\nn/a,\n'], bound))).code).toBe('invalid_json');
});

test('files, with and without workers, are the same, and coarsen reads numbers of JSON', async () => {
  const { protectFile } = await import('../../../src/node.ts');
  const { mkdtemp, readFile, writeFile, rm } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/trefoil-cells-');
  const bound = bind({ id: keep, d: { name, age: coarsen({ number: 10 }) } });
  try {
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i},${cell(`{"age": ${i % 90}, "name": "Person ${i}"}`)}`);
    await writeFile(`${folder}/a.csv`, `id,d\n${rows.join('\n')}\n`);
    await protectFile(`${folder}/a.csv`, `${folder}/b.csv`, bound);
    await protectFile(`${folder}/a.csv`, `${folder}/c.csv`, bound, { workers: 2 });
    const [b, c] = await Promise.all(['b', 'c'].map((file) => readFile(`${folder}/${file}.csv`, 'utf8')));
    expect(c).toBe(b);
    expect(b).toContain(`42,${cell(`{"age": 40, "name": "${tokenOf('Person 42')}"}`)}\n`);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
