/** DuckDB: functions of SQL, and files through the engine. A real engine, real files, the real command line. */
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { register } from '../../src/duckdb.ts';
import { coarsen, constant, drop, each, keep, keyset, mask, policy, seal, token } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { makePlace, type Place } from '../cli/harness.ts';

type Row = readonly unknown[];

const keys = keyset.generate().domain('sql');
const people = policy({
  id: token({ scope: 'person' }),
  name: seal({ scope: 'person.name' }),
  age: seal({ scope: 'person.age', value: 'integer' }),
  born: coarsen({ date: 'year' }),
  phone: mask({ last: 3 }),
  source: constant({ value: 'crm' }),
  'home.city': keep,
  gone: drop,
});

async function open(): Promise<{ rows: (sql: string) => Promise<readonly Row[]>; connection: never }> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  return {
    connection: connection as never,
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRows() as readonly Row[],
  };
}

describe('register', () => {
  test('registers a function for each field that is not dropped, and functions that reveal only with the access', async () => {
    const { rows, connection } = await open();
    await register(connection, { policy: people, keys });
    const named =
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_name LIKE 'trefoil_%' ORDER BY 1";
    const fields = ['age', 'born', 'home_city', 'id', 'name', 'phone', 'source'];
    expect((await rows(named)).map(([name]) => name)).toEqual(fields.map((field) => `trefoil_protect_${field}`));
    await register(connection, { policy: people, keys, access: revealAccess });
    expect(await rows(named)).toHaveLength(fields.length * 2);
  });

  test('protects and reveals as the policy does, over many vectors', async () => {
    const { rows, connection } = await open();
    await register(connection, { policy: people, keys, access: revealAccess });
    const count = 10_000;
    const found = await rows(
      `SELECT trefoil_protect_id(i::VARCHAR), trefoil_protect_name('Zoë ' || i), trefoil_protect_age(i::VARCHAR),
         trefoil_protect_born('1999-01-31'), trefoil_protect_phone('+4930' || i), trefoil_protect_source('x'),
         trefoil_protect_home_city('Oslo'), trefoil_reveal_name(trefoil_protect_name('Zoë ' || i))
       FROM range(${count}) AS t(i) ORDER BY i`,
    );
    const id = token({ scope: 'person' }).bind(keys);
    const name = seal({ scope: 'person.name' }).bind(keys);
    const age = seal({ scope: 'person.age', value: 'integer' }).bind(keys);
    expect(found).toHaveLength(count);
    for (const [i, row] of found.entries()) {
      expect(row).toEqual([
        id.protect(`${i}`),
        name.protect(`Zoë ${i}`),
        age.protect(i),
        '1999',
        `***${`+4930${i}`.slice(-3)}`,
        'crm',
        'Oslo',
        `Zoë ${i}`,
      ]);
    }
  });

  test('NULL is a missing value, and the empty text is not', async () => {
    const { rows, connection } = await open();
    await register(connection, { policy: people, keys });
    const [row] = await rows("SELECT trefoil_protect_id(NULL), trefoil_protect_id(''), trefoil_protect_home_city('')");
    expect(row).toEqual([null, '', '']);
  });

  test('an error names field and code, never a value, at any place in a vector', async () => {
    const { rows, connection } = await open();
    await register(connection, { policy: people, keys });
    const statements = [
      "SELECT trefoil_protect_born('Lovelace')",
      "SELECT trefoil_protect_born(CASE WHEN i = 4999 THEN 'Lovelace' ELSE '1999-01-31' END) FROM range(5000) AS t(i)",
      "SELECT trefoil_protect_age('Lovelace')",
    ];
    for (const sql of statements) {
      const error = await rows(sql).catch((thrown: unknown) => thrown);
      expect(String(error)).toMatch(/trefoil: field (born|age): .* \((not_a_date|not_an_integer)\)$/);
      expect(String(error)).not.toContain('Lovelace');
    }
  });

  test('refuses a policy with arrays, two fields with one name in SQL, and wrong arguments', async () => {
    const { connection } = await open();
    const nested = policy({ items: each({ sku: keep }) });
    await expect(register(connection, { policy: nested, keys })).rejects.toMatchObject({ code: 'not_tabular' });
    const twice = policy({ 'a b': keep, a_b: keep } as never);
    await expect(register(connection, { policy: twice as never, keys })).rejects.toMatchObject({
      code: 'path_conflict',
    });
    await expect(register({} as never, { policy: people, keys })).rejects.toThrow(TypeError);
    await expect(register(connection, { policy: {} as never, keys })).rejects.toThrow(TypeError);
    await expect(register(connection, { policy: people, keys, more: 1 } as never)).rejects.toThrow(TypeError);
  });
});

describe('the engine of the command line', () => {
  let place: Place;
  const P = ['--policy', 'p.yaml', '--keys', 'k.json', '--quiet'];
  const CSV = [
    'id,name,born,note,gone',
    '1,"Zoë, ""x""",1999-01-31,"two\nlines",a',
    '2,,1999-01-31,,b',
    "3,O'Brien,,  spaces ,c",
    '4,\\N,2001-02-03,"",d',
    '',
  ].join('\n');

  beforeAll(async () => {
    place = makePlace();
    place.write(
      'p.yaml',
      'trefoil: 1\ndomain: sql\nfields:\n  id: { rule: token, scope: p }\n  name: { rule: seal, scope: n }\n' +
        '  born: { rule: coarsen, date: year }\n  note: keep\n  gone: drop\n',
    );
    place.write('in.csv', CSV);
    expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
  });
  afterAll(() => place.remove());

  const query = async (sql: string): Promise<readonly Row[]> =>
    (await open()).rows(sql.replaceAll('@', `${place.dir}/`));
  const values = (file: string): Promise<readonly Row[]> =>
    query(`SELECT * FROM read_csv('@${file}', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
      nullstr = '', allow_quoted_nulls = false, columns = {'id': 'VARCHAR', 'name': 'VARCHAR', 'born': 'VARCHAR', 'note': 'VARCHAR'})`);

  test('CSV to CSV has the values of the other engine', async () => {
    expect(await place.run(['protect', 'in.csv', ...P, '--out', 'a.csv'])).toMatchObject({ code: 0 });
    expect(await place.run(['protect', 'in.csv', ...P, '--out', 'b.csv', '--engine', 'duckdb'])).toMatchObject({
      code: 0,
      err: '',
    });
    const due = await values('a.csv');
    expect(due).toHaveLength(4);
    expect(await values('b.csv')).toEqual(due);
    // Empty cells with and without quotes, as they were read.
    expect(due.map(([, name, , note]) => [name, note])).toMatchObject({ 1: [null, null], 3: [expect.any(String), ''] });
  });

  test('CSV to Parquet, protected and revealed', async () => {
    expect(await place.run(['protect', 'in.csv', ...P, '--out', 'safe.parquet'])).toMatchObject({ code: 0, err: '' });
    expect(await query("SELECT * FROM read_parquet('@safe.parquet')")).toEqual(await values('a.csv'));
    const back = await place.run(['reveal', 'safe.parquet', ...P, '--out', 'back.parquet']);
    expect(back).toMatchObject({ code: 0, err: '' });
    const names = await query("SELECT name FROM read_parquet('@back.parquet')");
    expect(names.flat()).toEqual(['Zoë, "x"', null, "O'Brien", '\\N']);
    expect(place.files().filter((name) => /part|tmp/.test(name))).toEqual([]);
  });

  test('Parquet keeps the types of kept columns, and NULL apart from the empty text', async () => {
    await query(
      `COPY (SELECT i AS id, CASE WHEN i = 1 THEN NULL WHEN i = 2 THEN '' ELSE 'n' END AS name, DATE '1999-01-31' AS born,
         i * 1.5 AS note, 'x' AS gone FROM range(5000) AS t(i)) TO '@typed.parquet' (FORMAT parquet)`,
    );
    expect(await place.run(['protect', 'typed.parquet', ...P, '--out', 'typed.safe.parquet'])).toMatchObject({
      code: 0,
      err: '',
    });
    const described = await query(
      "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('@typed.safe.parquet'))",
    );
    expect(described).toEqual([
      ['id', 'VARCHAR'],
      ['name', 'VARCHAR'],
      ['born', 'VARCHAR'],
      ['note', 'DECIMAL(21,1)'],
    ]);
    const [head] = await query(
      "SELECT count(*), count(name), count(*) FILTER (name = ''), min(born) FROM read_parquet('@typed.safe.parquet')",
    );
    expect(head).toEqual([5000n, 4999n, 1n, '1999']);
  });

  test('a byte order mark, names from --header, several inputs and no last line end', async () => {
    const two = (text: string) => `\ufeff${text}`;
    place.write('one.csv', two('id,name,born,note,gone\n1,a,1999-01-31,"x\n\ny",z\n2,b,,,'));
    place.write('two.csv', 'id,name,born,note,gone\r\n3,c,,,\r\n');
    place.write('three.csv', 'id,name,born,note,gone\n3,c,,"",\n');
    const args = [...P, '--force', '--engine', 'duckdb', '--out'];
    expect((await place.run(['protect', 'one.csv', 'two.csv', ...args, 'never.csv'])).err).toContain('two.csv');
    expect(await place.run(['protect', 'one.csv', 'three.csv', ...args, 'both.csv'])).toMatchObject({
      code: 0,
      err: '',
    });
    expect((await values('both.csv')).map((row) => row[3])).toEqual(['x\n\ny', null, '']);
    place.write('bare.csv', '1,a,1999-01-31,"x\n\ny",z\n2,b,,,\n');
    const names = ['--header', 'id,name,born,note,gone'];
    expect(await place.run(['protect', 'bare.csv', ...names, ...args, 'bare.safe.csv'])).toMatchObject({
      code: 0,
      err: '',
    });
    expect(place.read('bare.safe.csv').split('\n')).toHaveLength(5);
  });

  test('a value that does not fit: row and field, no value, no file', async () => {
    place.write('bad.csv', `${CSV}5,x,Lovelace,y,z\n`);
    await query(
      "COPY (SELECT 1 AS id, 'x' AS name, CASE WHEN i = 3000 THEN 'Lovelace' ELSE '1999-01-31' END AS born, 'n' AS note, 'g' AS gone FROM range(5000) AS t(i)) TO '@bad.parquet' (FORMAT parquet)",
    );
    for (const [input, said] of [
      ['bad.csv', 'row 5, line 7, field born: '],
      ['bad.parquet', 'row 3001, field born: '],
    ] as const) {
      const ended = await place.run(['protect', input, ...P, '--out', 'never.parquet']);
      expect(ended).toMatchObject({ code: 1, out: '' });
      expect(ended.err).toContain(`trefoil: error: ${said}`);
      expect(ended.err).not.toContain('Lovelace');
      expect(place.files().filter((name) => /never|part/.test(name))).toEqual([]);
    }
  });

  test('a fault in a file is reported by our own readers', async () => {
    place.write('ragged.csv', `${CSV}5,Lovelace,1999-01-31\n`);
    place.write('not.parquet', 'Lovelace');
    const ragged = await place.run(['protect', 'ragged.csv', ...P, '--out', 'never.parquet']);
    expect(ragged).toMatchObject({ code: 1 });
    expect(ragged.err).toContain('row 5, line 7, column 1: expected 5 cells as in the header, got 3');
    const not = await place.run(['protect', 'not.parquet', ...P, '--out', 'never.parquet']);
    expect(not).toMatchObject({ code: 5 });
    for (const { err } of [ragged, not]) expect(err).not.toContain('Lovelace');
  });

  test('options that do not work with it are refused', async () => {
    const args = ['protect', 'in.csv', ...P, '--out', 'never.parquet'];
    for (const more of [
      ['--workers', '2'],
      ['--resume'],
      ['--on-error', 'reject', '--rejects', 'r.ndjson'],
      ['--limit', '3'],
      ['--engine', 'trefoil'],
      ['--format', 'ndjson'],
    ]) {
      const ended = await place.run([...args, ...more]);
      expect(ended, more.join(' ')).toMatchObject({ code: 2, out: '' });
    }
    for (const [input, output] of [
      ['in.csv.gz', 'never.parquet'],
      ['in.csv', 'never.csv.gz'],
    ] as const) {
      place.write('in.csv.gz', 'packed');
      const packed = await place.run([
        'protect',
        input,
        ...P,
        '--format',
        'csv',
        '--engine',
        'duckdb',
        '--out',
        output,
      ]);
      expect(packed).toMatchObject({ code: 2, out: '' });
      expect(packed.err).toContain('takes no compressed files');
    }
    const pipe = await place.bash(`mkfifo pipe.csv; timeout 20 $T protect pipe.csv ${P.join(' ')} --out never.parquet`);
    expect(pipe).toMatchObject({ code: 5, out: '' });
    expect(pipe.err).toContain('pipe.csv: cannot be read by DuckDB: it is not a regular file');
    const nowhere = await place.run(['protect', 'nowhere.parquet', ...P, '--out', 'never.csv']);
    expect(nowhere).toMatchObject({ code: 5 });
    expect(nowhere.err).toContain('there is no such file or folder');
    const piped = await place.run(
      ['protect', '-', ...P, '--format', 'csv', '--engine', 'duckdb', '--out', 'never.csv'],
      CSV,
    );
    expect(piped.code).toBe(2);
    expect((await place.run([...args.slice(0, -1), 'safe.parquet'])).err).toContain('the output exists');
    expect(place.files().filter((name) => /never|trefoil-/.test(name))).toEqual([]);
  });
});
