/** What `explain` writes about joins: inside one policy, and across several policies. */

import { readingEngine } from '../../prepare/reading.ts';
import { readingByName } from '../../prepare/readings.ts';
import { ruleOption } from '../../rule/rule.ts';
import { contextNames } from '../../rule/token/contexts.ts';
import type { Leaf } from '../bound.ts';
import { byScope, differenceOf, keyDifference, type NamedPolicy, oddPairs, type Place, partsOf } from '../joins.ts';
import { code, codes, words } from './markdown.ts';

/**
 * When two values join: if the texts that the rule protects are the same, and never otherwise. `part` has the fields
 * that join with each other; a value of a field with a reading counts as the text that the reading makes of it.
 */
function ifEqual({ rule }: Leaf, part: readonly Place[]): string {
  const prepare = ruleOption(rule, rule.rule === 'shiftDate' ? 'prepareSubject' : 'prepare');
  const names = prepare === undefined ? [] : [prepare].flat().map(String);
  const texts = rule.rule === 'shiftDate' ? 'the texts of the subjects' : 'the texts of the values';
  const after = names.length === 0 ? '' : ` after ${words(names.join(', '))}`;
  return `if ${texts} are exactly the same${readInto(part)}${after}`;
}

/** `, after d1 is read as DD.MM.YYYY`, for the fields of a part that have a reading. */
function readInto(part: readonly Place[]): string {
  const read = part.flatMap(({ policy, leaf: { path, rule } }) => {
    const name = rule.rule === 'shiftDate' ? undefined : ruleOption(rule, 'read');
    const where = policy.name === '' ? '' : ` in ${code(policy.name)}`;
    return name === undefined ? [] : [`${code(path)}${where} is read as ${words(String(name))}`];
  });
  if (read.length === 0) return '';
  const others = read.length === part.length ? '' : ' (a field without a reading counts as it is written)';
  return ` when ${read.join(' and ')}${others}`;
}

/** A token with `per` joins inside its contexts only. */
function contextsOf({ rule }: Leaf): string {
  const names = rule.rule === 'token' ? contextNames(ruleOption(rule, 'per')) : [];
  return names.length === 0 ? '' : `, and the values of ${codes(names)} are the same`;
}

/** What is said about the fields of a part in which a text stays in clear before the token. */
function restsOf(part: readonly Place[]): string {
  const texts = part.flatMap(({ policy, leaf: { path, rule } }) => {
    const after = rule.rule === 'token' ? ruleOption(rule, 'after') : undefined;
    const where = policy.name === '' ? '' : ` in ${code(policy.name)}`;
    return after === undefined ? [] : [`; in ${code(path)}${where}, what follows ${code(String(after))} is what joins`];
  });
  return texts.join('');
}

/** What two fields must have in common to join, besides domain, kind of rule and scope. */
const MADE: Readonly<Record<string, string>> = {
  token: 'that has the same prepare steps, prf, form, length and label, and the same names of contexts (per) or none',
  fpe: 'that has the same format',
  seal: '',
  vault: 'that has the same store and label, and a subject if and only if this field has one',
  shiftDate: 'that has the same days and the same prepare steps for the subject',
};

/** `every other token of the scope x that has the same …`. */
function others({ rule, engine }: Leaf): string {
  const isJson = rule.rule === 'seal' && ruleOption(rule, 'value') === 'json';
  const made = isJson ? 'that has the value json' : Object.hasOwn(MADE, rule.rule) ? MADE[rule.rule]! : '';
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
          `- ${paths}: values do not join. All dates of one subject are moved by the same number of days, and so are those ` +
            `of ${others(leaf)}, so the intervals between them stay right. Two subjects are the same ${ifEqual(leaf, part)}`,
        );
        continue;
      }
      const both = part.length > 1 ? 'join with each other and with' : 'joins with';
      const within = ruleOption(leaf.rule, 'subject') === undefined ? '' : ', and they belong to one subject';
      lines.push(
        `- ${paths}: ${both} ${others(leaf)}, ${ifEqual(leaf, part)}${contextsOf(leaf)}${within}${restsOf(part)}`,
      );
    }
  }
  for (const { first, other, difference } of oddPairs(leaves)) {
    const { reasons, consequence } = difference;
    const scope = code(first.engine.facts.scope!);
    lines.push(
      `- ${code(first.path)} and ${code(other.path)}: the scope ${scope} is the same, but they do not join: ${reasons}, ${consequence}`,
    );
  }
  lines.push(...readings(leaves), ...withoutKey(leaves));
  if (lines.length === 0) return ['None: no field has a scope, and none is kept.'];
  const inside = domain === undefined ? 'one domain' : `the domain ${code(domain)}`;
  return [
    ...lines,
    '',
    `Fields join by scope only inside ${inside} and under one root key. Tokens and sealed values of two domains, or of two`,
    'scopes, are never equal. Equal fpe outputs of two scopes mean nothing, because a format has a limited number of values.',
    'Outputs of two kinds of rule never join, whatever their scopes.',
  ];
}

/** What a reading changes about joins. Dates of shiftDate and buckets of coarsen do not join by their values. */
function readings(leaves: readonly Leaf[]): string[] {
  return leaves.flatMap(({ path, rule }) => {
    const name = ruleOption(rule, 'read');
    if (name === undefined || rule.rule !== 'token') return [];
    const makes = readingEngine(readingByName(String(name)))!.makes;
    const line =
      `read as ${words(String(name))} before anything else, and counts as the text that this gives, such as ${words(makes)}. So it ` +
      'joins with values that are in that form already, and with those that another reading turns into it; it does not ' +
      `join with a field that is written as ${words(String(name))} and has no reading`;
    return [`- ${code(path)}: ${line}`];
  });
}

/** Fields without a key, which join with anything. */
function withoutKey(leaves: readonly Leaf[]): string[] {
  const paths = (test: (leaf: Leaf) => boolean) => leaves.filter(test).map(({ path }) => path);
  const kept = paths(({ engine }) => engine.facts.back === 'unchanged');
  const cut = paths(({ engine }) => engine.facts.origin === 'taken from the value');
  const lines: string[] = [];
  if (kept.length > 0) {
    lines.push(
      `- ${codes(kept)}: kept; joins with any data that has the same texts, in every domain; another spelling of a ` +
        'value does not join',
    );
  }
  if (cut.length > 0) {
    lines.push(
      `- ${codes(cut)}: made without a key; joins with anything that is made in the same way, in every domain`,
    );
  }
  return lines;
}

/** Origins of outputs that are made without a key and that depend on the value. */
const OPEN: readonly string[] = ['the value itself', 'taken from the value'];

/** The page about several policies. @param parents parents of the domains of recipients, if the keys are known. */
export function acrossPolicies(
  policies: readonly NamedPolicy[],
  parents: ReadonlyMap<string, string> = new Map(),
): string {
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
    '# Which fields join across these policies',
    '',
    ...policies.map(({ name, domain }) => {
      const parent = domain === undefined ? undefined : parents.get(domain);
      const recipient = parent === undefined ? '' : `, a recipient of ${code(parent)}`;
      return `- ${code(name)}: ${domain === undefined ? 'the domain of its keys' : `domain ${code(domain)}`}${recipient}`;
    }),
    '',
    ...section('Fields that join', 'Under one root key, equal values have equal outputs:', joined),
    ...section(
      'Fields that half-join',
      'The key is the same, but equal values have tokens with different texts, so a join in SQL finds no rows. A program can ' +
        'still tell whether a token belongs to a value, by `matches` of the rule that wrote the token:',
      half,
    ),
    ...section('Fields that never join', 'The keys differ, so equal values have unrelated outputs:', never),
    ...section(
      'Fields that join without a key',
      'These are kept or made coarser, without a key. Equal texts join, even across domains and with any other data:',
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
    return `- ${list(part)}: dates of one subject are moved by the same number of days (${scope}), ${ifEqual(leaf, part)}; values do not join`;
  }
  const within = ruleOption(rule, 'subject') === undefined ? '' : ', and they belong to one subject';
  const store = rule.rule === 'vault' ? ', and both use one and the same store' : '';
  return `- ${list(part)}: ${scope}, ${ifEqual(leaf, part)}${contextsOf(leaf)}${within}${store}${restsOf(part)}`;
}

function reasonOf(a: Place, b: Place): { readonly half: boolean; readonly text: string } {
  const keys = keyDifference(a, b);
  if (keys === 'region') return { half: false, text: 'the policies demand different regions' };
  if (keys === 'pins') return { half: false, text: 'the policies pin different keys' };
  const difference = differenceOf(a.leaf, b.leaf);
  if (difference === null) return { half: false, text: 'the policies pin different keys' };
  return { half: difference.half, text: `${difference.reasons}, ${difference.consequence}` };
}

/** Fields that seem to join and do not: one kind of rule and one scope, but two domains. */
function otherDomains(policies: readonly NamedPolicy[]): string[] {
  const lines: string[] = [];
  for (const group of byScope(policies, false).values()) {
    const domains = new Map<string, Place[]>();
    for (const place of group) {
      // A policy in code may leave its domain to the keys. Then it is not known here.
      const { domain } = place.policy;
      if (domain !== undefined) domains.set(domain, [...(domains.get(domain) ?? []), place]);
    }
    if (domains.size < 2) continue;
    const sides = [...domains.values()].map(list);
    lines.push(
      `- ${sides.join(' and ')}: the scope is the same but the domains differ, and fields of two domains never join`,
    );
  }
  return lines;
}

/** Fields that seem to join and do not: one scope of one domain, but two kinds of rule. */
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
    return [`- ${sides.join(' and ')}: the scope is the same but the kind of rule differs`];
  });
}
