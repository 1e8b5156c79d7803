/// <reference types="node" />
/** From file to file: the record streams between an input and an output that gets its name when it is whole. */

import { badType, checkOneOf, typeName } from '../core/checks.ts';
import { type CsvOptions, prepareCsv } from '../io/csv.ts';
import { prepareNdjson } from '../io/json-lines.ts';
import type { Progress } from '../io/records.ts';
import { runSource } from '../io/stream.ts';
import type { Direction } from '../policy/bound.ts';
import { openInput, openOutput, STDIN_PATH } from './file.ts';

/** Format of a file of records. */
export type FileFormat = 'csv' | 'ndjson';

/** What {@link runFile} may be told, besides what its format's stream may. */
export interface FileOptions extends CsvOptions {
  /** Format of both files; by default it follows from the input's name: `.csv`, `.ndjson`, `.jsonl`. */
  readonly format?: FileFormat | undefined;
  /** Replace an existing output. */
  readonly force?: boolean | undefined;
}

/** What a run over files did. */
export interface FileResult {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsRejected: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The format that a file's name tells, or `null`. */
export function formatOfName(path: string): FileFormat | null {
  const extension = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (extension === 'csv') return 'csv';
  return extension === 'ndjson' || extension === 'jsonl' ? 'ndjson' : null;
}

/** Runs one file through a bound policy into another. `-` as input is standard input. */
export async function runFile(
  direction: Direction,
  input: string,
  output: string,
  bound: unknown,
  options: FileOptions,
): Promise<FileResult> {
  checkPath('input', input);
  checkPath('output', output);
  if (typeof options !== 'object' || options === null)
    badType('options', `expected an object, got ${typeName(options)}`);
  const { format: named, force = false, ...rest } = options;
  if (typeof force !== 'boolean') badType('force', `expected true or false, got ${typeName(force)}`);
  const format = named ?? formatOfName(input);
  if (format === null) badType('format', 'expected csv or ndjson, as the name of the input does not tell');
  checkOneOf('format', format, ['csv', 'ndjson']);

  let last: Progress = { rows: 0, rejected: 0, bytesIn: 0, bytesOut: 0 };
  const onProgress = (progress: Progress): void => {
    last = progress;
    options.onProgress?.(progress);
  };
  const prepare = format === 'csv' ? prepareCsv : prepareNdjson;
  // An option that is there and undefined is not there: those of CSV are no error for NDJSON then.
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const { start, signal } = prepare(direction, bound, { ...given, onProgress });

  const source = input === '-' ? process.stdin : await openInput(input);
  try {
    // What is revealed is for its owner alone, also while it is half-written.
    const mode = direction === 'reveal' ? { mode: 0o600 } : {};
    const file = await openOutput(output, { force, inputs: [input === '-' ? STDIN_PATH : input], ...mode });
    try {
      for await (const chunk of runSource(source, start, signal)) await file.write(chunk);
      signal?.throwIfAborted();
      await file.finish();
    } catch (error) {
      await file.discard();
      throw error;
    }
  } finally {
    // Where the output could not be opened, nobody has closed the input.
    if (source !== process.stdin) await source[Symbol.asyncIterator]().return?.();
  }
  const { rows, rejected, bytesIn, bytesOut } = last;
  return { rowsIn: rows, rowsOut: rows - rejected, rowsRejected: rejected, bytesIn, bytesOut };
}

function checkPath(argument: string, path: unknown): void {
  if (typeof path !== 'string' || path === '')
    badType(argument, `expected a path, got ${path === '' ? 'an empty text' : typeName(path)}`);
}
