/** The stores that a policy names, and where the command line says that they are. */

import { Option } from 'commander';
import type { FilePolicy } from '../policy.ts';
import type { VaultRule } from '../rule/vault.ts';
import { UsageError } from './exit.ts';
import { option } from './options.ts';

/** `--vault`, as often as the policy has stores. */
export function vaultOption(): Option {
  const text = 'where the store of a vault is: FILE or postgres://…; NAME=… where the policy has several';
  return new Option('--vault <PLACE>', text).argParser((value: string, before: string[] | undefined) => {
    if (value === '') throw new UsageError('--vault expected a file or postgres://…, got nothing');
    if (/^[^/]*\/\/[^/@]*:[^/@]*@/.test(value)) {
      throw new UsageError(
        '--vault has a password in it, which other users of this machine can see',
        'take it out, and use PGPASSWORD or a pgpass file',
      );
    }
    return [...(before ?? []), value];
  });
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

/** The files of stores, with those that SQLite keeps beside them: no output may be one of them. */
export function storeFiles(places: Iterable<string>): readonly string[] {
  return [...places].filter((place) => !isServer(place)).flatMap((path) => [path, `${path}-wal`, `${path}-shm`]);
}

/** Where each store is. */
export function placesOf(names: readonly string[], given: readonly string[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const one of given) {
    const [, name, place] = /^([a-z0-9][a-z0-9._-]{0,63})=(.+)$/s.exec(one) ?? [];
    const whole = name === undefined || !names.includes(name);
    if (whole && names.length !== 1)
      throw new UsageError(`--vault expected NAME=PLACE, as there are ${names.length} stores`);
    const which = whole ? names[0]! : name;
    if (places.has(which)) throw new UsageError(`--vault names the store ${which} twice`);
    places.set(which, whole ? one : place!);
  }
  const missing = names.find((name) => !places.has(name));
  if (missing !== undefined) {
    throw new UsageError(`the policy has a vault with the store ${missing}: say where it is with --vault`);
  }
  return places;
}
