/** The first line of a file of rejects: what is needed to write the records again. */

import type { Opening } from './format.ts';
import type { RunPlan } from './plan.ts';

/** @param opening what the format learned at the head of the first input. */
export function rejectsHead(_plan: RunPlan, _id: Uint8Array, _opening: Opening | null): string {
  return '';
}
