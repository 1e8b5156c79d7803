/// <reference types="node" />
/**
 * Runs over files by DuckDB: one COPY statement reads CSV or Parquet, calls the functions of the fields, and writes CSV
 * or Parquet.
 *
 * Rows are counted four times: our own count of the records of CSV, the rows that DuckDB read, the rows that COPY says
 * it wrote, and the rows of the written file.
 */

import { stat } from 'node:fs/promises';
import { fail, TrefoilError } from '../errors.ts';
import { openFolderOutput } from '../files/outputs/private-folder.ts';
import { getsNote, refuseNoted, writeNote } from '../files/outputs/rekeyed-note.ts';
import { systemError } from '../files/system-error.ts';
import { hidesEmpty } from '../io/header.ts';
import { needsOf } from '../policy/bound.ts';
import { csvReading, csvWriting } from './csv-sql.ts';
import { startEngine } from './engine.ts';
import { findFault, refuseShortage } from './failure.ts';
import { type FieldFunction, registerFields } from './functions.ts';
import { type Connection, type DuckdbModule, loadDuckdb } from './module.ts';
import { type Cell, cellsOf, inLists, isKept, leavesOf, type OutputColumn } from './parquet-columns.ts';
import {
  checkInputs,
  countRecords,
  type DuckdbFormat,
  type Inputs,
  openSource,
  parquetReading,
  type Source,
} from './source.ts';
import { identifier, text, textList } from './sql.ts';

/** A run over files. */
export interface DuckdbRun extends Inputs {
  readonly output: string;
  readonly outputFormat: DuckdbFormat;
  readonly force: boolean;
  /** More files that must not be the output. */
  readonly others: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Most memory of DuckDB, such as `'2GB'`; by default 80 % of the machine's memory. */
  readonly memoryLimit?: string | undefined;
}

/** Result of a run. */
export interface DuckdbResult {
  readonly rows: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * Runs over files.
 *
 * @throws TrefoilError if the policy, the columns or a value do not allow the run; `engine_failed`, `out_of_memory`,
 * `rows_lost`; `output_exists`, `same_file`, `no_space`, `io_failed`.
 */
export async function runDuckdb(run: DuckdbRun): Promise<DuckdbResult> {
  const { direction, output, inputs, force, others } = run;
  checkInputs(run);
  await refuseNoted(inputs, run.inside, direction);
  const duckdb = await loadDuckdb();
  // An error about the output is reported before anything is read.
  const file = await openFolderOutput(output, {
    force,
    inputs: [...inputs, ...others],
    mode: direction === 'reveal' ? 0o600 : undefined,
  });
  let interrupt = (): void => {};
  const stop = (): void => interrupt();
  run.signal?.addEventListener('abort', stop);
  try {
    run.signal?.throwIfAborted();
    const engine = await startEngine(duckdb, run.memoryLimit);
    try {
      interrupt = () => engine.connection.interrupt();
      const rows = await copy(duckdb, engine.connection, run, file.file);
      run.signal?.throwIfAborted();
      if (getsNote(run.inside, direction)) await writeNote(output, file.file, run.inside);
      return { rows, bytesIn: await sizeOf(inputs), bytesOut: await file.finish() };
    } finally {
      interrupt = () => {};
      engine.close();
    }
  } catch (error) {
    run.signal?.throwIfAborted();
    throw error instanceof TrefoilError ? error : systemError(error, 'cannot be written', output);
  } finally {
    run.signal?.removeEventListener('abort', stop);
    await file.discard();
  }
}

/** DuckDB ends a row group after this many rows, half of its default, or after these bytes. */
const ROW_GROUP = `ROW_GROUP_SIZE 61440, ROW_GROUP_SIZE_BYTES '16MB'`;

/** Runs the statement and compares the counts of rows. */
async function copy(duckdb: DuckdbModule, connection: Connection, run: DuckdbRun, file: string): Promise<number> {
  const source = await openSource(duckdb, connection, run);
  const format =
    run.outputFormat === 'parquet' ? `FORMAT parquet, ${ROW_GROUP}` : csvWriting(run.dialect, source.newline);
  const functions = cellFunctions(run, source.columns);
  registerFields(duckdb, connection, run.inside, run.direction, [...functions.values()], run.inputFormat === 'csv');
  const select = selectOf(run, source, functions);
  let written: number;
  let read: number;
  let actual: number;
  try {
    // The file exists already, with its permissions. A temporary file of DuckDB would replace it.
    const options = `${format}, USE_TMP_FILE false`;
    const { table } = source;
    written = await number(
      connection,
      `COPY (SELECT ${select.join(', ')} FROM ${table}) TO ${text(file)} (${options})`,
    );
    read = await number(connection, `SELECT count(*) FROM ${table}`);
    actual = await number(connection, `SELECT count(*) FROM ${outputTable(run, source, file)}`);
  } catch (error) {
    run.signal?.throwIfAborted();
    refuseShortage(error, run.inputs[0]!, run.output);
    throw await findFault(connection, run, source, run.signal);
  }
  const expected = run.inputFormat === 'csv' ? await countRecords(run) : read;
  if (expected !== read) {
    const error = await findFault(connection, run, source, run.signal);
    if (expected === null || error.code !== 'engine_failed') throw error;
    fail('rows_lost', `the input has ${expected} rows, but DuckDB read ${read}`, { expected, actual: read });
  }
  if (written !== read || actual !== read) {
    fail('rows_lost', `${read} rows were read, ${written} were written, and the output has ${actual}`, {
      expected: read,
      actual,
    });
  }
  return read;
}

/** A function for each cell of the output that a rule changes. */
function cellFunctions(
  { inside, direction }: DuckdbRun,
  { output, positions }: Source['columns'],
): ReadonlyMap<Cell, FieldFunction> {
  const functions = new Map<Cell, FieldFunction>();
  for (const cell of cellsOf(output)) {
    const { column } = cell;
    if (isKept(column)) continue;
    const leaves = column.node === undefined ? [column.leaf] : leavesOf(column.node);
    const needs = [...new Set(leaves.flatMap((leaf) => needsOf(inside, leaf, direction)))];
    functions.set(cell, {
      name: `trefoil_${functions.size}`,
      column: { ...column, from: 0 },
      needs: needs.map((path) => ({ path, inside: positions.get(path)?.inside ?? null })),
    });
  }
  return functions;
}

/** The expressions of the columns of the output. In CSV a field of a STRUCT is a column of its own. */
function selectOf(
  { direction, inputFormat, outputFormat }: DuckdbRun,
  source: Source,
  functions: ReadonlyMap<Cell, FieldFunction>,
): readonly string[] {
  const { output, positions } = source.columns;

  function cell(made: Cell): string {
    const { sql, parent } = made;
    const called = functions.get(made);
    if (called === undefined) return sql;
    // If a rule looks at a field that the input does not have, the field is missing in every record.
    const taken = [sql, ...called.needs.map(({ path }) => positions.get(path)?.sql ?? 'NULL')];
    const call = `${called.name}(${taken.map((at) => `CAST(${at} AS VARCHAR)`).join(', ')})`;
    return parent === null ? call : `CASE WHEN ${parent} IS NULL THEN NULL ELSE ${call} END`;
  }

  function column(made: OutputColumn): string {
    if (made.kind === 'cell') return cell(made);
    if (made.kind === 'list') return inLists([made], column(made.item));
    const fields = made.fields.map((field) => `${identifier(field.name)} := ${column(field)}`);
    return `CASE WHEN ${made.sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`;
  }

  if (outputFormat === 'parquet') return output.map((made) => `${column(made)} AS ${identifier(made.name)}`);
  const cells = cellsOf(output);
  for (const { column, lists } of cells) {
    if (lists.length === 0) continue;
    const message = 'CSV has no form for a LIST; write Parquet (--out FILE.parquet), or set drop';
    fail('nested_value', message, { field: column.leaf?.path ?? column.node!.path });
  }
  return cells.map((made) => {
    const value = cells.length > 1 ? cell(made) : alone(cell(made), made);
    return `${value} AS ${identifier(made.header)}`;
  });

  /**
   * The expression of the only column of a CSV file. Most readers skip a blank line, so a record is written as a blank
   * line only if it was one.
   */
  function alone(value: string, { sql, column }: Cell): string {
    const filled = `COALESCE(CAST(${value} AS VARCHAR), '')`;
    if (inputFormat === 'parquet' || source.width > 1 || hidesEmpty(column.leaf, direction)) return filled;
    return `CASE WHEN ${sql} IS NULL THEN ${value} ELSE ${filled} END`;
  }
}

function outputTable({ outputFormat, dialect }: DuckdbRun, { columns }: Source, file: string): string {
  if (outputFormat === 'parquet') return parquetReading(textList([file]));
  const names = cellsOf(columns.output).map(({ header }) => header);
  // A sealed value is longer than its plaintext.
  const longest = 4 * Math.max(dialect.maxRecord, 1 << 16);
  return csvReading(textList([file]), { names, longest }, dialect);
}

async function number(connection: Connection, sql: string): Promise<number> {
  const [row] = (await connection.runAndReadAll(sql)).getRows();
  return Number(row![0]);
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
