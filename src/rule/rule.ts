/**
 * What a rule is: a frozen object of plain data, the same as in the policy file. The work that it does is attached
 * under a registered symbol. A file of a rule imports this file and the other shared ones (options, columns, once-each,
 * binding, missing), and no other rule.
 */

import type { ReportIssue } from '../core/issues.ts';
import type { Issue } from '../errors.ts';
import type { Step } from '../keys/derive.ts';
import type { DomainKey, OpenedKeys } from '../keys/domain-keys.ts';
import type { KeyVerb } from '../keys/entries.ts';
import type { Reading } from '../prepare/reading.ts';
import type { MissingLists, MissingTexts } from './missing.ts';

const ENGINE = Symbol.for('trefoil.rule.v1');

/** What a field is to someone who wants to recognise a person in the data. */
export type Role = 'quasi' | 'sensitive' | 'other';

/** All roles. */
export const ROLES: readonly Role[] = ['quasi', 'sensitive', 'other'];

/** Options that every rule has. */
export interface Common {
  /** The field may be absent from a record. */
  readonly optional?: boolean;
  /**
   * Why the field is treated in this way, for the record of processing that `explain` writes. 1,000 characters at most.
   */
  readonly why?: string;
  /**
   * What the field is to someone who wants to recognise a person: one of the facts that together may point to one
   * person (`quasi`), something that they want to find out (`sensitive`), or neither (`other`). It changes no output.
   */
  readonly role?: Role;
  /**
   * Texts that are no value in this field, in place of the list of the policy: at most 100, letter for letter, each of
   * at most 100 characters. They pass unchanged in both directions, as `null` does. `[]` protects the empty text.
   */
  readonly missing?: readonly string[];
}

/** A rule: frozen plain data that says what happens to one field. */
export interface Rule extends Common {
  /** Name of the rule, as in the policy file. */
  readonly rule: string;
}

/** A rule as its constructor returns it. With `optional: true` its type says that the field may be absent. */
export type MayBeAbsent<R extends Rule, Optional extends boolean> = [Optional] extends [true]
  ? R & { readonly optional: true }
  : R;

/** The name of a reading in the data of a rule, if one is set. */
export type ReadBy<Read> = Read extends Reading<infer Name> ? { readonly read: Name } : unknown;

/** Other columns of the same records, before any rule: one for each path that the rule's `needs` names. */
export type Siblings = (path: string) => readonly unknown[];

/**
 * Turns a column into a column of the same length. A value whose issue was reported becomes `undefined`. `siblings` is
 * passed to rules that have `needs`.
 */
export type ColumnVerb = (column: readonly unknown[], report: ReportIssue, siblings?: Siblings) => unknown[];

/** A rule with its keys. Key set-up is done; what is left is the work per value. */
export interface BoundColumns {
  readonly protect: ColumnVerb;
  /** Protects one value, for rules that can do that faster than a column of one. It throws the value's issue. */
  readonly protectOne?: (value: unknown) => unknown;
  /** Reveals a column. A rule whose output cannot be turned back returns the column as it is. */
  readonly reveal: ColumnVerb;
  /** Moves a column to another key. Only the columns of a policy that moves records have it. */
  readonly move?: ColumnVerb;
}

/**
 * A {@link ColumnVerb} of a rule that waits for a store. `noteErased` takes the number of values that became missing
 * because the store has erased them.
 */
export type AsyncVerb = (
  column: readonly unknown[],
  report: ReportIssue,
  siblings?: Siblings,
  noteErased?: (count: number) => void,
) => Promise<unknown[]>;

/** A rule with its keys and its store. */
export interface AsyncColumns {
  readonly protect: AsyncVerb;
  readonly reveal: AsyncVerb;
  /**
   * Reveals only values that belong to the person expected at their place: the text of the rule's subject, or `null`
   * for nobody. Any other value has the issue `other_subject`. `null` for rules that bind values to nobody.
   */
  readonly revealOf: ((expected: readonly (string | null)[]) => AsyncVerb) | null;
}

/** From which keys to which the outputs of a rule are moved, and what the caller has said about it. */
export interface Move {
  /**
   * `rekey`: to the primary key of `to`, in the same domain. `project`: to the primary key of `to`, which is another
   * domain of the same lineage.
   */
  readonly kind: 'rekey' | 'project';
  readonly from: OpenedKeys;
  readonly to: OpenedKeys;
  /** Whether the caller has passed `revealAccess`. */
  readonly revealing: boolean;
  /**
   * Shown id of the key of `from` that made all values which do not show their key; `null` if the caller names none.
   * A rule whose outputs do not show their key refuses `null` with `epoch_required`: it never tries keys.
   */
  readonly fromKey: string | null;
  /**
   * What happens to a value that shows the primary key of `to` already. It passes, so that moving twice is harmless;
   * or it is the issue `already_rekeyed`, because other fields of the record do not show whether they have moved.
   */
  readonly arrived: 'pass' | 'refuse';
  readonly missing: MissingLists;
}

/** How a rule moves its outputs from one key to another. */
export interface Mover {
  /** Whether values are in clear on the way, so that `revealAccess` is needed. */
  readonly reveals: boolean;
  /** Whether an output shows the key and the rule that made it, or is the same under every key that may be moved to. */
  readonly showsKey: boolean;
  /**
   * Does the key set-up for both sides. The verb takes outputs of the rule and returns those that `protect` would make
   * of the same values with the primary key of `to`. Missing values pass.
   *
   * @throws TrefoilError `epoch_required`, `not_renewable`, `not_related`, `reveal_access_required`, `not_granted` and
   *   others of keys.
   */
  readonly bind: (move: Move) => ColumnVerb;
}

/** How outputs that do not show their key are revealed: under a key that the caller names, or that the record shows. */
export interface RevealUnder {
  /** Whether a key has what the rule needs: it lacks something only if it is there as branches. */
  readonly has: (key: DomainKey) => boolean;
  /** Does the key set-up. The output of a wrong key looks like any other, so the caller has to know the key. */
  readonly reveal: (key: DomainKey, missing: MissingTexts) => ColumnVerb;
}

/** Where a rule's output comes from, in the words of the record of processing. */
export type Origin =
  | 'derived from the value with a key'
  | 'random'
  | 'fixed'
  | 'taken from the value'
  | 'the value itself'
  | 'nothing';

/** What `explain` and `check` need to know about a rule. */
export interface RuleFacts {
  /** What happens to a value, in one sentence. Texts of the policy in it are `quoted`, apart from our own words. */
  readonly what: string | readonly (string | { readonly quoted: string })[];
  readonly origin: Origin;
  /** What is needed to turn the output back. */
  readonly back: 'never' | 'key' | 'store and key' | 'unchanged';
  /**
   * The group of rules that use the same key: equal values have equal outputs in all of them, apart from a token's
   * label. `null` if the rule has no scope.
   */
  readonly joins: string | null;
  /** The rule's scope, or `null`. */
  readonly scope: string | null;
  /** What an outsider still sees. */
  readonly visible: string;
}

/** What a rule does with keys, for narrowed keysets. */
export interface KeyUse {
  /** The nodes that it needs, each by its way from the node of the domain. */
  readonly paths: readonly (readonly Step[])[];
  /**
   * Whether cryptography keeps the holder of these nodes to the verbs. If not, only the library does, because the nodes
   * serve the other verbs, too.
   */
  readonly isWall: boolean;
}

/** The work of a rule, and what a policy must know to run it. */
export interface RuleEngine {
  readonly facts: RuleFacts;
  /** Whether `bind` needs keys. */
  readonly keyed: boolean;
  /**
   * Set if outputs can be revealed and do not show their key. A policy then reveals with this and not with `bind`, and
   * the key must be pinned, because the output of a wrong key looks like any other.
   */
  readonly under?: RevealUnder;
  /**
   * Returns the shown id of the key that made an output, or `null` if the value is not one of this rule. It is set if
   * every output shows its key and is moved to another key together with its record.
   */
  readonly shownKey?: (output: unknown) => string | null;
  /** What a cell of a text file (CSV, TSV) is read as before it is protected. */
  readonly cell: 'text' | 'integer' | 'json';
  /** Whether numbers of JSON are passed to the rule as they are spelled, because the rule tells two spellings apart. */
  readonly readsSpelling?: boolean;
  /**
   * What code gets for a revealed value, where a file gets another one: a number that is spelled as it was, or the text
   * of a date. It throws an error if code cannot hold the value.
   */
  readonly inCode?: (value: unknown) => unknown;
  /** Whether protecting removes the field from the record. */
  readonly removes: boolean;
  /** Paths of other fields of the record whose values the rule reads. Most rules read none. */
  readonly needs?: readonly string[];
  /** Why the rule can be bound to no keys at all, such as a space that is too small; `null` if it can. */
  readonly unfit: Issue | null;
  /**
   * Does the key set-up. `revealing`: the caller has passed `revealAccess`. `keys` is `null` for rules without keys.
   * `missing`: which texts count as missing, in the field and in others of the policy. The engine takes them from here
   * and not from its own options, because a policy may have a list, too.
   */
  readonly bind: (keys: OpenedKeys | null, revealing: boolean, missing: MissingLists) => BoundColumns;
  /** How outputs are moved to another key. Without it they pass, because no key is in them. */
  readonly mover?: Mover;
  /** Why outputs of the rule are not projected into the domain of a recipient; absent if they are, or if they pass. */
  readonly stays?: string;
  /**
   * Whether the field is removed on the way to a recipient. Then `removes` is true, and the records that are moved have
   * the field. Rules never set it; `policy/project.ts` does for its own leaves.
   */
  readonly removesOnMove?: boolean;
  /** Does the key set-up of a rule that waits for a store. `bind` of such a rule throws. */
  readonly open?: (keys: OpenedKeys, stores: unknown, missing: MissingLists) => Promise<AsyncColumns>;
  /**
   * What a narrowed keyset needs for the rule. Rules without keys need nothing.
   *
   * @param verbs what the keyset is for.
   * @param period the only period whose tokens it may make, for rules with a period; `null` for all periods.
   */
  readonly needsKeys?: (verbs: readonly KeyVerb[], period: string | null) => KeyUse;
  /**
   * Whether an output of the rule can be a text. Revealing would return it as it is, so such a text cannot be missing
   * in this field. Most rules cannot write any text that somebody would call missing.
   */
  readonly mayWrite?: (text: string) => boolean;
}

/** Attaches the engine, and verbs that are not part of the data, to the data of a rule, and freezes it. */
export function makeRule<T extends { readonly rule: string }, V extends object>(
  data: T,
  engine: RuleEngine,
  verbs: V,
): T & V {
  for (const [name, value] of Object.entries(verbs)) Object.defineProperty(data, name, { value });
  Object.defineProperty(data, ENGINE, { value: engine });
  return Object.freeze(data) as T & V;
}

/** The engine of a rule without keys. Unless `work` says otherwise, it returns every column as it is. */
export function keylessEngine(
  facts: Pick<RuleFacts, 'what' | 'origin' | 'back' | 'visible'>,
  work: Partial<RuleEngine>,
): RuleEngine {
  return {
    facts: { ...facts, joins: null, scope: null },
    keyed: false,
    cell: 'text',
    removes: false,
    unfit: null,
    bind: () => ({ protect: (column) => [...column], reveal: (column) => [...column] }),
    ...work,
  };
}

/** Returns the engine of a rule, or `null` if the value is not a rule. */
export function ruleEngine(value: unknown): RuleEngine | null {
  if (typeof value !== 'object' || value === null) return null;
  return ((value as Record<symbol, unknown>)[ENGINE] as RuleEngine | undefined) ?? null;
}

/** An option of a rule as the policy file writes it, or `undefined` if it is not set. */
export function ruleOption(rule: Rule, name: string): unknown {
  return Object.hasOwn(rule, name) ? (rule as unknown as Record<string, unknown>)[name] : undefined;
}
