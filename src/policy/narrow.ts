/**
 * Narrowed keysets: the nodes that policies need, and nothing else (docs/spec/keyset-v1.md, "Branches").
 */

import { badRange, badType, checkOptions, ownProperties, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { checkEntries, type KeyEntry, type KeyVerb } from '../keys/entries.ts';
import { type KeyNeed, withBranches } from '../keys/granting.ts';
import { type Keyset, keysetData, makeKeyset } from '../keys/keyset.ts';
import { rejectsPath } from '../keys/rejects.ts';
import { unitOf } from '../prepare/civil-period.ts';
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
   * other verbs, too. `none`: the rule has no key.
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
 * @param from a keyset with root keys.
 * @param policies one policy or several; each must have a domain.
 * @throws TrefoilError `not_granted` if a primary key lacks a node that is needed; TypeError, RangeError for other
 *   arguments.
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
  const fields = listOf(policies).flatMap((one): NarrowedField[] =>
    policyLeaves(one).map(({ path, rule, engine }) => {
      const use = engine.needsKeys?.(verbs, period);
      const kept = use === undefined ? 'none' : use.isWall ? 'wall' : 'seat belt';
      return { domain: domainOf(one), field: path, rule: rule.rule, scope: engine.facts.scope, kept };
    }),
  );
  const soft = fields.filter(({ kept }) => kept === 'seat belt').map(({ rule, scope }) => `${rule}:${scope}`);
  const needs = keyNeeds(policies, options);
  const parents = new Map([...data.domains].filter(([name]) => needs.some(({ domain }) => domain === name)));
  const keys = data.keys.map((key): KeyEntry => (key.check === null ? withBranches(data, key, needs) : key));
  const keyset = makeKeyset(
    checkEntries({
      ...data,
      keys: usefulKeys(keys, data.primary),
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

/** The primary key, the keys that have branches, and their bases. */
function usefulKeys(keys: readonly KeyEntry[], primary: string): readonly KeyEntry[] {
  const own = keys.filter(({ id, branches }) => id === primary || (branches !== null && branches.length > 0));
  return keys.filter((key) => own.includes(key) || own.some(({ base }) => base === key.id));
}

function checkNarrow(options: NarrowOptions) {
  const {
    verbs,
    rejects = false,
    period,
  } = checkOptions<NarrowOptions>('options', options, ['verbs', 'rejects', 'period']);
  const isVerb = (verb: unknown) => verb === 'protect' || verb === 'reveal' || verb === 'rekey';
  if (!Array.isArray(verbs) || verbs.length === 0 || !verbs.every(isVerb)) {
    badRange('verbs', 'expected a list of protect, reveal and rekey');
  }
  if (typeof rejects !== 'boolean') badType('rejects', `expected true or false, got ${typeName(rejects)}`);
  if (period !== undefined && (typeof period !== 'string' || unitOf(period) === null)) {
    badRange('period', 'expected 2024-03-01, 2024-W09, 2024-03, 2024-Q1 or 2024');
  }
  return { verbs, rejects, period: period ?? null };
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
