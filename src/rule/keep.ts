/** `keep`: a field passes as it is. */

import { checkText, typeName } from '../core/checks.ts';
import { jsonNumberText } from '../core/json/number.ts';
import { fail } from '../errors.ts';
import { mapColumn } from './columns.ts';
import { checkRule } from './options.ts';
import { type Common, keylessEngine, makeRule, type Rule, type RuleEngine } from './rule.ts';

/** What a field may hold if the policy does not describe its parts: a single value. */
export type Scalar = string | number | boolean | bigint | Date | null | undefined;

/** The `keep` rule. */
export interface KeepRule extends Rule {
  readonly rule: 'keep';
}

/**
 * Leaves a field as it is. An object or an array is the issue `nested_value`, because the fields inside it would pass
 * without a rule of their own: name them in the policy.
 *
 * @example
 * ```ts
 * import { keep, policy } from 'trefoil';
 *
 * JSON.stringify(policy({ country: keep }).fields); // → '{"country":{"rule":"keep"}}'
 * ```
 */
export const keep: KeepRule = /* @__PURE__ */ makeKeep({});

/** Makes a `keep` rule with the options that a policy file may set. */
export function makeKeep(common: Common): KeepRule {
  const bind: RuleEngine['bind'] = () => ({
    protect: (column, report) => mapColumn(column, checkScalar, report),
    reveal: (column, report) => mapColumn(column, checkScalar, report),
  });
  return makeRule(
    { rule: 'keep' as const, ...checkRule('keep', common, []).common },
    keylessEngine(
      { what: 'kept as it is', origin: 'the value itself', back: 'unchanged', visible: 'the value' },
      { bind },
    ),
    {},
  );
}

function checkScalar(value: unknown): unknown {
  if (typeof value === 'string') return checkText(value);
  // A date is the one object with a single value. The copy has no other properties and is not shared with the caller.
  if (value instanceof Date) return new Date(value.getTime());
  if (jsonNumberText(value) !== null) return value;
  if (typeof value === 'object') {
    fail('nested_value', `expected a single value, got ${typeName(value)}; name the fields inside it in the policy`);
  }
  if (typeof value === 'function' || typeof value === 'symbol') {
    fail('wrong_type', `expected a single value, got ${typeName(value)}`);
  }
  return value;
}
