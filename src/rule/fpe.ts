/**
 * `fpe`: format-preserving encryption (docs/spec/fpe-v1.md). All secret parts of a value are enciphered as one; its shape
 * and its clear parts are the tweak, its layout is put back.
 */

import type { Enciphered } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import type { RevealAccess } from '../core/capability.ts';
import { badRange, badType, checkText } from '../core/checks.ts';
import type { ReportIssue } from '../core/issues.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { type FormatCipher, formatCipher, type Pending } from '../format/cipher.ts';
import { CODE_BOOK, type Format, formatEngine, type Smallest } from '../format/engine.ts';
import { type DomainKey, type DomainKeys, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { boundVerbs, openFor, refuseReveal } from './binding.ts';
import { mapColumn } from './columns.ts';
import { checkEmpty, checkRule, checkScope } from './options.ts';
import { type BoundColumns, type Common, type MayBeAbsent, makeRule, type Rule, type RuleEngine } from './rule.ts';

/** Options of {@link fpe}. */
export interface FpeOptions<Scope extends string = string> extends Common {
  /** Values of one scope and format join, others never do. Enters the key. */
  readonly scope: Scope;
  /** A format of `trefoil/format`. Enters the key, its limits of length do not. */
  readonly format: Format;
  /**
   * Whether the empty string passes (default) or must fit the format like any other value. A format that has the empty
   * string as a value needs `protect`.
   */
  readonly empty?: 'keep' | 'protect';
  /**
   * Why a format of fewer than 10,000 values is taken all the same, in words for the record: whoever may call `protect`
   * can write down the whole table.
   */
  readonly allowCodebook?: string;
}

type Missing<V> = Extract<V, null | undefined>;

/** An `fpe` rule. */
export interface FpeRule<Scope extends string = string> extends Rule {
  readonly rule: 'fpe';
  readonly scope: Scope;
  readonly format: Format;
  readonly empty?: 'keep' | 'protect';
  readonly allowCodebook?: string;
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

/**
 * Format-preserving encryption: a card number becomes a card number, and the key turns it back.
 *
 * From 1,000,000 values on the engine is FF1, below it a keyed permutation of just these values. The smallest shape that
 * the format allows must have 10,000 values; `bind` throws `space_too_small` with the numbers otherwise, unless
 * `allowCodebook` gives a reason. To reveal, the key check must be pinned, by the policy or by
 * `keyset.domain(name, { keyCheck })`: format-preserving ciphertext cannot tell a wrong key.
 *
 * *Warning*: equal values have equal ciphertexts, and nothing detects a changed ciphertext: it reveals as another value
 * of the format.
 *
 * Source: NIST SP 800-38G; Morris and Rogaway, EUROCRYPT 2014, for small spaces; docs/spec/fpe-v1.md for the rest.
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
  const { own, common } = checkRule('fpe', options, ['scope', 'format', 'empty', 'allowCodebook']);
  const scope = checkScope(own) as Scope;
  const format = formatEngine('format', own.format);
  const empty = checkEmpty(own.empty);
  // What is kept would be a ciphertext as well: no reader could tell which of the two an empty text is.
  if (empty === 'keep' && format.outline.min === 0) {
    badRange('empty', 'expected protect: the empty text is a value of the format');
  }
  const reason = checkReason(own.allowCodebook);
  const descriptor = encodeList(format.descriptor);
  const unfit = judge(format.smallest, reason);

  const data = {
    rule: 'fpe' as const,
    scope,
    format: own.format,
    ...(own.empty === undefined ? {} : { empty }),
    ...(reason === undefined ? {} : { allowCodebook: reason }),
    ...common,
  };

  function setUp(opened: OpenedKeys, revealing: boolean): BoundColumns {
    if (unfit !== null) throw new TrefoilError([unfit]);
    const keyOf = (key: DomainKey) => (name: string) => key.derive('fpe', scope, [descriptor, name]);
    const pinned = opened.keys.find((key) => key.id === opened.pinned?.[0]) ?? opened.primary;
    const forward = formatCipher(format, 'protect', keyOf(opened.primary));
    const back = formatCipher(format, 'reveal', keyOf(pinned));
    return {
      protect(column, report) {
        protectingKey(opened);
        return applyTo(column, forward, report, empty);
      },
      reveal(column, report) {
        if (!revealing) refuseReveal();
        demandPin(opened);
        return applyTo(column, back, report, empty);
      },
    };
  }

  const engine: RuleEngine = {
    facts: {
      what: [
        `enciphered into another value of the format ${own.format.type}, one of at least ${format.smallest.size}`,
        ...(reason === undefined ? [] : [', a code book that is allowed because: ', { quoted: reason }]),
      ],
      origin: 'derived from the value with a key',
      back: 'key',
      joins: `fpe ${scope} ${JSON.stringify(format.descriptor)}`,
      scope,
      visible: `${format.visible}${reason === undefined ? '' : '; the whole table, to whoever may protect'}; which values are equal, and how often each occurs`,
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

/** Reads every cell, then turns what was read in one go; what passes, passes. */
function applyTo(
  column: readonly unknown[],
  cipher: FormatCipher,
  report: ReportIssue,
  empty: 'keep' | 'protect',
): unknown[] {
  const out = mapColumn(column, (value) => cipher.read(readText(value)), report, empty);
  const rows: number[] = [];
  const read: Pending[] = [];
  for (let i = 0; i < out.length; i++) {
    if (typeof out[i] !== 'object' || out[i] === null) continue;
    rows.push(i);
    read.push(out[i] as Pending);
  }
  const texts = cipher.runMany(read);
  for (let i = 0; i < rows.length; i++) out[rows[i]!] = texts[i];
  return out;
}

/** A number of JSON is no value of a format: 42 and 42.0 are one, and would come back as one. */
function readText(value: unknown): string {
  if (typeof value === 'number') {
    fail('wrong_type', 'expected text, got number; write numbers as text, or seal them with value: integer');
  }
  return checkText(value);
}

function checkReason(reason: unknown): string | undefined {
  if (reason !== undefined && (typeof reason !== 'string' || reason.trim() === '' || reason.length > 1000)) {
    badType('allowCodebook', 'expected a reason in words, of at most 1000 characters');
  }
  return reason;
}

/** A space of one value hides nothing; below 10,000 values a cipher is a code book that staff can write down. */
function judge({ size, because }: Smallest, reason: string | undefined): Issue | null {
  const minimum = reason === undefined ? CODE_BOOK : 2;
  if (size >= minimum) return null;
  return {
    code: 'space_too_small',
    message:
      `the smallest space of the format has ${size} values (${because}), fpe needs ${minimum}; ` +
      'allow fewer clear characters or only longer values, take token or seal, ' +
      'or say with allowCodebook why a table that anyone who protects can write down will do',
    minimum,
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
