/**
 * Frames: cuts a stream of bytes into blocks of whole records, whatever the chunks of the source are. It knows no more
 * of a format than where a record ends: at a line end, for CSV at one outside quotes.
 *
 * A block ends after a number of records or at {@link BLOCK_BYTES}, and so depends on the content alone: another
 * chunking of the same bytes gives the same blocks, the same batches, the same errors. Between two blocks at most one
 * chunk and one block are held.
 */

import { concat } from '../core/bytes.ts';

/** A block is cut at the first record end after this many bytes, so that long records do not add up. */
export const BLOCK_BYTES: number = 1 << 20;

const LF = 10;
const CR = 13;
const QUOTE = 34;
// A value that no byte has: it switches a comparison off.
const NONE = -1;

/** Whole records, one after the other. */
export interface Block {
  readonly kind: 'records';
  readonly bytes: Uint8Array;
  /** Line of the input on which the block begins, from 1. */
  readonly line: number;
  /** Whether the last record has its line end. Only the last block of an input can be without. */
  readonly ended: boolean;
  /** Where the next block begins: another cutter that starts there goes on as this one does. */
  readonly next?: Place;
}

/** A place in an input between two records. */
export interface Place {
  /** Bytes before it. */
  readonly offset: number;
  /** Line that begins there, from 1. */
  readonly line: number;
}

/** A record above the limit. It is never held as a whole. */
export interface Oversize {
  readonly kind: 'oversize';
  /** The first bytes of the record, as many as the limit. */
  readonly head: Uint8Array;
  readonly line: number;
}

/** What the framing must know. */
export interface FrameOptions {
  /** CSV: a line end inside double quotes ends no record, and a lone carriage return is a line end. */
  readonly quoted: boolean;
  /** Bytes of a record without its line end. */
  readonly maxRecord: number;
  /** Most records of the next block; asked when a block begins. */
  readonly quota: () => number;
  /** Bytes after which the next block is cut, asked when it begins; {@link BLOCK_BYTES} by default. */
  readonly size?: () => number;
  /** Where the first byte stands; at the beginning by default. */
  readonly from?: Place;
}

/** The cutter. What `push` gives is lazy: the next block is looked for when it is asked for. */
export interface Frames {
  readonly push: (chunk: Uint8Array) => Generator<Block | Oversize, void, void>;
  readonly end: () => Generator<Block | Oversize, void, void>;
}

type Stop = 'chunk' | 'full' | 'skipped' | 'long' | 'long, unfinished';

/** Makes a cutter. */
export function makeFrames({
  quoted,
  maxRecord,
  quota,
  size = () => BLOCK_BYTES,
  from = { offset: 0, line: 1 },
}: FrameOptions): Frames {
  const quoteByte = quoted ? QUOTE : NONE;
  const crByte = quoted ? CR : NONE;

  // The block so far, without what it holds of the current chunk.
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let blockLine = from.line;
  let records = 0;
  let most = 0;
  let mostBytes = 0;

  // The current record: where it begins in the block, and on which line.
  let recordOffset = 0;
  let recordLine = from.line;
  let skipping = false;

  // The scanner's state between two chunks. `line` is the line of the next byte.
  let line = from.line;
  let quotes = false;
  let afterCr = false;
  let at = 0;
  let begin = 0;
  // Bytes of the chunks before the current one.
  let before = from.offset;

  /**
   * Walks from `at` to the first thing of interest: the end of a full block or of a record that is skipped, a record
   * above the limit, the end of the chunk. One pass, about a nanosecond a byte; the state is in locals for that.
   */
  function scan(chunk: Uint8Array): Stop {
    let i = at;
    let inQuotes = quotes;
    let cr = afterCr;
    let stop: Stop = 'chunk';
    // Position in the block = position in the chunk + base.
    const base = heldBytes - begin;
    while (i < chunk.length) {
      const byte = chunk[i]!;
      let ends: number;
      if (cr) {
        // Only now is it known whether the carriage return was a line end by itself.
        cr = false;
        ends = byte === LF ? 2 : 1;
        if (byte === LF) i++;
      } else {
        i++;
        // Nearly every byte is above all that matter: a loop of its own makes the pass three times as fast.
        if (byte > QUOTE) {
          while (i < chunk.length && chunk[i]! > QUOTE) i++;
          continue;
        }
        if (byte === LF) ends = 1;
        else {
          if (byte === quoteByte) inQuotes = !inQuotes;
          else if (byte === crByte) cr = true;
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
    const unfinished = i + base - recordOffset - (cr && !inQuotes ? 1 : 0);
    if (stop === 'chunk' && !skipping && unfinished > maxRecord) stop = 'long, unfinished';
    at = i;
    quotes = inQuotes;
    afterCr = cr;
    return stop;
  }

  /** The block's bytes; those of the current chunk up to `at`. Without a copy where the block lies inside one chunk. */
  function joined(chunk: Uint8Array | null): Uint8Array {
    const rest = chunk === null ? [] : [chunk.subarray(begin, at)];
    const parts = [...held, ...rest].filter((part) => part.length > 0);
    return parts.length === 1 ? parts[0]! : concat(parts);
  }

  function restart(): void {
    held = [];
    heldBytes = 0;
    begin = at;
    blockLine = line;
    records = 0;
    recordOffset = 0;
    recordLine = line;
    most = 0;
  }

  function* push(chunk: Uint8Array): Generator<Block | Oversize, void, void> {
    at = 0;
    begin = 0;
    while (at < chunk.length) {
      if (most === 0) {
        most = quota();
        mostBytes = size();
      }
      const stop = scan(chunk);
      if (stop === 'full') {
        const next = { offset: before + at, line };
        const block: Block = { kind: 'records', bytes: joined(chunk), line: blockLine, ended: true, next };
        restart();
        yield block;
      } else if (stop === 'skipped') {
        skipping = false;
        restart();
      } else if (stop !== 'chunk') {
        yield* cutOversize(chunk, stop === 'long, unfinished');
      }
    }
    // A copy: the source may use the chunk's memory again.
    if (begin < chunk.length && !skipping) {
      held.push(new Uint8Array(chunk.subarray(begin)));
      heldBytes += chunk.length - begin;
    }
    before += chunk.length;
  }

  /** The records before the long one, then its head; the rest of it is skipped. */
  function* cutOversize(chunk: Uint8Array, unfinished: boolean): Generator<Block | Oversize, void, void> {
    const all = joined(chunk);
    const whole: Block = { kind: 'records', bytes: all.subarray(0, recordOffset), line: blockLine, ended: true };
    const head = all.subarray(recordOffset, recordOffset + maxRecord);
    const long: Oversize = { kind: 'oversize', head, line: recordLine };
    restart();
    skipping = unfinished;
    if (whole.bytes.length > 0) yield whole;
    yield long;
  }

  function* end(): Generator<Block | Oversize, void, void> {
    if (skipping) return;
    at = 0;
    begin = 0;
    // A carriage return at the very end is a line end, too.
    const ended = (afterCr && !quotes) || recordOffset === heldBytes;
    if (heldBytes > 0) yield { kind: 'records', bytes: joined(null), line: blockLine, ended };
    restart();
  }

  return { push, end };
}

/** A record of a block: its bytes without its line end. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where each record of a block stands, by the line on which it begins. Only asked for when something is to be reported. */
export function recordSpans(block: Block, quoted: boolean): ReadonlyMap<number, Span> {
  const { bytes } = block;
  const spans = new Map<number, Span>();
  eachRecord(block, quoted, (line, start, end) => {
    const cr = bytes[end] === LF && end > start && bytes[end - 1] === CR ? 1 : 0;
    spans.set(line, { start, end: end - cr });
  });
  return spans;
}

/** The line on which each record of a block begins, in order. */
export function recordLines(block: Block, quoted: boolean): number[] {
  const lines: number[] = [];
  eachRecord(block, quoted, (line) => lines.push(line));
  return lines;
}

/** Calls `found` for each record: the line on which it begins, and its bytes up to the last byte of its line end. */
function eachRecord(
  { bytes, line: first }: Block,
  quoted: boolean,
  found: (line: number, start: number, end: number) => void,
): void {
  let line = first;
  let recordLine = first;
  let start = 0;
  let inQuotes = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    // Nearly every byte is above all that matter.
    if (byte > QUOTE) continue;
    if (quoted && byte === QUOTE) inQuotes = !inQuotes;
    else if (byte === LF || (quoted && byte === CR && bytes[i + 1] !== LF)) {
      line++;
      if (inQuotes) continue;
      found(recordLine, start, i);
      start = i + 1;
      recordLine = line;
    }
  }
  if (start < bytes.length) found(recordLine, start, bytes.length);
}
