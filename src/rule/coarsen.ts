/**
 * `coarsen`: a value becomes the bucket that it lies in. No keys, no way back. Buckets do not depend on the data.
 */

import { badRange, badType, checkInteger, checkOneOf, checkOptions, checkText, typeName } from '../core/checks.ts';
import { readCivilDate } from '../core/civil-date.ts';
import { formatIp, innerV4, networkOf, parseIp, withoutMapping } from '../core/ip.ts';
import { asNumber, jsonNumber, jsonNumberText } from '../core/json/number.ts';
import { fail } from '../errors.ts';
import { mapColumn } from './columns.ts';
import { checkRule } from './options.ts';
import { type Common, type MayBeAbsent, makeRule, type Rule, type RuleEngine } from './rule.ts';

/** Buckets of dates. */
export type DateBucket = 'month' | 'quarter' | 'year' | 'decade';

/** Prefix lengths of the networks that addresses are cut to, in bits. */
export interface IpBucket {
  /** 0 to 32. */
  readonly v4: number;
  /** 0 to 128. */
  readonly v6: number;
}

/** Exactly one kind of bucket. */
export type CoarsenBucket =
  | { readonly date: DateBucket; readonly number?: never; readonly prefix?: never; readonly ip?: never }
  | { readonly number: number; readonly date?: never; readonly prefix?: never; readonly ip?: never }
  | { readonly prefix: number; readonly date?: never; readonly number?: never; readonly ip?: never }
  | { readonly ip: IpBucket; readonly date?: never; readonly number?: never; readonly prefix?: never };

/** A `coarsen` rule. */
export type CoarsenRule<Bucket extends CoarsenBucket = CoarsenBucket> = Rule & { readonly rule: 'coarsen' } & Bucket;

const KINDS = ['date', 'number', 'prefix', 'ip'] as const;

/**
 * Replaces a value by its bucket:
 *
 * - `date: 'month' | 'quarter' | 'year' | 'decade'` of an ISO 8601 date or date-time, as written, without any time
 *   zone: `2024-03`, `2024-Q1`, `2024`, `2020s`;
 * - `number: 10`, the lower bound of the bucket, exact for decimals: 28.5 → 20, -1 → -10; numbers stay numbers, text
 *   stays text. A value is a plain decimal with at most 38 digits on either side of the point;
 * - `prefix: 2`, the first code points of a text;
 * - `ip: { v4: 24, v6: 48 }`, the network: `192.0.2.0/24`. An IPv4-mapped address is one of version 4. Of a version 6
 *   address that holds one of version 4 (6to4, NAT64, Teredo, ISATAP, IPv4-compatible and -translated) no more bits of
 *   that are kept than `v4` says: 2002:c000:207::1 becomes `2002:c000:200::/40`.
 *
 * *Warning*: a bucket with one person in it identifies that person.
 *
 * @throws TypeError, RangeError unless exactly one kind is given and fits.
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
  const given = KINDS.filter((kind) => own[kind] !== undefined);
  if (given.length !== 1) badRange('options', `expected exactly one of ${KINDS.join(', ')}, got ${given.length}`);
  const { what, data, apply } = bucketOf(own);
  const engine: RuleEngine = {
    facts: { what, origin: 'taken from the value', back: 'never', joins: null, scope: null, visible: 'the bucket' },
    keyed: false,
    needsPin: false,
    cell: 'text',
    readsSpelling: true,
    removes: false,
    unfit: null,
    bind: () => ({ protect: (column, report) => mapColumn(column, apply, report), reveal: (column) => [...column] }),
  };
  return makeRule({ rule: 'coarsen' as const, ...data, ...common }, engine, {}) as unknown as MayBeAbsent<
    CoarsenRule<Bucket>,
    Optional
  >;
}

interface BucketWork {
  readonly what: string;
  readonly data: object;
  readonly apply: (value: unknown) => unknown;
}

function bucketOf(options: CoarsenBucket): BucketWork {
  if (options.date !== undefined) {
    const date = checkOneOf('date', options.date, ['month', 'quarter', 'year', 'decade']);
    return {
      what: `replaced by the ${date} that it lies in`,
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
 * How many bits of a version 6 address are kept. Of one that holds an address of version 4 no more than would be kept of
 * that: otherwise 2002:c000:207::/48, a 6to4 network, would be the whole of 192.0.2.7.
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

/** A decimal, as an integer and the number of its decimals: 28.50 is (2850, 2). */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const DECIMAL = /^(-?(?:0|[1-9][0-9]{0,37}))(?:\.([0-9]{1,38}))?$/;
const EXPONENT = /[eE]([+-]?[0-9]{1,3})$/;

/** Digits on either side of the point. */
const MOST_DIGITS = 38;

function readDecimal(text: string): Decimal | null {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  return whole === undefined ? null : { digits: BigInt(whole + fraction), scale: fraction.length };
}

/**
 * A number of JSON by its text. With an exponent it is taken where JavaScript writes the same number without one, which is
 * from 1e-6 to 1e21; then it has the digits of the plain decimal: 2.85e1 is 28.5, and nothing is rounded.
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
 * The lower bound of the bucket, in exact arithmetic: 0.3 with buckets of 0.1 is 0.3, which doubles get wrong. A number is
 * written as a number; one that came as its text is written as its text where a double does not hold the bound.
 */
function numberBucket(value: unknown, width: Decimal): unknown {
  const number = jsonNumberText(value);
  if (typeof value !== 'number' && typeof value !== 'string' && number === null)
    fail('wrong_type', `expected a number, got ${typeName(value)}`);
  const decimal = number === null ? readDecimal(String(value)) : readJsonNumber(number);
  if (decimal === null) {
    fail(
      'not_a_number',
      'expected a plain decimal such as 28.5: no exponent, no leading zeros, at most 38 digits a side',
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

/** `count` widths as text, with the decimals of the width. */
function writeDecimal(count: bigint, width: Decimal): string {
  const digits = count * width.digits;
  if (width.scale === 0) return digits.toString();
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(width.scale + 1, '0');
  return `${sign}${text.slice(0, -width.scale)}.${text.slice(-width.scale)}`;
}
