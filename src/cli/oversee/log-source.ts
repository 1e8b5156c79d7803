/// <reference types="node" />
/** The log that `LOG` names: a folder, or an address on a web server. */

import { stat } from 'node:fs/promises';
import { utf8 } from '../../core/bytes.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { readLogFolder } from '../../files/log/source.ts';
import { errorCode, guard } from '../../files/system-error.ts';
import { CHECKPOINT_PATH } from '../../log/tree/source.ts';
import { orNull } from '../../log/witness/latest.ts';
import { type LogSource, logAt } from '../../log.ts';
import { parseNote } from '../../note/parse.ts';
import { UsageError } from '../exit.ts';
import { checkFileName } from '../options.ts';
import { printable } from '../voice.ts';

const isAddress = (log: string): boolean => /^https?:/i.test(log);

/**
 * The log on a web server or in a folder.
 *
 * @throws UsageError for an address of another kind; TrefoilError `io_failed` if there is no such folder.
 */
export async function sourceOf(log: string): Promise<LogSource> {
  if (isAddress(log)) {
    try {
      return logAt(log);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      throw new UsageError('LOG is not an address of http or https without user, query and fragment');
    }
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(log)) {
    throw new UsageError('LOG is an address that is not of http or https', 'for a folder, set its path');
  }
  checkFileName('LOG', log);
  const stats = await guard(log, stat(log), 'cannot be read');
  if (!stats.isDirectory()) throw new TrefoilError([{ code: 'io_failed', message: 'it is not a folder', file: log }]);
  return readLogFolder(log);
}

/**
 * The same for a first look: a place without a checkpoint is not known to be a log, nor is a web server that answers
 * with something else, such as a page.
 */
export function logThere(source: LogSource, place: string): LogSource {
  const nowhere = (what: string): never =>
    fail('log_unavailable', `${what} at ${printable(place)}; check the address of the log`);
  return {
    async read(path, limit) {
      if (path !== CHECKPOINT_PATH) return source.read(path, limit);
      const bytes = await source.read(path, limit).catch((error: unknown) => {
        const isLong = error instanceof TrefoilError && error.issues[0]!.maximum !== undefined;
        if (isLong && isAddress(place)) nowhere('something else than a checkpoint is');
        throw error;
      });
      if (bytes === null) nowhere('no checkpoint');
      else if (isAddress(place) && orNull(() => parseNote(bytes)) === null) {
        nowhere('something else than a checkpoint is');
      }
      return bytes;
    },
  };
}

/**
 * Refuses a folder of --keep that is a log: making copies in it would take away permissions, and remove tiles.
 *
 * @throws UsageError
 */
export async function refuseLogAsCopies(keep: string, log: string): Promise<void> {
  const pairs = isAddress(log) ? [] : [[keep, log] as const, [`${keep}/tile`, `${log}/tile`] as const];
  for (const [a, b] of pairs) {
    const [one, other] = [await identity(a), await identity(b)];
    if (one !== null && one === other) refuse('the folder of --keep is that of the log');
  }
  for (const name of [CHECKPOINT_PATH, 'tile/entries']) {
    if ((await identity(`${keep}/${name}`)) !== null) refuse('the folder of --keep has files of a log');
  }
}

function refuse(what: string): never {
  throw new UsageError(what, 'choose a folder of its own for the copies, beside the file of --seen');
}

/** Which file or folder it is, through links; `null` if it cannot be known, which the copying will find out. */
async function identity(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch (error) {
    if (errorCode(error) === null) throw error;
    return null;
  }
}

/**
 * The same log with a checkpoint that was read before. A server may sign several logs, and answer each question with
 * another checkpoint; all that is read has to be parts of one tree.
 */
export function withCheckpoint(source: LogSource, checkpoint: string): LogSource {
  const bytes = utf8(checkpoint);
  return { read: async (path, limit) => (path === CHECKPOINT_PATH ? bytes : source.read(path, limit)) };
}
