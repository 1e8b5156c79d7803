/** Which texts are missing in each field of a policy: the field's own list, or else that of the policy. */

import type { Issue } from '../errors.ts';
import { EMPTY_TEXT, type MissingLists, type MissingTexts, missingTexts } from '../rule/missing.ts';
import { ruleOption } from '../rule/rule.ts';
import type { Leaf } from './bound.ts';

/** The missing texts of a policy with its fields. */
export interface PolicyMissing {
  /** By the index of a leaf. */
  readonly texts: readonly MissingTexts[];
  /** Which whole cells are missing if the policy has fields inside them: empty ones, and the list of the policy. */
  readonly cells: MissingTexts;
  /** What the engine of a leaf is bound with. */
  readonly listsOf: (index: number) => MissingLists;
}

/** @param list the list of the policy, if it has one. */
export function policyMissing(leaves: readonly Leaf[], list: readonly string[] | undefined): PolicyMissing {
  const shared = list === undefined ? EMPTY_TEXT : missingTexts(list);
  const texts = leaves.map(({ rule }) => {
    const own = ruleOption(rule, 'missing') as readonly string[] | undefined;
    return own === undefined ? shared : missingTexts(own);
  });
  const byPath = new Map(leaves.map(({ path }, i) => [path, texts[i]!]));
  const of = (path: string): MissingTexts => byPath.get(path) ?? shared;
  const cells = missingTexts(['', ...(list ?? [])]);
  return { texts, cells, listsOf: (index) => ({ own: texts[index]!, of }) };
}

/**
 * Fields that have a missing text which their rule may also write, as fpe can: revealing such an output would return it
 * as it is. A field's own list was checked with its rule, so these are texts of the policy's list.
 */
export function missingClashes(leaves: readonly Leaf[], list: readonly string[] | undefined): readonly Issue[] {
  const { texts } = policyMissing(leaves, list);
  return leaves.flatMap(({ path, engine: { mayWrite } }, i): Issue[] => {
    const listed = mayWrite === undefined ? [] : [...texts[i]!.texts];
    const item = listed.findIndex((text) => mayWrite!(text));
    if (item === -1) return [];
    const which = listed[item] === '' ? 'the empty text, which counts as missing,' : `item ${item + 1} of missing`;
    const message = `${which} is a value of the format, so an output could be the same text; give the field its own list`;
    return [{ code: 'wrong_option', message, field: path }];
  });
}
