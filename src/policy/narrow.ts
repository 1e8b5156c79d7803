/**
 * Narrowed keysets: the nodes that policies need, and nothing else (docs/spec/keyset-v1.md, "Branches").
 */

import { badRange, badType, checkOptions, ownProperties, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { checkEntries, type KeyEntry, type KeysetData, type KeyVerb } from '../keys/entries.ts';
import { checkGranted, hangsAtBase, type KeyNeed, withBranches } from '../keys/granting.ts';
import { type Keyset, keysetData, makeKeyset } from '../keys/keyset.ts';
import { rejectsPath } from '../keys/rejects.ts';
import { unitOf } from '../prepare/civil-period.ts';
import { checkPeriod } from '../rule/token/contexts.ts';
import { policyLeaves } from './policy.ts';
import type { FilePolicy, Policy, PolicyOptions } from './types.ts';

/** A policy of code, or of a file. */
type SomePolicy = Policy | FilePolicy;

/** Options of {@link keyNeeds} and {@link narrow}. */
export interface NarrowOptions {
  /** What the keys are for. */
  readonly verbs: readonly KeyVerb[];
  /** Whether the keys also seal and open rejected records. `false` by default. */
  readonly rejects?: boolean;
  /**
   * The only period whose tokens may be made, for tokens with `per` a period: `2024-03-01`, `2024-W09`, `2024-03`,
   * `2024-Q1`, `2024`. All periods by default.
   */
  readonly period?: string;
}

/** What narrowing does to one field. */
export interface NarrowedField {
  /** Name of the policy's domain. */
  readonly domain: string;
  readonly field: string;
  readonly rule: string;
  readonly scope: string | null;
  /**
   * `wall`: cryptography keeps the holder to the verbs. `seat belt`: only the library does, since the nodes serve the
   * other verbs, too. Or the field has the tokens of a recipient, and the base of the keys also protects: then anyone
   * who has the file turns them into the tokens of the parent. `none`: the rule has no key.
   */
  readonly kept: 'wall' | 'seat belt' | 'none';
}

/** A narrowed keyset. */
export interface Narrowed {
  readonly keyset: Keyset;
  /** The check value that a policy must pin: `branchCheck`. */
  readonly branchCheck: string;
  readonly fields: readonly NarrowedField[];
}

/**
 * Returns the nodes that policies need.
 *
 * @param policies one policy or several; each must have a domain.
 * @throws TypeError, RangeError for other arguments.
 *
 * @example
 * ```ts
 * import { policy, seal } from 'trefoil';
 * import { keyNeeds } from 'trefoil/policy';
 *
 * const orders = policy({ name: seal({ scope: 'person.name' }) }, { domain: 'eu-enclave' });
 * keyNeeds(orders, { verbs: ['reveal'] })[0]?.path[1]; // → ['scope', 'person.name']
 * ```
 */
export function keyNeeds(policies: SomePolicy | readonly SomePolicy[], options: NarrowOptions): readonly KeyNeed[] {
  const { verbs, rejects, period } = checkNarrow(options);
  const problem = period === null ? null : periodProblem(policies, period);
  if (problem !== null) badRange('period', problem);
  return listOf(policies).flatMap((one): KeyNeed[] => {
    const domain = domainOf(one);
    const needs = policyLeaves(one).flatMap(({ engine }) => engine.needsKeys?.(verbs, period).paths ?? []);
    return [...needs, ...(rejects ? [rejectsPath()] : [])].map((path) => ({ domain, path }));
  });
}

/**
 * Makes a keyset that has just the nodes that policies need: for a worker, so that a stolen key file opens no other
 * scope, domain or epoch. The policy of the worker must pin `branchCheck`.
 *
 * *Warning*: for `seal`, `fpe` and `vault`, protecting and revealing have one key. There the verbs are a seat belt: the
 * library refuses, and who holds the file can do without the library. And anyone who may protect can test guesses.
 *
 * For protecting alone the file has nodes of the primary key and of its base, and those of a `vault` of every key:
 * values are looked up under all of them. For the other verbs it has all nodes of the other keys, too.
 *
 * @param from a keyset, which may be narrowed already.
 * @param policies one policy or several; each must have a domain.
 * @throws TrefoilError `not_granted` if the keyset is narrowed and is not for these verbs, or lacks a node that is
 *   needed; TypeError, RangeError for other arguments: also for a period that no rule has.
 *
 * @example
 * ```ts
 * import { keyset, policy, token } from 'trefoil';
 * import { narrow } from 'trefoil/policy';
 *
 * const orders = policy({ id: token({ scope: 'person' }) }, { domain: 'eu-enclave' });
 * const all = keyset.generate();
 * const { keyset: worker, branchCheck, fields } = narrow(all, orders, { verbs: ['protect'] });
 * fields[0]?.kept; // → 'wall'
 * const keys = worker.domain('eu-enclave', { branchCheck });
 * orders.bind(keys).protect({ id: 7 }).id === orders.bind(all.domain('eu-enclave')).protect({ id: 7 }).id; // → true
 * ```
 */
export function narrow(from: Keyset, policies: SomePolicy | readonly SomePolicy[], options: NarrowOptions): Narrowed {
  const data = keysetData(from);
  const { verbs, period } = checkNarrow(options);
  checkVerbs(data, verbs);
  const fields = listOf(policies).flatMap((one): NarrowedField[] =>
    policyLeaves(one).map(({ path, rule, engine }) => {
      const use = engine.needsKeys?.(verbs, period);
      const domain = domainOf(one);
      const isWall =
        use?.isWall && !(rule.rule === 'token' && use.paths.length > 0 && opensParent(data, domain, verbs));
      const kept = use === undefined ? 'none' : isWall ? 'wall' : 'seat belt';
      return { domain, field: path, rule: rule.rule, scope: engine.facts.scope, kept };
    }),
  );
  const soft = fields.filter(({ kept }) => kept === 'seat belt').map(({ rule, scope }) => `${rule}:${scope}`);
  const needs = keyNeeds(policies, options);
  const parents = new Map([...data.domains].filter(([name]) => needs.some(({ domain }) => domain === name)));
  checkGranted(data, needs);
  // Who protects alone makes nothing with an older key, and its ids stay, so that a pin of it holds. A vault is the
  // exception: a value keeps its token through every rotation, so its row is looked up under every key of the store.
  const grantedTo = ({ id }: KeyEntry) => {
    if (id === data.primary || verbs.some((verb) => verb !== 'protect')) return needs;
    const isBase = id === data.keys[0]!.base;
    return needs.filter((need) => isOfVault(need) || (isBase && hangsAtBase(need)));
  };
  const keys = data.keys.map(
    (key): KeyEntry => (key.check === null ? withBranches(data, key, needs, grantedTo(key)) : key),
  );
  const keyset = makeKeyset(
    checkEntries({
      ...data,
      keys: usefulKeys(keys, data.primary, needs),
      domains: parents,
      narrowed: { verbs, soft: [...new Set(soft)] },
    }),
  );
  for (const domain of new Set(needs.map((need) => need.domain))) {
    const { branchCheck } = keyset.domain(domain);
    if (branchCheck !== undefined) return { keyset, branchCheck, fields };
  }
  return fail('not_granted', 'the policies need no keys, so there is nothing to narrow the keyset to');
}

function isOfVault({ path }: KeyNeed): boolean {
  return path[0]![1] === 'vault';
}

/** The primary key, the keys that have branches or show an id in these domains, and their bases. */
function usefulKeys(keys: readonly KeyEntry[], primary: string, needs: readonly KeyNeed[]): readonly KeyEntry[] {
  const own = keys.filter(
    ({ id, branches, shown }) =>
      id === primary || branches?.length || (branches !== null && needs.some(({ domain }) => shown.has(domain))),
  );
  return keys.filter((key) => own.includes(key) || own.some(({ base }) => base === key.id));
}

/** A narrowed keyset is narrowed further, and never widened. */
function checkVerbs({ narrowed }: KeysetData, verbs: readonly KeyVerb[]): void {
  if (narrowed === null || verbs.every((verb) => narrowed.verbs.includes(verb))) return;
  fail(
    'not_granted',
    `the key file is narrowed to ${narrowed.verbs.join(' and ')}, so it cannot be narrowed to ${verbs.join(' and ')}`,
  );
}

/**
 * Whether the tokens of a recipient become those of its parent without the keys of the parent: the parent has tokens
 * without a permutation, those of a base that also protects.
 */
function opensParent({ keys, domains, primary }: KeysetData, domain: string, verbs: readonly KeyVerb[]): boolean {
  const granted = verbs.every((verb) => verb === 'protect') ? keys.filter(({ id }) => id === primary) : keys;
  const isBaseOnly = (id: string) => keys.some((key) => key.id === id && key.isBase);
  return domains.has(domain) && granted.some(({ id, base, isBase }) => !isBase && !isBaseOnly(base ?? id));
}

/** Says why a period does not fit the token rules of policies; `null` if it does. */
export function periodProblem(policies: SomePolicy | readonly SomePolicy[], period: string): string | null {
  const periods = listOf(policies).flatMap((one) =>
    policyLeaves(one).flatMap(({ rule }) =>
      rule.rule === 'token' ? (checkPeriod((rule as { readonly per?: unknown }).per) ?? []) : [],
    ),
  );
  if (periods.length === 0) return 'no rule has a period, so its keys cannot be those of one period';
  const other = periods.find(({ unit }) => unit !== unitOf(period));
  return other === undefined ? null : `expected a ${other.unit}, as the rule of ${other.path} has`;
}

function checkNarrow(options: NarrowOptions) {
  const {
    verbs,
    rejects = false,
    period,
  } = checkOptions<NarrowOptions>('options', options, ['verbs', 'rejects', 'period']);
  const isVerb = (verb: unknown) => verb === 'protect' || verb === 'reveal' || verb === 'rekey';
  // A copy: the array of a caller may have holes, over which `every` passes, or be of a class of its own.
  const list = Array.isArray(verbs) ? Array.from<KeyVerb>(verbs) : [];
  if (list.length === 0 || !list.every(isVerb)) {
    badRange('verbs', 'expected a list of protect, reveal and rekey');
  }
  if (typeof rejects !== 'boolean') badType('rejects', `expected true or false, got ${typeName(rejects)}`);
  if (period !== undefined && (typeof period !== 'string' || unitOf(period) === null)) {
    badRange('period', 'expected 2024-03-01, 2024-W09, 2024-03, 2024-Q1 or 2024');
  }
  return { verbs: list, rejects, period: period ?? null };
}

function listOf(policies: SomePolicy | readonly SomePolicy[]): readonly SomePolicy[] {
  return Array.isArray(policies) ? policies : [policies as SomePolicy];
}

function domainOf(one: SomePolicy): string {
  policyLeaves(one);
  const { domain } = ownProperties(one as PolicyOptions);
  if (domain === undefined) badRange('policies', 'expected policies that have a domain');
  return domain;
}
