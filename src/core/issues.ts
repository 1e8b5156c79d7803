/**
 * Issues of many values: each belongs to a row, an error keeps the first {@link MAX_ISSUES}, and all are counted.
 */

import { type Issue, type IssueCount, type IssueCounts, kindOf, MAX_ISSUES, TrefoilError } from '../errors.ts';

/** Takes the issue of one value, and the index of that value in its column, from 0. */
export type ReportIssue = (index: number, issue: Issue) => void;

/** Collects the issues of a column and throws one error for all of them. */
export interface IssueCollector {
  /** Adds an issue. Its row is `index + 1`. */
  readonly report: ReportIssue;
  /**
   * Throws one error if there were issues. It has the issues with the lowest row numbers, in the order of the rows, and
   * the number of all.
   */
  readonly throwIfAny: () => void;
}

/** A collector for one column. Issues may be reported in any order of rows. */
export function collectIssues(): IssueCollector {
  const kept: (Issue & { readonly row: number })[] = [];
  let total = 0;
  // Once enough issues are kept, an issue of this row or a later one cannot be among the first any more.
  let limit = Number.POSITIVE_INFINITY;

  function keepFirst(): void {
    kept.sort((a, b) => a.row - b.row);
    kept.length = Math.min(kept.length, MAX_ISSUES);
    if (kept.length === MAX_ISSUES) limit = kept[MAX_ISSUES - 1]!.row;
  }

  return {
    report(index, issue) {
      total++;
      const row = index + 1;
      if (row >= limit) return;
      kept.push({ ...issue, row });
      // At 100 for the limit; then at every 200, so that a column that is reported backwards is not sorted each time.
      if (kept.length % MAX_ISSUES === 0) keepFirst();
    },
    throwIfAny() {
      if (total === 0) return;
      keepFirst();
      throw new TrefoilError(kept, total);
    },
  };
}

/** Throws one error with all issues, if there are any. `total` counts issues that were found and not kept, too. */
export function throwIssues(issues: readonly Issue[], total: number = issues.length): void {
  if (issues.length > 0) throw new TrefoilError(issues, total);
}

/** Throws the first issue as an error of its own: what a verb over one value does instead of collecting. */
export const throwIssue: ReportIssue = (_, issue) => {
  throw new TrefoilError([issue]);
};

/**
 * The issue of an error that a value caused. Any other error (a mistake in an argument, in the keys or in this library)
 * is thrown again, because the rows after this one would fail in the same way.
 */
export function issueOf(error: unknown): Issue {
  if (error instanceof TrefoilError && kindOf(error.code) === 'data') return error.issues[0]!;
  throw error;
}

/** How many counts there are at most. Names of fields may come from the data, and memory stays bounded. */
const MAX_COUNTS = 100;

/** How many messages of one field and code are counted apart. A message may have a number, which differs by row. */
const MAX_MESSAGES = 5;

/** What is counted of issues, without the rows that were read. */
export type IssueTally = Pick<IssueCounts, 'fields' | 'others'>;

/** Counts issues by field, code and message while they are found. */
export interface IssueCounter {
  /** Counts an issue. The issues of a row must come one after another, as far as they are counted together. */
  readonly add: (issue: Issue) => void;
  /** Counts the issues of a tally. `place` completes the place of an issue. Its rows are none that were counted. */
  readonly merge: (tally: IssueTally, place: (issue: Issue) => Issue) => void;
  readonly tally: () => IssueTally;
}

/** Makes a counter that has counted nothing. */
export function makeIssueCounter(): IssueCounter {
  const counts = new Map<string, { rows: number; issues: number; readonly first: Issue; last: Issue }>();
  const messages = new Map<string, number>();
  let others = 0;
  const fieldOf = ({ code, field = '' }: Issue): string => `${code} ${field}`;
  const countOf = (issue: Issue) => counts.get(`${fieldOf(issue)}\n${issue.message}`);
  const begin = (issue: Issue, rows: number, issues: number): void => {
    const field = fieldOf(issue);
    const before = messages.get(field) ?? 0;
    if (counts.size === MAX_COUNTS || before === MAX_MESSAGES) others += issues;
    else {
      messages.set(field, before + 1);
      counts.set(`${field}\n${issue.message}`, { rows, issues, first: issue, last: issue });
    }
  };
  return {
    add(issue) {
      const count = countOf(issue);
      if (count === undefined) begin(issue, 1, 1);
      else {
        count.issues++;
        if (issue.row !== count.last.row || issue.file !== count.last.file) count.rows++;
        count.last = issue;
      }
    },
    merge(tally, place) {
      for (const { rows, issues, first } of tally.fields) {
        const count = countOf(first);
        if (count === undefined) begin(place(first), rows, issues);
        else {
          count.rows += rows;
          count.issues += issues;
        }
      }
      others += tally.others;
    },
    tally: () => ({
      fields: Array.from(counts.values(), ({ rows, issues, first }): IssueCount => {
        const { code, field } = first;
        return { code, ...(field !== undefined && { field }), rows, issues, first };
      }),
      others,
    }),
  };
}

/** Counts issues that are in the order of their rows. */
export function tallyOf(issues: readonly Issue[]): IssueTally {
  const { add, tally } = makeIssueCounter();
  for (const issue of issues) add(issue);
  return tally();
}
