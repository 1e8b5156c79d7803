/** Columns by the paths of their fields, through the rules of a policy. */

import { badRange, badType, typeName } from '../core/checks.ts';
import { type Column, columnLength, isUtf8Column, readUtf8, type Utf8Column } from '../core/columns.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { runColumn } from '../rule/columns.ts';
import { ruleOption, type Siblings } from '../rule/rule.ts';
import type { BoundInside } from './bound.ts';

/** Protects columns of one length. Throws once, with all that is wrong. */
export function protectColumns(
  inside: BoundInside,
  tables: Readonly<Record<string, Column>>,
): Record<string, unknown[] | Utf8Column> {
  if (typeof tables !== 'object' || tables === null)
    badType('columns', `expected columns by path, got ${typeName(tables)}`);
  inside.demand('protect');
  const known = new Map(inside.leaves.map((leaf, index) => [leaf.path, { leaf, index }]));
  const issues: Issue[] = [];
  // A column's error keeps 100 issues and counts all.
  let unkept = 0;
  for (const { path, rule } of inside.leaves) {
    if (path.includes('[]')) fail('not_tabular', 'the policy has an array; columns have none', { field: path });
    if (ruleOption(rule, 'optional') !== true && !Object.hasOwn(tables, path)) {
      issues.push({ code: 'missing_field', message: 'there is no such column', field: path });
    }
  }
  // Columns as they came, before their own rules; what is no text there is that rule's issue.
  const siblings: Siblings = (path) => {
    const column = Object.hasOwn(tables, path) ? tables[path] : undefined;
    if (isUtf8Column(column)) return readUtf8(column, () => {});
    return column === undefined ? [] : Array.from(column as ArrayLike<unknown>);
  };
  const out: Record<string, unknown[] | Utf8Column> = {};
  let length: number | undefined;
  for (const [path, column] of Object.entries(tables)) {
    const entry = known.get(path);
    if (entry === undefined) {
      if (inside.unnamed === 'error')
        issues.push({ code: 'unnamed_field', message: 'the policy does not name a column' });
      continue;
    }
    const rows = columnLength(column);
    if (rows === null) {
      badType(
        'columns',
        `expected arrays, got ${typeName(column)}; typed arrays of numbers and { offsets, bytes } of UTF-8 do as well`,
      );
    }
    length ??= rows;
    if (rows !== length) badRange('columns', 'expected columns of one length');
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
  if (issues.length > 0) throw new TrefoilError(issues, issues.length + unkept);
  return out;
}
