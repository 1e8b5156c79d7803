/** Those who wait for a cosigned checkpoint, each for a size and for a time. */

import type { TrefoilError } from '../../errors.ts';

/** A checkpoint with enough cosignatures. */
export interface CosignedCheckpoint {
  readonly size: number;
  readonly note: string;
}

/** Those who wait. */
export interface Waiters {
  readonly count: () => number;
  /** Waits for a checkpoint of at least a size, at most so many milliseconds. */
  readonly add: (size: number, timeout: number) => Promise<string>;
  /** Fulfils those whose size the checkpoint has. */
  readonly settle: (checkpoint: CosignedCheckpoint) => void;
  /** Rejects all. */
  readonly end: () => void;
}

/** @param reason makes the error for those who have waited long enough. */
export function makeWaiters(reason: () => TrefoilError): Waiters {
  /** What ends each, by the function that does: with a note, or without one. */
  const waiting = new Map<(note: string | null) => void, number>();
  return {
    count: () => waiting.size,
    add(size, timeout) {
      return new Promise((resolve, reject) => {
        const end = (note: string | null): void => {
          clearTimeout(timer);
          waiting.delete(end);
          if (note === null) reject(reason());
          else resolve(note);
        };
        const timer = setTimeout(end, timeout, null);
        waiting.set(end, size);
      });
    },
    settle({ size, note }) {
      for (const [end, wanted] of [...waiting]) if (wanted <= size) end(note);
    },
    end() {
      for (const end of [...waiting.keys()]) end(null);
    },
  };
}
