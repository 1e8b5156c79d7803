/**
 * International bank account numbers: ISO 13616-1, with check digits by ISO 7064 MOD 97-10. The structure of each
 * country is in countries.ts, its national check digits are in national.ts.
 */

import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { given } from '../../core/given.ts';
import { fail } from '../../errors.ts';
import { type Format, type Index, type IndexParts, makeFormat } from '../engine.ts';
import { type Accounts, accountsOf } from './account.ts';
import { STRUCTURES } from './countries.ts';
import { mod97 } from './national.ts';

/** The format that {@link iban} makes. */
export interface IbanFormat extends Format {
  readonly type: 'iban';
  readonly countries?: readonly string[];
}

/** Options of {@link iban}. */
export interface IbanOptions {
  /**
   * Take only these countries, by their codes in the registry: `['DE', 'FR']`. It is only a check and changes no
   * output.
   */
  readonly countries?: readonly string[];
}

/** ISO 13616-1: at most 34 characters; the first four are the country and the check digits. */
const MAX_LENGTH = 34;
const HEAD = 4;

const SYMBOLS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * The current value as codes 0 to 35, its account number, and the text that is written. Nothing is kept between calls.
 */
const scratch = new Uint8Array(MAX_LENGTH);
const bban = new Uint8Array(MAX_LENGTH);
const output = new Uint8Array(2 * MAX_LENGTH);

/** Account tables by country, made when a country is first seen. They depend on the country alone. */
const tables = new Map<string, Accounts>();

function tableOf(country: string): Accounts {
  let table = tables.get(country);
  if (table === undefined) {
    table = accountsOf(country);
    tables.set(country, table);
  }
  return table;
}

/**
 * International bank account numbers of the 89 countries of the IBAN registry. The account number becomes another
 * account number of its country.
 *
 * The country stays in clear and enters the tweak. The output has the country's structure, right check digits, and
 * right national check digits if the country has them for all accounts, so a form accepts it. An account number with
 * wrong national check digits is refused, because revealing could not restore them. So is an IBAN whose ISO 13616 check
 * digits are 00, 01 or
 * 99. Banks and branches are not checked: the bank code is enciphered like the rest.
 *
 * Single spaces between characters are layout: they stay where they were and change no output. Letters must be capital
 * letters. Lower case is refused, because the output may have a letter where the value has a digit. IBANs of Mauritius
 * and Seychelles end in the currency of the account, which stays in clear.
 *
 * *Warning*: an output may be somebody's account. Do not pay into it.
 *
 * @throws TypeError or RangeError if `countries` is not a list of countries of the registry.
 *
 * @example
 * ```ts
 * import { iban } from 'trefoil/format';
 *
 * iban().test('DE89 3704 0044 0532 0130 00'); // → true
 * iban().test('DE88 3704 0044 0532 0130 00'); // → false
 * iban({ countries: ['BE', 'NL'] }).size; // → 10000000000n
 * ```
 */
export function iban(options: IbanOptions = {}): IbanFormat {
  const { countries: named } = checkOptions('options', options, ['countries']);
  const countries = named === undefined ? null : checkCountries(named);
  const allowed = countries === null ? null : new Set(countries);
  const listed = countries ?? Object.keys(STRUCTURES);
  const lengths = listed.map((country) => HEAD + tableOf(country).length);
  const least = listed.reduce((a, b) => (tableOf(b).size < tableOf(a).size ? b : a));
  const smallest = BigInt(tableOf(least).size);
  const firsts = [...new Set(listed.map((country) => country[0]!))].join('');

  return makeFormat(
    { type: 'iban', ...given({ countries: countries ?? undefined }) },
    {
      descriptor: ['iban@1'],
      kind: 'index',
      hasClear: true,
      steady: true,
      outline: {
        min: Math.min(...lengths),
        max: 2 * Math.max(...lengths) - 1,
        at: (position) => (position === 0 ? firsts : ` ${SYMBOLS}`),
      },
      sample: {
        shape: least,
        clear: 'A'.repeat(tableOf(least).clear.length),
        layout: '0'.repeat(HEAD + tableOf(least).length),
        size: tableOf(least).size,
        index: typeof tableOf(least).size === 'bigint' ? 0n : 0,
      },
      smallest: {
        size: smallest,
        because: `${smallest} account numbers of ${least} (${STRUCTURES[least]}, valid ones only)`,
      },
      visible: 'the country, the spacing, and for Mauritius and Seychelles the currency',
      split: (value) => splitIban(value, allowed),
      assemble: assembleIban,
    },
  ) as IbanFormat;
}

/** @param allowed the countries that are taken; `null` for all. */
function splitIban(value: string, allowed: ReadonlySet<string> | null): IndexParts {
  const length = read(value);
  const country = SYMBOLS[scratch[0]!]! + SYMBOLS[scratch[1]!]!;
  if (!Object.hasOwn(STRUCTURES, country)) {
    fail('outside_format', 'the first two letters are not a country of the IBAN registry');
  }
  if (allowed !== null && !allowed.has(country)) {
    fail('outside_format', `the account is of another country than ${[...allowed].join(', ')}`);
  }
  const table = tableOf(country);
  const expected = HEAD + table.length;
  if (length !== expected) {
    fail('outside_format', `the IBAN has ${length} characters, expected ${expected} for its country`, {
      expected,
      actual: length,
    });
  }
  for (let i = 0; i < table.length; i++) bban[i] = scratch[HEAD + i]!;
  const index = table.rank(bban);
  const why = index < 0 ? table.why(bban) : null;
  if (why !== null && typeof why === 'object') badCharacter(why.at);
  const check = scratch[3]! > 9 ? -1 : scratch[2]! * 10 + scratch[3]!;
  if (check !== checkDigits(table.length, scratch[0]!, scratch[1]!)) {
    fail('outside_format', 'the check digits after the country are wrong, so they could not be restored');
  }
  if (why !== null) refuse(why);
  let clear = '';
  for (let i = 0; i < table.clear.length; i++) clear += SYMBOLS[bban[table.clear[i]!]!];
  return { shape: country, clear, layout: value, size: table.size, index };
}

function assembleIban(parts: IndexParts, index: Index): string {
  const { shape, clear } = parts;
  const layout = parts.layout as string;
  const table = tableOf(shape);
  for (let i = 0; i < clear.length; i++) bban[table.clear[i]!] = codeOf(clear.charCodeAt(i));
  table.write(bban, index);
  scratch[0] = codeOf(shape.charCodeAt(0));
  scratch[1] = codeOf(shape.charCodeAt(1));
  const check = checkDigits(table.length, scratch[0], scratch[1]);
  scratch[2] = Math.floor(check / 10);
  scratch[3] = check % 10;
  for (let i = 0; i < table.length; i++) scratch[HEAD + i] = bban[i]!;
  return write(layout);
}

/**
 * Reads the characters into `scratch` as codes and returns how many there are. After the 34th they are only counted.
 */
function read(value: string): number {
  let count = 0;
  let spaced = true;
  for (let i = 0; i < value.length; i++) {
    const character = value.charCodeAt(i);
    if (character === 32) {
      if (spaced) malformed();
      spaced = true;
      continue;
    }
    const code = codeOf(character);
    if (code < 0) {
      if (character >= 97 && character <= 122) {
        fail('outside_format', 'the IBAN has lower-case letters: write it in upper case');
      }
      malformed();
    }
    if (count < MAX_LENGTH) scratch[count] = code;
    count++;
    spaced = false;
  }
  if (spaced || count < HEAD) malformed();
  return count;
}

function malformed(): never {
  fail('outside_format', 'the value is not an IBAN: write capital letters and digits, with single spaces between them');
}

/** 0 to 9 for digits, 10 to 35 for capital letters, else -1. */
function codeOf(character: number): number {
  if (character >= 48 && character <= 57) return character - 48;
  return character >= 65 && character <= 90 ? character - 55 : -1;
}

/** ISO 13616-1: 98 minus the remainder modulo 97 of the account number, the country and 00. The result is 02 to 98. */
function checkDigits(length: number, first: number, second: number): number {
  // The country has two letters, which count as two digits each.
  const rest = (mod97(bban, 0, length) * 10_000 + first * 100 + second) % 97;
  return 98 - ((rest * 100) % 97);
}

/**
 * Writes the characters of `scratch` in place of those of the layout. The string is made from all codes at once; adding
 * one character after another takes twice as long.
 */
function write(layout: string): string {
  const length = layout.length;
  let next = 0;
  for (let i = 0; i < length; i++) {
    if (layout.charCodeAt(i) === 32) {
      output[i] = 32;
    } else {
      const code = scratch[next++]!;
      output[i] = code < 10 ? code + 48 : code + 55;
    }
  }
  return String.fromCharCode.apply(null, output.subarray(0, length) as unknown as number[]);
}

function badCharacter(at: number): never {
  const actual = HEAD + at + 1;
  fail('outside_format', `character ${actual} does not fit the account numbers of this country`, { actual });
}

/** The check digits after the country are right, so this is no typing error: there is no such account number. */
function refuse(why: 'written' | 'weighted'): never {
  fail(
    'outside_format',
    why === 'written'
      ? 'the national check digits in the account number are wrong, so they could not be restored'
      : 'the account number does not exist by the national rule (weighted digits modulo 11)',
  );
}

function checkCountries(value: unknown): readonly string[] {
  if (!Array.isArray(value)) badType('countries', `expected a list such as ["DE", "FR"], got ${typeName(value)}`);
  if (value.length === 0) badRange('countries', 'expected at least one country');
  for (const [i, country] of value.entries()) {
    if (typeof country !== 'string') badType('countries', `expected texts, got ${typeName(country)}`);
    if (!Object.hasOwn(STRUCTURES, country)) {
      badRange('countries', `expected codes of the IBAN registry in capital letters; number ${i + 1} is not one`);
    }
  }
  if (new Set(value).size !== value.length) badRange('countries', 'expected every country once');
  return Object.freeze([...(value as string[])]);
}
