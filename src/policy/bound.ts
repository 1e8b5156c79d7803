/**
 * What a bound policy is inside: the leaves of its tree with their bound columns. The record streams of `io/` work on
 * this; callers see the verbs of `BoundPolicy`.
 */

import { badType, typeName } from '../core/checks.ts';
import { fail, type Issue } from '../errors.ts';
import type { OpenedKeys } from '../keys/domain-keys.ts';
import type { BoundColumns, Rule, RuleEngine } from '../rule/rule.ts';

const INSIDE = Symbol.for('trefoil.bound-policy.v1');

/** Which way the data go. */
export type Direction = 'protect' | 'reveal';

/** One field of a policy. */
export interface Leaf {
  /** Path as in the policy file: `user.email`, `items[].sku`, `odd\.name`. */
  readonly path: string;
  /** Name of the field's column in a table: the path without its escapes. `null` inside an array. */
  readonly header: string | null;
  readonly rule: Rule;
  readonly engine: RuleEngine;
}

/** A policy with its keys, as the record streams see it. */
export interface BoundInside {
  /** Name of the domain whose keys are bound. */
  readonly domain: string;
  /** The keys that are bound: workers and sealed rejects need them. */
  readonly keys: OpenedKeys;
  /** The policy as plain data, with the domain: what `parsePolicy` takes. */
  readonly sheet: object;
  readonly unnamed: 'error' | 'drop';
  readonly leaves: readonly Leaf[];
  /** The bound columns of each leaf, by the leaf's index. */
  readonly columns: readonly BoundColumns[];
  /**
   * Throws when the verb may not be used at all: without `revealAccess`, with a primary key that is not pinned, or to
   * reveal fpe fields without a pinned key check.
   */
  readonly demand: (direction: Direction) => void;
  /**
   * Turns a batch of records. `report` takes the record's index; a record with an issue is `undefined` in the result,
   * which has the length of `rows`.
   */
  readonly rows: (
    direction: Direction,
    rows: readonly unknown[],
    report: (index: number, issue: Issue) => void,
  ) => (Record<string, unknown> | undefined)[];
  /** There for a policy with rules that wait for a store: each run begins one of its own. */
  readonly later?: () => Later;
}

/**
 * How a batch of records that waits is done by work that does not: it goes through `collect` first, which only notes what
 * the waiting rules will be asked; `settle` asks them; then the same batch goes through `answer`, and the waiting rules
 * have their answers. It holds one batch at a time: two runs with one of these would take each other's answers.
 */
export interface Later {
  readonly collect: BoundInside;
  readonly answer: BoundInside;
  readonly settle: () => Promise<void>;
}

/** Hangs the inside on a bound policy. */
export function hideInside<T extends object>(bound: T, inside: BoundInside): T {
  return Object.defineProperty(bound, INSIDE, { value: inside });
}

/** The inside of a bound policy. */
export function openBound(bound: unknown): BoundInside {
  const inside = typeof bound === 'object' && bound !== null ? (bound as Record<symbol, unknown>)[INSIDE] : undefined;
  if (inside === undefined)
    badType('bound', `expected a bound policy, as policy.bind(keys) gives it, got ${typeName(bound)}`);
  return inside as BoundInside;
}

/** The same for work that cannot wait for a store. */
export function openReady(bound: unknown): BoundInside {
  const inside = openBound(bound);
  if (inside.later !== undefined) {
    fail(
      'store_missing',
      'the policy waits for a store: take protectFile of trefoil/node, or the verbs of policy.open',
    );
  }
  return inside;
}
