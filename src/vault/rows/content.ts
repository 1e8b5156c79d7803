/**
 * What stands inside a row, under the outer layer (docs/spec/vault-v1.md, "Content"): a head of 15 bytes and what the
 * table has.
 */

import { concat, equalBytes } from '../../core/bytes.ts';
import { randomBytes } from '../../kernel/random.ts';
import type { Table } from '../stores/store.ts';

/** What a row is. */
export type State = 'live' | 'erased';

/** The content of a row. */
export interface Content {
  readonly state: State;
  /** Shown id of the key of the inner layer; of a subject's rows, of the key that subjects are found under. */
  readonly inner: string;
  /** Eight random bytes that the two rows of a mapping have in common; others in an erased row, and in one of a subject. */
  readonly link: Uint8Array;
  /**
   * Sealed by the inner layer, by value with the key id before it that the token shows; or a subject's handle or key; zeros
   * of the same length when the row is erased.
   */
  readonly rest: Uint8Array;
}

const VERSION = 1;
const STATES: readonly State[] = ['live', 'erased'];
const HEAD = 15;
const ID = 5;
const LINK_AT = 7;

/** Bytes of a link. */
export const LINK = 8;

export function writeContent({ state, inner, link, rest }: Content): Uint8Array {
  const out = new Uint8Array(HEAD + rest.length);
  out[0] = VERSION;
  out[1] = STATES.indexOf(state) + 1;
  for (let i = 0; i < ID; i++) out[2 + i] = inner.charCodeAt(i);
  out.set(link, LINK_AT);
  out.set(rest, HEAD);
  return out;
}

/** What is written from one place to another; `null` for what is none. Link and rest are parts of the given bytes. */
export function readContent(bytes: Uint8Array, from = 0, to: number = bytes.length): Content | null {
  const state = STATES[bytes[from + 1]! - 1];
  if (to - from < HEAD || bytes[from] !== VERSION || state === undefined) return null;
  const link = bytes.subarray(from + LINK_AT, from + HEAD);
  return { state, inner: readId(bytes, from + 2), link, rest: bytes.subarray(from + HEAD, to) };
}

/** The last id that was read: those of a column are nearly always the same. */
let last = '';

/** The five characters of a key id. */
export function readId(bytes: Uint8Array, at: number): string {
  for (let i = 0; i < ID; i++) {
    if (last.charCodeAt(i) !== bytes[at + i]) {
      last = String.fromCharCode(...bytes.subarray(at, at + ID));
      break;
    }
  }
  return last;
}

/** The same row after its content was destroyed: of the same length, and with nothing that leads to its partner. */
export function eraseContent({ inner, rest }: Content): Content {
  return goneContent(inner, rest.length);
}

/** The content of an erased row, with a rest of some length. */
export function goneContent(inner: string, length: number): Content {
  return { state: 'erased', inner, link: randomBytes(LINK), rest: new Uint8Array(length) };
}

/**
 * Whether two contents are one: an erased one is as good as another, and the links of a subject's rows are random.
 */
export function isSameContent(table: Table, a: Content, b: Content): boolean {
  if (a.state !== b.state || a.state === 'erased') return a.state === b.state;
  return a.inner === b.inner && equalBytes(a.rest, b.rest) && (table === 'subject' || equalBytes(a.link, b.link));
}

/** Bytes of the key id that stands before what is sealed, by value. */
export const SHOWN: number = ID;

export function writeShown(shown: string, sealed: Uint8Array): Uint8Array {
  const out = new Uint8Array(SHOWN + sealed.length);
  for (let i = 0; i < SHOWN; i++) out[i] = shown.charCodeAt(i);
  out.set(sealed, SHOWN);
  return out;
}

/** What a content under a subject's key says of it: the handle of that key, and what the key sealed. */
export interface UnderSubject {
  readonly handle: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Bytes of a handle. */
export const HANDLE = 16;

export function writeUnderSubject({ handle, sealed }: UnderSubject): Uint8Array {
  return concat([handle, sealed]);
}

export function readUnderSubject(bytes: Uint8Array): UnderSubject {
  return { handle: bytes.subarray(0, HANDLE), sealed: bytes.subarray(HANDLE) };
}
