/**
 * Signing: what our tools demand before an officer's key is used (docs/spec/govern/warrant-v1.md, "Signing"). A
 * verifier does not rely on any of it. It keeps an officer from signing what would not count, or what they have not
 * been shown.
 */

import { badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { writeEntry } from '../../log/entry/entry.ts';
import type { Charter, Officer, Purpose } from '../charter/charter.ts';
import { checkIsCharter } from '../charter/parse.ts';
import type { PartySigner } from '../officers/party-signer.ts';
import { addSignature, partyOf } from '../officers/signatures.ts';
import { type Signed, signedSoFar } from './approvals.ts';
import type { Dossier } from './dossier.ts';
import { textOf } from './fields.ts';
import { parseRatification } from './ratification.ts';
import { parseRefusal } from './refusal.ts';
import { checkCharterOf, checkDomainOf, checkSignable, dossierOf, partiesOf, purposeOf } from './steps.ts';
import { mayRefuse } from './verify-statements.ts';
import { parseWarrant, type Warrant } from './warrant.ts';

/** Options of {@link signWarrant}. */
export interface SignWarrantOptions {
  readonly charter: Charter;
  /** The file of the dossier, as text or bytes. */
  readonly dossier: string | Uint8Array;
  /** The time, in seconds since 1970 in UTC. */
  readonly now: number;
  readonly signer: PartySigner;
}

/** A warrant that an officer may sign, with what has to be shown before. */
export interface ToSign {
  readonly warrant: Warrant;
  readonly dossier: Dossier;
  readonly purpose: Purpose;
  /** The officer who is about to sign. */
  readonly officer: Officer;
  /** The signatures so far. */
  readonly signed: Signed;
  /** Signs, and returns the note with the new signature. */
  readonly sign: () => Promise<string>;
}

/**
 * Checks that an officer may sign a warrant now, and returns what has to be shown to them before they do.
 *
 * Everything is checked that `verifyWarrant` checks before the signatures, and those that are there. The warrant must
 * have been asked for within the last day. The requester signs first. Everybody else must have a role that the purpose
 * demands, or that the charter demands for protected people.
 *
 * @param note the warrant, with or without signatures.
 * @throws TrefoilError as `verifyWarrant`; `warrant_expired` for one that was asked for more than a day ago;
 * `not_in_charter` for a key or role that does not count; `self_approval`; `warrant_unsigned` if the requester has not
 * signed yet; `warrant_invalid` if the officer has signed already, or a log entry could not hold the note.
 */
export function readyToSign(note: string, options: SignWarrantOptions): ToSign {
  const { charter, dossier: file, now, signer } = checked(options);
  const warrant = parseWarrant(note);
  checkCharterOf(warrant, charter);
  checkDomainOf(warrant, charter);
  checkSignable(warrant, now);
  const { requester } = partiesOf(warrant, charter);
  const purpose = purposeOf(warrant, charter);
  const dossier = dossierOf(warrant, file);
  const officer = officerOf(signer, charter);
  const signed = signedSoFar(note, warrant.text, charter, 'warrant@trefoil');
  checkTurn(officer, requester, signed, charter, purpose);
  return {
    warrant,
    dossier,
    purpose,
    officer,
    signed,
    sign: async () => {
      const line = await signer.sign(warrant.text, 'warrant@trefoil');
      return loggable('warrant', addSignature(note, line));
    },
  };
}

/**
 * Signs a warrant for an officer: the requester first, then those who approve.
 *
 * **Warning**: it shows nothing. Show the officer `warrantInWords` before, or let them use `trefoil warrant sign`.
 *
 * @param note the warrant, with or without signatures.
 * @returns the note with the new signature.
 * @throws TrefoilError as `verifyWarrant`; `warrant_expired` for one that was asked for more than a day ago;
 * `not_in_charter` for a key or role that does not count; `self_approval`; `warrant_unsigned` if the requester has not
 * signed yet; `warrant_invalid` if the officer has signed already, or a log entry could not hold the note.
 *
 * @example
 * ```ts
 * import { signWarrant } from 'trefoil/govern';
 *
 * const approve = (...args: Parameters<typeof signWarrant>): Promise<string> => signWarrant(...args);
 * ```
 */
export async function signWarrant(note: string, options: SignWarrantOptions): Promise<string> {
  return readyToSign(note, options).sign();
}

function checked(options: SignWarrantOptions): SignWarrantOptions {
  const given = checkOptions<SignWarrantOptions>('options', options, ['charter', 'dossier', 'now', 'signer']);
  if (typeof given.now !== 'number') badType('now', `expected seconds since 1970, got ${typeName(given.now)}`);
  checkIsCharter('charter', given.charter);
  return given;
}

/** Whose key it is. */
function officerOf(signer: PartySigner, { officers }: Charter): Officer {
  if (typeof signer?.sign !== 'function' || typeof signer.key?.raw !== 'string') {
    badType('signer', 'expected a signer, as notePartySigner and sshPartySigner make them');
  }
  const party = partyOf(new Map([...officers].map(([handle, { keys }]) => [handle, keys])), signer.key);
  if (party === null) return fail('not_in_charter', 'the key is of no officer of the charter');
  return officers.get(party.handle)!;
}

function checkTurn(
  officer: Officer,
  requester: Officer,
  { officers }: Signed,
  charter: Charter,
  purpose: Purpose,
): void {
  const hasSigned = officers.includes(officer);
  if (officer === requester) {
    if (hasSigned) fail('self_approval', 'the requester has signed already, and cannot approve what they ask for');
    return;
  }
  if (hasSigned) fail('warrant_invalid', 'this officer has signed the warrant already, and counts once');
  const demands = [...purpose.approvals, ...(charter.protected?.approvals ?? [])];
  if (!demands.some(({ role }) => officer.roles.includes(role))) {
    fail('not_in_charter', 'the officer has no role that the purpose demands, so the signature would not count');
  }
  if (!officers.includes(requester))
    fail('warrant_unsigned', 'the requester has not signed the warrant, and signs first');
}

/** Refuses a note that a log entry could not hold. */
function loggable(kind: 'warrant' | 'refusal' | 'ratified', note: string): string {
  // The time has one length in all years that a log will see.
  writeEntry({ kind, note }, 4_000_000_000);
  return note;
}

/** Options of {@link signRefusal} and {@link signRatification}. */
export interface SignAboutOptions {
  readonly charter: Charter;
  /** The warrant that it is about. */
  readonly warrant: Warrant;
  readonly signer: PartySigner;
}

/**
 * Signs a refusal.
 *
 * @param text the text of the refusal, as `writeRefusal` makes it.
 * @returns the note.
 * @throws TrefoilError `warrant_invalid`; `not_in_charter` for a key of somebody else than the officer of the text, or
 * who may not refuse.
 *
 * @example
 * ```ts
 * import { signRefusal } from 'trefoil/govern';
 *
 * const refuse = (...args: Parameters<typeof signRefusal>): Promise<string> => signRefusal(...args);
 * ```
 */
export async function signRefusal(text: string, options: SignAboutOptions): Promise<string> {
  const { charter, warrant, signer } = checkedAbout(options);
  const refusal = parseRefusal(text);
  if (refusal.warrant !== warrant.sha256) fail('warrant_invalid', 'the refusal is about another warrant');
  const officer = officerOf(signer, charter);
  if (officer.handle !== refusal.officer) fail('not_in_charter', 'the refusal names another officer than the key');
  if (!mayRefuse(officer, warrant, charter)) {
    fail('not_in_charter', 'the officer could not approve the warrant, and is no keeper, so they cannot refuse it');
  }
  return loggable('refusal', addSignature(refusal.text, await signer.sign(refusal.text, 'refusal@trefoil')));
}

/**
 * Signs a ratification of uses of a break-glass warrant.
 *
 * @param note the ratification, with or without signatures.
 * @returns the note with the new signature.
 * @throws TrefoilError `warrant_invalid`, also if the warrant is not one of break-glass, or the officer has signed;
 * `not_in_charter` for a key or role that does not count; `self_approval` for the requester.
 *
 * @example
 * ```ts
 * import { signRatification } from 'trefoil/govern';
 *
 * const ratify = (...args: Parameters<typeof signRatification>): Promise<string> => signRatification(...args);
 * ```
 */
export async function signRatification(note: string, options: SignAboutOptions): Promise<string> {
  const { charter, warrant, signer } = checkedAbout(options);
  const ratification = parseRatification(note);
  if (ratification.warrant !== warrant.sha256) fail('warrant_invalid', 'the ratification is about another warrant');
  const ratify = charter.purposes.get(warrant.purpose)?.ratify ?? null;
  if (ratify === null) return fail('warrant_invalid', 'the warrant is not one of break-glass: nothing to ratify');
  const officer = officerOf(signer, charter);
  if (officer.handle === warrant.requester) fail('self_approval', 'the requester cannot ratify their own uses');
  if (!ratify.demands.some(({ role }) => officer.roles.includes(role))) {
    fail('not_in_charter', 'the officer has no role that ratifying demands, so the signature would not count');
  }
  const { officers } = signedSoFar(note, textOf(note), charter, 'ratification@trefoil');
  if (officers.includes(officer)) fail('warrant_invalid', 'this officer has signed already, and counts once');
  const line = await signer.sign(ratification.text, 'ratification@trefoil');
  return loggable('ratified', addSignature(note, line));
}

function checkedAbout(options: SignAboutOptions): SignAboutOptions {
  const given = checkOptions<SignAboutOptions>('options', options, ['charter', 'warrant', 'signer']);
  checkIsCharter('charter', given.charter);
  if (typeof given.warrant?.sha256 !== 'string') badType('warrant', 'expected a warrant, as parseWarrant returns it');
  return given;
}
