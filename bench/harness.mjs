/**
 * Compares two functions in one process. On a shared machine, absolute times change by tens of per cent within a
 * minute. The ratio of two functions that are timed within the same few milliseconds does not. So:
 *
 * - A round times A and B directly after one another, in random order, and gives one ratio.
 * - The result is the median of the ratios of all rounds. A few disturbed rounds do not change it.
 * - Its interval comes from order statistics. The number of ratios below the true median is binomial with p = 1/2. So
 *   two of the sorted ratios enclose the median with at least the wanted confidence, whatever the distribution is.
 * - If a few per cent matter (two builds of the same code, see guard-child.mjs), neither other processes nor the
 *   garbage of the other side may be counted: see BUILDS. An empty nursery narrows the interval of a column of cards
 *   from 0.90–1.10 to 0.99–1.01.
 *
 * `selfTest` checks the harness: it compares a function with itself, and with one that does 10 % more.
 */

/**
 * A side processes `values` values per call. It returns something that depends on its work, so that the engine cannot
 * leave the work out.
 */
// { run: () => unknown, values: number }

/** How long to measure. A round lasts twice `roundMs`: once for each side. */
export const FULL = { rounds: 61, roundMs: 12, warmUpMs: 250 };
export const QUICK = { rounds: 21, roundMs: 5, warmUpMs: 80 };
/**
 * For two builds of the same code, in many short processes that each have `--expose-gc`. A few per cent matter there,
 * so processor time is measured. On two cores with five busy processes, medians of identical code differ by 2 to 3 % in
 * processor time, and by 6 to 17 % in elapsed time (measured). Processor time includes the garbage collector.
 */
export const BUILDS = { rounds: 30, roundMs: 4, warmUpMs: 120, emptyNursery: true, processorTime: true };

/** The share of the printed intervals that contain the true median. */
export const CONFIDENCE = 0.99;

/** Every result is used here. It is exported, so the engine cannot prove that nobody reads it. */
export let sink = 0;

const wallNs = () => Number(process.hrtime.bigint());

function processorNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Times calls. All sides share this loop, so that the loop and the call cost each of them the same. */
function time(run, calls, now = wallNs) {
  const start = now();
  for (let i = 0; i < calls; i++) sink += run() === undefined ? 1 : 0;
  return now() - start;
}

/** Runs a side until it is compiled. Returns the number of calls that take `roundMs`. */
function warmUp(side, { roundMs, warmUpMs }) {
  let calls = 1;
  let spent = 0;
  for (;;) {
    const ns = time(side.run, calls);
    spent += ns;
    if (spent > warmUpMs * 1e6) return Math.max(1, Math.round((calls * roundMs * 1e6) / ns));
    if (ns < roundMs * 1e6)
      calls = Math.max(calls + 1, Math.min(calls * 4, Math.round((calls * roundMs * 1.2e6) / ns)));
  }
}

/** The value below which `share` of the sorted numbers lie. */
function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
}

const ascending = (numbers) => Float64Array.from(numbers).sort();

/**
 * How many of `count` sorted numbers to drop at each end, so that the rest encloses the median with `confidence`: the
 * greatest k with P(Binomial(count, 1/2) < k) <= (1 - confidence) / 2.
 */
export function ranksToTrim(count, confidence = CONFIDENCE) {
  let term = 0.5 ** count;
  let below = 0;
  for (let k = 0; k < count / 2; k++) {
    below += term;
    if (below > (1 - confidence) / 2) return k;
    term *= (count - k) / (k + 1);
  }
  return 0;
}

/** Median and interval of a list of numbers. */
export function summary(numbers, confidence = CONFIDENCE) {
  const sorted = ascending(numbers);
  // The k-th number from each end, counted from one. If there are too few numbers for the confidence, the whole range.
  const k = Math.max(1, ranksToTrim(sorted.length, confidence));
  return { median: quantile(sorted, 0.5), low: sorted[k - 1], high: sorted[sorted.length - k] };
}

/**
 * Times `ours` against `rival`. A ratio of 2 means that `ours` needs half the time per value.
 *
 * @returns `ratio` with its interval, and for both sides the median of the nanoseconds per value. These are printed for
 *   orientation and never judged.
 */
export function compare(ours, rival, effort = FULL) {
  // Both sides are warmed up before either is measured, and `ours` twice: the shared loop is in its final form only
  // after it has run both.
  warmUp(ours, { ...effort, warmUpMs: effort.warmUpMs / 4 });
  const rivalCalls = warmUp(rival, effort);
  const oursCalls = warmUp(ours, effort);
  const ratios = [];
  const oursNs = [];
  const rivalNs = [];
  const timed = (run, calls) => {
    if (effort.emptyNursery) globalThis.gc({ type: 'minor' });
    return time(run, calls, effort.processorTime ? processorNs : wallNs);
  };
  for (let round = 0; round < effort.rounds; round++) {
    let a;
    let b;
    if (Math.random() < 0.5) {
      a = timed(ours.run, oursCalls);
      b = timed(rival.run, rivalCalls);
    } else {
      b = timed(rival.run, rivalCalls);
      a = timed(ours.run, oursCalls);
    }
    oursNs.push(a / oursCalls / ours.values);
    rivalNs.push(b / rivalCalls / rival.values);
    ratios.push(rivalNs[round] / oursNs[round]);
  }
  return {
    ratio: summary(ratios),
    oursNs: quantile(ascending(oursNs), 0.5),
    rivalNs: quantile(ascending(rivalNs), 0.5),
    rounds: effort.rounds,
  };
}

/** Times `ours` alone: the median of the nanoseconds per value. It is printed and never judged. */
export function alone(ours, effort = FULL) {
  const calls = warmUp(ours, effort);
  const ns = [];
  for (let round = 0; round < effort.rounds; round++) ns.push(time(ours.run, calls) / calls / ours.values);
  const { median, low, high } = summary(ns);
  return { ratio: null, oursNs: median, rivalNs: null, spread: { low, high }, rounds: effort.rounds };
}

/** Work of a known length: `steps` steps of a linear congruential generator. */
function stepper(steps) {
  let state = 1;
  return {
    values: 1,
    run() {
      for (let i = 0; i < steps; i++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return state;
    },
  };
}

/** Many short rounds: each is disturbed independently on a machine that does other work, too. */
const SELF_TEST = { rounds: 81, roundMs: 3, warmUpMs: 60 };

/**
 * Checks that a function compared with itself gives 1.00, and that one with 10 % more work is recognised as slower. A
 * busy machine can disturb a run, so the check is repeated up to four times if it fails. Throws if all five runs fail.
 */
export function selfTest() {
  let last;
  for (let attempt = 0; attempt < 5; attempt++) {
    const same = compare(stepper(2000), stepper(2000), SELF_TEST).ratio;
    const slower = compare(stepper(2000), stepper(2200), SELF_TEST).ratio;
    last = { same, slower };
    const sound = Math.abs(same.median - 1) < 0.02 && slower.low > 1 && slower.median > 1.07 && slower.median < 1.13;
    if (sound && same.low < 1.01 && same.high > 0.99) return last;
  }
  throw new Error(
    `this machine is too busy for reliable measurements: a function against itself ${last.same.median.toFixed(3)}, ` +
      `10 % more work ${last.slower.median.toFixed(3)}`,
  );
}
