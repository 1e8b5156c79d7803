/**
 * Two functions against each other, in one process. Absolute times of a shared machine wander by tens of per cent in a
 * minute; the ratio of two functions that are timed within the same few milliseconds does not. So:
 *
 * - a round times A and B directly after one another, in an order drawn at random, and gives one ratio;
 * - the result is the median of the rounds' ratios, which a few disturbed rounds do not move;
 * - its interval comes from order statistics: the count of ratios below the true median is binomial with p = 1/2, so
 *   two of the sorted ratios enclose the median with at least the confidence asked for, whatever the distribution;
 * - where a few per cent matter (two builds of one code: guard-child.mjs), neither other processes nor the other side's
 *   garbage may count: see BUILDS. An empty nursery takes the interval of a column of cards from 0.90–1.10 to
 * 0.99–1.01.
 *
 * `selfTest` holds the harness to that: a function against itself, and against one that does 10 % more.
 */

/** A side does `values` values a call and returns something that depends on its work, so that none can be left out. */
// { run: () => unknown, values: number }

/** How long to measure. A round lasts twice `roundMs`: once for each side. */
export const FULL = { rounds: 61, roundMs: 12, warmUpMs: 250 };
export const QUICK = { rounds: 21, roundMs: 5, warmUpMs: 80 };
/**
 * For two builds of one code, in many short processes that each have `--expose-gc`. By processor time, because there a
 * few per cent matter: on two cores with five busy processes the medians of identical code scatter by 2 to 3 %, by the
 * clock on the wall by 6 to 17 % (measured). It counts the process's collector too.
 */
export const BUILDS = { rounds: 30, roundMs: 4, warmUpMs: 120, emptyNursery: true, processorTime: true };

/** Of the intervals that are printed, in this share the true median lies inside. */
export const CONFIDENCE = 0.99;

/** Every result ends here: an engine cannot prove that nobody reads it. */
export let sink = 0;

const wallNs = () => Number(process.hrtime.bigint());

function processorNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** One loop for all sides, so that the cost of the loop and of the call is the same for each. */
function time(run, calls, now = wallNs) {
  const start = now();
  for (let i = 0; i < calls; i++) sink += run() === undefined ? 1 : 0;
  return now() - start;
}

/** Runs a side until it is compiled, and finds how many calls last `roundMs`. */
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
 * How many of `count` sorted numbers to leave away at each end, so that the rest encloses the median with `confidence`:
 * the greatest k with P(Binomial(count, 1/2) < k) <= (1 - confidence) / 2.
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
  // The k-th smallest from each end, counted from one; too few numbers for the confidence give the whole range.
  const k = Math.max(1, ranksToTrim(sorted.length, confidence));
  return { median: quantile(sorted, 0.5), low: sorted[k - 1], high: sorted[sorted.length - k] };
}

/**
 * Times `ours` against `rival`. A ratio of 2 says that ours needs half the time a value.
 *
 * @returns `ratio` with its interval, and the median nanoseconds a value of both: for orientation, never for a gate.
 */
export function compare(ours, rival, effort = FULL) {
  // Both are warmed up before either is measured, and twice: the second sees the shared loop in its final shape.
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

/** Times `ours` alone: median nanoseconds a value. Only to be told, a machine's speed is no property of the library. */
export function alone(ours, effort = FULL) {
  const calls = warmUp(ours, effort);
  const ns = [];
  for (let round = 0; round < effort.rounds; round++) ns.push(time(ours.run, calls) / calls / ours.values);
  const { median, low, high } = summary(ns);
  return { ratio: null, oursNs: median, rivalNs: null, spread: { low, high }, rounds: effort.rounds };
}

/** Work whose length is known: `steps` of a linear congruence. */
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

/** Many short rounds: they stay apart from one another on a machine that does other work too. */
const SELF_TEST = { rounds: 81, roundMs: 3, warmUpMs: 60 };

/**
 * A function against itself must give 1.00, and one that does 10 % more must be told apart. A busy machine can disturb
 * the one run that this is, so a failure is tried again, four times.
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
    `the harness cannot be trusted on this machine now: itself ${last.same.median.toFixed(3)}, ` +
      `10 % more work ${last.slower.median.toFixed(3)}`,
  );
}
