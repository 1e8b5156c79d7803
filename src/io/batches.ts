/**
 * Batches: what happens to one block of records, wherever it happens: its bytes become text, the codec makes records of
 * it and runs them through the rules, and what is wrong is put together record by record, with row and line.
 */

import { fail, type Issue, TrefoilError } from '../errors.ts';
import { type Block, type Oversize, recordSpans } from './frames.ts';

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
  /** What to write: whole records, with their line ends. */
  readonly text: string;
  /** Line on which a record of the batch begins. */
  readonly lineOf: (index: number) => number;
}

/** What a format learns at the head of a file, and writes there. */
export interface Heading {
  /** What to write of it. */
  readonly text: string;
  /** Whether the record was the header; otherwise it is the first row and was only looked at. */
  readonly isHeader: boolean;
}

/**
 * A format: how records are read, turned and written. What it remembers is what {@link Codec.heading} learned, so
 * blocks behind the first may be taken in any order, and by several codecs.
 */
export interface Codec {
  /** How records end; see {@link makeFrames}. */
  readonly quoted: boolean;
  /** Looks at a block of the first record alone; `null` for formats that learn nothing from it. */
  readonly heading: ((block: Block, text: string) => Heading) | null;
  /** Whether a byte order mark of the input goes to the output. */
  readonly keepsMark: boolean;
  /** Throws where the policy and the format do not agree, and what the keys refuse. Called before anything is read. */
  readonly begin: () => void;
  readonly take: (block: Block, batch: Batch) => Taken;
  /** The issue of a record above the limit, and whether the run can go on after it. */
  readonly oversize: (head: Uint8Array, line: number) => { readonly issue: Issue; readonly rejectable: boolean };
}

/** A record with issues. */
export interface Fault {
  readonly row: number;
  readonly line: number;
  /** Its issues, with row and line. */
  readonly issues: readonly (Issue & { readonly row: number })[];
  /** The record as it came, without its line end; `null` for one above the limit. */
  readonly record: () => Uint8Array | null;
}

/** What became of a batch. Rows count from the batch's first, which is 1. */
export interface Done {
  readonly rows: number;
  readonly text: string;
  readonly faults: readonly Fault[];
}

/** The work on batches of one run. */
export interface Batches {
  /** The first block without its byte order mark, which is handed over if it is to be written. */
  readonly open: (block: Block, keep: (mark: string) => void) => Block;
  readonly heading: (block: Block) => Heading;
  /** @param rowsBefore records before the block, for what ends the run at once. */
  readonly take: (block: Block, rowsBefore: number) => Done;
  readonly oversize: (oversize: Oversize, rowsBefore: number, heading: boolean) => Done;
}

/** Makes the work on batches. */
export function makeBatches(codec: Codec): Batches {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  return {
    open: (block, keep) => openInput(block, codec, keep),
    heading: (block) => codec.heading!(block, decode(decoder, block, codec.quoted)),
    take(block, rowsBefore) {
      const text = decode(decoder, block, codec.quoted);
      const found = new Map<number, Issue[]>();
      const faulty = new Set<number>();
      const taken = codec.take(block, {
        text,
        faulty,
        rowsBefore,
        report: (index, issue) => {
          faulty.add(index);
          const issues = found.get(index);
          if (issues === undefined) found.set(index, [issue]);
          else issues.push(issue);
        },
      });
      const faults = found.size === 0 ? NONE : faultsOf(found, taken, block, codec);
      return { rows: taken.rows, text: taken.text, faults };
    },
    oversize({ head, line }, rowsBefore, heading) {
      const { issue, rejectable } = codec.oversize(head, line);
      const placed = { line, column: 1, ...issue };
      if (!rejectable) throw new TrefoilError([heading ? placed : { ...placed, row: rowsBefore + 1 }]);
      const fault: Fault = { row: 1, line, issues: [{ ...placed, row: 1 }], record: () => null };
      return { rows: 1, text: '', faults: [fault] };
    },
  };
}

const NONE: readonly Fault[] = [];

/** Rules report column by column; people read row by row. */
function faultsOf(found: ReadonlyMap<number, Issue[]>, taken: Taken, block: Block, codec: Codec): Fault[] {
  let spans: ReturnType<typeof recordSpans> | null = null;
  const recordOn = (line: number): Uint8Array => {
    spans ??= recordSpans(block, codec.quoted);
    const { start, end } = spans.get(line)!;
    return block.bytes.subarray(start, end);
  };
  const order = [...found.keys()].sort((a, b) => a - b);
  return order.map((index) => {
    const line = taken.lineOf(index);
    const row = index + 1;
    const issues = found.get(index)!.map((issue) => {
      const placed = { ...issue, row, line: issue.line ?? line };
      // What is wrong with a record as a whole is wrong where it begins.
      return issue.field === undefined && issue.column === undefined ? { ...placed, column: 1 } : placed;
    });
    return { row, line, issues, record: () => recordOn(line) };
  });
}

/** The first block without its byte order mark. UTF-16 is told by its own mark. */
function openInput(block: Block, codec: Codec, keep: (mark: string) => void): Block {
  const [a, b, c] = block.bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    fail('not_utf8', 'the input is UTF-16; convert it to UTF-8', { line: 1, column: 1 });
  }
  if (a !== 0xef || b !== 0xbb || c !== 0xbf) return block;
  if (codec.keepsMark) keep('\ufeff');
  return { ...block, bytes: block.bytes.subarray(3) };
}

/** The text of a block. A block ends where a line ends, so no character is ever cut. */
function decode(decoder: TextDecoder, block: Block, quoted: boolean): string {
  const { bytes } = block;
  const nul = bytes.indexOf(0);
  try {
    const text = decoder.decode(bytes);
    if (nul === -1) return text;
  } catch {
    const bad = firstBadByte(bytes);
    if (nul === -1 || bad < nul) {
      fail('not_utf8', 'a byte that is not UTF-8; convert the input to UTF-8', placeOf(block, bad, quoted));
    }
  }
  return fail('nul_byte', 'a NUL byte; the input is not text, or it is UTF-16', placeOf(block, nul, quoted));
}

/** Where the first sequence ends that is not UTF-8: the shortest beginning that a decoder refuses, less one byte. */
function firstBadByte(bytes: Uint8Array): number {
  const isBad = (length: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return false;
    } catch {
      return true;
    }
  };
  // What is bad stays bad with more behind it. A sequence that is cut by the end is bad at the end.
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (isBad(middle)) bad = middle;
    else good = middle;
  }
  return good;
}

/** Line and column of a byte. */
function placeOf({ bytes, line }: Block, at: number, quoted: boolean): { line: number; column: number } {
  let lines = 0;
  let start = 0;
  for (let i = 0; i < at; i++) {
    if (bytes[i] === 10 || (quoted && bytes[i] === 13 && bytes[i + 1] !== 10)) {
      lines++;
      start = i + 1;
    }
  }
  // Bytes of a character that is not whole count for nothing.
  const before = new TextDecoder('utf-8').decode(bytes.subarray(start, at), { stream: true });
  return { line: line + lines, column: before.length + 1 };
}
