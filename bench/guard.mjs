/**
 * `npm run bench:guard [-- NAME… --base REF --only floors|times|counts]`: the gate. It fails when
 *
 * - **floors**: the whole interval of a ratio to a rival lies below the floor of its case. Quickly first; a case that
 *   fails is measured again at full length, twice, before it is said;
 * - **times**: a hot case takes more than 1.05 times the processor time of the base. Both builds alternate in one
 *   process; 4 to 36 processes give a median and an interval; when that lies above the limit whole, it must do so
 *   with a second series added;
 * - **counts**: a hot case runs more than 1.05 times the base's instructions, counted by callgrind under
 *   `node --jitless`, where valgrind is installed: no noise, but of the interpreter, and without WebAssembly.
 *
 * The base is the commit in baseline.json, or `--base REF`. A case that it cannot run yet is told as `new` and is not
 * judged; a base that cannot be had is a failure. Identical code passes: 22 fresh processes of 24 would have to err by
 * 5 % in the same direction. Outputs are compared with the rivals' before anything is timed.
 *
 * When a commit makes something slower for a good reason, or much faster, pin a new base and say why in baseline.json:
 * a gain is only guarded once it is in the base.
 */
import { execFile, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { findBase, layOut } from './guard-builds.mjs';
import { ATTEMPTS, countVerdict, isEnough, LIMIT, overProcesses, timeVerdict } from './guard-verdict.mjs';
import { allCases, answer, installRivals, path, reason, timed } from './suite.mjs';
import { floorVerdict, interval, number } from './table.mjs';

/**
 * The cases for times, by the text of `work`; with `count`, for so many values, also for counts. Not for counts: files
 * that work through a column as they are loaded, which takes the interpreter minutes.
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
if (tally.size === 0) console.error('bench:guard: nothing was judged: no case has this name');
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
    if (found === undefined) refuse(work, 'the guard has it among the hot cases, and no file of bench/ has it');
    return { ...found, work, count };
  }).filter(({ file, work }) => file !== undefined && wanted(file, work));
  const builds = layOut(commit);
  console.log(
    `\nbase ${commit.slice(0, 12)} (${why})${isHead ? ', which is also the commit that is checked out' : ''}`,
  );
  const known = does('times') ? await times(hot, builds) : hot;
  if (known.length === 0 && hot.length > 0) refuse('the base', 'it can run none of the hot cases: pin a newer one');
  if (does('counts')) await counts(known, builds);
}

/** @returns the cases that the base can run */
async function times(hot, builds) {
  console.log(`\n== times: head's / base's, the interval at most ${LIMIT}`);
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
  // A case that is slower is measured again, and must be so over both series.
  do {
    const whyNot = await series(one, builds, medians);
    if (whyNot !== undefined) return { verdict: 'new', told: `the base cannot run it (${whyNot})` };
    found = overProcesses(medians);
    told.push(exact(found));
  } while (timeVerdict(found) === 'slower' && told.length < 2);
  return { verdict: timeVerdict(found), told: told.join(', then '), median: found.median };
}

/** Adds medians of processes; returns why the base cannot run it, if so. */
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
  console.log(`\n== counts: instructions a value without the compiler, head's / base's at most ${LIMIT}`);
  if (spawnSync('valgrind', ['--version']).status !== 0) {
    tell('skipped', 'valgrind is not installed, instructions are not counted');
    return;
  }
  const todo = hot.filter(({ count }) => count !== undefined);
  const next = todo.values();
  // A count does not feel what else runs, so there is one process a core.
  const worker = async () => {
    for (const one of next) {
      try {
        const head = await instructions(builds.head, one);
        const base = await instructions(builds.base, one);
        const verdict = countVerdict(head, base);
        const told = `${(head / base).toFixed(4)}, ${number(head)} a value: ${one.work}`;
        tell(verdict, told, verdict === 'slower' ? `more instructions: ${told}` : undefined);
      } catch (error) {
        refuse(one.work, error);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** A value's instructions: twice the work less once the work, so that start, parsing and first calls fall out. */
async function instructions(build, { file, index, count }) {
  const [once, twice] = [await counted(build, file, index, count, 1), await counted(build, file, index, count, 2)];
  return (twice - once) / count;
}

async function counted(build, file, index, count, times) {
  const valgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  // One thread, fixed seeds, and a nursery that is never full: with collections it would be 2 % and not 0.1 %.
  const node = [process.execPath, ...'--jitless --single-threaded --hash-seed=1 --random-seed=1'.split(' ')];
  node.push('--min-semi-space-size=64', '--max-semi-space-size=64');
  const work = [path('guard-child.mjs'), 'count', build, file, index, count, times].map(String);
  const running = promisify(execFile)('valgrind', [...valgrind, ...node, ...work]);
  const stop = () => running.child.kill();
  process.once('exit', stop);
  const { stderr } = await running.finally(() => process.off('exit', stop));
  const found = /Collected : (\d+)/.exec(stderr);
  if (found === null) throw new Error('callgrind gave no count');
  return Number(found[1]);
}
