/// <reference types="node" />
/**
 * What trefoil writes to standard error, in the manner of age: `trefoil: error: …`, `trefoil: hint: …`,
 * `trefoil: warning: …`, in lower case and without a full stop. Standard output is for data only.
 */

import { isArgumentError } from '../core/checks.ts';
import { tallyOf } from '../core/issues.ts';
import { visible } from '../core/visible.ts';
import { formatIssue, type Issue, type IssueCount, type IssueCounts, TrefoilError } from '../errors.ts';
import { EXIT_TABLE, exitCodeOf, Interrupted, UsageError } from './exit.ts';

/** What to do about an error in trefoil itself. */
const REPORT = 'please report this line and the output of trefoil --version to the maintainers, without any data';

/** Issues of one field with one message up to this number have a line each; more of them share one line. */
const MANY = 3;

/** Most lines about the issues of an error or of a run. */
const MAX_LINES = 100;

/** Writes lines to standard error. */
export interface Voice {
  /** Writes what was done. */
  readonly note: (text: string) => void;
  /** Writes a warning, and lines that belong to it. */
  readonly warning: (text: string, lines?: readonly string[]) => void;
  readonly hint: (text: string) => void;
  /** Writes why a run failed, and returns its exit code. */
  readonly failure: (error: unknown) => number;
}

/** Makes a voice over any writer. With `debug` it also writes the stack of an error in trefoil itself. */
export function makeVoice(write: (line: string) => void, debug: boolean): Voice {
  const line = (kind: string, text: string): void => write(`trefoil: ${kind}${printable(text)}\n`);

  const list = (lines: readonly string[]): void => {
    for (const text of lines) write(`  ${printable(text)}\n`);
  };

  function failure(error: unknown): number {
    const code = exitCodeOf(error);
    if (error instanceof TrefoilError) {
      const [first, ...others] = issueLines(error);
      line('error: ', first!);
      list(others);
      const advice = adviceFor(error);
      if (advice !== null) line('hint: ', advice);
    } else if (error instanceof UsageError || error instanceof Interrupted) {
      line('error: ', error.message);
      if (error instanceof UsageError && error.hint !== undefined) line('hint: ', error.hint);
    } else {
      // The message of an unexpected error may quote a value. Those of argument errors never do (core/checks.ts).
      const name = error instanceof Error ? error.name : 'not an error';
      line('error: ', `internal error: ${name}${isArgumentError(error) ? `: ${error.message}` : ''}`);
      line('hint: ', REPORT);
      if (debug && error instanceof Error) write(`${error.stack ?? error.message}\n`);
    }
    return code;
  }

  return {
    note: (text) => line('', text),
    warning(text, lines = []) {
      line('warning: ', text);
      list(lines);
    },
    hint: (text) => line('hint: ', text),
    failure,
  };
}

/** The issues of an error. Few of a field have a line each, many share one. The first of several lines counts them. */
function issueLines(error: TrefoilError): string[] {
  const { issues, total } = error;
  // The counts are those of the rejected records.
  if (error.code === 'too_many_rejects' && error.counts !== undefined) {
    return [formatIssue(issues[0]!), ...countLines(error.counts)];
  }
  // An error without counts has the first issues only, and may not have all.
  const counts = error.counts ?? (total === issues.length ? { rows: null, isAll: true, ...tallyOf(issues) } : null);
  const isLong = counts?.fields.some(({ issues, first }) => issues > MANY && first.row !== undefined);
  const lines = isLong
    ? countLines(counts!, issues as readonly Issue[])
    : withRest(issues.map(formatIssue), total - issues.length);
  if (lines.length === 1) return lines;
  // Lines that count say of how many rows.
  const isCut = counts !== null && !counts.isAll && counts.rows !== null && isLong !== true;
  const rest = isCut ? `; the rows after ${count(counts.rows)} were not looked at` : '';
  return [`${count(total)} problems${rest}`, ...lines];
}

/** What lines are made from. The number of rows is `null` if it is not known. */
type Counted = Pick<IssueCounts, 'isAll' | 'fields' | 'others'> & { readonly rows: number | null };

/**
 * A line for each field, code and message of many issues, in the order of their first rows.
 *
 * @param listed issues that may have lines of their own, if there are few of a field.
 */
export function countLines({ rows, isAll, fields, others }: Counted, listed: readonly Issue[] = []): string[] {
  const lines: string[] = [];
  let rest = others;
  for (const found of fields) {
    const own = listed.filter(
      ({ code, field, message }) => code === found.code && field === found.field && message === found.first.message,
    );
    const isFew = own.length === found.issues && (found.issues <= MANY || found.first.row === undefined);
    const added = isFew ? own.map(formatIssue) : [countLine(found, rows, isAll)];
    if (lines.length + added.length <= MAX_LINES) lines.push(...added);
    else rest += found.issues;
  }
  return withRest(lines, rest);
}

function withRest(lines: readonly string[], rest: number): string[] {
  return rest > 0 ? [...lines, `… and ${count(rest)} more`] : [...lines];
}

/** `field born in 100 of the first 1,024 rows, first in row 3, line 4: …`. Only rows that were read are counted. */
function countLine({ field, rows, issues, first }: IssueCount, all: number | null, isAll: boolean): string {
  const of = all === null ? plural(rows, 'row') : `${count(rows)} of ${isAll ? '' : 'the first '}${plural(all, 'row')}`;
  const times = issues > rows ? ` (${count(issues)} times)` : '';
  const { field: _, ...place } = first;
  const where = field === undefined ? '' : `field ${field} `;
  return `${where}in ${of}${times}, first in ${formatIssue(place)}`;
}

/** What to do about an error, if the command line has an answer that the library's message cannot have. */
function adviceFor(error: TrefoilError): string | null {
  switch (error.code) {
    case 'output_exists':
      // A key file is never replaced, and its message does not mention force.
      return error.message.includes('force') ? 'use --force to replace the file' : null;
    case 'key_check_required':
      return 'trefoil keys inspect --keys FILE --domain NAME prints the line to put into the policy';
    case 'record_too_large':
      return 'if the data has records of this length, raise the limit with --max-record BYTES';
    case 'malformed_subject':
      return 'the lines before this one are erased; correct this line, then run it and the lines after it again';
    default:
      return error.issues.some(({ element }) => element !== undefined)
        ? 'elements of arrays count from 0, as in jq and JavaScript'
        : null;
  }
}

/**
 * Text for a terminal, with control characters written as escapes. File names and field names come from outside, and an
 * escape sequence in one of them could repaint the screen.
 */
export function printable(text: string): string {
  return visible(text);
}

/** A number with thousands separators, `1,000`, in every locale. */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${wordFor(value, noun, `${noun}s`)}`;
}

/** The form of a word for a number of things: `is` for one row, `are` for two rows. */
export function wordFor(value: number, one: string, several: string): string {
  return value === 1 ? one : several;
}

/** The end of a help page: what a command has to add to its options, if anything, and the table of exit codes. */
export function helpText(text = ''): string {
  const table = Object.values(EXIT_TABLE).map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return [text === '' ? '' : `${text}\n`, 'Exit codes:', ...table].join('\n');
}
