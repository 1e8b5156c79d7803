/**
 * A format of every kind, with values of several shapes: the input of the tests for all formats. If a format of
 * `trefoil/format` is missing here, test/property/fpe.test.ts fails.
 */
import {
  card,
  caseKept,
  clear,
  date,
  dateTime,
  decimal,
  digits,
  email,
  enumOf,
  type Format,
  iban,
  integer,
  ip,
  ipv4,
  ipv6,
  oneOf,
  pattern,
  phone,
  regex,
  seq,
  text,
  uuid,
} from '../../src/format.ts';
import { fpe } from '../../src/index.ts';

export interface FormatCase {
  readonly name: string;
  readonly format: Format;
  /** A value of each shape, clear part and layout to be tested. */
  readonly like: readonly string[];
  /**
   * What outputs look like, if they differ from inputs. Without it an output is a value of the format, too.
   */
  readonly outputs?: RegExp;
  /** What `reveal` returns, if that is not the value: a hashed domain stays hashed. */
  readonly revealed?: (value: string, output: string) => string;
  /** The format has fewer than 10,000 values, so the rule needs a reason. */
  readonly codebook?: true;
}

export const EVERY_FORMAT: readonly FormatCase[] = [
  { name: 'digits', format: digits(), like: ['000000', '123456789', '9'.repeat(64)] },
  { name: 'four digits', format: digits({ length: 4 }), like: ['0007'] },
  { name: 'one digit', format: digits({ length: 1 }), like: ['7'], codebook: true },
  { name: 'text of two symbols', format: text('01', { length: 60 }), like: ['0'.repeat(60), '01'.repeat(30)] },
  {
    name: 'text beyond U+FFFF, with a combining mark',
    format: text('\u{1f600}\u{1f601}\u{10400}e\u0301é'),
    like: ['\u{1f600}'.repeat(8), '\u{1f600}\u{1f601}\u{10400}e\u0301é\u{1f600}\u{1f601}e'],
  },
  { name: 'pattern in one radix', format: pattern('99-9999999'), like: ['12-4567890'] },
  { name: 'pattern in two', format: pattern('A999999'), like: ['K013377'] },
  { name: 'small pattern', format: pattern('a999'), like: ['k013'] },
  { name: 'regex', format: regex('[A-Z]{1,2}[0-9]{6,7}'), like: ['K013377', 'AB1234567'] },
  { name: 'small regex', format: regex('(north|south|[0-9]{4})-[a-f]{1,2}'), like: ['north-a', '0123-ff'] },
  { name: 'list', format: enumOf(['cardiology', 'Oncology', 'é', 'e\u0301']), like: ['é'], codebook: true },
  { name: 'long list', format: enumOf(Array.from({ length: 12_000 }, (_, i) => `code ${i}`)), like: ['code 0'] },
  { name: 'integer', format: integer({ min: -5, max: 4_294_967_295 }), like: ['-5', '42'] },
  { name: 'small integer', format: integer({ min: 1, max: 100_000 }), like: ['1', '99999'] },
  { name: 'long integer', format: integer({ min: '-9223372036854775808', max: '9223372036854775807' }), like: ['0'] },
  { name: 'decimal', format: decimal({ min: -0.5, max: '99999.99', places: 2 }), like: ['-0.49', '47.25'] },
  { name: 'date', format: date({ from: '1900-01-01', to: '2029-12-31' }), like: ['2024-02-29', '1984-03-12'] },
  {
    name: 'dateTime',
    format: dateTime({ from: '2020-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' }),
    like: ['2024-02-29T12:30:00Z', '2024-02-29 12:30:00Z'],
  },
  {
    name: 'uuid',
    format: uuid(),
    like: ['01890a5d-ac96-774b-bcce-b302099a8057', 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
  },
  {
    name: 'uuid in upper case',
    format: uuid(),
    like: ['01890A5D-AC96-774B-BCCE-B302099A8057'],
  },
  { name: 'card', format: card(), like: ['4111111111111111', '4111 1111 1111 1111', '3782-822463-10005'] },
  {
    name: 'card with 6 + 4 in clear',
    format: card({ clear: { first: 6, last: 4 }, length: 16 }),
    like: ['4111 1111 1111 1111', '5555555555554444'],
  },
  {
    name: 'card of two brands',
    format: card({ brands: ['visa', 'mastercard'], clear: { first: 6 }, min: 16, luhn: 'any' }),
    like: ['4111111111111112', '5555 5555 5555 4444'],
  },
  {
    name: 'card that fails Luhn when enciphered',
    format: card({ luhn: 'invalid', clear: { last: 3 } }),
    like: ['4111 1111 1111 1111'],
    outputs: /^[0-9]{4}(?: [0-9]{4}){3}$/,
  },
  {
    name: 'iban',
    format: iban(),
    like: ['DE89 3704 0044 0532 0130 00', 'GB29NWBK60161331926819', 'NO9386011117947', 'BE68539007547034'],
  },
  { name: 'iban of one country', format: iban({ countries: ['NL'] }), like: ['NL91 ABNA 0417 1643 00'] },
  {
    name: 'phone',
    format: phone(),
    like: ['+44 20 7946 0958', '+4930901820', '+39 06 1234-5678', '+1 (212) 555-0100'],
  },
  { name: 'short phone', format: phone({ min: 5 }), like: ['+298 20300'] },
  {
    name: 'email',
    format: email(),
    like: ['ada.lovelace@example.com', 'jo@example.com', 'o_o+x@sub.example.org'],
  },
  {
    name: 'email with a hashed domain',
    format: email({ domain: 'hashed' }),
    like: ['ada.lovelace@example.com', 'jo@example.org'],
    outputs: /^[^@]+@[a-z0-9]{26}\.invalid$/,
    revealed: (value, output) => value.slice(0, value.indexOf('@')) + output.slice(output.indexOf('@')),
  },
  {
    name: 'email with an enciphered domain',
    format: email({ domain: 'enciphered' }),
    like: ['ada.lovelace@example.com', 'jo@a-b.museum', 'x@xn--bcher-kva.example'],
    outputs: /^[^@]+@[a-z0-9.-]+\.invalid$/,
  },
  {
    name: 'ip',
    format: ip(),
    like: ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '2001:db8::1', '::'],
  },
  { name: 'ip with prefixes', format: ip({ prefixPreserving: true }), like: ['192.0.2.1', '::ffff:192.0.2.1', '::1'] },
  { name: 'ipv4', format: ipv4(), like: ['192.0.2.1', '0.0.0.0', '255.255.255.255'] },
  { name: 'ipv6', format: ipv6(), like: ['2001:db8::1', '::', '::1'] },
  { name: 'ipv4 with prefixes', format: ipv4({ prefixPreserving: true }), like: ['192.0.2.1', '0.0.0.0'] },
  { name: 'ipv6 with prefixes', format: ipv6({ prefixPreserving: true }), like: ['2001:db8::1'] },
  { name: 'caseKept', format: caseKept(), like: ['Ada Lovelace', 'Zoë O’Brien-Łukasz', 'Анна-Мария', '12 Main St.'] },
  { name: 'short caseKept', format: caseKept({ minSize: 10_000 }), like: ['Bob', 'Anna'] },
  {
    name: 'seq with a part in clear',
    format: seq(clear(digits({ length: 3 })), '-', text('ABCDEF', { length: 2 }), digits({ length: 5 })),
    like: ['030-AF01234', '999-AA00000'],
  },
  {
    name: 'seq of formats with check digits and layout',
    format: seq('pan=', card({ clear: { first: 6 }, length: 16 }), ';', date({ from: '2000-01-01', to: '2049-12-31' })),
    like: ['pan=4111 1111 1111 1111;2024-02-29'],
  },
  {
    name: 'oneOf with a member in clear',
    format: oneOf(digits({ length: 8 }), pattern('AA999999'), clear('unknown')),
    like: ['12345678', 'AB123456', 'unknown'],
  },
  {
    name: 'formats within formats',
    format: oneOf(
      seq('A-', oneOf(digits({ length: 7 }), seq(pattern('aa'), '/', digits({ length: 5 })))),
      seq(clear(pattern('B9')), '.', integer({ min: 0, max: 999_999 })),
    ),
    like: ['A-1234567', 'A-xy/00000', 'B7.0', 'B0.123456'],
  },
];

/** The reason that rules over small formats state. */
export const REASON = 'a test';

/** A rule over a format of the list. */
export const ruleOf = ({ format, codebook }: FormatCase, scope = 'field') =>
  fpe({ scope, format, ...(codebook === true ? { allowCodebook: REASON } : {}) });
