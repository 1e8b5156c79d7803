// Measures how long the command line takes to protect a file, and the peak of its memory, by file format and number
// of workers. Prints the table of docs/guide/etl.md. Two times are those of whole processes: the time on the clock and
// the time of the processor over all threads, which other work on the machine changes much less. Nothing is judged,
// because these numbers belong to one machine.
// `node bench/processes/rates.mjs [rows] [rounds]`
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const prepared = process.argv[2] === '--prepare' ? process.argv[3] : null;
const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 3);
const folder = prepared ?? mkdtempSync(join(tmpdir(), 'trefoil-rates-'));
const at = (name) => join(folder, name);

// Printed by the process that is measured, when it ends.
const REPORT = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stderr.write('\\nused ' + (userCPUTime + systemCPUTime) + ' ' + maxRSS + '\\n');
});`;

function run(args, stdout = 'ignore') {
  const begin = process.hrtime.bigint();
  const report = ['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`];
  const { status, stderr } = spawnSync(process.execPath, [...report, ...args], { stdio: ['ignore', stdout, 'pipe'] });
  if (status !== 0) throw new Error(stderr.toString());
  const clock = Number(process.hrtime.bigint() - begin) / 1e9;
  const [, microseconds, kibibytes] = /^used (\d+) (\d+)$/m.exec(stderr.toString());
  return { clock, processor: Number(microseconds) / 1e6, peak: Math.round(Number(kibibytes) / 1024) };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
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
  const { DuckDBInstance } = await import('@duckdb/node-api');
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

/** Measures all ways, in turn. */
function measure() {
  run(['.ci/data/make-million-rows.mjs', String(rows)], openSync(at('in.csv'), 'w'));
  // In a process of its own: Linux counts the memory of a process that starts another to the peak of the other.
  run(['bench/processes/rates.mjs', '--prepare', folder]);
  run(['dist/cli.js', 'keys', 'new', '--out', at('keys.json')]);
  const policy = ['--policy', 'bench/processes/files.policy.yaml', '--keys', at('keys.json'), '--force', '--out'];
  const found = WAYS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, [name, input, output, more]] of WAYS.entries()) {
      found[i].push(run(['dist/cli.js', 'protect', at(input), ...policy, at(output), ...more]));
      const { clock, processor, peak } = found[i].at(-1);
      const load = loadavg()[0].toFixed(1);
      console.error(`${name}: ${clock.toFixed(2)} s, processor ${processor.toFixed(2)} s, ${peak} MB, load ${load}`);
    }
  }
  console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}, ${rows} rows`);
  console.log(
    '\n| from, with | input | time | processor | rows a second of processor | peak |\n|---|--:|--:|--:|--:|--:|',
  );
  for (const [i, [name, input]] of WAYS.entries()) {
    const [clock, processor] = ['clock', 'processor'].map((time) => median(found[i].map((one) => one[time])));
    const megabytes = Math.round(statSync(at(input)).size / 1e6);
    const rate = (Math.round(rows / processor / 1000) * 1000).toLocaleString('en-GB');
    const peak = Math.max(...found[i].map((one) => one.peak));
    console.log(
      `| ${name} | ${megabytes} MB | ${clock.toFixed(1)} s | ${processor.toFixed(1)} s | ${rate} | ${peak} MB |`,
    );
  }
}

if (prepared !== null) {
  await writeNdjson();
  await writeParquet();
} else {
  try {
    measure();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
