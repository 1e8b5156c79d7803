/**
 * Rows → columns → rules → columns → rows. A batch of records is turned into one column for each rule, each column goes
 * through its rule once, and the results are put into new records. Nested objects and arrays are flattened on the way.
 */

import { typeName } from '../core/checks.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import { asNumber, asNumbers, jsonNumberText } from '../core/json/number.ts';
import type { Issue } from '../errors.ts';
import { runReported, toCode } from '../rule/columns.ts';
import { type AsyncVerb, type BoundColumns, ruleOption, type Siblings } from '../rule/rule.ts';
import { type BoundInside, type Direction, isGone, type Leaf, verbOf } from './bound.ts';
import { elementPath, parsePath } from './file/path.ts';
import type { FieldsNode, Node } from './tree.ts';
import { type OtherName, otherNames, unnamedIssue } from './unnamed.ts';
import type { Waiting, WaitingRules } from './waiting/replay.ts';
import type { Asked, Reveal } from './waiting/use.ts';

type Row = Record<string, unknown>;

/** Turns a batch of records. `report` takes the index of a record and what is wrong with it. */
type Transform<Result> = (
  direction: Direction,
  rows: readonly unknown[],
  report: (index: number, issue: Issue) => void,
  inCode?: boolean,
) => Result;

/** A policy whose rules have their keys. */
interface Bound {
  readonly root: FieldsNode;
  /** By the index of a leaf; `undefined` for rules that wait in both directions. */
  readonly columns: readonly (BoundColumns | undefined)[];
  /** By the index of a leaf; `undefined` for rules that do not wait. */
  readonly waiting: readonly (Waiting | undefined)[];
  readonly unnamed: 'error' | 'drop';
  /** The unknown names that issues have shown, by the object that they are in: over all batches of a run. */
  readonly shown: Map<FieldsNode, Set<string>>;
}

/** One batch on its way through a policy. */
interface Pass extends Bound {
  readonly direction: Direction;
  /** Whether the results are for code and not for a file. */
  readonly inCode: boolean;
  /** Returns another field of the records that items belong to. */
  readonly siblings: (path: string, items: Items) => readonly unknown[];
  /** 1 for each record that was rejected. */
  readonly failed: Uint8Array;
  readonly reject: (row: number, issue: Issue) => void;
  /** Columns that wait, each to be run once. Records that were rejected before it begins take no part. */
  readonly queue: WaitingColumn[];
}

/** The column of a rule that waits for its store, or for the place of governed keys. */
interface WaitingColumn {
  readonly index: number;
  readonly leaf: Leaf;
  readonly verb: AsyncVerb;
  readonly values: readonly unknown[];
  readonly places: Places;
}

/** The records of a batch, or the elements of all arrays of one field. Issues and siblings need it, results do not. */
interface Level {
  /** The record that each item belongs to. */
  readonly rows: readonly number[];
  /** The index of each element in its array; `null` for records. */
  readonly indices: readonly number[] | null;
  /** The elements of a level further out that the elements are in; `null` if their arrays are in no other array. */
  readonly around: Items | null;
}

/** Items of a level. Several values may belong to one item. */
interface Items {
  readonly level: Level;
  readonly at: readonly number[];
}

/** Where results go: for each value one container, and the name or index in it. */
interface Places {
  readonly containers: readonly object[];
  /** One name for all, or the index of each. With indices, one container may serve all. */
  readonly keys: string | readonly number[];
  /** The record or element that each value belongs to. */
  readonly items: Items;
}

/** What records with the same names in the same order have in common. */
interface Shape {
  /** The names of the record. */
  readonly names: readonly string[];
  /** The names that the policy has, too. */
  readonly named: ReadonlySet<string>;
  /** The names that the policy does not have. */
  readonly others: readonly string[];
  /** What issues say about these names; made when it is first needed. */
  described: readonly OtherName[] | null;
  /** A record with the names that will be filled, in the order of the source. */
  readonly target: Row;
}

/** Objects of one kind from a batch: those that were read, those that are written, and the items they belong to. */
interface Objects {
  readonly sources: readonly Row[];
  readonly targets: readonly Row[];
  readonly items: Items;
  /** The names that all of them have. */
  readonly everywhere: ReadonlySet<string>;
}

const NO_NAMES: ReadonlySet<string> = /* @__PURE__ */ new Set<string>();

/** Turns batches of records for a bound policy. A record with an issue is `undefined` in the result. */
export function makeTransform(
  root: FieldsNode,
  columns: readonly BoundColumns[],
  unnamed: 'error' | 'drop',
): Transform<(Row | undefined)[]> {
  const bound: Bound = { root, columns, waiting: [], unnamed, shown: new Map() };
  return (direction, rows, report, inCode = false) => {
    const pass = makeRowsPass(bound, direction, rows, report, inCode);
    return finish(pass, begin(pass, rows));
  };
}

/**
 * The same for a policy with rules that wait: their columns come last, one after another. The records are for code: a
 * run over files uses the synchronous transform with answers that were collected (waiting/replay.ts).
 */
export function makeAsyncTransform(
  root: FieldsNode,
  { columns, waiting, gate }: WaitingRules,
  unnamed: 'error' | 'drop',
): Transform<Promise<(Row | undefined)[]>> {
  const bound: Bound = { root, columns, waiting, unnamed, shown: new Map() };
  return async (direction, rows, report) => {
    const pass = makeRowsPass(bound, direction, rows, report, true);
    const results = begin(pass, rows);
    const run = async (reveal: Reveal | null): Promise<void> => {
      for (const column of pass.queue) await runWaiting(pass, column, reveal);
    };
    if (gate === null || direction !== 'reveal') await run(null);
    else
      await gate.through(
        pass.queue.map((column) => acceptedOf(pass, column).asked),
        run,
      );
    return finish(pass, results);
  };
}

/**
 * The same for the values of one column, each with its own part of the tree: the objects and arrays in the cells of a
 * table. See `BoundInside.values`.
 */
export function makeValues(
  root: FieldsNode,
  columns: readonly BoundColumns[],
  unnamed: 'error' | 'drop',
): BoundInside['values'] {
  const bound: Bound = { root, columns, waiting: [], unnamed, shown: new Map() };
  return (direction, node, values, report, siblings) => {
    const results = new Array<unknown>(values.length);
    const read: Pass['siblings'] = (path, { level, at }) => {
      const column = siblings(path);
      return at.map((item) => column[level.rows[item]!]);
    };
    const pass = makePass(bound, direction, values.length, read, report, false);
    visit(pass, node, values, placesOf(results));
    return results;
  };
}

function makeRowsPass(
  bound: Bound,
  direction: Direction,
  rows: readonly unknown[],
  report: (index: number, issue: Issue) => void,
  inCode: boolean,
): Pass {
  return makePass(bound, direction, rows.length, (path, items) => readSiblings(path, rows, items), report, inCode);
}

function makePass(
  { root, columns, waiting, unnamed, shown }: Bound,
  direction: Direction,
  count: number,
  siblings: Pass['siblings'],
  report: (index: number, issue: Issue) => void,
  inCode: boolean,
): Pass {
  const failed = new Uint8Array(count);
  const reject = (row: number, issue: Issue): void => {
    failed[row] = 1;
    report(row, issue);
  };
  return { root, columns, waiting, unnamed, shown, direction, siblings, inCode, failed, reject, queue: [] };
}

/** Does everything that does not wait for a store. */
function begin(pass: Pass, rows: readonly unknown[]): readonly Row[] {
  const results: Row[] = new Array(rows.length);
  visitFields(pass, pass.root, rows, placesOf(results));
  return results;
}

/** The places of values that belong to one record each. */
function placesOf(results: readonly unknown[]): Places {
  const all = Array.from(results, (_, i) => i);
  const level: Level = { rows: all, indices: null, around: null };
  return { containers: [results], keys: all, items: { level, at: all } };
}

function finish({ failed }: Pass, results: readonly Row[]): (Row | undefined)[] {
  return Array.from(results, (row, i) => (failed[i] === 1 ? undefined : row));
}

function visit(pass: Pass, node: Node, values: readonly unknown[], places: Places): void {
  if (node.kind === 'leaf') visitLeaf(pass, node, values, places);
  else if (node.kind === 'each') visitEach(pass, node, values, places);
  else visitFields(pass, node, values, places);
}

function visitLeaf(
  pass: Pass,
  { index, leaf }: Node & { kind: 'leaf' },
  source: readonly unknown[],
  places: Places,
): void {
  const { direction } = pass;
  const values = looksAtNumbers(leaf, direction) ? asNumbers(source) : source;
  const verb = pass.waiting[index]?.[direction === 'protect' ? 'protect' : 'reveal'];
  if (verb != null) {
    pass.queue.push({ index, leaf, verb, values, places });
    return;
  }
  const columns = pass.columns[index]!;
  const { protectOne } = columns;
  // For a single record, a column of one value would cost more than the value.
  if (values.length === 1 && direction === 'protect' && protectOne !== undefined) {
    try {
      put(places, 0, protectOne(values[0]));
    } catch (error) {
      rejectAt(pass, places.items, 0, issueOf(error), leaf.path);
    }
    return;
  }
  const report: ReportIssue = (i, issue) => rejectAt(pass, places.items, i, issue, leaf.path);
  const siblings: Siblings = (path) => pass.siblings(path, places.items);
  const made = runReported(verbOf(columns, direction), values, report, siblings);
  const { inCode } = leaf.engine;
  const out = pass.inCode && direction === 'reveal' && inCode !== undefined ? toCode(made, inCode, report) : made;
  const { containers, keys } = places;
  if (typeof keys === 'string' && containers.length === out.length) {
    for (let i = 0; i < out.length; i++) (containers[i] as Row)[keys] = out[i];
  } else {
    for (let i = 0; i < out.length; i++) put(places, i, out[i]);
  }
}

/** The values of a column that waits, without the records that were rejected before. */
function acceptedOf({ siblings, failed }: Pass, { index, values, places }: WaitingColumn) {
  const { level, at } = places.items;
  const accepted = values.map((_, i) => i).filter((i) => failed[level.rows[at[i]!]!] === 0);
  const items: Items = { level, at: accepted.map((i) => at[i]!) };
  const asked: Asked = {
    leaf: index,
    column: accepted.map((i) => values[i]),
    siblings: (path) => siblings(path, items),
    at: accepted,
  };
  return { accepted, items, asked };
}

/**
 * Runs a column that waits.
 *
 * @param reveal counts what is revealed; `null` if nobody counts.
 */
async function runWaiting(pass: Pass, waiting: WaitingColumn, reveal: Reveal | null): Promise<void> {
  const { index, leaf, verb, places } = waiting;
  const { accepted, items, asked } = acceptedOf(pass, waiting);
  const { column, siblings } = asked;
  const report: ReportIssue = (i, issue) => rejectAt(pass, items, i, issue, leaf.path);
  const made = await (reveal === null
    ? verb(column, report, siblings)
    : reveal(index, column, report, siblings, undefined, accepted));
  const { inCode } = leaf.engine;
  const out = pass.direction === 'reveal' && inCode !== undefined ? toCode(made, inCode, report) : made;
  for (const [n, i] of accepted.entries()) put(places, i, out[n]);
}

function visitEach(
  pass: Pass,
  { item, path }: Node & { kind: 'each' },
  values: readonly unknown[],
  places: Places,
): void {
  const flat: unknown[] = [];
  const containers: object[] = [];
  const keys: number[] = [];
  const rows: number[] = [];
  const all: number[] = [];
  const { level, at } = places.items;
  // Elements of arrays that are in no other array have only their own index.
  const outer: number[] | null = level.indices === null ? null : [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) {
      put(places, i, value);
      continue;
    }
    if (!Array.isArray(value)) {
      const message = `expected an array, got ${typeName(value)}`;
      rejectAt(pass, places.items, i, { code: 'wrong_type', message }, path);
      continue;
    }
    const within = at[i]!;
    const row = level.rows[within]!;
    const array = new Array<unknown>(value.length);
    put(places, i, array);
    for (let k = 0; k < value.length; k++) {
      flat.push(value[k]);
      containers.push(array);
      all.push(keys.length);
      keys.push(k);
      rows.push(row);
      outer?.push(within);
    }
  }
  if (flat.length === 0) return;
  const around = outer === null ? null : { level, at: outer };
  visit(pass, item, flat, { containers, keys, items: { level: { rows, indices: keys, around }, at: all } });
}

function visitFields(pass: Pass, node: FieldsNode, values: readonly unknown[], places: Places): void {
  const isRoot = node === pass.root;
  const sources: Row[] = [];
  const targets: Row[] = [];
  const at: number[] = [];
  const { items } = places;
  // In most batches every row has the same names in the same order. Then the names are looked at once.
  let shape: Shape | null = null;
  let uniform = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if ((value === null || value === undefined) && !isRoot) {
      put(places, i, value);
      continue;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value) || jsonNumberText(value) !== null) {
      const message = `expected ${isRoot ? 'a record' : 'nested fields'}, got ${typeName(value)}`;
      rejectAt(pass, items, i, { code: 'wrong_type', message }, isRoot ? null : node.path);
      continue;
    }
    const names = Object.keys(value);
    if (shape === null || !sameNames(shape.names, names)) {
      uniform = shape === null;
      shape = shapeOf(node, names, pass.direction);
    }
    if (shape.others.length > 0 && pass.unnamed === 'error') rejectOthers(pass, node, shape, items, i);
    // Copying an object with the same names is faster than setting one name after another.
    const target: Row = { ...shape.target };
    put(places, i, target);
    sources.push(value as Row);
    targets.push(target);
    at.push(items.at[i]!);
  }
  if (sources.length === 0) return;
  const everywhere = uniform ? shape!.named : NO_NAMES;
  const objects = { sources, targets, items: { level: items.level, at }, everywhere };
  for (const [name, inner] of node.fields) visitField(pass, name, inner, objects);
}

function visitField(pass: Pass, name: string, node: Node, objects: Objects): void {
  const { sources, targets, items, everywhere } = objects;
  const removed = node.kind === 'leaf' && node.leaf.engine.removes;
  if (node.kind === 'leaf' && isGone(node.leaf, pass.direction)) return;
  if (everywhere.has(name)) {
    // The value of a dropped field is never looked at.
    if (removed) return;
    const values = new Array<unknown>(sources.length);
    for (let i = 0; i < sources.length; i++) values[i] = sources[i]![name];
    visit(pass, node, values, { containers: targets, keys: name, items });
    return;
  }
  const values: unknown[] = [];
  const containers: Row[] = [];
  const at: number[] = [];
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i]!;
    if (Object.hasOwn(source, name)) {
      values.push(source[name]);
      containers.push(targets[i]!);
      at.push(items.at[i]!);
    } else if (!mayBeAbsent(node)) {
      const field = node.kind === 'leaf' ? node.leaf.path : node.path;
      const message = 'the record has no such field; if it may be absent, mark the field optional';
      rejectAt(pass, items, i, { code: 'missing_field', message }, field);
    }
  }
  if (values.length > 0 && !removed)
    visit(pass, node, values, { containers, keys: name, items: { level: items.level, at } });
}

function shapeOf(node: FieldsNode, names: readonly string[], direction: Direction): Shape {
  const target: Row = {};
  const named = new Set<string>();
  const others: string[] = [];
  for (const name of names) {
    const inner = node.fields.get(name);
    if (inner !== undefined) named.add(name);
    // A protected record has no dropped fields: a field of that name is one that the policy does not name.
    const removed = inner?.kind === 'leaf' && inner.leaf.engine.removes;
    if (inner !== undefined && !removed) target[name] = undefined;
    else if (inner === undefined || (inner.kind === 'leaf' && isGone(inner.leaf, direction))) others.push(name);
  }
  return { names, named, others, described: null, target };
}

function rejectOthers(pass: Pass, node: FieldsNode, shape: Shape, items: Items, i: number): void {
  const isRoot = node === pass.root;
  const seen = pass.shown.get(node) ?? new Set();
  pass.shown.set(node, seen);
  const kind = isRoot ? 'record' : 'object';
  shape.described ??= otherNames(shape.others, node.fields, kind, shape.named.size > 0, seen);
  for (const other of shape.described) {
    const { path, ...issue } = unnamedIssue(other, isRoot ? null : node.path);
    rejectAt(pass, items, i, issue, path);
  }
}

/**
 * Rejects the record that a value belongs to.
 *
 * @param field path of the field that the issue is about; `null` for the record itself.
 */
function rejectAt(pass: Pass, { level, at }: Items, i: number, issue: Issue, field: string | null): void {
  let item = at[i]!;
  const row = level.rows[item]!;
  if (field === null) {
    pass.reject(row, issue);
    return;
  }
  const indices: number[] = [];
  for (let from: Level | undefined = level; from?.indices != null; from = from.around?.level) {
    indices.unshift(from.indices[item]!);
    item = from.around?.at[item] ?? 0;
  }
  if (indices.length === 0) pass.reject(row, { ...issue, field });
  else pass.reject(row, { ...issue, field, element: elementPath(field, indices) });
}

function put(places: Places, i: number, value: unknown): void {
  const container = places.containers.length === 1 ? places.containers[0]! : places.containers[i]!;
  const key = typeof places.keys === 'string' ? places.keys : places.keys[i]!;
  (container as Record<string | number, unknown>)[key] = value;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether a rule needs numbers as numbers. The other rules take them as they were written, or do not look at them. */
function looksAtNumbers({ engine: { facts, readsSpelling } }: Leaf, direction: Direction): boolean {
  if (readsSpelling === true || facts.back === 'unchanged' || facts.origin === 'fixed') return false;
  return direction === 'protect' || facts.back !== 'never';
}

/** A field may be absent if its rule is optional, an object or array if everything in it may be absent. */
function mayBeAbsent(node: Node): boolean {
  if (node.kind === 'leaf') return ruleOption(node.leaf.rule, 'optional') === true;
  if (node.kind === 'each') return mayBeAbsent(node.item);
  return [...node.fields.values()].every(mayBeAbsent);
}

/**
 * Reads another field of the records that values belong to: a column that a rule needs besides its own, before that
 * field's own rule. policy.ts has checked that the path has no arrays, so a record has one such value, whichever array
 * a value is in.
 */
function readSiblings(path: string, rows: readonly unknown[], { level, at }: Items): readonly unknown[] {
  const steps = parsePath(path);
  const names = typeof steps === 'string' ? [] : steps.map(({ name }) => name);
  return at.map((item) => {
    let value = rows[level.rows[item]!];
    for (const name of names) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Row)[name];
    }
    return asNumber(value);
  });
}
