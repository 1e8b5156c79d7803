/** `drop`: a field is left out. */

import { checkRule } from './options.ts';
import { type Common, keylessEngine, makeRule, type Rule } from './rule.ts';

/** The `drop` rule. */
export interface DropRule extends Rule {
  readonly rule: 'drop';
}

/**
 * Leaves a field out, with everything inside it.
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

/** Makes a `drop` rule with the options that a policy file may set. */
export function makeDrop(common: Common): DropRule {
  const verb = (column: readonly unknown[]) => new Array<unknown>(column.length).fill(undefined);
  return makeRule(
    { rule: 'drop' as const, ...checkRule('drop', common, []).common },
    keylessEngine(
      { what: 'left out', origin: 'nothing', back: 'never', visible: 'nothing' },
      { removes: true, bind: () => ({ protect: verb, reveal: verb }) },
    ),
    {},
  );
}
