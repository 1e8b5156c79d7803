/** Governed keys in one process: domain keys with a place that keeps charters and warrants. */

import { badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { type DomainKeys, openKeys, withPlace } from '../../keys/domain-keys.ts';
import type { ProtectedPeople } from '../people/protected.ts';
import { placeOf, type UseKeeper } from './place.ts';

/** Options of {@link govern}. */
export interface GovernOptions {
  /** Decides uses and writes them to the log: what `openSequencer` returns. */
  readonly sequencer: UseKeeper;
  /** The list of people whose records need more signatures. It is needed if the charter names one. */
  readonly protectedPeople?: ProtectedPeople | undefined;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Returns so many random bytes. Default: the generator of the system. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Makes governed keys.
 *
 * **Warning**: in one process this is a log of habit and no wall. Anyone who has the process has the keys, and can
 * reveal without it; keep keys that must be out of reach in a process of their own.
 *
 * Governed keys protect as before. They turn nothing back without a warrant: `policy.open(keys, stores, access)` takes
 * what `warrantAccess` returns, and every batch that is revealed is a use that is in the log before. Rules that are
 * bound alone, `policy.bind` with `revealAccess`, DuckDB, rejects, `rekey` and `project`, and the look-ups, exports and
 * erasures of a vault refuse with `warrant_required`.
 *
 * @throws TypeError if the keys are governed already; TrefoilError `wrong_domain` if the charter is for another domain.
 *
 * @example
 * ```ts
 * import { keyset, seal } from 'trefoil';
 * import { type GovernOptions, govern } from 'trefoil/govern';
 *
 * // The sequencer is what openSequencer returns; docs/guide/govern/governed-keys.md has all of it.
 * function governed(sequencer: GovernOptions['sequencer']) {
 *   const keys = govern(keyset.generate().domain('eu-enclave'), { sequencer });
 *   return seal({ scope: 'person.name' }).bind(keys);
 * }
 * typeof governed; // → 'function'
 * ```
 */
export function govern(keys: DomainKeys, options: GovernOptions): DomainKeys {
  const given = checkOptions<GovernOptions>('options', options, ['sequencer', 'protectedPeople', 'now', 'random']);
  const { sequencer, protectedPeople = null, now = Date.now, random = randomBytes } = given;
  if (['charter', 'admit', 'use', 'deny'].some((verb) => typeof Object(sequencer)[verb] !== 'function')) {
    badType('sequencer', `expected what openSequencer returns, got ${typeName(sequencer)}`);
  }
  if (protectedPeople !== null && typeof protectedPeople?.has !== 'function') {
    badType('protectedPeople', `expected what parseProtected returns, got ${typeName(protectedPeople)}`);
  }
  if (typeof now !== 'function') badType('now', `expected a function, got ${typeName(now)}`);
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  const { domain } = openKeys(keys);
  const charter = sequencer.charter();
  if (charter.domain !== domain) {
    fail('wrong_domain', `the charter is for domain ${charter.domain}, the keys are of ${domain}`);
  }
  return withPlace(keys, placeOf({ keys, sequencer, list: protectedPeople, now, random }));
}
