/** Policy and keys joined for a run of the command line. */

import { type DomainKeys, keyset } from '../keys.ts';
import { openBound } from '../policy/bound.ts';
import type { BoundFilePolicy, FilePolicy, RevealingFilePolicy } from '../policy.ts';
import { revealAccess } from '../reveal.ts';
import { ruleEngine } from '../rule/rule.ts';
import { findKeys, type KeySource, needKeys } from './key-source.ts';
import type { Voice } from './voice.ts';

/** A policy with its keys. */
export interface Joined {
  readonly bound: BoundFilePolicy | RevealingFilePolicy;
  /** `null` when no rule needs keys and none were given. */
  readonly keys: DomainKeys | null;
  /** Path of the key file, if there is one. */
  readonly keyFile: string | null;
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
  option: string | undefined,
  voice: Voice,
  sealing = false,
): Promise<Joined> {
  // Rejects are sealed with the domain's key, whatever the policy does.
  const needed = sealing || isKeyed(policy) || policy.keyCheck !== undefined;
  const source: KeySource | null = await (needed ? needKeys(option, voice) : findKeys(option, voice));
  const keys = source?.keyset.domain(policy.domain!) ?? null;
  const used = keys ?? throwAwayKeys(policy);
  const bound = direction === 'reveal' ? policy.bind(used, revealAccess) : policy.bind(used);
  // What forbids the run as a whole is said before any file is made.
  openBound(bound).demand(direction);
  return { bound, keys, keyFile: source?.file ?? null };
}
