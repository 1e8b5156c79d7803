/**
 * Values inside LISTs, for the pass that looks for a fault and for samples: a column of nested arrays becomes one long
 * column of texts, which goes through the rule like any other, and becomes nested arrays again.
 */

import { type Cell, inLists } from './parquet-columns.ts';

/** The values of a cell inside LISTs, row after row. */
export interface Elements {
  readonly texts: readonly (string | null)[];
  /** The row of each text, from 0. */
  readonly rows: readonly number[];
  /** Where each text is in the LISTs, the outermost first, from 0. */
  readonly indices: readonly (readonly number[])[];
  /** Returns a column with other texts in the same places, each cell as JSON. */
  readonly written: (texts: readonly (string | null)[]) => readonly (string | null)[];
}

/**
 * The expression of a cell inside LISTs: JSON with an array for each LIST, and in it a value as an array of one text.
 * If the STRUCT of a value is NULL, there is `null` in place of that array, so that no rule sees the value.
 */
export function elementsSql({ sql, parent, lists }: Cell): string {
  const value = `[CAST(${sql} AS VARCHAR)]`;
  const one = parent === null ? value : `CASE WHEN ${parent} IS NULL THEN NULL ELSE ${value} END`;
  return `CAST(to_json(${inLists(lists, one)}) AS VARCHAR)`;
}

/** Reads a column of {@link elementsSql}. */
export function readElements(column: readonly (string | null)[], { lists }: Cell): Elements {
  const cells = column.map((text): unknown => (text === null ? null : JSON.parse(text)));
  const texts: (string | null)[] = [];
  const rows: number[] = [];
  const indices: (readonly number[])[] = [];
  for (const [row, cell] of cells.entries()) {
    walk(cell, lists.length, [], (text, at) => {
      texts.push(text);
      rows.push(row);
      indices.push(at);
      return text;
    });
  }
  return {
    ...{ texts, rows, indices },
    written(others) {
      let next = 0;
      return cells.map((cell) => {
        return cell === null ? null : JSON.stringify(walk(cell, lists.length, [], () => others[next++] ?? null));
      });
    },
  };
}

/** Returns a nested array with what `visit` returns in place of each value. */
function walk(
  value: unknown,
  depth: number,
  at: readonly number[],
  visit: (text: string | null, at: readonly number[]) => string | null,
): unknown {
  if (!Array.isArray(value)) return null;
  if (depth === 0) return visit(value[0] as string | null, at);
  return value.map((inner, i) => walk(inner, depth - 1, [...at, i], visit));
}
