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
import { type CsvColumn, checkTabular, mapHeader } from './csv-header.ts';
import { type Block, recordLines } from './frames.ts';
import {
  type Batch,
  type Codec,
  checkRecordOptions,
  DEFAULT_MAX_RECORD,
  makeRun,
  type RecordOptions,
  type Run,
} from './records.ts';

/** What a CSV stream may be told. */
export interface CsvOptions extends RecordOptions {
  /** One ASCII character between cells; `,` by default. */
  readonly delimiter?: string | undefined;
  /** Which cells of the output are quoted: those that must be (the default), or all. */
  readonly quoting?: 'minimal' | 'all' | undefined;
}

type Newline = '\n' | '\r\n' | '\r';

/** Checks the arguments and gives what starts a run. */
export function prepareCsv(
  direction: Direction,
  bound: unknown,
  options: CsvOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openBound(bound);
  const checked: CsvOptions = checkRecordOptions(options, ['delimiter', 'quoting']);
  const { delimiter = ',', quoting = 'minimal', maxRecord = DEFAULT_MAX_RECORD } = checked;
  if (typeof delimiter !== 'string' || !/^[\x01-\x7f]$/.test(delimiter) || /["\r\n]/.test(delimiter)) {
    badRange('delimiter', 'expected one ASCII character that is no quote and no line end');
  }
  checkOneOf('quoting', quoting, ['minimal', 'all']);
  const settings: Settings = { delimiter, quoted: quoting === 'all', maxRecord, onSample: checked.onSample };
  return {
    start: () => makeRun(makeCsvCodec(direction, inside, settings), checked, maxRecord),
    signal: checked.signal,
  };
}

interface Settings {
  readonly delimiter: string;
  readonly quoted: boolean;
  readonly maxRecord: number;
  readonly onSample: RecordOptions['onSample'];
}

function makeCsvCodec(direction: Direction, inside: BoundInside, settings: Settings): Codec {
  const { delimiter, quoted, maxRecord, onSample } = settings;
  let columns: readonly CsvColumn[] | null = null;
  let header: readonly string[] = [];
  let newline: Newline = '\n';
  let writing: WriteOptions = {};
  // Whether the last record that was read had its line end, and whether the last that was written is an empty line.
  let ended = true;
  let bareLast = false;

  /** Reads the header: the columns of the run, and what to write of it. */
  function readHeader(names: readonly string[], block: Block): string {
    const map = mapHeader(names, inside, direction);
    header = names;
    columns = map;
    newline = firstNewline(block.bytes);
    // Left to itself, csv-stringify quotes a cell for the file's own newline only.
    writing = {
      delimiter,
      quoted,
      quoted_empty: quoted,
      quoted_match: /[\r\n]/,
      record_delimiter: newline,
      eof: false,
    };
    return write([map.map(({ name }) => name)]);
  }

  function write(records: readonly (readonly string[])[]): string {
    const last = records[records.length - 1];
    if (last !== undefined) bareLast = !quoted && last.length <= 1 && (last[0] ?? '') === '';
    return stringify(records as string[][], writing);
  }

  return {
    quoted: true,
    heading: 1,
    keepsMark: true,
    begin() {
      inside.demand(direction);
      checkTabular(inside);
    },
    take(block, batch) {
      const parsed = readRecords(block, delimiter, batch.rowsBefore, columns === null ? 1 : 0);
      const heading = columns === null ? 1 : 0;
      const parts: string[] = [];
      if (heading === 1) parts.push(readHeader(parsed[0]!, block));
      const rows = heading === 1 ? parsed.slice(1) : parsed;
      checkWidths(rows, header.length, batch);
      const { good, from } = turn(rows, columns!, direction, inside, batch);
      if (good.length > 0) parts.push(write(good));
      if (onSample !== undefined) {
        for (const [i, record] of good.entries()) {
          const after = columns!.map(({ name }, c) => [name, record[c]]);
          onSample(Object.fromEntries(header.map((name, c) => [name, rows[from[i]!]![c]])), Object.fromEntries(after));
        }
      }
      ended = block.ended;
      let lines: number[] | null = null;
      const lineOf = (index: number): number => {
        lines ??= recordLines(block, true);
        return lines[index + heading] ?? block.line;
      };
      // The newline stands before every record but the file's first: whether one follows the last is known at the end.
      const text = parts.length === 0 ? '' : (heading === 1 ? '' : newline) + parts.join(newline);
      return { rows: rows.length, text, lineOf };
    },
    oversize(head) {
      // A stray quote early in a file makes one record of all that follows.
      const error = readError(head, delimiter);
      if (error !== null && error.code !== NOT_CLOSED) return { issue: STRAY, rejectable: false };
      const message = `the record is longer than ${maxRecord} bytes; a quote that is never closed looks the same`;
      return { issue: { code: 'record_too_large', message, maximum: maxRecord }, rejectable: false };
    },
    end() {
      if (ended) return newline;
      // Without a newline after it an empty line would be no record.
      return bareLast ? '""' : '';
    },
  };
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

function readRecords(block: Block, delimiter: string, rowsBefore: number, heading: number): string[][] {
  try {
    return parseBytes(block.bytes, delimiter);
  } catch {
    const error = readError(block.bytes, delimiter)!;
    const { code, message } = error.code === NOT_CLOSED ? UNCLOSED : STRAY;
    const row = rowsBefore + error.records + 1 - heading;
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
  direction: Direction,
  inside: BoundInside,
  batch: Batch,
): { readonly good: string[][]; readonly from: number[] } {
  const { faulty } = batch;
  const sound: number[] = [];
  for (let r = 0; r < rows.length; r++) if (!faulty.has(r)) sound.push(r);
  const out: unknown[][] = columns.map(({ leaf, index, from }) => {
    const column = sound.map((r): unknown => rows[r]![from]);
    const report = (i: number, issue: Issue): void => batch.report(sound[i]!, { ...issue, field: leaf.path });
    if (direction === 'protect' && leaf.engine.cell === 'integer') readIntegers(column, report);
    return inside.columns[index]![direction](column, report);
  });
  const good: string[][] = [];
  const from: number[] = [];
  for (let i = 0; i < sound.length; i++) {
    if (faulty.has(sound[i]!)) continue;
    const record = new Array<string>(columns.length);
    for (let c = 0; c < columns.length; c++) record[c] = toCell(out[c]![i]);
    good.push(record);
    from.push(sound[i]!);
  }
  return { good, from };
}

const INTEGER = /^(?:0|-?[1-9][0-9]{0,15})$/;

/** Cells of a column whose rule takes integers. An empty cell is a missing value and stays one. */
function readIntegers(column: unknown[], report: (index: number, issue: Issue) => void): void {
  for (let i = 0; i < column.length; i++) {
    const cell = column[i] as string;
    if (cell === '') continue;
    const value = INTEGER.test(cell) ? Number(cell) : Number.NaN;
    // Missing from here on: the row is out, and the rule does not look at it.
    column[i] = Number.isSafeInteger(value) ? value : undefined;
    if (Number.isSafeInteger(value)) continue;
    const message = 'expected a whole number without leading zeros, from -(2^53 - 1) to 2^53 - 1';
    report(i, { code: 'not_an_integer', message });
  }
}

function toCell(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : String(value);
}
