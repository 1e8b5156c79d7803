/**
 * The keys of one domain out of a keyset (docs/spec/keyset-v1.md, "Lineages"). A lineage is one base, which makes the
 * tokens of all its epochs, and one permutation for each epoch and recipient, which turns them into that epoch's.
 *
 *   own node    domain(key, D [, of parent])      seal, fpe, vault, rejects, and the permutation of tokens
 *   base node   domain(base, parent of D, or D)   token: so all epochs and recipients of a lineage join
 *   date node   domain(base, D [, of parent])     shiftDate: outlives epochs, and differs for every recipient
 */

import { fail } from '../errors.ts';
import type { Branch } from './branches.ts';
import type { Shown } from './checks.ts';
import { domainNode, keyCheckValue, shownKeyId } from './derive.ts';
import type { KeyEntry, KeysetData } from './entries.ts';

/** A node, or the branches below it that were handed out; `null` if there is neither. */
export type NodeSource = Uint8Array | readonly Branch[] | null;

/**
 * Which base the tokens of a key come from. Two keys have one base if both key checks are known and equal; a narrowed
 * keyset may not have the check, and then the name of the base in the keyset decides, and the domain that it is for.
 */
export interface BaseName {
  readonly id: string;
  readonly domain: string;
  readonly check: string | null;
}

/** Whether tokens of one key can be turned into tokens of another: whether they come from one base. */
export function isOneLineage(a: BaseName, b: BaseName): boolean {
  if (a.check !== null && b.check !== null) return a.check === b.check;
  return a.id === b.id && a.domain === b.domain;
}

/** One key of a domain, as plain data that can be sent to another thread. */
export interface LineKey {
  readonly shown: Shown;
  readonly lineage: BaseName;
  /** Whether tokens go through a permutation: the base node is another one than the key's own. */
  readonly isBound: boolean;
  /** Whether the key is to become primary, and has made no values yet. */
  readonly isReady: boolean;
  readonly own: NodeSource;
  readonly base: NodeSource;
  readonly dates: NodeSource;
}

/** The keys of one domain, the primary first. */
export interface Line {
  readonly domain: string;
  readonly region: string | null;
  readonly keys: readonly LineKey[];
  /** The days on which keys were retired, by shown id. */
  readonly retired: ReadonlyMap<string, string>;
}

/**
 * Finds the keys of a domain.
 *
 * @throws TrefoilError `not_granted` if a narrowed keyset is not for this domain, `domain_gone` if the base is a set of
 *   branches that does not have it, `invalid_keyset` if two keys have the same shown id.
 */
export function lineOf(data: KeysetData, domain: string): Line {
  const keys = data.keys.flatMap((key): LineKey[] => {
    if (key.isBase || key.check !== null) return [];
    const found = lineKeyOf(data, key, domain);
    if (found !== null) return [found];
    return key.id === data.primary ? refuse(key, baseOf(data, key), domain) : [];
  });
  const retired = new Map(
    data.retired.flatMap(({ at, shown }) => (shown.has(domain) ? [[shown.get(domain)!, at]] : [])),
  );
  const ids = [...keys.map(({ shown }) => shown.id), ...retired.keys()];
  if (new Set(ids).size !== ids.length) {
    fail('invalid_keyset', 'two root keys have the same shown key id in this domain; make a new root key');
  }
  const { region } = data.keys[0]!;
  return { domain, region, keys, retired };
}

/**
 * Returns the shown id and key check of a key in a domain; `null` for a base, and for a key that does not have the
 * domain.
 */
export function shownIn(data: KeysetData, key: KeyEntry, domain: string): Shown | null {
  if (key.isBase || key.check !== null) return null;
  return lineKeyOf(data, key, domain)?.shown ?? null;
}

/** Finds the nodes of one key in a domain; `null` if the key does not have the domain. Each node is derived once. */
function lineKeyOf(data: KeysetData, key: KeyEntry, domain: string): LineKey | null {
  const parent = data.domains.get(domain)?.of ?? null;
  const root = baseOf(data, key);
  const isBound = root !== key || parent !== null;
  const own = sourceOf(key, domain, parent);
  const base = isBound ? sourceOf(root, parent ?? domain, null) : own;
  const dates = isBound && parent !== null ? sourceOf(root, domain, parent) : base;
  const check = isBound ? checkOf(root, base, parent ?? domain) : null;
  const shown = own instanceof Uint8Array ? shownOf(own, isBound, check, root.isBase) : (key.shown.get(domain) ?? null);
  if (shown === null) return null;
  const lineage = { id: root.id, domain: parent ?? domain, check: isBound ? check : shown.check };
  return { shown, lineage, isBound, isReady: key.isReady, own, base, dates };
}

function baseOf({ keys }: KeysetData, key: KeyEntry): KeyEntry {
  return key.base === null ? key : keys.find(({ id }) => id === key.base)!;
}

/** Shown id and key check of a node; `null` if its base is not known. */
function shownOf(node: Uint8Array, isBound: boolean, check: string | null, isBaseOnly: boolean): Shown | null {
  if (isBound && check === null) return null;
  return { id: shownKeyId(node, check), check: keyCheckValue(node, check, isBaseOnly) };
}

/** Key check of the base node; `null` if the base is elsewhere and its check is not known. */
function checkOf(base: KeyEntry, source: NodeSource, domain: string): string | null {
  if (source instanceof Uint8Array) return keyCheckValue(source);
  return (base.check === null ? base.shown.get(domain)?.check : base.check.get(domain)) ?? null;
}

function sourceOf(key: KeyEntry, domain: string, parent: string | null): NodeSource {
  if (key.secret !== null) return domainNode(key.secret, domain, parent, key.region);
  const branches = (key.branches ?? []).filter((branch) => branch.domain === domain);
  return branches.length === 0 ? null : branches;
}

/** Says why the primary key does not have a domain. */
function refuse(key: KeyEntry, base: KeyEntry, domain: string): never {
  if (key.secret === null) {
    const others = [...key.shown.keys()].join(', ');
    fail('not_granted', `the primary key ${key.id} is not for the domain ${domain}; the key file has it for ${others}`);
  }
  fail(
    'domain_gone',
    `the base ${base.id} of the primary key ${key.id} is not there for the domain ${domain}: only branches or checks ` +
      'of other domains were kept; use a key with a base of its own',
  );
}
