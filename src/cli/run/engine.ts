/// <reference types="node" />
/** `--engine duckdb`, which Parquet needs: what goes with it, and what does not. */

import type { DuckdbRun } from '../../duckdb/run.ts';
import type { DuckdbFormat } from '../../duckdb/source.ts';
import { formatOfName } from '../../files/file-format.ts';
import { compressionOfName } from '../../files/inputs/compression.ts';
import { csvDialect } from '../../io/csv/codec.ts';
import { UsageError } from '../exit.ts';
import { isStdin } from '../formats.ts';
import type { RunOptions } from './options.ts';

/** Whether the run is DuckDB's: it is said, or a file is Parquet. */
export function isDuckdb(inputs: readonly string[], { engine, out }: RunOptions): boolean {
  return engine === 'duckdb' || [...inputs, out ?? ''].some(isParquet);
}

/** What of a run the engine needs to be told by the command line. */
export function duckdbRun(
  inputs: readonly string[],
  options: RunOptions,
): Pick<DuckdbRun, 'inputs' | 'output' | 'inputFormat' | 'outputFormat' | 'dialect' | 'force'> {
  const { format, dryRun } = options;
  // A dry run writes nothing, so its output may be left out.
  const out = options.out ?? (dryRun === true ? '' : undefined);
  const why = 'the engine of .parquet and --engine duckdb';
  if (options.engine === 'trefoil') throw new UsageError('Parquet needs --engine duckdb', 'leave --engine out');
  for (const [name, flag] of NOT_WITH) {
    if (options[name] !== undefined && options[name] !== 'stop' && !(name === 'limit' && dryRun === true))
      throw new UsageError(`${flag} does not go with ${why}`);
  }
  if (inputs.some(isStdin) || out === undefined) throw new UsageError(`${why} needs files as inputs, and --out`);
  const kinds = new Set(inputs.map(isParquet));
  if (kinds.size > 1) throw new UsageError('the inputs have more than one format', 'run each format by itself');
  const inputFormat: DuckdbFormat = kinds.has(true) ? 'parquet' : 'csv';
  const formats = inputs.map((input) => format ?? (isParquet(input) ? 'csv' : formatOfName(input)));
  if (formats.includes('ndjson')) {
    throw new UsageError(
      `${why} reads CSV and Parquet, not NDJSON`,
      'leave --engine out and write --out FILE.ndjson; DuckDB by itself makes Parquet of that file',
    );
  }
  if (formats.includes('tsv')) {
    const message = `${why} reads CSV and Parquet, not TSV with backslashes`;
    throw new UsageError(message, 'leave --engine out and write TSV');
  }
  if (formats.includes(null)) {
    const hint = 'say --format csv where it is CSV, and --delimiter tab where quoted cells are separated by tabs';
    throw new UsageError('the name of the input does not tell its format', hint);
  }
  const packed = [...inputs, out].find((name) => compressionOfName(name).compression !== 'none');
  if (packed !== undefined)
    throw new UsageError(`${why} takes no packed files`, 'unpack the input, or pack the output');
  const outputFormat: DuckdbFormat = isParquet(out) ? 'parquet' : 'csv';
  return {
    inputs,
    output: out,
    inputFormat,
    outputFormat,
    dialect: csvDialect(options),
    force: options.force === true,
  };
}

const NOT_WITH = [
  ['outDir', '--out-dir'],
  ['workers', '--workers'],
  ['resume', '--resume'],
  ['rejects', '--rejects'],
  ['onError', '--on-error reject'],
  ['limit', '--limit'],
  ['inputCompression', '--input-compression'],
  ['outputCompression', '--output-compression'],
] as const;

/** Whether a name is that of a Parquet file. */
export function isParquet(path: string): boolean {
  return /\.parquet$/i.test(path);
}
