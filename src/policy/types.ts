/**
 * The types of a policy: which record goes in, which comes out, and which comes back. Every rule's types hang on its
 * `rule` tag, so that a hover shows fields and the compiler says which field is wrong.
 */

import type { Enciphered, Sealed, Token } from '../core/brands.ts';
import type { RevealAccess } from '../core/capability.ts';
import type { Issue } from '../errors.ts';
import type { DomainKeys, KeyCheck } from '../keys/domain-keys.ts';
import type { CoarsenRule } from '../rule/coarsen.ts';
import type { FpeRule } from '../rule/fpe.ts';
import type { ConstantRule, DropRule, KeepRule, MaskRule, Scalar } from '../rule/plain.ts';
import type { Rule } from '../rule/rule.ts';
import type { SealRule } from '../rule/seal.ts';
import type { TokenInput, TokenRule } from '../rule/token.ts';

/** An array in a record: the fields of its objects, or the rule of its elements. */
export interface Each<Item = unknown> {
  readonly '~trefoil.each': Item;
}

/** What a policy is made of: names of fields, each with a rule, nested fields or an array. */
export type Fields = { readonly [name: string]: Rule | Each | Fields };

type Missing<V> = Extract<V, null | undefined>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** What a rule takes. */
export type InputOf<R> =
  R extends TokenRule<string>
    ? TokenInput
    : R extends FpeRule<string>
      ? string
      : R extends SealRule<string, infer Kind>
        ? Kind extends 'integer'
          ? number
          : string
        : R extends KeepRule
          ? Scalar
          : R extends MaskRule
            ? string
            : R extends CoarsenRule<infer Bucket>
              ? Bucket extends { readonly number: number }
                ? number | string
                : string
              : unknown;

/** What a rule writes for a value. */
export type OutputOf<R, V> =
  R extends TokenRule<infer Scope>
    ? Token<Scope> | Missing<V>
    : R extends FpeRule<infer Scope>
      ? Enciphered<Scope> | Missing<V>
      : R extends SealRule<infer Scope, infer Kind>
        ? Sealed<Scope, Kind extends 'integer' ? number : string> | Missing<V>
        : R extends KeepRule
          ? V
          : R extends ConstantRule<infer Value>
            ? Value
            : R extends CoarsenRule<infer Bucket>
              ? Bucket extends { readonly number: number }
                ? V
                : string | Missing<V>
              : R extends MaskRule
                ? string | Missing<V>
                : never;

/** What a rule gives back for what it wrote. */
export type BackOf<R, V> =
  R extends FpeRule<string>
    ? string | Missing<V>
    : R extends SealRule<string, infer Kind>
      ? (Kind extends 'integer' ? number : string) | Missing<V>
      : V;

type IsOptional<N> = N extends { readonly optional?: infer O }
  ? true extends O
    ? boolean extends O
      ? false
      : true
    : false
  : false;

type OptionalNames<F> = { [K in keyof F]: IsOptional<F[K]> extends true ? K : never }[keyof F];

type InputNode<N> =
  N extends Each<infer Item>
    ? readonly InputNode<Item>[] | null | undefined
    : N extends Rule
      ? InputOf<N> | null | undefined
      : InputRow<N> | null | undefined;

/** The records that a policy takes. */
export type InputRow<F> = { readonly [K in Exclude<keyof F, OptionalNames<F>>]: InputNode<F[K]> } & {
  readonly [K in OptionalNames<F>]?: InputNode<F[K]>;
};

/** Names in a record that the policy does not have: their type becomes `never`. A `Record<string, …>` is let through. */
export type NoOthers<F, R> = string extends keyof R ? unknown : { readonly [K in Exclude<keyof R, keyof F>]: never };

type DroppedNames<F> = { [K in keyof F]: F[K] extends DropRule ? K : never }[keyof F];

type OutputNode<N, V> = V extends null | undefined
  ? V
  : N extends Each<infer Item>
    ? V extends readonly (infer Element)[]
      ? OutputNode<Item, Element>[]
      : never
    : N extends Rule
      ? OutputOf<N, V>
      : OutputRow<N, V>;

// A constant replaces null too, so it must not take the branch for missing values.
type OutputField<N, V> = N extends ConstantRule<infer Value> ? Value : OutputNode<N, V>;

/** The record that a policy writes for a record of type `R`. Dropped fields are not in it. */
export type OutputRow<F, R> = Flat<{
  -readonly [K in keyof R as K extends keyof F ? Exclude<K, DroppedNames<F>> : never]: K extends keyof F
    ? OutputField<F[K], R[K]>
    : never;
}>;

type BackNode<N, V> = V extends null | undefined
  ? V
  : N extends Each<infer Item>
    ? V extends readonly (infer Element)[]
      ? BackNode<Item, Element>[]
      : never
    : N extends Rule
      ? BackOf<N, V>
      : BackRow<N, V>;

/** The record that comes back: sealed and enciphered fields as they were, all others as they are. */
export type BackRow<F, R> = Flat<{ -readonly [K in keyof R]: K extends keyof F ? BackNode<F[K], R[K]> : R[K] }>;

type SafeNode<N> =
  N extends Each<infer Item>
    ? readonly SafeNode<Item>[] | null | undefined
    : N extends KeepRule | ConstantRule | MaskRule | CoarsenRule
      ? Scalar
      : N extends Rule
        ? OutputOf<N, null | undefined>
        : SafeRow<N> | null | undefined;

/** Protected records, as a policy reads them. */
export type SafeRow<F> = { readonly [K in Exclude<keyof F, DroppedNames<F> | OptionalNames<F>>]: SafeNode<F[K]> } & {
  readonly [K in Exclude<OptionalNames<F>, DroppedNames<F>>]?: SafeNode<F[K]>;
};

/** Options of the verbs over many records. */
export interface ManyOptions {
  /** Called with every issue; records with an issue are left out of the result, and nothing is thrown for them. */
  readonly onReject?: (issue: Issue) => void;
}

/** A policy with its keys. */
export interface BoundPolicy<F> {
  /** Protects one record. The record is not changed. */
  readonly protect: <const R extends InputRow<F>>(row: R & NoOthers<F, R>) => OutputRow<F, R>;
  /** Protects many records at once, which is faster. Throws once, with the first 100 issues, or calls `onReject`. */
  readonly protectMany: <const R extends InputRow<F>>(
    rows: readonly (R & NoOthers<F, R>)[],
    options?: ManyOptions,
  ) => OutputRow<F, R>[];
  /** Protects columns of one length, by field path; for callers who have columns. Dropped fields are not in the result. */
  readonly protectColumns: (columns: Readonly<Record<string, readonly unknown[]>>) => Record<string, unknown[]>;
}

/** A policy with its keys that may reveal. */
export interface RevealingPolicy<F> extends BoundPolicy<F> {
  /** Gives back the sealed and enciphered fields of one record; tokens and the like stay as they are. */
  readonly reveal: <const R extends SafeRow<F>>(row: R) => BackRow<F, R>;
  /** Gives back many records at once. */
  readonly revealMany: <const R extends SafeRow<F>>(rows: readonly R[], options?: ManyOptions) => BackRow<F, R>[];
}

/** What a policy says besides its fields. */
export interface PolicyOptions {
  /** Name of the domain that the policy is for; keys of another are refused. A policy file must have it. */
  readonly domain?: string;
  /** Key check values by shown key id: other keys are refused. Needed to reveal fpe fields. */
  readonly keyCheck?: KeyCheck;
  /** What happens to a field without a rule: an error (default), or it is left out. */
  readonly unnamed?: 'error' | 'drop';
}

/** A policy: frozen plain data, whose JSON is the policy file. */
export interface Policy<F = Fields> {
  readonly trefoil: 1;
  readonly domain?: string;
  readonly keyCheck?: KeyCheck;
  readonly unnamed?: 'error' | 'drop';
  /** Rules by path, as in the policy file. */
  readonly fields: Readonly<Record<string, Rule>>;
  /** Joins the policy to keys: all key set-up happens here. Not enumerable. */
  readonly bind: {
    (keys: DomainKeys): BoundPolicy<F>;
    (keys: DomainKeys, access: RevealAccess): RevealingPolicy<F>;
  };
}

/** A record whose fields are known only when the program runs. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** A policy from a file, with its keys. */
export interface BoundFilePolicy {
  readonly protect: (row: AnyRow) => Record<string, unknown>;
  readonly protectMany: (rows: readonly AnyRow[], options?: ManyOptions) => Record<string, unknown>[];
  readonly protectColumns: (columns: Readonly<Record<string, readonly unknown[]>>) => Record<string, unknown[]>;
}

/** A policy from a file, with its keys, that may reveal. */
export interface RevealingFilePolicy extends BoundFilePolicy {
  readonly reveal: (row: AnyRow) => Record<string, unknown>;
  readonly revealMany: (rows: readonly AnyRow[], options?: ManyOptions) => Record<string, unknown>[];
}

/** A policy from a file: its fields are not known to the compiler. */
export interface FilePolicy extends Omit<Policy<never>, 'bind'> {
  readonly bind: {
    (keys: DomainKeys): BoundFilePolicy;
    (keys: DomainKeys, access: RevealAccess): RevealingFilePolicy;
  };
}
