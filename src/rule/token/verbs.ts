/** What the keys of a rule can do with values: make tokens and look them up, or neither. */

import { fail } from '../../errors.ts';
import { mayProtect, type OpenedKeys, protectingKey } from '../../keys/domain-keys.ts';
import { formOf } from '../../wire/token-forms.ts';
import type { ColumnVerb, Siblings } from '../rule.ts';
import { hasPermutation, parametersOf } from './keys.ts';
import { candidates, matches } from './looking-up.ts';
import { type KeyedTokens, protectOne, tokenColumns } from './making.ts';
import type { Settings } from './settings.ts';

/** What a rule does with values. */
export interface MakingVerbs {
  readonly verb: ColumnVerb;
  readonly protectOne: (value: unknown) => unknown;
  readonly matches: (value: unknown, candidate: string, siblings: Siblings | null) => boolean;
  readonly candidates: (value: unknown, siblings: Siblings | null) => unknown[];
}

export function makingVerbs(keyed: KeyedTokens): MakingVerbs {
  const { form, length } = keyed.settings;
  const whole = new RegExp(`^${formOf(form).pattern(length)}$`);
  return {
    verb: tokenColumns(keyed),
    protectOne: (value) => protectOne(keyed, value),
    matches: (value, candidate, siblings) => matches(keyed, whole, value, candidate, siblings),
    candidates: (value, siblings) => candidates(keyed, value, siblings),
  };
}

/** Whether the keys can make tokens. Those of somebody who renews alone cannot. */
export function canMake(settings: Settings, opened: OpenedKeys): boolean {
  if (!mayProtect(opened)) return false;
  // If the permutation is not there either, binding says what is missing.
  return (
    opened.primary.has('token', settings.scope, parametersOf(settings)) ||
    !opened.primary.isBound ||
    !hasPermutation(opened.primary, settings)
  );
}

/** The same for somebody who renews alone: every verb says what is missing. */
export function refusingVerbs(settings: Settings, opened: OpenedKeys): MakingVerbs {
  const refuse = (): never => {
    protectingKey(opened).derive('token', settings.scope, parametersOf(settings));
    fail('not_granted', 'the keys can renew tokens and make none');
  };
  return { verb: refuse, protectOne: refuse, matches: refuse, candidates: refuse };
}
