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
  /** Waits for a checkpoint of at least a size, at most so many milliseconds. After a failure, it rejects at once. */
  readonly add: (size: number, timeout: number) => Promise<string>;
  /** Fulfils those whose size the checkpoint has. */
  readonly settle: (checkpoint: CosignedCheckpoint) => void;
  /** Rejects all, as if they had waited long enough. */
  readonly end: () => void;
  /** Rejects all with an error, and those that come later. The first error counts. */
  readonly fail: (error: TrefoilError) => void;
  /** The error of `fail`; `null` before. */
  readonly failure: () => TrefoilError | null;
}

/** @param reason makes the error for those who have waited long enough. */
export function makeWaiters(reason: () => TrefoilError): Waiters {
  /** The size that each waits for, by the function that ends it: with a note, an error, or the one for the time. */
  const waiting = new Map<(result: string | TrefoilError | null) => void, number>();
  let failure: TrefoilError | null = null;

  function endAll(error: TrefoilError | null): void {
    for (const end of [...waiting.keys()]) end(error);
  }

  return {
    count: () => waiting.size,
    add(size, timeout) {
      if (failure !== null) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const end = (result: string | TrefoilError | null): void => {
          clearTimeout(timer);
          waiting.delete(end);
          if (typeof result === 'string') resolve(result);
          else reject(result ?? reason());
        };
        const timer = setTimeout(end, timeout, null);
        waiting.set(end, size);
      });
    },
    settle({ size, note }) {
      for (const [end, wanted] of [...waiting]) if (wanted <= size) end(note);
    },
    end: () => endAll(null),
    fail(error) {
      failure ??= error;
      endAll(failure);
    },
    failure: () => failure,
  };
}
