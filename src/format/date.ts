/**
 * Calendar dates and times of day: ISO 8601 in the profile of RFC 3339, section 5.6
 * (https://www.rfc-editor.org/rfc/rfc3339#section-5.6), in the extended form, without fractions and offsets, for the
 * years 0001 to 9999 of the proleptic Gregorian calendar.
 *
 * Neither `Date` nor a time zone is used: a date is a day number, and a time is a number of seconds. Years are counted
 * from the first of March, so that the leap day is the last day of its year and one table of 366 days serves all years.
 */

import { badRange, badType, checkOptions, typeName } from '../core/checks.ts';
import { OFFSET } from '../core/civil-date.ts';
import { fail } from '../errors.ts';
import { type Format, makeFormat, NO_PARTS } from './engine.ts';

/** Limits of {@link date} and {@link dateTime}, both included. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

/** The format that {@link date} makes. */
export interface DateFormat extends Format, Span {
  readonly type: 'date';
}

/** The format that {@link dateTime} makes. */
export interface DateTimeFormat extends Format, Span {
  readonly type: 'dateTime';
}

/** Lengths of the months, from March. */
const MONTHS = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29];

/** Day of the year, from the first of March, on which January begins. */
const JANUARY = 306;

const DAY_SECONDS = 86_400;

/** Results that are not day numbers: the text does not have the form of a date; it has, but there is no such day. */
const NO_FORM = -1;
const NO_DAY = -2;

/** `00` to `99`. */
const PAIRS: readonly string[] = /* @__PURE__ */ Array.from({ length: 100 }, (_, n) => `${n}`.padStart(2, '0'));

/** `0000` to `9999`. */
const YEARS: readonly string[] = /* @__PURE__ */ Array.from({ length: 10_000 }, (_, n) => `${n}`.padStart(4, '0'));

/** `-03-01` to `-02-29`, by day of the year from the first of March. */
const MONTH_DAYS: readonly string[] = /* @__PURE__ */ MONTHS.flatMap((length, month) =>
  Array.from({ length }, (_, day) => `-${PAIRS[((month + 2) % 12) + 1]}-${PAIRS[day + 1]}`),
);

/** By calendar month from 1: days from the first of March to its first day. Index 0 is not a month. */
const MONTH_STARTS: readonly number[] = [0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];

/** By calendar month from 1: its length; of February, the length in a leap year. */
const MONTH_LENGTHS: readonly number[] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * ISO 8601 calendar dates `YYYY-MM-DD` from `from` to `to`, both included.
 *
 * Days that are not in the Gregorian calendar are refused, and so are other notations (week dates, `20240229`,
 * `29.02.2024`). All days between the limits form one space; to keep the year, take `coarsen` or `shiftDate` instead.
 * The limits decide which values there are, so they enter the key derivation.
 *
 * *Warning*: the output does not keep order, weekdays or intervals. A hundred years have 36,525 days, so anyone who may
 * protect can find a date by trying all of them. With fewer than 10,000 days `fpe` needs `allowCodebook`.
 *
 * @throws TypeError or RangeError if a limit is not a date, or if there are fewer than two days between them.
 *
 * @example
 * ```ts
 * import { date } from 'trefoil/format';
 *
 * const born = date({ from: '1900-01-01', to: '2029-12-31' });
 * born.test('2024-02-29'); // → true
 * born.test('2023-02-29'); // → false
 * born.rank('1900-03-01'); // → 59n
 * born.size; // → 47482n
 * ```
 */
export function date(options: Span): DateFormat {
  const { from, to } = checkOptions('options', options, ['from', 'to']);
  const first = readLimit('from', from, dateLimit);
  const last = readLimit('to', to, dateLimit);
  if (first.at >= last.at) badRange('to', 'must be a later day than "from", because a format has at least two values');
  const size = last.at - first.at + 1;
  const base = first.at;
  const range = `from ${first.text} to ${last.text}`;
  return makeFormat(
    { type: 'date', from: first.text, to: last.text },
    {
      kind: 'index',
      descriptor: ['date@1', first.text, last.text],
      smallest: { size: BigInt(size), because: `the days ${range}: ${size}` },
      hasClear: false,
      visible: 'only the limits',
      outline: { min: 10, max: 10, at: (position) => (position === 4 || position === 7 ? '-' : '0123456789') },
      sample: { ...NO_PARTS, size, index: 0 },
      split(text) {
        const day = text.length === 10 ? readDay(text) : NO_FORM;
        const index = day - base;
        if (day < 0 || index < 0 || index >= size) refuse('date', 'YYYY-MM-DD', range, day === NO_DAY);
        return { shape: '', clear: '', layout: null, size, index };
      },
      assemble: (_, index) => writeDay(base + (index as number)),
    },
  ) as DateFormat;
}

/**
 * ISO 8601 dates with a time of day, to the second, from `from` to `to`, both included: `2024-02-29T23:59:59`.
 *
 * Values end in `Z` (universal time) if both limits do, and have no `Z` (local time of any place) if neither limit has.
 * No zone is ever guessed and no offset is accepted. Limits with `Z` and without are two formats, which never join. A
 * space in place of the `T` is layout: it is put back when the value is revealed, and it changes no output. The leap
 * second `:60`, `24:00:00`, fractions of a second and lower-case letters are refused.
 *
 * *Warning*: the output does not keep order, times of day or intervals. A time that many records share, such as
 * midnight, can be seen from how often it occurs.
 *
 * @param options `from` and `to` in the form of the values, with `T`. They enter the key derivation.
 * @throws TypeError or RangeError if a limit is not a time, if only one has a `Z`, or if there are fewer than two times
 *   between them.
 *
 * @example
 * ```ts
 * import { dateTime } from 'trefoil/format';
 *
 * const seen = dateTime({ from: '2020-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' });
 * seen.test('2024-02-29T12:30:00Z'); // → true
 * seen.test('2024-02-29 12:30:00Z'); // → true
 * seen.test('2024-02-29T12:30:00'); // → false
 * seen.size; // → 315619200n
 * ```
 */
export function dateTime(options: Span): DateTimeFormat {
  const { from, to } = checkOptions('options', options, ['from', 'to']);
  const first = readLimit('from', from, timeLimit);
  const last = readLimit('to', to, timeLimit);
  const zone = first.text.slice(19);
  if (zone !== last.text.slice(19)) badRange('to', 'expected a "Z" at the end of both limits or of neither');
  if (first.at >= last.at) badRange('to', 'must be a later time than "from", because a format has at least two values');
  const size = last.at - first.at + 1;
  const base = first.at;
  const range = `from ${first.text} to ${last.text}`;
  const length = 19 + zone.length;
  return makeFormat(
    { type: 'dateTime', from: first.text, to: last.text },
    {
      kind: 'index',
      descriptor: ['dateTime@1', first.text, last.text],
      smallest: { size: BigInt(size), because: `the seconds ${range}: ${size}` },
      hasClear: false,
      visible: 'only the limits',
      outline: {
        min: length,
        max: length,
        at(position) {
          if (position === 10) return 'T ';
          if (position === 13 || position === 16) return ':';
          return position === 4 || position === 7 ? '-' : position === 19 ? zone : '0123456789';
        },
      },
      sample: { ...NO_PARTS, layout: 'T', size, index: 0 },
      split(text) {
        const time = text.length === length && text.endsWith(zone) ? readTime(text) : NO_FORM;
        if (time === NO_FORM) refuseTail(text, zone);
        const index = time - base;
        if (time < 0 || index < 0 || index >= size)
          refuse('time', `YYYY-MM-DDTHH:MM:SS${zone}`, range, time === NO_DAY);
        return { shape: '', clear: '', layout: text[10]!, size, index };
      },
      assemble: ({ layout }, index) => writeTime(base + (index as number), layout as string) + zone,
    },
  ) as DateTimeFormat;
}

/** What may follow the seconds of a time: their fraction, and an offset from UTC. */
const TAIL = /* @__PURE__ */ makeTail();

function makeTail(): RegExp {
  return new RegExp(`^[0-9-]{10}[T ][0-9:]{8}([.,][0-9]+)?(${OFFSET})?$`);
}

/** Refuses a time of another form with what to do about it. Returns if it is no time at all. */
function refuseTail(text: string, zone: string): void {
  const [, fraction, offset] = TAIL.exec(text) ?? [];
  if (fraction !== undefined) fail('outside_format', 'the time has a fraction of a second, and the format has none');
  if (offset !== undefined && offset !== zone) {
    const wanted = zone === '' ? 'without an offset' : 'in UTC, with Z at the end';
    fail('outside_format', `the time has an offset from UTC that the format does not have; write it ${wanted}`);
  }
}

function refuse(kind: string, form: string, range: string, isImpossible: boolean): never {
  const problem = isImpossible ? `the ${kind} does not exist; expected` : `the value is not a ${kind} of`;
  fail('outside_format', `${problem} the form ${form}, ${range}`);
}

/**
 * Days of all years before a year, both counted from March: 365 each, and one more every 4, not every 100, but every
 * 400.
 */
function daysBefore(year: number): number {
  return 365 * year + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
}

/** The day number of the date in the first ten characters, counted from 0000-03-01 as 0; else `NO_FORM` or `NO_DAY`. */
export function readDay(text: string): number {
  const century = pair(text, 0);
  const rest = pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  if ((century | rest | month | day) < 0 || text[4] !== '-' || text[7] !== '-') return NO_FORM;
  const year = century * 100 + rest;
  if (year === 0 || month === 0 || month > 12 || day === 0 || day > MONTH_LENGTHS[month]!) return NO_DAY;
  if (month === 2 && day === 29 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0))) return NO_DAY;
  return daysBefore(month < 3 ? year - 1 : year) + MONTH_STARTS[month]! + day - 1;
}

/** The date of a day number. */
export function writeDay(day: number): string {
  // The mean length of a year gives a year that is at most one too early or too late.
  let year = Math.floor(day / 365.2425);
  if (daysBefore(year) > day) year--;
  else if (daysBefore(year + 1) <= day) year++;
  const ofYear = day - daysBefore(year);
  // Ten characters: V8 copies strings of up to 12 when it joins them, so the result is flat (40 ns, measured; a table
  // of all days of a century saves 35 ns and takes 3 MB).
  return YEARS[ofYear >= JANUARY ? year + 1 : year]! + MONTH_DAYS[ofYear]!;
}

/** Seconds from 0000-03-01 to the date and time in the first 19 characters; else `NO_FORM` or `NO_DAY`. */
function readTime(text: string): number {
  const day = readDay(text);
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  const second = pair(text, 17);
  const separator = text[10];
  if (separator !== 'T' && separator !== ' ') return NO_FORM;
  if ((hour | minute | second) < 0 || text[13] !== ':' || text[16] !== ':') return NO_FORM;
  if (day < 0) return day;
  if (hour > 23 || minute > 59 || second > 59) return NO_DAY;
  return day * DAY_SECONDS + hour * 3600 + minute * 60 + second;
}

function writeTime(time: number, separator: string): string {
  const day = Math.floor(time / DAY_SECONDS);
  const second = time - day * DAY_SECONDS;
  const minute = Math.floor(second / 60);
  const hour = Math.floor(minute / 60);
  const clock = `${PAIRS[hour]}:${PAIRS[minute - hour * 60]}:${PAIRS[second - minute * 60]}`;
  return writeDay(day) + separator + clock;
}

/** Two ASCII digits as a number, or -1. After the end of the text the code is NaN, which is not a digit. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

interface LimitKind {
  readonly read: (text: string) => number;
  readonly form: string;
}

const dateLimit: LimitKind = {
  read: (text) => (text.length === 10 ? readDay(text) : NO_FORM),
  form: 'a date YYYY-MM-DD, years 0001 to 9999',
};

const timeLimit: LimitKind = {
  read: (text) =>
    text[10] === 'T' && (text.length === 19 || (text.length === 20 && text[19] === 'Z')) ? readTime(text) : NO_FORM,
  form: 'a time YYYY-MM-DDTHH:MM:SS, with or without Z, years 0001 to 9999',
};

function readLimit(argument: string, value: unknown, kind: LimitKind): { text: string; at: number } {
  if (typeof value !== 'string') badType(argument, `expected ${kind.form}, got ${typeName(value)}`);
  const at = kind.read(value);
  if (at < 0) badRange(argument, `expected ${kind.form}${at === NO_DAY ? '; this one does not exist' : ''}`);
  return { text: value, at };
}
