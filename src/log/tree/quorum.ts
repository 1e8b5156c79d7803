/**
 * The quorum of a policy: which sets of witnesses suffice (https://c2sp.org/tlog-policy, "Defining the quorum").
 *
 * Every name is a member of at most one group, so the groups form trees. That makes everything here exact and linear
 * in the size of the policy, and groups are computed in the order of their definition, without recursion.
 */

/** A group: it is satisfied if at least `threshold` of its members are. */
export interface Group {
  readonly name: string;
  readonly threshold: number;
  /** Names of witnesses and of groups that come before it. */
  readonly members: readonly string[];
}

/** The quorum of a policy. */
export interface Quorum {
  /** Whether cosignatures by the witnesses of these names suffice. */
  readonly satisfiedBy: (names: ReadonlySet<string>) => boolean;
  /** The fewest witnesses that two sufficient sets have in common. */
  readonly overlap: number;
  /** Two sufficient sets with so few in common. */
  readonly apart: () => readonly [readonly string[], readonly string[]];
}

/** The quorum `none`: no witness is needed. */
export const NO_QUORUM: Quorum = {
  satisfiedBy: () => true,
  overlap: 0,
  apart: () => [[], []],
};

/** Two sufficient sets for a witness or group, with as few witnesses in common as possible. */
interface Pair {
  readonly overlap: number;
  readonly sets: readonly [readonly string[], readonly string[]];
}

/**
 * Makes the quorum.
 *
 * @param name the witness or group that has to be satisfied.
 * @param groups all groups, each after the groups that are its members.
 */
export function quorumOf(name: string, witnesses: readonly string[], groups: readonly Group[]): Quorum {
  const pairs = new Map<string, Pair>(witnesses.map((one) => [one, { overlap: 1, sets: [[one], [one]] }]));
  for (const group of groups) pairs.set(group.name, pairOf(group, pairs));
  const { overlap, sets } = pairs.get(name)!;
  return {
    overlap,
    apart: () => sets,
    satisfiedBy(names) {
      const satisfied = new Set(witnesses.filter((one) => names.has(one)));
      for (const { name: group, threshold, members } of groups) {
        if (members.filter((member) => satisfied.has(member)).length >= threshold) satisfied.add(group);
      }
      return satisfied.has(name);
    },
  };
}

/**
 * Of n members, each of the two sets satisfies k. At least 2k - n members are satisfied by both, and only these can
 * make the sets overlap. So the members with the smallest overlaps are taken for both, and the others for one each.
 */
function pairOf({ threshold, members }: Group, pairs: ReadonlyMap<string, Pair>): Pair {
  const sorted = members.map((member) => pairs.get(member)!).sort((a, b) => a.overlap - b.overlap);
  const both = Math.max(0, 2 * threshold - members.length);
  const shared = sorted.slice(0, both);
  const alone = threshold - both;
  const first = sorted.slice(both, both + alone);
  const second = sorted.slice(both + alone, both + 2 * alone);
  return {
    overlap: shared.reduce((sum, { overlap }) => sum + overlap, 0),
    sets: [[...shared, ...first].flatMap(({ sets }) => sets[0]), [...shared, ...second].flatMap(({ sets }) => sets[1])],
  };
}
