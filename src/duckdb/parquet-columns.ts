/**
 * The columns of a Parquet file compared with the fields of a policy. A path of the policy leads into a STRUCT or a
 * LIST as it leads into an object or an array of NDJSON, and into a column of text as into the cells of CSV. Every
 * other type with inner values is refused unless it is dropped, because no rule would see the inner values.
 *
 * A message shows a name of the file as messages about other tables and records do (`io/header.ts`,
 * `policy/unnamed.ts`).
 */

import { type Issue, TrefoilError } from '../errors.ts';
import { namesInside, type Position, type TableColumn } from '../io/columns.ts';
import { unnamedColumn } from '../io/header.ts';
import { type BoundInside, type Direction, type FieldsNode, isGone, type Leaf, type Node } from '../policy/bound.ts';
import { arrayPath } from '../policy/file/path.ts';
import { otherNames, unnamedIssue } from '../policy/unnamed.ts';
import type { Type, TypeIds } from './module.ts';
import { identifier, text } from './sql.ts';

/** A LIST around values: its elements are the values of a variable, in the lambda of `list_transform`. */
export interface Around {
  readonly sql: string;
  readonly variable: string;
}

/** A column of the output with a single value or with values in its cells, or such a part of a STRUCT or a LIST. */
export interface Cell {
  readonly kind: 'cell';
  /** Name of the column, or of the field in its STRUCT. */
  readonly name: string;
  /** Name of the column in a table: the names of the path with dots between them. */
  readonly header: string;
  /** What the cells go through. The index `from` has no meaning here. */
  readonly column: TableColumn;
  /** The value in SQL. */
  readonly sql: string;
  /** The STRUCT of the value in SQL; `null` for a column. If the STRUCT is NULL, the value stays NULL. */
  readonly parent: string | null;
  /** The LISTs around the value, the outermost first. The SQL of the value has the variable of the last one. */
  readonly lists: readonly Around[];
}

/** A STRUCT of the output. */
export interface Struct {
  readonly kind: 'struct';
  readonly name: string;
  readonly sql: string;
  readonly fields: readonly OutputColumn[];
}

/** A LIST of the output. */
export interface List extends Around {
  readonly kind: 'list';
  readonly name: string;
  readonly item: OutputColumn;
}

/** A column of the output, or a part of a STRUCT or a LIST. */
export type OutputColumn = Cell | Struct | List;

/** Where a field is: the SQL of its column, and the place inside its cells. */
export interface SqlPosition extends Pick<Position, 'inside'> {
  readonly sql: string;
}

/** The columns that a run reads and writes. */
export interface Columns {
  /** In the order of the input. */
  readonly output: readonly OutputColumn[];
  /** Each field of the policy, by path. Dropped fields are included, and fields inside arrays are not. */
  readonly positions: ReadonlyMap<string, SqlPosition>;
}

/** The cells of a list of columns, with those inside a STRUCT or a LIST. */
export function cellsOf(columns: readonly OutputColumn[]): readonly Cell[] {
  return columns.flatMap((column) => {
    if (column.kind === 'cell') return [column];
    return cellsOf(column.kind === 'list' ? [column.item] : column.fields);
  });
}

/** Wraps an expression about elements into the LISTs around it, so that it becomes one about the row. */
export function inLists(lists: readonly Around[], expression: string): string {
  return lists.reduceRight(
    (inner, { sql, variable }) => `list_transform(${sql}, lambda ${variable}: ${inner})`,
    expression,
  );
}

/** Whether a column is copied with the type that it has. */
export function isKept({ leaf }: TableColumn): boolean {
  return leaf?.rule.rule === 'keep';
}

/** Types with a single value, which a rule can read. All other types have inner values or are bytes. */
const SINGLE = [
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
  ...['HUGEINT', 'UHUGEINT', 'BIGNUM', 'DECIMAL', 'FLOAT', 'DOUBLE', 'VARCHAR', 'ENUM', 'UUID', 'BIT', 'SQLNULL'],
  ...['DATE', 'TIME', 'TIME_NS', 'TIME_TZ', 'INTERVAL'],
  ...['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP_TZ'],
];

/**
 * Rules that take binary fractions. All other rules need an exact text, and that of a binary fraction is not exact
 * (`10017.0` is not `10017`).
 */
const TAKE_FRACTIONS = new Set(['keep', 'drop', 'constant', 'coarsen']);

/** What is known and collected while columns are mapped. */
interface Mapping {
  readonly inside: BoundInside;
  readonly direction: Direction;
  readonly ids: TypeIds;
  /** Fields by the name of their column in a table. */
  readonly headers: ReadonlyMap<string | null, LeafNode>;
  /** Paths of fields that other rules look at. */
  readonly siblings: ReadonlySet<string>;
  /** How the variables of lambdas begin, and no column does. */
  readonly variable: string;
  /** Type numbers of {@link SINGLE}. */
  readonly single: ReadonlySet<number | string | undefined>;
  readonly issues: Issue[];
  readonly positions: Map<string, SqlPosition>;
  /** Paths of the fields that a column of the input belongs to. */
  readonly found: Set<string>;
}

type LeafNode = Extract<Node, { kind: 'leaf' }>;

/**
 * The columns of the output.
 *
 * @param names of the columns of the input.
 * @param types of the columns of the input.
 * @param ids numbers of DuckDB's types, by name.
 * @throws TrefoilError with all of `nested_value`, `wrong_type`, `unnamed_field`, `missing_field`, `header_duplicate`
 * and `header_missing` at once.
 */
export function mapColumns(
  names: readonly string[],
  types: readonly Type[],
  inside: BoundInside,
  direction: Direction,
  ids: TypeIds,
): Columns {
  const mapping: Mapping = {
    inside,
    direction,
    ids,
    headers: new Map(inside.leaves.map((leaf, index) => [leaf.header, { kind: 'leaf', leaf, index }])),
    siblings: new Set(inside.leaves.flatMap(({ engine }) => engine.needs ?? [])),
    variable: freeName(names),
    single: new Set(SINGLE.map((name) => ids[name])),
    issues: [],
    positions: new Map(),
    found: new Set(),
  };
  const { issues, positions, found } = mapping;
  const output = names.flatMap((name, from) => mapColumn(mapping, name, types[from]!, from) ?? []);
  if (found.size === 0 && inside.leaves.length > 0 && issues.every(({ code }) => code === 'unnamed_field')) {
    const message = "the input has none of the policy's fields";
    throw new TrefoilError([{ code: 'header_missing', message }]);
  }
  for (const leaf of inside.leaves) {
    const { path, rule } = leaf;
    if (found.has(path) || rule.optional === true || isGone(leaf, direction)) continue;
    issues.push({ code: 'missing_field', message: 'the input does not have the field', field: path });
  }
  if (issues.length > 0) throw new TrefoilError(issues);
  return { output, positions };
}

/** A name with which no other begins. Letter case does not count in SQL. */
function freeName(names: readonly string[]): string {
  let name = 'element';
  while (names.some((other) => other.toLowerCase().startsWith(name))) name += '_';
  return name;
}

/** Maps a column of the input; `null` if the output has none for it. */
function mapColumn(mapping: Mapping, name: string, type: Type, from: number): OutputColumn | null {
  const { inside, direction, issues } = mapping;
  const sql = identifier(name);
  // A column whose name is a whole path comes before a path into a STRUCT.
  const entry = mapping.headers.get(name);
  const node = inside.root.fields.get(name);
  if (entry !== undefined && !isGone(entry.leaf, direction)) {
    return mapLeaf(mapping, entry, type, { name, header: name, sql, parent: null, lists: [] });
  }
  if (entry === undefined && node !== undefined && node.kind !== 'leaf') {
    return mapNode(mapping, node, type, { name, header: name, sql, parent: null, lists: [] });
  }
  // The names of Parquet are in its schema, apart from the data.
  if (inside.unnamed === 'error') issues.push(unnamedColumn(name, from, true));
  return null;
}

/** Maps a field that has a rule; `null` if the rule leaves nothing in the output. */
function mapLeaf(mapping: Mapping, { leaf, index }: LeafNode, type: Type, place: Place): Cell | null {
  const { issues, siblings } = mapping;
  if (!locate(mapping, leaf, { sql: place.sql, inside: null })) return null;
  const { removes } = leaf.engine;
  if (!removes || siblings.has(leaf.path)) {
    const wrong = wrongType(mapping, type, leaf);
    if (wrong !== null) issues.push({ ...wrong, field: leaf.path });
  }
  return removes ? null : { kind: 'cell', column: { name: place.header, leaf, index, from: 0 }, ...place };
}

/** Notes where a field is; returns whether it was not noted before. */
function locate({ issues, positions, found }: Mapping, { path, header }: Leaf, position: SqlPosition): boolean {
  if (found.has(path)) {
    const message = 'more than one column of the input belongs to this field; rename one of them';
    issues.push({ code: 'header_duplicate', message, field: path });
    return false;
  }
  found.add(path);
  if (header !== null) positions.set(path, position);
  return true;
}

/** Where a column, a field of a STRUCT or an element of a LIST is. */
type Place = Pick<Cell, 'name' | 'header' | 'sql' | 'parent' | 'lists'>;

/** Maps a column that has fields inside: a STRUCT, a LIST, or text, whose cells then hold JSON or PostgreSQL arrays. */
function mapNode(mapping: Mapping, node: InnerNode, type: Type, place: Place): OutputColumn | null {
  const kind = kindOf(type, mapping.ids);
  if (kind !== 'VARCHAR' && kind !== 'JSON') {
    return node.kind === 'fields' ? mapStruct(mapping, node, type, place) : mapList(mapping, node, type, place);
  }
  for (const leaf of leavesOf(node)) {
    const names = leaf.header === null ? [] : namesInside(leaf.path, node);
    locate(mapping, leaf, { sql: place.sql, inside: { node, names } });
  }
  if (place.lists.length === 0) locateArrays(mapping, node, place.sql);
  return { kind: 'cell', column: { name: place.header, node, from: 0 }, ...place };
}

type InnerNode = Exclude<Node, { kind: 'leaf' }>;

/**
 * Notes where the arrays are whose elements show the key of a record (policy/unmarked/witnesses.ts).
 *
 * @param sql the expression of the node: JSON as text, or what is cast to it.
 */
function locateArrays({ inside, positions }: Mapping, node: InnerNode, sql: string): void {
  for (const { path, header } of leavesOf(node)) {
    const array = arrayPath(path);
    if (header !== null || !inside.witnesses.includes(array)) continue;
    positions.set(array, { sql, inside: { node, names: namesInside(array, node) } });
  }
}

function refuseNode({ issues, found }: Mapping, node: InnerNode, kind: string): null {
  const expected = node.kind === 'fields' ? 'a STRUCT or text with JSON' : 'a LIST or text with JSON';
  const message = `the policy names fields inside the column, which is ${kind}; expected ${expected}`;
  issues.push({ code: 'wrong_type', message, field: node.path });
  // So that the fields are not reported as missing as well.
  for (const { path } of leavesOf(node)) found.add(path);
  return null;
}

/** The issue of a column whose type the rule of its field cannot take; `null` if there is none. */
function wrongType({ ids, single, siblings, direction }: Mapping, type: Type, leaf: Leaf): Issue | null {
  const kind = kindOf(type, ids);
  if (kind === 'STRUCT' || kind === 'JSON') {
    const message = `the column is ${kind === 'JSON' ? 'JSON' : 'a STRUCT'}; name the fields inside it (${leaf.path}.FIELD), or set drop`;
    return { code: 'nested_value', message };
  }
  if (kind === 'BLOB') {
    const message = 'the column is a BLOB, whose bytes no rule can read; write text as VARCHAR, or set drop';
    return { code: 'wrong_type', message };
  }
  if (kind === 'LIST') {
    const inner = kindOf(type.valueType!, ids) === 'STRUCT' ? '[].FIELD' : '[]';
    const message = `the column is a LIST; name what is inside it (${leaf.path}${inner}), or set drop`;
    return { code: 'nested_value', message };
  }
  if (kind === 'MAP') return { code: 'nested_value', message: mapMessage(leaf.path) };
  if (!single.has(type.typeId) || type.alias !== undefined) {
    const message = `the column is ${kind}, and no rule would see the values inside it; use NDJSON, or set drop`;
    return { code: 'nested_value', message };
  }
  const isFraction = kind === 'FLOAT' || kind === 'DOUBLE';
  const isRead = (direction === 'protect' || direction === 'project') && !TAKE_FRACTIONS.has(leaf.rule.rule);
  if (isFraction && (isRead || siblings.has(leaf.path))) {
    const message = `the column is a ${kind}, whose text is not exact; write it as BIGINT, DECIMAL or VARCHAR`;
    return { code: 'wrong_type', message };
  }
  return null;
}

/** Maps the fields of a STRUCT, as `visitFields` of `policy/transform.ts` does with those of an object. */
function mapStruct(mapping: Mapping, node: FieldsNode, type: Type, place: Place): Struct | null {
  const { name, header, sql } = place;
  const { ids, issues, inside, direction } = mapping;
  if (kindOf(type, ids) !== 'STRUCT') return refuseNode(mapping, node, kindOf(type, ids));
  const fields: OutputColumn[] = [];
  const others: string[] = [];
  const names = type.entryNames ?? [];
  for (const [i, inner] of names.entries()) {
    const child = node.fields.get(inner);
    const innerType = type.entryTypes![i]!;
    const at = {
      ...{ name: inner, header: `${header}.${inner}` },
      ...{ sql: `struct_extract(${sql}, ${text(inner)})`, parent: sql, lists: place.lists },
    };
    if (child === undefined) others.push(inner);
    else if (child.kind === 'leaf') {
      // A protected record does not have a field that was dropped.
      if (isGone(child.leaf, direction)) others.push(inner);
      const cell = mapLeaf(mapping, child, innerType, at);
      if (cell !== null) fields.push(cell);
    } else {
      const made = mapNode(mapping, child, innerType, at);
      if (made !== null) fields.push(made);
    }
  }
  if (others.length > 0 && inside.unnamed === 'error') {
    for (const other of otherNames(others, node.fields, 'STRUCT', others.length < names.length)) {
      const { path, ...issue } = unnamedIssue(other, node.path);
      issues.push({ ...issue, field: path ?? node.path });
    }
  }
  // A STRUCT whose fields are all dropped is left out.
  return fields.length === 0 ? null : { kind: 'struct', name, sql, fields };
}

/** Maps the elements of a LIST, as `visitNode` of `policy/transform.ts` does with those of an array. */
function mapList(
  mapping: Mapping,
  node: Extract<Node, { kind: 'each' }>,
  type: Type,
  { name, header, sql, lists }: Place,
): List | null {
  const kind = kindOf(type, mapping.ids);
  if (kind !== 'LIST') return refuseNode(mapping, node, kind);
  const around = { sql, variable: mapping.variable + lists.length };
  const { item } = node;
  // A LIST inside a LIST is in the JSON of the outer one.
  if (lists.length === 0) locateArrays(mapping, node, `to_json(${sql})`);
  const place = {
    ...{ name, header: `${header}[]`, sql: around.variable },
    ...{ parent: null, lists: [...lists, around] },
  };
  const made =
    item.kind === 'leaf'
      ? mapLeaf(mapping, item, type.valueType!, place)
      : mapNode(mapping, item, type.valueType!, place);
  // A LIST whose elements are dropped is left out.
  return made === null ? null : { kind: 'list', name, ...around, item: made };
}

/** The fields of a part of the policy. */
export function leavesOf(node: Node): readonly Leaf[] {
  if (node.kind === 'leaf') return [node.leaf];
  return node.kind === 'each' ? leavesOf(node.item) : [...node.fields.values()].flatMap(leavesOf);
}

/** Name of a type. The alias comes first: JSON is stored as VARCHAR. */
function kindOf({ typeId, alias }: Type, ids: TypeIds): string {
  return alias ?? Object.keys(ids).find((name) => ids[name] === typeId) ?? 'of an unknown type';
}

/** What to do about a MAP: its names may be data, so it has to become a list of names and values, which have paths. */
function mapMessage(path: string): string {
  const name = /^[a-z_]\w*$/i.test(path) ? path : 'NAME';
  return (
    `the column is a MAP, and no rule would see the values inside it; set drop, or make a list of it (COPY (SELECT * ` +
    `REPLACE (map_entries(${name}) AS ${name}) FROM 'old.parquet') TO 'new.parquet') and name ${name}[].key and ` +
    `${name}[].value`
  );
}
