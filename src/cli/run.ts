/// <reference types="node" />
/**
 * What `protect` and `reveal` have in common: options, files, the stream between them, and how a run ends.
 *
 * The order is that of trust: options, policy, keys and files are judged before the first record is read; files get
 * their names when everything is whole, the list of rejects before the output that lacks them, the summary last.
 */

import type { Command } from 'commander';
import { STDIN_PATH } from '../files/file.ts';
import type { Progress, RecordOptions } from '../io/records.ts';
import type { Direction } from '../policy/bound.ts';
import type { RevealingFilePolicy } from '../policy.ts';
import { type Joined, joinKeys } from './bind.ts';
import { dryRun } from './dry-run.ts';
import { EXIT, UsageError } from './exit.ts';
import { type FormatOptions, formatOf, isStdin, openSource, type Streams, streamsOf } from './formats.ts';
import { keysOption } from './key-source.ts';
import {
  type Context,
  checkFileName,
  delimiterOption,
  fileOption,
  integerOption,
  need,
  wordOption,
} from './options.ts';
import { type Outputs, openOutputs } from './outputs.ts';
import { loadPolicy } from './policy-file.ts';
import { makeProgress } from './progress.ts';
import { makeSummary } from './summary.ts';
import { count, EXIT_HELP, plural } from './voice.ts';

/** The options as commander gives them. */
interface RunOptions extends FormatOptions {
  readonly policy?: string;
  readonly keys?: string;
  readonly out?: string;
  readonly limit?: number;
  readonly dryRun?: true;
  readonly summary?: string;
  readonly onError?: 'stop' | 'reject';
  readonly rejects?: string;
  readonly force?: true;
  readonly quiet?: true;
}

/** Puts argument, options and action on a command. */
export function addRun(command: Command, direction: Direction, help: string, context: Context): void {
  command
    .argument('[INPUT]', 'file to read; none or - is standard input')
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(keysOption())
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .addOption(
      wordOption('--format', 'FORMAT', 'format of the records (default: by the name of the input)', ['csv', 'ndjson']),
    )
    .addOption(delimiterOption())
    .addOption(wordOption('--quoting', 'HOW', 'which CSV cells are quoted in the output', ['minimal', 'all']))
    .addOption(integerOption('--max-record', 'BYTES', 'longest record (default: 1048576)', 1, 2 ** 28))
    .addOption(integerOption('--limit', 'N', 'only the first N records', 1, 1e15))
    .option('--dry-run', 'show the first records before and after, and write nothing')
    .addOption(fileOption('--summary', 'file for a JSON summary of the run'))
    .addOption(
      wordOption('--on-error', 'WHAT', 'a record with a problem: stop the run, or reject it', ['stop', 'reject']),
    )
    .addOption(fileOption('--rejects', 'file for rejected rows and their problems, without values'))
    .option('--force', 'replace existing files')
    .option('--quiet', 'no progress line and no last line')
    .addHelpText('after', help + EXIT_HELP)
    .action((input: string | undefined, options: RunOptions) => run(direction, input, options, context));
}

async function run(
  direction: Direction,
  input: string | undefined,
  options: RunOptions,
  context: Context,
): Promise<void> {
  checkTogether(options);
  if (input !== undefined) checkFileName('INPUT', input);
  const format = formatOf(input, options);
  const streams = streamsOf(format, options);
  const policyFile = need(options.policy, '--policy');
  const { policy } = await loadPolicy(policyFile);
  const joined = await joinKeys(policy, direction, options.keys, context.voice);
  // Standard input may be a file as well, as in `protect - --out X --force < X`.
  const inputs = [isStdin(input) ? STDIN_PATH : input, policyFile, joined.keyFile].filter((path) => path != null);

  if (options.dryRun === true) {
    if ([options.out, options.summary, options.rejects].some((path) => path !== undefined)) {
      context.voice.note('dry run: no file is written');
    }
    return await dryRun(direction, streams, input, joined.bound, options.limit ?? 5, context);
  }
  const { out, summary, rejects, force } = options;
  const outputs = await openOutputs({
    out,
    summary,
    rejects,
    force: force === true,
    revealing: direction === 'reveal',
    inputs,
  });
  try {
    const begin = performance.now();
    const done = await pump(direction, streams, input, joined.bound, options, outputs, context);
    context.signal.throwIfAborted();
    const written = { command: direction, ...done, policy, keys: joined.keys };
    await outputs.finish(makeSummary(written));
    if (options.quiet !== true) {
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      const counts = `${count(done.rowsOut)} out, ${count(done.rowsRejected)} rejected`;
      context.voice.note(`${plural(done.rowsIn, 'row')} in, ${counts} in ${seconds} s`);
    }
    if (done.rowsRejected > 0) {
      context.voice.warning(`${plural(done.rowsRejected, 'row')} rejected and left out; ${options.rejects} says why`);
      context.exit(EXIT.data);
    }
  } catch (error) {
    await outputs.discard();
    throw error;
  }
}

/** Pulls the records through, at the speed of who takes them, and counts. */
async function pump(
  direction: Direction,
  streams: Streams,
  input: string | undefined,
  bound: Joined['bound'],
  options: RunOptions,
  outputs: Outputs,
  context: Context,
): Promise<{ rowsIn: number; rowsOut: number; rowsRejected: number }> {
  // Records and progress on one terminal would be one mess.
  const apart = options.out !== undefined || process.stdout.isTTY !== true;
  const line = makeProgress(options.quiet !== true && apart);
  let last: Progress = { rows: 0, rejected: 0, bytesIn: 0, bytesOut: 0 };
  const streamOptions: RecordOptions = {
    signal: context.signal,
    limit: options.limit,
    onReject: options.onError === 'reject' ? outputs.reject : undefined,
    onProgress: (progress) => {
      last = progress;
      line.update(progress);
    },
  };
  // A source that is all rejects gives no chunk to write, so rejects are written when the next bytes are asked for.
  const source = eachAfter(openSource(input), outputs.drain);
  const stream =
    direction === 'protect'
      ? streams.protect(source, bound, streamOptions)
      : streams.reveal(source, bound as RevealingFilePolicy, streamOptions);
  try {
    for await (const chunk of stream) await outputs.write(chunk);
  } finally {
    line.clear();
  }
  return { rowsIn: last.rows, rowsOut: last.rows - last.rejected, rowsRejected: last.rejected };
}

/** The same chunks; something is awaited before each. */
async function* eachAfter(
  source: AsyncIterable<Uint8Array>,
  first: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    await first();
    yield chunk;
  }
}

/** Options that mean something only together. */
function checkTogether({ onError, rejects }: RunOptions): void {
  if (onError === 'reject' && rejects === undefined) {
    throw new UsageError('--on-error reject needs --rejects FILE', 'the file says which rows were left out and why');
  }
  if (rejects !== undefined && onError !== 'reject') {
    throw new UsageError('--rejects needs --on-error reject', 'without it the first problem stops the run');
  }
}
