/**
 * The types of a policy: which record it takes, which record it writes, and which record revealing returns. All types
 * of a rule are found by its `rule` tag, so that a hover shows fields and the compiler says which field is wrong.
 */

import type { Enciphered, Sealed, Token, VaultToken } from '../core/brands.ts';
import type { RevealAccess, WarrantAccess } from '../core/capability.ts';
import type { Column, NumberColumn, Utf8Column } from '../core/columns.ts';
import type { Missing } from '../core/missing.ts';
import type { Issue } from '../errors.ts';
import type { KeyCheck } from '../keys/checks.ts';
import type { DomainKeys } from '../keys/domain-keys.ts';
import type { ConstantRule } from '../rule/constant.ts';
import type { DropRule } from '../rule/drop.ts';
import type { Scalar } from '../rule/keep.ts';
import type { Rule } from '../rule/rule.ts';
import type { SealedValueOf, SealValue } from '../rule/seal/values.ts';
import type { Shifted } from '../rule/shift-date.ts';
import type { TokenInput } from '../rule/token.ts';
import type { Stores } from '../vault/session.ts';
import type { Direction } from './bound.ts';

/** An array in a record: the fields of its objects, or the rule of its elements. */
export interface Each<Item = unknown> {
  readonly '~trefoil.each': Item;
}

/** What a policy is made of: names of fields, each with a rule, nested fields or an array. */
export type Fields = { readonly [name: string]: Rule | Each | Fields };

/** A record whose fields are known only when the program runs. */
export type AnyRow = Readonly<Record<string, unknown>>;

type Flat<T> = { [K in keyof T]: T[K] } & {};
type ScopeOf<R> = R extends { readonly scope: infer Scope extends string } ? Scope : string;
type SealedOf<R> = R extends { readonly value?: infer Kind extends SealValue } ? SealedValueOf<Kind> : string;
type BucketOf<R, OfNumbers, OfText> = R extends { readonly number: number } ? OfNumbers : OfText;
/** A date: text or a `Date`; with a reading text or a number. */
type DateOf<R> = R extends { readonly read: string } ? string | number | bigint : string | Date;
/** The bucket of a number is a number and that of a text is text, but it need not be one of the literals. */
type Widened<V> = V extends number ? number : V extends string ? string : unknown extends V ? number | string : never;
/** The bucket below `min` is text. */
type BelowOf<R> = R extends { readonly min: number } ? string : never;
/** `null`, if the rule of a vault makes a missing value of what was erased. */
type Erased<R> = R extends { readonly onErased?: infer E } ? (E extends 'missing' ? null : never) : never;
/** `null` and `undefined` if a value can be these. A value of an unknown type can be both. */
type Absent<V> = unknown extends V ? null | undefined : Missing<V>;

/** What each rule protects. */
interface Inputs<R> {
  readonly token: TokenInput;
  readonly fpe: string;
  readonly seal: SealedOf<R>;
  readonly keep: Scalar;
  readonly drop: unknown;
  readonly constant: unknown;
  readonly mask: string;
  readonly coarsen: BucketOf<R, number | string, R extends { readonly date: string } ? DateOf<R> : string>;
  readonly shiftDate: DateOf<R>;
  readonly vault: string;
}

/** What each rule writes for a value of type `V`. */
interface Outputs<R, V> {
  readonly token: Token<ScopeOf<R>> | Absent<V>;
  readonly fpe: Enciphered<ScopeOf<R>> | Absent<V>;
  readonly seal: Sealed<ScopeOf<R>, SealedOf<R>> | Absent<V>;
  readonly keep: V;
  readonly drop: never;
  readonly constant: R extends ConstantRule<infer Value> ? Value : never;
  readonly mask: string | Absent<V>;
  readonly coarsen: BucketOf<R, BelowOf<R> | Widened<V>, string> | Absent<V>;
  readonly shiftDate: R extends { readonly read: string } ? Shifted<V> : string | Absent<V>;
  readonly vault: VaultToken<ScopeOf<R>> | Absent<V> | Erased<R>;
}

/** What `reveal` returns for a field, by rule. Rules that are not listed cannot be reversed; their fields stay. */
interface Revealed<R, V> {
  readonly fpe: string | Absent<V>;
  readonly seal: SealedOf<R> | Absent<V>;
  readonly vault: string | Absent<V> | Erased<R>;
}

type OutputOf<R extends Rule, V> = Outputs<R, V>[R['rule'] & keyof Outputs<R, V>];

/** What a rule takes: a value to protect, or what the rule wrote. */
type Taken<D extends Direction, R extends Rule> = D extends 'protect'
  ? Inputs<R>[R['rule'] & keyof Inputs<R>] | null | undefined
  : R['rule'] extends 'token' | 'fpe' | 'seal' | 'vault'
    ? OutputOf<R, unknown>
    : Scalar;

/** What a rule makes of a value of type `V`. */
type Made<D extends Direction, R extends Rule, V> = D extends 'protect'
  ? OutputOf<R, V>
  : R['rule'] extends keyof Revealed<R, V>
    ? Revealed<R, V>[R['rule']]
    : V;

/** An object or array may be absent when everything in it may. */
type IsOptional<N> = N extends Rule
  ? IsTrue<N['optional']>
  : N extends Each<infer Item>
    ? IsOptional<Item>
    : Loose<N> extends true
      ? false
      : { [K in keyof N]: IsOptional<N[K]> } extends { [K in keyof N]: true }
        ? true
        : false;
// A rule without the option has `boolean | undefined` here.
type IsTrue<O> = [O] extends [true] ? true : false;

type OptionalNames<F> = { [K in keyof F]: IsOptional<F[K]> extends true ? K : never }[keyof F];
type DroppedNames<F> = { [K in keyof F]: F[K] extends DropRule ? K : never }[keyof F];
/** The fields of the records that a policy takes: a protected record has no dropped fields. */
type TakenNames<D extends Direction, F> = D extends 'protect' ? keyof F : Exclude<keyof F, DroppedNames<F>>;

/** Whether the compiler does not know the names of a record: `Record<string, …>`. */
type Loose<R> = string extends keyof R ? true : false;
type NamesOf<R> = R extends unknown ? keyof R : never;
type ElementOf<V> = V extends readonly (infer Element)[] ? Element : unknown;
type FieldOf<R, K> = K extends keyof R ? R[K] : unknown;
type ValueOf<R> = R[keyof R];

/** The records that a policy protects. */
export type InputRow<F> = FitRow<'protect', F, unknown, never>;

/** The protected records that a policy reveals. */
export type SafeRow<F> = FitRow<'reveal', F, unknown, never>;

/** The type of fields that the policy does not name: none can be there, or with `unnamed: 'drop'` any. */
type OthersOf<Unnamed> = Unnamed extends 'drop' ? unknown : never;

/**
 * `R` if it is a record that the policy takes: it has the policy's fields, and no others unless `Others` allows them.
 * If it is not, the type that it should have, so that the compiler's message says which field is wrong.
 */
export type Fit<D extends Direction, F, R, Others = never> = [R] extends [FitFields<D, F, R, Others>]
  ? R
  : FitFields<D, F, R, Others>;

/** The policy of a file has fields of type `never`. */
type FitFields<D extends Direction, F, R, Others> = [F] extends [never]
  ? AnyRow
  : Loose<F> | Loose<R> extends false
    ? FitRow<D, F, R, Others>
    : unknown;

type FitRow<D extends Direction, F, R, Others> = Flat<
  { readonly [K in Exclude<TakenNames<D, F>, OptionalNames<F>>]: FitNode<D, F[K], FieldOf<R, K>, Others> } & {
    readonly [K in Extract<TakenNames<D, F>, OptionalNames<F>>]?: FitNode<D, F[K], FieldOf<R, K>, Others>;
  } & { readonly [K in Exclude<NamesOf<R>, TakenNames<D, F>>]: Others }
>;

type FitNode<D extends Direction, N, V, Others> = N extends Rule
  ? Taken<D, N>
  : N extends Each<infer Item>
    ? readonly FitNode<D, Item, ElementOf<V>, Others>[] | null | undefined
    : FitFields<D, N, NonNullable<V>, Others> | null | undefined;

/** The record that a policy writes for a record of type `R`. Dropped fields are not in it. */
export type OutputRow<F, R> = MadeRow<'protect', F, R>;

/** The record that revealing returns: sealed and enciphered fields as they were before, all others as they are. */
export type BackRow<F, R> = MadeRow<'reveal', F, R>;

type MadeRow<D extends Direction, F, R> = Loose<F> | Loose<R> extends false
  ? Flat<{
      -readonly [K in keyof R as K extends keyof F ? Exclude<K, DroppedNames<F>> : never]: K extends keyof F
        ? MadeNode<D, F[K], R[K]>
        : never;
    }>
  : Loose<F> extends true
    ? Record<string, unknown>
    : Flat<
        { -readonly [K in Exclude<keyof F, DroppedNames<F> | OptionalNames<F>>]: MadeNode<D, F[K], ValueOf<R>> } & {
          -readonly [K in Exclude<OptionalNames<F>, DroppedNames<F>>]?: MadeNode<D, F[K], ValueOf<R>>;
        }
      >;

type MadeNode<D extends Direction, N, V> =
  // A constant replaces null too, so it must not take the branch for missing values.
  [D, N] extends ['protect', ConstantRule<infer Value>]
    ? Value
    : unknown extends V
      ? MadeOfAny<D, N>
      : V extends null | undefined
        ? V
        : N extends Rule
          ? Made<D, N, V>
          : N extends Each<infer Item>
            ? V extends readonly (infer Element)[]
              ? MadeNode<D, Item, Element>[]
              : never
            : V extends object
              ? MadeRow<D, N, V>
              : never;

/** The same for a value of which nothing is known. */
type MadeOfAny<D extends Direction, N> = N extends Rule
  ? Made<D, N, unknown>
  : N extends Each<infer Item>
    ? MadeNode<D, Item, unknown>[] | null | undefined
    : MadeRow<D, N, AnyRow> | null | undefined;

/** Options of the verbs over many records. */
export interface ManyOptions {
  /** Called with every issue. A record with an issue is left out of the result, and nothing is thrown for it. */
  readonly onReject?: (issue: Issue) => void;
}

/** Options of a policy that may reveal. */
export interface RevealOptions {
  /**
   * Shown id of the key that made the values which do not show their key: `fpe` ciphertext. All records must be of this
   * key, and one whose labelled tokens or sealed values show another key has an issue. Without it, each record is
   * revealed with the key that it shows. If the keyset has one key alone, a record that shows none is taken to be of
   * that key.
   */
  readonly fromKey?: string;
}

/** A policy with its keys. */
export interface BoundPolicy<F, Unnamed = 'error'> {
  /** Protects one record. The record is not changed. */
  readonly protect: <R extends object>(row: Fit<'protect', F, R, OthersOf<Unnamed>>) => OutputRow<F, R>;
  /** Protects many records at once, which is faster. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly protectMany: <R extends object>(
    rows: readonly Fit<'protect', F, R, OthersOf<Unnamed>>[],
    options?: ManyOptions,
  ) => OutputRow<F, R>[];
  /** Protects columns of equal length, by the paths of their fields. The result has no dropped fields. */
  readonly protectColumns: ProtectColumns;
}

/** A policy with its keys that may reveal. */
export interface RevealingPolicy<F, Unnamed = 'error'> extends BoundPolicy<F, Unnamed> {
  /** Reveals the sealed and enciphered fields of one record; all other fields stay as they are. */
  readonly reveal: <R extends object>(row: Fit<'reveal', F, R>) => BackRow<F, R>;
  /** Reveals many records at once. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly revealMany: <R extends object>(
    rows: readonly Fit<'reveal', F, R>[],
    options?: ManyOptions,
  ) => BackRow<F, R>[];
}

/** What a policy states besides its fields. */
export interface PolicyOptions<Unnamed extends 'error' | 'drop' = 'error' | 'drop'> {
  /** Name of the policy's domain; keys of another domain are refused. A policy file must have it. */
  readonly domain?: string;
  /** The region that the keys must be labelled with. */
  readonly region?: string;
  /**
   * Key check values by shown key id: other keys are refused. `fpe` fields are revealed with pinned keys alone. Under
   * `protects`, the id of the key that must be primary, so that a key file from before a rotation is refused.
   */
  readonly keyCheck?: KeyCheck;
  /** Check value of the branches of a narrowed key file: a file with other branches is refused. */
  readonly branchCheck?: string;
  /** What happens to a field without a rule: `error` (default) refuses the record, `drop` leaves the field out. */
  readonly unnamed?: Unnamed;
  /**
   * Texts that are no value in any field that has no list of its own: at most 100, letter for letter. They pass
   * unchanged in both directions, as `null` does. `['']` by default; `[]` protects the empty text.
   */
  readonly missing?: readonly string[];
  /**
   * Path of the field that says whose record it is, without arrays. People are counted by it; it enters no key. For
   * warrants it is a `token` of the scope that the charter names.
   */
  readonly subject?: string;
}

/** A policy: frozen plain data, whose JSON is the policy file. `Policy` without parameters is any policy. */
// biome-ignore lint/suspicious/noExplicitAny: a policy takes some records and not others, so only `any` is above all
export interface Policy<F = any, Unnamed = any> {
  readonly trefoil: 1;
  readonly domain?: string;
  readonly region?: string;
  readonly keyCheck?: KeyCheck;
  readonly branchCheck?: string;
  readonly unnamed?: 'error' | 'drop';
  readonly missing?: readonly string[];
  readonly subject?: string;
  /** Rules by path, as in the policy file. */
  readonly fields: Readonly<Record<string, Rule>>;
  /** Binds the policy to keys: all key set-up happens here. A policy with a vault is opened instead. Not enumerable. */
  readonly bind: true extends Waits<F>
    ? 'a policy with a vault waits for its store: use await policy.open(keys, stores)'
    : {
        (keys: DomainKeys): BoundPolicy<F, Unnamed>;
        (keys: DomainKeys, access: RevealAccess, options?: RevealOptions): RevealingPolicy<F, Unnamed>;
      };
  /**
   * Binds the policy to keys and to stores, which are passed by the names that the rules use. With governed keys it
   * also takes what `warrantAccess` of `trefoil/govern` returns; every batch that is revealed is then a use of that
   * warrant. Not enumerable.
   */
  readonly open: {
    (keys: DomainKeys, stores: Stores): Promise<OpenPolicy<F, Unnamed>>;
    (
      keys: DomainKeys,
      stores: Stores,
      access: RevealAccess | WarrantAccess,
      options?: RevealOptions,
    ): Promise<RevealingOpenPolicy<F, Unnamed>>;
  };
}

/** `true` if a rule waits for a store. Of any policy it is not known, so it may be bound, and `bind` throws. */
type Waits<N> = 0 extends 1 & N
  ? false
  : N extends Rule
    ? N extends { readonly rule: 'vault' }
      ? true
      : false
    : N extends Each<infer Item>
      ? Waits<Item>
      : { [K in keyof N]: Waits<N[K]> }[keyof N];

/** A policy with its keys and stores. */
export interface OpenPolicy<F, Unnamed = 'error'> {
  /** Protects one record. The record is not changed. */
  readonly protect: <R extends object>(row: Fit<'protect', F, R, OthersOf<Unnamed>>) => Promise<OutputRow<F, R>>;
  /** Protects many records at once. The vault makes no token for a record that another rule rejects. */
  readonly protectMany: <R extends object>(
    rows: readonly Fit<'protect', F, R, OthersOf<Unnamed>>[],
    options?: ManyOptions,
  ) => Promise<OutputRow<F, R>[]>;
  /** Protects columns of equal length, by field path. The vault makes no token if another rule rejects a value. */
  readonly protectColumns: AsyncProtectColumns;
}

/** A policy with its keys and stores that may reveal. */
export interface RevealingOpenPolicy<F, Unnamed = 'error'> extends OpenPolicy<F, Unnamed> {
  /** Reveals the fields of one record that can be revealed; all other fields stay as they are. */
  readonly reveal: <R extends object>(row: Fit<'reveal', F, R>) => Promise<BackRow<F, R>>;
  /** Reveals many records at once. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly revealMany: <R extends object>(
    rows: readonly Fit<'reveal', F, R>[],
    options?: ManyOptions,
  ) => Promise<BackRow<F, R>[]>;
}

/** A policy from a file: the compiler does not know its fields. */
export type FilePolicy = Policy<never, unknown>;

/** A policy from a file, with its keys. */
export type BoundFilePolicy = BoundPolicy<never, unknown>;

/** A policy from a file, with its keys, that may reveal. */
export type RevealingFilePolicy = RevealingPolicy<never, unknown>;

/** A policy from a file, with its keys and stores. */
export type OpenFilePolicy = OpenPolicy<never, unknown>;

/** A policy from a file, with its keys and stores, that may reveal. */
export type RevealingOpenFilePolicy = RevealingOpenPolicy<never, unknown>;

/**
 * Protects columns by the paths of their fields. Arrays and typed arrays of numbers become arrays. If one of the
 * columns is UTF-8 with offsets, results may be such columns, too.
 */
export interface ProtectColumns {
  (columns: Readonly<Record<string, readonly unknown[] | NumberColumn>>): Record<string, unknown[]>;
  (columns: Readonly<Record<string, Column>>): Record<string, unknown[] | Utf8Column>;
}

/** {@link ProtectColumns} of a policy that waits for its stores. */
export interface AsyncProtectColumns {
  (columns: Readonly<Record<string, readonly unknown[] | NumberColumn>>): Promise<Record<string, unknown[]>>;
  (columns: Readonly<Record<string, Column>>): Promise<Record<string, unknown[] | Utf8Column>>;
}
