/** Policy and keys joined for a run of the command line. */

import { type DomainKeys, keyset } from '../keys.ts';
import { openBound } from '../policy/bound.ts';
import type { BoundFilePolicy, FilePolicy, OpenFilePolicy, RevealingFilePolicy } from '../policy.ts';
import { revealAccess } from '../reveal.ts';
import { ruleEngine } from '../rule/rule.ts';
import { UsageError } from './exit.ts';
import { findKeys, type KeySource, needKeys } from './key-source.ts';
import { storeNames } from './stores/places.ts';
import type { Voice } from './voice.ts';

/** A policy with its keys. */
export interface Joined {
  readonly bound: BoundFilePolicy | RevealingFilePolicy | OpenFilePolicy;
  /** `null` when no rule needs keys and none were given. */
  readonly keys: DomainKeys | null;
  /** Path of the key file, if there is one. */
  readonly keyFile: string | null;
}

/** What of the command line decides about keys and stores. */
export interface JoinOptions {
  readonly keys: string | undefined;
  readonly vault?: readonly string[] | undefined;
  /** Rejects are sealed with the domain's key, whatever the policy does. */
  readonly sealing?: boolean;
}

/** Whether a rule of the policy needs keys. */
export function isKeyed({ fields }: FilePolicy): boolean {
  return Object.values(fields).some((rule) => ruleEngine(rule)?.keyed === true);
}

/** Keys that nobody keeps, for a policy that needs none and for checks of format. */
export function throwAwayKeys(policy: FilePolicy): DomainKeys {
  return keyset.generate().domain(policy.domain!);
}

/** Reads the keys and binds the policy to them; `direction` decides whether with `revealAccess`. */
export async function joinKeys(
  policy: FilePolicy,
  direction: 'protect' | 'reveal',
  { keys: option, vault, sealing = false }: JoinOptions,
  voice: Voice,
): Promise<Joined> {
  const needed = sealing || isKeyed(policy) || policy.keyCheck !== undefined;
  const source: KeySource | null = await (needed ? needKeys(option, voice) : findKeys(option, voice));
  const keys = source?.keyset.domain(policy.domain!) ?? null;
  const used = keys ?? throwAwayKeys(policy);
  const bound = await bindOrOpen(policy, direction, used, vault);
  // What forbids the run as a whole is said before any file is made.
  openBound(bound).demand(direction);
  return { bound, keys, keyFile: source?.file ?? null };
}

async function bindOrOpen(
  policy: FilePolicy,
  direction: 'protect' | 'reveal',
  keys: DomainKeys,
  vault: readonly string[] | undefined,
): Promise<Joined['bound']> {
  const names = storeNames(policy);
  if (names.length === 0) {
    if (vault !== undefined) throw new UsageError('--vault is for policies with a vault rule');
    return direction === 'reveal' ? policy.bind(keys, revealAccess) : policy.bind(keys);
  }
  // SQLite and PostgreSQL are loaded by the runs that need them.
  const { openStores } = await import('./stores/open.ts');
  const stores = await openStores(names, vault ?? [], { create: direction === 'protect' });
  return direction === 'reveal' ? policy.open(keys, stores, revealAccess) : policy.open(keys, stores);
}
