/// <reference types="node" />
/**
 * Resuming: a manifest beside the output says how far a run has come and under what it ran, so that another run can go
 * on behind the last whole chunk. What must be equal is compared, never adjusted: a file is under one policy or it is
 * refused.
 *
 * The manifest holds no value, no key and nothing that is computed from a value: names, sizes, numbers and times of files,
 * a digest of the policy, check values of keys, counts of records and bytes.
 */

import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fail } from '../../errors.ts';
import type { Place } from '../../io/frames.ts';
import { systemError } from '../file.ts';
import type { FileIdentity } from '../inputs/inputs.ts';
import { isAlive } from './owner.ts';

const VERSION = 'resume-v1';

/** What a run is, by parts. A run goes on only if all of them are what they were. */
export interface RunIdentity {
  readonly version: string;
  readonly command: string;
  readonly policy: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly options: unknown;
  readonly inputs: readonly FileIdentity[];
  readonly outputs: readonly string[];
  readonly stores: readonly string[];
}

/** What a part is called when it is not what it was. */
const CHANGED: Readonly<Record<keyof RunIdentity, string>> = {
  version: 'the version of trefoil has changed',
  command: 'the command has changed',
  policy: 'the policy has changed',
  keys: 'the keys have changed',
  options: 'the options have changed',
  inputs: 'an input or the list of inputs has changed',
  outputs: 'the outputs have changed',
  stores: 'the store of the vault has changed',
};

/** How far a run has come: everything before is written and on the disk. */
export interface Position {
  /** Index of the output, and of the input among the inputs of that output. */
  readonly unit: number;
  readonly input: number;
  /** Where in that input. */
  readonly place: Place;
  /** Records of that input before the place. */
  readonly inputRows: number;
  readonly rows: number;
  readonly rejected: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Good bytes of each output that was begun, and of the rejects. */
  readonly outputs: readonly number[];
  readonly rejects: number;
}

/** What stands in the file. */
interface Manifest {
  readonly trefoil: typeof VERSION;
  readonly run: RunIdentity;
  readonly holder: Holder;
  /** Identity of the file of rejects, in hexadecimal. */
  readonly rejectsId: string | null;
  readonly position: Position;
  /** Everything is written; only names are missing. */
  readonly whole: boolean;
}

/** The process that works on it. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Linux's identity of the boot: after a restart a process of the same number is another. */
  readonly boot: string;
}

/** The manifest of a run. */
export interface Resume {
  /** How far the run before came; `null` when there was none. */
  readonly position: Position | null;
  /** Whether only names were missing. */
  readonly whole: boolean;
  readonly rejectsId: string | null;
  /** Writes how far this run has come. The outputs must be on the disk by then. */
  readonly save: (position: Position, whole: boolean) => Promise<void>;
  /** The run is over. */
  readonly remove: () => Promise<void>;
}

/**
 * Opens the manifest at a path, or begins one.
 *
 * @param rejectsId of this run, if it begins.
 * @throws TrefoilError `resume_refused` when the run was another, is still at work, or the manifest is none.
 */
export async function openResume(path: string, run: RunIdentity, rejectsId: string | null): Promise<Resume> {
  const before = await readManifest(path);
  if (before !== null) await checkSame(path, before, run);
  const holder = await thisProcess();
  const id = before === null ? rejectsId : before.rejectsId;
  return {
    position: before?.position ?? null,
    whole: before?.whole ?? false,
    rejectsId: id,
    save: (position, whole) => {
      const manifest: Manifest = { trefoil: VERSION, run, holder, rejectsId: id, position, whole };
      return writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`);
    },
    async remove() {
      for (const name of [temporaryOf(path), path]) await unlink(name).catch(() => {});
    },
  };
}

async function readManifest(path: string): Promise<Manifest | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ENOENT') return null;
    throw systemError(error, 'cannot be read', path);
  }
  let manifest: Partial<Manifest> | null = null;
  try {
    manifest = JSON.parse(text) as Partial<Manifest>;
  } catch {
    // Said below.
  }
  if (manifest?.trefoil !== VERSION || manifest.run === undefined || manifest.position === undefined) {
    fail('resume_refused', 'the file is not a manifest of a run; remove it, or set another output', { file: path });
  }
  return manifest as Manifest;
}

async function checkSame(path: string, before: Manifest, run: RunIdentity): Promise<void> {
  for (const part of Object.keys(CHANGED) as (keyof RunIdentity)[]) {
    if (JSON.stringify(before.run[part]) === JSON.stringify(run[part])) continue;
    const message = `${CHANGED[part]} since the interrupted run; remove the manifest and the .trefoil-part files to start again`;
    fail('resume_refused', message, { file: path });
  }
  const us = await thisProcess();
  const { pid, host, boot } = before.holder;
  if (host === us.host && boot === us.boot && pid !== us.pid && isAlive(pid)) {
    fail('resume_refused', `process ${pid} is still working on it`, { file: path });
  }
}

async function thisProcess(): Promise<Holder> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return { pid: process.pid, host: hostname(), boot: boot.trim() };
}

/** Always the same name, so that what a killed run left behind is found by the next one. */
function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/** A file that is there as a whole or as it was before, also after the power went. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    // Of a run that was killed while it wrote.
    await unlink(temporary).catch(() => {});
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw systemError(error, 'cannot be written', path);
  }
}

/** Bytes of a file, or `null` if there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    (stats) => stats.size,
    () => null,
  );
}
