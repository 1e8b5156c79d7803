/**
 * CSV (RFC 4180): csv-parse and csv-stringify in array mode over blocks of whole records, and our own checks around
 * them. Their errors quote the input and never leave this file.
 *
 * What is kept of the input's spelling: byte order mark, newline style, last newline, order of the columns. Quoting is
 * not seen by the parser and is uniform in the output.
 */

import { Buffer } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { stringify, type Options as WriteOptions } from 'csv-stringify/sync';
import { badRange, checkOneOf } from '../core/checks.ts';
import { fail, type Issue } from '../errors.ts';
import { type BoundInside, type Direction, openBound } from '../policy/bound.ts';
import type { Batch, Codec } from './batches.ts';
import { type CsvColumn, checkNames, checkTabular, fieldPositions, mapHeader } from './csv-header.ts';
import { type Block, recordLines } from './frames.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, makeRun, type RecordOptions, type Run } from './records.ts';
import { type Cells, turnTable } from './table.ts';

/** What a CSV stream may be told. */
export interface CsvOptions extends RecordOptions {
  /** One ASCII character between cells; `,` by default. */
  readonly delimiter?: string | undefined;
  /** Which cells of the output are quoted: those that must be (the default), or all. */
  readonly quoting?: 'minimal' | 'all' | undefined;
  /** Names of the columns of a file without a header line. The output has none then, either. */
  readonly header?: readonly string[] | undefined;
}

type Newline = '\n' | '\r\n' | '\r';

/** What the head of a CSV file tells. */
export interface CsvOpening {
  readonly names: readonly string[];
  readonly newline: Newline;
}

/** How a CSV file is spelt: the options, checked. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quoting: 'minimal' | 'all';
  readonly header: readonly string[] | null;
  readonly maxRecord: number;
}

/** Checks the arguments and gives what starts a run. */
export function prepareCsv(
  direction: Direction,
  bound: unknown,
  options: CsvOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openBound(bound);
  const checked: CsvOptions = checkRecordOptions(options, ['delimiter', 'quoting', 'header']);
  const dialect = csvDialect(checked);
  return {
    start: () => makeRun(makeCsvCodec(direction, inside, dialect, null, checked.onSample), checked, dialect.maxRecord),
    signal: checked.signal,
  };
}

/** Checks what is said of the spelling. */
export function csvDialect(options: Pick<CsvOptions, 'delimiter' | 'quoting' | 'header' | 'maxRecord'>): CsvDialect {
  const { delimiter = ',', quoting = 'minimal', header = null, maxRecord = DEFAULT_MAX_RECORD } = options;
  if (typeof delimiter !== 'string' || !/^[\x01-\x7f]$/.test(delimiter) || /["\r\n]/.test(delimiter)) {
    badRange('delimiter', 'expected one ASCII character that is no quote and no line end');
  }
  checkOneOf('quoting', quoting, ['minimal', 'all']);
  if (header !== null) checkNames('header', header);
  return { delimiter, quoting, header, maxRecord };
}

/** Makes the codec of one run; `opening` is what another codec learned at the head of the file. */
export function makeCsvCodec(
  direction: Direction,
  inside: BoundInside,
  { delimiter, quoting, header, maxRecord }: CsvDialect,
  opening: CsvOpening | null,
  onSample?: RecordOptions['onSample'],
): Codec & { readonly opening: () => CsvOpening } {
  let open: Open | null = opening === null ? null : openWith(opening);

  function openWith({ names, newline }: CsvOpening): Open {
    // Left to itself, csv-stringify quotes a cell for the file's own newline only.
    const writing: WriteOptions = {
      delimiter,
      quoted: quoting === 'all',
      quoted_empty: quoting === 'all',
      quoted_match: /[\r\n]/,
      record_delimiter: newline,
    };
    const columns = mapHeader(names, inside, direction);
    return { names, newline, columns, positions: fieldPositions(names, inside), writing };
  }

  /** Records with their line ends; without the last one where the input had none. */
  function write(records: readonly (readonly string[])[], { writing, newline }: Open, ended: boolean): string {
    const text = stringify(records as string[][], writing);
    if (ended || records.length === 0) return text;
    const last = records[records.length - 1]!;
    const bare = quoting === 'minimal' && last.length <= 1 && (last[0] ?? '') === '';
    // Without a newline after it an empty line would be no record.
    return text.slice(0, -newline.length) + (bare ? '""' : '');
  }

  return {
    quoted: true,
    keepsMark: true,
    opening: () => ({ names: open!.names, newline: open!.newline }),
    begin() {
      inside.demand(direction);
      checkTabular(inside);
    },
    heading(block) {
      const newline = firstNewline(block.bytes);
      if (header !== null) {
        open = openWith({ names: header, newline });
        return { text: '', isHeader: false };
      }
      open = openWith({ names: readRecords(block, delimiter, -1)[0]!, newline });
      return { text: write([open.columns.map(({ name }) => name)], open, block.ended), isHeader: true };
    },
    take(block, batch) {
      const { names, columns, positions } = open!;
      const rows = readRecords(block, delimiter, batch.rowsBefore);
      checkWidths(rows, names.length, batch);
      const { good, from } = turn(rows, columns, positions, direction, inside, batch);
      if (onSample !== undefined) {
        for (const [i, record] of good.entries()) {
          const after = columns.map(({ name }, c) => [name, record[c]]);
          onSample(Object.fromEntries(names.map((name, c) => [name, rows[from[i]!]![c]])), Object.fromEntries(after));
        }
      }
      let lines: number[] | null = null;
      const lineOf = (index: number): number => {
        lines ??= recordLines(block, true);
        return lines[index] ?? block.line;
      };
      const lastIsThere = from[from.length - 1] === rows.length - 1;
      return { rows: rows.length, text: write(good, open!, block.ended || !lastIsThere), lineOf };
    },
    oversize(head) {
      // A stray quote early in a file makes one record of all that follows.
      const error = readError(head, delimiter);
      if (error !== null && error.code !== NOT_CLOSED) return { issue: STRAY, rejectable: false };
      const message = `the record is longer than ${maxRecord} bytes; a quote that is never closed looks the same`;
      return { issue: { code: 'record_too_large', message, maximum: maxRecord }, rejectable: false };
    },
  };
}

interface Open extends CsvOpening {
  readonly columns: readonly CsvColumn[];
  readonly positions: ReadonlyMap<string, number>;
  readonly writing: WriteOptions;
}

const STRAY: Issue = {
  code: 'stray_quote',
  message: 'a quote inside a cell that is not quoted, or text behind one that is; quote the cell and double its quotes',
};

const UNCLOSED: Issue = { code: 'unclosed_quote', message: 'a quote is opened and never closed' };

/** csv-parse's code for a quote that is open at the end. */
const NOT_CLOSED = 'CSV_QUOTE_NOT_CLOSED';

const PARSING = {
  // All three end a record, wherever they stand outside quotes: a file that mixes them is cut where the frames cut it.
  record_delimiter: ['\r\n', '\n', '\r'],
  // Row lengths are compared by us, so that a rejected row does not end the run.
  relax_column_count: true,
};

/** The error of the parser that we know the codes of. */
interface ParseError {
  readonly code: string;
  /** Records that were read before. */
  readonly records: number;
}

function parseBytes(bytes: Uint8Array, delimiter: string): string[][] {
  return parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { ...PARSING, delimiter });
}

function readError(bytes: Uint8Array, delimiter: string): ParseError | null {
  try {
    parseBytes(bytes, delimiter);
    return null;
  } catch (error) {
    const { code, records } = error as Partial<ParseError>;
    if (typeof code !== 'string' || typeof records !== 'number') throw error;
    return { code, records };
  }
}

/** @param rowsBefore rows before the block; -1 for the header. */
function readRecords(block: Block, delimiter: string, rowsBefore: number): string[][] {
  try {
    return parseBytes(block.bytes, delimiter);
  } catch {
    const error = readError(block.bytes, delimiter)!;
    const { code, message } = error.code === NOT_CLOSED ? UNCLOSED : STRAY;
    const row = rowsBefore + error.records + 1;
    const line = recordLines(block, true)[error.records] ?? block.line;
    return fail(code, message, { ...(row > 0 ? { row } : {}), line });
  }
}

/** The first line end outside quotes. */
function firstNewline(bytes: Uint8Array): Newline {
  let inQuotes = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === 34) inQuotes = !inQuotes;
    else if (byte === 10 && !inQuotes) return '\n';
    else if (byte === 13 && !inQuotes) return bytes[i + 1] === 10 ? '\r\n' : '\r';
  }
  return '\n';
}

/** A row with more or fewer cells than the header is never filled up or cut: a shifted column is a leak. */
function checkWidths(rows: readonly (readonly string[])[], width: number, batch: Batch): void {
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r]!;
    if (row.length === width) continue;
    const blank = row.length === 1 && row[0] === '';
    const message = blank
      ? `the line is blank; expected ${width} cells`
      : `expected ${width} cells as in the header, got ${row.length}`;
    batch.report(r, { code: 'ragged_row', message, expected: width, actual: blank ? 0 : row.length });
  }
}

/** Rows → columns → rules → columns → rows. Gives the rows without an issue, and where each stood in the batch. */
function turn(
  rows: readonly string[][],
  columns: readonly CsvColumn[],
  positions: ReadonlyMap<string, number>,
  direction: Direction,
  inside: BoundInside,
  batch: Batch,
): { readonly good: string[][]; readonly from: number[] } {
  const { faulty } = batch;
  const sound: number[] = [];
  for (let r = 0; r < rows.length; r++) if (!faulty.has(r)) sound.push(r);
  const cells: Cells = { rows: sound.length, column: (from) => sound.map((r) => rows[r]![from]!) };
  const report = (i: number, issue: Issue): void => batch.report(sound[i]!, issue);
  const out = turnTable(cells, columns, positions, direction, inside, report);
  const good: string[][] = [];
  const from: number[] = [];
  for (let i = 0; i < sound.length; i++) {
    if (faulty.has(sound[i]!)) continue;
    good.push(out.map((column) => column[i] ?? ''));
    from.push(sound[i]!);
  }
  return { good, from };
}
