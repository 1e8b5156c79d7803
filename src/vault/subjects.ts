/**
 * The keys of subjects: a random handle and a random key for each, which everything of the subject is named and sealed
 * under as well. The handle is found by the subject, the key by the handle, so nothing that is kept of a value names its
 * subject; and when both are destroyed, nothing leads from the one to the other any more.
 */

import { encodeList, equalBytes, utf8 } from '../core/bytes.ts';
import { readHex, writeHex } from '../core/hex.ts';
import { fail, type Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { type SivOnce, sivOnce } from '../kernel/siv-once.ts';
import { type Content, eraseContent, HANDLE, LINK } from './content.ts';
import { type Find, firstOf, tableOf } from './index-table.ts';
import { nameOf } from './names.ts';
import type { Session } from './session.ts';
import type { Change, Row, Stale } from './store.ts';
import type { View } from './view.ts';

/** A subject whose key is there. */
export interface Subject {
  readonly handle: Uint8Array;
  /** AES-256-SIV under its key. */
  readonly siv: SivOnce;
  /** 32 bytes that name its values together with the values: without them no value can be guessed any more. */
  readonly name: Uint8Array;
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
  /** Shown id of the key that the rest was made with. */
  readonly keyId: string;
  /** Keyed index of the subject, 32 hexadecimal digits. */
  readonly subject: string;
  /** When this was written, as ISO 8601 in UTC. */
  readonly at: string;
  /** HMAC-SHA-256 over all of this. */
  readonly mac: string;
}

/** Bytes of a key's row: the key, and the name. */
export const KEY = 96;
const NAME_AT = 64;

/** Rounds of a race that nobody wins: more than this is a fault. */
export const ROUNDS = 8;

async function rowsAt({ store }: View, places: readonly (readonly Uint8Array[])[]): Promise<Find> {
  return tableOf(places.length === 0 ? [] : await store.get('subject', places.flat()));
}

/** The keys that belong to handles. */
export async function findByHandle(
  view: View,
  handles: readonly Uint8Array[],
): Promise<Map<string, SubjectState> | Stale> {
  const places = handles.map((handle) => view.indexesOf([view.subjects.keyIndexOf(handle)]));
  const found = await rowsAt(view, places);
  const rows = places.map((some) => firstOf(found, some));
  // Before a key is said to be gone: its row may have moved to an index that we did not know of.
  if (rows.includes(undefined) && (await view.isOlder())) return 'stale';
  return new Map(
    handles.map((handle, i): [string, SubjectState] => {
      const row = rows[i];
      if (row === undefined) return [nameOf(handle), 'absent'];
      const found = view.open('subject', row);
      if (found === null || found.content.rest.length !== KEY) return [nameOf(handle), 'broken'];
      if (found.content.state !== 'live') return [nameOf(handle), 'shredded'];
      const { rest } = found.content;
      return [nameOf(handle), { handle, siv: sivOnce(rest.subarray(0, NAME_AT)), name: rest.slice(NAME_AT) }];
    }),
  );
}

/** Looks subjects up by their inner indexes; with `create` those that are absent get a key, with `renew` shredded ones, too. */
export async function findSubjects(
  view: View,
  indexes: readonly Uint8Array[],
  missing: Missing,
): Promise<Map<string, SubjectState> | Stale> {
  const found = new Map<string, SubjectState>();
  let left = indexes;
  // Who loses a race finds the winner's key in the next round.
  for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
    const places = left.map((index) => view.indexesOf([index]));
    const rows = await rowsAt(view, places);
    const handles: { index: Uint8Array; handle: Uint8Array }[] = [];
    const absent: number[] = [];
    const again: Uint8Array[] = [];
    for (const [i, index] of left.entries()) {
      const row = firstOf(rows, places[i]!);
      const opened = row === undefined ? null : view.open('subject', row);
      if (row === undefined) absent.push(i);
      else if (opened === null || opened.content.rest.length !== HANDLE) found.set(nameOf(index), 'broken');
      else if (opened.content.state === 'live') handles.push({ index, handle: opened.content.rest });
      else if (missing !== 'renew') found.set(nameOf(index), 'shredded');
      else {
        const { handle, key } = fresh(view);
        const to = view.seal('subject', { instead: row }, contentOf(view, 'live', handle), null);
        const done = await view.store.change(view.meta.generation, [
          { table: 'subject', index: key.index, from: 0, to: key },
          { table: 'subject', index: row.index, from: row.version, to },
        ]);
        if (done === 'stale') return done;
        again.push(index);
      }
    }
    const keys = await findByHandle(
      view,
      handles.map(({ handle }) => handle),
    );
    if (keys === 'stale') return keys;
    for (const { index, handle } of handles) {
      const state = keys.get(nameOf(handle))!;
      // A handle without its key: rows of the table are missing, or it is being shredded at this instant.
      found.set(nameOf(index), state === 'absent' ? 'broken' : state);
    }
    if (missing === 'leave') {
      // Before a subject is said to be absent: it may have moved to an index that we did not know of.
      if (absent.length > 0 && (await view.isOlder())) return 'stale';
      for (const i of absent) found.set(nameOf(left[i]!), 'absent');
    } else if (absent.length > 0) {
      const done = await create(
        view,
        absent.map((i) => ({ index: left[i]!, others: places[i]!.slice(1) })),
      );
      if (done === 'stale') return done;
      again.push(...absent.map((i) => left[i]!));
    }
    left = again;
  }
  return found;
}

/** New subjects. Their keys are written before their handles: a handle never leads nowhere. */
async function create(
  view: View,
  wanted: readonly { readonly index: Uint8Array; readonly others: readonly Uint8Array[] }[],
): Promise<null | Stale> {
  const { store } = view;
  const { generation } = view.meta;
  const made = wanted.map((one) => ({ ...one, ...fresh(view) }));
  const keys = made.map(({ key }) => ({ row: key }));
  if ((await store.create(generation, 'subject', keys)) === 'stale') return 'stale';
  const handles = made.map(({ index, others, handle }) => ({
    row: view.seal('subject', { inner: index }, contentOf(view, 'live', handle), null),
    unless: others,
  }));
  const won = await store.create(generation, 'subject', handles);
  if (won === 'stale') return 'stale';
  // Keys of those who lost belong to nobody.
  const lost = made.filter((_, i) => !won.includes(i));
  if (lost.length > 0) {
    const changes = lost.map(({ key }) => ({
      table: 'subject' as const,
      index: key.index,
      from: key.version,
      to: null,
    }));
    await store.change(generation, changes);
  }
  return null;
}

/** A handle, and the row of its key. */
function fresh(view: View): { readonly handle: Uint8Array; readonly key: Row } {
  const handle = randomBytes(HANDLE);
  const content = contentOf(view, 'live', randomBytes(KEY));
  return { handle, key: view.seal('subject', { inner: view.subjects.keyIndexOf(handle) }, content, null) };
}

function contentOf(view: View, state: Content['state'], rest: Uint8Array): Content {
  return { state, inner: view.meta.subjects, link: randomBytes(LINK), rest };
}

/** Destroys handle and key of a subject, also of one that was never there: what is loaded of it later is refused, too. */
export async function shredSubject(session: Session, text: string): Promise<ShredCertificate> {
  const index = session.subjects.indexOf(utf8(text));
  await session.steady(async (view): Promise<null | Stale> => {
    const { store } = view;
    const now = view.meta.generation;
    const places = view.indexesOf([index]);
    const row = firstOf(await rowsAt(view, [places]), places);
    const gone = contentOf(view, 'erased', new Uint8Array(HANDLE));
    if (row === undefined) {
      const entry = { row: view.seal('subject', { inner: index }, gone, null), unless: places.slice(1) };
      const won = await store.create(now, 'subject', [entry]);
      return won === 'stale' || won.length === 0 ? 'stale' : null;
    }
    const opened = view.open('subject', row);
    if (opened === null || opened.content.rest.length !== HANDLE) {
      fail('row_broken', 'the row of the subject does not verify, so its key cannot be found: nothing was destroyed');
    }
    if (opened.content.state === 'erased') return null;
    const to = view.seal('subject', { instead: row }, gone, null);
    const changes: Change[] = [{ table: 'subject', index: row.index, from: row.version, to }];
    const keyPlaces = view.indexesOf([view.subjects.keyIndexOf(opened.content.rest)]);
    const key = firstOf(await rowsAt(view, [keyPlaces]), keyPlaces);
    if (key !== undefined) {
      // Also one that does not open is destroyed.
      const content = view.open('subject', key)?.content;
      const erased = eraseContent(content ?? contentOf(view, 'erased', new Uint8Array(KEY)));
      const to = view.seal('subject', { instead: key }, erased, null);
      changes.push({ table: 'subject', index: key.index, from: key.version, to });
    }
    return (await store.change(now, changes)) === true ? null : 'stale';
  });
  await session.scrub();
  const keyId = session.meta().subjects;
  const { domain } = session.keys;
  const said = { domain, store: session.name, keyId, subject: writeHex(index), at: new Date().toISOString() };
  return Object.freeze({ trefoil: TREFOIL, ...said, mac: writeHex(session.subjects.mac(messageOf(said))) });
}

const TREFOIL = 'vault-v1 shredding';

function messageOf({ domain, store, keyId, subject, at }: Omit<ShredCertificate, 'trefoil' | 'mac'>): Uint8Array {
  return encodeList([TREFOIL, domain, store, keyId, subject, at]);
}

/** Whether a certificate is one of this store's, and of this subject. */
export function isCertificate(session: Session, certificate: ShredCertificate, text: string): boolean {
  const { trefoil, domain, store, keyId, subject, at, mac } = certificate;
  const said = [trefoil, domain, store, keyId, subject, at, mac];
  if (said.some((part) => typeof part !== 'string') || trefoil !== TREFOIL) return false;
  if (domain !== session.keys.domain || store !== session.name || keyId !== session.meta().subjects) return false;
  const given = readHex(mac, 32);
  const isOurs = given !== null && equalBytes(given, session.subjects.mac(messageOf(certificate)));
  return isOurs && subject === writeHex(session.subjects.indexOf(utf8(text)));
}

/** What is wrong with a subject, for the value that belongs to it. */
export function subjectIssue(state: 'shredded' | 'broken'): Issue {
  return state === 'shredded'
    ? { code: 'erased', message: 'the subject was erased from the vault, and its policy says that it stays so' }
    : { code: 'row_broken', message: 'the row of the subject does not verify; see trefoil vault verify' };
}
