/**
 * The least number of values that FF1 and FF3 take: NIST SP 800-38G Rev. 1, second public draft, section 5
 * (https://doi.org/10.6028/NIST.SP.800-38Gr1.2pd).
 */

/** The smallest domain, radix^minlen, of the second draft of Revision 1. */
export const MIN_DOMAIN = 1_000_000;

/** The smallest domain of the first edition of 2016. `minDomain` may be lowered to it, to read old data. */
export const OLD_MIN_DOMAIN = 100;

/** Returns the least length, at least 2, for which radix^length reaches `minDomain` (SP 800-38G, section 5.1). */
export function minimumLength(radix: number, minDomain: number = MIN_DOMAIN): number {
  let length = 0;
  for (let values = 1n; values < BigInt(minDomain); values *= BigInt(radix)) length++;
  return Math.max(2, length);
}
