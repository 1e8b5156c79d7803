/**
 * Every file that a run makes, watched from outside: its path, its mode, and that only the outputs are left at the end.
 * The table has a row for each way to run. A new way gets a row there.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import * as age from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, type Place } from './harness.ts';
import { CAN_TRACE, traced } from './trace.ts';

let place: Place;

const IDENTITY = await age.generateIdentity();
const RECIPIENT = await age.identityToRecipient(IDENTITY);

/** Stands in every value of a person. */
const MARKER = 'Lovelace';

const FIELDS =
  'fields:\n  id: { rule: token, scope: p }\n  name: { rule: seal, scope: n }\n' +
  '  born: { rule: coarsen, date: year }\n  gone: drop\n';
const row = (i: number, born: string) => `${i},${MARKER} ${i},${born},${MARKER}@example.com`;

beforeAll(async () => {
  place = makePlace();
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
  const inspected = await place.run(['keys', 'inspect', '--keys', 'k.json', '--domain', 'files']);
  const pin = /keyCheck: .*/.exec(inspected.out + inspected.err)![0];
  place.write('p.yaml', `trefoil: 1\ndomain: files\n${pin}\n${FIELDS}`);
  const vault = FIELDS.replace('rule: seal, scope: n', 'rule: vault, scope: n, store: people');
  place.write('v.yaml', `trefoil: 1\ndomain: files\n${pin}\n${vault}`);
  const rows = Array.from({ length: 3000 }, (_, i) => row(i, '1815-12-10'));
  place.write('in.csv', `id,name,born,gone\n${rows.join('\n')}\n`);
  place.write('bad.csv', `id,name,born,gone\n${row(1, '1815-12-10')}\n${row(2, MARKER)}\n`);
  place.write(
    'in.ndjson',
    rows
      .map(
        (line) =>
          `${JSON.stringify(Object.fromEntries(line.split(',').map((v, i) => [['id', 'name', 'born', 'gone'][i], v])))}\n`,
      )
      .join(''),
  );
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    `COPY (SELECT * FROM read_csv('${place.path('in.csv')}', all_varchar = true)) TO '${place.path('in.parquet')}' (FORMAT parquet)`,
  );
  place.write('id.txt', IDENTITY);
  const sealed = await place.run(['keys', 'wrap', 'k.json', '--to', RECIPIENT, '--out', 'sealed.age']);
  expect(sealed.code, sealed.err).toBe(0);
  const P = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet'];
  for (const [input, output] of [
    ['in.csv', 'safe.csv'],
    ['in.ndjson', 'safe.ndjson'],
    ['in.parquet', 'safe.parquet'],
  ] as const) {
    expect((await place.run(['protect', input, ...P, '--out', output])).err).toBe('');
  }
  const V = ['--policy', 'v.yaml', '--keys', 'k.json', '--vault', 'store.db', '--quiet'];
  expect((await place.run(['protect', 'in.csv', ...V, '--out', 'vaulted.csv'])).err).toBe('');
  const R = ['--on-error', 'reject', '--rejects', 'rejects.ndjson'];
  expect((await place.run(['protect', 'bad.csv', ...P, ...R, '--out', 'rest.csv'])).code).toBe(9);
  place.write('bad.safe.csv', `${place.read('rest.csv')}x,${MARKER},1815\n`);
}, 60_000);
afterAll(() => place.remove());

interface Case {
  readonly name: string;
  /** Arguments; the policy and the keys are added, unless there is a policy already. */
  readonly args: readonly string[];
  /** What is made, with its mode under a umask of 0. */
  readonly made: Readonly<Record<string, string>>;
  readonly code?: number;
  /** Files with other modes that are there before. */
  readonly before?: Readonly<Record<string, number>>;
}

/** The path of an output until it is complete. */
const BESIDE = '.trefoil-*.tmp';
const FOLDER = { [BESIDE]: '700', [`${BESIDE}/output`]: '600' };
const FOLDER_OPEN = { [BESIDE]: '700', [`${BESIDE}/output`]: '666' };
/** The lock is made beside its name, as a temporary file. Its guard is there while it is removed. */
const RESUMED = {
  [BESIDE]: '600',
  'out.csv.resume.json.lock': '600',
  '.trefoil-guard-*.lock': '600',
  'out.csv.resume.json.tmp': '600',
  'out.csv.resume.json': '600',
};
const VAULT = ['--policy', 'v.yaml', '--vault'];
/** SQLite's own files: beside the store while it is open, and of the store's mode. */
const sqlite = (name: string) => ({ [`${name}-journal`]: '600', [`${name}-wal`]: '600', [`${name}-shm`]: '600' });

const PROTECT: readonly Case[] = [
  { name: 'CSV', args: ['in.csv', '--out', 'out.csv'], made: { [BESIDE]: '666', 'out.csv': '666' } },
  { name: 'NDJSON', args: ['in.ndjson', '--out', 'out.ndjson'], made: { [BESIDE]: '666', 'out.ndjson': '666' } },
  {
    name: 'a folder',
    args: ['in.csv', '--out-dir', 'sub'],
    made: { [`sub/${BESIDE}`]: '666', 'sub/in.csv': '666' },
  },
  {
    name: 'workers',
    args: ['in.csv', '--out', 'out.csv', '--workers', '2'],
    made: { [BESIDE]: '666', 'out.csv': '666' },
  },
  {
    name: 'a run that can be resumed',
    args: ['in.csv', '--out', 'out.csv', '--resume'],
    made: { '.out.csv.trefoil-part': '666', 'out.csv': '666', ...RESUMED },
  },
  {
    name: 'packed',
    args: ['in.csv', '--out', 'out.csv.gz'],
    made: { [BESIDE]: '666', 'out.csv.gz': '666' },
  },
  {
    name: 'rejects and summary',
    args: ['bad.csv', '--out', 'out.csv', '--on-error', 'reject', '--rejects', 'r.ndjson', '--summary', 's.json'],
    made: { [BESIDE]: '600 666', 'out.csv': '666', 'r.ndjson': '600', 's.json': '666' },
    code: 9,
  },
  {
    name: 'a vault in SQLite',
    args: ['in.csv', ...VAULT, 'new.db', '--out', 'out.csv'],
    made: { [BESIDE]: '666', 'out.csv': '666', 'new.db': '600', ...sqlite('new.db') },
  },
  {
    name: 'DuckDB, CSV to CSV',
    args: ['in.csv', '--engine', 'duckdb', '--out', 'out.csv'],
    made: { ...FOLDER_OPEN, 'out.csv': '666' },
  },
  {
    name: 'DuckDB, CSV to Parquet',
    args: ['in.csv', '--out', 'out.parquet'],
    made: { ...FOLDER_OPEN, 'out.parquet': '666' },
  },
  {
    name: 'DuckDB, Parquet to CSV',
    args: ['in.parquet', '--out', 'out.csv'],
    made: { ...FOLDER_OPEN, 'out.csv': '666' },
  },
  {
    name: 'DuckDB, Parquet to Parquet, with a summary',
    args: ['in.parquet', '--out', 'out.parquet', '--summary', 's.json'],
    made: { ...FOLDER_OPEN, [BESIDE]: '666 700', 'out.parquet': '666', 's.json': '666' },
  },
  {
    name: 'DuckDB, a value that does not fit',
    args: ['bad.csv', '--out', 'out.parquet'],
    made: { ...FOLDER_OPEN },
    code: 1,
  },
  {
    name: 'DuckDB over a private file, with force',
    args: ['in.csv', '--out', 'out.parquet', '--force'],
    before: { 'out.parquet': 0o640 },
    made: { [BESIDE]: '700', [`${BESIDE}/output`]: '640', 'out.parquet': '640' },
  },
  { name: 'dry run', args: ['in.parquet', '--out', 'out.csv', '--dry-run'], made: {} },
];

const REVEAL: readonly Case[] = [
  { name: 'CSV', args: ['safe.csv', '--out', 'out.csv'], made: { [BESIDE]: '600', 'out.csv': '600' } },
  { name: 'NDJSON', args: ['safe.ndjson', '--out', 'out.ndjson'], made: { [BESIDE]: '600', 'out.ndjson': '600' } },
  {
    name: 'CSV over a wider file, with force',
    args: ['safe.csv', '--out', 'out.csv', '--force'],
    before: { 'out.csv': 0o644 },
    made: { [BESIDE]: '600', 'out.csv': '600' },
  },
  {
    name: 'workers, over a wider file, with force',
    args: ['safe.csv', '--out', 'out.csv', '--workers', '2', '--force'],
    before: { 'out.csv': 0o666 },
    made: { [BESIDE]: '600', 'out.csv': '600' },
  },
  {
    name: 'a run that can be resumed, over a wider file, with force',
    args: ['safe.csv', '--out', 'out.csv', '--resume', '--force'],
    before: { 'out.csv': 0o644 },
    made: { '.out.csv.trefoil-part': '600', 'out.csv': '600', ...RESUMED },
  },
  {
    name: 'a folder of which only the first input is reached',
    args: ['safe.csv', 'rest.csv', '--out-dir', 'sub', '--limit', '1'],
    made: { [`sub/${BESIDE}`]: '600', 'sub/safe.csv': '600', 'sub/rest.csv': '600' },
  },
  {
    name: 'summary over a wider file, with force',
    args: ['safe.csv', '--out', 'out.csv', '--summary', 's.json', '--force'],
    before: { 's.json': 0o644 },
    made: { [BESIDE]: '600', 'out.csv': '600', 's.json': '600' },
  },
  {
    name: 'rejects',
    args: ['bad.safe.csv', '--out', 'out.csv', '--on-error', 'reject', '--rejects', 'r.ndjson'],
    made: { [BESIDE]: '600', 'out.csv': '600', 'r.ndjson': '600' },
    code: 9,
  },
  {
    name: 'a vault in SQLite',
    args: ['vaulted.csv', ...VAULT, 'store.db', '--out', 'out.csv'],
    made: { [BESIDE]: '600', 'out.csv': '600', ...sqlite('store.db') },
  },
  {
    name: 'DuckDB, CSV to CSV',
    args: ['safe.csv', '--engine', 'duckdb', '--out', 'out.csv'],
    made: { ...FOLDER, 'out.csv': '600' },
  },
  {
    name: 'DuckDB, Parquet to Parquet',
    args: ['safe.parquet', '--out', 'out.parquet'],
    made: { ...FOLDER, 'out.parquet': '600' },
  },
  { name: 'DuckDB, Parquet to CSV', args: ['safe.parquet', '--out', 'out.csv'], made: { ...FOLDER, 'out.csv': '600' } },
  {
    name: 'DuckDB over a wider file, with force',
    args: ['safe.parquet', '--out', 'out.parquet', '--force'],
    before: { 'out.parquet': 0o644 },
    made: { ...FOLDER, 'out.parquet': '600' },
  },
];

const OTHERS: readonly Case[] = [
  {
    name: 'keys new',
    args: ['keys', 'new', '--out', 'new.json'],
    made: { [BESIDE]: '600', 'new.json': '600' },
  },
  {
    name: 'officer new',
    args: ['officer', 'new', '--name', 'anna.example', '--out', 'anna.key'],
    made: { [BESIDE]: '600', 'anna.key': '600' },
  },
  {
    name: 'keys wrap',
    args: ['keys', 'wrap', 'k.json', '--to', RECIPIENT, '--out', 'k.age'],
    made: { [BESIDE]: '600', 'k.age': '600' },
  },
  {
    name: 'keys unwrap',
    args: ['keys', 'unwrap', 'sealed.age', '--identity', 'id.txt', '--out', 'back.json'],
    made: { [BESIDE]: '600', 'back.json': '600' },
  },
  {
    name: 'rejects open over a wider file, with force',
    args: ['rejects', 'open', 'rejects.ndjson', '--keys', 'k.json', '--out', 'mend.csv', '--force'],
    before: { 'mend.csv': 0o644 },
    made: { [BESIDE]: '600', 'mend.csv': '600' },
  },
  {
    name: 'vault export over a wider file, with force',
    args: [
      'vault',
      'export',
      '--policy',
      'v.yaml',
      '--keys',
      'k.json',
      '--vault',
      'store.db',
      '--out',
      'x.ndjson',
      '--force',
    ],
    before: { 'x.ndjson': 0o644 },
    made: { [BESIDE]: '600', 'x.ndjson': '600', ...sqlite('store.db') },
  },
  { name: 'check of Parquet', args: ['check', '--policy', 'p.yaml', '--input', 'in.parquet'], made: {} },
];

/** Removes the files of a case, runs it, and compares every file that it makes with the case. */
async function hold({ args, made, code = 0, before = {} }: Case): Promise<void> {
  mkdirSync(place.path('sub'), { recursive: true });
  const inputs = place.files();
  for (const [name, mode] of Object.entries(before)) {
    place.write(name, 'old');
    chmodSync(place.path(name), mode);
  }
  try {
    await holdRun(args, made, code, inputs);
  } finally {
    const left = place.files().filter((name) => !inputs.includes(name));
    await place.bash(`rm -rf sub ${left.map((name) => `'${name}'`).join(' ')}`);
  }
}

async function holdRun(args: readonly string[], made: Case['made'], code: number, inputs: readonly string[]) {
  const ended = await traced(place.dir, args);
  expect(ended.code, ended.err).toBe(code);
  const found: Record<string, Set<string>> = {};
  for (const { path, modes } of ended.made) {
    found[path] ??= new Set();
    for (const mode of modes) found[path]!.add(mode);
  }
  const all = Object.fromEntries(Object.entries(found).map(([path, modes]) => [path, [...modes].sort().join(' ')]));
  expect(all).toEqual(made);
  // What is left is the outputs, with the modes that they had all the time.
  const left = place.files().filter((name) => !inputs.includes(name));
  const sub = readdirSync(place.path('sub')).map((name) => `sub/${name}`);
  for (const name of [...left, ...sub]) {
    const mode = (statSync(place.path(name)).mode & 0o777).toString(8);
    expect(`${name} ${mode}`).toBe(`${name} ${made[name]}`);
    if (args[0] === 'protect') expect(readFileSync(place.path(name)).includes(MARKER), name).toBe(false);
  }
  expect(left.filter((name) => /^\.|part|-wal|-shm|resume/.test(name))).toEqual([]);
}

const common = (args: readonly string[]) => [
  '--keys',
  'k.json',
  '--quiet',
  ...(args.includes('v.yaml') ? [] : ['--policy', 'p.yaml']),
];

describe.skipIf(!CAN_TRACE)('every file that is made', () => {
  test.each(PROTECT)('protect: $name', (each) =>
    hold({ ...each, args: ['protect', ...each.args, ...common(each.args)] }),
  );
  test.each(REVEAL)('reveal: $name', (each) => hold({ ...each, args: ['reveal', ...each.args, ...common(each.args)] }));
  test.each(OTHERS)('$name', hold);
});

test('an output that is a link: the file behind it is replaced and private, and the link stays', async () => {
  mkdirSync(place.path('elsewhere'));
  for (const [input, output] of [
    ['safe.csv', 'link.csv'],
    ['safe.parquet', 'link.parquet'],
  ] as const) {
    place.write(`elsewhere/${output}`, 'old');
    chmodSync(place.path(`elsewhere/${output}`), 0o644);
    symlinkSync(join('elsewhere', output), place.path(output));
    const args = ['reveal', input, ...common([]), '--out', output, '--force'];
    expect(await place.run(args)).toMatchObject({ code: 0, err: '' });
    expect(statSync(place.path(`elsewhere/${output}`)).mode & 0o777).toBe(0o600);
    expect(readFileSync(place.path(`elsewhere/${output}`)).includes(MARKER)).toBe(true);
    expect(readdirSync(place.path('elsewhere')).filter((name) => name.startsWith('.'))).toEqual([]);
  }
});

test('a device is no output of DuckDB, and is not replaced by a file', async () => {
  const ended = await place.run([
    'protect',
    'in.csv',
    ...common([]),
    '--engine',
    'duckdb',
    '--out',
    '/dev/null',
    '--force',
  ]);
  expect(ended).toMatchObject({ code: 5 });
  expect(ended.err).toContain('it is not a regular file');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});
