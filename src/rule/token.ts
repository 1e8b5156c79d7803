/**
 * `token`: keyed one-way tokens (docs/spec/token-v1.md).
 *
 * body = the first 128 bits of HMAC-SHA-256(key, prepared value as UTF-8), in base32; around it, in the labelled form,
 * a label, the shown key id and check characters.
 */

import { ALPHABET_CLASS, encode } from '../core/base32.ts';
import type { Token } from '../core/brands.ts';
import { encodeList, utf8 } from '../core/bytes.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from '../core/check-characters.ts';
import { badRange, badType, checkOneOf, checkText, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { hmacSha256 } from '../kernel/hmac.ts';
import { KEY_ID_LENGTH } from '../keys/derive.ts';
import { type DomainKey, type DomainKeys, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { type Prepare, prepareSteps } from '../prepare/steps.ts';
import {
  type ColumnVerb,
  type Common,
  checkCommon,
  checkEmpty,
  checkScope,
  type MayBeAbsent,
  makeRule,
  mapColumn,
  openFor,
  type Rule,
  type RuleEngine,
  runColumn,
  runValue,
} from './rule.ts';

/** Bits of the HMAC that a token keeps. Two of 10^9 people collide with a probability below 2^-68. */
const BODY_BITS = 128;
const BODY_LENGTH = 26;

/** Names in the derivation (docs/spec/token-v1.md, "Key"). */
const PRF = 'hmac-sha256';
const LINKAGE = 'equal values';

const LABEL = /^[a-z][a-z0-9]{0,15}$/;

/** The last symbol of a body has three bits of the HMAC and two zero bits. */
const BODY_CLASS = `[${ALPHABET_CLASS}]{${BODY_LENGTH - 1}}[048cgmrw]`;

/**
 * Finds labelled tokens in text; take `new RegExp(tokenPattern, 'g')` to find all. A match may still have wrong check
 * characters: `inspect` tells.
 *
 * @example
 * ```ts
 * import { tokenPattern } from 'trefoil';
 *
 * tokenPattern.test('no token in this sentence'); // → false
 * ```
 */
export const tokenPattern: RegExp = /* @__PURE__ */ new RegExp(
  `(?<![A-Za-z0-9_])(?:[a-z][a-z0-9]{0,15}_)?[${ALPHABET_CLASS}]{${KEY_ID_LENGTH}}${BODY_CLASS}` +
    `[${ALPHABET_CLASS}]{${CHECK_LENGTH}}(?![A-Za-z0-9_])`,
);

const WHOLE_TOKEN = /* @__PURE__ */ new RegExp(
  `^(?:([a-z][a-z0-9]{0,15})_)?([${ALPHABET_CLASS}]{${KEY_ID_LENGTH}})(${BODY_CLASS})([${ALPHABET_CLASS}]{${CHECK_LENGTH}})$`,
);

/** Length of a labelled token without its label. */
const CORE_LENGTH = KEY_ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;

/** What a labelled token says about itself. */
export interface TokenParts {
  readonly label: string | null;
  /** Shown id of the key of its domain. */
  readonly keyId: string;
  readonly body: string;
  /** Whether the check characters fit: if not, the token was mistyped or damaged. */
  readonly intact: boolean;
}

/**
 * Reads a labelled token without any key; `null` for what has not the form of one. It catches accidents and is no
 * security check: anyone can write a token that passes.
 *
 * @example
 * ```ts
 * import { inspect } from 'trefoil';
 *
 * inspect('cust_k3m7a'); // → null
 * ```
 */
export function inspect(token: string): TokenParts | null {
  if (typeof token !== 'string' || token.length < CORE_LENGTH) return null;
  const match = WHOLE_TOKEN.exec(token);
  if (match === null) return null;
  const [, label, keyId, body, check] = match;
  const intact = checkCharacters(crc20(token.slice(0, -CHECK_LENGTH))) === check;
  return { label: label ?? null, keyId: keyId!, body: body!, intact };
}

/** Options of {@link token}. */
export interface TokenOptions<Scope extends string = string> extends Common {
  /** Values of one scope join, values of two scopes never do: `person.email`. Enters the key. */
  readonly scope: Scope;
  /** Named normalisation, one step or up to eight in order. It decides what joins and enters the key. */
  readonly prepare?: Prepare | readonly Prepare[];
  /** `labelled` (default) shows label, key id and check characters; `bare` is the body alone. */
  readonly form?: 'labelled' | 'bare';
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
  readonly form?: 'labelled' | 'bare';
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
  readonly protectMany: <V extends TokenInput | null | undefined>(
    column: readonly V[],
  ) => (Token<Scope> | Missing<V>)[];
  /**
   * Whether a token is the value's, under any key of the domain. The bodies are compared in constant time.
   *
   * @throws TrefoilError `malformed_token` for what is no intact token of the rule's form, `foreign_token` for a token
   *   of another domain or keyset.
   */
  readonly matches: (value: TokenInput, token: string) => boolean;
}

const OPTIONS = ['scope', 'prepare', 'form', 'label', 'onToken', 'empty'] as const;

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
  const common = checkCommon('token', options, OPTIONS);
  const scope = checkScope(options) as Scope;
  const { form, label, onToken } = options;
  if (form !== undefined) checkOneOf('form', form, ['labelled', 'bare']);
  if (onToken !== undefined) checkOneOf('onToken', onToken, ['error', 'pass']);
  if (label !== undefined) {
    if (typeof label !== 'string') badType('label', `expected text, got ${typeName(label)}`);
    if (!LABEL.test(label)) badRange('label', 'expected 1 to 16 characters of a-z, 0-9, the first a letter');
    if (form === 'bare') badRange('label', 'is part of the labelled form; leave it out with form "bare"');
  }
  const empty = checkEmpty(options.empty);
  const steps = options.prepare === undefined ? [] : prepareSteps('prepare', options.prepare);
  const names = steps.map((step) => step.step);
  const data = {
    rule: 'token' as const,
    scope,
    ...(options.prepare === undefined
      ? {}
      : { prepare: Array.isArray(options.prepare) ? Object.freeze(names) : names[0]! }),
    ...(form === undefined ? {} : { form }),
    ...(label === undefined ? {} : { label }),
    ...(onToken === undefined ? {} : { onToken }),
    ...(options.empty === undefined ? {} : { empty }),
    ...common,
  };
  const parameters = [PRF, encodeList(names), LINKAGE];
  const prefix = label === undefined ? '' : `${label}_`;

  /** Key set-up: the keyed HMAC states, and the CRC over what all tokens begin with. */
  function setUp(opened: OpenedKeys) {
    const bodies = new Map(opened.keys.map((key) => [key.id, bodyOf(key)]));
    const body = bodies.get(opened.primary.id)!;
    const head = prefix + opened.primary.id;
    const headCrc = crc20(head);
    const dress = form === 'bare' ? (b: string) => b : (b: string) => head + b + checkCharacters(crc20(b, headCrc));

    function protectOne(value: unknown): string {
      const text = inputText(value);
      if (isOwnToken(text)) return text;
      const prepared = prepareText(text);
      // A token in other letters or between spaces is one only now.
      if (isOwnToken(prepared)) return prepared;
      return prepared === '' && empty === 'keep' ? '' : dress(body(prepared));
    }
    /** Whether a text is an intact labelled token of these keys, and may pass. */
    function isOwnToken(text: string): boolean {
      if (text.length < CORE_LENGTH) return false;
      const parts = inspect(text);
      if (!parts?.intact || !bodies.has(parts.keyId)) return false;
      if (onToken === 'pass') return true;
      fail('already_token', 'the value already is a token of these keys; protect the original, or set onToken: pass');
    }

    const protect: ColumnVerb = (column, report) => {
      protectingKey(opened);
      return mapColumn(column, protectOne, report, empty);
    };
    return { bodies, protect };
  }

  function bodyOf(key: DomainKey): (prepared: string) => string {
    const mac = hmacSha256(key.derive('token', scope, parameters));
    return (prepared) => encode(mac(utf8(prepared)), BODY_BITS);
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
      joins: `token ${scope} ${names.join(' ')}`,
      scope,
      visible: 'which values are equal, and how often each occurs',
    },
    keyed: true,
    needsPin: false,
    cell: 'text',
    removes: false,
    unfit: null,
    bind: (opened) => ({ protect: setUp(opened!).protect, reveal: (column) => [...column] }),
  };

  function bind(keys: DomainKeys): BoundToken<Scope> {
    const { bodies, protect } = setUp(openFor(keys, undefined).opened);
    return Object.freeze({
      protect: (value: unknown) => runValue(protect, value),
      protectMany: (column: readonly unknown[]) => runColumn(protect, column),
      matches(value: TokenInput, candidate: string): boolean {
        const prepared = prepareText(inputText(value));
        if (form === 'bare') {
          if (!BARE.test(checkText(candidate))) fail('malformed_token', 'the token has not the form of a bare token');
          return [...bodies.values()].some((body) => equalText(body(prepared), candidate));
        }
        const parts = inspect(candidate);
        if (parts === null || !parts.intact) {
          fail('malformed_token', 'the token has not the form of a labelled token, or its check characters do not fit');
        }
        const body = bodies.get(parts.keyId);
        if (body === undefined) fail('foreign_token', 'the token is of another domain or keyset');
        return equalText(body(prepared), parts.body);
      },
    }) as BoundToken<Scope>;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<TokenRule<Scope>, Optional>;
}

const BARE = /* @__PURE__ */ new RegExp(`^${BODY_CLASS}$`);

/** The text of an input: numbers are safe integers and count as their decimal text. */
function inputText(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) {
      fail('unsafe_integer', 'a number must be a whole number up to 2^53 - 1; write other values as text');
    }
    return String(value);
  }
  return typeof value === 'bigint' ? value.toString() : checkText(value);
}

/** Compares two texts of one known length without stopping at the first difference. */
function equalText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
