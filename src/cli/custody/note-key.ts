/// <reference types="node" />
/** Files with a private key of signed notes: one line, `PRIVATE+KEY+…`. */

import { fail } from '../../errors.ts';
import type { Voice } from '../voice.ts';
import { readSecretBytes, warnIfShared } from './secret-file.ts';

/** The most bytes of such a file. A key has at most 1,024 characters, and its name may have four bytes for each. */
const MOST_BYTES = 4096;

/**
 * Reads a private key of signed notes, and warns if other users can read it.
 *
 * @throws TrefoilError `io_failed`; `note_key_invalid` for a file that cannot be one. Whether it is one is for its
 *   reader to find out.
 */
export async function readNoteKeyFile(path: string, voice: Voice): Promise<string> {
  const bytes = await readSecretBytes(path, 'the private key', MOST_BYTES);
  await warnIfShared(path, 'the private key', voice);
  if (bytes.length > MOST_BYTES) {
    fail('note_key_invalid', `the file is longer than ${MOST_BYTES} bytes, so it is not a private key`, { file: path });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('note_key_invalid', 'the file is not UTF-8, so it is not a private key', { file: path });
  }
}
