/// <reference types="node" />
/** `trefoil apply`: the line contract as a process, for engines that pipe rows through one. */

import type { Command } from 'commander';
import { TrefoilError } from '../../errors.ts';
import { makeApply } from '../../io/apply.ts';
import { DEFAULT_MAX_RECORD } from '../../io/records.ts';
import { openReady } from '../../policy/bound.ts';
import { joinKeys } from '../bind.ts';
import { UsageError } from '../exit.ts';
import { keysOption } from '../key-source.ts';
import { type Context, fileOption, integerOption, namesOption, need } from '../options.ts';
import { DASH, refuseTwoDashes } from '../outputs.ts';
import { loadPolicy } from '../policy-file.ts';
import { refuseOwnInput, writeOut } from '../stdout.ts';
import { storeNames } from '../stores/places.ts';
import { EXIT_HELP } from '../voice.ts';

const HELP = `
Reads lines from standard input and answers each with one line on standard output, in the same order and at once; it
writes nothing else there. TSV is that of COPY, Hive and ClickHouse: backslashes, \\N for null. A line that cannot be
answered ends the run; with --errors-inline it is answered by {"trefoil":"error","line":…,"issues":[…]}.

Examples:
  trefoil apply --ndjson --policy p.yaml --keys keys.json < in.ndjson > out.ndjson
  trefoil apply --tsv --columns id,email --policy p.yaml --keys keys.json
  parallel --pipe --keep-order trefoil apply --ndjson --policy p.yaml --keys keys.json < in.ndjson`;

interface Options {
  readonly policy?: string;
  readonly keys?: string;
  readonly ndjson?: boolean;
  readonly tsv?: boolean;
  readonly columns?: readonly string[];
  readonly reveal?: boolean;
  readonly errorsInline?: boolean;
  readonly maxRecord?: number;
}

export function addApply(parent: Command, context: Context): void {
  parent
    .command('apply')
    .summary('answer each line of standard input, for engines that pipe rows')
    .description('Answers each line of standard input with a protected one.')
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(keysOption())
    .option('--ndjson', 'a line is a JSON object')
    .option('--tsv', 'a line is cells between tabs')
    .addOption(namesOption('--columns', 'names of the columns of --tsv (default: the fields of the policy)'))
    .option('--reveal', 'turn lines back instead')
    .option('--errors-inline', 'answer a poisoned line with an error line, and go on')
    .addOption(integerOption('--max-record', 'BYTES', 'longest line (default: 1048576)', 1, 2 ** 28))
    .addHelpText('after', HELP + EXIT_HELP)
    .action((options: Options) => apply(options, context));
}

async function apply(options: Options, { signal, voice }: Context): Promise<void> {
  const { ndjson = false, tsv = false, columns = null, reveal = false, errorsInline = false } = options;
  if (ndjson === tsv) throw new UsageError('say what a line is: --ndjson or --tsv');
  if (columns !== null && ndjson) throw new UsageError('--columns is for --tsv, lines of NDJSON carry their names');
  const policyFile = need(options.policy, '--policy');
  refuseTwoDashes('input', [
    ['the lines', DASH],
    ['--policy', policyFile],
    ['--keys', options.keys],
  ]);
  const { policy } = await loadPolicy(policyFile);
  if (storeNames(policy).length > 0) {
    throw new UsageError('a policy with a vault waits for its store', 'protect files with --vault instead');
  }
  const direction = reveal ? 'reveal' : 'protect';
  const { bound, keyFile } = await joinKeys(policy, direction, { keys: options.keys }, voice);
  refuseOwnInput(keyFile === null ? [policyFile] : [policyFile, keyFile]);
  const work = makeApply(openReady(bound), {
    direction,
    fileFormat: ndjson ? 'ndjson' : 'tsv',
    columns,
    errorsInline,
    maxRecord: options.maxRecord ?? DEFAULT_MAX_RECORD,
  });

  for await (const chunk of process.stdin) {
    await answer(work.push(chunk as Uint8Array));
    signal.throwIfAborted();
  }
  await answer(work.end());
}

/** Waits until the answers are taken: a slow reader slows the source down. */
async function answer({ text, failure }: ReturnType<ReturnType<typeof makeApply>['push']>): Promise<void> {
  if (text !== '') await writeOut(text);
  if (failure !== null) throw new TrefoilError(failure);
}
