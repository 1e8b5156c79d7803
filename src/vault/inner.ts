/**
 * The inner layer of docs/spec/vault-v1.md: what whoever holds store and key still does not see. Every content is sealed
 * under a key that the value, or the token, is a part of.
 */

import { concat } from '../core/bytes.ts';
import { hmacBytes } from '../kernel/hmac.ts';
import { openOnce, sealOnce } from '../kernel/siv-once.ts';
import { type DomainKey, expandNode } from '../keys/domain-keys.ts';
import { INDEX } from './outer.ts';

/** One side of the inner layer: by value, or by token. */
export interface Side {
  readonly indexOf: (name: Uint8Array) => Uint8Array;
  readonly seal: (name: Uint8Array, content: Uint8Array) => Uint8Array;
  /** `null` when it does not verify. */
  readonly open: (name: Uint8Array, sealed: Uint8Array) => Uint8Array | null;
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

function side(indexKey: Uint8Array, contentKey: Uint8Array): Side {
  const [index, content] = [hmacBytes(indexKey), hmacBytes(contentKey)];
  // 64 bytes for AES-256-SIV, and no two names with one message. A tag lies where the next one will: the first is copied.
  const keyOf = (name: Uint8Array): Uint8Array => {
    const k1 = content(concat([ONE, name])).slice();
    return concat([k1, content(concat([TWO, name]))]);
  };
  return {
    indexOf: (name) => index(name).slice(0, INDEX),
    seal: (name, plaintext) => sealOnce(keyOf(name), plaintext),
    open: (name, sealed) => openOnce(keyOf(name), sealed),
  };
}

const ONE: Uint8Array = /* @__PURE__ */ Uint8Array.of(1);
const TWO: Uint8Array = /* @__PURE__ */ Uint8Array.of(2);

/** Subjects of one store, under the key that its metadata pin for them. */
export interface SubjectKeys {
  /** Where the handle of a subject is found. */
  readonly indexOf: (subject: Uint8Array) => Uint8Array;
  /** Where the key that belongs to a handle is found. */
  readonly keyIndexOf: (handle: Uint8Array) => Uint8Array;
  /** HMAC-SHA-256 for certificates. */
  readonly mac: (message: Uint8Array) => Uint8Array;
}

export function subjectKeys(key: DomainKey, store: string): SubjectKeys {
  const node = key.derive('vault', store, ['subjects']);
  const [subject, handle] = [hmacBytes(expandNode(node, 'subject', 32)), hmacBytes(expandNode(node, 'handle', 32))];
  return {
    indexOf: (name) => subject(name).slice(0, INDEX),
    keyIndexOf: (name) => handle(name).slice(0, INDEX),
    mac: hmacBytes(expandNode(node, 'certificate', 32)),
  };
}
