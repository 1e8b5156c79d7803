/// <reference types="node" />
/** The worker threads of a run (tinypool). They are started with the policy and the keys, and ended with the run. */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { fail, TrefoilError } from '../errors.ts';
import { type PackedKeys, packKeys } from '../keys/domain-keys.ts';
import type { BoundInside, Moving } from '../policy/bound.ts';
import type { ChunkDone, ChunkTask, WorkOptions } from './chunk-work.ts';
import { errorCode } from './system-error.ts';

/** What a worker needs before its first chunk. */
export interface WorkerSetup {
  readonly sheet: object;
  readonly keys: PackedKeys;
  readonly options: WorkOptions;
  /** See `BoundInside`. */
  readonly fromKey: string | null;
  /** The keys of both sides, and the policy of the recipient, if the records are moved; otherwise `null`. */
  readonly moving: MovingSetup | null;
}

/** See `Moving` of `policy/bound.ts`. */
export interface MovingSetup {
  readonly from: PackedKeys;
  readonly to: PackedKeys;
  readonly fromKey: string | null;
  readonly as: object | null;
}

/** Worker threads. */
export interface Pool {
  readonly run: (task: ChunkTask) => Promise<ChunkDone>;
  /** Ends the threads, even those that are working. */
  readonly close: () => Promise<void>;
}

/**
 * Starts workers.
 *
 * @throws TrefoilError `worker_failed`: here if the program is a bundle or a package is missing, and from `run` if a
 *   worker died.
 */
export async function startPool(count: number, inside: BoundInside, options: WorkOptions): Promise<Pool> {
  const filename = workerFile();
  const { Tinypool } = await loadTinypool();
  // A rule is plain data, with functions on symbols; only the data can be sent to a worker.
  const sheet = plain(inside.sheet);
  const { moving = null } = inside;
  const workerData: WorkerSetup = {
    sheet,
    keys: packKeys(inside.keys),
    options,
    fromKey: inside.fromKey,
    moving: moving === null ? null : packMoving(moving),
  };
  const pool = new Tinypool({
    filename,
    runtime: 'worker_threads',
    minThreads: count,
    maxThreads: count,
    isolateWorkers: false,
    workerData,
    // A worker does not need the environment, which may have keys in it.
    env: {},
  });
  let closing = false;
  // Tinypool notices an error of a worker, but not a worker that has exited: its task would never end. Each task has a
  // promise of its own, because one promise for all tasks would keep all of their results in memory.
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
      // The chunk is copied, because transferring a view would take the whole buffer of the source.
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
      // `destroy` waits for every worker to exit, even for one that has exited already, so it is not awaited then.
      if (!dead) await gone;
    },
  };
}

/** The data of a policy, without the functions on symbols. */
function plain(sheet: object): object {
  return JSON.parse(JSON.stringify(sheet)) as object;
}

function packMoving({ from, to, fromKey, as }: Moving): MovingSetup {
  return { from: packKeys(from), to: packKeys(to), fromKey, as: as === null ? null : plain(as) };
}

/** The message for a worker that failed. The worker's own message is not repeated, because it may contain anything. */
function reason(error: unknown): string {
  if (errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY')
    return 'a worker ran out of memory; use fewer workers, or a lower --max-record';
  return 'a worker ended before its work was done; try again, or run without workers';
}

/** Loads tinypool when the first workers are started, because a program without workers does not need it. */
async function loadTinypool(): Promise<typeof import('tinypool')> {
  try {
    return await import('tinypool');
  } catch {
    return fail(
      'worker_failed',
      'workers need the package tinypool, which cannot be loaded; run without workers, or run npm install tinypool',
    );
  }
}

/**
 * The worker's file in the installed package. It is found by its name in `package.json`, because the build may put this
 * code into any file of the package. In a bundle there is no such file. The name begins with that of the package, so
 * that it is never a file of the program that the bundle belongs to: a worker gets the keys.
 */
function workerFile(): string {
  const here = typeof __filename === 'string' ? pathToFileURL(__filename).href : import.meta.url;
  try {
    return pathToFileURL(createRequire(here).resolve('#trefoil-worker')).href;
  } catch {
    return fail(
      'worker_failed',
      'workers need a file of the installed package, which a bundle does not have; ' +
        'run without workers, or leave trefoil out of the bundle and install it beside it',
    );
  }
}
