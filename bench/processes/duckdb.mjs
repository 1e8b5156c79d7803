// Protects a CSV file of a million rows into Parquet with `--engine duckdb`. Its time is compared with the sum of two:
// of DuckDB, which copies the file to Parquet, and of the same rules on plain columns. All are timed in turn.
// `node bench/processes/duckdb.mjs [rows] [rounds]`
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inTurn, judge, seconds } from './ratios.mjs';

const [, script, first, second, file] = process.argv;

/** Copies the file with DuckDB alone, with the settings that the engine uses. */
async function copy() {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const settings = { threads: '1', temp_directory: '', autoload_known_extensions: 'false' };
  const connection = await (await DuckDBInstance.create(':memory:', settings)).connect();
  const names = ['id', 'name', 'email', 'phone', 'card', 'born', 'city'].map((name) => `'${name}': 'VARCHAR'`);
  const csv = `read_csv('${second}', auto_detect = false, header = true, delim = ',', columns = {${names.join(', ')}})`;
  await connection.run(`COPY (SELECT * FROM ${csv}) TO '${file}' (FORMAT parquet)`);
}

/** Applies the rules to columns of 2,048 texts that are already in memory, and prints the seconds that this took. */
async function rules() {
  const { keyset } = await import('trefoil');
  const { parsePolicy } = await import('trefoil/policy');
  const { parse } = await import('yaml');
  const policy = parsePolicy(parse(readFileSync('bench/processes/files.policy.yaml', 'utf8')));
  const bound = policy.bind(keyset.parse(readFileSync(file, 'utf8')).domain('load'));
  const [header, ...lines] = readFileSync(second, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  const batches = [];
  for (let i = 0; i < lines.length; i += 2048) {
    const rows = lines.slice(i, i + 2048).map((line) => line.split(','));
    batches.push(Object.fromEntries(names.map((name, c) => [name, rows.map((row) => row[c])])));
  }
  const begin = performance.now();
  for (const batch of batches) bound.protectColumns(batch);
  console.log((performance.now() - begin) / 1000);
}

function compare(rows, rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-duckdb-'));
  const at = (name) => join(folder, name);
  try {
    execFileSync(process.execPath, ['.ci/data/make-million-rows.mjs', String(rows)], {
      stdio: ['ignore', openSync(at('in.csv'), 'w'), 'inherit'],
    });
    execFileSync(process.execPath, ['dist/cli.js', 'keys', 'new', '--out', at('keys.json')], { stdio: 'ignore' });
    const run = [
      'dist/cli.js',
      'protect',
      at('in.csv'),
      '--policy',
      'bench/processes/files.policy.yaml',
      '--keys',
      at('keys.json'),
    ];
    const took = inTurn(
      {
        engine: () => seconds([...run, '--engine', 'duckdb', '--out', at('out.parquet'), '--force']),
        alone: () => seconds([script, 'copy', at('in.csv'), at('copy.parquet')]),
        rules: () => Number(execFileSync(process.execPath, [script, 'rules', at('in.csv'), at('keys.json')])),
      },
      rounds,
    );
    judge(
      `--engine duckdb, ${rows} rows, time / sum of the times of both parts`,
      took.map(({ engine, alone, rules }) => engine / (alone + rules)),
      1.5,
      2,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (first === 'copy') await copy();
else if (first === 'rules') await rules();
else compare(Number(first ?? 1_000_000), Number(second ?? 3));
