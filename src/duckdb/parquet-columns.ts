/**
 * The columns of a Parquet file compared with the fields of a policy. A path of the policy leads into a STRUCT as it
 * leads into an object of NDJSON. Every other type with inner values is refused unless it is dropped, because no rule
 * would see the inner values.
 *
 * No message shows a name from the file, unless the policy has it as well.
 */

import { type Issue, TrefoilError } from '../errors.ts';
import type { BoundInside, Direction, Leaf } from '../policy/bound.ts';
import { escapeName, parsePath } from '../policy/file/path.ts';
import type { Type, TypeIds } from './module.ts';
import { identifier, text } from './sql.ts';

/** A column of the output with a single value, or such a field of a STRUCT. */
export interface Cell {
  readonly kind: 'cell';
  /** Name of the column, or of the field in its STRUCT. */
  readonly name: string;
  /** Name of the column in a table: the names of the path with dots between them. */
  readonly header: string;
  readonly leaf: Leaf;
  /** Index of the leaf in the policy. */
  readonly index: number;
  /** The value in SQL. */
  readonly sql: string;
  /** The STRUCT of the value in SQL; `null` for a column. If the STRUCT is NULL, the value stays NULL. */
  readonly parent: string | null;
}

/** A STRUCT of the output. */
export interface Struct {
  readonly kind: 'struct';
  readonly name: string;
  readonly sql: string;
  readonly fields: readonly OutputColumn[];
}

/** A column of the output, or a field of a STRUCT. */
export type OutputColumn = Cell | Struct;

/** The columns that a run reads and writes. */
export interface Columns {
  /** In the order of the input. */
  readonly output: readonly OutputColumn[];
  /** Each field of the policy in SQL, by path. Dropped fields are included. */
  readonly positions: ReadonlyMap<string, string>;
}

/** The cells of a list of columns, with those inside a STRUCT. */
export function cellsOf(columns: readonly OutputColumn[]): readonly Cell[] {
  return columns.flatMap((column) => (column.kind === 'cell' ? [column] : cellsOf(column.fields)));
}

/** A field of the policy, or a name on the way to one, which has fields. */
interface Named {
  readonly entry: { readonly leaf: Leaf; readonly index: number } | null;
  /** Its path, written as in a policy file. */
  readonly path: string;
  readonly fields: Map<string, Named>;
}

/** The tree of the policy's paths. It has no arrays, because `checkTabular` has refused them. */
function treeOf(leaves: readonly Leaf[]): Named {
  const root: Named = { entry: null, path: '', fields: new Map() };
  for (const [index, leaf] of leaves.entries()) {
    const steps = parsePath(leaf.path);
    const names = typeof steps === 'string' ? [] : steps.map(({ name }) => name);
    let at = root;
    for (const [depth, name] of names.entries()) {
      const isLast = depth === names.length - 1;
      const path = isLast ? leaf.path : at.path === '' ? escapeName(name) : `${at.path}.${escapeName(name)}`;
      const next = at.fields.get(name) ?? { entry: isLast ? { leaf, index } : null, path, fields: new Map() };
      at.fields.set(name, next);
      at = next;
    }
  }
  return root;
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
  readonly root: Named;
  /** Fields by the name of their column in a table. */
  readonly headers: ReadonlyMap<string | null, NonNullable<Named['entry']>>;
  /** Paths of fields that other rules look at. */
  readonly siblings: ReadonlySet<string>;
  /** Type numbers of {@link SINGLE}. */
  readonly single: ReadonlySet<number | string | undefined>;
  readonly issues: Issue[];
  readonly positions: Map<string, string>;
}

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
    root: treeOf(inside.leaves),
    headers: new Map(inside.leaves.map((leaf, index) => [leaf.header, { leaf, index }])),
    siblings: new Set(inside.leaves.flatMap(({ engine }) => engine.needs ?? [])),
    single: new Set(SINGLE.map((name) => ids[name])),
    issues: [],
    positions: new Map(),
  };
  const { issues, positions } = mapping;
  const output = names.flatMap((name, from) => mapColumn(mapping, name, types[from]!, from) ?? []);
  if (positions.size === 0 && inside.leaves.length > 0 && issues.every(({ code }) => code === 'unnamed_field')) {
    const message = "the input has none of the policy's fields";
    throw new TrefoilError([{ code: 'header_missing', message }]);
  }
  for (const { path, rule, engine } of inside.leaves) {
    if (positions.has(path) || rule.optional === true || (direction === 'reveal' && engine.removes)) continue;
    issues.push({ code: 'missing_field', message: 'the input does not have the field', field: path });
  }
  if (issues.length > 0) throw new TrefoilError(issues);
  return { output, positions };
}

/** Maps a column of the input; `null` if the output has none for it. */
function mapColumn(mapping: Mapping, name: string, type: Type, from: number): OutputColumn | null {
  const { inside, direction, issues } = mapping;
  const sql = identifier(name);
  // A column whose name is a whole path comes before a path into a STRUCT.
  const entry = mapping.headers.get(name);
  const node = mapping.root.fields.get(name);
  const isGone = direction === 'reveal' && entry?.leaf.engine.removes === true;
  if (entry !== undefined && !isGone) {
    return mapLeaf(mapping, entry, type, { name, header: name, sql, parent: null });
  }
  if (entry === undefined && node !== undefined && node.fields.size > 0) {
    return mapStruct(mapping, node, type, { name, header: name, sql });
  }
  if (inside.unnamed === 'error') {
    const message = `column ${from + 1} of the input is not named in the policy; name it, or set unnamed: drop`;
    issues.push({ code: 'unnamed_field', message });
  }
  return null;
}

/** Maps a field that has a rule; `null` if the rule leaves nothing in the output. */
function mapLeaf(
  mapping: Mapping,
  { leaf, index }: NonNullable<Named['entry']>,
  type: Type,
  place: Pick<Cell, 'name' | 'header' | 'sql' | 'parent'>,
): Cell | null {
  const { issues, positions, siblings } = mapping;
  if (positions.has(leaf.path)) {
    const message = 'more than one column of the input belongs to this field; rename one of them';
    issues.push({ code: 'header_duplicate', message, field: leaf.path });
    return null;
  }
  positions.set(leaf.path, place.sql);
  const { removes } = leaf.engine;
  if (!removes || siblings.has(leaf.path)) {
    const wrong = wrongType(mapping, type, leaf);
    if (wrong !== null) issues.push({ ...wrong, field: leaf.path });
  }
  return removes ? null : { kind: 'cell', leaf, index, ...place };
}

/** The issue of a column whose type the rule of its field cannot take; `null` if there is none. */
function wrongType({ ids, single, siblings, direction }: Mapping, type: Type, leaf: Leaf): Issue | null {
  const kind = kindOf(type, ids);
  if (kind === 'STRUCT') {
    const message = `the column is a STRUCT; name the fields inside it (${leaf.path}.FIELD), or set drop`;
    return { code: 'nested_value', message };
  }
  if (kind === 'BLOB') {
    const message = 'the column is a BLOB, whose bytes no rule can read; write text as VARCHAR, or set drop';
    return { code: 'wrong_type', message };
  }
  if (!single.has(type.typeId) || type.alias !== undefined) {
    const message = `the column is ${kind}, and no rule would see the values inside it; use NDJSON, or set drop`;
    return { code: 'nested_value', message };
  }
  const isFraction = kind === 'FLOAT' || kind === 'DOUBLE';
  const isRead = direction === 'protect' && !TAKE_FRACTIONS.has(leaf.rule.rule);
  if (isFraction && (isRead || siblings.has(leaf.path))) {
    const message = `the column is a ${kind}, whose text is not exact; write it as BIGINT, DECIMAL or VARCHAR`;
    return { code: 'wrong_type', message };
  }
  return null;
}

/** Maps the fields of a STRUCT, as `visitFields` of `policy/transform.ts` does with those of an object. */
function mapStruct(
  mapping: Mapping,
  node: Named,
  type: Type,
  { name, header, sql }: Pick<Cell, 'name' | 'header' | 'sql'>,
): Struct | null {
  const { ids, issues, positions, inside, direction } = mapping;
  if (kindOf(type, ids) !== 'STRUCT') {
    const message = `the policy names fields inside the column, which is ${kindOf(type, ids)}; expected a STRUCT`;
    issues.push({ code: 'wrong_type', message, field: node.path });
    // So that the fields are not reported as missing as well.
    for (const { leaf } of leavesOf(node)) positions.set(leaf.path, 'NULL');
    return null;
  }
  const fields: OutputColumn[] = [];
  let others = 0;
  for (const [i, inner] of (type.entryNames ?? []).entries()) {
    const found = node.fields.get(inner);
    const place = { name: inner, header: `${header}.${inner}`, sql: `struct_extract(${sql}, ${text(inner)})` };
    if (found === undefined) others++;
    else if (found.entry !== null) {
      // A protected record does not have a field that was dropped.
      if (direction === 'reveal' && found.entry.leaf.engine.removes) others++;
      const cell = mapLeaf(mapping, found.entry, type.entryTypes![i]!, { ...place, parent: sql });
      if (cell !== null) fields.push(cell);
    } else {
      const struct = mapStruct(mapping, found, type.entryTypes![i]!, place);
      if (struct !== null) fields.push(struct);
    }
  }
  if (others > 0 && inside.unnamed === 'error') {
    const many = others === 1 ? 'a field that the policy does' : `${others} fields that the policy does`;
    const message = `the STRUCT has ${many} not name; name it, or set unnamed: drop`;
    issues.push({ code: 'unnamed_field', message, field: node.path });
  }
  // A STRUCT whose fields are all dropped is left out.
  return fields.length === 0 ? null : { kind: 'struct', name, sql, fields };
}

function leavesOf({ entry, fields }: Named): readonly NonNullable<Named['entry']>[] {
  return [...(entry === null ? [] : [entry]), ...[...fields.values()].flatMap(leavesOf)];
}

/** Name of a type. The alias comes first: JSON is stored as VARCHAR. */
function kindOf({ typeId, alias }: Type, ids: TypeIds): string {
  return alias ?? Object.keys(ids).find((name) => ids[name] === typeId) ?? 'of an unknown type';
}
