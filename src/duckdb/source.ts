/// <reference types="node" />
/** The inputs of a run: the SQL that reads them, and their columns compared with the fields of the policy. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail } from '../errors.ts';
import { inFile, withFile } from '../files/inputs/cutter.ts';
import { openBytes } from '../files/inputs/inputs.ts';
import { systemError } from '../files/system-error.ts';
import { type CsvDialect, type CsvOpening, DEFAULT_DELIMITER, makeCsvCodec } from '../io/csv/codec.ts';
import { checkTabular, mapHeader } from '../io/header.ts';
import { makeRun } from '../io/records.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import { csvReading } from './csv-sql.ts';
import type { Connection, DuckdbModule } from './module.ts';
import { type Columns, mapColumns } from './parquet-columns.ts';
import { identifier, textList } from './sql.ts';

/** File format that DuckDB reads or writes. */
export type DuckdbFormat = 'csv' | 'parquet';

/** The inputs, with policy and direction. */
export interface Inputs {
  readonly direction: Direction;
  readonly inside: BoundInside;
  readonly inputs: readonly string[];
  readonly inputFormat: DuckdbFormat;
  readonly dialect: CsvDialect;
}

/** The inputs as a table. */
export interface Source {
  /** The files as a table of SQL. */
  readonly table: string;
  readonly columns: Columns;
  /** How many columns the inputs have. */
  readonly width: number;
  readonly newline: string;
}

/**
 * Checks the policy and the names of files, before anything is opened.
 *
 * @throws TrefoilError `not_tabular`; `engine_failed` if DuckDB would read a name as a pattern.
 */
export function checkInputs({ direction, inside, inputs }: Inputs): void {
  inside.demand(direction);
  checkTabular(inside);
  for (const path of inputs) {
    if (/[*?[\]]/.test(path))
      fail('engine_failed', 'DuckDB reads * ? [ ] in a file name as a pattern; rename the file', { file: path });
  }
}

/**
 * Reads the header of CSV inputs, or the names and types of Parquet columns. They must be the same in all inputs.
 *
 * @throws TrefoilError if the columns do not fit the policy; `header_mismatch`, `engine_failed`, `io_failed`.
 */
export async function openSource(duckdb: DuckdbModule, connection: Connection, run: Inputs): Promise<Source> {
  const { inside, direction, dialect, inputs } = run;
  for (const path of inputs) await checkRegular(path);
  // DuckDB does not read an absolute path as a URL or as a path in the home folder.
  const files = textList(inputs.map((path) => resolve(path)));
  if (run.inputFormat === 'csv') {
    const { names, newline } = await readOpening(run);
    const mapped = mapHeader(names, inside, direction, dialect.header !== null);
    if (mapped.columns.length === 0) fail('not_tabular', 'the policy leaves no column for the output');
    const sqlNames = namesInSql(names);
    const output = mapped.columns.map((column) => {
      const { name, from } = column;
      if (name === '') {
        const message = 'DuckDB cannot write a column without a name; drop it, or leave out --engine duckdb';
        fail('engine_failed', message, { file: inputs[0]! });
      }
      const sql = identifier(sqlNames[from]!);
      return { kind: 'cell' as const, name, header: name, column, sql, parent: null, lists: [] };
    });
    const positions = new Map(
      [...mapped.positions].map(([path, { from, inside }]) => [path, { sql: identifier(sqlNames[from]!), inside }]),
    );
    const shape = { names: sqlNames, longest: Math.max(dialect.maxRecord, 1 << 16) };
    return {
      table: csvReading(files, shape, dialect),
      columns: { output, positions },
      width: names.length,
      newline,
    };
  }
  // Each file is described on its own. Otherwise DuckDB would read all files with the types of the first one, and
  // ignore columns that only others have.
  let first: string | null = null;
  let columns: Columns | null = null;
  let width = 0;
  for (const path of inputs) {
    const { names, types } = await describe(connection, path);
    const file = inputs.length > 1 ? path : null;
    const mapped = inFile(file, () => mapColumns(names, types, inside, direction, duckdb.DuckDBTypeId));
    const shape = JSON.stringify(names.map((name, i) => [name, String(types[i])]));
    first ??= shape;
    if (shape !== first) {
      fail('header_mismatch', 'the columns or their types differ from those of the first input', { file: path });
    }
    columns ??= mapped;
    width = names.length;
  }
  if (columns!.output.length === 0) fail('not_tabular', 'the policy leaves no column for the output');
  return { table: parquetReading(files), columns: columns!, width, newline: '\n' };
}

/**
 * The names with another one in place of the empty name, which SQL does not have. Letter case does not count in SQL.
 */
function namesInSql(names: readonly string[]): readonly string[] {
  let made = 'unnamed';
  while (names.some((name) => name.toLowerCase() === made)) made += '_';
  return names.map((name) => (name === '' ? made : name));
}

/**
 * Counts the records of CSV files by their quotes and line ends, without header lines. DuckDB cannot check itself: if
 * its reader skips a record, it skips the record in every count. Takes about a nanosecond a byte.
 *
 * @returns `null` if a quote is not where RFC 4180 has one. DuckDB reads such a file in its own way, without an error.
 */
export async function countRecords({ inputs, dialect }: Inputs): Promise<number | null> {
  const delimiter = (dialect.delimiter ?? DEFAULT_DELIMITER).charCodeAt(0);
  let count = 0;
  for (const path of inputs) {
    const state: RecordCount = { ends: 0, inQuotes: false, last: LF, closed: false, isStray: false, before: 0 };
    for await (const chunk of await openBytes(path, 'none')) countEnds(chunk, delimiter, state);
    if (state.isStray) return null;
    // An empty file has no header line, and was accepted because the caller has named its columns.
    const isOpen = state.before > 0 && (state.inQuotes || (state.last !== LF && state.last !== CR));
    count += state.ends + (isOpen ? 1 : 0) - (dialect.header === null ? 1 : 0);
  }
  return count;
}

interface RecordCount {
  ends: number;
  inQuotes: boolean;
  /** The last byte of the chunk before; a line feed at the beginning, and after the byte order mark. */
  last: number;
  /** Whether that byte closed a quoted cell. */
  closed: boolean;
  isStray: boolean;
  /** Bytes of the chunks before. */
  before: number;
}

const [LF, CR, QUOTE] = [10, 13, 34];
const MARK = [0xef, 0xbb, 0xbf];

function countEnds(chunk: Uint8Array, delimiter: number, state: RecordCount): void {
  const { length } = chunk;
  if (length === 0) return;
  let { ends, inQuotes, last, closed } = state;
  let from = 0;
  if (state.before === 0 && MARK.every((byte, i) => chunk[i] === byte)) from = MARK.length;
  const afterCell = (byte: number): boolean => [delimiter, LF, CR, QUOTE].includes(byte);
  if (closed && !afterCell(chunk[0]!)) state.isStray = true;
  for (let i = from; i < length; i++) {
    const byte = chunk[i]!;
    // Nearly every byte is above all that matter; a loop of its own makes the pass three times as fast.
    if (byte > QUOTE) {
      while (i + 1 < length && chunk[i + 1]! > QUOTE) i++;
      last = chunk[i]!;
      closed = false;
      continue;
    }
    if (byte === QUOTE) {
      if (inQuotes) {
        inQuotes = false;
        closed = true;
        if (i + 1 < length && !afterCell(chunk[i + 1]!)) state.isStray = true;
      } else {
        // The quote opens a cell, or it is the second of two.
        if (!closed && last !== delimiter && last !== LF && last !== CR) state.isStray = true;
        inQuotes = true;
        closed = false;
      }
    } else {
      if (!inQuotes && (byte === CR || (byte === LF && last !== CR))) ends++;
      closed = false;
    }
    // Inside quotes no byte is a delimiter or a line end.
    last = inQuotes ? QUOTE : byte;
  }
  Object.assign(state, { ends, inQuotes, last, closed, before: state.before + length });
}

/** Refuses an input that is not a regular file, because inputs are read more than once. */
async function checkRegular(path: string): Promise<void> {
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    throw systemError(error, 'cannot be read', path);
  }
  if (!isFile) fail('io_failed', 'cannot be read by DuckDB: it is not a regular file', { file: path });
}

/** Returns the table function that reads a list of Parquet files. */
export function parquetReading(files: string): string {
  return `read_parquet(${files}, hive_partitioning = false)`;
}

async function describe(connection: Connection, path: string) {
  try {
    const rows = await connection.runAndReadAll(`SELECT * FROM ${parquetReading(textList([resolve(path)]))} LIMIT 0`);
    return { names: rows.columnNames(), types: rows.columnTypes() };
  } catch {
    // If the file cannot be opened, this throws the error of the system in our own words.
    for await (const _ of await openBytes(path, 'none')) break;
    return fail('engine_failed', 'DuckDB cannot read the file as Parquet', { file: path });
  }
}

/** Reads the head of the first input with our own reader, and checks that all inputs have the same head. */
async function readOpening({ inputs, inside, direction, dialect }: Inputs): Promise<CsvOpening> {
  let first: CsvOpening | null = null;
  for (const path of inputs) {
    const opening = await openingOf(path, inside, direction, dialect).catch((error: unknown) => {
      throw inputs.length > 1 ? withFile(error, path) : error;
    });
    first ??= opening;
    if (opening.separatorLine !== null) {
      const message = 'DuckDB does not read a first line that names the delimiter (sep=); leave out --engine duckdb';
      fail('engine_failed', message, { file: path });
    }
    if (opening.newline === '\r')
      fail(
        'engine_failed',
        'DuckDB does not read lines that end with a carriage return alone; leave out --engine duckdb',
        { file: path },
      );
    if (opening.names.join('\n') !== first.names.join('\n') || opening.newline !== first.newline) {
      fail('header_mismatch', 'the header or the line end differs from that of the first input', {
        file: path,
        line: 1,
        column: 1,
      });
    }
  }
  return first!;
}

async function openingOf(
  path: string,
  inside: BoundInside,
  direction: Direction,
  dialect: CsvDialect,
): Promise<CsvOpening> {
  const codec = makeCsvCodec(direction, inside, dialect, null);
  const run = makeRun(codec, { limit: 1, onReject: () => {} }, dialect.maxRecord);
  // The codec has the head as soon as the first record was read.
  const known = (): CsvOpening | null => {
    try {
      return codec.opening();
    } catch {
      return null;
    }
  };
  for await (const chunk of await openBytes(path, 'none')) {
    for (const _ of run.push(chunk));
    const opening = known();
    if (opening !== null) return opening;
  }
  for (const _ of run.end());
  // An input without records shows no line end.
  const { header, delimiter } = dialect;
  if (header === null) return codec.opening();
  return known() ?? { names: header, newline: '\n', delimiter: delimiter ?? DEFAULT_DELIMITER, separatorLine: null };
}
