/**
 * Tables for rank and unrank: how many ways there are to complete a value, from every state of the automaton and for
 * every number of code points left.
 *
 * Neighbouring ranges of a state that lead to the same state are a *run*. Within a run the place of a value is found by
 * a division, so `[A-Za-z0-9]` needs one count and not three. Counts below 2^53 are numbers, larger counts are bigints.
 */

import { badRange } from '../../core/checks.ts';
import type { Automaton } from './automaton.ts';

/** The most counts of the tables: some 5 MB, or 60 MB if most of them are bigints, as for long values. */
const MAX_COUNTS = 262_144;

/** From this number on, not every integer is exact as a `number`. */
export const EXACT: number = 2 ** 53;

/** The runs of each state. State s has the runs from `firstRun[s]` to before `firstRun[s + 1]`. */
interface Runs {
  readonly firstRun: Int32Array;
  /**
   * For each run the state that it leads to, the number of its code points, and its first range (with an entry for the
   * end).
   */
  readonly target: Int32Array;
  readonly width: Int32Array;
  readonly firstRange: Int32Array;
  /** For each range its run, counted from 0 in its state. */
  readonly runOf: Int32Array;
  /** For each range the difference between a code point and its place in the run. */
  readonly shift: Int32Array;
}

/**
 * The counts. A *row* belongs to a state and a number of code points left, which is between the fewest and the most
 * that can follow the state. A row has a *cell* for each run of the state.
 */
export interface Counts {
  readonly runs: Runs;
  /** Number of code points of the shortest and of the longest value. */
  readonly shortest: number;
  readonly longest: number;
  /** `start + length` is the row in which a value of that length begins. */
  readonly start: number;
  /**
   * For each row the number of ways to complete a value; Infinity from 2^53 on. It may be 0, because lengths can have
   * gaps.
   */
  readonly total: Float64Array;
  /** The same, exactly. */
  readonly exact: (row: number) => bigint;
  /** For each row its first cell. */
  readonly firstCell: Int32Array;
  /** For each cell the row after a code point of its run; -1 if no value continues there. */
  readonly rowAfter: Int32Array;
  /** For each cell the number of values through earlier runs. Used only if the total of the row is below 2^53. */
  readonly below: Float64Array;
}

/** Counts a language. @throws RangeError if the tables would be too large. */
export function countsOf(automaton: Automaton): Counts {
  const runs = runsOf(automaton);
  const { firstRun, target, width } = runs;
  const { low, high } = lengthsOf(automaton, runs);

  /** `rowAt[state] + left` is a row. */
  const rowAt = new Int32Array(low.length);
  let rows = 0;
  let cells = 0;
  for (let state = 0; state < low.length; state++) {
    const lengths = high[state]! - low[state]! + 1;
    rowAt[state] = rows - low[state]!;
    rows += lengths;
    cells += lengths * (firstRun[state + 1]! - firstRun[state]!);
  }
  if (rows + cells > MAX_COUNTS) {
    badRange('regex', `needs tables of ${rows + cells} counts, expected at most ${MAX_COUNTS}: allow fewer lengths`);
  }

  const total = new Float64Array(rows);
  const large: bigint[] = [];
  const exact = (row: number): bigint => (total[row] === Infinity ? large[row]! : BigInt(total[row]!));
  const firstCell = new Int32Array(rows);
  const rowAfter = new Int32Array(cells).fill(-1);
  const below = new Float64Array(cells);

  let next = 0;
  for (const state of automaton.bottomUp) {
    const first = firstRun[state]!;
    const many = firstRun[state + 1]! - first;
    for (let left = low[state]!; left <= high[state]!; left++, next += many) {
      const row = rowAt[state]! + left;
      firstCell[row] = next;
      // `low` is 0 only for accepting states.
      let sum = left === 0 ? 1 : 0;
      for (let run = 0; run < many; run++) {
        below[next + run] = sum;
        const to = target[first + run]!;
        if (left - 1 < low[to]! || left - 1 > high[to]!) continue;
        const after = rowAt[to]! + left - 1;
        if (total[after] === 0) continue;
        rowAfter[next + run] = after;
        sum += width[first + run]! * total[after]!;
      }
      // A sum below 2^53 is exact, and rounding never makes a larger sum smaller than 2^53.
      total[row] = sum < EXACT ? sum : Infinity;
      if (sum < EXACT) continue;
      large[row] = 0n;
      for (let run = 0; run < many; run++) {
        const after = rowAfter[next + run]!;
        if (after >= 0) large[row]! += BigInt(width[first + run]!) * exact(after);
      }
    }
  }
  return { runs, shortest: low[0]!, longest: high[0]!, start: rowAt[0]!, total, exact, firstCell, rowAfter, below };
}

function runsOf({ accepting, firstRange, from, to, target: leadsTo }: Automaton): Runs {
  const firstRun = new Int32Array(accepting.length + 1);
  const target: number[] = [];
  const width: number[] = [];
  const starts: number[] = [];
  const runOf = new Int32Array(from.length);
  const shift = new Int32Array(from.length);
  for (let state = 0; state < accepting.length; state++) {
    for (let range = firstRange[state]!; range < firstRange[state + 1]!; range++) {
      if (range === firstRange[state] || leadsTo[range] !== leadsTo[range - 1]) {
        target.push(leadsTo[range]!);
        width.push(0);
        starts.push(range);
      }
      const run = target.length - 1;
      runOf[range] = run - firstRun[state]!;
      shift[range] = from[range]! - width[run]!;
      width[run]! += to[range]! - from[range]! + 1;
    }
    firstRun[state + 1] = target.length;
  }
  starts.push(from.length);
  return {
    firstRun,
    target: Int32Array.from(target),
    width: Int32Array.from(width),
    firstRange: Int32Array.from(starts),
    runOf,
    shift,
  };
}

/** For each state the fewest and the most code points that can follow it. */
function lengthsOf(
  { accepting, bottomUp }: Automaton,
  { firstRun, target }: Runs,
): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(accepting.length);
  const high = new Int32Array(accepting.length);
  for (const state of bottomUp) {
    let least = accepting[state] ? 0 : Infinity;
    let most = 0;
    for (let run = firstRun[state]!; run < firstRun[state + 1]!; run++) {
      least = Math.min(least, low[target[run]!]! + 1);
      most = Math.max(most, high[target[run]!]! + 1);
    }
    low[state] = least;
    high[state] = most;
  }
  return { low, high };
}
