/**
 * The inner layer of docs/spec/vault-v1.md: what whoever holds store and key still does not see. Every content is sealed
 * under a key that the value, or the token, is a part of. It works on columns; a column of 16-byte indexes, or of 32-byte
 * keys, is one array.
 */

import { copyTo } from '../core/bytes.ts';
import { hmacBytes } from '../kernel/hmac.ts';
import { hmacColumn } from '../kernel/hmac-column.ts';
import { SIV_LENGTH } from '../kernel/siv.ts';
import { openAt, sealAt } from '../kernel/siv-once.ts';
import { type DomainKey, expandNode } from '../keys/domain-keys.ts';
import { INDEX } from './outer.ts';

/** What a content is named by. A text counts as its UTF-8. */
export type Name = Uint8Array | string;

/** One side of the inner layer: by value, or by token. */
export interface Side {
  readonly indexesOf: (names: readonly Name[]) => Uint8Array;
  readonly keysOf: (names: readonly Name[]) => Uint8Array;
  readonly indexOf: (name: Name) => Uint8Array;
  readonly seal: (name: Name, content: Uint8Array) => Uint8Array;
  /** `null` when it does not verify. */
  readonly open: (name: Name, sealed: Uint8Array) => Uint8Array | null;
}

/** The inner layer of one scope under one key. */
export interface Inner {
  /** Shown id of the key. */
  readonly id: string;
  /** Named by the value, with its subject's name before it where there is one. */
  readonly value: Side;
  /** Named by the 16 bytes of the token. */
  readonly token: Side;
}

/** Key set-up of a scope. */
export function innerLayer(key: DomainKey, store: string, scope: string, withSubject: boolean): Inner {
  const node = key.derive('vault', scope, ['inner', store, withSubject ? 'subject' : '']);
  return {
    id: key.id,
    value: side(expandNode(node, 'value index', 32), expandNode(node, 'value content', 32)),
    token: side(expandNode(node, 'token index', 32), expandNode(node, 'token content', 32)),
  };
}

/** Bytes of the key of a name: AES-128-SIV, for the name of a content is a token of 128 bits. */
const KEY = 32;

function side(indexKey: Uint8Array, contentKey: Uint8Array): Side {
  const [index, content] = [hmacColumn(indexKey), hmacColumn(contentKey)];
  const keysOf = (names: readonly Name[]) => content(names, KEY);
  return {
    indexesOf: (names) => index(names, INDEX),
    keysOf,
    indexOf: (name) => index([name], INDEX),
    seal: (name, plaintext) => sealUnder(keysOf([name]), [plaintext])[0]!,
    open: (name, sealed) => openUnder(keysOf([name]), [sealed])[0]!,
  };
}

/** Seals each content under its key. */
export function sealUnder(keys: Uint8Array, contents: readonly Uint8Array[]): Uint8Array[] {
  const { bytes, view, starts } = layOut(contents, SIV_LENGTH);
  const keyView = new DataView(keys.buffer, keys.byteOffset);
  return contents.map(({ length }, i) => {
    const at = starts[i]!;
    sealAt(keyView, i * KEY, KEY, view, at, length);
    return bytes.subarray(at, at + SIV_LENGTH + length);
  });
}

/** Opens what was sealed under each key, from so many bytes on: `null` for what does not verify. */
export function openUnder(keys: Uint8Array, sealed: readonly Uint8Array[], from = 0): (Uint8Array | null)[] {
  const { bytes, view, starts } = layOut(sealed, -from);
  const keyView = new DataView(keys.buffer, keys.byteOffset);
  return sealed.map((one, i) => {
    const length = one.length - from - SIV_LENGTH;
    if (length < 0) return null;
    const at = starts[i]!;
    const opens = openAt(keyView, i * KEY, KEY, view, at, length);
    return opens ? bytes.subarray(at + SIV_LENGTH, at + SIV_LENGTH + length) : null;
  });
}

/**
 * Copies of texts behind each other, and behind each zeros to a whole block and one more.
 *
 * @param more Bytes of room before each; below zero, so many of its bytes are left out.
 */
function layOut(texts: readonly Uint8Array[], more: number) {
  const starts = new Int32Array(texts.length);
  let end = 0;
  for (let i = 0; i < texts.length; i++) {
    starts[i] = end;
    end += Math.max(0, more + texts[i]!.length) + SIV_LENGTH;
  }
  const bytes = new Uint8Array(end);
  const [left, room] = [Math.max(0, -more), Math.max(0, more)];
  for (let i = 0; i < texts.length; i++) copyTo(texts[i]!, left, bytes, starts[i]! + room);
  return { bytes, view: new DataView(bytes.buffer), starts };
}

/** Subjects of one store, under the key that its metadata pin for them. */
export interface SubjectKeys {
  /** Where the handles of subjects are found. */
  readonly indexesOf: (subjects: readonly Name[]) => Uint8Array;
  /** Where the keys that belong to handles are found. */
  readonly keyIndexesOf: (handles: readonly Uint8Array[]) => Uint8Array;
  /** HMAC-SHA-256 for certificates. */
  readonly mac: (message: Uint8Array) => Uint8Array;
}

export function subjectKeys(key: DomainKey, store: string): SubjectKeys {
  const node = key.derive('vault', store, ['subjects']);
  const [subject, handle] = [hmacColumn(expandNode(node, 'subject', 32)), hmacColumn(expandNode(node, 'handle', 32))];
  return {
    indexesOf: (names) => subject(names, INDEX),
    keyIndexesOf: (handles) => handle(handles, INDEX),
    mac: hmacBytes(expandNode(node, 'certificate', 32)),
  };
}
