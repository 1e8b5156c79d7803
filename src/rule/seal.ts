/**
 * `seal`: deterministic authenticated encryption to a text (docs/spec/seal-v1.md), with AES-SIV. It needs no store.
 */

import type { Sealed } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import type { RevealAccess } from '../core/capability.ts';
import { checkOneOf, checkText } from '../core/checks.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { given } from '../core/given.ts';
import { issueOf, type ReportIssue } from '../core/issues.ts';
import type { Missing } from '../core/missing.ts';
import { fail, type Issue } from '../errors.ts';
import { aesSiv, type SivValues } from '../kernel/siv/siv.ts';
import { ruleSteps } from '../keys/derive.ts';
import {
  checkMayRekey,
  type DomainKey,
  type DomainKeys,
  expandNode,
  keysWith,
  type OpenedKeys,
  protectingKey,
  writingKey,
} from '../keys/domain-keys.ts';
import { ALPHABET_CLASS, decode } from '../wire/base32.ts';
import { ID_LENGTH } from '../wire/labelled-token.ts';
import {
  ALGORITHM_BYTE,
  type Buffers,
  borrowBuffers,
  bucketOf,
  bucketOfText,
  givenId,
  givePlain,
  giveSealed,
  idNumber,
  inBatches,
  LARGEST_BUCKET,
  putPlain,
  putSealed,
  returnBuffers,
  takePlain,
  takeSealed,
  VERSION,
} from '../wire/sealed-texts.ts';
import { arrivedIssue, boundVerbs, checkMayLookUp, openFor, refuseReveal } from './binding.ts';
import { mapColumn, throughClear, toCode } from './columns.ts';
import { isMissing, type MissingTexts, NO_TEXT, ownLists } from './missing.ts';
import { onceEach } from './once-each.ts';
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
} from './rule.ts';
import { KINDS, SEAL_VALUES, type SealedValueOf, type SealValue } from './seal/values.ts';

export type { SealedValueOf, SealValue };

/** Names in the derivation (docs/spec/seal-v1.md, "Key"). */
const ALGORITHM = 'aes-256-siv';
const PADDING = 'buckets-1';
const PARAMETERS: readonly string[] = [ALGORITHM, PADDING];

/**
 * How every sealed text begins: five characters of key id, then the first 16 bits of the header in base32, which are
 * `040` and a symbol whose highest bit is set.
 */
const OURS = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${ID_LENGTH}}040[g-hjkmnp-tv-z]`);

/** The public part of a sealed value. */
export interface SealedParts {
  /** Shown id of the domain key that sealed the value. */
  readonly keyId: string;
  /** Version of the sealed format: 1. */
  readonly version: number;
  /** Number of the algorithm: 1 is AES-256-SIV. */
  readonly algorithm: number;
}

/**
 * Reads the public part of a sealed value without any key. Returns `null` if the text is not a sealed value. Whether
 * the value is intact shows only when it is revealed.
 *
 * @example
 * ```ts
 * import { inspectSealed, keyset, seal } from 'trefoil';
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * const sealed = seal({ scope: 'person.name' }).bind(keys).protect('Ada');
 * inspectSealed(sealed)?.keyId === keys.keyId; // → true
 * inspectSealed('Ada'); // → null
 * ```
 */
export function inspectSealed(text: string): SealedParts | null {
  if (typeof text !== 'string' || !OURS.test(text)) return null;
  const bytes = decode(text.slice(ID_LENGTH));
  if (bytes === null || bucketOfText(text.length) === 0) return null;
  return { keyId: text.slice(0, ID_LENGTH), version: bytes[0]!, algorithm: bytes[1]! };
}

/** Options of {@link seal}. */
export interface SealOptions<Scope extends string = string, Kind extends SealValue = SealValue> extends Common {
  /** Equal values of one scope have equal sealed texts; values of two scopes never do. Enters the key. */
  readonly scope: Scope;
  /**
   * `text` (default); `integer` for safe integers, which are revealed as numbers; `json` for texts, numbers and
   * booleans of JSON, each revealed as what it was, and in files a number as it was spelled (`12.50`); `date` for dates
   * of ISO 8601 and `Date` objects.
   */
  readonly value?: Kind;
}

/** A `seal` rule. */
export interface SealRule<Scope extends string = string, Kind extends SealValue = SealValue> extends Rule {
  readonly rule: 'seal';
  readonly scope: Scope;
  readonly value?: Kind;
  /** Does the key set-up, once. Not enumerable. */
  readonly bind: {
    (keys: DomainKeys): BoundSeal<Scope, Kind>;
    (keys: DomainKeys, access: RevealAccess): RevealingSeal<Scope, Kind>;
  };
}

/** A `seal` rule with its keys. */
export interface BoundSeal<Scope extends string = string, Kind extends SealValue = SealValue> {
  /** Returns the sealed text of one value. `null` and `undefined` pass. */
  readonly protect: <V extends SealedValueOf<Kind> | null | undefined>(
    value: V,
  ) => Sealed<Scope, SealedValueOf<Kind>> | Missing<V>;
  /** Returns the sealed texts of a column. Throws one error, with the first 100 issues and their rows from 1. */
  readonly protectMany: <C extends readonly (SealedValueOf<Kind> | null | undefined)[] | NumberColumn | Utf8Column>(
    column: C,
  ) => ColumnOf<C, Sealed<Scope, SealedValueOf<Kind>>>;
  /**
   * Returns the sealed texts that a value may have been stored as: one for each key of the domain, the primary first.
   * Use them to look a value up while a table has values of several keys: `WHERE name = ANY($1)`. A missing text has
   * itself alone.
   */
  readonly candidates: (value: SealedValueOf<Kind>) => Sealed<Scope, SealedValueOf<Kind>>[];
}

/** A `seal` rule that may reveal. */
export interface RevealingSeal<Scope extends string = string, Kind extends SealValue = SealValue>
  extends BoundSeal<Scope, Kind> {
  /**
   * Returns the value of a sealed text.
   *
   * @throws TrefoilError `not_sealed` if the text is not a sealed value; `unknown_key` if it was sealed with a key of
   *   another domain or keyset; `reveal_failed` if it was changed, cut, or sealed in another scope (the error does not
   *   tell which).
   */
  readonly reveal: <V extends Sealed<Scope, SealedValueOf<Kind>> | null | undefined>(
    value: V,
  ) => SealedValueOf<Kind> | Missing<V>;
  /**
   * Returns the values of a column of sealed texts. Throws one error, with the first 100 issues and their rows from 1.
   */
  readonly revealMany: <V extends Sealed<Scope, SealedValueOf<Kind>> | null | undefined>(
    column: readonly V[],
  ) => (SealedValueOf<Kind> | Missing<V>)[];
}

/**
 * Encrypts a value to a text that the key can reveal: AES-SIV, with the key id, the domain and the scope authenticated.
 *
 * A value may have up to 1,048,575 bytes of UTF-8. Values are padded: up to 31 bytes, all sealed texts have 85
 * characters; above that, the length shows to a power of two. The sealed text never changes for the same value, key and
 * scope. Store it in a column of text.
 *
 * *Warning*: equal values have equal sealed texts, so equality and frequency show. Anyone who holds the key can reveal.
 *
 * Source: RFC 5297; the format is docs/spec/seal-v1.md.
 *
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * import { keyset, seal } from 'trefoil';
 * import { revealAccess } from 'trefoil/reveal';
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * const name = seal({ scope: 'person.name' }).bind(keys, revealAccess);
 * const sealed = name.protect('Zoë Müller');
 * sealed.length; // → 85
 * name.reveal(sealed); // → 'Zoë Müller'
 * ```
 */
export function seal<
  const Scope extends string,
  const Kind extends SealValue = 'text',
  const Optional extends boolean = false,
>(options: SealOptions<Scope, Kind> & { readonly optional?: Optional }): MayBeAbsent<SealRule<Scope, Kind>, Optional> {
  const { own, common } = checkRule('seal', options, ['scope', 'value']);
  const scope = checkScope(own);
  if (own.value !== undefined) checkOneOf('value', own.value, SEAL_VALUES);
  const kind: SealValue = own.value ?? 'text';
  const settings: Settings = { scope, kind };
  const data = { rule: 'seal' as const, scope, ...given({ value: own.value }), ...common };
  const engine: RuleEngine = {
    facts: {
      what: 'sealed: encrypted to a text that the key opens',
      origin: 'derived from the value with a key',
      back: 'key',
      joins: `seal ${scope}`,
      scope,
      visible:
        'which values are equal, how often each occurs, and the length of values over 31 bytes to a power of two',
    },
    keyed: true,
    cell: kind === 'integer' || kind === 'json' ? kind : 'text',
    ...given({ readsSpelling: kind === 'json' ? true : undefined, inCode: KINDS[kind].inCode }),
    removes: false,
    unfit: null,
    needsKeys: (verbs) => ({ paths: [ruleSteps('seal', scope, PARAMETERS)], isWall: isWhole(verbs) }),
    bind: (opened, revealing, { own: missing }) => sealColumns(setUp(settings, opened!, missing), revealing),
    shownKey: (output) => (typeof output === 'string' && OURS.test(output) ? output.slice(0, ID_LENGTH) : null),
    mover: { reveals: true, showsKey: true, bind: (move) => moveColumns(settings, move) },
    stays: 'a sealed value can only be opened with the keys of its own domain',
  };

  function bind(keys: DomainKeys, access?: RevealAccess): BoundSeal<Scope, Kind> {
    const { opened, revealing } = openFor(keys, access);
    const keyed = setUp(settings, opened, ownLists(common).own);
    const columns = sealColumns(keyed, revealing);
    const more = { candidates: (value: unknown) => candidates(keyed, value) };
    const { inCode } = KINDS[kind];
    if (inCode === undefined) return boundVerbs(columns, revealing, more) as BoundSeal<Scope, Kind>;
    const { reveal } = columns;
    const inside: BoundColumns = {
      ...columns,
      reveal: (column, report) => toCode(reveal(column, report), inCode, report),
    };
    return boundVerbs(inside, revealing, more) as BoundSeal<Scope, Kind>;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<SealRule<Scope, Kind>, Optional>;
}

/** The checked options of a rule. */
interface Settings {
  readonly scope: string;
  readonly kind: SealValue;
}

/** AES-SIV under one domain key. */
interface Codec {
  readonly id: string;
  readonly siv: SivValues;
}

/** A rule with its keys: the result of the key set-up. */
interface KeyedSeal {
  readonly settings: Settings;
  readonly missing: MissingTexts;
  readonly opened: OpenedKeys;
  /** The codec of each key, by the number of its shown key id. */
  readonly codecs: ReadonlyMap<number, Codec>;
  /** The codec of the primary key, which seals. */
  readonly primary: Codec;
}

/** Key set-up of all keys. */
function setUp(settings: Settings, opened: OpenedKeys, missing: MissingTexts): KeyedSeal {
  const codecs = new Map(
    keysWith(opened, 'seal', settings.scope, PARAMETERS).map(
      (key) => [idNumber(key.id), codecOf(key, opened.domain, settings.scope)] as const,
    ),
  );
  return { settings, missing, opened, codecs, primary: codecs.get(idNumber(opened.primary.id))! };
}

/** Key set-up of one key: AES-SIV with the associated data, which is the same for all values. */
function codecOf(key: DomainKey, domain: string, scope: string): Codec {
  const siv = aesSiv(expandNode(key.derive('seal', scope, PARAMETERS), ALGORITHM, 64));
  const header = Uint8Array.of(VERSION, ALGORITHM_BYTE);
  return { id: key.id, siv: siv.under(encodeList(['seal-v1', header, key.id, domain, scope])) };
}

/** The verbs of a rule over columns, and over one value. */
function sealColumns(keyed: KeyedSeal, revealing: boolean): Omit<Required<BoundColumns>, 'move'> {
  const { opened, missing } = keyed;
  const sealOne = sealerOf(keyed);
  return {
    protect: onceEach((column, report) => {
      protectingKey(opened);
      if (column.length < SEVERAL) return mapColumn(column, sealOne, report, missing);
      return protectColumn(keyed, column, report);
    }),
    protectOne(value) {
      protectingKey(opened);
      return isMissing(value, missing) ? value : sealOne(value);
    },
    reveal: onceEach((column, report) => {
      if (!revealing) refuseReveal();
      return revealColumn(keyed, column, report);
    }),
  };
}

/**
 * The verb that opens a column with the keys of one side and seals it with the primary key of the other. A value of
 * that key is opened as well, so that a damaged one is found, and comes out as it went in.
 */
function moveColumns(settings: Settings, { from, to, revealing, arrived, missing }: Move): ColumnVerb {
  if (!revealing) refuseReveal();
  checkMayRekey(from);
  checkMayRekey(to);
  writingKey(to);
  const target = setUp(settings, to, NO_TEXT);
  const own = setUp(settings, from, missing.own);
  const primary = idNumber(to.primary.id);
  const source: KeyedSeal = { ...own, codecs: new Map([...own.codecs, [primary, target.primary]]) };
  const reveal: ColumnVerb = (column, report) => {
    if (arrived === 'pass') return revealColumn(source, column, report);
    const isThere = (value: unknown) => typeof value === 'string' && OURS.test(value) && idNumber(value) === primary;
    const others = column.map((value, i) => {
      if (!isThere(value)) return value;
      report(i, arrivedIssue(to));
      return undefined;
    });
    return revealColumn(source, others, report);
  };
  const work: ColumnVerb = (column, report) => protectColumn(target, column, report);
  return onceEach(throughClear(reveal, work, missing.own));
}

/** Columns below this length are faster value by value. */
const SEVERAL = 4;

/** Receives the text of a single value. */
const single: unknown[] = [];

/** The sealed texts of a value under every key, the primary first. */
function candidates(keyed: KeyedSeal, value: unknown): unknown[] {
  checkMayLookUp(keyed.opened);
  if (value !== null && value !== undefined && isMissing(value, keyed.missing)) return [value];
  const { codecs, primary } = keyed;
  const others = [...codecs.values()].filter((codec) => codec !== primary);
  return [primary, ...others].map((codec) => sealerOf({ ...keyed, primary: codec })(value));
}

/** Makes the function that seals one value. It looks up the key here and not per value, which saves 3 % (measured). */
function sealerOf({ settings, primary }: KeyedSeal): (value: unknown) => unknown {
  const { textOf } = KINDS[settings.kind];
  const { siv, id } = primary;
  return function sealOne(value) {
    const length = givePlain(textOf(value));
    const buffers = borrowBuffers(checkedBucket(length), 1);
    putPlain(buffers, 0, length);
    buffers.rows[0] = 0;
    buffers.count = 1;
    siv.seal(buffers);
    takeSealed(buffers, id, single);
    returnBuffers(buffers);
    return single[0];
  };
}

function protectColumn(keyed: KeyedSeal, column: readonly unknown[], report: ReportIssue): unknown[] {
  const { primary, missing } = keyed;
  const { textOf } = KINDS[keyed.settings.kind];
  const out = new Array<unknown>(column.length);
  inBatches<Codec>(
    column.length,
    (i, buffersFor) => {
      const value = column[i];
      if (isMissing(value, missing)) {
        out[i] = value;
        return null;
      }
      try {
        const length = givePlain(textOf(value));
        const buffers = buffersFor(primary, checkedBucket(length));
        putPlain(buffers, buffers.count, length);
        return buffers;
      } catch (error) {
        report(i, issueOf(error));
        return null;
      }
    },
    ({ siv, id }, buffers) => {
      siv.seal(buffers);
      takeSealed(buffers, id, out);
    },
  );
  return out;
}

function revealColumn(keyed: KeyedSeal, column: readonly unknown[], report: ReportIssue): unknown[] {
  const { codecs, primary, missing } = keyed;
  const { read } = KINDS[keyed.settings.kind];
  const out = new Array<unknown>(column.length);
  const refused: number[] = [];
  const refuse = (row: number) => {
    refused.push(row);
  };
  let codec = primary;
  let codecId = idNumber(primary.id);
  inBatches<Codec>(
    column.length,
    (i, buffersFor) => {
      const value = column[i];
      if (isMissing(value, missing)) {
        out[i] = value;
        return null;
      }
      const bucket = typeof value === 'string' ? bucketOfText(value.length) : 0;
      if (bucket !== 0 && giveSealed(value as string)) {
        const id = givenId();
        if (id !== codecId && codecs.has(id)) {
          codec = codecs.get(id)!;
          codecId = id;
        }
        if (id === codecId) {
          const buffers = buffersFor(codec, bucket);
          if (putSealed(buffers, buffers.count, (value as string).length)) return buffers;
        }
      }
      refuse(i);
      return null;
    },
    ({ siv }, buffers) => {
      siv.open(buffers, buffers.verdicts);
      takePlain(buffers, out, refuse);
      if (read !== null) readValues(buffers, read, out, refuse);
    },
    () => {
      // Buffers are worked on in any order; issues are reported in the order of the rows.
      if (refused.length === 0) return;
      refused.sort((a, b) => a - b);
      for (const row of refused) report(row, refusal(keyed, column[row]));
      refused.length = 0;
    },
  );
  return out;
}

/**
 * Why a value was refused. The reasons that can be told apart are those that are visible without opening the value: a
 * wrong scope, a cut, a changed bit and bad padding all look the same, so that an attacker learns nothing from them.
 */
function refusal({ codecs, opened }: KeyedSeal, value: unknown): Issue {
  try {
    const text = checkText(value);
    if (!OURS.test(text) || !codecs.has(idNumber(text))) {
      const id = inspectSealed(text)?.keyId;
      if (id === undefined) fail('not_sealed', 'the value is not a sealed value');
      const day = opened.retired.get(id);
      if (day !== undefined) fail('key_retired', `the value was sealed with key ${id}, which was retired on ${day}`);
      fail('unknown_key', 'the value was sealed with a key of another domain or keyset');
    }
    fail('reveal_failed', 'the sealed value does not open: it was changed or cut, or belongs to another scope');
  } catch (error) {
    return issueOf(error);
  }
}

/** Turns texts that were opened into values. A text that sealing does not write is refused. */
function readValues(
  { rows, count, verdicts }: Buffers,
  read: (text: string) => unknown,
  out: unknown[],
  refuse: (row: number) => void,
): void {
  for (let slot = 0; slot < count; slot++) {
    const row = rows[slot]!;
    const text = out[row];
    if (verdicts[slot] !== 1 || text === undefined) continue;
    out[row] = read(text as string);
    if (out[row] === undefined) refuse(row);
  }
}

function checkedBucket(length: number): number {
  const bucket = bucketOf(length);
  if (bucket > LARGEST_BUCKET) {
    fail('too_long', `the value is longer than ${LARGEST_BUCKET - 1} bytes of UTF-8`, { maximum: LARGEST_BUCKET - 1 });
  }
  return bucket;
}
