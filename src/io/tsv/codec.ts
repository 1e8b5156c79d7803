/**
 * The codec of TSV: it reads lines of escaped cells (`cells.ts`), runs them through the rules, and writes them. No
 * Node.
 *
 * The output keeps the input's newline style, last newline and order of columns, and keeps null apart from the empty
 * text. Every line is a record, whatever its content, so an error in one line never affects the next.
 */

import { fail, type Issue } from '../../errors.ts';
import { type BoundInside, type Direction, openBound } from '../../policy/bound.ts';
import type { Batch, Codec, Taken } from '../batches.ts';
import type { TableMap } from '../columns.ts';
import { type Block, LINES } from '../frames.ts';
import { checkNames, checkTabular, mapHeader, NO_HEADER, refuseRepeated } from '../header.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, type RecordOptions, type Run, startRun } from '../records.ts';
import { turnTable } from '../table.ts';
import { cellColumn, readCells, type TsvCell, writeCell, writeCells } from './cells.ts';

/** Options of a TSV stream. */
export interface TsvOptions extends RecordOptions {
  /**
   * Names of the columns of an input without a header line, such as `COPY … TO STDOUT` sends. The output then has no
   * header line either, and an empty input is a table without rows.
   */
  readonly header?: readonly string[] | undefined;
}

type Newline = '\n' | '\r\n';

/** What a codec reads from the head of a TSV file. */
export interface TsvOpening {
  readonly names: readonly string[];
  readonly newline: Newline;
}

/** The options that say how a TSV file is written, checked. Plain data. */
export interface TsvDialect {
  readonly header: readonly string[] | null;
  readonly maxRecord: number;
}

/** Checks the arguments of a public function and returns the function that starts its run. */
export function prepareTsv(
  direction: Direction,
  bound: unknown,
  options: TsvOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openBound(bound);
  const checked: TsvOptions = checkRecordOptions(options, ['header']);
  const dialect = tsvDialect(checked);
  const start = (): Run =>
    startRun(inside, checked, dialect.maxRecord, (own, onSample) =>
      makeTsvCodec(direction, own, dialect, null, onSample),
    );
  return { start, signal: checked.signal };
}

/** Checks the options that say how the file is written. */
export function tsvDialect(options: Pick<TsvOptions, 'header' | 'maxRecord'>): TsvDialect {
  const { header = null, maxRecord = DEFAULT_MAX_RECORD } = options;
  return { header: header === null ? null : checkNames('header', header), maxRecord };
}

/** What a codec works with, apart from the head of the file. */
interface Setup {
  readonly direction: Direction;
  readonly inside: BoundInside;
  /** Whether the caller has named the columns. */
  readonly own: boolean;
  readonly onSample: RecordOptions['onSample'];
}

/** The head of a file, and what follows from it. */
interface Open extends TsvOpening, TableMap {}

/**
 * Makes the codec of one run.
 *
 * @param opening the head of the file, if another codec has read it.
 */
export function makeTsvCodec(
  direction: Direction,
  inside: BoundInside,
  { header, maxRecord }: TsvDialect,
  opening: TsvOpening | null,
  onSample?: RecordOptions['onSample'],
): Codec & { readonly opening: () => TsvOpening } {
  const setup: Setup = { direction, inside, own: header !== null, onSample };
  let open: Open | null = opening === null ? null : openWith(setup, opening);
  return {
    framing: LINES,
    headless: header === null ? NO_HEADER : null,
    keepsMark: true,
    opening: () => ({ names: open!.names, newline: open!.newline }),
    begin() {
      inside.demand(direction);
      checkTabular(inside);
      // If the caller has named the columns, what is wrong with them is reported before anything is read.
      if (header !== null) mapHeader(header, inside, direction, true);
    },
    heading(block, text) {
      const newline = text.endsWith('\r\n') ? '\r\n' : '\n';
      if (header !== null) {
        refuseRepeated(header, linesOf(text, block.ended)[0]!.split('\t'));
        open = openWith(setup, { names: header, newline });
        return { text: '', isHeader: false, continues: false };
      }
      const first = linesOf(text, block.ended)[0]!;
      open = openWith(setup, { names: readNames(first, newline, block.ended), newline });
      const names = open.columns.map(({ name }) => name);
      return { text: write([writeCells(names)], newline, block.ended), isHeader: true, continues: false };
    },
    take: (block, batch) => takeLines(setup, open!, block, batch),
    oversize() {
      const message = `the record is longer than ${maxRecord} bytes`;
      // If the head of the file is not known yet, the run cannot continue.
      return { issue: { code: 'record_too_large', message, maximum: maxRecord }, rejectable: open !== null };
    },
  };
}

function openWith({ inside, direction, own }: Setup, { names, newline }: TsvOpening): Open {
  return { names, newline, ...mapHeader(names, inside, direction, own) };
}

/** Reads the lines of a block, runs them through the rules, and writes those without an issue. */
function takeLines({ direction, inside, onSample }: Setup, open: Open, block: Block, batch: Batch): Taken {
  const { names, newline, columns, positions } = open;
  const lines = linesOf(batch.text, block.ended);
  const { rows, sound } = readRows(lines, names.length, newline, block.ended, batch);
  const report = (i: number, issue: Issue, from: number): void => {
    const row = sound[i]!;
    batch.report(row, { ...issue, column: cellColumn(lines[row]!, from) });
  };
  const cells = { rows: rows.length, column: (from: number) => rows.map((row) => row[from]!) };
  const out = turnTable(cells, columns, positions, direction, inside, report);
  const good: string[] = [];
  for (let i = 0; i < rows.length; i++) {
    if (batch.faulty.has(sound[i]!)) continue;
    let line = '';
    for (let c = 0; c < out.length; c++) line += c === 0 ? writeCell(out[c]![i]!) : `\t${writeCell(out[c]![i]!)}`;
    good.push(line);
    if (onSample !== undefined) {
      const after = columns.map(({ name }, c) => [name, out[c]![i]]);
      onSample(Object.fromEntries(names.map((name, c) => [name, rows[i]![c]])), Object.fromEntries(after));
    }
  }
  const hasLast = !batch.faulty.has(lines.length - 1);
  return {
    rows: lines.length,
    text: write(good, newline, block.ended || !hasLast),
    lineOf: (index) => block.line + index,
  };
}

/**
 * Writes lines with their ends. The last line has none if the input had none (`ended` is false), unless the line is
 * empty: without its end it would not be a line.
 */
function write(lines: readonly string[], newline: Newline, ended: boolean): string {
  if (lines.length === 0) return '';
  return lines.join(newline) + (ended || lines[lines.length - 1] === '' ? newline : '');
}

/** The lines of a text, without their line feeds. A carriage return before a line feed is still in the line. */
function linesOf(text: string, ended: boolean): string[] {
  const lines = text.split('\n');
  if (ended) lines.pop();
  return lines;
}

/** Reads a line. All lines of a file must end in the same way, because COPY FROM refuses a mixture. */
function readLine(line: string, newline: Newline, ended: boolean): TsvCell[] | Issue {
  if (newline === '\n' || !ended) return readCells(line);
  if (line.endsWith('\r')) return readCells(line.slice(0, -1));
  const message = 'a line feed alone, in a file whose lines end with \\r\\n; write a line feed of a cell as \\n';
  return { code: 'bad_escape', message, column: line.length + 1 };
}

function readNames(line: string, newline: Newline, ended: boolean): string[] {
  const names = readLine(line, newline, ended);
  if (!Array.isArray(names)) return fail(names.code, names.message, { line: 1, column: names.column! });
  const unnamed = names.indexOf(null);
  if (unnamed === -1) return names as string[];
  const message =
    'the header has a null in place of a name; if the input has no header line, name its columns in the option header';
  return fail('header_missing', message, { line: 1, column: cellColumn(line, unnamed) });
}

/** Reads the rows that have as many cells as the header. `sound` has the index of each row's line in the batch. */
function readRows(
  lines: readonly string[],
  width: number,
  newline: Newline,
  ended: boolean,
  batch: Batch,
): { readonly rows: TsvCell[][]; readonly sound: number[] } {
  const rows: TsvCell[][] = [];
  const sound: number[] = [];
  for (let r = 0; r < lines.length; r++) {
    const line = lines[r]!;
    const cells = readLine(line, newline, ended || r < lines.length - 1);
    if (!Array.isArray(cells)) batch.report(r, cells);
    else if (cells.length !== width) batch.report(r, raggedRow(line, cells.length, width));
    else {
      rows.push(cells);
      sound.push(r);
    }
  }
  return { rows, sound };
}

/**
 * The issue of a row with more or fewer cells than the header. Such a row is never filled up or cut, because a value in
 * the wrong column would go through the wrong rule.
 */
function raggedRow(line: string, actual: number, expected: number): Issue {
  const blank = line === '' || line === '\r';
  const column = actual > expected ? cellColumn(line, expected) : line.replace(/\r$/, '').length + 1;
  const message = blank
    ? `the line is blank; expected ${expected} cells`
    : `expected ${expected} cells as in the header, got ${actual}`;
  return { code: 'ragged_row', message, column, expected, actual: blank ? 0 : actual };
}
