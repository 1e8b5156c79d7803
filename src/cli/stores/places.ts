/** The stores that a policy names, and the places of `--vault` where they are. */

import { Option } from 'commander';
import { nearest } from '../../core/suggest.ts';
import type { FilePolicy } from '../../policy.ts';
import type { VaultRule } from '../../rule/vault.ts';
import { UsageError } from '../exit.ts';
import { option } from '../options.ts';

/** The option `--vault`, which is set once for each store of the policy. */
export function vaultOption(): Option {
  const text = 'place of the store: FILE or postgres://…; NAME=PLACE if the policy has several stores';
  return new Option('--vault <PLACE>', text).argParser((value: string, before: string[] | undefined) => {
    checkNoPassword(value);
    // In NAME=PLACE the place may contain a password as well.
    checkNoPassword(value.slice(value.indexOf('=') + 1).trimStart());
    return [...(before ?? []), value];
  });
}

/** Names of parameters that hold a secret: those of `pg` and libpq, and likely mistakes. */
const SECRET = /pass(?!file)|pwd|secret|token/i;

/** A password in the keyword syntax of libpq: `host=… password=…`. */
const LIBPQ_PASSWORD = /=.*(?:^|\s)(?:ssl)?password\s*=|(?:^|\s)(?:ssl)?password\s*=.*\s\w+\s*=/is;

/**
 * Refuses a place that contains a password, because every user of a machine can see arguments. The password may be
 * before the `@`, among the parameters (where its name may be percent-encoded), or in the keyword syntax of libpq.
 *
 * @throws UsageError
 */
function checkNoPassword(place: string): void {
  const address = place.slice(place.indexOf('://') + 1);
  const [, authority = '', query = ''] = /^\/\/([^?#]*)(.*)$/s.exec(address) ?? [];
  // A password may contain `/`, `?` and `#`, although they should be encoded.
  const before = [authority, address.slice(2).replace(/\/.*$/s, '')].map((one) =>
    one.slice(0, one.lastIndexOf('@') + 1),
  );
  const names = query.split(/[?#&;]/).map((one) => unescaped(one.replace(/=.*$/s, '')));
  const isServerLike = place.includes('://');
  const found = isServerLike
    ? before.some((one) => one.includes(':')) || names.some((name) => SECRET.test(name))
    : LIBPQ_PASSWORD.test(place);
  if (!found) return;
  throw new UsageError(
    '--vault contains a password, which other users of this machine can see',
    'remove it, and use PGPASSWORD or a pgpass file',
  );
}

/** A percent-encoded name, decoded. If it is malformed, only its ASCII escapes are. */
function unescaped(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name.replace(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** The option `--store` of commands that work on one store. */
export function storeOption(): Option {
  return option('--store', 'NAME', 'name of the store, if the policy has several', (value) => value);
}

/**
 * Returns one of the rules of the store that `--store` names, or of the only store. Each rule can work on the whole
 * store.
 *
 * @throws UsageError if the policy has no such store, or several and none is named.
 */
export function ruleOfStore(policy: FilePolicy, name: string | undefined): VaultRule {
  const rules = vaultRules(policy);
  if (rules.length === 0) throw new UsageError('the policy has no vault rule');
  const names = storeNames(policy);
  if (name === undefined && names.length > 1) {
    throw new UsageError(`the policy has ${names.length} stores; choose one with --store ${names.join(' or ')}`);
  }
  const rule = rules.find(({ store }) => store === (name ?? names[0]));
  if (rule === undefined) throw new UsageError(`--store expected ${names.join(' or ')}`);
  return rule;
}

/** The vault rules of a policy. */
export function vaultRules({ fields }: FilePolicy): readonly VaultRule[] {
  return Object.values(fields).filter((rule): rule is VaultRule => rule.rule === 'vault');
}

/** The names of the stores of a policy, each once. */
export function storeNames(policy: FilePolicy): readonly string[] {
  return [...new Set(vaultRules(policy).map(({ store }) => store))];
}

/** Whether a place is a PostgreSQL server. Otherwise it is a file. */
export function isServer(place: string): boolean {
  return /^postgres(ql)?:\/\//.test(place);
}

/** The files of the stores, with those that SQLite makes beside them. No output may be one of them. */
export function storeFiles(places: Iterable<string>): readonly string[] {
  return [...places]
    .filter((place) => !isServer(place))
    .flatMap((path) => ['', '-wal', '-shm', '-journal'].map((end) => path + end));
}

/**
 * NAME=PLACE. The text before the first `=` is the name of a store, unless it contains a slash or a colon: a file with
 * `=` in its name is written `./a=b.db`.
 */
const NAMED = /^([^=:/\\]*)=(.*)$/s;

/**
 * The place of each store.
 *
 * @param names the stores of the policy.
 * @param options the arguments of `--vault`.
 * @throws UsageError if a store has no place or two, or if a place is not one.
 */
export function placesOf(names: readonly string[], options: readonly string[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const argument of options) {
    const [, name, named] = isServer(argument) ? [] : (NAMED.exec(argument) ?? []);
    if (name !== undefined && !names.includes(name)) throw unknownStore(name, names);
    if (name === undefined && names.length !== 1) {
      throw new UsageError(`--vault expected NAME=PLACE, because the policy has ${names.length} stores`);
    }
    const store = name ?? names[0]!;
    if (places.has(store)) throw new UsageError(`--vault names the store ${store} twice`);
    places.set(store, checkPlace(named ?? argument));
  }
  const missing = names.find((name) => !places.has(name));
  if (missing !== undefined) {
    throw new UsageError(
      `the place of the store ${missing} is missing`,
      'set it with --vault FILE or --vault postgres://…',
    );
  }
  return places;
}

/** The error for NAME=PLACE with an unknown NAME. It does not repeat the name, which may be the start of anything. */
function unknownStore(name: string, names: readonly string[]): UsageError {
  const similar = nearest(name, names);
  const hint = 'a file with = in its name is written with its folder: ./NAME=PLACE';
  return new UsageError(
    `--vault is NAME=PLACE, but the policy has no store NAME; its stores are ${names.join(', ')}`,
    similar === null ? hint : `did you mean ${similar}=PLACE? ${hint}`,
  );
}

/**
 * Refuses a place that would not outlive the run. SQLite reads some names as a database in memory, as a temporary file,
 * or as an address with options of its own. The tokens of the run would then have no mapping.
 *
 * @throws UsageError
 */
function checkPlace(place: string): string {
  if (place === '') throw new UsageError('--vault expected a file or postgres://…, got nothing');
  if (place !== place.trim()) {
    throw new UsageError(
      '--vault expected a file or postgres://…, got one that begins or ends with white space',
      'a file of that name is written with its folder: ./NAME',
    );
  }
  if (/^:/.test(place)) {
    throw new UsageError(
      '--vault expected a file or postgres://…, got a database that would be lost when the run ends',
      'a file of that name is written with its folder: ./NAME',
    );
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(place) && !isServer(place) && !/^[a-z]:[\\/]/i.test(place)) {
    throw new UsageError(
      '--vault expected a file or postgres://…, got another kind of address',
      'a file with a colon in its name is written with its folder: ./NAME',
    );
  }
  return place;
}
