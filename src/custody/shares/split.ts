/** Splitting a new identity into shares (docs/spec/identity-share-v1.md, "Splitting"). */

import { equalBytes } from '../../core/bytes.ts';
import { badRange, badType, checkInteger, checkOptions } from '../../core/checks.ts';
import { randomBytes } from '../../kernel/random.ts';
import { type Ceremony, ceremonyId, commitmentOf, isName, LONGEST_NAME, listOf, MOST_PRESENT } from './ceremony.ts';
import {
  type AgePackage,
  checkPackages,
  drawPoints,
  type Point,
  recipientOf,
  type ShamirPackage,
  valueAt,
} from './packages.ts';
import { LEAST_THRESHOLD, MOST_SHARES, readShare, SECRET_BYTES, SHARE_FORMAT, writeShare } from './share-text.ts';
import { subsetsOf } from './subsets.ts';

/** Options of {@link splitIdentity}. */
export interface SplitOptions {
  /** The package `age-encryption`: `import * as age from 'age-encryption'`. */
  readonly age: AgePackage;
  /** The package `shamir-secret-sharing`: `import * as shamir from 'shamir-secret-sharing'`. */
  readonly shamir: ShamirPackage;
  /** How many shares to make: 2 to 16. */
  readonly shares: number;
  /** How many of them join to the identity: 2 to the number of shares. */
  readonly threshold: number;
  /** The names of the people who are present, for the record: at most 64, of at most 200 characters on one line. */
  readonly present?: readonly string[];
}

/** A new identity that exists in shares alone. */
export interface SplitIdentity {
  /** What is encrypted to this X25519 recipient of age can be opened with `threshold` of the shares. It is public. */
  readonly recipient: string;
  /** The text of each share, in the order of their numbers. Every one is a secret of its holder. */
  readonly shares: readonly string[];
  /** The public record, which is the content of `ceremony.json`. */
  readonly ceremony: Ceremony;
}

/**
 * Makes a new age identity and splits it into shares. Any `threshold` of them join to the identity, and fewer tell
 * nothing about it. The identity itself is not returned.
 *
 * Before it returns, the function reads the texts again and joins every choice of `threshold` shares: at most 12,870
 * choices, which take half a second.
 *
 * **Warning**: the identity is in the memory of this process until the garbage collector reuses it. Run the ceremony on
 * a machine that all holders trust, and encrypt nothing to the recipient before a drill has joined the shares.
 *
 * @throws TypeError, RangeError for wrong options, or if one of the packages fails.
 *
 * @example
 * ```ts
 * import * as age from 'age-encryption';
 * import * as shamir from 'shamir-secret-sharing';
 * import { combineShares, splitIdentity } from 'trefoil/custody';
 *
 * const { recipient, shares, ceremony } = await splitIdentity({ age, shamir, shares: 5, threshold: 3 });
 * shares.length; // → 5
 * const identity = await combineShares([shares[0]!, shares[2]!, shares[4]!], { age, shamir, ceremony });
 * (await age.identityToRecipient(identity)) === recipient; // → true
 * ```
 */
export async function splitIdentity(options: SplitOptions): Promise<SplitIdentity> {
  const known = ['age', 'shamir', 'shares', 'threshold', 'present'];
  const { age, shamir, shares, threshold, present = [] } = checkOptions<SplitOptions>('options', options, known);
  checkPackages(age, shamir);
  checkInteger('shares', shares, 2, MOST_SHARES);
  checkInteger('threshold', threshold, LEAST_THRESHOLD, MOST_SHARES);
  if (threshold > shares) badRange('threshold', 'expected at most the number of shares');
  if (!Array.isArray(present)) badType('present', 'expected a list of names');
  const names =
    listOf(present, isName, MOST_PRESENT) ??
    badRange('present', `expected at most ${MOST_PRESENT} names of 1 to ${LONGEST_NAME} characters on one line`);
  const secret = randomBytes(SECRET_BYTES);
  try {
    const recipient = await recipientOf(age, secret);
    const values = await splitValues(shamir, secret, shares, threshold);
    const facts = { recipient, threshold, shares };
    const commitments = values.map((value, i) => commitmentOf(facts, i + 1, value));
    const id = ceremonyId(facts, commitments);
    const texts = values.map((value, i) =>
      writeShare({ ceremony: id, threshold, shares, number: i + 1, value }, recipient),
    );
    await checkTexts(shamir, texts, threshold, secret);
    for (const value of values) value.fill(0);
    const made = new Date().toISOString().slice(0, 10);
    const ceremony = {
      version: SHARE_FORMAT,
      ceremony: id,
      ...facts,
      commitments,
      made,
      present: names,
    } as const;
    return { recipient, shares: texts, ceremony };
  } finally {
    secret.fill(0);
  }
}

/** The values of the polynomials at 1, 2, 3, … The package draws its points at random, so they are computed anew. */
async function splitValues(shamir: ShamirPackage, secret: Uint8Array, count: number, threshold: number) {
  const points = await drawPoints(shamir, secret, count, threshold);
  const values: Uint8Array[] = [];
  for (let number = 1; number <= count; number++) {
    values.push(await valueAt(shamir, points.slice(0, threshold), number));
  }
  for (const { value } of points) value.fill(0);
  return values;
}

/** Reads the texts as a holder would, and joins every choice of them. */
async function checkTexts(shamir: ShamirPackage, texts: readonly string[], threshold: number, secret: Uint8Array) {
  const points = texts.map((text): Point => {
    const { number, value } = readShare(text);
    return { at: number, value };
  });
  for (const chosen of subsetsOf(points, threshold)) {
    if (!equalBytes(await valueAt(shamir, chosen, 0), secret)) {
      badType('shamir', 'returned shares that do not join to what was split');
    }
  }
}
