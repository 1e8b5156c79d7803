/** Which fields of a policy write values that do not show their key, so that a scan says nothing about them. */

import { ruleOption } from '../../rule/rule.ts';
import { BODY_LENGTH } from '../../wire/labelled-token.ts';
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
    const rule = silenceOf(leaf);
    return rule === null ? [] : [{ field: leaf.path, rule }];
  });
}

/** What the values of a field are; `null` if they show their key, or have none. */
export function silenceOf({ rule, engine }: Leaf): string | null {
  if (!engine.keyed || rule.rule === 'seal' || rule.rule === 'vault') return null;
  if (rule.rule !== 'token') return rule.rule;
  const form = (ruleOption(rule, 'form') ?? 'labelled') as string;
  if (form !== 'labelled') return `token, form ${form}`;
  // Where a letter or digit is before a token, a scan finds its beginning by its label (docs/spec/scan-v1.md). A
  // shorter token it finds only if the label cannot be longer than it is.
  const after = ruleOption(rule, 'after');
  if (typeof after !== 'string') return null;
  const isShort = ((ruleOption(rule, 'length') as number | undefined) ?? BODY_LENGTH) < BODY_LENGTH;
  const hides = ruleOption(rule, 'label') === undefined ? /[A-Za-z0-9_]$/ : isShort ? /[a-z][a-z0-9]*$/ : null;
  return hides?.test(after) === true ? 'token after a letter or digit' : null;
}
