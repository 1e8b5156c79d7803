/**
 * Rows → columns → rules → columns → rows: a batch of records is turned into one column a rule, each column goes through
 * its rule once, and the results are put into new records. Nested objects and arrays are flattened on the way.
 */

import { typeName } from '../core/checks.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import { asNumber, asNumbers, jsonNumberText } from '../core/json/number.ts';
import type { Issue } from '../errors.ts';
import { runReported } from '../rule/columns.ts';
import { type AsyncColumns, type BoundColumns, ruleOption, type Siblings } from '../rule/rule.ts';
import type { Direction, Leaf } from './bound.ts';
import { parsePath } from './file/path.ts';
import type { FieldsNode, Node } from './tree.ts';

type Row = Record<string, unknown>;

/** Where results go: one container a value, and the name or index in it. */
interface Places {
  readonly containers: readonly object[];
  /** One name for all, or the index of each. With indices, one container may serve all. */
  readonly keys: string | readonly number[];
  /** The record that each value belongs to. */
  readonly rows: readonly number[];
}

/** What records with the same names in the same order have in common. */
interface Shape {
  /** The names of the record. */
  readonly names: readonly string[];
  /** Those of them that the policy names. */
  readonly named: ReadonlySet<string>;
  /** How many it does not. */
  readonly others: number;
  /** A record with the names that will be filled, in the order of the source. */
  readonly target: Row;
}

const NOWHERE: ReadonlySet<string> = /* @__PURE__ */ new Set<string>();

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

type Turn<Result> = (
  direction: Direction,
  rows: readonly unknown[],
  report: (index: number, issue: Issue) => void,
) => Result;

/** A batch whose columns but the waiting ones are done. */
interface Begun {
  /** What waits: a column of a store, each to be run once. Records that are rejected by then do not take part. */
  readonly waiting: readonly (() => Promise<void>)[];
  readonly finish: () => (Row | undefined)[];
}

/** Turns batches of records for one bound policy. */
export function makeTransform(
  root: FieldsNode,
  columns: readonly BoundColumns[],
  unnamed: 'error' | 'drop',
): Turn<(Row | undefined)[]> {
  const begin = makeBegin(root, columns, [], unnamed);
  return (direction, rows, report) => begin(direction, rows, report).finish();
}

/**
 * The same for a policy with rules that wait for a store: their columns come last, one after the other.
 *
 * @param later by the index of a leaf; `columns` has nothing of use there.
 */
export function makeLaterTransform(
  root: FieldsNode,
  columns: readonly (BoundColumns | undefined)[],
  later: readonly (AsyncColumns | undefined)[],
  unnamed: 'error' | 'drop',
): Turn<Promise<(Row | undefined)[]>> {
  const begin = makeBegin(root, columns, later, unnamed);
  return async (direction, rows, report) => {
    const { waiting, finish } = begin(direction, rows, report);
    for (const wait of waiting) await wait();
    return finish();
  };
}

function makeBegin(
  root: FieldsNode,
  columns: readonly (BoundColumns | undefined)[],
  later: readonly (AsyncColumns | undefined)[],
  unnamed: 'error' | 'drop',
): Turn<Begun> {
  return (direction, rows, report) => {
    const waiting: (() => Promise<void>)[] = [];
    const failed = new Uint8Array(rows.length);
    const results: Row[] = new Array(rows.length);
    const reject = (row: number, issue: Issue): void => {
      failed[row] = 1;
      report(row, issue);
    };

    function visit(node: Node, values: readonly unknown[], places: Places): void {
      if (node.kind === 'leaf') visitLeaf(node, values, places);
      else if (node.kind === 'each') visitEach(node, values, places);
      else visitFields(node, values, places);
    }

    function visitLeaf({ index, leaf }: Node & { kind: 'leaf' }, given: readonly unknown[], places: Places): void {
      const values = looksAtNumbers(leaf, direction) ? asNumbers(given) : given;
      const waits = later[index];
      if (waits !== undefined) {
        waiting.push(async () => {
          const well = values.map((_, i) => i).filter((i) => failed[places.rows[i]!] === 0);
          const owners = well.map((i) => places.rows[i]!);
          const column = well.map((i) => values[i]);
          const out = await waits[direction](
            column,
            (at, issue) => reject(owners[at]!, { ...issue, field: leaf.path }),
            (path) => readSiblings(path, rows, owners),
          );
          for (const [at, i] of well.entries()) put(places, i, out[at]);
        });
        return;
      }
      const { protectOne } = columns[index]!;
      // A record alone: a column of one value would cost more than the value.
      if (values.length === 1 && direction === 'protect' && protectOne !== undefined) {
        try {
          put(places, 0, protectOne(values[0]));
        } catch (error) {
          reject(places.rows[0]!, { ...issueOf(error), field: leaf.path });
        }
        return;
      }
      const reportField: ReportIssue = (at, issue) => reject(places.rows[at]!, { ...issue, field: leaf.path });
      const siblings: Siblings = (path) => readSiblings(path, rows, places.rows);
      const out = runReported(columns[index]![direction], values, reportField, siblings);
      const { containers, keys } = places;
      if (typeof keys === 'string' && containers.length === out.length) {
        for (let i = 0; i < out.length; i++) (containers[i] as Row)[keys] = out[i];
      } else {
        for (let i = 0; i < out.length; i++) put(places, i, out[i]);
      }
    }

    function visitEach({ item, path }: Node & { kind: 'each' }, values: readonly unknown[], places: Places): void {
      const flat: unknown[] = [];
      const containers: object[] = [];
      const keys: number[] = [];
      const owners: number[] = [];
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (value === null || value === undefined) {
          put(places, i, value);
          continue;
        }
        const row = places.rows[i]!;
        if (!Array.isArray(value)) {
          reject(row, { code: 'wrong_type', message: `expected an array, got ${typeName(value)}`, field: path });
          continue;
        }
        const array = new Array<unknown>(value.length);
        put(places, i, array);
        for (let k = 0; k < value.length; k++) {
          flat.push(value[k]);
          containers.push(array);
          keys.push(k);
          owners.push(row);
        }
      }
      if (flat.length > 0) visit(item, flat, { containers, keys, rows: owners });
    }

    function visitFields(node: FieldsNode, values: readonly unknown[], places: Places): void {
      const sources: Row[] = [];
      const targets: Row[] = [];
      const owners: number[] = [];
      // Most batches have the same names in the same order in every row: then they are looked at once.
      let shape: Shape | null = null;
      let uniform = true;
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if ((value === null || value === undefined) && node !== root) {
          put(places, i, value);
          continue;
        }
        const row = places.rows[i]!;
        if (typeof value !== 'object' || value === null || Array.isArray(value) || jsonNumberText(value) !== null) {
          const message = `expected ${node === root ? 'a record' : 'nested fields'}, got ${typeName(value)}`;
          reject(row, { code: 'wrong_type', message, ...(node === root ? {} : { field: node.path }) });
          continue;
        }
        const names = Object.keys(value);
        if (shape === null || !sameNames(shape.names, names)) {
          uniform = shape === null;
          shape = shapeOf(node, names);
        }
        if (shape.others > 0 && unnamed === 'error') rejectOthers(node, shape.others, row);
        // A copy of an object with the same names is quicker than one name after the other.
        const target: Row = { ...shape.target };
        put(places, i, target);
        sources.push(value as Row);
        targets.push(target);
        owners.push(row);
      }
      if (sources.length === 0) return;
      const everywhere = uniform ? shape!.named : NOWHERE;
      for (const [name, inner] of node.fields) visitField(name, inner, sources, targets, owners, everywhere.has(name));
    }

    function shapeOf(node: FieldsNode, names: readonly string[]): Shape {
      const target: Row = {};
      const named = new Set<string>();
      let others = 0;
      for (const name of names) {
        const inner = node.fields.get(name);
        if (inner !== undefined) named.add(name);
        // A field that was dropped is none that a protected record has.
        const removed = inner?.kind === 'leaf' && inner.leaf.engine.removes;
        if (inner !== undefined && !removed) target[name] = undefined;
        else if (inner === undefined || direction === 'reveal') others++;
      }
      return { names, named, others, target };
    }

    function rejectOthers(node: FieldsNode, others: number, row: number): void {
      const place = node === root ? 'the record' : 'the object';
      const many = others === 1 ? 'a field that the policy does' : `${others} fields that the policy does`;
      const message = `${place} has ${many} not name; name it, or set unnamed: drop`;
      reject(row, { code: 'unnamed_field', message, ...(node === root ? {} : { field: node.path }) });
    }

    function visitField(
      name: string,
      node: Node,
      sources: readonly Row[],
      targets: readonly Row[],
      owners: readonly number[],
      everywhere: boolean,
    ): void {
      const removed = node.kind === 'leaf' && node.leaf.engine.removes;
      if (removed && direction === 'reveal') return;
      if (everywhere) {
        // What a dropped field held is not looked at.
        if (removed) return;
        const values = new Array<unknown>(sources.length);
        for (let i = 0; i < sources.length; i++) values[i] = sources[i]![name];
        visit(node, values, { containers: targets, keys: name, rows: owners });
        return;
      }
      const values: unknown[] = [];
      const containers: Row[] = [];
      const rows: number[] = [];
      for (let i = 0; i < sources.length; i++) {
        const source = sources[i]!;
        if (Object.hasOwn(source, name)) {
          values.push(source[name]);
          containers.push(targets[i]!);
          rows.push(owners[i]!);
        } else if (!mayBeAbsent(node)) {
          const field = node.kind === 'leaf' ? node.leaf.path : node.path;
          reject(owners[i]!, {
            code: 'missing_field',
            message: 'the record has no such field; mark it optional if that may be',
            field,
          });
        }
      }
      if (values.length === 0) return;
      // What a dropped field held is not looked at.
      if (removed) return;
      visit(node, values, { containers, keys: name, rows });
    }

    const all = Array.from(rows, (_, i) => i);
    visitFields(root, rows, { containers: [results], keys: all, rows: all });
    return { waiting, finish: () => Array.from(results, (row, i) => (failed[i] === 1 ? undefined : row)) };

    function put(places: Places, i: number, value: unknown): void {
      const container = places.containers.length === 1 ? places.containers[0]! : places.containers[i]!;
      const key = typeof places.keys === 'string' ? places.keys : places.keys[i]!;
      (container as Record<string | number, unknown>)[key] = value;
    }
  };
}

/** Whether a rule looks at what a number is. Otherwise a number comes as it was written, or is not looked at. */
function looksAtNumbers({ engine: { facts, readsSpelling } }: Leaf, direction: Direction): boolean {
  if (readsSpelling === true || facts.back === 'unchanged' || facts.origin === 'fixed') return false;
  return direction === 'protect' || facts.back !== 'never';
}

/** A leaf says so itself; an object or array may be absent when everything in it may. */
function mayBeAbsent(node: Node): boolean {
  if (node.kind === 'leaf') return ruleOption(node.leaf.rule, 'optional') === true;
  if (node.kind === 'each') return mayBeAbsent(node.item);
  return [...node.fields.values()].every(mayBeAbsent);
}

/**
 * Another field of the records that values belong to, as it came: a column that a rule looks at beside its own. The path
 * has no arrays (policy.ts has seen to it), so a record has one such value, whichever array a value stands in.
 */
function readSiblings(path: string, rows: readonly unknown[], owners: readonly number[]): readonly unknown[] {
  const steps = parsePath(path);
  const names = typeof steps === 'string' ? [] : steps.map(({ name }) => name);
  return owners.map((row) => {
    let value = rows[row];
    for (const name of names) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
      value = (value as Row)[name];
    }
    return asNumber(value);
  });
}
