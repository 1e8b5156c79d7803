/** The warrants that desks have presented, with their dossiers: the log has the warrants alone, and no dossier. */

import type { Sequencer } from '../../govern/ledger/sequencer.ts';
import { type ProtectedPeople, protectedDemands } from '../../govern/people/protected.ts';
import { subjectPseudonyms } from '../../govern/people/pseudonyms.ts';
import { type VerifiedWarrant, verifyWarrant } from '../../govern/warrant/verify.ts';
import type { DomainKeys } from '../../keys/domain-keys.ts';
import type { Caller } from './authentic.ts';
import { Refusal } from './refusal.ts';

/** The most warrants. The one that was presented first goes first; its desk can present it again. */
const MOST = 1000;

/** A warrant that was presented. */
export interface Presented {
  readonly note: string;
  readonly dossier: string;
  /** The handle of its desk. */
  readonly desk: string;
}

/** What a gateway knows of warrants. */
export interface Papers {
  /** Verifies a warrant, has the log take it, and keeps it. */
  readonly present: (caller: Caller, note: string, dossier: string) => Promise<VerifiedWarrant>;
  /** @throws Refusal with the status 404 if the warrant must be presented again. */
  readonly find: (caller: Caller, sha256: string) => Presented;
}

/** What is needed to verify warrants. */
export interface PapersParts {
  readonly keys: DomainKeys;
  readonly sequencer: Sequencer;
  readonly list: ProtectedPeople | null;
  readonly now: () => number;
}

/** Makes the papers of a gateway. */
export function makePapers({ keys, sequencer, list, now }: PapersParts): Papers {
  const known = new Map<string, Presented>();

  function verified(note: string, dossier: string): VerifiedWarrant {
    const charter = sequencer.charter();
    const options = { charter, dossier, now: Math.floor(now() / 1000) };
    const warrant = verifyWarrant(note, options);
    // People whom the dossier names by texts are looked at with the first values: a policy says how texts are read.
    const tokens = warrant.dossier.subjects.flatMap((person) => ('token' in person ? [person.token] : []));
    if (charter.subject === null || tokens.length === 0) return warrant;
    const extra = protectedDemands(charter, list, tokens.map(subjectPseudonyms(keys, charter.subject)));
    return extra.length === 0 ? warrant : verifyWarrant(note, { ...options, extra });
  }

  return {
    async present(caller, note, dossier) {
      const warrant = verified(note, dossier);
      checkDesk(caller, warrant.desk.handle);
      await sequencer.admit(warrant);
      known.delete(warrant.sha256);
      known.set(warrant.sha256, { note, dossier, desk: warrant.desk.handle });
      if (known.size > MOST) known.delete(known.keys().next().value!);
      return warrant;
    },
    find(caller, sha256) {
      const presented = known.get(sha256);
      if (presented === undefined) {
        throw new Refusal(404, 'warrant_invalid', 'the gateway does not have the warrant with its dossier; present it');
      }
      checkDesk(caller, presented.desk);
      return presented;
    },
  };
}

/** Refuses a caller that is not the desk of a warrant. */
export function checkDesk({ role, handle }: Caller, desk: string): void {
  if (role !== 'desk' || handle !== desk) {
    throw new Refusal(
      403,
      'not_in_charter',
      'the warrant is for another desk than the one that has signed the request',
    );
  }
}
