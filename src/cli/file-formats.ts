/// <reference types="node" />
/** The file format of the records (csv, tsv or ndjson), and the streams that read and write it. */

import { type CanMove, protectCsv, rekeyCsv, revealCsv } from '../csv.ts';
import { type FileFormat, formatOfName, hasOtherName } from '../files/file-format.ts';
import type { Compression } from '../files/inputs/compression.ts';
import { compressionOfName } from '../files/inputs/compression.ts';
import { inputCompression, openBytes } from '../files/inputs/inputs.ts';
import type { EncodingName } from '../io/encoding.ts';
import type { RecordOptions } from '../io/records.ts';
import { protectNdjson, rekeyNdjson, revealNdjson } from '../ndjson.ts';
import type { BoundFilePolicy, RevealingFilePolicy } from '../policy.ts';
import { protectTsv, rekeyTsv, revealTsv } from '../tsv.ts';
import { UsageError } from './exit.ts';

/** The options of a file format, as commander returns them. */
export interface FileFormatOptions {
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly quoting?: 'minimal' | 'all';
  /** One character, or `none`. */
  readonly quote?: string;
  readonly escape?: string;
  readonly encoding?: EncodingName;
  readonly header?: readonly string[];
  readonly maxRecord?: number;
}

/** The streams of a file format, with the options of the command line applied. */
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
  readonly rekey: (
    source: AsyncIterable<Uint8Array>,
    moving: CanMove,
    options: RecordOptions,
  ) => AsyncIterable<Uint8Array>;
}

/** Whether an INPUT is standard input. */
export function isStdin(input: string): boolean {
  return input === '-';
}

/**
 * The file format of the records: as `--format` sets it, or as the names of the inputs show.
 *
 * @throws UsageError if neither does, or if an option is for another file format.
 */
export function fileFormatOf(inputs: readonly string[], { format, ...options }: FileFormatOptions): FileFormat {
  const found = format ?? fileFormatOfNames(inputs);
  if (found === 'ndjson') {
    if (options.header !== undefined)
      throw new UsageError('--header is for csv and tsv, but the file format is ndjson');
  }
  if (found !== 'csv') {
    for (const name of ['delimiter', 'quoting', 'quote', 'escape'] as const) {
      if (options[name] !== undefined) throw new UsageError(`--${name} is for csv, but the file format is ${found}`);
    }
  }
  checkQuotes(options);
  return found;
}

/** Refuses options about quotes that exclude each other. */
function checkQuotes({ delimiter = ',', quoting, quote, escape: escapedBy }: FileFormatOptions): void {
  if (quote === 'none' && escapedBy !== undefined) {
    throw new UsageError(
      '--escape cannot be combined with --quote none',
      'it escapes quotes; if backslashes escape tabs and line ends, use --format tsv',
    );
  }
  if (quote === 'none' && quoting === 'all') throw new UsageError('--quoting all cannot be combined with --quote none');
  for (const [flag, value] of [
    ['--quote', quote],
    ['--escape', escapedBy],
  ] as const) {
    if (value === delimiter) throw new UsageError(`${flag} cannot be the delimiter`);
  }
}

function fileFormatOfNames(inputs: readonly string[]): FileFormat {
  const formats = new Set(inputs.map((input) => (isStdin(input) ? null : formatOfName(input))));
  const [first = null] = formats;
  if (formats.size > 1)
    throw new UsageError('the inputs are of more than one file format', 'run trefoil once for each file format');
  if (first !== null) return first;
  if (inputs.some((input) => /\.tsv$/i.test(compressionOfName(input).bare))) {
    throw new UsageError(
      'the extension .tsv stands for two file formats',
      'use --format csv --delimiter tab if cells are quoted, or --format tsv if they are escaped with backslashes',
    );
  }
  if (inputs.some((input) => /\.json$/i.test(compressionOfName(input).bare))) {
    throw new UsageError(
      'the extension .json does not tell whether each line is an object, or the whole file is one document',
      "use --format ndjson if each line is an object; if not, make lines of it: jq -c '.[]' FILE for one array, and " +
        "jq -c '.NAME[]' FILE for a list inside an object",
    );
  }
  throw new UsageError(
    inputs.some(isStdin) ? 'standard input needs --format' : 'the name of the input does not tell its file format',
    'use --format csv or --format ndjson; if quoted cells are separated by tabs, add --delimiter tab',
  );
}

/**
 * Refuses an output whose extension belongs to another file format than the one that it will contain.
 *
 * @throws UsageError
 */
export function refuseOtherName(
  { out, delimiter }: FileFormatOptions & { readonly out?: string },
  format: FileFormat,
): void {
  if (out === undefined || !hasOtherName(out, format, delimiter)) return;
  throw new UsageError(
    `the extension of --out is of another file format than ${format}, which is what the file would contain`,
    'the output has the file format of the input: use its extension, or one that belongs to no file format',
  );
}

/** The streams of a file format. */
export function streamsOf(format: FileFormat, options: FileFormatOptions): Streams {
  const { delimiter, quoting, quote, escape: escapedBy, header, maxRecord, encoding } = options;
  if (format === 'ndjson') {
    return {
      protect: (source, bound, more) => protectNdjson(source, bound, { maxRecord, encoding, ...more }),
      reveal: (source, bound, more) => revealNdjson(source, bound, { maxRecord, encoding, ...more }),
      rekey: (source, moving, more) => rekeyNdjson(source, moving, { maxRecord, encoding, ...more }),
    };
  }
  if (format === 'tsv') {
    return {
      protect: (source, bound, more) => protectTsv(source, bound, { header, maxRecord, encoding, ...more }),
      reveal: (source, bound, more) => revealTsv(source, bound, { header, maxRecord, encoding, ...more }),
      rekey: (source, moving, more) => rekeyTsv(source, moving, { header, maxRecord, encoding, ...more }),
    };
  }
  const csv = { delimiter, quoting, quote, escape: escapedBy, header, maxRecord, encoding };
  return {
    protect: (source, bound, more) => protectCsv(source, bound, { ...csv, ...more }),
    reveal: (source, bound, more) => revealCsv(source, bound, { ...csv, ...more }),
    rekey: (source, moving, more) => rekeyCsv(source, moving, { ...csv, ...more }),
  };
}

/** Options about the bytes of an input, as commander returns them. */
export interface SourceOptions {
  readonly inputCompression?: Compression;
  readonly encoding?: EncodingName;
}

/**
 * The bytes of a file or of standard input, decompressed. If an encoding is set, the stream that reads the bytes
 * decodes them.
 */
export async function* openSource(
  input: string,
  { inputCompression: compression, encoding = 'utf-8' }: SourceOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* await openBytes(input, inputCompression(input, compression), encoding === 'utf-8' ? encoding : null);
}
