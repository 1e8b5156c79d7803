/**
 * Holds two large sets of random bytes against each other, as the links of two tables. They are not kept: sums of them
 * are, in 4,096 groups, and only groups that differ need a second look.
 */

/** Two sets, as far as they were seen. Members are random bytes, eight or more. */
export interface Comparison {
  readonly one: (member: Uint8Array) => void;
  readonly other: (member: Uint8Array) => void;
  /** Groups in which the two differ. A difference is missed with a probability of 2^-32. */
  readonly odd: () => ReadonlySet<number>;
}

const GROUPS = 4096;

export function makeComparison(): Comparison {
  const sums = [new Float64Array(GROUPS), new Float64Array(GROUPS)] as const;
  const into = (sum: Float64Array) => (member: Uint8Array) => {
    const at = groupOf(member);
    // Whole numbers below 2^53: 2^32 for each member, and never more than 2^21 members a group.
    sum[at] = (sum[at]! + weightOf(member)) % 0x1fffffffffffff;
  };
  return {
    one: into(sums[0]),
    other: into(sums[1]),
    odd() {
      const odd = new Set<number>();
      for (let group = 0; group < GROUPS; group++) if (sums[0][group] !== sums[1][group]) odd.add(group);
      return odd;
    },
  };
}

/** The group of a member. */
export function groupOf(member: Uint8Array): number {
  return ((member[0]! << 4) | (member[1]! >> 4)) & (GROUPS - 1);
}

function weightOf(member: Uint8Array): number {
  return new DataView(member.buffer, member.byteOffset).getUint32(4);
}
