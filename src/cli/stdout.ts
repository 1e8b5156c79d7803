/// <reference types="node" />
/** Standard output: data only, at the speed of its reader. */

import { fstatSync, statSync } from 'node:fs';
import { fail, TrefoilError } from '../errors.ts';
import { systemError } from '../files/system-error.ts';

let broken: unknown = null;
let watched = false;

/**
 * Writes to standard output and waits until the chunk is taken.
 *
 * @throws TrefoilError `output_closed` if the reader has closed its end, `no_space`, `io_failed`.
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
    if (broken !== null) reject(translated(broken));
    else {
      process.stdout.write(chunk, (error) => {
        if (error) reject(translated(error));
        else resolve();
      });
    }
  });
}

/** Writes a value as one line of JSON. */
export function writeJsonLine(value: object): Promise<void> {
  return writeOut(`${JSON.stringify(value)}\n`);
}

/**
 * Refuses a standard output that is one of the input files, as in `trefoil protect a.csv … >> a.csv`. Such a run would
 * read what it writes and never end.
 *
 * @param inputs paths of files. Standard input is compared as well.
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
    // A file that has no status cannot be read either, and reading it reports the error.
    return null;
  }
}

/** The error of a write as a `TrefoilError`. */
function translated(error: unknown): unknown {
  const ours = systemError(error, 'cannot be written', 'standard output');
  if (!(ours instanceof TrefoilError) || ours.code !== 'output_closed') return ours;
  return new TrefoilError([{ code: 'output_closed', message: 'standard output was closed by its reader' }]);
}
