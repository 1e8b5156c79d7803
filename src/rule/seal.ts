/**
 * `seal`: deterministic authenticated encryption to a text (docs/spec/seal-v1.md), AES-SIV without any state.
 */

import { ALPHABET_CLASS, decode, encode } from '../core/base32.ts';
import type { Sealed } from '../core/brands.ts';
import { concat, encodeList, utf8 } from '../core/bytes.ts';
import type { RevealAccess } from '../core/capability.ts';
import { checkOneOf, checkText } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { aesSiv, SIV_LENGTH } from '../kernel/siv.ts';
import { KEY_ID_LENGTH } from '../keys/derive.ts';
import { type DomainKey, type DomainKeys, expandNode, type OpenedKeys, protectingKey } from '../keys/domain-keys.ts';
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

/** Version of the format, and the algorithm: 1 is AES-256-SIV; the others are free, one for sealing to a public key. */
const VERSION = 1;
const AES_256_SIV = 1;
const HEADER: Uint8Array = /* @__PURE__ */ Uint8Array.of(VERSION, AES_256_SIV);

/** Names in the derivation (docs/spec/seal-v1.md, "Key"). */
const ALGORITHM = 'aes-256-siv';
const PADDING = 'buckets-1';

/**
 * Lengths of the padded plaintext in bytes: powers of two from 32 to 2^20. A name's length is a leak; of a value of up
 * to 31 bytes nothing shows, of a longer one the power of two.
 */
const SMALLEST_BUCKET = 32;
const LARGEST_BUCKET = 1_048_576;

/** First byte of the padding (ISO/IEC 7816-4). */
const PAD = 0x80;

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
  if (bytes === null || !isBucket(bytes.length - HEADER.length - SIV_LENGTH)) return null;
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
  readonly protectMany: <V extends ValueOf<Kind> | null | undefined>(
    column: readonly V[],
  ) => (Sealed<Scope, ValueOf<Kind>> | Missing<V>)[];
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
  const common = checkCommon('seal', options, ['scope', 'value', 'empty']);
  const scope = checkScope(options) as Scope;
  if (options.value !== undefined) checkOneOf('value', options.value, ['text', 'integer']);
  const kind: SealValue = options.value ?? 'text';
  const empty = checkEmpty(options.empty);
  const data = {
    rule: 'seal' as const,
    scope,
    ...(options.value === undefined ? {} : { value: options.value }),
    ...(options.empty === undefined ? {} : { empty }),
    ...common,
  };

  /** Key set-up of one key: the AES-SIV key and the associated data, which is the same for all values. */
  function codecOf(key: DomainKey, domain: string) {
    const siv = aesSiv(expandNode(key.derive('seal', scope, [ALGORITHM, PADDING]), ALGORITHM, 64));
    const associated = encodeList(['seal-v1', HEADER, key.id, domain, scope]);
    return {
      seal: (plaintext: Uint8Array) => key.id + encode(concat([HEADER, siv.seal(pad(plaintext), associated)])),
      open(bytes: Uint8Array): Uint8Array | null {
        const padded = siv.open(bytes.subarray(HEADER.length), associated);
        return padded === null ? null : unpad(padded);
      },
    };
  }

  function setUp(opened: OpenedKeys, revealing: boolean): BoundColumns {
    const codecs = new Map(opened.keys.map((key) => [key.id, codecOf(key, opened.domain)]));
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

    function open(value: unknown): string | number {
      const text = checkText(value);
      const codec = codecs.get(text.slice(0, KEY_ID_LENGTH));
      if (!OURS.test(text) || codec === undefined) {
        if (inspectSealed(text) === null) fail('not_sealed', 'the value is not a sealed value');
        fail('unknown_key', 'the value was sealed with a key of another domain or keyset');
      }
      const bytes = decode(text.slice(KEY_ID_LENGTH));
      const plaintext = bytes === null ? null : codec.open(bytes);
      if (plaintext === null) failReveal();
      try {
        const plain = decoder.decode(plaintext);
        return kind === 'integer' ? readInteger(plain) : plain;
      } catch {
        failReveal();
      }
    }

    return {
      protect(column, report) {
        const { seal: sealBytes } = codecs.get(protectingKey(opened).id)!;
        return mapColumn(column, (value) => sealBytes(utf8(inputText(value, kind))), report, empty);
      },
      reveal(column, report) {
        if (!revealing) refuseReveal();
        return mapColumn(column, open, report, empty);
      },
    };
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
  if (typeof value !== 'number') fail('wrong_type', 'expected a whole number; write value: text to seal text');
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    fail('unsafe_integer', 'expected a whole number up to 2^53 - 1, and not negative zero');
  }
  return String(value);
}

/** The number of a canonical decimal text. */
function readInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || String(value) !== text) throw new RangeError('not a canonical integer');
  return value;
}

function isBucket(length: number): boolean {
  return length >= SMALLEST_BUCKET && length <= LARGEST_BUCKET && (length & (length - 1)) === 0;
}

/** m || 0x80 || 00…: up to the smallest bucket that holds it. */
function pad(plaintext: Uint8Array): Uint8Array {
  let bucket = SMALLEST_BUCKET;
  while (bucket <= plaintext.length) bucket *= 2;
  if (bucket > LARGEST_BUCKET) {
    fail('too_long', `the value is longer than ${LARGEST_BUCKET - 1} bytes of UTF-8`, { maximum: LARGEST_BUCKET - 1 });
  }
  const padded = new Uint8Array(bucket);
  padded.set(plaintext);
  padded[plaintext.length] = PAD;
  return padded;
}

/** Takes the padding off, or `null`. A plaintext in a bucket larger than its own is not canonical. */
function unpad(padded: Uint8Array): Uint8Array | null {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end--;
  if (end < 0 || padded[end] !== PAD || !isBucket(padded.length)) return null;
  if (padded.length > SMALLEST_BUCKET && end < padded.length / 2) return null;
  return padded.subarray(0, end);
}
