/**
 * A table that is taken for one of another key, as processes: every way to reveal it refuses its records, and so does
 * rekey. Tables in which nothing shows the key are known by the note beside them.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { register } from '../../../src/duckdb.ts';
import { pattern } from '../../../src/format.ts';
import { fpe, keyset, policy, seal } from '../../../src/index.ts';
import { addKey, type Keyset, promoteKey } from '../../../src/keys.ts';
import { rekeyFile, revealFile } from '../../../src/node.ts';
import { parsePolicy, rekey } from '../../../src/policy.ts';
import { revealAccess, secretAccess } from '../../../src/reveal.ts';
import { expectVoice, makePlace, type Place } from '../harness.ts';

const next = (from: Keyset): Keyset => {
  const more = addKey(from);
  return promoteKey(more, more.ids.at(-1)!);
};
const FIRST = keyset.generate({ renewable: true });
const SECOND = next(FIRST);
const THIRD = next(SECOND);
const [OLD, NOW, LAST] = [FIRST, SECOND, THIRD].map((keys) => keys.domain('eu').keyId) as [string, string, string];
const pins = (...ids: string[]) =>
  JSON.stringify(Object.fromEntries(ids.map((id) => [id, THIRD.domain('eu').keyCheck[id]])));

const PAN = "{ rule: fpe, scope: pan, format: { type: pattern, pattern: '9999999999' } }";
const SHOWN = `fields:
  id: { rule: token, scope: person, label: cust }
  name: { rule: seal, scope: person.name }
  pan: ${PAN}
`;
const BARE = `fields:
  code: { rule: token, scope: person, form: uuid }
  pan: ${PAN}
`;
const LISTS = `fields:
  no: { rule: keep, why: number of the row }
  items[].by: { rule: seal, scope: person.name }
  items[].pan: ${PAN}
`;
const policyOf = (fields: string, ...ids: string[]) =>
  `trefoil: 1\ndomain: eu\n${ids.length === 0 ? '' : `keyCheck: ${pins(...ids)}\n`}${fields}`;
const ROWS = 3000;
const pan = (i: number) => `${1_000_000_000 + i * 7919}`;

let place: Place;

async function run(args: readonly string[], code = 0) {
  const ended = await place.run(args);
  expect(ended.code, ended.err).toBe(code);
  expectVoice(ended, ['Ada', pan(0), pan(1)]);
  return ended;
}

beforeAll(async () => {
  place = makePlace();
  for (const [file, keys] of [
    ['k1.json', FIRST],
    ['k2.json', SECOND],
    ['k3.json', THIRD],
  ] as const) {
    place.write(file, keys.export(secretAccess));
  }
  for (const [kind, fields] of [
    ['shown', SHOWN],
    ['bare', BARE],
    ['lists', LISTS],
  ] as const) {
    place.write(`${kind}.free.yaml`, policyOf(fields));
    place.write(`${kind}.old.yaml`, policyOf(fields, OLD));
    place.write(`${kind}.now.yaml`, policyOf(fields, NOW));
    place.write(`${kind}.both.yaml`, policyOf(fields, OLD, NOW));
    place.write(`${kind}.all.yaml`, policyOf(fields, OLD, NOW, LAST));
  }
  const numbers = Array.from({ length: ROWS }, (_, i) => i);
  place.write('shown.csv', `id,name,pan\n${numbers.map((i) => `${i},Ada ${i},${pan(i)}\n`).join('')}`);
  place.write('bare.csv', `code,pan\n${numbers.map((i) => `${i},${pan(i)}\n`).join('')}`);
  place.write(
    'shown.ndjson',
    numbers.map((i) => `${JSON.stringify({ id: `${i}`, name: `Ada ${i}`, pan: pan(i) })}\n`).join(''),
  );
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    `COPY (SELECT * FROM read_csv('${place.path('shown.csv')}', all_varchar = true)) TO '${place.path('shown.parquet')}' (FORMAT parquet)`,
  );
  await connection.run(
    `COPY (SELECT i::VARCHAR AS no, [{'by': 'Ada ' || i, pan: (1000000000 + i)::VARCHAR}, {'by': NULL, pan: NULL},
       {'by': NULL, pan: (2000000000 + i)::VARCHAR}] AS items
       FROM range(50) t(i)) TO '${place.path('lists.parquet')}' (FORMAT parquet)`,
  );
  for (const [name, kind] of [
    ['shown.csv', 'shown'],
    ['shown.ndjson', 'shown'],
    ['shown.parquet', 'shown'],
    ['bare.csv', 'bare'],
    ['lists.parquet', 'lists'],
  ] as const) {
    for (const [age, keys] of [
      ['old', 'k1.json'],
      ['now', 'k2.json'],
      ['last', 'k3.json'],
    ] as const) {
      const args = ['--policy', `${kind}.free.yaml`, '--keys', keys, '--quiet', '--out', `${age}.${name}`];
      await run(['protect', name, ...args]);
    }
  }
}, 120_000);

afterAll(() => place.remove());

afterEach(() => {
  for (const name of place.files()) if (/^out/.test(name)) rmSync(place.path(name), { recursive: true });
});

/** The records of a file, whatever its format, as text. */
async function recordsOf(name: string): Promise<string> {
  if (!name.endsWith('.parquet')) return place.read(name);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const found = await connection.runAndReadAll(`SELECT to_json(t)::VARCHAR FROM '${place.path(name)}' t`);
  return found.getRows().join('\n');
}

const WAYS: readonly (readonly [name: string, file: string, more: readonly string[]])[] = [
  ['CSV', 'shown.csv', []],
  ['CSV by workers', 'shown.csv', ['--workers', '2']],
  ['CSV by DuckDB', 'shown.csv', ['--engine', 'duckdb']],
  ['NDJSON', 'shown.ndjson', []],
  ['Parquet', 'shown.parquet', []],
];

describe.each(WAYS)('reveal of %s', (_, file, more) => {
  const extension = file.split('.')[1]!;
  const reveal = (table: string, policy: string, keys: string, ...others: string[]) => [
    ...['reveal', `${table}.${file}`, '--policy', policy, '--keys', keys, '--quiet', '--out', `out.${extension}`],
    ...others,
    ...more,
  ];

  it('refuses a table of the other key, whichever is pinned', async () => {
    for (const [table, policy] of [
      ['old', 'shown.now.yaml'],
      ['now', 'shown.old.yaml'],
    ] as const) {
      const { err } = await run(reveal(table, policy, 'k2.json'), 1);
      expect(err).toContain('field pan');
      expect(err).toContain(`show key ${table === 'old' ? OLD : NOW}, and the keys that are pinned are`);
      expect(existsSync(place.path(`out.${extension}`))).toBe(false);
    }
  });

  it('reveals both if both are pinned, with and without --from, and refuses the wrong --from', async () => {
    for (const [table, id, other] of [
      ['old', OLD, NOW],
      ['now', NOW, OLD],
    ] as const) {
      for (const from of [[], ['--from', id]]) {
        await run(reveal(table, 'shown.both.yaml', 'k2.json', '--force', ...from));
        expect(await recordsOf(`out.${extension}`)).toContain(pan(ROWS - 1));
      }
      const { err } = await run(reveal(table, 'shown.both.yaml', 'k2.json', '--force', '--from', other), 1);
      expect(err).toContain(`show key ${id}, and the value was said to be of key ${other}`);
    }
  });

  it('rekey refuses a key that the records contradict', async () => {
    const args = ['--policy', 'shown.all.yaml', '--keys', 'k3.json', '--quiet', '--out', `out.${extension}`, ...more];
    const { err } = await run(['rekey', `old.${file}`, ...args, '--from', NOW], 1);
    expect(err).toContain(`show key ${OLD}, and the value was said to be of key ${NOW}`);
    await run(['rekey', `old.${file}`, ...args, '--from', OLD]);
    expect(await recordsOf(`out.${extension}`)).toBe(await recordsOf(`last.${file}`));
  });
});

describe('the same elsewhere', () => {
  it('values inside LISTs of Parquet', async () => {
    const reveal = (table: string, policy: string, ...more: string[]) => [
      ...['reveal', `${table}.lists.parquet`, '--policy', policy, '--keys', 'k2.json', '--quiet'],
      ...['--out', 'out.parquet', '--force', ...more],
    ];
    for (const table of ['old', 'now']) {
      await run(reveal(table, 'lists.both.yaml'));
      expect(await recordsOf('out.parquet')).toBe(await recordsOf('lists.parquet'));
    }
    const { err } = await run(reveal('old', 'lists.now.yaml'), 1);
    expect(err).toContain(`show key ${OLD}`);
    expect((await run(reveal('old', 'lists.both.yaml', '--from', NOW), 1)).err).toContain(`show key ${OLD}`);
  });

  it('lines of apply', async () => {
    const line = (name: string) => place.read(name).split('\n')[0]!;
    const apply = (name: string, policy: string, ...more: string[]) =>
      place.run(['apply', '--ndjson', '--reveal', '--policy', policy, '--keys', 'k2.json', ...more], line(name));
    const wrong = await apply('old.shown.ndjson', 'shown.now.yaml');
    expect([wrong.code, wrong.out]).toEqual([1, '']);
    expect(wrong.err).toContain(`show key ${OLD}`);
    const right = await apply('old.shown.ndjson', 'shown.both.yaml');
    expect(JSON.parse(right.out)).toMatchObject({ name: 'Ada 0', pan: pan(0) });
    expect((await apply('old.shown.ndjson', 'shown.both.yaml', '--from', NOW)).err).toContain(`show key ${OLD}`);
    const usage = await place.run(['apply', '--ndjson', '--policy', 'shown.free.yaml', '--from', OLD]);
    expect([usage.code, usage.err]).toEqual([2, expect.stringContaining('--from is for --reveal')]);
  });

  it('a dry run, and rejects: the good records come out and the others are counted', async () => {
    const mixed = [place.read('now.shown.csv').trimEnd(), ...place.read('old.shown.csv').split('\n').slice(1, 4)];
    place.write('out.mixed.csv', `${mixed.join('\n')}\n`);
    const args = ['--policy', 'shown.now.yaml', '--keys', 'k2.json'];
    expect((await run(['reveal', 'old.shown.csv', ...args, '--dry-run'], 1)).err).toContain(`show key ${OLD}`);
    const rejects = ['--on-error', 'reject', '--rejects', 'out.rejects.ndjson', '--out', 'out.csv'];
    const { err } = await place.run(['reveal', 'out.mixed.csv', ...args, ...rejects]);
    expect(err).toContain('3 rows rejected');
    expect(place.read('out.csv')).toBe(
      `id,name,pan\n${place
        .read('now.shown.csv')
        .split('\n')
        .slice(1, -1)
        .map((line, i) => `${line.split(',')[0]},Ada ${i},${pan(i)}\n`)
        .join('')}`,
    );
  });

  it('functions of SQL see no other field, and need fromKey', async () => {
    const rule = policy(
      { name: seal({ scope: 'n' }), pan: fpe({ scope: 'pan', format: pattern('9999999999') }) },
      { keyCheck: { [OLD]: THIRD.domain('eu').keyCheck[OLD]!, [NOW]: THIRD.domain('eu').keyCheck[NOW]! } },
    );
    const made = rule.bind(SECOND.domain('eu')).protect({ name: 'Ada', pan: pan(1) });
    const options = { policy: rule, keys: SECOND.domain('eu'), access: revealAccess };
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await register(connection as never, options);
    const reveal = () => connection.runAndReadAll(`SELECT trefoil_reveal_pan('${made.pan}')`);
    await expect(reveal()).rejects.toThrow('epoch_required');
    const named = await (await DuckDBInstance.create(':memory:')).connect();
    await register(named as never, { ...options, fromKey: NOW });
    const found = await named.runAndReadAll(`SELECT trefoil_reveal_pan('${made.pan}')`);
    expect(found.getRows()).toEqual([[pan(1)]]);
  });

  it('a run that is resumed with another --from is another run', async () => {
    const bound = (fromKey: string) =>
      parsePolicy(parse(place.read('shown.both.yaml'))).bind(SECOND.domain('eu'), revealAccess, { fromKey });
    const files = [place.path('old.shown.csv'), place.path('out.csv')] as const;
    const stop = new AbortController();
    const big = place.read('old.shown.csv');
    place.write('out.big.csv', big + big.split('\n').slice(1).join('\n').repeat(20));
    const options = { resume: true, signal: stop.signal, onProgress: () => stop.abort() };
    await expect(revealFile(place.path('out.big.csv'), files[1], bound(OLD), options)).rejects.toThrow();
    expect(existsSync(`${files[1]}.resume.json`)).toBe(true);
    const again = revealFile(place.path('out.big.csv'), files[1], bound(NOW), { resume: true });
    await expect(again).rejects.toMatchObject({ code: 'resume_refused' });
    await revealFile(place.path('out.big.csv'), files[1], bound(OLD), { resume: true });
    expect(readFileSync(files[1], 'utf8').split('\n')).toHaveLength(ROWS * 21 + 2);
  });
});

describe('a table in which nothing shows the key', () => {
  const args = (policy: string, keys: string) => ['--policy', policy, '--keys', keys];
  const rekeyed = (input: string, out: string, from: string, more: readonly string[] = []) =>
    place.run(['rekey', input, ...args('bare.all.yaml', 'k3.json'), '--from', from, '--out', out, ...more]);

  it('is revealed only if its key is named, or the key file has no other', async () => {
    const both = args('bare.both.yaml', 'k2.json');
    const refused = await run(['reveal', 'old.bare.csv', ...both, '--out', 'out.csv'], 4);
    expect(refused.err).toContain('no field of the policy shows its key, and there are several keys');
    await run(['reveal', 'old.bare.csv', ...both, '--from', OLD, '--out', 'out.csv']);
    expect(place.read('out.csv')).toContain(pan(ROWS - 1));
    await run(['reveal', 'old.bare.csv', ...args('bare.old.yaml', 'k1.json'), '--out', 'out.one.csv']);
    expect(place.read('out.one.csv')).toBe(place.read('out.csv'));
  });

  it.each([
    ['by trefoil', [], 'csv'],
    ['by DuckDB', ['--engine', 'duckdb'], 'csv'],
    ['with resume', ['--resume'], 'csv'],
    ['compressed', [], 'csv.gz'],
  ])('gets a note that refuses a second rekey, %s', async (_, more, extension) => {
    const out = `out.${extension}`;
    const first = await rekeyed('old.bare.csv', out, OLD, more);
    expect(first.code, first.err).toBe(0);
    expect(first.err).toContain('keep the note .trefoil-rekeyed beside each output');
    const note = JSON.parse(place.read(`${out}.trefoil-rekeyed`)) as Record<string, string>;
    expect(note).toMatchObject({ trefoil: 'rekeyed-v1', domain: 'eu', from: OLD, to: LAST });
    const digest = await place.bash(`sha256sum ${out}`);
    expect(digest.out).toContain(note.sha256!);
    const second = await rekeyed(out, 'out2.csv', OLD, more);
    expect(second.code, second.err).toBe(1);
    expect(second.err).toContain(`${out}.trefoil-rekeyed) says that it was moved to key ${LAST}`);
    expect(existsSync(place.path('out2.csv'))).toBe(false);
    // It refuses to reveal under another key as well.
    const back = ['reveal', out, ...args('bare.all.yaml', 'k3.json'), '--out', 'out3.csv', ...more];
    expect((await place.run([...back, '--from', OLD])).err).toContain('was moved to key');
    await run([...back, '--from', LAST]);
    expect(place.read('out3.csv')).toContain(pan(ROWS - 1));
  });

  it('a note beside another content says nothing, and a copy without its note is not known', async () => {
    expect((await rekeyed('old.bare.csv', 'out.csv', OLD)).code).toBe(0);
    copyFileSync(place.path('now.bare.csv'), place.path('out.csv'));
    expect((await rekeyed('out.csv', 'out2.csv', NOW)).code).toBe(0);
    expect(place.read('out2.csv')).toBe(place.read('last.bare.csv'));
    renameSync(place.path('out2.csv'), place.path('out3.csv'));
    expect((await rekeyed('out3.csv', 'out4.csv', NOW)).code).toBe(0);
    // Garbage: this is the limit that the guide states.
    expect(place.read('out4.csv')).not.toBe(place.read('last.bare.csv'));
  });

  it('a note that cannot be read as one is refused', async () => {
    copyFileSync(place.path('old.bare.csv'), place.path('out.csv'));
    place.write('out.csv.trefoil-rekeyed', '{}');
    const refused = await rekeyed('out.csv', 'out2.csv', OLD);
    expect([refused.code, refused.err]).toEqual([5, expect.stringContaining('is not a note of trefoil rekey')]);
  });

  it('each output of a folder has its own note, and standard output has none', async () => {
    copyFileSync(place.path('old.bare.csv'), place.path('out.a.csv'));
    copyFileSync(place.path('old.bare.csv'), place.path('out.b.csv'));
    const move = [...args('bare.all.yaml', 'k3.json'), '--from', OLD];
    await run(['rekey', 'out.a.csv', 'out.b.csv', ...move, '--out-dir', 'out.dir']);
    const { out } = await place.bash('ls out.dir');
    expect(out.split('\n')).toEqual([
      'out.a.csv',
      'out.a.csv.trefoil-rekeyed',
      'out.b.csv',
      'out.b.csv.trefoil-rekeyed',
      '',
    ]);
    const piped = await run(['rekey', 'old.bare.csv', ...move]);
    expect(piped.err).toContain('standard output has no note');
  });

  it('in code as well', async () => {
    const keys = THIRD.domain('eu');
    const moving = rekey(
      parsePolicy(parse(place.read('bare.all.yaml'))),
      { from: keys, to: keys, fromKey: OLD },
      revealAccess,
    );
    await rekeyFile(place.path('old.bare.csv'), place.path('out.csv'), moving);
    expect(place.read('out.csv')).toBe(place.read('last.bare.csv'));
    const again = rekeyFile(place.path('out.csv'), place.path('out2.csv'), moving);
    await expect(again).rejects.toMatchObject({ code: 'already_rekeyed' });
  });
});

describe('messages', () => {
  it('an old key file under a policy that pins both keys: which key is missing', async () => {
    const { err } = await run(['protect', 'shown.csv', '--policy', 'shown.both.yaml', '--keys', 'k1.json'], 4);
    expect(err).toContain(`the policy pins key ${NOW}, which the key file lacks`);
    expect(err).toContain('use one that has all pinned keys');
  });

  it('--from of a retired key, and of no key', async () => {
    await run(['keys', 'retire', FIRST.primary, '--domain', 'eu', '--keys', 'k2.json', '--out', 'out.k.json']);
    const move = ['--policy', 'shown.now.yaml', '--keys', 'out.k.json'];
    for (const verb of ['rekey', 'reveal']) {
      const { err } = await run([verb, 'old.shown.csv', ...move, '--from', OLD], 2);
      expect(err).toMatch(new RegExp(`--from names key ${OLD}, which was retired on \\d{4}-\\d\\d-\\d\\d`));
    }
    const { err } = await run(['reveal', 'old.shown.csv', ...move, '--from', 'zzzzz'], 2);
    expect(err).toContain('which is not in the key file; the keys of domain eu are');
  });
});
