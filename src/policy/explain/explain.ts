/**
 * `explain`: a policy as a page for people. The page is a part of the record of processing: which data are
 * pseudonymised and how, which fields join, and who can reverse what. markdown.ts keeps the words of the policy's
 * author apart from trefoil's.
 */

import { checkOptions, ownProperties } from '../../core/checks.ts';
import { PROTECTS } from '../../keys/checks.ts';
import { type DescribedKeyset, describeKeyset } from '../../keys/described.ts';
import type { Keyset } from '../../keys/keyset.ts';
import { ROLES, ruleOption } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { namedPolicies } from '../named.ts';
import type { FilePolicy, Policy } from '../types.ts';
import { acrossPolicies, joinsInside } from './joins.ts';
import { code, codes, sentence, words } from './markdown.ts';
import { recipientLines } from './recipients.ts';

/** Options of {@link explain}. */
export interface ExplainOptions {
  /**
   * Names of the policies, in their order, such as those of their files; `policy 1`, `policy 2` and so on by default.
   */
  readonly names?: readonly string[] | undefined;
  /**
   * The keyset whose recipients the page names: who has other tokens of the same people, and who can link them. No key
   * is used, and none is written. Without it, the page says that it does not know them.
   */
  readonly keyset?: Keyset | undefined;
}

/**
 * Writes a policy as Markdown. For each field the page says what happens to it, where the output comes from and whether
 * it can be reversed. Then it lists which fields join, who can reverse what, and what an outsider can see. For several
 * policies it writes one page each, and one page about which fields join across the policies, which do not, and why.
 *
 * Texts of the policy (names, paths, reasons) are in code type and have no other effect on the page, so the author of a
 * policy cannot make the page say anything in trefoil's words.
 *
 * These are the facts about the pseudonymising transformation that EDPB Guidelines 01/2025 on Pseudonymisation
 * (paragraphs 130 to 135) ask a controller to settle and to document. A policy does not say who holds the keys and for
 * which purposes; the page leaves room for that.
 *
 * @throws TypeError if an argument is not a policy or a list of policies, if there is not one name for each policy, or
 *   if `keyset` is not a keyset.
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
 * explain([people, orders]).includes('a different label'); // → true
 * ```
 */
export function explain(
  sheet: Policy<never> | Policy | FilePolicy | readonly (Policy<never> | Policy | FilePolicy)[],
  options: ExplainOptions = {},
): string {
  const { names, keyset } = checkOptions<ExplainOptions>('options', options, ['names', 'keyset']);
  const keys = keyset === undefined ? null : describeKeyset(keyset, null);
  if (!Array.isArray(sheet)) return onePage(namedPolicies([sheet], names)[0]!.leaves, sheet as FilePolicy, null, keys);
  const policies = namedPolicies(sheet, names);
  const pages = policies.map(({ name, leaves }, i) => onePage(leaves, sheet[i] as FilePolicy, name, keys));
  return [...pages, acrossPolicies(policies, keys?.parents)].join('\n');
}

/**
 * A domain in a title. Its letters, digits, `_` and `-` are no markup, but some readers make a link of a name with a
 * dot.
 */
function inTitle(domain: string): string {
  return domain.includes('.') ? code(domain) : words(domain);
}

/** The page of one policy, with its name if it is one of several. */
function onePage(
  leaves: readonly Leaf[],
  sheet: FilePolicy,
  name: string | null,
  keys: DescribedKeyset | null,
): string {
  const { domain, region, keyCheck, branchCheck, unnamed, missing } = ownProperties(sheet) as Partial<FilePolicy>;
  return [
    `# Pseudonymisation policy${name === null ? '' : ` ${code(name)}`}${domain === undefined ? '' : ` of the domain ${inTitle(domain)}`}`,
    '',
    'trefoil wrote this page from the policy, and the policy is what runs. The page lists the fields, what happens to each,',
    'which of them join, and who can reverse what. Names, paths and reasons in `code type` were written by the author of the',
    'policy. All other words are those of trefoil.',
    '',
    '## Fields',
    '',
    ...fieldTable(leaves),
    '',
    ...reasons(leaves),
    ...roles(leaves),
    '## Missing values',
    '',
    ...missingValues(leaves, missing),
    '',
    '## Which fields join',
    '',
    ...joinsInside(leaves, domain),
    '',
    '## Recipients, and who can link',
    '',
    ...recipientLines(leaves, domain, keys),
    '',
    '## Who can reverse what',
    '',
    ...reversals(leaves),
    ...keyLines({ region, keyCheck, branchCheck }),
    '',
    '## Derived or random',
    '',
    ...origins(leaves),
    '',
    '## What an outsider can see',
    '',
    ...leaves
      .filter(({ engine }) => !engine.removes)
      .map(({ path, engine }) => `- ${code(path)}: ${words(engine.facts.visible)}`),
    '',
    '## Other fields',
    '',
    unnamed === 'drop'
      ? 'A field that is not named here is left out of the output.'
      : 'A record that has a field which is not named here is refused, so no value passes without a rule.',
    '',
    '## To be filled in by the controller',
    '',
    '- Who holds the keyset, and where it is kept:',
    '- Who may reveal, for which purpose, and who decides:',
    '- Who belongs to the pseudonymisation domain, and who must stay outside it:',
    '- When keys are renewed, and when data are erased:',
    '',
  ].join('\n');
}

const BACK = {
  key: 'with the key',
  'store and key': 'with the store and the key',
  never: 'never',
  unchanged: 'not needed: it is unchanged',
} as const;

function fieldTable(leaves: readonly Leaf[]): string[] {
  const rows = leaves.map(({ path, rule, engine: { facts } }) => {
    // Nothing in trefoil moves a date back, and yet the keyset is enough to compute by how much it was moved.
    const back = rule.rule === 'shiftDate' ? 'not by trefoil, but with the keyset' : BACK[facts.back];
    const scope = facts.scope === null ? '—' : code(facts.scope);
    const absent = ruleOption(rule, 'optional') === true ? ' (may be absent)' : '';
    const happens = typeof facts.what === 'string' ? words(facts.what) : sentence(facts.what);
    return `| ${code(path)}${absent} | ${words(rule.rule)} | ${happens} | ${scope} | ${facts.origin} | ${back} |`;
  });
  return [
    '| field | rule | what happens | scope | where the output comes from | can be reversed |',
    '|---|---|---|---|---|---|',
    ...rows,
  ];
}

function reasons(leaves: readonly Leaf[]): string[] {
  const explained = leaves.filter(({ rule }) => ruleOption(rule, 'why') !== undefined);
  if (explained.length === 0) return [];
  return ['## Reasons', '', ...explained.map(({ path, rule }) => `- ${code(path)}: ${code(rule.why!)}`), ''];
}

const ROLE_WORDS = {
  quasi: 'one of the facts that together may point to one person',
  sensitive: 'something that someone may want to find out about a person',
  other: 'neither',
} as const;

function roles(leaves: readonly Leaf[]): string[] {
  const lines = ROLES.flatMap((role) => {
    const fields = leaves.filter(({ rule }) => ruleOption(rule, 'role') === role);
    return line(`${role} (${ROLE_WORDS[role]})`, fields);
  });
  return lines.length === 0 ? [] : ['## Roles', '', ...lines, ''];
}

/** A list of missing texts in words. */
function listed(texts: readonly string[]): string {
  return ['`null`', ...texts.map((text) => (text === '' ? 'the empty text' : code(text)))]
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
}

function missingValues(leaves: readonly Leaf[], shared: readonly string[] = ['']): string[] {
  // These rules look at no value.
  const asking = leaves.filter(({ engine }) => !engine.removes && engine.facts.origin !== 'fixed');
  const own = asking.flatMap(({ path, rule }) => {
    const texts = ruleOption(rule, 'missing') as readonly string[] | undefined;
    return texts === undefined ? [] : [`- ${code(path)}: ${listed(texts)}`];
  });
  return [
    `A missing value passes as it is, so everybody sees that it is missing. These are missing: ${listed(shared)}`,
    ...(own.length === 0 ? [] : ['', 'Fields that have a list of their own:', '', ...own]),
  ];
}

function reversals(leaves: readonly Leaf[]): string[] {
  const byRule = (name: string) => leaves.filter(({ rule }) => rule.rule === name);
  const reversed = (back: string) => leaves.filter(({ engine }) => engine.facts.back === back);
  return [
    ...line('by a program that has the keyset and `revealAccess`, the permission to reveal', reversed('key')),
    ...storeLines(leaves),
    ...line(
      'by nobody, from the output alone',
      reversed('never').filter(({ rule }) => rule.rule !== 'shiftDate'),
    ),
    ...line('by trying values, if someone has the keyset and can list the possible values', byRule('token')),
    ...line(
      'from one known date: anyone who knows one true date of a subject can compute all dates of that subject; and anyone ' +
        'who has the keyset can compute the days by which each subject is moved',
      byRule('shiftDate'),
    ),
  ];
}

/** Which keys the policy takes. */
function keyLines({
  region,
  keyCheck = {},
  branchCheck,
}: {
  readonly region: string | undefined;
  readonly keyCheck: Readonly<Record<string, string>> | undefined;
  readonly branchCheck: string | undefined;
}): string[] {
  const { [PROTECTS]: protects, ...checks } = keyCheck;
  const pins = Object.keys(checks);
  return [
    pins.length === 0
      ? '- no key check is pinned: the policy takes any key of its domain, and fpe fields can be revealed only if the caller pins one'
      : `- pinned keys: ${codes(pins)}; with any other key the run stops before the first record`,
    ...(protects === undefined
      ? []
      : [`- only key ${code(protects)} protects: a key file from before the last rotation is refused`]),
    ...(region === undefined
      ? []
      : [
          `- the keys must be labelled with the region ${code(region)}, and open only in a process that states that it runs there`,
        ]),
    ...(branchCheck === undefined
      ? []
      : ['- the policy pins the branches of a narrowed key file; any other branches are refused']),
  ];
}

/** One line about some fields; none if there are no such fields. */
function line(text: string, fields: readonly Leaf[]): string[] {
  return fields.length === 0 ? [] : [`- ${text}: ${codes(fields.map(({ path }) => path))}`];
}

/** For each store: who can reverse its tokens, and what can be erased. */
function storeLines(leaves: readonly Leaf[]): string[] {
  return valuesOf(leaves, 'store').flatMap((store) => {
    const fields = leaves.filter(({ rule }) => ruleOption(rule, 'store') === store);
    return [
      ...line(
        `by a program that has the store ${code(store)}, the keyset and \`revealAccess\`, as long as the value has not been ` +
          'erased; someone who has the store and the keyset but not the tokens can only test guesses',
        fields,
      ),
      ...valuesOf(fields, 'subject').map(
        (subject) =>
          `- all values of one ${code(subject)} can be erased by \`shred\`; after that nobody can reverse them`,
      ),
    ];
  });
}

/** The different values that an option has in the rules of some fields. */
function valuesOf(leaves: readonly Leaf[], option: string): string[] {
  const values = leaves.map(({ rule }) => ruleOption(rule, option)).filter((value) => value !== undefined);
  return [...new Set(values.map(String))];
}

function origins(leaves: readonly Leaf[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { path, engine } of leaves) {
    const { origin } = engine.facts;
    groups.set(origin, [...(groups.get(origin) ?? []), path]);
  }
  const lines = [...groups].map(([origin, paths]) => `- ${origin}: ${codes(paths)}`);
  if (!groups.has('random')) lines.push('- random: none. Every output follows from the value, the policy and the key');
  return lines;
}
