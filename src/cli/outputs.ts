/// <reference types="node" />
/** What a run of the command line writes besides its records: standard output as an output, and the summary. */

import { resolve } from 'node:path';
import { TrefoilError } from '../errors.ts';
import { type Output, openOutput } from '../files/file.ts';
import { writeOut } from './stdout.ts';

/** Standard output. What was written is gone: there is nothing to name and nothing to take away. */
export const STDOUT: Output = {
  write: (chunk) => writeOut(chunk),
  sync: async () => {},
  close: async () => {},
  finish: async () => {},
  keep: async () => {},
  discard: async () => {},
};

/**
 * Opens the summary before the run, so that what is wrong with it is said at once; it is written when all else is whole.
 *
 * @param others files of the same run that it must not be.
 * @param mode of the file; all that `reveal` writes is for its owner alone.
 */
export async function openSummary(
  path: string | undefined,
  force: boolean,
  inputs: readonly string[],
  others: readonly string[],
  mode: number | undefined,
): Promise<Output | null> {
  if (path === undefined) return null;
  if (others.some((other) => resolve(other) === resolve(path))) {
    throw new TrefoilError([{ code: 'same_file', message: 'two outputs have the same name', file: path }]);
  }
  return openOutput(path, { force, inputs: [...inputs, ...others], mode });
}
