/**
 * The codec of CSV (RFC 4180): it reads the header, checks the number of cells in each row, runs the rows through the
 * rules, and writes them. The grammar of CSV is in `records.ts`.
 *
 * The output keeps the input's byte order mark, newline style, last newline and order of columns, and whether an empty
 * cell was quoted. Rules do not see quoting: for them both kinds of empty cell are the empty text. All other cells are
 * quoted in one way.
 *
 * How the input is quoted says nothing about the output, which is RFC 4180. Only a file that has no quotes at all stays
 * so, and a record that cannot be written without quotes is rejected.
 */

import { badRange, checkOneOf } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { fail, type Issue, TrefoilError } from '../../errors.ts';
import { type BoundInside, type Direction, openBound } from '../../policy/bound.ts';
import type { Batch, Codec, Taken } from '../batches.ts';
import type { TableColumn, TableMap } from '../columns.ts';
import { type Block, type Framing, recordLines } from '../frames.ts';
import { checkNames, checkTabular, hidesEmpty, mapHeader, NO_HEADER, refuseRepeated } from '../header.ts';
import { checkRecordOptions, DEFAULT_MAX_RECORD, type RecordOptions, type Run, startRun } from '../records.ts';
import { type Cells, turnTable } from '../table.ts';
import { checkDelimiter, checkSeparator, isOneAscii, separatorOf, usualDelimiter } from './delimiter.ts';
import {
  type CsvFlaw,
  type CsvGrammar,
  type CsvOrigin,
  type CsvRecords,
  type CsvWriter,
  makeCsvWriter,
  needsQuotes,
  OWN_RECORDS,
  readCsv,
} from './records.ts';

/** Options of a CSV stream. */
export interface CsvOptions extends RecordOptions {
  /**
   * One ASCII character between cells; `,` by default. A first line `sep=;`, as Excel writes it, names the delimiter,
   * too, and is written to the output. It must not name another one than this option.
   */
  readonly delimiter?: string | undefined;
  /**
   * One ASCII character around quoted cells of the input, or `none` if the input has no quotes; `"` by default. The
   * output has `"`. With `none` it has no quotes either, and a record that needs them has the issue `needs_quotes`.
   */
  readonly quote?: string | undefined;
  /**
   * One ASCII character that escapes a quote, and itself, inside quoted cells of the input. A doubled quote is read in
   * any case. A record that has the character before another one, or outside quotes, has the issue `bad_escape`. The
   * output has doubled quotes.
   */
  readonly escape?: string | undefined;
  /**
   * Which cells of the output are quoted: those that need it (`minimal`, the default), or all that have a value
   * (`all`). An empty cell is always written as it was read: `""` or nothing.
   */
  readonly quoting?: 'minimal' | 'all' | undefined;
  /**
   * Names of the columns of a file without a header line. The output then has no header line either, and an empty input
   * is a table without rows.
   */
  readonly header?: readonly string[] | undefined;
}

type Newline = '\n' | '\r\n' | '\r';

/** What a codec reads from the head of a CSV file. */
export interface CsvOpening {
  readonly names: readonly string[];
  readonly newline: Newline;
  readonly delimiter: string;
  /** The first line, if it names the delimiter; otherwise `null`. */
  readonly separatorLine: string | null;
}

/** The options that say how a CSV file is written, checked. */
export interface CsvDialect {
  /** `null` if the caller has set none. It is a comma then, unless the first line of the file names another one. */
  readonly delimiter: string | null;
  readonly quoting: 'minimal' | 'all';
  /** `null` if the file has no quotes. */
  readonly quote: string | null;
  readonly escapedBy: string | null;
  readonly header: readonly string[] | null;
  readonly maxRecord: number;
}

/** Checks the arguments of a public function and returns the function that starts its run. */
export function prepareCsv(
  direction: Direction,
  bound: unknown,
  options: CsvOptions,
): { readonly start: () => Run; readonly signal: AbortSignal | undefined } {
  const inside = openBound(bound);
  const checked: CsvOptions = checkRecordOptions(options, ['delimiter', 'quoting', 'quote', 'escape', 'header']);
  const dialect = csvDialect(checked);
  return {
    start: () =>
      startRun(inside, checked, dialect.maxRecord, (own, onSample) =>
        makeCsvCodec(direction, own, dialect, null, onSample),
      ),
    signal: checked.signal,
  };
}

/** The delimiter if neither the caller nor the file names one. */
export const DEFAULT_DELIMITER = ',';

/** Checks the options that say how the file is written. */
export function csvDialect(
  options: Pick<CsvOptions, 'delimiter' | 'quoting' | 'quote' | 'escape' | 'header' | 'maxRecord'>,
): CsvDialect {
  const { delimiter = null, quoting = 'minimal', header = null, maxRecord = DEFAULT_MAX_RECORD } = options;
  const { quote = '"', escape: escapedBy = null } = options;
  if (delimiter !== null && (!isOneAscii(delimiter) || delimiter === '"')) {
    badRange('delimiter', 'expected one ASCII character that is not a quote or a line end');
  }
  const between = delimiter ?? DEFAULT_DELIMITER;
  if (quote !== 'none' && (!isOneAscii(quote) || quote === between)) {
    badRange('quote', 'expected none, or one ASCII character that is not the delimiter or a line end');
  }
  if (escapedBy !== null && (!isOneAscii(escapedBy) || escapedBy === between)) {
    badRange('escape', 'expected one ASCII character that is not the delimiter or a line end');
  }
  if (escapedBy !== null && quote === 'none') badRange('escape', 'escapes quotes, and the input has none');
  checkOneOf('quoting', quoting, ['minimal', 'all']);
  if (quoting === 'all' && quote === 'none') badRange('quoting', 'cannot be all if the file has no quotes');
  return {
    delimiter,
    quoting,
    quote: quote === 'none' ? null : quote,
    // A quote that escapes a quote is a doubled one.
    escapedBy: escapedBy === quote ? null : escapedBy,
    header: header === null ? null : checkNames('header', header),
    maxRecord,
  };
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
  readonly grammar: CsvGrammar;
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
  let separatorLine = opening?.separatorLine ?? null;
  let grammar = grammarOf(dialect, opening?.delimiter);
  let framing = framingOf(grammar);
  let begun = false;
  return {
    get framing() {
      return framing;
    },
    headless: dialect.header === null ? NO_HEADER : null,
    keepsMark: true,
    opening: () => {
      const { names, newline, delimiter } = open!;
      return { names, newline, delimiter, separatorLine };
    },
    begin() {
      inside.demand(direction);
      checkTabular(inside);
    },
    heading(block, text) {
      const named = begun ? null : separatorOf(text, dialect);
      begun = true;
      if (named !== null) {
        checkSeparator(named.delimiter, dialect.delimiter);
        separatorLine = named.line;
        grammar = grammarOf(dialect, named.delimiter);
        framing = framingOf(grammar);
        return { text, isHeader: true, continues: true };
      }
      open = openWith(setup, { ...readOpening(dialect, grammar, block, text), separatorLine }, block.line);
      if (dialect.header !== null) return { text: '', isHeader: false, continues: false };
      const { columns } = open;
      // A column without a name is written as it was read.
      const quoted = readRecords(text, block, grammar, -1).quotedEmpty.get(0) ?? [];
      const wasBare = (_: number, c: number): boolean => !quoted.includes(columns[c]!.from);
      const cells = columns.map(({ name }) => [name]);
      const origin: CsvOrigin = { ...OWN_RECORDS, wasBare };
      return { text: write(cells, [0], open, block.ended, origin), isHeader: true, continues: false };
    },
    take: (block, batch) => takeRows(setup, open!, block, batch),
    oversize: (head, line) => oversizeIssue(dialect, grammar, head, line),
  };
}

function grammarOf({ delimiter, quote, escapedBy }: CsvDialect, named?: string): CsvGrammar {
  return { delimiter: named ?? delimiter ?? DEFAULT_DELIMITER, quote, escapedBy };
}

/** What the cutter has to know about a dialect. */
export function framingOf({ delimiter, quote, escapedBy }: CsvGrammar): Framing {
  const byteOf = (character: string | null): number | null => character?.charCodeAt(0) ?? null;
  return { quote: byteOf(quote), escapedBy: byteOf(escapedBy), delimiter: byteOf(delimiter), cr: true };
}

function openWith({ direction, inside, dialect }: Setup, opening: CsvOpening, line = 1): Open {
  const { delimiter, newline, names } = opening;
  const quoting = dialect.quote === null ? 'never' : dialect.quoting;
  const writer = makeCsvWriter({ delimiter, newline, quoting });
  const isOwn = dialect.header !== null;
  const table = onLine(line, () => {
    if (!isOwn) checkDelimiter(names, delimiter, inside);
    return mapHeader(names, inside, direction, isOwn);
  });
  return { ...opening, ...table, grammar: grammarOf(dialect, delimiter), write: writer };
}

/** Calls a function. The issues that it reports on line 1 are on this line. */
function onLine<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (line === 1 || !(error instanceof TrefoilError)) throw error;
    const issues = error.issues.map((issue) => (issue.line === 1 ? { ...issue, line } : issue));
    throw new TrefoilError(issues, error.total);
  }
}

/** Reads the head from the first record. If the caller has named the columns, the record only shows the newline. */
function readOpening({ header }: CsvDialect, grammar: CsvGrammar, block: Block, text: string) {
  const { delimiter } = grammar;
  const newline = block.ended ? lastNewline(text) : '\n';
  if (header !== null) {
    // Whatever else is wrong with the first record is found when it is read as one.
    const { rows } = readCsv(text, grammar);
    if (rows[0] !== undefined) refuseRepeated(header, rows[0]);
    return { names: header, newline, delimiter };
  }
  const { rows, flaws } = readRecords(text, block, grammar, -1);
  const flaw = flaws.get(0);
  if (flaw !== undefined) {
    const { code, message } = FLAWS[flaw.kind];
    fail(code, message, placeIn(text, flaw.at, block.line));
  }
  const names = rows[0];
  if (names === undefined) return fail('empty_input', NO_HEADER, { line: 1, column: 1 });
  return { names, newline, delimiter };
}

/** The line end of a text that has one. */
function lastNewline(text: string): Newline {
  if (text.endsWith('\r\n')) return '\r\n';
  return text.endsWith('\r') ? '\r' : '\n';
}

/** Reads the rows of a block, runs them through the rules, and writes those without an issue. */
function takeRows({ direction, inside, onSample }: Setup, open: Open, block: Block, batch: Batch): Taken {
  const { names, columns, positions, grammar } = open;
  const { rows, quotedEmpty, flaws } = readRecords(batch.text, block, grammar, batch.rowsBefore);
  let lines: number[] | null = null;
  const lineOf = (index: number): number => {
    lines ??= recordLines(block, framingOf(grammar));
    return lines[index] ?? block.line;
  };
  for (const [r, { kind, start, at }] of flaws) {
    const isFirst = batch.rowsBefore === 0 && r === 0 && rows[0]!.length === 1;
    const hint = isFirst ? delimiterHint(batch.text.charAt(at - 1), grammar) : '';
    const { code, message } = FLAWS[kind];
    batch.report(r, { code, message: message + hint, ...placeIn(batch.text.slice(start), at - start, lineOf(r)) });
  }
  checkWidths(rows, names.length, batch);
  const { out, sound, good, from } = turn(rows, columns, positions, direction, inside, batch);
  if (grammar.quote === null) leaveQuotesOut({ out, sound, good, from }, open, batch);
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
  const blank = columns.length === 1 && (text === newline || text.endsWith(newline + newline));
  return blank ? text : text.slice(0, -newline.length);
}

/**
 * The issue of a record above the limit. Text after a quoted cell early in a file may make one record of much after it.
 */
function oversizeIssue({ maxRecord }: CsvDialect, grammar: CsvGrammar, head: Uint8Array, line: number) {
  const text = new TextDecoder().decode(head);
  const { fault } = readCsv(text, grammar);
  if (fault?.kind === 'after')
    return { issue: { ...FAULTS.after, ...placeIn(text, fault.at, line) }, rejectable: false };
  const message = `the record is longer than ${maxRecord} bytes; look for a quote that is never closed`;
  const issue: Issue = { code: 'record_too_large', message, maximum: maxRecord };
  return { issue, rejectable: false };
}

type Columns = readonly (readonly (string | null | undefined)[])[];

const FAULTS: Readonly<Record<'after' | 'unclosed', Issue>> = {
  after: {
    code: 'stray_quote',
    message:
      'text after the quote that closes a cell; double the quotes inside a cell (""), or say how the file escapes them ' +
      '(--escape), or that it has no quotes (--quote none)',
  },
  unclosed: { code: 'unclosed_quote', message: 'the quote that opens here is never closed' },
};

const FLAWS: Readonly<Record<CsvFlaw['kind'], Issue>> = {
  stray: {
    code: 'stray_quote',
    message:
      'a quote inside an unquoted cell; quote the whole cell and double its quotes, or say that the file has no quotes ' +
      '(--quote none)',
  },
  escape: {
    code: 'bad_escape',
    message:
      'the escape character outside quotes, or before a character other than a quote or itself, which programs read ' +
      'in different ways; quote the cell and write the character twice',
  },
};

/**
 * Reads the records of a block.
 *
 * @param rowsBefore rows before the block; -1 for the header.
 * @throws TrefoilError `stray_quote`, `unclosed_quote`.
 */
function readRecords(text: string, block: Block, grammar: CsvGrammar, rowsBefore: number): CsvRecords {
  const records = readCsv(text, grammar);
  const { fault } = records;
  if (fault === null) return records;
  const { code, message } = FAULTS[fault.kind];
  const row = rowsBefore + fault.records + 1;
  // The first record is the header, or the first row of an input without one.
  const isFirst = rowsBefore <= 0 && fault.records === 0 && fault.kind === 'after';
  const hint = isFirst ? delimiterHint(text.charAt(fault.at), grammar) : '';
  return fail(code, message + hint, {
    ...given({ row: row > 0 ? row : undefined }),
    ...placeIn(text, fault.at, block.line),
  });
}

/** What to say if a character beside a quote is a delimiter of other files. */
function delimiterHint(character: string, { delimiter }: CsvGrammar): string {
  const other = usualDelimiter(character, delimiter);
  if (other === null) return '';
  const shown = character === '\t' ? 'a tab' : character;
  return `; if ${shown} separates cells, set it (--delimiter ${other})`;
}

/** Line and column of a character in a text that begins on `line`. */
function placeIn(text: string, at: number, line: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: line + before.length - 1, column: before[before.length - 1]!.length + 1 };
}

/**
 * Reports rows with more or fewer cells than the header. They are never filled up or cut, because a value in the wrong
 * column would go through the wrong rule.
 */
function checkWidths(rows: readonly (readonly string[])[], width: number, batch: Batch): void {
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r]!;
    if (row.length === width || batch.faulty.has(r)) continue;
    const blank = row.length === 1 && row[0] === '';
    const message = blank
      ? `the line is blank; expected ${width} cells`
      : `expected ${width} cells as in the header, got ${row.length}`;
    batch.report(r, { code: 'ragged_row', message, column: 1, expected: width, actual: blank ? 0 : row.length });
  }
}

/** The rows of a batch after the rules; see {@link turn}. */
interface Turned {
  readonly out: Columns;
  readonly sound: number[];
  readonly good: number[];
  readonly from: number[];
}

/** Reports the rows that cannot be written without quotes, and removes them from the good ones. */
function leaveQuotesOut({ out, sound, good, from }: Turned, { columns, delimiter }: Open, batch: Batch): void {
  const isSpecial = needsQuotes(delimiter);
  const message =
    'the cell would need quotes, because the delimiter or a line end is in it, and the file has none (--quote none); ' +
    'write the file with quotes, or with another delimiter';
  for (const i of good) {
    for (const [c, { leaf, node }] of columns.entries()) {
      const cell = out[c]![i];
      if (cell == null || !isSpecial(cell)) continue;
      batch.report(sound[i]!, { code: 'needs_quotes', message, field: leaf?.path ?? node!.path });
    }
  }
  const kept = good.filter((i) => !batch.faulty.has(sound[i]!));
  good.splice(0, good.length, ...kept);
  from.splice(0, from.length, ...kept.map((i) => sound[i]!));
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
): Turned {
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
