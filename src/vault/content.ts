/**
 * What stands inside a row, under the outer layer (docs/spec/vault-v1.md, "Content"): a head of 15 bytes and what the
 * table has.
 */

import { utf8 } from '../core/bytes.ts';

/** What a row is. */
export type State = 'live' | 'erased';

/** The content of a row. */
export interface Content {
  readonly state: State;
  /** Shown id of the key of the inner layer. */
  readonly inner: string;
  /** Eight random bytes that the two rows of a mapping have in common. */
  readonly link: Uint8Array;
  /** Sealed by the inner layer; zeros of the same length when the row is erased. */
  readonly rest: Uint8Array;
}

const VERSION = 1;
const STATES: readonly State[] = ['live', 'erased'];
const HEAD = 15;

/** Bytes of a link. */
export const LINK = 8;

export function writeContent({ state, inner, link, rest }: Content): Uint8Array {
  const out = new Uint8Array(HEAD + rest.length);
  out[0] = VERSION;
  out[1] = STATES.indexOf(state) + 1;
  out.set(utf8(inner), 2);
  out.set(link, 7);
  out.set(rest, HEAD);
  return out;
}

/** `null` for what is none. */
export function readContent(bytes: Uint8Array): Content | null {
  const state = STATES[bytes[1]! - 1];
  if (bytes.length < HEAD || bytes[0] !== VERSION || state === undefined) return null;
  const inner = String.fromCharCode(...bytes.subarray(2, 7));
  return { state, inner, link: bytes.slice(7, HEAD), rest: bytes.slice(HEAD) };
}

/** The same row after its content was destroyed: nobody can tell it from one that is not by its length. */
export function eraseContent({ inner, link, rest }: Content): Content {
  return { state: 'erased', inner, link, rest: new Uint8Array(rest.length) };
}

/** A subject's key on its way: how often it was renewed, and 64 bytes for AES-256-SIV. */
export interface SubjectKey {
  readonly generation: number;
  readonly key: Uint8Array;
}

export function writeSubjectKey({ generation, key }: SubjectKey): Uint8Array {
  const out = new Uint8Array(4 + key.length);
  new DataView(out.buffer).setUint32(0, generation);
  out.set(key, 4);
  return out;
}

export function readSubjectKey(bytes: Uint8Array): SubjectKey {
  return { generation: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), key: bytes.slice(4) };
}

/** What a content under a subject's key says of it: its index, which generation of the key, and what that key sealed. */
export interface UnderSubject {
  readonly subject: Uint8Array;
  readonly generation: number;
  readonly sealed: Uint8Array;
}

export function writeUnderSubject({ subject, generation, sealed }: UnderSubject): Uint8Array {
  const out = new Uint8Array(20 + sealed.length);
  out.set(subject);
  new DataView(out.buffer).setUint32(16, generation);
  out.set(sealed, 20);
  return out;
}

export function readUnderSubject(bytes: Uint8Array): UnderSubject {
  const generation = new DataView(bytes.buffer, bytes.byteOffset).getUint32(16);
  return { subject: bytes.slice(0, 16), generation, sealed: bytes.slice(20) };
}
