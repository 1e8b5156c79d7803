/// <reference types="node" />
/** New key files: only their owner can read them, and none ever replaces a file. */

import { fail, TrefoilError } from '../../errors.ts';
import type { Output } from '../../files/outputs/output-file.ts';
import type { Context } from '../options.ts';
import { openFileOrStdout } from '../outputs.ts';

/**
 * Writes a key file, or standard output for `-`. The file gets its name when it is complete.
 *
 * @throws TrefoilError `output_exists`, `io_failed`, `no_space`.
 */
export async function writeKeyFile(path: string, content: string | Uint8Array, { signal }: Context): Promise<void> {
  const file = await openNew(path);
  try {
    await file.write(typeof content === 'string' ? new TextEncoder().encode(content) : content);
    signal.throwIfAborted();
    await file.finish();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** Opens the output. The library's message for an existing file advises to remove it, which is wrong for a key file. */
async function openNew(path: string): Promise<Output> {
  try {
    return await openFileOrStdout(path, { force: false, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'output_exists') throw error;
    fail('output_exists', 'the file exists, and key files are never overwritten; choose another name', { file: path });
  }
}
