/**
 * The place of governed keys that keeps charters and warrants: it verifies the warrant, holds it against what the
 * policy reveals, and has every batch noted before it is opened.
 */

import type { WarrantAccess } from '../../core/capability.ts';
import { fail, TrefoilError } from '../../errors.ts';
import type { DomainKeys } from '../../keys/domain-keys.ts';
import type { Batch, Grant, Place, PlaceFacts, Use } from '../../keys/place/place.ts';
import type { Sequencer, UseRequest } from '../ledger/sequencer.ts';
import { type ProtectedPeople, protectedDemands } from '../people/protected.ts';
import { type VerifiedWarrant, verifyWarrant } from '../warrant/verify.ts';
import { parseWarrant } from '../warrant/warrant.ts';
import { type People, peopleOf } from './people.ts';
import { NONCE, type RequestFields, type SignedRequest, signRequest } from './request.ts';
import { readPapers } from './warrant-access.ts';

/** What keeps the uses of warrants: the newest charter, budgets, and the log. */
export type UseKeeper = Pick<Sequencer, 'charter' | 'admit' | 'use' | 'deny'>;

/** What a place needs. */
export interface PlaceParts {
  /** Not governed: the place makes pseudonyms with them. */
  readonly keys: DomainKeys;
  readonly sequencer: UseKeeper;
  /** The list of protected people; `null` if there is none at hand. */
  readonly list: ProtectedPeople | null;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Returns what the desk has signed for a use, if it has signed already: a gateway's desk signs its HTTP request. */
  readonly signed?: (asked: RequestFields) => SignedRequest;
}

/** Makes the place. */
export function placeOf(parts: PlaceParts): Place {
  return {
    async grant(access, facts) {
      const granted = await counted(parts, access, async () => {
        const allowed = verified(parts, access, facts);
        await parts.sequencer.admit(allowed.warrant);
        return allowed;
      });
      return grantOf(parts, access, facts, granted);
    },
  };
}

/** Does work that may refuse a request, and has the log count the refusal. */
async function counted<T>({ sequencer }: PlaceParts, access: WarrantAccess, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A disk that is full is no refusal.
    if (error instanceof TrefoilError && error.kind !== 'io') sequencer.deny(error.code, warrantOf(access));
    throw error;
  }
}

/** SHA-256 of the text of the warrant, if it is one. */
function warrantOf(access: WarrantAccess): string | undefined {
  try {
    return parseWarrant(readPapers(access).note).sha256;
  } catch {
    return undefined;
  }
}

/** A warrant that allows what a policy is to do. */
interface Granted {
  readonly warrant: VerifiedWarrant;
  /** `null` if the warrant is about whole tables. */
  readonly people: People | null;
  /** Whether values must be bound to these people. */
  readonly isBound: boolean;
}

/**
 * Verifies a warrant and holds it against what is to be done. It is called for every batch again: meanwhile the charter
 * may be another one, and the time is.
 *
 * @param known the people of the warrant, if it was verified before. They are those of its dossier, under the charter
 *   that it names, so they do not change.
 */
function verified(
  { keys, sequencer, list, now }: PlaceParts,
  access: WarrantAccess,
  facts: PlaceFacts,
  known: People | null = null,
): Granted {
  const { note, dossier } = readPapers(access);
  const charter = sequencer.charter();
  const options = { charter, dossier, now: Math.floor(now() / 1000) };
  const warrant = verifyWarrant(note, options);
  checkFacts(warrant, facts);
  const isAbout = warrant.warrant.subjects !== null;
  const people = isAbout ? (known ?? peopleOf(warrant.dossier.subjects, keys, facts, charter)) : null;
  // Protected people are known by their pseudonyms alone, so the demands are found after the first verification.
  const extra = people === null ? [] : protectedDemands(charter, list, people.named.keys());
  const isBound = isAbout && !warrant.purpose.isUnbound;
  if (isBound) checkBound(people!, facts);
  return { warrant: extra.length === 0 ? warrant : verifyWarrant(note, { ...options, extra }), people, isBound };
}

/** Whether the warrant allows what the policy reveals. */
function checkFacts({ warrant }: VerifiedWarrant, facts: PlaceFacts): void {
  if (warrant.domain !== facts.domain) {
    fail('warrant_invalid', `the warrant is for domain ${warrant.domain}, and the keys are of ${facts.domain}`);
  }
  if (warrant.verb !== facts.verb) {
    fail('warrant_exceeds', `the warrant is for the verb ${warrant.verb}, and the policy was opened to ${facts.verb}`);
  }
  const beyond = facts.scopes.filter((scope) => !warrant.scopes.includes(scope));
  if (beyond.length > 0) {
    fail(
      'warrant_exceeds',
      `the policy reveals ${beyond.join(', ')}, which the warrant does not name; set "keep" for those fields in the ` +
        'policy that you reveal with, or ask for a warrant that names them',
    );
  }
}

/** Whether everything that is revealed is bound to the people of the warrant. */
function checkBound(people: People, { scopes, bound }: PlaceFacts): void {
  const loose = scopes.filter((scope) => !bound.includes(scope));
  if (loose.length > 0) {
    fail(
      'warrant_exceeds',
      `values of ${loose.join(', ')} are bound to nobody, so a value of somebody else could be put in their place; ` +
        'the purpose must say "unbound", or the values must be in a vault whose subject is that of the policy',
    );
  }
  if ([...people.named.values()].includes(null)) {
    fail(
      'dossier_wrong',
      'the dossier names people by their tokens alone, and a vault finds people by the text that the token is made ' +
        'from; ask for a warrant that names them by text',
    );
  }
}

function grantOf(parts: PlaceParts, access: WarrantAccess, facts: PlaceFacts, { people, isBound }: Granted): Grant {
  return {
    personOf: isBound ? people!.textOf : null,
    async use(batch): Promise<Use> {
      return counted(parts, access, async () =>
        parts.sequencer.use(await requestFor(parts, access, facts, people, batch)),
      );
    },
  };
}

/** What is asked for a batch, under a warrant that is valid now. The desk signs it. */
async function requestFor(
  parts: PlaceParts,
  access: WarrantAccess,
  facts: PlaceFacts,
  known: People | null,
  batch: Batch,
): Promise<UseRequest> {
  const { warrant, people, isBound } = verified(parts, access, facts, known);
  const pseudonyms = people === null ? [] : pseudonymsOf(people, batch);
  const now = Math.floor(parts.now() / 1000);
  const asked = { warrant, scopes: batch.values, now, nonce: parts.random(NONCE) };
  const { note, sha256 } = parts.signed?.(asked) ?? (await signRequest(asked, readPapers(access).desk));
  return {
    warrant: warrant.sha256,
    scopes: Object.fromEntries(batch.values),
    people: pseudonyms,
    bound: isBound,
    request: sha256,
    // The tokens of whole tables could be any number, and the warrant is about nobody in particular.
    details: { request: note, ...(people !== null && { subjects: batch.subjects }) },
  };
}

/** The pseudonyms of the people of a batch, each once. */
function pseudonymsOf(people: People, { subjects, withoutSubject }: Batch): readonly string[] {
  if (withoutSubject > 0 || subjects === null) {
    fail('other_subject', 'a record does not say whose it is, and the warrant is for people; nothing was opened', {
      actual: withoutSubject,
    });
  }
  return [...new Set(subjects.map(people.pseudonymOf))];
}
