/**
 * `explain`: a policy as a page for people. It is the part of a record of processing that says which data are
 * pseudonymised how, what joins with what, and who can turn what back.
 */

import { ownProperties } from '../core/checks.ts';
import { ruleOption } from '../rule/rule.ts';
import type { Leaf } from './bound.ts';
import { policyLeaves } from './policy.ts';
import type { FilePolicy, Policy } from './types.ts';

/**
 * Writes a policy as Markdown: per field what happens, where the output comes from and whether there is a way back; what
 * joins with what; what can be reversed and with what; what stays visible.
 *
 * These are the facts about the pseudonymising transformation that EDPB Guidelines 01/2025 on Pseudonymisation
 * (paragraphs 130 to 135) ask a controller to settle and to document. Who holds the keys, and for which purposes, is not
 * in a policy: the page leaves room for it.
 *
 * @example
 * ```ts
 * import { keep, policy, token } from 'trefoil';
 * import { explain } from 'trefoil/policy';
 *
 * const sheet = policy({ id: token({ scope: 'person' }), country: keep }, { domain: 'eu-enclave' });
 * explain(sheet).split('\n')[0]; // → '# Pseudonymisation policy of the domain eu-enclave'
 * ```
 */
export function explain(sheet: Policy<never> | Policy | FilePolicy): string {
  const leaves = policyLeaves(sheet);
  const { domain, keyCheck, unnamed } = ownProperties(sheet);
  return [
    `# Pseudonymisation policy${domain === undefined ? '' : ` of the domain ${cell(domain)}`}`,
    '',
    'Written by trefoil from the policy, which is what runs. It names the fields, what becomes of each, what joins with',
    'what, and what can be turned back with what.',
    '',
    '## Fields',
    '',
    ...fieldTable(leaves),
    '',
    ...reasons(leaves),
    '## What joins with what',
    '',
    ...joins(leaves, domain),
    '',
    '## What can be turned back, and with what',
    '',
    ...ways(leaves, keyCheck),
    '',
    '## Derived or random',
    '',
    ...origins(leaves),
    '',
    '## What an outsider still sees',
    '',
    ...leaves
      .filter(({ engine }) => !engine.removes)
      .map(({ path, engine }) => `- ${code(path)}: ${engine.facts.visible}`),
    '',
    '## Other fields',
    '',
    unnamed === 'drop'
      ? 'A field that is not named here is left out.'
      : 'A field that is not named here stops the run: nothing passes without a rule.',
    '',
    '## To be filled in by the controller',
    '',
    '- Who holds the keyset, and where:',
    '- Who may reveal, for which purpose, and who decides:',
    '- Who belongs to the pseudonymisation domain, and who must stay outside it:',
    '- When keys are renewed and data erased:',
    '',
  ].join('\n');
}

const BACK = {
  key: 'with the key',
  'store and key': 'with the store and the key',
  never: 'never',
  unchanged: 'it is unchanged',
} as const;

function fieldTable(leaves: readonly Leaf[]): string[] {
  const rows = leaves.map(({ path, rule, engine: { facts } }) => {
    const back = BACK[facts.back];
    const scope = facts.scope === null ? '—' : code(facts.scope);
    return `| ${code(path)}${ruleOption(rule, 'optional') === true ? ' (may be absent)' : ''} | ${rule.rule} | ${facts.what} | ${scope} | ${facts.origin} | ${back} |`;
  });
  return [
    '| field | rule | what happens | scope | where the output comes from | way back |',
    '|---|---|---|---|---|---|',
    ...rows,
  ];
}

function reasons(leaves: readonly Leaf[]): string[] {
  const given = leaves.filter(({ rule }) => ruleOption(rule, 'why') !== undefined);
  if (given.length === 0) return [];
  return ['## Reasons given', '', ...given.map(({ path, rule }) => `- ${code(path)}: ${cell(rule.why!)}`), ''];
}

function joins(leaves: readonly Leaf[], domain: string | undefined): string[] {
  const groups = new Map<string, Leaf[]>();
  for (const leaf of leaves) {
    const { joins: group } = leaf.engine.facts;
    if (group !== null && leaf.rule.rule !== 'shiftDate') groups.set(group, [...(groups.get(group) ?? []), leaf]);
  }
  const lines: string[] = [];
  for (const group of groups.values()) {
    const { rule, engine } = group[0]!;
    const paths = group.map(({ path }) => code(path)).join(', ');
    const others = `every other ${rule.rule} of the scope ${code(engine.facts.scope!)} made the same way`;
    const dresses = new Set(
      group.map((leaf) => JSON.stringify(['form', 'length', 'label'].map((name) => written(leaf, name)))),
    );
    const note =
      dresses.size > 1 ? '; labels, forms or lengths differ, so compare how the bodies of the tokens begin' : '';
    lines.push(`- ${paths}: ${group.length > 1 ? 'join with each other and with' : 'joins with'} ${others}${note}`);
  }
  lines.push(...movedTogether(leaves));
  const kept = leaves.filter(({ engine }) => engine.facts.back === 'unchanged').map(({ path }) => code(path));
  if (kept.length > 0) lines.push(`- ${kept.join(', ')}: kept, so joined with anything that holds the same values`);
  const cut = leaves
    .filter(({ engine }) => engine.facts.origin === 'taken from the value')
    .map(({ path }) => code(path));
  if (cut.length > 0)
    lines.push(`- ${cut.join(', ')}: no key is in them, so they join with anything made the same way`);
  if (lines.length === 0) return ['Nothing: no field has a scope and none is kept.'];
  const inside = domain === undefined ? 'one domain' : `the domain ${cell(domain)}`;
  return [
    ...lines,
    '',
    `All joins by scope hold inside ${inside} under one root key. Tokens and sealed values of two domains, or of two`,
    'scopes, never match; equal fpe outputs of two scopes say nothing, as a format has only so many values.',
  ];
}

/** Fields of dates that move by the same number of days wherever the subject is the same. */
function movedTogether(leaves: readonly Leaf[]): string[] {
  const groups = new Map<string, Leaf[]>();
  for (const leaf of leaves.filter(({ rule }) => rule.rule === 'shiftDate')) {
    const group = leaf.engine.facts.joins!;
    groups.set(group, [...(groups.get(group) ?? []), leaf]);
  }
  return [...groups.values()].map((group) => {
    const paths = group.map(({ path }) => code(path)).join(', ');
    const scope = code(group[0]!.engine.facts.scope!);
    return `- ${paths}: no join by value; dates of one subject move together with every other shiftDate of the scope ${scope} made the same way, so intervals between them are true`;
  });
}

function ways(leaves: readonly Leaf[], keyCheck: Readonly<Record<string, string>> | undefined): string[] {
  const list = (back: string) =>
    leaves.filter(({ engine }) => engine.facts.back === back).map(({ path }) => code(path));
  const keyed = list('key');
  const never = list('never');
  const lines: string[] = [];
  if (keyed.length > 0) {
    lines.push(`- with the keyset and code that holds \`revealAccess\`: ${keyed.join(', ')}`);
  }
  for (const store of new Set(leaves.map((leaf) => written(leaf, 'store')).filter((name) => name !== undefined))) {
    const held = leaves.filter((leaf) => written(leaf, 'store') === store);
    lines.push(
      `- with the store ${code(String(store))}, the keyset and code that holds \`revealAccess\`, as long as nothing was erased; ` +
        `store and keyset without the tokens show only what can be guessed: ${held.map(({ path }) => code(path)).join(', ')}`,
    );
    const subjects = new Set(held.map((leaf) => written(leaf, 'subject')).filter((name) => name !== undefined));
    for (const subject of subjects) lines.push(`- erased for one ${code(String(subject))} at a time, by \`shred\``);
  }
  if (never.length > 0) lines.push(`- by no one, from the output alone: ${never.join(', ')}`);
  const guessed = leaves.filter(({ rule }) => rule.rule === 'token').map(({ path }) => code(path));
  if (guessed.length > 0) {
    lines.push(
      `- by trying values, for whoever holds the keyset and can list the possible values: ${guessed.join(', ')}`,
    );
  }
  const moved = leaves.filter(({ rule }) => rule.rule === 'shiftDate').map(({ path }) => code(path));
  if (moved.length > 0) {
    lines.push(
      `- one known date of a subject reveals all of that subject, to anyone; and whoever holds the keyset can compute the days of each subject: ${moved.join(', ')}`,
    );
  }
  const pins = Object.keys(keyCheck ?? {});
  lines.push(
    pins.length === 0
      ? '- no key check is pinned: the policy takes any key of its domain, and fpe fields are revealed only where the caller pins one'
      : `- pinned keys: ${pins.map(code).join(', ')}; with others the run stops before the first record`,
  );
  return lines;
}

function origins(leaves: readonly Leaf[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { path, engine } of leaves) {
    const { origin } = engine.facts;
    groups.set(origin, [...(groups.get(origin) ?? []), code(path)]);
  }
  const lines = [...groups].map(([origin, paths]) => `- ${origin}: ${paths.join(', ')}`);
  if (!groups.has('random'))
    lines.push('- random: none; every output is a function of the value, the policy and the key');
  return lines;
}

/** An option of a leaf's rule, as the policy file has it. */
function written({ rule }: Leaf, option: string): unknown {
  return ruleOption(rule, option);
}

/** Text that may stand in a table cell or a line. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[|<>`*_[\]\\]/g, '\\$&');
}

/** A name in code type. */
function code(name: string): string {
  const plain = name.replace(/\s+/g, ' ').replace(/\|/g, '\\|');
  return plain.includes('`') ? `\`\` ${plain} \`\`` : `\`${plain}\``;
}
