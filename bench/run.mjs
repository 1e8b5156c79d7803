/**
 * `npm run bench [-- NAME… --quick --node PATH… --page]` runs the benchmarks of the built package (`dist/`).
 *
 * With NAME, only those cases run whose file or text contains it. `--quick` takes a third of the time and gives wider
 * intervals. Before anything is timed, the outputs are compared with those of the rival. Then child.mjs times both
 * sides of the case in one process. Each case has a fresh process, so that no case affects the next. The run fails if
 * an output is wrong, if there is an error, or if the machine is too busy for reliable measurements. It does not judge
 * ratios: guard.mjs does (`npm run bench:guard`).
 *
 * The results are printed and written to results/latest.json. Those of a full run of all cases are also written to
 * results/nodeNN.json. `--node PATH` repeats the run with another Node, and may be used several times. `--page` writes
 * the table in docs/guide/performance.md from the full runs of this command, side by side. With `--stored`, it uses the
 * existing files results/nodeNN.json instead of measuring. suite.mjs describes what a case is.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { CONFIDENCE, FULL, QUICK, selfTest } from './harness.mjs';
import { allCases, GROUPS, installRivals, path, reason, timed } from './suite.mjs';
import { between, interval, line, pageTable } from './table.mjs';

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: [] },
    page: { type: 'boolean', default: false },
    stored: { type: 'boolean', default: false },
  },
});
const whole = names.length === 0 && !flags.quick;
const stored = (major) => path(`results/node${major}.json`);

if (flags.page && !whole) stop('--page needs full runs of all cases: leave out --quick and the names');
if (flags.stored) {
  if (!flags.page) stop('--stored can only be used with --page');
} else {
  await measure();
  for (const node of flags.node) {
    const args = [path('run.mjs'), ...names, ...(flags.quick ? ['--quick'] : [])];
    if (spawnSync(node, args, { stdio: 'inherit' }).status !== 0) stop(`the run with ${node} failed`);
  }
}
if (flags.page && !process.exitCode) writePage();

function stop(message) {
  console.error(message);
  process.exit(1);
}

async function measure() {
  installRivals();
  const { same, slower } = selfTest();
  console.log(
    `Node ${process.version}; self-test: a function against itself ${interval(same)}, against 10 % more work ${interval(slower)}\n`,
  );

  let failed = false;
  const refuse = (what, error) => {
    failed = true;
    console.error(`FAILED ${what}: ${reason(error)}`);
  };
  const results = [];
  for await (const { file, index, one } of allCases(refuse, wanted)) {
    const { work, against = null, floor = null, aim = null, target = null } = one;
    try {
      one.check();
      const result = await timed(file, index, flags.quick ? 'quick' : 'full');
      results.push({ file, work, against, floor, aim, target, ...result });
      console.log(line(results.at(-1)));
    } catch (error) {
      refuse(work, error);
    }
  }
  if (results.length > 0) store(results, failed);
  else if (!failed) stop(`no benchmark has ${names.join(' or ')} in its file or text`);
  if (failed) process.exitCode = 1;
}

function wanted(file, work = '') {
  return names.length === 0 || names.some((name) => `${file} ${work}`.toLowerCase().includes(name.toLowerCase()));
}

function store(results, failed) {
  const about = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    processor: cpus()[0]?.model.replaceAll(/\((?:R|TM)\)/g, '') ?? 'unknown',
    confidence: CONFIDENCE,
    rounds: (flags.quick ? QUICK : FULL).rounds,
  };
  const text = `${JSON.stringify({ ...about, results }, null, 2)}\n`;
  mkdirSync(path('results'), { recursive: true });
  writeFileSync(path('results/latest.json'), text);
  if (whole && !failed) writeFileSync(stored(process.versions.node.split('.')[0]), text);
  console.log('\nwritten to bench/results/latest.json');
}

function writePage() {
  const majors = flags.stored
    ? readdirSync(path('results')).flatMap((name) => /^node(\d+)\.json$/.exec(name)?.[1] ?? [])
    : [process.execPath, ...flags.node]
        .map((node) => spawnSync(node, ['-p', 'process.versions.node.split(".")[0]']))
        .map(({ stdout }) => String(stdout).trim());
  if (majors.length === 0) stop('there are no stored results: run without --stored');
  const runs = [...new Set(majors)]
    .sort((a, b) => a - b)
    .map((major) => JSON.parse(readFileSync(stored(major), 'utf8')));
  const page = path('../docs/guide/performance.md');
  writeFileSync(page, between(readFileSync(page, 'utf8'), pageTable(runs, GROUPS)));
  console.log(
    `the table of docs/guide/performance.md was written from the runs of ${runs.map(({ node }) => node).join(', ')}`,
  );
}
