/** What governed keys refuse, and how it is said. */

import { fail } from '../../errors.ts';
import type { Place } from './place.ts';

/** What governed keys refuse: without a warrant, or altogether. */
export type RefusedByPlace = 'reveal' | 'rejects' | 'rekey' | 'project' | 'lookup' | 'export' | 'copy' | 'wait';

/** What a program was about to do, and how it is done with a warrant; `null` if there is no such way yet. */
interface Refused {
  readonly what: string;
  readonly instead: string | null;
}

const NO_WAY = 'no warrant does it in this version; use keys that are not governed';

const OPEN_POLICY = 'open a policy instead: await policy.open(keys, stores, warrantAccess(note, { dossier, desk }))';

const REFUSED: Readonly<Record<RefusedByPlace, Refused>> = {
  reveal: { what: 'nothing is revealed without a warrant', instead: OPEN_POLICY },
  rejects: { what: 'rejected records are not opened', instead: null },
  rekey: { what: 'nothing is moved to another key', instead: null },
  project: { what: 'nothing is moved to another domain', instead: null },
  lookup: { what: 'no value is looked up in a vault', instead: null },
  export: { what: 'a vault is not exported', instead: null },
  copy: { what: 'the keys do not go to another thread', instead: null },
  wait: {
    what: 'each use is noted before anything is revealed, and this verb cannot wait for that',
    instead: 'use the verbs of the opened policy, streams, or revealFile of trefoil/node',
  },
};

/** Refuses something that governed keys do not do. */
export function refuseGoverned(verb: RefusedByPlace): never {
  const { what, instead } = REFUSED[verb];
  fail('warrant_required', `the keys are governed: ${what}; ${instead ?? NO_WAY}`);
}

/**
 * Refuses a verb if the keys are governed.
 *
 * @throws TrefoilError `warrant_required`.
 */
export function demandUngoverned({ place }: { readonly place: Place | null }, verb: RefusedByPlace): void {
  if (place !== null) refuseGoverned(verb);
}
