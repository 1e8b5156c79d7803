/**
 * A comparison of two large sets of random bytes, such as the links of two tables. The sets are not kept. Only sums of
 * their members are kept, in 4,096 groups; members have to be read a second time only in groups whose sums differ.
 */

/** A comparison of two sets. Their members are eight or more random bytes. */
export interface Comparison {
  /** Adds a member to the first set. */
  readonly addFirst: (member: Uint8Array) => void;
  /** Adds a member to the second set. */
  readonly addSecond: (member: Uint8Array) => void;
  /** Returns the groups in which the sets differ. A difference is missed with a probability of 2^-32. */
  readonly differing: () => ReadonlySet<number>;
}

const GROUPS = 4096;

export function makeComparison(): Comparison {
  const sums = [new Float64Array(GROUPS), new Float64Array(GROUPS)] as const;
  const addTo = (sum: Float64Array) => (member: Uint8Array) => {
    const at = groupOf(member);
    // Integers stay below 2^53: a member adds less than 2^32, and the sum is reduced each time.
    sum[at] = (sum[at]! + weightOf(member)) % 0x1fffffffffffff;
  };
  return {
    addFirst: addTo(sums[0]),
    addSecond: addTo(sums[1]),
    differing() {
      const groups = new Set<number>();
      for (let group = 0; group < GROUPS; group++) if (sums[0][group] !== sums[1][group]) groups.add(group);
      return groups;
    },
  };
}

/** Returns the group of a member. */
export function groupOf(member: Uint8Array): number {
  return ((member[0]! << 4) | (member[1]! >> 4)) & (GROUPS - 1);
}

function weightOf(member: Uint8Array): number {
  return new DataView(member.buffer, member.byteOffset).getUint32(4);
}
