/**
 * The derivation tree of docs/spec/keyset-v1.md: root → domain → kind of rule → scope → parameters, 32 bytes per node.
 *
 *   child = HKDF-SHA-256(IKM = parent, salt = "trefoil keyset-v1", info = encodeList([step, …names]), L = 32)
 *
 * A node reveals nothing about its parent or its siblings, so a branch can be handed out alone.
 */

import { encodeList, utf8 } from '../core/bytes.ts';
import { hkdfSha256 } from '../kernel/prf/hkdf.ts';
import { encode } from '../wire/base32.ts';
import { ID_LENGTH } from '../wire/labelled-token.ts';

const SALT: Uint8Array = /* @__PURE__ */ utf8('trefoil keyset-v1');

/** Length of a node and of a root key in bytes. */
export const NODE_LENGTH = 32;

/** Length of a key check value in characters: 80 bits. */
export const KEY_CHECK_LENGTH = 16;

/** The kinds of things that have keys of their own: rules, and the rejects of a run. */
export type KeyedKind = 'token' | 'fpe' | 'seal' | 'shiftDate' | 'rejects' | 'vault';

/** Derives a child node: one step down the tree. */
export function child(
  parent: Uint8Array,
  step: string,
  names: readonly (string | Uint8Array)[],
  length: number = NODE_LENGTH,
): Uint8Array {
  return hkdfSha256(parent, SALT, encodeList([step, ...names]), length);
}

/** Derives the node of a domain from a root key. */
export function domainNode(root: Uint8Array, domain: string): Uint8Array {
  return child(root, 'domain', [domain]);
}

/** Derives the node of a rule, three steps below the node of its domain. */
export function ruleNode(
  domain: Uint8Array,
  kind: KeyedKind,
  scope: string,
  parameters: readonly (string | Uint8Array)[],
): Uint8Array {
  return child(child(child(domain, 'kind', [kind]), 'scope', [scope]), 'parameters', parameters);
}

/**
 * The id of a domain key, which tokens and sealed values show. It differs from domain to domain, so it does not show
 * that two domains have one root key.
 */
export function shownKeyId(domain: Uint8Array): string {
  return encode(child(domain, 'key id', []), ID_LENGTH * 5);
}

/** The check value of a domain key: it tells which key it is and does not reveal the key, so it may be published. */
export function keyCheckValue(domain: Uint8Array): string {
  return encode(child(domain, 'key check', []), KEY_CHECK_LENGTH * 5);
}
