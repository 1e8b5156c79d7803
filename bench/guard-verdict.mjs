/** How the guard judges its measurements. All functions are pure. */
import { summary } from './harness.mjs';

/**
 * Head may take at most this many times the time, or the instructions, of the base. Smaller differences are noise of
 * the compiler and of the memory layout.
 */
export const LIMIT = 1.05;

/** How many measurements must be below the floor before the case is reported. */
export const ATTEMPTS = 3;

/**
 * Numbers of processes after which a case is judged. All are multiples of four, because guard-child.mjs has four
 * orders. Four processes are enough if all four are below the limit. The last two numbers are for medians near or above
 * it.
 */
const LOOKS = [4, 12, 24, 36];
const NEAR = 1.03;

/**
 * The median over processes of head's time / base's time, with its interval. Each process contributes one number, its
 * own median, and not one for each round. The reason: identical code differs by 2 % from process to process, depending
 * on its place in memory and on the moment of its compilation, and by 12 % in one process of six if tables are large
 * (measured). All rounds of one process share this difference.
 */
export function overProcesses(medians) {
  return summary(medians);
}

/** Whether the medians of these processes are enough for a verdict. */
export function isEnough(medians) {
  if (!LOOKS.includes(medians.length)) return false;
  const found = overProcesses(medians);
  if (timeVerdict(found) === 'held' || medians.length === LOOKS.at(-1)) return true;
  // Four medians are too few for an interval with this confidence. So only the verdict `held` is accepted.
  if (medians.length === LOOKS[0]) return false;
  return timeVerdict(found) === 'slower' || found.median < NEAR;
}

/** The verdict is `slower` only if the whole interval is above the limit. */
export function timeVerdict({ low, high }) {
  return low > LIMIT ? 'slower' : high > LIMIT ? 'open' : 'held';
}

/**
 * The verdict on two counts of instructions. Counts differ by less than 0.2 % from run to run, so no interval is
 * needed.
 */
export function countVerdict(head, base) {
  return head / base > LIMIT ? 'slower' : 'held';
}

/** Reads the text of baseline.json: `{ commit, why }`. Throws if it is anything else. */
export function readBaseline(text) {
  const { commit, why } = JSON.parse(text);
  if (!/^[0-9a-f]{40}$/.test(commit)) throw new Error('bench/baseline.json: "commit" must be 40 hexadecimal digits');
  if (typeof why !== 'string' || why === '')
    throw new Error('bench/baseline.json: "why" must say why this commit is the base');
  return { commit, why };
}
