/** What the guard makes of its measurements. Pure. */
import { summary } from './harness.mjs';

/** Head may take this many times the base's time, or instructions. Below it is the noise of compilers and layouts. */
export const LIMIT = 1.05;

/** How often a case is measured before it is said to be below its floor. */
export const ATTEMPTS = 3;

/**
 * After how many processes a case is looked at. All are whole rounds through the four orders of guard-child.mjs. The
 * first will do where all four are below the limit; the last two are for medians that are near it or above.
 */
const LOOKS = [4, 12, 24, 36];
const NEAR = 1.03;

/**
 * The median of the processes' medians of head's time / base's time, with its interval. What counts is the process and
 * not the round: identical code differs by 2 % from process to process, because of where it lies and when it was
 * compiled, by 12 % in one of six where tables are large (measured), and the rounds of one process agree on it.
 */
export function overProcesses(medians) {
  return summary(medians);
}

/** Whether these processes are enough to judge by. */
export function isEnough(medians) {
  if (!LOOKS.includes(medians.length)) return false;
  const found = overProcesses(medians);
  if (timeVerdict(found) === 'held' || medians.length === LOOKS.at(-1)) return true;
  // Too few for an interval of its confidence: only good news counts.
  if (medians.length === LOOKS[0]) return false;
  return timeVerdict(found) === 'slower' || found.median < NEAR;
}

/** Only an interval that lies above the limit whole says `slower`. */
export function timeVerdict({ low, high }) {
  return low > LIMIT ? 'slower' : high > LIMIT ? 'open' : 'held';
}

/** Of two counts of instructions. They differ by less than 0.2 % from run to run, so there is no interval. */
export function countVerdict(head, base) {
  return head / base > LIMIT ? 'slower' : 'held';
}

/** The content of baseline.json: `{ commit, why }`. Throws where it is anything else. */
export function readBaseline(text) {
  const { commit, why } = JSON.parse(text);
  if (!/^[0-9a-f]{40}$/.test(commit)) throw new Error('bench/baseline.json: "commit" must be 40 hexadecimal digits');
  if (typeof why !== 'string' || why === '') throw new Error('bench/baseline.json: "why" must say why this commit');
  return { commit, why };
}
