/// <reference types="node" />
/** The options of runs over records, and which of them need or exclude each other. */

import type { Command } from 'commander';
import { COMPRESSIONS, type Compression } from '../../files/inputs/compression.ts';
import { type Direction, isMove } from '../../policy/bound.ts';
import { UsageError } from '../exit.ts';
import { type FileFormatOptions, isStdin } from '../file-formats.ts';
import type { FarOptions } from '../gateway/place.ts';
import { identityOption, keysOption } from '../key-source.ts';
import {
  delimiterOption,
  encodingOption,
  escapeOption,
  fileOption,
  integerOption,
  namesOption,
  quoteOption,
  shareOption,
  wordOption,
} from '../options.ts';
import { policyOption } from '../policy-file.ts';
import { vaultOption } from '../stores/places.ts';

/** The options as commander returns them. */
export interface RunOptions extends FileFormatOptions, FarOptions {
  readonly policy?: string;
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
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
  /** Of `reveal`, `rekey` and `project`: the key that made the values which do not show their key. */
  readonly from?: string;
  /** The key file of the other side. */
  readonly toKeys?: readonly string[];
  /** Of `project`: the domain of the recipient, and the policy file of the recipient. */
  readonly to?: string;
  readonly as?: string;
}

/** Adds the arguments and options to a command. Records that are moved need no store of a vault. */
export function withRunOptions(command: Command, direction: Direction): void {
  command
    .argument('[INPUT...]', 'files or patterns to read (default, or -: standard input)')
    .addOption(policyOption())
    .addOption(keysOption())
    .addOption(identityOption());
  if (!isMove(direction)) command.addOption(vaultOption());
  command
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .addOption(fileOption('--out-dir', 'folder for the outputs, each under the name of its input', 'DIR'))
    .addOption(
      wordOption('--format', 'FORMAT', 'file format (default: by the names of the inputs)', ['csv', 'tsv', 'ndjson']),
    )
    .addOption(delimiterOption())
    .addOption(quoteOption())
    .addOption(escapeOption())
    .addOption(encodingOption())
    .addOption(wordOption('--quoting', 'HOW', 'which CSV cells the output quotes', ['minimal', 'all']))
    .addOption(namesOption('--header', 'column names, for files without a header line'))
    .addOption(
      wordOption('--input-compression', 'HOW', 'compression of the inputs (default: by their names)', COMPRESSIONS),
    )
    .addOption(
      wordOption('--output-compression', 'HOW', 'compression of the outputs (default: by their names)', COMPRESSIONS),
    )
    .addOption(
      wordOption('--engine', 'ENGINE', 'what reads and writes the files (default: duckdb for .parquet)', [
        'trefoil',
        'duckdb',
      ]),
    )
    .addOption(integerOption('--max-record', 'BYTES', 'longest record (default: 1,048,576)', 1, 2 ** 28))
    .addOption(integerOption('--workers', 'N', 'number of threads (default: 1)', 1, 64))
    .option('--resume', 'keep a manifest beside the output, and continue a run that was interrupted')
    .addOption(integerOption('--limit', 'N', 'process only the first N records', 1, 1e15))
    .option('--dry-run', 'show the first records before and after, and write nothing')
    .addOption(fileOption('--summary', 'file for a JSON summary of the run'))
    .addOption(wordOption('--on-error', 'WHAT', 'what to do about a record with a problem', ['stop', 'reject']))
    .addOption(fileOption('--rejects', 'file for the rejected records, sealed, and their problems'))
    .addOption(shareOption('--max-rejects', 'largest number of rejected records, or their share, such as 1%'))
    .option('--force', 'replace existing files')
    .option('--quiet', 'write no progress line and no last line');
}

/**
 * Checks that the options go together.
 *
 * @throws UsageError
 */
export function checkTogether(inputs: readonly string[], options: RunOptions): void {
  const { onError, rejects, maxRejects, out, outDir, resume } = options;
  if (onError === 'reject' && rejects === undefined) {
    throw new UsageError(
      '--on-error reject needs --rejects FILE',
      'that file lists the rejected rows and their problems',
    );
  }
  if (rejects !== undefined && onError !== 'reject') {
    throw new UsageError('--rejects needs --on-error reject', 'without it the first problem stops the run');
  }
  if (maxRejects !== undefined && onError !== 'reject') {
    throw new UsageError('--max-rejects needs --on-error reject', 'without it the first problem stops the run');
  }
  if (out !== undefined && outDir !== undefined) throw new UsageError('--out and --out-dir cannot be combined');
  const piped = inputs.some(isStdin);
  if (piped && outDir !== undefined)
    throw new UsageError('--out-dir needs files as inputs, because standard input has no name');
  if (piped && inputs.length > 1) throw new UsageError('standard input cannot be combined with files');
  if (resume === true && (piped || (out === undefined && outDir === undefined))) {
    throw new UsageError(
      '--resume needs files as inputs, and --out or --out-dir',
      'a pipe cannot be read again from where the run stopped',
    );
  }
}
