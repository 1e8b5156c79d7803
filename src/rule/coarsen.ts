/**
 * `coarsen`: a value is replaced by the bucket that it belongs to. Buckets do not depend on other values of the data.
 * The rule has no key, and a bucket cannot be turned back.
 */

import { badRange, badType, checkInteger, checkOneOf, checkOptions, checkText, typeName } from '../core/checks.ts';
import { dateText, readPartialDate } from '../core/civil-date.ts';
import { given } from '../core/given.ts';
import { formatIp, innerV4, networkOf, parseIp, withoutMapping } from '../core/ip.ts';
import { asNumber, jsonNumber, jsonNumberText } from '../core/json/number.ts';
import { fail } from '../errors.ts';
import { checkReading, type OpenedReading, type Reading } from '../prepare/reading.ts';
import { mapColumn, revealNothing } from './columns.ts';
import { checkRule } from './options.ts';
import {
  type Common,
  keylessEngine,
  type MayBeAbsent,
  makeRule,
  type ReadBy,
  type Rule,
  type RuleFacts,
} from './rule.ts';

/** The buckets of a date. */
export type DateBucket = 'month' | 'quarter' | 'year' | 'decade';

/** The lengths of the networks that IP addresses are cut to, in bits. */
export interface IpBucket {
  /** For version 4: 0 to 32. */
  readonly v4: number;
  /** For version 6: 0 to 128. */
  readonly v6: number;
}

/** Buckets that become one: the name of the new bucket, and the buckets that it replaces. */
export interface Merge {
  readonly [bucket: string]: readonly string[];
}

/** The options that a kind of bucket does not have. */
type Without<Name extends string> = { readonly [N in Name]?: never };

/** The options of a bucket: exactly one kind. */
export type CoarsenBucket =
  | ({ readonly date: DateBucket; readonly merge?: Merge; readonly read?: Reading } & Without<
      'number' | 'prefix' | 'ip' | 'min' | 'max'
    >)
  | ({
      readonly number: number;
      /** Everything below it is one bucket, written `<20`. A multiple of `number`. */
      readonly min?: number;
      /** It and everything above is one bucket, written like any other: `90`. A multiple of `number`. */
      readonly max?: number;
      readonly read?: Reading;
    } & Without<'date' | 'prefix' | 'ip' | 'merge'>)
  | ({ readonly prefix: number; readonly merge?: Merge; readonly read?: Reading } & Without<
      'date' | 'number' | 'ip' | 'min' | 'max'
    >)
  | ({ readonly ip: IpBucket; readonly merge?: Merge } & Without<
      'date' | 'number' | 'prefix' | 'min' | 'max' | 'read'
    >);

/** A `coarsen` rule. Its data has the name of a reading in place of the reading. */
export type CoarsenRule<Bucket extends CoarsenBucket = CoarsenBucket> = Rule & { readonly rule: 'coarsen' } & {
  readonly [Option in keyof Bucket as Exclude<Option, 'read'>]: Bucket[Option];
} & ReadBy<Bucket['read']>;

const KINDS = ['date', 'number', 'prefix', 'ip'] as const;
const OPTIONS = ['date', 'number', 'prefix', 'ip', 'min', 'max', 'merge', 'read'] as const;

/**
 * Replaces a value by its bucket. There are four kinds of buckets:
 *
 * - `date: 'month' | 'quarter' | 'year' | 'decade'`: of an ISO 8601 date or date-time, as it is written, without
 *   regard to a time zone: `2024-03`, `2024-Q1`, `2024`, `2020s`. A year alone (`1984`), or a year and a month, will do
 *   if the bucket is not finer. A `Date` counts as its date in UTC;
 * - `number: 10`: the lower bound of the bucket, exact for decimals: 28.5 → 20, -1 → -10. Numbers stay numbers, and
 *   text stays text. A value is a plain decimal with at most 38 digits on either side of the point. With `max: 90`, 90
 *   and everything above is the bucket 90. With `min: 20`, everything below 20 is the bucket `<20`, which has no lower
 *   bound and is therefore text even among numbers;
 * - `prefix: 2`: the first code points of a text;
 * - `ip: { v4: 24, v6: 48 }`: the network, such as `192.0.2.0/24`. An IPv4-mapped address counts as version 4. Some
 *   version 6 addresses contain a version 4 address (6to4, NAT64, Teredo, ISATAP, IPv4-compatible and -translated). The
 *   network then shows no more bits of that than `v4`: 2002:c000:207::1 becomes `2002:c000:200::/40`.
 *
 * `merge: { '000': ['036', '059'] }` replaces buckets of few people by one, for all kinds but `number`. `read` is the
 * form in which dates or numbers are written: `readDate('DD.MM.YYYY')`.
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
  const { own, common } = checkRule<CoarsenBucket>('coarsen', options, OPTIONS);
  const set = KINDS.filter((kind) => own[kind] !== undefined);
  if (set.length !== 1) badRange('options', `expected exactly one of ${KINDS.join(', ')}, got ${set.length}`);
  const kind = set[0]!;
  const reading = checkReading(own.read, READ_BY[kind]);
  const { what, data, apply, isBucket } = bucketOf(own, reading);
  if (kind !== 'number') refuseLimits(own);
  const merged = own.merge === undefined ? null : checkMerge(own.merge, isBucket);
  const engine = keylessEngine(
    {
      what: [what, ...mergeFacts(merged)],
      origin: 'taken from the value',
      back: 'never',
      visible: 'the group that the value belongs to',
    },
    {
      readsSpelling: true,
      bind: (_, __, { own: missing }) => ({
        protect: (column, report) =>
          mapColumn(column, merged === null ? apply : merging(apply, merged), report, missing),
        reveal: revealNothing,
      }),
    },
  );
  const more = given({ merge: merged?.data, read: reading?.name });
  return makeRule({ rule: 'coarsen' as const, ...data, ...more, ...common }, engine, {}) as unknown as MayBeAbsent<
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
  /** Whether a text can be a bucket at all, for `merge`; `null` if the buckets cannot be merged. */
  readonly isBucket: ((text: string) => boolean) | null;
}

/** What each kind of bucket can do something with. An address is never written in another form. */
const READ_BY = { date: ['date'], number: ['number'], prefix: ['date', 'number', 'phone'], ip: [] } as const;

/** What the texts of date buckets look like. */
const DATE_BUCKETS: Readonly<Record<DateBucket, RegExp>> = {
  month: /^[0-9]{4}-(?:0[1-9]|1[0-2])$/,
  quarter: /^[0-9]{4}-Q[1-4]$/,
  year: /^[0-9]{4}$/,
  decade: /^[0-9]{3}0s$/,
};

function bucketOf(options: CoarsenBucket, reading: OpenedReading | null): BucketWork {
  const as = reading === null ? '' : `, read as ${reading.name}`;
  if (options.date !== undefined) {
    const date = checkOneOf('date', options.date, ['month', 'quarter', 'year', 'decade']);
    const read = reading?.read ?? ((value: unknown) => (value instanceof Date ? dateText(value) : checkText(value)));
    return {
      what: `replaced by the ${date} that it belongs to${as}`,
      data: { date },
      apply: (value) => dateBucket(read(value), date),
      isBucket: (text) => DATE_BUCKETS[date].test(text),
    };
  }
  if (options.number !== undefined) {
    const limits = readLimits(options);
    return {
      what: `replaced by the lower bound of a bucket of ${options.number}${as}${limitFacts(limits)}`,
      data: { number: options.number, ...given({ min: options.min, max: options.max }) },
      apply: (value) => numberBucket(reading === null ? value : reading.read(value), limits),
      isBucket: null,
    };
  }
  if (options.prefix !== undefined) {
    const prefix = checkInteger('prefix', options.prefix, 0, 256);
    const read = reading?.read ?? checkText;
    return {
      what: `cut to its first ${prefix} characters${as}`,
      data: { prefix },
      apply: (value) => [...read(value)].slice(0, prefix).join(''),
      isBucket: (text) => text !== '' && [...text].length <= prefix,
    };
  }
  const { ip } = options as { readonly ip: IpBucket };
  if (typeof ip !== 'object' || ip === null) {
    badType('ip', `expected an object such as { v4: 24, v6: 48 }, got ${typeName(ip)}`);
  }
  const widths = checkOptions('ip', ip, ['v4', 'v6']);
  const v4 = checkInteger('v4', widths.v4, 0, 32);
  const v6 = checkInteger('v6', widths.v6, 0, 128);
  const bucket = (parsed: Uint8Array): string => {
    const bytes = withoutMapping(parsed);
    const length = bytes.length === 4 ? v4 : v6Length(bytes, v4, v6);
    return `${formatIp(networkOf(bytes, length))}/${length}`;
  };
  return {
    what: `cut to its network of ${v4} (version 4, IPv4-mapped too) or ${v6} (version 6) bits`,
    data: { ip: Object.freeze({ v4, v6 }) },
    apply(value) {
      const parsed = parseIp(checkText(value));
      if (parsed === null) fail('not_an_ip', 'expected an IP address, version 4 or 6, without a zone or a prefix');
      return bucket(parsed);
    },
    isBucket(text) {
      const parsed = parseIp(text.split('/')[0]!);
      return parsed !== null && bucket(parsed) === text;
    },
  };
}

function refuseLimits(options: { readonly min?: unknown; readonly max?: unknown }): void {
  for (const name of ['min', 'max'] as const) {
    if (options[name] !== undefined) badRange(name, 'is only for buckets of a "number"');
  }
}

/** Buckets that become one: for each old bucket the new one, and the option as the policy file writes it. */
interface Merged {
  readonly into: ReadonlyMap<string, string>;
  readonly data: Merge;
}

/** Checks `merge`. Its buckets are named by their places and not by their texts. */
function checkMerge(merge: unknown, isBucket: BucketWork['isBucket']): Merged {
  if (isBucket === null) badRange('merge', 'is not for buckets of a "number": use min and max');
  if (typeof merge !== 'object' || merge === null || Array.isArray(merge)) {
    badType('merge', `expected an object such as { '000': ['036', '059'] }, got ${typeName(merge)}`);
  }
  const lists = Object.entries(merge) as [string, unknown][];
  if (lists.length === 0) badRange('merge', 'expected at least one bucket to merge into');
  const names = lists.map(([name]) => name);
  const into = new Map<string, string>();
  const data: [string, readonly string[]][] = [];
  for (const [i, [name, listed]] of lists.entries()) {
    const place = `list ${i + 1}`;
    if (name === '' || name.length > 256 || !name.isWellFormed()) {
      badRange('merge', `expected a name of 1 to 256 characters for ${place}`);
    }
    if (!Array.isArray(listed)) badType('merge', `expected a list of buckets as ${place}, got ${typeName(listed)}`);
    const list: readonly unknown[] = Array.from(listed as readonly unknown[]);
    if (list.length === 0) badRange('merge', `expected at least one bucket in ${place}`);
    for (let k = 0; k < list.length; k++) {
      const bucket = list[k];
      const item = `item ${k + 1} of ${place}`;
      if (typeof bucket !== 'string') badType('merge', `expected text as ${item}, got ${typeName(bucket)}`);
      if (!isBucket(bucket)) badRange('merge', `expected buckets of this rule, and ${item} can never be one`);
      if (into.has(bucket)) badRange('merge', `expected each bucket once, and ${item} was there before`);
      if (names.includes(bucket)) {
        const itself = bucket === name ? 'the bucket that it is merged into' : 'a bucket that others are merged into';
        badRange('merge', `expected other buckets, and ${item} is ${itself}`);
      }
      into.set(bucket, name);
    }
    data.push([name, Object.freeze(list) as readonly string[]]);
  }
  return { into, data: Object.freeze(Object.fromEntries(data)) };
}

function merging(apply: BucketWork['apply'], { into }: Merged): BucketWork['apply'] {
  return (value) => {
    const bucket = apply(value);
    return into.get(bucket as string) ?? bucket;
  };
}

function mergeFacts(merged: Merged | null): Exclude<RuleFacts['what'], string> {
  return Object.entries(merged?.data ?? {}).flatMap(([name, list]) => [
    `; ${list.length === 1 ? '1 bucket becomes' : `${list.length} buckets become`} `,
    { quoted: name },
  ]);
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
  const { month } = readPartialDate(text);
  const year = text.slice(0, 4);
  if (bucket === 'year') return year;
  if (bucket === 'decade') return `${year.slice(0, 3)}0s`;
  if (month === null) fail('not_a_date', `the date is a year alone, and a ${bucket} needs the month, too`);
  if (bucket === 'month') return text.slice(0, 7);
  return `${year}-Q${Math.ceil(month / 3)}`;
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

/** The width of the buckets, and the limits beyond which all is one bucket. */
interface Limits {
  readonly width: Decimal;
  readonly min: Limit | null;
  readonly max: Limit | null;
}

/** A limit: how many times the width it is. */
interface Limit {
  readonly count: bigint;
  readonly text: string;
}

function readLimits({ number, min, max }: { number: unknown; min?: unknown; max?: unknown }): Limits {
  if (typeof number !== 'number') badType('number', `expected a number, got ${typeName(number)}`);
  const width = readDecimal(String(number));
  if (width === null || width.digits <= 0n) badRange('number', 'expected a plain decimal above 0, such as 10 or 0.5');
  const limits = { width, min: readLimit('min', min, width), max: readLimit('max', max, width) };
  if (limits.min !== null && limits.max !== null && limits.min.count > limits.max.count) {
    badRange('max', 'expected a number that is not below min');
  }
  return limits;
}

function readLimit(name: string, limit: unknown, width: Decimal): Limit | null {
  if (limit === undefined) return null;
  if (typeof limit !== 'number') badType(name, `expected a number, got ${typeName(limit)}`);
  const decimal = readDecimal(String(limit));
  if (decimal === null) badRange(name, 'expected a plain decimal, such as 90 or 0.5');
  const { count, isWhole } = divide(decimal, width);
  // Otherwise the bucket beside the limit would be narrower than the policy says.
  if (!isWhole) badRange(name, 'expected a multiple of "number"');
  return { count, text: writeDecimal(count, width) };
}

function limitFacts({ min, max }: Limits): string {
  return (
    (min === null ? '' : `; everything below ${min.text} is one bucket, written <${min.text}`) +
    (max === null ? '' : `; ${max.text} and everything above is one bucket, written ${max.text}`)
  );
}

/** How many times the width a number is, rounded down. */
function divide(decimal: Decimal, width: Decimal): { readonly count: bigint; readonly isWhole: boolean } {
  const scale = Math.max(decimal.scale, width.scale);
  const digits = decimal.digits * 10n ** BigInt(scale - decimal.scale);
  const step = width.digits * 10n ** BigInt(scale - width.scale);
  const rest = ((digits % step) + step) % step;
  return { count: (digits - rest) / step, isWhole: rest === 0n };
}

/**
 * The lower bound of the bucket, in exact arithmetic: with buckets of 0.1, the bucket of 0.3 is 0.3, which doubles get
 * wrong. The bound of a number is a number. If a JSON number was passed as its text and a double cannot hold the bound,
 * the bound keeps its text, too.
 */
function numberBucket(value: unknown, { width, min, max }: Limits): unknown {
  const number = jsonNumberText(value);
  if (typeof value !== 'number' && typeof value !== 'string' && number === null)
    fail('wrong_type', `expected a number, got ${typeName(value)}`);
  const decimal = number === null ? readDecimal(String(value)) : readJsonNumber(number);
  if (decimal === null) {
    fail(
      'not_a_number',
      'expected a plain decimal such as 28.5: no exponent, no leading zeros, ' +
        'at most 38 digits on either side of the point; if the numbers are written 1.234,50, set read: 1.234,5',
    );
  }
  const { count } = divide(decimal, width);
  // This bucket has no lower bound, so it is not written as a number.
  if (min !== null && count < min.count) return `<${min.text}`;
  const lower = max !== null && count >= max.count ? max.text : writeDecimal(count, width);
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
