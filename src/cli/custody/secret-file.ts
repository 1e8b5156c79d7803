/// <reference types="node" />
/** Small files with secrets: key files, identities, passphrases. */

import { stat } from 'node:fs/promises';
import { TrefoilError } from '../../errors.ts';
import { STDIN } from '../../files/inputs/inputs.ts';
import { systemError } from '../../files/system-error.ts';
import { readAtMost } from '../policy-file.ts';
import type { Voice } from '../voice.ts';

/**
 * Reads at most `limit` bytes, and one more if the file is longer.
 *
 * @param what the file in words, such as "the key file".
 * @throws TrefoilError `io_failed`.
 */
export async function readSecretBytes(path: string, what: string, limit: number): Promise<Uint8Array> {
  try {
    return await readAtMost(path, limit);
  } catch (error) {
    throw systemError(error, `${what} cannot be read`, path);
  }
}

/** Warns if other users can read a file. */
export async function warnIfShared(path: string, what: string, voice: Voice): Promise<void> {
  // Windows has no such bits, and nobody else reads a pipe.
  if (process.platform === 'win32' || path === STDIN) return;
  const stats = await stat(path).catch(() => null);
  if (stats?.isFile() === true && (stats.mode & 0o077) !== 0) {
    voice.warning(`${path}: other users can read ${what}; run chmod 600 on it`);
  }
}

/**
 * Reads a file of UTF-8 and warns if other users can read it.
 *
 * @param voice `null` if everybody may read it, so that there is no warning.
 * @throws TrefoilError `io_failed`; `key_refused` if it is longer or not UTF-8.
 */
export async function readSecretFile(path: string, what: string, limit: number, voice: Voice | null): Promise<string> {
  const bytes = await readSecretBytes(path, what, limit);
  if (voice !== null) await warnIfShared(path, what, voice);
  const refuse = (message: string) => new TrefoilError([{ code: 'key_refused', message, file: path }]);
  if (bytes.length > limit) throw refuse(`${what} is longer than ${limit} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse(`${what} is not UTF-8`);
  }
}
