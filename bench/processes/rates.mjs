// Measures how many rows and megabytes a second the command line protects, and the peak of its memory, by file format
// and number of workers. Prints the table of docs/guide/etl.md. The time is that of the whole process, so it includes
// the start of Node and of the workers. Nothing is judged: these numbers belong to one machine.
// `node bench/processes/rates.mjs [rows] [rounds]`
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-rates-'));
const at = (name) => join(folder, name);

function run(args, stdout = 'ignore') {
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'] });
  if (status !== 0) throw new Error(stderr.toString());
  const peak = Number(/^peak memory: (\d+) MB$/m.exec(stderr.toString())?.[1]);
  return { seconds: Number(process.hrtime.bigint() - begin) / 1e9, peak };
}

/** Writes the rows of the CSV file as NDJSON. No cell is quoted in it. */
async function writeNdjson() {
  const out = createWriteStream(at('in.ndjson'));
  let names = null;
  for await (const line of createInterface({ input: createReadStream(at('in.csv')) })) {
    const cells = line.split(',');
    if (names === null) names = cells;
    else out.write(`${JSON.stringify(Object.fromEntries(cells.map((cell, i) => [names[i], cell])))}\n`);
  }
  await new Promise((done) => out.end(done));
}

async function writeParquet() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`COPY (FROM read_csv('${at('in.csv')}', all_varchar = true)) TO '${at('in.parquet')}'`);
  connection.closeSync();
}

const WAYS = [
  ['CSV, one thread', 'in.csv', 'out.csv', []],
  ['CSV, two workers', 'in.csv', 'out.csv', ['--workers', '2']],
  ['NDJSON, one thread', 'in.ndjson', 'out.ndjson', []],
  ['NDJSON, two workers', 'in.ndjson', 'out.ndjson', ['--workers', '2']],
  ['CSV to Parquet, through DuckDB', 'in.csv', 'out.parquet', []],
  ['Parquet, through DuckDB', 'in.parquet', 'out.parquet', []],
];

try {
  run(['.ci/data/make-million-rows.mjs', String(rows)], openSync(at('in.csv'), 'w'));
  await writeNdjson();
  await writeParquet();
  run(['dist/cli.js', 'keys', 'new', '--out', at('keys.json')]);
  const fixed = ['--import', './.ci/data/report-peak.mjs', 'dist/cli.js', 'protect'];
  const policy = ['--policy', 'bench/processes/files.policy.yaml', '--keys', at('keys.json'), '--force', '--out'];
  const found = WAYS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, [name, input, output, more]] of WAYS.entries()) {
      found[i].push(run([...fixed, at(input), ...policy, at(output), ...more]));
      const { seconds, peak } = found[i].at(-1);
      console.error(
        `round ${round + 1}, ${name}: ${seconds.toFixed(2)} s, ${peak} MB, load ${loadavg()[0].toFixed(1)}`,
      );
    }
  }
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}, ${rows} rows`);
  console.log('\n| from, with | input | rows a second | MB a second | peak |\n|---|--:|--:|--:|--:|');
  for (const [i, [name, input]] of WAYS.entries()) {
    const { seconds } = found[i].toSorted((a, b) => a.seconds - b.seconds)[rounds >> 1];
    const megabytes = statSync(at(input)).size / 1e6;
    const rate = (Math.round(rows / seconds / 1000) * 1000).toLocaleString('en-GB');
    const peak = Math.max(...found[i].map((one) => one.peak));
    console.log(
      `| ${name} | ${Math.round(megabytes)} MB | ${rate} | ${(megabytes / seconds).toFixed(1)} | ${peak} MB |`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
