/**
 * What a keyset consists of, and which keys fit together (docs/spec/keyset-v1.md, "File"): bases, regions, parents of
 * domains, and several files that are opened together.
 */

import { equalBytes } from '../core/bytes.ts';
import { fail } from '../errors.ts';
import { type Branch, pathBytes } from './branches.ts';
import type { Shown } from './checks.ts';

/** One key of a keyset. It has exactly one of `secret`, `branches` and `check`. */
export interface KeyEntry {
  readonly id: string;
  /** Whether the key is a base and nothing else: it never protects, and no value shows it. */
  readonly isBase: boolean;
  /** Whether the key was added and has not been primary yet: nothing was protected with it. */
  readonly isReady: boolean;
  /** Id of the base; `null` if the key is its own. */
  readonly base: string | null;
  readonly region: string | null;
  /** The root key. */
  readonly secret: Uint8Array | null;
  /** Nodes below the root key, in its place. */
  readonly branches: readonly Branch[] | null;
  /** Shown id and key check by domain, of a key with branches: nobody can compute them from branches. */
  readonly shown: ReadonlyMap<string, Shown>;
  /** Key checks by domain, of a base that is kept elsewhere. */
  readonly check: ReadonlyMap<string, string> | null;
}

/** A root key that is gone. */
export interface RetiredKey {
  readonly id: string;
  /** The day, `2027-01-31`. */
  readonly at: string;
  /** Its shown ids by domain. */
  readonly shown: ReadonlyMap<string, string>;
}

/** What a narrowed keyset may be for. `rekey` is renewing, projecting and moving values to the primary key. */
export type KeyVerb = 'protect' | 'reveal' | 'rekey';

/** What one file states. */
export interface KeysetFile {
  readonly keys: readonly KeyEntry[];
  /** Id of the primary key; `null` if the file has none, as only a further file may. */
  readonly primary: string | null;
  /** Parents of the domains that have one. */
  readonly domains: ReadonlyMap<string, { readonly of: string }>;
  readonly retired: readonly RetiredKey[];
  /** What a narrowed keyset is for; `null` for any other. */
  readonly narrowed: { readonly verbs: readonly KeyVerb[]; readonly soft: readonly string[] } | null;
}

/** A keyset whose keys fit together, the primary key first. */
export interface KeysetData extends KeysetFile {
  readonly primary: string;
}

function invalid(message: string): never {
  fail('invalid_keyset', message);
}

/**
 * Puts the files of one keyset together. A key that stands in several files must be the same in all of them. The first
 * file says which key is primary.
 *
 * @param names what errors call the files.
 * @throws TrefoilError `invalid_keyset`.
 */
export function joinFiles(files: readonly KeysetFile[], names: readonly string[]): KeysetData {
  const [first, ...others] = files;
  const keys = [...first!.keys];
  const domains = new Map(first!.domains);
  const retired = [...first!.retired];
  for (const [index, file] of others.entries()) {
    const refuse = (message: string): never => fail('invalid_keyset', message, { file: names[index + 1]! });
    if (file.primary !== null && file.primary !== first!.primary) {
      refuse(`it has another primary key than ${names[0]}, the first file`);
    }
    if (JSON.stringify(file.narrowed) !== JSON.stringify(first!.narrowed)) {
      refuse(`it is narrowed to something else than ${names[0]}, the first file`);
    }
    for (const key of file.keys) {
      const at = keys.findIndex(({ id }) => id === key.id);
      const same = keys[at];
      if (same === undefined) keys.push(key);
      else if (!equalEntries(same, key)) refuse(`it has another key under the id ${key.id} than a file before it`);
      // A file from before a promotion still says that the key is ready.
      else keys[at] = { ...same, isReady: same.isReady && key.isReady };
    }
    for (const [domain, { of }] of file.domains) {
      if ((domains.get(domain)?.of ?? of) !== of) refuse(`it gives domain ${domain} another parent`);
      domains.set(domain, { of });
    }
    for (const one of file.retired) {
      if (!retired.some(({ id }) => id === one.id)) retired.push(one);
    }
  }
  return checkEntries({ keys, primary: first!.primary, domains, retired, narrowed: first!.narrowed });
}

function equalEntries(a: KeyEntry, b: KeyEntry): boolean {
  const plain = ({ isBase, base, region, shown, check, secret, branches }: KeyEntry) =>
    JSON.stringify([isBase, base, region, [...shown], check && [...check], secret === null, branches?.length]);
  const sameBranches = (a.branches ?? []).every((one, i) => {
    const other = b.branches![i]!;
    return (
      one.domain === other.domain &&
      equalBytes(pathBytes(one.path), pathBytes(other.path)) &&
      equalBytes(one.node, other.node)
    );
  });
  return plain(a) === plain(b) && sameBranches && (a.secret === null || equalBytes(a.secret, b.secret!));
}

/** Checks that the keys fit together, and puts the primary key first. */
export function checkEntries(file: KeysetFile): KeysetData {
  const { keys, primary, domains, retired, narrowed } = file;
  if (primary === null) invalid('no root key is primary; one must have "primary": true');
  const byId = new Map<string, KeyEntry>();
  for (const key of keys) {
    const name = `root key ${key.id}`;
    if (byId.has(key.id)) invalid(`two root keys have the same id ${key.id}`);
    byId.set(key.id, key);
    if ([key.secret, key.branches, key.check].filter((one) => one !== null).length !== 1) {
      invalid(`${name} must have one of "secret", "branches" and "check"`);
    }
    if (key.isReady && (key.isBase || key.check !== null || key.id === primary)) {
      invalid(`${name} has "ready", which belongs to a key that is to become primary`);
    }
    if (key.branches === null && key.shown.size > 0) invalid(`${name} has "shown", which belongs to "branches"`);
    const unshown = key.isBase ? undefined : key.branches?.find(({ domain }) => !key.shown.has(domain));
    if (unshown !== undefined) invalid(`"shown" of ${name} lacks the domain ${unshown.domain} of a branch`);
  }
  for (const [i, { id, secret }] of keys.entries()) {
    const same = keys.findIndex(
      (other) => other.secret !== null && secret !== null && equalBytes(other.secret, secret),
    );
    if (same !== -1 && same < i) invalid(`root key ${id} has the same secret as another root key`);
  }
  const main = byId.get(primary)!;
  if (main.isBase) invalid('the primary key has "use": "base", and such a key never protects');
  if (main.secret === null && narrowed === null) invalid('the primary key must have a "secret"');
  for (const key of keys) checkBase(key, byId);
  for (const { id, check } of keys) {
    if (check !== null && !keys.some(({ base }) => base === id)) invalid(`root key ${id} has "check" and is no base`);
  }
  if (new Set(keys.flatMap(({ region }) => region ?? [])).size > 1) invalid('the root keys have two regions');
  for (const [domain, { of }] of domains) {
    if (of === domain || domains.has(of)) invalid(`the parent of domain ${domain} must be a domain without a parent`);
  }
  for (const [i, { id }] of retired.entries()) {
    if (byId.has(id)) invalid(`root key ${id} is retired and also in the list of keys`);
    if (retired.findIndex((one) => one.id === id) < i) invalid(`two retired keys have the id ${id}`);
  }
  return { ...file, primary, keys: [main, ...keys.filter((key) => key !== main)] };
}

/** Checks the base of a key: another key of the keyset, without a base of its own, of the same region. */
function checkBase({ id, isBase, base, check, region }: KeyEntry, byId: ReadonlyMap<string, KeyEntry>): void {
  if (base === null) return;
  const key = byId.get(base);
  if (isBase || check !== null) invalid(`root key ${id} is a base and cannot have one`);
  if (key === undefined) invalid(`the base of root key ${id} is not in the keyset`);
  if (base === id || key.base !== null) invalid(`the base of root key ${id} must be a key without a base`);
  if (key.region !== region) invalid(`root key ${id} and its base have different regions`);
}
