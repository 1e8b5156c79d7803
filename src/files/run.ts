/// <reference types="node" />
/**
 * From files to files: inputs are cut into chunks, the chunks go through the rules (in this thread or in workers), and
 * the results are written in the order of the inputs. Either all outputs get their names at the end of the run, or none
 * does.
 */

import { given } from '../core/given.ts';
import { type IssueCounter, makeIssueCounter, tallyOf } from '../core/issues.ts';
import { type Issue, type IssueCounts, TrefoilError } from '../errors.ts';
import { makeRejectSealer, rejectBeginning, rejectEnd } from '../io/rejects.ts';
import type { BoundInside } from '../policy/bound.ts';
import {
  type ChunkDone,
  type ChunkTask,
  makeAsyncChunkWork,
  makeChunkWork,
  type RejectedBatch,
  type WorkOptions,
} from './chunk-work.ts';
import type { Opening } from './file-format.ts';
import { checkCompression, packer } from './inputs/compression.ts';
import {
  type ChunkCut,
  type Cut,
  cutInputs,
  type HeadCut,
  inFile,
  inputIndex,
  type OversizeCut,
} from './inputs/cutter.ts';
import { inOrder } from './ordered.ts';
import { openRunOutputs, type RunOutputs } from './outputs/outputs.ts';
import { refuseNoted } from './outputs/rekeyed-note.ts';
import type { Counts, EndCounts, FileResult, RunPlan } from './plan.ts';
import { type Pool, startPool } from './pool.ts';
import { rejectsHead } from './rejects.ts';

/**
 * Runs a plan.
 *
 * @throws TrefoilError for data, keys and files, as `protectFile` says.
 */
export async function runPlan(plan: RunPlan): Promise<FileResult> {
  plan.inside.demand(plan.work.direction);
  for (const { output, inputs } of plan.units) {
    for (const input of inputs) checkCompression(plan.compressionOf(input), input);
    if (typeof output === 'string') checkCompression(plan.work.compression, output);
  }
  plan.signal?.throwIfAborted();
  await refuseNoted(
    plan.units.flatMap(({ inputs }) => inputs),
    plan.inside,
    plan.work.direction,
  );
  const outputs = await openRunOutputs(plan);
  if (outputs.done !== null) return resultOf(outputs.done);
  let pool: Pool | null = null;
  try {
    const work = { ...plan.work, rejectsId: outputs.rejectsId };
    pool = plan.workers > 1 ? await startPool(plan.workers, plan.inside, work) : null;
    // Each worker has one chunk in work and two waiting, because this thread, which reads and writes, may share its
    // core with a worker and feed it late.
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
  return beginAsync === undefined ? makeChunkWork(inside, work) : makeAsyncChunkWork(beginAsync(), work);
}

function resultOf({ rows, rejected, erased, notHeld, tally, bytesIn, bytesOut }: EndCounts): FileResult {
  const counts = { rowsIn: rows, rowsOut: rows - rejected, rowsRejected: rejected, rowsNotHeld: notHeld };
  return { ...counts, valuesErased: erased, issues: { rows, isAll: true, ...tally }, bytesIn, bytesOut };
}

type DoChunk = (task: ChunkTask) => ChunkDone | Promise<ChunkDone>;

/** State of a run. */
interface Running {
  readonly plan: RunPlan;
  readonly outputs: RunOutputs;
  readonly counts: Counts;
  readonly encoder: TextEncoder;
  /** Rejected records above the limit. It is not in the manifest, because it can be counted in the file of rejects. */
  notHeld: number;
  /** The issues of rejected records. They are not in the manifest for the same reason. */
  readonly counter: IssueCounter;
  /** The head of the current input; `null` if the file format has none. */
  opening: Opening | null;
  /** The input whose head was written last to the file of rejects; `null` if it has no head yet. */
  headed: number | null;
  /** Records of the current input before the current cut. */
  inputRows: number;
}

/** Takes the cuts of all inputs in order: does the work on each, writes the results, and counts. */
async function pump(plan: RunPlan, outputs: RunOutputs, doChunk: DoChunk, ahead: number): Promise<EndCounts> {
  const { from } = outputs;
  const { rows = 0, rejected = 0, erased = 0, bytesIn = 0, bytesOut = 0 } = from ?? {};
  const counts: Counts = { rows, rejected, erased, bytesIn, bytesOut };
  const run: Running = {
    plan,
    outputs,
    counts,
    encoder: new TextEncoder(),
    notHeld: outputs.rejectsBefore.notHeld,
    counter: makeIssueCounter(),
    opening: null,
    headed: outputs.rejectsBefore.input,
    inputRows: 0,
  };
  run.counter.merge(outputs.rejectsBefore.tally, (issue) => issue);
  const cuts = cutInputs(plan, from, () => counts.rows);
  const work = (cut: Cut) => (cut.kind === 'chunk' ? doChunk(cut.task) : null);
  for await (const { job, result } of inOrder(cuts, work, ahead, plan.signal)) {
    plan.signal?.throwIfAborted();
    await outputs.open(job.unit);
    if (job.kind === 'head') await takeHead(run, job);
    else if (job.kind === 'oversize') await takeDone(run, job, oversizeDone(plan, job, run.inputRows));
    else await takeChunk(run, job, result!);
  }
  if (run.headed === null) await writeRejectsHead(run, 0);
  judge(run, true);
  plan.onProgress?.({ ...counts });
  return { ...counts, notHeld: run.notHeld, tally: run.counter.tally() };
}

/** Takes the head of an input: writes the header, and the first line of the file of rejects. */
async function takeHead(run: Running, cut: HeadCut): Promise<void> {
  const { plan, outputs, counts } = run;
  run.inputRows = cut.rows;
  const { unit, input, place } = cut;
  // Nothing of the input is written yet, so the run could continue from here.
  await outputs.note({ unit, input, place, inputRows: run.inputRows, ...counts });
  counts.bytesIn += cut.bytes;
  if (cut.text !== '') await write(run, packer(plan.work.compression)(run.encoder.encode(cut.text)));
  run.opening = cut.opening;
  // The file of rejects has a first line even if no record is rejected. An input without bytes does not have a head,
  // which tells how the records of a table are written.
  const isKnown = cut.opening !== null || plan.work.fileFormat.name === 'ndjson';
  if (isKnown && run.headed === null) await writeRejectsHead(run, inputIndex(plan, cut));
}

/** Writes the head of an input to the file of rejects, unless it is the last that was written. */
async function writeRejectsHead(run: Running, input: number): Promise<void> {
  const { plan, outputs } = run;
  if (plan.rejects === null || run.headed === input) return;
  const sealer = makeRejectSealer(plan.inside.keys, outputs.rejectsId!);
  await outputs.writeRejects(rejectsHead(sealer, plan.work.fileFormat, run.opening, input));
  run.headed = input;
}

async function takeChunk(run: Running, cut: ChunkCut, done: ChunkDone): Promise<void> {
  const { plan, outputs, counts } = run;
  await takeDone(run, cut, done);
  // `cut.bytes` is the length. The bytes themselves may have been transferred to a worker.
  counts.bytesIn += cut.bytes;
  plan.onProgress?.({ ...counts });
  if (cut.next === null) return;
  const { unit, input, next: place } = cut;
  await outputs.note({ unit, input, place, inputRows: run.inputRows, ...counts });
}

/** Writes the result of a chunk and counts its records. */
async function takeDone(run: Running, cut: Cut, done: ChunkDone): Promise<void> {
  const { bytes, rows, erased, rejected, tally, failure } = done;
  const { counts } = run;
  const place = placer(run, cut);
  for (const batch of rejected) await reject(run, batch, cut, place);
  run.counter.merge(tally, place);
  await write(run, bytes);
  if (failure !== null) {
    throw new TrefoilError(failure.issues.map(place), failure.total, countsOf(run, cut, failure.counts, place));
  }
  run.inputRows += rows;
  counts.rows += rows;
  counts.erased += erased;
  judge(run, false);
}

/** Ends the run if it has too many rejects. The error counts their issues, because no other message of the run does. */
function judge({ plan, counts, counter }: Running, atEnd: boolean): void {
  try {
    plan.judge(counts, atEnd);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(error.issues, error.total, { rows: counts.rows, isAll: atEnd, ...counter.tally() });
  }
}

/** The counts of issues that end the run, with the rows of the whole input. */
function countsOf(
  run: Running,
  cut: Cut,
  counts: IssueCounts | undefined,
  place: (issue: Issue) => Issue,
): IssueCounts | undefined {
  if (counts === undefined) return undefined;
  const isLast = cut.kind === 'chunk' && cut.next === null;
  return {
    ...counts,
    rows: run.inputRows + counts.rows,
    isAll: isLast && counts.isAll,
    fields: counts.fields.map((count) => ({ ...count, first: place(count.first) })),
  };
}

/** Makes a function that completes the place of an issue: the row of a chunk becomes the row of its input. */
function placer({ plan, inputRows }: Running, { unit, input }: Cut): (issue: Issue) => Issue {
  const file = plan.namesFiles ? plan.units[unit]!.inputs[input]! : undefined;
  // An issue that names another file, such as that of a vault, keeps the name.
  const named = given({ file });
  return (issue) =>
    issue.row === undefined ? { ...named, ...issue } : { ...named, ...issue, row: issue.row + inputRows };
}

/** Reports the rejected records of a batch and writes them to the file of rejects. */
async function reject(
  run: Running,
  { rows, issues, notHeld, text }: RejectedBatch,
  cut: Cut,
  place: (issue: Issue) => Issue,
): Promise<void> {
  const { plan, outputs, counts, inputRows } = run;
  for (const issue of issues) plan.onReject?.(place(issue));
  counts.rejected += rows.length;
  run.notHeld += notHeld;
  if (plan.rejects === null) return;
  const file = plan.namesFiles ? plan.units[cut.unit]!.inputs[cut.input]! : undefined;
  const input = inputIndex(plan, cut);
  await writeRejectsHead(run, input);
  const ends = text.split('\n');
  const lines = rows.map((row, i) => `${rejectBeginning({ file, input, row: row + inputRows })}${ends[i]}\n`);
  await outputs.writeRejects(lines.join(''));
}

async function write({ outputs, counts }: Running, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  counts.bytesOut += bytes.length;
  await outputs.write(bytes);
}

/** The result for a record above the limit. It is never in memory as a whole, so it cannot be sealed. */
function oversizeDone(plan: RunPlan, { batches, found, unit, input }: OversizeCut, inputRows: number): ChunkDone {
  const issues = inFile(plan.namesFiles ? plan.units[unit]!.inputs[input]! : null, () => {
    return batches.oversize(found, inputRows, false).faults[0]!.issues;
  });
  const failure = plan.work.onFault === 'stop' ? { issues, total: issues.length, counts: undefined } : null;
  const text = rejectEnd({ line: found.line, issues, sealed: null });
  const rejected = failure === null ? [{ rows: [1], issues, notHeld: 1, text }] : [];
  return {
    bytes: new Uint8Array(0),
    rows: 1,
    erased: 0,
    rejected,
    tally: tallyOf(failure === null ? issues : []),
    failure,
  };
}
