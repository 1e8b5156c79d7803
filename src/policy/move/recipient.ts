/**
 * What happens to each field on the way to a recipient: our policy says what is in the records, and the policy of the
 * recipient says what of it they may have. The rules of the two are matched field by field.
 */

import { throwIssues } from '../../core/issues.ts';
import type { Issue } from '../../errors.ts';
import { refuseReveal } from '../../rule/binding.ts';
import { throughClear } from '../../rule/columns.ts';
import { drop } from '../../rule/drop.ts';
import { isMissing, type MissingLists } from '../../rule/missing.ts';
import { type ColumnVerb, type Move, type Rule, ruleEngine, ruleOption } from '../../rule/rule.ts';
import type { FieldsNode, Leaf, Node } from '../bound.ts';
import type { PolicyTree } from '../policy.ts';
import { demandKey, guardMove, revealByRecord } from '../unmarked/record-keys.ts';
import type { Witnesses } from '../unmarked/witnesses.ts';
import { passing } from './inside.ts';

/** A leaf of the records that come out. */
export interface Place {
  /** The field with the rule and engine that the output has. */
  readonly leaf: Leaf;
  /** The field of our policy. */
  readonly source: Leaf;
  /** The index of the field in the policy of the recipient; `null` if that policy does not work on the values. */
  readonly theirIndex: number | null;
  /** Whether values of a key become values of another one. */
  readonly moves: boolean;
  /** Makes the verb. `lists` has the missing texts of the policy whose rule works on the values. */
  readonly verb: (move: Move, lists: MissingLists) => ColumnVerb;
}

type Treatment = Omit<Place, 'theirIndex'>;

/**
 * Matches the two policies.
 *
 * @param theirs `null` if the recipient has no policy: then every field must pass or be a token.
 * @param unnamed what the policy of the recipient does with fields that it does not name.
 * @throws TrefoilError `wrong_option` with all fields that do not fit.
 */
export function matchRecipient(
  ours: FieldsNode,
  theirs: PolicyTree | null,
  unnamed: 'error' | 'drop',
  witnesses: Witnesses,
): { readonly root: FieldsNode; readonly places: readonly Place[] } {
  const places: Place[] = [];
  const issues: Issue[] = [];
  const refuse = (field: string, message: string): void => {
    issues.push({ code: 'wrong_option', message, field });
  };

  function put(treatment: Treatment, theirIndex: number | null): Node {
    const index = places.push({ ...treatment, theirIndex }) - 1;
    return { kind: 'leaf', index, leaf: treatment.leaf };
  }

  /** Drops everything that our node has. */
  function dropAll(node: Node, leaf: Leaf): Node {
    return isAllGone(node) ? copy(node) : put(dropping(leaf), null);
  }

  /** A node of which the records have nothing. */
  function copy(node: Node): Node {
    if (node.kind === 'leaf') return put(gone(node.leaf), null);
    if (node.kind === 'each') return { ...node, item: copy(node.item) };
    return { ...node, fields: new Map([...node.fields].map(([name, inner]) => [name, copy(inner)])) };
  }

  function match(node: Node, other: Node | null, header: string | null): Node {
    const path = node.kind === 'leaf' ? node.leaf.path : node.path;
    if (other === null) {
      if (isAllGone(node)) return copy(node);
      if (unnamed === 'drop') return dropAll(node, { path, header, rule: drop, engine: ruleEngine(drop)! });
      refuse(path, "the recipient's policy does not name the field; name it there (drop will do)");
      return copy(node);
    }
    if (other.kind === 'leaf' && other.leaf.engine.removes) return dropAll(node, { ...other.leaf, header });
    if (node.kind === 'leaf' && other.kind === 'leaf') {
      const found = treat(node.leaf, other.leaf, witnesses);
      if (typeof found !== 'string') return put(found, other.index);
      refuse(path, found);
      return put(gone(node.leaf), null);
    }
    if (node.kind === 'each' && other.kind === 'each') {
      return { ...node, item: match(node.item, other.item, null) };
    }
    if (node.kind === 'fields' && other.kind === 'fields') return matchFields(node, other, header);
    refuse(path, "the recipient's policy has other fields inside it; describe it in both policies in the same way");
    return copy(node);
  }

  function matchFields(node: FieldsNode, other: FieldsNode | null, header: string | null): FieldsNode {
    const fields = new Map<string, Node>();
    const below = (name: string) => (node === ours ? name : header === null ? null : `${header}.${name}`);
    for (const [name, inner] of node.fields) {
      const same = theirs === null ? inner : (other?.fields.get(name) ?? null);
      fields.set(name, match(inner, same, below(name)));
    }
    for (const [name, extra] of other?.fields ?? []) {
      if (node.fields.has(name) || mayLack(extra)) continue;
      const path = extra.kind === 'leaf' ? extra.leaf.path : extra.path;
      refuse(path, "the recipient's policy has the field, and the records do not; mark it optional there, or drop it");
    }
    return { ...node, fields };
  }

  const root = matchFields(ours, theirs === null ? ours : theirs.root, null);
  throwIssues(issues);
  return { root, places };
}

/** Whether protected records have nothing of a node. */
function isAllGone(node: Node): boolean {
  return node.kind === 'leaf' && node.leaf.engine.removes;
}

/** Whether records may lack a field that a policy names. */
function mayLack(node: Node): boolean {
  if (node.kind === 'leaf') return node.leaf.engine.removes || ruleOption(node.leaf.rule, 'optional') === true;
  if (node.kind === 'each') return mayLack(node.item);
  return [...node.fields.values()].every(mayLack);
}

/** A field that the records do not have, because our policy drops it. */
function gone(leaf: Leaf): Treatment {
  return { leaf, source: leaf, moves: false, verb: (_, lists) => passing(leaf, lists) };
}

/** A field that the records have and that is removed now. */
function dropping(leaf: Leaf): Treatment {
  const made: Leaf = { ...leaf, engine: { ...leaf.engine, removesOnMove: true } };
  return { leaf: made, source: made, moves: false, verb: (_, lists) => leaf.engine.bind(null, false, lists).protect };
}

/** What is done with a field, or why it cannot be done. */
function treat(ours: Leaf, theirs: Leaf, witnesses: Witnesses): Treatment | string {
  if (ours.engine.removes) {
    return mayLack({ kind: 'leaf', index: 0, leaf: theirs })
      ? gone(ours)
      : 'our policy drops the field, and the recipient wants it; mark it optional there';
  }
  // The field may be absent if it is optional in our policy, because the records are ours.
  const named = (rule: Rule) => withOptional(rule, ours.rule);
  const made: Leaf = { ...ours, rule: named(theirs.rule), engine: withoutNeeds(theirs) };
  if (theirs.rule.rule === 'constant') {
    return {
      leaf: made,
      source: ours,
      moves: false,
      verb: (_, lists) => theirs.engine.bind(null, false, lists).protect,
    };
  }
  const coarser = theirs.rule.rule === 'coarsen' || theirs.rule.rule === 'mask';
  const { mover, stays, keyed } = ours.engine;
  if (keyed && stays !== undefined) return ofStaying(ours, theirs, made, coarser, stays, witnesses);
  if (keyed) {
    if (mover === undefined || !sameRule(ours.rule, theirs.rule)) {
      return 'the field is a token, and must have the same rule in the policy of the recipient, or be dropped there';
    }
    const verb: Treatment['verb'] = (move) => guardMove(ours, mover.bind(move), move, witnesses);
    return { leaf: ours, source: ours, moves: true, verb };
  }
  if (theirs.engine.keyed) {
    return `the recipient's policy has the rule ${theirs.rule.rule}, and project makes no keyed values of clear ones; protect the originals with that policy`;
  }
  if (theirs.rule.rule === 'keep' || sameRule(ours.rule, theirs.rule)) {
    return { leaf: ours, source: ours, moves: false, verb: (_, lists) => passing(ours, lists) };
  }
  return {
    leaf: made,
    source: ours,
    moves: false,
    verb: ({ missing }, lists) => sparing(theirs.engine.bind(null, false, lists).protect, missing),
  };
}

/** A field that does not go to another domain: it may become something coarser that has no key. */
function ofStaying(
  ours: Leaf,
  theirs: Leaf,
  made: Leaf,
  coarser: boolean,
  stays: string,
  witnesses: Witnesses,
): Treatment | string {
  const { engine } = ours;
  const why = `${stays}; in the policy of the recipient, drop the field`;
  if (!coarser || engine.open !== undefined) return why;
  if (engine.mover?.reveals !== true) {
    return {
      leaf: made,
      source: ours,
      moves: false,
      verb: ({ missing }, lists) => sparing(theirs.engine.bind(null, false, lists).protect, missing),
    };
  }
  return {
    // The mover tells that the field looks at those that show the key of the record.
    leaf: { ...made, engine: { ...made.engine, mover: engine.mover } },
    source: ours,
    moves: false,
    verb({ from, fromKey, revealing, missing }, lists) {
      if (!revealing) refuseReveal();
      const recordKeys = { opened: from, fromKey, witnesses };
      if (engine.under !== undefined) demandKey(recordKeys, ours);
      const reveal =
        engine.under === undefined
          ? engine.bind(from, true, missing).reveal
          : revealByRecord(engine.under, recordKeys, missing);
      return throughClear(reveal, theirs.engine.bind(null, false, lists).protect, missing.own);
    },
  };
}

/** A verb that lets what is missing in our policy pass. */
function sparing(work: ColumnVerb, { own }: MissingLists): ColumnVerb {
  return (column, report) => {
    const out = work(
      column.map((value) => (isMissing(value, own) ? null : value)),
      report,
    );
    for (let i = 0; i < column.length; i++) if (isMissing(column[i], own)) out[i] = column[i];
    return out;
  };
}

/** The engine of a rule of the recipient, on values of ours. */
function withoutNeeds({ engine }: Leaf): Leaf['engine'] {
  const { needs: _, ...others } = engine;
  return others;
}

function withOptional(rule: Rule, ours: Rule): Rule {
  const { optional: _, ...others } = rule as Rule & { optional?: boolean };
  return ruleOption(ours, 'optional') === true ? { ...others, optional: true } : others;
}

/** Whether two rules make the same outputs: the options that every rule has make no difference. */
function sameRule(a: Rule, b: Rule): boolean {
  return bare(a) === bare(b);
}

function bare(rule: Rule): string {
  const { optional: _o, why: _w, role: _r, missing: _m, ...data } = rule;
  return JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)))
      : value,
  );
}
