/** The verbs over one record and over many: their options, and what becomes of the issues. */

import { badType, checkOptions, typeName } from '../core/checks.ts';
import { throwIssues } from '../core/issues.ts';
import { type Issue, MAX_ISSUES } from '../errors.ts';
import type { BoundInside, Direction } from './bound.ts';
import type { ManyOptions } from './types.ts';

/** An issue of one of many records. */
export type RowIssue = Issue & { readonly row: number };

/** Checks the arguments of a verb over many records and returns the function that takes issues, if there is one. */
export function checkMany(rows: unknown, options: ManyOptions): ManyOptions['onReject'] {
  if (!Array.isArray(rows)) badType('rows', `expected an array, got ${typeName(rows)}`);
  const { onReject } = checkOptions('options', options, ['onReject']) as ManyOptions;
  if (onReject !== undefined && typeof onReject !== 'function') {
    badType('onReject', `expected a function, got ${typeName(onReject)}`);
  }
  return onReject;
}

/** Passes issues to `onReject` row by row, or throws them all at once. */
export function settleIssues(issues: RowIssue[], onReject: ManyOptions['onReject']): void {
  // Rules report column by column, and people read row by row. The sort is stable.
  issues.sort((a, b) => a.row - b.row);
  if (onReject === undefined) throwIssues(issues.slice(0, MAX_ISSUES), issues.length);
  else for (const issue of issues) onReject(issue);
}

/** Turns one record. Throws its issues. */
export function runOne(inside: BoundInside, direction: Direction, row: unknown): unknown {
  inside.demand(direction);
  const issues: Issue[] = [];
  const [out] = inside.rows(direction, [row], (_, issue) => issues.push(issue), true);
  throwIssues(issues);
  return out;
}

/** Turns many records. Throws once, or calls `onReject` and leaves out the records with an issue. */
export function runMany(
  inside: BoundInside,
  direction: Direction,
  rows: readonly unknown[],
  options: ManyOptions = {},
): unknown[] {
  const onReject = checkMany(rows, options);
  inside.demand(direction);
  const issues: RowIssue[] = [];
  const note = (index: number, issue: Issue) => {
    issues.push({ ...issue, row: index + 1 });
  };
  const out = inside.rows(direction, rows, note, true);
  settleIssues(issues, onReject);
  return out.filter((row) => row !== undefined);
}
