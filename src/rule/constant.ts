/** `constant`: every value is replaced by the same one. */

import { badRange, badType, typeName } from '../core/checks.ts';
import { revealNothing } from './columns.ts';
import { checkRule } from './options.ts';
import { type Common, keylessEngine, type MayBeAbsent, makeRule, type Rule } from './rule.ts';

/** What `constant` can write. */
export type ConstantValue = string | number | boolean | null;

/** A `constant` rule. */
export interface ConstantRule<Value extends ConstantValue = ConstantValue> extends Rule {
  readonly rule: 'constant';
  readonly value: Value;
}

/**
 * Replaces every value by one constant, `null` and the empty string included.
 *
 * @param options `value`: text, a finite number, a boolean or `null`.
 * @throws TypeError if `value` is of another type; RangeError if it is text with half of a surrogate pair.
 *
 * @example
 * ```ts
 * import { constant, keyset, policy } from 'trefoil';
 *
 * const bound = policy({ src: constant({ value: 'web' }) }).bind(keyset.generate().domain('eu'));
 * bound.protect({ src: 'app 7.1' }); // → { src: 'web' }
 * ```
 */
export function constant<const Value extends ConstantValue, const Optional extends boolean = false>(
  options: { readonly value: Value; readonly optional?: Optional } & Common,
): MayBeAbsent<ConstantRule<Value>, Optional> {
  const { own, common } = checkRule('constant', options, ['value']);
  const { value } = own;
  const fits = value === null || typeof value === 'boolean' || typeof value === 'string' || Number.isFinite(value);
  if (!fits) badType('value', `expected text, a number, true, false or null, got ${typeName(value)}`);
  if (typeof value === 'string' && !value.isWellFormed())
    badRange('value', 'expected text without halves of surrogate pairs');
  const engine = keylessEngine(
    { what: 'replaced by one constant for all records', origin: 'fixed', back: 'never', visible: 'nothing' },
    {
      bind: () => ({
        protect: (column) => new Array<unknown>(column.length).fill(value),
        reveal: revealNothing,
      }),
    },
  );
  return makeRule({ rule: 'constant' as const, value, ...common }, engine, {}) as unknown as MayBeAbsent<
    ConstantRule<Value>,
    Optional
  >;
}
