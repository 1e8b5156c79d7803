/**
 * Rules without keys: `keep`, `drop`, `constant`, `mask`. (`coarsen` is large enough for a file of its own.)
 */

import { badRange, badType, checkInteger, checkText, typeName } from '../core/checks.ts';
import { jsonNumberText } from '../core/json/number.ts';
import { fail } from '../errors.ts';
import {
  type Common,
  checkRule,
  type Facts,
  type MayBeAbsent,
  makeRule,
  mapColumn,
  type Rule,
  type RuleEngine,
} from './rule.ts';

/** What may stand in one field: a value without parts. */
export type Scalar = string | number | boolean | bigint | Date | null | undefined;

/** A rule without keys, from its facts and its work. */
function plainEngine(
  facts: Pick<Facts, 'what' | 'origin' | 'back' | 'visible'>,
  rest: Partial<RuleEngine>,
): RuleEngine {
  return {
    facts: { ...facts, joins: null, scope: null },
    keyed: false,
    needsPin: false,
    cell: 'text',
    removes: false,
    unfit: null,
    bind: () => ({ protect: (column) => [...column], reveal: (column) => [...column] }),
    ...rest,
  };
}

/** The `keep` rule. */
export interface KeepRule extends Rule {
  readonly rule: 'keep';
}

/**
 * Leaves a field as it is. Objects and arrays are refused: a field within them would pass without a rule of its own.
 *
 * @example
 * ```ts
 * import { keep, policy } from 'trefoil';
 *
 * JSON.stringify(policy({ country: keep }).fields); // → '{"country":{"rule":"keep"}}'
 * ```
 */
export const keep: KeepRule = /* @__PURE__ */ makeKeep({});

/** `keep` with what a policy file says about the field. */
export function makeKeep(common: Common): KeepRule {
  const verb: RuleEngine['bind'] = () => ({
    protect: (column, report) => mapColumn(column, checkScalar, report),
    reveal: (column, report) => mapColumn(column, checkScalar, report),
  });
  return makeRule(
    { rule: 'keep' as const, ...checkRule('keep', common, []).common },
    plainEngine(
      { what: 'kept as it is', origin: 'the value itself', back: 'unchanged', visible: 'the value' },
      { bind: verb },
    ),
    {},
  );
}

function checkScalar(value: unknown): unknown {
  if (typeof value === 'string') return checkText(value);
  // A date is the one object with a single value. A copy of it has no other properties, and is not shared.
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

/** The `drop` rule. */
export interface DropRule extends Rule {
  readonly rule: 'drop';
}

/**
 * Leaves a field out, with all that is in it.
 *
 * @example
 * ```ts
 * import { drop, keep, keyset, policy } from 'trefoil';
 *
 * const bound = policy({ country: keep, notes: drop }).bind(keyset.generate().domain('eu'));
 * bound.protect({ country: 'NO', notes: 'called twice' }); // → { country: 'NO' }
 * ```
 */
export const drop: DropRule = /* @__PURE__ */ makeDrop({});

/** `drop` with what a policy file says about the field. */
export function makeDrop(common: Common): DropRule {
  const verb = (column: readonly unknown[]) => new Array<unknown>(column.length).fill(undefined);
  return makeRule(
    { rule: 'drop' as const, ...checkRule('drop', common, []).common },
    plainEngine(
      { what: 'left out', origin: 'nothing', back: 'never', visible: 'nothing' },
      { removes: true, bind: () => ({ protect: verb, reveal: verb }) },
    ),
    {},
  );
}

/** What `constant` can write. */
export type ConstantValue = string | number | boolean | null;

/** A `constant` rule. */
export interface ConstantRule<Value extends ConstantValue = ConstantValue> extends Rule {
  readonly rule: 'constant';
  readonly value: Value;
}

/**
 * Replaces whatever is there, `null` and the empty string too, by one value.
 *
 * @throws TypeError for a value that is not text, a finite number, a boolean or `null`.
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
  const verb = (column: readonly unknown[]) => new Array<unknown>(column.length).fill(value);
  const engine = plainEngine(
    { what: 'replaced by one constant for all records', origin: 'fixed', back: 'never', visible: 'nothing' },
    { bind: () => ({ protect: verb, reveal: (column) => [...column] }) },
  );
  return makeRule({ rule: 'constant' as const, value, ...common }, engine, {}) as unknown as MayBeAbsent<
    ConstantRule<Value>,
    Optional
  >;
}

/** A `mask` rule. */
export interface MaskRule extends Rule {
  readonly rule: 'mask';
  readonly first?: number;
  readonly last?: number;
  readonly with?: string;
}

/** How many mask characters stand for the hidden part, whatever its length. */
const MASK_LENGTH = 3;

/**
 * Keeps the first and last characters and puts three mask characters for the rest, whatever its length. A value no
 * longer than what would be kept is masked whole.
 *
 * *Warning*: the characters that are kept may be enough to know the person; nothing here is keyed.
 *
 * @param options `first` and `last`, 0 to 64 code points each (0 by default); `with`, one character (`*`).
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
  const data = {
    rule: 'mask' as const,
    ...(own.first === undefined ? {} : { first }),
    ...(own.last === undefined ? {} : { last }),
    ...(own.with === undefined ? {} : { with: sign }),
    ...common,
  };
  const kept = [...(first > 0 ? [`the first ${first}`] : []), ...(last > 0 ? [`the last ${last}`] : [])].join(' and ');
  const engine = plainEngine(
    {
      what: kept === '' ? 'masked whole' : `masked but for ${kept} characters`,
      origin: 'taken from the value',
      back: 'never',
      visible: kept === '' ? 'that there is a value' : `${kept} characters`,
    },
    {
      bind: () => ({
        protect: (column, report) => mapColumn(column, maskOne, report),
        reveal: (column) => [...column],
      }),
    },
  );
  return makeRule(data, engine, {}) as unknown as MayBeAbsent<MaskRule, Optional>;
}
