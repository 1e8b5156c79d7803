/**
 * TSV: lines of escaped cells (`tsv-cells.ts`) through the rules. No Node.
 *
 * What is kept of the input's spelling: newline style, last newline, order of the columns, null apart from the empty
 * text. A line is a record whatever stands in it, so an error never spreads to the next one.
 */

import { fail, type Issue } from '../../errors.ts';
import { type BoundInside, type Direction, openReady } from '../../policy/bound.ts';
import type { Batch, Codec } from '../batches.ts';
import { checkNames, checkTabular, fieldPositions, mapHeader, type TableColumn } from '../header.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, makeRun, type RecordOptions, type Run } from '../records.ts';
import { turnTable } from '../table.ts';
import { cellColumn, readCells, type TsvCell, writeCell, writeCells } from './cells.ts';

/** What a TSV stream may be told. */
export interface TsvOptions extends RecordOptions {
  /**
   * Names of the columns of an input without a header line: what `COPY … TO STDOUT` sends. The output has none then,
   * either, and an input without a byte is a table without a row.
   */
  readonly header?: readonly string[] | undefined;
}

type Newline = '\n' | '\r\n';

/** What the head of a TSV file tells. */
export interface TsvOpening {
  readonly names: readonly string[];
  readonly newline: Newline;
}

/** How a TSV file is spelt: the options, checked. Plain data. */
export interface TsvDialect {
  readonly header: readonly string[] | null;
  readonly maxRecord: number;
}

/** Checks the arguments and gives what starts a run. */
export function prepareTsv(
  direction: Direction,
  bound: unknown,
  options: TsvOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openReady(bound);
  const checked: TsvOptions = checkRecordOptions(options, ['header']);
  const dialect = tsvDialect(checked);
  const start = (): Run => {
    const codec = makeTsvCodec(direction, inside, dialect, null, checked.onSample);
    const run = makeRun(codec, checked, dialect.maxRecord);
    return dialect.header === null ? run : orEmpty(run, checked);
  };
  return { start, signal: checked.signal };
}

/** Checks what is said of the spelling. */
export function tsvDialect(options: Pick<TsvOptions, 'header' | 'maxRecord'>): TsvDialect {
  const { header = null, maxRecord = DEFAULT_MAX_RECORD } = options;
  if (header !== null) checkNames('header', header);
  return { header, maxRecord };
}

/** A run that takes no bytes for no rows. */
function orEmpty(run: Run, { signal, onProgress }: RecordOptions): Run {
  let seen = false;
  return {
    done: run.done,
    push(chunk) {
      seen ||= chunk.length > 0;
      return run.push(chunk);
    },
    *end() {
      if (seen) return yield* run.end();
      signal?.throwIfAborted();
      onProgress?.({ rows: 0, rejected: 0, bytesIn: 0, bytesOut: 0 });
    },
  };
}

interface Open extends TsvOpening {
  readonly columns: readonly TableColumn[];
  readonly positions: ReadonlyMap<string, number>;
}

/** Makes the codec of one run; `opening` is what another codec learned at the head of the file. */
export function makeTsvCodec(
  direction: Direction,
  inside: BoundInside,
  { header, maxRecord }: TsvDialect,
  opening: TsvOpening | null,
  onSample?: RecordOptions['onSample'],
): Codec & { readonly opening: () => TsvOpening } {
  let open: Open | null = opening === null ? null : openWith(opening);

  function openWith({ names, newline }: TsvOpening): Open {
    return { names, newline, columns: mapHeader(names, inside, direction), positions: fieldPositions(names, inside) };
  }

  /** Lines with their ends; without the last one where the input had none, unless the line would be none then. */
  function write(lines: readonly string[], newline: Newline, ended: boolean): string {
    if (lines.length === 0) return '';
    return lines.join(newline) + (ended || lines[lines.length - 1] === '' ? newline : '');
  }

  return {
    quoted: false,
    keepsMark: true,
    opening: () => ({ names: open!.names, newline: open!.newline }),
    begin() {
      inside.demand(direction);
      checkTabular(inside);
      // What is known without reading is told without reading.
      if (header !== null) mapHeader(header, inside, direction);
    },
    heading(block, text) {
      const newline = text.endsWith('\r\n') ? '\r\n' : '\n';
      if (header !== null) {
        open = openWith({ names: header, newline });
        return { text: '', isHeader: false };
      }
      open = openWith({ names: readNames(linesOf(text, block.ended)[0]!, newline, block.ended), newline });
      const names = open.columns.map(({ name }) => name);
      return { text: write([writeCells(names)], newline, block.ended), isHeader: true };
    },
    take(block, batch) {
      const { names, newline, columns, positions } = open!;
      const lines = linesOf(batch.text, block.ended);
      const { rows, sound } = readRows(lines, names.length, newline, block.ended, batch);
      const report = (i: number, issue: Issue): void => {
        const from = issue.field === undefined ? undefined : positions.get(issue.field);
        const place = from === undefined ? {} : { column: cellColumn(lines[sound[i]!]!, from) };
        batch.report(sound[i]!, { ...issue, ...place });
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
      const lastIsThere = !batch.faulty.has(lines.length - 1);
      return {
        rows: lines.length,
        text: write(good, newline, block.ended || !lastIsThere),
        lineOf: (index) => block.line + index,
      };
    },
    oversize() {
      const message = `the record is longer than ${maxRecord} bytes`;
      // Before anything is known of the file there is nothing to go on with.
      return { issue: { code: 'record_too_large', message, maximum: maxRecord }, rejectable: open !== null };
    },
  };
}

/** The lines of a text; in a file of carriage returns and line feeds still with the former. */
function linesOf(text: string, ended: boolean): string[] {
  const lines = text.split('\n');
  if (ended) lines.pop();
  return lines;
}

/** Reads a line as its file ends them: COPY FROM takes both line ends, and no mixture. */
function readLine(line: string, newline: Newline, ended: boolean): TsvCell[] | Issue {
  if (newline === '\n' || !ended) return readCells(line);
  if (line.endsWith('\r')) return readCells(line.slice(0, -1));
  const message = 'the line ends with a line feed alone, but the file's first line ends with a carriage return and a line feed; write a line feed of a cell as \\n';
  return { code: 'bad_escape', message, column: line.length + 1 };
}

function readNames(line: string, newline: Newline, ended: boolean): string[] {
  const names = readLine(line, newline, ended);
  if (!Array.isArray(names)) return fail(names.code, names.message, { line: 1, column: names.column! });
  const unnamed = names.indexOf(null);
  if (unnamed === -1) return names as string[];
  const message = 'the header has a null in place of a name; if the input has no header line, name its columns in the option header';
  return fail('header_missing', message, { line: 1, column: cellColumn(line, unnamed) });
}

/** The rows that can be read and are as wide as the header, and the line of the batch on which each stands. */
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

/** A row with more or fewer cells than there are names is never filled up or cut: a shifted column is a leak. */
function raggedRow(line: string, actual: number, expected: number): Issue {
  const blank = line === '' || line === '\r';
  const column = actual > expected ? cellColumn(line, expected) : line.replace(/\r$/, '').length + 1;
  const message = blank
    ? `the line is blank; expected ${expected} cells`
    : `expected ${expected} cells as in the header, got ${actual}`;
  return { code: 'ragged_row', message, column, expected, actual: blank ? 0 : actual };
}
