/// <reference types="node" />
/** Standard output: data only, at the speed of who reads it. */

import { ioError } from './io-error.ts';

let broken: unknown = null;
let watched = false;

/**
 * Writes to standard output and waits until it is taken.
 *
 * @throws TrefoilError `output_closed` when the reader has gone, `no_space`, `io_failed`.
 */
export function writeOut(chunk: string | Uint8Array): Promise<void> {
  if (!watched) {
    watched = true;
    // Without a listener a closed pipe would be an uncaught exception. The callback below reports it.
    process.stdout.on('error', (error) => {
      broken ??= error;
    });
  }
  return new Promise((resolve, reject) => {
    if (broken !== null) reject(ioError(broken, 'output failed', 'standard output'));
    else {
      process.stdout.write(chunk, (error) => {
        if (error) reject(ioError(error, 'output failed', 'standard output'));
        else resolve();
      });
    }
  });
}
