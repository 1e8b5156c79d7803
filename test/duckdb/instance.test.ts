/** Checks what docs/guide/files/parquet.md says about instances of the caller, with the installed DuckDB. */
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { register } from '../../src/duckdb.ts';
import { keyset, policy, seal } from '../../src/index.ts';

const keys = keyset.generate().domain('sql');
const people = policy({ name: seal({ scope: 'n' }) });

/** Rows that do not fit into the memory of the instance, with and through a function. */
const SPILLS = `CREATE TEMP TABLE t AS SELECT name, trefoil_protect_name(name) AS sealed FROM (
  SELECT 'Lovelace ' || i || md5(i::VARCHAR) || md5((i * 7)::VARCHAR) AS name FROM range(300000) AS r(i))`;

async function open(options: Record<string, string>) {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '30MB', threads: '1', ...options });
  const connection = await instance.connect();
  await register(connection as never, { policy: people, keys });
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  return { run: (sql: string) => connection.run(sql), close };
}

const folder = () => mkdtempSync(join(tmpdir(), 'trefoil-duckdb-'));

test('with a temporary folder it writes values there in clear, as everyone may read them', async () => {
  const place = folder();
  const { run, close } = await open({ temp_directory: join(place, 'spill') });
  try {
    await run(SPILLS);
    const files = readdirSync(join(place, 'spill')).map((name) => join(place, 'spill', name));
    expect(files.some((file) => readFileSync(file).includes('Lovelace'))).toBe(true);
    expect(files.every((file) => (statSync(file).mode & 0o777) === (0o666 & ~process.umask()))).toBe(true);
  } finally {
    close();
  }
});

test('without one the statement fails, and nothing is written', async () => {
  const before = readdirSync('.');
  const { run, close } = await open({ temp_directory: '' });
  try {
    await expect(run(SPILLS)).rejects.toThrow('Out of Memory');
  } finally {
    close();
  }
  expect(readdirSync('.')).toEqual(before);
});

test('encrypting temporary files needs an extension from the network', async () => {
  const { run, close } = await open({ temp_directory: join(folder(), 'spill'), temp_file_encryption: 'true' });
  try {
    await expect(run(SPILLS)).rejects.toThrow('httpfs');
  } finally {
    close();
  }
});
