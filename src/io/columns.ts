/**
 * The columns of a table and the fields of a policy. A field is a column of its own, whose name is the whole path of
 * the field; or it is inside the cells of a column whose name is the beginning of its path.
 */

import { type BoundInside, type Direction, isGone, type Leaf, type Node } from '../policy/bound.ts';
import { arrayPath, parsePath } from '../policy/file/path.ts';

/** A column of a table and the field of the policy whose rule it goes through. */
export interface LeafColumn {
  readonly name: string;
  readonly leaf: Leaf;
  /** Index of the leaf in the policy. */
  readonly index: number;
  /** Index of the column in the input. */
  readonly from: number;
  readonly node?: undefined;
}

/** A column whose cells hold values that paths of the policy lead to. */
export interface CellColumn {
  readonly name: string;
  /** The part of the policy that is inside the cells. */
  readonly node: Exclude<Node, { kind: 'leaf' }>;
  readonly from: number;
  readonly leaf?: undefined;
}

/** A column of the output of a table. */
export type TableColumn = LeafColumn | CellColumn;

/** Where the values of a field are: the index of a column in the input, and the names inside its cells. */
export interface Position {
  readonly from: number;
  /** `null` if the value is the whole cell. */
  readonly inside: { readonly node: CellColumn['node']; readonly names: readonly string[] } | null;
}

/** How the columns of a table and the fields of a policy belong together. */
export interface TableMap {
  /** The columns of the output, in the order of the input. */
  readonly columns: readonly TableColumn[];
  /**
   * Where the input has each field, by path. It has the dropped fields as well, because a rule may look at another
   * field of the record. In place of the fields inside an array it has the array.
   */
  readonly positions: ReadonlyMap<string, Position>;
}

/** A field of the policy, and the column whose cells have it. */
export interface Claim {
  readonly leaf: Leaf;
  readonly index: number;
  /** The names that such a column can have: the whole path first, if it can be one, then shorter and shorter ones. */
  readonly candidates: readonly string[];
  /** The parts of the policy around the field that can be the cells of a column, innermost first, with its name. */
  readonly around: readonly (readonly [name: string, node: CellColumn['node']])[];
  /** The name of the column; `null` if the input has none. */
  readonly column: string | null;
  /** The part of the policy inside the cells of the column; `null` if the value is the whole cell. */
  readonly node: CellColumn['node'] | null;
}

/**
 * Finds the column of each field: the one whose name is the whole path, or else the one whose name is the longest
 * beginning of the path.
 */
export function claimsOf(names: ReadonlySet<string>, { root, leaves }: BoundInside): readonly Claim[] {
  const claims: Claim[] = [];
  const headers = new Set(leaves.map(({ header }) => header));

  function walk(node: Node, header: string | null, around: Claim['around']): void {
    if (node.kind === 'leaf') {
      const { leaf, index } = node;
      const candidates = [...(header === null ? [] : [header]), ...around.map(([name]) => name)];
      const column = candidates.find((name) => names.has(name)) ?? null;
      const owner = column === header ? undefined : around.find(([name]) => name === column);
      claims.push({ leaf, index, candidates, around, column, node: owner?.[1] ?? null });
      return;
    }
    // A name that is the whole path of another field is the column of that field.
    const isColumn = node !== root && header !== null && !headers.has(header);
    const inner: Claim['around'] = isColumn ? [[header, node], ...around] : around;
    if (node.kind === 'each') walk(node.item, null, inner);
    else {
      for (const [name, child] of node.fields) {
        walk(child, node === root ? name : header === null ? null : `${header}.${name}`, inner);
      }
    }
  }

  walk(root, null, []);
  return claims;
}

/** The names from a node to a path inside it, without arrays. */
export function namesInside(to: string, node: CellColumn['node']): readonly string[] {
  const namesOf = (path: string): readonly string[] => {
    const steps = parsePath(path);
    return typeof steps === 'string' ? [] : steps.map(({ name }) => name);
  };
  return namesOf(to).slice(namesOf(node.path).length);
}

/**
 * The columns by their names: the fields that are columns of their own, and those whose cells have fields. A column of
 * a field that the output does not have is not among them.
 */
export function columnsOf(names: readonly string[], claims: readonly Claim[]): ReadonlyMap<string, TableColumn> {
  const columns = new Map<string, TableColumn>();
  const inCells = new Map<string, Set<number>>();
  for (const { leaf, index, column, node } of claims) {
    if (column === null) continue;
    const from = names.indexOf(column);
    if (node === null) {
      if (!leaf.engine.removes) columns.set(column, { name: column, leaf, index, from });
      continue;
    }
    const kept = inCells.get(column) ?? new Set();
    inCells.set(column, kept.add(index));
  }
  for (const [name, kept] of inCells) {
    const { node } = claims.find(({ column, node }) => column === name && node !== null)!;
    const part = pruned(node!, kept) as CellColumn['node'];
    columns.set(name, { name, node: part, from: names.indexOf(name) });
  }
  return columns;
}

/** Where the input has the fields. */
export function positionsOf(names: readonly string[], claims: readonly Claim[]): ReadonlyMap<string, Position> {
  const positions = new Map<string, Position>();
  for (const { leaf, column, node } of claims) {
    if (column === null) continue;
    const path = leaf.header === null ? arrayPath(leaf.path) : leaf.path;
    const inside = node === null ? null : { node, names: namesInside(path, node) };
    positions.set(path, { from: names.indexOf(column), inside });
  }
  return positions;
}

/** The part of a tree with some of its leaves; `null` if it has none of them. */
function pruned(node: Node, kept: ReadonlySet<number>): Node | null {
  if (node.kind === 'leaf') return kept.has(node.index) ? node : null;
  if (node.kind === 'each') {
    const item = pruned(node.item, kept);
    return item === null ? null : { ...node, item };
  }
  const fields = new Map<string, Node>();
  for (const [name, inner] of node.fields) {
    const part = pruned(inner, kept);
    if (part !== null) fields.set(name, part);
  }
  return fields.size === 0 ? null : { ...node, fields };
}

/** The names of the columns that a policy reads if every path that can be a column is one. */
export function columnNames({ root }: BoundInside, direction: Direction): readonly string[] {
  const names = new Set<string>();
  const visit = (node: Node, header: string): void => {
    // An array is a cell.
    if (node.kind !== 'fields') {
      if (node.kind !== 'leaf' || !isGone(node.leaf, direction)) names.add(header);
      return;
    }
    for (const [name, inner] of node.fields) visit(inner, node === root ? name : `${header}.${name}`);
  };
  visit(root, '');
  return [...names];
}
