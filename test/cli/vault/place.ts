/** What the tests of a vault on the command line begin with: a directory with a policy, keys and records. */
import { afterAll, beforeAll, expect } from 'vitest';
import { type Ended, makePlace, type Place } from '../harness.ts';

/** Parts of the records of these tests, which no message may contain. */
export const VALUES: readonly string[] = ['Person', '+49 30'];

/** A policy with the field `id`, which holds the subject, and more fields, each on a line of its own. */
export function vaultPolicy(...fields: readonly string[]): string {
  const lines = ['id: { rule: token, scope: person, label: cust }', ...fields].map((field) => `  ${field}\n`);
  return `trefoil: 1\ndomain: eu-enclave\nfields:\n${lines.join('')}`;
}

/** A directory with `p.yaml`, `keys.json` and `in.csv`. */
export interface VaultPlace extends Place {
  /** The options that name the policy, the keys and the places of its stores. */
  readonly options: (vault: string | readonly string[], keys?: string) => string[];
  /** Runs trefoil, which must end with code 0. */
  readonly done: (args: readonly string[], input?: string) => Promise<Ended>;
  /** Protects `in.csv` into a vault and returns the protected records. */
  readonly filled: (vault?: string | readonly string[]) => Promise<string>;
}

/** Makes the directory. Its files are written before the tests of the file, and it is removed after them. */
export function makeVaultPlace(policy: string, records: string): VaultPlace {
  const place = makePlace();
  beforeAll(async () => {
    place.write('p.yaml', policy);
    place.write('in.csv', records);
    await place.run(['keys', 'new', '--out', 'keys.json']);
  });
  afterAll(() => place.remove());

  const options: VaultPlace['options'] = (vault, keys = 'keys.json') => [
    ...['--policy', 'p.yaml', '--keys', keys],
    ...[vault].flat().flatMap((one) => ['--vault', one]),
  ];
  const done: VaultPlace['done'] = async (args, input = '') => {
    const ended = await place.run(args, input);
    expect(ended.code, ended.err).toBe(0);
    return ended;
  };
  const filled: VaultPlace['filled'] = async (vault = 'people.db') =>
    (await done(['protect', 'in.csv', ...options(vault)])).out;
  return { ...place, options, done, filled };
}
