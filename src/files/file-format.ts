/** Formats of files: what their names tell, and the codec of each. */

import type { Codec } from '../io/batches.ts';
import { type CsvDialect, type CsvOpening, makeCsvCodec } from '../io/csv/codec.ts';
import { makeNdjsonCodec } from '../io/ndjson/codec.ts';
import { makeTsvCodec, type TsvDialect, type TsvOpening } from '../io/tsv/codec.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import { compressionOfName } from './inputs/compression.ts';

/** Format of a file of records. */
export type FileFormat = 'csv' | 'tsv' | 'ndjson';

/** A format with what was said of its spelling. Plain data. */
export type FormatSpec =
  | { readonly name: 'csv'; readonly quoted: true; readonly maxRecord: number; readonly dialect: CsvDialect }
  | { readonly name: 'tsv'; readonly quoted: false; readonly maxRecord: number; readonly dialect: TsvDialect }
  | { readonly name: 'ndjson'; readonly quoted: false; readonly maxRecord: number };

/** What a format learned at the head of a file. */
export type Opening = CsvOpening | TsvOpening;

/** A codec that tells what it learned. */
export interface FileCodec extends Codec {
  readonly opening?: () => Opening;
}

/** Makes a codec. */
export function codecOf(
  format: FormatSpec,
  direction: Direction,
  inside: BoundInside,
  opening: Opening | null,
): FileCodec {
  if (format.name === 'csv') return makeCsvCodec(direction, inside, format.dialect, opening);
  // The head of a file that is read as TSV has no lone carriage return as its newline: a codec of TSV learned it.
  if (format.name === 'tsv') return makeTsvCodec(direction, inside, format.dialect, opening as TsvOpening | null);
  return makeNdjsonCodec(direction, inside, format.maxRecord, undefined);
}

/**
 * Whether a file's name says another format than the one that is written. Names that say none are free; `.tsv` and `.tab`
 * are names of TSV and of CSV with tabs.
 */
export function hasOtherName(path: string, format: FileFormat, delimiter: string | undefined): boolean {
  const extension = /\.([a-z]+)$/i.exec(compressionOfName(path).bare)?.[1]?.toLowerCase();
  if (extension === 'tsv' || extension === 'tab')
    return !(format === 'tsv' || (format === 'csv' && delimiter === '\t'));
  if (extension === 'parquet') return true;
  return (formatOfName(path) ?? format) !== format;
}

/** The format that a file's name tells, or `null`. `.tsv` tells none: half of them quote, half of them escape. */
export function formatOfName(path: string): FileFormat | null {
  const extension = /\.([a-z]+)$/i.exec(compressionOfName(path).bare)?.[1]?.toLowerCase();
  if (extension === 'csv') return 'csv';
  return extension === 'ndjson' || extension === 'jsonl' ? 'ndjson' : null;
}
