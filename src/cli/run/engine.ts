/// <reference types="node" />
/** The DuckDB engine (`--engine duckdb`, and every Parquet file): which options it takes, and which it refuses. */

import type { DuckdbRun } from '../../duckdb/run.ts';
import type { DuckdbFormat } from '../../duckdb/source.ts';
import { formatOfName, hasOtherName } from '../../files/file-format.ts';
import { compressionOfName } from '../../files/inputs/compression.ts';
import { csvDialect } from '../../io/csv/codec.ts';
import { UsageError } from '../exit.ts';
import { isStdin } from '../file-formats.ts';
import type { RunOptions } from './options.ts';

/** Whether DuckDB reads and writes: `--engine duckdb` is set, or a file is Parquet. */
export function isDuckdb(inputs: readonly string[], { engine, out }: RunOptions): boolean {
  return engine === 'duckdb' || [...inputs, out ?? ''].some(isParquet);
}

/** The part of a DuckDB run that the command line decides. */
export type DuckdbFiles = Pick<DuckdbRun, 'inputs' | 'output' | 'inputFormat' | 'outputFormat' | 'dialect' | 'force'>;

/**
 * Reads the inputs and the output of a DuckDB run from the command line.
 *
 * @throws UsageError for what this engine does not take.
 */
export function duckdbFiles(inputs: readonly string[], options: RunOptions): DuckdbFiles {
  const { dryRun, force = false } = options;
  if (options.engine === 'trefoil') throw new UsageError('Parquet needs the DuckDB engine', 'leave out --engine');
  for (const [name, flag] of REFUSED) {
    if (!HARMLESS.includes(options[name]) && !(name === 'limit' && dryRun === true)) {
      throw new UsageError(`${flag} cannot be combined with the DuckDB engine`, FROM_CSV.has(name) ? BY_CSV : WHEN);
    }
  }
  // A dry run writes nothing, so it needs no output.
  const output = options.out ?? (dryRun === true ? '' : undefined);
  if (inputs.some(isStdin) || output === undefined) {
    throw new UsageError('the DuckDB engine needs files as inputs, and --out FILE', WHEN);
  }
  const inputFormat = inputFormatOf(inputs, options);
  if ([...inputs, output].some((name) => compressionOfName(name).compression !== 'none')) {
    throw new UsageError(
      'the DuckDB engine takes no compressed files',
      'decompress the input before, or compress the output after',
    );
  }
  const outputFormat: DuckdbFormat = isParquet(output) ? 'parquet' : 'csv';
  if (outputFormat === 'csv' && hasOtherName(output, 'csv', options.delimiter)) {
    throw new UsageError(
      'the DuckDB engine writes Parquet and CSV, and the extension of --out is of another file format',
      `use --out FILE.parquet or --out FILE.csv; ${WHEN}`,
    );
  }
  return { inputs, output, inputFormat, outputFormat, dialect: csvDialect(options), force };
}

/** The one file format of the inputs, if DuckDB can read it. */
function inputFormatOf(inputs: readonly string[], { format }: RunOptions): DuckdbFormat {
  const kinds = new Set(inputs.map(isParquet));
  if (kinds.size > 1) {
    throw new UsageError('the inputs are of more than one file format', 'run trefoil once for each file format');
  }
  if (kinds.has(true) && format === undefined) return 'parquet';
  const formats = inputs.map((input) => format ?? (isParquet(input) ? 'csv' : formatOfName(input)));
  if (formats.includes('ndjson')) {
    throw new UsageError(
      'the DuckDB engine reads CSV and Parquet, not NDJSON',
      'leave out --engine and write --out FILE.ndjson; DuckDB alone can turn that file into Parquet',
    );
  }
  if (formats.includes('tsv')) {
    throw new UsageError(
      'the DuckDB engine reads CSV and Parquet, not TSV with backslashes',
      'leave out --engine and write TSV',
    );
  }
  if (formats.includes(null)) {
    throw new UsageError(
      'the name of the input does not tell its file format',
      'use --format csv if it is CSV, and --delimiter tab if quoted cells are separated by tabs',
    );
  }
  return kinds.has(true) ? 'parquet' : 'csv';
}

/** When this engine is used: the hint for what it refuses. */
const WHEN = 'this engine is used for .parquet files and with --engine duckdb';

/** Options that trefoil's own engine has: what to do to use them for Parquet. */
const FROM_CSV: ReadonlySet<string> = new Set(['rejects', 'onError', 'encoding', 'quote', 'escape']);
const BY_CSV =
  'protect a CSV file into a CSV file, which is UTF-8; then let DuckDB make Parquet of it, and CSV of Parquet before';

/** Options that this engine refuses. */
const REFUSED = [
  ['outDir', '--out-dir'],
  ['workers', '--workers'],
  ['resume', '--resume'],
  ['rejects', '--rejects'],
  ['onError', '--on-error reject'],
  ['limit', '--limit'],
  ['inputCompression', '--input-compression'],
  ['outputCompression', '--output-compression'],
  ['quote', '--quote'],
  ['escape', '--escape'],
  ['encoding', '--encoding'],
] as const;

/** Arguments that say what this engine does in any case. */
const HARMLESS: readonly unknown[] = [undefined, 'stop', '"', 'utf-8'];

/** Whether a name is that of a Parquet file. */
export function isParquet(path: string): boolean {
  return /\.parquet$/i.test(path);
}
