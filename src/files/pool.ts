/// <reference types="node" />
/** The worker threads of a run (tinypool): started with policy and keys, fed with chunks, and gone at the end. */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { fail, TrefoilError } from '../errors.ts';
import { type PackedKeys, packKeys } from '../keys/domain-keys.ts';
import type { BoundInside } from '../policy/bound.ts';
import type { ChunkDone, ChunkTask, WorkOptions } from './chunk-work.ts';

/** What a worker needs to know before its first chunk. */
export interface WorkerSetup {
  readonly sheet: object;
  readonly keys: PackedKeys;
  readonly options: WorkOptions;
}

/** Workers. */
export interface Pool {
  readonly run: (task: ChunkTask) => Promise<ChunkDone>;
  /** Ends the threads, also those that are at work. */
  readonly close: () => Promise<void>;
}

/**
 * Starts workers.
 *
 * @throws TrefoilError `worker_failed`, here when the installed package is not whole, from `run` when a worker died.
 */
export async function startPool(count: number, inside: BoundInside, options: WorkOptions): Promise<Pool> {
  const filename = workerFile();
  const { Tinypool } = await import('tinypool');
  // Rules are plain data with the work behind symbols; only the data can be sent.
  const sheet = JSON.parse(JSON.stringify(inside.sheet)) as object;
  const workerData: WorkerSetup = { sheet, keys: packKeys(inside.keys), options };
  const pool = new Tinypool({
    filename,
    runtime: 'worker_threads',
    minThreads: count,
    maxThreads: count,
    isolateWorkers: false,
    workerData,
    // A worker has no business with the environment: keys may stand in it.
    env: {},
  });
  let closing = false;
  // Tinypool hears of a worker's error, not of a worker that is simply gone: its task would never end. One promise for
  // all tasks would hold on to all of their results.
  let dead = false;
  const waiting = new Set<(error: Error) => void>();
  for (const worker of pool.threads) {
    worker.once('exit', () => {
      dead = true;
      for (const reject of waiting) reject(new Error('a worker has gone'));
    });
  }

  function unlessDead(done: Promise<ChunkDone>): Promise<ChunkDone> {
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      if (dead) reject(new Error('a worker has gone'));
      done.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  }

  return {
    async run(task) {
      // A copy that owns its memory: a view would take all of the source's buffer with it.
      const bytes = task.bytes.slice();
      try {
        return await unlessDead(pool.run({ ...task, bytes }, { transferList: [bytes.buffer] }) as Promise<ChunkDone>);
      } catch (error) {
        if (error instanceof TrefoilError || closing) throw error;
        throw new TrefoilError([{ code: 'worker_failed', message: reason(error) }]);
      }
    },
    async close() {
      closing = true;
      const gone = pool.destroy().catch(() => {});
      // It waits for the exit of every worker, also of one that has gone before.
      if (!dead) await gone;
    },
  };
}

/** What a worker's end means. Its own words are not repeated: they may hold anything. */
function reason(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return 'a worker ran out of memory; use fewer workers, or a lower --max-record';
  return 'a worker ended before its work was done; try again, or run without workers';
}

/** The worker's file in the installed package, found by its name: this code may stand in any of the package's chunks. */
function workerFile(): string {
  const here = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;
  try {
    return pathToFileURL(createRequire(here).resolve('#worker')).href;
  } catch {
    return fail('worker_failed', 'workers need the installed package; run without workers, or run npm install trefoil');
  }
}
