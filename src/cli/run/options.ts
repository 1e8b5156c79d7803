/// <reference types="node" />
/** What `protect` and `reveal` may be told, and which of it means something only together. */

import type { Command } from 'commander';
import { COMPRESSIONS, type Compression } from '../../files/inputs/compression.ts';
import { UsageError } from '../exit.ts';
import { type FormatOptions, isStdin } from '../formats.ts';
import { keysOption } from '../key-source.ts';
import { delimiterOption, fileOption, integerOption, namesOption, shareOption, wordOption } from '../options.ts';
import { vaultOption } from '../stores/places.ts';

/** The options as commander gives them. */
export interface RunOptions extends FormatOptions {
  readonly policy?: string;
  readonly keys?: string;
  readonly vault?: readonly string[];
  readonly out?: string;
  readonly outDir?: string;
  readonly inputCompression?: Compression;
  readonly outputCompression?: Compression;
  readonly workers?: number;
  readonly engine?: 'trefoil' | 'duckdb';
  readonly resume?: true;
  readonly limit?: number;
  readonly dryRun?: true;
  readonly summary?: string;
  readonly onError?: 'stop' | 'reject';
  readonly rejects?: string;
  readonly maxRejects?: number | `${number}%`;
  readonly force?: true;
  readonly quiet?: true;
}

/** Puts arguments and options on a command. */
export function withRunOptions(command: Command): Command {
  return command
    .argument('[INPUT...]', 'files or patterns to read; none or - is standard input')
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(keysOption())
    .addOption(vaultOption())
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .addOption(fileOption('--out-dir', 'folder to write each input to, under its own name', 'DIR'))
    .addOption(
      wordOption('--format', 'FORMAT', 'format of the records (default: by the names of the inputs)', [
        'csv',
        'tsv',
        'ndjson',
      ]),
    )
    .addOption(delimiterOption())
    .addOption(wordOption('--quoting', 'HOW', 'which CSV cells are quoted in the output', ['minimal', 'all']))
    .addOption(namesOption('--header', 'names of the columns of files without a header line'))
    .addOption(
      wordOption('--input-compression', 'HOW', 'how inputs are packed (default: by their names)', COMPRESSIONS),
    )
    .addOption(
      wordOption('--output-compression', 'HOW', 'how outputs are packed (default: by their names)', COMPRESSIONS),
    )
    .addOption(
      wordOption('--engine', 'ENGINE', 'who reads and writes (default: duckdb for .parquet)', ['trefoil', 'duckdb']),
    )
    .addOption(integerOption('--max-record', 'BYTES', 'longest record (default: 1048576)', 1, 2 ** 28))
    .addOption(integerOption('--workers', 'N', 'threads that do the work (default: 1)', 1, 64))
    .option('--resume', 'keep a manifest beside the output, and go on where a run that died left off')
    .addOption(integerOption('--limit', 'N', 'only the first N records', 1, 1e15))
    .option('--dry-run', 'show the first records before and after, and write nothing')
    .addOption(fileOption('--summary', 'file for a JSON summary of the run'))
    .addOption(
      wordOption('--on-error', 'WHAT', 'a record with a problem: stop the run, or reject it', ['stop', 'reject']),
    )
    .addOption(fileOption('--rejects', 'file for rejected records, sealed, and their problems'))
    .addOption(shareOption('--max-rejects', 'most rejected records: a number, or a share such as 1%'))
    .option('--force', 'replace existing files')
    .option('--quiet', 'no progress line and no last line');
}

/** Options that mean something only together. */
export function checkTogether(inputs: readonly string[], options: RunOptions): void {
  const { onError, rejects, maxRejects, out, outDir, resume } = options;
  if (onError === 'reject' && rejects === undefined) {
    throw new UsageError('--on-error reject needs --rejects FILE', 'the file says which rows were left out and why');
  }
  if (rejects !== undefined && onError !== 'reject') {
    throw new UsageError('--rejects needs --on-error reject', 'without it the first problem stops the run');
  }
  if (maxRejects !== undefined && onError !== 'reject') {
    throw new UsageError('--max-rejects needs --on-error reject', 'without it the first problem stops the run');
  }
  if (out !== undefined && outDir !== undefined) throw new UsageError('--out and --out-dir cannot both be meant');
  const piped = inputs.some(isStdin);
  if (piped && outDir !== undefined)
    throw new UsageError('--out-dir needs files as inputs, standard input has no name');
  if (piped && inputs.length > 1) throw new UsageError('standard input cannot stand among files');
  if (resume === true && (piped || (out === undefined && outDir === undefined))) {
    throw new UsageError(
      '--resume needs files as inputs, and --out or --out-dir',
      'what came through a pipe cannot be read again',
    );
  }
}
