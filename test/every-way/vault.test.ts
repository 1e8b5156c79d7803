/**
 * A vault through every way that takes one. In one store a value has one token, whichever way protected it, and every
 * way reveals what any other way protected. The ways that do not take a vault refuse it.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keep, keyset, policy, token } from '../../src/index.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { protectFile, revealFile } from '../../src/node.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';
import { makePlace, type Place } from '../cli/harness.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';

const KEYSET = keysetJson(testRoot('every way'));
const keys = keyset.parse(KEYSET).domain('every-way');
const people = policy(
  {
    id: token({ scope: 'person', label: 'cust' }),
    name: vault({ scope: 'person.name', store: 'people', subject: 'id' }),
    phone: vault({ scope: 'person.phone', store: 'people', ttl: 30 }),
    city: keep,
  },
  { domain: 'every-way', keyCheck: keys.keyCheck },
);

type Person = Readonly<Record<'id' | 'name' | 'phone' | 'city', string>>;

const PEOPLE: readonly Person[] = [
  { id: '1', name: 'Ada Lovelace', phone: '+49 30 1', city: 'London' },
  { id: '2', name: 'Ada Lovelace', phone: '+49 30 1', city: 'Berlin' },
  { id: '1', name: 'Ada Lovelace', phone: '', city: '' },
  { id: '3', name: '山田 "太郎"', phone: '+81 3', city: 'x;y\tz' },
  { id: '4', name: ' ', phone: '0', city: '-' },
];

const NAMES = ['id', 'name', 'phone', 'city'] as const;
const quoted = (text: string) => (text === '' ? '""' : /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const texts = {
  csv: (rows: readonly Person[]) =>
    [NAMES.join(','), ...rows.map((row) => NAMES.map((name) => quoted(row[name])).join(',')), ''].join('\n'),
  tsv: (rows: readonly Person[]) =>
    [
      NAMES.join('\t'),
      ...rows.map((row) => NAMES.map((name) => row[name].replaceAll('\t', '\\t')).join('\t')),
      '',
    ].join('\n'),
  ndjson: (rows: readonly Person[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
};
type Kind = keyof typeof texts;
const KINDS = Object.keys(texts) as Kind[];

let place: Place;
beforeAll(() => {
  place = makePlace();
  place.write('k.json', KEYSET);
  place.write('p.yaml', JSON.stringify(people));
  for (const kind of KINDS) place.write(`in.${kind}`, texts[kind](PEOPLE));
});
afterAll(() => place.remove());

describe('in one process, with one store', () => {
  const stores = { people: memoryStore() };
  const open = () => people.open(keys, stores, revealAccess);
  let due: readonly Person[];

  test('records by many and one by one', async () => {
    due = (await (await open()).protectMany(PEOPLE as never)) as never;
    expect(new Set(due.map(({ name }) => name)).size).toBe(4);
    expect(due[0]!.name).toBe(due[2]!.name);
    expect(due[0]!.name).not.toBe(due[1]!.name);
    expect(due[0]!.phone).toBe(due[1]!.phone);
    const bound = await open();
    for (const [i, row] of PEOPLE.entries()) {
      expect(await bound.protect(row as never)).toEqual(due[i]);
      expect(await bound.reveal(due[i] as never)).toEqual({ ...row, id: due[i]!.id });
    }
  });

  test.each(KINDS)('files: %s', async (kind) => {
    const [safe, back] = [place.path(`safe.${kind}`), place.path(`back.${kind}`)];
    const format = { format: kind };
    await protectFile(place.path(`in.${kind}`), safe, await open(), format);
    expect(readFileSync(safe, 'utf8')).toBe(texts[kind](due));
    await revealFile(safe, back, await open(), format);
    expect(readFileSync(back, 'utf8')).toBe(texts[kind](PEOPLE.map((row, i) => ({ ...row, id: due[i]!.id }))));
  });

  test('a stream takes only bound policies, and refuses an open one', async () => {
    expect(() => (people.bind as unknown as (keys: unknown) => unknown)(keys)).toThrow(/open/);
    expect(() => protectNdjson([''], { protectMany: open } as never)).toThrow(TypeError);
  });
});

describe('the command line, with one store', () => {
  const common = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet', '--vault', 'people.db'];
  const safe: Partial<Record<Kind, string>> = {};

  test.each(KINDS)('protects and reveals %s', async (kind) => {
    const ended = await place.run(['protect', `in.${kind}`, ...common, '--format', kind, '--out', `cli.${kind}`]);
    expect(ended.code, ended.err).toBe(0);
    safe[kind] = place.read(`cli.${kind}`);
    const back = await place.run(['reveal', `cli.${kind}`, ...common, '--format', kind, '--out', `cli.back.${kind}`]);
    expect(back.code, back.err).toBe(0);
    const first = await token({ scope: 'person', label: 'cust' })
      .bind(keys)
      .protectMany(PEOPLE.map(({ id }) => id));
    expect(place.read(`cli.back.${kind}`)).toBe(
      texts[kind](PEOPLE.map((row, i) => ({ ...row, id: first[i]! as string }))),
    );
  });

  test('one value has one token, whichever way protected it', () => {
    const rows = safe
      .ndjson!.trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Person);
    for (const kind of KINDS) expect(safe[kind]).toBe(texts[kind](rows));
  });

  test.each(KINDS)('%s: a dry run and a check protect into memory, and leave no file', async (kind) => {
    const bytes = (): string[] => place.files().map((name) => `${name} ${place.read(name)}`);
    const before = bytes();
    const policy = ['--policy', 'p.yaml', '--keys', 'k.json'];
    const dry = await place.run(['protect', `in.${kind}`, ...common, '--format', kind, '--dry-run', '--limit', '10']);
    expect(dry.code, dry.err).toBe(0);
    expect(dry.out.match(/^row /gm)).toHaveLength(Math.min(10, PEOPLE.length));
    const tried = await place.run(['check', '--input', `in.${kind}`, ...policy, '--format', kind]);
    expect(tried.err).toContain('no problems');
    expect(tried.code).toBe(0);
    expect(bytes()).toEqual(before);
  });

  test.each([
    [['protect', 'in.csv', ...common, '--out', 'x.csv', '--engine', 'duckdb'], 'x.csv'],
    [['protect', 'in.csv', ...common, '--out', 'x.parquet'], 'x.parquet'],
    [['apply', '--ndjson', '--policy', 'p.yaml', '--keys', 'k.json'], ''],
  ])('%j is refused with a message, and leaves no file', async (args, out) => {
    const before = place.files();
    const { code, err } = await place.run(args);
    expect(code).not.toBe(0);
    expect(code).not.toBe(70);
    expect(err).toMatch(/vault/);
    expect(place.files().filter((name) => !before.includes(name) && name !== out)).toEqual([]);
    expect(place.files()).not.toContain(out);
  });
});
