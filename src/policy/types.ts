/**
 * The types of a policy: which record goes in, which comes out, and which comes back. Every rule's types hang on its
 * `rule` tag, so that a hover shows fields and the compiler says which field is wrong.
 */

import type { Enciphered, Sealed, Token, VaultToken } from '../core/brands.ts';
import type { RevealAccess } from '../core/capability.ts';
import type { Column, NumberColumn, Utf8Column } from '../core/columns.ts';
import type { Issue } from '../errors.ts';
import type { DomainKeys, KeyCheck } from '../keys/domain-keys.ts';
import type { ConstantRule } from '../rule/constant.ts';
import type { DropRule } from '../rule/drop.ts';
import type { Scalar } from '../rule/keep.ts';
import type { Rule } from '../rule/rule.ts';
import type { TokenInput } from '../rule/token.ts';
import type { Stores } from '../vault/session.ts';

/** An array in a record: the fields of its objects, or the rule of its elements. */
export interface Each<Item = unknown> {
  readonly '~trefoil.each': Item;
}

/** What a policy is made of: names of fields, each with a rule, nested fields or an array. */
export type Fields = { readonly [name: string]: Rule | Each | Fields };

/** What of a value is `null` or `undefined`; of a value that can be anything, both. */
type Missing<V> = unknown extends V ? null | undefined : Extract<V, null | undefined>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

type ScopeOf<R> = R extends { readonly scope: infer Scope extends string } ? Scope : string;
type SealedOf<R> = R extends { readonly value?: 'integer' } ? number : string;
type BucketOf<R, OfNumbers, OfText> = R extends { readonly number: number } ? OfNumbers : OfText;
/** The bucket of a number is a number and that of a text is text, but it need not be one of the literals. */
type Widened<V> = V extends number ? number : V extends string ? string : unknown extends V ? number | string : never;

/** What each rule takes, by its tag. */
interface Inputs<R> {
  readonly token: TokenInput;
  readonly fpe: string;
  readonly seal: SealedOf<R>;
  readonly keep: Scalar;
  readonly drop: unknown;
  readonly constant: unknown;
  readonly mask: string;
  readonly coarsen: BucketOf<R, number | string, string>;
  readonly shiftDate: string;
  readonly vault: string;
}

/** What each rule writes for a value of type `V`. */
interface Outputs<R, V> {
  readonly token: Token<ScopeOf<R>> | Missing<V>;
  readonly fpe: Enciphered<ScopeOf<R>> | Missing<V>;
  readonly seal: Sealed<ScopeOf<R>, SealedOf<R>> | Missing<V>;
  readonly keep: V;
  readonly drop: never;
  readonly constant: R extends ConstantRule<infer Value> ? Value : never;
  readonly mask: string | Missing<V>;
  readonly coarsen: BucketOf<R, Widened<V>, string> | Missing<V>;
  readonly shiftDate: string | Missing<V>;
  readonly vault: VaultToken<ScopeOf<R>> | Missing<V>;
}

/** What each rule that can go back gives for what it wrote. */
interface Backs<R, V> {
  readonly fpe: string | Missing<V>;
  readonly seal: SealedOf<R> | Missing<V>;
  readonly vault: string | Missing<V>;
}

type InputOf<R extends Rule> = Inputs<R>[R['rule'] & keyof Inputs<R>];
type OutputOf<R extends Rule, V> = Outputs<R, V>[R['rule'] & keyof Outputs<R, V>];
type BackOf<R extends Rule, V> = R['rule'] extends keyof Backs<R, V> ? Backs<R, V>[R['rule']] : V;

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
// A rule that says nothing has `boolean | undefined` here.
type IsTrue<O> = [O] extends [true] ? true : false;

type OptionalNames<F> = { [K in keyof F]: IsOptional<F[K]> extends true ? K : never }[keyof F];
type DroppedNames<F> = { [K in keyof F]: F[K] extends DropRule ? K : never }[keyof F];

/** Whether the names of a record are not known to the compiler: `Record<string, …>`. */
type Loose<R> = string extends keyof R ? true : false;
type NamesOf<R> = R extends unknown ? keyof R : never;
type ElementOf<V> = V extends readonly (infer Element)[] ? Element : unknown;

/** The records that a policy takes. */
export type InputRow<F> = FitRow<F, unknown, never>;

/** What fields that the policy does not name may be: nothing, or with `unnamed: 'drop'` anything. */
type OthersOf<Unnamed> = Unnamed extends 'drop' ? unknown : never;

/**
 * `R` if it is a record for the policy: it has the policy's fields, and no other but `Others`. Else what it should be, so that the
 * compiler's message says which field is wrong.
 */
export type Fit<F, R, Others> = [R] extends [FitInside<F, R, Others>] ? R : FitInside<F, R, Others>;

type FitInside<F, R, Others> = Loose<F> | Loose<R> extends false ? FitRow<F, R, Others> : unknown;

type FitRow<F, R, Others> = Flat<
  { readonly [K in Exclude<keyof F, OptionalNames<F>>]: FitNode<F[K], FieldOf<R, K>, Others> } & {
    readonly [K in OptionalNames<F>]?: FitNode<F[K], FieldOf<R, K>, Others>;
  } & { readonly [K in Exclude<NamesOf<R>, keyof F>]: Others }
>;

type FieldOf<R, K> = K extends keyof R ? R[K] : unknown;

type FitNode<N, V, Others> = N extends Rule
  ? InputOf<N> | null | undefined
  : N extends Each<infer Item>
    ? readonly FitNode<Item, ElementOf<V>, Others>[] | null | undefined
    : FitInside<N, NonNullable<V>, Others> | null | undefined;

type OutputNode<N, V> =
  // A constant replaces null too, so it must not take the branch for missing values.
  N extends ConstantRule<infer Value>
    ? Value
    : unknown extends V
      ? OutputOfAny<N>
      : V extends null | undefined
        ? V
        : N extends Rule
          ? OutputOf<N, V>
          : N extends Each<infer Item>
            ? V extends readonly (infer Element)[]
              ? OutputNode<Item, Element>[]
              : never
            : V extends object
              ? OutputRow<N, V>
              : never;

/** What is written for a value of which nothing is known. */
type OutputOfAny<N> = N extends Rule
  ? OutputOf<N, unknown>
  : N extends Each<infer Item>
    ? OutputNode<Item, unknown>[] | null | undefined
    : OutputRow<N, AnyRow> | null | undefined;

/** The record that a policy writes for a record of type `R`. Dropped fields are not in it. */
export type OutputRow<F, R> = Loose<F> | Loose<R> extends false
  ? Flat<{
      -readonly [K in keyof R as K extends keyof F ? Exclude<K, DroppedNames<F>> : never]: K extends keyof F
        ? OutputNode<F[K], R[K]>
        : never;
    }>
  : Loose<F> extends true
    ? Record<string, unknown>
    : Flat<
        { -readonly [K in Exclude<keyof F, DroppedNames<F> | OptionalNames<F>>]: OutputNode<F[K], ValueOf<R>> } & {
          -readonly [K in Exclude<OptionalNames<F>, DroppedNames<F>>]?: OutputNode<F[K], ValueOf<R>>;
        }
      >;

type ValueOf<R> = R[keyof R];

type BackNode<N, V> = unknown extends V
  ? BackOfAny<N>
  : V extends null | undefined
    ? V
    : N extends Rule
      ? BackOf<N, V>
      : N extends Each<infer Item>
        ? V extends readonly (infer Element)[]
          ? BackNode<Item, Element>[]
          : never
        : V extends object
          ? BackRow<N, V>
          : never;

type BackOfAny<N> = N extends Rule
  ? BackOf<N, unknown>
  : N extends Each<infer Item>
    ? BackNode<Item, unknown>[] | null | undefined
    : BackRow<N, AnyRow> | null | undefined;

/** The record that comes back: sealed and enciphered fields as they were, all others as they are. */
export type BackRow<F, R> = Loose<F> | Loose<R> extends false
  ? Flat<{
      -readonly [K in keyof R as K extends keyof F ? Exclude<K, DroppedNames<F>> : never]: K extends keyof F
        ? BackNode<F[K], R[K]>
        : never;
    }>
  : Loose<F> extends true
    ? Record<string, unknown>
    : Flat<
        { -readonly [K in Exclude<keyof F, DroppedNames<F> | OptionalNames<F>>]: BackNode<F[K], ValueOf<R>> } & {
          -readonly [K in Exclude<OptionalNames<F>, DroppedNames<F>>]?: BackNode<F[K], ValueOf<R>>;
        }
      >;

/** Protected records, as a policy reads them. */
export type SafeRow<F> = SafeFit<F, unknown>;

/** `R` if it is a protected record of the policy, else what it should be. */
export type FitSafe<F, R> = [R] extends [SafeInside<F, R>] ? R : SafeInside<F, R>;

type SafeInside<F, R> = Loose<F> | Loose<R> extends false ? SafeFit<F, R> : unknown;

type SafeFit<F, R> = Flat<
  { readonly [K in Exclude<keyof F, DroppedNames<F> | OptionalNames<F>>]: SafeNode<F[K], FieldOf<R, K>> } & {
    readonly [K in Exclude<OptionalNames<F>, DroppedNames<F>>]?: SafeNode<F[K], FieldOf<R, K>>;
  } & { readonly [K in Exclude<NamesOf<R>, Exclude<keyof F, DroppedNames<F>>>]: never }
>;

type SafeNode<N, V> = N extends { readonly rule: 'token' | 'fpe' | 'seal' | 'vault' }
  ? OutputOf<N, unknown>
  : N extends Rule
    ? Scalar
    : N extends Each<infer Item>
      ? readonly SafeNode<Item, ElementOf<V>>[] | null | undefined
      : SafeInside<N, NonNullable<V>> | null | undefined;

/** Options of the verbs over many records. */
export interface ManyOptions {
  /** Called with every issue; records with an issue are left out of the result, and nothing is thrown for them. */
  readonly onReject?: (issue: Issue) => void;
}

/** A policy with its keys. */
export interface BoundPolicy<F, Unnamed = 'error'> {
  /** Protects one record. The record is not changed. */
  readonly protect: <R extends object>(row: Fit<F, R, OthersOf<Unnamed>>) => OutputRow<F, R>;
  /** Protects many records at once, which is faster. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly protectMany: <R extends object>(
    rows: readonly Fit<F, R, OthersOf<Unnamed>>[],
    options?: ManyOptions,
  ) => OutputRow<F, R>[];
  /** Protects columns of one length, by field path; for callers who have columns. Dropped fields are not in the result. */
  readonly protectColumns: ProtectColumns;
}

/** A policy with its keys that may reveal. */
export interface RevealingPolicy<F, Unnamed = 'error'> extends BoundPolicy<F, Unnamed> {
  /** Gives back the sealed and enciphered fields of one record; tokens and the like stay as they are. */
  readonly reveal: <R extends object>(row: FitSafe<F, R>) => BackRow<F, R>;
  /** Gives back many records at once. */
  readonly revealMany: <R extends object>(rows: readonly FitSafe<F, R>[], options?: ManyOptions) => BackRow<F, R>[];
}

/** What a policy says besides its fields. */
export interface PolicyOptions<Unnamed extends 'error' | 'drop' = 'error' | 'drop'> {
  /** Name of the domain that the policy is for; keys of another are refused. A policy file must have it. */
  readonly domain?: string;
  /** Key check values by shown key id: other keys are refused. Needed to reveal fpe fields. */
  readonly keyCheck?: KeyCheck;
  /** What happens to a field without a rule: an error (default), or it is left out. */
  readonly unnamed?: Unnamed;
}

/** A policy: frozen plain data, whose JSON is the policy file. `Policy` alone is any policy. */
// biome-ignore lint/suspicious/noExplicitAny: a policy takes some records and not others, so only `any` is above all
export interface Policy<F = any, Unnamed = any> {
  readonly trefoil: 1;
  readonly domain?: string;
  readonly keyCheck?: KeyCheck;
  readonly unnamed?: 'error' | 'drop';
  /** Rules by path, as in the policy file. */
  readonly fields: Readonly<Record<string, Rule>>;
  /** Joins the policy to keys: all key set-up happens here. A policy with a vault is opened instead. Not enumerable. */
  readonly bind: true extends Waits<F>
    ? 'a policy with a vault waits for its store: use await policy.open(keys, stores)'
    : {
        (keys: DomainKeys): BoundPolicy<F, Unnamed>;
        (keys: DomainKeys, access: RevealAccess): RevealingPolicy<F, Unnamed>;
      };
  /** Joins the policy to keys and to stores, by the names that its rules give them. Not enumerable. */
  readonly open: {
    (keys: DomainKeys, stores: Stores): Promise<OpenPolicy<F, Unnamed>>;
    (keys: DomainKeys, stores: Stores, access: RevealAccess): Promise<RevealingOpenPolicy<F, Unnamed>>;
  };
}

/** `true` where a rule waits for a store. Of any policy it is not known, so it may be bound, and `bind` throws. */
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
  readonly protect: <R extends object>(row: Fit<F, R, OthersOf<Unnamed>>) => Promise<OutputRow<F, R>>;
  /** Protects many records at once. Records that other rules reject make no token. */
  readonly protectMany: <R extends object>(
    rows: readonly Fit<F, R, OthersOf<Unnamed>>[],
    options?: ManyOptions,
  ) => Promise<OutputRow<F, R>[]>;
  /** Protects columns of one length, by field path. Columns that other rules reject make no token. */
  readonly protectColumns: AsyncProtectColumns;
}

/** A policy with its keys and stores that may reveal. */
export interface RevealingOpenPolicy<F, Unnamed = 'error'> extends OpenPolicy<F, Unnamed> {
  /** Gives back what can be turned back of one record. */
  readonly reveal: <R extends object>(row: FitSafe<F, R>) => Promise<BackRow<F, R>>;
  /** Gives back many records at once. */
  readonly revealMany: <R extends object>(
    rows: readonly FitSafe<F, R>[],
    options?: ManyOptions,
  ) => Promise<BackRow<F, R>[]>;
}

/** A record whose fields are known only when the program runs. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** A policy from a file, with its keys. */
export interface BoundFilePolicy {
  readonly protect: (row: AnyRow) => Record<string, unknown>;
  readonly protectMany: (rows: readonly AnyRow[], options?: ManyOptions) => Record<string, unknown>[];
  readonly protectColumns: ProtectColumns;
}

/** A policy from a file, with its keys, that may reveal. */
export interface RevealingFilePolicy extends BoundFilePolicy {
  readonly reveal: (row: AnyRow) => Record<string, unknown>;
  readonly revealMany: (rows: readonly AnyRow[], options?: ManyOptions) => Record<string, unknown>[];
}

/** A policy from a file, with its keys and stores. */
export interface OpenFilePolicy {
  readonly protect: (row: AnyRow) => Promise<Record<string, unknown>>;
  readonly protectMany: (rows: readonly AnyRow[], options?: ManyOptions) => Promise<Record<string, unknown>[]>;
  readonly protectColumns: AsyncProtectColumns;
}

/** The same, and it may reveal. */
export interface RevealingOpenFilePolicy extends OpenFilePolicy {
  readonly reveal: (row: AnyRow) => Promise<Record<string, unknown>>;
  readonly revealMany: (rows: readonly AnyRow[], options?: ManyOptions) => Promise<Record<string, unknown>[]>;
}

/** A policy from a file: its fields are not known to the compiler. */
export interface FilePolicy extends Omit<Policy<never>, 'bind' | 'open'> {
  readonly bind: {
    (keys: DomainKeys): BoundFilePolicy;
    (keys: DomainKeys, access: RevealAccess): RevealingFilePolicy;
  };
  readonly open: {
    (keys: DomainKeys, stores: Stores): Promise<OpenFilePolicy>;
    (keys: DomainKeys, stores: Stores, access: RevealAccess): Promise<RevealingOpenFilePolicy>;
  };
}

/** {@link ProtectColumns} of a policy that waits for its stores. */
export interface AsyncProtectColumns {
  (columns: Readonly<Record<string, readonly unknown[] | NumberColumn>>): Promise<Record<string, unknown[]>>;
  (columns: Readonly<Record<string, Column>>): Promise<Record<string, unknown[] | Utf8Column>>;
}

/**
 * Protects columns by their paths. Arrays and typed arrays of numbers give arrays; with a column of UTF-8 among them, a
 * result may be one, too.
 */
export interface ProtectColumns {
  (columns: Readonly<Record<string, readonly unknown[] | NumberColumn>>): Record<string, unknown[]>;
  (columns: Readonly<Record<string, Column>>): Record<string, unknown[] | Utf8Column>;
}
