/** What `explain` says of joins: inside one policy, and across several. */

import { ruleOption } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { byScope, differenceOf, type NamedPolicy, oddPairs, type Place, partsOf, sharePins } from '../joins.ts';
import { code, codes, words } from './markdown.ts';

/** Which values are equal for a rule: never more than the texts that go into it. */
function whereEqual({ rule }: Leaf): string {
  const prepare = ruleOption(rule, rule.rule === 'shiftDate' ? 'prepareSubject' : 'prepare');
  const names = prepare === undefined ? [] : [prepare].flat().map(String);
  const what = rule.rule === 'shiftDate' ? 'the texts of the subjects' : 'the texts of the values';
  return names.length === 0
    ? `where ${what} are equal, letter for letter`
    : `where ${what} are equal, letter for letter, after ${words(names.join(', '))}`;
}

/** What two fields have in common that join, besides domain, kind of rule and scope. */
const MADE: Readonly<Record<string, string>> = {
  token: 'with the same steps, prf, form, length and label',
  fpe: 'with the same format',
  seal: '',
  vault: 'with the same store and label, and a subject in both or in neither',
  shiftDate: 'with the same days and steps of the subject',
};

/** `every other token of the scope x with the same …`. */
function others({ rule, engine }: Leaf): string {
  const made = Object.hasOwn(MADE, rule.rule) ? MADE[rule.rule]! : '';
  return `every other ${words(rule.rule)} of the scope ${code(engine.facts.scope!)}${made === '' ? '' : ` ${made}`}`;
}

/** The lines about one policy. */
export function joinsInside(leaves: readonly Leaf[], domain: string | undefined): string[] {
  const policy: NamedPolicy = { name: '', domain, pins: null, leaves };
  const lines: string[] = [];
  for (const group of byScope([policy], false).values()) {
    for (const part of partsOf(group)) {
      const [{ leaf }] = part as readonly [Place, ...Place[]];
      const paths = codes(part.map((place) => place.leaf.path));
      if (leaf.rule.rule === 'shiftDate') {
        lines.push(
          `- ${paths}: no join by value; dates of one subject move together with ${others(leaf)}, so intervals between ` +
            `them are true, ${whereEqual(leaf)}`,
        );
        continue;
      }
      const both = part.length > 1 ? 'join with each other and with' : 'joins with';
      const within = ruleOption(leaf.rule, 'subject') === undefined ? '' : ', within one subject';
      lines.push(`- ${paths}: ${both} ${others(leaf)}, ${whereEqual(leaf)}${within}`);
    }
  }
  for (const { first, other, difference } of oddPairs(leaves)) {
    const { reasons, consequence } = difference;
    const scope = code(first.engine.facts.scope!);
    lines.push(
      `- ${code(first.path)} and ${code(other.path)}: the scope ${scope} is the same, but not a join: ${reasons}, ${consequence}`,
    );
  }
  lines.push(...withoutKey(leaves));
  if (lines.length === 0) return ['Nothing: no field has a scope and none is kept.'];
  const inside = domain === undefined ? 'one domain' : `the domain ${code(domain)}`;
  return [
    ...lines,
    '',
    `All joins by scope hold inside ${inside} under one root key. Tokens and sealed values of two domains, or of two`,
    'scopes, never match; equal fpe outputs of two scopes say nothing, as a format has only so many values. Outputs of two',
    'kinds of rule never match either, whatever their scopes.',
  ];
}

/** Fields without a key, which join with anything. */
function withoutKey(leaves: readonly Leaf[]): string[] {
  const paths = (test: (leaf: Leaf) => boolean) => leaves.filter(test).map(({ path }) => path);
  const kept = paths(({ engine }) => engine.facts.back === 'unchanged');
  const cut = paths(({ engine }) => engine.facts.origin === 'taken from the value');
  const lines: string[] = [];
  if (kept.length > 0) {
    lines.push(
      `- ${codes(kept)}: kept, so joined with anything that holds the same texts, in every domain; other spellings of a ` +
        'value do not join',
    );
  }
  if (cut.length > 0) {
    lines.push(`- ${codes(cut)}: no key is in them, so they join with anything made the same way, in every domain`);
  }
  return lines;
}

/** Origins of outputs that no key is in and that vary with the value. */
const OPEN: readonly string[] = ['the value itself', 'taken from the value'];

/** The page about several policies. */
export function acrossPolicies(policies: readonly NamedPolicy[]): string {
  const joined: string[] = [];
  const half: string[] = [];
  const never: string[] = [];
  for (const group of byScope(policies, true).values()) {
    if (new Set(group.map(({ policy }) => policy)).size === 1) continue;
    const parts = partsOf(group);
    for (const part of parts) if (new Set(part.map(({ policy }) => policy)).size > 1) joined.push(joinLine(part));
    for (let i = 1; i < parts.length; i++) {
      for (let k = 0; k < i; k++) {
        const [a, b] = [parts[k]![0]!, parts[i]![0]!];
        const why = reasonOf(a, b);
        (why.half ? half : never).push(`- ${list(parts[k]!)} and ${list(parts[i]!)}: ${why.text}`);
      }
    }
  }
  never.push(...otherDomains(policies), ...otherRules(policies));
  const open = policies.flatMap((policy) => {
    const shown = policy.leaves.filter(({ engine }) => OPEN.includes(engine.facts.origin));
    return shown.length === 0 ? [] : [`- ${code(policy.name)}: ${codes(shown.map(({ path }) => path))}`];
  });
  const section = (title: string, lead: string, lines: readonly string[]) => [
    `## ${title}`,
    '',
    ...(lines.length === 0 ? ['None.'] : [lead, '', ...lines]),
    '',
  ];
  return [
    '# What joins across these policies',
    '',
    ...policies.map(({ name, domain }) => {
      return `- ${code(name)}: ${domain === undefined ? 'the domain of its keys' : `domain ${code(domain)}`}`;
    }),
    '',
    ...section('Joins', 'Under one root key, equal texts come out as equal texts:', joined),
    ...section(
      'Half-joins',
      'The key is the same and the texts differ. `matches` of the rule that wrote a token finds its value; a join in SQL gives no ' +
        'rows:',
      half,
    ),
    ...section('Never joins', 'The keys differ, so equal values have unrelated outputs:', never),
    ...section(
      'Joins without a key',
      'These are kept or made coarser without a key. Equal texts join, also across domains and with any other data:',
      open,
    ),
  ].join('\n');
}

function list(places: readonly Place[]): string {
  return places.map(({ policy, leaf }) => `${code(leaf.path)} in ${code(policy.name)}`).join(', ');
}

function joinLine(part: readonly Place[]): string {
  const { leaf } = part[0]!;
  const { rule, engine } = leaf;
  const scope = `${words(rule.rule)} of the scope ${code(engine.facts.scope!)}`;
  if (rule.rule === 'shiftDate') {
    return `- ${list(part)}: dates of one subject move together (${scope}), ${whereEqual(leaf)}; no join by value`;
  }
  const within = ruleOption(rule, 'subject') === undefined ? '' : ', within one subject';
  const store = rule.rule === 'vault' ? ', if the store is one and the same' : '';
  return `- ${list(part)}: ${scope}, ${whereEqual(leaf)}${within}${store}`;
}

function reasonOf(a: Place, b: Place): { readonly half: boolean; readonly text: string } {
  if (!sharePins(a, b)) return { half: false, text: 'the policies pin different keys' };
  const difference = differenceOf(a.leaf, b.leaf);
  if (difference === null) return { half: false, text: 'the policies pin different keys' };
  return { half: difference.half, text: `${difference.reasons}, ${difference.consequence}` };
}

/** Fields that look as if they joined: one kind of rule and one scope, and two domains. */
function otherDomains(policies: readonly NamedPolicy[]): string[] {
  const lines: string[] = [];
  for (const group of byScope(policies, false).values()) {
    const domains = new Map<string, Place[]>();
    for (const place of group) {
      // A policy in code may leave its domain to the keys: which one it is, nobody knows here.
      const { domain } = place.policy;
      if (domain !== undefined) domains.set(domain, [...(domains.get(domain) ?? []), place]);
    }
    if (domains.size < 2) continue;
    const sides = [...domains.values()].map(list);
    lines.push(
      `- ${sides.join(' and ')}: the scope is the same and the domains are not, and fields of two domains never join`,
    );
  }
  return lines;
}

/** The same: one scope of one domain, and two kinds of rule. */
function otherRules(policies: readonly NamedPolicy[]): string[] {
  const scopes = new Map<string, Map<string, Place[]>>();
  for (const policy of policies) {
    for (const leaf of policy.leaves) {
      const { scope } = leaf.engine.facts;
      if (scope === null) continue;
      const name = JSON.stringify([policy.domain, scope]);
      const rules = scopes.get(name) ?? new Map<string, Place[]>();
      rules.set(leaf.rule.rule, [...(rules.get(leaf.rule.rule) ?? []), { policy, leaf }]);
      scopes.set(name, rules);
    }
  }
  return [...scopes.values()].flatMap((rules) => {
    const places = [...rules.values()];
    if (rules.size < 2 || new Set(places.flat().map(({ policy }) => policy)).size < 2) return [];
    const sides = places.map((side) => `${list(side)} (${words(side[0]!.leaf.rule.rule)})`);
    return [`- ${sides.join(' and ')}: the scope is the same and the kind of rule is not`];
  });
}
