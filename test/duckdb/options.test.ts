/** The options that say what a value means and whom it joins with, through DuckDB: functions of SQL, and Parquet. */
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../src/duckdb.ts';
import { coarsen, keep, keyset, policy, seal, shiftDate, token } from '../../src/index.ts';
import { readDate, readEpoch, readNumber, readPhone } from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import { protectTsv, revealTsv } from '../../src/tsv.ts';
import { makePlace, type Place } from '../cli/harness.ts';
import { textOf } from '../io/helpers.ts';
import { query as queryIn } from './query.ts';

const keys = keyset.generate().domain('sql');

const people = policy(
  {
    id: token({ scope: 'person', per: ['tenant', 'country'], after: 'Patient/' }),
    tenant: keep,
    country: keep,
    phone: token({ scope: 'phone', read: readPhone('DE'), missing: ['', 'none'] }),
    born: token({ scope: 'birth', read: readDate('DD.MM.YYYY') }),
    turnover: coarsen({ number: 100, read: readNumber('1.234,5'), missing: ['', 'NA'] }),
    seen: shiftDate({ scope: 'visit', subject: 'tenant', days: 90, read: readEpoch('seconds') }),
    balance: seal({ scope: 'balance', value: 'json' }),
    name: seal({ scope: 'name', value: 'date', missing: [] }),
  },
  { keyCheck: keys.keyCheck, missing: ['', '-'] },
);
const FIELDS = ['id', 'phone', 'born', 'turnover', 'seen', 'balance', 'name'] as const;
const NAMES = ['id', 'tenant', 'country', 'phone', 'born', 'turnover', 'seen', 'balance', 'name'] as const;

/** Cells in the order of {@link NAMES}. `null` is NULL. */
const ROWS: readonly (readonly (string | null)[])[] = [
  ['Patient/4711', 'a', 'DE', '030/901820', '31.03.1984', '1.234,50', '1711872900', '12.50', '2024-03-31'],
  ['Patient/4711', 'b', 'DE', '+49 30 901820', '31.3.1984', '99,00', '1711872900', '6150769120280496265', '2024-03-31'],
  ['Patient/4711', 'b', 'FR', 'none', '-', 'NA', '-', 'true', '2024-03-31'],
  ['-', 'a', 'DE', '', '', '', null, '1e400', '2024-02-29T08:15:00Z'],
  [null, 'a', '-', null, null, null, '0', '-0', '2024-03-31'],
  ['Patient/4712', 'a', 'DE', '030/901820', '31.03.1984', '0,5', '1711872900', 'twelve', '2024-03-31'],
];

/** The rows through TSV, which has NULL as SQL does: what both must make of a value is the same. */
async function throughTsv(run: typeof protectTsv | typeof revealTsv, rows: typeof ROWS, bound: never) {
  const lines = rows.map((row) => row.map((cell) => cell ?? '\\N').join('\t'));
  const out = await textOf(run([`${[NAMES.join('\t'), ...lines].join('\n')}\n`], bound));
  const cells = out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  return cells.map((row) => row.map((cell) => (cell === '\\N' ? null : cell)));
}

const literal = (cell: string | null): string => (cell === null ? 'NULL' : `'${cell.replaceAll("'", "''")}'`);

/** The further arguments of a function: what the rule looks at. */
const ARGUMENTS: Readonly<Record<string, string>> = { id: ', tenant, country', seen: ', tenant' };

describe('functions of SQL', () => {
  const call = (direction: string, rows: typeof ROWS) => {
    const values = rows.map((row, i) => `(${i}, ${row.map(literal).join(', ')})`).join(', ');
    const calls = FIELDS.map((field) => `trefoil_${direction}_${field}(${field}${ARGUMENTS[field] ?? ''})`).join(', ');
    return `SELECT tenant, country, ${calls} FROM (VALUES ${values}) AS t(i, ${NAMES.join(', ')}) ORDER BY i`;
  };
  /** Rows of a result in the order of {@link NAMES}. */
  const ordered = (rows: readonly (readonly unknown[])[]) =>
    rows.map((row) => NAMES.map((name) => row[['tenant', 'country', ...FIELDS].indexOf(name)] as string | null));

  test('take missing, read, per, after and value as a table does, and give back the same', async () => {
    const connection = await (await DuckDBInstance.create(':memory:', { temp_directory: '' })).connect();
    await register(connection as never, { policy: people, keys, access: revealAccess });
    const run = async (sql: string) => ordered((await connection.runAndReadAll(sql)).getRows());
    const bound = people.bind(keys, revealAccess) as never;

    const made = await run(call('protect', ROWS));
    expect(made).toEqual(await throughTsv(protectTsv, ROWS, bound));
    const column = (name: (typeof NAMES)[number]) => made.map((row) => row[NAMES.indexOf(name)]);
    // One token per tenant and country, and what stays in clear is in front of it.
    expect(new Set(column('id').filter((id) => id?.startsWith('Patient/'))).size).toBe(4);
    expect(column('id').slice(3, 5)).toEqual(['-', null]);
    expect(column('id')[0]).toMatch(/^Patient\/[0-9a-z]+$/);
    expect(column('phone')[0]).toBe(column('phone')[1]);
    expect(column('phone').slice(2, 5)).toEqual(['none', '', null]);
    expect(column('born')[0]).toBe(column('born')[1]);
    expect(column('turnover')).toEqual(['1200', '0', 'NA', '', null, '0']);
    for (const sealed of [...column('balance'), ...column('name')]) expect(sealed).toMatch(/^[\w-]{40,}$/);

    const back = await run(call('reveal', made));
    expect(back).toEqual(await throughTsv(revealTsv, made, bound));
    const original = (name: (typeof NAMES)[number]) => ROWS.map((row) => row[NAMES.indexOf(name)]);
    for (const name of ['balance', 'name'] as const)
      expect(back.map((row) => row[NAMES.indexOf(name)])).toEqual(original(name));
  });

  test('refuse what the options do not allow, without the value', async () => {
    const connection = await (await DuckDBInstance.create(':memory:', { temp_directory: '' })).connect();
    await register(connection as never, { policy: people, keys });
    for (const [sql, message] of [
      ["trefoil_protect_id('Lovelace', 'a', 'DE')", /field id: .*does not begin with the text/],
      ["trefoil_protect_id('Patient/Lovelace', NULL, 'DE')", /field id: the context, field tenant, is missing/],
      ["trefoil_protect_seen('1711872900', '-')", /field seen: .*missing_subject/],
      ["trefoil_protect_born('Lovelace')", /field born: .*DD\.MM\.YYYY/],
      ["trefoil_protect_turnover('Lovelace')", /field turnover: /],
      ["trefoil_protect_phone('Lovelace')", /field phone: /],
      ["trefoil_protect_name('Lovelace')", /field name: /],
    ] as const) {
      const error = await connection.run(`SELECT ${sql}`).then(
        () => null,
        (reason: Error) => reason,
      );
      expect(error?.message).toMatch(message);
      expect(error?.message).not.toContain('Lovelace');
    }
    // A function with a context has a further argument.
    await expect(connection.run("SELECT trefoil_protect_id('Patient/1')")).rejects.toThrow('No function matches');
  });
});

describe('seal with value: json through Parquet', () => {
  let place: Place;
  beforeAll(async () => {
    place = makePlace();
    expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
    place.write('p.yaml', 'trefoil: 1\ndomain: sql\nfields:\n  id: keep\n  v: { rule: seal, scope: v, value: json }\n');
  });
  afterAll(() => place.remove());
  const query = (sql: string) => queryIn(place.dir, sql);
  const P = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet', '--force'];
  const good = async (command: string, input: string, output: string) => {
    const ended = await place.run([command, input, ...P, '--out', output]);
    expect(ended, ended.err).toMatchObject({ code: 0, err: '' });
  };

  test.each([
    [
      'VARCHAR',
      "('12.50'), ('-0'), ('true'), ('twelve'), (''), (NULL), ('6150769120280496265'), ('1e400'), ('{\"a\":1}')",
    ],
    ['BIGINT', '(6150769120280496265), (-1), (0), (NULL)'],
    ['DECIMAL(9,2)', '(12.50), (-0.10), (NULL)'],
    ['BOOLEAN', '(true), (false), (NULL)'],
    ['DATE', "('2024-03-31'), (NULL)"],
  ])('%s comes back as its text, and is sealed as the same cell of CSV is', async (type, values) => {
    const rows = `SELECT row_number() OVER () AS id, v::${type} AS v FROM (VALUES ${values}) AS t(v)`;
    await query(`COPY (${rows}) TO '@in.parquet' (FORMAT parquet)`);
    await query(`COPY (SELECT id, v::VARCHAR AS v FROM '@in.parquet') TO '@in.csv' (FORMAT csv, HEADER)`);
    await good('protect', 'in.parquet', 'safe.parquet');
    await good('protect', 'in.csv', 'safe.csv');
    const csv = "read_csv('@safe.csv', header = true, all_varchar = true, allow_quoted_nulls = false)";
    const sealed = await query("SELECT v FROM '@safe.parquet' ORDER BY id");
    expect(sealed).toEqual(await query(`SELECT v FROM ${csv} ORDER BY id::INTEGER`));
    expect(
      sealed
        .flat()
        .filter((v) => v !== null && v !== '')
        .every((v) => /^[\w-]{40,}$/.test(String(v))),
    ).toBe(true);
    await good('reveal', 'safe.parquet', 'back.parquet');
    const back = await query("SELECT v FROM '@back.parquet' ORDER BY id");
    expect(back).toEqual(await query("SELECT v::VARCHAR FROM '@in.parquet' ORDER BY id"));
  });

  test('a binary fraction is refused, because its text is not exact', async () => {
    await query("COPY (SELECT 1 AS id, 0.1::DOUBLE AS v) TO '@in.parquet' (FORMAT parquet)");
    const ended = await place.run(['protect', 'in.parquet', ...P, '--out', 'never.parquet']);
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('field v: the column is a DOUBLE, whose text is not exact');
  });
});
