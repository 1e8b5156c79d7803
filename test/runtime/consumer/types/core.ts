/**
 * The packed declarations in a TypeScript project. It is compiled as an ES module, as CommonJS and for a
 * bundler; `used` stops the compiler from leaving out unused code.
 */
import { drop, fpe, keep, keyset, optional, policy, seal, type Token, token } from 'trefoil';
import { type Issue, TrefoilError } from 'trefoil/errors';
import { alphabet, type Ff1, ff1, ff1Text } from 'trefoil/ff1';
import { ff3, type Ff3Text, ff3Text } from 'trefoil/ff3';
import {
  caseKept,
  card,
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
  ipv4,
  ipv6,
  oneOf,
  pattern,
  phone,
  regex,
  type Strength,
  seq,
  text,
  uuid,
} from 'trefoil/format';
import { type AddressCipher, cryptoPan, ipcryptNd, ipcryptPfx, SPECIAL_RANGES, type TweakedAddressCipher } from 'trefoil/ip';
import { keyset as sameKeyset } from 'trefoil/keys';
import { check, explain, parsePolicy } from 'trefoil/policy';
import { emailAddress, trim } from 'trefoil/prepare';
import { revealAccess, secretAccess } from 'trefoil/reveal';

const keys = keyset.generate().domain('eu');
const sheet = policy({
  id: token({ scope: 'person' }),
  email: token({ scope: 'person.email', prepare: [trim, emailAddress], optional: true }),
  pan: fpe({ scope: 'card.pan', format: card() }),
  name: seal({ scope: 'person.name' }),
  age: seal({ scope: 'person.age', value: 'integer' }),
  country: optional(keep),
  notes: drop,
});

interface Row {
  id: number;
  pan: string;
  name: string | null;
  age: number;
  notes: unknown;
}
const row: Row = { id: 7, pan: '4111111111111111', name: 'Ada', age: 36, notes: '' };

const safe = sheet.bind(keys).protect(row);
const id: Token<'person'> = safe.id;
const back = sheet.bind(keys, revealAccess).reveal(safe);
const name: string | null = back.name;
const age: number = back.age;

// @ts-expect-error a dropped field does not exist
safe.notes;
// @ts-expect-error revealing needs the capability
sheet.bind(keys).reveal;
// @ts-expect-error a missing field
sheet.bind(keys).protect({ id: 7 });
// @ts-expect-error an extra field
sheet.bind(keys).protect({ ...row, shoeSize: 43 });
// @ts-expect-error tokens of two scopes
id === token({ scope: 'order' }).bind(keys).protect(1);

const key = new Uint8Array(16);
const cipher: Ff1 = ff1(key, 10, { minDomain: 100 });
const numerals: number[] = cipher.encrypt([1, 2, 3]);
const typed: Uint8Array[] = cipher.encryptMany([Uint8Array.of(1, 2, 3)], key);
const old: Ff3Text = ff3Text(key, '0123456789', { separators: '-' });
const passed: string | null = old.decrypt('123456' as string | null, key);
const addresses: AddressCipher = cryptoPan(new Uint8Array(32), { keepSpecial: true });
const tweaked: TweakedAddressCipher = ipcryptNd(key);
const formats: Format[] = [
  ...[card({ clear: { first: 6, last: 4 }, luhn: 'any', brands: ['visa'] }), caseKept({ minSize: 100 })],
  ...[date({ from: '2000-01-01', to: '2029-12-31' }), decimal({ min: 0, max: '9.99', places: 2 })],
  ...[integer({ min: 0n, max: 10 }), email({ domain: 'hashed' }), enumOf(['a', 'b']), iban({ countries: ['DE'] })],
  ...[ipv4({ prefixPreserving: true }), ipv6(), phone({ min: 5 }), regex(/[a-f]{9}/u), uuid()],
  ...[dateTime({ from: '2000-01-01T00:00:00Z', to: '2029-12-31T23:59:59Z' }), pattern('A9'), text('ab')],
  ...[seq(clear(digits()), '-', digits()), oneOf(digits({ length: 6 }), clear('unknown'))],
];
const strength: Strength = formats[0]!.strength();
const size: bigint = formats[0]!.size;
const bounded = fpe({ scope: 'few', format: enumOf(['a', 'b']), allowCodebook: 'two' });
// @ts-expect-error a part in clear is not a format
fpe({ scope: 'x', format: clear('x') });
// @ts-expect-error FF3 does not encrypt
old.encrypt;

function codeOf(error: unknown): Issue['code'] | null {
  return error instanceof TrefoilError ? error.code : null;
}

export const used: unknown[] = [
  ...[id, name, age, codeOf, digits, pattern, text, check, parsePolicy, explain(sheet)],
  ...[alphabet, ff1Text, ff3, ipcryptPfx, SPECIAL_RANGES, numerals, typed, passed, addresses, tweaked],
  ...[formats, strength, size, bounded],
  ...[sameKeyset.generate().export(secretAccess)],
];
