/// <reference types="node" />
/**
 * Resuming: a manifest beside the output notes how far a run has got and what it ran with, so that another run can
 * continue after the last complete chunk. The new run must be the same in every part, or it is refused: no output is
 * ever written under two policies.
 *
 * The manifest has no value, no key and nothing that is computed from a value. It has the names, sizes, inode numbers
 * and times of files, a digest of the policy, check values of keys, and counts of records and bytes. One run at a time
 * may use it (`lock.ts`).
 */

import { open, readFile, rename, unlink } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import type { Place } from '../../io/frames.ts';
import { KEY_ID } from '../../keys/checks.ts';
import type { FileIdentity } from '../inputs/inputs.ts';
import { errorCode, systemError } from '../system-error.ts';

const VERSION = 'resume-v1';

/** A description of a run, by parts. An interrupted run is resumed only if all parts are equal. */
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

/** The beginning of the message about a part that is not equal. */
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

/** How far a run has got. Everything before the position is written and on the disk. */
export interface Position {
  /** Index of the output, and of the input among the inputs of that output. */
  readonly unit: number;
  readonly input: number;
  /** The place in that input. */
  readonly place: Place;
  /** Records of that input before the place. */
  readonly inputRows: number;
  readonly rows: number;
  readonly rejected: number;
  readonly erased: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Good bytes of each output that was begun, and of the file of rejects. */
  readonly outputs: readonly number[];
  readonly rejects: number;
}

/** Content of the manifest. */
interface Manifest {
  readonly trefoil: typeof VERSION;
  readonly run: RunIdentity;
  /** Identity of the file of rejects, in hexadecimal. */
  readonly rejectsId: string | null;
  readonly position: Position;
  /** Whether everything is written and only the names are missing. */
  readonly whole: boolean;
}

/** The manifest of a run. */
export interface Resume {
  /** How far the interrupted run got; `null` if there was none. */
  readonly position: Position | null;
  /** Whether the interrupted run only had to name its files. */
  readonly whole: boolean;
  readonly rejectsId: string | null;
  /** Saves how far this run has got. The outputs must be on the disk before. */
  readonly save: (position: Position, whole: boolean) => Promise<void>;
  /** Removes the manifest at the end of the run. It never throws. */
  readonly remove: () => Promise<void>;
}

/**
 * Reads the manifest at a path, or begins a new one if there is none.
 *
 * @param rejectsId identity of the file of rejects, if there is no manifest.
 * @throws TrefoilError `resume_refused` if the manifest is of a different run or is not a manifest; `io_failed`.
 */
export async function openResume(path: string, run: RunIdentity, rejectsId: string | null): Promise<Resume> {
  const before = await readManifest(path);
  if (before !== null) checkSame(path, before, run);
  const id = before === null ? rejectsId : before.rejectsId;
  return {
    position: before?.position ?? null,
    whole: before?.whole ?? false,
    rejectsId: id,
    save: (position, whole) => {
      const manifest: Manifest = { trefoil: VERSION, run, rejectsId: id, position, whole };
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
    if (errorCode(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot be read', path);
  }
  let manifest: Partial<Manifest> | null = null;
  try {
    manifest = JSON.parse(text) as Partial<Manifest>;
  } catch {
    // Refused below.
  }
  if (manifest?.trefoil !== VERSION || manifest.run === undefined || manifest.position === undefined) {
    fail('resume_refused', 'the file is not a manifest of a run; remove it, or set another output', { file: path });
  }
  return manifest as Manifest;
}

function checkSame(path: string, before: Manifest, run: RunIdentity): void {
  for (const part of Object.keys(CHANGED) as (keyof RunIdentity)[]) {
    if (JSON.stringify(before.run[part]) === JSON.stringify(run[part])) continue;
    const why = `${CHANGED[part]} since the interrupted run`;
    const more = part === 'keys' ? `${lostKey(before.run.keys, run.keys)}, or` : ';';
    const advice = 'remove the manifest and the .trefoil-part files to start again';
    fail('resume_refused', `${why}${more} ${advice}`, { file: path });
  }
}

/** Says which key of the interrupted run is not there, in the words of a pin that a key file does not meet. */
function lostKey(before: RunIdentity['keys'], now: RunIdentity['keys']): string {
  // The key that the caller named is beside the ids.
  if (before.from !== now.from) return ': another key is named; name the same key (--from, in code fromKey)';
  const lost = Object.keys(before).filter((id) => KEY_ID.test(id) && !Object.hasOwn(now, id));
  if (lost.length === 0)
    return '; the key file is from before or after a step of a rotation: use that of the interrupted run';
  return (
    `: that run had key ${lost.join(', ')}, which the key file lacks; the file is from before that key was added or ` +
    'after it was taken out, so use that of the interrupted run'
  );
}

/** The temporary name is always the same, so that the next run finds and removes what a killed run left. */
function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/** Replaces a file. After a crash or a power failure the file has either the old content or the new, never a part. */
export async function writeWhole(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    // A run that was killed while it wrote may have left one.
    await unlink(temporary).catch(() => {});
    const handle = await open(temporary, 'wx', mode);
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
