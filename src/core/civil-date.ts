/**
 * Civil dates: days of the proleptic Gregorian calendar as ISO 8601 writes them
 * (RFC 3339, section 5.6: https://www.rfc-editor.org/rfc/rfc3339#section-5.6), alone or before a time of day.
 *
 * A time and its offset may also be written as PostgreSQL, DuckDB, Spark, BigQuery and FHIR write them
 * (https://www.postgresql.org/docs/current/datatype-datetime.html, section 8.5.2; FHIR R4,
 * https://hl7.org/fhir/R4/datatypes.html#dateTime): `2024-03-31 08:15:00.123456+00`, `-00:25:21`, ` UTC`.
 *
 * No time zones are involved: a date is a day number. Of a time of day that follows it, only the form is checked. Years
 * are counted from the first of March, so that the leap day is the last day of its year.
 */

import { fail } from '../errors.ts';

/** A date. */
export interface CivilDate {
  /** 0 to 9999, as written. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** A date of which only the year may be known, or the year and the month. */
export interface PartialDate {
  readonly year: number;
  readonly month: number | null;
  readonly day: number | null;
}

/**
 * An offset from UTC, as a part of a regular expression: `Z`, `UTC`, or hours, which minutes may follow with or without
 * a colon, and seconds with one. A space may precede it.
 */
export const OFFSET = ' ?(?:Z|UTC|[+-][0-9]{2}(?:[0-9]{2}|:[0-9]{2}(?::[0-9]{2})?)?)';

/** A date, alone or followed by hours and minutes. Seconds, their fraction and an offset from UTC may follow these. */
const FORM = /* @__PURE__ */ makeForm();

function makeForm(): RegExp {
  const time = `[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:${OFFSET})?`;
  return new RegExp(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:${time})?$`);
}

/** A year, alone or with a month: dates of FHIR that are not known to the day. */
const PARTIAL = /^[0-9]{4}(?:-[0-9]{2})?$/;

/** Dates that PostgreSQL writes and this module does not have. */
const FOREIGN = /^[+-]?infinity$| BC$/i;

/** How many characters `YYYY-MM-DDTHH:MM:SS.sssZ` has. */
const ISO_LENGTH = 24;

/** How many characters `YYYY-MM-DD` has. */
export const DATE_LENGTH = 10;

/** How many days each calendar month has, from 1; February in a common year. */
const MONTH_LENGTHS: readonly number[] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Code of the digit `0`. */
const ZERO = 48;

/** Reads the date at the beginning of a text. @throws TrefoilError `not_a_date` if the text is not a date. */
export function readCivilDate(text: string): CivilDate {
  if (!FORM.test(text)) refuseDate(text);
  return checkCivilDate(100 * pair(text, 0) + pair(text, 2), pair(text, 5), pair(text, 8));
}

/** The same for a date that may also be a year, or a year and a month: `1984`, `1984-03`. */
export function readPartialDate(text: string): PartialDate {
  if (!PARTIAL.test(text)) return readCivilDate(text);
  const year = 100 * pair(text, 0) + pair(text, 2);
  if (text.length === 4) return { year, month: null, day: null };
  return { ...checkCivilDate(year, pair(text, 5), 1), day: null };
}

function refuseDate(text: string): never {
  if (PARTIAL.test(text)) fail('not_a_date', 'the date has no day; expected a whole date such as 2024-03-31');
  if (FOREIGN.test(text)) {
    const message =
      'infinity, -infinity and dates BC, as PostgreSQL writes them, are not dates of the years 0000 to 9999; ' +
      'name infinity in missing if it means that there is no date';
    fail('not_a_date', message);
  }
  fail(
    'not_a_date',
    'expected a date such as 2024-03-31, or a date followed by a time; if all dates have another form, name it in read',
  );
}

/**
 * Returns a date that the calendar has.
 *
 * @param as the end of the message, such as `, read as DD.MM.YYYY`.
 * @throws TrefoilError `not_a_date` if the calendar has no such date.
 */
export function checkCivilDate(year: number, month: number, day: number, as = ''): CivilDate {
  if (!isCivilDate(year, month, day)) fail('not_a_date', `the calendar has no such date${as}`);
  return { year, month, day };
}

/**
 * Returns the text of a `Date` object: ISO 8601 in UTC with milliseconds, as `JSON.stringify` writes it.
 *
 * @throws TrefoilError `not_a_date` if the object is an invalid date, or of a year before 0000 or after 9999.
 */
export function dateText(date: Date): string {
  const time = Date.prototype.getTime.call(date);
  if (Number.isNaN(time)) fail('not_a_date', 'the Date object is an invalid date');
  const text = new Date(time).toISOString();
  if (text.length !== ISO_LENGTH) fail('not_a_date', 'the Date object is of a year before 0000 or after 9999');
  return text;
}

function pair(text: string, at: number): number {
  return 10 * (text.charCodeAt(at) - ZERO) + (text.charCodeAt(at + 1) - ZERO);
}

function isCivilDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= MONTH_LENGTHS[month]! + (month === 2 && leap ? 1 : 0);
}

/** Returns the number of days from 0000-03-01 to the first of March of a year. */
function yearStart(year: number): number {
  return 365 * year + Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
}

/**
 * Returns the number of days in a year before a month, both counted from March (0). From there the lengths of months
 * are 31 30 31 30 31, again 31 30 31 30 31, and then January and February.
 */
function monthStart(month: number): number {
  return Math.floor((153 * month + 2) / 5);
}

/** Returns the day number of a date: the number of days from 0000-03-01. */
export function dayNumber({ year, month, day }: CivilDate): number {
  const fromMarch = (month + 9) % 12;
  return yearStart(month < 3 ? year - 1 : year) + monthStart(fromMarch) + day - 1;
}

/** The first and the last day of the years 0001 to 9999. */
const FIRST: number = /* @__PURE__ */ dayNumber({ year: 1, month: 1, day: 1 });
const LAST: number = /* @__PURE__ */ dayNumber({ year: 9999, month: 12, day: 31 });

/** Returns whether a day lies in the years 0001 to 9999. */
export function isWritable(days: number): boolean {
  return days >= FIRST && days <= LAST;
}

/** `00` to `99`. */
const PAIRS: readonly string[] = /* @__PURE__ */ Array.from({ length: 100 }, (_, n) => `${n}`.padStart(2, '0'));

/** Returns `YYYY-MM-DD` of a day number. The year must have four digits. */
export function writeCivilDate(days: number): string {
  // 400 years have 146,097 days. The quotient is off by at most one, and only near the ends of a year.
  let year = Math.floor((400 * days) / 146_097);
  if (yearStart(year) > days) year--;
  else if (yearStart(year + 1) <= days) year++;
  const rest = days - yearStart(year);
  const fromMarch = Math.floor((5 * rest + 2) / 153);
  const day = rest - monthStart(fromMarch) + 1;
  // January and February belong to the year that began in the March before.
  if (fromMarch > 9) year++;
  const month = fromMarch > 9 ? fromMarch - 9 : fromMarch + 3;
  return `${PAIRS[Math.floor(year / 100)]}${PAIRS[year % 100]}-${PAIRS[month]}-${PAIRS[day]}`;
}
