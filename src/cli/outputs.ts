/// <reference types="node" />
/** What a run of the command line writes besides its records: standard output as an output, and the summary. */

import { resolve } from 'node:path';
import { TrefoilError } from '../errors.ts';
import { type Output, type OutputOptions, openOutput } from '../files/outputs/output-file.ts';
import { UsageError } from './exit.ts';
import { writeOut } from './stdout.ts';

/** What stands for standard input or output where a FILE is expected. A file of this name is `./-`. */
export const DASH: string = '-';

/** Opens a file to write, or standard output for {@link DASH} and for no name at all. */
export async function openFileOrStdout(path: string | undefined, options: OutputOptions): Promise<Output> {
  return path === undefined || path === DASH ? STDOUT : openOutput(path, options);
}

/** An option or argument with the name of a file; `undefined` where it is left out. */
type Named = readonly [what: string, path: string | undefined];

/**
 * Refuses two inputs that are standard input, or two outputs that are standard output: their bytes would be mixed.
 *
 * @throws UsageError
 */
export function refuseTwoDashes(stream: 'input' | 'output', named: readonly Named[]): void {
  const [first, second] = named.filter(([, path]) => path === DASH);
  if (first === undefined || second === undefined) return;
  throw new UsageError(
    `${first[0]} and ${second[0]} are both standard ${stream}`,
    'name a file for one of them; a file called - is ./-',
  );
}

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
  if (path === DASH) return STDOUT;
  if (others.some((other) => resolve(other) === resolve(path))) {
    throw new TrefoilError([{ code: 'same_file', message: 'two outputs have the same name', file: path }]);
  }
  return openOutput(path, { force, inputs: [...inputs, ...others], mode });
}
