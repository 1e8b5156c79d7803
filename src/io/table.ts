/**
 * Tables: runs a batch of cells through the rules of a policy, column by column. CSV, TSV and DuckDB share this step
 * between reading cells and writing them.
 */

import { jsonNumber, jsonNumberText } from '../core/json/number.ts';
import type { Issue } from '../errors.ts';
import type { BoundInside, Direction } from '../policy/bound.ts';
import { runReported } from '../rule/columns.ts';
import { isMissing, type MissingTexts } from '../rule/missing.ts';
import type { TableColumn } from './header.ts';

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
 * @param positions index of each field's column in the input, from `fieldPositions`. It has the dropped fields as well,
 * because a rule may look at another field of the record.
 * @param report called with the index of the record in the batch.
 */
export function turnTable(
  cells: Cells,
  columns: readonly TableColumn[],
  positions: ReadonlyMap<string, number>,
  direction: Direction,
  inside: BoundInside,
  report: (index: number, issue: Issue) => void,
): (string | null)[][] {
  const siblings = (path: string): readonly unknown[] => {
    const from = positions.get(path);
    return from === undefined ? new Array<undefined>(cells.rows).fill(undefined) : cells.column(from);
  };
  return columns.map(({ leaf, index, from }) => {
    const column: unknown[] = cells.column(from);
    const reportField = (i: number, issue: Issue): void => report(i, { ...issue, field: leaf.path });
    if (direction === 'protect') {
      if (leaf.engine.cell === 'integer') readIntegers(column, inside.missing[index]!, reportField);
      else if (leaf.engine.cell === 'json') readScalars(column, inside.missing[index]!);
    }
    const out = runReported(inside.columns[index]![direction], column, reportField, siblings);
    for (let i = 0; i < out.length; i++) if (typeof out[i] !== 'string') out[i] = toCell(out[i]);
    return out as (string | null)[];
  });
}

const INTEGER = /^(?:0|-?[1-9][0-9]{0,15})$/;

/** Reads the cells of a column whose rule takes integers. A missing value stays as it is. */
function readIntegers(column: unknown[], missing: MissingTexts, report: (index: number, issue: Issue) => void): void {
  for (let i = 0; i < column.length; i++) {
    const cell = column[i];
    if (typeof cell !== 'string' || isMissing(cell, missing)) continue;
    const value = INTEGER.test(cell) ? Number(cell) : Number.NaN;
    // The record is rejected, so the rule need not see the cell.
    column[i] = Number.isSafeInteger(value) ? value : undefined;
    if (Number.isSafeInteger(value)) continue;
    const message = 'expected a whole number without leading zeros, from -(2^53 - 1) to 2^53 - 1';
    report(i, { code: 'not_an_integer', message });
  }
}

/** A number of JSON (RFC 8259, section 6). */
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/**
 * Reads the cells of a column whose rule takes scalars of JSON: a cell that is spelled as a number, `true` or `false`
 * is that value, and any other cell is text.
 */
function readScalars(column: unknown[], missing: MissingTexts): void {
  for (let i = 0; i < column.length; i++) {
    const cell = column[i];
    if (typeof cell !== 'string' || isMissing(cell, missing)) continue;
    if (cell === 'true' || cell === 'false') column[i] = cell === 'true';
    else if (NUMBER.test(cell)) column[i] = jsonNumber(cell);
  }
}

function toCell(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return jsonNumberText(value) ?? String(value);
}
