/// <reference types="node" />
/** Standard output in the place of a file, and the file of `--summary`. */

import { resolve } from 'node:path';
import { TrefoilError } from '../errors.ts';
import { type Output, type OutputOptions, openOutput } from '../files/outputs/output-file.ts';
import { UsageError } from './exit.ts';
import { writeOut } from './stdout.ts';

/** The FILE that means standard input or standard output. A file of this name is written `./-`. */
export const DASH: string = '-';

/** Opens a file to write, or standard output if the path is {@link DASH} or `undefined`. */
export async function openFileOrStdout(path: string | undefined, options: OutputOptions): Promise<Output> {
  return path === undefined || path === DASH ? STDOUT : openOutput(path, options);
}

/** An option or argument and the file or files that it names; `undefined` if it is not set. */
type Named = readonly [label: string, paths: string | readonly string[] | undefined];

/**
 * Refuses two inputs that are standard input, or two outputs that are standard output: their bytes would be mixed.
 *
 * @throws UsageError
 */
export function refuseTwoDashes(stream: 'input' | 'output', named: readonly Named[]): void {
  const [first, second] = named.flatMap(([label, paths = []]) =>
    [paths].flat().flatMap((path) => (path === DASH ? [label] : [])),
  );
  if (first === undefined || second === undefined) return;
  throw new UsageError(
    `${first} and ${second} are both standard ${stream}`,
    'name a file for one of them; a file called - is ./-',
  );
}

/** Standard output. It has no name to set at the end, and written bytes cannot be discarded. */
export const STDOUT: Output = {
  temporary: null,
  write: (chunk) => writeOut(chunk),
  sync: async () => {},
  close: async () => {},
  finish: async () => {},
  keep: async () => {},
  discard: async () => {},
};

/**
 * Opens the file of the summary before the run, so that an error in its name ends the run at once. It is written last.
 *
 * @param others files of the same run. The summary must not be one of them.
 * @param mode of the file. Only its owner may read the files that `reveal` writes.
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
