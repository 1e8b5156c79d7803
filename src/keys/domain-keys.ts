/**
 * Domain keys: the keys of one pseudonymisation domain. A keyset hands them out, and rules are bound to them.
 *
 * The object shows names and check values only. The bytes of the keys are in closures, reached through a registered
 * symbol, where `JSON.stringify`, `toString` and `util.inspect` do not find them.
 */

import { badType, typeName } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { fail } from '../errors.ts';
import { type Branch, deriveFromBranches, hasBranchBelow } from './branches.ts';
import { checkBranchCheck, checkKeyCheck, type KeyCheck, PROTECTS } from './checks.ts';
import { child, descend, isOfBase, type KeyedKind, ruleSteps, type Step } from './derive.ts';
import type { KeyVerb } from './entries.ts';
import type { BaseName, Line, LineKey, NodeSource } from './lineage.ts';
import type { Place } from './place/place.ts';
import { demandUngoverned } from './place/refusals.ts';

export type { KeyCheck };

const ACCESS = Symbol.for('trefoil.domain-keys.v1');

/** The keys of one domain, to which rules are bound. It is opaque: no property shows a key. */
export interface DomainKeys {
  /** Name of the pseudonymisation domain. */
  readonly domain: string;
  /** Shown id of the primary key, five characters. Values that are protected from now on carry it. */
  readonly keyId: string;
  /** Key check value of every key, by shown key id. It may be published, and a policy may pin it. */
  readonly keyCheck: KeyCheck;
  /** The region of the keys, if they are labelled with one. */
  readonly region?: string;
  /** The check value of the branches, if keys are there as branches. A policy must pin it. */
  readonly branchCheck?: string;
}

/** One key of a domain. The library uses it inside only. */
export interface DomainKey {
  readonly id: string;
  readonly check: string;
  /** Whether tokens go through a permutation after the keyed function (docs/spec/renewal-v1.md). */
  readonly isBound: boolean;
  /** Whether it is to become primary, and has made no values yet. */
  readonly isReady: boolean;
  /** The base that its tokens come from. */
  readonly lineage: BaseName;
  /**
   * Derives the node of a rule, 32 bytes (docs/spec/keyset-v1.md, "Tree"), or a node below it.
   *
   * @throws TrefoilError `not_granted` if the keys are branches and none of them covers the node, `branches_unpinned`
   *   if nothing pins the branches.
   */
  readonly derive: (
    kind: KeyedKind,
    scope: string,
    parameters: readonly (string | Uint8Array)[],
    below?: readonly Step[],
  ) => Uint8Array;
  /** Whether `derive` has the node: always, unless keys are there as branches or not at all. */
  readonly has: (
    kind: KeyedKind,
    scope: string,
    parameters: readonly (string | Uint8Array)[],
    below?: readonly Step[],
  ) => boolean;
  /** Whether the keys have only nodes below that of a rule: some periods, and not all. */
  readonly hasParts: (kind: KeyedKind, scope: string, parameters: readonly (string | Uint8Array)[]) => boolean;
}

/** Domain keys as rules see them. */
export interface OpenedKeys {
  readonly domain: string;
  readonly primary: DomainKey;
  /** All keys, the primary first. */
  readonly keys: readonly DomainKey[];
  /** Shown ids of the keys whose check values a policy or a caller has pinned; `null` if none is pinned. */
  readonly pinned: readonly string[] | null;
  /** The days on which keys were retired, by shown id: `2027-01-31`. */
  readonly retired: ReadonlyMap<string, string>;
  /** The verbs that a narrowed keyset is for; `null` for any other. */
  readonly verbs: readonly KeyVerb[] | null;
  /** The keys as data. They are for another thread of this process and nothing else. */
  readonly packed: PackedKeys;
  /** Who is asked before something is turned back; `null` if the keys are not governed. */
  readonly place: Place | null;
}

/** Domain keys in the form in which they are sent to another thread. They hold no root key. */
export interface PackedKeys extends Line {
  readonly verbs: readonly KeyVerb[] | null;
  readonly branchCheck: string | null;
  readonly pins: Pins;
}

/** What a policy or a caller has pinned. */
interface Pins {
  readonly ids: readonly string[] | null;
  readonly protects: string | null;
  readonly branches: boolean;
}

const NO_PINS: Pins = { ids: null, protects: null, branches: false };

/** Makes domain keys. Only the keyset calls it. */
export function makeDomainKeys(
  line: Line,
  { verbs, branchCheck }: Pick<PackedKeys, 'verbs' | 'branchCheck'>,
): DomainKeys {
  return hide(openPacked({ ...line, verbs, branchCheck, pins: NO_PINS }, null));
}

/**
 * Makes governed keys: they protect as before, and turn nothing back unless the place has granted it.
 *
 * @throws TypeError if the keys are governed already: a second place would take the first one's word away.
 */
export function withPlace(keys: DomainKeys, place: Place): DomainKeys {
  const opened = openKeys(keys);
  if (opened.place !== null) badType('keys', 'expected keys that are not governed yet');
  return hide({ ...opened, place });
}

/** Names of keys that are in another process, the primary first. */
export interface KeysElsewhere {
  readonly domain: string;
  readonly region: string | null;
  readonly keys: readonly { readonly id: string; readonly check: string; readonly isReady: boolean }[];
  readonly retired: ReadonlyMap<string, string>;
}

/** Makes domain keys that are names alone: a place in another process does the work. */
export function keysElsewhere({ domain, region, keys, retired }: KeysElsewhere, place: Place): DomainKeys {
  const line = keys.map(({ id, check, isReady }) => ({
    shown: { id, check },
    lineage: { id, domain, check: null },
    isBound: false,
    isReady,
    own: null,
    base: null,
    dates: null,
  }));
  return hide(
    openPacked({ domain, region, keys: line, retired, verbs: null, branchCheck: null, pins: NO_PINS }, place),
  );
}

function openPacked(packed: PackedKeys, place: Place | null): OpenedKeys {
  const isElsewhere = place?.elsewhere !== undefined;
  const keys = packed.keys.map((key) => (isElsewhere ? keyElsewhere(key) : domainKey(key, packed)));
  const { domain, pins, retired, verbs } = packed;
  return { domain, primary: keys[0]!, keys, pinned: pins.ids, retired, verbs, packed, place };
}

function domainKey(key: LineKey, { pins, domain }: PackedKeys): DomainKey {
  const { shown, isBound, isReady, lineage, own, base, dates } = key;
  const find = (source: NodeSource, path: readonly Step[]) => {
    if (source === null) return null;
    return source instanceof Uint8Array ? descend(source, path) : deriveFromBranches(source, path);
  };
  const sourceOf = (kind: KeyedKind) => (isOfBase(kind) ? base : kind === 'shiftDate' ? dates : own);
  return {
    ...shown,
    isBound,
    isReady,
    lineage,
    derive(kind, scope, parameters, below = []) {
      const source = sourceOf(kind);
      if (Array.isArray(source) && !pins.branches) {
        fail(
          'branches_unpinned',
          'the key file has branches, whose ids anybody can write; pin "branchCheck" in the policy, ' +
            'as trefoil keys narrow and trefoil keys inspect print it',
        );
      }
      const node = find(source, [...ruleSteps(kind, scope, parameters), ...below]);
      if (node === null) notGranted(`key ${shown.id} of domain ${domain}`, source, kind, scope, parameters);
      return node;
    },
    has(kind, scope, parameters, below = []) {
      const source = sourceOf(kind);
      // A node has everything below it, so nothing need be derived.
      if (source === null || source instanceof Uint8Array) return source !== null;
      return deriveFromBranches(source, [...ruleSteps(kind, scope, parameters), ...below]) !== null;
    },
    hasParts(kind, scope, parameters) {
      const source = sourceOf(kind);
      if (source === null || source instanceof Uint8Array) return false;
      const path = ruleSteps(kind, scope, parameters);
      return deriveFromBranches(source, path) === null && hasBranchBelow(source, path);
    },
  };
}

/** A key of which this process has the names alone. */
function keyElsewhere({ shown, isBound, isReady, lineage }: LineKey): DomainKey {
  const derive = (): never =>
    fail(
      'keys_elsewhere',
      'the keys are in another process, so nothing is computed with them here; open the policy: ' +
        'await policy.open(keys, {}, warrantAccess(note, { dossier, desk }))',
    );
  // Which nodes it has is known there, so it may be any.
  return { ...shown, isBound, isReady, lineage, derive, has: () => true, hasParts: () => false };
}

/** @param source the branches of the key, if it has any. */
function notGranted(
  key: string,
  source: NodeSource,
  kind: KeyedKind,
  scope: string,
  parameters: readonly (string | Uint8Array)[],
): never {
  const what = scope === '' ? kind : `${kind} ${scope}`;
  const branches = source === null || source instanceof Uint8Array ? [] : source;
  const same = ruleSteps(kind, scope, parameters).slice(0, 2);
  if (!hasBranchBelow(branches, same)) {
    fail('not_granted', `${key} is narrowed and has no ${what}; use a key file that has it`);
  }
  const have = kind === 'shiftDate' ? daysBelow(branches, same) : [];
  const [days] = parameters;
  const differs =
    have.length > 0 && !have.includes(String(days))
      ? `the policy shifts by ${String(days)} days, and the key file is for ${have.join(' and ')} days`
      : 'some option of the rule differs from that in the policy that the key file was narrowed for';
  fail(
    'not_granted',
    `${key} is narrowed and has ${what} for other options of the rule: ${differs}; ` +
      'use the policy that the key file was made for, or narrow anew',
  );
}

/** The numbers of days in branches of `shiftDate` below a scope: the first name of their parameters. */
function daysBelow(branches: readonly Branch[], scope: readonly Step[]): readonly string[] {
  return branches
    .filter((branch) => hasBranchBelow([branch], scope))
    .flatMap(({ path }) => (typeof path[2]?.[1] === 'string' ? [path[2][1]] : []));
}

/**
 * Returns the keys that have the node of a rule, the primary first.
 *
 * @throws TrefoilError `not_granted`, `branches_unpinned` if the primary key does not have it.
 */
export function keysWith(
  { primary, keys }: OpenedKeys,
  kind: KeyedKind,
  scope: string,
  parameters: readonly (string | Uint8Array)[],
  below: readonly Step[] = [],
): readonly DomainKey[] {
  return keys.filter((key) => key === primary || key.has(kind, scope, parameters, below));
}

/**
 * Packs domain keys to send them to a worker. They hold nodes below the root keys and not the root keys.
 *
 * @throws TrefoilError `warrant_required` if the keys are governed: a worker could not ask their place.
 */
export function packKeys(opened: OpenedKeys): PackedKeys {
  demandUngoverned(opened, 'copy');
  return opened.packed;
}

/** Unpacks domain keys in a worker. */
export function unpackKeys(packed: PackedKeys): DomainKeys {
  return hide(openPacked(packed, null));
}

/** Hides opened keys in an object that shows names and check values only. */
function hide(opened: OpenedKeys): DomainKeys {
  const { region, branchCheck } = opened.packed;
  const face: DomainKeys = {
    domain: opened.domain,
    keyId: opened.primary.id,
    keyCheck: Object.freeze(Object.fromEntries(opened.keys.map((key) => [key.id, key.check]))),
    ...given({ region: region ?? undefined, branchCheck: branchCheck ?? undefined }),
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
  const { packed } = opened;
  const { [PROTECTS]: protects, ...checks } = keyCheck;
  for (const [id, check] of Object.entries(checks)) {
    const key = opened.keys.find((candidate) => candidate.id === id);
    if (key?.check !== check) refusePin(opened, id, checks);
  }
  const { pins } = packed;
  const ids = Object.keys(checks).filter((id) => pins.ids?.includes(id) ?? true);
  if (ids.length === 0 || (protects ?? pins.protects ?? '') !== (pins.protects ?? protects ?? '')) {
    fail(
      'key_check_mismatch',
      'the key check pins other keys than an earlier one did; a policy and its caller must pin the same key',
    );
  }
  const now: Pins = { ...pins, ids: Object.freeze(ids), protects: protects ?? pins.protects };
  return hide(openPacked({ ...packed, pins: now }, opened.place));
}

/** Says why a pinned key is not the one of the keyset: it is missing, was retired, or has another check value. */
function refusePin({ domain, keys, retired }: OpenedKeys, id: string, checks: KeyCheck): never {
  const known = keys.map((key) => key.id);
  const has = `domain ${domain} has key ${known.join(', ')}`;
  const day = retired.get(id);
  if (day !== undefined) {
    fail(
      'key_check_mismatch',
      `the policy pins key ${id}, which was retired on ${day}; ${has}: if no data has values of ${id} any more, take ` +
        'it out of keyCheck, and otherwise use a key file from before',
    );
  }
  if (known.includes(id)) {
    fail(
      'key_check_mismatch',
      `the keys are not the pinned ones: key ${id} of domain ${domain} has another check value than the pinned one; ` +
        'use the keyset that the data was protected with',
    );
  }
  const isPartly = Object.entries(checks).some(([other, check]) =>
    keys.some((key) => key.id === other && key.check === check),
  );
  fail(
    'key_check_mismatch',
    isPartly
      ? `the policy pins key ${id}, which the key file lacks: ${has}; the file is from before that key was added or ` +
          'after it was taken out, so use one that has all pinned keys'
      : `the keys are not the pinned ones: ${has}, and the policy pins ${Object.keys(checks).join(', ')}; ` +
          'use the keyset that the data was protected with',
  );
}

/**
 * Pins the branches of a key file.
 *
 * @throws TrefoilError `key_check_mismatch` if the keys have other branches, or none.
 */
export function pinBranches(keys: DomainKeys, branchCheck: string): DomainKeys {
  checkBranchCheck(branchCheck);
  const { packed, place } = openKeys(keys);
  if (packed.branchCheck !== branchCheck) {
    fail(
      'key_check_mismatch',
      `the branches of the key file are not the pinned ones: ${packed.branchCheck === null ? 'it has none' : 'others'}; ` +
        'use the key file that was made for this policy',
    );
  }
  return hide(openPacked({ ...packed, pins: { ...packed.pins, branches: true } }, place));
}

/**
 * Returns the primary key, which protects.
 *
 * @throws TrefoilError `key_not_pinned` if check values are pinned and the primary key is not among them, or is not the
 *   one that protects; `not_granted` if the keyset is narrowed to revealing.
 */
export function protectingKey(opened: OpenedKeys): DomainKey {
  const primary = writingKey(opened);
  if (!mayProtect(opened)) {
    fail('not_granted', `the key file is narrowed to ${opened.verbs!.join(' and ')}, so nothing can be protected`);
  }
  return primary;
}

/**
 * Returns the primary key, under which new values are written, whatever verbs the keyset is narrowed to.
 *
 * @throws TrefoilError `key_not_pinned` as {@link protectingKey}.
 */
export function writingKey({ primary, pinned, packed: { pins } }: OpenedKeys): DomainKey {
  if (pinned !== null && !pinned.includes(primary.id)) {
    fail(
      'key_not_pinned',
      `the primary key ${primary.id} is not pinned, so nothing can be protected; ` +
        'a policy that pins an older key is for revealing only, so protect with a policy that pins the primary key',
    );
  }
  if (pins.protects !== null && pins.protects !== primary.id) {
    fail(
      'key_not_pinned',
      `the policy says that key ${pins.protects} protects, and the primary key is ${primary.id}; ` +
        'the key file may be from before a rotation',
    );
  }
  return primary;
}

/** Whether the keys are for protecting. A rule without a way back needs no key for anything else. */
export function mayProtect({ verbs }: OpenedKeys): boolean {
  return verbs === null || verbs.includes('protect');
}

/**
 * Refuses to renew or project with a keyset that is narrowed to other verbs.
 *
 * @throws TrefoilError `not_granted`.
 */
export function checkMayRekey({ verbs }: OpenedKeys): void {
  if (verbs !== null && !verbs.includes('rekey')) {
    fail('not_granted', `the key file is narrowed to ${verbs.join(' and ')}, so no token can be renewed or projected`);
  }
}

/**
 * Refuses to reveal with a keyset that is narrowed to protecting. For `token` and `shiftDate` there is nothing to
 * reveal; for the other rules the library refuses, and who holds the file can do without the library.
 *
 * @throws TrefoilError `not_granted`.
 */
export function checkMayReveal({ verbs }: OpenedKeys): void {
  if (verbs !== null && !verbs.includes('reveal')) {
    fail('not_granted', `the key file is narrowed to ${verbs.join(' and ')}, so nothing can be revealed`);
  }
}

/** Expands the node of a rule with HKDF, for a primitive whose key is not exactly the 32 bytes of the node. */
export function expandNode(node: Uint8Array, label: string, length: number): Uint8Array {
  return child(node, label, [], length);
}
