/** The node of rejected records, which no rule has and a narrowed keyset may grant (docs/spec/rejects-v1.md, "Key"). */

import { ruleSteps, type Step } from './derive.ts';

/** The cipher of rejected records, and how they are padded. */
export const REJECTS_CIPHER = 'aes-256-siv';
const PADDING = 'pad-v1';

/** The names below the node of the scope. */
export const REJECTS_PARAMETERS: readonly string[] = [REJECTS_CIPHER, PADDING];

/** The way from the node of a domain to the node of its rejects. */
export function rejectsPath(): readonly Step[] {
  return ruleSteps('rejects', '', REJECTS_PARAMETERS);
}
