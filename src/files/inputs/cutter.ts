/// <reference types="node" />
/**
 * The cutter: cuts the inputs into heads and chunks, in order. A chunk ends at a record end after about a megabyte, so
 * it depends on the bytes of its input alone, and a run that is resumed at a cut makes the same cuts as before.
 */

import { fail, type Issue, TrefoilError } from '../../errors.ts';
import { type Batches, type Heading, makeBatches } from '../../io/batches.ts';
import {
  type Block,
  type Frames,
  joinBlocks,
  keptBlock,
  makeFrames,
  type Oversize,
  type Place,
} from '../../io/frames.ts';
import type { ChunkTask } from '../chunk-work.ts';
import { codecOf, type FileCodec, type Opening } from '../file-format.ts';
import type { Position } from '../outputs/resume.ts';
import type { RunPlan } from '../plan.ts';
import { openBytes } from './inputs.ts';

/** The first chunk of an output is small, so that its first row is written soon. */
const FIRST_BYTES = 1 << 16;
const CHUNK_BYTES = 1 << 20;

/** An input: the index of its output, and its index among the inputs of that output. */
interface At {
  readonly unit: number;
  readonly input: number;
}

/** The head of an input. */
export interface HeadCut extends At {
  readonly kind: 'head';
  /** The text to write. */
  readonly text: string;
  /** Records of the input before the next cut, which the interrupted run has written. */
  readonly rows: number;
  /** Where the next cut begins. */
  readonly place: Place;
  readonly opening: Opening | null;
  /** Whether the input has no header line, and needs one that another input has. */
  readonly isNameless: boolean;
  /** Length of the header in bytes. */
  readonly bytes: number;
}

/** A chunk of an input. */
export interface ChunkCut extends At {
  readonly kind: 'chunk';
  readonly task: ChunkTask;
  /** Length of the chunk. The bytes themselves may have been transferred to a worker. */
  readonly bytes: number;
  /** Where the next cut begins; `null` for the last cut of an input. */
  readonly next: Place | null;
}

/** A record above the limit. */
export interface OversizeCut extends At {
  readonly kind: 'oversize';
  readonly found: Oversize;
  readonly batches: Batches;
}

/** One cut. */
export type Cut = HeadCut | ChunkCut | OversizeCut;

/**
 * The cuts of a plan, from a position on.
 *
 * @param rowsSoFar returns the rows of the run when a chunk begins. If the run has a limit, the caller must not ask for
 * a chunk before the one before it is done.
 */
export async function* cutInputs(
  plan: RunPlan,
  from: Position | null,
  rowsSoFar: () => number,
): AsyncGenerator<Cut, void, undefined> {
  let shared: SharedHead | null = null;
  for (let unit = from?.unit ?? 0; unit < plan.units.length; unit++) {
    const { inputs } = plan.units[unit]!;
    const begin = unit === from?.unit ? from.input : 0;
    // The header of the first input that has one is that of the output, even if the run is resumed after that input.
    let first: Opening | null = null;
    // An input without records may have no head.
    for (let input = 0; input < begin; input++) first ??= (await headOf(plan, inputs[input]!))?.opening ?? null;
    let isHeaded = first !== null;
    let isNamed = true;
    for (let input = begin; input < inputs.length; input++) {
      const resumed = unit === from?.unit && input === from.input && from.place.offset > 0 ? from : null;
      const cuts = cutInput(plan, { unit, input }, first, isHeaded, resumed, rowsSoFar);
      for await (const cut of cuts) {
        if (cut.kind === 'head') {
          first ??= cut.opening;
          isHeaded ||= cut.text !== '' || cut.opening !== null;
          isNamed &&= !cut.isNameless;
        }
        yield cut;
      }
      if (rowsSoFar() >= plan.limit) break;
    }
    if (first === null && !isNamed) {
      shared ??= await sharedHead(plan);
      yield headOfOthers(plan, unit, shared);
    }
    if (rowsSoFar() >= plan.limit) return;
  }
}

/** Index of an input among all inputs of the run. */
export function inputIndex(plan: RunPlan, { unit, input }: At): number {
  return plan.units.slice(0, unit).reduce((sum, { inputs }) => sum + inputs.length, 0) + input;
}

/** State of the cutter in one input. */
interface Cutting {
  readonly plan: RunPlan;
  readonly at: At;
  readonly codec: FileCodec;
  readonly batches: Batches;
  /** Where the run begins in the input. */
  readonly place: Place;
  /** Whether the input is the first of its output that has a head, which is written. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** The head of the first input of the output. */
  opening: Opening | null;
  /** Whether the head was read. */
  started: boolean;
  /** The text of the head so far, and its length in bytes. */
  headText: string;
  headBytes: number;
  /** Chunks that were cut. */
  chunks: number;
  /** The first record of an input without a header line, which was read to look for one. It begins the first chunk. */
  held: Block | null;
  /** Whether a limit of rows is reached by the record that is held. */
  readonly isFull: () => boolean;
}

async function* cutInput(
  plan: RunPlan,
  at: At,
  first: Opening | null,
  isHeaded: boolean,
  resumed: Position | null,
  rowsSoFar: () => number,
): AsyncGenerator<Cut, void, undefined> {
  const { inputs } = plan.units[at.unit]!;
  const path = inputs[at.input]!;
  const { fileFormat, direction } = plan.work;
  const place = resumed?.place ?? { offset: 0, line: 1 };
  const opening = resumed === null ? first : (first ?? (await headOf(plan, path))?.opening ?? null);
  const codec = codecOf(fileFormat, direction, plan.inside, resumed === null ? null : opening);
  const cutting: Cutting = {
    plan,
    at,
    codec,
    batches: batchesOf(plan, codec),
    place,
    isFirst: !isHeaded,
    isLast: at.input === inputs.length - 1,
    opening,
    started: resumed !== null,
    headText: '',
    headBytes: 0,
    chunks: 0,
    held: null,
    isFull: () => rowsSoFar() + 1 >= plan.limit,
  };
  const frames = framesOf(plan, codec, place, {
    quota: () => {
      if (!cutting.started && codec.heading !== null) return 1;
      return plan.limit - rowsSoFar() - (cutting.held === null ? 0 : 1);
    },
    size: () => (at.input === 0 && place.offset === 0 && cutting.chunks === 0 ? FIRST_BYTES : CHUNK_BYTES),
  });
  if (resumed !== null) yield headCut(cutting, resumed.inputRows);
  try {
    for await (const bytes of await openBytes(path, plan.compressionOf(path), fileFormat.encoding, place.offset)) {
      for (const found of frames.push(bytes)) {
        yield* cutsOf(cutting, found);
        if (rowsSoFar() >= plan.limit) return;
      }
    }
    for (const found of frames.end()) yield* cutsOf(cutting, found);
    if (cutting.held !== null) yield chunkCut(cutting, cutting.held);
    if (cutting.started) return;
    if (codec.headless !== null) return yield headlessCut(cutting);
    if (!cutting.isLast && /[^\r\n\ufeff]$/.test(cutting.headText)) cutting.headText += '\n';
    yield headCut(cutting, 0);
  } catch (error) {
    throw plan.namesFiles ? withFile(error, path) : error;
  }
}

function headCut({ at, place, opening, isFirst, headText, headBytes }: Cutting, rows: number): HeadCut {
  const text = isFirst ? headText : '';
  return { ...at, kind: 'head', text, rows, place, opening, isNameless: false, bytes: headBytes };
}

/** The head of an input without a header line: a part of a table, which has no records. */
function headlessCut({ plan, at, place, codec, opening, headBytes }: Cutting): HeadCut {
  // Nothing is a part of a table if it is all there is.
  if (plan.units.length === 1 && plan.units[0]!.inputs.length === 1) {
    fail('empty_input', codec.headless!, { line: 1, column: 1 });
  }
  return { ...at, kind: 'head', text: '', rows: 0, place, opening, isNameless: true, bytes: headBytes };
}

/**
 * The head of an output none of whose inputs has a header line.
 *
 * @throws TrefoilError `empty_input` if no other input has one either, or if they differ.
 */
function headOfOthers({ units }: RunPlan, unit: number, shared: SharedHead): HeadCut {
  const { inputs } = units[unit]!;
  if ('refusal' in shared) fail('empty_input', shared.refusal, { file: inputs[0]!, line: 1, column: 1 });
  const at = { unit, input: inputs.length - 1, place: { offset: 0, line: 1 } };
  return { ...at, kind: 'head', ...shared, rows: 0, isNameless: false, bytes: 0 };
}

/** The head that the inputs of a run share, or why there is none. */
type SharedHead = Head | { readonly refusal: string };

/**
 * Reads the heads of all inputs. If those that have one have the same one, the inputs are parts of one table. With
 * different ones nobody knows which table an input without a header line is a part of.
 */
async function sharedHead(plan: RunPlan): Promise<SharedHead> {
  let found: Head | null = null;
  for (const path of plan.units.flatMap(({ inputs }) => inputs)) {
    let head: Head | null;
    try {
      head = await headOf(plan, path);
    } catch (error) {
      throw withFile(error, path);
    }
    found ??= head;
    if (found !== null && head !== null && differenceOf(found.opening, head.opening) !== null) {
      return { refusal: OTHER_TABLES };
    }
  }
  return found ?? { refusal: NO_INPUT_HAS_HEADER };
}

const NO_INPUT_HAS_HEADER =
  'none of the inputs has a header line; if they may have no records, name their columns (--header a,b,c), or check ' +
  'the step that writes them';

const OTHER_TABLES =
  'the input is empty, and the headers of the other inputs differ, so it is not known which columns it has; check the ' +
  'step that writes it, or run it apart from those of other tables';

/** The cuts that a block makes: for the first block of an input its head, and then the chunk, if it has records. */
function* cutsOf(cutting: Cutting, found: Block | Oversize): Generator<Cut, void, undefined> {
  const { at, codec, batches, held } = cutting;
  if (found.kind === 'oversize') {
    if (held !== null) yield chunkCut(cutting, held);
    if (!cutting.started && codec.heading !== null) batches.oversize(found, 0, true);
    if (!cutting.started) yield headCut(cutting, 0);
    cutting.started = true;
    return yield { ...at, kind: 'oversize', found, batches };
  }
  let block = found;
  if (!cutting.started) {
    const records = openHead(cutting, found);
    if (cutting.started) yield headCut(cutting, 0);
    if (records === null) return;
    // A chunk of its own would also be a batch of its own, and the issues of the other rows would not be found with it.
    if (codec.heading !== null && !cutting.isFull()) {
      cutting.held = keptBlock(records);
      return;
    }
    block = records;
  }
  yield chunkCut(cutting, held === null ? block : joinBlocks(held, block));
}

function chunkCut(cutting: Cutting, block: Block): ChunkCut {
  const { plan, at, isLast, opening } = cutting;
  cutting.chunks++;
  cutting.held = null;
  const { bytes, line, next = null } = block;
  const task: ChunkTask = { bytes, line, ended: block.ended || !isLast, input: inputIndex(plan, at), opening };
  return { ...at, kind: 'chunk', task, bytes: bytes.length, next };
}

/** Reads the head of an input, or a part of it. Returns the block without it, or `null` if it has no records. */
function openHead(cutting: Cutting, found: Block): Block | null {
  const { codec, batches, isLast } = cutting;
  const isMarked = cutting.headBytes === 0;
  const block = isMarked
    ? batches.open(found, (kept) => {
        cutting.headText = kept;
      })
    : found;
  cutting.headBytes += found.bytes.length - block.bytes.length;
  if (block.bytes.length === 0) return null;
  const heading = codec.heading === null ? NO_HEADING : batches.heading(block);
  cutting.headText += heading.text;
  if (heading.isHeader) cutting.headBytes += block.bytes.length;
  if (heading.continues) return null;
  cutting.started = true;
  const head = codec.opening?.() ?? null;
  cutting.opening ??= head;
  checkSameHeader(cutting.opening, head);
  // If the header has no line end, it gets one before the rows of the next input.
  if (heading.isHeader && !isLast && !found.ended) cutting.headText += cutting.opening!.newline;
  return heading.isHeader ? null : block;
}

/** The heading of a file format that has no head. */
const NO_HEADING: Heading = { text: '', isHeader: false, continues: false };

function batchesOf({ work }: RunPlan, codec: FileCodec): Batches {
  return makeBatches(codec, { encoding: work.fileFormat.encoding, stops: work.onFault === 'stop' });
}

function framesOf(
  plan: RunPlan,
  codec: FileCodec,
  from: Place,
  asked: { quota: () => number; size: () => number },
): Frames {
  return makeFrames({ framing: () => codec.framing, maxRecord: plan.work.fileFormat.maxRecord, from, ...asked });
}

/** What is known of the head of an input. */
interface Head {
  readonly opening: Opening | null;
  /** The text to write. */
  readonly text: string;
}

/** Reads the head of an input, for a run that does not begin there; `null` if it has none. */
async function headOf(plan: RunPlan, path: string): Promise<Head | null> {
  const codec: FileCodec = codecOf(plan.work.fileFormat, plan.work.direction, plan.inside, null);
  if (codec.heading === null) return null;
  const batches = batchesOf(plan, codec);
  const frames = framesOf(plan, codec, { offset: 0, line: 1 }, { quota: () => 1, size: () => CHUNK_BYTES });
  let isFirst = true;
  let text = '';
  /** Reads a record of the head. Returns `null` if the head continues. */
  const read = (found: Block | Oversize): Head | null => {
    if (found.kind === 'oversize') batches.oversize(found, 0, true);
    else {
      const keep = (mark: string): void => {
        text = mark;
      };
      const block = isFirst ? batches.open(found, keep) : found;
      isFirst = false;
      if (block.bytes.length === 0) return null;
      const heading = batches.heading(block);
      text += heading.text;
      if (heading.continues) return null;
    }
    return { opening: codec.opening!(), text };
  };
  const { encoding } = plan.work.fileFormat;
  for await (const bytes of await openBytes(path, plan.compressionOf(path), encoding)) {
    for (const found of frames.push(bytes)) {
      const head = read(found);
      if (head !== null) return head;
    }
  }
  for (const found of frames.end()) {
    const head = read(found);
    if (head !== null) return head;
  }
  return null;
}

/** All inputs of one output must have the same columns in the same order, because rows have no names. */
function checkSameHeader(first: Opening | null, other: Opening | null): void {
  const difference = differenceOf(first, other);
  if (difference !== null) fail(difference.code, difference.message, { line: 1, column: 1 });
}

/** How the heads of two inputs differ; `null` if they do not, or if an input has none. */
function differenceOf(first: Opening | null, other: Opening | null): Pick<Issue, 'code' | 'message'> | null {
  if (first === null || other === null || first === other) return null;
  if ('delimiter' in first && 'delimiter' in other && first.delimiter !== other.delimiter) {
    const message =
      'the first line (sep=) names another delimiter than the first input; with --out-dir each input gets an output of ' +
      'its own';
    return { code: 'delimiter_mismatch', message };
  }
  const { length } = first.names;
  if (length === other.names.length && first.names.every((name, i) => name === other.names[i])) return null;
  const message =
    'the header differs from that of the first input; with --out-dir each input gets an output of its own';
  return { code: 'header_mismatch', message };
}

/** Adds the name of a file to the issues of an error. An issue that names a file already keeps it. */
export function withFile(error: TrefoilError, file: string): TrefoilError;
export function withFile(error: unknown, file: string): unknown;
export function withFile(error: unknown, file: string): unknown {
  if (!(error instanceof TrefoilError)) return error;
  const { issues, total, counts } = error;
  const place = (issue: Issue): Issue => ({ ...issue, file: issue.file ?? file });
  const fields = counts?.fields.map((count) => ({ ...count, first: place(count.first) }));
  return new TrefoilError((issues as readonly Issue[]).map(place), total, counts && { ...counts, fields: fields! });
}

/** Calls a function. Its errors name the file, unless `file` is `null`. */
export function inFile<T>(file: string | null, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw file === null ? error : withFile(error, file);
  }
}
