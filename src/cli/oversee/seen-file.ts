/// <reference types="node" />
/** The file of `--seen`: what an overseer has verified last. It is the only memory that a log cannot change. */

import { stat } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import { type Output, openOutput } from '../../files/outputs/output-file.ts';
import { errorCode } from '../../files/system-error.ts';
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
