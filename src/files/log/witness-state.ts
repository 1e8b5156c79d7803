/// <reference types="node" />
/**
 * What a witness remembers, in a folder: a file for each log with the checkpoint that was cosigned last, named by the
 * hash of the log's origin, and `witness.json`, which names the key of the witness and lists these hashes. So a file
 * that is missing is found, and not taken for a log of which nothing was cosigned.
 *
 * A checkpoint is written under another name, brought to the disk (`fsync`) and renamed, and then the folder is brought
 * to the disk, before its cosignature may leave. A lock keeps a second process away: two witnesses over one folder
 * could each cosign another tree.
 */

import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { badType, checkOptions } from '../../core/checks.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { originHash } from '../../log/witness/latest.ts';
import type { WitnessState } from '../../log/witness/state.ts';
import { MOST_NOTE_BYTES } from '../../note/note-text.ts';
import { verifierKey } from '../../note/verifier.ts';
import { takeLock } from '../outputs/lock.ts';
import { temporaryPath } from '../outputs/temporary.ts';
import { errorCode, guard } from '../system-error.ts';

/** The state of a witness in a folder. It is locked until it is closed. */
export interface WitnessFolder extends WitnessState {
  /** Waits for what is being written, and removes the lock. */
  readonly close: () => Promise<void>;
}

/** Options of {@link witnessFolder}. */
export interface WitnessFolderOptions {
  /** The verifier key of the witness. A folder belongs to one key. */
  readonly key: string;
  /** Make the folder, which must not exist or must be empty. Without it, a folder that is missing is an error. */
  readonly create?: boolean;
}

/** The file that names the key. */
const ABOUT = 'witness.json';

/** The lock. */
const LOCK = 'lock';

/**
 * Opens the folder in which a witness remembers what it has cosigned. One process at a time may have it open.
 *
 * **Warning**: never restore the folder from a backup. A witness with an old state may cosign a second tree of a size
 * that it has already cosigned. That is also why a folder that is missing is not made again in silence.
 *
 * @param path of the folder. Its files are for their owner alone (mode 0600).
 * @throws TrefoilError `witness_state_missing` if there is no state and `create` is not set; `output_exists` if it is
 *   set and there is one; `witness_state_broken` if the folder is of another key, or its files are damaged or missing,
 *   also while it is open;
 *   `resume_refused` if another process has it open; `io_failed`, `no_space`.
 *
 * @example
 * ```ts
 * import { mkdtemp } from 'node:fs/promises';
 * import { newNoteKey } from 'trefoil/log';
 * import { witnessFolder } from 'trefoil/node';
 *
 * const folder = `${await mkdtemp('/tmp/witness-')}/state`;
 * const { verifierKey } = newNoteKey('witness.example', { algorithm: 'cosignature/v1' });
 * const state = await witnessFolder(folder, { key: verifierKey, create: true });
 * await state.latest('log.example'); // → null
 * await state.close();
 * ```
 */
export async function witnessFolder(path: string, options: WitnessFolderOptions): Promise<WitnessFolder> {
  if (typeof path !== 'string' || path === '') badType('path', 'expected the path of a folder');
  const { key, create = false } = checkOptions<WitnessFolderOptions>('options', options, ['key', 'create']);
  const { text } = verifierKey(key);
  if (typeof create !== 'boolean') badType('create', 'expected true or false');
  if (create) await makeFolder(path);
  else await checkAbout(path, text);
  const lock = await lockOf(path);
  let logs: ReadonlySet<string>;
  try {
    if (create) await writeDurably(path, ABOUT, aboutText(text, []));
    logs = await findLogs(path, await checkAbout(path, text));
  } catch (error) {
    await lock.release();
    throw error;
  }
  let turn: Promise<unknown> = Promise.resolve();

  async function latest(origin: string): Promise<string | null> {
    const found = await readState(join(path, fileOf(origin)));
    if (found === null && logs.has(originHash(origin))) lost(path);
    return found;
  }

  return {
    latest,
    replace(origin, before, after) {
      const done = turn.then(async () => {
        await lock.check();
        if ((await latest(origin)) !== before) return false;
        await writeDurably(path, fileOf(origin), after);
        // The list comes second: a process that ends between the two leaves a checkpoint that is found by its name.
        if (!logs.has(originHash(origin))) logs = await list(path, text, [...logs, originHash(origin)]);
        return true;
      });
      turn = done.catch(() => {});
      return done;
    },
    async close() {
      await turn;
      await lock.release();
    },
  };
}

/** The lock of a folder. Its own words are about runs; those of a witness are clearer here. */
async function lockOf(path: string): ReturnType<typeof takeLock> {
  try {
    return await takeLock(join(path, LOCK), path);
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'resume_refused') throw error;
    return fail('resume_refused', `another witness may have this folder open: ${error.issues[0]!.message}`, {
      file: path,
    });
  }
}

const fileOf = (origin: string): string => `${originHash(origin)}.checkpoint`;

/** Makes the folder, or takes an empty one. A process that was killed while it made one leaves a lock alone. */
async function makeFolder(path: string): Promise<void> {
  await guard(path, mkdir(path, { recursive: true, mode: 0o700 }));
  const names = await guard(path, readdir(path), 'cannot be read');
  if (names.some((name) => name !== LOCK && !name.startsWith('.trefoil-'))) {
    fail('output_exists', 'the folder is not empty, and the state of a witness is never replaced', { file: path });
  }
  await syncStrictly(join(path, '..'));
}

/** The text of `witness.json`. */
function aboutText(key: string, logs: readonly string[]): string {
  return `${JSON.stringify({ trefoil: 'witness-v1', key, logs })}\n`;
}

/** Lists the logs in `witness.json`. */
async function list(path: string, key: string, logs: readonly string[]): Promise<ReadonlySet<string>> {
  const sorted = [...logs].sort();
  await writeDurably(path, ABOUT, aboutText(key, sorted));
  return new Set(sorted);
}

/** The hashes of the logs of which there is a checkpoint. @throws TrefoilError if one of the list is missing. */
async function findLogs(path: string, listed: readonly string[]): Promise<ReadonlySet<string>> {
  const names = await guard(path, readdir(path), 'cannot be read');
  const found = names.flatMap((name) => FILE.exec(name)?.[1] ?? []);
  if (!listed.every((hash) => found.includes(hash))) lost(path);
  return new Set(found);
}

/** The file of a checkpoint. */
const FILE = /^([0-9a-f]{64})\.checkpoint$/;

function lost(file: string): never {
  const message =
    'the last checkpoint of a log is missing, so the witness might cosign a second tree; if it cannot be found, make a ' +
    'new key and a new state';
  return fail('witness_state_broken', message, { file });
}

/** Checks that the folder is the state of the witness with this key. Returns the hashes of the logs in its list. */
async function checkAbout(path: string, key: string): Promise<readonly string[]> {
  const about = await readState(join(path, ABOUT));
  if (about === null) {
    fail(
      'witness_state_missing',
      'there is no state of a witness; only for a new witness make it with `create: true`, because one that has lost ' +
        'its state may cosign a second tree',
      { file: path },
    );
  }
  const logs = [...about.matchAll(/[0-9a-f]{64}/g)].map(([hash]) => hash);
  if (about !== aboutText(key, logs)) {
    fail('witness_state_broken', 'the folder is the state of a witness with another key, or it is damaged', {
      file: path,
    });
  }
  return logs;
}

async function readState(path: string): Promise<string | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    return guard(path, Promise.reject(error), 'cannot be read');
  }
  if (bytes.length > MOST_NOTE_BYTES) return damaged(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return damaged(path);
  }
}

function damaged(path: string): never {
  return fail('witness_state_broken', 'the file is not a checkpoint that a witness has written', { file: path });
}

/** Writes a file so that it is either the old or the new one, and the new one when the promise has resolved. */
async function writeDurably(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  const temporary = await temporaryPath(folder);
  try {
    const handle = await guard(path, open(temporary, 'wx', 0o600));
    try {
      await guard(path, handle.writeFile(text));
      await guard(path, handle.sync());
    } finally {
      await handle.close();
    }
    await guard(path, rename(temporary, path));
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncStrictly(folder);
}

/** Brings the names in a folder to the disk. Windows cannot, and keeps them in its journal. */
async function syncStrictly(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await guard(folder, open(folder, 'r'));
  await guard(folder, handle.sync()).finally(() => handle.close());
}
