/** What the verbs over many records share: their options, and what becomes of the issues. */

import { badType, checkOptions, typeName } from '../core/checks.ts';
import { throwIssues } from '../core/issues.ts';
import { type Issue, MAX_ISSUES } from '../errors.ts';
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
