/** Binds the policy of a run to its keys and opens its stores. */

import { given } from '../core/given.ts';
import type { CanMove } from '../io/stream.ts';
import { type DomainKeys, keyset } from '../keys.ts';
import { type Direction, openBound } from '../policy/bound.ts';
import type { BoundFilePolicy, FilePolicy, OpenFilePolicy, RevealingFilePolicy } from '../policy.ts';
import { revealAccess } from '../reveal.ts';
import { ruleEngine } from '../rule/rule.ts';
import { memoryStore, type VaultStore } from '../vault.ts';
import { UsageError } from './exit.ts';
import { checkFrom } from './from-key.ts';
import { findKeys, type KeyOptions, type KeySource, needKeys } from './key-source.ts';
import type { Context } from './options.ts';
import { storeNames } from './stores/places.ts';

/** A policy that is bound to its keys. */
export interface PolicyWithKeys {
  readonly bound: BoundFilePolicy | RevealingFilePolicy | OpenFilePolicy | CanMove;
  /** The domain keys; `null` if no rule needs keys and the command line names none. */
  readonly keys: DomainKeys | null;
  /** Paths of the key files; none if the keys do not come from files. */
  readonly keyFiles: readonly string[];
  /** Other files that say how records are moved: the key file of the other side, and the policy of a recipient. */
  readonly otherFiles?: readonly string[];
}

/** The options that name keys and stores. */
export interface BindOptions extends KeyOptions {
  /** Arguments of `--vault`. */
  readonly vault?: readonly string[] | undefined;
  /** The key that made the values which do not show their key, for revealing. */
  readonly from?: string | undefined;
  /** Whether the run may seal rejected records. Then it needs keys even if no rule does. */
  readonly sealing?: boolean;
  /** Whether nothing may be written. Then protected values go into stores in memory. */
  readonly isTrial?: boolean;
}

/** Whether a rule of the policy needs keys. */
export function isKeyed({ fields }: FilePolicy): boolean {
  return Object.values(fields).some((rule) => ruleEngine(rule)?.keyed === true);
}

/** Keys that are kept nowhere, for a policy that needs no keys and for trying records without the real ones. */
export function throwAwayKeys(policy: FilePolicy): DomainKeys {
  return keyset.generate().domain(policy.domain!);
}

/**
 * Reads the keys and binds the policy to them, with `revealAccess` if the direction is `reveal`.
 *
 * @throws UsageError if keys or the place of a store are missing; TrefoilError if keys or stores cannot be used.
 */
export async function bindKeys(
  policy: FilePolicy,
  direction: Direction,
  options: BindOptions,
  context: Context,
): Promise<PolicyWithKeys> {
  const { vault, from, sealing = false, isTrial = false } = options;
  const needed = sealing || isKeyed(policy) || policy.keyCheck !== undefined;
  const source: KeySource | null = await (needed ? needKeys(options, context) : findKeys(options, context));
  const keys = source?.keyset.domain(policy.domain!) ?? null;
  const used = keys ?? throwAwayKeys(policy);
  checkFrom(from, used, source?.keyset ?? null);
  const bound = await bindOrOpen(policy, direction, used, vault, isTrial, from);
  // Reasons to refuse the whole run are reported before any file is made.
  openBound(bound).demand(direction);
  return { bound, keys, keyFiles: source?.files ?? [] };
}

/** An empty store in memory for each store of the policy, for trying records and keys without the real ones. */
export function memoryStores(policy: FilePolicy): Readonly<Record<string, VaultStore>> {
  return Object.fromEntries(storeNames(policy).map((name) => [name, memoryStore()]));
}

async function bindOrOpen(
  policy: FilePolicy,
  direction: Direction,
  keys: DomainKeys,
  vault: readonly string[] | undefined,
  isTrial: boolean,
  from: string | undefined,
): Promise<PolicyWithKeys['bound']> {
  const names = storeNames(policy);
  const more = given({ fromKey: from });
  if (names.length === 0) {
    if (vault !== undefined) throw new UsageError('--vault is set, but the policy has no vault rule');
    return direction === 'reveal' ? policy.bind(keys, revealAccess, more) : policy.bind(keys);
  }
  if (isTrial && direction === 'protect') return policy.open(keys, memoryStores(policy));
  // Only the runs that need SQLite or PostgreSQL load them.
  const { openStores } = await import('./stores/open.ts');
  const stores = await openStores(names, vault ?? [], { create: direction === 'protect' });
  return direction === 'reveal' ? policy.open(keys, stores, revealAccess, more) : policy.open(keys, stores);
}
