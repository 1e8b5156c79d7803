/**
 * Verifying what follows a warrant: refusals and ratifications; and clock statements (docs/spec/govern/warrant-v1.md).
 * What the log knows, such as whether these are the uses, is asked there.
 */

import { badType, checkOptions } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import type { Charter, Officer } from '../charter/charter.ts';
import { checkIsCharter } from '../charter/parse.ts';
import { approversOf, candidatesOf, signaturesUnder } from './approvals.ts';
import { type ClockStatement, parseClock } from './clock.ts';
import { parseRatification, type Ratification } from './ratification.ts';
import { parseRefusal, type Refusal } from './refusal.ts';
import type { Warrant } from './warrant.ts';

/** Options of {@link verifyRefusal}, {@link verifyRatification}. */
export interface AboutWarrantOptions {
  readonly charter: Charter;
  /** The warrant that it is about. */
  readonly warrant: Warrant;
}

/** A refusal by somebody who may refuse. */
export interface VerifiedRefusal {
  readonly refusal: Refusal;
  readonly officer: Officer;
  /** The note as it is logged: the text and one signature. */
  readonly note: string;
}

/**
 * Verifies a refusal of a warrant. An officer may refuse who could approve it, or who is a keeper.
 *
 * @param note the refusal with its signature.
 * @throws TrefoilError `warrant_invalid`; `not_in_charter`; `note_invalid`, `signature_invalid`,
 * `ssh_signature_invalid`; `warrant_unsigned` if the officer has not signed it.
 *
 * @example
 * ```ts
 * import { verifyRefusal } from 'trefoil/govern';
 *
 * const refusedBy = (...args: Parameters<typeof verifyRefusal>): string => verifyRefusal(...args).officer.handle;
 * ```
 */
export function verifyRefusal(note: string | Uint8Array, options: AboutWarrantOptions): VerifiedRefusal {
  const { charter, warrant } = about(options);
  const refusal = parseRefusal(note);
  if (refusal.warrant !== warrant.sha256) fail('warrant_invalid', 'the refusal is about another warrant');
  const officer = charter.officers.get(refusal.officer);
  if (officer === undefined) return fail('not_in_charter', 'the officer who refuses is not in the charter');
  if (!mayRefuse(officer, warrant, charter)) {
    fail('not_in_charter', 'the officer who refuses could not approve the warrant, and is no keeper');
  }
  const signed = signaturesUnder(note, refusal.text, charter, 'refusal@trefoil');
  if (!signed.officers.includes(officer))
    fail('warrant_unsigned', 'the officer named in the refusal has not signed it');
  return Object.freeze({ refusal, officer, note: signed.noteWith([officer]) });
}

/** Whether an officer may end a warrant. */
export function mayRefuse(
  { handle, roles }: Officer,
  { requester, purpose: name }: Warrant,
  charter: Charter,
): boolean {
  if (roles.includes('keeper')) return true;
  const purpose = charter.purposes.get(name);
  const demands = [
    ...(purpose?.approvals ?? []),
    ...(purpose?.ratify?.demands ?? []),
    ...(charter.protected?.approvals ?? []),
  ];
  return handle !== requester && demands.some(({ role }) => roles.includes(role));
}

/** A ratification by all whom the break-glass purpose demands. */
export interface VerifiedRatification {
  readonly ratification: Ratification;
  readonly ratifiers: readonly Officer[];
  /** The note as it is logged: the text, and one signature of each ratifier, in the order of the charter. */
  readonly note: string;
}

/**
 * Verifies a ratification of uses of a break-glass warrant. It does not know the log: whether these are the uses.
 *
 * @param note the ratification with its signatures.
 * @throws TrefoilError `warrant_invalid`, also if the warrant is not one of break-glass; `not_in_charter`,
 * `unknown_purpose`; `note_invalid`, `signature_invalid`, `ssh_signature_invalid`; `warrant_unsigned`, `self_approval`.
 *
 * @example
 * ```ts
 * import { verifyRatification } from 'trefoil/govern';
 *
 * const ratified = (...args: Parameters<typeof verifyRatification>): readonly number[] =>
 *   verifyRatification(...args).ratification.uses.map(({ index }) => index);
 * ```
 */
export function verifyRatification(note: string | Uint8Array, options: AboutWarrantOptions): VerifiedRatification {
  const { charter, warrant } = about(options);
  const ratification = parseRatification(note);
  if (ratification.warrant !== warrant.sha256) fail('warrant_invalid', 'the ratification is about another warrant');
  const purpose = charter.purposes.get(warrant.purpose);
  if (purpose === undefined) return fail('unknown_purpose', 'the charter does not have the purpose of the warrant');
  if (purpose.ratify === null)
    return fail('warrant_invalid', 'the warrant is not one of break-glass: nothing to ratify');
  const requester = charter.officers.get(warrant.requester);
  if (requester === undefined) return fail('not_in_charter', 'the requester is not an officer of the charter');
  const signed = signaturesUnder(note, ratification.text, charter, 'ratification@trefoil');
  const { demands } = purpose.ratify;
  const ratifiers = approversOf(signed, candidatesOf(signed, requester, null), { demands, extra: [] });
  return Object.freeze({ ratification, ratifiers: Object.freeze(ratifiers), note: signed.noteWith(ratifiers) });
}

function about(options: AboutWarrantOptions): AboutWarrantOptions {
  const given = checkOptions<AboutWarrantOptions>('options', options, ['charter', 'warrant']);
  checkIsCharter('charter', given.charter);
  if (typeof given.warrant?.sha256 !== 'string') badType('warrant', 'expected a warrant, as parseWarrant returns it');
  return given;
}

/** A clock statement by the keepers. */
export interface VerifiedClock {
  readonly statement: ClockStatement;
  readonly keepers: readonly Officer[];
  /** The note as it is logged. */
  readonly note: string;
}

/**
 * Verifies a clock statement. As many keepers have to sign it as a change of the charter needs.
 *
 * @param note the statement with its signatures.
 * @throws TrefoilError `warrant_invalid`, also for another domain; `note_invalid`, `signature_invalid`,
 * `ssh_signature_invalid`; `warrant_unsigned`.
 *
 * @example
 * ```ts
 * import { verifyClock } from 'trefoil/govern';
 *
 * const timeOf = (...args: Parameters<typeof verifyClock>): number => verifyClock(...args).statement.at;
 * ```
 */
export function verifyClock(note: string | Uint8Array, options: { readonly charter: Charter }): VerifiedClock {
  const { charter } = checkOptions<{ readonly charter: Charter }>('options', options, ['charter']);
  checkIsCharter('charter', charter);
  const statement = parseClock(note);
  if (statement.domain !== charter.domain) fail('warrant_invalid', 'the clock statement is for another domain');
  const signed = signaturesUnder(note, statement.text, charter, 'clock@trefoil');
  const keepers = approversOf(signed, signed.officers, { demands: charter.change, extra: [] });
  return Object.freeze({ statement, keepers: Object.freeze(keepers), note: signed.noteWith(keepers) });
}
