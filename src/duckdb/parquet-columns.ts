/**
 * The columns of a Parquet file against the fields of a policy. A path of the policy reaches into a STRUCT as it reaches
 * into an object of NDJSON; every other type with parts is refused unless it is dropped, because what is inside it would
 * pass without a rule.
 *
 * No message shows a name out of the file that the policy does not have.
 */

import { type Issue, TrefoilError } from '../errors.ts';
import type { BoundInside, Direction, Leaf } from '../policy/bound.ts';
import { escapeName, parsePath } from '../policy/file/path.ts';
import type { Type, TypeIds } from './module.ts';
import { identifier, text } from './sql.ts';

/** A value of the output. */
export interface Cell {
  readonly kind: 'cell';
  /** Name of its column or of its field in a STRUCT. */
  readonly name: string;
  /** Name of its column in a table: the names of the path with dots between them. */
  readonly header: string;
  readonly leaf: Leaf;
  /** Index of the leaf in the policy. */
  readonly index: number;
  /** Where it is read, in SQL. */
  readonly sql: string;
  /** The STRUCT that it is read from, in SQL; `null` for a column. Nothing is made out of a STRUCT that is NULL. */
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

/** What a run reads and writes. */
export interface Columns {
  /** In the order of the input. */
  readonly output: readonly OutputColumn[];
  /** Where each field of the policy is read, by path: the dropped ones, too. */
  readonly positions: ReadonlyMap<string, string>;
}

/** The values of a list of columns, with those inside a STRUCT. */
export function cellsOf(columns: readonly OutputColumn[]): readonly Cell[] {
  return columns.flatMap((column) => (column.kind === 'cell' ? [column] : cellsOf(column.fields)));
}

/** A field of the policy, or one that has fields. */
interface Named {
  readonly entry: { readonly leaf: Leaf; readonly index: number } | null;
  /** Its path as in the policy file. */
  readonly path: string;
  readonly fields: Map<string, Named>;
}

/** The tree of the policy's paths. There are no arrays in it (`checkTabular`). */
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

/** Types with a single value, which a rule may look at. Whatever is not here has parts, or is bytes. */
const SINGLE = [
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
  ...['HUGEINT', 'UHUGEINT', 'BIGNUM', 'DECIMAL', 'FLOAT', 'DOUBLE', 'VARCHAR', 'ENUM', 'UUID', 'BIT', 'SQLNULL'],
  ...['DATE', 'TIME', 'TIME_NS', 'TIME_TZ', 'INTERVAL'],
  ...['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP_TZ'],
];

/** Rules that take binary fractions: the text of one is no identity (`10017.0` is not `10017`). */
const TAKE_FRACTIONS = new Set(['keep', 'drop', 'constant', 'coarsen']);

/**
 * The columns of the output.
 *
 * @param names of the columns of the input, and their types.
 * @throws TrefoilError with all of `nested_value`, `wrong_type`, `unnamed_field`, `missing_field`, `header_duplicate` and
 * `header_missing` at once.
 */
export function mapColumns(
  names: readonly string[],
  types: readonly Type[],
  inside: BoundInside,
  direction: Direction,
  ids: TypeIds,
): Columns {
  const root = treeOf(inside.leaves);
  const headers = new Map(inside.leaves.map((leaf, index) => [leaf.header, { leaf, index }]));
  const siblings = new Set(inside.leaves.flatMap(({ engine }) => engine.needs ?? []));
  const single = new Set(SINGLE.map((name) => ids[name]));
  const issues: Issue[] = [];
  const positions = new Map<string, string>();

  /** A field that has a rule; `null` where it leaves nothing in the output. */
  function takeLeaf(
    { leaf, index }: NonNullable<Named['entry']>,
    type: Type,
    place: Pick<Cell, 'name' | 'header' | 'sql' | 'parent'>,
  ): Cell | null {
    if (positions.has(leaf.path)) {
      const message = 'more than one column of the input belongs to this field; rename one of them';
      issues.push({ code: 'header_duplicate', message, field: leaf.path });
      return null;
    }
    positions.set(leaf.path, place.sql);
    const { removes } = leaf.engine;
    if (!removes || siblings.has(leaf.path)) {
      const wrong = whyNot(type, leaf);
      if (wrong !== null) issues.push({ ...wrong, field: leaf.path });
    }
    return removes ? null : { kind: 'cell', leaf, index, ...place };
  }

  function whyNot(type: Type, leaf: Leaf): Issue | null {
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

  /** The fields of a STRUCT, as `visitFields` of `policy/transform.ts` treats those of an object. */
  function takeStruct(node: Named, type: Type, name: string, header: string, sql: string): Struct | null {
    if (kindOf(type, ids) !== 'STRUCT') {
      const message = `the policy names fields inside the column, which is ${kindOf(type, ids)}; expected a STRUCT`;
      issues.push({ code: 'wrong_type', message, field: node.path });
      // They are not reported as missing as well.
      for (const { leaf } of leavesOf(node)) positions.set(leaf.path, 'NULL');
      return null;
    }
    const fields: OutputColumn[] = [];
    let others = 0;
    for (const [i, inner] of (type.entryNames ?? []).entries()) {
      const found = node.fields.get(inner);
      const at = `struct_extract(${sql}, ${text(inner)})`;
      const path = `${header}.${inner}`;
      if (found === undefined) others++;
      else if (found.entry !== null) {
        // A field that was dropped is none that a protected record has.
        if (direction === 'reveal' && found.entry.leaf.engine.removes) others++;
        const place = { name: inner, header: path, sql: at, parent: sql };
        const cell = takeLeaf(found.entry, type.entryTypes![i]!, place);
        if (cell !== null) fields.push(cell);
      } else {
        const struct = takeStruct(found, type.entryTypes![i]!, inner, path, at);
        if (struct !== null) fields.push(struct);
      }
    }
    if (others > 0 && inside.unnamed === 'error') {
      const many = others === 1 ? 'a field that the policy does' : `${others} fields that the policy does`;
      const message = `the STRUCT has ${many} not name; name it, or set unnamed: drop`;
      issues.push({ code: 'unnamed_field', message, field: node.path });
    }
    // No STRUCT without a field: what is dropped whole is gone.
    return fields.length === 0 ? null : { kind: 'struct', name, sql, fields };
  }

  const output: OutputColumn[] = [];
  for (const [from, name] of names.entries()) {
    const sql = identifier(name);
    // A column whose name is the whole path comes before a path into a STRUCT.
    const entry = headers.get(name);
    const node = root.fields.get(name);
    const isGone = direction === 'reveal' && entry?.leaf.engine.removes === true;
    if (entry !== undefined && !isGone) {
      const cell = takeLeaf(entry, types[from]!, { name, header: name, sql, parent: null });
      if (cell !== null) output.push(cell);
    } else if (entry === undefined && node !== undefined && node.fields.size > 0) {
      const struct = takeStruct(node, types[from]!, name, name, sql);
      if (struct !== null) output.push(struct);
    } else if (inside.unnamed === 'error') {
      const message = `column ${from + 1} of the input is not named in the policy; name it, or set unnamed: drop`;
      issues.push({ code: 'unnamed_field', message });
    }
  }
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

function leavesOf({ entry, fields }: Named): readonly NonNullable<Named['entry']>[] {
  return [...(entry === null ? [] : [entry]), ...[...fields.values()].flatMap(leavesOf)];
}

/** Name of a type: that of what is stored as another comes first. */
function kindOf({ typeId, alias }: Type, ids: TypeIds): string {
  return alias ?? Object.keys(ids).find((name) => ids[name] === typeId) ?? 'of an unknown type';
}
