/** File formats: the one that a file's name shows, and the codec of each. */

import type { Codec } from '../io/batches.ts';
import { type CsvDialect, type CsvOpening, makeCsvCodec } from '../io/csv/codec.ts';
import type { Encoding } from '../io/encoding.ts';
import { makeNdjsonCodec } from '../io/ndjson/codec.ts';
import { makeTsvCodec, type TsvDialect, type TsvOpening } from '../io/tsv/codec.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import { compressionOfName } from './inputs/compression.ts';

/** File format of a file of records. */
export type FileFormat = 'csv' | 'tsv' | 'ndjson';

/** A file format with its options. Plain data. */
export type FileFormatSpec = {
  /** Longest record in bytes of UTF-8. */
  readonly maxRecord: number;
  /** Encoding of the inputs. The outputs are UTF-8. */
  readonly encoding: Encoding;
} & (
  | { readonly name: 'csv'; readonly dialect: CsvDialect }
  | { readonly name: 'tsv'; readonly dialect: TsvDialect }
  | { readonly name: 'ndjson' }
);

/** What a codec reads from the head of a file. */
export type Opening = CsvOpening | TsvOpening;

/** A codec that returns the head it has read. */
export interface FileCodec extends Codec {
  readonly opening?: () => Opening;
}

/** Makes the codec of a file format. */
export function codecOf(
  fileFormat: FileFormatSpec,
  direction: Direction,
  inside: BoundInside,
  opening: Opening | null,
): FileCodec {
  // The head was read by a codec of the same file format.
  if (fileFormat.name === 'csv')
    return makeCsvCodec(direction, inside, fileFormat.dialect, opening as CsvOpening | null);
  if (fileFormat.name === 'tsv')
    return makeTsvCodec(direction, inside, fileFormat.dialect, opening as TsvOpening | null);
  return makeNdjsonCodec(direction, inside, fileFormat.maxRecord, undefined);
}

/**
 * Whether the name of an output shows another file format than the one that is written. Names without a known extension
 * fit any file format; `.tsv` and `.tab` fit TSV, and CSV with tabs.
 */
export function hasOtherName(path: string, fileFormat: FileFormat, delimiter: string | undefined): boolean {
  const extension = extensionOf(path);
  if (extension === 'tsv' || extension === 'tab') {
    return !(fileFormat === 'tsv' || (fileFormat === 'csv' && delimiter === '\t'));
  }
  if (extension === 'parquet') return true;
  return (formatOfName(path) ?? fileFormat) !== fileFormat;
}

/**
 * The file format that a name shows, or `null`. `.tsv` shows none: some of these files have quotes (CSV), and some have
 * escapes (TSV).
 */
export function formatOfName(path: string): FileFormat | null {
  const extension = extensionOf(path);
  if (extension === 'csv') return 'csv';
  return extension === 'ndjson' || extension === 'jsonl' ? 'ndjson' : null;
}

/** The extension of a name in lower case, without that of a compression. */
function extensionOf(path: string): string | undefined {
  return /\.([a-z]+)$/i.exec(compressionOfName(path).bare)?.[1]?.toLowerCase();
}
