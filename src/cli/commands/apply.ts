/// <reference types="node" />
/** `trefoil apply`: answers each line of standard input with one line, for programs that send rows through a pipe. */

import type { Command } from 'commander';
import { TrefoilError } from '../../errors.ts';
import { type Answers, makeApply, makeAsyncApply } from '../../io/apply.ts';
import { DEFAULT_MAX_RECORD } from '../../io/records.ts';
import { openBound } from '../../policy/bound.ts';
import { bindKeys } from '../bind.ts';
import { UsageError } from '../exit.ts';
import { fromOption } from '../from-key.ts';
import { identityOption, keysOption } from '../key-source.ts';
import { type Context, integerOption, namesOption, need } from '../options.ts';
import { DASH, refuseTwoDashes } from '../outputs.ts';
import { loadPolicy, policyOption } from '../policy-file.ts';
import { refuseOwnInput, writeOut } from '../stdout.ts';
import { storeNames } from '../stores/places.ts';
import { helpText } from '../voice.ts';

const HELP = `
Every line of standard input is answered at once by one line of standard output,
in the same order. Nothing else is written there. TSV is that of COPY, Hive and
ClickHouse: escapes begin with a backslash, and \\N is null. A line with a
problem ends the run; with --errors-inline it is answered by
{"trefoil":"error","line":…,"issues":[…]}.

Examples:
  trefoil apply --ndjson --policy p.yaml --keys keys.json < in.ndjson > out.ndjson
  trefoil apply --tsv --columns id,email --policy p.yaml --keys keys.json
  parallel --pipe --keep-order trefoil apply --ndjson --policy p.yaml --keys keys.json < in.ndjson`;

interface ApplyOptions {
  readonly policy?: string;
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly ndjson?: boolean;
  readonly tsv?: boolean;
  readonly columns?: readonly string[];
  readonly reveal?: boolean;
  readonly from?: string;
  readonly errorsInline?: boolean;
  readonly maxRecord?: number;
}

export function addApply(parent: Command, context: Context): void {
  parent
    .command('apply')
    .summary('protect standard input line by line, for programs that pipe rows')
    .description('Protects standard input line by line: each line is answered by one line.')
    .addOption(policyOption())
    .addOption(keysOption())
    .addOption(identityOption())
    .option('--ndjson', 'each line is a JSON object')
    .option('--tsv', 'each line is cells separated by tabs')
    .addOption(namesOption('--columns', 'column names for --tsv (default: the fields of the policy)'))
    .option('--reveal', 'reveal lines instead of protecting them')
    .addOption(fromOption('fpe; with --reveal'))
    .option('--errors-inline', 'answer a line with a problem by an error line, and continue')
    .addOption(integerOption('--max-record', 'BYTES', 'longest line (default: 1,048,576)', 1, 2 ** 28))
    .addHelpText('after', helpText(HELP))
    .action((options: ApplyOptions) => apply(options, context));
}

async function apply(options: ApplyOptions, context: Context): Promise<void> {
  const { ndjson = false, tsv = false, columns = null, reveal = false, errorsInline = false } = options;
  if (ndjson === tsv) throw new UsageError('--ndjson or --tsv is required, and not both');
  if (columns !== null && ndjson)
    throw new UsageError('--columns is for --tsv; lines of NDJSON contain the names of their fields');
  if (options.from !== undefined && !reveal) {
    throw new UsageError('--from is for --reveal: lines are protected with the primary key');
  }
  const policyFile = need(options.policy, '--policy');
  refuseTwoDashes('input', [
    ['the lines', DASH],
    ['--policy', policyFile],
    ['--keys', options.keys],
  ]);
  const { policy } = await loadPolicy(policyFile);
  if (storeNames(policy).length > 0) {
    throw new UsageError('apply cannot be used with a vault', 'use trefoil protect and trefoil reveal with --vault');
  }
  const direction = reveal ? 'reveal' : 'protect';
  const { bound, keyFiles } = await bindKeys(policy, direction, options, context);
  refuseOwnInput([policyFile, ...keyFiles]);
  const inside = openBound(bound);
  const run = inside.beginAsync?.();
  const fileFormat = ndjson ? 'ndjson' : 'tsv';
  const lines = { direction, fileFormat, columns, errorsInline } as const;
  const all = { ...lines, maxRecord: options.maxRecord ?? DEFAULT_MAX_RECORD };
  const work = run === undefined ? makeApply(inside, all) : makeAsyncApply(run, all);

  for await (const chunk of process.stdin) {
    await answer(await work.push(chunk as Uint8Array));
    context.signal.throwIfAborted();
  }
  await answer(await work.end());
}

/** Writes answers and waits until they are taken, so that a slow reader slows the source down. */
async function answer({ text, failure }: Answers): Promise<void> {
  if (text !== '') await writeOut(text);
  if (failure !== null) throw new TrefoilError(failure);
}
