// Whole processes, in turn: a million rows with two workers against csv-parse and csv-stringify copying them, two workers
// against one, and the first row against an empty program. `node .ci/etl-ratio.mjs [rows] [rounds]`
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-etl-'));
const at = (name) => join(folder, name);

const COPY = `
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse } from ${JSON.stringify(resolve('node_modules/csv-parse/lib/index.js'))};
import { stringify } from ${JSON.stringify(resolve('node_modules/csv-stringify/lib/index.js'))};
const [, , from, to] = process.argv;
await pipeline(createReadStream(from), parse(), stringify(), createWriteStream(to));
`;

function seconds(args, input) {
  const stdin = input === undefined ? 'ignore' : openSync(input);
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: [stdin, 'ignore', 'pipe'] });
  const took = Number(process.hrtime.bigint() - begin) / 1e9;
  if (typeof stdin === 'number') closeSync(stdin);
  if (status !== 0) throw new Error(stderr.toString());
  return took;
}

const sorted = (values) => values.toSorted((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];

/** Runs the ways in turn and prints the ratio of two of them. */
function compare(what, ways, [over, under], limit, times) {
  const ratios = [];
  for (let round = 0; round < times; round++) {
    const took = {};
    const names = Object.keys(ways);
    for (const name of round % 2 === 0 ? names : names.reverse()) took[name] = ways[name]();
    ratios.push(took[over] / took[under]);
  }
  const ok = limit(median(ratios));
  const all = sorted(ratios).map((ratio) => ratio.toFixed(2));
  console.log(`${what}: ${median(ratios).toFixed(2)} (${all.join(' ')})${ok ? '' : ' - not reached'}`);
  if (!ok) process.exitCode = 1;
}

try {
  execFileSync(process.execPath, ['.ci/make-million-rows.mjs', String(rows)], {
    stdio: ['ignore', openSync(at('in.csv'), 'w'), 'inherit'],
  });
  execFileSync(process.execPath, ['dist/cli.js', 'keys', 'new', '--out', at('keys.json')], { stdio: 'ignore' });
  writeFileSync(at('copy.mjs'), COPY);
  writeFileSync(at('one.ndjson'), '{"id":"1","name":"Ada","email":"a@b.cd","card":"4111111111111111","born":"1815-12-10","city":"x","phone":"1"}\n');
  const policy = ['--policy', '.ci/etl.policy.yaml', '--keys', at('keys.json')];
  const protect = (workers) => () =>
    seconds(['dist/cli.js', 'protect', at('in.csv'), ...policy, '--out', at('out.csv'), '--force', '--workers', workers]);
  const ways = { one: protect('1'), two: protect('2'), copy: () => seconds([at('copy.mjs'), at('in.csv'), at('copy.csv')]) };
  compare('two workers, of the copy', { two: ways.two, copy: ways.copy }, ['two', 'copy'], (ratio) => ratio <= 1, rounds);
  // CPU-bound on both cores: the limit leaves room for what else the machine does.
  compare('one worker, of two', { one: ways.one, two: ways.two }, ['one', 'two'], (ratio) => ratio >= 1.4, rounds);
  const first = () => seconds(['dist/cli.js', 'apply', '--ndjson', ...policy], at('one.ndjson'));
  const empty = () => seconds(['-e', '0']);
  compare('the first row, of node -e 0', { first, empty }, ['first', 'empty'], (ratio) => ratio <= 4, 15);
} finally {
  rmSync(folder, { recursive: true });
}
