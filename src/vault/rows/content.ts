/**
 * The content of a row, under the outer layer (docs/spec/vault-v1.md, "Content"): a head of 15 bytes, followed by a
 * rest that depends on the table.
 */

import { concat, equalBytes } from '../../core/bytes.ts';
import { randomBytes } from '../../kernel/random.ts';
import { ID_LENGTH } from '../../wire/labelled-token.ts';
import type { Table } from '../stores/store.ts';

/** A row is live, or it is a tombstone: the place of a row that was erased. */
export type State = 'live' | 'erased';

/** The content of a row. */
export interface Content {
  readonly state: State;
  /** Shown id of the key of the inner layer; in the table `subject`, of the key that its indexes are derived from. */
  readonly inner: string;
  /**
   * Eight random bytes. The two live rows of a mapping share them; an erased row and a row of a subject have their own.
   */
  readonly link: Uint8Array;
  /**
   * In the table `token`, the text that the inner layer sealed; in `value`, the key id that the token shows, followed
   * by such a text; in `subject`, a handle or a key. In an erased row, zeros of the same length.
   */
  readonly rest: Uint8Array;
}

const VERSION = 1;
const STATES: readonly State[] = ['live', 'erased'];
const HEAD = 15;
const ID_AT = 2;
const LINK_AT: number = ID_AT + ID_LENGTH;

/** Bytes of a link. */
export const LINK = 8;

export function writeContent({ state, inner, link, rest }: Content): Uint8Array {
  const out = new Uint8Array(HEAD + rest.length);
  out[0] = VERSION;
  out[1] = STATES.indexOf(state) + 1;
  writeId(inner, out, ID_AT);
  out.set(link, LINK_AT);
  out.set(rest, HEAD);
  return out;
}

/** Reads the content from `from` to `to`; `null` if it is not one. Link and rest are parts of the bytes, not copies. */
export function readContent(bytes: Uint8Array, from = 0, to: number = bytes.length): Content | null {
  const state = STATES[bytes[from + 1]! - 1];
  if (to - from < HEAD || bytes[from] !== VERSION || state === undefined) return null;
  const link = bytes.subarray(from + LINK_AT, from + HEAD);
  return { state, inner: readId(bytes, from + ID_AT), link, rest: bytes.subarray(from + HEAD, to) };
}

/** Writes the five characters of a key id. */
export function writeId(id: string, out: Uint8Array, at: number): void {
  for (let i = 0; i < ID_LENGTH; i++) out[at + i] = id.charCodeAt(i);
}

/** The id that was read last. The ids of a column are nearly always the same, so that most reads make no text. */
let last = '';

/** Reads the five characters of a key id. */
export function readId(bytes: Uint8Array, at: number): string {
  for (let i = 0; i < ID_LENGTH; i++) {
    if (last.charCodeAt(i) !== bytes[at + i]) {
      last = String.fromCharCode(...bytes.subarray(at, at + ID_LENGTH));
      break;
    }
  }
  return last;
}

/** Returns the content of a row after it was erased: of the same length, with nothing that leads to its partner. */
export function eraseContent({ inner, rest }: Content): Content {
  return goneContent(inner, rest.length);
}

/** Returns the content of an erased row, with a rest of `length` bytes. */
export function goneContent(inner: string, length: number): Content {
  return { state: 'erased', inner, link: randomBytes(LINK), rest: new Uint8Array(length) };
}

/**
 * Whether two contents are equal. All erased contents count as equal; the links of a subject's rows are random and are
 * not compared.
 */
export function isSameContent(table: Table, a: Content, b: Content): boolean {
  if (a.state !== b.state || a.state === 'erased') return a.state === b.state;
  return a.inner === b.inner && equalBytes(a.rest, b.rest) && (table === 'subject' || equalBytes(a.link, b.link));
}

/** Bytes of the key id that precedes the sealed text in the table `value`. */
export const SHOWN: number = ID_LENGTH;

export function writeShown(shown: string, sealed: Uint8Array): Uint8Array {
  const out = new Uint8Array(SHOWN + sealed.length);
  writeId(shown, out, 0);
  out.set(sealed, SHOWN);
  return out;
}

/** A text under a subject's key: the handle of that key, and the text that the key sealed. */
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
