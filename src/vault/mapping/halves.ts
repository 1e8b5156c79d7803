/** Two halves of a batch on the way at once: a server looks for the one while the other is opened. */

import { BATCH } from './scope.ts';

/** Items that are looked for at once. */
const HALF = BATCH / 2;

/** Does the work for the items, half a batch at a time and no more than two at once; gives the results in order. */
export async function inHalves<T, R>(items: readonly T[], work: (some: readonly T[]) => Promise<R>): Promise<R[]> {
  const pending: Promise<R>[] = [];
  try {
    for (let first = 0; first < items.length; first += HALF) {
      await pending.at(-2);
      const some = work(items.slice(first, first + HALF));
      // Whoever fails is heard below, also when it fails before it is waited for.
      some.catch(() => {});
      pending.push(some);
    }
    return await Promise.all(pending);
  } finally {
    // Nothing is asked of the store any more when the caller goes on.
    await Promise.allSettled(pending.slice(-2));
  }
}
