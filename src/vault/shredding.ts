/**
 * Shredding a subject, and the certificate that says what was destroyed (docs/spec/vault-v1.md, "Shredding").
 */

import { encodeList, equalBytes } from '../core/bytes.ts';
import { readHex, writeHex } from '../core/hex.ts';
import { fail } from '../errors.ts';
import { eraseContent, goneContent, HANDLE } from './rows/content.ts';
import { INDEX } from './rows/outer.ts';
import type { View } from './rows/view.ts';
import type { Session } from './session.ts';
import type { Change, Stale } from './stores/store.ts';
import { KEY, readSubjectRows } from './subjects.ts';

/**
 * What a shredding destroyed: the `key` of the subject; `nothing`, because the store had no key of the subject any
 * more; or a key that does not exist yet, `in advance`: the store refuses the subject from then on.
 */
export type Destroyed = 'key' | 'nothing' | 'in advance';

/** Options of `shred`. */
export interface ShredOptions {
  /** Also shreds a subject that the store does not know, so that the store refuses it when it is loaded later. */
  readonly inAdvance?: true | undefined;
}

/** What a store says of a subject that was shredded. It can be checked with the keys and says nothing without them. */
export interface ShredCertificate {
  readonly trefoil: 'vault-v1 certificate';
  /** What was destroyed. */
  readonly destroyed: Destroyed;
  /** How many mappings died with the key: nothing in the store leads from a subject to its mappings. */
  readonly mappings: 'not known to the store';
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

const TREFOIL = 'vault-v1 certificate';
const MAPPINGS = 'not known to the store';
/** The names of a certificate's fields, sorted. */
const FIELDS = 'at,destroyed,domain,keyId,mac,mappings,store,subject,trefoil';
const DESTROYED: readonly string[] = ['key', 'nothing', 'in advance'];

/** Destroys handle and key of a subject; `null`, and nothing is done, when the store does not know it. */
export async function shredSubject(
  session: Session,
  text: string,
  inAdvance: boolean,
): Promise<ShredCertificate | null> {
  const index = session.subjects.indexesOf([text]);
  const destroyed = await session.steady((view) => shredBy(view, index, inAdvance));
  if (destroyed === 'absent') return null;
  await session.scrub();
  const stated = {
    destroyed,
    mappings: MAPPINGS,
    domain: session.keys.domain,
    store: session.name,
    keyId: session.meta().subjects,
    subject: writeHex(index),
    at: new Date().toISOString(),
  } as const;
  return Object.freeze({ trefoil: TREFOIL, ...stated, mac: writeHex(session.subjects.mac(messageOf(stated))) });
}

async function shredBy(view: View, index: Uint8Array, inAdvance: boolean): Promise<Destroyed | 'absent' | Stale> {
  const { store } = view;
  const now = view.meta.generation;
  const { places, rows, found } = await readSubjectRows(view, index);
  const row = rows[0];
  const gone = goneContent(view.meta.subjects, HANDLE);
  if (row === undefined) {
    // Before a subject is said to be unknown: it may have moved to an index that we did not know of.
    if (await view.isOlder()) return 'stale';
    if (!inAdvance) return 'absent';
    const entry = { row: view.seal('subject', { index: places.first(0) }, gone, null), unless: places.others(0) };
    const won = await store.create(now, 'subject', [entry]);
    return won === 'stale' || won.length === 0 ? 'stale' : 'in advance';
  }
  const content = found[0]?.content;
  if (content?.rest.length !== HANDLE) {
    fail('row_broken', 'the row of the subject does not verify, so its key cannot be found: nothing was destroyed');
  }
  if (content.state === 'erased') return 'nothing';
  const changes: Change[] = [
    { table: 'subject', index: row.index, from: row.version, to: view.seal('subject', { instead: row }, gone, null) },
  ];
  const key = await readSubjectRows(view, view.subjects.keyIndexesOf([content.rest]));
  const keyRow = key.rows[0];
  const own = key.found[0]?.content;
  // An import that died may have erased the key, and not yet the row that leads to it.
  const isErased = own?.state === 'erased';
  if (keyRow === undefined) {
    // Somebody took the key away. An erased row in its place keeps an import from bringing it back.
    const to = view.seal('subject', { index: key.places.first(0) }, goneContent(view.meta.subjects, KEY), null);
    changes.push({ table: 'subject', index: to.index, from: 0, to });
  } else if (!isErased) {
    // A key that does not open is destroyed as well.
    const erased = own === undefined ? goneContent(view.meta.subjects, KEY) : eraseContent(own);
    const to = view.seal('subject', { instead: keyRow }, erased, null);
    changes.push({ table: 'subject', index: keyRow.index, from: keyRow.version, to });
  }
  if ((await store.change(now, changes)) !== true) return 'stale';
  return keyRow === undefined || isErased ? 'nothing' : 'key';
}

/** What a store has of a subject: a tombstone, a key, or nothing. */
export type SubjectNow = 'erased' | 'alive' | 'unknown';

/** What the store has now of the subject of a certificate. */
export function subjectNow(session: Session, { subject }: ShredCertificate): Promise<SubjectNow> {
  const index = readHex(subject, INDEX)!;
  return session.steady(async (view): Promise<SubjectNow | Stale> => {
    const { rows, found } = await readSubjectRows(view, index);
    if (rows[0] === undefined) return (await view.isOlder()) ? 'stale' : 'unknown';
    const content = found[0]?.content;
    if (content?.rest.length !== HANDLE) fail('row_broken', 'the row of the subject does not verify');
    return content.state === 'erased' ? 'erased' : 'alive';
  });
}

type Stated = Omit<ShredCertificate, 'trefoil' | 'mac'>;

function messageOf({ destroyed, mappings, domain, store, keyId, subject, at }: Stated): Uint8Array {
  return encodeList([TREFOIL, destroyed, mappings, domain, store, keyId, subject, at]);
}

/** Whether a certificate is one of this store, unchanged, and of this subject; with `null` of any subject. */
export function isCertificate(session: Session, certificate: ShredCertificate, text: string | null): boolean {
  const { trefoil, destroyed, mappings, domain, store, keyId, subject, at, mac } = certificate;
  const stated = [trefoil, destroyed, mappings, domain, store, keyId, subject, at, mac];
  if (stated.some((part) => typeof part !== 'string') || trefoil !== TREFOIL) return false;
  if (!DESTROYED.includes(destroyed) || mappings !== MAPPINGS) return false;
  // Nothing more than what was signed: a reader would believe it, too.
  if (Object.keys(certificate).sort().join() !== FIELDS || !/^[0-9a-f]{64}$/.test(mac)) return false;
  if (domain !== session.keys.domain || store !== session.name || keyId !== session.meta().subjects) return false;
  const written = readHex(mac, 32);
  // Of what was judged above: an object may answer otherwise when it is asked again.
  const message = messageOf({ destroyed, mappings, domain, store, keyId, subject, at });
  const isOurs = written !== null && equalBytes(written, session.subjects.mac(message));
  return isOurs && (text === null || subject === writeHex(session.subjects.indexesOf([text])));
}
