/// <reference types="node" />
/**
 * What `protect` and `reveal` do: files, and how a run ends.
 *
 * The order is that of trust: options, policy, keys and files are judged before the first record is read; files get
 * their names when everything is whole, the list of rejects before the output that lacks them, the summary last.
 */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { expandInputs } from '../../files/inputs/inputs.ts';
import { STDIN_PATH } from '../../files/outputs/output-file.ts';
import { type FileResult, makePlan } from '../../files/plan.ts';
import { runPlan } from '../../files/run.ts';
import { intoFolder, intoOne } from '../../files/units.ts';
import type { Direction } from '../../policy/bound.ts';
import { openReady } from '../../policy/bound.ts';
import type { BoundFilePolicy } from '../../policy.ts';
import { joinKeys } from '../bind.ts';
import { EXIT, Interrupted, UsageError } from '../exit.ts';
import { formatOf, isStdin, openSource, refuseOtherName, streamsOf } from '../formats.ts';
import { type Context, checkFileName, need } from '../options.ts';
import { DASH, openSummary, refuseTwoDashes, STDOUT } from '../outputs.ts';
import { loadPolicy } from '../policy-file.ts';
import { refuseOwnInput } from '../stdout.ts';
import { isServer, placesOf, storeFiles, storeNames } from '../stores/places.ts';
import { count, EXIT_HELP, plural } from '../voice.ts';
import { dryRun, sampleStream } from './dry-run.ts';
import { duckdbRun, isDuckdb } from './engine.ts';
import { checkTogether, type RunOptions, withRunOptions } from './options.ts';
import { makeProgress } from './progress.ts';
import { makeSummary } from './summary.ts';

/** Puts arguments, options and action on a command. */
export function addRun(command: Command, direction: Direction, help: string, context: Context): void {
  withRunOptions(command)
    .addHelpText('after', help + EXIT_HELP)
    .action((inputs: readonly string[], options: RunOptions) => run(direction, inputs, options, context));
}

async function run(
  direction: Direction,
  given: readonly string[],
  { out: outFile, ...others }: RunOptions,
  context: Context,
): Promise<void> {
  // Standard output is what there is without --out.
  const options: RunOptions = outFile === undefined || outFile === DASH ? others : { ...others, out: outFile };
  const named = given.length === 0 ? [DASH] : given;
  checkTogether(named, options);
  for (const input of named) checkFileName('INPUT', input);
  refuseTwoDashes('input', [
    ...named.map((input) => ['INPUT', input] as const),
    ['--policy', options.policy],
    ['--keys', options.keys],
  ]);
  const records = options.out === undefined && options.outDir === undefined ? DASH : undefined;
  refuseTwoDashes('output', [
    ['the records', records],
    ['--rejects', options.rejects],
    ['--summary', options.summary],
  ]);
  const inputs = await expandInputs(named);
  const byDuckdb = isDuckdb(inputs, options) ? duckdbRun(inputs, options) : null;
  const format = byDuckdb === null ? formatOf(inputs, options) : 'csv';
  refuseOtherName(options, byDuckdb?.outputFormat ?? format);
  const policyFile = need(options.policy, '--policy');
  const { policy } = await loadPolicy(policyFile);
  if (storeNames(policy).length > 0) {
    // Before a store is opened: opening one that is not there makes it.
    if (options.dryRun === true) throw new UsageError('--dry-run does not go with a vault, which would make tokens');
    if (byDuckdb !== null) {
      const message = 'the engine of .parquet and --engine duckdb does not go with a vault';
      throw new UsageError(message, 'use CSV, TSV or NDJSON, and leave --engine out');
    }
  }
  const { out, outDir, rejects, summary, force, quiet, onError: _, dryRun: tries, ...rest } = options;
  const sealing = rejects !== undefined;
  const joined = await joinKeys(
    policy,
    direction,
    { keys: options.keys, vault: options.vault, sealing },
    context.voice,
  );

  if (tries === true) {
    if ([out, outDir, summary, rejects].some((path) => path !== undefined)) {
      context.voice.note('dry run: no file is written');
    }
    const bound = joined.bound as BoundFilePolicy;
    const limit = options.limit ?? 5;
    if (byDuckdb?.inputFormat === 'parquet') {
      const { sampleParquet } = await import('../../duckdb/sample.ts');
      const parquet = { ...byDuckdb, direction, inside: openReady(bound) };
      return await dryRun(sampleParquet(parquet, limit, context.signal), bound, context);
    }
    const source = openSource(inputs[0]!, options.inputCompression);
    return await dryRun(
      sampleStream(direction, streamsOf(format, options), source, bound, limit, context),
      bound,
      context,
    );
  }

  const places = [...placesOf(storeNames(policy), options.vault ?? []).values()];
  const vaults = storeFiles(places);
  // Standard input may be a file as well, as in `protect - --out X --force < X`.
  const read = [
    ...inputs.map((input) => (isStdin(input) ? STDIN_PATH : input)),
    policyFile,
    joined.keyFile,
    ...vaults,
  ].filter((path) => path !== null);
  if (out === undefined && outDir === undefined) refuseOwnInput(read);
  const { units, manifest } =
    outDir === undefined ? await intoOne(inputs, out ?? STDOUT) : await intoFolder(inputs, outDir);
  const written = [...units.map(({ output }) => output), rejects].filter(
    (path) => typeof path === 'string' && path !== DASH,
  ) as string[];
  const line = makeProgress(quiet !== true && (written.length > 0 || process.stdout.isTTY !== true));
  const { policy: __, keys: ___, engine: ____, vault: _____, ...known } = rest;
  const untouched = [policyFile, joined.keyFile, summary, ...vaults].filter((path) => path != null && path !== DASH);
  const plan =
    byDuckdb === null
      ? makePlan(
          direction,
          units,
          joined.bound,
          { ...known, format, force: force === true, signal: context.signal, onProgress: line.update },
          manifest,
          untouched as string[],
          places.map((place) => (isServer(place) ? place : resolve(place))),
          rejects === DASH ? STDOUT : rejects,
        )
      : null;
  const file = await openSummary(summary, force === true, read, written, direction === 'reveal' ? 0o600 : undefined);
  try {
    const begin = performance.now();
    let done: FileResult;
    try {
      if (plan !== null) done = await runPlan(plan);
      else {
        const { runDuckdb } = await import('../../duckdb/run.ts');
        const common = {
          direction,
          inside: openReady(joined.bound),
          others: untouched as string[],
          signal: context.signal,
        };
        const { rows, ...bytes } = await runDuckdb({ ...byDuckdb!, ...common });
        done = { rowsIn: rows, rowsOut: rows, rowsRejected: 0, rowsNotHeld: 0, ...bytes };
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
      context.voice.warning(whatRejected(done, rejects === DASH ? 'standard output' : rejects!));
      context.exit(EXIT.partial);
    }
  } catch (error) {
    await file?.discard();
    if (plan !== null && plan.resume !== null && error instanceof Interrupted) {
      context.voice.note('the same command with --resume goes on from here');
    }
    throw error;
  }
}

/** How many rows were left out, and which of them nobody can open again. */
function whatRejected({ rowsRejected, rowsNotHeld }: FileResult, file: string): string {
  const said = `${plural(rowsRejected, 'row')} rejected and left out`;
  if (rowsNotHeld === 0) return `${said}; ${file} holds them, sealed`;
  const held = rowsRejected - rowsNotHeld;
  const some = held === 0 ? 'none of them' : `${count(held)} of them, sealed`;
  const lost = `${plural(rowsNotHeld, 'row')} longer than --max-record ${rowsNotHeld === 1 ? 'is' : 'are'} in no output`;
  return `${said}; ${file} holds ${some}; ${lost}: keep the input, and run it again with a larger --max-record`;
}
