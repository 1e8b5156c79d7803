/**
 * CSV (RFC 4180) as a format of the record streams: the header, the widths, the rules between reading and writing. The
 * grammar is in `csv-records.ts`.
 *
 * What is kept of the input's spelling: byte order mark, newline style, last newline, order of the columns, and whether an
 * empty cell was quoted. Quoting is not seen by the rules, for which both kinds of empty cell are the empty text. Other
 * cells are quoted uniformly in the output.
 */

import { badRange, checkOneOf } from '../../core/checks.ts';
import { fail, type Issue } from '../../errors.ts';
import { type BoundInside, type Direction, openReady } from '../../policy/bound.ts';
import type { Batch, Codec } from '../batches.ts';
import { type Block, recordLines } from '../frames.ts';
import { checkNames, checkTabular, fieldPositions, hidesEmpty, mapHeader, type TableColumn } from '../header.ts';
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

/** What a CSV stream may be told. */
export interface CsvOptions extends RecordOptions {
  /** One ASCII character between cells; `,` by default. */
  readonly delimiter?: string | undefined;
  /**
   * Which cells of the output are quoted: those that must be (the default), or all that have a value. In either case an
   * empty cell is `""` or nothing, as it came.
   */
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
  const inside = openReady(bound);
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
    badRange('delimiter', 'expected one ASCII character that is not a quote or a line end');
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
    const write = makeCsvWriter({ delimiter, newline, quoteAll: quoting === 'all' });
    const columns = mapHeader(names, inside, direction);
    return { names, newline, columns, positions: fieldPositions(names, inside), write };
  }

  /** Records with their line ends; without the last one where the input had none. */
  function write(
    columns: Columns,
    rows: readonly number[],
    { write, newline }: Open,
    ended: boolean,
    origin: CsvOrigin,
  ): string {
    const text = write(columns, rows, origin);
    if (ended || rows.length === 0) return text;
    // Without a newline after it a blank line would be no record.
    const blank = columns.length === 1 && origin.wasBlank(rows[rows.length - 1]!);
    return blank ? text : text.slice(0, -newline.length);
  }

  return {
    quoted: true,
    keepsMark: true,
    opening: () => ({ names: open!.names, newline: open!.newline }),
    begin() {
      inside.demand(direction);
      checkTabular(inside);
    },
    heading(block, text) {
      const newline = firstNewline(block.bytes);
      if (header !== null) {
        open = openWith({ names: header, newline });
        return { text: '', isHeader: false };
      }
      const names = readRecords(text, block, delimiter, -1).rows[0];
      if (names === undefined) return fail('empty_input', 'the input is empty', { line: 1, column: 1 });
      open = openWith({ names, newline });
      const cells = open.columns.map(({ name }) => [name]);
      return { text: write(cells, [0], open, block.ended, OWN_RECORDS), isHeader: true };
    },
    take(block, batch) {
      const { names, columns, positions } = open!;
      const { rows, quotedEmpty } = readRecords(batch.text, block, delimiter, batch.rowsBefore);
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
      const lastIsThere = from[from.length - 1] === rows.length - 1;
      const text = write(out, good, open!, block.ended || !lastIsThere, origin);
      return { rows: rows.length, text, lineOf };
    },
    oversize(head, line) {
      // A stray quote early in a file makes one record of all that follows.
      const text = new TextDecoder().decode(head);
      const { fault } = readCsv(text, delimiter);
      if (fault?.kind === 'stray') return { issue: { ...STRAY, ...placeIn(text, fault.at, line) }, rejectable: false };
      const message = `the record is longer than ${maxRecord} bytes; look for a quote that is never closed, or raise the limit`;
      return { issue: { code: 'record_too_large', message, maximum: maxRecord }, rejectable: false };
    },
  };
}

interface Open extends CsvOpening {
  readonly columns: readonly TableColumn[];
  readonly positions: ReadonlyMap<string, number>;
  readonly write: CsvWriter;
}

type Columns = readonly (readonly (string | null | undefined)[])[];

const STRAY: Issue = {
  code: 'stray_quote',
  message:
    'a quote inside a cell that is not quoted, or text after a quoted cell; quote the whole cell and double the quotes in it',
};

const UNCLOSED: Issue = { code: 'unclosed_quote', message: 'the quote that opens here is never closed' };

/** @param rowsBefore rows before the block; -1 for the header. */
function readRecords(text: string, block: Block, delimiter: string, rowsBefore: number): CsvRecords {
  const records = readCsv(text, delimiter);
  const { fault } = records;
  if (fault === null) return records;
  const { code, message } = fault.kind === 'unclosed' ? UNCLOSED : STRAY;
  const row = rowsBefore + fault.records + 1;
  return fail(code, message, { ...(row > 0 ? { row } : {}), ...placeIn(text, fault.at, block.line) });
}

/** Line and column of a character, in a text that begins on `line`. */
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

/** A row with more or fewer cells than the header is never filled up or cut: a shifted column is a leak. */
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
 * Rows → columns → rules → columns. The columns have the rows that are `sound`, by their index in the batch; `good` are
 * those of them that have no issue, and `from` says where each of the good ones is in the batch.
 */
function turn(
  rows: readonly string[][],
  columns: readonly TableColumn[],
  positions: ReadonlyMap<string, number>,
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
