/**
 * The inside of a bound policy: the leaves of its tree with their bound columns. The record streams of `io/` work on
 * this; callers see the verbs of `BoundPolicy`.
 */

import { badType, typeName } from '../core/checks.ts';
import { fail, type Issue } from '../errors.ts';
import type { OpenedKeys } from '../keys/domain-keys.ts';
import { refuseGoverned } from '../keys/place/refusals.ts';
import type { MissingTexts } from '../rule/missing.ts';
import type { BoundColumns, ColumnVerb, Rule, RuleEngine, Siblings } from '../rule/rule.ts';

const INSIDE = Symbol.for('trefoil.bound-policy.v1');

/** What happens to records: they are protected, revealed, or moved to another key or to the domain of a recipient. */
export type Direction = 'protect' | 'reveal' | MoveDirection;

/** The directions from protected records to protected records. */
export type MoveDirection = 'rekey' | 'project';

/** One field of a policy. */
export interface Leaf {
  /** Path as in the policy file: `user.email`, `items[].sku`, `odd\.name`. */
  readonly path: string;
  /** Name of the field's column in a table: the path without its escapes. `null` inside an array. */
  readonly header: string | null;
  readonly rule: Rule;
  readonly engine: RuleEngine;
}

/** A node of the tree of a policy: a rule, the fields of an object, or an array. */
export type Node =
  | { readonly kind: 'leaf'; readonly index: number; readonly leaf: Leaf }
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, Node>; readonly path: string }
  | { readonly kind: 'each'; readonly item: Node; readonly path: string };

/** The node of an object. */
export type FieldsNode = Extract<Node, { kind: 'fields' }>;

/** A policy with its keys, as the record streams see it. */
export interface BoundInside {
  /** Name of the domain whose keys are bound. */
  readonly domain: string;
  /** The keys that are bound: workers and sealed rejects need them. */
  readonly keys: OpenedKeys;
  /** Shown id of the key that the caller has named for values which do not show their key; `null` without one. */
  readonly fromKey: string | null;
  /** Paths of the fields that show the key of a record, without those below an array: see `unmarked/witnesses.ts`. */
  readonly witnesses: readonly string[];
  /** The policy as plain data, with the domain: what `parsePolicy` takes. */
  readonly sheet: object;
  readonly unnamed: 'error' | 'drop';
  readonly leaves: readonly Leaf[];
  /** The tree that the leaves belong to. */
  readonly root: FieldsNode;
  /** Which texts are missing in each leaf, by the leaf's index. */
  readonly missing: readonly MissingTexts[];
  /** Which whole cells of a table are missing, if the policy has fields inside them. */
  readonly missingCells: MissingTexts;
  /** The bound columns of each leaf, by the leaf's index. */
  readonly columns: readonly BoundColumns[];
  /**
   * Throws if the verb may not be used at all: to reveal without `revealAccess`, to protect with a primary key that is
   * not pinned, to reveal fpe fields without a pinned key check or if nothing can show their key.
   */
  readonly demand: (direction: Direction) => void;
  /**
   * Turns a batch of records. `report` takes the record's index. The result has the length of `rows`; a record with an
   * issue is `undefined` in it. `inCode`: the records are for code and not for a file, so a revealed number is a
   * `number` and a date a `Date`.
   */
  readonly rows: (
    direction: Direction,
    rows: readonly unknown[],
    report: (index: number, issue: Issue) => void,
    inCode?: boolean,
  ) => (Record<string, unknown> | undefined)[];
  /**
   * Turns the objects or arrays of one column: `node` is the part of the tree that they go through. `siblings` returns
   * the column of another field. A value of a record with an issue has no meaning in the result.
   */
  readonly values: (
    direction: Direction,
    node: Node,
    values: readonly unknown[],
    report: (index: number, issue: Issue) => void,
    siblings: Siblings,
  ) => unknown[];
  /** Set if the policy moves records from one key to another; then this is all that it does. */
  readonly moving?: Moving;
  /** Set if the policy has rules that wait, for a store or for a use of a warrant. Each run begins one of its own. */
  readonly beginAsync?: () => AsyncRun;
}

/** From where to where a policy moves records: what another thread needs, and what a resumed run is compared with. */
export interface Moving {
  readonly direction: MoveDirection;
  readonly from: OpenedKeys;
  readonly to: OpenedKeys;
  /** Shown id of the key that made the values which do not show their key; `null` if the caller names none. */
  readonly fromKey: string | null;
  /** The policy of the recipient as plain data; `null` without one. */
  readonly as: object | null;
}

/**
 * Batches for a policy that waits, done by code that does not wait. A batch goes through `collect` first, which only
 * notes what the waiting rules will be asked. `settle` asks them. Then the same batch goes through `answer`, and the
 * waiting rules return the answers. It holds one batch at a time: two runs that share one would take each other's
 * answers.
 */
export interface AsyncRun {
  readonly collect: BoundInside;
  readonly answer: BoundInside;
  /**
   * Asks the store, after the place of governed keys has noted the use. Returns how many values became missing because
   * the store has erased them.
   */
  readonly settle: () => Promise<number>;
}

/** Whether a direction leads from protected records to protected records. */
export function isMove(direction: Direction): direction is MoveDirection {
  return direction === 'rekey' || direction === 'project';
}

/** Whether the records of a direction do not have a field, because protecting has removed it. */
export function isGone({ engine }: Leaf, direction: Direction): boolean {
  return direction !== 'protect' && engine.removes && engine.removesOnMove !== true;
}

/** Paths of the other fields that a field needs on the way in a direction. */
export function needsOf({ witnesses }: BoundInside, { engine }: Leaf, direction: Direction): readonly string[] {
  const { needs = [], mover } = engine;
  return direction === 'protect' || mover?.showsKey !== false ? needs : [...new Set([...needs, ...witnesses])];
}

/** The verb of a bound rule for a direction. */
export function verbOf({ protect, reveal, move }: BoundColumns, direction: Direction): ColumnVerb {
  if (direction === 'protect') return protect;
  return direction === 'reveal' ? reveal : move!;
}

/**
 * The direction of a policy that moves records.
 *
 * @throws TypeError for any other bound policy.
 */
export function moveDirection(bound: unknown): MoveDirection {
  const { moving } = openBound(bound);
  if (moving === undefined) badType('bound', 'expected what rekey or project of trefoil/policy returns');
  return moving.direction;
}

/** Whether a record that was turned for a file may hold a number as its text: a rule reveals it as it was spelled. */
export function spellsNumbers({ leaves }: BoundInside, direction: Direction): boolean {
  return direction === 'reveal' && leaves.some(({ engine }) => engine.inCode !== undefined);
}

/** Puts the inside on a bound policy. */
export function hideInside<T extends object>(bound: T, inside: BoundInside): T {
  return Object.defineProperty(bound, INSIDE, { value: inside });
}

/** The inside of a bound policy. */
export function openBound(bound: unknown): BoundInside {
  const inside = typeof bound === 'object' && bound !== null ? (bound as Record<symbol, unknown>)[INSIDE] : undefined;
  if (inside === undefined)
    badType('bound', `expected a bound policy, as policy.bind(keys) returns it, got ${typeName(bound)}`);
  return inside as BoundInside;
}

/** The inside of a bound policy, for code that cannot wait for a store or for the place of governed keys. */
export function openReady(bound: unknown): BoundInside {
  const inside = openBound(bound);
  if (inside.beginAsync === undefined) return inside;
  if (inside.keys.place !== null) refuseGoverned('wait');
  return fail(
    'store_missing',
    'the policy waits for a store, and this verb cannot wait: use streams, protectFile of trefoil/node, or the verbs ' +
      'of policy.open',
  );
}
