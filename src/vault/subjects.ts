/** The keys of subjects: one for each, at random, which everything of the subject is sealed under as well. */

import { concat, encodeList, utf8 } from '../core/bytes.ts';
import { writeHex } from '../core/hex.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { eraseContent, LINK, readSubjectKey, type SubjectKey, writeSubjectKey } from './content.ts';
import { nameOf } from './names.ts';
import type { Session } from './session.ts';
import type { Stale } from './store.ts';

/** A subject whose key is there. */
export interface Subject extends SubjectKey {
  /** Index of the inner layer. */
  readonly index: Uint8Array;
}

/** A subject as the store has it: with its key, without it for ever, broken, or not at all. */
export type SubjectState = Subject | 'shredded' | 'broken' | 'absent';

/** What is done about a subject whose key is not there. */
export type Missing = 'leave' | 'create' | 'renew';

/** Proof that the key of a subject was destroyed. It can be checked with the keys and says nothing without them. */
export interface ShredCertificate {
  readonly trefoil: 'vault-v1 shredding';
  readonly domain: string;
  readonly store: string;
  /** Keyed index of the subject, 32 hexadecimal digits. */
  readonly subject: string;
  /** How many keys of this subject have been destroyed by now. */
  readonly generation: number;
  /** When, as ISO 8601 in UTC. */
  readonly at: string;
  /** HMAC-SHA-256 over all of this. */
  readonly mac: string;
}

const KEY = 64;

/** Looks subjects up by their inner indexes; with `create` those that are absent get a key, with `renew` shredded ones, too. */
export async function findSubjects(
  session: Session,
  indexes: readonly Uint8Array[],
  missing: Missing,
): Promise<Map<string, SubjectState> | Stale> {
  const { store, meta } = session;
  const found = new Map<string, SubjectState>();
  let left = indexes;
  // Who loses a race finds the winner's key in the next round.
  for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
    const places = left.map((index) => session.indexesOf([index]));
    const rows = await store.get('subject', places.flat());
    const byIndex = new Map(rows.map((row) => [nameOf(row.index), row]));
    const absent: number[] = [];
    const again: Uint8Array[] = [];
    for (const [i, index] of left.entries()) {
      const row = places[i]!.map((place) => byIndex.get(nameOf(place))).find((one) => one !== undefined);
      const opened = row === undefined ? null : session.open('subject', row);
      if (row === undefined) absent.push(i);
      else if (opened === null) found.set(nameOf(index), 'broken');
      else if (opened.content.state === 'live') {
        found.set(nameOf(index), { index, ...readSubjectKey(opened.content.rest) });
      } else if (missing === 'renew') {
        const { generation } = readSubjectKey(opened.content.rest);
        const rest = writeSubjectKey({ generation: generation + 1, key: randomBytes(KEY) });
        const to = session.seal('subject', { instead: row }, { ...opened.content, state: 'live', rest }, null);
        const done = await store.change(meta().generation, [
          { table: 'subject', index: row.index, from: row.version, to },
        ]);
        if (done === 'stale') return done;
        again.push(index);
      } else found.set(nameOf(index), 'shredded');
    }
    if (absent.length > 0 && missing === 'leave') {
      for (const i of absent) found.set(nameOf(left[i]!), 'absent');
    } else if (absent.length > 0) {
      const entries = absent.map((i) => ({
        row: session.seal('subject', { inner: left[i]! }, newSubject(session), null),
        unless: places[i]!.slice(1),
      }));
      const won = await store.create(meta().generation, 'subject', entries);
      if (won === 'stale') return won;
      again.push(...absent.map((i) => left[i]!));
    }
    left = again;
  }
  return found;
}

/** Rounds of a race that nobody wins: more than this is a fault. */
export const ROUNDS = 8;

function newSubject(session: Session) {
  const rest = writeSubjectKey({ generation: 1, key: randomBytes(KEY) });
  return { state: 'live' as const, inner: session.meta().subjects, link: randomBytes(LINK), rest };
}

/** Destroys the key of a subject, also of one that was never there: what is loaded of it later is refused, too. */
export async function shredSubject(session: Session, text: string): Promise<ShredCertificate> {
  const index = session.subjectIndexOf(utf8(text));
  const generation = await session.steady(async (): Promise<number | Stale> => {
    const places = session.indexesOf([index]);
    const [row] = await session.store.get('subject', places);
    const opened = row === undefined ? null : session.open('subject', row);
    const now = session.meta().generation;
    if (row === undefined) {
      const gone = { ...newSubject(session), state: 'erased' as const };
      const rest = writeSubjectKey({ generation: 1, key: new Uint8Array(KEY) });
      const entry = {
        row: session.seal('subject', { inner: index }, { ...gone, rest }, null),
        unless: places.slice(1),
      };
      const won = await session.store.create(now, 'subject', [entry]);
      return won === 'stale' || won.length === 0 ? 'stale' : 1;
    }
    // A row that does not open is destroyed all the same.
    const before = opened === null ? { generation: 1 } : readSubjectKey(opened.content.rest);
    if (opened?.content.state === 'erased') return before.generation;
    const rest = writeSubjectKey({ generation: before.generation, key: new Uint8Array(KEY) });
    const content = { ...eraseContent(opened?.content ?? newSubject(session)), rest };
    const to = session.seal('subject', { instead: row }, content, null);
    const done = await session.store.change(now, [{ table: 'subject', index: row.index, from: row.version, to }]);
    return done === true ? before.generation : 'stale';
  });
  await session.store.scrub();
  return certificateOf(session, { subject: writeHex(index), generation, at: new Date().toISOString() });
}

function certificateOf(
  session: Session,
  said: Pick<ShredCertificate, 'subject' | 'generation' | 'at'>,
): ShredCertificate {
  const { domain } = session.keys;
  const parts = ['vault-v1 shredding', domain, session.name, said.subject, String(said.generation), said.at];
  const mac = writeHex(session.outer(session.meta().outer[0]!).mac(concat([encodeList(parts)])));
  return Object.freeze({ trefoil: 'vault-v1 shredding', domain, store: session.name, ...said, mac });
}

/** What is wrong with a subject, for the value that belongs to it. */
export function subjectIssue(state: 'shredded' | 'broken'): Issue {
  return state === 'shredded'
    ? { code: 'erased', message: 'the subject was erased from the vault, and its policy says that it stays so' }
    : { code: 'row_broken', message: 'the row of the subject does not verify; see trefoil vault verify' };
}
