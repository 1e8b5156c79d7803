/**
 * Frozen outputs of every format, engine and kind of shape. An output that changes here breaks data sets of users. The
 * vectors of docs/spec/fpe-v1.md were computed by another implementation; these cover more values.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
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
import { fpe, keyset } from '../../src/index.ts';
import { keys } from '../rule/keys.ts';

/** Each format with values of the tested shapes, and the first half of SHA-256 over 40 ciphertexts for each shape. */
const CASES: readonly (readonly [string, Format, readonly string[], string])[] = [
  [
    'digits',
    digits({ min: 5, max: 40 }),
    ['12345', '123456', '1'.repeat(17), '1'.repeat(40)],
    '23d59b1f71d053ce7f4e6b7177d6f216',
  ],
  [
    'text',
    text('abcdefghij\u{1f600}', { min: 3, max: 30 }),
    ['abc', 'abcdefgh', 'a\u{1f600}'.repeat(15)],
    'cbb3d085c3f9624d13fa3fa2cba3a3f9',
  ],
  ['pattern', pattern('AA-999a'), ['AB-123c'], '40778b87c45b098afb4da7e14c852f26'],
  ['uniform pattern', pattern('999/9999'), ['123/4567'], '77f7600795b4a8435caff2fa9e9ddbea'],
  [
    'card',
    card({ clear: { first: 6 } }),
    ['4111111111111111', '3782 822463 10005'],
    '4ccb79db4491ae4ba7fd260e8c7108d9',
  ],
  [
    'card 6 + 4',
    card({ clear: { first: 6, last: 4 } }),
    ['4111111111111111', '6011000990139424'],
    '35cadc5996a9a0b1a9f22e23c7a5fa2a',
  ],
  [
    'card any',
    card({ clear: { first: 6, last: 4 }, luhn: 'any' }),
    ['4111-1111-1111-1112', '1234567890123'],
    '087b988136f99a41bb1fd6b4742dc580',
  ],
  [
    'card invalid',
    card({ clear: { first: 8 }, luhn: 'invalid' }),
    ['4111111111111111'],
    'bd5eb295b81d4e0ddb1549efd79a162c',
  ],
  [
    'iban',
    iban(),
    ['DE89370400440532013000', 'FR1420041010050500013M02606', 'NO9386011117947', 'BE68539007547034'],
    '780de6ed39cc5b18b421874844f058b7',
  ],
  ['phone', phone(), ['+49 30 90182000', '+1 202-555-0123', '+390612345678'], '3782436205b639e8f98881e1f114e39a'],
  ['email', email(), ['ada.lovelace@example.com', 'jo@example.com'], '39b3bece723673a9db7e3d623e135d16'],
  ['email hashed', email({ domain: 'hashed' }), ['ada.lovelace@example.com'], '0e0aaa09d42996df5639e50ec1c7ddcd'],
  [
    'email enciphered',
    email({ domain: 'enciphered' }),
    ['ada.lovelace@example.com', 'jo@x.de'],
    '788d7d9e04f95812ecf83b605bef9674',
  ],
  ['date', date({ from: '1900-01-01', to: '2019-12-31' }), ['1987-06-05'], '01b99fde34874bfde87b2f31816f6bf5'],
  [
    'dateTime',
    dateTime({ from: '2020-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' }),
    ['2024-02-29T12:00:00Z'],
    'b6fa7f12b2186fbc6477b6865546a01b',
  ],
  ['integer', integer({ min: -100, max: 999_999 }), ['42'], '751a9e32ceba37aa3d690ec290c88cf9'],
  ['decimal', decimal({ min: '0.00', max: '9999.99', places: 2 }), ['12.50'], '1477cbdc54d9d81e90e9739613f32edb'],
  [
    'uuid',
    uuid(),
    ['f81d4fae-7dec-41d0-a765-00a0c91e6bf6', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'],
    'a955ae674de8ac235e6ee0fe45ff67e9',
  ],
  ['caseKept', caseKept(), ['Ada Lovelace', 'Łódź Anna-12', 'Müller-Lüdenscheidt'], '0d5c2330a8832ce11bfb3a7a52b0b725'],
  ['caseKept, small', caseKept({ minSize: 1000 }), ['Ada', 'Anna', '12345'], '361ed97913b01623b4367b2f143c3f30'],
  ['enumOf', enumOf(['red', 'green', 'blue', 'black', 'white']), ['red'], 'c8c9a15553ce1c46697cf22a394a2753'],
  ['ip', ip(), ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '2001:db8::1'], '485aefbf576dc90f68ccddc3a1157242'],
  [
    'ip, prefixes',
    ip({ prefixPreserving: true }),
    ['192.0.2.1', '::ffff:192.0.2.1', '::ffff:c000:201', '2001:db8::1'],
    'f6749da7308a085e06a771239fe03d41',
  ],
  ['ipv4', ipv4(), ['192.0.2.1'], '652412d9d6723d9be207565a82aea0e9'],
  ['ipv4, prefixes', ipv4({ prefixPreserving: true }), ['192.0.2.1'], '60b20476f78289e243065aae9b81e5a5'],
  ['ipv6', ipv6(), ['2001:db8::1'], '5e4783fc2f6c14b2e140decf634a0e96'],
  ['ipv6, prefixes', ipv6({ prefixPreserving: true }), ['2001:db8::1'], '2ff0457595d7878fe425dbdc08989199'],
  ['regex', regex('[A-Z]{1,2}[0-9]{6,7}'), ['K0133771'], '0822d5ebad3df9f8999a9706ed70142a'],
  ['regex, small', regex('(?:red|green|blue)-[0-9]{2,3}'), ['red-77'], '3eedfb21c252051220cc3a2704920be0'],
  [
    'seq',
    seq(clear(digits({ length: 3 })), '-', digits({ length: 7 }), pattern('A')),
    ['030-1234567K'],
    'bd1e870334cbec255f86cd373e8d08f1',
  ],
  [
    'oneOf',
    oneOf(pattern('A999999'), digits({ length: 9 })),
    ['K123456', '123456789'],
    'dc6839a0dc40b62506f1df94fbaf2a2c',
  ],
];

it.each(CASES)('%s', (name, format, likes, frozen) => {
  const bound = fpe({ scope: 'frozen.format', format, allowCodebook: 'a test' }).bind(keys);
  const out: string[] = [];
  for (const like of likes) {
    out.push(bound.protect(like));
    for (let i = 1; i < 40; i++) {
      // Indexes that are spread from 0 to the rank of the value.
      const index = (format.rank(like) * BigInt(i)) / 40n;
      out.push(bound.protect(format.unrank(index, like)));
    }
  }
  expect(createHash('sha256').update(out.join('\n')).digest('hex').slice(0, 32), `${name}: ${out[0]}`).toBe(frozen);
});

/**
 * Composed formats, under the root and in the domain of docs/spec/keyset-v1.md. These are the vectors of
 * docs/spec/fpe-v1.md, which an implementation in another language computed from that page. The tweak of a seq without
 * clear parts has an empty clear part.
 */
const NUMBERS = digits({ length: 4 });
const EITHER = oneOf(seq('C', NUMBERS, '/', NUMBERS), card({ clear: { first: 6 } }));
it.each([
  ['locker', seq(NUMBERS, '-', NUMBERS), '1234-5678', '1699-9973'],
  ['z', seq(NUMBERS, '-', NUMBERS), '1234-5678', '0781-5462'],
  [
    'sample',
    seq(pattern('AA999'), '/', date({ from: '2020-01-01', to: '2029-12-31' })),
    'AB123/2024-02-29',
    'BA245/2023-11-20',
  ],
  ['either', EITHER, 'C1234/5678', 'C2515/9454'],
  ['either', EITHER, '4111111111111111', '4111114674669822'],
] as [string, Format, string, string][])('scope %s', (scope, format, value, frozen) => {
  const secret = 'trefoil-root-1_med7afeazz3tc4ydw2xkm1nwwzy0e9sdkdjw97dqg7812j3x62a05n2v';
  const root = keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: [{ id: 'spec', primary: true, secret }] }));
  expect(fpe({ scope, format }).bind(root.domain('eu-enclave')).protect(value)).toBe(frozen);
  if (scope === 'z') return;
  const page = readFileSync(new URL('../../docs/spec/fpe-v1.md', import.meta.url), 'utf8');
  expect(page).toContain(`\`${frozen}\` |`);
});
