/**
 * Tables: runs a batch of cells through the rules of a policy, column by column. CSV, TSV and DuckDB share this step
 * between reading cells and writing them.
 */

import { jsonNumberText } from '../core/json/number.ts';
import type { Issue } from '../errors.ts';
import { type BoundInside, type Direction, verbOf } from '../policy/bound.ts';
import { runReported } from '../rule/columns.ts';
import { isMissing, type MissingTexts } from '../rule/missing.ts';
import { type ParsedCells, parseCells, turnCells } from './cells/cells.ts';
import { readInteger } from './cells/integer.ts';
import { readScalar } from './cells/scalar.ts';
import type { CellColumn, TableColumn, TableMap } from './columns.ts';

/** A batch of records as cells. */
export interface Cells {
  /** Records in the batch. */
  readonly rows: number;
  /**
   * Returns the cells of one column of the input, from top to bottom, in a new array that the caller may change. `null`
   * is a missing value, if the file format distinguishes it from the empty text.
   */
  readonly column: (from: number) => (string | null)[];
}

/**
 * Runs a batch through the rules. Returns a column of cells for each column of the output. A cell of a record with an
 * issue has no meaning.
 *
 * @param columns of the output, from `mapHeader`.
 * @param positions where the input has each field, from `mapHeader`.
 * @param report called with the index of the record in the batch, and with that of the column in the input.
 */
export function turnTable(
  cells: Cells,
  columns: readonly TableColumn[],
  positions: TableMap['positions'],
  direction: Direction,
  inside: BoundInside,
  report: (index: number, issue: Issue, from: number) => void,
): (string | null)[][] {
  // A column with values in its cells is read once, also if a rule looks at another field in it.
  const read = new Map<number, ParsedCells>();
  const readColumn = (from: number, node: CellColumn['node']): ParsedCells => {
    let found = read.get(from);
    if (found === undefined) {
      found = parseCells(cells.column(from), node, direction, inside, (i, issue) => report(i, issue, from));
      read.set(from, found);
    }
    return found;
  };
  const siblings = (path: string): readonly unknown[] => {
    const position = positions.get(path);
    if (position === undefined) return new Array<undefined>(cells.rows).fill(undefined);
    const { from, inside } = position;
    return inside === null ? cells.column(from) : readColumn(from, inside.node).values(inside.names);
  };
  return columns.map((made) => {
    const { from } = made;
    if (made.node !== undefined) {
      const reportCell = (i: number, issue: Issue): void => report(i, issue, from);
      return turnCells(readColumn(from, made.node), made.node, direction, inside, reportCell, siblings);
    }
    const { leaf, index } = made;
    const column: unknown[] = cells.column(from);
    const reportField = (i: number, issue: Issue): void => report(i, { ...issue, field: leaf.path }, from);
    if (direction === 'protect') {
      if (leaf.engine.cell === 'integer') readIntegers(column, inside.missing[index]!, reportField);
      else if (leaf.engine.cell === 'json') readScalars(column, inside.missing[index]!);
    }
    const out = runReported(verbOf(inside.columns[index]!, direction), column, reportField, siblings);
    for (let i = 0; i < out.length; i++) if (typeof out[i] !== 'string') out[i] = toCell(out[i]);
    return out as (string | null)[];
  });
}

/** Reads the cells of a column whose rule takes integers. A missing value stays as it is. */
function readIntegers(column: unknown[], missing: MissingTexts, report: (index: number, issue: Issue) => void): void {
  for (let i = 0; i < column.length; i++) {
    const cell = column[i];
    if (typeof cell !== 'string' || isMissing(cell, missing)) continue;
    const value = readInteger(cell);
    // The record is rejected, so the rule need not see the cell.
    column[i] = typeof value === 'object' ? undefined : value;
    if (typeof value === 'object') report(i, value);
  }
}

/** Reads the cells of a column whose rule takes scalars of JSON. */
function readScalars(column: unknown[], missing: MissingTexts): void {
  for (let i = 0; i < column.length; i++) {
    const cell = column[i];
    if (typeof cell === 'string' && !isMissing(cell, missing)) column[i] = readScalar(cell);
  }
}

function toCell(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return jsonNumberText(value) ?? String(value);
}
