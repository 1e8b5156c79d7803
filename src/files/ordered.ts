/**
 * Order: work that several do at once, and results that come out as the work went in. Never more than `ahead` pieces are
 * under way or waiting, so a slow consumer slows the source down.
 */

import { untilAbort } from '../io/stream.ts';

/** A piece of work and what became of it. */
export interface Finished<Job, Result> {
  readonly job: Job;
  readonly result: Result;
}

/**
 * Does jobs, `ahead` at a time. After an error, an abort, or when the consumer stops, no job is taken any more.
 *
 * With `ahead` 1 a job is taken only when the result of the one before was consumed.
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
          // It is awaited when its turn comes; until then a failure is no unhandled rejection.
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
    // A source that hangs would not close either: after an abort nothing waits for it.
    if (signal?.aborted !== true) await closed;
    else closed?.catch(() => {});
  }
}
