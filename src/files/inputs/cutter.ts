/// <reference types="node" />
/**
 * The cutter: inputs become heads and chunks, in order. A chunk ends where a record ends, after about a megabyte, and so
 * depends on the bytes of its input alone: a run that is resumed at a cut makes the same cuts from there on.
 */

import { fail, TrefoilError } from '../../errors.ts';
import { type Batches, makeBatches } from '../../io/batches.ts';
import { type Block, type Frames, makeFrames, type Oversize, type Place } from '../../io/frames.ts';
import type { ChunkTask } from '../chunk-work.ts';
import { codecOf, type FileCodec, type Opening } from '../file-format.ts';
import type { Position } from '../outputs/resume.ts';
import type { RunPlan } from '../plan.ts';
import { openBytes } from './inputs.ts';

/** The first chunk of an output is small, so that its first row is there soon. */
const FIRST_BYTES = 1 << 16;
const CHUNK_BYTES = 1 << 20;

interface At {
  readonly unit: number;
  readonly input: number;
}

/** An input begins. */
export interface HeadCut extends At {
  readonly kind: 'head';
  /** What to write of it. */
  readonly text: string;
  /** Records of the input before the next cut: those of the run that is resumed. */
  readonly rows: number;
  /** Where the next cut begins. */
  readonly place: Place;
  readonly opening: Opening | null;
  /** Length of the header in bytes. */
  readonly bytes: number;
}

/** A chunk of an input. */
export interface ChunkCut extends At {
  readonly kind: 'chunk';
  readonly task: ChunkTask;
  /** Length of the chunk; a worker may have taken the bytes. */
  readonly bytes: number;
  /** Where the next cut begins; `null` behind the last of an input. */
  readonly next: Place | null;
}

/** A record above the limit. */
export interface OversizeCut extends At {
  readonly kind: 'oversize';
  readonly found: Oversize;
  readonly batches: Batches;
}

/** What the cutter gives. */
export type Cut = HeadCut | ChunkCut | OversizeCut;

/**
 * The cuts of a plan, from a position on.
 *
 * @param rowsSoFar asked when a chunk begins, for a run with a limit; then no chunk may be asked for ahead.
 */
export async function* cutInputs(
  plan: RunPlan,
  from: Position | null,
  rowsSoFar: () => number,
): AsyncGenerator<Cut, void, undefined> {
  for (let unit = from?.unit ?? 0; unit < plan.units.length; unit++) {
    const { inputs } = plan.units[unit]!;
    const begin = unit === from?.unit ? from.input : 0;
    // The header of the first input is that of the output, also when the run goes on behind it.
    let first = begin === 0 ? null : await openingOf(plan, inputs[0]!);
    for (let input = begin; input < inputs.length; input++) {
      const resumed = unit === from?.unit && input === from.input && from.place.offset > 0 ? from : null;
      const cuts = cutInput(plan, { unit, input }, first, resumed, rowsSoFar);
      for await (const cut of cuts) {
        if (cut.kind === 'head') first ??= cut.opening;
        yield cut;
      }
      if (rowsSoFar() >= plan.limit) break;
    }
    if (rowsSoFar() >= plan.limit) return;
  }
}

/** The index of an input among all of the run. */
export function inputIndex(plan: RunPlan, { unit, input }: At): number {
  return plan.units.slice(0, unit).reduce((sum, { inputs }) => sum + inputs.length, 0) + input;
}

async function* cutInput(
  plan: RunPlan,
  at: At,
  first: Opening | null,
  resumed: Position | null,
  rowsSoFar: () => number,
): AsyncGenerator<Cut, void, undefined> {
  const { inputs } = plan.units[at.unit]!;
  const path = inputs[at.input]!;
  const isLast = at.input === inputs.length - 1;
  const index = inputIndex(plan, at);
  const place = resumed?.place ?? { offset: 0, line: 1 };
  let head = resumed === null ? null : await openingOf(plan, path);
  const isFirst = first === null;
  let opening = first ?? head;
  const codec = codecOf(plan.work.format, plan.work.direction, plan.inside, resumed === null ? null : opening);
  const batches = makeBatches(codec);
  let started = resumed !== null;
  let cut = 0;
  const frames = framesOf(plan, place, {
    quota: () => (!started && codec.heading !== null ? 1 : plan.limit - rowsSoFar()),
    size: () => (at.input === 0 && place.offset === 0 && cut === 0 ? FIRST_BYTES : CHUNK_BYTES),
  });
  if (resumed !== null) yield headCut(place, '', resumed.inputRows);

  function headCut(from: Place, text: string, rows: number, bytes = 0): HeadCut {
    return { ...at, kind: 'head', text, rows, place: from, opening, bytes };
  }

  function* take(found: Block | Oversize): Generator<Cut, void, undefined> {
    if (found.kind === 'oversize') {
      if (!started && codec.heading !== null) batches.oversize(found, 0, true);
      if (!started) yield headCut(place, '', 0);
      started = true;
      return yield { ...at, kind: 'oversize', found, batches };
    }
    let block = found;
    if (!started) {
      let text = '';
      block = batches.open(block, (mark) => {
        text = mark;
      });
      if (block.bytes.length === 0) return;
      started = true;
      const heading = codec.heading === null ? null : batches.heading(block);
      head = codec.opening?.() ?? null;
      opening ??= head;
      checkSameHeader(opening, head);
      text += heading?.text ?? '';
      const written = isFirst ? (isLast || found.ended ? text : ended(text)) : '';
      const isHeader = heading?.isHeader === true;
      yield headCut(place, written, 0, found.bytes.length - (isHeader ? 0 : block.bytes.length));
      if (isHeader) return;
    }
    cut++;
    const { bytes, line, next = null } = block;
    const task: ChunkTask = { bytes, line, ended: block.ended || !isLast, input: index, opening };
    yield { ...at, kind: 'chunk', task, bytes: bytes.length, next };
  }

  /** A header whose line end is missing, before the rows of another input. */
  function ended(text: string): string {
    return opening === null || text === '' ? text : text + opening.newline;
  }

  try {
    for await (const bytes of await openBytes(path, plan.compressionOf(path), place.offset)) {
      for (const found of frames.push(bytes)) {
        yield* take(found);
        if (rowsSoFar() >= plan.limit) return;
      }
    }
    for (const found of frames.end()) yield* take(found);
    if (!started) fail('empty_input', 'the input is empty', { line: 1, column: 1 });
  } catch (error) {
    throw plan.namesFiles ? withFile(error, path) : error;
  }
}

function framesOf(plan: RunPlan, from: Place, asked: { quota: () => number; size: () => number }): Frames {
  const { quoted, maxRecord } = plan.work.format;
  return makeFrames({ quoted, maxRecord, from, ...asked });
}

/** Reads the head of an input again. */
async function openingOf(plan: RunPlan, path: string): Promise<Opening | null> {
  const codec: FileCodec = codecOf(plan.work.format, plan.work.direction, plan.inside, null);
  if (codec.heading === null) return null;
  const batches = makeBatches(codec);
  const frames = framesOf(plan, { offset: 0, line: 1 }, { quota: () => 1, size: () => CHUNK_BYTES });
  const read = (found: Block | Oversize): Opening => {
    if (found.kind === 'oversize') batches.oversize(found, 0, true);
    else batches.heading(batches.open(found, () => {}));
    return codec.opening!();
  };
  for await (const bytes of await openBytes(path, plan.compressionOf(path))) {
    for (const found of frames.push(bytes)) return read(found);
  }
  for (const found of frames.end()) return read(found);
  return null;
}

/** Inputs of one output must have the same columns in the same order: rows carry no names. */
function checkSameHeader(first: Opening | null, other: Opening | null): void {
  if (first === null || other === null || first === other) return;
  const { length } = first.names;
  if (length === other.names.length && first.names.every((name, i) => name === other.names[i])) return;
  const message =
    'the header differs from that of the first input; with --out-dir each input gets an output of its own';
  fail('header_mismatch', message, { line: 1, column: 1 });
}

/** An error with the file that it is about; one that names a file of its own keeps it. */
export function withFile(error: unknown, file: string): unknown {
  if (!(error instanceof TrefoilError)) return error;
  return new TrefoilError(
    error.issues.map((issue) => ({ ...issue, file: issue.file ?? file })),
    error.total,
  );
}

/** Does something whose errors name the file, if there is a name. */
export function inFile<T>(file: string | null, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw file === null ? error : withFile(error, file);
  }
}
