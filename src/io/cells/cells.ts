/**
 * Cells with values inside: a column of a table whose cells hold JSON, or arrays of PostgreSQL. A path of the policy
 * leads into such a cell as it leads into a record of NDJSON. The cell is written back in the form that it had.
 */

import { jsonErrorAt } from '../../core/json/error.ts';
import { putNumbers } from '../../core/json/exact.ts';
import { asNumber, jsonNumberText } from '../../core/json/number.ts';
import { rewriteJson } from '../../core/json/rewrite.ts';
import { scanJson } from '../../core/json/scan.ts';
import type { Issue } from '../../errors.ts';
import type { BoundInside, Direction, Node } from '../../policy/bound.ts';
import { elementPath } from '../../policy/file/path.ts';
import { isMissing } from '../../rule/missing.ts';
import type { Siblings } from '../../rule/rule.ts';
import { readInteger } from './integer.ts';
import { looksLikePgArray, type PgElement, readPgArray, writePgArray } from './pg-array.ts';
import { readScalar } from './scalar.ts';

/** Takes the issue of a cell, and the index of its record in the batch. */
type Report = (index: number, issue: Issue) => void;

/** A cell that was read. */
interface Cell {
  /** `null` for a missing cell, `undefined` for one that cannot be read. */
  readonly value: unknown;
  /** The elements, if the text is an array of PostgreSQL. */
  readonly elements: readonly PgElement[] | null;
}

/** A column of cells that were read. */
export interface ParsedCells {
  readonly texts: readonly (string | null)[];
  readonly cells: readonly Cell[];
  /** The values at names inside the cells, as a rule reads another field of the record. */
  readonly values: (names: readonly string[]) => readonly unknown[];
}

const MISSING: Cell = { value: null, elements: null };
const BROKEN: Cell = { value: undefined, elements: null };

/**
 * Reads a column, and reports cells that cannot be read.
 *
 * @param node the part of the policy that is inside the cells.
 */
export function parseCells(
  texts: readonly (string | null)[],
  node: Node,
  direction: Direction,
  inside: BoundInside,
  report: Report,
): ParsedCells {
  const cells = texts.map((text, i): Cell => {
    if (isMissing(text, inside.missingCells)) return MISSING;
    const read = readCell(text!, node, direction, inside, (issue) => report(i, issue));
    if ('cell' in read) return read.cell;
    report(i, { ...read.issue, field: pathOf(node) });
    return BROKEN;
  });
  return { texts, cells, values: (names) => cells.map(({ value }) => asNumber(valueAt(value, names))) };
}

/** Runs a column through the rules inside it, and writes its cells again. */
export function turnCells(
  { texts, cells }: ParsedCells,
  node: Node,
  direction: Direction,
  inside: BoundInside,
  report: Report,
  siblings: Siblings,
): (string | null)[] {
  const failed = new Set<number>();
  const noted: Report = (i, issue) => {
    failed.add(i);
    report(i, issue);
  };
  const values = cells.map(({ value }) => value);
  const out = inside.values(direction, node, values, noted, siblings);
  return texts.map((text, i) => {
    const { value, elements } = cells[i]!;
    // Null in JSON is written as it was, too.
    if (value === null) return text;
    if (value === undefined || failed.has(i)) return null;
    return elements === null ? rewriteJson(text!, out[i]) : writePgArray(written(elements, itemOf(node), out[i]));
  });
}

function readCell(
  text: string,
  node: Node,
  direction: Direction,
  inside: BoundInside,
  report: (issue: Issue) => void,
): { readonly cell: Cell } | { readonly issue: Issue } {
  if (node.kind === 'each' && looksLikePgArray(text)) {
    const read = readPgArray(text);
    if ('wrong' in read) return { issue: { code: 'invalid_array', message: read.wrong } };
    const values = valuesOf(read.elements, node.item, direction, inside, report);
    return { cell: { value: values, elements: read.elements } };
  }
  const read = readJson(text, 'the cell');
  if ('issue' in read) return read;
  return { cell: { value: read.value, elements: null } };
}

/** Reads a text as JSON. A number that JavaScript would write in another way is its text (`core/json/number.ts`). */
function readJson(text: string, what: string): { readonly value: unknown } | { readonly issue: Issue } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of `JSON.parse` quotes the input, so it is not used.
    const message = `${what} is not valid JSON from its character ${jsonErrorAt(text) + 1} on`;
    return { issue: { code: 'invalid_json', message } };
  }
  if (typeof value !== 'object' || value === null) return { value };
  const found = scanJson(text, value);
  if (found !== null && found !== 'inexact') return { issue: found };
  if (found === 'inexact') putNumbers(text, value);
  return { value };
}

/**
 * The values of the elements of a PostgreSQL array. Elements are texts. Where the policy has fields or arrays in them,
 * they are JSON, as those of a column of type `jsonb[]` are.
 */
function valuesOf(
  elements: readonly PgElement[],
  item: Node,
  direction: Direction,
  inside: BoundInside,
  report: (issue: Issue) => void,
  around: readonly number[] = [],
): unknown[] {
  return elements.map((element, i) => {
    const indices = [...around, i];
    const refuse = (issue: Issue): null => {
      report({ ...issue, field: pathOf(item), element: elementPath(pathOf(item), indices) });
      return null;
    };
    if (element === null) return null;
    if (typeof element !== 'string') {
      if (item.kind === 'each') return valuesOf(element, item.item, direction, inside, report, indices);
      return refuse({ code: 'wrong_type', message: 'the array has more dimensions than the path has []' });
    }
    if (item.kind !== 'leaf') {
      const read = readJson(element, 'the element of the array');
      return 'value' in read ? read.value : refuse(read.issue);
    }
    const { cell } = item.leaf.engine;
    if (direction !== 'protect' || cell === 'text' || isMissing(element, inside.missing[item.index]!)) return element;
    if (cell === 'json') return readScalar(element);
    const read = readInteger(element);
    return typeof read === 'object' ? refuse(read) : read;
  });
}

/** The elements of a PostgreSQL array after the rules. */
function written(elements: readonly PgElement[], item: Node, out: unknown): readonly PgElement[] {
  return elements.map((element, i): PgElement => {
    const value: unknown = (out as readonly unknown[])[i];
    if (value === null || value === undefined) return null;
    if (element !== null && typeof element !== 'string') return written(element, itemOf(item), value);
    if (item.kind === 'leaf' || element === null) return jsonNumberText(value) ?? String(value);
    return rewriteJson(element, value);
  });
}

function itemOf(node: Node): Node {
  return node.kind === 'each' ? node.item : node;
}

function pathOf(node: Node): string {
  return node.kind === 'leaf' ? node.leaf.path : node.path;
}

function valueAt(value: unknown, names: readonly string[]): unknown {
  let found = value;
  for (const name of names) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}
