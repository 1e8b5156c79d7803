/** Whether officers suffice for demands. Each officer counts for one demand, so three signatures are three people. */

import type { Demand } from '../text/items.ts';
import type { Officer } from './charter.ts';

/**
 * Whether distinct officers satisfy all demands. It is a matching of places to officers, found by augmenting paths
 * (Kuhn's algorithm): an officer with two roles is moved to another place if somebody else can take only the first one.
 */
export function areMet(demands: readonly Demand[], officers: Iterable<Pick<Officer, 'handle' | 'roles'>>): boolean {
  const people = [...officers];
  const places = demands.flatMap(({ count, role }) => Array.from({ length: count }, () => role));
  if (places.length > people.length) return false;
  /** The place of each officer who has one. */
  const taken = new Map<string, number>();

  function find(place: number, tried: Set<string>): boolean {
    for (const { handle, roles } of people) {
      if (!roles.includes(places[place]!) || tried.has(handle)) continue;
      tried.add(handle);
      const other = taken.get(handle);
      if (other === undefined || find(other, tried)) {
        taken.set(handle, place);
        return true;
      }
    }
    return false;
  }

  return places.every((_, place) => find(place, new Set()));
}
