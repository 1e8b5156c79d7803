/**
 * The readings: named forms of dates and numbers that are not those of ISO 8601 and JSON
 * (docs/spec/prepare-v1.md, "Readings"). A reading never changes; a better one gets a new name.
 */

import { badRange, checkOneOf, checkText, typeName } from '../core/checks.ts';
import { checkCivilDate, dayNumber, isWritable, OFFSET, writeCivilDate } from '../core/civil-date.ts';
import { inputText } from '../core/input-text.ts';
import { asNumber, jsonNumber, jsonNumberText } from '../core/json/number.ts';
import { fail } from '../errors.ts';
import { nationalPhone } from './phone-number.ts';
import { makeReading, type ReadDate, type Reading, type ReadingEngine } from './reading.ts';
import { trimText } from './space.ts';

/** The forms of dates that {@link readDate} knows. */
export type DateForm = 'DD.MM.YYYY' | 'DD/MM/YYYY' | 'MM/DD/YYYY' | 'YYYYMMDD';

const DATE_FORMS: readonly DateForm[] = ['DD.MM.YYYY', 'DD/MM/YYYY', 'MM/DD/YYYY', 'YYYYMMDD'];

/** The units of {@link readEpoch}. */
export type EpochUnit = 'seconds' | 'milliseconds';

const UNITS: readonly EpochUnit[] = ['seconds', 'milliseconds'];

/**
 * Reads dates that are written in another order: `31.03.2024`, `3/31/2024`, `20240331`. The result is `YYYY-MM-DD`.
 * Day and month may have one digit, except in `YYYYMMDD`; the year has four. White space at the ends is ignored.
 *
 * A time may follow: `31.03.2024 8:15`, `20240331081500`, `20240331T081500Z`. It has 24 hours, and may have seconds,
 * their fraction and an offset from UTC. The result is then `YYYY-MM-DDTHH:MM`, with what else was there; an offset of
 * zero becomes `Z`. A number of NDJSON may be `YYYYMMDD`.
 *
 * @throws RangeError for another form. Of a value: TrefoilError `not_a_date` if it is not a date of this form, and no
 *   other form is tried; `wrong_type`; `lone_surrogate`.
 * @see docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { keyset, token } from 'trefoil';
 * import { readDate } from 'trefoil/prepare';
 *
 * const keys = keyset.generate().domain('eu');
 * const german = token({ scope: 'born', read: readDate('DD.MM.YYYY') }).bind(keys);
 * german.protect('12.3.1984') === token({ scope: 'born' }).bind(keys).protect('1984-03-12'); // → true
 * ```
 */
export function readDate<const Form extends DateForm>(form: Form): Reading<Form> {
  checkOneOf('form', form, DATE_FORMS);
  const parse = form === 'YYYYMMDD' ? parseBasic : parseApart(form);
  const engine: ReadingEngine = {
    kind: 'date',
    makes: 'YYYY-MM-DD',
    read(value) {
      const { year, month, day, rest } = parse(dateInput(value, form), form);
      return writeIso(dayNumber(checkCivilDate(year, month, day, `, read as ${form}`))) + clockOf(rest, form);
    },
    readDate(value): ReadDate {
      const { year, month, day, rest } = parse(dateInput(value, form), form);
      clockOf(rest, form);
      return {
        day: dayNumber(checkCivilDate(year, month, day, `, read as ${form}`)),
        withDay: (moved) => likeInput(value, writeAs(form, writeCivilDate(moved)) + rest),
      };
    },
  };
  return makeReading(form, engine);
}

/** A date before the calendar was asked, and the text that follows it. */
interface Parsed {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly rest: string;
}

type Parse = (text: string, form: string) => Parsed;

function dateInput(value: unknown, form: string): string {
  if (value instanceof Date) fail('wrong_type', `expected text in the form ${form}, got a Date object`);
  return trimText(inputText(value));
}

/** Dates whose parts are apart from each other. */
function parseApart(form: DateForm): Parse {
  const mark = form.charAt(2);
  const isMonthFirst = form.startsWith('MM');
  const whole = new RegExp(`^([0-9]{1,2})[${mark}]([0-9]{1,2})[${mark}]([0-9]+)(?![0-9])(.*)$`, 's');
  return (text) => {
    const [, first, second, year, rest] = whole.exec(text) ?? [];
    if (first === undefined) refuse(form);
    if (year!.length !== 4) fail('not_a_date', `the year does not have four digits; expected the form ${form}`);
    const [day, month] = isMonthFirst ? [second, first] : [first, second];
    return { year: Number(year), month: Number(month), day: Number(day), rest: rest! };
  };
}

const BASIC = /^([0-9]{4})([0-9]{2})([0-9]{2})(.*)$/s;

function parseBasic(text: string, form: string): Parsed {
  const [, year, month, day, rest] = BASIC.exec(text) ?? [];
  if (year === undefined) refuse(form);
  return { year: Number(year), month: Number(month), day: Number(day), rest: rest! };
}

function refuse(form: string): never {
  fail('not_a_date', `expected a date in the form ${form}, alone or followed by a time`);
}

/** A time of day: with colons, and after `YYYYMMDD` also without and without a separator. */
const CLOCK = /* @__PURE__ */ clock('[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?');
const BASIC_CLOCK = /* @__PURE__ */ clock('[T ]?([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:[.,]([0-9]{1,9}))?)?');

// Made by a call without side effects, so that a bundle without readings drops them.
function clock(time: string): RegExp {
  return new RegExp(`^${time}(${OFFSET})?$`);
}

/** The time of day that follows a date, as ISO 8601 writes it; empty if there is none. */
function clockOf(rest: string, form: string): string {
  if (rest === '') return '';
  const found = CLOCK.exec(rest) ?? (form === 'YYYYMMDD' ? BASIC_CLOCK.exec(rest) : null);
  if (found === null) {
    const message = `what follows the date is not a time of 24 hours, such as 08:15 or 08:15:00; expected the form ${form}`;
    fail('not_a_date', message);
  }
  const [, hour, minute, second, fraction, offset = ''] = found;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60) {
    fail('not_a_date', `the clock has no such time, after a date in the form ${form}`);
  }
  const seconds = second === undefined ? '' : `:${second}${fraction === undefined ? '' : `.${fraction}`}`;
  return `T${hour!.padStart(2, '0')}:${minute}${seconds}${offsetOf(offset.trim())}`;
}

/** An offset from UTC in one spelling: `Z` for none, and else `+HH:MM`, with seconds if it has any. */
function offsetOf(text: string): string {
  if (text === '') return '';
  const digits = text.replace(/[^0-9]/g, '').padEnd(4, '0');
  if (/^0*$/.test(digits) || text === 'Z' || text === 'UTC') return 'Z';
  const seconds = digits.length > 4 ? `:${digits.slice(4)}` : '';
  return `${text.charAt(0)}${digits.slice(0, 2)}:${digits.slice(2, 4)}${seconds}`;
}

function writeIso(day: number): string {
  if (!isWritable(day)) fail('outside_format', 'expected a date of the years 0001 to 9999');
  return writeCivilDate(day);
}

/** Writes the date of an ISO text in a form, with two digits for day and month. */
function writeAs(form: DateForm, iso: string): string {
  const [year, month, day] = iso.split('-') as [string, string, string];
  return form.replace('YYYY', year).replace('MM', month).replace('DD', day);
}

/** A text in the type of the value that it came from, so that numbers stay numbers. */
function likeInput(value: unknown, text: string): unknown {
  if (typeof value === 'number') return Number(text);
  if (typeof value === 'bigint') return BigInt(text);
  return jsonNumberText(value) === null ? text : asNumber(jsonNumber(text));
}

/** A time since 1970, in seconds or milliseconds: at most 18 digits, and at most 9 decimals. */
const EPOCH = /^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?$/;

const DAY_SECONDS = 86_400n;

/** Day number of 1970-01-01. */
const UNIX_DAY: number = /* @__PURE__ */ dayNumber({ year: 1970, month: 1, day: 1 });

/**
 * Reads a time as the number of seconds or milliseconds since 1970 began in UTC: a number of NDJSON or of code, a
 * `bigint`, or a text in decimal. Both units may have decimals. The result is the time in UTC with at least three
 * decimals, as `Date` writes it: `2024-03-31T08:15:00.000Z`.
 *
 * *Warning*: the unit cannot be seen in a number. Milliseconds that are read as seconds mostly are of years after 9999
 * and are refused; seconds that are read as milliseconds are days in January 1970.
 *
 * @throws RangeError for another unit. Of a value: TrefoilError `not_a_date` if it is not such a number,
 *   `outside_format` if it is not a time of the years 0001 to 9999.
 * @see docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { coarsen, keyset, policy } from 'trefoil';
 * import { readEpoch } from 'trefoil/prepare';
 *
 * const born = coarsen({ date: 'year', read: readEpoch('milliseconds') });
 * policy({ born }).bind(keyset.generate().domain('eu')).protect({ born: 448070400000 }); // → { born: '1984' }
 * ```
 */
export function readEpoch<const Unit extends EpochUnit>(unit: Unit): Reading<`epoch ${Unit}`> {
  checkOneOf('unit', unit, UNITS);
  const unitScale = unit === 'seconds' ? 0 : 3;

  /** The number as a whole number of decimal fractions of a second, and how many digits these have. */
  function parse(value: unknown): { readonly digits: bigint; readonly decimals: number; readonly perSecond: bigint } {
    const text = epochText(value, unit);
    if (!EPOCH.test(text) || /^-[0.]*$/.test(text)) {
      fail('not_a_date', `expected a time in ${unit} since 1970, as a plain decimal number`);
    }
    const point = text.indexOf('.');
    const decimals = point === -1 ? 0 : text.length - point - 1;
    return { digits: BigInt(text.replace('.', '')), decimals, perSecond: 10n ** BigInt(unitScale + decimals) };
  }

  function dayOf(seconds: bigint): number {
    const day = UNIX_DAY + Number(floorDivide(seconds, DAY_SECONDS));
    if (!isWritable(day)) {
      const hint = unit === 'seconds' ? '; if the column is in milliseconds, write read: epoch milliseconds' : '';
      fail('outside_format', `expected a time in ${unit} since 1970 of the years 0001 to 9999${hint}`);
    }
    return day;
  }

  return makeReading(`epoch ${unit}`, {
    kind: 'date',
    makes: 'YYYY-MM-DDTHH:MM:SS.sssZ',
    read(value) {
      const { digits, perSecond } = parse(value);
      const seconds = floorDivide(digits, perSecond);
      const day = dayOf(seconds);
      const clock = Number(seconds - floorDivide(seconds, DAY_SECONDS) * DAY_SECONDS);
      const two = (n: number) => `${Math.floor(n)}`.padStart(2, '0');
      const time = `${two(clock / 3600)}:${two((clock / 60) % 60)}:${two(clock % 60)}`;
      // At least three digits; zeros after these are left out.
      const fraction = (digits - seconds * perSecond).toString().padStart(perSecond.toString().length - 1, '0');
      return `${writeCivilDate(day)}T${time}.${fraction.padEnd(3, '0').replace(/^(.{3}.*?)0*$/, '$1')}Z`;
    },
    readDate(value) {
      const { digits, decimals, perSecond } = parse(value);
      const day = dayOf(floorDivide(digits, perSecond));
      const withDay = (moved: number) =>
        likeInput(value, writeDecimal(digits + BigInt(moved - day) * DAY_SECONDS * perSecond, decimals));
      return { day, withDay };
    },
  });
}

function epochText(value: unknown, unit: EpochUnit): string {
  if (typeof value === 'string') return trimText(checkText(value));
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const number = jsonNumberText(value);
  if (number !== null) return number;
  return fail('wrong_type', `expected a time in ${unit} since 1970, got ${typeName(value)}`);
}

/** Writes a whole number with so many decimals. */
function writeDecimal(digits: bigint, decimals: number): string {
  if (decimals === 0) return digits.toString();
  const text = (digits < 0n ? -digits : digits).toString().padStart(decimals + 1, '0');
  return `${digits < 0n ? '-' : ''}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}

/** Groups of three digits between dots, or no dots at all; then a comma and decimals. */
const COMMA = /^-?(?:0|[1-9][0-9]{0,37}|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,12})(?:,[0-9]{1,38})?$/;

/**
 * Reads numbers with a comma before the decimals, and perhaps dots between groups of three digits: `1.234,50` becomes
 * `1234.50`, and `1.234` becomes `1234`. The digits stay as they are. White space at the ends is ignored. At most 38
 * digits on either side of the comma.
 *
 * @param form `1.234,5`, the one form that there is.
 * @throws RangeError for another form. Of a value: TrefoilError `not_a_number` if it is not such a number, for example
 *   if a dot is anywhere else (`12.34`); `wrong_type` if it is not text; `lone_surrogate`.
 * @see docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { coarsen, keyset, policy } from 'trefoil';
 * import { readNumber } from 'trefoil/prepare';
 *
 * const spent = coarsen({ number: 100, read: readNumber('1.234,5') });
 * policy({ spent }).bind(keyset.generate().domain('eu')).protect({ spent: '1.234,50' }); // → { spent: '1200' }
 * ```
 */
export function readNumber(form: '1.234,5'): Reading<'1.234,5'> {
  checkOneOf('form', form, ['1.234,5']);
  return makeReading('1.234,5', {
    kind: 'number',
    makes: '1234.5',
    read(value) {
      if (typeof value !== 'string') fail('wrong_type', `expected text in the form ${form}, got ${typeName(value)}`);
      const text = trimText(checkText(value));
      if (!COMMA.test(text)) {
        const message =
          `expected a number in the form ${form}: a comma before the decimals, and dots only between groups of three ` +
          'digits, so 1.234 is one thousand two hundred and thirty-four';
        fail('not_a_number', message);
      }
      return text.replaceAll('.', '').replace(',', '.');
    },
  });
}

/**
 * Reads telephone numbers as they are written in a country: `030/901820` and `(030) 901820` of `DE` become
 * `+4930901820`. International numbers of any country are read, too, if they begin with `+` or with what is dialled in
 * the country before one, such as `00`. The result is what the step `phone` makes of the same number with its country
 * code. White space at the ends is ignored.
 *
 * A number without its area code cannot be completed, and a number that begins with its country code but without `+` is
 * taken for a national one.
 *
 * @param country the code of ISO 3166-1 in two capitals, such as `DE`; `XK` for Kosovo.
 * @throws RangeError if there is no such country, or if its national numbers cannot be read (Argentina, Gabon, Rwanda).
 *   Of a value: TrefoilError `not_a_phone`; `wrong_type` if it is not text; `lone_surrogate`.
 * @see docs/spec/prepare-v1.md.
 *
 * @example
 * ```ts
 * import { keyset, token } from 'trefoil';
 * import { phone, readPhone } from 'trefoil/prepare';
 *
 * const keys = keyset.generate().domain('eu');
 * const german = token({ scope: 'phone', read: readPhone('DE'), prepare: phone }).bind(keys);
 * german.protect('030/901820') === german.protect('+49 (0)30 901820'); // → true
 * ```
 */
export function readPhone<const Country extends string>(country: Country): Reading<`phone ${Country}`> {
  const read = typeof country === 'string' ? nationalPhone(country) : `expected text, got ${typeName(country)}`;
  if (typeof read === 'string') badRange('country', read);
  return makeReading(`phone ${country}`, {
    kind: 'phone',
    makes: '+4930901820',
    read(value) {
      if (typeof value !== 'string') {
        fail('wrong_type', `expected a telephone number as text, got ${typeName(value)}; a number has lost its zeros`);
      }
      return read(checkText(value));
    },
  });
}

/** The names of all readings in a policy file, for messages. `phone DE` stands for those of all countries. */
export const READING_NAMES: readonly string[] = [
  'DD.MM.YYYY',
  'DD/MM/YYYY',
  'MM/DD/YYYY',
  'YYYYMMDD',
  'epoch seconds',
  'epoch milliseconds',
  '1.234,5',
  'phone DE',
];

/**
 * Returns the reading of a name, for policy files. A reading with a parameter has it after its word, as `epoch` has its
 * unit; the word is looked at here, and the parameter by the function that makes the reading.
 *
 * @throws RangeError for `phone` with a country that cannot be read.
 */
export function readingByName(name: string): Reading | undefined {
  if (DATE_FORMS.includes(name as DateForm)) return readDate(name as DateForm);
  if (name === '1.234,5') return readNumber(name);
  const space = name.indexOf(' ');
  const [word, parameter] = [name.slice(0, space), name.slice(space + 1)];
  if (word === 'epoch' && UNITS.includes(parameter as EpochUnit)) return readEpoch(parameter as EpochUnit);
  if (word === 'phone') return readPhone(parameter);
  return undefined;
}
