/// <reference types="node" />
/** The file of `--seen`: what an overseer has verified last. It is the only memory that a log cannot change. */

import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail } from '../../errors.ts';
import { type Output, openOutput } from '../../files/outputs/output-file.ts';
import { errorCode, guard } from '../../files/system-error.ts';
import { parseSeen, type Seen } from '../../log.ts';
import { readSmallFile } from '../policy-file.ts';

/** Longest file in bytes. It has one checkpoint, and at most 53 hashes. */
const MOST_BYTES = 1_048_576;

/** What was seen, and the text of the file; both `null` if there is no file yet. */
export interface SeenFile {
  readonly seen: Seen | null;
  readonly text: string | null;
}

/**
 * Refuses a place where no file can be made, before a log is read for it. A file whose folder cannot be written is not
 * refused: with it, a log can be compared with the last look, and the verdict is worth having.
 *
 * @throws TrefoilError `io_failed`.
 */
export async function checkSeenPlace(path: string): Promise<void> {
  const [stats, own] = [await statsOf(path, stat), await statsOf(path, lstat)];
  // Opening a pipe would wait for its writer.
  if (stats?.isFile() === false) fail('io_failed', 'it is not a regular file', { file: path });
  if (stats !== null) return;
  if (own !== null) fail('io_failed', 'it is a symbolic link to nothing; remove it', { file: path });
  await guard(path, stat(dirname(path)), 'its folder cannot be read');
}

/** `null`: there is nothing. */
async function statsOf(path: string, read: (path: string) => Promise<Stats>): Promise<Stats | null> {
  try {
    return await read(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    return guard(path, Promise.reject(error), 'cannot be read');
  }
}

/**
 * Reads the file.
 *
 * @throws TrefoilError `seen_invalid`, `io_failed`.
 */
export async function readSeenFile(path: string): Promise<SeenFile> {
  try {
    await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { seen: null, text: null };
  }
  return readSmallFile(path, MOST_BYTES, 'the file of --seen', 'seen_invalid', (text) => ({
    seen: parseSeen(text),
    text,
  }));
}

/**
 * Replaces the file in one step.
 *
 * @param before its text when it was read.
 * @throws TrefoilError `seen_invalid` if another run has written it meanwhile: neither of the two knows what the other
 *   has seen.
 */
export async function writeSeenFile(path: string, seen: Seen, before: string | null): Promise<void> {
  const now = (await readSeenFile(path)).text;
  if (now !== before) {
    fail('seen_invalid', 'another run has written the file meanwhile; run this one again', { file: path });
  }
  const text = `${JSON.stringify(seen)}\n`;
  if (text === before) return;
  const file: Output = await openOutput(path, { force: before !== null, mode: 0o600 });
  try {
    await file.write(new TextEncoder().encode(text));
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}
