/**
 * `coarsen`: a value is replaced by the bucket that it belongs to. Buckets do not depend on other values of the data.
 * The rule has no key, and a bucket cannot be turned back.
 */

import { badRange, badType, checkInteger, checkOneOf, checkOptions, checkText, typeName } from '../core/checks.ts';
import { readCivilDate } from '../core/civil-date.ts';
import { formatIp, innerV4, networkOf, parseIp, withoutMapping } from '../core/ip.ts';
import { asNumber, jsonNumber, jsonNumberText } from '../core/json/number.ts';
import { fail } from '../errors.ts';
import { mapColumn, revealNothing } from './columns.ts';
import { checkRule } from './options.ts';
import { type Common, keylessEngine, type MayBeAbsent, makeRule, type Rule } from './rule.ts';

/** The buckets of a date. */
export type DateBucket = 'month' | 'quarter' | 'year' | 'decade';

/** The lengths of the networks that IP addresses are cut to, in bits. */
export interface IpBucket {
  /** For version 4: 0 to 32. */
  readonly v4: number;
  /** For version 6: 0 to 128. */
  readonly v6: number;
}

/** The options of a bucket: exactly one kind. */
export type CoarsenBucket =
  | { readonly date: DateBucket; readonly number?: never; readonly prefix?: never; readonly ip?: never }
  | { readonly number: number; readonly date?: never; readonly prefix?: never; readonly ip?: never }
  | { readonly prefix: number; readonly date?: never; readonly number?: never; readonly ip?: never }
  | { readonly ip: IpBucket; readonly date?: never; readonly number?: never; readonly prefix?: never };

/** A `coarsen` rule. */
export type CoarsenRule<Bucket extends CoarsenBucket = CoarsenBucket> = Rule & { readonly rule: 'coarsen' } & Bucket;

const KINDS = ['date', 'number', 'prefix', 'ip'] as const;

/**
 * Replaces a value by its bucket. There are four kinds of buckets:
 *
 * - `date: 'month' | 'quarter' | 'year' | 'decade'`: of an ISO 8601 date or date-time, as it is written, without
 *   regard to a time zone: `2024-03`, `2024-Q1`, `2024`, `2020s`;
 * - `number: 10`: the lower bound of the bucket, exact for decimals: 28.5 → 20, -1 → -10. Numbers stay numbers, and
 *   text stays text. A value is a plain decimal with at most 38 digits on either side of the point;
 * - `prefix: 2`: the first code points of a text;
 * - `ip: { v4: 24, v6: 48 }`: the network, such as `192.0.2.0/24`. An IPv4-mapped address counts as version 4. Some
 *   version 6 addresses contain a version 4 address (6to4, NAT64, Teredo, ISATAP, IPv4-compatible and -translated). The
 *   network then shows no more bits of that than `v4`: 2002:c000:207::1 becomes `2002:c000:200::/40`.
 *
 * *Warning*: if a bucket holds one person only, it identifies that person.
 *
 * @throws TypeError, RangeError if not exactly one kind is set, or if its value does not fit.
 *
 * @example
 * ```ts
 * import { coarsen, keyset, policy } from 'trefoil';
 *
 * const bound = policy({ born: coarsen({ date: 'year' }), age: coarsen({ number: 10 }) })
 *   .bind(keyset.generate().domain('eu'));
 * bound.protect({ born: '1984-03-12', age: 28.5 }); // → { born: '1984', age: 20 }
 * ```
 */
export function coarsen<const Bucket extends CoarsenBucket, const Optional extends boolean = false>(
  options: Bucket & { readonly optional?: Optional } & Common,
): MayBeAbsent<CoarsenRule<Bucket>, Optional> {
  const { own, common } = checkRule('coarsen', options, KINDS);
  const set = KINDS.filter((kind) => own[kind] !== undefined);
  if (set.length !== 1) badRange('options', `expected exactly one of ${KINDS.join(', ')}, got ${set.length}`);
  const { what, data, apply } = bucketOf(own);
  const engine = keylessEngine(
    { what, origin: 'taken from the value', back: 'never', visible: 'the group that the value belongs to' },
    {
      readsSpelling: true,
      bind: (_, __, { own: missing }) => ({
        protect: (column, report) => mapColumn(column, apply, report, missing),
        reveal: revealNothing,
      }),
    },
  );
  return makeRule({ rule: 'coarsen' as const, ...data, ...common }, engine, {}) as unknown as MayBeAbsent<
    CoarsenRule<Bucket>,
    Optional
  >;
}

/** One kind of bucket with its options. */
interface BucketWork {
  /** What happens to a value, for the record of processing. */
  readonly what: string;
  /** The options as the policy file writes them. */
  readonly data: object;
  readonly apply: (value: unknown) => unknown;
}

function bucketOf(options: CoarsenBucket): BucketWork {
  if (options.date !== undefined) {
    const date = checkOneOf('date', options.date, ['month', 'quarter', 'year', 'decade']);
    return {
      what: `replaced by the ${date} that it belongs to`,
      data: { date },
      apply: (value) => dateBucket(checkText(value), date),
    };
  }
  if (options.number !== undefined) {
    const width = readWidth(options.number);
    return {
      what: `replaced by the lower bound of a bucket of ${options.number}`,
      data: { number: options.number },
      apply: (value) => numberBucket(value, width),
    };
  }
  if (options.prefix !== undefined) {
    const prefix = checkInteger('prefix', options.prefix, 0, 256);
    return {
      what: `cut to its first ${prefix} characters`,
      data: { prefix },
      apply: (value) => [...checkText(value)].slice(0, prefix).join(''),
    };
  }
  const { ip } = options as { readonly ip: IpBucket };
  if (typeof ip !== 'object' || ip === null) {
    badType('ip', `expected an object such as { v4: 24, v6: 48 }, got ${typeName(ip)}`);
  }
  const widths = checkOptions('ip', ip, ['v4', 'v6']);
  const v4 = checkInteger('v4', widths.v4, 0, 32);
  const v6 = checkInteger('v6', widths.v6, 0, 128);
  return {
    what: `cut to its network of ${v4} (version 4, IPv4-mapped too) or ${v6} (version 6) bits`,
    data: { ip: Object.freeze({ v4, v6 }) },
    apply(value) {
      const parsed = parseIp(checkText(value));
      if (parsed === null) fail('not_an_ip', 'expected an IP address, version 4 or 6, without a zone or a prefix');
      const bytes = withoutMapping(parsed);
      const length = bytes.length === 4 ? v4 : v6Length(bytes, v4, v6);
      return `${formatIp(networkOf(bytes, length))}/${length}`;
    },
  };
}

/**
 * How many bits of a version 6 address are kept. If the address contains a version 4 address, no more of that is kept
 * than `v4` allows: otherwise the 6to4 network 2002:c000:207::/48 would show the whole of 192.0.2.7.
 */
function v6Length(bytes: Uint8Array, v4: number, v6: number): number {
  const start = v4 === 32 ? null : innerV4(bytes);
  return start === null ? v6 : Math.min(v6, start + v4);
}

function dateBucket(text: string, bucket: DateBucket): string {
  const { month } = readCivilDate(text);
  if (bucket === 'month') return text.slice(0, 7);
  const year = text.slice(0, 4);
  if (bucket === 'quarter') return `${year}-Q${Math.ceil(month / 3)}`;
  return bucket === 'year' ? year : `${year.slice(0, 3)}0s`;
}

/** A decimal number: an integer, and how many of its digits are decimals. 28.50 is (2850, 2). */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const DECIMAL = /^(-?(?:0|[1-9][0-9]{0,37}))(?:\.([0-9]{1,38}))?$/;
const EXPONENT = /[eE]([+-]?[0-9]{1,3})$/;

/** The most digits on either side of the point. */
const MOST_DIGITS = 38;

function readDecimal(text: string): Decimal | null {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  return whole === undefined ? null : { digits: BigInt(whole + fraction), scale: fraction.length };
}

/**
 * Reads a JSON number from its text. A number with an exponent is accepted if JavaScript writes the same number without
 * one, which is so from 1e-6 to 1e21. It is read exactly: 2.85e1 is 28.5, and nothing is rounded.
 */
function readJsonNumber(text: string): Decimal | null {
  const exponent = EXPONENT.exec(text);
  if (exponent === null) return readDecimal(text);
  if (String(Number(text)).includes('e')) return null;
  const mantissa = readDecimal(text.slice(0, exponent.index));
  if (mantissa === null) return null;
  const scale = mantissa.scale - Number(exponent[1]);
  const digits = scale < 0 ? mantissa.digits * 10n ** BigInt(-scale) : mantissa.digits;
  if (scale > MOST_DIGITS || digits.toString().replace('-', '').length - Math.max(scale, 0) > MOST_DIGITS) return null;
  return { digits, scale: Math.max(scale, 0) };
}

function readWidth(width: unknown): Decimal {
  if (typeof width !== 'number') badType('number', `expected a number, got ${typeName(width)}`);
  const decimal = readDecimal(String(width));
  if (decimal === null || decimal.digits <= 0n)
    badRange('number', 'expected a plain decimal above 0, such as 10 or 0.5');
  return decimal;
}

/**
 * The lower bound of the bucket, in exact arithmetic: with buckets of 0.1, the bucket of 0.3 is 0.3, which doubles get
 * wrong. The bound of a number is a number. If a JSON number was passed as its text and a double cannot hold the bound,
 * the bound keeps its text, too.
 */
function numberBucket(value: unknown, width: Decimal): unknown {
  const number = jsonNumberText(value);
  if (typeof value !== 'number' && typeof value !== 'string' && number === null)
    fail('wrong_type', `expected a number, got ${typeName(value)}`);
  const decimal = number === null ? readDecimal(String(value)) : readJsonNumber(number);
  if (decimal === null) {
    fail(
      'not_a_number',
      'expected a plain decimal such as 28.5: no exponent, no leading zeros, ' +
        'at most 38 digits on either side of the point',
    );
  }
  const scale = Math.max(decimal.scale, width.scale);
  const digits = decimal.digits * 10n ** BigInt(scale - decimal.scale);
  const step = width.digits * 10n ** BigInt(scale - width.scale);
  const rest = ((digits % step) + step) % step;
  const lower = writeDecimal((digits - rest) / step, width);
  if (number !== null) return asNumber(jsonNumber(lower));
  return typeof value === 'number' ? Number(lower) : lower;
}

/** Writes `count` times the width, with as many decimals as the width has. */
function writeDecimal(count: bigint, width: Decimal): string {
  const digits = count * width.digits;
  if (width.scale === 0) return digits.toString();
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(width.scale + 1, '0');
  return `${sign}${text.slice(0, -width.scale)}.${text.slice(-width.scale)}`;
}
