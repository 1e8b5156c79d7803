/// <reference types="node" />
/** The progress line: on a terminal only, drawn at most five times a second, and erased when the run ends. */

import type { Progress } from '../../io/records.ts';
import { count } from '../voice.ts';

/** Shortest time between two updates, in milliseconds. */
const INTERVAL = 200;

/** A line that overwrites itself. */
export interface ProgressLine {
  readonly update: (progress: Pick<Progress, 'rows' | 'bytesIn'>) => void;
  /** Erases the line, so that the next message begins in column one. */
  readonly clear: () => void;
}

/** A progress line on standard error, or one that does nothing. */
export function makeProgress(shown: boolean): ProgressLine {
  if (!shown || process.stderr.isTTY !== true) return { update: () => {}, clear: () => {} };
  return drawProgress(
    (text) => process.stderr.write(text),
    () => performance.now(),
  );
}

/** The line itself, over any writer and clock. */
export function drawProgress(write: (text: string) => void, now: () => number): ProgressLine {
  const begin = now();
  let last = begin;
  let drawn = false;
  return {
    update({ rows, bytesIn }) {
      const time = now();
      if (time - last < INTERVAL) return;
      last = time;
      drawn = true;
      const rate = Math.round((rows * 1000) / (time - begin));
      // Carriage return, then "erase to the end of the line" (ECMA-48, EL).
      write(`\r${count(rows)} rows, ${count(rate)} rows/s, ${(bytesIn / 1e6).toFixed(1)} MB\u001b[K`);
    },
    clear() {
      if (drawn) write('\r\u001b[K');
      drawn = false;
    },
  };
}
