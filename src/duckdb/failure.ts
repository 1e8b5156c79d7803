/// <reference types="node" />
/**
 * Why a run failed. A message of DuckDB is never shown, because it quotes the data. Instead, our own readers look for
 * the fault in the input, in a second pass that only a failed run needs.
 */

import { resolve } from 'node:path';
import { tallyOf } from '../core/issues.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { withFile } from '../files/inputs/cutter.ts';
import { openBytes } from '../files/inputs/inputs.ts';
import { makeCsvCodec } from '../io/csv/codec.ts';
import { makeRun } from '../io/records.ts';
import { type Cells, turnTable } from '../io/table.ts';
import { elementPath } from '../policy/file/path.ts';
import { type Elements, elementsSql, readElements } from './elements.ts';
import type { Chunk, Connection } from './module.ts';
import { type Cell, cellsOf, isKept } from './parquet-columns.ts';
import { type Inputs, parquetReading, type Source } from './source.ts';
import { textList } from './sql.ts';

/** How DuckDB's messages about memory begin. */
const NO_MEMORY = /^Out of Memory Error\b|could not allocate|std::bad_alloc/;

/** Messages of the operating system that DuckDB repeats. */
const FULL = /No space left on device|Disk quota exceeded|File too large/;

/**
 * Throws if memory or space on the disk ran out. The data are not at fault then.
 *
 * @throws TrefoilError `out_of_memory`, `no_space`.
 */
export function refuseShortage(error: unknown, input: string, output: string): void {
  const engineMessage = error instanceof Error ? error.message : '';
  if (NO_MEMORY.test(engineMessage)) {
    const message =
      'DuckDB ran out of memory: a row group of the input, or a few of its longest rows, do not fit into 80 % of the ' +
      'memory; write the input in smaller row groups, or use CSV or NDJSON, which are read piece by piece';
    fail('out_of_memory', message, { file: input });
  }
  const full = FULL.exec(engineMessage);
  if (full !== null) {
    const [reason, code] = REASONS[full[0]]!;
    fail('no_space', `cannot be written: ${reason} (${code})`, { file: output });
  }
}

const REASONS: Readonly<Record<string, readonly [reason: string, code: string]>> = {
  'No space left on device': ['there is no space left', 'ENOSPC'],
  'Disk quota exceeded': ['the disk quota is used up', 'EDQUOT'],
  'File too large': ['the file would be larger than the limit', 'EFBIG'],
};

/** Reads the inputs with our own readers and returns an error about the first fault, with row and field. */
export async function findFault(
  connection: Connection,
  run: Inputs,
  source: Source,
  signal: AbortSignal | undefined,
): Promise<TrefoilError> {
  const fault =
    run.inputFormat === 'csv' ? await faultOfCsv(run, signal) : await faultOfParquet(connection, run, source);
  if (fault !== null) return fault;
  const message = 'DuckDB refused an input in which trefoil finds nothing wrong; for CSV, leave out --engine duckdb';
  return new TrefoilError([{ code: 'engine_failed', message, file: run.inputs[0]! }]);
}

async function faultOfCsv(
  { inputs, inside, direction, dialect }: Inputs,
  signal: AbortSignal | undefined,
): Promise<TrefoilError | null> {
  for (const path of inputs) {
    try {
      const run = makeRun(makeCsvCodec(direction, inside, dialect, null), { signal }, dialect.maxRecord);
      for await (const chunk of await openBytes(path, 'none')) for (const _ of run.push(chunk));
      for (const _ of run.end());
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      return inputs.length > 1 ? withFile(error, path) : error;
    }
  }
  return null;
}

async function faultOfParquet(connection: Connection, run: Inputs, source: Source): Promise<TrefoilError | null> {
  // File by file, because a row number counts in its own input.
  for (const path of run.inputs) {
    let before = 0;
    const one = { ...source, table: parquetReading(textList([resolve(path)])) };
    try {
      for await (const { rows, issues } of readBatches(connection, run, one, null)) {
        before += rows;
        if (issues.length === 0) continue;
        const error = new TrefoilError(issues, issues.length, { rows: before, isAll: false, ...tallyOf(issues) });
        return run.inputs.length > 1 ? withFile(error, path) : error;
      }
    } catch {
      // DuckDB's own message is not used, because it quotes values.
    }
  }
  return null;
}

/** Records of a Parquet file as texts, before and after the rules, by column. */
export interface TextBatch {
  readonly rows: number;
  /** A column for each field of the policy that the input has, by the name of the column in a table. */
  readonly before: ReadonlyMap<string, readonly (string | null)[]>;
  readonly after: ReadonlyMap<string, readonly (string | null)[]>;
  /** The issues, with row numbers. */
  readonly issues: readonly Issue[];
}

/** Reads Parquet in batches and runs them through the rules. Values inside a STRUCT that is NULL stay NULL. */
export async function* readBatches(
  connection: Connection,
  { inside, direction }: Inputs,
  { table, columns }: Source,
  limit: number | null,
): AsyncGenerator<TextBatch, void, undefined> {
  const all = cellsOf(columns.output);
  const cells = all.filter(({ lists }) => lists.length === 0);
  const nested = all.filter(({ lists }) => lists.length > 0);
  // The columns of the input that are read: those of the output, and those that are dropped or that other rules need.
  const taken = [...new Set([...cells, ...columns.positions.values()].map(({ sql }) => sql))];
  const from = new Map(taken.map((sql, i) => [sql, i]));
  const positions = new Map(
    [...columns.positions].map(([path, { sql, inside }]) => [path, { from: from.get(sql)!, inside }]),
  );
  // These columns show which STRUCTs are NULL.
  const parents = [...new Set(cells.flatMap(({ parent }) => parent ?? []))];
  const select = [
    ...taken.map((sql) => `CAST(${sql} AS VARCHAR)`),
    ...parents.map((sql) => `CASE WHEN ${sql} IS NULL THEN NULL ELSE '' END`),
    ...nested.map(elementsSql),
  ];
  const limited = limit === null ? '' : ` LIMIT ${limit}`;
  const result = await connection.stream(`SELECT ${select.join(', ')} FROM ${table}${limited}`);
  // A column with values in its cells has its own name.
  const headers = inside.leaves.flatMap(({ path, header }): (readonly [string, string])[] => {
    const position = columns.positions.get(path);
    return header === null || position === undefined || position.inside !== null ? [] : [[header, position.sql]];
  });
  for (const { column, header, sql } of cells) if (column.node !== undefined) headers.push([header, sql]);
  let first = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    const rows = chunk.rowCount;
    const texts: readonly (readonly (string | null)[])[] = taken.map((_, i) => textsOf(chunk, i));
    const isGone = new Map(
      parents.map((sql, i) => [sql, textsOf(chunk, taken.length + i).map((text) => text === null)]),
    );
    const issues: Issue[] = [];
    const before = new Map(headers.map(([header, sql]) => [header, texts[from.get(sql)!]!]));
    const after = new Map<string, readonly (string | null)[]>();
    const turn: Turn = (column, source, report) =>
      isKept(column)
        ? source.column(column.from)
        : turnTable(source, [column], positions, direction, inside, report)[0]!;
    for (const { column, header, parent, sql } of cells) {
      const gone = parent === null ? null : isGone.get(parent)!;
      const source = { rows, column: (at: number) => [...texts[at]!] };
      const out = turn({ ...column, from: from.get(sql)! }, source, (row, issue) => {
        if (gone?.[row] !== true) issues.push({ ...issue, row: first + row + 1 });
      });
      after.set(header, gone === null ? out : out.map((text, row) => (gone[row] ? null : text)));
    }
    for (const [i, cell] of nested.entries()) {
      const elements = readElements(textsOf(chunk, taken.length + parents.length + i), cell);
      before.set(cell.header, elements.written(elements.texts));
      const report = (row: number, issue: Issue): void => void issues.push({ ...issue, row: first + row + 1 });
      after.set(cell.header, turnElements(cell, elements, texts, turn, report));
    }
    // Column by column they were found, and row by row they are read.
    issues.sort((a, b) => a.row! - b.row!);
    yield { rows, before, after, issues };
    first += rows;
  }
}

/** Runs a column through its rule. */
type Turn = (
  column: Cell['column'],
  source: Cells,
  report: (index: number, issue: Issue) => void,
) => readonly (string | null)[];

/**
 * Runs values inside LISTs through their rule, and returns a column of JSON.
 *
 * @param texts the columns of the rows, of which a rule may need others.
 */
function turnElements(
  { column }: Cell,
  elements: Elements,
  texts: readonly (readonly (string | null)[])[],
  turn: Turn,
  report: (row: number, issue: Issue) => void,
): readonly (string | null)[] {
  const { rows, indices, written } = elements;
  // The values have the index after those of the columns.
  const from = texts.length;
  const source = {
    rows: rows.length,
    column: (at: number) => (at === from ? [...elements.texts] : rows.map((row) => texts[at]![row]!)),
  };
  const out = turn({ ...column, from }, source, (i, issue) => {
    report(rows[i]!, { ...issue, ...placeOf(issue, indices[i]!) });
  });
  return written(out);
}

/** The element of an issue inside LISTs. A value in JSON inside a LIST has the path of its field only. */
function placeOf({ field, element }: Issue, indices: readonly number[]): Pick<Issue, 'element'> {
  return field === undefined || element !== undefined ? {} : { element: elementPath(field, indices) };
}

function textsOf(chunk: Chunk, column: number): (string | null)[] {
  const vector = chunk.getColumnVector(column);
  return Array.from({ length: chunk.rowCount }, (_, i) => vector.getItem(i) as string | null);
}
