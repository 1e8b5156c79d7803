/**
 * `npm run bench [-- NAME… --quick --guard]`: the benchmarks of the built package (`dist/`).
 *
 * NAME runs only the cases whose file or text contains it. `--quick` takes ten seconds instead of half a minute and
 * gives wider intervals. `--guard` exits with 1 when the whole interval of a ratio lies below its floor. Without it the
 * run only fails for a wrong output, for an error, or for a harness that cannot be trusted.
 *
 * Each file of FILES is a hot path and exports `cases`, a list of functions that each give one:
 *
 *     { work, against, floor?, aim?, target?, check, ours, rival? }
 *
 * `check` compares the outputs of both sides and runs here before anything is timed; then child.mjs times the case,
 * both sides in one process, which is fresh so that no case feels the one before. `ours` and `rival` are sides of
 * harness.mjs. `floor` and `aim` are ratios. A case without a rival has at most a `target` in values a second, which is
 * printed and never judged: absolute times belong to a machine.
 *
 * What the ratios compare with is in rivals/, a package of its own with exact versions and a lock file, installed here
 * when it is missing. Each rival is written in its best honest form: a slow rival would flatter.
 *
 * The results go to the terminal and to results/latest.json and results/latest.md.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CONFIDENCE, FULL, QUICK, selfTest } from './harness.mjs';

const FILES = ['ff1', 'card', 'ip', 'date', 'regex'];

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, guard: { type: 'boolean', default: false } },
});
const effort = flags.quick ? QUICK : FULL;
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

installRivals();
const { same, slower } = selfTest();
console.log(`harness: itself ${interval(same)}, 10 % more work ${interval(slower)}\n`);

const results = [];
let failed = 0;
for (const file of FILES) {
  for (const [index, make] of (await load(file)).entries()) {
    let what = file;
    try {
      const one = make();
      what = one.work;
      if (!wanted(file, what)) continue;
      one.check();
      results.push({ file, ...told(one), ...(await timed(file, index)) });
      console.log(line(results.at(-1)));
    } catch (error) {
      if (what !== file || wanted(file)) refuse(what, error);
    }
  }
}
if (results.length > 0) write();
else if (failed === 0) {
  console.error(`no benchmark has ${names.join(' or ')} in its name`);
  failed++;
}
const below = results.filter((result) => verdict(result) === 'below');
if (flags.guard) for (const { work } of below) console.error(`below its floor: ${work}`);
process.exitCode = failed > 0 || (flags.guard && below.length > 0) ? 1 : 0;

/** The cases of a file. A part of the package that cannot be loaded is a failure, not a skip. */
async function load(file) {
  try {
    return (await import(`./${file}.mjs`)).cases;
  } catch (error) {
    if (wanted(file)) refuse(file, error);
    return [];
  }
}

function refuse(what, error) {
  failed++;
  console.error(`FAILED ${what}: ${error instanceof Error ? error.message : error}`);
}

function wanted(file, work = '') {
  return names.length === 0 || names.some((name) => `${file} ${work}`.toLowerCase().includes(name.toLowerCase()));
}

/** The result of child.mjs. */
function timed(file, index) {
  return new Promise((resolve, reject) => {
    const child = fork(path('child.mjs'), [file, String(index), flags.quick ? 'quick' : 'full'], { execArgv: [] });
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the process that timed it ended with ${code} and no result`)));
  });
}

/** What of a case stands in the results. */
function told({ work, against = null, floor = null, aim = null, target = null }) {
  return { work, against, floor, aim, target };
}

function installRivals() {
  const { dependencies } = JSON.parse(readFileSync(path('rivals/package.json'), 'utf8'));
  const there = Object.entries(dependencies).every(([name, version]) => {
    try {
      return JSON.parse(readFileSync(path(`rivals/node_modules/${name}/package.json`), 'utf8')).version === version;
    } catch {
      return false;
    }
  });
  if (there) return;
  console.log('installing bench/rivals');
  const npm = spawnSync('npm', ['ci', '--silent'], {
    cwd: path('rivals'),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) throw new Error('npm ci failed in bench/rivals');
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function interval({ median, low, high }) {
  return `${number(median)} (${number(low)}–${number(high)})`;
}

function perValue(ns) {
  if (ns === null) return '';
  return ns < 1000 ? `${number(ns)} ns` : `${number(ns / 1000)} µs`;
}

/** A floor is held or missed when the whole interval says so. */
function verdict({ ratio, floor }) {
  if (ratio === null || floor === null) return '';
  return ratio.low >= floor ? 'held' : ratio.high < floor ? 'below' : 'open';
}

/** A result as cells: the same for the terminal and for Markdown. */
function cells(result) {
  const { work, against, ratio, oursNs, rivalNs, floor, aim, target } = result;
  const rate = Math.round(1e9 / oursNs).toLocaleString('en-GB');
  return [
    work,
    against ?? '–',
    perValue(oursNs),
    perValue(rivalNs),
    ratio === null ? `${rate}/s` : `${interval(ratio)} ×`,
    floor === null
      ? target === null
        ? ''
        : `${target.toLocaleString('en-GB')}/s`
      : `${floor} ×${aim ? `, aim ${aim}` : ''}`,
    verdict(result),
  ];
}

function line(result) {
  const [work, against, ours, rival, ratio, floor, held] = cells(result);
  const times = [ratio, `ours ${ours}`];
  if (rival !== '') times.push(`theirs ${rival}`);
  if (floor !== '') times.push(`${result.target === null ? 'floor' : 'target'} ${floor} ${held}`);
  return `${work}${against === '–' ? '' : `, against ${against}`}\n    ${times.join('   ')}`;
}

function write() {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    processor: cpus()[0]?.model ?? 'unknown',
    quick: flags.quick,
    confidence: CONFIDENCE,
  };
  const head = ['work', 'against', 'ours, a value', 'theirs, a value', 'times faster', 'floor', ''];
  const rows = [head, head.map(() => '---'), ...results.map(cells)].map((row) => `| ${row.join(' | ')} |`);
  const note =
    `Node ${about.node}, ${about.processor}, one thread, ${about.date}. Median of ${effort.rounds} rounds in one ` +
    `process, in parentheses its ${about.confidence * 100} % interval.`;
  mkdirSync(path('results'), { recursive: true });
  writeFileSync(path('results/latest.md'), `${note}\n\n${rows.join('\n')}\n`);
  writeFileSync(path('results/latest.json'), `${JSON.stringify({ ...about, results }, null, 2)}\n`);
  console.log('\nwritten to bench/results/latest.json and latest.md');
}
