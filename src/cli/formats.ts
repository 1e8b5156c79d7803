/// <reference types="node" />
/** Which format the records have, and where they come from. */

import { protectCsv, revealCsv } from '../csv.ts';
import { type FileFormat, formatOfName, hasOtherName } from '../files/file-format.ts';
import type { Compression } from '../files/inputs/compression.ts';
import { compressionOfName } from '../files/inputs/compression.ts';
import { inputCompression, openBytes } from '../files/inputs/inputs.ts';
import type { RecordOptions } from '../io/records.ts';
import { protectNdjson, revealNdjson } from '../ndjson.ts';
import type { BoundFilePolicy, RevealingFilePolicy } from '../policy.ts';
import { protectTsv, revealTsv } from '../tsv.ts';
import { UsageError } from './exit.ts';

/** The options of a format, as commander gives them. */
export interface FormatOptions {
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly quoting?: 'minimal' | 'all';
  readonly header?: readonly string[];
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
export function isStdin(input: string): boolean {
  return input === '-';
}

/** The format that is said, or that the names of the inputs show. */
export function formatOf(inputs: readonly string[], { format, ...options }: FormatOptions): FileFormat {
  const found = format ?? formatOfNames(inputs);
  if (found === 'ndjson') {
    if (options.header !== undefined) throw new UsageError('--header is for csv and tsv, the format is ndjson');
  }
  if (found !== 'csv') {
    for (const name of ['delimiter', 'quoting'] as const) {
      if (options[name] !== undefined) throw new UsageError(`--${name} is for csv, the format is ${found}`);
    }
  }
  return found;
}

function formatOfNames(inputs: readonly string[]): FileFormat {
  const formats = new Set(inputs.map((input) => (isStdin(input) ? null : formatOfName(input))));
  const [first = null] = formats;
  if (formats.size > 1) throw new UsageError('the inputs have more than one format', 'run each format by itself');
  if (first !== null) return first;
  if (inputs.some((input) => /\.tsv$/i.test(compressionOfName(input).bare))) {
    throw new UsageError(
      'columns separated by tabs come in two ways',
      'say --format csv --delimiter tab where cells are quoted, --format tsv where they have backslashes and \\N',
    );
  }
  throw new UsageError(
    inputs.some(isStdin) ? 'standard input needs --format' : 'the name of the input does not tell its format',
    'say --format csv or --format ndjson; for columns separated by tabs add --delimiter tab',
  );
}

/**
 * Refuses an output whose name says another format than the one it will hold.
 *
 * @throws UsageError
 */
export function refuseOtherName(
  { out, delimiter }: FormatOptions & { readonly out?: string },
  format: FileFormat | 'parquet',
): void {
  if (out === undefined || format === 'parquet' || !hasOtherName(out, format, delimiter)) return;
  throw new UsageError(
    `the name of --out says another format than ${format}, which is what would be in the file`,
    'the output has the format of the input: name it so, or without an extension that says a format',
  );
}

/** The streams of a format. */
export function streamsOf(format: FileFormat, options: FormatOptions): Streams {
  const { delimiter, quoting, header, maxRecord } = options;
  if (format === 'ndjson') {
    return {
      protect: (source, bound, more) => protectNdjson(source, bound, { maxRecord, ...more }),
      reveal: (source, bound, more) => revealNdjson(source, bound, { maxRecord, ...more }),
    };
  }
  if (format === 'tsv') {
    return {
      protect: (source, bound, more) => protectTsv(source, bound, { header, maxRecord, ...more }),
      reveal: (source, bound, more) => revealTsv(source, bound, { header, maxRecord, ...more }),
    };
  }
  const csv = { delimiter, quoting, header, maxRecord };
  return {
    protect: (source, bound, more) => protectCsv(source, bound, { ...csv, ...more }),
    reveal: (source, bound, more) => revealCsv(source, bound, { ...csv, ...more }),
  };
}

/** The bytes of a file or of standard input, unpacked. */
export async function* openSource(
  input: string,
  said?: Compression | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* await openBytes(input, inputCompression(input, said));
}
