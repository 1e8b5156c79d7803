/** What a narrowed keyset needs for a vault. */

import { ruleSteps, type Step } from '../../keys/derive.ts';
import type { KeyVerb } from '../../keys/entries.ts';
import { TOKEN_SIDE } from '../../vault/rows/inner.ts';
import { isWhole } from '../options.ts';
import type { KeyUse } from '../rule.ts';

/**
 * Returns the nodes of a store and a scope. Making mappings also needs the nodes that open them. For revealing
 * alone the side of the tokens is enough, with which no value can be tested.
 */
export function vaultKeys(store: string, scope: string, withSubject: boolean, verbs: readonly KeyVerb[]): KeyUse {
  const inner = ruleSteps('vault', scope, ['inner', store, withSubject ? 'subject' : '']);
  const side = TOKEN_SIDE.map((label): readonly Step[] => [...inner, [label]]);
  const isRevealing = verbs.every((verb) => verb === 'reveal');
  return {
    paths: [
      ruleSteps('vault', store, ['outer']),
      ruleSteps('vault', store, ['subjects']),
      ...(isRevealing ? side : [inner]),
    ],
    isWall: isRevealing || isWhole(verbs),
  };
}
