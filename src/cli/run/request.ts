/// <reference types="node" />
/** What a run is asked to do. It is read and checked before keys, stores and records are opened. */

import type { FileFormat } from '../../files/file-format.ts';
import { expandInputs } from '../../files/inputs/inputs.ts';
import { type Direction, isMove } from '../../policy/bound.ts';
import type { FilePolicy } from '../../policy.ts';
import { UsageError } from '../exit.ts';
import { fileFormatOf, refuseOtherName } from '../file-formats.ts';
import { checkFileName, need } from '../options.ts';
import { DASH, refuseTwoDashes } from '../outputs.ts';
import { loadPolicy } from '../policy-file.ts';
import { storeNames } from '../stores/places.ts';
import { type DuckdbFiles, duckdbFiles, isDuckdb } from './engine.ts';
import { checkTogether, type RunOptions } from './options.ts';

/** A request that is complete as far as the command line and the policy show. */
export interface RunRequest {
  readonly direction: Direction;
  /** Paths of the inputs, with patterns expanded. {@link DASH} is standard input. */
  readonly inputs: readonly string[];
  /** The options. Without `out` and `outDir` the records go to standard output. */
  readonly options: RunOptions;
  /** The file format, if trefoil reads and writes. */
  readonly fileFormat: FileFormat;
  /** Inputs and output for DuckDB; `null` if trefoil reads and writes. */
  readonly duckdb: DuckdbFiles | null;
  readonly policyFile: string;
  readonly policy: FilePolicy;
}

/**
 * Reads and checks arguments, options and policy.
 *
 * @throws UsageError, TrefoilError with all problems of the policy.
 */
export async function readRequest(
  direction: Direction,
  args: readonly string[],
  { out, ...others }: RunOptions,
): Promise<RunRequest> {
  const options: RunOptions = out === undefined || out === DASH ? others : { ...others, out };
  const named = args.length === 0 ? [DASH] : args;
  checkTogether(named, options);
  for (const input of named) checkFileName('INPUT', input);
  checkDashes(named, options);
  const inputs = await expandInputs(named);
  const duckdb = isDuckdb(inputs, options) ? duckdbFiles(inputs, options) : null;
  const fileFormat = duckdb === null ? fileFormatOf(inputs, options) : 'csv';
  if (duckdb === null) refuseOtherName(options, fileFormat);
  const policyFile = need(options.policy, '--policy');
  const { policy } = await loadPolicy(policyFile);
  if (duckdb !== null && storeNames(policy).length > 0 && !isMove(direction)) refuseDuckdb();
  return { direction, inputs, options, fileFormat, duckdb, policyFile, policy };
}

/** Refuses two inputs from standard input, and two outputs to standard output. */
function checkDashes(inputs: readonly string[], options: RunOptions): void {
  refuseTwoDashes('input', [
    ...inputs.map((input) => ['INPUT', input] as const),
    ['--policy', options.policy],
    ['--keys', options.keys],
    ['--to-keys', options.toKeys],
    ['--as', options.as],
  ]);
  refuseTwoDashes('output', [
    ['the records', options.out === undefined && options.outDir === undefined ? DASH : undefined],
    ['--rejects', options.rejects],
    ['--summary', options.summary],
  ]);
}

/** Refuses DuckDB with a vault. This is checked first because opening a store may make its file. */
export function refuseDuckdb(): never {
  throw new UsageError(
    'the DuckDB engine cannot be combined with a vault',
    'use CSV, TSV or NDJSON files, and leave out --engine',
  );
}
