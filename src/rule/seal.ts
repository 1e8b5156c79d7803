/**
 * `seal`: deterministic authenticated encryption to a text (docs/spec/seal-v1.md), AES-SIV without any state.
 */

import type { Sealed } from '../core/brands.ts';
import { encodeList } from '../core/bytes.ts';
import type { RevealAccess } from '../core/capability.ts';
import { checkOneOf, checkText } from '../core/checks.ts';
import type { ColumnOf, NumberColumn, Utf8Column } from '../core/columns.ts';
import { issueOf } from '../core/issues.ts';
import { jsonNumberText } from '../core/json/number.ts';
import { fail, type Issue } from '../errors.ts';
import { aesSiv, type SivValues } from '../kernel/siv/siv.ts';
import { KEY_ID_LENGTH } from '../keys/derive.ts';
import { type DomainKey, type DomainKeys, expandNode, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
import { ALPHABET_CLASS, decode } from '../wire/base32.ts';
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
  returnRoom,
  takePlain,
  takeSealed,
  VERSION,
} from '../wire/sealed-texts.ts';
import { boundVerbs, openFor, refuseReveal } from './binding.ts';
import { mapColumn } from './columns.ts';
import { onceEach } from './once-each.ts';
import { checkEmpty, checkRule, checkScope } from './options.ts';
import {
  type BoundColumns,
  type ColumnVerb,
  type Common,
  type MayBeAbsent,
  makeRule,
  type Rule,
  type RuleEngine,
} from './rule.ts';

/** Names in the derivation (docs/spec/seal-v1.md, "Key"). */
const ALGORITHM = 'aes-256-siv';
const PADDING = 'buckets-1';

/** Key id, and the header's first 16 bits as base32 shows them: `040`, then a symbol of the upper half. */
const OURS = /* @__PURE__ */ new RegExp(`^[${ALPHABET_CLASS}]{${KEY_ID_LENGTH}}040[g-hjkmnp-tv-z]`);

/** What a sealed value says about itself. */
export interface SealedParts {
  /** Shown id of the key of its domain. */
  readonly keyId: string;
  readonly version: number;
  readonly algorithm: number;
}

/**
 * Reads the public part of a sealed value without any key; `null` for what has not the form of one.
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
  const bytes = decode(text.slice(KEY_ID_LENGTH));
  if (bytes === null || bucketOfText(text.length) === 0) return null;
  return { keyId: text.slice(0, KEY_ID_LENGTH), version: bytes[0]!, algorithm: bytes[1]! };
}

/** What `value` says: text, or safe integers that come back as numbers. */
export type SealValue = 'text' | 'integer';

type ValueOf<Kind extends SealValue> = Kind extends 'integer' ? number : string;
type Missing<V> = Extract<V, null | undefined>;

/** Options of {@link seal}. */
export interface SealOptions<Scope extends string = string, Kind extends SealValue = SealValue> extends Common {
  /** Values of one scope seal equally, values of two scopes never do. Enters the key. */
  readonly scope: Scope;
  /** `text` (default), or `integer` for safe integers that come back as numbers. */
  readonly value?: Kind;
  /** Whether the empty string passes as empty (default) or is sealed. */
  readonly empty?: 'keep' | 'protect';
}

/** A `seal` rule. */
export interface SealRule<Scope extends string = string, Kind extends SealValue = SealValue> extends Rule {
  readonly rule: 'seal';
  readonly scope: Scope;
  readonly value?: Kind;
  readonly empty?: 'keep' | 'protect';
  /** Makes the keys, once. Not enumerable. */
  readonly bind: {
    (keys: DomainKeys): BoundSeal<Scope, Kind>;
    (keys: DomainKeys, access: RevealAccess): RevealingSeal<Scope, Kind>;
  };
}

/** A `seal` rule with its keys. */
export interface BoundSeal<Scope extends string = string, Kind extends SealValue = SealValue> {
  /** The sealed text of one value. `null` and `undefined` pass. */
  readonly protect: <V extends ValueOf<Kind> | null | undefined>(value: V) => Sealed<Scope, ValueOf<Kind>> | Missing<V>;
  /** The sealed texts of a column. Throws once, with the first 100 issues and their rows from 1. */
  readonly protectMany: <C extends readonly (ValueOf<Kind> | null | undefined)[] | NumberColumn | Utf8Column>(
    column: C,
  ) => ColumnOf<C, Sealed<Scope, ValueOf<Kind>>>;
}

/** A `seal` rule that may reveal. */
export interface RevealingSeal<Scope extends string = string, Kind extends SealValue = SealValue>
  extends BoundSeal<Scope, Kind> {
  /**
   * The value behind a sealed text.
   *
   * @throws TrefoilError `not_sealed` for what is no sealed value, `unknown_key` for one of another domain or keyset,
   *   and one opaque `reveal_failed` for a changed, cut or wrongly scoped one.
   */
  readonly reveal: <V extends Sealed<Scope, ValueOf<Kind>> | null | undefined>(value: V) => ValueOf<Kind> | Missing<V>;
  /** The values behind a column. */
  readonly revealMany: <V extends Sealed<Scope, ValueOf<Kind>> | null | undefined>(
    column: readonly V[],
  ) => (ValueOf<Kind> | Missing<V>)[];
}

/**
 * Sealed values: AES-SIV with the key id, domain and scope authenticated, padded so that short lengths do not show.
 *
 * Texts of up to 1,048,575 bytes of UTF-8. The output has 85 characters for values of up to 31 bytes and belongs into a
 * text column; it never changes for a value, key and scope.
 *
 * *Warning*: equal values seal equally, so equality and frequency show. Whoever holds the key can reveal.
 *
 * Source: RFC 5297; the format is docs/spec/seal-v1.md.
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
  const { own, common } = checkRule('seal', options, ['scope', 'value', 'empty']);
  const scope = checkScope(own) as Scope;
  if (own.value !== undefined) checkOneOf('value', own.value, ['text', 'integer']);
  const kind: SealValue = own.value ?? 'text';
  const empty = checkEmpty(own.empty);
  const data = {
    rule: 'seal' as const,
    scope,
    ...(own.value === undefined ? {} : { value: own.value }),
    ...(own.empty === undefined ? {} : { empty }),
    ...common,
  };

  /** Key set-up of one key: AES-SIV with the associated data, which is the same for all values. */
  function codecOf(key: DomainKey, domain: string): Codec {
    const siv = aesSiv(expandNode(key.derive('seal', scope, [ALGORITHM, PADDING]), ALGORITHM, 64));
    const header = Uint8Array.of(VERSION, ALGORITHM_BYTE);
    return { id: key.id, siv: siv.under(encodeList(['seal-v1', header, key.id, domain, scope])) };
  }

  function setUp(opened: OpenedKeys, revealing: boolean): Required<BoundColumns> {
    const codecs = new Map(opened.keys.map((key) => [idNumber(key.id), codecOf(key, opened.domain)]));
    const primary = codecs.get(idNumber(opened.primary.id))!;
    const isMissing = (value: unknown) => value === null || value === undefined || (value === '' && empty === 'keep');

    function sealOne(value: unknown): unknown {
      const length = givePlain(inputText(value, kind));
      const room = borrowBuffers(checkedBucket(length), 1);
      putPlain(room, 0, length);
      room.rows[0] = 0;
      room.count = 1;
      primary.siv.seal(room);
      takeSealed(room, primary.id, single);
      returnRoom(room);
      return single[0];
    }

    function protectOne(value: unknown): unknown {
      protectingKey(opened);
      return isMissing(value) ? value : sealOne(value);
    }

    const protect: ColumnVerb = (column, report) => {
      protectingKey(opened);
      if (column.length < SEVERAL) return mapColumn(column, sealOne, report, empty);
      const out = new Array<unknown>(column.length);
      inBatches<Codec>(
        column.length,
        (i, roomOf) => {
          const value = column[i];
          if (isMissing(value)) {
            out[i] = value;
            return null;
          }
          try {
            const length = givePlain(inputText(value, kind));
            const room = roomOf(primary, checkedBucket(length));
            putPlain(room, room.count, length);
            return room;
          } catch (error) {
            report(i, issueOf(error));
            return null;
          }
        },
        ({ siv, id }, room) => {
          siv.seal(room);
          takeSealed(room, id, out);
        },
      );
      return out;
    };

    /** Why a text is refused. Only what was seen before opening tells two reasons apart. */
    function refusal(value: unknown): Issue {
      try {
        const text = checkText(value);
        if (!OURS.test(text) || !codecs.has(idNumber(text))) {
          if (inspectSealed(text) === null) fail('not_sealed', 'the value is not a sealed value');
          fail('unknown_key', 'the value was sealed with a key of another domain or keyset');
        }
        failReveal();
      } catch (error) {
        return issueOf(error);
      }
    }

    const reveal: ColumnVerb = (column, report) => {
      if (!revealing) refuseReveal();
      const out = new Array<unknown>(column.length);
      const refused: number[] = [];
      const refuse = (row: number) => {
        refused.push(row);
      };
      let codec = primary;
      let codecId = idNumber(primary.id);
      inBatches<Codec>(
        column.length,
        (i, roomOf) => {
          const value = column[i];
          if (isMissing(value)) {
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
              const room = roomOf(codec, bucket);
              if (putSealed(room, room.count, (value as string).length)) return room;
            }
          }
          refuse(i);
          return null;
        },
        ({ siv }, room) => {
          siv.open(room, room.verdicts);
          takePlain(room, out, refuse);
          if (kind === 'integer') readIntegers(room, out, refuse);
        },
        () => {
          // Rooms are emptied in any order, issues are told in the order of rows.
          if (refused.length === 0) return;
          refused.sort((a, b) => a - b);
          for (const row of refused) report(row, refusal(column[row]));
          refused.length = 0;
        },
      );
      return out;
    };

    return { protect: onceEach(protect), protectOne, reveal: onceEach(reveal) };
  }

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
    needsPin: false,
    cell: kind,
    removes: false,
    unfit: null,
    bind: (opened, revealing) => setUp(opened!, revealing),
  };

  function bind(keys: DomainKeys, access?: RevealAccess): BoundSeal<Scope, Kind> {
    const { opened, revealing } = openFor(keys, access);
    const columns = setUp(opened, revealing);
    return boundVerbs(columns, revealing) as BoundSeal<Scope, Kind>;
  }

  return makeRule(data, engine, { bind }) as unknown as MayBeAbsent<SealRule<Scope, Kind>, Optional>;
}

/** Why it failed is nobody's business: wrong scope, truncation, a changed bit and bad padding look the same. */
function failReveal(): never {
  fail('reveal_failed', 'the sealed value does not open: it was changed or cut, or belongs to another scope');
}

/** The text that is sealed. */
function inputText(value: unknown, kind: SealValue): string {
  if (kind === 'text') return checkText(value);
  if (jsonNumberText(value) === null && typeof value !== 'number') {
    fail('wrong_type', 'expected a whole number; write value: text to seal text');
  }
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    fail('unsafe_integer', 'expected a whole number up to 2^53 - 1, and not negative zero');
  }
  return String(value);
}

/** Numbers in place of the texts that came out of a room. */
function readIntegers({ rows, count, verdicts }: Buffers, out: unknown[], refuse: (row: number) => void): void {
  for (let slot = 0; slot < count; slot++) {
    const row = rows[slot]!;
    const text = out[row];
    if (verdicts[slot] !== 1 || text === undefined) continue;
    const number = Number(text);
    // Only canonical decimal texts.
    if (Number.isSafeInteger(number) && String(number) === text) {
      out[row] = number;
    } else {
      out[row] = undefined;
      refuse(row);
    }
  }
}

function checkedBucket(length: number): number {
  const bucket = bucketOf(length);
  if (bucket > LARGEST_BUCKET) {
    fail('too_long', `the value is longer than ${LARGEST_BUCKET - 1} bytes of UTF-8`, { maximum: LARGEST_BUCKET - 1 });
  }
  return bucket;
}

/** The prepared key of one domain key. */
interface Codec {
  readonly id: string;
  readonly siv: SivValues;
}

/** Shorter columns are faster value by value. */
const SEVERAL = 4;

/** Where the text of a single value comes out. */
const single: unknown[] = [];
