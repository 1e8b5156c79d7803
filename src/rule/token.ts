/**
 * `token`: keyed one-way tokens (docs/spec/token-v1.md).
 *
 * The body of a token is the first bits of HMAC-SHA-256(key, prepared value as UTF-8), written as text: 128 bits in
 * base32 by default. The labelled form puts a label and the shown key id before it and check characters after it.
 */

import type { Token } from '../core/brands.ts';
import { checkText } from '../core/checks.ts';
import { dateText } from '../core/civil-date.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import type { Missing } from '../core/missing.ts';
import { fail } from '../errors.ts';
import { type MessageBatch, type Prf, SLOTS, TAG_STEP, tagAt } from '../kernel/prf/prf.ts';
import type { Step } from '../keys/derive.ts';
import {
  type DomainKey,
  type DomainKeys,
  keysWith,
  mayProtect,
  type OpenedKeys,
  protectingKey,
} from '../keys/domain-keys.ts';
import type { OpenedReading } from '../prepare/reading.ts';
import { applySteps, stepNames } from '../prepare/steps.ts';
import { endsLikeToken, inspect } from '../wire/labelled-token.ts';
import { type Form, formOf } from '../wire/token-forms.ts';
import { type TokenTexts, tokenTexts } from '../wire/token-texts.ts';
import { openFor } from './binding.ts';
import { revealNothing, runColumn, runValue } from './columns.ts';
import { isMissing, type MissingLists, type MissingTexts, ownLists } from './missing.ts';
import { onceEach } from './once-each.ts';
import { checkRule } from './options.ts';
import {
  type BoundColumns,
  type ColumnVerb,
  type MayBeAbsent,
  makeRule,
  type Rule,
  type RuleEngine,
  type Siblings,
} from './rule.ts';
import {
  type Context,
  type ContextColumn,
  type ContextInput,
  type MessageWriter,
  messageWriter,
  type Per,
  type PerArguments,
  perData,
  readContexts,
} from './token/contexts.ts';
import { hasPermutation, keyUse, parametersOf, permutationUnder } from './token/keys.ts';
import { byPeriod, periodStep, periodText } from './token/periods.ts';
import { permutedTexts } from './token/permuted-texts.ts';
import { behind, restOf } from './token/prefix.ts';
import { moveTokens, movingVerbs, type RenewOptions, shownKeyOf, showsKey, unknownKey } from './token/renewal.ts';
import {
  factsOf,
  OPTIONS,
  PRFS,
  type PrfName,
  readSettings,
  type Settings,
  type TokenOptions,
} from './token/settings.ts';

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

/** A rule's keyed functions, and the writer of its tokens: the result of the key set-up. */
interface KeyedTokens {
  readonly settings: Settings;
  readonly missing: MissingTexts;
  readonly opened: OpenedKeys;
  /** Every key that can make tokens, by shown key id, the primary first. */
  readonly epochs: ReadonlyMap<string, Epoch>;
  /** The keyed function and the writer of the primary key, which makes new tokens. */
  readonly primary: Prf;
  readonly texts: TokenTexts;
  /** Writes the messages of a rule with `per`; `null` for other rules, whose message is the text of the value. */
  readonly writer: MessageWriter | null;
}

/** One key of a rule. */
interface Epoch {
  /** The keyed function. The keys of one lineage have the same. */
  readonly prf: Prf;
  /** The writer of its tokens, with its permutation. It is made when it is first needed. */
  readonly texts: () => TokenTexts;
}

/** The verbs of a rule whose keyset is not for protecting. */
function noTokens(opened: OpenedKeys): BoundColumns {
  return { protect: () => [protectingKey(opened)], reveal: revealNothing };
}

/** What the verbs of a rule take besides the value: the contexts, or the date of a period. */
function argumentsOf({ contexts, period }: Settings): readonly Context[] {
  return period === null ? contexts : [period];
}

/**
 * Key set-up: derives the key of each domain key and prepares the keyed functions.
 *
 * @param below the way from the key of the rule to that of a period.
 */
function setUp(settings: Settings, opened: OpenedKeys, lists: MissingLists, below: readonly Step[] = []): KeyedTokens {
  const { scope, prf, contexts } = settings;
  const parameters = parametersOf(settings);
  // The keys of one lineage have one node, and need one keyed function.
  const prfs = new Map<string, Prf>();
  const epochs = new Map<string, Epoch>();
  for (const key of keysWith(opened, 'token', scope, parameters, below)) {
    if (key !== opened.primary && !hasPermutation(key, settings)) continue;
    const node = key.derive('token', scope, parameters, below);
    const name = node.join();
    if (!prfs.has(name)) prfs.set(name, PRFS[prf](node));
    let texts: TokenTexts | null = null;
    const textsOfKey = () => {
      texts ??= textsUnder(settings, key);
      return texts;
    };
    epochs.set(key.id, { prf: prfs.get(name)!, texts: textsOfKey });
  }
  const primary = epochs.get(opened.primary.id)!;
  const writer = contexts.length === 0 ? null : messageWriter(contexts, lists.of);
  return { settings, missing: lists.own, opened, epochs, primary: primary.prf, texts: primary.texts(), writer };
}

/** The writer of the tokens of a key. */
function textsUnder(settings: Settings, key: DomainKey): TokenTexts {
  const { form, length, label } = settings;
  const prefix = label === undefined ? '' : `${label}_`;
  const texts = tokenTexts(form, length, form === 'labelled' ? prefix + key.id : '');
  const permutation = permutationUnder(key, settings);
  return permutation === null ? texts : permutedTexts(texts, permutation);
}

/** Returns the prepared text of a value, or `null` if the value is an intact token of these keys that passes. */
function enter(keyed: KeyedTokens, value: unknown): string | null {
  const { steps, reading } = keyed.settings;
  // A token that is handed in again is not in the form that is read.
  if (reading !== null && typeof value === 'string' && isOwnToken(keyed, value)) return null;
  // Without steps, the keyed function reads the characters itself and refuses lone surrogates.
  const text = reading === null && steps.length === 0 && typeof value === 'string' ? value : textOf(value, reading);
  if (isOwnToken(keyed, text)) return null;
  if (steps.length === 0) return text;
  const prepared = applySteps(steps, text);
  // A token in capitals or between spaces is recognised only after it was prepared.
  return prepared !== text && isOwnToken(keyed, prepared) ? null : prepared;
}

/** The text of a value before its steps. */
function textOf(value: unknown, reading: OpenedReading | null): string {
  if (reading !== null) return reading.read(value);
  return value instanceof Date ? dateText(value) : inputText(value);
}

/**
 * Whether a text is an intact labelled token of the domain, also of a key that can make none here.
 *
 * @throws TrefoilError `already_token` if such a token may not pass; `key_retired`, because nothing joins with it.
 */
function isOwnToken({ settings, opened }: KeyedTokens, text: string): boolean {
  if (!endsLikeToken(text)) return false;
  const parts = inspect(text);
  if (!parts?.intact) return false;
  if (opened.retired.has(parts.keyId)) unknownKey(opened, parts.keyId);
  if (!opened.keys.some(({ id }) => id === parts.keyId)) return false;
  if (settings.onToken === 'pass') return true;
  fail('already_token', 'the value is already a token of these keys; protect the original, or set onToken: pass');
}

/**
 * Returns what a token that passes is written as: its prepared text, so that it equals the tokens it is joined with.
 */
function passedToken(keyed: KeyedTokens, value: unknown): string {
  const text = inputText(value);
  return isOwnToken(keyed, text) ? text : applySteps(keyed.settings.steps, text);
}

/** The token of one value of a rule without `per`: faster than a batch of one. */
function protectOne(keyed: KeyedTokens, value: unknown): unknown {
  const { settings, missing, opened, primary, texts } = keyed;
  const { after } = settings;
  if (isMissing(value, missing)) return value;
  protectingKey(opened);
  const rest = after === undefined ? value : restOf(value, after);
  if (after !== undefined && isMissing(rest, missing)) return value;
  const text = enter(keyed, rest);
  if (text === null) return (after ?? '') + passedToken(keyed, rest);
  if (text === '' && missing.empty) return after ?? '';
  primary.text(text);
  const made = texts.one(primary.tag);
  return after === undefined ? made : after + made;
}

/**
 * Tokens of up to SLOTS values of a column, from `first` on.
 *
 * @param contexts the columns of the fields of `per`.
 */
function protectChunk(
  keyed: KeyedTokens,
  column: readonly unknown[],
  contexts: readonly (readonly unknown[])[],
  first: number,
  out: unknown[],
  report: ReportIssue,
  batch: MessageBatch,
): void {
  const { primary, texts, missing, writer } = keyed;
  const last = Math.min(column.length, first + SLOTS);
  let slots = 0;
  for (let i = first; i < last; i++) {
    const value = column[i];
    if (isMissing(value, missing)) {
      out[i] = value;
      continue;
    }
    try {
      const text = enter(keyed, value);
      if (text === null) {
        out[i] = passedToken(keyed, value);
      } else if (text === '' && missing.empty) {
        out[i] = '';
      } else {
        if (writer === null) {
          primary.putText(batch, slots, text);
        } else {
          const end = writer.write(
            contexts.map((values) => values[i]),
            checkText(text),
          );
          primary.putBytes(batch, slots, writer.bytes(), 0, end);
        }
        batch.rows[slots++] = i;
      }
    } catch (error) {
      report(i, issueOf(error));
    }
  }
  if (slots === 0) return;
  primary.run(batch, slots);
  texts.many(batch.tags, tagAt, TAG_STEP, batch.rows, slots, out);
}

/** The verb over columns. Equal texts of a column are worked on once if it repeats. */
function tokenColumns(keyed: KeyedTokens): ColumnVerb {
  const { after, contexts } = keyed.settings;
  const { missing } = keyed;
  const make: ColumnVerb = (column, report, siblings) => {
    protectingKey(keyed.opened);
    const out = new Array<unknown>(column.length);
    const columns = contexts.map(({ path }) => siblings!(path));
    keyed.primary.withBatch(column.length, (batch) => {
      for (let first = 0; first < column.length; first += SLOTS) {
        protectChunk(keyed, column, columns, first, out, report, batch);
      }
    });
    return out;
  };
  // With contexts, a token does not depend on the value alone.
  const verb = contexts.length === 0 ? onceEach(make) : make;
  return after === undefined ? verb : behind(after, (value) => isMissing(value, missing), verb);
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

/** Periods whose keys are kept. A bound on memory, not on periods. */
const KEPT_PERIODS = 1024;

/** The verbs of a rule with a period: each period is a rule of its own, without `per`. */
function periodicVerbs(settings: Settings, opened: OpenedKeys, lists: MissingLists): MakingVerbs {
  const period = settings.period!;
  const dates = lists.of(period.path);
  const known = new Map<string, MakingVerbs>();
  function verbsOf(text: string): MakingVerbs {
    const below = periodStep(text);
    let made = known.get(text);
    if (made !== undefined) return made;
    checkPeriod(settings, opened.primary, below);
    made = makingVerbs(setUp(settings, opened, lists, below));
    if (known.size >= KEPT_PERIODS) known.clear();
    known.set(text, made);
    return made;
  }
  const verbs = (siblings: Siblings | null) => verbsOf(periodText(period, siblings!(period.path)[0], dates));
  const isAbsent = (value: unknown) => isMissing(value, lists.own);
  return {
    verb: byPeriod(period, dates, isAbsent, (text) => verbsOf(text).verb),
    protectOne: () => fail('missing_context', `the date, field ${period.path}, is missing`),
    matches: (value, candidate, siblings) => verbs(siblings).matches(value, candidate, null),
    candidates: (value, siblings) => verbs(siblings).candidates(value, null),
  };
}

/**
 * Refuses a period that the keys do not have while they have others. That is a matter of the record: keys that have
 * nothing of the rule are the wrong keys, and end the run.
 */
function checkPeriod(settings: Settings, key: DomainKey, below: readonly Step[]): void {
  const { scope, period } = settings;
  const parameters = parametersOf(settings);
  if (!key.hasParts('token', scope, parameters) || key.has('token', scope, parameters, below)) return;
  fail(
    'period_not_granted',
    `the date, field ${period!.path}, is in a ${period!.unit} that the key file does not have; use the key file of ` +
      `that ${period!.unit}`,
  );
}

/** What a rule does with values. */
interface MakingVerbs {
  readonly verb: ColumnVerb;
  readonly protectOne: (value: unknown) => unknown;
  readonly matches: (value: TokenInput, candidate: string, siblings: Siblings | null) => boolean;
  readonly candidates: (value: TokenInput, siblings: Siblings | null) => unknown[];
}

function makingVerbs(keyed: KeyedTokens): MakingVerbs {
  const { form, length } = keyed.settings;
  const whole = new RegExp(`^${formOf(form).pattern(length)}$`);
  return {
    verb: tokenColumns(keyed),
    protectOne: (value) => protectOne(keyed, value),
    matches: (value, candidate, siblings) => matches(keyed, whole, value, candidate, siblings),
    candidates: (value, siblings) => candidates(keyed, value, siblings),
  };
}

/** Whether the keys can make tokens. Those of somebody who renews alone cannot. */
function canMake(settings: Settings, opened: OpenedKeys): boolean {
  if (!mayProtect(opened)) return false;
  // If the permutation is not there either, binding says what is missing.
  return (
    opened.primary.has('token', settings.scope, parametersOf(settings)) ||
    !opened.primary.isBound ||
    !hasPermutation(opened.primary, settings)
  );
}

/** The same for somebody who renews alone: every verb says what is missing. */
function refusingVerbs(settings: Settings, opened: OpenedKeys): MakingVerbs {
  const refuse = (): never => {
    protectingKey(opened).derive('token', settings.scope, parametersOf(settings));
    fail('not_granted', 'the keys can renew tokens and make none');
  };
  return { verb: refuse, protectOne: refuse, matches: refuse, candidates: refuse };
}

/** Computes the tag of a value under a keyed function. Read `prf.tag` before the next call. */
function hash({ writer, settings }: KeyedTokens, prf: Prf, prepared: string, siblings: Siblings | null): Int32Array {
  if (writer === null) {
    prf.text(prepared);
  } else {
    const values = settings.contexts.map(({ path }) => siblings!(path)[0]);
    const end = writer.write(values, prepared);
    prf.bytes(writer.bytes(), 0, end);
  }
  return prf.tag;
}

/** The tokens of a value under every key, the primary first. */
function candidates(keyed: KeyedTokens, value: unknown, siblings: Siblings | null): unknown[] {
  const { settings, missing, epochs } = keyed;
  const after = settings.after ?? '';
  if (value !== null && value !== undefined && isMissing(value, missing)) return [value];
  const rest = after === '' ? value : restOf(value, after);
  if (after !== '' && isMissing(rest, missing)) return [value];
  const text = enter(keyed, rest);
  if (text === null) return [after + passedToken(keyed, rest)];
  if (text === '' && missing.empty) return [after];
  const out: unknown[] = [];
  let hashed: Prf | null = null;
  for (const { prf, texts } of epochs.values()) {
    // The keys of one lineage share the keyed function, so its tag is there already.
    if (prf !== hashed) hash(keyed, prf, text, siblings);
    hashed = prf;
    out.push(after + texts().one(prf.tag));
  }
  return out;
}

/**
 * @param whole what a token of the rule's form looks like, unless the form is `labelled`.
 * @param siblings the contexts of a rule with `per`.
 */
function matches(
  keyed: KeyedTokens,
  whole: RegExp,
  value: TokenInput,
  candidate: string,
  siblings: Siblings | null,
): boolean {
  const { settings, epochs } = keyed;
  const { form, length, after } = settings;
  const prepared = applySteps(
    settings.steps,
    textOf(after === undefined ? value : restOf(value, after), settings.reading),
  );
  const body = ({ prf, texts }: Epoch) => texts().body(hash(keyed, prf, prepared, siblings));
  const made = ownPart(candidate, after);
  if (form !== 'labelled') {
    if (typeof made !== 'string' || !whole.test(made)) {
      fail('malformed_token', `the token is not in the form ${form} with the length that this rule writes`);
    }
    return [...epochs.values()].some((epoch) => equalText(body(epoch), made));
  }
  const parts = inspect(made);
  if (parts === null || !parts.intact || parts.body.length !== length) {
    fail(
      'malformed_token',
      'the token is not in the labelled form that this rule writes, or its check characters are wrong',
    );
  }
  const epoch = epochs.get(parts.keyId);
  if (epoch === undefined) {
    if (keyed.opened.keys.some(({ id }) => id === parts.keyId)) lacksTokens(keyed.opened, parts.keyId);
    unknownKey(keyed.opened, parts.keyId);
  }
  return equalText(body(epoch), parts.body);
}

/** The keyset has the key, and not what makes its tokens: the key was demoted, or the file is narrowed. */
function lacksTokens({ domain }: OpenedKeys, id: string): never {
  fail(
    'not_granted',
    `the token is of key ${id} of domain ${domain}, of which the key file has no part that makes tokens of this rule; ` +
      'use a key file that has it, or rekey the tokens first',
  );
}

/** The token without what the rule writes before it. */
function ownPart(candidate: string, after: string | undefined): string {
  if (after === undefined) return candidate;
  if (typeof candidate === 'string' && candidate.startsWith(after)) return candidate.slice(after.length);
  fail('malformed_token', 'the token does not begin with the text that the rule has in after');
}

/** Compares two texts of one known length without stopping at the first difference. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
