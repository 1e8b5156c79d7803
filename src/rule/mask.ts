/** `mask`: the first and last characters stay, and three mask characters replace the rest. */

import { badRange, badType, checkInteger, checkText, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { mapColumn, revealNothing } from './columns.ts';
import { checkRule } from './options.ts';
import { type Common, keylessEngine, type MayBeAbsent, makeRule, type Rule } from './rule.ts';

/** A `mask` rule. */
export interface MaskRule extends Rule {
  readonly rule: 'mask';
  readonly first?: number;
  readonly last?: number;
  readonly with?: string;
}

/** How many mask characters replace the hidden part. The number is fixed, so that the value's length does not show. */
const MASK_LENGTH = 3;

/**
 * Keeps the first and last characters of a text and replaces the rest by three mask characters, however long it is. If
 * a value is not longer than the part that would be kept, it is masked completely.
 *
 * *Warning*: the characters that stay may be enough to recognise a person. This rule uses no key.
 *
 * @param options `first` and `last`, 0 to 64 code points each (0 by default); `with`, one character (`*` by default).
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { keyset, mask, policy } from 'trefoil';
 *
 * const bound = policy({ phone: mask({ last: 3 }) }).bind(keyset.generate().domain('eu'));
 * bound.protect({ phone: '+47 22 22 55 55' }); // → { phone: '*** 55' }
 * ```
 */
export function mask<const Optional extends boolean = false>(
  options: {
    readonly first?: number;
    readonly last?: number;
    readonly with?: string;
    readonly optional?: Optional;
  } & Common = {},
): MayBeAbsent<MaskRule, Optional> {
  const { own, common } = checkRule('mask', options, ['first', 'last', 'with']);
  const first = checkInteger('first', own.first ?? 0, 0, 64);
  const last = checkInteger('last', own.last ?? 0, 0, 64);
  const sign = own.with ?? '*';
  if (typeof sign !== 'string') badType('with', `expected text, got ${typeName(sign)}`);
  if ([...sign].length !== 1 || !sign.isWellFormed()) badRange('with', 'expected one character');
  const hidden = sign.repeat(MASK_LENGTH);
  const maskOne = (value: unknown): string => {
    const characters = [...checkText(value)];
    if (characters.length <= first + last) return hidden;
    return characters.slice(0, first).join('') + hidden + characters.slice(characters.length - last).join('');
  };
  const kept = [...(first > 0 ? [`the first ${first}`] : []), ...(last > 0 ? [`the last ${last}`] : [])].join(' and ');
  const engine = keylessEngine(
    {
      what: kept === '' ? 'masked completely' : `masked except for ${kept} characters`,
      origin: 'taken from the value',
      back: 'never',
      visible: kept === '' ? 'that there is a value' : `${kept} characters`,
    },
    {
      bind: (_, __, { own: missing }) => ({
        protect: (column, report) => mapColumn(column, maskOne, report, missing),
        reveal: revealNothing,
      }),
    },
  );
  const data = {
    rule: 'mask' as const,
    // The values as checked, if the option was set: `null` counts as the default, and a file can have the default.
    ...given({
      first: own.first === undefined ? undefined : first,
      last: own.last === undefined ? undefined : last,
      with: own.with === undefined ? undefined : sign,
    }),
    ...common,
  };
  return makeRule(data, engine, {}) as unknown as MayBeAbsent<MaskRule, Optional>;
}
