/// <reference types="node" />
/**
 * The files that a run writes: outputs, rejects, and the manifest from which an interrupted run can continue. No file
 * gets its name before all are complete. The file of rejects gets its name before the outputs from which the rejected
 * records are missing.
 */

import { createHash, randomBytes } from 'node:crypto';
import { lstat, realpath, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { given } from '../../core/given.ts';
import { fail, TrefoilError } from '../../errors.ts';
import type { OpenedKeys } from '../../keys/domain-keys.ts';
import type { BoundInside } from '../../policy/bound.ts';
import { packer } from '../inputs/compression.ts';
import { identityOf, STDIN } from '../inputs/inputs.ts';
import type { Counts, EndCounts, RunPlan } from '../plan.ts';
import { countRejects, NO_REJECTS, type RejectCounts } from '../rejects.ts';
import { packageVersion } from '../version.ts';
import { type Lock, takeLock } from './lock.ts';
import { checkPart, type Output, openOutput, partName, placePart, STDIN_PATH } from './output-file.ts';
import { getsNote, writeNote } from './rekeyed-note.ts';
import { openResume, type Position, type Resume, type RunIdentity } from './resume.ts';

/** The outputs of a run. */
export interface RunOutputs {
  /** Where the run continues; `null` if it starts at the beginning. */
  readonly from: Position | null;
  /** Counts of an interrupted run that only had to name its files, which is done now; `null` for any other run. */
  readonly done: EndCounts | null;
  /** Identity of the file of rejects. */
  readonly rejectsId: Uint8Array | null;
  /** The rejects of the interrupted run. The manifest does not have them, because the file of rejects does. */
  readonly rejectsBefore: RejectCounts;
  /** Makes an output the current one, and closes the one before. */
  readonly open: (unit: number) => Promise<void>;
  /** Writes bytes to the current output. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly writeRejects: (text: string) => Promise<void>;
  /** Notes a position from which the run could continue, and saves it to the manifest from time to time. */
  readonly note: (position: Omit<Position, 'outputs' | 'rejects'>) => Promise<void>;
  /** Completes all files and gives them their names. */
  readonly finish: (counts: Counts) => Promise<void>;
  /** Called after an error. Removes all files, or keeps them if the run can be resumed. It never throws. */
  readonly abandon: (error: unknown) => Promise<void>;
}

/** Shortest time between two saves of the manifest, in milliseconds. */
const SAVE_EVERY = 250;

/**
 * Saving waits for the disk. The pause until the next save is this many times as long as the save took, so that saving
 * takes at most a tenth of the time.
 */
const SAVE_SHARE = 10;

/**
 * Opens what the run needs before its first record. Each output is opened when its first record is written.
 *
 * @throws TrefoilError `output_exists`, `same_file`, `resume_refused`, `io_failed`, `no_space`.
 */
export async function openRunOutputs(plan: RunPlan): Promise<RunOutputs> {
  const paths = plan.units.map(({ output }) => (typeof output === 'string' ? output : null));
  const named = [...paths, plan.rejects].filter((path) => typeof path === 'string');
  const twice = named.find((path, i) => named.some((other, k) => k < i && resolve(other) === resolve(path)));
  if (twice !== undefined) {
    fail('same_file', 'two outputs have the same name; give each a name of its own', { file: twice });
  }
  const locks = await takeLocks(plan);
  try {
    return await openLocked(plan, { paths, named, locks });
  } catch (error) {
    await release(locks);
    throw error;
  }
}

/** Locks the manifest and the file of rejects, because runs with different outputs may share a file of rejects. */
async function takeLocks({ resume, rejects }: RunPlan): Promise<readonly Lock[]> {
  const locks: Lock[] = [];
  if (resume === null) return locks;
  try {
    locks.push(await takeLock(`${resume}.lock`, resume));
    if (typeof rejects === 'string') locks.push(await takeLock(`${partName(rejects)}.lock`, rejects));
  } catch (error) {
    await release(locks);
    throw error;
  }
  return locks;
}

async function release(locks: readonly Lock[]): Promise<void> {
  for (const lock of locks) await lock.release();
}

interface Locked {
  /** Paths of the outputs; `null` for an output that is a stream. */
  readonly paths: readonly (string | null)[];
  /** All files that get a name. */
  readonly named: readonly string[];
  readonly locks: readonly Lock[];
}

/** State of the outputs of a run. */
interface Writing extends Locked {
  readonly plan: RunPlan;
  readonly resume: Resume | null;
  /** Open files, by unit. */
  readonly files: (Output | null)[];
  /** Bytes of each output. */
  readonly sizes: number[];
  /** The output that is written to, and its unit. */
  current: Output | null;
  unitOpen: number;
  rejects: Output | null;
  rejectsSize: number;
  rejectsBefore: RejectCounts;
  /** Where the run could continue; `null` if nothing was noted yet. */
  position: Position | null;
  /** When the manifest may be saved again, as `performance.now()`. */
  nextSave: number;
}

/** Opens the outputs of a run that holds its locks. */
async function openLocked(plan: RunPlan, locked: Locked): Promise<RunOutputs> {
  const { paths, named, locks } = locked;
  const ownId = plan.rejects === null ? null : randomBytes(16);
  const resume = plan.resume === null ? null : await openResume(plan.resume, await identify(plan, named), hex(ownId));
  const from = resume?.position ?? null;
  const rejectsId = resume === null || resume.rejectsId === null ? ownId : Buffer.from(resume.rejectsId, 'hex');
  if (resume?.whole === true && from !== null) {
    const done = await nameAll(plan, named, from, resume);
    await release(locks);
    return { ...DONE, done, rejectsId };
  }
  await refuseTaken(plan, paths);
  if (from !== null) await checkParts(plan, paths, from);
  const writing: Writing = {
    ...locked,
    plan,
    resume,
    files: plan.units.map(() => null),
    sizes: plan.units.map((_, unit) => from?.outputs[unit] ?? 0),
    current: null,
    unitOpen: -1,
    rejects: null,
    rejectsSize: from?.rejects ?? 0,
    rejectsBefore: NO_REJECTS,
    position: from,
    nextSave: performance.now() + SAVE_EVERY,
  };
  try {
    await openRejectsFile(writing);
    // The first output is opened at once, so that an error about it is reported before anything is read.
    await openUnit(writing, from?.unit ?? 0);
  } catch (error) {
    // What the interrupted run left is still whole, so the next run can continue.
    await (from === null ? writing.rejects?.discard() : writing.rejects?.keep());
    throw error;
  }
  return {
    from,
    done: null,
    rejectsId,
    rejectsBefore: writing.rejectsBefore,
    async open(unit) {
      if (unit !== writing.unitOpen) await openUnit(writing, unit);
    },
    async write(bytes) {
      writing.sizes[writing.unitOpen]! += bytes.length;
      await writing.current!.write(bytes);
    },
    async writeRejects(text) {
      if (writing.rejects === null || text === '') return;
      const bytes = new TextEncoder().encode(text);
      writing.rejectsSize += bytes.length;
      await writing.rejects.write(bytes);
    },
    async note(place) {
      writing.position = { ...place, outputs: [...writing.sizes], rejects: writing.rejectsSize };
      if (resume !== null && performance.now() >= writing.nextSave) await save(writing);
    },
    finish: (counts) => finishAll(writing, counts),
    abandon: (error) => abandonAll(writing, error),
  };
}

/** Refuses to continue if an output or the file of rejects has fewer bytes than the interrupted run noted. */
async function checkParts(plan: RunPlan, paths: readonly (string | null)[], from: Position): Promise<void> {
  for (const [unit, path] of paths.entries()) {
    if (path !== null) await checkPart(path, from.outputs[unit] ?? 0);
  }
  if (typeof plan.rejects === 'string') await checkPart(plan.rejects, from.rejects);
}

/** Opens a file that gets a name. `size` is the number of good bytes that an interrupted run left. */
function openFile({ plan, named, resume }: Writing, path: string, size: number, mode?: number): Promise<Output> {
  const inputs = plan.inputs.map((input) => (input === STDIN ? STDIN_PATH : input));
  const others = named.filter((other) => other !== path);
  const resumeAt = resume === null ? undefined : size;
  return openOutput(path, { force: plan.force, inputs: [...inputs, ...others], ...given({ mode, resumeAt }) });
}

function openOutputFile(writing: Writing, path: string, unit: number): Promise<Output> {
  // Revealed data are for the owner alone, even while the file is incomplete, and even if it has no record.
  const mode = writing.plan.work.direction === 'reveal' ? 0o600 : undefined;
  return openFile(writing, path, writing.sizes[unit]!, mode);
}

async function openRejectsFile(writing: Writing): Promise<void> {
  const { rejectsSize } = writing;
  const to = writing.plan.rejects;
  writing.rejects = typeof to === 'string' ? await openFile(writing, to, rejectsSize, 0o600) : to;
  if (typeof to !== 'string' || rejectsSize === 0) return;
  // The file now has exactly what the interrupted run noted, so its records can be counted again. A device has no file.
  const part = partName(await realpath(to).catch(() => to));
  if ((await lstat(part).catch(() => null)) !== null) writing.rejectsBefore = await countRejects(part);
}

/** Completes the current output and opens that of another unit. */
async function openUnit(writing: Writing, unit: number): Promise<void> {
  if (writing.current !== null) await endFile(writing, writing.current, writing.unitOpen);
  const { output } = writing.plan.units[unit]!;
  writing.current = typeof output === 'string' ? await openOutputFile(writing, output, unit) : output;
  writing.files[unit] = writing.current;
  writing.unitOpen = unit;
}

/**
 * Completes an output. If it has no byte yet, an empty text is written in the compression of the run, because a
 * compressed file of no bytes is not valid.
 */
async function endFile({ plan, sizes }: Writing, file: Output, unit: number): Promise<void> {
  if (sizes[unit] === 0) {
    const nothing = packer(plan.work.compression)(new Uint8Array(0));
    sizes[unit] = nothing.length;
    await file.write(nothing);
  }
  await file.close();
}

/**
 * Completes all outputs, and writes their notes if they need some. Outputs that an interrupted run closed are opened
 * again, so that they can be named.
 */
async function endAll(writing: Writing): Promise<Output[]> {
  const { files, paths } = writing;
  const all: Output[] = [];
  const { inside, work } = writing.plan;
  const isNoted = getsNote(inside, work.direction);
  for (const [unit, path] of paths.entries()) {
    const file = files[unit] ?? (path === null ? null : await openOutputFile(writing, path, unit));
    if (file === null) continue;
    await endFile(writing, file, unit);
    if (isNoted && path !== null && file.temporary !== null) await writeNote(path, file.temporary, inside);
    all.push(file);
  }
  return all;
}

/** Saves the position to the manifest. All bytes before it are brought to the disk first. */
async function save(writing: Writing): Promise<void> {
  const { resume, position } = writing;
  if (resume === null || position === null) return;
  const begin = performance.now();
  await writing.current?.sync();
  await writing.rejects?.sync();
  await resume.save(position, false);
  const end = performance.now();
  writing.nextSave = end + Math.max(SAVE_EVERY, SAVE_SHARE * (end - begin));
}

async function finishAll(writing: Writing, counts: Counts): Promise<void> {
  const { plan, resume, locks } = writing;
  // If a limit ended the run early, the outputs of the last inputs were never opened. They are empty files.
  const all = await endAll(writing);
  await writing.rejects?.close();
  if (resume !== null) {
    const end = { unit: plan.units.length, input: 0, place: { offset: 0, line: 1 }, inputRows: 0 };
    const { rows, rejected, erased, bytesIn, bytesOut } = counts;
    writing.position = {
      ...end,
      rows,
      rejected,
      erased,
      bytesIn,
      bytesOut,
      outputs: [...writing.sizes],
      rejects: writing.rejectsSize,
    };
    await resume.save(writing.position, true);
  }
  for (const lock of locks) await lock.check();
  await writing.rejects?.finish();
  for (const file of all) await file.finish();
  await resume?.remove();
  await release(locks);
}

async function abandonAll(writing: Writing, error: unknown): Promise<void> {
  const { resume, locks, named } = writing;
  const all = [...writing.files, writing.rejects].filter((file) => file !== null);
  // Another run has taken over: the files are now that run's and stay as they are.
  if (error instanceof TrefoilError && error.code === 'resume_refused') {
    for (const file of all) await file.keep();
    return release(locks);
  }
  const canResume = resume !== null && writing.position !== null && mayEndWell(error);
  if (canResume) await save(writing).catch(() => {});
  for (const file of all) await (canResume ? file.keep() : file.discard());
  if (!canResume && resume !== null) {
    for (const path of named) await unlink(partName(path)).catch(() => {});
    await resume.remove();
  }
  await release(locks);
}

const DONE: Omit<RunOutputs, 'done' | 'rejectsId'> = {
  from: null,
  rejectsBefore: NO_REJECTS,
  open: async () => {},
  write: async () => {},
  writeRejects: async () => {},
  note: async () => {},
  finish: async () => {},
  abandon: async () => {},
};

/**
 * Whether a run that failed with this error may succeed the next time. Data, policy and keys would be refused again.
 */
function mayEndWell(error: unknown): boolean {
  return !(error instanceof TrefoilError) || (error.kind === 'io' && error.code !== 'bad_compression');
}

/** Gives the files of an interrupted run their names, and returns the counts of that run. */
async function nameAll(
  plan: RunPlan,
  named: readonly string[],
  { rows, rejected, erased, bytesIn, bytesOut, outputs, rejects }: Position,
  resume: Resume,
): Promise<EndCounts> {
  const sizes = plan.rejects === null ? outputs : [...outputs, rejects];
  const order = named.map((path, i) => ({ path, size: sizes[i]! }));
  if (plan.rejects !== null) order.unshift(order.pop()!);
  for (const { path, size } of order) await placePart(path, size, plan.force);
  const counted = typeof plan.rejects === 'string' ? await countRejects(plan.rejects) : NO_REJECTS;
  await resume.remove();
  return { rows, rejected, erased, bytesIn, bytesOut, ...counted };
}

/** Refuses outputs that exist already, before the first one is written instead of when each is opened. */
async function refuseTaken(plan: RunPlan, paths: readonly (string | null)[]): Promise<void> {
  if (plan.force || paths.length < 2) return;
  for (const path of paths) {
    if (path === null || (await lstat(path).catch(() => null)) === null) continue;
    fail('output_exists', 'the output exists; remove it, or set force to replace it', { file: path });
  }
}

/** Describes the run for the manifest, so that another run can tell whether it is the same. */
async function identify(plan: RunPlan, outputs: readonly string[]): Promise<RunIdentity> {
  const { inside, work, units } = plan;
  // The name in the file stays, so that a run which another build began can be continued.
  const { direction, fileFormat: format, ...options } = work;
  return {
    version: packageVersion,
    command: direction,
    policy: createHash('sha256').update(sheetsOf(inside)).digest('hex'),
    keys: keysOf(inside),
    options: { format, ...options, limit: Number.isFinite(plan.limit) ? plan.limit : null },
    inputs: await Promise.all(units.flatMap(({ inputs }) => inputs).map(identityOf)),
    outputs: outputs.map((path) => resolve(path)),
    stores: plan.stores,
  };
}

/** The policy, with that of a recipient. */
function sheetsOf({ sheet, moving }: BoundInside): string {
  return JSON.stringify(moving?.as == null ? sheet : [sheet, moving.as]);
}

/**
 * The checks of the keys by their ids, and the key that the caller named. If records are moved, those of both sides,
 * and which keys they go between.
 */
function keysOf({ keys, fromKey: named, moving }: BoundInside): Readonly<Record<string, string>> {
  const checks = ({ keys }: OpenedKeys) => Object.fromEntries(keys.map(({ id, check }) => [id, check]));
  if (moving === undefined) return { ...checks(keys), ...given({ from: named ?? undefined }) };
  const { from, to, fromKey } = moving;
  return { ...checks(from), ...checks(to), from: fromKey ?? '', to: to.primary.id };
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}
