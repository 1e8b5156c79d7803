/**
 * `token`: keyed one-way tokens (docs/spec/token-v1.md).
 *
 * The body of a token is the first bits of HMAC-SHA-256(key, prepared value as UTF-8), written as text: 128 bits in
 * base32 by default. The labelled form puts a label and the shown key id before it and check characters after it.
 */

import type { Token } from '../core/brands.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import type { Missing } from '../core/missing.ts';
import { type DomainKeys, mayProtect, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { stepNames } from '../prepare/steps.ts';
import type { Form } from '../wire/token-forms.ts';
import { openFor } from './binding.ts';
import { revealNothing, runColumn, runValue } from './columns.ts';
import { type MissingLists, ownLists } from './missing.ts';
import { checkRule } from './options.ts';
import { type BoundColumns, type MayBeAbsent, makeRule, type Rule, type RuleEngine } from './rule.ts';
import {
  type Context,
  type ContextColumn,
  type ContextInput,
  type Per,
  type PerArguments,
  perData,
  readContexts,
} from './token/contexts.ts';
import { keyUse } from './token/keys.ts';
import { protectOne, setUp, tokenColumns } from './token/making.ts';
import { periodicVerbs } from './token/period-verbs.ts';
import { moveTokens, movingVerbs, type RenewOptions, shownKeyOf, showsKey } from './token/renewal.ts';
import { factsOf, OPTIONS, type PrfName, readSettings, type Settings, type TokenOptions } from './token/settings.ts';
import { canMake, type MakingVerbs, makingVerbs, refusingVerbs } from './token/verbs.ts';

export type { RenewOptions, TokenOptions };

/**
 * The types that can become a token. A number must be a safe integer; it counts as its decimal text. A `Date` counts as
 * the text that `JSON.stringify` writes for it: `2024-03-31T08:15:00.000Z`.
 */
export type TokenInput = string | number | bigint | Date;

/** A `token` rule. */
export interface TokenRule<Scope extends string = string, P extends Per | undefined = undefined> extends Rule {
  readonly rule: 'token';
  readonly scope: Scope;
  readonly read?: string;
  readonly prepare?: string | readonly string[];
  readonly after?: string;
  readonly per?: P;
  readonly form?: Form;
  readonly length?: number;
  readonly population?: number;
  readonly maxCollisionProbability?: number;
  readonly prf?: PrfName;
  readonly label?: string;
  readonly onToken?: 'error' | 'pass';
  /** Does the key set-up, once. Not enumerable. */
  readonly bind: (keys: DomainKeys) => BoundToken<Scope, P>;
}

/**
 * A `token` rule with its keys. It has no `reveal`, because a token cannot be turned back. A rule with `per` takes the
 * contexts as a further argument of each verb: `protect(value, { per: 'acme' })`; if `per` of the rule is a list, a
 * list of contexts.
 */
export interface BoundToken<Scope extends string = string, P = undefined> {
  /** Returns the token of one value. `null` and `undefined` pass, whatever the contexts are. */
  readonly protect: <V extends TokenInput | null | undefined>(
    value: V,
    ...contexts: PerArguments<P, ContextInput>
  ) => Token<Scope> | Missing<V>;
  /**
   * Returns the tokens of a column. With `per`, each context is a column, too. Throws one error, with the first 100
   * issues and their rows from 1.
   */
  readonly protectMany: <C extends readonly (TokenInput | null | undefined)[] | NumberColumn | Utf8Column>(
    column: C,
    ...contexts: PerArguments<P, ContextColumn>
  ) => ColumnOf<C, Token<Scope>>;
  /**
   * Whether a token belongs to a value, under any key of the domain. Bodies are compared in constant time.
   *
   * @throws TrefoilError `malformed_token` if the text is not an intact token in the form of this rule,
   *   `foreign_token` if the token was made with keys of another domain or keyset; `missing_context`.
   */
  readonly matches: (value: TokenInput, token: string, ...contexts: PerArguments<P, ContextInput>) => boolean;
  /**
   * Returns the tokens that a value may have been stored as: one for each key of the domain, the primary first. Use
   * them to look a value up while a table has tokens of several keys: `WHERE token = ANY($1)`. A value that `protect`
   * passes has itself alone.
   *
   * *Warning*: the tokens of one value under several keys stand side by side in such a query, and in its log.
   */
  readonly candidates: (value: TokenInput, ...contexts: PerArguments<P, ContextInput>) => Token<Scope>[];
  /**
   * Returns the token that the value of a token has under the primary key, without the value: the result equals that of
   * `protect`. A token of the primary key passes, and so do missing values. It needs no key of the keyed function.
   *
   * @throws TrefoilError `malformed_token`; `foreign_token` if the token was made by another rule, domain or keyset;
   *   `key_retired`; `not_renewable` if its key and the primary key have no common base; `epoch_required` if tokens of
   *   this rule do not show which key and rule made them, and `from` is not set; `key_not_pinned`; `not_granted`.
   */
  readonly renew: <V extends string | null | undefined>(token: V, options?: RenewOptions) => Token<Scope> | Missing<V>;
  /** Renews a column of tokens. Throws one error, with the first 100 issues and their rows from 1. */
  readonly renewMany: <C extends readonly (string | null | undefined)[] | Utf8Column>(
    column: C,
    options?: RenewOptions,
  ) => ColumnOf<C, Token<Scope>>;
}

/**
 * Replaces a value by a keyed one-way token: equal values get equal tokens inside one scope of one domain, and nowhere
 * else.
 *
 * *Warning*: tokens show which values are equal and how often each occurs. If only few values are possible (postcodes,
 * years of birth), anyone who may call `protect` can try them all. Only the labelled form shows which key a token was
 * made with; in the other forms a token of other keys looks the same.
 *
 * @throws TypeError, RangeError for options that do not fit. The construction is in docs/spec/token-v1.md.
 *
 * @example
 * ```ts
 * import { keyset, token } from 'trefoil';
 * import { emailAddress } from 'trefoil/prepare';
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * const email = token({ scope: 'person.email', prepare: emailAddress, label: 'mail' }).bind(keys);
 * email.protect('Ada@Example.com') === email.protect(' ada@example.com'); // → true
 * email.protect('Ada@Example.com').length; // → 40
 *
 * const account = token({ scope: 'account', per: 'tenant' }).bind(keys);
 * account.protect(7, { per: 'acme' }) === account.protect(7, { per: 'globex' }); // → false
 *
 * email.candidates('Ada@Example.com')[0] === email.protect('Ada@Example.com'); // → true
 * ```
 */
export function token<
  const Scope extends string,
  const P extends Per | undefined = undefined,
  const Optional extends boolean = false,
>(options: TokenOptions<Scope, P> & { readonly optional?: Optional }): MayBeAbsent<TokenRule<Scope, P>, Optional> {
  const { own, common } = checkRule('token', options, OPTIONS);
  const settings = readSettings(own);
  const data = {
    rule: 'token' as const,
    scope: settings.scope,
    ...given({
      read: settings.reading?.name,
      prepare: stepNames(own.prepare, settings.steps),
      after: own.after,
      per: perData(own.per),
      form: own.form,
      length: own.length,
      population: own.population,
      maxCollisionProbability: own.maxCollisionProbability,
      prf: own.prf,
      label: own.label,
      onToken: own.onToken,
    }),
    ...common,
  };
  const { form, onToken } = settings;
  const engine: RuleEngine = {
    facts: factsOf(settings),
    keyed: true,
    cell: 'text',
    removes: false,
    ...given({ needs: argumentsOf(settings).length === 0 ? undefined : argumentsOf(settings).map(({ path }) => path) }),
    unfit: null,
    needsKeys: (verbs, period) => keyUse(settings, verbs, period),
    // Tokens that pass keep the key of an earlier run, so they do not tell that of their record.
    ...given({ shownKey: form === 'labelled' && onToken !== 'pass' ? shownKeyOf(settings) : undefined }),
    mover: { reveals: false, showsKey: showsKey(settings), bind: (move) => moveTokens(settings, move) },
    bind(opened, _, lists) {
      if (!mayProtect(opened!)) return noTokens(opened!);
      if (settings.period !== null) {
        return { protect: periodicVerbs(settings, opened!, lists).verb, reveal: revealNothing };
      }
      const keyed = setUp(settings, opened!, lists);
      const protect = tokenColumns(keyed);
      // The contexts of a single value are in the column verb's `siblings`.
      if (settings.contexts.length > 0) return { protect, reveal: revealNothing };
      return { protect, protectOne: (value) => protectOne(keyed, value), reveal: revealNothing };
    },
  };
  const bind = (keys: DomainKeys) => boundToken(settings, openFor(keys, undefined).opened, ownLists(common));
  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<TokenRule<Scope, P>, Optional>;
}

/** The verbs of a rule whose keyset is not for protecting. */
function noTokens(opened: OpenedKeys): BoundColumns {
  return { protect: () => [protectingKey(opened)], reveal: revealNothing };
}

/** What the verbs of a rule take besides the value: the contexts, or the date of a period. */
function argumentsOf({ contexts, period }: Settings): readonly Context[] {
  return period === null ? contexts : [period];
}

/** The verbs of a rule that is bound alone. */
function boundToken<Scope extends string, P>(
  settings: Settings,
  opened: OpenedKeys,
  lists: MissingLists,
): BoundToken<Scope, P> {
  const { isList } = settings;
  const contexts = argumentsOf(settings);
  const making = makingOf(settings, opened, lists);
  const { verb, matches, candidates } = making;
  const move = { kind: 'rekey', from: opened, to: opened, arrived: 'pass', missing: lists } as const;
  const renewing = movingVerbs((fromKey) => moveTokens(settings, { ...move, fromKey }), showsKey(settings));
  const withContexts = {
    protect(value: unknown, options: unknown) {
      const siblings = readContexts(contexts, isList, options, null);
      return runValue((column, report) => verb(column, report, siblings), value);
    },
    protectMany(column: unknown, options: unknown) {
      const siblings = readContexts(contexts, isList, options, column);
      return runColumn((values, report) => verb(values, report, siblings), column);
    },
    matches: (value: TokenInput, candidate: string, options: unknown) =>
      matches(value, candidate, readContexts(contexts, isList, options, null)),
    candidates: (value: TokenInput, options: unknown) =>
      candidates(value, readContexts(contexts, isList, options, null)),
  };
  const alone = {
    protect: making.protectOne,
    protectMany: (column: unknown) => runColumn(verb, column),
    matches: (value: TokenInput, candidate: string) => matches(value, candidate, null),
    candidates: (value: TokenInput) => candidates(value, null),
  };
  return Object.freeze({
    ...(contexts.length === 0 ? alone : withContexts),
    renew: renewing.one,
    renewMany: renewing.many,
  }) as unknown as BoundToken<Scope, P>;
}

/** What the keys can do. Those of a period are made when a value of that period comes. */
function makingOf(settings: Settings, opened: OpenedKeys, lists: MissingLists): MakingVerbs {
  if (settings.period !== null && mayProtect(opened)) return periodicVerbs(settings, opened, lists);
  return canMake(settings, opened) ? makingVerbs(setUp(settings, opened, lists)) : refusingVerbs(settings, opened);
}
