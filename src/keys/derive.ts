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

/**
 * The kinds of things that have keys of their own: rules, the permutations of tokens, the rejects of a run, and the
 * pseudonyms of people in logs.
 */
export type KeyedKind = 'token' | 'token permutation' | 'fpe' | 'seal' | 'shiftDate' | 'rejects' | 'vault' | 'log';

/** Whether nodes of a kind hang at the base node, so that all keys and recipients of a lineage have the same. */
export function isOfBase(kind: unknown): boolean {
  return kind === 'token' || kind === 'log';
}

/** One step down the tree: its word, and the names that go into it. */
export type Step = readonly [word: string, ...names: (string | Uint8Array)[]];

/** Derives a child node: one step down the tree. */
export function child(
  parent: Uint8Array,
  step: string,
  names: readonly (string | Uint8Array)[],
  length: number = NODE_LENGTH,
): Uint8Array {
  return hkdfSha256(parent, SALT, encodeList([step, ...names]), length);
}

/** Derives a node several steps down. */
export function descend(node: Uint8Array, steps: readonly Step[]): Uint8Array {
  return steps.reduce((parent, [word, ...names]) => child(parent, word, names), node);
}

/**
 * Derives the node of a domain from a root key.
 *
 * @param of the parent of a recipient's domain.
 * @param region the label of the root key.
 */
export function domainNode(
  root: Uint8Array,
  domain: string,
  of: string | null = null,
  region: string | null = null,
): Uint8Array {
  const labels = [...(of === null ? [] : ['of', of]), ...(region === null ? [] : ['region', region])];
  return child(root, 'domain', [domain, ...labels]);
}

/** The way from the node of a domain to the node of a rule. */
export function ruleSteps(
  kind: KeyedKind,
  scope: string,
  parameters: readonly (string | Uint8Array)[],
): readonly [Step, Step, Step] {
  return [
    ['kind', kind],
    ['scope', scope],
    ['parameters', ...parameters],
  ];
}

/** Derives the node of a rule, three steps below the node of its domain. */
export function ruleNode(
  domain: Uint8Array,
  kind: KeyedKind,
  scope: string,
  parameters: readonly (string | Uint8Array)[],
): Uint8Array {
  return descend(domain, ruleSteps(kind, scope, parameters));
}

/**
 * The id of a domain key, which tokens and sealed values show. It differs from domain to domain, so it does not show
 * that two domains have one root key.
 *
 * @param base key check value of the base, if the key is bound to another node than its own. So a right root key under
 *   a wrong base has another id.
 */
export function shownKeyId(domain: Uint8Array, base: string | null = null): string {
  return encode(child(domain, 'key id', base === null ? [] : [base]), ID_LENGTH * 5);
}

/**
 * The check value of a domain key: it tells which key it is and does not reveal the key, so it may be published. It
 * covers the base as the id does, and also whether the base is a base and nothing else. Otherwise anyone who may write
 * the key file could take `"use": "base"` away, and a look-up (`candidates`) would show tokens of the base itself.
 *
 * @param isBaseOnly whether the base is `"use": "base"`. The id does not cover it.
 */
export function keyCheckValue(domain: Uint8Array, base: string | null = null, isBaseOnly = false): string {
  const covered = base === null ? [] : [base, ...(isBaseOnly ? ['base'] : [])];
  return encode(child(domain, 'key check', covered), KEY_CHECK_LENGTH * 5);
}
