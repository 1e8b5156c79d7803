/// <reference types="node" />
/**
 * The main file of a worker thread. The policy is bound once, when the thread starts, with keys from the thread's own
 * data. Each task is one chunk.
 */

import { Tinypool } from 'tinypool';
import { unpackKeys } from '../keys/domain-keys.ts';
import { openBound } from '../policy/bound.ts';
import { parsePolicy } from '../policy/file/parse.ts';
import { revealAccess } from '../reveal.ts';
import { type ChunkDone, type ChunkTask, makeChunkWork } from './chunk-work.ts';
import type { WorkerSetup } from './pool.ts';

const { sheet, keys, options } = Tinypool.workerData as WorkerSetup;
const policy = parsePolicy(sheet);
const opened = unpackKeys(keys);
const bound = options.direction === 'reveal' ? policy.bind(opened, revealAccess) : policy.bind(opened);
const work = makeChunkWork(openBound(bound), options);

/** Does one chunk. */
export default function run(task: ChunkTask): ChunkDone {
  return work(task);
}
