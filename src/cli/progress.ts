/// <reference types="node" />
/** The progress line: on a terminal only, at most five times a second, and gone when the run ends. */

import { count } from './voice.ts';

/** Shortest time between two drawings, in milliseconds. */
const INTERVAL = 200;

/** How far a run has come. */
export interface Tally {
  readonly rowsIn: number;
  /** Bytes read. */
  readonly bytes: number;
}

/** A line that is drawn over itself. */
export interface ProgressLine {
  readonly update: (tally: Tally) => void;
  /** Erases the line, so that what is said next begins in column one. */
  readonly clear: () => void;
}

/** A progress line on standard error, or one that does nothing. */
export function makeProgress(shown: boolean): ProgressLine {
  if (!shown || process.stderr.isTTY !== true) return { update: () => {}, clear: () => {} };
  return drawProgress((text) => process.stderr.write(text), () => performance.now());
}

/** The line itself, over any writer and clock. */
export function drawProgress(write: (text: string) => void, now: () => number): ProgressLine {
  const begin = now();
  let last = begin;
  let drawn = false;
  return {
    update({ rowsIn, bytes }) {
      const time = now();
      if (time - last < INTERVAL) return;
      last = time;
      drawn = true;
      const rate = Math.round((rowsIn * 1000) / (time - begin));
      // Carriage return, then "erase to the end of the line" (ECMA-48, EL).
      write(`\r${count(rowsIn)} rows, ${count(rate)} rows/s, ${(bytes / 1e6).toFixed(1)} MB\u001b[K`);
    },
    clear() {
      if (drawn) write('\r\u001b[K');
      drawn = false;
    },
  };
}
