/// <reference types="node" />
/** An input file: its bytes in pieces of 256 KiB, with clear errors. */

import { type FileHandle, open } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import { guard, systemError } from '../system-error.ts';

/** Bytes that are read at once. */
const READ_BYTES = 1 << 18;

/**
 * Opens an input file. The iterable closes the file at its end.
 *
 * @throws TrefoilError `io_failed`, here and while reading.
 */
export async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  const handle = await guard(path, open(path, 'r'), 'cannot be read');
  try {
    const stats = await guard(path, handle.stat(), 'cannot be read');
    if (stats.isDirectory()) fail('io_failed', 'cannot be read: it is a directory', { file: path });
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { [Symbol.asyncIterator]: () => readAll(handle, path) };
}

/** This is not a generator, because a generator that was never started would not close the file. */
function readAll(handle: FileHandle, path: string): AsyncIterator<Uint8Array, undefined> {
  const close = async (): Promise<IteratorReturnResult<undefined>> => {
    await handle.close().catch(() => {});
    return { done: true, value: undefined };
  };
  return {
    async next() {
      const chunk = new Uint8Array(READ_BYTES);
      try {
        const { bytesRead } = await handle.read(chunk, 0, READ_BYTES, null);
        return bytesRead === 0 ? await close() : { done: false, value: chunk.subarray(0, bytesRead) };
      } catch (error) {
        await close();
        throw systemError(error, 'cannot be read', path);
      }
    },
    return: close,
  };
}
