/** Files of rejects of runs over several inputs: each record is opened with the header line of its own input. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { coarsen, keep, keyset, policy, seal } from '../../src/index.ts';
import { type FileOptions, openRejects, protectFile, protectFiles, type Reject } from '../../src/node.ts';
import { revealAccess } from '../../src/reveal.ts';
import { rejection } from '../helpers/errors.ts';

const keys = keyset.generate().domain('test');
const people = policy({
  id: keep,
  name: seal({ scope: 'person.name' }),
  born: coarsen({ date: 'year' }),
  city: keep,
}).bind(keys);

let folder: string;
const at = (name: string): string => join(folder, name);
const put = (name: string, content: string | Uint8Array): Promise<void> => writeFile(at(name), content);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trefoil-rejects-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function open(path = 'r.ndjson'): Promise<Reject[]> {
  const all: Reject[] = [];
  for await (const reject of (await openRejects(at(path), keys, revealAccess)).records) all.push(reject);
  return all;
}

const brief = ({ input, file, record, table }: Reject): unknown => [
  input,
  file?.replace(`${folder}/`, ''),
  record,
  table.header?.join() ?? null,
  table.delimiter,
  table.newline,
];

/** Three inputs: the second has another order of columns, the third another delimiter and line end as well. */
const CSV = [
  ['1.csv', 'id,name,born,city\n1,Ada,1980-01-01,Rome\n'],
  ['2.csv', 'id,city,born,name\n2,Bonn,later,Zoe Secret\n3,Kiel,1980-01-01,Max\n4,Ulm,soon,Eva\n'],
  ['3.csv', 'sep=;\r\nid;city;name;born\r\n5;Oslo;"Bob; Jr";never\r\n'],
] as const;
const CSV_DUE = [
  [1, '2.csv', '2,Bonn,later,Zoe Secret', 'id,city,born,name', ',', '\n'],
  [1, '2.csv', '4,Ulm,soon,Eva', 'id,city,born,name', ',', '\n'],
  [2, '3.csv', '5;Oslo;"Bob; Jr";never', 'id,city,name,born', ';', '\r\n'],
];

const TSV = [
  ['1.tsv', 'id\tname\tborn\tcity\n1\tAda\tnever\tRome\n'],
  ['2.tsv', 'id\tcity\tborn\tname\n2\tBonn\tlater\tZoe\n'],
] as const;
const TSV_DUE = [
  [0, '1.tsv', '1\tAda\tnever\tRome', 'id,name,born,city', null, '\n'],
  [1, '2.tsv', '2\tBonn\tlater\tZoe', 'id,city,born,name', null, '\n'],
];

const utf16 = CSV.map(([name, text]) => [`utf16-${name}`, Buffer.from(text, 'utf16le')] as const);
const utf16Due = CSV_DUE.map(([input, file, ...rest]) => [input, `utf16-${file}`, ...rest]);

interface Case {
  readonly name: string;
  readonly files: readonly (readonly [string, string | Uint8Array])[];
  readonly options: FileOptions;
  readonly due: readonly unknown[];
}

const CASES: readonly Case[] = [
  { name: 'CSV', files: CSV, options: {}, due: CSV_DUE },
  { name: 'CSV in UTF-16', files: utf16, options: { encoding: 'utf-16le' }, due: utf16Due },
  { name: 'TSV', files: TSV, options: { format: 'tsv' }, due: TSV_DUE },
];

describe.each(CASES)('$name with other columns in each input', ({ files, options, due }) => {
  test.each([1, 2])('each record has the header of its input: %i workers', async (workers) => {
    for (const [name, content] of files) await put(name, content);
    const inputs = files.map(([name]) => at(name));
    const run = { ...options, workers, force: true, rejects: at('r.ndjson') };
    const { rowsRejected } = await protectFiles(inputs, at('safe'), people, run);
    expect(rowsRejected).toBe(due.length);
    expect((await open()).map(brief)).toEqual(due);
    const lines = (await readFile(at('r.ndjson'), 'utf8')).trimEnd().split('\n');
    // A head for each input that has a rejected record, and for the first input.
    const heads = lines.filter((line) => line.startsWith('{"trefoil"'));
    expect(heads.map((line) => JSON.parse(line).input ?? 0)).toEqual(files.map((_, i) => i));
  });
});

test('a record is never opened with the head of another input', async () => {
  for (const [name, content] of CSV) await put(name, content);
  await protectFiles(
    CSV.map(([name]) => at(name)),
    at('safe'),
    people,
    { force: true, rejects: at('r.ndjson') },
  );
  const lines = (await readFile(at('r.ndjson'), 'utf8')).trimEnd().split('\n');
  const [first, second, row2, row4, third, row5] = lines as [string, string, string, string, string, string];
  expect(lines).toHaveLength(6);
  const attempt = async (all: readonly string[]): Promise<unknown> => {
    await put('changed.ndjson', `${all.join('\n')}\n`);
    return (await rejection(open('changed.ndjson'))).issues[0];
  };
  const missing = { code: 'not_rejects', message: expect.stringContaining('the head of the input') };
  // A head is removed, or moved.
  expect(await attempt([first, row2, row4])).toMatchObject({ ...missing, line: 2 });
  expect(await attempt([first, second, row2, row5])).toMatchObject({ ...missing, line: 4 });
  expect(await attempt([first, second, third, row2])).toMatchObject({ ...missing, line: 4 });
  // The number of the input is changed in the head, or in the record.
  const renumbered = third.replace('"input":2', '"input":1');
  expect(await attempt([first, renumbered, row2])).toMatchObject({ code: 'reveal_failed', line: 2 });
  const moved = row2.replace('"input":1', '"input":2');
  expect(await attempt([first, third, moved])).toMatchObject({ code: 'reveal_failed', line: 3 });
  // The head of the first input in the place of another.
  const asFirst = second.replace('"input":1,', '');
  expect(await attempt([asFirst, row2])).toMatchObject({ code: 'reveal_failed', line: 1 });
  // A head may be written twice, as by a run that was resumed.
  await put('changed.ndjson', [first, second, row2, second, row4, ''].join('\n'));
  expect(await open('changed.ndjson')).toHaveLength(2);
  // Two files of rejects, one after the other.
  await protectFiles([at('2.csv'), at('1.csv')], at('safe'), people, { force: true, rejects: at('other.ndjson') });
  const other = (await readFile(at('other.ndjson'), 'utf8')).trimEnd().split('\n');
  expect(await attempt([...lines, ...other])).toMatchObject({
    code: 'not_rejects',
    message: expect.stringContaining('another file of rejects'),
    line: 7,
  });
});

test('inputs of one output have one header, and a head each', async () => {
  const header = 'id,name,born,city\n';
  await put('1.csv', `${header}1,Ada,never,Rome\n`);
  await put('2.csv', `${header}2,Zoe,1980-01-01,Bonn\n`);
  await put('3.csv', `${header}3,Eva,soon,Ulm\n`);
  const inputs = [at('1.csv'), at('2.csv'), at('3.csv')];
  await protectFile(inputs, at('out.csv'), people, { force: true, rejects: at('r.ndjson') });
  expect((await open()).map(brief)).toEqual([
    [0, '1.csv', '1,Ada,never,Rome', 'id,name,born,city', ',', '\n'],
    [2, '3.csv', '3,Eva,soon,Ulm', 'id,name,born,city', ',', '\n'],
  ]);
});

test('a run that was interrupted in the second input writes its head once', async () => {
  const rows = (born: string): string => Array.from({ length: 30_000 }, (_, i) => `${i},n,${born},c\n`).join('');
  await put('1.csv', `id,name,born,city\n1,Ada,never,Rome\n`);
  await put('2.csv', `id,name,born,city\n${rows('1980-01-01')}7,Zoe,soon,Bonn\n${rows('1980-01-01')}`);
  await put('2.csv', (await readFile(at('2.csv'), 'utf8')).replace('0,n,1980-01-01,c', '0,first,soon,c'));
  const inputs = [at('1.csv'), at('2.csv')];
  const options = { force: true, resume: true, rejects: at('r.ndjson') };
  for (const stopAt of [2, 20_000, 50_000]) {
    const abort = new AbortController();
    const stop = protectFiles(inputs, at('safe'), people, {
      ...options,
      signal: abort.signal,
      onProgress: ({ rows: done }) => {
        if (done >= stopAt) abort.abort(new Error('enough'));
      },
    });
    await expect(stop).rejects.toThrow('enough');
  }
  await protectFiles(inputs, at('safe'), people, options);
  const due = ['1,Ada,never,Rome', '0,first,soon,c', '7,Zoe,soon,Bonn'];
  expect((await open()).map(({ record }) => record)).toEqual(due);
  const text = await readFile(at('r.ndjson'), 'utf8');
  expect(text.split('\n').filter((line) => line.startsWith('{"trefoil"'))).toHaveLength(2);
});
