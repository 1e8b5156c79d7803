/**
 * `token`: keyed one-way tokens (docs/spec/token-v1.md).
 *
 * The body of a token is the first bits of HMAC-SHA-256(key, prepared value as UTF-8), written as text: 128 bits in
 * base32 by default. The labelled form puts a label and the shown key id before it and check characters after it.
 */

import type { Token } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import { badRange, badType, checkOneOf, typeName } from '../core/checks.ts';
import { dateText } from '../core/civil-date.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import type { Missing } from '../core/missing.ts';
import { fail } from '../errors.ts';
import { keyedBlake3 } from '../kernel/prf/blake3.ts';
import { hmacSha256 } from '../kernel/prf/hmac.ts';
import { type MessageBatch, type Prf, SLOTS, TAG_STEP, tagAt } from '../kernel/prf/prf.ts';
import { type DomainKeys, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { checkReading, type OpenedReading, type Reading } from '../prepare/reading.ts';
import { applySteps, type Prepare, prepareSteps, stepNames } from '../prepare/steps.ts';
import { BODY_LENGTH, endsLikeToken, inspect, LABEL } from '../wire/labelled-token.ts';
import { FORMS, type Form, formOf } from '../wire/token-forms.ts';
import { checkLength } from '../wire/token-lengths.ts';
import { tokenTexts } from '../wire/token-texts.ts';
import { openFor } from './binding.ts';
import { revealNothing, runColumn } from './columns.ts';
import { isMissing, type MissingTexts, ownLists } from './missing.ts';
import { onceEach } from './once-each.ts';
import { checkRule, checkScope } from './options.ts';
import {
  type ColumnVerb,
  type Common,
  type MayBeAbsent,
  makeRule,
  type Rule,
  type RuleEngine,
  type RuleFacts,
} from './rule.ts';

/** The name of this use of the key in the derivation (docs/spec/token-v1.md, "Key"). */
const LINKAGE = 'equal values';

/** The pseudorandom functions by name. */
type PrfName = 'hmac-sha256' | 'blake3';
const PRFS: Readonly<Record<PrfName, (key: Uint8Array) => Prf>> = { 'hmac-sha256': hmacSha256, blake3: keyedBlake3 };

/** Options of {@link token}. */
export interface TokenOptions<Scope extends string = string> extends Common {
  /** Equal values of one scope get equal tokens; values of two scopes never do: `person.email`. Enters the key. */
  readonly scope: Scope;
  /**
   * The form in which the values are written, such as `readDate('DD.MM.YYYY')`: they are turned into the usual form
   * before `prepare`. It enters no key, so they join with values in the usual form and in any other.
   */
  readonly read?: Reading;
  /**
   * Named normalisation of the value: one step, or a list of up to eight in order. Values that are equal after it get
   * one token. Enters the key.
   */
  readonly prepare?: Prepare | readonly Prepare[];
  /**
   * `labelled` (default) shows a label, the key id and check characters. The other forms are the body alone: `bare` in
   * base32, `uuid` (122 bits, version 8), `hex`, `base64url`, `digits`.
   */
  readonly form?: Form;
  /**
   * Characters of the body: 6 to 26, for `hex` up to 32, for `base64url` up to 22, for `digits` up to 38. The maximum
   * is the default. Any other length needs a `population`; {@link planLength} calculates the length for one.
   */
  readonly length?: number;
  /** The largest number of different values that you expect. If `length` is too short for so many, that is an error. */
  readonly population?: number;
  /** The accepted probability that any two values of the population get the same token. One in a million by default. */
  readonly maxCollisionProbability?: number;
  /** `hmac-sha256` (default) or `blake3`, which is keyed BLAKE3. Enters the key, so their tokens never match. */
  readonly prf?: PrfName;
  /**
   * The first part of the labelled form, for readers: `cust`. 1 to 16 characters of `a-z`, `0-9`, the first a letter.
   */
  readonly label?: string;
  /**
   * What happens to a value that is already an intact labelled token of these keys: an error (default), or it passes.
   */
  readonly onToken?: 'error' | 'pass';
}

/**
 * The types that can become a token. A number must be a safe integer; it counts as its decimal text. A `Date` counts as
 * the text that `JSON.stringify` writes for it: `2024-03-31T08:15:00.000Z`.
 */
export type TokenInput = string | number | bigint | Date;

/** A `token` rule. */
export interface TokenRule<Scope extends string = string> extends Rule {
  readonly rule: 'token';
  readonly scope: Scope;
  readonly read?: string;
  readonly prepare?: string | readonly string[];
  readonly form?: Form;
  readonly length?: number;
  readonly population?: number;
  readonly maxCollisionProbability?: number;
  readonly prf?: PrfName;
  readonly label?: string;
  readonly onToken?: 'error' | 'pass';
  /** Does the key set-up, once. Not enumerable. */
  readonly bind: (keys: DomainKeys) => BoundToken<Scope>;
}

/** A `token` rule with its keys. It has no `reveal`, because a token cannot be turned back. */
export interface BoundToken<Scope extends string = string> {
  /** Returns the token of one value. `null` and `undefined` pass. */
  readonly protect: <V extends TokenInput | null | undefined>(value: V) => Token<Scope> | Missing<V>;
  /** Returns the tokens of a column. Throws one error, with the first 100 issues and their rows from 1. */
  readonly protectMany: <C extends readonly (TokenInput | null | undefined)[] | NumberColumn | Utf8Column>(
    column: C,
  ) => ColumnOf<C, Token<Scope>>;
  /**
   * Whether a token belongs to a value, under any key of the domain. Bodies are compared in constant time.
   *
   * @throws TrefoilError `malformed_token` if the text is not an intact token in the form of this rule,
   *   `foreign_token` if the token was made with keys of another domain or keyset.
   */
  readonly matches: (value: TokenInput, token: string) => boolean;
}

const OPTIONS = [
  'scope',
  'read',
  'prepare',
  'form',
  'length',
  'population',
  'maxCollisionProbability',
  'prf',
  'label',
  'onToken',
] as const;

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
 * ```
 */
export function token<const Scope extends string, const Optional extends boolean = false>(
  options: TokenOptions<Scope> & { readonly optional?: Optional },
): MayBeAbsent<TokenRule<Scope>, Optional> {
  const { own, common } = checkRule('token', options, OPTIONS);
  const settings = readSettings(own);
  const data = {
    rule: 'token' as const,
    scope: settings.scope,
    ...given({
      read: settings.reading?.name,
      prepare: stepNames(own.prepare, settings.steps),
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
    unfit: null,
    bind(opened, _, { own: missing }) {
      const keyed = setUp(settings, opened!, missing);
      return {
        protect: tokenColumns(keyed),
        protectOne: (value) => protectOne(keyed, value),
        reveal: revealNothing,
      };
    },
  };
  const bind = (keys: DomainKeys) => boundToken(setUp(settings, openFor(keys, undefined).opened, ownLists(common).own));
  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<TokenRule<Scope>, Optional>;
}

/** What the options of a rule come to. */
interface Settings {
  readonly scope: string;
  readonly form: Form;
  /** Characters of the body. */
  readonly length: number;
  readonly label: string | undefined;
  readonly prf: PrfName;
  readonly steps: readonly Prepare[];
  readonly names: readonly string[];
  readonly reading: OpenedReading | null;
  readonly onToken: 'error' | 'pass';
}

function readSettings(own: TokenOptions): Settings {
  const scope = checkScope(own);
  const { label, onToken = 'error', prf = 'hmac-sha256', form = 'labelled' } = own;
  checkOneOf('form', form, FORMS);
  checkOneOf('prf', prf, Object.keys(PRFS));
  const length = checkLength(form, own);
  checkOneOf('onToken', onToken, ['error', 'pass']);
  if (label !== undefined) {
    if (typeof label !== 'string') badType('label', `expected text, got ${typeName(label)}`);
    if (!LABEL.test(label)) badRange('label', 'expected 1 to 16 characters of a-z, 0-9, the first a letter');
    if (form !== 'labelled') badRange('label', `belongs to the labelled form; leave it out with form "${form}"`);
  }
  if (form === 'labelled' && length < BODY_LENGTH && label === undefined) {
    badRange('length', 'must be 26 for a labelled token without a label: a shorter one could not be told from a word');
  }
  const reading = checkReading(own.read, ['date', 'number', 'phone']);
  const steps = own.prepare === undefined ? [] : prepareSteps('prepare', own.prepare);
  return { scope, form, length, label, prf, steps, names: steps.map(({ step }) => step), reading, onToken };
}

function factsOf({ scope, prf, names, reading, onToken }: Settings): RuleFacts {
  const before = [...(reading === null ? [] : [`reading it as ${reading.name}`]), ...names].join(', ');
  return {
    what: `replaced by a keyed token${before === '' ? '' : ` of the value after ${before}`}${
      onToken === 'pass' ? '; a value that is already a token of these keys, of any scope, passes as it is' : ''
    }`,
    origin: 'derived from the value with a key',
    back: 'never',
    joins: `token ${scope} ${prf === 'hmac-sha256' ? '' : `${prf} `}${names.join(' ')}`,
    scope,
    visible: 'which values are equal, and how often each occurs',
  };
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
}

/** Key set-up: derives the key of each domain key and prepares the keyed functions. */
function setUp(settings: Settings, opened: OpenedKeys, missing: MissingTexts): KeyedTokens {
  const { scope, form, length, label, prf, names } = settings;
  const parameters = [prf, encodeList(names), LINKAGE];
  const prfs = new Map(opened.keys.map((key) => [key.id, PRFS[prf](key.derive('token', scope, parameters))]));
  const { id } = opened.primary;
  const prefix = label === undefined ? '' : `${label}_`;
  const texts = tokenTexts(form, length, form === 'labelled' ? prefix + id : '');
  return { settings, missing, opened, prfs, primary: prfs.get(id)!, texts };
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

/** The token of one value: faster than a batch of one. */
function protectOne(keyed: KeyedTokens, value: unknown): unknown {
  const { missing, opened, primary, texts } = keyed;
  if (isMissing(value, missing)) return value;
  protectingKey(opened);
  const text = enter(keyed, value);
  if (text === null) return passedToken(keyed, value);
  if (text === '' && missing.empty) return '';
  primary.text(text);
  return texts.one(primary.tag);
}

/** Tokens of up to SLOTS values of a column, from `first` on. */
function protectChunk(
  keyed: KeyedTokens,
  column: readonly unknown[],
  first: number,
  out: unknown[],
  report: ReportIssue,
  batch: MessageBatch,
): void {
  const { primary, texts, missing } = keyed;
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
        primary.putText(batch, slots, text);
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
  return onceEach((column, report) => {
    protectingKey(keyed.opened);
    const out = new Array<unknown>(column.length);
    keyed.primary.withBatch(column.length, (batch) => {
      for (let first = 0; first < column.length; first += SLOTS) {
        protectChunk(keyed, column, first, out, report, batch);
      }
    });
    return out;
  });
}

function boundToken<Scope extends string>(keyed: KeyedTokens): BoundToken<Scope> {
  const verb = tokenColumns(keyed);
  const { form, length } = keyed.settings;
  const whole = new RegExp(`^${formOf(form).pattern(length)}$`);
  return Object.freeze({
    protect: (value: unknown) => protectOne(keyed, value),
    protectMany: (column: unknown) => runColumn(verb, column),
    matches: (value: TokenInput, candidate: string) => matches(keyed, whole, value, candidate),
  }) as BoundToken<Scope>;
}

/** @param whole what a token of the rule's form looks like, unless the form is `labelled`. */
function matches(keyed: KeyedTokens, whole: RegExp, value: TokenInput, candidate: string): boolean {
  const { settings, prfs, texts } = keyed;
  const { form, length } = settings;
  const prepared = applySteps(settings.steps, textOf(value, settings.reading));
  const body = (prf: Prf) => {
    prf.text(prepared);
    return texts.body(prf.tag);
  };
  if (form !== 'labelled') {
    if (typeof candidate !== 'string' || !whole.test(candidate)) {
      fail('malformed_token', `the token is not in the form ${form} with the length that this rule writes`);
    }
    return [...prfs.values()].some((prf) => equalText(body(prf), candidate));
  }
  const parts = inspect(candidate);
  if (parts === null || !parts.intact || parts.body.length !== length) {
    fail(
      'malformed_token',
      'the token is not in the labelled form that this rule writes, or its check characters are wrong',
    );
  }
  const prf = prfs.get(parts.keyId);
  if (prf === undefined) fail('foreign_token', 'the token was made with a key of another domain or keyset');
  return equalText(body(prf), parts.body);
}

/** Compares two texts of one known length without stopping at the first difference. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
