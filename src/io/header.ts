/**
 * The header of a table (CSV, TSV) compared with the fields of a policy. The comparison is strict in both directions,
 * and everything that is wrong is reported at once.
 *
 * No message shows a name from the file: if the header is missing, the first line is the data of a person.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { type Issue, TrefoilError } from '../errors.ts';
import type { BoundInside, Direction, Leaf } from '../policy/bound.ts';

/** A column of a table and the field of the policy whose rule it goes through. */
export interface TableColumn {
  readonly name: string;
  readonly leaf: Leaf;
  /** Index of the leaf in the policy. */
  readonly index: number;
  /** Index of the column in the input. */
  readonly from: number;
}

/**
 * Whether the output must not show which cells were empty. That is so for a constant, which hides what it replaced.
 * When a file is revealed, the cell is the constant itself and is written as it was read.
 */
export function hidesEmpty({ engine }: Leaf, direction: Direction): boolean {
  return direction === 'protect' && engine.facts.origin === 'fixed';
}

/** The message for an input without bytes whose columns nobody has named. */
export const NO_HEADER: string =
  'the input is empty and does not have a header line; if it may have no records, name its columns (--header a,b,c), ' +
  'or check the step that writes it';

/** Checks an option that lists names of columns. */
export function checkNames(argument: string, names: unknown): asserts names is readonly string[] {
  if (!Array.isArray(names)) badType(argument, `expected a list of names, got ${typeName(names)}`);
  if (names.length === 0 || !names.every((name) => typeof name === 'string' && name.isWellFormed())) {
    badRange(argument, 'expected at least one name, each a text without half of a surrogate pair');
  }
}

/**
 * Refuses a policy whose records do not fit into a table.
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
 * The columns of the output, in the order of the input. `names` is the header of the input.
 *
 * @throws TrefoilError with all of `header_missing`, `header_duplicate`, `unnamed_field` and `missing_field` at once.
 */
export function mapHeader(names: readonly string[], inside: BoundInside, direction: Direction): readonly TableColumn[] {
  // A protected file has no column for a dropped field.
  const expected = inside.leaves
    .map((leaf, index) => ({ leaf, index }))
    .filter(({ leaf }) => direction === 'protect' || !leaf.engine.removes);
  const byHeader = new Map(expected.map((entry) => [entry.leaf.header, entry]));
  if (expected.length > 0 && !names.some((name) => byHeader.has(name))) {
    const message =
      "none of the policy's fields is in the first line; check that it is the header, and check the delimiter";
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
      const place = { line: 1, column: 1, ...given({ field: entry?.leaf.path }) };
      issues.push({ code: 'header_duplicate', message, ...place });
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

/** The index of each field's column in the input, by path. Dropped fields are included. */
export function fieldPositions(names: readonly string[], { leaves }: BoundInside): ReadonlyMap<string, number> {
  const at = new Map(names.map((name, from) => [name, from]));
  const positions = new Map<string, number>();
  for (const { path, header } of leaves) {
    const from = header === null ? undefined : at.get(header);
    if (from !== undefined) positions.set(path, from);
  }
  return positions;
}
