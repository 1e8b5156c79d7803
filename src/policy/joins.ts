/**
 * Which fields join, in one policy and across several. Two fields join if equal values have equal outputs in both. That
 * is so if everything that enters the key is equal, and everything else that the text of the output depends on.
 */

import type { Issue } from '../errors.ts';
import { ruleOption } from '../rule/rule.ts';
import { contextNames } from '../rule/token/contexts.ts';
import { checkLength } from '../wire/token-lengths.ts';
import type { Leaf } from './bound.ts';

/** A policy among others. */
export interface NamedPolicy {
  readonly name: string;
  /** `undefined` if the policy leaves it to the keys. */
  readonly domain: string | undefined;
  /** The region that its keys must have; `undefined` if it demands none. */
  readonly region?: string | undefined;
  /** Ids of the keys that it pins; `null` if it pins none. */
  readonly pins: readonly string[] | null;
  readonly leaves: readonly Leaf[];
}

/** A field of one of several policies. */
export interface Place {
  readonly policy: NamedPolicy;
  readonly leaf: Leaf;
}

/** An aspect of a rule: its value in a field, and the words for two fields that differ in it. */
interface Aspect {
  readonly differ: string;
  readonly of: (leaf: Leaf) => string;
}

interface Aspects {
  /** What enters the key, besides domain, kind of rule and scope. */
  readonly key: readonly Aspect[];
  /** What else the text of equal values depends on. */
  readonly text: readonly Aspect[];
  /** What follows if the keys differ. */
  readonly consequence: string;
}

const aspect = (differ: string, name: string, normal: (value: unknown, leaf: Leaf) => unknown = (v) => v): Aspect => ({
  differ,
  of: (leaf) => JSON.stringify(normal(ruleOption(leaf.rule, name), leaf)) ?? '',
});

/** One step is the same as a list of one step, and no steps are the same as an empty list. */
const steps = (value: unknown): unknown => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
const NEVER = 'so equal values never join';

/** What the outputs of each rule with a scope depend on. */
const makeAspects = (): Readonly<Record<string, Aspects>> => ({
  token: {
    key: [
      aspect('different prepare steps', 'prepare', steps),
      aspect('a different prf', 'prf', (prf) => prf ?? 'hmac-sha256'),
      aspect('different contexts (per)', 'per', contextNames),
    ],
    text: [
      aspect('a different label', 'label'),
      aspect('a different form', 'form', formOf),
      aspect(
        'a different length',
        'length',
        (length, leaf) => length ?? checkLength(formOf(ruleOption(leaf.rule, 'form')), {}),
      ),
    ],
    consequence: NEVER,
  },
  vault: {
    key: [
      aspect('a different store', 'store'),
      aspect('a subject where the other has none', 'subject', (subject) => subject !== undefined),
    ],
    text: [aspect('a different label', 'label')],
    consequence: 'so the same value has two tokens',
  },
  fpe: {
    key: [{ differ: 'a different format', of: ({ engine }) => engine.facts.joins ?? '' }],
    text: [],
    consequence: NEVER,
  },
  seal: {
    key: [aspect('value: json in one of them', 'value', (value) => value === 'json')],
    text: [],
    consequence: 'so some equal values do not join',
  },
  shiftDate: {
    key: [aspect('different days', 'days'), aspect('different prepare steps for the subject', 'prepareSubject', steps)],
    text: [],
    consequence: 'so intervals between dates of the two are wrong',
  },
});

const ASPECTS: Readonly<Record<string, Aspects>> = /* @__PURE__ */ makeAspects();

function formOf(form: unknown): 'labelled' {
  return (form ?? 'labelled') as 'labelled';
}

/** Why two fields of one kind of rule and one scope do not join. */
export interface Difference {
  /** Whether the keys are the same: then equal values can be found, but not by comparing texts. */
  readonly half: boolean;
  /** `a different label, a different form`. */
  readonly reasons: string;
  readonly consequence: string;
}

/** Compares two fields with the same kind of rule and the same scope, under the same keys; `null` if they join. */
export function differenceOf(a: Leaf, b: Leaf): Difference | null {
  const aspects = ASPECTS[a.rule.rule];
  if (aspects === undefined) return null;
  const reasonsOf = (list: readonly Aspect[]) => list.filter(({ of }) => of(a) !== of(b)).map(({ differ }) => differ);
  const key = reasonsOf(aspects.key);
  if (key.length > 0) return { half: false, reasons: key.join(', '), consequence: aspects.consequence };
  const text = reasonsOf(aspects.text);
  if (text.length === 0) return null;
  const consequence = 'so equal values have tokens with different texts, and a join of the two in SQL finds no rows';
  return { half: true, reasons: text.join(', '), consequence };
}

function groupOf(domain: string | undefined, rule: string, scope: string): string {
  return JSON.stringify([domain ?? null, rule, scope]);
}

/** Fields of one kind of rule, one scope and, if `apart`, one domain, in the order of the policies. */
export function byScope(policies: readonly NamedPolicy[], apart: boolean): ReadonlyMap<string, readonly Place[]> {
  const groups = new Map<string, Place[]>();
  for (const policy of policies) {
    for (const leaf of policy.leaves) {
      const { scope } = leaf.engine.facts;
      if (scope === null || !Object.hasOwn(ASPECTS, leaf.rule.rule)) continue;
      const name = groupOf(apart ? policy.domain : undefined, leaf.rule.rule, scope);
      groups.set(name, [...(groups.get(name) ?? []), { policy, leaf }]);
    }
  }
  return groups;
}

/** Divides the fields of a group into parts whose fields join: they are equal in all aspects of key and text. */
export function partsOf(group: readonly Place[]): readonly (readonly Place[])[] {
  const parts: Place[][] = [];
  for (const place of group) {
    const part = parts.find(
      ([first]) => differenceOf(first!.leaf, place.leaf) === null && keyDifference(first!, place) === null,
    );
    if (part === undefined) parts.push([place]);
    else part.push(place);
  }
  return parts;
}

/** In what the keys of two policies certainly differ; `null` if the two can run under one key. */
export function keyDifference(a: Place, b: Place): 'region' | 'pins' | null {
  const [one, other] = [a.policy.region, b.policy.region];
  if (one !== undefined && other !== undefined && one !== other) return 'region';
  return sharePins(a, b) ? null : 'pins';
}

/** Two policies cannot run under one key if each pins keys and they have none in common. */
function sharePins(a: Place, b: Place): boolean {
  const [one, other] = [a.policy.pins, b.policy.pins];
  return one === null || other === null || one.some((id) => other.includes(id));
}

/** Two fields of one policy with one kind of rule and one scope that do not join. */
export interface OddPair {
  readonly first: Leaf;
  readonly other: Leaf;
  readonly difference: Difference;
}

/** Fields of one policy that have the scope of an earlier field and do not join with it. */
export function oddPairs(leaves: readonly Leaf[]): readonly OddPair[] {
  const first = new Map<string, Leaf>();
  const pairs: OddPair[] = [];
  for (const leaf of leaves) {
    const { scope } = leaf.engine.facts;
    if (scope === null) continue;
    const group = `${leaf.rule.rule} ${scope}`;
    const other = first.get(group);
    if (other === undefined) first.set(group, leaf);
    const difference = other === undefined ? null : differenceOf(other, leaf);
    if (difference !== null) pairs.push({ first: other!, other: leaf, difference });
  }
  return pairs;
}

/**
 * Whether a policy with such a pair is refused. It is if some of the values would join and others would not, and nobody
 * would notice. Outputs of two labels, forms or formats look different at once, and somebody may want both.
 */
function isSilent({ other, difference }: OddPair): boolean {
  return !difference.half && other.rule.rule !== 'fpe';
}

function pairMessage({ first, difference }: OddPair): string {
  const { reasons, consequence } = difference;
  return `has the same scope as ${first.path} but ${reasons}, ${consequence}; make them the same, or use two scopes`;
}

/** The pairs that a policy is refused for. */
export function halfJoins(leaves: readonly Leaf[]): readonly Issue[] {
  return oddPairs(leaves)
    .filter(isSilent)
    .map((pair): Issue => ({ code: 'half_join', message: pairMessage(pair), field: pair.other.path }));
}

/** The label of the tokens of a field; `null` if they have none, or the rule writes no tokens. */
function labelOf({ rule }: Leaf): string | null {
  if (rule.rule !== 'token' && rule.rule !== 'vault') return null;
  return (ruleOption(rule, 'label') as string | undefined) ?? null;
}

/** Why one label cannot be that of two fields of one domain; `null` if it can: they have one kind of rule and scope. */
function clashOf(a: Leaf, b: Leaf): string | null {
  if (a.engine.facts.scope !== b.engine.facts.scope) return 'another scope';
  return a.rule.rule === b.rule.rule ? null : `is a ${b.rule.rule} and not a ${a.rule.rule}`;
}

const LABEL_CONSEQUENCE =
  'so the two look alike, and rekey makes wrong tokens of a column of the other; use a label for each scope';

/**
 * Labels that two scopes share. A token shows its key and its label and not its scope. So if two columns with one label
 * are swapped, their tokens are read as intact ones and renewed into tokens that join with nothing.
 */
export function labelClashes(leaves: readonly Leaf[]): readonly Issue[] {
  const first = new Map<string, Leaf>();
  return leaves.flatMap((leaf): Issue[] => {
    const label = labelOf(leaf);
    if (label === null) return [];
    const other = first.get(label) ?? leaf;
    first.set(label, other);
    const clash = clashOf(other, leaf);
    if (clash === null) return [];
    const message = `has the same label as ${other.path} but ${clash}, ${LABEL_CONSEQUENCE}`;
    return [{ code: 'half_join', message, field: leaf.path }];
  });
}

/** The pairs that a policy is not refused for, as warnings for its author. */
export function joinWarnings(leaves: readonly Leaf[]): readonly { readonly field: string; readonly message: string }[] {
  return oddPairs(leaves)
    .filter((pair) => !isSilent(pair))
    .map((pair) => ({ field: pair.other.path, message: pairMessage(pair) }));
}

const KEY_DIFFERENCES = {
  region: { what: 'demands another region', advice: 'demand the same region', option: 'region' },
  pins: { what: 'pins different keys', advice: 'pin the same keys', option: 'keyCheck' },
} as const;

/** A problem between two policies: the policy to change, and the place in its file. */
export interface AcrossIssue extends Issue {
  readonly policy: NamedPolicy;
  readonly path: readonly string[];
}

/**
 * The same for fields of several policies that have no problems of their own: each field is compared with the first
 * field of its kind of rule, scope and domain.
 */
export function halfJoinsAcross(policies: readonly NamedPolicy[]): readonly AcrossIssue[] {
  const issues: AcrossIssue[] = [];
  const add = (policy: NamedPolicy, path: readonly string[], message: string) =>
    issues.push({ policy, path, code: 'half_join', message, field: path.join('.') });
  for (const { first, other, clash } of labelsAcross(policies)) {
    const message = `has the same label as ${first.leaf.path} in ${first.policy.name} but ${clash}, ${LABEL_CONSEQUENCE}`;
    add(other.policy, ['fields', other.leaf.path, 'label'], message);
  }
  const pinned = new Set<NamedPolicy>();
  const groups = byScope(policies, true);
  for (const group of groups.values()) {
    const [first] = group as readonly [Place, ...Place[]];
    for (const place of group) {
      const { policy, leaf } = place;
      if (policy === first.policy) continue;
      const keys = keyDifference(first, place);
      if (keys !== null) {
        const { what, advice, option } = KEY_DIFFERENCES[keys];
        const message = `${what} than ${first.policy.name}, which has the same domain, so nothing joins; ${advice}`;
        if (!pinned.has(policy)) add(policy, [option], message);
        pinned.add(policy);
        continue;
      }
      const difference = differenceOf(first.leaf, leaf);
      if (difference === null) continue;
      const message =
        `has the same scope as ${first.leaf.path} in ${first.policy.name} but ${difference.reasons}, ` +
        `${difference.consequence}; make them the same, or use two scopes`;
      add(policy, ['fields', leaf.path, 'scope'], message);
    }
    // The outputs of both are called tokens, so somebody will join them.
    const [{ policy, leaf }] = group as readonly [Place, ...Place[]];
    if (leaf.rule.rule !== 'vault') continue;
    const token = groups
      .get(groupOf(policy.domain, 'token', leaf.engine.facts.scope!))
      ?.find((t) => t.policy !== policy);
    if (token === undefined || labelOf(token.leaf) === (labelOf(leaf) ?? '')) continue;
    const message =
      `has the same scope as ${token.leaf.path} in ${token.policy.name}, which is a token and not a vault, so equal values ` +
      'never join; use the same rule, or two scopes';
    add(policy, ['fields', leaf.path, 'scope'], message);
  }
  return issues;
}

/** Fields of two policies of one domain that share a label and nothing else. Keys of two regions are never mixed up. */
function labelsAcross(policies: readonly NamedPolicy[]) {
  const labels = new Map<string, Place[]>();
  const clashes: { readonly first: Place; readonly other: Place; readonly clash: string }[] = [];
  for (const policy of policies) {
    for (const leaf of policy.leaves) {
      const label = labelOf(leaf);
      if (label === null) continue;
      const name = JSON.stringify([policy.domain ?? null, label]);
      const other = { policy, leaf };
      const places = labels.get(name) ?? [];
      labels.set(name, [...places, other]);
      const mixed = places.filter((one) => one.policy !== policy && keyDifference(one, other) !== 'region');
      const first = mixed.find((one) => clashOf(one.leaf, leaf) !== null);
      if (first !== undefined) clashes.push({ first, other, clash: clashOf(first.leaf, leaf)! });
    }
  }
  return clashes;
}
