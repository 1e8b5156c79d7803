/// <reference types="node" />
/** Standard output: data only, at the speed of who reads it. */

import { fstatSync, statSync } from 'node:fs';
import { fail, TrefoilError } from '../errors.ts';
import { systemError } from '../files/system-error.ts';

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
    if (broken !== null) reject(inOurWords(broken));
    else {
      process.stdout.write(chunk, (error) => {
        if (error) reject(inOurWords(error));
        else resolve();
      });
    }
  });
}

/**
 * Refuses to write into a file that is being read, as in `trefoil protect a.csv … >> a.csv`: it would never end.
 *
 * @param inputs paths of files; standard input is looked at as well.
 * @throws TrefoilError `same_file`.
 */
export function refuseOwnInput(inputs: readonly string[]): void {
  const output = statOrNull(() => fstatSync(1, { bigint: true }));
  if (output?.isFile() !== true) return;
  const others = [
    statOrNull(() => fstatSync(0, { bigint: true })),
    ...inputs.map((path) => statOrNull(() => statSync(path, { bigint: true }))),
  ];
  if (others.some((other) => other !== null && other.dev === output.dev && other.ino === output.ino)) {
    fail('same_file', 'standard output is an input of the same run; write to another file');
  }
}

function statOrNull<T>(stat: () => T): T | null {
  try {
    return stat();
  } catch {
    // What cannot be looked at cannot be read either: reading it says so.
    return null;
  }
}

function inOurWords(error: unknown): unknown {
  const ours = systemError(error, 'cannot be written', 'standard output');
  if (!(ours instanceof TrefoilError) || ours.code !== 'output_closed') return ours;
  return new TrefoilError([{ code: 'output_closed', message: 'output closed: its reader has gone' }]);
}
