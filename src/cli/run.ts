/// <reference types="node" />
/**
 * What `protect` and `reveal` have in common: options, files, and how a run ends.
 *
 * The order is that of trust: options, policy, keys and files are judged before the first record is read; files get
 * their names when everything is whole, the list of rejects before the output that lacks them, the summary last.
 */

import type { Command } from 'commander';
import { COMPRESSIONS, type Compression } from '../files/compression.ts';
import { STDIN_PATH } from '../files/file.ts';
import { expandInputs } from '../files/inputs.ts';
import { type FileResult, makePlan } from '../files/plan.ts';
import { runPlan } from '../files/run.ts';
import { intoFolder, intoOne } from '../files/units.ts';
import type { Direction } from '../policy/bound.ts';
import { openBound } from '../policy/bound.ts';
import { joinKeys } from './bind.ts';
import { dryRun } from './dry-run.ts';
import { duckdbRun, isDuckdb } from './engine.ts';
import { EXIT, Interrupted, UsageError } from './exit.ts';
import { type FormatOptions, formatOf, isStdin, openSource, streamsOf } from './formats.ts';
import { keysOption } from './key-source.ts';
import {
  type Context,
  checkFileName,
  delimiterOption,
  fileOption,
  integerOption,
  namesOption,
  need,
  shareOption,
  wordOption,
} from './options.ts';
import { openSummary, STDOUT } from './outputs.ts';
import { loadPolicy } from './policy-file.ts';
import { makeProgress } from './progress.ts';
import { refuseOwnInput } from './stdout.ts';
import { makeSummary } from './summary.ts';
import { count, EXIT_HELP, plural } from './voice.ts';

/** The options as commander gives them. */
export interface RunOptions extends FormatOptions {
  readonly policy?: string;
  readonly keys?: string;
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

/** Puts arguments, options and action on a command. */
export function addRun(command: Command, direction: Direction, help: string, context: Context): void {
  command
    .argument('[INPUT...]', 'files or patterns to read; none or - is standard input')
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(keysOption())
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
    .option('--quiet', 'no progress line and no last line')
    .addHelpText('after', help + EXIT_HELP)
    .action((inputs: readonly string[], options: RunOptions) => run(direction, inputs, options, context));
}

async function run(
  direction: Direction,
  given: readonly string[],
  options: RunOptions,
  context: Context,
): Promise<void> {
  const named = given.length === 0 ? ['-'] : given;
  checkTogether(named, options);
  for (const input of named) checkFileName('INPUT', input);
  const inputs = await expandInputs(named);
  const byDuckdb = isDuckdb(inputs, options) ? duckdbRun(inputs, options) : null;
  const format = byDuckdb === null ? formatOf(inputs, options) : 'csv';
  const policyFile = need(options.policy, '--policy');
  const { policy } = await loadPolicy(policyFile);
  const { out, outDir, rejects, summary, force, quiet, onError: _, dryRun: tries, ...rest } = options;
  const joined = await joinKeys(policy, direction, options.keys, context.voice, rejects !== undefined);

  if (tries === true) {
    if ([out, outDir, summary, rejects].some((path) => path !== undefined)) {
      context.voice.note('dry run: no file is written');
    }
    const source = openSource(inputs[0]!, options.inputCompression);
    return await dryRun(direction, streamsOf(format, options), source, joined.bound, options.limit ?? 5, context);
  }

  // Standard input may be a file as well, as in `protect - --out X --force < X`.
  const read = [...inputs.map((input) => (isStdin(input) ? STDIN_PATH : input)), policyFile, joined.keyFile].filter(
    (path) => path !== null,
  );
  if (out === undefined && outDir === undefined) refuseOwnInput(read);
  const { units, manifest } =
    outDir === undefined ? await intoOne(inputs, out ?? STDOUT) : await intoFolder(inputs, outDir);
  const written = [...units.map(({ output }) => output), rejects].filter((path) => typeof path === 'string');
  const line = makeProgress(quiet !== true && (written.length > 0 || process.stdout.isTTY !== true));
  const { policy: __, keys: ___, engine: ____, ...known } = rest;
  const others = [policyFile, joined.keyFile, summary].filter((path) => path != null);
  const plan =
    byDuckdb === null
      ? makePlan(
          direction,
          units,
          joined.bound,
          { ...known, format, rejects, force: force === true, signal: context.signal, onProgress: line.update },
          manifest,
          others,
        )
      : null;
  const file = await openSummary(summary, force === true, read, written);
  try {
    const begin = performance.now();
    let done: FileResult;
    try {
      if (plan !== null) done = await runPlan(plan);
      else {
        const { runDuckdb } = await import('../duckdb/run.ts');
        const common = { direction, inside: openBound(joined.bound), others, signal: context.signal };
        const { rows, ...bytes } = await runDuckdb({ ...byDuckdb!, ...common });
        done = { rowsIn: rows, rowsOut: rows, rowsRejected: 0, ...bytes };
      }
    } finally {
      line.clear();
    }
    const text = makeSummary({ command: direction, ...done, policy, keys: joined.keys });
    await file?.write(new TextEncoder().encode(text));
    await file?.finish();
    if (quiet !== true) {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      const counts = `${count(done.rowsOut)} out, ${count(done.rowsRejected)} rejected`;
      context.voice.note(`${plural(done.rowsIn, 'row')} in, ${counts} in ${seconds} s`);
    }
    if (done.rowsRejected > 0) {
      context.voice.warning(`${plural(done.rowsRejected, 'row')} rejected and left out; ${rejects} holds them, sealed`);
      context.exit(EXIT.data);
    }
  } catch (error) {
    await file?.discard();
    if (plan !== null && plan.resume !== null && error instanceof Interrupted) {
      context.voice.note('the same command with --resume goes on from here');
    }
    throw error;
  }
}

/** Options that mean something only together. */
function checkTogether(inputs: readonly string[], options: RunOptions): void {
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
