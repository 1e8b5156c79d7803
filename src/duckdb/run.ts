/// <reference types="node" />
/**
 * From files to a file by DuckDB: one COPY statement that reads CSV or Parquet, calls the fields' functions and writes
 * CSV or Parquet.
 *
 * Rows are counted four times: those of CSV by ourselves, what DuckDB read, what COPY says that it wrote, and what is in
 * the written file.
 */

import { stat } from 'node:fs/promises';
import { fail, TrefoilError } from '../errors.ts';
import { openFolderOutput } from '../files/outputs/private-folder.ts';
import { systemError } from '../files/system-error.ts';
import { hidesEmpty } from '../io/header.ts';
import { csvReading, csvWriting } from './csv-sql.ts';
import { startEngine } from './engine.ts';
import { refuseShortage, whatIsWrong } from './failure.ts';
import { fieldFunctions, registerFields } from './functions.ts';
import { type Connection, type DuckdbModule, loadDuckdb } from './module.ts';
import { type Cell, cellsOf, type OutputColumn } from './parquet-columns.ts';
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

/** A run. */
export interface DuckdbRun extends Inputs {
  readonly output: string;
  readonly outputFormat: DuckdbFormat;
  readonly force: boolean;
  /** Files that the output must not be. */
  readonly others: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** What DuckDB may take, as `'2GB'`; by default 80 % of the machine's memory. */
  readonly memoryLimit?: string | undefined;
}

/** What came of it. */
export interface DuckdbResult {
  readonly rows: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * Runs it.
 *
 * @throws TrefoilError what policy, header and values refuse; `engine_failed`, `out_of_memory`, `rows_lost`; what files
 * refuse.
 */
export async function runDuckdb(run: DuckdbRun): Promise<DuckdbResult> {
  const { inside, direction, output, inputs, force, others } = run;
  checkInputs(run);
  const duckdb = await loadDuckdb();
  // Everything that may be wrong with the output is said before anything is read.
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
      registerFields(duckdb, engine.connection, inside, direction, run.inputFormat === 'csv');
      const rows = await copy(duckdb, engine.connection, run, file.file);
      run.signal?.throwIfAborted();
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

/** Bytes after which DuckDB ends a row group, and rows: half of its own number. */
const ROW_GROUP = `ROW_GROUP_SIZE 61440, ROW_GROUP_SIZE_BYTES '16MB'`;

/** Copies, and counts. */
async function copy(duckdb: DuckdbModule, connection: Connection, run: DuckdbRun, file: string): Promise<number> {
  const source = await openSource(duckdb, connection, run);
  const format =
    run.outputFormat === 'parquet' ? `FORMAT parquet, ${ROW_GROUP}` : csvWriting(run.dialect, source.newline);
  const select = selectOf(run, source);
  let written: number;
  let read: number;
  let actual: number;
  try {
    // The file is there already, with its permissions: DuckDB would write beside it and rename.
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
    throw await whatIsWrong(connection, run, source, run.signal);
  }
  const due = run.inputFormat === 'csv' ? await countRecords(run) : read;
  if (due !== read) {
    const error = await whatIsWrong(connection, run, source, run.signal);
    if (error.code !== 'engine_failed') throw error;
    fail('rows_lost', `the input has ${due} rows, but DuckDB read ${read}`, { expected: due, actual: read });
  }
  if (written !== read || actual !== read) {
    fail('rows_lost', `${read} rows were read, ${written} were written, and the output has ${actual}`, {
      expected: read,
      actual,
    });
  }
  return read;
}

/** The columns of the output. In CSV a field of a STRUCT is a column of its own. */
function selectOf({ inside, direction, inputFormat, outputFormat }: DuckdbRun, source: Source): readonly string[] {
  const { output, positions } = source.columns;
  const functions = new Map(fieldFunctions(inside, direction).map(({ name, column }) => [column.leaf.path, name]));

  function cell({ leaf, sql, parent }: Cell): string {
    if (leaf.rule.rule === 'keep') return sql;
    // A field that a rule looks at and that the input does not have is missing in every record.
    const taken = [sql, ...(leaf.engine.needs ?? []).map((path) => positions.get(path) ?? 'NULL')];
    const made = `${functions.get(leaf.path)!}(${taken.map((at) => `CAST(${at} AS VARCHAR)`).join(', ')})`;
    return parent === null ? made : `CASE WHEN ${parent} IS NULL THEN NULL ELSE ${made} END`;
  }

  function column(made: OutputColumn): string {
    if (made.kind === 'cell') return cell(made);
    const fields = made.fields.map((field) => `${identifier(field.name)} := ${column(field)}`);
    return `CASE WHEN ${made.sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`;
  }

  if (outputFormat === 'parquet') return output.map((made) => `${column(made)} AS ${identifier(made.name)}`);
  const cells = cellsOf(output);
  return cells.map((made) => {
    const value = cells.length > 1 ? cell(made) : alone(cell(made), made);
    return `${value} AS ${identifier(made.header)}`;
  });

  /** The only cell of a record: most readers skip a blank line, so it is one only where it was one. */
  function alone(value: string, { sql, leaf }: Cell): string {
    const filled = `COALESCE(CAST(${value} AS VARCHAR), '')`;
    if (inputFormat === 'parquet' || source.width > 1 || hidesEmpty(leaf, direction)) return filled;
    return `CASE WHEN ${sql} IS NULL THEN ${value} ELSE ${filled} END`;
  }
}

function outputTable({ outputFormat, dialect }: DuckdbRun, { columns }: Source, file: string): string {
  if (outputFormat === 'parquet') return parquetReading(textList([file]));
  const names = cellsOf(columns.output).map(({ header }) => header);
  // A sealed value is longer than what it was made of.
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
