/**
 * Domain keys: what a keyset hands out for one pseudonymisation domain, and what a rule is bound to.
 *
 * The object shows names and check values; the key bytes live in closures behind a registered symbol, where no
 * `JSON.stringify`, `toString` or `util.inspect` reaches them.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { ALPHABET_CLASS } from '../wire/base32.ts';
import {
  child,
  domainNode,
  KEY_CHECK_LENGTH,
  KEY_ID_LENGTH,
  type KeyedKind,
  keyCheckValue,
  ruleNode,
  shownKeyId,
} from './derive.ts';

const ACCESS = Symbol.for('trefoil.domain-keys.v1');

const KEY_ID = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${KEY_ID_LENGTH}}$`);
const KEY_CHECK = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${KEY_CHECK_LENGTH}}$`);

/** Key check values by shown key id. */
export type KeyCheck = Readonly<Record<string, string>>;

/** The keys of one domain. Opaque: rules are bound to it. */
export interface DomainKeys {
  /** Name of the pseudonymisation domain. */
  readonly domain: string;
  /** Shown id of the primary key, five characters: what is protected now carries it. */
  readonly keyId: string;
  /** Key check value of every key, by shown id. It may be published; a policy may pin it. */
  readonly keyCheck: KeyCheck;
}

/** One key of a domain, inside the library. */
export interface DomainKey {
  readonly id: string;
  readonly check: string;
  /** The node of a rule, 32 bytes (docs/spec/keyset-v1.md, "Tree"). */
  readonly derive: (kind: KeyedKind, scope: string, parameters: readonly (string | Uint8Array)[]) => Uint8Array;
}

/** What a rule sees of domain keys. */
export interface OpenedKeys {
  readonly domain: string;
  readonly primary: DomainKey;
  /** All keys, the primary first. */
  readonly keys: readonly DomainKey[];
  /** Shown ids that a policy or a caller has pinned by their check values; `null` when nothing is pinned. */
  readonly pinned: readonly string[] | null;
  /** The domain's nodes, the primary first, for another thread of this process and for nobody else. */
  readonly nodes: () => readonly Uint8Array[];
}

/** Domain keys on their way to another thread. */
export interface PackedKeys {
  readonly domain: string;
  readonly nodes: readonly Uint8Array[];
  readonly pinned: readonly string[] | null;
}

/** Makes the domain keys of a domain from root keys, the primary first. Called by the keyset alone. */
export function makeDomainKeys(domain: string, roots: readonly Uint8Array[]): DomainKeys {
  const nodes = roots.map((root) => domainNode(root, domain));
  const opened = openNodes({ domain, nodes, pinned: null });
  if (new Set(opened.keys.map((key) => key.id)).size !== opened.keys.length) {
    fail('invalid_keyset', 'two root keys have the same shown key id in this domain; make a new root key');
  }
  return show(opened);
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

/** Takes domain keys apart to send them to a worker: the domain's nodes, not the root keys. */
export function packKeys({ domain, nodes, pinned }: OpenedKeys): PackedKeys {
  return { domain, nodes: nodes(), pinned };
}

/** Puts them together again. */
export function unpackKeys(packed: PackedKeys): DomainKeys {
  return show(openNodes(packed));
}

/** Puts a plain face on opened keys. */
function show(opened: OpenedKeys): DomainKeys {
  const face: DomainKeys = {
    domain: opened.domain,
    keyId: opened.primary.id,
    keyCheck: Object.freeze(Object.fromEntries(opened.keys.map((key) => [key.id, key.check]))),
  };
  return Object.freeze(Object.defineProperty(face, ACCESS, { value: () => opened }));
}

/** Opens domain keys for a rule. */
export function openKeys(keys: DomainKeys): OpenedKeys {
  const access =
    typeof keys === 'object' && keys !== null ? (keys as unknown as Record<symbol, unknown>)[ACCESS] : undefined;
  if (typeof access !== 'function') {
    badType('keys', `expected domain keys, as keyset.parse(…).domain(name) gives them, got ${typeName(keys)}`);
  }
  return access() as OpenedKeys;
}

/** Checks the form of key check values: anything else would pin nothing, in silence. */
export function checkKeyCheck(keyCheck: unknown): void {
  if (typeof keyCheck !== 'object' || keyCheck === null || Array.isArray(keyCheck)) {
    badType('keyCheck', `expected an object of check values by key id, got ${typeName(keyCheck)}`);
  }
  if (Object.keys(keyCheck).length === 0) badRange('keyCheck', 'expected at least one key id and its check value');
  for (const [id, check] of Object.entries(keyCheck)) {
    if (!KEY_ID.test(id)) {
      badRange('keyCheck', `expected key ids of ${KEY_ID_LENGTH} characters, as trefoil keys inspect shows them`);
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
 * Holds keys against pinned check values: every pinned id must be there with the pinned check, so that a run with the
 * wrong keys stops before the first row. Keys that are pinned already stay so: a second pin may only narrow the first.
 *
 * @throws TrefoilError `key_check_mismatch`.
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
        `the keys are not the pinned ones: domain ${opened.domain} has key ${opened.keys.map((k) => k.id).join(', ')}, ` +
          'the key check names another; take the keyset that the data was protected with',
      );
    }
  }
  const pinned = ids.filter((id) => opened.pinned?.includes(id) ?? true);
  if (pinned.length === 0) {
    fail(
      'key_check_mismatch',
      'the keys are pinned already, and to other ones; a policy and its caller must pin the same',
    );
  }
  return show({ ...opened, pinned: Object.freeze(pinned) });
}

/**
 * The key that protects now. When checks are pinned, the primary key must be among them.
 *
 * @throws TrefoilError `key_not_pinned`.
 */
export function protectingKey(opened: OpenedKeys): DomainKey {
  if (opened.pinned !== null && !opened.pinned.includes(opened.primary.id)) {
    fail(
      'key_not_pinned',
      `the primary key ${opened.primary.id} is not the pinned one, so nothing can be protected; a policy that pins ` +
        'an older key is for revealing what that key protected, pin the primary key in another',
    );
  }
  return opened.primary;
}

/** HKDF below a rule's node, for a primitive that needs more or other bytes than the node. */
export function expandNode(node: Uint8Array, label: string, length: number): Uint8Array {
  return child(node, label, [], length);
}
