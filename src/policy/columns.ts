/** Protects columns by the paths of their fields: each goes through the rule that the policy has for it. */

import { badRange, badType, typeName } from '../core/checks.ts';
import { type Column, columnLength, isUtf8Column, readUtf8, type Utf8Column } from '../core/columns.ts';
import { throwIssues } from '../core/issues.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { runColumn } from '../rule/columns.ts';
import { ruleOption, type Siblings } from '../rule/rule.ts';
import type { BoundInside } from './bound.ts';
import { otherNames } from './unnamed.ts';

/** Protects columns of equal length. Throws once, with everything that is wrong. */
export function protectColumns(
  inside: BoundInside,
  tables: Readonly<Record<string, Column>>,
): Record<string, unknown[] | Utf8Column> {
  if (typeof tables !== 'object' || tables === null)
    badType('columns', `expected columns by path, got ${typeName(tables)}`);
  inside.demand('protect');
  const known = new Map(inside.leaves.map((leaf, index) => [leaf.path, { leaf, index }]));
  const issues: Issue[] = [];
  // The error of a column keeps 100 issues and counts all of them.
  let unkept = 0;
  for (const { path, rule } of inside.leaves) {
    if (path.includes('[]'))
      fail('not_tabular', 'the field is inside an array, and a column cannot hold one; protect records instead', {
        field: path,
      });
    if (ruleOption(rule, 'optional') !== true && !Object.hasOwn(tables, path)) {
      issues.push({
        code: 'missing_field',
        message: 'the column is missing; if it may be absent, mark the field optional',
        field: path,
      });
    }
  }
  // Columns as they were passed, before their own rules. A value that is not text is reported by that column's rule.
  const siblings: Siblings = (path) => {
    const column = Object.hasOwn(tables, path) ? tables[path] : undefined;
    if (isUtf8Column(column)) return readUtf8(column, () => {});
    return column === undefined ? [] : Array.from(column as ArrayLike<unknown>);
  };
  const out: Record<string, unknown[] | Utf8Column> = {};
  let length: number | undefined;
  for (const [path, column] of Object.entries(tables)) {
    const entry = known.get(path);
    if (entry === undefined) continue;
    const rows = columnLength(column);
    if (rows === null) {
      badType(
        'columns',
        `expected arrays, typed arrays of numbers or { offsets, bytes } of UTF-8, got ${typeName(column)}`,
      );
    }
    length ??= rows;
    if (rows !== length) badRange('columns', 'expected columns of equal length');
    const { leaf, index } = entry;
    if (leaf.engine.removes) continue;
    const { protect } = inside.columns[index]!;
    try {
      out[path] = runColumn((values, report) => protect(values, report, siblings), column);
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      issues.push(...error.issues.map((issue) => ({ ...issue, field: path })));
      unkept += error.total - error.issues.length;
    }
  }
  issues.push(...unnamedColumns(Object.keys(tables), known, inside));
  throwIssues(issues, issues.length + unkept);
  return out;
}

/** The issues of columns that the policy does not have. They are named by paths, as all columns are. */
function unnamedColumns(
  paths: readonly string[],
  known: ReadonlyMap<string, unknown>,
  { unnamed }: BoundInside,
): readonly Issue[] {
  const others = paths.filter((path) => !known.has(path));
  if (unnamed !== 'error' || others.length === 0) return [];
  return otherNames(others, known, 'table', others.length < paths.length).map(({ name, message, count }) => ({
    code: 'unnamed_field',
    message,
    ...(name === null ? { actual: count } : { field: name }),
  }));
}
