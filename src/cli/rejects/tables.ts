/** How the inputs of a run were written, and how their records are written and read again. */

import { given } from '../../core/given.ts';
import type { RejectsTable } from '../../files/rejects.ts';
import { DEFAULT_DELIMITER } from '../../io/csv/codec.ts';
import { makeCsvWriter, OWN_RECORDS } from '../../io/csv/records.ts';
import { writeCells } from '../../io/tsv/cells.ts';

/** Whether the records of two inputs can be in one file: they have the same columns, written in the same way. */
export function isSameTable(one: RejectsTable, other: RejectsTable): boolean {
  return textOf(one) === textOf(other);
}

/** The options of the run are the same for all inputs. A line end may differ: a file can have both. */
function textOf({ format, delimiter, header }: RejectsTable): string {
  return JSON.stringify([format, delimiter, header]);
}

/** The header line of an input; empty if it had none. */
export function headerOf({ format, delimiter, newline, quote, escape: escapedBy, header }: RejectsTable): string {
  if (header === null) return '';
  if (format === 'tsv') return writeCells(header) + newline;
  const quoting = quote === 'none' ? 'never' : 'minimal';
  const write = makeCsvWriter({
    delimiter: delimiter ?? DEFAULT_DELIMITER,
    newline,
    quoting,
    ...given({ quote, escapedBy }),
  });
  return write(
    header.map((name) => [name]),
    [0],
    // A column without a name has no quotes, as most programs write it.
    { ...OWN_RECORDS, wasBare: () => true },
  );
}

/**
 * The options with which corrected records are read; none for NDJSON in a file whose name shows it, and for CSV that is
 * written in the usual way.
 */
export function optionsFor({ format, delimiter, quote, escape: escapedBy, header }: RejectsTable): string {
  if (format === 'ndjson') return '';
  const flags = [
    // The extension .tsv stands for two file formats.
    ['--format', format === 'tsv' ? format : null],
    ['--delimiter', delimiter === DEFAULT_DELIMITER ? null : delimiter],
    ['--quote', quote],
    ['--escape', escapedBy],
  ] as const;
  const options = flags.flatMap(([flag, value]) => (value == null ? [] : [`${flag} ${inShell(value)}`]));
  // The file of rejects does not have the names that the run had.
  if (header === null) options.push('--header NAMES, with the names of that run: its input had no header line');
  return options.join(' ');
}

/** An argument as a shell takes it. */
function inShell(value: string): string {
  if (value === '\t') return 'tab';
  return /^[a-z]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
