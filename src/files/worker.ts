/// <reference types="node" />
/**
 * A worker's side: the policy is bound when the thread starts, and every task is one chunk. The keys came with the
 * thread's own data, once.
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
