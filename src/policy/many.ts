/** What the verbs over many records have in common, whether they wait or not. */

import { badType, checkOptions, typeName } from '../core/checks.ts';
import { type Issue, MAX_ISSUES, TrefoilError } from '../errors.ts';
import type { ManyOptions } from './types.ts';

/** Checks the arguments and gives the function that takes issues, if there is one. */
export function checkMany(rows: unknown, options: ManyOptions): ManyOptions['onReject'] {
  if (!Array.isArray(rows)) badType('rows', `expected an array, got ${typeName(rows)}`);
  const { onReject } = checkOptions('options', options, ['onReject']) as ManyOptions;
  if (onReject !== undefined && typeof onReject !== 'function') {
    badType('onReject', `expected a function, got ${typeName(onReject)}`);
  }
  return onReject;
}

/** Reports issues row by row, or throws them all at once. */
export function settleIssues(issues: (Issue & { readonly row: number })[], onReject: ManyOptions['onReject']): void {
  // Rules report column by column; people read row by row. The sort is stable.
  issues.sort((a, b) => a.row - b.row);
  if (onReject !== undefined) for (const issue of issues) onReject(issue);
  else if (issues.length > 0) throw new TrefoilError(issues.slice(0, MAX_ISSUES), issues.length);
}
