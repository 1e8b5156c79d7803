/**
 * Records: what the streams of all file formats share. A run takes chunks of bytes and returns chunks of bytes, one
 * batch of records at a time. It counts, and it decides whether an issue ends the run or rejects a record. It is
 * synchronous but for the promises that it gives if its policy waits; `stream.ts` has the asynchronous shells around
 * it, and `batches.ts` the work on one batch.
 */

import { badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { tallyOf } from '../core/issues.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import type { AsyncRun, BoundInside } from '../policy/bound.ts';
import { type Batches, type Codec, type Done, issuesOf, makeBatches } from './batches.ts';
import { checkEncoding, type Encoding, type EncodingName, makeTranscoder, type Transcoder } from './encoding.ts';
import { type Block, type Frames, joinBlocks, keptBlock, makeFrames, type Oversize } from './frames.ts';

/** How far a run has got. */
export interface Progress {
  /** Records that were read, rejected ones included. A header is not a record. */
  readonly rows: number;
  /** Records that were left out of the output because they have an issue. */
  readonly rejected: number;
  /** Bytes that were read from the source. */
  readonly bytesIn: number;
  /** Bytes that the consumer received. */
  readonly bytesOut: number;
}

/** One record before or after the run, by field name. */
export type SampleRecord = Readonly<Record<string, unknown>>;

/** Options of every record stream. */
export interface RecordOptions {
  /** Ends the run if it is aborted: the run fails with `signal.reason`, and the source is closed. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Called with each issue of a record. The record is left out of the output, and the run continues. A record with
   * three issues makes three calls. Without this option the first batch with an issue ends the run, and nothing of that
   * batch is written.
   */
  readonly onReject?: ((issue: Issue) => void) | undefined;
  /**
   * Called with every record that is written, before and after the rules; for a preview, together with `limit`. A
   * number of JSON that JavaScript would round or spell in another way is passed as its text.
   */
  readonly onSample?: ((before: SampleRecord, after: SampleRecord) => void) | undefined;
  /** Records that go through the rules at once, 1 to 65,536; 1,024 by default. */
  readonly batchSize?: number | undefined;
  /** Longest record in bytes of UTF-8, without its line end, up to 256 MiB; 1 MiB by default. */
  readonly maxRecord?: number | undefined;
  /** Stops after this many records. */
  readonly limit?: number | undefined;
  /**
   * Encoding of the input's characters; `utf-8` by default. `iso-8859-1` means `windows-1252`, as on the web. `utf-16`
   * needs a byte order mark; `utf-16le` and `utf-16be` do not. The output is UTF-8 in any case. A record with bytes
   * that are no characters has the issue `not_utf8`, or `not_in_encoding` if another encoding is set.
   */
  readonly encoding?: EncodingName | undefined;
}

const KNOWN = ['signal', 'onProgress', 'onReject', 'onSample', 'batchSize', 'maxRecord', 'limit', 'encoding'];

/** Longest record in bytes if the caller sets no limit. */
export const DEFAULT_MAX_RECORD: number = 1 << 20;

/** Checks the options that all file formats share. `more` names the options of one file format. */
export function checkRecordOptions(options: unknown, more: readonly string[] = []): RecordOptions {
  const checked = checkOptions('options', options, [...KNOWN, ...more]) as RecordOptions;
  const { signal, batchSize, maxRecord, limit, encoding } = checked;
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    badType('signal', `expected an AbortSignal, got ${typeName(signal)}`);
  }
  for (const name of ['onProgress', 'onReject', 'onSample'] as const) {
    const callback: unknown = checked[name];
    if (callback !== undefined && typeof callback !== 'function')
      badType(name, `expected a function, got ${typeName(callback)}`);
  }
  if (batchSize !== undefined) checkInteger('batchSize', batchSize, 1, 65_536);
  if (maxRecord !== undefined) checkInteger('maxRecord', maxRecord, 1, 1 << 28);
  if (limit !== undefined) checkInteger('limit', limit, 1, Number.MAX_SAFE_INTEGER);
  checkEncoding(encoding);
  return checked;
}

/** What a run gives: bytes for the consumer, or a promise that has to be fulfilled before the run is asked again. */
export type Step = Uint8Array | Promise<unknown>;

/** A run over one input. */
export interface Run {
  /** Takes a chunk. The generator is lazy: each batch is computed when it is asked for. */
  readonly push: (chunk: Uint8Array) => Generator<Step, void, void>;
  readonly end: () => Generator<Step, void, void>;
  /** Whether the limit is reached, so that the rest of the source need not be read. */
  readonly done: () => boolean;
  /** The encoding of the chunks. */
  readonly encoding: Encoding;
}

/** The first pass of a run whose policy waits: see `AsyncRun`. */
interface Collecting {
  readonly codec: Codec;
  readonly settle: AsyncRun['settle'];
}

/** State of a run. */
interface Running {
  readonly codec: Codec;
  readonly batches: Batches;
  /** `null` if the policy does not wait. */
  readonly collecting: { readonly batches: Batches; readonly settle: AsyncRun['settle'] } | null;
  /** Converts the source to UTF-8; `null` if it is UTF-8. */
  readonly transcoder: Transcoder | null;
  readonly encoder: TextEncoder;
  readonly options: RecordOptions;
  readonly limit: number;
  rows: number;
  rejected: number;
  bytesIn: number;
  bytesOut: number;
  /** Whether the first record was seen. */
  started: boolean;
  /** Text that is written with the first batch: the byte order mark and the header. */
  pending: string;
  /** The first record of an input without a header line, which was read to look for one. It begins the first batch. */
  held: Block | null;
}

/**
 * Starts a run of a policy. If the policy waits, every batch goes through its rules twice, and in between the run gives
 * a promise.
 *
 * @param codecOf makes the codec of one pass.
 */
export function startRun(
  inside: BoundInside,
  options: RecordOptions,
  maxRecord: number,
  codecOf: (inside: BoundInside, onSample: RecordOptions['onSample']) => Codec,
): Run {
  const run = inside.beginAsync?.();
  if (run === undefined) return makeRun(codecOf(inside, options.onSample), options, maxRecord);
  // The second pass reports what is wrong with records, and shows samples.
  const collecting = { codec: codecOf(run.collect, undefined), settle: run.settle };
  return makeRun(codecOf(run.answer, options.onSample), options, maxRecord, collecting);
}

/** Starts a run. The codec's own checks come first, before anything is read. */
export function makeRun(
  codec: Codec,
  options: RecordOptions,
  maxRecord: number,
  collecting: Collecting | null = null,
): Run {
  const { batchSize = 1024, limit = Number.POSITIVE_INFINITY } = options;
  const encoding = checkEncoding(options.encoding);
  codec.begin();
  const batching = { encoding, stops: options.onReject === undefined };
  const run: Running = {
    codec,
    batches: makeBatches(codec, batching),
    collecting:
      collecting === null ? null : { batches: makeBatches(collecting.codec, batching), settle: collecting.settle },
    transcoder: makeTranscoder(encoding),
    encoder: new TextEncoder(),
    options,
    limit,
    rows: 0,
    rejected: 0,
    bytesIn: 0,
    bytesOut: 0,
    started: false,
    pending: '',
    held: null,
  };
  const quota = (): number => {
    if (!run.started && codec.heading !== null) return 1;
    return Math.min(batchSize, limit - run.rows) - (run.held === null ? 0 : 1);
  };
  const frames = makeFrames({ framing: () => codec.framing, maxRecord, quota });
  return {
    encoding,
    done: () => run.rows >= limit,
    *push(chunk) {
      run.bytesIn += chunk.length;
      yield* takeFrames(run, frames.push(run.transcoder?.push(chunk) ?? chunk));
    },
    end: () => endRun(run, frames),
  };
}

function* takeFrames(run: Running, frames: Iterable<Block | Oversize>): Generator<Step, void, void> {
  const { options, limit } = run;
  for (const frame of frames) {
    options.signal?.throwIfAborted();
    let out: Uint8Array | null = null;
    if (frame.kind === 'oversize') yield* takeOversize(run, frame);
    else {
      const text = yield* takeBlock(run, frame);
      if (text !== '') {
        out = encode(run, run.pending + text);
        run.pending = '';
      }
    }
    reportProgress(run);
    if (out !== null) yield out;
    if (run.rows >= limit) return;
  }
}

function* endRun(run: Running, frames: Frames): Generator<Step, void, void> {
  if (run.rows < run.limit) {
    if (run.transcoder !== null) yield* takeFrames(run, frames.push(run.transcoder.end()));
    yield* takeFrames(run, frames.end());
    if (run.held !== null) run.pending += yield* takeHeld(run);
  }
  run.options.signal?.throwIfAborted();
  const { headless } = run.codec;
  if (!run.started && headless !== null) fail('empty_input', headless, { line: 1, column: 1 });
  const out = run.pending === '' ? null : encode(run, run.pending);
  reportProgress(run);
  if (out !== null) yield out;
}

/** Takes a block and returns the text to write. */
function* takeBlock(run: Running, block: Block): Generator<Step, string, void> {
  const { batches, codec } = run;
  if (run.started) return yield* takeRecords(run, block);
  // Only the first block has a byte order mark.
  const opened =
    run.pending === ''
      ? batches.open(block, (mark) => {
          run.pending = mark;
        })
      : block;
  if (opened.bytes.length === 0) return '';
  if (codec.heading !== null) {
    const { text, isHeader, continues } = batches.heading(opened);
    run.collecting?.batches.heading(opened);
    run.pending += text;
    run.started = !continues;
    if (isHeader) return '';
  }
  run.started = true;
  const { batchSize = 1024 } = run.options;
  if (codec.heading === null || Math.min(batchSize, run.limit) === 1) {
    return yield* takeRecords(run, opened);
  }
  // A batch of its own would end the run before the issues of the next rows are found.
  run.held = keptBlock(opened);
  return '';
}

function* takeRecords(run: Running, block: Block): Generator<Step, string, void> {
  const { held, collecting, rows } = run;
  run.held = null;
  const all = held === null ? block : joinBlocks(held, block);
  if (collecting !== null) {
    collecting.batches.take(all, rows);
    yield collecting.settle();
  }
  return takeDone(run, run.batches.take(all, rows));
}

/** Takes the record that is held, if no record follows it in its batch. */
function* takeHeld(run: Running): Generator<Step, string, void> {
  const { held } = run;
  if (held === null) return '';
  run.held = null;
  return yield* takeRecords(run, held);
}

function* takeOversize(run: Running, oversize: Oversize): Generator<Step, void, void> {
  // A header that is too long is not a row.
  const heading = !run.started && run.codec.heading !== null;
  run.started = true;
  run.pending += yield* takeHeld(run);
  takeDone(run, run.batches.oversize(oversize, run.rows, heading));
}

/** Counts the result of a batch, and rejects its records with an issue or ends the run. Returns the text to write. */
function takeDone(run: Running, { rows, text, faults }: Done): string {
  if (faults.length > 0) {
    const { onReject } = run.options;
    const issues = issuesOf(faults, run.rows);
    if (onReject === undefined) {
      const counts = { rows: run.rows + rows, isAll: false, ...tallyOf(issues) };
      throw new TrefoilError(issues, issues.length, counts);
    }
    for (const issue of issues) onReject(issue);
  }
  run.rows += rows;
  run.rejected += faults.length;
  return text;
}

function encode(run: Running, text: string): Uint8Array {
  const bytes = run.encoder.encode(text);
  run.bytesOut += bytes.length;
  return bytes;
}

function reportProgress({ options, rows, rejected, bytesIn, bytesOut }: Running): void {
  const { onProgress } = options;
  onProgress?.({ rows, rejected, bytesIn, bytesOut });
}
