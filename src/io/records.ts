/**
 * Records: what the streams of all formats share. A run takes chunks of bytes and gives chunks of bytes, one batch of
 * records at a time; it keeps the counts and decides whether an issue ends the run or rejects a record. It is
 * synchronous: the shells around it (`stream.ts`) are a few lines each. What happens to one batch is in `batches.ts`.
 */

import { badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { fail, type Issue, MAX_ISSUES, TrefoilError } from '../errors.ts';
import { type Codec, type Done, makeBatches } from './batches.ts';
import { type Block, makeFrames, type Oversize } from './frames.ts';

/** How far a run has come. */
export interface Progress {
  /** Records read, with the rejected ones. A header is none. */
  readonly rows: number;
  /** Records left out of the output. */
  readonly rejected: number;
  /** Bytes taken from the source. */
  readonly bytesIn: number;
  /** Bytes given to the consumer. */
  readonly bytesOut: number;
}

/** One record before or after, by field name. */
export type SampleRecord = Readonly<Record<string, unknown>>;

/** What every record stream may be told. */
export interface RecordOptions {
  /** Ends the run: it fails with `signal.reason`, and the source is closed. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch and once at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Takes the issues of a record that is then left out, while the run goes on. A record with three issues makes three
   * calls. Without it the first batch with an issue ends the run, and nothing of that batch is written.
   */
  readonly onReject?: ((issue: Issue) => void) | undefined;
  /**
   * Takes every record that is written, as it was and as it is; for a preview, together with `limit`. A number of JSON
   * that JavaScript would round or spell in another way comes as its text.
   */
  readonly onSample?: ((before: SampleRecord, after: SampleRecord) => void) | undefined;
  /** Records that go through the rules at once, 1 to 65,536; 1,024 by default. */
  readonly batchSize?: number | undefined;
  /** Longest record in bytes, without its line end, up to 256 MiB; 1 MiB by default. */
  readonly maxRecord?: number | undefined;
  /** Stops after this many records. */
  readonly limit?: number | undefined;
}

const KNOWN = ['signal', 'onProgress', 'onReject', 'onSample', 'batchSize', 'maxRecord', 'limit'];

/** Longest record in bytes unless the caller says otherwise. */
export const DEFAULT_MAX_RECORD: number = 1 << 20;

/** Checks the options that all formats share; `more` names those of one format. */
export function checkRecordOptions(options: unknown, more: readonly string[] = []): RecordOptions {
  const checked = checkOptions('options', options, [...KNOWN, ...more]) as RecordOptions;
  const { signal, batchSize, maxRecord, limit } = checked;
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    badType('signal', `expected an AbortSignal, got ${typeName(signal)}`);
  }
  for (const name of ['onProgress', 'onReject', 'onSample'] as const) {
    const given: unknown = checked[name];
    if (given !== undefined && typeof given !== 'function')
      badType(name, `expected a function, got ${typeName(given)}`);
  }
  if (batchSize !== undefined) checkInteger('batchSize', batchSize, 1, 65_536);
  if (maxRecord !== undefined) checkInteger('maxRecord', maxRecord, 1, 1 << 28);
  if (limit !== undefined) checkInteger('limit', limit, 1, Number.MAX_SAFE_INTEGER);
  return checked;
}

/** A run over one input. */
export interface Run {
  /** Takes a chunk; what it gives is computed batch by batch as it is asked for. */
  readonly push: (chunk: Uint8Array) => Generator<Uint8Array, void, void>;
  readonly end: () => Generator<Uint8Array, void, void>;
  /** Whether the limit is reached: the rest of the source does not matter. */
  readonly done: () => boolean;
}

/** Starts a run. Nothing is read before the codec's own checks have passed. */
export function makeRun(codec: Codec, options: RecordOptions, maxRecord: number): Run {
  const { signal, onProgress, onReject, batchSize = 1024, limit = Number.POSITIVE_INFINITY } = options;
  const encoder = new TextEncoder();
  let rows = 0;
  let rejected = 0;
  let bytesIn = 0;
  let bytesOut = 0;
  let started = false;
  // The header goes out with the first batch.
  let pending = '';
  codec.begin();
  const batches = makeBatches(codec);

  const frames = makeFrames({
    quoted: codec.quoted,
    maxRecord,
    quota: () => (started || codec.heading === null ? Math.min(batchSize, limit - rows) : 1),
  });

  const progress = (): void => onProgress?.({ rows, rejected, bytesIn, bytesOut });

  function encode(text: string): Uint8Array {
    const bytes = encoder.encode(text);
    bytesOut += bytes.length;
    return bytes;
  }

  function take(done: Done): string {
    const { faults } = done;
    if (faults.length > 0) {
      const issues = faults.flatMap((fault) => fault.issues.map((issue) => ({ ...issue, row: rows + issue.row })));
      if (onReject === undefined) throw new TrefoilError(issues.slice(0, MAX_ISSUES), issues.length);
      for (const issue of issues) onReject(issue);
    }
    rows += done.rows;
    rejected += faults.length;
    return done.text;
  }

  function takeBlock(block: Block): string {
    if (started) return take(batches.take(block, rows));
    const opened = batches.open(block, (mark) => {
      pending = mark;
    });
    if (opened.bytes.length === 0) return '';
    started = true;
    if (codec.heading !== null) {
      const { text, isHeader } = batches.heading(opened);
      pending += text;
      if (isHeader) return '';
    }
    return take(batches.take(opened, 0));
  }

  function takeOversize(oversize: Oversize): void {
    // A header that is too long is no row.
    const heading = !started && codec.heading !== null;
    started = true;
    take(batches.oversize(oversize, rows, heading));
  }

  function* work(frame: Iterable<Block | Oversize>): Generator<Uint8Array, void, void> {
    for (const found of frame) {
      signal?.throwIfAborted();
      let out: Uint8Array | null = null;
      if (found.kind === 'oversize') takeOversize(found);
      else {
        const text = takeBlock(found);
        if (text !== '') {
          out = encode(pending + text);
          pending = '';
        }
      }
      progress();
      if (out !== null) yield out;
      if (rows >= limit) return;
    }
  }

  return {
    done: () => rows >= limit,
    *push(chunk) {
      bytesIn += chunk.length;
      yield* work(frames.push(chunk));
    },
    *end() {
      if (rows < limit) yield* work(frames.end());
      signal?.throwIfAborted();
      if (!started) fail('empty_input', 'the input is empty', { line: 1, column: 1 });
      const out = pending === '' ? null : encode(pending);
      progress();
      if (out !== null) yield out;
    },
  };
}
