/**
 * Domain keys: the keys of one pseudonymisation domain. A keyset hands them out, and rules are bound to them.
 *
 * The object shows names and check values only. The bytes of the keys are in closures, reached through a registered
 * symbol, where `JSON.stringify`, `toString` and `util.inspect` do not find them.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { ALPHABET_CLASS } from '../wire/base32.ts';
import { ID_LENGTH } from '../wire/labelled-token.ts';
import { child, domainNode, KEY_CHECK_LENGTH, type KeyedKind, keyCheckValue, ruleNode, shownKeyId } from './derive.ts';

const ACCESS = Symbol.for('trefoil.domain-keys.v1');

const KEY_ID = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${ID_LENGTH}}$`);
const KEY_CHECK = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${KEY_CHECK_LENGTH}}$`);

/** Key check values by shown key id. */
export type KeyCheck = Readonly<Record<string, string>>;

/** The keys of one domain, to which rules are bound. It is opaque: no property shows a key. */
export interface DomainKeys {
  /** Name of the pseudonymisation domain. */
  readonly domain: string;
  /** Shown id of the primary key, five characters. Values that are protected from now on carry it. */
  readonly keyId: string;
  /** Key check value of every key, by shown key id. It may be published, and a policy may pin it. */
  readonly keyCheck: KeyCheck;
}

/** One key of a domain. The library uses it inside only. */
export interface DomainKey {
  readonly id: string;
  readonly check: string;
  /** Derives the node of a rule, 32 bytes (docs/spec/keyset-v1.md, "Tree"). */
  readonly derive: (kind: KeyedKind, scope: string, parameters: readonly (string | Uint8Array)[]) => Uint8Array;
}

/** Domain keys as rules see them. */
export interface OpenedKeys {
  readonly domain: string;
  readonly primary: DomainKey;
  /** All keys, the primary first. */
  readonly keys: readonly DomainKey[];
  /** Shown ids of the keys whose check values a policy or a caller has pinned; `null` if none is pinned. */
  readonly pinned: readonly string[] | null;
  /** Copies of the domain's nodes, the primary first. They are for another thread of this process and nothing else. */
  readonly nodes: () => readonly Uint8Array[];
}

/** Domain keys in the form in which they are sent to another thread. */
export interface PackedKeys {
  readonly domain: string;
  readonly nodes: readonly Uint8Array[];
  readonly pinned: readonly string[] | null;
}

/** Makes the keys of a domain from root keys, the primary first. Only the keyset calls it. */
export function makeDomainKeys(domain: string, roots: readonly Uint8Array[]): DomainKeys {
  const nodes = roots.map((root) => domainNode(root, domain));
  const opened = openNodes({ domain, nodes, pinned: null });
  if (new Set(opened.keys.map((key) => key.id)).size !== opened.keys.length) {
    fail('invalid_keyset', 'two root keys have the same shown key id in this domain; make a new root key');
  }
  return hide(opened);
}

function openNodes({ domain, nodes, pinned }: PackedKeys): OpenedKeys {
  const keys = nodes.map(
    (node): DomainKey => ({
      id: shownKeyId(node),
      check: keyCheckValue(node),
      derive: (kind, scope, parameters) => ruleNode(node, kind, scope, parameters),
    }),
  );
  return { domain, primary: keys[0]!, keys, pinned, nodes: () => nodes.map((node) => node.slice()) };
}

/** Packs domain keys to send them to a worker. They hold the nodes of the domain and not the root keys. */
export function packKeys({ domain, nodes, pinned }: OpenedKeys): PackedKeys {
  return { domain, nodes: nodes(), pinned };
}

/** Unpacks domain keys in a worker. */
export function unpackKeys(packed: PackedKeys): DomainKeys {
  return hide(openNodes(packed));
}

/** Hides opened keys in an object that shows names and check values only. */
function hide(opened: OpenedKeys): DomainKeys {
  const face: DomainKeys = {
    domain: opened.domain,
    keyId: opened.primary.id,
    keyCheck: Object.freeze(Object.fromEntries(opened.keys.map((key) => [key.id, key.check]))),
  };
  return Object.freeze(Object.defineProperty(face, ACCESS, { value: () => opened }));
}

/**
 * Returns the opened keys of domain keys.
 *
 * @throws TypeError if the argument is not domain keys.
 */
export function openKeys(keys: DomainKeys): OpenedKeys {
  const access =
    typeof keys === 'object' && keys !== null ? (keys as unknown as Record<symbol, unknown>)[ACCESS] : undefined;
  if (typeof access !== 'function') {
    badType('keys', `expected domain keys, which keyset.parse(…).domain(name) returns, got ${typeName(keys)}`);
  }
  return access() as OpenedKeys;
}

/** Checks the form of key check values. A malformed one would pin nothing, and nobody would notice. */
export function checkKeyCheck(keyCheck: unknown): void {
  if (typeof keyCheck !== 'object' || keyCheck === null || Array.isArray(keyCheck)) {
    badType('keyCheck', `expected an object of check values by key id, got ${typeName(keyCheck)}`);
  }
  if (Object.keys(keyCheck).length === 0) badRange('keyCheck', 'expected at least one key id and its check value');
  for (const [id, check] of Object.entries(keyCheck)) {
    if (!KEY_ID.test(id)) {
      badRange('keyCheck', `expected key ids of ${ID_LENGTH} characters, as trefoil keys inspect shows them`);
    }
    if (typeof check !== 'string' || !KEY_CHECK.test(check)) {
      badRange(
        'keyCheck',
        `expected check values of ${KEY_CHECK_LENGTH} characters, as trefoil keys inspect shows them`,
      );
    }
  }
}

/**
 * Pins check values: each must be the check value of the key with that id, so that a run with the wrong keys stops
 * before the first row. If keys are pinned already, a second pin may only narrow the first.
 *
 * @throws TrefoilError `key_check_mismatch` if a key is missing or has another check value, or if no key of the first
 *   pin is left.
 */
export function pinKeys(keys: DomainKeys, keyCheck: KeyCheck): DomainKeys {
  checkKeyCheck(keyCheck);
  const opened = openKeys(keys);
  const ids = Object.keys(keyCheck);
  for (const id of ids) {
    const key = opened.keys.find((candidate) => candidate.id === id);
    if (key === undefined || key.check !== keyCheck[id]) {
      fail(
        'key_check_mismatch',
        `the keys are not the pinned ones: domain ${opened.domain} has key ` +
          `${opened.keys.map(({ id }) => id).join(', ')}, and the pinned key check belongs to another key; ` +
          'use the keyset that the data was protected with',
      );
    }
  }
  const pinned = ids.filter((id) => opened.pinned?.includes(id) ?? true);
  if (pinned.length === 0) {
    fail(
      'key_check_mismatch',
      'the key check pins other keys than an earlier one did; a policy and its caller must pin the same key',
    );
  }
  return hide({ ...opened, pinned: Object.freeze(pinned) });
}

/**
 * Returns the primary key, which protects.
 *
 * @throws TrefoilError `key_not_pinned` if check values are pinned and none of them belongs to the primary key.
 */
export function protectingKey(opened: OpenedKeys): DomainKey {
  if (opened.pinned !== null && !opened.pinned.includes(opened.primary.id)) {
    fail(
      'key_not_pinned',
      `the primary key ${opened.primary.id} is not pinned, so nothing can be protected; ` +
        'a policy that pins an older key is for revealing only, so protect with a policy that pins the primary key',
    );
  }
  return opened.primary;
}

/** Expands the node of a rule with HKDF, for a primitive whose key is not exactly the 32 bytes of the node. */
export function expandNode(node: Uint8Array, label: string, length: number): Uint8Array {
  return child(node, label, [], length);
}
