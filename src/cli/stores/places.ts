/** The stores that a policy names, and where the command line says that they are. */

import { Option } from 'commander';
import { nearest } from '../../core/suggest.ts';
import type { FilePolicy } from '../../policy.ts';
import type { VaultRule } from '../../rule/vault.ts';
import { UsageError } from '../exit.ts';
import { option } from '../options.ts';

/** `--vault`, as often as the policy has stores. */
export function vaultOption(): Option {
  const text = 'where the store of a vault is: FILE or postgres://…; NAME=… where the policy has several';
  return new Option('--vault <PLACE>', text).argParser((value: string, before: string[] | undefined) => {
    checkNoPassword(value);
    // NAME=PLACE: the place by itself.
    checkNoPassword(value.slice(value.indexOf('=') + 1).trimStart());
    return [...(before ?? []), value];
  });
}

/** Names of parameters that hold a secret: those of `pg` and libpq, and what people write in their place. */
const SECRET = /pass(?!file)|pwd|secret|token/i;

/** A place in the words of libpq, which has several: `host=… password=…`. */
const LIBPQ_PASSWORD = /=.*(?:^|\s)(?:ssl)?password\s*=|(?:^|\s)(?:ssl)?password\s*=.*\s\w+\s*=/is;

/**
 * A password in the place of a server is refused: every user of a machine can see arguments. It may stand before the
 * `@`, or among the parameters, there also with its name percent-encoded; or in the words of libpq.
 */
function checkNoPassword(place: string): void {
  const address = place.slice(place.indexOf('://') + 1);
  const [, authority = '', query = ''] = /^\/\/([^?#]*)(.*)$/s.exec(address) ?? [];
  // A password may hold `/`, `?` and `#`, though it should not.
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
    '--vault has a password in it, which other users of this machine can see',
    'take it out, and use PGPASSWORD or a pgpass file',
  );
}

/** A percent-encoded name in clear; what is not well-formed stays as it is. */
function unescaped(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name.replace(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** `--store`, for what is done to one store of a policy. */
export function storeOption(): Option {
  return option('--store', 'NAME', 'which store, where the policy has several', (value) => value);
}

/** A rule of the store that is meant: what is done to a whole store is done by any of its rules. */
export function ruleOfStore(policy: FilePolicy, name: string | undefined): VaultRule {
  const rules = vaultRules(policy);
  if (rules.length === 0) throw new UsageError('the policy has no vault rule');
  const names = storeNames(policy);
  if (name === undefined && names.length > 1) {
    throw new UsageError(`the policy has ${names.length} stores: say which with --store ${names.join(' or ')}`);
  }
  const rule = rules.find(({ store }) => store === (name ?? names[0]));
  if (rule === undefined) throw new UsageError(`--store expected ${names.join(' or ')}`);
  return rule;
}

/** The vault rules of a policy. */
export function vaultRules({ fields }: FilePolicy): readonly VaultRule[] {
  return Object.values(fields).filter((rule): rule is VaultRule => rule.rule === 'vault');
}

/** The names of its stores, each once. */
export function storeNames(policy: FilePolicy): readonly string[] {
  return [...new Set(vaultRules(policy).map(({ store }) => store))];
}

/** Whether a place is a server, and not a file. */
export function isServer(place: string): boolean {
  return /^postgres(ql)?:\/\//.test(place);
}

/** The files of stores, with those that SQLite makes beside them: no output may be one of them. */
export function storeFiles(places: Iterable<string>): readonly string[] {
  return [...places]
    .filter((place) => !isServer(place))
    .flatMap((path) => ['', '-wal', '-shm', '-journal'].map((end) => path + end));
}

/**
 * What is before the first `=` is the name of a store, unless it is part of a path. A file with `=` in its name is
 * `./a=b.db`.
 */
const NAMED = /^([^=:/\\]*)=(.*)$/s;

/** Where each store is. */
export function placesOf(names: readonly string[], given: readonly string[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const one of given) {
    const [, name, named] = isServer(one) ? [] : (NAMED.exec(one) ?? []);
    if (name !== undefined && !names.includes(name)) throw unknownStore(name, names);
    if (name === undefined && names.length !== 1) {
      throw new UsageError(`--vault expected NAME=PLACE, as there are ${names.length} stores`);
    }
    const which = name ?? names[0]!;
    if (places.has(which)) throw new UsageError(`--vault names the store ${which} twice`);
    places.set(which, checkPlace(named ?? one));
  }
  const missing = names.find((name) => !places.has(name));
  if (missing !== undefined) {
    throw new UsageError(`the policy has a vault with the store ${missing}: say where it is with --vault`);
  }
  return places;
}

/** The name is not repeated: it may be the beginning of anything. */
function unknownStore(name: string, names: readonly string[]): UsageError {
  const similar = nearest(name, names);
  return new UsageError(
    `--vault has the form NAME=PLACE, and NAME is not a store of the policy, which has ${names.join(', ')}`,
    similar === null
      ? 'a file with = in its name is written with its folder: ./NAME=PLACE'
      : `did you mean ${similar}=PLACE? a file with = in its name is written with its folder: ./NAME=PLACE`,
  );
}

/**
 * A place that outlives the run. SQLite reads these names as a database in memory, as a temporary file, or as an
 * address with options of its own; the tokens of a run would be left without their mapping.
 */
function checkPlace(place: string): string {
  if (place === '') throw new UsageError('--vault expected a file or postgres://…, got nothing');
  if (place !== place.trim()) {
    throw new UsageError(
      '--vault expected a file or postgres://…, got a place with white space at its beginning or end',
      'a file of that name is written with its folder: ./NAME',
    );
  }
  if (/^:/.test(place)) {
    throw new UsageError(
      '--vault expected a file or postgres://…, got the name of a database that is gone when the run ends',
      'a file of that name is written with its folder: ./NAME',
    );
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(place) && !isServer(place) && !/^[a-z]:[\\/]/i.test(place)) {
    throw new UsageError(
      '--vault expected a file or postgres://…, got an address of another kind',
      'a file is named by its path; one with a colon in its name is written with its folder: ./NAME',
    );
  }
  return place;
}
