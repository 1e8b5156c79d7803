/**
 * Replaces root keys by the branches that are needed (docs/spec/keyset-v1.md, "Branches"): narrowed keysets for
 * workers, and root keys that are retired.
 */

import { encodeList } from '../core/bytes.ts';
import { badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { type Branch, deriveFromBranches, pathBytes, shorten } from './branches.ts';
import type { Shown } from './checks.ts';
import { descend, domainNode, isOfBase, keyCheckValue, type Step } from './derive.ts';
import type { KeyEntry, KeysetData } from './entries.ts';
import { shownIn } from './lineage.ts';

/** A node that somebody needs: its domain, and the way down from there, which begins with the kind. */
export interface KeyNeed {
  readonly domain: string;
  readonly path: readonly Step[];
}

/** Checks the form of needs that a caller passes, and copies them: their arrays may be of a class of the caller's. */
export function checkNeeds(needs: readonly KeyNeed[]): readonly KeyNeed[] {
  const isName = (name: unknown) => typeof name === 'string' || name instanceof Uint8Array;
  const isStep = (step: unknown) =>
    Array.isArray(step) && step.length > 0 && typeof step[0] === 'string' && step.every(isName);
  const isNeed = (need: Partial<KeyNeed> | null | undefined) =>
    typeof need?.domain === 'string' && Array.isArray(need.path) && need.path.length > 0 && need.path.every(isStep);
  const copy = Array.isArray(needs) ? Array.from<KeyNeed>(needs) : null;
  if (copy === null || !copy.every(isNeed)) {
    badType('keep', `expected the list that keyNeeds returns, got ${typeName(needs)}`);
  }
  const copyStep = (step: Step) => Array.from(step) as unknown as Step;
  return copy.map(({ domain, path }) => ({ domain, path: Array.from(path, copyStep) }));
}

/**
 * The same key with branches in place of its root key. Its shown ids are kept, because nobody could compute them. Of a
 * base that no need leads to, the key check is kept, because the ids of its epochs cover it: so who holds branches can
 * add an epoch of their own.
 *
 * @param needs all that is needed: the ids of their domains are kept.
 * @param granted those of them whose nodes the key is to have.
 */
export function withBranches(
  data: KeysetData,
  key: KeyEntry,
  needs: readonly KeyNeed[],
  granted: readonly KeyNeed[] = needs,
): KeyEntry {
  const found = new Map<string, Branch>();
  for (const need of granted) {
    const at = placeOf(data, key, need);
    const node = at === null ? null : nodeOf(key, at.domain, at.of, need.path);
    if (node !== null) {
      const path = shorten(need.path);
      found.set(encodeList([at!.domain, pathBytes(path)]).join(), { domain: at!.domain, path, node });
    }
  }
  if (key.isBase && key.secret !== null && found.size === 0) {
    const check = new Map<string, string>();
    for (const { domain } of needs) {
      const name = data.domains.get(domain)?.of ?? domain;
      check.set(name, keyCheckValue(domainNode(key.secret, name, null, key.region)));
    }
    return { ...key, secret: null, check };
  }
  const shown = new Map(key.shown);
  // The ids and checks of a recipient's keys cover the base in the parent's domain.
  for (const domain of needs.flatMap(({ domain: name }) => [name, data.domains.get(name)?.of ?? name])) {
    const own = shownOf(data, key, domain);
    if (own !== null) shown.set(domain, own);
  }
  return { ...key, secret: null, branches: [...found.values()], shown };
}

/**
 * Checks that the primary key and its base have every node that is needed.
 *
 * @throws TrefoilError `not_granted` if one is not there: the keyset is narrowed to others.
 */
export function checkGranted(data: KeysetData, needs: readonly KeyNeed[]): void {
  const main = data.keys[0]!;
  const base = data.keys.find(({ id }) => id === main.base);
  for (const need of needs) {
    for (const key of base === undefined || !hangsAtBase(need) ? [main] : [main, base]) {
      const at = placeOf(data, key, need);
      if (at === null || nodeOf(key, at.domain, at.of, need.path) !== null) continue;
      const [[, kind], scope, , last] = need.path as readonly [Step, ...Step[]];
      const period = last?.[0] === 'period' ? ` and the period ${String(last[1])}` : '';
      fail(
        'not_granted',
        `root key ${key.id} is narrowed and has no ${`${String(kind)} ${String(scope?.[1] ?? '')}`.trimEnd()} in the ` +
          `domain ${need.domain}${period}; narrow a key file that has it`,
      );
    }
  }
}

/** Tokens, the pseudonyms of logs, and dates hang at the base of a key, everything else at the key itself. */
export function hangsAtBase({ path }: KeyNeed): boolean {
  return isOfBase(path[0]![1]) || path[0]![1] === 'shiftDate';
}

/** The domain, and its parent, under which a key has a node that is needed; `null` if the node hangs at another key. */
function placeOf({ domains }: KeysetData, key: KeyEntry, { domain, path }: KeyNeed) {
  const parent = domains.get(domain)?.of ?? null;
  const kind = path[0]![1];
  // A key that is its own base has no permutation.
  if (kind === 'token permutation' && key.base === null && parent === null) return null;
  if (hangsAtBase({ domain, path }) ? key.base !== null : key.isBase) return null;
  return isOfBase(kind) ? { domain: parent ?? domain, of: null } : { domain, of: parent };
}

function nodeOf(key: KeyEntry, domain: string, of: string | null, path: readonly Step[]): Uint8Array | null {
  if (key.secret !== null) return descend(domainNode(key.secret, domain, of, key.region), path);
  return deriveFromBranches(
    (key.branches ?? []).filter((branch) => branch.domain === domain),
    path,
  );
}

/**
 * Shown id and check of a key that has its root key. No value shows those of a key that is a base and nothing else, but
 * the ids and checks of its epochs are made from its check.
 */
function shownOf(data: KeysetData, key: KeyEntry, domain: string): Shown | null {
  return key.secret === null ? null : shownIn(data, { ...key, isBase: false }, domain);
}
