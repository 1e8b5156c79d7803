/**
 * `fpe`: format-preserving encryption (docs/spec/fpe-v1.md). The secret part of a value is enciphered as one numeral
 * string; its shape and its clear parts are the tweak, its layout is put back.
 */

import type { Enciphered } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import type { RevealAccess } from '../core/capability.ts';
import { checkText } from '../core/checks.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { type Format, formatEngine, type Parts } from '../format/engine.ts';
import { cycleWalking } from '../kernel/cycle-walking.ts';
import { ff1, MIN_DOMAIN } from '../kernel/ff1.ts';
import { type DomainKey, type DomainKeys, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import {
  type BoundColumns,
  boundVerbs,
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
  refuseReveal,
} from './rule.ts';

/** Options of {@link fpe}. */
export interface FpeOptions<Scope extends string = string> extends Common {
  /** Values of one scope and format join, others never do. Enters the key. */
  readonly scope: Scope;
  /** A format of `trefoil/format`. Enters the key, its limits of length do not. */
  readonly format: Format;
  /** Whether the empty string passes (default) or must fit the format like any other value. */
  readonly empty?: 'keep' | 'protect';
}

type Missing<V> = Extract<V, null | undefined>;

/** An `fpe` rule. */
export interface FpeRule<Scope extends string = string> extends Rule {
  readonly rule: 'fpe';
  readonly scope: Scope;
  readonly format: Format;
  readonly empty?: 'keep' | 'protect';
  /** Judges the space and makes the keys, once. Not enumerable. */
  readonly bind: {
    (keys: DomainKeys): BoundFpe<Scope>;
    (keys: DomainKeys, access: RevealAccess): RevealingFpe<Scope>;
  };
}

/** An `fpe` rule with its keys. */
export interface BoundFpe<Scope extends string = string> {
  /** The ciphertext of one value, of the same format. `null` and `undefined` pass. */
  readonly protect: <V extends string | null | undefined>(value: V) => Enciphered<Scope> | Missing<V>;
  /** The ciphertexts of a column. Throws once, with the first 100 issues and their rows from 1. */
  readonly protectMany: <V extends string | null | undefined>(
    column: readonly V[],
  ) => (Enciphered<Scope> | Missing<V>)[];
}

/** An `fpe` rule that may reveal. */
export interface RevealingFpe<Scope extends string = string> extends BoundFpe<Scope> {
  /** The value behind a ciphertext. With other keys it would be another value: that is why the key check is pinned. */
  readonly reveal: <V extends Enciphered<Scope> | null | undefined>(value: V) => string | Missing<V>;
  /** The values behind a column. */
  readonly revealMany: <V extends Enciphered<Scope> | null | undefined>(
    column: readonly V[],
  ) => (string | Missing<V>)[];
}

/** Enciphers a numeral string of one format, under one key. */
interface Cipher {
  readonly encrypt: (numerals: readonly number[], tweak: Uint8Array) => number[];
  readonly decrypt: (numerals: readonly number[], tweak: Uint8Array) => number[];
}

/**
 * Format-preserving encryption with FF1: a card number becomes a card number, and the key turns it back.
 *
 * The space of the smallest shape that the format allows must have 1,000,000 values; `bind` throws `space_too_small`
 * with the numbers otherwise. To reveal, the key check must be pinned, by the policy or by
 * `keyset.domain(name, { keyCheck })`: format-preserving ciphertext cannot tell a wrong key.
 *
 * *Warning*: equal values have equal ciphertexts, and nothing detects a changed ciphertext: it reveals as another value
 * of the format.
 *
 * Source: NIST SP 800-38G; the encoding of formats and tweaks is in docs/spec/fpe-v1.md.
 *
 * @example
 * ```ts
 * import { fpe, keyset } from 'trefoil';
 * import { card } from 'trefoil/format';
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * const pan = fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }).bind(keys);
 * pan.protect('4111 1111 1111 1111').slice(0, 7); // → '4111 11'
 * ```
 */
export function fpe<const Scope extends string, const Optional extends boolean = false>(
  options: FpeOptions<Scope> & { readonly optional?: Optional },
): MayBeAbsent<FpeRule<Scope>, Optional> {
  const common = checkCommon('fpe', options, ['scope', 'format', 'empty']);
  const scope = checkScope(options) as Scope;
  const format = formatEngine('format', options.format);
  const empty = checkEmpty(options.empty);
  const uniform = typeof format.radix === 'number';
  const parameters = [encodeList(format.descriptor), uniform ? 'ff1' : 'ff1-cycle-walking'];
  const unfit = judge(format.smallest);

  const data = {
    rule: 'fpe' as const,
    scope,
    format: options.format,
    ...(options.empty === undefined ? {} : { empty }),
    ...common,
  };

  const apply = (value: unknown, direction: (numerals: readonly number[], tweak: Uint8Array) => number[]): string => {
    const parts = format.split(checkText(value));
    return format.join(parts, direction(parts.numerals, tweakOf(parts)));
  };

  function setUp(opened: OpenedKeys, revealing: boolean): BoundColumns {
    if (unfit !== null) throw new TrefoilError([unfit]);
    const cipherOf = (key: DomainKey): Cipher => {
      const node = key.derive('fpe', scope, parameters);
      return typeof format.radix === 'number' ? ff1(node, format.radix) : mixedCipher(node, format.radix);
    };
    const forward = cipherOf(opened.primary);
    const pinned = opened.keys.find((key) => key.id === opened.pinned?.[0]) ?? opened.primary;
    const back = cipherOf(pinned);
    return {
      protect(column, report) {
        protectingKey(opened);
        return mapColumn(column, (value) => apply(value, forward.encrypt), report, empty);
      },
      reveal(column, report) {
        if (!revealing) refuseReveal();
        demandPin(opened);
        return mapColumn(column, (value) => apply(value, back.decrypt), report, empty);
      },
    };
  }

  const engine: RuleEngine = {
    facts: {
      what: `enciphered into another value of the format ${options.format.type}, one of at least ${format.smallest.size}`,
      origin: 'derived from the value with a key',
      back: 'key',
      joins: `fpe ${scope} ${JSON.stringify(format.descriptor)}`,
      scope,
      visible: `${format.visible}; which values are equal, and how often each occurs`,
    },
    keyed: true,
    needsPin: true,
    cell: 'text',
    removes: false,
    unfit,
    bind: (opened, revealing) => setUp(opened!, revealing),
  };

  function bind(keys: DomainKeys, access?: RevealAccess): BoundFpe<Scope> | RevealingFpe<Scope> {
    const { opened, revealing } = openFor(keys, access);
    const columns = setUp(opened, revealing);
    if (revealing) demandPin(opened);
    return boundVerbs(columns, revealing) as BoundFpe<Scope>;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<FpeRule<Scope>, Optional>;
}

/** Shape and clear part, each with its length: `("1", "23")` and `("12", "3")` are two tweaks. Layout is in neither. */
function tweakOf(parts: Parts): Uint8Array {
  return encodeList([parts.shape, parts.clear]);
}

/** Rank in mixed radix, most significant first; cycle-walking FF1; back. */
function mixedCipher(key: Uint8Array, radices: readonly number[]): Cipher {
  const size = radices.reduce((product, radix) => product * BigInt(radix), 1n);
  const walk = cycleWalking(key, size);
  const rank = (numerals: readonly number[]) =>
    numerals.reduce((index, numeral, i) => index * BigInt(radices[i]!) + BigInt(numeral), 0n);
  const unrank = (index: bigint) => {
    const numerals = new Array<number>(radices.length);
    let rest = index;
    for (let i = radices.length - 1; i >= 0; i--) {
      const radix = BigInt(radices[i]!);
      numerals[i] = Number(rest % radix);
      rest /= radix;
    }
    return numerals;
  };
  return {
    encrypt: (numerals, tweak) => unrank(walk.encrypt(rank(numerals), tweak)),
    decrypt: (numerals, tweak) => unrank(walk.decrypt(rank(numerals), tweak)),
  };
}

/** The floor of SP 800-38G Rev. 1, second draft. A rule's cannot be lowered. */
function judge({ size, because }: { readonly size: bigint; readonly because: string }): Issue | null {
  if (size >= BigInt(MIN_DOMAIN)) return null;
  return {
    code: 'space_too_small',
    message:
      `the smallest space of the format has ${size} values (${because}), fpe needs ${MIN_DOMAIN}; ` +
      'allow fewer clear characters or only longer values, or take token or seal',
    minimum: MIN_DOMAIN,
    actual: Number(size),
  };
}

/** Format-preserving ciphertext cannot tell a wrong key, so the caller must have said which one it is. */
function demandPin(opened: OpenedKeys): void {
  if (opened.pinned?.length === 1) return;
  const many = opened.pinned === null ? 'no key check is pinned' : `${opened.pinned.length} key checks are pinned`;
  fail(
    'key_check_required',
    `${many}, revealing fpe needs exactly one: pin the key check of the key that the data was protected with ` +
      '(keyCheck in the policy, or keyset.domain(name, { keyCheck }))',
  );
}
