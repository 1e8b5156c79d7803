/**
 * Distinct officers for demands. Each officer counts for one demand, so a demand of two approvers and one of legal are
 * three people, although one of them has both roles. This is a matching in a graph of officers and places: it is found
 * by augmenting paths (H. W. Kuhn, "The Hungarian method for the assignment problem", 1955, section 2; as a search by
 * J. E. Hopcroft and R. M. Karp, 1973, section 1).
 */

import type { Demand } from '../text/items.ts';

/** Somebody with roles. */
export interface Candidate {
  readonly handle: string;
  readonly roles: readonly string[];
}

/** Who counts, and what is missing. */
export interface Matching<C extends Candidate> {
  /** Those who count, in the order of the candidates: as few as the demands ask for. */
  readonly chosen: readonly C[];
  /** What is not satisfied, in the order of the demands. Empty: everything is. */
  readonly missing: readonly Demand[];
}

/**
 * Finds as many distinct candidates for the demands as possible. Earlier candidates are preferred: one who counts
 * among the first few counts among all.
 *
 * @param candidates each person once.
 */
export function matchDemands<C extends Candidate>(candidates: readonly C[], demands: readonly Demand[]): Matching<C> {
  const places = demands.flatMap(({ count, role }) => Array.from({ length: count }, () => role));
  /** The candidate in each place, by their numbers. */
  const holder = places.map(() => -1);

  /** Finds a place for a candidate, if others can move to other places. `seen` are the places that were tried. */
  const seat = (candidate: number, seen: Set<number>): boolean => {
    const { roles } = candidates[candidate]!;
    for (const [place, role] of places.entries()) {
      if (seen.has(place) || !roles.includes(role)) continue;
      seen.add(place);
      if (holder[place] === -1 || seat(holder[place]!, seen)) {
        holder[place] = candidate;
        return true;
      }
    }
    return false;
  };

  // Once seated, a candidate is never without a place again: an augmenting path only moves those before.
  const chosen = candidates.filter((_, candidate) => seat(candidate, new Set()));
  return { chosen, missing: missingOf(holder, demands) };
}

/** The empty places, counted by demand. */
function missingOf(holder: readonly number[], demands: readonly Demand[]): Demand[] {
  const missing: Demand[] = [];
  let at = 0;
  for (const { count, role } of demands) {
    const empty = holder.slice(at, at + count).filter((candidate) => candidate === -1).length;
    if (empty > 0) missing.push({ count: empty, role });
    at += count;
  }
  return missing;
}

/** Demands in words: `2 of the role approver and 1 of the role legal`. */
export function demandsInWords(demands: readonly Demand[]): string {
  const parts = demands.map(({ count, role }) => `${count} of the role ${role}`);
  return [parts.slice(0, -1).join(', '), ...parts.slice(-1)].filter((part) => part !== '').join(' and ');
}
