/** `read: phone CC`, and what `phone` and `wholeNumber` do to any text. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrefoilError } from '../../src/errors.ts';
import { COUNTRY_CODES } from '../../src/format/phone/countries.ts';
import { nationalPlan, OWN_ZEROS, TRUNKS } from '../../src/prepare/phone-countries.ts';
import { nationalPhone } from '../../src/prepare/phone-number.ts';
import { phone, phoneE164, wholeNumber } from '../../src/prepare.ts';
import { codeOf, thrown } from '../helpers/errors.ts';

function reading(country: string): (text: string) => string {
  const read = nationalPhone(country);
  if (typeof read === 'string') throw new Error(read);
  return read;
}

/** As the numbering plans write a number, inside and outside the country. */
const NATIONAL: readonly (readonly [country: string, written: string, number: string])[] = [
  ['DE', '030/901820', '+4930901820'],
  ['DE', '(030) 901820', '+4930901820'],
  ['DE', '(0)30 901820', '+4930901820'],
  ['DE', '30 901820', '+4930901820'],
  ['DE', '+49 (0)30 901820', '+4930901820'],
  ['DE', '0049 30 901820', '+4930901820'],
  ['DE', '00 49 (0)30 901820', '+4930901820'],
  ['DE', '+33 1 70 18 99 00', '+33170189900'],
  ['DE', '0039 06 6982', '+39066982'],
  ['GB', '020 7946 0958', '+442079460958'],
  ['FR', '01 70 18 99 00', '+33170189900'],
  ['IT', '06 6982 1234', '+390669821234'],
  ['IT', '335 123 4567', '+393351234567'],
  ['SM', '0549 886377', '+3780549886377'],
  ['CI', '07 01 02 03 04', '+2250701020304'],
  ['ES', '91 123 45 67', '+34911234567'],
  ['HU', '06 1 234 5678', '+3612345678'],
  ['HU', '(06-1) 234 5678', '+3612345678'],
  ['US', '(212) 555-0123', '+12125550123'],
  ['US', '1-212-555-0123', '+12125550123'],
  ['US', '011 49 30 901820', '+4930901820'],
  ['RU', '8 (495) 123-45-67', '+74951234567'],
  ['RU', '800 555-35-35', '+78005553535'],
  ['RU', '8 800 555-35-35', '+78005553535'],
  ['RU', '8 10 49 30 901820', '+4930901820'],
  ['BY', '8 017 212 34 56', '+375172123456'],
  ['BR', '(0) 11 91234-5678', '+5511912345678'],
  ['BR', '011 91234-5678', '+5511912345678'],
  ['JP', '03-1234-5678', '+81312345678'],
  ['JP', '010 49 30 901820', '+4930901820'],
  ['AU', '0011 49 30 901820', '+4930901820'],
];

const REFUSED: readonly (readonly [country: string, written: string])[] = [
  ['DE', ''],
  ['DE', '0'],
  ['DE', '00'],
  ['DE', '000 30 901820'],
  ['DE', '901820 ext. 5'],
  ['DE', '030 901820 (0)'],
  ['DE', '+030 901820'],
  ['DE', '1234567890123456'],
  ['IT', '(0)6 6982'],
  ['ES', '091 123 45 67'],
  ['US', '555-0123'],
  ['US', '0049 30 901820'],
  ['JP', '0049 30 901820'],
  ['BR', '0 15 11 91234-5678'],
  ['BR', '00 15 49 30 901820'],
  ['SG', '001 49 30 901820'],
  ['TJ', '00 49 30 9018'],
  ['HU', '0 1 234 5678'],
];

describe('phone CC', () => {
  it.each(NATIONAL)('%s: %s', (country, written, number) => {
    const read = reading(country);
    expect(read(written)).toBe(number);
    expect(read(` ${written}\u00a0`)).toBe(number);
    expect(read(number)).toBe(number);
    expect(phone(number)).toBe(number);
  });

  it.each(REFUSED)('%s: %j is refused', (country, written) => {
    const error = thrown(() => reading(country)(written));
    expect(error.code).toBe('not_a_phone');
    if (written.length > 4) expect(error.message).not.toContain(written.replace(/\D/g, ''));
  });

  it.each(['de', 'DEU', 'ZZ', '', 'UK', '__proto__', 'AG,AI'])('there is no country %j', (country) => {
    expect(nationalPhone(country)).toMatch(
      /^there is no such country; write its code of ISO 3166-1 in capitals, such as DE$/,
    );
  });

  it('says which countries it cannot read, and why', () => {
    expect(nationalPhone('AR')).toBe('mobile numbers of Argentina have another form inside the country');
    expect(['GA', 'RW'].map((country) => typeof nationalPhone(country))).toEqual(['string', 'string']);
  });

  it('property: a number of any country is a result that all steps return unchanged, or is refused', () => {
    const countries = 'DE FR IT GB US RU BY BR HU JP AU CH AT SE NO ES CI TJ MN KE'.split(' ');
    const text = fc.string({ unit: fc.constantFrom(...'0123456789 -()+/'), minLength: 6, maxLength: 18 });
    fc.assert(
      fc.property(fc.constantFrom(...countries), text, (country, written) => {
        let number: string;
        try {
          number = reading(country)(written);
        } catch (error) {
          expect((error as TrefoilError).code).toBe('not_a_phone');
          return;
        }
        expect(number).toMatch(/^\+[1-9][0-9]{6,14}$/);
        expect([reading(country)(number), phone(number), phoneE164(number)]).toEqual([number, number, number]);
      }),
      { numRuns: 5000 },
    );
  });
});

it('the vectors of the specification for other countries are those of this list', () => {
  const page = readFileSync(new URL('../../docs/spec/prepare-v1.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `phone ([A-Z]{2})` \| `` '(.*)' `` \| `` '(.*)' `` \|$/gm)].map((row) =>
    row.slice(1),
  );
  expect(rows).toHaveLength(8);
  for (const row of rows) expect(NATIONAL).toContainEqual(row);
});

describe('the tables', () => {
  it('have assigned codes only, each in one table', () => {
    const codes = [...TRUNKS.keys(), ...OWN_ZEROS];
    expect(codes.filter((code) => !COUNTRY_CODES.includes(code))).toEqual([]);
    expect(new Set(codes).size).toBe(codes.length);
    expect(TRUNKS.size).toBe(106);
  });

  it('have a plan for 240 countries, whose codes are assigned', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const plans = letters.flatMap((a) => letters.map((b) => nationalPlan(a + b))).filter((p) => typeof p !== 'string');
    expect(plans.filter(({ code }) => !COUNTRY_CODES.includes(code))).toEqual([]);
    expect(plans.length).toBe(240);
  });
});

describe('phone', () => {
  const result = (text: string): string => {
    try {
      return phone(text);
    } catch (error) {
      return (error as TrefoilError).code;
    }
  };

  it('property: the quick way does what the long way does, and the result is a fixed point', () => {
    const number = fc.string({ unit: fc.constantFrom(...'0123456789 -./()'), minLength: 6, maxLength: 20 });
    fc.assert(
      fc.property(number, (rest) => {
        const text = `+${rest}`;
        const made = result(text);
        expect(result(` ${text}`)).toBe(made);
        if (made.startsWith('+')) expect(result(made)).toBe(made);
      }),
      { numRuns: 20_000 },
    );
  });

  it('property: of a number without a 0 after its code it makes what phoneE164 makes', () => {
    const digits = fc.tuple(fc.constantFrom(...COUNTRY_CODES), fc.stringMatching(/^[1-9][0-9]{5,10}$/));
    fc.assert(
      fc.property(digits, ([code, national]) => {
        expect(phone(`+${code} ${national}`)).toBe(phoneE164(`+${code} ${national}`));
      }),
    );
  });

  it('names the reading for a number without a country', () => {
    expect(thrown(() => phone('030 901820')).message).toMatch(/read: phone CC, such as read: phone DE$/);
  });
});

describe('wholeNumber', () => {
  it('property: is the number, exactly and in one spelling, for any number of digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), fc.nat(4), (number, zeros) => {
        const written = zeros === 0 ? `${number}` : `${number}.${'0'.repeat(zeros)}`;
        expect(wholeNumber(written)).toBe(`${number}`);
        expect(wholeNumber(`${number}`)).toBe(`${number}`);
      }),
    );
  });

  it('property: refuses every text that is not one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.-+e '), maxLength: 12 }), (text) => {
        const whole = /^ *-?(0|[1-9]\d*)(\.0+)? *$/.test(text);
        if (whole) expect(BigInt(wholeNumber(text))).toBe(BigInt(text.trim().split('.')[0]!));
        else expect(codeOf(() => wholeNumber(text))).toBe('not_an_integer');
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['1.5', 'the number is not whole'],
    ['1e9', /has an exponent/],
    ['007', /has leading zeros/],
    ['+7', /^expected a whole number such as/],
  ])('%s: the message says why', (text, message) => {
    expect(thrown(() => wholeNumber(text)).message).toMatch(message);
  });
});
