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
  const parent = data.domains.get(domain)?.of ?? null;
  const byId = new Map(data.keys.map((key) => [key.id, key]));
  const keys = data.keys.flatMap((key): LineKey[] => {
    if (key.isBase || key.check !== null) return [];
    const base = key.base === null ? key : byId.get(key.base)!;
    const isBound = base !== key || parent !== null;
    const shown = shownOf(key, base, isBound, domain, parent);
    if (shown === null) return key.id === data.primary ? refuse(key, base, domain) : [];
    return [
      {
        shown,
        isBound,
        lineage: {
          id: base.id,
          domain: parent ?? domain,
          check: isBound ? baseCheck(base, parent ?? domain) : shown.check,
        },
        own: sourceOf(key, domain, parent),
        base: sourceOf(base, parent ?? domain, null),
        dates: sourceOf(base, domain, parent),
      },
    ];
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
export function shownIn({ keys, domains }: KeysetData, key: KeyEntry, domain: string): Shown | null {
  if (key.isBase || key.check !== null) return null;
  const parent = domains.get(domain)?.of ?? null;
  const base = key.base === null ? key : keys.find(({ id }) => id === key.base)!;
  return shownOf(key, base, base !== key || parent !== null, domain, parent);
}

/** Shown id and key check of a key in a domain; `null` if they cannot be known. */
function shownOf(key: KeyEntry, base: KeyEntry, isBound: boolean, domain: string, parent: string | null): Shown | null {
  if (key.secret === null) return key.shown.get(domain) ?? null;
  const node = domainNode(key.secret, domain, parent, key.region);
  const check = isBound ? baseCheck(base, parent ?? domain) : null;
  if (isBound && check === null) return null;
  return { id: shownKeyId(node, check), check: keyCheckValue(node, check) };
}

/** Key check of the base node; `null` if the base is elsewhere and its check is not known. */
function baseCheck(base: KeyEntry, domain: string): string | null {
  if (base.secret !== null) return keyCheckValue(domainNode(base.secret, domain, null, base.region));
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
