/**
 * The codec of CSV (RFC 4180): it reads the header, checks the number of cells in each row, runs the rows through the
 * rules, and writes them. The grammar of CSV is in `records.ts`.
 *
 * The output keeps the input's byte order mark, newline style, last newline and order of columns, and whether an empty
 * cell was quoted. Rules do not see quoting: for them both kinds of empty cell are the empty text. All other cells are
 * quoted in one way.
 */

import { badRange, checkOneOf } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { fail, type Issue } from '../../errors.ts';
import { type BoundInside, type Direction, openReady } from '../../policy/bound.ts';
import type { Batch, Codec, Taken } from '../batches.ts';
import type { TableColumn, TableMap } from '../columns.ts';
import { type Block, recordLines } from '../frames.ts';
import { checkNames, checkTabular, hidesEmpty, mapHeader } from '../header.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, makeRun, type RecordOptions, type Run } from '../records.ts';
import { type Cells, turnTable } from '../table.ts';
import {
  type CsvFault,
  type CsvOrigin,
  type CsvRecords,
  type CsvWriter,
  makeCsvWriter,
  OWN_RECORDS,
  readCsv,
} from './records.ts';

/** Options of a CSV stream. */
export interface CsvOptions extends RecordOptions {
  /** One ASCII character between cells; `,` by default. */
  readonly delimiter?: string | undefined;
  /**
   * Which cells of the output are quoted: those that need it (`minimal`, the default), or all that have a value
   * (`all`). An empty cell is always written as it was read: `""` or nothing.
   */
  readonly quoting?: 'minimal' | 'all' | undefined;
  /** Names of the columns of a file without a header line. The output then has no header line either. */
  readonly header?: readonly string[] | undefined;
}

type Newline = '\n' | '\r\n' | '\r';

/** What a codec reads from the head of a CSV file. */
export interface CsvOpening {
  readonly names: readonly string[];
  readonly newline: Newline;
}

/** The options that say how a CSV file is written, checked. */
export interface CsvDialect {
  readonly delimiter: string;
  readonly quoting: 'minimal' | 'all';
  readonly header: readonly string[] | null;
  readonly maxRecord: number;
}

/** Checks the arguments of a public function and returns the function that starts its run. */
export function prepareCsv(
  direction: Direction,
  bound: unknown,
  options: CsvOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openReady(bound);
  const checked: CsvOptions = checkRecordOptions(options, ['delimiter', 'quoting', 'header']);
  const dialect = csvDialect(checked);
  return {
    start: () => makeRun(makeCsvCodec(direction, inside, dialect, null, checked.onSample), checked, dialect.maxRecord),
    signal: checked.signal,
  };
}

/** Checks the options that say how the file is written. */
export function csvDialect(options: Pick<CsvOptions, 'delimiter' | 'quoting' | 'header' | 'maxRecord'>): CsvDialect {
  const { delimiter = ',', quoting = 'minimal', header = null, maxRecord = DEFAULT_MAX_RECORD } = options;
  if (typeof delimiter !== 'string' || !/^[\x01-\x7f]$/.test(delimiter) || /["\r\n]/.test(delimiter)) {
    badRange('delimiter', 'expected one ASCII character that is not a quote or a line end');
  }
  checkOneOf('quoting', quoting, ['minimal', 'all']);
  if (header !== null) checkNames('header', header);
  return { delimiter, quoting, header, maxRecord };
}

/** What a codec works with, apart from the head of the file. */
interface Setup {
  readonly direction: Direction;
  readonly inside: BoundInside;
  readonly dialect: CsvDialect;
  readonly onSample: RecordOptions['onSample'];
}

/** The head of a file, and what follows from it. */
interface Open extends CsvOpening, TableMap {
  readonly write: CsvWriter;
}

/**
 * Makes the codec of one run.
 *
 * @param opening the head of the file, if another codec has read it.
 */
export function makeCsvCodec(
  direction: Direction,
  inside: BoundInside,
  dialect: CsvDialect,
  opening: CsvOpening | null,
  onSample?: RecordOptions['onSample'],
): Codec & { readonly opening: () => CsvOpening } {
  const setup: Setup = { direction, inside, dialect, onSample };
  let open: Open | null = opening === null ? null : openWith(setup, opening);
  return {
    quoted: true,
    keepsMark: true,
    opening: () => ({ names: open!.names, newline: open!.newline }),
    begin() {
      inside.demand(direction);
      checkTabular(inside);
    },
    heading(block, text) {
      open = openWith(setup, readOpening(dialect, block, text));
      if (dialect.header !== null) return { text: '', isHeader: false };
      const { columns } = open;
      // A column without a name is written as it was read.
      const quoted = readRecords(text, block, dialect.delimiter, -1).quotedEmpty.get(0) ?? [];
      const wasBare = (_: number, c: number): boolean => !quoted.includes(columns[c]!.from);
      const cells = columns.map(({ name }) => [name]);
      return { text: write(cells, [0], open, block.ended, { ...OWN_RECORDS, wasBare }), isHeader: true };
    },
    take: (block, batch) => takeRows(setup, open!, block, batch),
    oversize: (head, line) => oversizeIssue(dialect, head, line),
  };
}

function openWith({ direction, inside, dialect }: Setup, { names, newline }: CsvOpening): Open {
  const { delimiter, quoting } = dialect;
  const writer = makeCsvWriter({ delimiter, newline, quoteAll: quoting === 'all' });
  return { names, newline, ...mapHeader(names, inside, direction, dialect.header !== null), write: writer };
}

/** Reads the head from the first record. If the caller has named the columns, the record only shows the newline. */
function readOpening({ header, delimiter }: CsvDialect, block: Block, text: string): CsvOpening {
  const newline = firstNewline(block.bytes);
  if (header !== null) return { names: header, newline };
  const names = readRecords(text, block, delimiter, -1).rows[0];
  if (names === undefined) return fail('empty_input', 'the input is empty', { line: 1, column: 1 });
  return { names, newline };
}

/** Reads the rows of a block, runs them through the rules, and writes those without an issue. */
function takeRows({ direction, inside, dialect, onSample }: Setup, open: Open, block: Block, batch: Batch): Taken {
  const { names, columns, positions } = open;
  const { rows, quotedEmpty } = readRecords(batch.text, block, dialect.delimiter, batch.rowsBefore);
  checkWidths(rows, names.length, batch);
  const { out, sound, good, from } = turn(rows, columns, positions, direction, inside, batch);
  const wasBare = (i: number, c: number): boolean => {
    const { leaf, from } = columns[c]!;
    const row = sound[i]!;
    if (rows[row]![from] !== '' || hidesEmpty(leaf, direction)) return false;
    return quotedEmpty.get(row)?.includes(from) !== true;
  };
  const origin: CsvOrigin = { wasBare, wasBlank: (i) => names.length === 1 && wasBare(i, 0) };
  if (onSample !== undefined) {
    for (const [g, i] of good.entries()) {
      const after = columns.map(({ name }, c) => [name, out[c]![i] ?? '']);
      onSample(Object.fromEntries(names.map((name, c) => [name, rows[from[g]!]![c]])), Object.fromEntries(after));
    }
  }
  let lines: number[] | null = null;
  const lineOf = (index: number): number => {
    lines ??= recordLines(block, true);
    return lines[index] ?? block.line;
  };
  const hasLast = from[from.length - 1] === rows.length - 1;
  return { rows: rows.length, text: write(out, good, open, block.ended || !hasLast, origin), lineOf };
}

/** Writes records with their line ends. The last record has none if the input had none (`ended` is false). */
function write(
  columns: Columns,
  rows: readonly number[],
  { write, newline }: Open,
  ended: boolean,
  origin: CsvOrigin,
): string {
  const text = write(columns, rows, origin);
  if (ended || rows.length === 0) return text;
  // A blank line is a record only if a newline follows.
  const blank = columns.length === 1 && origin.wasBlank(rows[rows.length - 1]!);
  return blank ? text : text.slice(0, -newline.length);
}

/** The issue of a record above the limit. A stray quote early in a file makes one record of everything after it. */
function oversizeIssue({ delimiter, maxRecord }: CsvDialect, head: Uint8Array, line: number) {
  const text = new TextDecoder().decode(head);
  const { fault } = readCsv(text, delimiter);
  if (fault?.kind === 'stray') return { issue: { ...STRAY, ...placeIn(text, fault.at, line) }, rejectable: false };
  const message = `the record is longer than ${maxRecord} bytes; look for a quote that is never closed`;
  const issue: Issue = { code: 'record_too_large', message, maximum: maxRecord };
  return { issue, rejectable: false };
}

type Columns = readonly (readonly (string | null | undefined)[])[];

const STRAY: Issue = {
  code: 'stray_quote',
  message: 'a quote inside an unquoted cell, or text after a quoted one; quote the whole cell and double its quotes',
};

const UNCLOSED: Issue = { code: 'unclosed_quote', message: 'the quote that opens here is never closed' };

/**
 * Reads the records of a block.
 *
 * @param rowsBefore rows before the block; -1 for the header.
 * @throws TrefoilError `stray_quote`, `unclosed_quote`.
 */
function readRecords(text: string, block: Block, delimiter: string, rowsBefore: number): CsvRecords {
  const records = readCsv(text, delimiter);
  const { fault } = records;
  if (fault === null) return records;
  const { code, message } = fault.kind === 'unclosed' ? UNCLOSED : STRAY;
  const row = rowsBefore + fault.records + 1;
  return fail(code, message, { ...given({ row: row > 0 ? row : undefined }), ...placeIn(text, fault.at, block.line) });
}

/** Line and column of a character in a text that begins on `line`. */
function placeIn(text: string, at: CsvFault['at'], line: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: line + before.length - 1, column: before[before.length - 1]!.length + 1 };
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

/**
 * Reports rows with more or fewer cells than the header. They are never filled up or cut, because a value in the wrong
 * column would go through the wrong rule.
 */
function checkWidths(rows: readonly (readonly string[])[], width: number, batch: Batch): void {
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r]!;
    if (row.length === width) continue;
    const blank = row.length === 1 && row[0] === '';
    const message = blank
      ? `the line is blank; expected ${width} cells`
      : `expected ${width} cells as in the header, got ${row.length}`;
    batch.report(r, { code: 'ragged_row', message, column: 1, expected: width, actual: blank ? 0 : row.length });
  }
}

/**
 * Makes columns of the rows and runs them through the rules. `sound` has the index in the batch of each row of the
 * columns; rows with an issue are left out. `good` has the index in the columns of each row that has no issue after the
 * rules either, and `from` its index in the batch.
 */
function turn(
  rows: readonly string[][],
  columns: readonly TableColumn[],
  positions: TableMap['positions'],
  direction: Direction,
  inside: BoundInside,
  batch: Batch,
): { readonly out: Columns; readonly sound: number[]; readonly good: number[]; readonly from: number[] } {
  const { faulty } = batch;
  const sound: number[] = [];
  for (let r = 0; r < rows.length; r++) if (!faulty.has(r)) sound.push(r);
  const cells: Cells = { rows: sound.length, column: (from) => sound.map((r) => rows[r]![from]!) };
  const report = (i: number, issue: Issue): void => batch.report(sound[i]!, issue);
  const out = turnTable(cells, columns, positions, direction, inside, report);
  const good: number[] = [];
  const from: number[] = [];
  for (let i = 0; i < sound.length; i++) {
    if (faulty.has(sound[i]!)) continue;
    good.push(i);
    from.push(sound[i]!);
  }
  return { out, sound, good, from };
}
