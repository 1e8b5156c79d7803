/**
 * `npm run bench:guard [-- NAME… --base REF --only floors|times|counts]` guards against slower code. It has three
 * checks:
 *
 * - **floors** fails if the whole interval of a ratio to a rival is below the floor of its case. The first measurement
 *   is a quick one. If a case is below its floor, it is measured twice more at full length before it is reported.
 * - **times** fails if a hot case takes more than 1.05 times the processor time of the base. Both builds alternate in
 *   one process. 4 to 36 processes give a median and an interval. If the whole interval is above the limit, a second
 *   series is added, and the interval over both series must be above the limit, too.
 * - **counts** fails if a hot case runs more than 1.05 times the instructions of the base. Callgrind counts them under
 *   `node --jitless`, if valgrind is installed. The counts have almost no noise, but they are those of the interpreter,
 *   and do not cover WebAssembly.
 *
 * The base is the commit in baseline.json, or `--base REF`. A case that the base cannot run yet is printed as `new` and
 * not judged. If the base cannot be built, that is a failure. Identical code passes: 22 fresh processes of 24 would
 * have to err by 5 % in the same direction. The outputs are compared with those of the rivals before anything is timed.
 *
 * If a commit makes something slower for a good reason, or much faster, pin a new base and say why in baseline.json. A
 * gain is guarded only after it is part of the base.
 */
import { execFile, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { findBase, layOut } from './guard-builds.mjs';
import { ATTEMPTS, countVerdict, isEnough, LIMIT, overProcesses, timeVerdict } from './guard-verdict.mjs';
import { allCases, answer, installRivals, path, reason, timed } from './suite.mjs';
import { floorVerdict, interval, number } from './table.mjs';

/**
 * The cases for `times`, by their text `work`. A case with `count` is also used for `counts`, with that number of
 * values. Cases of files that process a column while they are loaded have no `count`, because the interpreter would
 * take minutes.
 */
const HOT = [
  { work: 'token.protect, e-mail of 20 bytes, labelled', count: 300 },
  { work: 'token.protectMany of 10,000, labelled', count: 300 },
  { work: 'token.protectMany of 10,000, prepared as e-mail address' },
  { work: 'token.protectMany of 10,000, uuid' },
  { work: 'seal.protect, name' },
  { work: 'seal.protectMany of 10,000 names' },
  { work: 'seal.revealMany of 10,000 names' },
  { work: 'policy.protectMany, people, 1,000 records' },
  { work: 'FF1 radix 10, 16 symbols, one value', count: 200 },
  { work: 'FF1 radix 10, 16 symbols, column of 10,000', count: 1000 },
  { work: 'FF1 radix 62, 40 symbols, one value' },
  { work: "card, 6 + 4 clear, luhn: 'any' (10^6), column of 10,000", count: 1000 },
  { work: 'date over 120 years, table warm, column of 10,000' },
  { work: 'regex of a passport number, rank + unrank, one value' },
  { work: 'ipcrypt-pfx IPv4, column of 10,000' },
  { work: 'Crypto-PAn IPv4, one value' },
];

const { values: flags, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    base: { type: 'string' },
    only: { type: 'string', multiple: true, default: ['floors', 'times', 'counts'] },
  },
});
const started = Date.now();
const faults = [];
const tally = new Map();

function tell(verdict, text, fault) {
  tally.set(verdict, (tally.get(verdict) ?? 0) + 1);
  console.log(`${verdict.padEnd(8)}${text}`);
  if (fault !== undefined) faults.push(fault);
}

function refuse(what, error) {
  tell('FAILED', `${what}: ${reason(error)}`, `${what}: ${reason(error)}`);
}

const wanted = (file, work = '') => names.length === 0 || names.some((name) => `${file} ${work}`.includes(name));
const does = (step) => flags.only.includes(step);

installRivals();
const cases = [];
for await (const one of allCases(refuse)) cases.push(one);

if (does('floors')) await floors();
if (does('times') || does('counts')) {
  try {
    await againstBase();
  } catch (error) {
    refuse('the comparison with the base', error);
  }
}
const tallied = [...tally].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
console.log(`\nbench:guard on Node ${process.version}: ${tallied}; ${Math.round((Date.now() - started) / 1000)} s`);
for (const fault of faults) console.error(`bench:guard: ${fault}`);
if (tally.size === 0) console.error('bench:guard: nothing was judged, because no case has this name');
process.exitCode = faults.length > 0 || tally.size === 0 ? 1 : 0;

async function floors() {
  console.log('== floors: how many times faster than the rival');
  for (const { file, index, one } of cases.filter(({ file, one }) => wanted(file, one.work))) {
    try {
      one.check();
      if (one.floor === undefined) continue;
      const { verdict, told } = await floorOf(file, index, one.floor);
      const text = `${told}, floor ${one.floor}: ${one.work}`;
      tell(verdict, text, verdict === 'below' ? `below its floor: ${text}` : undefined);
    } catch (error) {
      refuse(one.work, error);
    }
  }
}

async function floorOf(file, index, floor) {
  const told = [];
  let verdict = 'below';
  for (let attempt = 0; verdict === 'below' && attempt < ATTEMPTS; attempt++) {
    const { ratio } = await timed(file, index, attempt === 0 ? 'quick' : 'full');
    verdict = floorVerdict({ ratio, floor });
    told.push(interval(ratio));
  }
  return { verdict, told: told.join(', then ') };
}

async function againstBase() {
  const { commit, why, isHead } = findBase(flags.base);
  const hot = HOT.map(({ work, count }) => {
    const found = cases.find(({ one }) => one.work === work);
    if (found === undefined) refuse(work, 'this hot case of the guard is in no file of bench/cases');
    return { ...found, work, count };
  }).filter(({ file, work }) => file !== undefined && wanted(file, work));
  const builds = layOut(commit);
  console.log(`\nbase ${commit.slice(0, 12)} (${why})${isHead ? ', the commit that is checked out' : ''}`);
  const known = does('times') ? await times(hot, builds) : hot;
  if (known.length === 0 && hot.length > 0) refuse('the base', 'it cannot run any of the hot cases: pin a newer base');
  if (does('counts')) await counts(known, builds);
}

/** Judges the times of the cases. Returns the cases that the base can run. */
async function times(hot, builds) {
  console.log(`\n== times: head's / base's; slower if the whole interval is above ${LIMIT}`);
  const known = [];
  for (const one of hot) {
    try {
      const { verdict, told, median } = await timeOf(one, builds);
      if (verdict !== 'new') known.push(one);
      const hint = median < 0.8 ? '   (a gain: pin a newer base to guard it)' : '';
      tell(verdict, `${told}: ${one.work}${hint}`, verdict === 'slower' ? `slower: ${told}: ${one.work}` : undefined);
    } catch (error) {
      refuse(one.work, error);
    }
  }
  return known;
}

async function timeOf(one, builds) {
  const told = [];
  const medians = [];
  let found;
  // If a case is slower, a second series is measured. The case fails if it is slower over both series together.
  do {
    const whyNot = await series(one, builds, medians);
    if (whyNot !== undefined) return { verdict: 'new', told: `the base cannot run it (${whyNot})` };
    found = overProcesses(medians);
    told.push(exact(found));
  } while (timeVerdict(found) === 'slower' && told.length < 2);
  return { verdict: timeVerdict(found), told: told.join(', then '), median: found.median };
}

/** Adds the medians of more processes to the list. If the base cannot run the case, returns the reason. */
async function series({ file, index }, builds, medians) {
  const first = medians.length;
  while (!isEnough(medians.slice(first))) {
    const args = ['time', builds.head, builds.base, file, index, medians.length % 4].map(String);
    const found = await answer('guard-child.mjs', args, ['--expose-gc']);
    if (found.new !== undefined) return found.new;
    medians.push(found.ratio);
  }
}

function exact({ median, low, high }) {
  return `${median.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
}

async function counts(hot, builds) {
  console.log(`\n== counts: instructions per value in the interpreter, head's / base's; at most ${LIMIT}`);
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    tell('skipped', 'valgrind is not installed, so instructions are not counted');
    return;
  }
  const todo = hot.filter(({ count }) => count !== undefined);
  const next = todo.values();
  // Other processes do not change a count, so one process for each core runs at a time.
  const worker = async () => {
    for (const one of next) {
      try {
        const head = await instructions(builds.head, one);
        const base = await instructions(builds.base, one);
        const verdict = countVerdict(head, base);
        const told = `${(head / base).toFixed(4)}, ${number(head)} per value: ${one.work}`;
        tell(verdict, told, verdict === 'slower' ? `more instructions: ${told}` : undefined);
      } catch (error) {
        refuse(one.work, error);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/**
 * The instructions per value: a run with twice the work minus a run with once the work, which cancels out the start.
 */
async function instructions(build, { file, index, count }) {
  const [once, twice] = [await counted(build, file, index, count, 1), await counted(build, file, index, count, 2)];
  return (twice - once) / count;
}

async function counted(build, file, index, count, times) {
  const valgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  // One thread, fixed seeds, and a nursery that never fills up. With garbage collections, counts would differ by 2 %
  // from run to run, and not by 0.1 %.
  const node = [process.execPath, ...'--jitless --single-threaded --hash-seed=1 --random-seed=1'.split(' ')];
  node.push('--min-semi-space-size=64', '--max-semi-space-size=64');
  const work = [path('guard-child.mjs'), 'count', build, file, index, count, times].map(String);
  const running = promisify(execFile)('valgrind', [...valgrind, ...node, ...work]);
  const stop = () => running.child.kill();
  process.once('exit', stop);
  const { stderr } = await running.finally(() => process.off('exit', stop));
  const found = /Collected : (\d+)/.exec(stderr);
  if (found === null) throw new Error('callgrind printed no count');
  return Number(found[1]);
}
