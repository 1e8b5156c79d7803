/// <reference types="node" />
/**
 * From files to a file by DuckDB: one COPY statement that reads CSV or Parquet, calls the fields' functions and writes
 * CSV or Parquet. The dialect of CSV is always said, never sniffed.
 *
 * Rows are counted three times: what was read, what COPY says that it wrote, and what stands in the written file. An
 * error of the engine never shows, because it quotes the data: what is wrong with an input is looked for by our own
 * readers, in a second pass that only a failed run pays for.
 */

import { stat, unlink } from 'node:fs/promises';
import { fail, type Issue, MAX_ISSUES, TrefoilError } from '../errors.ts';
import { openOutput, partName, placePart, systemError } from '../files/file.ts';
import { openBytes } from '../files/inputs.ts';
import { type CsvDialect, type CsvOpening, makeCsvCodec } from '../io/csv.ts';
import { checkTabular, fieldPositions, mapHeader } from '../io/csv-header.ts';
import { makeRun } from '../io/records.ts';
import { turnTable } from '../io/table.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import { type FieldFunction, fieldFunctions, registerFields } from './functions.ts';
import { type Chunk, type Connection, type Instance, loadDuckdb } from './module.ts';

/** Format of a file that DuckDB reads or writes. */
export type DuckdbFormat = 'csv' | 'parquet';

/** A run. */
export interface DuckdbRun {
  readonly direction: Direction;
  readonly inside: BoundInside;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly inputFormat: DuckdbFormat;
  readonly outputFormat: DuckdbFormat;
  readonly dialect: CsvDialect;
  readonly force: boolean;
  /** Files that the output must not be. */
  readonly others: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** What came of it. */
export interface DuckdbResult {
  readonly rows: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * Two threads: while one waits for the functions, which run on ours, the other reads and writes. More would wait in vain.
 * With less memory than this they wait for each other, at full speed (measured: 10 s in place of 7).
 */
const SETTINGS = {
  memory_limit: '160MB',
  threads: '2',
  // Nothing is fetched over the network, whatever a path looks like.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/**
 * Runs it.
 *
 * @throws TrefoilError what policy, header and values refuse; `engine_failed`, `rows_lost`; what files refuse.
 */
export async function runDuckdb(run: DuckdbRun): Promise<DuckdbResult> {
  const { inside, direction, output, inputs, force, others } = run;
  inside.demand(direction);
  checkTabular(inside);
  for (const path of inputs) {
    if (/[*?[\]]/.test(path))
      fail('engine_failed', 'DuckDB takes * ? [ ] in a name as a pattern; rename it', { file: path });
  }
  const duckdb = await loadDuckdb();
  // Everything that may be wrong with the output is said before anything is read.
  const mode = direction === 'reveal' ? 0o600 : undefined;
  const taken = await openOutput(output, {
    force,
    inputs: [...inputs, ...others],
    ...(mode === undefined ? {} : { mode }),
  });
  await taken.discard();
  const opening = run.inputFormat === 'csv' ? await readOpening(run) : null;

  const instance: Instance = await duckdb.DuckDBInstance.create(':memory:', SETTINGS);
  const part = partName(output);
  let connection: Connection | null = null;
  const stop = (): void => connection?.interrupt();
  run.signal?.addEventListener('abort', stop);
  try {
    connection = await instance.connect();
    registerFields(duckdb, connection, inside, direction);
    const names = opening?.names ?? (await columnNames(connection, run));
    const source = sourceOf(run, opening);
    await unlink(part).catch(() => {});
    const rows = await copy(connection, run, names, source, part);
    run.signal?.throwIfAborted();
    const { size } = await stat(part);
    await placePart(output, size, force);
    return { rows, bytesIn: await sizeOf(inputs), bytesOut: size };
  } catch (error) {
    await unlink(part).catch(() => {});
    run.signal?.throwIfAborted();
    throw error instanceof TrefoilError ? error : systemError(error, 'cannot be written', output);
  } finally {
    run.signal?.removeEventListener('abort', stop);
    connection?.closeSync();
    instance.closeSync();
  }
}

/** Copies, and counts. */
async function copy(
  connection: Connection,
  run: DuckdbRun,
  names: readonly string[],
  source: string,
  part: string,
): Promise<number> {
  const functions = new Map(fieldFunctions(run.inside, run.direction).map((field) => [field.column.leaf.path, field]));
  const columns = mapHeader(names, run.inside, run.direction);
  if (columns.length === 0) fail('not_tabular', 'no column would be left');
  const headers = new Map(run.inside.leaves.map(({ path, header }) => [path, header!]));
  const select = columns.map(
    ({ name, leaf }) => `${expression(name, functions.get(leaf.path)!, headers)} AS ${identifier(name)}`,
  );
  const format =
    run.outputFormat === 'parquet' ? `FORMAT parquet, ROW_GROUP_SIZE ${ROW_GROUP}` : csvWriting(run.dialect);
  let written: number;
  let read: number;
  try {
    written = await number(
      connection,
      `COPY (SELECT ${select.join(', ')} FROM ${source}) TO ${text(part)} (${format})`,
    );
    read = await number(connection, `SELECT count(*) FROM ${source}`);
  } catch {
    run.signal?.throwIfAborted();
    throw await whatIsWrong(connection, run, names, source);
  }
  const there = await number(
    connection,
    `SELECT count(*) FROM ${outputSource(
      run,
      part,
      columns.map(({ name }) => name),
    )}`,
  );
  if (written !== read || there !== read) {
    fail('rows_lost', `${read} rows were read, ${written} written and ${there} are there`, {
      expected: read,
      actual: there,
    });
  }
  return read;
}

/** A column as it is, or through its function. */
function expression(
  name: string,
  { name: fn, column, needs }: FieldFunction,
  headers: ReadonlyMap<string, string>,
): string {
  if (column.leaf.rule.rule === 'keep') return identifier(name);
  const taken = [name, ...needs.map((path) => headers.get(path)!)];
  return `${fn}(${taken.map((header) => `CAST(${identifier(header)} AS VARCHAR)`).join(', ')})`;
}

/** Bytes of CSV that DuckDB reads at once: a fresh one of 32 MB each time is most of a run's memory otherwise. */
const CSV_BUFFER = 1 << 22;

/** Half of DuckDB's own rows a group: two of them are held while they are written. */
const ROW_GROUP = 61_440;

/** No null in CSV: an empty cell is the empty text, for every reader of the same file. */
const NO_NULL = 'trefoil: no null';

function sourceOf({ inputs, inputFormat, dialect }: DuckdbRun, opening: CsvOpening | null): string {
  const files = `[${inputs.map(text).join(', ')}]`;
  if (inputFormat === 'parquet') return `read_parquet(${files})`;
  return csvReading(files, opening!.names, dialect, opening!.newline);
}

function csvReading(
  files: string,
  names: readonly string[],
  { delimiter, header, maxRecord }: CsvDialect,
  newline: string,
): string {
  const columns = names.map((name) => `${text(name)}: 'VARCHAR'`).join(', ');
  const longest = Math.max(maxRecord, 1 << 16);
  const options = [
    'auto_detect = false',
    `header = ${header === null}`,
    `delim = ${text(delimiter)}`,
    `quote = '"'`,
    `escape = '"'`,
    `new_line = ${text(newline === '\r\n' ? '\\r\\n' : '\\n')}`,
    `nullstr = ${text(NO_NULL)}`,
    'strict_mode = true',
    'null_padding = false',
    `max_line_size = ${longest}`,
    // It has to hold two of the longest.
    `buffer_size = ${Math.max(CSV_BUFFER, 2 * longest)}`,
    `columns = {${columns}}`,
  ];
  return `read_csv(${files}, ${options.join(', ')})`;
}

function csvWriting({ delimiter, header, quoting }: CsvDialect): string {
  const all = quoting === 'all' ? ', FORCE_QUOTE *' : '';
  return `FORMAT csv, HEADER ${header === null}, DELIMITER ${text(delimiter)}, QUOTE '"', ESCAPE '"', NULLSTR ''${all}`;
}

function outputSource({ outputFormat, dialect }: DuckdbRun, part: string, names: readonly string[]): string {
  const files = `[${text(part)}]`;
  return outputFormat === 'parquet' ? `read_parquet(${files})` : csvReading(files, names, dialect, '\n');
}

/** The head of the first input, read by us; all inputs must have the same one. */
async function readOpening({ inputs, inside, direction, dialect }: DuckdbRun): Promise<CsvOpening> {
  let first: CsvOpening | null = null;
  for (const path of inputs) {
    const opening = await openingOf(path, inside, direction, dialect);
    first ??= opening;
    if (opening.newline === '\r')
      fail('engine_failed', 'DuckDB does not read lone carriage returns; use the other engine', { file: path });
    if (opening.names.join('\n') !== first.names.join('\n') || opening.newline !== first.newline) {
      fail('header_mismatch', 'the header or the line end is not that of the first input', {
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
  // The first record is the header: once it is through, the codec knows.
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
  return codec.opening();
}

async function columnNames(connection: Connection, run: DuckdbRun): Promise<readonly string[]> {
  try {
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${sourceOf(run, null)}`);
    return described.getRows().map(([name]) => String(name));
  } catch {
    return fail('engine_failed', 'DuckDB cannot read it as Parquet, or the files have different columns', {
      file: run.inputs[0]!,
    });
  }
}

/** What a failed run failed at, by our own readers: row and field, no value. */
async function whatIsWrong(
  connection: Connection,
  run: DuckdbRun,
  names: readonly string[],
  source: string,
): Promise<TrefoilError> {
  const issues =
    run.inputFormat === 'csv' ? await issuesOfCsv(run) : await issuesOfParquet(connection, run, names, source);
  if (issues.length > 0) return new TrefoilError(issues.slice(0, MAX_ISSUES), issues.length);
  const message = 'DuckDB refused what the other readers take; for CSV leave --engine duckdb out';
  return new TrefoilError([{ code: 'engine_failed', message, file: run.inputs[0]! }]);
}

async function issuesOfCsv({ inputs, inside, direction, dialect, signal }: DuckdbRun): Promise<readonly Issue[]> {
  for (const path of inputs) {
    const file = inputs.length > 1 ? { file: path } : {};
    try {
      const run = makeRun(makeCsvCodec(direction, inside, dialect, null), { signal }, dialect.maxRecord);
      for await (const chunk of await openBytes(path, 'none')) for (const _ of run.push(chunk));
      for (const _ of run.end());
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      return error.issues.map((issue) => ({ ...issue, ...file }));
    }
  }
  return [];
}

async function issuesOfParquet(
  connection: Connection,
  { inside, direction }: DuckdbRun,
  names: readonly string[],
  source: string,
): Promise<readonly Issue[]> {
  const columns = mapHeader(names, inside, direction).filter(({ leaf }) => leaf.rule.rule !== 'keep');
  const positions = fieldPositions(names, inside);
  const cast = names.map((name) => `CAST(${identifier(name)} AS VARCHAR)`);
  try {
    const result = await connection.stream(`SELECT ${cast.join(', ')} FROM ${source}`);
    let before = 0;
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      const issues: Issue[] = [];
      const { rowCount } = chunk;
      const cells = { rows: rowCount, column: (from: number) => cellsOf(chunk!, from) };
      turnTable(cells, columns, positions, direction, inside, (row, issue) =>
        issues.push({ ...issue, row: before + row + 1 }),
      );
      if (issues.length > 0) return issues;
      before += rowCount;
    }
  } catch {
    // The engine's own text quotes values.
  }
  return [];
}

function cellsOf(chunk: Chunk, column: number): (string | null)[] {
  const vector = chunk.getColumnVector(column);
  return Array.from({ length: chunk.rowCount }, (_, i) => vector.getItem(i) as string | null);
}

async function number(connection: Connection, sql: string): Promise<number> {
  const [row] = (await connection.runAndReadAll(sql)).getRows();
  return Number(row![0]);
}

async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
