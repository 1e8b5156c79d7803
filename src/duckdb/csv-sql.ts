/**
 * CSV as DuckDB reads and writes it. The dialect is always said, never sniffed.
 *
 * NULL is a cell with nothing in it, the empty text is `""`: so both are written as they came, and as PostgreSQL's COPY
 * has them.
 */

import type { CsvDialect } from '../io/csv/codec.ts';
import { text } from './sql.ts';

/** Bytes of CSV that DuckDB reads at once: a fresh one of 32 MB each time is most of a run's memory otherwise. */
const CSV_BUFFER = 1 << 22;

/** What is said of a file besides the dialect. */
export interface CsvShape {
  readonly names: readonly string[];
  /** Longest record in bytes. */
  readonly longest: number;
}

/** A table function that reads a list of files. */
export function csvReading(files: string, { names, longest }: CsvShape, { delimiter, header }: CsvDialect): string {
  const columns = names.map((name) => `${text(name)}: 'VARCHAR'`).join(', ');
  const options = [
    'auto_detect = false',
    `header = ${header === null}`,
    `delim = ${text(delimiter)}`,
    `quote = '"'`,
    `escape = '"'`,
    // No new_line: with it, DuckDB 1.5 reads no row of a file whose lines end in a carriage return and a newline, and says
    // nothing.
    `nullstr = ''`,
    'allow_quoted_nulls = false',
    'strict_mode = true',
    'null_padding = false',
    // A name is a name: its folders are no columns, and its ending says nothing of how it is packed.
    'hive_partitioning = false',
    `compression = 'none'`,
    `max_line_size = ${longest}`,
    // It has to hold two of the longest.
    `buffer_size = ${Math.max(CSV_BUFFER, 2 * longest)}`,
    `columns = {${columns}}`,
  ];
  return `read_csv(${files}, ${options.join(', ')})`;
}

/** The options of COPY. */
export function csvWriting({ delimiter, header, quoting }: CsvDialect, newline: string): string {
  const options = [
    'FORMAT csv',
    `HEADER ${header === null}`,
    `DELIMITER ${text(delimiter)}`,
    `QUOTE '"'`,
    `ESCAPE '"'`,
    `NULLSTR ''`,
    `NEW_LINE ${text(newline === '\r\n' ? '\\r\\n' : '\\n')}`,
    `COMPRESSION 'none'`,
    ...(quoting === 'all' ? ['FORCE_QUOTE *'] : []),
  ];
  return options.join(', ');
}
