/**
 * Records: what the streams of all formats share. A run takes chunks of bytes and gives chunks of bytes, one batch of
 * records at a time; it keeps the counts, turns faults into issues with row and line, and decides whether they end the
 * run or reject a record. It is synchronous: the shells around it (`stream.ts`) are a few lines each.
 */

import { badType, checkInteger, checkOptions, typeName } from '../core/checks.ts';
import { fail, type Issue, MAX_ISSUES, TrefoilError } from '../errors.ts';
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
  /** Takes every record that is written, as it was and as it is; for a preview, together with `limit`. */
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

/** What a codec reports to and asks while it works on a batch. */
export interface Batch {
  /** Notes an issue of a record, by the record's index in the batch. */
  readonly report: (index: number, issue: Issue) => void;
  /** Records with an issue, by index. */
  readonly faulty: ReadonlySet<number>;
  /** The block as text. */
  readonly text: string;
  /** Records read before this batch. */
  readonly rowsBefore: number;
}

/** What a codec made of a batch. */
export interface Taken {
  /** Records in the batch. */
  readonly rows: number;
  /** What to write. */
  readonly text: string;
  /** Line on which a record of the batch begins. */
  readonly lineOf: (index: number) => number;
}

/** A format: how records are read, turned and written. A codec is made for one run and remembers where it is. */
export interface Codec {
  /** How records end; see {@link makeFrames}. */
  readonly quoted: boolean;
  /** Records before the first row: the header. */
  readonly heading: 0 | 1;
  /** Whether a byte order mark of the input goes to the output. */
  readonly keepsMark: boolean;
  /** Throws where the policy and the format do not agree, and what the keys refuse. Called before anything is read. */
  readonly begin: () => void;
  readonly take: (block: Block, batch: Batch) => Taken;
  /** The issue of a record above the limit, and whether the run can go on after it. */
  readonly oversize: (head: Uint8Array) => { readonly issue: Issue; readonly rejectable: boolean };
  /** What to write after the last record. */
  readonly end: () => string;
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
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const encoder = new TextEncoder();
  let rows = 0;
  let rejected = 0;
  let bytesIn = 0;
  let bytesOut = 0;
  let started = false;
  codec.begin();

  const frames = makeFrames({
    quoted: codec.quoted,
    maxRecord,
    quota: () => Math.min(batchSize, limit - rows) + (started ? 0 : codec.heading),
  });

  const progress = (): void => onProgress?.({ rows, rejected, bytesIn, bytesOut });

  function encode(text: string): Uint8Array {
    const bytes = encoder.encode(text);
    bytesOut += bytes.length;
    return bytes;
  }

  /** Ends the run with the issues of a batch, or hands them over. */
  function settle(issues: readonly Issue[], total: number): void {
    if (onReject === undefined) throw new TrefoilError(issues.slice(0, MAX_ISSUES), total);
    for (const issue of issues) onReject(issue);
  }

  function takeBlock(whole: Block): string {
    const { block, mark } = started ? { block: whole, mark: '' } : openInput(whole, codec);
    if (block.bytes.length === 0) return '';
    started = true;
    const text = decode(decoder, block, codec.quoted);
    const found: { index: number; issue: Issue }[] = [];
    const faulty = new Set<number>();
    const taken = codec.take(block, {
      text,
      faulty,
      rowsBefore: rows,
      report: (index, issue) => {
        faulty.add(index);
        found.push({ index, issue });
      },
    });
    if (found.length > 0) {
      // Rules report column by column; people read row by row. The sort is stable.
      found.sort((a, b) => a.index - b.index);
      const place = ({ index, issue }: (typeof found)[number]): Issue => {
        return { ...issue, row: rows + index + 1, line: taken.lineOf(index) };
      };
      settle((onReject === undefined ? found.slice(0, MAX_ISSUES) : found).map(place), found.length);
    }
    rows += taken.rows;
    rejected += faulty.size;
    return mark + taken.text;
  }

  function takeOversize({ head, line }: Oversize): void {
    // A header that is too long is no row.
    const heading = !started && codec.heading === 1;
    started = true;
    const { issue, rejectable } = codec.oversize(head);
    const placed: Issue = { ...issue, ...(heading ? {} : { row: rows + 1 }), line };
    if (!rejectable) throw new TrefoilError([placed]);
    settle([placed], 1);
    rows++;
    rejected++;
  }

  function* work(frame: Iterable<Block | Oversize>): Generator<Uint8Array, void, void> {
    for (const found of frame) {
      signal?.throwIfAborted();
      let out: Uint8Array | null = null;
      if (found.kind === 'oversize') takeOversize(found);
      else {
        const text = takeBlock(found);
        if (text !== '') out = encode(text);
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
      if (!started) fail('empty_input', 'the input is empty');
      const text = codec.end();
      const out = text === '' ? null : encode(text);
      progress();
      if (out !== null) yield out;
    },
  };
}

/** The first block without its byte order mark. UTF-16 is told by its own mark. */
function openInput(block: Block, codec: Codec): { block: Block; mark: string } {
  const [a, b, c] = block.bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    fail('not_utf8', 'the input is UTF-16; convert it to UTF-8', { line: 1 });
  }
  if (a !== 0xef || b !== 0xbb || c !== 0xbf) return { block, mark: '' };
  return { block: { ...block, bytes: block.bytes.subarray(3) }, mark: codec.keepsMark ? '\ufeff' : '' };
}

/** The text of a block. A block ends where a line ends, so no character is ever cut. */
function decode(decoder: TextDecoder, { bytes, line }: Block, quoted: boolean): string {
  const nul = bytes.indexOf(0);
  if (nul !== -1) {
    fail('nul_byte', 'a NUL byte; the input is not text, or it is UTF-16', {
      line: line + lineEnds(bytes, nul, quoted),
    });
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return fail('not_utf8', 'a byte that is not UTF-8; convert the input to UTF-8', {
      line: line + lineEnds(bytes, firstBadLine(bytes), quoted),
    });
  }
}

/** Where the first line begins that is not UTF-8. */
function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 10 && bytes[i] !== 13) continue;
    try {
      decoder.decode(bytes.subarray(start, i + 1));
    } catch {
      break;
    }
    start = i + 1;
  }
  return start;
}

/** Line ends before a position. */
function lineEnds(bytes: Uint8Array, until: number, quoted: boolean): number {
  let count = 0;
  for (let i = 0; i < until; i++) {
    if (bytes[i] === 10 || (quoted && bytes[i] === 13 && bytes[i + 1] !== 10)) count++;
  }
  return count;
}
