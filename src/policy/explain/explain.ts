/**
 * `explain`: a policy as a page for people. It is the part of a record of processing that says which data are
 * pseudonymised how, what joins with what, and who can turn what back. markdown.ts keeps the words of the policy's author
 * apart from trefoil's.
 */

import { checkOptions, ownProperties } from '../../core/checks.ts';
import { ruleOption } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { namedPolicies } from '../named.ts';
import type { FilePolicy, Policy } from '../types.ts';
import { acrossPolicies, joinsInside } from './joins.ts';
import { code, codes, sentence, words } from './markdown.ts';

/** What {@link explain} may be told. */
export interface ExplainOptions {
  /** Names of the policies, in their order, such as those of their files; `policy 1`, `policy 2` and so on by default. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Writes a policy as Markdown: per field what happens, where the output comes from and whether there is a way back; what
 * joins with what; what can be reversed and with what; what stays visible. Of several policies it writes a page each, and one
 * about what joins across them, what does not, and why.
 *
 * Texts of the policy (names, paths, reasons) are in code type and have no other effect on the page, so the author of a policy
 * cannot write words of trefoil's.
 *
 * These are the facts about the pseudonymising transformation that EDPB Guidelines 01/2025 on Pseudonymisation
 * (paragraphs 130 to 135) ask a controller to settle and to document. Who holds the keys, and for which purposes, is not
 * in a policy: the page leaves room for it.
 *
 * @throws TypeError for what is not a policy or a list of policies with as many names.
 *
 * @example
 * ```ts
 * import { keep, policy, token } from 'trefoil';
 * import { explain } from 'trefoil/policy';
 *
 * const people = policy({ id: token({ scope: 'person' }), country: keep }, { domain: 'eu-enclave' });
 * explain(people).split('\n')[0]; // → '# Pseudonymisation policy of the domain eu-enclave'
 *
 * const orders = policy({ customer: token({ scope: 'person', label: 'cust' }) }, { domain: 'eu-enclave' });
 * explain([people, orders]).includes('another label'); // → true
 * ```
 */
export function explain(
  sheet: Policy<never> | Policy | FilePolicy | readonly (Policy<never> | Policy | FilePolicy)[],
  options: ExplainOptions = {},
): string {
  const { names } = checkOptions<ExplainOptions>('options', options, ['names']);
  if (!Array.isArray(sheet)) return onePage(namedPolicies([sheet], names)[0]!.leaves, sheet as FilePolicy, null);
  const policies = namedPolicies(sheet, names);
  const pages = policies.map(({ name, leaves }, i) => onePage(leaves, sheet[i] as FilePolicy, name));
  return [...pages, acrossPolicies(policies)].join('\n');
}

/** A domain in a title: a name of a-z, 0-9, `_` and `-` has no markup. Some readers make a link of one with a dot. */
function inTitle(domain: string): string {
  return domain.includes('.') ? code(domain) : words(domain);
}

/** The page of one policy, with its name where it is one of several. */
function onePage(leaves: readonly Leaf[], sheet: FilePolicy, name: string | null): string {
  const { domain, keyCheck, unnamed } = ownProperties(sheet) as Partial<FilePolicy>;
  return [
    `# Pseudonymisation policy${name === null ? '' : ` ${code(name)}`}${domain === undefined ? '' : ` of the domain ${inTitle(domain)}`}`,
    '',
    'Written by trefoil from the policy, which is what runs. It names the fields, what becomes of each, what joins with',
    'what, and what can be turned back with what. Names, paths and reasons from the policy are in `code type`; whoever wrote',
    'the policy chose them. All other words are those of trefoil.',
    '',
    '## Fields',
    '',
    ...fieldTable(leaves),
    '',
    ...reasons(leaves),
    '## What joins with what',
    '',
    ...joinsInside(leaves, domain),
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
      .map(({ path, engine }) => `- ${code(path)}: ${words(engine.facts.visible)}`),
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
    const absent = ruleOption(rule, 'optional') === true ? ' (may be absent)' : '';
    const what = typeof facts.what === 'string' ? words(facts.what) : sentence(facts.what);
    return `| ${code(path)}${absent} | ${words(rule.rule)} | ${what} | ${scope} | ${facts.origin} | ${back} |`;
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
  return ['## Reasons given', '', ...given.map(({ path, rule }) => `- ${code(path)}: ${code(rule.why!)}`), ''];
}

function ways(leaves: readonly Leaf[], keyCheck: Readonly<Record<string, string>> | undefined): string[] {
  const list = (back: string) => leaves.filter(({ engine }) => engine.facts.back === back).map(({ path }) => path);
  const keyed = list('key');
  const never = list('never');
  const lines: string[] = [];
  if (keyed.length > 0) {
    lines.push(`- with the keyset and code that holds \`revealAccess\`: ${codes(keyed)}`);
  }
  for (const store of new Set(leaves.map((leaf) => written(leaf, 'store')).filter((name) => name !== undefined))) {
    const held = leaves.filter((leaf) => written(leaf, 'store') === store);
    lines.push(
      `- with the store ${code(String(store))}, the keyset and code that holds \`revealAccess\`, as long as nothing was erased; ` +
        `store and keyset without the tokens show only what can be guessed: ${codes(held.map(({ path }) => path))}`,
    );
    const subjects = new Set(held.map((leaf) => written(leaf, 'subject')).filter((name) => name !== undefined));
    for (const subject of subjects) lines.push(`- erased for one ${code(String(subject))} at a time, by \`shred\``);
  }
  if (never.length > 0) lines.push(`- by no one, from the output alone: ${codes(never)}`);
  const guessed = leaves.filter(({ rule }) => rule.rule === 'token').map(({ path }) => path);
  if (guessed.length > 0) {
    lines.push(`- by trying values, for whoever holds the keyset and can list the possible values: ${codes(guessed)}`);
  }
  const moved = leaves.filter(({ rule }) => rule.rule === 'shiftDate').map(({ path }) => path);
  if (moved.length > 0) {
    lines.push(
      `- one known date of a subject reveals all of that subject, to anyone; and whoever holds the keyset can compute the days of each subject: ${codes(moved)}`,
    );
  }
  const pins = Object.keys(keyCheck ?? {});
  lines.push(
    pins.length === 0
      ? '- no key check is pinned: the policy takes any key of its domain, and fpe fields are revealed only where the caller pins one'
      : `- pinned keys: ${codes(pins)}; with others the run stops before the first record`,
  );
  return lines;
}

function origins(leaves: readonly Leaf[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { path, engine } of leaves) {
    const { origin } = engine.facts;
    groups.set(origin, [...(groups.get(origin) ?? []), path]);
  }
  const lines = [...groups].map(([origin, paths]) => `- ${origin}: ${codes(paths)}`);
  if (!groups.has('random'))
    lines.push('- random: none; every output is a function of the value, the policy and the key');
  return lines;
}

/** An option of a leaf's rule, as the policy file has it. */
function written({ rule }: Leaf, option: string): unknown {
  return ruleOption(rule, option);
}
