/** The lines of a charter about people and programs: `officer`, `desk`, `client`. Their handles are one name space. */

import { NAME_PATTERN } from '../../core/checks.ts';
import type { Verifier } from '../../note/verifier.ts';
import { type PartyKey, rawNoteKey, readPartyKeys } from '../officers/party-key.ts';
import { lineNameOf } from '../officers/signatures.ts';
import type { Line, Refuse } from '../text/lines.ts';
import type { Client, Desk, Officer } from './charter.ts';
import type { Arranged } from './order.ts';
import type { LogLines } from './policy-lines.ts';
import { type Words, wordsOf } from './words.ts';

/** The most keys of one officer. */
const MOST_KEYS = 16;

/** The most roles of one officer. */
const MOST_ROLES = 16;

/** Who and what a charter names. */
export interface People {
  readonly officers: ReadonlyMap<string, Officer>;
  readonly desks: ReadonlyMap<string, Desk>;
  readonly clients: ReadonlyMap<string, Client>;
}

/** What may be in a charter only once. Each refuses what was claimed before; by whom does not matter. */
interface Claims {
  readonly handle: (handle: string, words: Words) => string;
  readonly key: (handle: string, key: PartyKey, words: Words) => void;
  readonly verifier: (handle: string, verifier: Verifier, words: Words) => Verifier;
}

/** Reads the lines. */
export function readPeople(arranged: Arranged, log: LogLines, refuse: Refuse): People {
  const claims = claimsAfter(log, arranged, refuse);
  const officers = new Map<string, Officer>();
  for (const line of arranged.all('officer')) {
    const officer = readOfficer(line, claims, refuse);
    officers.set(officer.handle, officer);
  }
  const desks = new Map<string, Desk>();
  for (const line of arranged.all('desk')) {
    const desk = readDesk(line, officers, claims, refuse);
    desks.set(desk.handle, desk);
  }
  const clients = new Map<string, Client>();
  for (const line of arranged.all('client')) {
    const client = readClient(line, claims, refuse);
    clients.set(client.handle, client);
  }
  return { officers, desks, clients };
}

/**
 * A public key may be in a charter once, whatever its format, name and role: two lines with one key would be two
 * people, or a person and the log, who cannot be told apart. The keys of the log lines come first.
 */
function claimsAfter({ log, answers, logPolicy }: LogLines, arranged: Arranged, refuse: Refuse): Claims {
  const first = [log, ...logPolicy.witnesses.map(({ verifier }) => verifier)].map(noteKeyOf);
  const handles = new Set<string>();
  const raws = new Set(first.map(({ raw }) => raw));
  const names = new Set(first.map((key) => lineNameOf('', key)));
  const claims: Claims = {
    handle(handle, { refuse }) {
      if (handles.has(handle)) refuse('the handle is already that of an officer, desk or client');
      handles.add(handle);
      return handle;
    },
    key(handle, key, { refuse }) {
      if (raws.has(key.raw)) refuse('the public key is already in the charter, perhaps under another name');
      raws.add(key.raw);
      // The hash in a signature line has 32 bits, so a second key with the same one can be searched for.
      const name = lineNameOf(handle, key);
      if (names.has(name)) refuse('signature lines name the key as they name another one of the charter');
      names.add(name);
    },
    verifier(handle, verifier, words) {
      claims.key(handle, noteKeyOf(verifier), words);
      return verifier;
    },
  };
  if (answers !== null) claims.verifier('', answers, wordsOf(arranged.one('answers'), refuse));
  return claims;
}

function noteKeyOf(verifier: Verifier): PartyKey {
  return { kind: 'note', verifier, raw: rawNoteKey(verifier) };
}

/** `officer HANDLE ROLE[,ROLE...] KEY...` */
function readOfficer(line: Line, claims: Claims, refuse: Refuse): Officer {
  const words = wordsOf(line, refuse);
  const handle = claims.handle(words.name('the handle'), words);
  const roles = words.other(`roles such as approver,legal: at most ${MOST_ROLES}, each once`, rolesOf);
  const keys = readPartyKeys(words.rest(), words.refuse);
  if (keys.length > MOST_KEYS) words.refuse(`the officer has more than ${MOST_KEYS} keys`);
  for (const key of keys) claims.key(handle, key, words);
  return Object.freeze({ handle, roles, keys: Object.freeze([...keys]) });
}

function rolesOf(item: string): readonly string[] | null {
  const roles = item.split(',');
  const isValid = roles.length <= MOST_ROLES && roles.every((role) => NAME_PATTERN.test(role));
  return isValid && new Set(roles).size === roles.length ? Object.freeze(roles) : null;
}

/** `desk HANDLE of OFFICER note VKEY` */
function readDesk(line: Line, officers: ReadonlyMap<string, Officer>, claims: Claims, refuse: Refuse): Desk {
  const words = wordsOf(line, refuse);
  const handle = claims.handle(words.name('the handle'), words);
  words.word('of');
  const of = words.name('the handle of its officer');
  if (!officers.has(of)) words.refuse('the officer of the desk is not in the charter');
  words.word('note');
  const key = claims.verifier(handle, words.key(), words);
  words.end();
  return Object.freeze({ handle, of, key });
}

/** `client HANDLE note VKEY` */
function readClient(line: Line, claims: Claims, refuse: Refuse): Client {
  const words = wordsOf(line, refuse);
  const handle = claims.handle(words.name('the handle'), words);
  words.word('note');
  const key = claims.verifier(handle, words.key(), words);
  words.end();
  return Object.freeze({ handle, key });
}
