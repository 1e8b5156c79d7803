/** Whether officers suffice for demands. Each officer counts for one demand, so three signatures are three people. */

import { matchDemands } from '../officers/matching.ts';
import type { Demand } from '../text/items.ts';
import type { Officer } from './charter.ts';

/** Whether distinct officers satisfy all demands. */
export function areMet(demands: readonly Demand[], officers: Iterable<Pick<Officer, 'handle' | 'roles'>>): boolean {
  return matchDemands([...officers], demands).missing.length === 0;
}
