/**
 * Civil dates: days of the proleptic Gregorian calendar as ISO 8601 writes them
 * (RFC 3339, section 5.6: https://www.rfc-editor.org/rfc/rfc3339#section-5.6), alone or before a time of day.
 *
 * Neither `Date` nor time zones are involved: a date is a day number. Of a time of day that follows it, only the form
 * is checked. Years are counted from the first of March, so that the leap day is the last day of its year.
 */

import { fail } from '../errors.ts';

/** A date. */
export interface CivilDate {
  /** 0 to 9999, as written. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** A date, alone or followed by hours and minutes. Seconds, their fraction and an offset from UTC may follow these. */
const FORM =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$/;

/** How many characters `YYYY-MM-DD` has. */
export const DATE_LENGTH = 10;

/** How many days each calendar month has, from 1; February in a common year. */
const MONTH_LENGTHS: readonly number[] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Code of the digit `0`. */
const ZERO = 48;

/** Reads the date at the beginning of a text. @throws TrefoilError `not_a_date` if the text is not a date. */
export function readCivilDate(text: string): CivilDate {
  if (!FORM.test(text)) fail('not_a_date', 'expected a date such as 2024-03-31, or a date followed by a time');
  const year = 100 * pair(text, 0) + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  if (!isCivilDate(year, month, day)) fail('not_a_date', 'the calendar has no such date');
  return { year, month, day };
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
