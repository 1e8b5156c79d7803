/**
 * The SQL for CSV files. All options of CSV are set explicitly, so DuckDB never has to guess.
 *
 * NULL is an empty cell without quotes, and the empty text is `""`. So both are written as they were read, as
 * PostgreSQL's COPY does.
 */

import { type CsvDialect, DEFAULT_DELIMITER } from '../io/csv/codec.ts';
import { text } from './sql.ts';

/**
 * Bytes of CSV that DuckDB reads at once. Its default of 32 MB, allocated anew each time, is most of a run's memory.
 */
const CSV_BUFFER = 1 << 22;

/** The columns of a CSV file and its longest record. */
export interface CsvShape {
  readonly names: readonly string[];
  /** Longest record in bytes. */
  readonly longest: number;
}

/** Returns the table function that reads a list of files. */
export function csvReading(files: string, { names, longest }: CsvShape, { delimiter, header }: CsvDialect): string {
  const columns = names.map((name) => `${text(name)}: 'VARCHAR'`).join(', ');
  const options = [
    'auto_detect = false',
    `header = ${header === null}`,
    `delim = ${text(delimiter ?? DEFAULT_DELIMITER)}`,
    `quote = '"'`,
    `escape = '"'`,
    // `new_line` is not set. If it is, DuckDB 1.5 reads no row of a file whose lines end with a carriage return and a
    // line feed, and reports no error.
    `nullstr = ''`,
    'allow_quoted_nulls = false',
    'strict_mode = true',
    'null_padding = false',
    // The names of folders are not columns, and the extension of a file does not decide its compression.
    'hive_partitioning = false',
    `compression = 'none'`,
    `max_line_size = ${longest}`,
    // The buffer must have room for two of the longest lines.
    `buffer_size = ${Math.max(CSV_BUFFER, 2 * longest)}`,
    `columns = {${columns}}`,
  ];
  return `read_csv(${files}, ${options.join(', ')})`;
}

/** Returns the options of COPY for a CSV file. */
export function csvWriting({ delimiter, header, quoting }: CsvDialect, newline: string): string {
  const options = [
    'FORMAT csv',
    `HEADER ${header === null}`,
    `DELIMITER ${text(delimiter ?? DEFAULT_DELIMITER)}`,
    `QUOTE '"'`,
    `ESCAPE '"'`,
    `NULLSTR ''`,
    `NEW_LINE ${text(newline === '\r\n' ? '\\r\\n' : '\\n')}`,
    `COMPRESSION 'none'`,
    ...(quoting === 'all' ? ['FORCE_QUOTE *'] : []),
  ];
  return options.join(', ');
}
