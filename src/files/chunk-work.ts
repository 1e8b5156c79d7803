/**
 * The work on one chunk of a file: a run of whole records, about a megabyte of them, in; the bytes to write out. It is
 * the same function in this thread and in a worker's, and a chunk's result depends on nothing but the chunk, so chunks
 * may be done by several at once.
 */

import { concat } from '../core/bytes.ts';
import { type Issue, MAX_ISSUES, TrefoilError } from '../errors.ts';
import { type Codec, type Fault, makeBatches } from '../io/batches.ts';
import { type Block, makeFrames, type Oversize } from '../io/frames.ts';
import { makeRejectSealer, type RejectSealer, rejectEnd } from '../io/rejects.ts';
import type { BoundInside, Direction, Later } from '../policy/bound.ts';
import { codecOf, type FormatSpec, type Opening } from './file-format.ts';
import { type Compression, packer } from './inputs/compression.ts';

/** What all chunks of a run have in common. Plain data: it is sent to workers. */
export interface WorkOptions {
  readonly direction: Direction;
  readonly format: FormatSpec;
  /** Records that go through the rules at once. */
  readonly batchSize: number;
  /** What a record with issues does: end the run, be reported, or be sealed as well. */
  readonly onFault: 'stop' | 'report' | 'seal';
  /** Whether the issues of a rejected record are asked for, besides the file of rejects. */
  readonly reports: boolean;
  /** Identity of the file of rejects, 16 bytes. */
  readonly rejectsId: Uint8Array | null;
  readonly compression: Compression;
}

/** A chunk. */
export interface ChunkTask {
  readonly bytes: Uint8Array;
  /** Line on which it begins. */
  readonly line: number;
  /** Whether its last record is to have a line end. */
  readonly ended: boolean;
  /** Index of the input among the inputs of the run. */
  readonly input: number;
  /** What the format learned at the head of the input. */
  readonly opening: Opening | null;
}

/**
 * The rejected records of a batch, in few objects: a chunk may have tens of thousands. Rows count from the chunk's first,
 * which is 1.
 */
export interface RejectedBatch {
  readonly rows: readonly number[];
  /** The issues of all, in order, where they are asked for. */
  readonly issues: readonly Issue[];
  /** How many of them are above the limit: they were never held as a whole, and are not sealed. */
  readonly notHeld: number;
  /** Their lines in the file of rejects, each from what follows its row (`rejectEnd`); empty without such a file. */
  readonly text: string;
}

/** What became of a chunk. */
export interface ChunkDone {
  /** What to write, compressed. */
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly rejected: readonly RejectedBatch[];
  /** What ends the run. The bytes are those of the batches before. */
  readonly failure: { readonly issues: readonly Issue[]; readonly total: number } | null;
}

/** A chunk on its way: the blocks in it, what takes one, and what came of all. */
interface Begun {
  readonly blocks: () => Generator<Block | Oversize, void, void>;
  readonly take: (found: Block | Oversize) => void;
  readonly fail: (error: unknown) => void;
  readonly done: () => ChunkDone;
}

/** Makes the work. All key set-up is done by then. */
export function makeChunkWork(inside: BoundInside, options: WorkOptions): (task: ChunkTask) => ChunkDone {
  const begin = makeBegin(inside, options);
  return (task) => {
    const { blocks, take, fail, done } = begin(task);
    try {
      for (const found of blocks()) take(found);
    } catch (error) {
      fail(error);
    }
    return done();
  };
}

/** The same for a policy that waits for a store: each block goes through its rules twice, and the store is asked between. */
export function makeLaterChunkWork(
  { collect, answer, settle }: Later,
  options: WorkOptions,
): (task: ChunkTask) => Promise<ChunkDone> {
  const begin = makeBegin(answer, options);
  const { format, direction } = options;
  return async (task) => {
    const { blocks, take, fail, done } = begin(task);
    const collecting = makeBatches(codecOf(format, direction, collect, task.opening));
    try {
      for (const found of blocks()) {
        if (found.kind === 'records') {
          collecting.take(found, 0);
          await settle();
        }
        take(found);
      }
    } catch (error) {
      fail(error);
    }
    return done();
  };
}

function makeBegin(
  inside: BoundInside,
  { direction, format, batchSize, onFault, reports, rejectsId, compression }: WorkOptions,
): (task: ChunkTask) => Begun {
  const encoder = new TextEncoder();
  const pack = packer(compression);
  const sealer = onFault === 'seal' ? makeRejectSealer(inside.keys, rejectsId!) : null;
  let codec: Codec | null = null;
  let openingOfCodec: string | null = null;

  function codecFor(opening: Opening | null): Codec {
    const key = JSON.stringify(opening);
    if (codec === null || key !== openingOfCodec) {
      codec = codecOf(format, direction, inside, opening);
      openingOfCodec = key;
    }
    return codec;
  }

  return ({ bytes, line, ended, input, opening }) => {
    const batches = makeBatches(codecFor(opening));
    const { quoted, maxRecord } = format;
    const frames = makeFrames({ quoted, maxRecord, quota: () => batchSize, from: { offset: 0, line } });
    const parts: Uint8Array[] = [];
    const rejected: RejectedBatch[] = [];
    let rows = 0;
    let failure: ChunkDone['failure'] = null;

    function reject(faults: readonly Fault[], notHeld: number): void {
      const sealed = sealer === null ? null : sealAll(sealer, faults);
      const issuesOf = (fault: Fault): Issue[] => fault.issues.map((issue) => ({ ...issue, row: rows + issue.row }));
      rejected.push({
        rows: faults.map(({ row }) => rows + row),
        issues: reports ? faults.flatMap(issuesOf) : [],
        notHeld,
        // Joined, it is one piece of memory; a text that grows by addition is a tree of its pieces.
        text:
          sealed
            ?.map((text, i) => rejectEnd({ line: faults[i]!.line, issues: faults[i]!.issues, sealed: text }))
            .join('') ?? '',
      });
    }

    function sealAll(sealer: RejectSealer, faults: readonly Fault[]): (string | null)[] {
      const records = faults.map((fault) => ({ record: fault.record(), place: { input, line: fault.line } }));
      const held = records.flatMap(({ record, place }) => (record === null ? [] : [{ record, place }]));
      const sealed = sealer.seal(held).values();
      return records.map(({ record }) => (record === null ? null : sealed.next().value!));
    }

    function take(found: Block | Oversize): void {
      const done =
        found.kind === 'oversize'
          ? batches.oversize(found, rows, false)
          : batches.take(found.ended || !ended ? found : { ...found, ended: true }, rows);
      if (done.faults.length > 0 && onFault === 'stop') {
        const issues = done.faults.flatMap((fault) =>
          fault.issues.map((issue) => ({ ...issue, row: rows + issue.row })),
        );
        throw new TrefoilError(issues.slice(0, MAX_ISSUES), issues.length);
      }
      if (done.faults.length > 0) reject(done.faults, found.kind === 'oversize' ? done.faults.length : 0);
      rows += done.rows;
      // At once: as text a whole chunk of small pieces would live through the collections of young memory.
      parts.push(encoder.encode(done.text));
    }

    function* blocks(): Generator<Block | Oversize, void, void> {
      yield* frames.push(bytes);
      yield* frames.end();
    }

    return {
      blocks,
      take,
      fail(error) {
        if (!(error instanceof TrefoilError)) throw error;
        failure = { issues: error.issues, total: error.total };
      },
      done() {
        const out = concat(parts);
        return { bytes: out.length === 0 ? out : pack(out), rows, rejected, failure };
      },
    };
  };
}
