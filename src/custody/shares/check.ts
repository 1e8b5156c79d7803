/** Checking one share against the record of its ceremony (docs/spec/identity-share-v1.md, "Checking a share"). */

import { throwIssues } from '../../core/issues.ts';
import type { Issue } from '../../errors.ts';
import { type Ceremony, checkCeremony, commitmentOf } from './ceremony.ts';
import { type ReadShare, readShare } from './share-text.ts';

/** What a share states, as {@link checkShare} returns it. No member is secret. */
export interface CheckedShare {
  /** The number of the share, from 1. */
  readonly number: number;
  /** How many shares the ceremony has. */
  readonly shares: number;
  /** How many of them join to the identity. */
  readonly threshold: number;
  /** The id of the ceremony. */
  readonly ceremony: string;
  /** The recipient that the identity belongs to. */
  readonly recipient: string;
}

/**
 * Checks one share against the record of its ceremony: that its text is complete, and that it is the share that the
 * dealer committed to. So holders can test their share alone, without meeting.
 *
 * It does not prove that the shares join to an identity: the dealer made the commitments, too. Only a drill proves
 * that.
 *
 * @throws TrefoilError `share_mistyped` with the `line` that is wrong; `share_foreign`; `share_wrong` with the number
 * of the share as `actual`; `ceremony_broken`.
 * @throws TypeError for other types.
 *
 * @example
 * ```ts
 * import * as age from 'age-encryption';
 * import * as shamir from 'shamir-secret-sharing';
 * import { checkShare, splitIdentity } from 'trefoil/custody';
 *
 * const { shares, ceremony } = await splitIdentity({ age, shamir, shares: 3, threshold: 2 });
 * checkShare(shares[1]!, ceremony).number; // → 2
 * ```
 */
export function checkShare(text: string, ceremony: Ceremony): CheckedShare {
  const record = checkCeremony(ceremony);
  const share = readShare(text);
  if (!isOf(share, record)) throwIssues([foreignShare('the record')]);
  if (!isCommitted(share, record)) throwIssues([wrongShare(share)]);
  const { number, shares, threshold } = share;
  return { number, shares, threshold, ceremony: share.ceremony, recipient: record.recipient };
}

/**
 * Returns whether a share is of a ceremony.
 *
 * @param expected the ceremony. Its recipient is compared if it is known and the text of the share has one.
 */
export function isOf(
  share: ReadShare,
  expected: Pick<Ceremony, 'ceremony' | 'threshold' | 'shares'> & { readonly recipient: string | null },
): boolean {
  const { ceremony, threshold, shares, recipient } = share;
  if (ceremony !== expected.ceremony || threshold !== expected.threshold || shares !== expected.shares) return false;
  return recipient === null || expected.recipient === null || recipient === expected.recipient;
}

/** The issue of a share that is of another ceremony than a source. */
export function foreignShare(source: string): Issue {
  return { code: 'share_foreign', message: `the share is of another ceremony or recipient than ${source}` };
}

/** Returns whether a share fits its commitment. */
export function isCommitted({ number, value }: ReadShare, record: Ceremony): boolean {
  return commitmentOf(record, number, value) === record.commitments[number - 1];
}

/** The issue of a share that its ceremony does not have. */
export function wrongShare({ number, row }: ReadShare & { readonly row?: number }): Issue {
  const message =
    `share ${number} is not the one of its ceremony, because it was changed or made up; ` +
    `get share ${number} from its holder again`;
  return { code: 'share_wrong', message, actual: number, ...(row !== undefined && { row }) };
}
