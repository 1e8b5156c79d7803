/// <reference types="node" />
/**
 * What still uses a root key: values in the files of scan reports, stores of vaults, and keys whose base it is. What is
 * needed of the key follows from its uses.
 */

import type { Issue } from '../../errors.ts';
import { type KeyCounts, MAX_REPORT, readScanReport, type SilentField } from '../../io/scan-report.ts';
import { ruleSteps } from '../../keys/derive.ts';
import type { DescribedKey } from '../../keys/described.ts';
import type { KeyNeed, Keyset } from '../../keys.ts';
import { silenceOf } from '../../policy/explain/silent.ts';
import { keyNeeds } from '../../policy/narrow.ts';
import { policyLeaves } from '../../policy/policy.ts';
import { isWitness } from '../../policy/unmarked/witnesses.ts';
import type { FilePolicy } from '../../policy.ts';
import { ruleOption } from '../../rule/rule.ts';
import { readSmallFile } from '../policy-file.ts';
import { placesOf, storeNames } from '../stores/places.ts';
import { onePerStore, openVaultsOf } from '../stores/vaults.ts';
import { plural, wordFor } from '../voice.ts';

/** The key that is to be retired. */
export interface RetiringKey {
  readonly key: DescribedKey;
  /** Its shown ids by domain. */
  readonly shown: ReadonlyMap<string, string>;
  /** The shown ids of all keys of the key file in these domains, also of those that are retired. */
  readonly known: ReadonlySet<string>;
}

/** One use of a key. */
export interface Use {
  /** What uses it, and where, as a line for people. */
  readonly issue: Issue;
  /** Domain of the use; `null` for every domain. */
  readonly domain: string | null;
  /** Whether a node of this way down from the domain serves the use. */
  readonly needs: (path: KeyNeed['path']) => boolean;
  /** Whether the use can be ended in place, so that no branch is kept for it. */
  readonly mustEnd: boolean;
}

function use(message: string, file: string | undefined, rest: Omit<Use, 'issue'>): Use {
  return { issue: { code: 'key_in_use', message, ...(file === undefined ? {} : { file }) }, ...rest };
}

/** The kind of a node, and the names of its parameters. */
const kindOf = (path: KeyNeed['path']): string => String(path[0]?.[1]);
const partOf = (path: KeyNeed['path']): readonly unknown[] => path[2]?.slice(1) ?? [];

/** Uses as the base of other keys. */
export function usesAsBase({ key }: RetiringKey): readonly Use[] {
  return key.baseOf.map((id) =>
    use(`it is the base of root key ${id}, whose tokens and shifted dates are made with it`, undefined, {
      domain: null,
      needs: (path) => kindOf(path) === 'token' || kindOf(path) === 'shiftDate',
      mustEnd: false,
    }),
  );
}

/** Uses in files, and fields about which the reports say nothing. */
export interface Scanned {
  readonly uses: readonly Use[];
  readonly silent: readonly SilentField[];
  /** Values of keys that the key file does not have in the domains: they may be of the key, in another domain. */
  readonly unknown: readonly Issue[];
  /** Whether any report has a value of a key that the key file has, or had, in the domains. */
  readonly hasKnown: boolean;
}

/**
 * Uses that reports of `trefoil scan` state.
 *
 * @throws TrefoilError `invalid_report`, with the file.
 */
export async function usesInReports(
  { key, shown, known }: RetiringKey,
  reports: readonly string[],
  policies: readonly FilePolicy[],
): Promise<Scanned> {
  const uses: Use[] = [];
  const silent: SilentField[] = [];
  const unknown: Issue[] = [];
  let hasKnown = false;
  for (const path of reports) {
    const report = await readSmallFile(path, MAX_REPORT, 'the report', 'invalid_report', readScanReport);
    silent.push(...report.silent);
    for (const { file, keys } of report.files) {
      for (const [id, found] of Object.entries(keys)) {
        hasKnown ||= known.has(id);
        if (known.has(id)) continue;
        const message = `${countsOf(found)} of key ${id} in ${file}, the first in line ${found.first}`;
        unknown.push({ code: 'key_in_use', file: path, message });
      }
      for (const [domain, id] of shown) {
        const found = Object.hasOwn(keys, id) ? keys[id]! : null;
        if (found === null) continue;
        uses.push(
          use(`${countsOf(found)} of key ${id} in ${file}, the first in line ${found.first}`, path, {
            domain,
            needs: (need) => isOf(found, need, key, makersOf(policies, domain)),
            mustEnd: false,
          }),
        );
      }
    }
  }
  return { uses, silent, unknown, hasKnown };
}

function countsOf({ tokens, sealed, rejects }: KeyCounts): string {
  const parts = [
    ...Object.entries(tokens).map(
      ([label, number]) => `${plural(number, 'token')}${label === '' ? '' : ` ${label}_…`}`,
    ),
    ...(sealed > 0 ? [plural(sealed, 'sealed value')] : []),
    ...(rejects > 0 ? [plural(rejects, 'rejected record')] : []),
  ];
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/**
 * Whether a node opens or renews values of these counts, or values beside them that do not show their key: a table with
 * values of the key has the other fields of the policy in the same rows, and no scan can find their values.
 */
function isOf(
  { tokens, sealed, rejects }: KeyCounts,
  path: KeyNeed['path'],
  key: DescribedKey,
  makers: Makers,
): boolean {
  if (isSilent(path, key, makers)) return true;
  const scope = path[1]?.[1];
  switch (kindOf(path)) {
    case 'token':
      return key.base === null && makers.tokens.some((one) => one.scope === scope && Object.hasOwn(tokens, one.label));
    case 'token permutation':
      return makers.tokens.some((one) => one.scope === scope && Object.hasOwn(tokens, one.label));
    case 'vault':
      return (
        partOf(path)[0] === 'inner' &&
        makers.vaults.some((one) => one.scope === scope && Object.hasOwn(tokens, one.label))
      );
    case 'seal':
      return sealed > 0;
    case 'rejects':
      return rejects > 0;
    default:
      return false;
  }
}

/**
 * Whether a node is for values that do not show their key: ciphertext of `fpe`, and tokens in other forms than the
 * labelled one. Shifted dates are not among them, because nothing shifts them back.
 */
function isSilent(path: KeyNeed['path'], { base }: DescribedKey, { bare }: Makers): boolean {
  const kind = kindOf(path);
  if (kind === 'fpe') return true;
  const isToken = kind === 'token permutation' || (kind === 'token' && base === null);
  return isToken && bare.includes(String(path[1]?.[1]));
}

/** A rule that writes labelled tokens. */
interface Maker {
  readonly scope: string;
  readonly label: string;
}

/** The rules of the policies of a domain that write tokens. */
interface Makers {
  readonly tokens: readonly Maker[];
  readonly vaults: readonly Maker[];
  /** Scopes of tokens that do not show their key. */
  readonly bare: readonly string[];
}

function makersOf(policies: readonly FilePolicy[], domain: string): Makers {
  const leaves = policies.filter((policy) => policy.domain === domain).flatMap(policyLeaves);
  const of = (kind: string) =>
    leaves
      .filter(({ rule }) => rule.rule === kind)
      .map(({ rule }) => ({
        scope: String(ruleOption(rule, 'scope')),
        label: String(ruleOption(rule, 'label') ?? ''),
      }));
  const bare = leaves.filter((leaf) => leaf.rule.rule === 'token' && silenceOf(leaf) !== null);
  return { tokens: of('token'), vaults: of('vault'), bare: bare.map(({ rule }) => String(ruleOption(rule, 'scope'))) };
}

/**
 * Uses that no report can state: the policies with fields whose values a scan does not find. A field beside them that
 * shows the key of the record may be missing in any record, and then nothing tells whether the record was moved.
 */
export function usesUnseen({ key, shown }: RetiringKey, policies: readonly FilePolicy[]): readonly Use[] {
  if (key.state !== 'old') return [];
  return policies.flatMap((policy): Use[] => {
    const { domain } = policy;
    const id = shown.get(domain!);
    const leaves = policyLeaves(policy);
    // Shifted dates show no key either, and nothing shifts them back.
    const hidden = leaves.filter((leaf) => leaf.rule.rule !== 'shiftDate' && silenceOf(leaf) !== null);
    if (id === undefined || hidden.length === 0) return [];
    const names = (some: typeof leaves) => some.map(({ path }) => path).join(', ');
    const witnesses = leaves.filter((leaf) => isWitness(leaf) && silenceOf(leaf) === null);
    const why =
      witnesses.length === 0
        ? 'no field of their policy shows its key'
        : `a record in which ${names(witnesses)} ${wordFor(witnesses.length, 'is', 'are')} missing shows no key`;
    const message = `no scan can tell whether values of key ${id} are left in the fields ${names(hidden)} of domain ${domain}: ${why}`;
    const needs: Use['needs'] = (path) => isSilent(path, key, makersOf(policies, domain!));
    return [use(message, undefined, { domain: domain!, needs, mustEnd: false })];
  });
}

/** Uses in the stores of the policies. Every store must have a place, or a vault that needs the key could be missed. */
export async function usesInVaults(
  { shown }: RetiringKey,
  keyset: Keyset,
  policies: readonly FilePolicy[],
  vault: readonly string[],
): Promise<readonly Use[]> {
  const places = placesOf([...new Set(policies.flatMap(storeNames))], vault);
  const uses: Use[] = [];
  for (const policy of policies) {
    const names = storeNames(policy);
    if (names.length === 0) continue;
    const domain = policy.domain!;
    const id = shown.get(domain);
    const vaults = await openVaultsOf(
      policy,
      keyset,
      names.map((name) => `${name}=${places.get(name)}`),
    );
    for (const { vault: opened } of onePerStore(vaults)) {
      const { store, outer, inner, subjects } = await opened.stats();
      if (id !== undefined && outer.includes(id)) {
        const message = `the store ${store} has rows in the outer layer of key ${id}; run trefoil vault rekey first`;
        uses.push(use(message, undefined, { domain, needs: () => false, mustEnd: true }));
      }
      if (id !== undefined && inner.includes(id)) {
        uses.push(
          use(`the store ${store} has mappings in the inner layer of key ${id}`, undefined, {
            domain,
            needs: (path) => kindOf(path) === 'vault' && partOf(path)[0] === 'inner' && partOf(path)[1] === store,
            mustEnd: false,
          }),
        );
      }
      if (id !== undefined && subjects === id) {
        uses.push(
          use(`the store ${store} looks up subjects under key ${id}`, undefined, {
            domain,
            needs: (path) => kindOf(path) === 'vault' && partOf(path)[0] === 'subjects' && path[1]?.[1] === store,
            mustEnd: false,
          }),
        );
      }
    }
  }
  return uses;
}

/** The kinds of nodes that a base is needed for. */
const BASE_KINDS = ['token', 'shiftDate', 'log'] as const;

/** No rule has the node of this kind, and without it people would get other pseudonyms in the log. */
const LOG_KIND = ['log'] as const;

/**
 * The nodes that uses need of a key, out of those that policies need. Nodes of a base are those of the policies' rules,
 * or with `allScopes` those of whole kinds: then rules with new scopes stay possible.
 *
 * @param domains for which whole kinds are kept.
 */
export function needsOf(
  uses: readonly Use[],
  policies: readonly FilePolicy[],
  { allScopes, domains }: { readonly allScopes: boolean; readonly domains: readonly string[] },
): readonly KeyNeed[] {
  const all = policies.length === 0 ? [] : keyNeeds(policies, { verbs: ['protect', 'reveal', 'rekey'], rejects: true });
  const found = all.filter(({ domain, path }) =>
    uses.some((one) => (one.domain === null || one.domain === domain) && one.needs(path)),
  );
  if (!uses.some(({ domain }) => domain === null)) return found;
  const whole = allScopes ? BASE_KINDS : LOG_KIND;
  // Policies that name a subject are those whose people have pseudonyms in a log.
  const named = policies.filter(({ subject }) => subject !== undefined).flatMap(({ domain }) => domain ?? []);
  const kinds = (allScopes ? domains : [...new Set(named)]).flatMap((domain) =>
    whole.map((kind): KeyNeed => ({ domain, path: ruleSteps(kind, '', []).slice(0, 1) })),
  );
  // A branch of a whole kind covers those of its scopes.
  const isBase = ({ path }: KeyNeed) => whole.some((kind) => kind === kindOf(path));
  return [...found.filter((need) => !isBase(need)), ...kinds];
}
