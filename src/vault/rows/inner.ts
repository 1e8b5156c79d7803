/**
 * The inner layer of docs/spec/vault-v1.md, which protects against somebody who holds the store and the keys. Each
 * content is sealed under a key that is derived from the value, or from the token. It works on columns: a column of
 * 16-byte indexes, or of 32-byte keys, is one array.
 */

import { hmacBytes } from '../../kernel/prf/hmac.ts';
import { hmacColumn } from '../../kernel/prf/hmac-column.ts';
import { type EachKeys, openEach, sealEach } from '../../kernel/siv/keyed.ts';
import { type DomainKey, expandNode } from '../../keys/domain-keys.ts';
import { INDEX } from '../stores/store.ts';

/** The name of a content, from which its index and key are derived. A text counts as its UTF-8. */
export type Name = Uint8Array | string;

/** One side of the inner layer: by value, or by token. */
export interface Side {
  readonly indexesOf: (names: readonly Name[]) => Uint8Array;
  readonly keysOf: (names: readonly Name[]) => EachKeys;
  readonly indexOf: (name: Name) => Uint8Array;
  readonly seal: (name: Name, content: Uint8Array) => Uint8Array;
  /** Returns `null` if the text does not verify. */
  readonly open: (name: Name, sealed: Uint8Array) => Uint8Array | null;
}

/** The inner layer of one scope under one key. */
export interface Inner {
  /** Shown id of the key. */
  readonly id: string;
  /** The name is the value, preceded by its subject's name if it has a subject. */
  readonly value: Side;
  /** The name is the 16 bytes of the token. */
  readonly token: Side;
}

/** Key set-up of a scope. */
export function innerLayer(key: DomainKey, store: string, scope: string, withSubject: boolean): Inner {
  const parameters = ['inner', store, withSubject ? 'subject' : ''];
  const below = (label: string) => [[label]] as const;
  const sideOf = ([index, content]: readonly [string, string]): Side => {
    // A narrowed keyset may have one side only. Then every use of the other side is refused.
    if (!key.has('vault', scope, parameters, below(index))) {
      const refuse = () => key.derive('vault', scope, parameters, below(index)) as never;
      return { indexesOf: refuse, keysOf: refuse, indexOf: refuse, seal: refuse, open: refuse };
    }
    const nodeOf = (label: string) => key.derive('vault', scope, parameters, below(label));
    return side(nodeOf(index), nodeOf(content));
  };
  return { id: key.id, value: sideOf(VALUE_SIDE), token: sideOf(TOKEN_SIDE) };
}

/** Labels of the nodes of each side: of its indexes and of the keys of its contents. */
const VALUE_SIDE = ['value index', 'value content'] as const;
export const TOKEN_SIDE = ['token index', 'token content'] as const;

/** Bytes of the key of a name: AES-128-SIV, because a token, which names a content, has no more than 128 bits. */
const KEY = 32;

function side(indexKey: Uint8Array, contentKey: Uint8Array): Side {
  const [index, content] = [hmacColumn(indexKey), hmacColumn(contentKey)];
  const keysOf = (names: readonly Name[]): EachKeys => ({ keys: content(names, KEY), keyLength: KEY });
  return {
    indexesOf: (names) => index(names, INDEX),
    keysOf,
    indexOf: (name) => index([name], INDEX),
    seal: (name, plaintext) => sealEach(keysOf([name]), [plaintext], null)[0]!,
    open: (name, sealed) => openEach(keysOf([name]), [sealed], null)[0]!,
  };
}

/** Indexes of the table `subject`, under the key that the metadata of the store name for it. */
export interface SubjectKeys {
  /** Inner indexes of subjects, whose rows hold their handles. */
  readonly indexesOf: (subjects: readonly Name[]) => Uint8Array;
  /** Inner indexes of handles, whose rows hold the subjects' keys. */
  readonly keyIndexesOf: (handles: readonly Uint8Array[]) => Uint8Array;
  /** Inner indexes of the graves of links (graves.ts). */
  readonly graveIndexesOf: (links: readonly Uint8Array[]) => Uint8Array;
  /** HMAC-SHA-256 for certificates. */
  readonly mac: (message: Uint8Array) => Uint8Array;
}

/** Key set-up of the table `subject`. */
export function subjectKeys(key: DomainKey, store: string): SubjectKeys {
  const node = key.derive('vault', store, ['subjects']);
  const [subject, handle] = [hmacColumn(expandNode(node, 'subject', 32)), hmacColumn(expandNode(node, 'handle', 32))];
  const grave = hmacColumn(expandNode(node, 'grave', 32));
  return {
    indexesOf: (names) => subject(names, INDEX),
    keyIndexesOf: (handles) => handle(handles, INDEX),
    graveIndexesOf: (links) => grave(links, INDEX),
    mac: hmacBytes(expandNode(node, 'certificate', 32)),
  };
}
