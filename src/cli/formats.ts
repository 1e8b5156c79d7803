/// <reference types="node" />
/** Which format the records have, and where they come from. */

import { fstatSync } from 'node:fs';
import { protectCsv, revealCsv } from '../csv.ts';
import { fail } from '../errors.ts';
import { openInput, systemError } from '../files/file.ts';
import { type FileFormat, formatOfName } from '../files/run.ts';
import type { RecordOptions } from '../io/records.ts';
import { protectNdjson, revealNdjson } from '../ndjson.ts';
import type { BoundFilePolicy, RevealingFilePolicy } from '../policy.ts';
import { UsageError } from './exit.ts';

/** The options of a format, as commander gives them. */
export interface FormatOptions {
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly quoting?: 'minimal' | 'all';
  readonly maxRecord?: number;
}

/** A format's two streams, with the options of the command line put in. */
export interface Streams {
  readonly protect: (
    source: AsyncIterable<Uint8Array>,
    bound: BoundFilePolicy,
    options: RecordOptions,
  ) => AsyncIterable<Uint8Array>;
  readonly reveal: (
    source: AsyncIterable<Uint8Array>,
    bound: RevealingFilePolicy,
    options: RecordOptions,
  ) => AsyncIterable<Uint8Array>;
}

/** Whether an INPUT means standard input. */
export function isStdin(input: string | undefined): input is '-' | undefined {
  return input === undefined || input === '-';
}

/** The format that is said, or that the name of the input shows. */
export function formatOf(input: string | undefined, { format, delimiter, quoting }: FormatOptions): FileFormat {
  const found = format ?? (isStdin(input) ? null : formatOfName(input));
  if (found === null) {
    throw new UsageError(
      isStdin(input) ? 'standard input needs --format' : 'the name of the input does not tell its format',
      'say --format csv or --format ndjson; for columns separated by tabs add --delimiter tab',
    );
  }
  if (found === 'ndjson' && (delimiter !== undefined || quoting !== undefined)) {
    throw new UsageError(`${delimiter === undefined ? '--quoting' : '--delimiter'} is for csv, the format is ndjson`);
  }
  return found;
}

/** The streams of a format. */
export function streamsOf(format: FileFormat, { delimiter, quoting, maxRecord }: FormatOptions): Streams {
  const common = maxRecord === undefined ? {} : { maxRecord };
  if (format === 'ndjson') {
    return {
      protect: (source, bound, options) => protectNdjson(source, bound, { ...common, ...options }),
      reveal: (source, bound, options) => revealNdjson(source, bound, { ...common, ...options }),
    };
  }
  const csv = {
    ...common,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(quoting === undefined ? {} : { quoting }),
  };
  return {
    protect: (source, bound, options) => protectCsv(source, bound, { ...csv, ...options }),
    reveal: (source, bound, options) => revealCsv(source, bound, { ...csv, ...options }),
  };
}

/** The bytes of a file or of standard input. */
export async function* openSource(input: string | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  if (!isStdin(input)) return yield* await openInput(input);
  try {
    // Node gives a directory as an empty stream.
    if (fstatSync(0).isDirectory()) fail('io_failed', 'cannot be read: it is a directory', { file: 'standard input' });
    for await (const chunk of process.stdin) yield chunk as Uint8Array;
  } catch (error) {
    throw systemError(error, 'cannot be read', 'standard input');
  }
}
