/** What a keyset consists of, in words and ids and without a key: for `trefoil keys inspect` and for retiring. */

import { branchCheckValue } from './branch-check.ts';
import type { Shown } from './checks.ts';
import type { KeyEntry, KeysetData, RetiredKey } from './entries.ts';
import { type Keyset, keysetData } from './keyset.ts';
import { shownIn } from './lineage.ts';

/**
 * What a key does: `primary` makes new values, `ready` is to become primary and has made none, `old` reads what it has
 * made, `base` makes the tokens of other keys and no value shows it, `elsewhere` is a base that is in another file.
 */
export type KeyState = 'primary' | 'ready' | 'old' | 'base' | 'elsewhere';

/** What a branch opens. */
export interface DescribedBranch {
  readonly domain: string;
  readonly kind: string;
  /** A scope, or for the tables of a vault its store; `null` for every scope of the kind. */
  readonly scope: string | null;
  /** The part of a vault: `inner`, `outer` or `subjects`; `null` for other kinds. */
  readonly part: string | null;
}

/** One key of a keyset. */
export interface DescribedKey {
  readonly id: string;
  readonly state: KeyState;
  /** Whether it is a public test key. */
  readonly isTest: boolean;
  /** Id of its base; `null` if it is its own. */
  readonly base: string | null;
  /** Ids of the keys whose base it is. */
  readonly baseOf: readonly string[];
  readonly region: string | null;
  /** What the file has in place of the root key; `null` if it has the root key. */
  readonly branches: readonly DescribedBranch[] | null;
  /** Shown id and key check in the domain; `null` if no value of this domain shows the key, or without a domain. */
  readonly shown: Shown | null;
}

/** A keyset without its keys. */
export interface DescribedKeyset {
  /** The primary key first. */
  readonly keys: readonly DescribedKey[];
  readonly retired: readonly RetiredKey[];
  /** Parents of the domains of recipients. */
  readonly parents: ReadonlyMap<string, string>;
  /** Every domain that the key file names: of recipients and parents, branches, checks and retired keys. */
  readonly domains: readonly string[];
  readonly region: string | null;
  /** The verbs that a narrowed keyset is for; `null` for any other. */
  readonly verbs: readonly string[] | null;
  /** What a narrowed keyset could do beyond its verbs, if somebody derived keys without this library. */
  readonly soft: readonly string[];
  /** The check value that pins the branches, the same for every domain; `null` if there are no branches. */
  readonly branchCheck: string | null;
}

/**
 * Describes a keyset.
 *
 * @param domain whose shown ids are wanted; `null` for none.
 */
export function describeKeyset(keyset: Keyset, domain: string | null): DescribedKeyset {
  const data = keysetData(keyset);
  const keys = data.keys.map((key): DescribedKey => {
    return {
      id: key.id,
      state: stateOf(key, data.primary),
      isTest: keyset.testIds.includes(key.id),
      base: key.base,
      baseOf: data.keys.filter(({ base }) => base === key.id).map(({ id }) => id),
      region: key.region,
      branches: key.branches === null ? null : branchesOf(key),
      shown: domain === null ? null : shownIn(data, key, domain),
    };
  });
  const parents = new Map([...data.domains].map(([name, { of }]) => [name, of]));
  const region = data.keys.find(({ region: label }) => label !== null)?.region ?? null;
  const { verbs = null, soft = [] } = data.narrowed ?? {};
  return {
    keys,
    retired: data.retired,
    parents,
    domains: domainsOf(data),
    region,
    verbs,
    soft,
    branchCheck: branchCheckValue(data),
  };
}

function domainsOf({ keys, domains, retired }: KeysetData): readonly string[] {
  const found = [
    ...[...domains].flatMap(([name, { of }]) => [name, of]),
    ...keys.flatMap(({ branches, shown, check }) => [
      ...(branches ?? []).map(({ domain }) => domain),
      ...shown.keys(),
      ...(check ?? new Map<string, string>()).keys(),
    ]),
    ...retired.flatMap(({ shown }) => [...shown.keys()]),
  ];
  return [...new Set(found)];
}

function stateOf(key: KeyEntry, primary: string): KeyState {
  if (key.check !== null) return 'elsewhere';
  if (key.isBase) return 'base';
  if (key.id === primary) return 'primary';
  return key.isReady ? 'ready' : 'old';
}

/** What the branches open, each once. */
function branchesOf({ branches }: KeyEntry): readonly DescribedBranch[] {
  const found = new Map<string, DescribedBranch>();
  for (const { domain, path } of branches!) {
    const kind = String(path[0]?.[1] ?? '');
    const scope = path[1] === undefined ? null : String(path[1][1] ?? '');
    const part = kind === 'vault' && path[2] !== undefined ? String(path[2][1] ?? '') : null;
    found.set(JSON.stringify([domain, kind, scope, part]), { domain, kind, scope, part });
  }
  return [...found.values()];
}
