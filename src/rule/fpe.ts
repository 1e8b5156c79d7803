/**
 * `fpe`: format-preserving encryption (docs/spec/fpe-v1.md). All secret parts of a value are enciphered together. The
 * value's shape and its clear parts are the tweak, and its layout is put back afterwards.
 */

import type { Enciphered } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import type { RevealAccess } from '../core/capability.ts';
import { badRange, badType, checkText } from '../core/checks.ts';
import { given } from '../core/given.ts';
import type { ReportIssue } from '../core/issues.ts';
import type { Missing } from '../core/missing.ts';
import { fail, type Issue, TrefoilError } from '../errors.ts';
import { type FormatCipher, formatCipher, type Pending } from '../format/cipher.ts';
import {
  CODE_BOOK,
  engineNames,
  type Format,
  type FormatEngine,
  formatEngine,
  type Smallest,
} from '../format/engine.ts';
import { ruleSteps } from '../keys/derive.ts';
import {
  checkMayRekey,
  type DomainKey,
  type DomainKeys,
  type OpenedKeys,
  protectingKey,
  writingKey,
} from '../keys/domain-keys.ts';
import { boundVerbs, checkMayLookUp, namedKey, openFor, refuseReveal } from './binding.ts';
import { mapColumn, throughClear } from './columns.ts';
import { isMissing, type MissingTexts, missingTexts, NO_TEXT, ownLists } from './missing.ts';
import { checkRule, checkScope, isWhole } from './options.ts';
import {
  type BoundColumns,
  type ColumnVerb,
  type Common,
  type MayBeAbsent,
  type Move,
  makeRule,
  type Rule,
  type RuleEngine,
  type RuleFacts,
} from './rule.ts';

/** Options of {@link fpe}. */
export interface FpeOptions<Scope extends string = string> extends Common {
  /** Equal values of one scope and format have equal ciphertexts; values of two scopes never do. Enters the key. */
  readonly scope: Scope;
  /** A format of `trefoil/format`. It enters the key, except for its limits of length. */
  readonly format: Format;
  /**
   * Texts that are no value in this field. None of them may be a value of the format: a ciphertext could be the same
   * text. If the empty text is a value of the format, set `[]`.
   */
  readonly missing?: readonly string[];
  /**
   * Why a format of fewer than 10,000 values is acceptable, in words, for the record of processing: anyone who may call
   * `protect` can write down the whole table. At most 1,000 characters.
   */
  readonly allowCodebook?: string;
}

/** An `fpe` rule. */
export interface FpeRule<Scope extends string = string> extends Rule {
  readonly rule: 'fpe';
  readonly scope: Scope;
  readonly format: Format;
  readonly allowCodebook?: string;
  /** Does the key set-up, once. Throws `space_too_small` if the format has too few values. Not enumerable. */
  readonly bind: {
    (keys: DomainKeys): BoundFpe<Scope>;
    (keys: DomainKeys, access: RevealAccess): RevealingFpe<Scope>;
  };
}

/** An `fpe` rule with its keys. */
export interface BoundFpe<Scope extends string = string> {
  /** Returns the ciphertext of one value, which has the same format. `null` and `undefined` pass. */
  readonly protect: <V extends string | null | undefined>(value: V) => Enciphered<Scope> | Missing<V>;
  /** Returns the ciphertexts of a column. Throws one error, with the first 100 issues and their rows from 1. */
  readonly protectMany: <V extends string | null | undefined>(
    column: readonly V[],
  ) => (Enciphered<Scope> | Missing<V>)[];
  /**
   * Returns the ciphertexts that a value may have been stored as: one for each key of the domain, the primary first.
   * Use them to look a value up while a table has values of several keys: `WHERE pan = ANY($1)`. A missing text has
   * itself alone.
   *
   * *Warning*: ciphertext does not show its key, so one of these texts may also be the ciphertext of another value
   * under another key. In a format with few values, that happens.
   */
  readonly candidates: (value: string) => Enciphered<Scope>[];
}

/** An `fpe` rule that may reveal. */
export interface RevealingFpe<Scope extends string = string> extends BoundFpe<Scope> {
  /**
   * Returns the value of a ciphertext. A wrong key would return another value without an error, so exactly one key
   * check must be pinned, that of the key which made the ciphertext. In a policy, other fields of the record show the
   * key: see `fromKey` of `policy.bind`.
   */
  readonly reveal: <V extends Enciphered<Scope> | null | undefined>(value: V) => string | Missing<V>;
  /**
   * Returns the values of a column of ciphertexts. Throws one error, with the first 100 issues and their rows from 1.
   */
  readonly revealMany: <V extends Enciphered<Scope> | null | undefined>(
    column: readonly V[],
  ) => (string | Missing<V>)[];
}

/**
 * Encrypts a value to another value of the same format: a card number becomes a card number, and the key turns it back.
 *
 * If the format has 1,000,000 values or more, the algorithm is FF1; below that, it is a keyed permutation of exactly
 * these values. The smallest shape that the format allows must have 10,000 values. Otherwise `bind` throws
 * `space_too_small` with the numbers, unless `allowCodebook` gives a reason.
 *
 * Format-preserving ciphertext cannot show that a key is wrong. To reveal, the key check must therefore be pinned, in
 * the policy or by `keyset.domain(name, { keyCheck })`. A rule that is bound alone sees nothing but the ciphertext, and
 * reveals with the pinned key.
 *
 * *Warning*: equal values have equal ciphertexts. A changed ciphertext is not detected: it reveals as another value of
 * the format.
 *
 * Source: NIST SP 800-38G; Morris and Rogaway, EUROCRYPT 2014, for small spaces; docs/spec/fpe-v1.md for the rest.
 *
 * @throws TypeError, RangeError for options that do not fit.
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
  const { own, common } = checkRule('fpe', options, ['scope', 'format', 'allowCodebook']);
  const scope = checkScope(own);
  const format = formatEngine('format', own.format);
  // Without a list of its own, the rule has that of a policy, which checks it.
  if (common.missing !== undefined) refuseValues(own.format, missingTexts(common.missing));
  const reason = checkReason(own.allowCodebook);
  const settings: Settings = { scope, format, unfit: judgeSpace(format.smallest, reason) };
  const data = {
    rule: 'fpe' as const,
    scope,
    format: own.format,
    ...given({ allowCodebook: reason }),
    ...common,
  };
  const engine: RuleEngine = {
    facts: factsOf(settings, own.format.type, reason),
    keyed: true,
    cell: 'text',
    removes: false,
    unfit: settings.unfit,
    needsKeys: (verbs) => ({ paths: pathsOf(settings), isWall: isWhole(verbs) }),
    bind: (opened, revealing, { own: missing }) => fpeColumns(settings, opened!, revealing, missing),
    mayWrite: own.format.test,
    under: {
      has: (key) => hasAll(key, settings),
      reveal: (key, missing) => revealUnder(settings, key, missing),
    },
    mover: { reveals: true, showsKey: false, bind: (move) => moveColumns(settings, move) },
    stays: 'ciphertext of a format can only be turned back with the keys of its own domain',
  };

  function bind(keys: DomainKeys, access?: RevealAccess): BoundFpe<Scope> | RevealingFpe<Scope> {
    const { opened, revealing } = openFor(keys, access);
    const missing = ownLists(common).own;
    refuseValues(own.format, missing);
    const columns = fpeColumns(settings, opened, revealing, missing);
    if (revealing) requirePin(opened);
    return boundVerbs(columns, revealing, { candidates: candidatesOf(settings, opened, missing) }) as BoundFpe<Scope>;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<FpeRule<Scope>, Optional>;
}

/** The checked options of a rule. */
interface Settings {
  readonly scope: string;
  readonly format: FormatEngine;
  /** The issue of a format with too few values, or `null`. */
  readonly unfit: Issue | null;
}

/**
 * Refuses a missing text that is a value of the format. Otherwise nobody could tell whether an output is the missing
 * text itself or the ciphertext of another value.
 */
function refuseValues(format: Format, { texts }: MissingTexts): void {
  const item = [...texts].findIndex((text) => format.test(text));
  if (item === -1) return;
  const which = [...texts][item] === '' ? 'the empty text' : `item ${item + 1}`;
  badRange('missing', `expected texts that are no value of the format, and ${which} is one; leave it out of the list`);
}

/** A whole number with a comma after every three digits, as people read it. */
function grouped(size: bigint): string {
  return size.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function factsOf({ scope, format }: Settings, type: string, reason: string | undefined): RuleFacts {
  return {
    what: [
      `enciphered into another value of the format ${type}, one of at least ${grouped(format.smallest.size)}`,
      ...(reason === undefined ? [] : [', a code book that is allowed because: ', { quoted: reason }]),
    ],
    origin: 'derived from the value with a key',
    back: 'key',
    joins: `fpe ${scope} ${JSON.stringify(format.descriptor)}`,
    scope,
    visible:
      `${format.visible}${reason === undefined ? '' : '; the whole table, to anyone who may protect'}; ` +
      'which values are equal, and how often each occurs',
  };
}

/** The nodes of all engines that shapes of the format may get. */
function pathsOf({ scope, format }: Settings) {
  const descriptor = encodeList(format.descriptor);
  return engineNames(format).map((name) => ruleSteps('fpe', scope, [descriptor, name]));
}

/** Key set-up, and the verbs that it makes. */
function fpeColumns(settings: Settings, opened: OpenedKeys, revealing: boolean, missing: MissingTexts): BoundColumns {
  const { scope, format, unfit } = settings;
  if (unfit !== null) throw new TrefoilError([unfit]);
  const pinned = opened.keys.find((key) => key.id === opened.pinned?.[0]) ?? opened.primary;
  const forward = formatCipher(format, 'protect', keyOf(opened.primary, scope, format));
  const back = revealUnder(settings, pinned, missing);
  return {
    protect(column, report) {
      protectingKey(opened);
      return applyTo(column, forward, report, missing);
    },
    reveal(column, report) {
      if (!revealing) refuseReveal();
      requirePin(opened);
      return back(column, report);
    },
  };
}

/** The verb that deciphers a column with one key. */
function revealUnder({ scope, format }: Settings, key: DomainKey, missing: MissingTexts): ColumnVerb {
  const cipher = formatCipher(format, 'reveal', keyOf(key, scope, format));
  return (column, report) => applyTo(column, cipher, report, missing);
}

/** The verb that deciphers a column with the key that the caller names, and enciphers it with the primary key. */
function moveColumns({ scope, format, unfit }: Settings, move: Move): ColumnVerb {
  if (unfit !== null) throw new TrefoilError([unfit]);
  const { from, to, revealing, missing } = move;
  if (format.blind !== undefined) {
    fail(
      'not_renewable',
      'the format replaces a part of the value by a digest, which cannot be turned back; protect the originals again',
    );
  }
  if (!revealing) refuseReveal();
  checkMayRekey(from);
  checkMayRekey(to);
  writingKey(to);
  const key = namedKey(move);
  for (const [{ pinned }, id] of [
    [from, key.id],
    [to, to.primary.id],
  ] as const) {
    if (pinned?.includes(id) !== true) {
      const which = `key ${id} is not pinned, and ciphertext of a format cannot show that a key is wrong`;
      fail('key_check_required', `${which}; add its key check to keyCheck in the policy, or to keyset.domain(name, …)`);
    }
  }
  const back = formatCipher(format, 'reveal', keyOf(key, scope, format));
  const forward = formatCipher(format, 'protect', keyOf(to.primary, scope, format));
  return throughClear(
    (column, report) => applyTo(column, back, report, missing.own),
    (column, report) => applyTo(column, forward, report, NO_TEXT),
    missing.own,
  );
}

/** Makes the verb that enciphers a value under every key, the primary first. The first call sets up the other keys. */
function candidatesOf({ scope, format }: Settings, opened: OpenedKeys, missing: MissingTexts) {
  let ciphers: readonly FormatCipher[] | null = null;
  return (value: unknown): unknown[] => {
    checkMayLookUp(opened);
    if (value !== null && value !== undefined && isMissing(value, missing)) return [value];
    const text = readText(value);
    ciphers ??= keysOf(opened, scope, format).map((key) => formatCipher(format, 'protect', keyOf(key, scope, format)));
    return ciphers.map(({ read, runMany }) => runMany([read(text)])[0]);
  };
}

/** The keys that have the nodes of all engines, the primary first. */
function keysOf({ primary, keys }: OpenedKeys, scope: string, format: FormatEngine): readonly DomainKey[] {
  return keys.filter((key) => key === primary || hasAll(key, { scope, format }));
}

/** Whether a key has the nodes of all engines. */
function hasAll(key: DomainKey, { scope, format }: Pick<Settings, 'scope' | 'format'>): boolean {
  const descriptor = encodeList(format.descriptor);
  return engineNames(format).every((name) => key.has('fpe', scope, [descriptor, name]));
}

/** Derives the keys of engines from a key of the domain. */
function keyOf(key: DomainKey, scope: string, format: FormatEngine) {
  const descriptor = encodeList(format.descriptor);
  return (name: string): Uint8Array => key.derive('fpe', scope, [descriptor, name]);
}

/** Reads every value of a column, then enciphers or deciphers all that were read in one call. Missing values pass. */
function applyTo(
  column: readonly unknown[],
  cipher: FormatCipher,
  report: ReportIssue,
  missing: MissingTexts,
): unknown[] {
  const out = mapColumn(column, (value) => cipher.read(readText(value)), report, missing);
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

/**
 * A JavaScript number has no spelling: 42 and 42.0 are one number, so its ciphertext could not be turned back exactly.
 */
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

/**
 * Returns the issue of a space that is too small, or `null`. With fewer than 10,000 values the cipher is a code book
 * that a member of staff can write down; with one value it hides nothing.
 */
function judgeSpace({ size, because }: Smallest, reason: string | undefined): Issue | null {
  const minimum = reason === undefined ? CODE_BOOK : 2;
  if (size >= minimum) return null;
  return {
    code: 'space_too_small',
    message:
      `the smallest space of the format has ${size} values (${because}), and fpe needs ${minimum}; ` +
      'allow fewer clear characters or only longer values, use token or seal, ' +
      'or set allowCodebook to the reason why it is acceptable that anyone who may protect can list all values',
    minimum,
    actual: Number(size),
  };
}

/**
 * Requires one pinned key check: the ciphertext of a wrong key looks like any other, so the caller must name the key.
 */
function requirePin(opened: OpenedKeys): void {
  if (opened.pinned?.length === 1) return;
  const count = opened.pinned === null ? 'no key check is pinned' : `${opened.pinned.length} key checks are pinned`;
  fail(
    'key_check_required',
    `${count}, and revealing fpe needs exactly one: pin the key check of the key that the data was protected with ` +
      '(keyCheck in the policy, or keyset.domain(name, { keyCheck }))',
  );
}
