/// <reference types="node" />
/**
 * The commands `protect`, `reveal`, `rekey` and `project`.
 *
 * Options, policy, keys and files are checked before the first record is read. Output files get their names when they
 * are complete: the rejects first, then the records, then the summary, so that every record that the output lacks is on
 * record.
 */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { STDIN_PATH } from '../../files/outputs/output-file.ts';
import { getsNote } from '../../files/outputs/rekeyed-note.ts';
import { type FileResult, makePlan, type RunPlan } from '../../files/plan.ts';
import { runPlan } from '../../files/run.ts';
import { intoFolder, intoOne, type Units } from '../../files/units.ts';
import { checkEncoding, type EncodingName } from '../../io/encoding.ts';
import { type Direction, isMove, openBound, openReady } from '../../policy/bound.ts';
import { bindKeys, type PolicyWithKeys } from '../bind.ts';
import { EXIT, Interrupted } from '../exit.ts';
import { isStdin } from '../file-formats.ts';
import { fromOption } from '../from-key.ts';
import { addFarOptions, checkFar } from '../gateway/far-options.ts';
import type { Context } from '../options.ts';
import { DASH, openSummary, STDOUT } from '../outputs.ts';
import { refuseOwnInput } from '../stdout.ts';
import { isServer, placesOf, storeFiles, storeNames } from '../stores/places.ts';
import { count, countLines, helpText, plural, type Voice, wordFor } from '../voice.ts';
import { dryRun } from './dry-run.ts';
import { addMoveOptions, bindMove } from './move.ts';
import { type RunOptions, withRunOptions } from './options.ts';
import { makeProgress, type ProgressLine } from './progress.ts';
import { type RunRequest, readRequest } from './request.ts';
import { makeSummary } from './summary.ts';

/** Adds arguments, options and action of a command that reads and writes records. */
export function addRun(command: Command, direction: Direction, help: string, context: Context): void {
  withRunOptions(command, direction);
  if (isMove(direction)) addMoveOptions(command, direction);
  if (direction === 'reveal') command.addOption(fromOption('fpe'));
  if (!isMove(direction)) addFarOptions(command, direction);
  command
    .addHelpText('after', helpText(help))
    .action((args: readonly string[], options: RunOptions) => run(direction, args, options, context));
}

async function run(
  direction: Direction,
  args: readonly string[],
  parsedOptions: RunOptions,
  context: Context,
): Promise<void> {
  if (!isMove(direction)) checkFar(direction, parsedOptions);
  const request = await readRequest(direction, args, parsedOptions);
  const { policy, options, duckdb } = request;
  const { keys, identity, vault, from, rejects, summary, force, quiet } = options;
  const bindOptions = { keys, identity, vault, from, sealing: rejects !== undefined, isTrial: options.dryRun === true };
  const keyed = isMove(direction)
    ? await bindMove(policy, direction, options, context)
    : options.gateway === undefined
      ? await bindKeys(policy, direction, bindOptions, context)
      : await (await import('../gateway/far.ts')).bindFar(policy, direction, options, context);
  if (options.dryRun === true) return await dryRun(request, keyed.bound, context);

  const files = await filesOf(request, keyed);
  const progress = makeProgress(quiet !== true && (files.written.length > 0 || process.stdout.isTTY !== true));
  const plan = duckdb === null ? planOf(request, keyed, files, progress, context.signal) : null;
  const mode = direction === 'reveal' ? 0o600 : undefined;
  const summaryFile = await openSummary(summary, force === true, files.read, files.written, mode);
  try {
    const begin = performance.now();
    const result = await transform(request, keyed, files, plan, progress, context.signal);
    const text = makeSummary({
      command: direction,
      ...result,
      encoding: options.encoding,
      policy,
      keys: keyed.keys,
      moving: openBound(keyed.bound).moving ?? null,
    });
    await summaryFile?.write(new TextEncoder().encode(text));
    await summaryFile?.finish();
    if (quiet !== true) {
      noteRekeyed(request, keyed, context.voice);
      noteResult(result, performance.now() - begin, context.voice);
      noteErased(result.valuesErased, context.voice);
      noteEncoding(options.encoding, context.voice);
    }
    if (result.rowsRejected > 0) {
      const warning = rejectedWarning(result, rejects === DASH ? 'standard output' : rejects!);
      context.voice.warning(warning, countLines(result.issues));
      context.exit(EXIT.partial);
    }
  } catch (error) {
    await summaryFile?.discard();
    if (plan !== null && plan.resume !== null && error instanceof Interrupted) {
      context.voice.note('the same command with --resume continues from here');
    }
    throw error;
  }
}

/** The files of a run, by what may happen to them. */
interface RunFiles extends Units {
  /** Files that are read. No output may be one of them. */
  readonly read: readonly string[];
  /** Files that are written: the records and the rejects. Standard output is not among them. */
  readonly written: readonly string[];
  /** Files that are neither inputs nor records: policy, keys, stores and summary. No output may be one of them. */
  readonly others: readonly string[];
  /** The place of each store, as a path or an address. */
  readonly stores: readonly string[];
}

async function filesOf(
  { direction, inputs, options, policy, policyFile }: RunRequest,
  keyed: PolicyWithKeys,
): Promise<RunFiles> {
  const { out, outDir, rejects, summary } = options;
  // The stores of a vault have no part in moving records.
  const names = isMove(direction) || options.gateway !== undefined ? [] : storeNames(policy);
  const stores = [...placesOf(names, options.vault ?? []).values()];
  const vaults = storeFiles(stores);
  // Standard input may be a file as well, as in `protect - --out X --force < X`.
  const inputFiles = inputs.map((input) => (isStdin(input) ? STDIN_PATH : input));
  const { keyFiles, otherFiles = [] } = keyed;
  const read = [...inputFiles, policyFile, ...keyFiles, ...otherFiles, ...vaults];
  if (out === undefined && outDir === undefined) refuseOwnInput(read);
  const units = await (outDir === undefined ? intoOne(inputs, out ?? STDOUT) : intoFolder(inputs, outDir));
  const outputs = [...units.units.map(({ output }) => output), rejects];
  return {
    ...units,
    read,
    written: outputs.filter((path) => typeof path === 'string').filter((path) => path !== DASH),
    others: [policyFile, ...keyFiles, summary, ...otherFiles, ...vaults]
      .filter((path) => path != null)
      .filter((path) => path !== DASH),
    stores: stores.map((place) => (isServer(place) ? place : resolve(place))),
  };
}

/** The plan of a run by trefoil's own engine. */
function planOf(
  { direction, options, fileFormat }: RunRequest,
  { bound }: PolicyWithKeys,
  { units, manifest, others, stores }: RunFiles,
  progress: ProgressLine,
  signal: AbortSignal,
): RunPlan {
  const { delimiter, quoting, quote, escape: escapedBy, header, maxRecord, encoding } = options;
  const { inputCompression, outputCompression } = options;
  const { workers, resume, limit, rejects, maxRejects, force = false } = options;
  return makePlan(
    direction,
    units,
    bound,
    {
      format: fileFormat,
      delimiter,
      quoting,
      quote,
      escape: escapedBy,
      header,
      maxRecord,
      encoding,
      inputCompression,
      outputCompression,
      workers,
      resume,
      limit,
      maxRejects,
      force,
      signal,
      onProgress: progress.update,
    },
    manifest,
    others,
    stores,
    rejects === DASH ? STDOUT : rejects,
  );
}

/** Reads, transforms and writes all records: as planned, or by DuckDB if there is no plan. */
async function transform(
  request: RunRequest,
  keyed: PolicyWithKeys,
  files: RunFiles,
  plan: RunPlan | null,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<FileResult> {
  try {
    return await (plan === null ? transformByDuckdb(request, keyed, files, signal) : runPlan(plan));
  } finally {
    progress.clear();
  }
}

async function transformByDuckdb(
  { direction, duckdb }: RunRequest,
  { bound }: PolicyWithKeys,
  { others }: RunFiles,
  signal: AbortSignal,
): Promise<FileResult> {
  // DuckDB is an optional dependency, and only these runs load it.
  const { runDuckdb } = await import('../../duckdb/run.ts');
  const { rows, ...bytes } = await runDuckdb({ ...duckdb!, direction, inside: openReady(bound), others, signal });
  // A record with an issue ends such a run.
  const issues = { rows, isAll: true, fields: [], others: 0 };
  return { rowsIn: rows, rowsOut: rows, rowsRejected: 0, rowsNotHeld: 0, valuesErased: 0, issues, ...bytes };
}

/** The last line of a run: its counts and its time. */
function noteResult({ rowsIn, rowsOut, rowsRejected }: FileResult, milliseconds: number, voice: Voice): void {
  const counts = `${count(rowsOut)} out, ${count(rowsRejected)} rejected`;
  voice.note(`${plural(rowsIn, 'row')} in, ${counts} in ${(milliseconds / 1000).toFixed(1)} s`);
}

/** What a run leaves beside its outputs if they have values that do not show their key. */
function noteRekeyed({ direction, options }: RunRequest, { bound }: PolicyWithKeys, voice: Voice): void {
  if (!getsNote(openBound(bound), direction)) return;
  const { out, outDir } = options;
  voice.note(
    out === undefined && outDir === undefined
      ? 'values that do not show their key were moved, and standard output has no note of it: move such records once'
      : 'values that do not show their key were moved: keep the note .trefoil-rekeyed beside each output, which has the key',
  );
}

/** How many values were lost to erasures, with `onErased: missing`. */
function noteErased(values: number, voice: Voice): void {
  if (values > 0) voice.note(`${plural(values, 'erased value')} ${wordFor(values, 'counts', 'count')} as missing`);
}

/** Which encoding was read, and that another one was written. */
function noteEncoding(name: EncodingName | undefined, voice: Voice): void {
  const encoding = checkEncoding(name);
  if (encoding === 'utf-8') return;
  const meaning = name === encoding ? encoding : `${name}, which means ${encoding} as on the web`;
  voice.note(`the input was read as ${meaning}; the output is UTF-8`);
}

/** How many rows were rejected, where they are, and how many are in no output at all. */
function rejectedWarning({ rowsRejected, rowsNotHeld }: FileResult, file: string): string {
  const rejected = `${plural(rowsRejected, 'row')} rejected and left out`;
  if (rowsNotHeld === 0) return `${rejected}; ${file} contains ${wordFor(rowsRejected, 'it', 'them')}, sealed`;
  const held = rowsRejected - rowsNotHeld;
  const contained = held === 0 ? 'none of them' : `${count(held)} of them, sealed`;
  const lost = `${plural(rowsNotHeld, 'row')} longer than --max-record ${wordFor(rowsNotHeld, 'is', 'are')} in no output`;
  const advice = 'keep the input, and run it again with a larger --max-record';
  return `${rejected}; ${file} contains ${contained}; ${lost}: ${advice}`;
}
