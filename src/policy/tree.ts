/**
 * The tree of a policy: fields within fields, arrays, and rules at the leaves. In code a policy is nested, in a file it
 * is a list of paths; both are read into this tree.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { type Rule, ruleEngine } from '../rule/rule.ts';
import type { FieldsNode, Leaf, Node } from './bound.ts';
import { badName, EMPTY_INSIDE, escapeName, parsePath, STAR, type Step } from './file/path.ts';
import type { Each, Fields } from './types.ts';

export type { FieldsNode, Node } from './bound.ts';

const EACH = Symbol.for('trefoil.each.v1');

/** How deep a policy may be nested. */
const MAX_DEPTH = 32;

const TOO_DEEP = `expected at most ${MAX_DEPTH} levels of nesting`;

/** An array whose elements are gone still shows how many there were, which is rarely what was meant. */
const DROPPED_ELEMENTS = 'elements of an array cannot be dropped; drop the array itself';

/**
 * Describes an array: the fields of every object in it, or the rule of every element. An element cannot be dropped; a
 * field of an element can.
 *
 * @example
 * ```ts
 * import { each, keep, keyset, policy, token } from 'trefoil';
 *
 * const orders = policy({ items: each({ sku: keep }), tags: each(keep) }).bind(keyset.generate().domain('eu'));
 * orders.protect({ items: [{ sku: 'A1' }], tags: ['new'] }); // → { items: [{ sku: 'A1' }], tags: ['new'] }
 * ```
 */
export function each<const Item extends Rule | Fields | Each>(item: Item): Each<Item> {
  return Object.freeze(Object.defineProperty({}, EACH, { value: item })) as Each<Item>;
}

function eachItem(value: object): unknown {
  return (value as Record<symbol, unknown>)[EACH];
}

/** Reads the nested form, as it is written in code. */
export function treeOfFields(fields: unknown): { root: FieldsNode; leaves: readonly Leaf[] } {
  const leaves: Leaf[] = [];

  function read(value: unknown, path: string, header: string | null, depth: number): Node {
    if (depth > MAX_DEPTH) badRange('fields', TOO_DEEP);
    const engine = ruleEngine(value);
    if (engine !== null) {
      const leaf: Leaf = { path, header, rule: value as Rule, engine };
      return { kind: 'leaf', index: leaves.push(leaf) - 1, leaf };
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      badType('fields', `expected a rule, nested fields or each(…) at ${path}, got ${typeName(value)}`);
    }
    const item = eachItem(value);
    if (item !== undefined) {
      if (ruleEngine(item)?.removes === true) badRange('fields', `${DROPPED_ELEMENTS}: ${path}`);
      return { kind: 'each', path, item: read(item, `${path}[]`, null, depth + 1) };
    }
    return readFields(value, path, header, depth);
  }

  function readFields(value: object, path: string, header: string | null, depth: number): FieldsNode {
    const children = new Map<string, Node>();
    for (const [name, inner] of Object.entries(value)) {
      const wrong = badName(name);
      if (wrong !== null) badRange('fields', `${wrong}${path === '' ? '' : `, in ${path}`}`);
      // The path of a name below an empty one could not be told from other paths.
      if (name === '' && (depth > 0 || ruleEngine(inner) === null)) badRange('fields', EMPTY_INSIDE);
      const place = path === '' ? escapeName(name) : `${path}.${escapeName(name)}`;
      const column = header === null ? null : header === '' ? name : `${header}.${name}`;
      children.set(name, read(inner, place, column, depth + 1));
    }
    if (children.size === 0) badRange('fields', `expected at least one field${path === '' ? '' : ` in ${path}`}`);
    return { kind: 'fields', fields: children, path };
  }

  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || ruleEngine(fields) !== null) {
    badType('fields', `expected an object of rules, got ${typeName(fields)}`);
  }
  const root = readFields(fields, '', '', 0);
  return { root, leaves };
}

/** A name that is meant as a pattern: `*`, `scores.*`, `[*]`. */
const PATTERN = /(?:^|[.[])\*+(?:$|[.\]])/;

/**
 * Refuses a name in code that is meant as a pattern. In a policy file such a name can be written with escapes.
 *
 * @throws RangeError
 */
export function refuseStars(fields: unknown, depth = 0): void {
  if (depth > MAX_DEPTH) badRange('fields', TOO_DEEP);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields) || ruleEngine(fields) !== null) return;
  const item = eachItem(fields);
  for (const [name, inner] of item === undefined ? Object.entries(fields) : [['', item] as const]) {
    if (PATTERN.test(name)) {
      const map = 'to leave out a whole map, drop it (scores: drop)';
      badRange('fields', `${STAR}; ${map}; a field of such a name can be named in a policy file, with \\ before the *`);
    }
    refuseStars(inner, depth + 1);
  }
}

/** A path that cannot be read or that contradicts another. */
export interface PathProblem {
  readonly path: string;
  readonly code: 'invalid_path' | 'path_conflict';
  readonly message: string;
}

interface Draft {
  rule: { readonly path: string; readonly rule: Rule } | undefined;
  item: Draft | undefined;
  fields: Map<string, Draft> | undefined;
}

/** All members are own properties, so that none is read from a prototype. */
function makeDraft(): Draft {
  return { rule: undefined, item: undefined, fields: undefined };
}

/**
 * The draft at the end of a path; drafts on the way are made. `null` if a rule, an array or an object is in the way. In
 * that case no draft has been made, because below a new draft there is nothing to clash with.
 */
function place(root: Draft, steps: readonly Step[]): Draft | null {
  let at = root;
  for (const { name, arrays } of steps) {
    if (at.rule !== undefined || at.item !== undefined) return null;
    at.fields ??= new Map();
    const next: Draft = at.fields.get(name) ?? makeDraft();
    at.fields.set(name, next);
    at = next;
    for (let i = 0; i < arrays; i++) {
      if (at.rule !== undefined || at.fields !== undefined) return null;
      at.item ??= makeDraft();
      at = at.item;
    }
  }
  return at.rule === undefined && at.fields === undefined && at.item === undefined ? at : null;
}

/** Reads the paths of a policy file. If some have problems, the tree has the others. */
export function treeOfPaths(rules: ReadonlyMap<string, Rule>): { fields: Fields; problems: readonly PathProblem[] } {
  const problems: PathProblem[] = [];
  const root: Draft = { ...makeDraft(), fields: new Map() };

  for (const [path, rule] of rules) {
    const steps = parsePath(path);
    if (typeof steps === 'string') {
      problems.push({ path, code: 'invalid_path', message: steps });
      continue;
    }
    if (steps.reduce((depth, { arrays }) => depth + 1 + arrays, 0) > MAX_DEPTH) {
      problems.push({
        path,
        code: 'invalid_path',
        message: `the path is too deep: at most ${MAX_DEPTH} names and arrays`,
      });
      continue;
    }
    if (path.endsWith('[]') && ruleEngine(rule)?.removes === true) {
      problems.push({ path, code: 'invalid_path', message: DROPPED_ELEMENTS });
      continue;
    }
    const at = place(root, steps);
    if (at === null) {
      problems.push({
        path,
        code: 'path_conflict',
        message: 'another path needs a single value, an object or an array here, and the field can be only one of them',
      });
      continue;
    }
    at.rule = { path, rule };
  }

  const build = (draft: Draft): Rule | Fields | Each => {
    if (draft.rule !== undefined) return draft.rule.rule;
    if (draft.item !== undefined) return each(build(draft.item));
    return Object.fromEntries([...(draft.fields ?? [])].map(([name, inner]) => [name, build(inner)])) as Fields;
  };
  return { fields: build(root) as Fields, problems };
}
