/**
 * The keys of a `token` rule (docs/spec/token-v1.md, "Key"; docs/spec/renewal-v1.md, "Key of a permutation"): one for
 * the keyed function, and one for the permutation of a key that is bound to a base.
 */

import { encodeList } from '../../core/bytes.ts';
import { badRange } from '../../core/checks.ts';
import {
  type BitPermutation,
  bitPermutation,
  type DigitPermutation,
  digitPermutation,
} from '../../kernel/ff1/body-permutation.ts';
import { ruleSteps, type Step } from '../../keys/derive.ts';
import type { DomainKey } from '../../keys/domain-keys.ts';
import type { KeyVerb } from '../../keys/entries.ts';
import { unitOf } from '../../prepare/civil-period.ts';
import { formOf } from '../../wire/token-forms.ts';
import type { KeyUse } from '../rule.ts';
import { linkageOf } from './contexts.ts';
import { periodStep } from './periods.ts';
import type { Settings } from './settings.ts';

/** The third parameter of the key of a rule without `per`. */
const LINKAGE = 'equal values';

/** The names below the node of a scope that enter the key of the keyed function. */
export function parametersOf({ prf, names, contexts, period }: Settings): readonly (string | Uint8Array)[] {
  return [prf, encodeList(names), contexts.length === 0 && period === null ? LINKAGE : linkageOf(contexts, period)];
}

/** The same for the key of the permutation. Forms with equally many bits have one permutation, so they join. */
function spaceParameters({ form, length }: Settings): readonly string[] {
  const { unit, size } = formOf(form).space(length);
  return [unit, String(size)];
}

/** The node of the keyed function protects and matches, that of the permutation alone renews. */
export function keyUse(settings: Settings, verbs: readonly KeyVerb[], period: string | null): KeyUse {
  const { scope } = settings;
  const making = [...ruleSteps('token', scope, parametersOf(settings)), ...stepOf(settings, period)];
  const permutation = ruleSteps('token permutation', scope, spaceParameters(settings));
  const paths = [
    ...(verbs.includes('protect') ? [making] : []),
    ...(verbs.includes('protect') || verbs.includes('rekey') ? [permutation] : []),
  ];
  return { paths, isWall: true };
}

/** The way from the key of a rule to that of the only period that is granted. */
function stepOf({ period }: Settings, only: string | null): readonly Step[] {
  if (period === null || only === null) return [];
  if (unitOf(only) !== period.unit) badRange('period', `expected a ${period.unit}, as the rule of ${period.path} has`);
  return periodStep(only);
}

/** The permutation of the bodies of a rule under one key. */
export type BodyPermutation =
  | { readonly unit: 'bits'; readonly bits: BitPermutation }
  | { readonly unit: 'digits'; readonly digits: DigitPermutation };

/**
 * Key set-up of the permutation of a key; `null` if the key is its own base, whose bodies are those of the keyed
 * function.
 *
 * @throws TrefoilError `not_granted` if the keys are narrowed and do not have it.
 */
export function permutationUnder(key: DomainKey, settings: Settings): BodyPermutation | null {
  if (!key.isBound) return null;
  const { unit, size } = formOf(settings.form).space(settings.length);
  const node = key.derive('token permutation', settings.scope, spaceParameters(settings));
  return unit === 'bits' ? { unit, bits: bitPermutation(node, size) } : { unit, digits: digitPermutation(node, size) };
}

/** Whether a key has the permutation, or needs none. */
export function hasPermutation(key: DomainKey, settings: Settings): boolean {
  return !key.isBound || key.has('token permutation', settings.scope, spaceParameters(settings));
}
