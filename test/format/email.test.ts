import { describe, expect, it } from 'vitest';
import { email } from '../../src/format/email/email.ts';
import { type Format, formatEngine, type IndexEngine, type IndexParts } from '../../src/format/engine.ts';
import { checkEmailSyntax } from '../../src/prepare/email-syntax.ts';
import { random } from '../reference/random.ts';
import { refusal, there } from './composed.ts';

const SYMBOLS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const open = email();
const hashed = email({ domain: 'hashed' });
const hidden = email({ domain: 'enciphered' });
const all = [open, hashed, hidden];
const engineOf = (format: Format): IndexEngine => formatEngine('format', format) as IndexEngine;
const split = (format: Format, value: string): IndexParts => engineOf(format).split(value);

/** Digits of radix 36, most significant first. */
const number36 = (symbols: string): bigint =>
  [...symbols].reduce((index, symbol) => index * 36n + BigInt(SYMBOLS.indexOf(symbol)), 0n);

const REAL = [
  'ada.lovelace@example.com',
  'grace.hopper+navy@sub.example.co.uk',
  'jo@example.com',
  'j.d@example.com',
  'x@a.b',
  'a.b.c.d@example.com',
  'a.b.c.d.e@example.com',
  '1234567890@qq.com',
  'o_brien-smith99@my-shop.example',
  '_under_@example.com',
  '+49170@sms.example',
  "o'hara=x/y{z}@example.org",
  "!#$%&'*+-/=?^_`{|}~a@example.org",
  'info@xn--mnchen-3ya.example',
  'info@example.xn--p1ai',
  'a--b@a--b.example',
  `${'a'.repeat(64)}@example.com`,
  `ab@${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.de`,
  'user@example.invali',
  'user@example.invalids',
  'user@invalid.example',
  'abcd@1.2',
];

describe('email', () => {
  it.each(REAL)('%s', (value) => {
    for (const format of all) {
      const { enciphered, blind } = engineOf(format);
      if (blind === undefined) there(format, value);
      const parts = split(format, value);
      expect(engineOf(format).assemble(parts, parts.index)).toBe(value);
      // Enciphered values are addresses, and those of the other face only where there is one.
      const out = (enciphered ?? engineOf(format)).assemble(parts, parts.index);
      expect(() => checkEmailSyntax(out)).not.toThrow();
      expect(out.length).toBeLessThanOrEqual(254);
    }
  });

  it.each([
    '',
    '@',
    'a',
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@@example.com',
    'ada@b@example.com',
    'Ada@example.com',
    'ada@Example.com',
    'ada@example.COM',
    '.ada@example.com',
    'ada.@example.com',
    'a..da@example.com',
    ' ada@example.com',
    'ada@example.com ',
    'ada@example.com\n',
    'ada @example.com',
    'ada@exa mple.com',
    'ada@example..com',
    'ada@.example.com',
    'ada@example.com.',
    'ada@-example.com',
    'ada@example-.com',
    'ada@example.-com',
    'ada@exa_mple.com',
    'ada@[127.0.0.1]',
    'ada@[ipv6:::1]',
    '"ada"@example.com',
    'ada(x)@example.com',
    'ada,b@example.com',
    'a;b@example.com',
    'a\\b@example.com',
    'a<b@example.com',
    '<ada@example.com>',
    'mailto:ada@example.com',
    'äda@example.com',
    'ada@exämple.com',
    'ada@例え.テスト',
    'a\u0301da@example.com',
    'ad\u{1d41a}@example.com',
    'ａda@example.com',
    'ada１@example.com',
    'ada@example\u3002com',
    'ada\0@example.com',
    'ada\x7f@example.com',
    '_@example.com',
    '+-+@example.com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a'.repeat(64)}.com`,
    `ada@${'a.'.repeat(130)}com`,
    // The shape's longest value would have 65 characters before the @.
    `${'_'.repeat(61)}a@example.com`,
  ])('%j is none', (value) => {
    for (const format of all) expect(refusal(format, value).code).toBe('outside_format');
  });

  it('takes what trefoil/prepare takes, in lower-case ASCII, and no more', () => {
    const { below } = random('email syntax');
    const characters = 'ab0z9.-_+@@..A!"(é é\u{1f600}';
    const points = [...characters];
    let taken = 0;
    const disagreements: string[] = [];
    for (let i = 0; i < 25_000; i++) {
      const some = (most: number) =>
        Array.from({ length: below(most) }, () => points[below(below(4) === 0 ? points.length : 9)]!);
      const value = `${some(7).join('')}@${some(5).join('')}.${some(4).join('')}`;
      let valid = true;
      try {
        checkEmailSyntax(value);
      } catch {
        valid = false;
      }
      const expected = valid && /^[\0-@[-\x7f]*$/.test(value) && /[a-z0-9].*@/.test(value);
      if (open.test(value) !== expected || hashed.test(value) !== expected || hidden.test(value) !== expected) {
        disagreements.push(value);
      }
      if (expected) taken++;
    }
    expect(disagreements).toEqual([]);
    expect(taken).toBeGreaterThan(300);
  });

  it('says what to do, with numbers and without the value', () => {
    const message = (value: string, format = open) => refusal(format, value).message;
    expect(message('Ada@example.com')).toBe(
      'the address has upper case before the @: write it in lower case, because two spellings of one mailbox do not join',
    );
    expect(message('ada@Example.com')).toContain('upper case in the domain');
    expect(message('ada@exämple.com')).toContain('write the domain in xn-- labels');
    expect(message('a..b@example.com')).toBe('the address has a dot too many before the @');
    expect(message('_@example.com')).toBe('the part before the @ has no letter or digit to encipher');
    expect(message('ada.example.com')).toBe('the value is not an e-mail address: it has no @');
    expect(message('ada@example')).toBe('the domain has no dot: write it in full');
    expect(message('ada@example.invalid', hashed)).toContain('it has already been hashed or enciphered');
    expect(message('ada@example.invalid', hidden)).toContain('it has already been hashed or enciphered');
    expect(refusal(open, `${'a'.repeat(65)}@example.com`).issues[0]).toMatchObject({ maximum: 64, actual: 65 });
    expect(refusal(open, `ada@${'a'.repeat(64)}.com`).issues[0]).toMatchObject({ maximum: 63, actual: 64 });
    expect(open.test('ada@example.invalid')).toBe(true);
  });

  it('an address has at most 254 characters, also where it gets longer', () => {
    const host = (length: number) =>
      `${'a'.repeat(50)}.${'b'.repeat(50)}.${'c'.repeat(50)}.${'d'.repeat(length - 153)}`;
    expect(open.test(`abcd@${host(208)}`)).toBe(true);
    const long = 'x'.repeat(64);
    expect(open.test(`${long}@${host(189)}`)).toBe(true);
    expect(open.test(`${long}@${host(190)}`)).toBe(false);
    expect(hidden.test(`${long}@${host(181)}`)).toBe(true);
    expect(hidden.test(`${long}@${host(182)}`)).toBe(false);
    // A short local part counts with four characters, for it may come out with so many.
    const wide = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}`;
    expect(open.test(`x@${wide}.efghi`)).toBe(true);
    expect(open.test(`x@${wide}.efghij`)).toBe(false);
    expect(open.test(`wxyz@${wide}.efghij`)).toBe(false);
    expect(open.test(`${'_'.repeat(60)}a@example.com`)).toBe(true);
    for (const value of [`${long}@${host(181)}`, `${'_'.repeat(60)}a@example.com`]) there(hidden, value);
  });

  it('up to four letters and digits are one space: all of it, once, in order', () => {
    const { assemble } = engineOf(open);
    const parts = split(open, 'jo@example.com');
    expect(parts.size).toBe(36 + 36 ** 2 + 36 ** 3 + 36 ** 4);
    const order = (value: string) =>
      `${value.length}${value.replace(/[a-z0-9]/g, (c) => String.fromCharCode(48 + SYMBOLS.indexOf(c)))}`;
    let last = '';
    let bad = 0;
    for (let i = 0; i < (parts.size as number); i++) {
      const value = assemble(parts, i);
      const local = value.slice(0, -12);
      const key = order(local);
      if (!(key > last) || !/^[a-z0-9]{1,4}@example\.com$/.test(value)) bad++;
      if (i % 13 === 0 && split(open, value).index !== i) bad++;
      last = key;
    }
    expect(bad).toBe(0);
    expect(assemble(parts, 0)).toBe('a@example.com');
    expect(assemble(parts, (parts.size as number) - 1)).toBe('9999@example.com');
  });

  it('short ones with marks between: every way to divide four, shortest first', () => {
    const sizes = [1_727_604, 36 ** 2 + 2 * 36 ** 3 + 3 * 36 ** 4, 36 ** 3 + 3 * 36 ** 4, 36 ** 4];
    const { below } = random('short addresses');
    for (const [i, size] of sizes.entries()) {
      const like = `${Array.from({ length: i + 1 }, () => 'q').join('.-')}@example.com`;
      const { shape, size: actual } = split(open, like);
      expect([shape, actual]).toEqual([like.slice(0, -12).replaceAll('q', 'a'), size]);
      const keyOf = (value: string): (number | string)[] => {
        const runs = value.slice(0, -12).split('.-');
        expect(runs.length).toBe(i + 1);
        const total = runs.join('').length;
        return [total, ...runs.map((run) => run.length), Number(number36(runs.join('')))];
      };
      const indices = [0, 1, size - 1, ...Array.from({ length: 500 }, () => below(size))].sort((a, b) => a - b);
      let before: { index: number; key: (number | string)[] } | null = null;
      for (const index of indices) {
        const value = open.unrank(index, like);
        expect(open.rank(value)).toBe(BigInt(index));
        const key = keyOf(value);
        if (before !== null && before.index !== index) {
          const differs = key.findIndex((each, at) => each !== before!.key[at]);
          expect(key[differs]! > before.key[differs]!).toBe(true);
        }
        before = { index, key };
      }
    }
    expect(split(open, 'ab@x.de').shape).toBe(split(open, 'wxyz@x.de').shape);
    expect(split(open, 'a.bc@x.de').shape).toBe(split(open, 'ab.c@x.de').shape);
    expect(split(open, 'a.bc@x.de').shape).not.toBe(split(open, 'abc@x.de').shape);
    // Five and more keep their lengths.
    expect(split(open, 'ab.cde@x.de').shape).toBe('aa.aaa');
    expect(split(open, 'a.b.c.d.e@x.de').shape).toBe('a.a.a.a.a');
  });

  it('longer ones are numbers of radix 36', () => {
    const { below } = random('long addresses');
    for (let length = 5; length <= 64; length++) {
      const local = Array.from({ length }, () => SYMBOLS[below(36)]!).join('');
      const value = `${local}@example.com`;
      expect(open.rank(value)).toBe(number36(local));
      const parts = split(open, value);
      expect(BigInt(parts.size)).toBe(36n ** BigInt(length));
      expect(typeof parts.size).toBe(length <= 10 ? 'number' : 'bigint');
      there(open, value);
      if (length < 64) {
        expect(open.rank(`${local.slice(0, 3)}.${local.slice(3)}@example.com`)).toBe(number36(local));
      }
    }
  });

  it('with the domain enciphered, all is one number', () => {
    const value = 'ada.lovelace@my-shop.example';
    const size = 36n ** 11n * 36n ** 6n * (36n ** 7n - 1n);
    const parts = split(hidden, value);
    expect(parts.size).toBe(size);
    expect(parts.shape).toBe('aaa.aaaaaaaa@aa-aaaa.aaaaaaa');
    expect(parts.clear).toBe('');
    const reserved = number36('invalid');
    const top = (label: string) => number36(label) - (number36(label) > reserved ? 1n : 0n);
    const expected = (number36('adalovelace') * 36n ** 6n + number36('myshop')) * (36n ** 7n - 1n) + top('example');
    expect(parts.index).toBe(expected);
    expect(engineOf(hidden).enciphered!.assemble(parts, 0n)).toBe('aaa.aaaaaaaa@aa-aaaa.aaaaaaa.invalid');
    expect(engineOf(hidden).enciphered!.assemble(parts, size - 1n)).toBe('999.99999999@99-9999.9999999.invalid');
    there(hidden, value);
  });

  it('the values of docs/spec/fpe-v1.md', () => {
    expect(open.rank('ada.lovelace@example.com')).toBe(305573627784460n);
    expect(open.rank('jo@example.com')).toBe(374n);
    expect(open.rank('j.d@example.com')).toBe(327n);
    expect(hidden.rank('jo@x.de')).toBe(17479264n);
    expect(hidden.rank('ada.lovelace@my-shop.example')).toBe(52125277512911255725449938441672329n);
    expect(open.unrank(0, 'ada.lovelace@example.com')).toBe('aaa.aaaaaaaa@example.com');
    expect(open.size).toBe(1679616n);
  });

  it('no enciphered domain ends in .invalid before it gets that, and none is left out', () => {
    const reserved = number36('invalid');
    const value = (top: string) => `ab@x.${top}`;
    expect(hidden.rank(value('invalie')) - hidden.rank(value('invalic'))).toBe(1n);
    expect(hidden.unrank(reserved - 1n, value('aaaaaaa'))).toBe('a@a.invalic');
    expect(hidden.unrank(reserved, value('aaaaaaa'))).toBe('a@a.invalie');
    expect(hidden.rank('a@a.9999999')).toBe(36n ** 7n - 2n);
    for (const top of ['invalic', 'invalie', 'aaaaaaa', '9999999', 'in-valid', 'nvalid']) there(hidden, value(top));
  });

  it('the two faces are told apart', () => {
    const { enciphered } = engineOf(hidden);
    for (const value of ['ada@example.com', 'ada@example.invali', 'ada@invalid', 'ada@.invalid', 'ada@a.invalid']) {
      expect(() => enciphered!.split(value)).toThrow(/domain/);
    }
    expect(() => enciphered!.split('ada@example.com.invalid.invalid')).toThrow('already');
    expect(enciphered!.split('ada@example.com.invalid')).toEqual(split(hidden, 'ada@example.com'));
  });

  it('a hashed domain is a digest under .invalid, and stays one', () => {
    const { blind, enciphered, assemble } = engineOf(hashed);
    const digest = (text: string) => (text === 'example.com' ? '0123456789abcdefghjkmnpqrs' : 'z'.repeat(26));
    const parts = split(hashed, 'ada.lovelace@example.com');
    const clear = blind!(parts.clear, digest);
    expect(clear).toBe('0123456789abcdefghjkmnpqrs.invalid');
    const out = enciphered!.assemble({ ...parts, clear }, parts.index);
    expect(out).toBe('ada.lovelace@0123456789abcdefghjkmnpqrs.invalid');
    const back = enciphered!.split(out);
    expect(back).toEqual({ ...parts, clear });
    expect(assemble(back, parts.index)).toBe(out);
    expect(hashed.test(out)).toBe(false);
    for (const host of ['example.com', 'abc.invalid', `${'z'.repeat(27)}.invalid`, `x.${'z'.repeat(26)}.invalid`]) {
      expect(() => enciphered!.split(`ada@${host}`)).toThrow('the domain is not one that this rule has hashed');
    }
  });

  it('the smallest space is honest', () => {
    for (const [format, least, domain] of [
      [open, 36n ** 4n, '@example.com'],
      [hashed, 36n ** 4n, '@example.com'],
      [hidden, 36n ** 6n, '@a.b'],
    ] as const) {
      expect(format.size).toBe(least);
      expect(format.strength()).toMatchObject({ codebook: false, engine: 'ff1-cycle-walking' });
      let smallest = 0n;
      for (const mask of ['x', 'x.x', 'x.x.x', 'x.x.x.x', 'xx.x', 'xxxxx', 'xx.xx.x', '_x', 'x-_-x.x']) {
        const size = BigInt(split(format, mask + domain).size);
        expect(size).toBeGreaterThanOrEqual(least);
        if (size === least) smallest++;
      }
      expect(smallest).toBe(1n);
      expect(format.test(format.unrank(0))).toBe(true);
    }
  });

  it('descriptors are pinned, data are plain', () => {
    expect(all.map((format) => engineOf(format).descriptor)).toEqual([
      ['email@1', 'domain=clear'],
      ['email@1', 'domain=hashed'],
      ['email@1', 'domain=enciphered'],
    ]);
    expect(engineOf(email({ domain: 'clear' })).descriptor).toEqual(engineOf(open).descriptor);
    expect(JSON.stringify([...all, email({ domain: 'clear' })])).toBe(
      '[{"type":"email"},{"type":"email","domain":"hashed"},{"type":"email","domain":"enciphered"},' +
        '{"type":"email","domain":"clear"}]',
    );
    for (const format of all) expect(Object.isFrozen(format)).toBe(true);
  });

  it.each([
    [{ domain: 'open' }, RangeError],
    [{ domain: null }, RangeError],
    [{ domain: true }, RangeError],
    [{ min: 4 }, TypeError],
    [null, TypeError],
    ['clear', TypeError],
    [[], TypeError],
  ])('options %j are refused', (options, kind) => {
    expect(() => email(options as never)).toThrow(kind);
  });
});
