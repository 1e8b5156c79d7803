/**
 * The header of a CSV file against the fields of a policy. It is strict both ways, and tells all that is wrong at once.
 *
 * No message shows a name out of the file: where a header is missing, the first line is a person.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { type Issue, TrefoilError } from '../errors.ts';
import type { BoundInside, Direction, Leaf } from '../policy/bound.ts';

/** A column that goes through a rule. */
export interface TableColumn {
  readonly name: string;
  readonly leaf: Leaf;
  /** Index of the leaf in the policy. */
  readonly index: number;
  /** Index of the column in the input. */
  readonly from: number;
}

/**
 * Whether the output must not show that a cell was empty: a constant hides what it replaced. On the way back such a cell is
 * the constant's own, and comes out as it came.
 */
export function hidesEmpty({ engine }: Leaf, direction: Direction): boolean {
  return direction === 'protect' && engine.facts.origin === 'fixed';
}

/** Checks names of columns that a caller gives. */
export function checkNames(argument: string, names: unknown): asserts names is readonly string[] {
  if (!Array.isArray(names)) badType(argument, `expected a list of names, got ${typeName(names)}`);
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && name.isWellFormed())) {
    badRange(argument, 'expected at least one name, each a text without half of a surrogate pair');
  }
}

/**
 * Refuses a policy that has no table.
 *
 * @throws TrefoilError `not_tabular` for fields inside an array, and for two fields with one header.
 */
export function checkTabular({ leaves }: BoundInside): void {
  const issues: Issue[] = [];
  const seen = new Set<string>();
  for (const { path, header } of leaves) {
    if (header === null) {
      issues.push({
        code: 'not_tabular',
        message: 'a field inside an array cannot be a column of a table; only NDJSON has arrays',
        field: path,
      });
    } else if (seen.has(header)) {
      issues.push({
        code: 'not_tabular',
        message: 'another field has the same name as a column of a table; rename one of them',
        field: path,
      });
    } else seen.add(header);
  }
  if (issues.length > 0) throw new TrefoilError(issues);
}

/**
 * The columns of the output, in the order of the input.
 *
 * @throws TrefoilError with all of `header_missing`, `header_duplicate`, `unnamed_field` and `missing_field` at once.
 */
export function mapHeader(names: readonly string[], inside: BoundInside, direction: Direction): readonly TableColumn[] {
  // What a protected file holds: a dropped field is none of its columns.
  const expected = inside.leaves
    .map((leaf, index) => ({ leaf, index }))
    .filter(({ leaf }) => direction === 'protect' || !leaf.engine.removes);
  const byHeader = new Map(expected.map((entry) => [entry.leaf.header, entry]));
  if (expected.length > 0 && !names.some((name) => byHeader.has(name))) {
    const message =
      "the first line has none of the policy's fields, so the input seems to have no header; check the delimiter as well";
    throw new TrefoilError([{ code: 'header_missing', message, line: 1, column: 1 }]);
  }

  const issues: Issue[] = [];
  const columns: TableColumn[] = [];
  const firstAt = new Map<string, number>();
  for (const [from, name] of names.entries()) {
    const entry = byHeader.get(name);
    const first = firstAt.get(name);
    if (first !== undefined) {
      const message = `columns ${first + 1} and ${from + 1} of the header have the same name`;
      issues.push({
        code: 'header_duplicate',
        message,
        line: 1,
        column: 1,
        ...(entry === undefined ? {} : { field: entry.leaf.path }),
      });
      continue;
    }
    firstAt.set(name, from);
    if (entry !== undefined) {
      if (direction === 'reveal' || !entry.leaf.engine.removes) columns.push({ name, ...entry, from });
    } else if (inside.unnamed === 'error') {
      const message = `column ${from + 1} of the header is not named in the policy; name it, or set unnamed: drop`;
      issues.push({ code: 'unnamed_field', message, line: 1, column: 1 });
    }
  }
  for (const { leaf } of expected) {
    if (firstAt.has(leaf.header!) || leaf.rule.optional === true) continue;
    issues.push({
      code: 'missing_field',
      message: 'the header does not have the field',
      line: 1,
      column: 1,
      field: leaf.path,
    });
  }
  if (issues.length > 0) throw new TrefoilError(issues);
  return columns;
}

/** Where each field of the policy stands in the input, by path: the dropped ones, too. */
export function fieldPositions(names: readonly string[], { leaves }: BoundInside): ReadonlyMap<string, number> {
  const at = new Map(names.map((name, from) => [name, from]));
  const positions = new Map<string, number>();
  for (const { path, header } of leaves) {
    const from = header === null ? undefined : at.get(header);
    if (from !== undefined) positions.set(path, from);
  }
  return positions;
}
