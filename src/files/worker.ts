/// <reference types="node" />
/**
 * The main file of a worker thread. The policy is bound once, when the thread starts, with keys from the thread's own
 * data. Each task is one chunk.
 */

import { Tinypool } from 'tinypool';
import { given } from '../core/given.ts';
import { type DomainKeys, unpackKeys } from '../keys/domain-keys.ts';
import { openBound } from '../policy/bound.ts';
import { parsePolicy } from '../policy/file/parse.ts';
import { project } from '../policy/move/project.ts';
import { rekey } from '../policy/move/rekey.ts';
import { revealAccess } from '../reveal.ts';
import { type ChunkDone, type ChunkTask, makeChunkWork } from './chunk-work.ts';
import type { MovingSetup, WorkerSetup } from './pool.ts';

const { sheet, keys, options, fromKey, moving } = Tinypool.workerData as WorkerSetup;
const policy = parsePolicy(sheet);
const bound = moving === null ? bindTo(unpackKeys(keys)) : move(moving);

function bindTo(opened: DomainKeys): object {
  if (options.direction !== 'reveal') return policy.bind(opened);
  return policy.bind(opened, revealAccess, given({ fromKey: fromKey ?? undefined }));
}

function move({ from, to, fromKey, as }: MovingSetup): object {
  const keys = { from: unpackKeys(from), to: unpackKeys(to), ...given({ fromKey: fromKey ?? undefined }) };
  if (options.direction === 'rekey') return rekey(policy, keys, revealAccess);
  return project(policy, { ...keys, ...given({ as: as === null ? undefined : parsePolicy(as) }) }, revealAccess);
}

const work = makeChunkWork(openBound(bound), options);

/** Does one chunk. */
export default function run(task: ChunkTask): ChunkDone {
  return work(task);
}
