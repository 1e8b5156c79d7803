/**
 * `token`: keyed one-way tokens (docs/spec/token-v1.md).
 *
 * body = the first bits of HMAC-SHA-256(key, prepared value as UTF-8) as text, 128 in base32 by default; around it, in the
 * labelled form, a label, the shown key id and check characters.
 */

import type { Token } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import { badRange, badType, checkOneOf, typeName } from '../core/checks.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { inputText } from '../core/input-text.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import { fail } from '../errors.ts';
import { keyedBlake3 } from '../kernel/prf/blake3.ts';
import { hmacSha256 } from '../kernel/prf/hmac.ts';
import { LANES } from '../kernel/prf/hmac-lanes.ts';
import { type Batch, type Prf, SLOTS, tagAt, withBatch } from '../kernel/prf/prf.ts';
import { type DomainKeys, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { type Prepare, prepareSteps } from '../prepare/steps.ts';
import { BODY_LENGTH, endsLikeToken, inspect, LABEL } from '../wire/labelled-token.ts';
import { checkLength, FORMS, type Form, formOf } from '../wire/token-forms.ts';
import { tokenTexts } from '../wire/token-texts.ts';
import { openFor } from './binding.ts';
import { runColumn } from './columns.ts';
import { onceEach } from './once-each.ts';
import { checkEmpty, checkRule, checkScope } from './options.ts';
import { type ColumnVerb, type Common, type MayBeAbsent, makeRule, type Rule, type RuleEngine } from './rule.ts';

/** Names in the derivation (docs/spec/token-v1.md, "Key"). */
const LINKAGE = 'equal values';

/** The pseudorandom functions by name. */
type PrfName = 'hmac-sha256' | 'blake3';
const PRFS: Readonly<Record<PrfName, (key: Uint8Array) => Prf>> = { 'hmac-sha256': hmacSha256, blake3: keyedBlake3 };

/** Options of {@link token}. */
export interface TokenOptions<Scope extends string = string> extends Common {
  /** Values of one scope join, values of two scopes never do: `person.email`. Enters the key. */
  readonly scope: Scope;
  /** Named normalisation, one step or up to eight in order. It decides what joins and enters the key. */
  readonly prepare?: Prepare | readonly Prepare[];
  /**
   * `labelled` (default) shows label, key id and check characters. The others are the body alone: `bare` in base32,
   * `uuid` (122 bits, version 8), `hex`, `base64url`, `digits`.
   */
  readonly form?: Form;
  /** Characters of the body: 6 to 26, `hex` to 32, `base64url` to 22, `digits` to 38. Fewer than the most (which is
   *  the default) want a `population`; {@link planLength} tells how many. */
  readonly length?: number;
  /** How many different values there will be at most. A `length` that does not suffice for them is an error. */
  readonly population?: number;
  /** With what probability any two of the population may get one token. One in a million unless given. */
  readonly maxCollisionProbability?: number;
  /** `hmac-sha256` (default), or `blake3`: keyed BLAKE3, for sets of their own. Enters the key. */
  readonly prf?: PrfName;
  /** Begins the labelled form, for people: `cust`. 1 to 16 characters of `a-z`, `0-9`, the first a letter. */
  readonly label?: string;
  /** What a value gets that already is an intact labelled token of this domain's keys: an error (default), or it passes. */
  readonly onToken?: 'error' | 'pass';
  /** Whether the empty string, or one that is empty once prepared, passes as empty (default) or is protected. */
  readonly empty?: 'keep' | 'protect';
}

/** What a token can be made of; numbers are safe integers and count as their decimal text. */
export type TokenInput = string | number | bigint;

type Missing<V> = Extract<V, null | undefined>;

/** A `token` rule. */
export interface TokenRule<Scope extends string = string> extends Rule {
  readonly rule: 'token';
  readonly scope: Scope;
  readonly prepare?: string | readonly string[];
  readonly form?: Form;
  readonly length?: number;
  readonly population?: number;
  readonly maxCollisionProbability?: number;
  readonly prf?: PrfName;
  readonly label?: string;
  readonly onToken?: 'error' | 'pass';
  readonly empty?: 'keep' | 'protect';
  /** Makes keys and the keyed state of the HMAC, once. Not enumerable. */
  readonly bind: (keys: DomainKeys) => BoundToken<Scope>;
}

/** A `token` rule with its keys. It has no `reveal`: there is no way back. */
export interface BoundToken<Scope extends string = string> {
  /** The token of one value. `null` and `undefined` pass. */
  readonly protect: <V extends TokenInput | null | undefined>(value: V) => Token<Scope> | Missing<V>;
  /** The tokens of a column. Throws once, with the first 100 issues and their rows from 1. */
  readonly protectMany: <C extends readonly (TokenInput | null | undefined)[] | NumberColumn | Utf8Column>(
    column: C,
  ) => ColumnOf<C, Token<Scope>>;
  /**
   * Whether a token is the value's, under any key of the domain. The bodies are compared in constant time.
   *
   * @throws TrefoilError `malformed_token` for what is no intact token of the rule's form, `foreign_token` for a token
   *   of another domain or keyset.
   */
  readonly matches: (value: TokenInput, token: string) => boolean;
}

const OPTIONS = [
  ...[
    'scope',
    'prepare',
    'form',
    'length',
    'population',
    'maxCollisionProbability',
    'prf',
    'label',
    'onToken',
    'empty',
  ],
] as const;

/**
 * Keyed one-way tokens: equal values give equal tokens inside one scope of one domain, and nowhere else.
 *
 * *Warning*: equality shows, and with it how often a value occurs. Where few values are possible (a postcode, a year of
 * birth), whoever may call `protect` can try them all. In the bare form nothing tells a token of other keys.
 *
 * @throws TypeError, RangeError for options that do not fit; see docs/spec/token-v1.md for the construction.
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
  const scope = checkScope(own) as Scope;
  const { label, onToken, prf = 'hmac-sha256', form = 'labelled' } = own;
  checkOneOf('form', form, FORMS);
  checkOneOf('prf', prf, Object.keys(PRFS));
  const length = checkLength(form, own);
  if (onToken !== undefined) checkOneOf('onToken', onToken, ['error', 'pass']);
  if (label !== undefined) {
    if (typeof label !== 'string') badType('label', `expected text, got ${typeName(label)}`);
    if (!LABEL.test(label)) badRange('label', 'expected 1 to 16 characters of a-z, 0-9, the first a letter');
    if (form !== 'labelled') badRange('label', `is part of the labelled form; leave it out with form "${form}"`);
  }
  if (form === 'labelled' && length < BODY_LENGTH && label === undefined) {
    badRange('length', 'of a labelled token without a label is 26: a shorter one could not be told from a word');
  }
  const empty = checkEmpty(own.empty);
  const steps = own.prepare === undefined ? [] : prepareSteps('prepare', own.prepare);
  const names = steps.map((step) => step.step);
  const data = {
    rule: 'token' as const,
    scope,
    ...(own.prepare === undefined ? {} : { prepare: Array.isArray(own.prepare) ? Object.freeze(names) : names[0]! }),
    ...given({
      form: own.form,
      length: own.length,
      population: own.population,
      maxCollisionProbability: own.maxCollisionProbability,
      prf: own.prf,
      label,
    }),
    ...(onToken === undefined ? {} : { onToken }),
    ...(own.empty === undefined ? {} : { empty }),
    ...common,
  };
  const parameters = [prf, encodeList(names), LINKAGE];
  const prefix = label === undefined ? '' : `${label}_`;
  const whole = new RegExp(`^${formOf(form).pattern(length)}$`);

  /** Key set-up: the keyed function of each key, and what writes the tokens of the primary one. */
  function setUp(opened: OpenedKeys) {
    const keyed = new Map(opened.keys.map((key) => [key.id, PRFS[prf](key.derive('token', scope, parameters))]));
    const { id } = opened.primary;
    const primary = keyed.get(id)!;
    const texts = tokenTexts(form, length, form === 'labelled' ? prefix + id : '');

    /** The prepared text of a value, or `null` for an intact token of these keys that passes. */
    function enter(value: unknown): string | null {
      // Without steps the kernel looks at the characters, and refuses lone surrogates.
      const text = steps.length === 0 && typeof value === 'string' ? value : inputText(value);
      if (isOwnToken(text)) return null;
      if (steps.length === 0) return text;
      const prepared = prepareText(text);
      // A token in other letters or between spaces is one only now.
      return prepared !== text && isOwnToken(prepared) ? null : prepared;
    }
    /** Whether a text is an intact labelled token of these keys, and may pass. */
    function isOwnToken(text: string): boolean {
      if (!endsLikeToken(text)) return false;
      const parts = inspect(text);
      if (!parts?.intact || !keyed.has(parts.keyId)) return false;
      if (onToken === 'pass') return true;
      fail('already_token', 'the value already is a token of these keys; protect the original, or set onToken: pass');
    }
    /** What a token that passes is written as: prepared, as a join with tokens wants it. */
    function passed(value: unknown): string {
      const text = inputText(value);
      return isOwnToken(text) ? text : prepareText(text);
    }

    function protectOne(value: unknown): unknown {
      if (value === null || value === undefined || (value === '' && empty === 'keep')) return value;
      protectingKey(opened);
      const text = enter(value);
      if (text === null) return passed(value);
      if (text === '' && empty === 'keep') return '';
      primary.text(text);
      return texts.one(primary.tag);
    }

    /** Up to SLOTS values from `first` on. */
    function protectChunk(
      column: readonly unknown[],
      first: number,
      out: unknown[],
      report: ReportIssue,
      batch: Batch,
    ) {
      const last = Math.min(column.length, first + SLOTS);
      let slots = 0;
      for (let i = first; i < last; i++) {
        const value = column[i];
        if (value === null || value === undefined || (value === '' && empty === 'keep')) {
          out[i] = value;
          continue;
        }
        try {
          const text = enter(value);
          if (text === null) {
            out[i] = passed(value);
          } else if (text === '' && empty === 'keep') {
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
      texts.many(batch.tags, tagAt, LANES, batch.rows, slots, out);
    }

    const protect: ColumnVerb = (column, report) => {
      protectingKey(opened);
      const out = new Array<unknown>(column.length);
      withBatch(column.length, (batch) => {
        for (let first = 0; first < column.length; first += SLOTS) protectChunk(column, first, out, report, batch);
      });
      return out;
    };
    return { keyed, texts, protect: onceEach(protect), protectOne };
  }

  function prepareText(text: string): string {
    let prepared = text;
    for (const step of steps) prepared = step(prepared);
    return prepared;
  }

  const engine: RuleEngine = {
    facts: {
      what: `replaced by a keyed token${names.length === 0 ? '' : ` of the value after ${names.join(', ')}`}${
        onToken === 'pass' ? '; a value that already is a token of these keys, of any scope, passes as it is' : ''
      }`,
      origin: 'derived from the value with a key',
      back: 'never',
      joins: `token ${scope} ${prf === 'hmac-sha256' ? '' : `${prf} `}${names.join(' ')}`,
      scope,
      visible: 'which values are equal, and how often each occurs',
    },
    keyed: true,
    needsPin: false,
    cell: 'text',
    removes: false,
    unfit: null,
    bind(opened) {
      const { protect, protectOne } = setUp(opened!);
      return { protect, protectOne, reveal: (column) => [...column] };
    },
  };

  function bind(keys: DomainKeys): BoundToken<Scope> {
    const { keyed, texts, protect, protectOne } = setUp(openFor(keys, undefined).opened);
    const body = (prf: Prf, prepared: string) => {
      prf.text(prepared);
      return texts.body(prf.tag);
    };
    return Object.freeze({
      protect: protectOne,
      protectMany: (column: unknown) => runColumn(protect, column),
      matches(value: TokenInput, candidate: string): boolean {
        const prepared = prepareText(inputText(value));
        if (form !== 'labelled') {
          if (typeof candidate !== 'string' || !whole.test(candidate)) {
            fail('malformed_token', `the token has not the form ${form} of the rule`);
          }
          return [...keyed.values()].some((prf) => equalText(body(prf, prepared), candidate));
        }
        const parts = inspect(candidate);
        if (parts === null || !parts.intact || parts.body.length !== length) {
          fail(
            'malformed_token',
            'the token has not the labelled form of the rule, or its check characters do not fit',
          );
        }
        const prf = keyed.get(parts.keyId);
        if (prf === undefined) fail('foreign_token', 'the token is of another domain or keyset');
        return equalText(body(prf, prepared), parts.body);
      },
    }) as BoundToken<Scope>;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<TokenRule<Scope>, Optional>;
}

/** Compares two texts of one known length without stopping at the first difference. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
