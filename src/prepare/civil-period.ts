/** Periods of the calendar: the day, ISO week, month, quarter or year in which a date lies (ISO 8601). */

import {
  type CivilDate,
  dayNumber,
  isWritable,
  readCivilDate,
  readPartialDate,
  writeCivilDate,
} from '../core/civil-date.ts';
import { fail } from '../errors.ts';

/** The kinds of periods. */
export const PERIODS = ['day', 'week', 'month', 'quarter', 'year'] as const;
export type PeriodUnit = (typeof PERIODS)[number];

const FORMS: readonly (readonly [PeriodUnit, RegExp])[] = [
  ['day', /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/],
  ['week', /^[0-9]{4}-W[0-9]{2}$/],
  ['month', /^[0-9]{4}-[0-9]{2}$/],
  ['quarter', /^[0-9]{4}-Q[1-4]$/],
  ['year', /^[0-9]{4}$/],
];

/** The kind of the period that a text names; `null` if there is no such period: 2024 has no month 13 and no week 53. */
export function unitOf(text: string): PeriodUnit | null {
  const unit = FORMS.find(([, form]) => form.test(text))?.[0];
  return unit !== undefined && isPeriod(unit, text) ? unit : null;
}

function isPeriod(unit: PeriodUnit, text: string): boolean {
  const year = text.slice(0, 4);
  // 28 December is in the last ISO week of its year. All weeks have two digits, so they compare as texts.
  if (unit === 'week')
    return year !== '0000' && text >= `${year}-W01` && text <= weekOf(readCivilDate(`${year}-12-28`));
  try {
    return periodOf(unit, unit === 'quarter' ? year + QUARTERS[Number(text.at(-1)) - 1]! : text) === text;
  } catch {
    // No date lies in it.
    return false;
  }
}

/** The first month of each quarter. */
const QUARTERS = ['-01', '-04', '-07', '-10'];

/** Day 0, 0000-03-01, was a Wednesday. */
const WEDNESDAY = 2;

/**
 * Returns the text of the period in which a date lies: `2024-03-01`, `2024-W09`, `2024-03`, `2024-Q1` or `2024`. Texts
 * of different kinds are never equal.
 *
 * @param text a date, alone or before a time, whose time zone does not matter. A year, or a year and a month, will do
 *   if the period needs no more.
 * @throws TrefoilError `not_a_date` if the text is no date of the years 0001 to 9999.
 */
export function periodOf(unit: PeriodUnit, text: string): string {
  if (unit === 'day' || unit === 'week') {
    const date = readCivilDate(text);
    if (!isWritable(dayNumber(date))) fail('not_a_date', 'expected a date of the years 0001 to 9999');
    return unit === 'day' ? text.slice(0, 10) : weekOf(date);
  }
  const { month } = readPartialDate(text);
  const year = text.slice(0, 4);
  if (year === '0000') fail('not_a_date', 'expected a date of the years 0001 to 9999');
  if (unit === 'year') return year;
  if (month === null) fail('not_a_date', `the date is a year alone, and a ${unit} needs the month, too`);
  return unit === 'month' ? text.slice(0, 7) : `${year}-Q${Math.ceil(month / 3)}`;
}

/**
 * The ISO week of a date. The week belongs to the year that has its Thursday: 2024-12-30 is in `2025-W01`.
 */
function weekOf(date: CivilDate): string {
  const days = dayNumber(date);
  const monday = days - ((days + WEDNESDAY) % 7);
  const year = writeCivilDate(monday + 3).slice(0, 4);
  const first = dayNumber({ year: Number(year), month: 1, day: 1 });
  return `${year}-W${String(Math.floor((monday + 3 - first) / 7) + 1).padStart(2, '0')}`;
}
