/**
 * Shredding a subject, and the certificate that states what was destroyed (docs/spec/vault-v1.md, "Shredding"). It is
 * beside subjects.ts, and not in a folder, because it works on the two rows of a subject and on no mapping.
 */

import { encodeList, equalBytes } from '../core/bytes.ts';
import { readHex, writeHex } from '../core/hex.ts';
import { fail } from '../errors.ts';
import { eraseContent, goneContent, HANDLE } from './rows/content.ts';
import type { Places } from './rows/places.ts';
import type { View } from './rows/view.ts';
import type { Session } from './session.ts';
import { type Change, INDEX, type Stale } from './stores/store.ts';
import { KEY, readSubjectRows } from './subjects.ts';

/**
 * What a shredding destroyed: `key`, the key of the subject; `nothing`, because the store no longer had a key of the
 * subject; or `in advance`, if the store did not know the subject and refuses it from now on.
 */
export type Destroyed = 'key' | 'nothing' | 'in advance';

/** Options of `shred`. */
export interface ShredOptions {
  /** Also shreds a subject that the store does not know: the store then refuses it when it is loaded later. */
  readonly inAdvance?: true | undefined;
}

/**
 * The statement of a store that a subject was shredded. Somebody who has the keys can check it; without them it reveals
 * nothing about the subject.
 */
export interface ShredCertificate {
  readonly trefoil: 'vault-v1 certificate';
  readonly destroyed: Destroyed;
  /** Nobody can count the mappings that were lost with the key: nothing in the store leads from a subject to them. */
  readonly mappings: 'not known to the store';
  readonly domain: string;
  readonly store: string;
  /** Shown id of the key that `subject` and `mac` were made with. */
  readonly keyId: string;
  /** Shown id of the key that `outerMac` was made with: the first key of the outer layer at that time. */
  readonly outerKeyId: string;
  /** Keyed index of the subject, 32 hexadecimal digits. */
  readonly subject: string;
  /** Time at which the certificate was written, as ISO 8601 in UTC. */
  readonly at: string;
  /** HMAC-SHA-256 over the fields before it, 64 hexadecimal digits. */
  readonly mac: string;
  /**
   * The same under the outer layer. The key of subjects stays for ever, also if it has leaked; this one goes with the
   * root key that is retired.
   */
  readonly outerMac: string;
}

const TREFOIL = 'vault-v1 certificate';
const MAPPINGS = 'not known to the store';
/** Names of the fields of a certificate, sorted. */
const FIELDS = 'at,destroyed,domain,keyId,mac,mappings,outerKeyId,outerMac,store,subject,trefoil';
const DESTROYED: readonly string[] = ['key', 'nothing', 'in advance'];

/** Destroys handle and key of a subject. Returns `null`, and does nothing, if the store does not know the subject. */
export async function shredSubject(
  session: Session,
  text: string,
  inAdvance: boolean,
): Promise<ShredCertificate | null> {
  const index = session.subjects.indexesOf([text]);
  const destroyed = await session.withView((view) => shredBy(view, index, inAdvance));
  if (destroyed === 'absent') return null;
  await session.scrub();
  const meta = session.meta();
  const outerKeyId = meta.outer[0]!;
  const stated = {
    destroyed,
    mappings: MAPPINGS,
    domain: session.keys.domain,
    store: session.name,
    keyId: meta.subjects,
    outerKeyId,
    subject: writeHex(index),
    at: new Date().toISOString(),
  } as const;
  const message = messageOf(stated);
  const mac = writeHex(session.subjects.mac(message));
  const outerMac = writeHex(session.outer(outerKeyId).mac(message));
  return Object.freeze({ trefoil: TREFOIL, ...stated, mac, outerMac });
}

async function shredBy(view: View, index: Uint8Array, inAdvance: boolean): Promise<Destroyed | 'absent' | Stale> {
  const { places, rows, opened } = await readSubjectRows(view, index);
  const row = rows[0];
  if (row === undefined) {
    // A subject that is not found may have moved to an index that this view does not know.
    if (await view.isOutdated()) return 'stale';
    return inAdvance ? shredInAdvance(view, places) : 'absent';
  }
  const content = opened[0]?.content;
  if (content?.rest.length !== HANDLE) {
    const message =
      'the row of the subject is damaged or was changed, so its key cannot be found; nothing was destroyed';
    fail('row_broken', message);
  }
  if (content.state === 'erased') return 'nothing';
  const key = await erasedKey(view, content.rest);
  const gone = goneContent(view.meta.subjects, HANDLE);
  const changes: Change[] = [
    { table: 'subject', index: row.index, from: row.version, to: view.seal('subject', { instead: row }, gone, null) },
    ...key.changes,
  ];
  if ((await view.store.change(view.meta.generation, changes)) !== true) return 'stale';
  return key.existed ? 'key' : 'nothing';
}

/** Writes the erased row of a subject that the store does not know. */
async function shredInAdvance(view: View, places: Places): Promise<'in advance' | Stale> {
  const gone = goneContent(view.meta.subjects, HANDLE);
  const entry = { row: view.seal('subject', { index: places.first(0) }, gone, null), unless: places.others(0) };
  const won = await view.store.create(view.meta.generation, 'subject', [entry]);
  return won === 'stale' || won.length === 0 ? 'stale' : 'in advance';
}

/** Returns the change that erases the key of a handle, and whether there was a key to destroy. */
async function erasedKey(view: View, handle: Uint8Array): Promise<{ readonly existed: boolean; changes: Change[] }> {
  const { places, rows, opened } = await readSubjectRows(view, view.subjects.keyIndexesOf([handle]));
  const row = rows[0];
  const content = opened[0]?.content;
  if (row === undefined) {
    // Somebody has removed the key. An erased row in its place prevents an import from bringing it back.
    const to = view.seal('subject', { index: places.first(0) }, goneContent(view.meta.subjects, KEY), null);
    return { existed: false, changes: [{ table: 'subject', index: to.index, from: 0, to }] };
  }
  // An import that died may have erased the key, but not yet the row that leads to it.
  if (content?.state === 'erased') return { existed: false, changes: [] };
  // A key that does not open is destroyed as well.
  const gone = content === undefined ? goneContent(view.meta.subjects, KEY) : eraseContent(content);
  const to = view.seal('subject', { instead: row }, gone, null);
  return { existed: true, changes: [{ table: 'subject', index: row.index, from: row.version, to }] };
}

/** State of a subject in a store: `erased` if it was shredded, `alive` if it has a key, `unknown` if it has no row. */
export type SubjectNow = 'erased' | 'alive' | 'unknown';

/** Returns the current state of the subject of a certificate. */
export function subjectNow(session: Session, { subject }: ShredCertificate): Promise<SubjectNow> {
  const index = readHex(subject, INDEX)!;
  return session.withView(async (view): Promise<SubjectNow | Stale> => {
    const { rows, opened } = await readSubjectRows(view, index);
    if (rows[0] === undefined) return (await view.isOutdated()) ? 'stale' : 'unknown';
    const content = opened[0]?.content;
    if (content?.rest.length !== HANDLE) {
      fail('row_broken', 'the row of the subject in the vault is damaged or was changed; run trefoil vault verify');
    }
    return content.state === 'erased' ? 'erased' : 'alive';
  });
}

type Stated = Omit<ShredCertificate, 'trefoil' | 'mac' | 'outerMac'>;

function messageOf({ destroyed, mappings, domain, store, keyId, outerKeyId, subject, at }: Stated): Uint8Array {
  return encodeList([TREFOIL, destroyed, mappings, domain, store, keyId, outerKeyId, subject, at]);
}

/**
 * Whether a certificate is unchanged, and is of this store and of this subject; `null` stands for any subject. It is
 * not if its outer key is not in the keyset, or only branches without the outer layer are.
 */
export function isCertificate(session: Session, certificate: ShredCertificate, text: string | null): boolean {
  // The values that are checked here are used below: a getter may return other values the second time.
  const { trefoil, destroyed, mappings, domain, store, keyId, outerKeyId, subject, at, mac, outerMac } = certificate;
  const stated = [trefoil, destroyed, mappings, domain, store, keyId, outerKeyId, subject, at, mac, outerMac];
  if (stated.some((part) => typeof part !== 'string') || trefoil !== TREFOIL) return false;
  if (!DESTROYED.includes(destroyed) || mappings !== MAPPINGS) return false;
  // Other fields are refused: a reader would believe them, although they are not in the MACs.
  if (Object.keys(certificate).sort().join() !== FIELDS) return false;
  if (domain !== session.keys.domain || store !== session.name || keyId !== session.meta().subjects) return false;
  const outer = session.keys.keys.find(({ id }) => id === outerKeyId);
  if (outer?.has('vault', store, ['outer']) !== true) return false;
  const message = messageOf({ destroyed, mappings, domain, store, keyId, outerKeyId, subject, at });
  const isOurs = isMac(mac, session.subjects.mac(message)) && isMac(outerMac, session.outer(outerKeyId).mac(message));
  return isOurs && (text === null || subject === writeHex(session.subjects.indexesOf([text])));
}

/** Whether a text is these bytes in lower-case hexadecimal. */
function isMac(text: string, bytes: Uint8Array): boolean {
  const written = /^[0-9a-f]{64}$/.test(text) ? readHex(text, 32) : null;
  return written !== null && equalBytes(written, bytes);
}
