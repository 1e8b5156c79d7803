/// <reference types="node" />
/**
 * A log in a folder: the store of `openLog`. The names, the permissions and the order of what is written are in
 * docs/spec/log-v1.md, "Folder" and "Writing".
 *
 * The head is not in the folder. It is the writer's memory of what it has signed, and a backup of the log must not
 * bring an old one back.
 */

import { constants, existsSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { MAX_DETAILS } from '../../log/entry/commitment.ts';
import type { LogStore } from '../../log/writer/store.ts';
import type { Lock } from '../outputs/lock.ts';
import { errorCode, guard } from '../system-error.ts';
import { type Durable, durable } from './durable.ts';
import { checkApart, holdLog } from './holding.ts';
import { clearOpenings, clearTiles, openingPath } from './leftovers.ts';
import { manyFiles, PRIVATE, PRIVATE_FOLDER, SERVED, SERVED_FOLDER } from './many-files.ts';
import { readLimited, readLogFolder, readSmall } from './source.ts';

/** The names of a log in its folder, except the lock. */
const PARTS: readonly string[] = ['checkpoint', 'tile', 'journal', 'openings'];

/** How the journal is opened. A symbolic link would have another file overwritten. */
const JOURNAL = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

/** Bytes of the key of the journal. */
const KEY = 32;

/** The most bytes of a head, which has one signature, and of an opening. */
const MOST_HEAD = 65_536;
const MOST_OPENING = MAX_DETAILS + 1024;

/** Options of {@link logFolder}. */
export interface LogFolderOptions {
  /**
   * Path of the head: the newest checkpoint that the writer has signed. It must not be in the folder, and must not be
   * restored from a backup. The key of the journal (`.key`) and a lock (`.lock`) are beside it.
   */
  readonly head: string;
  /**
   * Whether what is written is brought to the disk before an append is fulfilled. Default: `true`. With `false`, a
   * killed process loses nothing, but a power cut may lose entries that were confirmed, and the log then refuses to
   * open. It is for tests and for measurements.
   */
  readonly sync?: boolean | undefined;
}

/**
 * A folder of a log, for `openLog` of `trefoil/log`.
 *
 * `checkpoint` and `tile/` are what is served to overseers. **Warning**: the folder also has `journal` and `openings/`,
 * which are private; do not serve the whole folder.
 *
 * @param folder where the log is. It is made when the log is made.
 * @throws TypeError, RangeError for wrong options, also if the head is in the folder.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { newNoteKey, noteSigner, openLog } from 'trefoil/log';
 * import { logFolder } from 'trefoil/node';
 *
 * const place = mkdtempSync(join(tmpdir(), 'log-'));
 * const store = logFolder(join(place, 'log'), { head: join(place, 'head') });
 * const signer = noteSigner(newNoteKey('log.example/2027').privateKey);
 * const log = await openLog(store, { signer, create: true });
 * (await log.append({ kind: 'beat' })).index; // → 0
 * await log.close();
 * ```
 */
export function logFolder(folder: string, options: LogFolderOptions): LogStore {
  if (typeof folder !== 'string' || folder === '') badType('folder', `expected a path, got ${typeName(folder)}`);
  const { head: headOption, sync = true } = checkOptions<LogFolderOptions>('options', options, ['head', 'sync']);
  if (typeof headOption !== 'string' || headOption === '') {
    badType('head', `expected a path outside the folder, got ${typeName(headOption)}`);
  }
  if (typeof sync !== 'boolean') badType('sync', `expected true or false, got ${typeName(sync)}`);
  const place = resolve(folder);
  const head = resolve(headOption);
  checkApart(place, head);
  return Object.freeze(storeOf(place, head, sync));
}

function storeOf(folder: string, head: string, isSynced: boolean): LogStore {
  const disk = durable(isSynced);
  const unsynced = durable(false);
  const { read } = readLogFolder(folder);
  const [journalFile, checkpointFile] = [join(folder, 'journal'), join(folder, 'checkpoint')];
  const openings = join(folder, 'openings');
  const key = `${head}.key`;
  let held: Lock | null = null;
  let journal: FileHandle | null = null;

  /** Replaces a file beside the head, or the head. */
  async function writePrivate(file: string, content: Uint8Array | string): Promise<void> {
    await guard(file, disk.replace(file, content, PRIVATE));
    await guard(file, disk.syncFolder(dirname(file)));
  }

  return {
    ...manyFiles(folder, openings, disk),
    read,
    async open(create) {
      if (held !== null) fail('log_in_use', 'the store is open already', { file: folder });
      if (create) await makePlaces(disk, folder, head);
      const lock = await holdLog(folder, head);
      try {
        await syncHead(disk, head);
      } catch (error) {
        await lock.release();
        throw error;
      }
      held = lock;
    },
    async check() {
      if (held === null) fail('log_in_use', 'the store is not open', { file: folder });
      await held.check();
    },
    async isEmpty() {
      const names = await guard(folder, readdir(folder), 'cannot be read');
      return !names.some((name) => PARTS.includes(name));
    },
    async readHead() {
      return textOf(readSmall(head, MOST_HEAD));
    },
    writeHead: (checkpoint) => writePrivate(head, checkpoint),
    async journalKey(random) {
      const existing = readSmall(key, KEY);
      if (existing !== null) return existing;
      const fresh = random(KEY);
      await writePrivate(key, fresh);
      return fresh;
    },
    readJournal: (limit) => readLimited(journalFile, limit),
    async writeJournal(bytes) {
      if (journal === null) {
        journal = await guard(journalFile, open(journalFile, JOURNAL, PRIVATE).catch(noLink));
        await guard(journalFile, disk.syncFolder(folder));
      }
      await guard(journalFile, disk.overwrite(journal, bytes));
    },
    async clearFrom(size, from) {
      await guard(folder, clearTiles(folder, size));
      await guard(folder, clearOpenings(openings, from));
    },
    // Not synchronised: after a power cut the checkpoint is published again from the head.
    publish: (checkpoint) => guard(checkpointFile, unsynced.replace(checkpointFile, checkpoint, SERVED)),
    async readOpening(index) {
      return textOf(await readLimited(openingPath(openings, index), MOST_OPENING));
    },
    async close() {
      await journal?.close().catch(() => {});
      journal = null;
      await held?.release();
      held = null;
    },
  };
}

/** Makes the folders of a new log. */
async function makePlaces(disk: Durable, folder: string, head: string): Promise<void> {
  // Nothing is made that would hide, at the next run, that the log is lost.
  if (readSmall(head, MOST_HEAD) !== null && !existsSync(folder)) {
    const message = 'there is a head already, and the folder of its log is gone; bring the folder back';
    fail('log_exists', message, { file: head });
  }
  await makeDurably(disk, folder, SERVED_FOLDER);
  await makeDurably(disk, dirname(head), PRIVATE_FOLDER);
}

/** Makes a folder. Its name is on the disk afterwards, also if it was made by a process that ended before that. */
async function makeDurably(disk: Durable, path: string, mode: number): Promise<void> {
  const changed = await guard(path, disk.makeFolder(path, mode));
  for (const parent of new Set([dirname(path), ...changed])) await guard(parent, disk.syncFolder(parent));
}

/**
 * Brings the head to the disk. The writer before may have stopped because this failed, and what is published now must
 * not be newer than the head that a power cut leaves.
 */
async function syncHead(disk: Durable, head: string): Promise<void> {
  if (readSmall(head, MOST_HEAD) === null) return;
  await guard(head, disk.syncFile(head));
  await guard(head, disk.syncFolder(dirname(head)));
}

/** The error of opening the journal. `ELOOP` is that of a link which is not followed. */
function noLink(error: unknown): never {
  if (errorCode(error) !== 'ELOOP') throw error;
  return fail('io_failed', 'there is a symbolic link where the journal has to be; move it away');
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
