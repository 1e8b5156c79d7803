/**
 * Joining shares to the identity (docs/spec/identity-share-v1.md, "Joining").
 *
 * Any threshold of shares determine the polynomials, and so all other shares, their commitments and the id of the
 * ceremony. So what was joined is verified also without the record of the ceremony; the record tells which share is
 * wrong.
 */

import { equalBytes } from '../../core/bytes.ts';
import { badType, checkOptions } from '../../core/checks.ts';
import { throwIssues } from '../../core/issues.ts';
import { fail, type Issue, TrefoilError } from '../../errors.ts';
import { type Ceremony, ceremonyId, checkCeremony, commitmentOf } from './ceremony.ts';
import { foreignShare, isCommitted, isOf, wrongShare } from './check.ts';
import { identityText } from './identity-text.ts';
import { type AgePackage, checkPackages, recipientOf, type ShamirPackage, valueAt } from './packages.ts';
import { type ReadShare, readShare } from './share-text.ts';
import { subsetsOf } from './subsets.ts';

/** Options of {@link combineShares}. */
export interface CombineOptions {
  /** The package `age-encryption`: `import * as age from 'age-encryption'`. */
  readonly age: AgePackage;
  /** The package `shamir-secret-sharing`: `import * as shamir from 'shamir-secret-sharing'`. */
  readonly shamir: ShamirPackage;
  /** The record of the ceremony. With it, a wrong share is named by its number. */
  readonly ceremony?: Ceremony;
}

/** A share and the place of its text in the list, from 1. */
interface Placed extends ReadShare {
  readonly row: number;
}

/** What is joined, before it is known to be right. */
interface Joined {
  readonly secret: Uint8Array;
  readonly recipient: string;
  /** The value of each share of the ceremony. */
  readonly values: readonly Uint8Array[];
}

/**
 * Joins shares and returns the identity: the text `AGE-SECRET-KEY-1…`, which opens what was encrypted to the recipient
 * of the ceremony. A text that is passed twice counts once.
 *
 * What was joined is compared with the id of the ceremony, which every share has. So wrong shares never give another
 * identity, whether the record is passed or not.
 *
 * **Warning**: anyone who reads the returned text can open everything that was encrypted to the recipient.
 *
 * @param texts the texts of the shares, as they were written or typed: 1 to 255.
 * @throws TrefoilError `share_mistyped` with the `line` that is wrong; `share_missing` with the number of shares as
 * `actual` and the threshold as `expected`; `share_foreign` for a share of another ceremony; `share_wrong` for one that
 * its ceremony does not have, with its number as `actual` if it is known; `ceremony_broken`. `row` is the place of the
 * text in the list, from 1.
 * @throws TypeError, RangeError for wrong options, or if one of the packages fails.
 *
 * @example
 * ```ts
 * import * as age from 'age-encryption';
 * import * as shamir from 'shamir-secret-sharing';
 * import { combineShares, splitIdentity } from 'trefoil/custody';
 *
 * const { shares } = await splitIdentity({ age, shamir, shares: 3, threshold: 2 });
 * const identity = await combineShares(shares.slice(1), { age, shamir });
 * identity.startsWith('AGE-SECRET-KEY-1'); // → true
 * ```
 */
export async function combineShares(texts: readonly string[], options: CombineOptions): Promise<string> {
  const known = ['age', 'shamir', 'ceremony'];
  const { age, shamir, ceremony } = checkOptions<CombineOptions>('options', options, known);
  checkPackages(age, shamir);
  const record = ceremony === undefined ? null : checkCeremony(ceremony);
  const read = readAll(texts);
  refuseForeign(read, record);
  if (record !== null) refuseWrong(read, record);
  const shares = withoutRepeats(read);
  const { threshold } = shares[0]!;
  if (shares.length < threshold) {
    const message = `${shares.length} of the ${threshold} shares that are needed; add shares of other holders`;
    fail('share_missing', message, { actual: shares.length, expected: threshold });
  }
  // The record has verified each share, so all choices join to the same. Without it, one right choice names the others.
  for (const chosen of record === null ? subsetsOf(shares, threshold) : [shares.slice(0, threshold)]) {
    const joined = await join(chosen, record, age, shamir);
    if (joined === null) continue;
    const { secret, recipient, values } = joined;
    throwIssues(shares.filter(({ number, value }) => !equalBytes(values[number - 1]!, value)).map(wrongShare));
    refuseOtherRecipient(read, recipient);
    const identity = identityText(secret);
    secret.fill(0);
    return identity;
  }
  const message =
    record === null
      ? 'the shares do not join to the identity of their ceremony: one of them or more are wrong; ' +
        'pass the record of the ceremony, which tells which'
      : 'the shares are those of the record, but do not join to an identity that its recipient belongs to: ' +
        'the ceremony was not made by trefoil; make a new one';
  return fail('share_wrong', message);
}

/** Reads all texts. Every text that cannot be read has an issue. */
function readAll(texts: unknown): readonly Placed[] {
  if (!Array.isArray(texts) || texts.length === 0 || texts.length > 255) {
    badType('texts', 'expected a list of the texts of 1 to 255 shares');
  }
  const issues: Issue[] = [];
  const shares: Placed[] = [];
  for (let i = 0; i < texts.length; i++) {
    try {
      shares.push({ ...readShare(texts[i], { row: i + 1 }), row: i + 1 });
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      issues.push(...error.issues);
    }
  }
  throwIssues(issues);
  return shares;
}

/** Refuses shares of another ceremony than that of the record, or else of the first share. */
function refuseForeign(shares: readonly Placed[], record: Ceremony | null): void {
  const expected = record ?? shares[0]!;
  const source = record === null ? 'the first share' : 'the record';
  throwIssues(shares.filter((share) => !isOf(share, expected)).map(({ row }) => ({ ...foreignShare(source), row })));
}

/** Refuses texts that state another recipient than the one that was joined. */
function refuseOtherRecipient(shares: readonly Placed[], recipient: string): void {
  const others = shares.filter((share) => share.recipient !== null && share.recipient !== recipient);
  throwIssues(others.map(({ row }) => ({ ...foreignShare('the joined identity'), row })));
}

/** Refuses shares that do not fit their commitments. */
function refuseWrong(shares: readonly Placed[], record: Ceremony): void {
  throwIssues(shares.filter((share) => !isCommitted(share, record)).map(wrongShare));
}

/** One share of each number. */
function withoutRepeats(shares: readonly Placed[]): readonly Placed[] {
  const byNumber = new Map<number, Placed>();
  const issues: Issue[] = [];
  for (const share of shares) {
    const { number, value, row } = share;
    const first = byNumber.get(number);
    if (first === undefined) byNumber.set(number, share);
    else if (!equalBytes(first.value, value)) {
      const message = `there are two different shares ${number}; pass the record of the ceremony, which tells which is wrong`;
      issues.push({ code: 'share_wrong', message, actual: number, row });
    }
  }
  throwIssues(issues);
  return [...byNumber.values()];
}

/**
 * Joins as many shares as the threshold. Returns `null` if the result is not of their ceremony. The recipient of the
 * record is compared as well: a dealer can make two records of one id with 2^40 tries, and the drill is to show it.
 */
async function join(
  chosen: readonly Placed[],
  record: Ceremony | null,
  age: AgePackage,
  shamir: ShamirPackage,
): Promise<Joined | null> {
  const { ceremony, threshold, shares } = chosen[0]!;
  const points = chosen.map(({ number, value }) => ({ at: number, value }));
  const secret = await valueAt(shamir, points, 0);
  const recipient = await recipientOf(age, secret);
  if (record !== null && record.recipient !== recipient) return null;
  const facts = { recipient, threshold, shares };
  const values: Uint8Array[] = [];
  const commitments: string[] = [];
  for (let number = 1; number <= shares; number++) {
    const value = await valueAt(shamir, points, number);
    values.push(value);
    commitments.push(commitmentOf(facts, number, value));
  }
  return ceremonyId(facts, commitments) === ceremony ? { secret, recipient, values } : null;
}
