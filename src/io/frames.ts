/**
 * Frames: cuts a stream of bytes into blocks of whole records, whatever the chunks of the source are. The cutter knows
 * one thing about a file format: where a record ends. That is at a line end, and in CSV at a line end outside quotes.
 * A quote opens a cell only where a cell begins, as for the reader of CSV; any other quote is a stray one and hides no
 * line end. So cutter and reader agree about the end of a record even if one of its quotes is wrong.
 *
 * A block ends after a number of records or after {@link BLOCK_BYTES}, so it depends on the content alone: the same
 * bytes in other chunks give the same blocks, the same batches and the same errors. Between two blocks at most one
 * chunk and one block are in memory.
 */

import { concat } from '../core/bytes.ts';

/** A block ends at the first record end after this many bytes, so that long records do not add up. */
export const BLOCK_BYTES: number = 1 << 20;

const LF = 10;
const CR = 13;
// A value that no byte has: a comparison with it is never true.
const NONE = -1;
const MARK = [0xef, 0xbb, 0xbf];

/** What a cutter knows about a file format. The numbers are bytes. */
export interface Framing {
  /** Opens and closes a quoted cell, in which line ends do not end the record; `null` if the file format has none. */
  readonly quote: number | null;
  /** Escapes a quote inside a quoted cell, besides a second quote; `null` if nothing does. */
  readonly escapedBy: number | null;
  /** Separates cells. A quoted cell begins at the beginning of a record or after a delimiter. */
  readonly delimiter: number | null;
  /** Whether a carriage return alone is a line end. */
  readonly cr: boolean;
}

/** The framing of file formats in which every line is a record. */
export const LINES: Framing = { quote: null, escapedBy: null, delimiter: null, cr: false };

/** Whole records, one after the other. */
export interface Block {
  readonly kind: 'records';
  readonly bytes: Uint8Array;
  /** Line of the input on which the block begins, from 1. */
  readonly line: number;
  /** Whether the last record has its line end. It may be missing only in the last block of an input. */
  readonly ended: boolean;
  /** Where the next block begins. A new cutter that starts at this place cuts the rest as this one does. */
  readonly next?: Place;
}

/**
 * One block of two that follow each other. The bytes are copied, so the first block may be kept while the source uses
 * the memory of its chunk again, if {@link keptBlock} has made it.
 */
export function joinBlocks(first: Block, second: Block): Block {
  return { ...second, bytes: concat([first.bytes, second.bytes]), line: first.line };
}

/** A block with bytes of its own, which the source cannot change. */
export function keptBlock(block: Block): Block {
  return { ...block, bytes: block.bytes.slice() };
}

/** A place in an input between two records. */
export interface Place {
  /** Bytes before it. */
  readonly offset: number;
  /** Line that begins there, from 1. */
  readonly line: number;
}

/** A record above the limit. It is never in memory as a whole. */
export interface Oversize {
  readonly kind: 'oversize';
  /** The first bytes of the record, as many as the limit. */
  readonly head: Uint8Array;
  /** Line on which the record begins, from 1. */
  readonly line: number;
}

/** Options of {@link makeFrames}. */
export interface FrameOptions {
  /** Returns what the cutter has to know; called when a block begins, because the first line may name the delimiter. */
  readonly framing: () => Framing;
  /** Longest record in bytes, without its line end. */
  readonly maxRecord: number;
  /** Returns the largest number of records in the next block; called when a block begins. */
  readonly quota: () => number;
  /** Returns the bytes after which the next block ends; called when it begins. {@link BLOCK_BYTES} by default. */
  readonly size?: () => number;
  /** Place of the first byte in the input; its beginning by default. */
  readonly from?: Place;
  /** Whether the first bytes may be a byte order mark; by default if they are the first of the input. */
  readonly mayBeMarked?: boolean;
}

/** The cutter. Both generators are lazy: the next block is looked for only when it is asked for. */
export interface Frames {
  readonly push: (chunk: Uint8Array) => Generator<Block | Oversize, void, void>;
  readonly end: () => Generator<Block | Oversize, void, void>;
}

/** State of a cutter between two chunks. */
interface Cutter {
  readonly maxRecord: number;
  readonly framing: () => Framing;
  readonly quota: () => number;
  readonly size: () => number;

  // The framing of the block, with {@link NONE} for what the file format does not have.
  quoteByte: number;
  escapeByte: number;
  delimiterByte: number;
  crByte: number;

  // The block so far, without its bytes in the current chunk.
  held: Uint8Array[];
  heldBytes: number;
  blockLine: number;
  records: number;
  most: number;
  mostBytes: number;

  // The current record: its offset in the block, its line, and whether it is above the limit and skipped.
  recordOffset: number;
  recordLine: number;
  skipping: boolean;

  // The scanner. `line` is the line of the next byte, `at` and `begin` are offsets in the current chunk.
  line: number;
  inQuotes: boolean;
  afterCr: boolean;
  /** Whether the last byte of the chunk before is an escape inside quotes. */
  afterEscape: boolean;
  at: number;
  begin: number;
  /** Bytes of the chunks before the current one. */
  before: number;
  /** The byte before the current chunk. */
  last: number;
  /** Place in the input after the last closing quote. A quote there is the second of two. */
  closedAt: number;
  /** Bytes of a byte order mark that the input begins with; {@link NONE} if there can be no mark. */
  mark: number;
}

/** Makes a cutter. */
export function makeFrames({
  framing,
  maxRecord,
  quota,
  size = () => BLOCK_BYTES,
  from = { offset: 0, line: 1 },
  mayBeMarked = from.offset === 0,
}: FrameOptions): Frames {
  const cutter: Cutter = {
    maxRecord,
    framing,
    quota,
    size,
    quoteByte: NONE,
    escapeByte: NONE,
    delimiterByte: NONE,
    crByte: NONE,
    held: [],
    heldBytes: 0,
    blockLine: from.line,
    records: 0,
    most: 0,
    mostBytes: 0,
    recordOffset: 0,
    recordLine: from.line,
    skipping: false,
    line: from.line,
    inQuotes: false,
    afterCr: false,
    afterEscape: false,
    at: 0,
    begin: 0,
    before: from.offset,
    last: NONE,
    closedAt: NONE,
    mark: mayBeMarked ? 0 : NONE,
  };
  return { push: (chunk) => cutChunk(cutter, chunk), end: () => cutEnd(cutter) };
}

function* cutChunk(cutter: Cutter, chunk: Uint8Array): Generator<Block | Oversize, void, void> {
  cutter.at = 0;
  cutter.begin = 0;
  for (let i = 0; i < chunk.length && cutter.mark === cutter.before + i && cutter.mark < MARK.length; i++) {
    if (chunk[i] === MARK[cutter.mark]) cutter.mark++;
  }
  while (cutter.at < chunk.length) {
    if (cutter.most === 0) askForBlock(cutter);
    const stop = scan(cutter, chunk);
    if (stop === 'full') {
      const next = { offset: cutter.before + cutter.at, line: cutter.line };
      const bytes = blockBytes(cutter, chunk);
      const block: Block = { kind: 'records', bytes, line: cutter.blockLine, ended: true, next };
      beginBlock(cutter);
      yield block;
    } else if (stop === 'skipped') {
      cutter.skipping = false;
      beginBlock(cutter);
    } else if (stop !== 'chunk') {
      yield* cutOversize(cutter, chunk, stop === 'long, unfinished');
    }
  }
  // A copy, because the source may use the chunk's memory again.
  if (cutter.begin < chunk.length && !cutter.skipping) {
    cutter.held.push(new Uint8Array(chunk.subarray(cutter.begin)));
    cutter.heldBytes += chunk.length - cutter.begin;
  }
  cutter.before += chunk.length;
  cutter.last = chunk[chunk.length - 1] ?? cutter.last;
}

/** Asks how the next block is cut. */
function askForBlock(cutter: Cutter): void {
  const { quote, escapedBy, delimiter, cr } = cutter.framing();
  cutter.quoteByte = quote ?? NONE;
  cutter.escapeByte = escapedBy ?? NONE;
  cutter.delimiterByte = delimiter ?? NONE;
  cutter.crByte = cr ? CR : NONE;
  cutter.most = cutter.quota();
  cutter.mostBytes = cutter.size();
}

function* cutEnd(cutter: Cutter): Generator<Block | Oversize, void, void> {
  if (cutter.skipping) return;
  cutter.at = 0;
  cutter.begin = 0;
  // A carriage return at the very end is a line end, too.
  const ended = (cutter.afterCr && !cutter.inQuotes) || cutter.recordOffset === cutter.heldBytes;
  if (cutter.heldBytes > 0) {
    yield { kind: 'records', bytes: blockBytes(cutter, null), line: cutter.blockLine, ended };
  }
  beginBlock(cutter);
}

/** Gives the records before the long one, then its head. The rest of the long record is skipped. */
function* cutOversize(cutter: Cutter, chunk: Uint8Array, unfinished: boolean): Generator<Block | Oversize, void, void> {
  const { recordOffset, recordLine, blockLine, maxRecord } = cutter;
  const all = blockBytes(cutter, chunk);
  const whole: Block = { kind: 'records', bytes: all.subarray(0, recordOffset), line: blockLine, ended: true };
  const head = all.subarray(recordOffset, recordOffset + maxRecord);
  const long: Oversize = { kind: 'oversize', head, line: recordLine };
  beginBlock(cutter);
  cutter.skipping = unfinished;
  if (whole.bytes.length > 0) yield whole;
  yield long;
}

/** Why the scanner stopped. */
type Stop = 'chunk' | 'full' | 'skipped' | 'long' | 'long, unfinished';

/**
 * Scans from `at` until a block is full, a skipped record ends, a record is above the limit, or the chunk ends. This is
 * one pass of about a nanosecond a byte; for that speed the state is in local variables.
 */
function scan(cutter: Cutter, chunk: Uint8Array): Stop {
  const { quoteByte, escapeByte, delimiterByte, crByte, maxRecord, skipping, most, mostBytes } = cutter;
  let { line, inQuotes, afterCr, records, recordOffset, recordLine } = cutter;
  let i = cutter.at;
  let stop: Stop = 'chunk';
  // The largest of the bytes that matter.
  const top = Math.max(LF, quoteByte, escapeByte, crByte);
  const isEscaped = (byte: number | undefined): boolean => byte === quoteByte || byte === escapeByte;
  if (cutter.afterEscape && i < chunk.length) {
    cutter.afterEscape = false;
    if (isEscaped(chunk[i])) i++;
  }
  // Offset in the block = offset in the chunk + base.
  const base = cutter.heldBytes - cutter.begin;
  while (i < chunk.length) {
    const byte = chunk[i]!;
    let ends: number;
    if (afterCr) {
      // The byte after a carriage return tells whether the line end is one byte long or two.
      afterCr = false;
      ends = byte === LF ? 2 : 1;
      if (byte === LF) i++;
    } else {
      i++;
      // Nearly every byte is above all that matter; a loop of its own makes the pass three times as fast.
      if (byte > top) {
        while (i < chunk.length && chunk[i]! > top) i++;
        continue;
      }
      if (byte === LF) ends = 1;
      else {
        if (byte === quoteByte) {
          if (inQuotes) {
            inQuotes = false;
            cutter.closedAt = cutter.before + i;
          } else if (i > 1 && chunk[i - 2] === delimiterByte) inQuotes = true;
          else inQuotes = opensCell(cutter, chunk, i - 1, !skipping && i - 1 + base === recordOffset);
        } else if (byte === crByte) afterCr = true;
        else if (byte === escapeByte && inQuotes) {
          if (i === chunk.length) cutter.afterEscape = true;
          else if (isEscaped(chunk[i])) i++;
        }
        continue;
      }
    }
    line++;
    if (inQuotes) continue;
    if (skipping) {
      stop = 'skipped';
      break;
    }
    if (i + base - recordOffset - ends > maxRecord) {
      stop = 'long';
      break;
    }
    recordOffset = i + base;
    recordLine = line;
    records++;
    if (records >= most || recordOffset >= mostBytes) {
      stop = 'full';
      break;
    }
  }
  const unfinished = i + base - recordOffset - (afterCr && !inQuotes ? 1 : 0);
  if (stop === 'chunk' && !skipping && unfinished > maxRecord) stop = 'long, unfinished';
  cutter.line = line;
  cutter.inQuotes = inQuotes;
  cutter.afterCr = afterCr;
  cutter.records = records;
  cutter.recordOffset = recordOffset;
  cutter.recordLine = recordLine;
  cutter.at = i;
  return stop;
}

/**
 * Whether a quote outside quotes opens a cell, or opens it again because it is the second of two. If not, it is a stray
 * quote.
 *
 * @param i index of the quote in the chunk.
 * @param isFirst whether it is the first byte of its record.
 */
function opensCell(
  { before, closedAt, last, mark, delimiterByte }: Cutter,
  chunk: Uint8Array,
  i: number,
  isFirst: boolean,
) {
  if (isFirst || before + i === closedAt) return true;
  if ((i > 0 ? chunk[i - 1] : last) === delimiterByte) return true;
  return before + i === MARK.length && mark === MARK.length;
}

/**
 * Bytes of the block, those of the current chunk up to `at`. They are not copied if the block lies inside one chunk.
 */
function blockBytes({ held, begin, at }: Cutter, chunk: Uint8Array | null): Uint8Array {
  const rest = chunk === null ? [] : [chunk.subarray(begin, at)];
  const parts = [...held, ...rest].filter((part) => part.length > 0);
  return parts.length === 1 ? parts[0]! : concat(parts);
}

function beginBlock(cutter: Cutter): void {
  cutter.held = [];
  cutter.heldBytes = 0;
  cutter.begin = cutter.at;
  cutter.blockLine = cutter.line;
  cutter.records = 0;
  cutter.recordOffset = 0;
  cutter.recordLine = cutter.line;
  cutter.most = 0;
}

/** Bytes of one record in a block, without its line end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The bytes of each record of a block, by the line on which it begins. Called only if something is to be reported. */
export function recordSpans(block: Block, framing: Framing): ReadonlyMap<number, Span> {
  const { bytes } = block;
  const spans = new Map<number, Span>();
  eachRecord(block, framing, (line, start, end) => {
    const cr = bytes[end] === LF && end > start && bytes[end - 1] === CR ? 1 : 0;
    spans.set(line, { start, end: end - cr });
  });
  return spans;
}

/** The line on which each record of a block begins, in order. */
export function recordLines(block: Block, framing: Framing): number[] {
  const lines: number[] = [];
  eachRecord(block, framing, (line) => lines.push(line));
  return lines;
}

/**
 * Calls `found` for each record, with the line on which it begins and its bytes up to the last byte of its line end.
 */
function eachRecord(
  { bytes, line: first }: Block,
  { quote, escapedBy, delimiter, cr }: Framing,
  found: (line: number, start: number, end: number) => void,
): void {
  const top = Math.max(LF, CR, quote ?? 0, escapedBy ?? 0);
  let line = first;
  let recordLine = first;
  let start = 0;
  let inQuotes = false;
  let closedAt = NONE;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    // Nearly every byte is above all that matter.
    if (byte > top) continue;
    if (byte === quote) {
      if (inQuotes) closedAt = i + 1;
      inQuotes = !inQuotes && (i === start || i === closedAt || bytes[i - 1] === delimiter);
    } else if (inQuotes && byte === escapedBy) {
      if (bytes[i + 1] === quote || bytes[i + 1] === escapedBy) i++;
    } else if (byte === LF || (cr && byte === CR && bytes[i + 1] !== LF)) {
      line++;
      if (inQuotes) continue;
      found(recordLine, start, i);
      start = i + 1;
      recordLine = line;
    }
  }
  if (start < bytes.length) found(recordLine, start, bytes.length);
}
