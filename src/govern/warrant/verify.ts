/**
 * Verifying a warrant (docs/spec/govern/warrant-v1.md, "Verifying"). It is pure: what the log knows, whether somebody
 * has refused and what was spent, is asked there.
 */

import { badType, checkOptions, typeName } from '../../core/checks.ts';
import type { Charter, Desk, Officer, Purpose } from '../charter/charter.ts';
import { checkIsCharter } from '../charter/parse.ts';
import type { Demand } from '../text/items.ts';
import { approversOf, candidatesOf, checkDemands, checkRequester, signaturesUnder } from './approvals.ts';
import type { Dossier } from './dossier.ts';
import { checkCharterOf, checkDomainOf, checkTimeOf, dossierOf, partiesOf, purposeOf } from './steps.ts';
import { parseWarrant, type Warrant } from './warrant.ts';

/** Options of {@link verifyWarrant}. */
export interface VerifyWarrantOptions {
  /** The newest charter, opened with `openCharter`. */
  readonly charter: Charter;
  /** The file of the dossier, as text or bytes. */
  readonly dossier: string | Uint8Array;
  /** The time, in seconds since 1970 in UTC. Clocks may differ by 60 seconds. */
  readonly now: number;
  /** Demands on top of those of the purpose, such as those for protected people. Default: none. */
  readonly extra?: readonly Demand[] | undefined;
}

/** A warrant that is valid, and signed by all who have to. */
export interface VerifiedWarrant {
  readonly warrant: Warrant;
  /** SHA-256 of the warrant's text, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly dossier: Dossier;
  readonly requester: Officer;
  readonly desk: Desk;
  readonly purpose: Purpose;
  /** The officers who count for the demands, in the order of the charter. Others may have signed as well. */
  readonly approvers: readonly Officer[];
  /** The note as it is logged: the text, and one signature each of the requester and these approvers, in that order. */
  readonly note: string;
}

/**
 * Verifies a warrant: its form, its charter, domain, time, parties, purpose and dossier, and then its signatures. The
 * first step that fails throws.
 *
 * It does not know the log: whether the warrant was refused or its id is taken, and what is left of its budgets.
 *
 * @param note the warrant with its signatures, as text or bytes: at most 32,768 bytes.
 * @throws TrefoilError, in this order: `warrant_invalid`; `charter_outdated`; `warrant_invalid` for another domain;
 * `warrant_expired`; `not_in_charter`; `unknown_purpose`, `warrant_exceeds`; `dossier_not_canonical`, `dossier_wrong`;
 * `note_invalid`, `signature_invalid`, `ssh_signature_invalid`; `warrant_unsigned`, `self_approval`.
 *
 * @example
 * ```ts
 * import { verifyWarrant } from 'trefoil/govern';
 *
 * function canRun(...[note, options]: Parameters<typeof verifyWarrant>): string {
 *   const { purpose, approvers } = verifyWarrant(note, options);
 *   return `${purpose.name}, approved by ${approvers.length}`;
 * }
 * ```
 */
export function verifyWarrant(note: string | Uint8Array, options: VerifyWarrantOptions): VerifiedWarrant {
  const { charter, dossier: file, now, extra } = checked(options);
  const warrant = parseWarrant(note);
  checkCharterOf(warrant, charter);
  checkDomainOf(warrant, charter);
  checkTimeOf(warrant, now);
  const { requester, desk } = partiesOf(warrant, charter);
  const purpose = purposeOf(warrant, charter);
  const dossier = dossierOf(warrant, file);
  const signed = signaturesUnder(note, warrant.text, charter, 'warrant@trefoil');
  checkRequester(signed, requester);
  const approvers = approversOf(signed, candidatesOf(signed, requester, desk), { demands: purpose.approvals, extra });
  const counted = signed.officers.filter((officer) => officer === requester || approvers.includes(officer));
  return Object.freeze({
    warrant,
    sha256: warrant.sha256,
    dossier,
    requester,
    desk,
    purpose,
    approvers: Object.freeze(approvers),
    note: signed.noteWith(counted),
  });
}

function checked(options: VerifyWarrantOptions): VerifyWarrantOptions & { readonly extra: readonly Demand[] } {
  const given = checkOptions<VerifyWarrantOptions>('options', options, ['charter', 'dossier', 'now', 'extra']);
  if (typeof given.now !== 'number') badType('now', `expected seconds since 1970, got ${typeName(given.now)}`);
  checkIsCharter('charter', given.charter);
  return { ...given, extra: checkDemands('extra', given.extra) };
}
