/**
 * Order: several jobs are done at once, and their results are returned in the order of the jobs. At most `ahead` jobs
 * are in work or waiting, so a slow consumer slows the source down.
 */

import { untilAbort } from '../io/stream.ts';

/** A job and its result. */
export interface Finished<Job, Result> {
  readonly job: Job;
  readonly result: Result;
}

/**
 * Does jobs, `ahead` at a time. No further job is taken after an error or an abort, or if the consumer stops.
 *
 * With `ahead` 1 a job is taken only when the consumer has taken the result of the one before.
 */
export async function* inOrder<Job, Result>(
  jobs: AsyncIterable<Job>,
  work: (job: Job) => Promise<Result> | Result,
  ahead: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finished<Job, Result>, void, undefined> {
  const cursor = jobs[Symbol.asyncIterator]();
  const waiting: { readonly job: Job; readonly result: Promise<Result> | Result }[] = [];
  let more = true;
  try {
    while (more || waiting.length > 0) {
      while (more && waiting.length < ahead) {
        const step = await untilAbort(cursor.next(), signal);
        if (step.done === true) more = false;
        else {
          const result = work(step.value);
          // The result is awaited when its turn comes. A failure before that must not count as an unhandled rejection.
          if (result instanceof Promise) result.catch(() => {});
          waiting.push({ job: step.value, result });
        }
      }
      const first = waiting.shift();
      if (first === undefined) continue;
      const { job, result } = first;
      yield { job, result: result instanceof Promise ? await untilAbort(result, signal) : result };
    }
  } finally {
    const closed = cursor.return?.();
    // A source that hangs may never close, so an aborted run does not wait for it.
    if (signal?.aborted !== true) await closed;
    else closed?.catch(() => {});
  }
}
