/**
 * The work on one chunk of a file, which is about a megabyte of whole records: it returns the bytes to write. The same
 * function works in this thread and in a worker. The result depends on the chunk alone, so several chunks can be done
 * at once.
 */

import { concat } from '../core/bytes.ts';
import { type IssueCounter, type IssueTally, makeIssueCounter, tallyOf } from '../core/issues.ts';
import { type Issue, type IssueCounts, TrefoilError } from '../errors.ts';
import { type Batches, type BatchOptions, type Codec, type Fault, issuesOf, makeBatches } from '../io/batches.ts';
import { type Block, makeFrames, type Oversize } from '../io/frames.ts';
import { makeRejectSealer, type RejectSealer, rejectEnd } from '../io/rejects.ts';
import type { AsyncRun, BoundInside, Direction } from '../policy/bound.ts';
import { codecOf, type FileFormatSpec, type Opening } from './file-format.ts';
import { type Compression, packer } from './inputs/compression.ts';

/** The options that all chunks of a run share. Plain data, because it is sent to workers. */
export interface WorkOptions {
  readonly direction: Direction;
  readonly fileFormat: FileFormatSpec;
  /** Records that go through the rules at once. */
  readonly batchSize: number;
  /** What happens to a record with issues: it ends the run, is left out and reported, or is also sealed as a reject. */
  readonly onFault: 'stop' | 'report' | 'seal';
  /** Whether the caller wants the issues of rejected records, besides the file of rejects. */
  readonly reports: boolean;
  /** Identity of the file of rejects, 16 bytes. */
  readonly rejectsId: Uint8Array | null;
  readonly compression: Compression;
}

/** A chunk to work on. */
export interface ChunkTask {
  readonly bytes: Uint8Array;
  /** Line on which it begins. */
  readonly line: number;
  /** Whether its last record is written with a line end. */
  readonly ended: boolean;
  /** Index of the input among the inputs of the run. */
  readonly input: number;
  /** The head of the input; `null` if the file format has none. */
  readonly opening: Opening | null;
}

/**
 * The rejected records of a batch. They are kept in few objects, because a chunk may have tens of thousands. Rows count
 * from the first of the chunk, which is 1.
 */
export interface RejectedBatch {
  readonly rows: readonly number[];
  /** The issues of all records, in order; empty if the caller does not want them. */
  readonly issues: readonly Issue[];
  /** How many of the records are above the limit. They are never in memory as a whole, and so are not sealed. */
  readonly notHeld: number;
  /** Their lines in the file of rejects, each without its beginning (see `rejectEnd`); empty without such a file. */
  readonly text: string;
}

/** Result of a chunk. */
export interface ChunkDone {
  /** The bytes to write, compressed. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Values that became missing because the store of a vault has erased them. */
  readonly erased: number;
  readonly rejected: readonly RejectedBatch[];
  /** The issues of the rejected records, counted. */
  readonly tally: IssueTally;
  /** The issues that end the run, if any. The bytes are then those of the batches before. */
  readonly failure: Failure | null;
}

/** Issues that end the run. */
export interface Failure {
  readonly issues: readonly Issue[];
  readonly total: number;
  /** The issues of rows, counted. Rows count from the first of the chunk, and `isAll` is about the chunk. */
  readonly counts: IssueCounts | undefined;
}

/** Makes the work. All keys are set up here, before the first chunk. */
export function makeChunkWork(inside: BoundInside, options: WorkOptions): (task: ChunkTask) => ChunkDone {
  const worker = makeWorker(inside, options);
  return (task) => {
    const work = beginChunk(worker, task);
    const blocks = blocksOf(work);
    try {
      for (let next = blocks.next(); next.done !== true; next = blocks.next()) takeBlock(work, next.value);
    } catch (error) {
      noteFailure(work, error, blocks);
    }
    return doneOf(work);
  };
}

/**
 * Makes the work for a policy that waits for a store. Each block goes through its rules twice, and the store is asked
 * in between.
 */
export function makeAsyncChunkWork(
  { collect, answer, settle }: AsyncRun,
  options: WorkOptions,
): (task: ChunkTask) => Promise<ChunkDone> {
  const worker = makeWorker(answer, options);
  return async (task) => {
    const work = beginChunk(worker, task);
    const codec = codecOf(options.fileFormat, options.direction, collect, task.opening);
    const collecting = makeBatches(codec, batchOptions(options));
    const blocks = blocksOf(work);
    try {
      for (let next = blocks.next(); next.done !== true; next = blocks.next()) {
        if (next.value.kind === 'records') {
          collecting.take(next.value, 0);
          work.erased += await settle();
        }
        takeBlock(work, next.value);
      }
    } catch (error) {
      noteFailure(work, error, blocks);
    }
    return doneOf(work);
  };
}

/** What the chunks of a run share. The codec is used again for each chunk of the same input. */
interface Worker {
  readonly inside: BoundInside;
  readonly options: WorkOptions;
  readonly encoder: TextEncoder;
  readonly pack: (bytes: Uint8Array) => Uint8Array;
  /** Seals rejects; `null` if the run has no file of rejects. */
  readonly sealer: RejectSealer | null;
  codec: Codec | null;
  /** The head of the input whose codec it is, as JSON. */
  codecOpening: string | null;
}

function makeWorker(inside: BoundInside, options: WorkOptions): Worker {
  const { onFault, rejectsId, compression } = options;
  return {
    inside,
    options,
    encoder: new TextEncoder(),
    pack: packer(compression),
    sealer: onFault === 'seal' ? makeRejectSealer(inside.keys, rejectsId!) : null,
    codec: null,
    codecOpening: null,
  };
}

function codecFor(worker: Worker, opening: Opening | null): Codec {
  const key = JSON.stringify(opening);
  if (worker.codec === null || key !== worker.codecOpening) {
    const { fileFormat, direction } = worker.options;
    worker.codec = codecOf(fileFormat, direction, worker.inside, opening);
    worker.codecOpening = key;
  }
  return worker.codec;
}

/** The work on one chunk, as far as it is done. */
interface ChunkWork {
  readonly worker: Worker;
  readonly task: ChunkTask;
  readonly codec: Codec;
  readonly batches: Batches;
  readonly parts: Uint8Array[];
  readonly rejected: RejectedBatch[];
  readonly counter: IssueCounter;
  rows: number;
  erased: number;
  failure: ChunkDone['failure'];
}

function beginChunk(worker: Worker, task: ChunkTask): ChunkWork {
  const codec = codecFor(worker, task.opening);
  const batches = makeBatches(codec, batchOptions(worker.options));
  const counter = makeIssueCounter();
  return { worker, task, codec, batches, parts: [], rejected: [], counter, rows: 0, erased: 0, failure: null };
}

function batchOptions({ fileFormat, onFault }: WorkOptions): BatchOptions {
  return { encoding: fileFormat.encoding, stops: onFault === 'stop' };
}

function* blocksOf({ worker, task, codec }: ChunkWork): Generator<Block | Oversize, void, void> {
  const { fileFormat, batchSize } = worker.options;
  const frames = makeFrames({
    framing: () => codec.framing,
    maxRecord: fileFormat.maxRecord,
    quota: () => batchSize,
    from: { offset: 0, line: task.line },
    // The cutter has removed the mark.
    mayBeMarked: false,
  });
  yield* frames.push(task.bytes);
  yield* frames.end();
}

/** Takes a block: its records go through the rules, and those with an issue are rejected or end the run. */
function takeBlock(work: ChunkWork, found: Block | Oversize): void {
  const { worker, task, batches, rows } = work;
  const done =
    found.kind === 'oversize'
      ? batches.oversize(found, rows, false)
      : batches.take(found.ended || !task.ended ? found : { ...found, ended: true }, rows);
  if (done.faults.length > 0) {
    if (worker.options.onFault === 'stop') {
      const issues = issuesOf(done.faults, rows);
      throw new TrefoilError(issues, issues.length, { rows: rows + done.rows, isAll: false, ...tallyOf(issues) });
    }
    work.rejected.push(rejectedBatch(work, done.faults, found.kind === 'oversize' ? done.faults.length : 0));
  }
  work.rows += done.rows;
  // The text is encoded at once. Many short strings kept for a whole chunk would survive several garbage collections.
  work.parts.push(worker.encoder.encode(done.text));
}

function rejectedBatch(
  { worker, task, rows, counter }: ChunkWork,
  faults: readonly Fault[],
  notHeld: number,
): RejectedBatch {
  const { sealer, options } = worker;
  const sealed = sealer === null ? [] : sealAll(sealer, faults, task.input);
  for (const { issues } of faults) {
    for (const issue of issues) counter.add({ ...issue, row: rows + issue.row });
  }
  const ends = sealed.map((text, i) => rejectEnd({ line: faults[i]!.line, issues: faults[i]!.issues, sealed: text }));
  return {
    rows: faults.map(({ row }) => rows + row),
    issues: options.reports ? issuesOf(faults, rows) : [],
    notHeld,
    // `join` makes one piece of memory. A text that grows by addition is a tree of its pieces.
    text: ends.join(''),
  };
}

/** The sealed text of each record, or `null` for a record above the limit. */
function sealAll(sealer: RejectSealer, faults: readonly Fault[], input: number): (string | null)[] {
  const records = faults.map((fault) => ({ record: fault.record(), place: { input, line: fault.line } }));
  const held = records.flatMap(({ record, place }) => (record === null ? [] : [{ record, place }]));
  const sealed = sealer.seal(held).values();
  return records.map(({ record }) => (record === null ? null : sealed.next().value!));
}

/**
 * Notes an error that ends the run, so that the batches before it are still written.
 *
 * @param rest the blocks that were not taken.
 */
function noteFailure(work: ChunkWork, error: unknown, rest: Generator<Block | Oversize>): void {
  if (!(error instanceof TrefoilError)) throw error;
  const { issues, total, counts } = error;
  const isAll = counts !== undefined && rest.next().done === true;
  work.failure = { issues, total, counts: counts === undefined ? undefined : { ...counts, isAll } };
}

function doneOf({ worker, parts, rows, erased, rejected, counter, failure }: ChunkWork): ChunkDone {
  const bytes = concat(parts);
  const packed = bytes.length === 0 ? bytes : worker.pack(bytes);
  return { bytes: packed, rows, erased, rejected, tally: counter.tally(), failure };
}
