/**
 * Rotation: adds, promotes and retires root keys. Each function returns a new keyset and leaves the old one as it is.
 * The order of a roll-out is: add, distribute, promote, distribute, rekey, scan, retire (docs/guide/keys.md).
 */

import { badRange, badType, checkName, checkOptions, typeName } from '../core/checks.ts';
import { readCivilDate } from '../core/civil-date.ts';
import { fail } from '../errors.ts';
import { checkEntries, type KeyEntry, type KeysetData, type RetiredKey } from './entries.ts';
import { checkNeeds, type KeyNeed, withBranches } from './granting.ts';
import { type Keyset, keysetData, makeKeyset, newRootKey } from './keyset.ts';
import { lineOf } from './lineage.ts';

/** Options of {@link addKey}. */
export interface AddKeyOptions {
  /**
   * Whether the new key is its own base, so that its tokens join no others. `false` by default: the key becomes an
   * epoch of the lineage of the primary key.
   */
  readonly newLineage?: boolean;
  /**
   * With `newLineage`: whether to add two root keys, a base that is never primary and a first epoch over it, as
   * `keyset.generate` does. Then the first epoch, too, can be destroyed one day. `false` by default.
   */
  readonly renewable?: boolean;
}

/**
 * Adds a root key that is ready and not yet primary. Readers know its values from now on.
 *
 * @returns a new keyset. The key that is ready comes after those of `from`, and its base, if one is added, comes last.
 * @throws TrefoilError `invalid_keyset` if there are 64 keys already; RangeError for `renewable` without `newLineage`;
 *   TypeError for another argument.
 *
 * @example
 * ```ts
 * import { addKey, keyset } from 'trefoil/keys';
 *
 * const first = keyset.generate();
 * const both = addKey(first);
 * both.primary === first.primary; // → true
 * both.ids.length; // → 2
 * ```
 */
export function addKey(from: Keyset, options: AddKeyOptions = {}): Keyset {
  const data = keysetData(from);
  const { newLineage = false, renewable = false } = checkOptions<AddKeyOptions>('options', options, [
    'newLineage',
    'renewable',
  ]);
  if (typeof newLineage !== 'boolean') badType('newLineage', `expected true or false, got ${typeName(newLineage)}`);
  if (typeof renewable !== 'boolean') badType('renewable', `expected true or false, got ${typeName(renewable)}`);
  if (renewable && !newLineage) {
    badRange('renewable', 'expected false without newLineage: an epoch of a lineage takes the base that is there');
  }
  const main = data.keys[0]!;
  const taken = [...data.keys, ...data.retired].map(({ id }) => id);
  const own = renewable ? newRootKey(taken, { region: main.region, isBase: true }) : null;
  const base = newLineage ? (own?.id ?? null) : (main.base ?? main.id);
  const known = own === null ? taken : [...taken, own.id];
  const key = newRootKey(known, { base, region: main.region, isReady: true });
  return makeKeyset(checkEntries({ ...data, keys: [...data.keys, key, ...(own === null ? [] : [own])] }));
}

/**
 * Makes a key primary: it protects from now on. The key that was primary stays and reads.
 *
 * @param id of a root key of the keyset.
 * @returns a new keyset.
 * @throws TrefoilError `key_is_base` if the key is a base and nothing else, `not_granted` if its root key is not there;
 *   RangeError if there is no such key.
 *
 * @example
 * ```ts
 * import { addKey, keyset, promoteKey } from 'trefoil/keys';
 *
 * const first = keyset.generate({ renewable: true });
 * const both = addKey(first);
 * const added = both.ids.find((id) => !first.ids.includes(id))!;
 * promoteKey(both, added).primary === added; // → true
 * ```
 */
export function promoteKey(from: Keyset, id: string): Keyset {
  const data = keysetData(from);
  const key = keyOf(data, id);
  if (key.isBase) fail('key_is_base', `root key ${id} is a base and nothing else, so it cannot become primary`);
  if (key.secret === null) fail('not_granted', `root key ${id} has no secret here, so it cannot become primary`);
  const keys = data.keys.map((one) => (one === key ? { ...one, isReady: false } : one));
  return makeKeyset(checkEntries({ ...data, keys, primary: id }));
}

/** Options of {@link retireKey}. */
export interface RetireKeyOptions {
  /** The day of the retirement: `2027-01-31`. It stands in the errors for tokens of the key. */
  readonly at: string;
  /** The domains whose shown ids are remembered, so that tokens of the key give `key_retired`. */
  readonly domains: readonly string[];
  /**
   * What is still needed of the key, from `keyNeeds` of `trefoil/policy`. Then the root key is replaced by these
   * branches and the key stays; without it the key is removed.
   */
  readonly keep?: readonly KeyNeed[];
}

/**
 * Takes a root key out of a keyset: removes it, or replaces it by the branches that are needed.
 *
 * **Warning**: every other copy of the file still has the key. And anyone who has a branch can derive what lies
 * below it.
 *
 * @param id of a root key of the keyset.
 * @returns a new keyset.
 * @throws TrefoilError `key_in_use` if the key is primary, or if it is to be removed and is the base of a key that
 *   stays; TypeError, RangeError for other arguments.
 *
 * @example
 * ```ts
 * import { addKey, keyset, promoteKey, retireKey } from 'trefoil/keys';
 *
 * const first = keyset.generate();
 * const both = addKey(first, { newLineage: true });
 * const later = promoteKey(both, both.ids[1]!);
 * retireKey(later, first.primary, { at: '2027-01-31', domains: ['eu-enclave'] }).ids.length; // → 1
 * ```
 */
export function retireKey(from: Keyset, id: string, options: RetireKeyOptions): Keyset {
  const data = keysetData(from);
  const { at, domains, keep } = checkOptions<RetireKeyOptions>('options', options, ['at', 'domains', 'keep']);
  checkDay(at);
  if (!Array.isArray(domains)) badType('domains', `expected a list of names, got ${typeName(domains)}`);
  for (const domain of domains) checkName('domains', domain);
  const key = keyOf(data, id);
  if (id === data.primary) fail('key_in_use', `root key ${id} is primary; promote another key first`);
  if (keep !== undefined) {
    const needs = checkNeeds(keep);
    const keys = data.keys.map((one) => (one === key ? withBranches(data, key, needs) : one));
    return makeKeyset(checkEntries({ ...data, keys }));
  }
  const child = data.keys.find(({ base }) => base === id);
  if (child !== undefined) {
    fail('key_in_use', `root key ${id} is the base of root key ${child.id}; keep the branches that are needed`);
  }
  const keys = data.keys.filter((one) => one !== key);
  const retired: RetiredKey = { id, at, shown: shownIds(data, key, domains) };
  return makeKeyset(checkEntries({ ...data, keys, retired: [...data.retired, retired] }));
}

/** Shown ids of a key in some domains. A base shows none. */
function shownIds(data: KeysetData, key: KeyEntry, domains: readonly string[]): ReadonlyMap<string, string> {
  if (key.isBase || key.check !== null) return new Map();
  const alone = { ...data, keys: [key, ...data.keys.filter((one) => one !== key)], primary: key.id, retired: [] };
  return new Map(domains.map((domain) => [domain, lineOf(alone, domain).keys[0]!.shown.id]));
}

function keyOf({ keys }: KeysetData, id: string): KeyEntry {
  const found = keys.find((key) => key.id === id);
  if (found === undefined) badRange('id', `expected one of the root keys ${keys.map((key) => key.id).join(', ')}`);
  return found;
}

function checkDay(at: unknown): void {
  try {
    if (typeof at === 'string' && at.length === 10) {
      readCivilDate(at);
      return;
    }
  } catch {
    // What is no date is refused below.
  }
  badRange('at', 'expected a day: 2027-01-31');
}

/** Options of {@link addDomain}. */
export interface AddDomainOptions {
  /** The domain whose lineage the recipient shares. */
  readonly of: string;
}

/**
 * Adds a recipient: a domain whose tokens can be projected from those of its parent, and back by nobody who lacks the
 * permutations (docs/spec/renewal-v1.md).
 *
 * @param name of the new domain.
 * @returns a new keyset.
 * @throws TrefoilError `invalid_keyset` if the two are one domain, the parent has a parent, or the domain has another
 *   parent or recipients already; TypeError, RangeError for other arguments.
 *
 * @example
 * ```ts
 * import { addDomain, keyset } from 'trefoil/keys';
 *
 * const keys = addDomain(keyset.generate(), 'partner-b', { of: 'eu-enclave' });
 * keys.domain('partner-b').keyId === keys.domain('eu-enclave').keyId; // → false
 * ```
 */
export function addDomain(from: Keyset, name: string, options: AddDomainOptions): Keyset {
  const data = keysetData(from);
  checkName('name', name);
  const { of } = checkOptions<AddDomainOptions>('options', options, ['of']);
  checkName('of', of);
  if (name === of) fail('invalid_keyset', `domain ${name} cannot be its own parent; name the recipient something else`);
  const known = data.domains.get(name)?.of ?? of;
  if (known !== of) fail('invalid_keyset', `domain ${name} has the parent ${known} already`);
  const above = data.domains.get(of)?.of;
  if (above === name) {
    fail('invalid_keyset', `domain ${of} is a recipient of ${name} already, and cannot be its parent as well`);
  }
  if (above !== undefined) {
    fail('invalid_keyset', `domain ${of} is a recipient itself, and a recipient has none; add ${name} of ${above}`);
  }
  const below = [...data.domains].filter(([, { of: parent }]) => parent === name).map(([domain]) => domain);
  if (below.length > 0) {
    fail('invalid_keyset', `domain ${name} has recipients (${below.join(', ')}), so it cannot become one`);
  }
  return makeKeyset(checkEntries({ ...data, domains: new Map([...data.domains, [name, { of }]]) }));
}
