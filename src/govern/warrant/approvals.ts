/**
 * Who has signed, and whether that suffices (docs/spec/govern/warrant-v1.md, "Signatures"). The requester never counts
 * as an approver, and each officer counts once, whatever keys and roles they have.
 */

import { badType, checkInteger, checkName, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import type { Charter, Desk, Officer } from '../charter/charter.ts';
import { demandsInWords, type Matching, matchDemands } from '../officers/matching.ts';
import { type PartyKey, rawNoteKey, type SshNamespace } from '../officers/party-key.ts';
import { type SignedText, signaturesOf } from '../officers/signatures.ts';
import type { Demand } from '../text/items.ts';

/** What the officers of a charter have signed. */
export interface Signed {
  readonly text: string;
  /** Those who have signed, in the order of the charter. */
  readonly officers: readonly Officer[];
  /** The note with the text and a signature line of each of these officers, in this order. */
  readonly noteWith: (officers: readonly Officer[]) => string;
}

/**
 * Verifies the signatures of all officers of a charter.
 *
 * @throws TrefoilError `note_invalid`; `signature_invalid`, `ssh_signature_invalid` if that of a known key is broken.
 */
export function signedBy(note: string | Uint8Array, charter: Charter, namespace: SshNamespace): Signed {
  const parties = new Map<string, readonly PartyKey[]>();
  for (const { handle, keys } of charter.officers.values()) parties.set(handle, keys);
  const { text, by }: SignedText = signaturesOf(note, parties, namespace);
  const officers = [...charter.officers.values()].filter(({ handle }) => by.has(handle));
  return {
    text,
    officers,
    noteWith: (chosen) => `${text}\n${chosen.map(({ handle }) => `${by.get(handle)![0]!.line}\n`).join('')}`,
  };
}

/** The requester has signed. */
export function checkRequester({ officers }: Signed, requester: Officer): void {
  if (officers.includes(requester)) return;
  fail('warrant_unsigned', 'the requester has not signed the warrant');
}

/** Those who have signed and may approve: neither the requester, nor anyone with the key of the desk. */
export function candidatesOf({ officers }: Signed, requester: Officer, desk: Desk | null): readonly Officer[] {
  const others = officers.filter((officer) => officer !== requester);
  const own = desk === null ? null : rawNoteKey(desk.key);
  if (others.some(({ keys }) => keys.some(({ raw }) => raw === own))) {
    fail('self_approval', 'one of the approvers holds the key of the desk that will use the warrant');
  }
  return others;
}

/** What an approval is for, so that the messages fit. */
export interface Question {
  readonly demands: readonly Demand[];
  /** Demands that come on top, such as those for protected people. */
  readonly extra: readonly Demand[];
}

/**
 * Finds the approvers: distinct officers for all demands.
 *
 * Whether there are extra demands is found out only after the purpose's own are satisfied. Otherwise a requester could
 * learn, alone and without any approval, who is protected.
 *
 * @throws TrefoilError `warrant_unsigned`, which says how many of which role are missing; `self_approval` if it would
 * suffice with the requester's own signature.
 */
export function approversOf(
  { officers }: Signed,
  candidates: readonly Officer[],
  { demands, extra }: Question,
): readonly Officer[] {
  const usual = matchDemands(candidates, demands);
  if (usual.missing.length > 0) {
    if (matchDemands(officers, demands).missing.length === 0) {
      fail('self_approval', 'the requester is among the approvers, and nobody approves what they ask for themselves');
    }
    fail('warrant_unsigned', `signatures are missing: ${demandsInWords(usual.missing)}`);
  }
  const all: Matching<Officer> = matchDemands(candidates, [...demands, ...extra]);
  if (all.missing.length > 0) {
    const missing = demandsInWords(all.missing);
    fail('warrant_unsigned', `signatures are missing beyond those of the purpose: ${missing}`);
  }
  return all.chosen;
}

/** The signatures of a note whose text was read before. */
export function signaturesUnder(
  note: string | Uint8Array,
  text: string,
  charter: Charter,
  namespace: SshNamespace,
): Signed {
  const signed = signedBy(note, charter, namespace);
  // Two readers of one note must not find two texts in it.
  if (signed.text !== text) fail('note_invalid', 'the note cannot be divided into one text and its signatures');
  return signed;
}

/** The signatures of a note; none if it is a text that nobody has signed. */
export function signedSoFar(
  note: string | Uint8Array,
  text: string,
  charter: Charter,
  namespace: SshNamespace,
): Signed {
  const none: Signed = { text, officers: [], noteWith: () => text };
  return textIn(note) === text ? none : signaturesUnder(note, text, charter, namespace);
}

/** A note as text. It was read before, so it is UTF-8. */
function textIn(note: string | Uint8Array): string {
  return typeof note === 'string' ? note : new TextDecoder('utf-8', { ignoreBOM: true }).decode(note);
}

/** Checks demands that a caller has made, at most 100 people of each role. */
export function checkDemands(argument: string, value: unknown): readonly Demand[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) badType(argument, `expected a list of demands, got ${typeName(value)}`);
  return [...(value as unknown[])].map((demand) => {
    const { count, role } = checkOptions<{ count?: unknown; role?: unknown }>(argument, demand, ['count', 'role']);
    return { count: checkInteger(argument, count, 1, 100), role: checkName(argument, role) };
  });
}
