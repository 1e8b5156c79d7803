/**
 * Telephone numbers as people write them: with layout, with the trunk prefix in brackets, in national form. The result
 * is the form of Recommendation ITU-T E.164 (https://www.itu.int/rec/T-REC-E.164): `+`, the country code and the
 * number.
 */

import { fail } from '../errors.ts';
import { countryCodeLength } from '../format/phone/countries.ts';
import { asciiPhone } from './ascii-values.ts';
import { type NationalPlan, nationalPlan, OWN_ZEROS, TRUNKS } from './phone-countries.ts';
import { trimText } from './space.ts';

/** The characters of a phone number: digits, and layout between them. */
const CHARACTERS = /^[0-9 \u00a0\u202f\-\u2010-\u2013./()]*$/;

/** Brackets come in pairs, are not nested and are not empty. */
const BRACKETS = /^[^()]*(?:\([^()]+\)[^()]*)*$/;

/** E.164, clause 6.1: the most digits of a number, its country code included. */
const MAX_DIGITS = 15;

/** The most digits that are read: those of a number, and of prefixes before it. */
const MAX_WRITTEN = MAX_DIGITS + 9;

/** The digits of a number, and the digits in each pair of brackets with the number of digits before it. */
interface Digits {
  readonly all: string;
  readonly groups: readonly { readonly digits: string; readonly at: number }[];
}

/** Reads the digits of a text in which a `+` was removed. */
function readDigits(text: string): Digits {
  if (!CHARACTERS.test(text)) {
    fail(
      'not_a_phone',
      'the number has a character that is neither a digit nor layout (space, hyphen, dot, slash, brackets)',
    );
  }
  if (!BRACKETS.test(text)) fail('not_a_phone', 'the brackets of the number are not in pairs');
  const groups: { digits: string; at: number }[] = [];
  let all = '';
  let open = 0;
  for (const character of text) {
    if (character >= '0' && character <= '9') all += character;
    else if (character === '(') open = all.length;
    else if (character === ')' && all.length > open) groups.push({ digits: all.slice(open), at: open });
    // A long text is not read to its end.
    if (all.length > MAX_WRITTEN) checkLength(all);
  }
  return { all, groups };
}

/** Removes a prefix that is alone in brackets at a place, and refuses `(0)` at any other place. */
function withoutBracketed({ all, groups }: Digits, at: number, prefix: string | undefined): string {
  const alone = groups.findIndex((group) => group.at === at && group.digits === prefix);
  if (groups.some(({ digits }, i) => digits === '0' && i !== alone)) {
    fail(
      'not_a_phone',
      'the number has a (0) that is not the trunk prefix of its country; write it without the brackets, and without the ' +
        '0 unless that is dialled from abroad, too',
    );
  }
  return alone < 0 ? all : all.slice(0, at) + all.slice(at + prefix!.length);
}

/**
 * The E.164 form of a number with its country code. A trunk prefix after the code is removed if the table says that it
 * cannot be part of the number.
 */
function international(number: Digits): string {
  const { all } = number;
  const length = all.length < 3 ? 0 : countryCodeLength(Number(all[0]), Number(all[1]), Number(all[2]));
  if (length === 0) fail('not_a_phone', 'the country code of the number is not one that the ITU has assigned');
  const code = all.slice(0, length);
  const trunk = TRUNKS.get(code);
  let digits = withoutBracketed(number, length, trunk?.prefix);
  if (digits === all && trunk !== undefined && !trunk.inBrackets && all.startsWith(trunk.prefix, length)) {
    digits = code + all.slice(length + trunk.prefix.length);
  }
  if (digits[length] === '0' && !OWN_ZEROS.has(code)) {
    fail('not_a_phone', 'the number has a 0 after its country code that is not part of it; leave it out');
  }
  return checkLength(digits);
}

function checkLength(digits: string): string {
  const { length: actual } = digits;
  if (actual < 7 || actual > MAX_DIGITS) {
    const many = actual > MAX_WRITTEN ? `${actual} digits or more` : `${actual} digits`;
    const limits = { minimum: 7, maximum: MAX_DIGITS, actual };
    fail('not_a_phone', `the number has ${many}; with its country code it must have 7 to ${MAX_DIGITS}`, limits);
  }
  return `+${digits}`;
}

/** The prepare step `phone` (docs/spec/prepare-v1.md). */
export function phoneNumber(text: string): string {
  const plain = asciiPhone(text);
  // The usual case: a number that needs no table, because no 0 follows its country code.
  if (plain !== null) {
    const length = countryCodeLength(plain.charCodeAt(1) - 48, plain.charCodeAt(2) - 48, plain.charCodeAt(3) - 48);
    if (length > 0 && plain.charCodeAt(1 + length) !== 48) return plain;
  }
  const number = trimText(text);
  if (number.startsWith('+')) return international(readDigits(number.slice(1)));
  fail(
    'not_a_phone',
    'the number has no country code; write it with + and the country code, or read the field as numbers of a country ' +
      'with read: phone CC, such as read: phone DE',
  );
}

/**
 * Makes the reading `phone CC`: it takes numbers as they are written in a country, and international numbers that begin
 * with `+` or with what is dialled there before one, such as `00`. The result is a number in the form of E.164, which
 * the steps `phone` and `phoneE164` return unchanged.
 *
 * A number without an area code is not completed. A number that begins with its country code and has no `+` is taken
 * for a national one.
 *
 * @param country the code of ISO 3166-1 alpha-2, in capitals: `DE`. XK is Kosovo.
 * @returns the function that reads a text; it throws TrefoilError `not_a_phone`. If the country cannot be read, a text
 *   that says why.
 */
export function nationalPhone(country: string): ((text: string) => string) | string {
  const plan = nationalPlan(country);
  if (typeof plan === 'string') return plan;
  return (text) => {
    const written = trimText(text);
    if (written.startsWith('+')) return international(readDigits(written.slice(1)));
    const number = readDigits(written);
    const prefix = plan.international;
    if (prefix !== null && number.all.startsWith(prefix)) {
      const { length } = prefix;
      const groups = number.groups.map(({ digits, at }) => ({ digits, at: at - length }));
      return international({ all: number.all.slice(length), groups });
    }
    return national(number, plan, country);
  };
}

/** The E.164 form of a number without its country code. */
function national(number: Digits, { code, prefix, minimum, maximum }: NationalPlan, country: string): string {
  const alone = prefix === '' ? undefined : prefix;
  let digits = withoutBracketed(number, 0, alone);
  if (digits === number.all && alone !== undefined && digits.startsWith(alone)) {
    // A prefix that is not a 0 may also be the beginning of a number; then only the length tells.
    if (alone.startsWith('0') || digits.length > maximum) digits = digits.slice(alone.length);
  }
  if (digits.startsWith('00') || (digits.startsWith('0') && !OWN_ZEROS.has(code))) {
    fail(
      'not_a_phone',
      `the number begins with a 0 that no number of ${country} has; write it with + and the country code`,
    );
  }
  if (digits.length < minimum || digits.length > maximum) {
    const message = `the number has ${digits.length} digits; a number of ${country} must have ${minimum} to ${maximum}`;
    fail('not_a_phone', message, { minimum, maximum, actual: digits.length });
  }
  return checkLength(code + digits);
}
