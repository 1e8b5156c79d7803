/** Which fields of a policy write values that do not show their key, so that a scan says nothing about them. */

import { ruleOption } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { policyLeaves } from '../policy.ts';
import type { FilePolicy } from '../types.ts';

/** A field and what its values are. */
export interface Silent {
  readonly field: string;
  readonly rule: string;
}

/** Returns the fields whose values do not show their key. */
export function silentFields(policy: FilePolicy): readonly Silent[] {
  return policyLeaves(policy).flatMap((leaf): Silent[] => {
    const rule = silence(leaf);
    return rule === null ? [] : [{ field: leaf.path, rule }];
  });
}

/** What the values of a field are; `null` if they show their key, or have none. */
function silence({ rule, engine }: Leaf): string | null {
  if (!engine.keyed || rule.rule === 'seal' || rule.rule === 'vault') return null;
  if (rule.rule !== 'token') return rule.rule;
  const form = (ruleOption(rule, 'form') ?? 'labelled') as string;
  if (form !== 'labelled') return `token, form ${form}`;
  // Where a letter or digit is before a token, its beginning cannot be found.
  const after = ruleOption(rule, 'after');
  return typeof after === 'string' && /[A-Za-z0-9_]$/.test(after) ? 'token after a letter or digit' : null;
}
