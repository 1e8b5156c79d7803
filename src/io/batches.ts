/**
 * Batches: the work on one block of records, in a stream or in a worker thread. The bytes become text, the codec reads
 * records from the text and runs them through the rules, and the issues are collected record by record, with row and
 * line.
 */

import { fail, type Issue, TrefoilError } from '../errors.ts';
import { type Encoding, isUtf8ReadAs } from './encoding.ts';
import { type Block, type Framing, type Oversize, recordSpans } from './frames.ts';

/** A batch of records, as a codec sees it. */
export interface Batch {
  /** Notes an issue of a record. The index is that of the record in the batch, from 0. */
  readonly report: (index: number, issue: Issue) => void;
  /** Indexes of the records that have an issue. */
  readonly faulty: ReadonlySet<number>;
  /** The block as text. */
  readonly text: string;
  /** Records read before this batch. */
  readonly rowsBefore: number;
}

/** Result of a codec for a batch. */
export interface Taken {
  /** Records in the batch. */
  readonly rows: number;
  /** The text to write: whole records, with their line ends. */
  readonly text: string;
  /** Line on which a record of the batch begins. */
  readonly lineOf: (index: number) => number;
}

/** Result of a codec for the first record of a file. */
export interface Heading {
  /** The text to write. */
  readonly text: string;
  /** Whether the record was part of the head. If not, it is the first row and still has to be taken. */
  readonly isHeader: boolean;
  /** Whether the head continues with the next record. */
  readonly continues: boolean;
}

/**
 * A file format in use: how its records are read, go through the rules, and are written. The only state of a codec is
 * what {@link Codec.heading} found out, so later blocks may be taken in any order, and by several codecs.
 */
export interface Codec {
  /** Where records end. A codec may learn it from the first line of the file. */
  readonly framing: Framing;
  /** Reads the head of a file from a block that has only the first record; `null` if the file format has no head. */
  readonly heading: ((block: Block, text: string) => Heading) | null;
  /** What to do about an input that has no header line and needs one; `null` if an input may be empty. */
  readonly headless: string | null;
  /** Whether a byte order mark of the input is written to the output. */
  readonly keepsMark: boolean;
  /** Throws if the policy does not suit the file format or the keys do not allow the run. Called before reading. */
  readonly begin: () => void;
  /** Runs the records of a block through the rules. */
  readonly take: (block: Block, batch: Batch) => Taken;
  /** Returns the issue of a record above the limit, and whether the record can be rejected and the run continue. */
  readonly oversize: (head: Uint8Array, line: number) => { readonly issue: Issue; readonly rejectable: boolean };
}

/** A record with issues. */
export interface Fault {
  readonly row: number;
  readonly line: number;
  /** The issues of the record, with row and line. */
  readonly issues: readonly (Issue & { readonly row: number })[];
  /** Returns the bytes of the record without its line end, or `null` if the record is above the limit. */
  readonly record: () => Uint8Array | null;
}

/** Result of a batch. Rows count from the first of the batch, which is 1. */
export interface Done {
  readonly rows: number;
  readonly text: string;
  readonly faults: readonly Fault[];
}

/**
 * The issues of records, one after the other, with row numbers of the run. `rowsBefore` are the rows before the batch.
 */
export function issuesOf(faults: readonly Fault[], rowsBefore: number): Issue[] {
  return faults.flatMap(({ issues }) => issues.map((issue) => ({ ...issue, row: rowsBefore + issue.row })));
}

/** The work on the batches of one run. */
export interface Batches {
  /** Returns the first block without its byte order mark, and calls `keep` with the mark if it is to be written. */
  readonly open: (block: Block, keep: (mark: string) => void) => Block;
  /** Reads the head of a file from its first record. Only for codecs that have {@link Codec.heading}. */
  readonly heading: (block: Block) => Heading;
  /**
   * Runs a block through the rules.
   *
   * @param rowsBefore records before the block, for the row number of an error that ends the run at once.
   */
  readonly take: (block: Block, rowsBefore: number) => Done;
  /**
   * Treats a record above the limit as a batch of one record with an issue.
   *
   * @param heading whether the record is the header, which has no row number.
   * @throws TrefoilError if the run cannot continue after the record.
   */
  readonly oversize: (oversize: Oversize, rowsBefore: number, heading: boolean) => Done;
}

/** What the work on batches has to know about the run. */
export interface BatchOptions {
  /** The encoding of the input, for messages. The blocks are UTF-8, with invalid bytes for what was no character. */
  readonly encoding: Encoding;
  /** Whether the first issue ends the run. */
  readonly stops: boolean;
}

/** Makes the work on batches. */
export function makeBatches(codec: Codec, options: BatchOptions): Batches {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  const takeText = (block: Block, text: string, rowsBefore: number): Done => {
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
  };

  /** Takes a block in which some records have bytes that are no characters: these, and the records between them. */
  const takePieces = (block: Block, rowsBefore: number): Done => {
    const pieces: Done[] = [];
    const advice = adviceFor(block.bytes, options.encoding);
    let rows = rowsBefore;
    for (const piece of piecesOf(block, codec.framing)) {
      const done = isUtf8(piece.bytes)
        ? takeText(piece, decoder.decode(piece.bytes), rows)
        : badRecord(piece, codec.framing, advice);
      pieces.push(done);
      rows += done.rows;
    }
    return joinDone(pieces);
  };

  return {
    open: (block, keep) => openInput(block, codec, keep),
    heading: (block) => {
      const text = decode(decoder, block, codec.framing, options.encoding);
      try {
        return codec.heading!(block, text);
      } catch (error) {
        // In the wrong encoding the names are not those of the policy, and that is not what is wrong.
        if (error instanceof TrefoilError && isUtf8ReadAs(text, options.encoding)) failEncoding(options.encoding);
        throw error;
      }
    },
    take(block, rowsBefore) {
      let text: string;
      try {
        text = decode(decoder, block, codec.framing, options.encoding);
      } catch (error) {
        // A NUL byte ends the run, because it is a sign that the input is not text.
        if (options.stops || block.bytes.includes(0)) throw error;
        return takePieces(block, rowsBefore);
      }
      return takeText(block, text, rowsBefore);
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

/** Cuts a block into stretches of good records and single records with bytes that are not UTF-8. */
function* piecesOf(block: Block, framing: Framing): Generator<Block, void, void> {
  const { bytes, line } = block;
  const begins = [...recordSpans(block, framing)].map(([on, { start }]) => ({ line: on, start }));
  const pieceOf = (from: { line: number; start: number }, end: number): Block => {
    return {
      kind: 'records',
      bytes: bytes.subarray(from.start, end),
      line: from.line,
      ended: end < bytes.length || block.ended,
    };
  };
  let from = { line, start: 0 };
  for (const [i, begin] of begins.entries()) {
    const end = begins[i + 1]?.start ?? bytes.length;
    if (isUtf8(bytes.subarray(begin.start, end))) continue;
    if (begin.start > from.start) yield pieceOf(from, begin.start);
    yield pieceOf(begin, end);
    from = begins[i + 1] ?? { line, start: end };
  }
  if (from.start < bytes.length) yield pieceOf(from, bytes.length);
}

/** The result for a record with bytes that are no characters. */
function badRecord(block: Block, framing: Framing, advice: Advice): Done {
  const { bytes, line } = block;
  const issue = { ...advice, row: 1, ...placeOf(block, firstBadByte(bytes), framing) };
  const { end } = recordSpans(block, framing).get(line)!;
  return { rows: 1, text: '', faults: [{ row: 1, line, issues: [issue], record: () => bytes.subarray(0, end) }] };
}

/** The results of the pieces of one block, as one. */
function joinDone(pieces: readonly Done[]): Done {
  const faults: Fault[] = [];
  let rows = 0;
  let text = '';
  for (const done of pieces) {
    for (const fault of done.faults) {
      const issues = fault.issues.map((issue) => ({ ...issue, row: issue.row + rows }));
      faults.push({ ...fault, row: fault.row + rows, issues });
    }
    rows += done.rows;
    text += done.text;
  }
  return { rows, text, faults };
}

const NONE: readonly Fault[] = [];

/** The issues of a batch by row. Rules report them column by column, and people read them row by row. */
function faultsOf(found: ReadonlyMap<number, Issue[]>, taken: Taken, block: Block, codec: Codec): Fault[] {
  let spans: ReturnType<typeof recordSpans> | null = null;
  const recordOn = (line: number): Uint8Array => {
    spans ??= recordSpans(block, codec.framing);
    const { start, end } = spans.get(line)!;
    return block.bytes.subarray(start, end);
  };
  const order = [...found.keys()].sort((a, b) => a - b);
  return order.map((index) => {
    const line = taken.lineOf(index);
    const row = index + 1;
    const issues = found.get(index)!.map((issue) => {
      const placed = { ...issue, row, line: issue.line ?? line };
      // An issue of the whole record has the place where the record begins.
      return issue.field === undefined && issue.column === undefined ? { ...placed, column: 1 } : placed;
    });
    return { row, line, issues, record: () => recordOn(line) };
  });
}

/** Returns the first block without its byte order mark, and refuses UTF-16, which has a mark of its own. */
function openInput(block: Block, codec: Codec, keep: (mark: string) => void): Block {
  const [a, b, c] = block.bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
    fail('not_utf8', 'the input is UTF-16; set the encoding to utf-16 (--encoding utf-16)', { line: 1, column: 1 });
  }
  if (a !== 0xef || b !== 0xbb || c !== 0xbf) return block;
  if (codec.keepsMark) keep('\ufeff');
  return { ...block, bytes: block.bytes.subarray(3) };
}

/** Decodes a block. A block ends at a line end, so no character is cut in two. */
function decode(decoder: TextDecoder, block: Block, framing: Framing, encoding: Encoding): string {
  const { bytes } = block;
  const nul = bytes.indexOf(0);
  try {
    const text = decoder.decode(bytes);
    if (nul === -1) return text;
  } catch {
    const at = firstBadByte(bytes);
    const { code, message } = adviceFor(bytes, encoding);
    if (nul === -1 || at < nul) fail(code, message, placeOf(block, at, framing));
  }
  const message =
    'a NUL byte; the input is not text, or it is UTF-16 without a byte order mark: set the encoding to utf-16le or utf-16be';
  return fail('nul_byte', message, placeOf(block, nul, framing));
}

/** What is wrong with bytes that are no characters, and what to do about it. */
type Advice = Pick<Issue, 'code' | 'message'>;

function failEncoding(encoding: Encoding): never {
  const message =
    `all characters beyond ASCII in the first line are UTF-8, so the input is not ${encoding}; leave out the encoding ` +
    '(--encoding)';
  return fail('not_in_encoding', message, { line: 1, column: 1 });
}

/** What to say about a block with bytes that are no characters. */
function adviceFor(bytes: Uint8Array, encoding: Encoding): Advice {
  if (encoding === 'utf-8') return { code: 'not_utf8', message: isMostlyUtf8(bytes) ? BROKEN : OTHER };
  const message = `a byte that is no character in ${encoding}; check the encoding, and leave it out if the file is UTF-8`;
  return { code: 'not_in_encoding', message };
}

const BROKEN = 'a byte that is not UTF-8, in a file that otherwise is; correct the byte';
const OTHER =
  'a byte that is not UTF-8; if the file comes from Windows, Excel or an old system, ' +
  'set its encoding (--encoding windows-1252)';

/** Whether more of the characters beyond ASCII are UTF-8 than not. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  let good = 0;
  let bad = 0;
  for (const character of new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)) {
    if (character === '\ufffd') bad++;
    else if (character > '\x7f') good++;
  }
  return good > bad;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * Index of the byte at which a strict decoder gives up: the shortest beginning of the bytes that it refuses, less one.
 */
function firstBadByte(bytes: Uint8Array): number {
  const isBad = (length: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return false;
    } catch {
      return true;
    }
  };
  // A beginning that is refused stays refused when bytes are added, so the place can be found by halving. A sequence
  // that the end of the block cuts off is refused at the end.
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1;
    if (isBad(middle)) bad = middle;
    else good = middle;
  }
  return good;
}

/** Line and column of a byte, both from 1. */
function placeOf({ bytes, line }: Block, at: number, { cr }: Framing): { line: number; column: number } {
  let lines = 0;
  let start = 0;
  for (let i = 0; i < at; i++) {
    if (bytes[i] === 10 || (cr && bytes[i] === 13 && bytes[i + 1] !== 10)) {
      lines++;
      start = i + 1;
    }
  }
  // Bytes of an incomplete character do not count.
  const before = new TextDecoder('utf-8').decode(bytes.subarray(start, at), { stream: true });
  return { line: line + lines, column: before.length + 1 };
}
