/** How a rule's work is run over a column of values, or over one value, and what becomes of the issues. */

import { badType, typeName } from '../core/checks.ts';
import { isNumberColumn, isUtf8Column, readUtf8, type Utf8Column, utf8Column } from '../core/columns.ts';
import { collectIssues, issueOf, type ReportIssue, throwIssue } from '../core/issues.ts';
import { EMPTY_TEXT, isMissing, type MissingTexts } from './missing.ts';
import type { ColumnVerb, Siblings } from './rule.ts';

/** The `reveal` of rules whose output cannot be turned back: a copy of the column as it is. */
export const revealNothing: ColumnVerb = (column) => [...column];

/** Applies a function to every value that is not missing. An error about a value is reported as that value's issue. */
export function mapColumn(
  column: readonly unknown[],
  apply: (value: unknown) => unknown,
  report: ReportIssue,
  missing: MissingTexts = EMPTY_TEXT,
): unknown[] {
  const out = new Array<unknown>(column.length);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (isMissing(value, missing)) {
      out[i] = value;
      continue;
    }
    try {
      out[i] = apply(value);
    } catch (error) {
      report(i, issueOf(error));
    }
  }
  return out;
}

/**
 * A verb that reveals a column and works on the clear values. Values that are missing in the column stay as they are;
 * `work` is bound without missing texts, so that a clear value which happens to be such a text is not passed on.
 */
export function throughClear(reveal: ColumnVerb, work: ColumnVerb, missing: MissingTexts): ColumnVerb {
  return (column, report, siblings) => {
    const clear = reveal(column, report, siblings);
    for (let i = 0; i < column.length; i++) if (isMissing(column[i], missing)) clear[i] = undefined;
    const out = work(clear, report);
    for (let i = 0; i < column.length; i++) if (isMissing(column[i], missing)) out[i] = column[i];
    return out;
  };
}

/** Turns revealed values into what code gets: see `inCode` of a rule's engine. */
export function toCode(
  values: readonly unknown[],
  inCode: (value: unknown) => unknown,
  report: ReportIssue,
): unknown[] {
  return values.map((value, i) => {
    try {
      return inCode(value);
    } catch (error) {
      report(i, issueOf(error));
      return undefined;
    }
  });
}

/**
 * Runs a verb over a column and throws one error for all issues, with the first 100 of them and their rows from 1. The
 * column may be an array, a typed array of numbers, or UTF-8 with offsets; the last is returned in the same layout.
 *
 * @throws TypeError if the argument is not a column.
 */
export function runColumn(verb: ColumnVerb, column: readonly unknown[]): unknown[];
export function runColumn(verb: ColumnVerb, column: unknown): unknown[] | Utf8Column;
export function runColumn(verb: ColumnVerb, column: unknown): unknown[] | Utf8Column {
  const { report, throwIfAny } = collectIssues();
  const out = verb(valuesOf(column, report), report);
  throwIfAny();
  return isUtf8Column(column) ? utf8Column(out as string[]) : out;
}

/** The values of a column in an array. */
function valuesOf(column: unknown, report: ReportIssue): readonly unknown[] {
  if (Array.isArray(column)) return column;
  // A number costs 2 ns to copy, and rules then have one kind of column only.
  if (isNumberColumn(column)) return Array.from<unknown>(column);
  if (isUtf8Column(column)) {
    return readUtf8(column, (index) => report(index, { code: 'not_utf8', message: 'the text is not valid UTF-8' }));
  }
  return badType(
    'column',
    `expected an array, got ${typeName(column)}; ` +
      'a typed array of numbers, and UTF-8 as { offsets, bytes }, are columns too',
  );
}

/**
 * Runs a verb over a column whose issues are reported one by one. After the first issue, errors are made without a
 * stack trace: nobody sees the trace of an error that becomes an issue, and a column of bad values would spend most of
 * its time on traces (measured). `Error.stackTraceLimit` exists in V8 only; on other engines nothing changes.
 */
export function runReported(
  verb: ColumnVerb,
  column: readonly unknown[],
  report: ReportIssue,
  siblings: Siblings,
): unknown[] {
  const { stackTraceLimit } = Error as { stackTraceLimit?: unknown };
  let traced = typeof stackTraceLimit === 'number';
  const setLimit = (limit: unknown): unknown => Reflect.set(Error, 'stackTraceLimit', limit);
  const reportOne: ReportIssue = (index, issue) => {
    if (traced) setLimit(0);
    traced = false;
    report(index, issue);
  };
  try {
    return verb(column, reportOne, siblings);
  } finally {
    if (typeof stackTraceLimit === 'number') setLimit(stackTraceLimit);
  }
}

/** Runs a verb over one value and throws its issue, without a row. */
export function runValue(verb: ColumnVerb, value: unknown): unknown {
  return verb([value], throwIssue)[0];
}
