/**
 * What is asked of a warrant before anybody looks at its signatures, a function for each step, in the order in which
 * `verifyWarrant` takes them (docs/spec/govern/warrant-v1.md, "Verifying"). Each throws the error of its step.
 */

import { equalBytes, utf8 } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import type { Charter, Desk, Officer, Purpose } from '../charter/charter.ts';
import { type Dossier, isCaseOf, NOT_ITS_OWN, parseDossier } from './dossier.ts';
import type { WarrantFields } from './warrant.ts';

/** How far two clocks may differ, in seconds. */
export const SKEW = 60;

/** How long after it was asked for our tools sign a warrant, in seconds. */
export const OLDEST_SIGNED = 86_400;

/** The warrant names this charter, and not an older one. */
export function checkCharterOf({ charter: named }: WarrantFields, charter: Charter): void {
  if (named.version !== charter.version) {
    const message = 'the warrant names another version of the charter than the newest one; ask for a new warrant';
    fail('charter_outdated', message, { expected: charter.version, actual: named.version });
  }
  if (named.sha256 !== charter.sha256) {
    fail('charter_outdated', 'the warrant names another text of this version of the charter; compare the two charters');
  }
}

/** The warrant is for the domain of the charter, and shows its case in the form that the charter demands. */
export function checkDomainOf({ domain, case: stated }: WarrantFields, charter: Charter): void {
  if (domain !== charter.domain) fail('warrant_invalid', 'the warrant is for another domain than that of the charter');
  if ('shown' in stated !== charter.isCaseShown) {
    const form = charter.isCaseShown ? 'the case in clear' : 'a commitment in place of the case';
    fail('warrant_invalid', `the charter demands ${form}`);
  }
}

/** The warrant is valid now. Clocks may differ by a minute. */
export function checkTimeOf({ from, until }: WarrantFields, now: number): void {
  // Written so that a time that is no number is refused.
  if (!(now >= from - SKEW)) fail('warrant_expired', 'the warrant is not valid yet; it begins later');
  if (!(now <= until + SKEW)) fail('warrant_expired', 'the warrant is not valid any more; ask for a new one');
}

/** The requester and the desk are in the charter, and belong together. */
export function partiesOf(
  { requester: handle, desk: deskHandle }: WarrantFields,
  charter: Charter,
): { readonly requester: Officer; readonly desk: Desk } {
  const requester = charter.officers.get(handle);
  if (requester === undefined) return fail('not_in_charter', 'the requester is not an officer of the charter');
  if (!requester.roles.includes('requester')) {
    fail('not_in_charter', 'the officer who asks does not have the role requester');
  }
  const desk = charter.desks.get(deskHandle);
  if (desk === undefined) return fail('not_in_charter', 'the desk of the warrant is not in the charter');
  if (desk.of !== handle) fail('not_in_charter', 'the desk of the warrant is one of another officer');
  return { requester, desk };
}

/** The purpose is one of the charter, and allows what the warrant asks for. */
export function purposeOf(warrant: WarrantFields, charter: Charter): Purpose {
  const purpose = charter.purposes.get(warrant.purpose);
  if (purpose === undefined) return fail('unknown_purpose', 'the charter does not have the purpose of the warrant');
  if (warrant.verb !== purpose.verb) fail('warrant_exceeds', `the purpose is for the verb ${purpose.verb} alone`);
  for (const [i, scope] of warrant.scopes.entries()) {
    if (!purpose.scopes.includes(scope)) {
      fail('warrant_exceeds', `scope ${i + 1} of the warrant is not one of its purpose; kind and store count as well`);
    }
  }
  checkMost('values', warrant.values, purpose.values);
  if (purpose.subjects === null && warrant.subjects !== null) {
    fail('warrant_exceeds', 'the purpose is about whole tables and counts no people, so the warrant says subjects any');
  }
  checkMost('people', warrant.subjects, purpose.subjects);
  const seconds = warrant.until - warrant.from;
  if (seconds > purpose.seconds) {
    const message = 'the warrant is valid for longer than its purpose allows, in seconds';
    fail('warrant_exceeds', message, { maximum: purpose.seconds, actual: seconds });
  }
  return purpose;
}

function checkMost(what: string, asked: number | null, most: number | null): void {
  if (most === null) return;
  if (asked === null) {
    fail('warrant_exceeds', `the warrant asks for any number of ${what}, which its purpose does not allow`);
  }
  if (asked > most) {
    fail('warrant_exceeds', `the warrant asks for more ${what} than its purpose allows`, {
      maximum: most,
      actual: asked,
    });
  }
}

/** The dossier is the one of the warrant, is canonical, and has as many people and the case that the warrant says. */
export function dossierOf(warrant: WarrantFields, file: string | Uint8Array): Dossier {
  const dossier = parseDossier(file);
  if (!equalBytes(utf8(dossier.sha256), utf8(warrant.dossier))) {
    fail('dossier_wrong', NOT_ITS_OWN);
  }
  const people = dossier.subjects.length;
  if (people !== (warrant.subjects ?? 0)) {
    const message = 'the dossier names another number of people than the warrant';
    fail('dossier_wrong', message, { expected: warrant.subjects ?? 0, actual: people });
  }
  if (!isCaseOf(dossier, warrant.case)) fail('dossier_wrong', 'the dossier has another case than the warrant');
  return dossier;
}

/**
 * Whether our tools may sign a warrant now: it was asked for within the last day. A person who signs should see what is
 * asked today, and not what somebody has kept.
 */
export function checkSignable({ asked, until }: WarrantFields, now: number): void {
  if (!(now >= asked - SKEW)) fail('warrant_expired', 'the warrant was asked for in the future; check the clocks');
  if (!(now <= asked + OLDEST_SIGNED)) {
    fail('warrant_expired', 'the warrant was asked for more than a day ago, so it is not signed; ask for a new one');
  }
  if (!(now <= until + SKEW)) fail('warrant_expired', 'the warrant is not valid any more; ask for a new one');
}
