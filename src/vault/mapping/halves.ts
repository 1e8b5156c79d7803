/** Work on a batch in two halves that overlap: the server looks up one half while the other is opened. */

import { BATCH } from './scope.ts';

/** Items that are looked up at once. */
const HALF = BATCH / 2;

/** Calls `work` with half a batch of the items at a time, at most two at once, and returns the results in order. */
export async function inHalves<T, R>(items: readonly T[], work: (some: readonly T[]) => Promise<R>): Promise<R[]> {
  const pending: Promise<R>[] = [];
  try {
    for (let first = 0; first < items.length; first += HALF) {
      await pending.at(-2);
      const some = work(items.slice(first, first + HALF));
      // A failure is thrown below. Without this handler, one that comes before its promise is awaited would be
      // unhandled.
      some.catch(() => {});
      pending.push(some);
    }
    return await Promise.all(pending);
  } finally {
    // No work on the store is left running when the caller continues.
    await Promise.allSettled(pending.slice(-2));
  }
}
