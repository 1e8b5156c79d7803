/**
 * `token`: keyed one-way tokens (docs/spec/token-v1.md).
 *
 * The body of a token is the first bits of HMAC-SHA-256(key, prepared value as UTF-8), written as text: 128 bits in
 * base32 by default. The labelled form puts a label and the shown key id before it and check characters after it.
 */

import type { Token } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import { checkText } from '../core/checks.ts';
import { dateText } from '../core/civil-date.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import type { Missing } from '../core/missing.ts';
import { fail } from '../errors.ts';
import { type MessageBatch, type Prf, SLOTS, TAG_STEP, tagAt } from '../kernel/prf/prf.ts';
import { ruleSteps } from '../keys/derive.ts';
import { type DomainKeys, keysWith, mayProtect, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import type { KeyVerb } from '../keys/entries.ts';
import type { OpenedReading } from '../prepare/reading.ts';
import { applySteps, stepNames } from '../prepare/steps.ts';
import { endsLikeToken, inspect } from '../wire/labelled-token.ts';
import { type Form, formOf } from '../wire/token-forms.ts';
import { tokenTexts } from '../wire/token-texts.ts';
import { openFor } from './binding.ts';
import { revealNothing, runColumn, runValue } from './columns.ts';
import { isMissing, type MissingLists, type MissingTexts, ownLists } from './missing.ts';
import { onceEach } from './once-each.ts';
import { checkRule } from './options.ts';
import {
  type BoundColumns,
  type ColumnVerb,
  type KeyUse,
  type MayBeAbsent,
  makeRule,
  type Rule,
  type RuleEngine,
  type Siblings,
} from './rule.ts';
import {
  type ContextColumn,
  type ContextInput,
  linkageOf,
  type MessageWriter,
  messageWriter,
  type Per,
  type PerArguments,
  perData,
  readContexts,
} from './token/contexts.ts';
import { behind, restOf } from './token/prefix.ts';
import {
  factsOf,
  OPTIONS,
  PRFS,
  type PrfName,
  readSettings,
  type Settings,
  type TokenOptions,
} from './token/settings.ts';

export type { TokenOptions };

/** The third parameter of the key of a rule without `per` (docs/spec/token-v1.md, "Key"). */
const LINKAGE = 'equal values';

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
  const engine: RuleEngine = {
    facts: factsOf(settings),
    keyed: true,
    needsPin: false,
    cell: 'text',
    removes: false,
    ...given({ needs: settings.contexts.length === 0 ? undefined : settings.contexts.map(({ path }) => path) }),
    unfit: null,
    needsKeys: (verbs) => keyUse(settings, verbs),
    bind(opened, _, lists) {
      if (!mayProtect(opened!)) return noTokens(opened!);
      const keyed = setUp(settings, opened!, lists);
      const protect = tokenColumns(keyed);
      // The contexts of a single value are in the column verb's `siblings`.
      if (settings.contexts.length > 0) return { protect, reveal: revealNothing };
      return { protect, protectOne: (value) => protectOne(keyed, value), reveal: revealNothing };
    },
  };
  const bind = (keys: DomainKeys) => boundToken(setUp(settings, openFor(keys, undefined).opened, ownLists(common)));
  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<TokenRule<Scope, P>, Optional>;
}

/** A rule's keyed functions, and the writer of its tokens: the result of the key set-up. */
interface KeyedTokens {
  readonly settings: Settings;
  readonly missing: MissingTexts;
  readonly opened: OpenedKeys;
  /** The keyed function of each key, by shown key id. */
  readonly prfs: ReadonlyMap<string, Prf>;
  /** The keyed function of the primary key, which makes new tokens. */
  readonly primary: Prf;
  readonly texts: ReturnType<typeof tokenTexts>;
  /** Writes the messages of a rule with `per`; `null` for other rules, whose message is the text of the value. */
  readonly writer: MessageWriter | null;
}

/** The names below the node of a scope that enter the key. */
function parametersOf({ prf, names, contexts }: Settings): readonly (string | Uint8Array)[] {
  return [prf, encodeList(names), contexts.length === 0 ? LINKAGE : linkageOf(contexts)];
}

/** The node of the keyed function protects and matches, that of the permutation alone renews. */
function keyUse(settings: Settings, verbs: readonly KeyVerb[]): KeyUse {
  const { scope, form, length } = settings;
  const { unit, size } = formOf(form).space(length);
  const permutation = ruleSteps('token permutation', scope, [unit, String(size)]);
  const paths = [
    ...(verbs.includes('protect') ? [ruleSteps('token', scope, parametersOf(settings))] : []),
    ...(verbs.includes('protect') || verbs.includes('rekey') ? [permutation] : []),
  ];
  return { paths, isWall: true };
}

/** The verbs of a rule whose keyset is not for protecting. */
function noTokens(opened: OpenedKeys): BoundColumns {
  return { protect: () => [protectingKey(opened)], reveal: revealNothing };
}

/** Key set-up: derives the key of each domain key and prepares the keyed functions. */
function setUp(settings: Settings, opened: OpenedKeys, lists: MissingLists): KeyedTokens {
  const { scope, form, length, label, prf, contexts } = settings;
  const parameters = parametersOf(settings);
  const prfs = new Map(
    keysWith(opened, 'token', scope, parameters).map((key) => [
      key.id,
      PRFS[prf](key.derive('token', scope, parameters)),
    ]),
  );
  const { id } = opened.primary;
  const prefix = label === undefined ? '' : `${label}_`;
  const texts = tokenTexts(form, length, form === 'labelled' ? prefix + id : '');
  const writer = contexts.length === 0 ? null : messageWriter(contexts, lists.of);
  return { settings, missing: lists.own, opened, prfs, primary: prfs.get(id)!, texts, writer };
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

/** Whether a text is an intact labelled token of these keys. Throws `already_token` if such a token may not pass. */
function isOwnToken({ settings, prfs }: KeyedTokens, text: string): boolean {
  if (!endsLikeToken(text)) return false;
  const parts = inspect(text);
  if (!parts?.intact || !prfs.has(parts.keyId)) return false;
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

function boundToken<Scope extends string, P>(keyed: KeyedTokens): BoundToken<Scope, P> {
  const verb = tokenColumns(keyed);
  const { form, length, contexts, isList } = keyed.settings;
  const whole = new RegExp(`^${formOf(form).pattern(length)}$`);
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
      matches(keyed, whole, value, candidate, readContexts(contexts, isList, options, null)),
  };
  const alone = {
    protect: (value: unknown) => protectOne(keyed, value),
    protectMany: (column: unknown) => runColumn(verb, column),
    matches: (value: TokenInput, candidate: string) => matches(keyed, whole, value, candidate, null),
  };
  return Object.freeze(contexts.length === 0 ? alone : withContexts) as unknown as BoundToken<Scope, P>;
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
  const { settings, prfs, texts, writer } = keyed;
  const { form, length, after, contexts } = settings;
  const prepared = applySteps(
    settings.steps,
    textOf(after === undefined ? value : restOf(value, after), settings.reading),
  );
  const body = (prf: Prf) => {
    if (writer === null) {
      prf.text(prepared);
    } else {
      const values = contexts.map(({ path }) => siblings!(path)[0]);
      const end = writer.write(values, prepared);
      prf.bytes(writer.bytes(), 0, end);
    }
    return texts.body(prf.tag);
  };
  const made = ownPart(candidate, after);
  if (form !== 'labelled') {
    if (typeof made !== 'string' || !whole.test(made)) {
      fail('malformed_token', `the token is not in the form ${form} with the length that this rule writes`);
    }
    return [...prfs.values()].some((prf) => equalText(body(prf), made));
  }
  const parts = inspect(made);
  if (parts === null || !parts.intact || parts.body.length !== length) {
    fail(
      'malformed_token',
      'the token is not in the labelled form that this rule writes, or its check characters are wrong',
    );
  }
  const prf = prfs.get(parts.keyId);
  if (prf === undefined) unknownKey(keyed.opened, parts.keyId);
  return equalText(body(prf), parts.body);
}

/** Says why a token's key is not there. */
function unknownKey({ retired }: OpenedKeys, id: string): never {
  const day = retired.get(id);
  if (day !== undefined) fail('key_retired', `the token was made with key ${id}, which was retired on ${day}`);
  fail('foreign_token', 'the token was made with a key of another domain or keyset');
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
