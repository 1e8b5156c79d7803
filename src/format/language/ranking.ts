/**
 * The index of a text in its language, and the inverse: rank and unrank by counting (Bellare, Ristenpart, Rogaway and
 * Stegers, "Format-Preserving Encryption", SAC 2009). Texts are ordered by their length in code points, then by code
 * points. Because the length comes first, a count depends only on the state and on the number of code points left.
 *
 * For a long text the arithmetic begins in bigints. It continues in numbers as soon as there are fewer than 2^53 ways
 * to complete the value.
 */

import type { Automaton } from './automaton.ts';
import { countsOf, EXACT } from './counts.ts';

/** A language with its order. */
export interface Ranking {
  /** Number of values of the language. */
  readonly size: bigint;
  /** Number of code points of the shortest and of the longest value. */
  readonly shortest: number;
  readonly longest: number;
  /**
   * Returns the index of a text, from 0 to size - 1: a number if size is at most 2^53, else a bigint; `null` if it is
   * no value.
   */
  readonly rank: (text: string) => number | bigint | null;
  /** Returns the text of an index from 0 to size - 1. */
  readonly unrank: (index: number | bigint) => string;
}

/**
 * Counts the language once. One closure: the tables are constants of `rank` and `unrank`, which run for every value.
 *
 * @throws RangeError if the tables would be too large.
 */
export function rankingOf(automaton: Automaton): Ranking {
  const { firstRange, from, to, target } = automaton;
  const { runs, shortest, longest, start, total, exact, firstCell, rowAfter, below } = countsOf(automaton);
  const { firstRun, runOf, shift, width } = runs;

  /** Index of the first value of each length. */
  const exactOffset: bigint[] = [];
  let size = 0n;
  for (let length = 0; length <= longest; length++) {
    exactOffset.push(size);
    if (length >= shortest) size += exact(start + length);
  }
  const narrow = size <= BigInt(EXACT);
  const offset = Float64Array.from(exactOffset, Number);

  // The code points of the text that is read, and the UTF-16 units of the text that is written. Every call writes them
  // anew, and nothing interrupts a call.
  const points = new Int32Array(longest);
  const units: number[] = [];

  function rank(text: string): number | bigint | null {
    const length = read(text);
    if (length < shortest) return null;
    let state = 0;
    let row = start + length;
    let at = 0;

    let head = 0n;
    while (total[row] === Infinity) {
      // A stretch: a code point of a state with several runs, then those of states with one run, as many as fit in a
      // number.
      let place = 0;
      let scale = 1;
      do {
        const range = rangeOf(state, points[at]!);
        if (range < 0) return null;
        const cell = firstCell[row]! + runOf[range]!;
        // The states after the first have one run, so this loop runs only for the first.
        for (let before = firstCell[row]!; before < cell; before++) head += valuesOf(state, row, before);
        const values = width[firstRun[state]! + runOf[range]!]!;
        place = place * values + points[at++]! - shift[range]!;
        scale *= values;
        row = rowAfter[cell]!;
        if (row < 0) return null;
        state = target[range]!;
      } while (isInStretch(state, row, scale));
      head += BigInt(place) * exact(row);
    }

    let index = 0;
    for (; at < length; at++) {
      const point = points[at]!;
      const range = rangeOf(state, point);
      if (range < 0) return null;
      const cell = firstCell[row]! + runOf[range]!;
      row = rowAfter[cell]!;
      if (row < 0) return null;
      index += below[cell]! + (point - shift[range]!) * total[row]!;
      state = target[range]!;
    }
    // Only accepting states have a row with no code points left.
    if (!narrow) return exactOffset[length]! + head + BigInt(index);
    return offset[length]! + (head === 0n ? index : Number(head) + index);
  }

  function unrank(index: number | bigint): string {
    let length = longest;
    let state = 0;
    let written = 0;
    let rest = 0;
    let large = 0n;
    if (narrow) {
      const whole = Number(index);
      while (offset[length]! > whole) length--;
      rest = whole - offset[length]!;
    } else {
      large = BigInt(index);
      while (exactOffset[length]! > large) length--;
      large -= exactOffset[length]!;
    }
    let row = start + length;
    let left = length;

    if (!narrow || total[row] === Infinity) {
      if (narrow) large = BigInt(rest);
      while (total[row] === Infinity) {
        let cell = firstCell[row]!;
        const first = cell - firstRun[state]!;
        const last = firstRun[state + 1]! - 1 + first;
        for (; cell < last; cell++) {
          const values = valuesOf(state, row, cell);
          if (large < values) break;
          large -= values;
        }
        // The same stretch as in `rank`. Its length depends on the automaton alone.
        let scale = width[cell - first]!;
        let [endState, endRow] = [runs.target[cell - first]!, rowAfter[cell]!];
        while (isInStretch(endState, endRow, scale)) {
          scale *= width[firstRun[endState]!]!;
          endRow = rowAfter[firstCell[endRow]!]!;
          endState = runs.target[firstRun[endState]!]!;
        }
        const each = exact(endRow);
        const quotient = large / each;
        large -= quotient * each;
        let place = Number(quotient);
        let run = cell - first;
        while (row !== endRow) {
          scale /= width[run]!;
          const digit = Math.floor(place / scale);
          place -= digit * scale;
          written = write(pointAt(run, digit), written);
          left--;
          row = rowAfter[cell]!;
          state = runs.target[run]!;
          cell = firstCell[row]!;
          run = firstRun[state]!;
        }
      }
      rest = Number(large);
    }

    for (; left > 0; left--) {
      const first = firstRun[state]!;
      let run = firstRun[state + 1]! - 1;
      let cell = firstCell[row]! + run - first;
      while (below[cell]! > rest) {
        cell--;
        run--;
      }
      row = rowAfter[cell]!;
      rest -= below[cell]!;
      // This is exact: the quotient of integers below 2^53 is never rounded up to the next integer.
      const each = total[row]!;
      const place = Math.floor(rest / each);
      rest -= place * each;
      written = write(pointAt(run, place), written);
      state = runs.target[run]!;
    }
    if (units.length !== written) units.length = written;
    // One call for all units: 50 ns for nine characters, while spreading a typed array takes 400 ns.
    return String.fromCharCode.apply(null, units);
  }

  /** Whether a stretch has one more code point: the state has one run, and the product fits in a number. */
  function isInStretch(state: number, row: number, scale: number): boolean {
    const run = firstRun[state]!;
    return total[row] === Infinity && firstRun[state + 1] === run + 1 && scale * width[run]! <= EXACT;
  }

  /** The number of values that continue with the run of a cell. */
  function valuesOf(state: number, row: number, cell: number): bigint {
    const after = rowAfter[cell]!;
    return after < 0 ? 0n : BigInt(width[firstRun[state]! + cell - firstCell[row]!]!) * exact(after);
  }

  /** The range of a state in which a code point is, or -1. */
  function rangeOf(state: number, point: number): number {
    let first = firstRange[state]!;
    let end = firstRange[state + 1]!;
    while (first < end) {
      const middle = (first + end) >>> 1;
      if (point > to[middle]!) first = middle + 1;
      else if (point < from[middle]!) end = middle;
      else return middle;
    }
    return -1;
  }

  /** The code point at a place in a run. */
  function pointAt(run: number, place: number): number {
    let range = runs.firstRange[run + 1]! - 1;
    while (from[range]! - shift[range]! > place) range--;
    return shift[range]! + place;
  }

  /** Reads the code points of a text into `points` and returns how many there are; -1 if the text is too long. */
  function read(text: string): number {
    let count = 0;
    for (let i = 0; i < text.length; i++) {
      if (count === longest) return -1;
      let point = text.charCodeAt(i);
      if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(i)!;
        if (point > 0xffff) i++;
      }
      points[count++] = point;
    }
    return count;
  }

  function write(point: number, written: number): number {
    if (point <= 0xffff) {
      units[written] = point;
      return written + 1;
    }
    units[written] = 0xd7c0 + (point >> 10);
    units[written + 1] = 0xdc00 + (point & 0x3ff);
    return written + 2;
  }

  return { size, shortest, longest, rank, unrank };
}
