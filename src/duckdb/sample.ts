/// <reference types="node" />
/** The first records of a Parquet file, for `trefoil check` and `--dry-run`. Nothing is written. */

import { tallyOf } from '../core/issues.ts';
import { type Issue, TrefoilError } from '../errors.ts';
import { csvDialect } from '../io/csv/codec.ts';
import type { SampleRecord } from '../io/records.ts';
import { startEngine } from './engine.ts';
import { readBatches, refuseShortage, type TextBatch } from './failure.ts';
import { loadDuckdb } from './module.ts';
import { checkInputs, type Inputs, openSource } from './source.ts';

/** The files to sample, with policy and direction. */
export type Sampled = Pick<Inputs, 'direction' | 'inside' | 'inputs'>;

/**
 * Returns the first records before and after the rules, as texts. A field inside a STRUCT is named by its path.
 *
 * @throws TrefoilError if the policy, the columns or a value do not allow the run; `engine_failed`, `out_of_memory`,
 * `io_failed`.
 */
export async function* sampleParquet(
  sampled: Sampled,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<readonly { readonly before: SampleRecord; readonly after: SampleRecord }[], void, undefined> {
  for await (const { rows, before, after, issues } of batches(sampled, limit, signal)) {
    if (issues.length > 0) throw new TrefoilError(issues);
    yield Array.from({ length: rows }, (_, row) => ({ before: recordOf(before, row), after: recordOf(after, row) }));
  }
}

/**
 * Runs the first records through the rules and returns their number.
 *
 * @throws TrefoilError as {@link sampleParquet} does, with all issues of these records.
 */
export async function checkParquet(sampled: Sampled, limit: number, signal: AbortSignal): Promise<number> {
  const all: Issue[] = [];
  let count = 0;
  for await (const { rows, issues } of batches(sampled, limit, signal)) {
    all.push(...issues);
    count += rows;
  }
  if (all.length > 0) throw new TrefoilError(all, all.length, { rows: count, isAll: true, ...tallyOf(all) });
  return count;
}

async function* batches(
  sampled: Sampled,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<TextBatch, void, undefined> {
  const run: Inputs = { ...sampled, inputFormat: 'parquet', dialect: csvDialect({}) };
  checkInputs(run);
  const duckdb = await loadDuckdb();
  const { connection, close } = await startEngine(duckdb);
  const stop = (): void => connection.interrupt();
  signal.addEventListener('abort', stop);
  try {
    const source = await openSource(duckdb, connection, run);
    yield* readBatches(connection, run, source, limit);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TrefoilError) throw error;
    refuseShortage(error, run.inputs[0]!, run.inputs[0]!);
    // DuckDB's own message is not used, because it quotes values.
    throw new TrefoilError([
      { code: 'engine_failed', message: 'DuckDB cannot read the file as Parquet', file: run.inputs[0]! },
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
    close();
  }
}

function recordOf(columns: ReadonlyMap<string, readonly (string | null)[]>, row: number): SampleRecord {
  return Object.fromEntries([...columns].map(([name, values]) => [name, values[row]!]));
}
