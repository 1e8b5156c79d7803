/// <reference types="node" />
/**
 * From files to files: inputs are cut into chunks, the chunks go through the work (here or in workers), and what comes
 * out is written in the order of the inputs. Outputs get their names when all of the run is whole, or none does.
 */

import { type Issue, TrefoilError } from '../errors.ts';
import { makeRejectSealer, rejectBeginning, rejectEnd } from '../io/rejects.ts';
import type { BoundInside } from '../policy/bound.ts';
import {
  type ChunkDone,
  type ChunkTask,
  makeChunkWork,
  makeLaterChunkWork,
  type RejectedBatch,
  type WorkOptions,
} from './chunk-work.ts';
import { checkCompression, packer } from './inputs/compression.ts';
import { type Cut, cutInputs, type HeadCut, inFile, inputIndex, type OversizeCut } from './inputs/cutter.ts';
import { inOrder } from './ordered.ts';
import { openRunOutputs, type RunOutputs } from './outputs/outputs.ts';
import type { Counts, EndCounts, FileResult, RunPlan } from './plan.ts';
import { type Pool, startPool } from './pool.ts';
import { rejectsHead } from './rejects.ts';

/** Runs a plan. */
export async function runPlan(plan: RunPlan): Promise<FileResult> {
  plan.inside.demand(plan.work.direction);
  for (const { output, inputs } of plan.units) {
    for (const input of inputs) checkCompression(plan.compressionOf(input), input);
    if (typeof output === 'string') checkCompression(plan.work.compression, output);
  }
  plan.signal?.throwIfAborted();
  const outputs = await openRunOutputs(plan);
  if (outputs.done !== null) return resultOf(outputs.done);
  let pool: Pool | null = null;
  try {
    const work = { ...plan.work, rejectsId: outputs.rejectsId };
    pool = plan.workers > 1 ? await startPool(plan.workers, plan.inside, work) : null;
    // Each worker has one at work and two that wait: the threads share their cores with the one that reads and writes.
    const counts =
      pool === null
        ? await pump(plan, outputs, chunkWork(plan.inside, work), 1)
        : await pump(plan, outputs, pool.run, plan.workers * 3);
    plan.signal?.throwIfAborted();
    await outputs.finish(counts);
    return resultOf(counts);
  } catch (error) {
    await outputs.abandon(error);
    throw error;
  } finally {
    await pool?.close();
  }
}

function chunkWork(inside: BoundInside, work: WorkOptions): DoChunk {
  const { beginAsync } = inside;
  return beginAsync === undefined ? makeChunkWork(inside, work) : makeLaterChunkWork(beginAsync(), work);
}

function resultOf({ rows, rejected, notHeld, bytesIn, bytesOut }: EndCounts): FileResult {
  const rowsOut = rows - rejected;
  return { rowsIn: rows, rowsOut, rowsRejected: rejected, rowsNotHeld: notHeld, bytesIn, bytesOut };
}

type DoChunk = (task: ChunkTask) => ChunkDone | Promise<ChunkDone>;

/** Takes the cuts through the work, in order, and counts. */
async function pump(plan: RunPlan, outputs: RunOutputs, doChunk: DoChunk, ahead: number): Promise<EndCounts> {
  const { from } = outputs;
  const counts: Counts = {
    rows: from?.rows ?? 0,
    rejected: from?.rejected ?? 0,
    bytesIn: from?.bytesIn ?? 0,
    bytesOut: from?.bytesOut ?? 0,
  };
  const pack = packer(plan.work.compression);
  const encoder = new TextEncoder();
  // Beside the counts, which the manifest has: it is counted again in the file of rejects.
  let notHeld = outputs.notHeldBefore;
  let headed = from !== null && from.rejects > 0;
  // Records of the current input before the current cut.
  let inputRows = 0;

  async function write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    counts.bytesOut += bytes.length;
    await outputs.write(bytes);
  }

  /** An issue's place: rows of a chunk become rows of their input. */
  function placer({ unit, input }: Cut): (issue: Issue) => Issue {
    const file = plan.namesFiles ? { file: plan.units[unit]!.inputs[input]! } : {};
    // An issue of another file, as that of a vault, keeps its name.
    return (issue) => ({ ...file, ...issue, ...(issue.row === undefined ? {} : { row: issue.row + inputRows }) });
  }

  async function takeHead(cut: HeadCut): Promise<void> {
    inputRows = cut.rows;
    const { unit, input, place } = cut;
    // Nothing of the input is written yet: the run could go on from here.
    await outputs.note({ unit, input, place, inputRows, ...counts });
    counts.bytesIn += cut.bytes;
    if (cut.text !== '') await write(pack(encoder.encode(cut.text)));
    if (plan.rejects !== null && !headed) {
      const sealer = makeRejectSealer(plan.inside.keys, outputs.rejectsId!);
      await outputs.writeRejects(rejectsHead(sealer, plan.work.format, cut.opening));
      headed = true;
    }
  }

  async function reject(
    { rows, issues, notHeld: lost, text }: RejectedBatch,
    cut: Cut,
    place: (issue: Issue) => Issue,
  ): Promise<void> {
    for (const issue of issues) plan.onReject?.(place(issue));
    counts.rejected += rows.length;
    notHeld += lost;
    if (plan.rejects === null) return;
    const file = plan.namesFiles ? plan.units[cut.unit]!.inputs[cut.input]! : undefined;
    const input = inputIndex(plan, cut);
    const ends = text.split('\n');
    const lines = rows.map((row, i) => `${rejectBeginning({ file, input, row: row + inputRows })}${ends[i]}\n`);
    await outputs.writeRejects(lines.join(''));
  }

  async function takeDone(cut: Cut, { bytes, rows, rejected, failure }: ChunkDone): Promise<void> {
    const place = placer(cut);
    for (const batch of rejected) await reject(batch, cut, place);
    await write(bytes);
    if (failure !== null) throw new TrefoilError(failure.issues.map(place), failure.total);
    inputRows += rows;
    counts.rows += rows;
    plan.judge(counts, false);
  }

  const cuts = cutInputs(plan, from, () => counts.rows);
  const work = (cut: Cut) => (cut.kind === 'chunk' ? doChunk(cut.task) : null);
  for await (const { job, result } of inOrder(cuts, work, ahead, plan.signal)) {
    plan.signal?.throwIfAborted();
    await outputs.open(job.unit);
    if (job.kind === 'head') {
      await takeHead(job);
      continue;
    }
    await takeDone(job, job.kind === 'chunk' ? result! : oversizeDone(plan, job, inputRows));
    if (job.kind === 'chunk') {
      // What was taken is a view no longer: the length alone is asked.
      counts.bytesIn += job.bytes;
      plan.onProgress?.({ ...counts });
      if (job.next !== null) {
        const { unit, input, next: place } = job;
        await outputs.note({ unit, input, place, inputRows, ...counts });
      }
    }
  }
  plan.judge(counts, true);
  plan.onProgress?.({ ...counts });
  return { ...counts, notHeld };
}

/** What becomes of a record above the limit: it was never held as a whole, and cannot be sealed. */
function oversizeDone(plan: RunPlan, { batches, found, unit, input }: OversizeCut, inputRows: number): ChunkDone {
  const issues = inFile(plan.namesFiles ? plan.units[unit]!.inputs[input]! : null, () => {
    return batches.oversize(found, inputRows, false).faults[0]!.issues;
  });
  const failure = plan.work.onFault === 'stop' ? { issues, total: issues.length } : null;
  const text = rejectEnd({ line: found.line, issues, sealed: null });
  const rejected = failure === null ? [{ rows: [1], issues, notHeld: 1, text }] : [];
  return { bytes: new Uint8Array(0), rows: 1, rejected, failure };
}
