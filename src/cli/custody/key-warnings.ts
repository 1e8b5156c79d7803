/** What `trefoil check` says of a policy and its keys, beside whether they fit. */

import { type DescribedKeyset, describeKeyset } from '../../keys/described.ts';
import type { Keyset } from '../../keys.ts';
import { lostJoins } from '../../policy/explain/rotation.ts';
import type { FilePolicy } from '../../policy.ts';
import { lostText } from './words.ts';

/** Returns the warnings. */
export function keyWarnings(policy: FilePolicy, keyset: Keyset): readonly string[] {
  const described = describeKeyset(keyset, policy.domain!);
  return [...recipientWarnings(policy, described), ...joinsOf(policy, described)];
}

/** Anyone who makes the tokens of a recipient has the maps to the base, which may be tokens of the parent. */
function recipientWarnings({ domain }: FilePolicy, { keys, parents }: DescribedKeyset): readonly string[] {
  const parent = parents.get(domain!);
  const [primary] = keys;
  const base = keys.find(({ id }) => id === (primary!.base ?? primary!.id));
  if (parent === undefined || base === undefined || base.state === 'base' || base.state === 'elsewhere') return [];
  return [
    `the base ${base.id} also made tokens of ${parent}: anyone who projects between recipients can link them, too; ` +
      'for recipients, begin with trefoil keys new --renewable',
  ];
}

/** What happens to tokens of two sizes: only under a key that is its own base is one the beginning of the other. */
function joinsOf(policy: FilePolicy, { keys, parents }: DescribedKeyset): readonly string[] {
  const isFirst = keys[0]!.base === null && !parents.has(policy.domain!);
  return lostJoins([policy]).map((lost) => lostText(lost, isFirst));
}
