/// <reference types="node" />
/**
 * What a run writes: records, rejects, and the manifest from which it can go on. No file has its name before all are
 * whole; the list of rejects gets its name before the outputs that lack them.
 */

import { createHash, randomBytes } from 'node:crypto';
import { lstat, realpath, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail, TrefoilError } from '../../errors.ts';
import { type Output, openOutput, partName, placePart } from '../file.ts';
import { packer } from '../inputs/compression.ts';
import { identityOf, STDIN } from '../inputs/inputs.ts';
import type { Counts, EndCounts, RunPlan } from '../plan.ts';
import { countNotHeld } from '../rejects.ts';
import { packageVersion } from '../version.ts';
import { type Lock, takeLock } from './lock.ts';
import { openResume, type Position, type Resume, type RunIdentity } from './resume.ts';

/** The outputs of a run. */
export interface RunOutputs {
  /** Where the run goes on; `null` at the beginning. */
  readonly from: Position | null;
  /** Counts of a run of which only the names were missing, and have been given now. */
  readonly done: EndCounts | null;
  /** Identity of the file of rejects. */
  readonly rejectsId: Uint8Array | null;
  /** Rejected records above the limit that the run before had: they are in no file. */
  readonly notHeldBefore: number;
  /** Goes on to an output; the one before is closed. */
  readonly open: (unit: number) => Promise<void>;
  /** Writes bytes of the current output. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly writeRejects: (text: string) => Promise<void>;
  /** Notes a place from which the run could go on, and brings it to the disk when it is time. */
  readonly note: (position: Omit<Position, 'outputs' | 'rejects'>) => Promise<void>;
  /** Gives all files their names. */
  readonly finish: (counts: Counts) => Promise<void>;
  /** After an error: takes everything away, or keeps what a run could go on from. It never throws. */
  readonly abandon: (error: unknown) => Promise<void>;
}

/** Shortest time between two entries in the manifest, in milliseconds. */
const SAVE_EVERY = 250;

/** Each entry waits for the disk: no more than one part in ten of the time is spent on that. */
const SAVE_SHARE = 10;

/**
 * Opens what the run needs before its first record; outputs are opened when their turn comes.
 *
 * @throws TrefoilError `output_exists`, `same_file`, `resume_refused`, `io_failed`, `no_space`.
 */
export async function openRunOutputs(plan: RunPlan): Promise<RunOutputs> {
  const paths = plan.units.map(({ output }) => (typeof output === 'string' ? output : null));
  const named = [...paths, plan.rejects].filter((path) => typeof path === 'string');
  const twice = named.find((path, i) => named.some((other, k) => k < i && resolve(other) === resolve(path)));
  if (twice !== undefined)
    fail('same_file', 'two outputs have the same name; give each a name of its own', { file: twice });

  const locks = await takeLocks(plan);
  try {
    return await openLocked(plan, { paths, named, locks });
  } catch (error) {
    await release(locks);
    throw error;
  }
}

/** The manifest belongs to one run at a time, and so does a file of rejects: runs with several outputs may share it. */
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
  /** Paths of the outputs; `null` for one that is a stream. */
  readonly paths: readonly (string | null)[];
  /** All files that get a name. */
  readonly named: readonly string[];
  readonly locks: readonly Lock[];
}

/** Opens the outputs of a run that nobody else is at. */
async function openLocked(plan: RunPlan, { paths, named, locks }: Locked): Promise<RunOutputs> {
  const ownId = plan.rejects === null ? null : randomBytes(16);
  const resume = plan.resume === null ? null : await openResume(plan.resume, await identify(plan, named), hex(ownId));
  const from = resume?.position ?? null;
  const rejectsId = resume === null || resume.rejectsId === null ? ownId : Buffer.from(resume.rejectsId, 'hex');
  if (resume?.whole === true && from !== null) {
    const done = await nameAll(plan, named, from, resume);
    await release(locks);
    return { ...DONE, done, rejectsId };
  }
  let notHeldBefore = 0;
  await refuseTaken(plan, paths);

  const files: (Output | null)[] = plan.units.map(() => null);
  const sizes: number[] = plan.units.map((_, unit) => from?.outputs[unit] ?? 0);
  let current: Output | null = null;
  let unitOpen = -1;
  let rejects: Output | null = null;
  let rejectsSize = from?.rejects ?? 0;
  let position: Position | null = from;
  let nextSave = performance.now() + SAVE_EVERY;
  // What is revealed is for its owner alone, also while it is half-written, and also where there is no record.
  const outputMode = plan.work.direction === 'reveal' ? 0o600 : undefined;

  async function openFile(path: string, size: number, mode: number | undefined): Promise<Output> {
    const inputs = plan.inputs.map((input) => (input === STDIN ? '/dev/stdin' : input));
    const others = named.filter((other) => other !== path);
    return openOutput(path, {
      force: plan.force,
      inputs: [...inputs, ...others],
      ...(mode === undefined ? {} : { mode }),
      ...(resume === null ? {} : { resumeAt: size }),
    });
  }

  /** An output without a record is empty, and when it is packed, an empty text that is packed: no bytes are no such file. */
  async function end(file: Output, unit: number): Promise<void> {
    if (sizes[unit] === 0) {
      const nothing = packer(plan.work.compression)(new Uint8Array(0));
      sizes[unit] = nothing.length;
      await file.write(nothing);
    }
    await file.close();
  }

  async function openUnit(unit: number): Promise<void> {
    // Outputs before it are whole; those of a run before are known by their size.
    if (current !== null) await end(current, unitOpen);
    const { output } = plan.units[unit]!;
    current = typeof output === 'string' ? await openFile(output, sizes[unit]!, outputMode) : output;
    files[unit] = current;
    unitOpen = unit;
  }

  async function save(): Promise<void> {
    if (resume === null || position === null) return;
    const begin = performance.now();
    await current?.sync();
    await rejects?.sync();
    await resume.save(position, false);
    const end = performance.now();
    nextSave = end + Math.max(SAVE_EVERY, SAVE_SHARE * (end - begin));
  }

  /** Ends all outputs. Those that a run before closed are opened again to be named. */
  async function endAll(): Promise<Output[]> {
    const all: Output[] = [];
    for (const [unit, path] of paths.entries()) {
      const file = files[unit] ?? (path === null ? null : await openFile(path, sizes[unit]!, outputMode));
      if (file === null) continue;
      await end(file, unit);
      all.push(file);
    }
    return all;
  }

  try {
    const to = plan.rejects;
    rejects = typeof to === 'string' ? await openFile(to, rejectsSize, 0o600) : to;
    // Opened, the half-written file has what the run before noted, and no more.
    if (typeof to === 'string' && rejectsSize > 0) {
      const part = partName(await realpath(to).catch(() => to));
      // A device has no such file, and nothing can be counted again.
      if ((await lstat(part).catch(() => null)) !== null) notHeldBefore = await countNotHeld(part);
    }
    // The first output is opened at once: what is wrong with it is said before anything is read.
    await openUnit(from?.unit ?? 0);
  } catch (error) {
    await rejects?.discard();
    throw error;
  }

  return {
    from,
    done: null,
    rejectsId,
    notHeldBefore,
    async open(unit) {
      if (unit !== unitOpen) await openUnit(unit);
    },
    async write(bytes) {
      sizes[unitOpen]! += bytes.length;
      await current!.write(bytes);
    },
    async writeRejects(text) {
      if (rejects === null || text === '') return;
      const bytes = new TextEncoder().encode(text);
      rejectsSize += bytes.length;
      await rejects.write(bytes);
    },
    async note(place) {
      position = { ...place, outputs: [...sizes], rejects: rejectsSize };
      if (resume !== null && performance.now() >= nextSave) await save();
    },
    async finish(counts) {
      // A plan whose last inputs were not reached (a limit) has outputs that were never opened: they are empty.
      const all = await endAll();
      await rejects?.close();
      if (resume !== null) {
        const end = { unit: plan.units.length, input: 0, place: { offset: 0, line: 1 }, inputRows: 0 };
        position = { ...end, ...counts, outputs: [...sizes], rejects: rejectsSize };
        await resume.save(position, true);
      }
      for (const lock of locks) await lock.check();
      await rejects?.finish();
      for (const file of all) await file.finish();
      await resume?.remove();
      await release(locks);
    },
    async abandon(error) {
      // What another run has taken over is that run's: nothing of it is changed.
      if (error instanceof TrefoilError && error.code === 'resume_refused') {
        for (const file of [...files, rejects]) await file?.keep();
        return release(locks);
      }
      const goesOn = resume !== null && position !== null && canGoOn(error);
      if (goesOn) await save().catch(() => {});
      const all = [...files, rejects].filter((file) => file !== null);
      for (const file of all) await (goesOn ? file.keep() : file.discard());
      if (!goesOn && resume !== null) {
        for (const path of named) await unlink(partName(path)).catch(() => {});
        await resume.remove();
      }
      await release(locks);
    },
  };
}

const DONE: Omit<RunOutputs, 'done' | 'rejectsId'> = {
  from: null,
  notHeldBefore: 0,
  open: async () => {},
  write: async () => {},
  writeRejects: async () => {},
  note: async () => {},
  finish: async () => {},
  abandon: async () => {},
};

/** Whether a run that ended so may end well the next time: data, policy and keys would be refused again. */
function canGoOn(error: unknown): boolean {
  return !(error instanceof TrefoilError) || (error.kind === 'io' && error.code !== 'bad_compression');
}

/** Gives the names that a run before could not give any more. */
async function nameAll(
  plan: RunPlan,
  named: readonly string[],
  { rows, rejected, bytesIn, bytesOut, outputs, rejects }: Position,
  resume: Resume,
): Promise<EndCounts> {
  const sizes = plan.rejects === null ? outputs : [...outputs, rejects];
  const order = named.map((path, i) => ({ path, size: sizes[i]! }));
  if (plan.rejects !== null) order.unshift(order.pop()!);
  for (const { path, size } of order) await placePart(path, size, plan.force);
  const notHeld = typeof plan.rejects === 'string' ? await countNotHeld(plan.rejects) : 0;
  await resume.remove();
  return { rows, rejected, bytesIn, bytesOut, notHeld };
}

/** Says early what would be said when an output's turn comes. */
async function refuseTaken(plan: RunPlan, paths: readonly (string | null)[]): Promise<void> {
  if (plan.force || paths.length < 2) return;
  for (const path of paths) {
    if (path === null || (await lstat(path).catch(() => null)) === null) continue;
    fail('output_exists', 'the output exists; remove it, or set force to replace it', { file: path });
  }
}

/** What the run is, so that another can tell whether it is the same. */
async function identify(plan: RunPlan, outputs: readonly string[]): Promise<RunIdentity> {
  const { inside, work, units } = plan;
  const { direction, ...options } = work;
  return {
    version: packageVersion,
    command: direction,
    policy: createHash('sha256').update(JSON.stringify(inside.sheet)).digest('hex'),
    keys: Object.fromEntries(inside.keys.keys.map(({ id, check }) => [id, check])),
    options: { ...options, limit: Number.isFinite(plan.limit) ? plan.limit : null },
    inputs: await Promise.all(units.flatMap(({ inputs }) => inputs).map(identityOf)),
    outputs: outputs.map((path) => resolve(path)),
    stores: plan.stores,
  };
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}
