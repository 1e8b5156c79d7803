import { readFileSync } from 'node:fs';
import C from '@unicode/unicode-15.1.0/Case_Folding/C/code-points.mjs';
import F from '@unicode/unicode-15.1.0/Case_Folding/F/code-points.mjs';
import S from '@unicode/unicode-15.1.0/Case_Folding/S/code-points.mjs';
import UNASSIGNED from '@unicode/unicode-15.1.0/General_Category/Unassigned/ranges.mjs';
import { describe, expect, it } from 'vitest';
import { isArgumentError } from '../../src/core/checks.ts';
import { TrefoilError } from '../../src/errors.ts';
import { PREPARE_NAMES, prepareByName, prepareSteps } from '../../src/prepare/steps.ts';
import { foldFull, foldSimple, isAssigned } from '../../src/prepare/unicode.ts';
import * as subpath from '../../src/prepare.ts';
import { codeOf } from '../helpers/errors.ts';
import { render } from '../reference/generators/make-unicode-table.mjs';

const { casefold, digitsOnly, emailAddress, emailAddressExact, ipAddress, nfc, nfkc, phone, phoneE164, trim } = subpath;
const { wholeNumber } = subpath;
type Step = (text: string) => string;
/** The exports that are steps. The others are readings (readings.test.ts). */
type StepName = Exclude<keyof typeof subpath, 'readDate' | 'readEpoch' | 'readNumber' | 'readPhone'>;

// Frozen: a new release must not change these outputs. The same vectors are in docs/spec/prepare-v1.md, and a test
// below compares them.
const VECTORS: readonly (readonly [step: StepName, input: string, output: string])[] = [
  ['nfc', 'Zoe\u0308', 'Zo\u00eb'],
  ['nfc', 'a\u0301\u0323', '\u1ea1\u0301'],
  ['nfc', 'a\u0323\u0301', '\u1ea1\u0301'],
  ['nfc', '\u212a', 'K'],
  ['nfc', '\u2126', '\u03a9'],
  ['nfc', '\ufb01', '\ufb01'],
  ['nfc', '\u1112\u1161\u11ab', '\ud55c'],
  ['nfc', '\u0958', '\u0915\u093c'],
  ['nfc', '\u{1d15e}', '\u{1d157}\u{1d165}'],
  ['nfc', '\u{2f800}', '\u4e3d'],
  ['nfc', '\u{110a5}\u{110ba}', '\u{110ab}'],
  ['nfc', '\u{1f469}\u200d\u{1f4bb}', '\u{1f469}\u200d\u{1f4bb}'],
  ['nfkc', '\uff14\uff12', '42'],
  ['nfkc', '\ufb01\u00b2', 'fi2'],
  ['nfkc', '\u00a0', ' '],
  ['nfkc', '\u1e9b\u0323', '\u1e69'],
  ['nfkc', '\u{1d54b}', 'T'],
  ['nfkc', '\ufdfa', '\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 \u0648\u0633\u0644\u0645'],
  ['trim', '\ufeff\u3000Ada  Lovelace\u2029\r\n', 'Ada  Lovelace'],
  ['trim', '\u200bAda\u180e', '\u200bAda\u180e'],
  ['trim', ' \t ', ''],
  ['casefold', 'Stra\u00dfe', 'strasse'],
  ['casefold', 'STRA\u1e9eE', 'strasse'],
  ['casefold', '\u039f\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2', '\u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c3'],
  ['casefold', '\u0130', 'i\u0307'],
  ['casefold', '\u0131I', '\u0131i'],
  ['casefold', '\u212a\u017f', 'ks'],
  ['casefold', '\u13a0\uab70', '\u13a0\u13a0'],
  ['casefold', '\u0149', '\u02bcn'],
  ['casefold', '\u01f0', '\u01f0'],
  ['casefold', 'J\u030c', '\u01f0'],
  ['casefold', '\u1fbc', '\u03b1\u03b9'],
  ['casefold', '\u1f80', '\u1f00\u03b9'],
  ['casefold', '\u{10400}\u{1e900}', '\u{10428}\u{1e922}'],
  ['casefold', '\ufb03', 'ffi'],
  ['digitsOnly', 'DE 12-34.5', '12345'],
  ['digitsOnly', '\u00000012\u007f', '0012'],
  ['emailAddress', ' Ada@Example.COM\r\n', 'ada@example.com'],
  ['emailAddress', "O'Neil+Tag/{x}=`~^@sub-1.Example.org", "o'neil+tag/{x}=`~^@sub-1.example.org"],
  ['emailAddress', 'GRO\u1e9e@Stra\u00dfe.example', 'gro\u00df@stra\u00dfe.example'],
  ['emailAddress', 'gross@strasse.example', 'gross@strasse.example'],
  ['emailAddress', 'Zoe\u0308@example.com', 'zo\u00eb@example.com'],
  ['emailAddress', 'J\u030c@example.com', '\u01f0@example.com'],
  ['emailAddress', '\u01f0@example.com', '\u01f0@example.com'],
  ['emailAddress', '\u039f\u0394\u039f\u03a3@example.gr', '\u03bf\u03b4\u03bf\u03c3@example.gr'],
  ['emailAddress', '\u03bf\u03b4\u03bf\u03c2@example.gr', '\u03bf\u03b4\u03bf\u03c3@example.gr'],
  ['emailAddress', '\u0130@example.com', '\u0130@example.com'],
  ['emailAddress', '\u212a\u017f@example.com', 'ks@example.com'],
  ['emailAddress', '\u{1f419}@xn--E1AFMKFD.example', '\u{1f419}@xn--e1afmkfd.example'],
  ['emailAddress', '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a', '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a'],
  ['emailAddressExact', ' Ada@Example.COM ', 'Ada@example.com'],
  ['emailAddressExact', 'J\u030c@J\u030c.example', 'J\u030c@\u01f0.example'],
  ['emailAddressExact', 'Zoe\u0308@\u0395\u03a3.example', 'Zo\u00eb@\u03b5\u03c3.example'],
  ['phoneE164', '+49 (30) 901-820', '+4930901820'],
  ['phoneE164', ' +1\u00a0212.555\u20110123 ', '+12125550123'],
  ['phoneE164', '+ 33/1\u202f23\u201345', '+3312345'],
  ['phoneE164', '+123456789012345', '+123456789012345'],
  ['ipAddress', ' ::ffff:192.0.2.7 ', '192.0.2.7'],
  ['ipAddress', '::FFFF:c000:207', '192.0.2.7'],
  ['ipAddress', '0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
  ['ipAddress', '192.0.2.7', '192.0.2.7'],
  ['ipAddress', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['ipAddress', '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['ipAddress', '2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['ipAddress', '::192.0.2.7', '::c000:207'],
  ['ipAddress', '64:ff9b::192.0.2.7', '64:ff9b::c000:207'],
  ['ipAddress', '0::0', '::'],
  ['phone', '+49 (0)30 901820', '+4930901820'],
  ['phone', '+49 30 901820', '+4930901820'],
  ['phone', '+49 (030) 901820', '+4930901820'],
  ['phone', '+49030901820', '+4930901820'],
  ['phone', ' +44(0)20\u00a07946\u20110958 ', '+442079460958'],
  ['phone', '+39 06 6982', '+39066982'],
  ['phone', '+378 0549 886377', '+3780549886377'],
  ['phone', '+225 07 01 02 03 04', '+2250701020304'],
  ['phone', '+36 (06) 1 234 5678', '+3612345678'],
  ['phone', '+7 (8) 495 123-45-67', '+74951234567'],
  ['phone', '+7 812 123-45-67', '+78121234567'],
  ['phone', '+55 (0) 11 91234-5678', '+5511912345678'],
  ['phone', '+1 (212) 555-0123', '+12125550123'],
  ['phone', '+123456789012345', '+123456789012345'],
  ['wholeNumber', '10017.0', '10017'],
  ['wholeNumber', ' 10017.000\u000a', '10017'],
  ['wholeNumber', '10017', '10017'],
  ['wholeNumber', '-7', '-7'],
  ['wholeNumber', '-0', '0'],
  ['wholeNumber', '0.0', '0'],
  ['wholeNumber', '-0.00', '0'],
  ['wholeNumber', '6150769120280496265.0', '6150769120280496265'],
  ['wholeNumber', '-340282366920938463463374607431768211456', '-340282366920938463463374607431768211456'],
];

const REFUSED: readonly (readonly [step: StepName, input: string, code: string])[] = [
  ['nfc', '\u0378', 'unassigned_code_point'],
  ['nfc', 'a\uffff', 'unassigned_code_point'],
  ['nfc', '\u{1fffe}', 'unassigned_code_point'],
  ['nfkc', '\u{1c89}', 'unassigned_code_point'],
  ['casefold', '\u{10ffff}', 'unassigned_code_point'],
  ['casefold', '\ud83d', 'lone_surrogate'],
  ['trim', ' \udc00 ', 'lone_surrogate'],
  ['digitsOnly', '\uff11', 'not_digits'],
  ['digitsOnly', '1\u0662', 'not_digits'],
  ['digitsOnly', '', 'not_digits'],
  ['digitsOnly', 'abc', 'not_digits'],
  ['emailAddress', '', 'not_an_email'],
  ['emailAddress', '@', 'not_an_email'],
  ['emailAddress', 'ada', 'not_an_email'],
  ['emailAddress', 'ada@example', 'not_an_email'],
  ['emailAddress', 'ada@@example.com', 'not_an_email'],
  ['emailAddress', 'a@b@example.com', 'not_an_email'],
  ['emailAddress', '@example.com', 'not_an_email'],
  ['emailAddress', '.ada@example.com', 'not_an_email'],
  ['emailAddress', 'ada.@example.com', 'not_an_email'],
  ['emailAddress', 'a..da@example.com', 'not_an_email'],
  ['emailAddress', '"ada"@example.com', 'not_an_email'],
  ['emailAddress', 'ada(x)@example.com', 'not_an_email'],
  ['emailAddress', 'Ada <ada@example.com>', 'not_an_email'],
  ['emailAddress', 'ada lovelace@example.com', 'not_an_email'],
  ['emailAddress', 'ada,bob@example.com', 'not_an_email'],
  ['emailAddress', 'ada\u0000@example.com', 'not_an_email'],
  ['emailAddress', 'ada\u007f@example.com', 'not_an_email'],
  ['emailAddress', 'ada@example.com.', 'not_an_email'],
  ['emailAddress', 'ada@.example.com', 'not_an_email'],
  ['emailAddress', 'ada@example..com', 'not_an_email'],
  ['emailAddress', 'ada@-example.com', 'not_an_email'],
  ['emailAddress', 'ada@example-.com', 'not_an_email'],
  ['emailAddress', 'ada@exa_mple.com', 'not_an_email'],
  ['emailAddress', 'ada@[192.0.2.1]', 'not_an_email'],
  ['emailAddress', 'ada@exam ple.com', 'not_an_email'],
  ['emailAddress', 'mailto:ada@example.com?cc=b@example.com', 'not_an_email'],
  ['emailAddress', 'ada@example\u3002com', 'not_an_email'],
  ['emailAddress', 'ada@b\uff0eexample.com', 'not_an_email'],
  ['emailAddress', 'ada\u00ad@example.com', 'not_an_email'],
  ['emailAddress', 'ada\u200b@example.com', 'not_an_email'],
  ['emailAddress', 'a\u200dda@example.com', 'not_an_email'],
  ['emailAddress', '\u202eada@example.com', 'not_an_email'],
  ['emailAddress', 'ada@exa\u2060mple.com', 'not_an_email'],
  ['emailAddress', 'a\ufeffda@example.com', 'not_an_email'],
  ['emailAddress', 'ad\ufffd@example.com', 'not_an_email'],
  ['emailAddress', 'ad\u0085@example.com', 'not_an_email'],
  ['emailAddress', 'ada\u{e0041}@example.com', 'not_an_email'],
  ['emailAddress', 'ada@exam\u037eple.com', 'not_an_email'],
  ['emailAddress', 'ada\u0378@example.com', 'unassigned_code_point'],
  ['emailAddressExact', 'ada@example.com\ud800', 'lone_surrogate'],
  ['emailAddressExact', 'ada\u{e0080}@example.com', 'unassigned_code_point'],
  ['phoneE164', '', 'not_a_phone'],
  ['phoneE164', '+', 'not_a_phone'],
  ['phoneE164', '030 901820', 'not_a_phone'],
  ['phoneE164', '0049 30 901820', 'not_a_phone'],
  ['phoneE164', '+0049 30 901820', 'not_a_phone'],
  ['phoneE164', '+49 (0) 30 901820', 'not_a_phone'],
  ['phoneE164', '+49(\u00a00 )30 901820', 'not_a_phone'],
  ['phoneE164', '+49 (30 901820', 'not_a_phone'],
  ['phoneE164', '+49 30) 901820', 'not_a_phone'],
  ['phoneE164', '+49 ((30)) 901820', 'not_a_phone'],
  ['phoneE164', '+49 () 30 901820', 'not_a_phone'],
  ['phoneE164', '++49 30 901820', 'not_a_phone'],
  ['phoneE164', '+49 30 901820 ext. 5', 'not_a_phone'],
  ['phoneE164', '+49 30 901820;+49 30 901821', 'not_a_phone'],
  ['phoneE164', '+\uff14\uff1930901820', 'not_a_phone'],
  ['phoneE164', '\uff0b4930901820', 'not_a_phone'],
  ['phoneE164', '+49\t30901820', 'not_a_phone'],
  ['phoneE164', '+123456', 'not_a_phone'],
  ['phoneE164', '+1234567890123456', 'not_a_phone'],
  ['ipAddress', '', 'not_an_ip'],
  ['ipAddress', '192.0.2', 'not_an_ip'],
  ['ipAddress', '192.0.02.7', 'not_an_ip'],
  ['ipAddress', '256.0.0.1', 'not_an_ip'],
  ['ipAddress', 'fe80::1%eth0', 'not_an_ip'],
  ['ipAddress', '[2001:db8::1]', 'not_an_ip'],
  ['ipAddress', '192.0.2.7:80', 'not_an_ip'],
  ['ipAddress', '2001:db8::/32', 'not_an_ip'],
  ['ipAddress', '1::2::3', 'not_an_ip'],
  ['ipAddress', 'localhost', 'not_an_ip'],
  ['ipAddress', '\uff11.2.3.4', 'not_an_ip'],
  ['phone', '', 'not_a_phone'],
  ['phone', '+', 'not_a_phone'],
  ['phone', '030 901820', 'not_a_phone'],
  ['phone', '0049 30 901820', 'not_a_phone'],
  ['phone', '+0049 30 901820', 'not_a_phone'],
  ['phone', '+49 00 30 901820', 'not_a_phone'],
  ['phone', '+49 (0)(0)30 901820', 'not_a_phone'],
  ['phone', '+49 30 (0) 901820', 'not_a_phone'],
  ['phone', '+39 (0)6 6982', 'not_a_phone'],
  ['phone', '+34 (0)91 123 45 67', 'not_a_phone'],
  ['phone', '+34 091 123 45 67', 'not_a_phone'],
  ['phone', '+55 0 11 91234-5678', 'not_a_phone'],
  ['phone', '+36 0 1 234 5678', 'not_a_phone'],
  ['phone', '+210 123 45 67', 'not_a_phone'],
  ['phone', '+49 (30 901820', 'not_a_phone'],
  ['phone', '+49 30 901820 ext. 5', 'not_a_phone'],
  ['phone', '+\uff14\uff1930901820', 'not_a_phone'],
  ['phone', '+49 (0)1', 'not_a_phone'],
  ['phone', '+1234567890123456', 'not_a_phone'],
  ['wholeNumber', '', 'not_an_integer'],
  ['wholeNumber', '-', 'not_an_integer'],
  ['wholeNumber', '007', 'not_an_integer'],
  ['wholeNumber', '-07', 'not_an_integer'],
  ['wholeNumber', '+7', 'not_an_integer'],
  ['wholeNumber', '10017.', 'not_an_integer'],
  ['wholeNumber', '.0', 'not_an_integer'],
  ['wholeNumber', '10017.5', 'not_an_integer'],
  ['wholeNumber', '10017.01', 'not_an_integer'],
  ['wholeNumber', '1e4', 'not_an_integer'],
  ['wholeNumber', '1.0e4', 'not_an_integer'],
  ['wholeNumber', '1.2345678901234568E+19', 'not_an_integer'],
  ['wholeNumber', '10,017', 'not_an_integer'],
  ['wholeNumber', '10 017', 'not_an_integer'],
  ['wholeNumber', '10017,0', 'not_an_integer'],
  ['wholeNumber', '0x10', 'not_an_integer'],
  ['wholeNumber', '1_000', 'not_an_integer'],
  ['wholeNumber', 'NaN', 'not_an_integer'],
  ['wholeNumber', 'Infinity', 'not_an_integer'],
  ['wholeNumber', '\uff17', 'not_an_integer'],
  ['wholeNumber', '\u22127', 'not_an_integer'],
  ['wholeNumber', '--7', 'not_an_integer'],
];

const STEPS: Readonly<Record<StepName, Step>> = { ...subpath };
const step = (name: StepName): Step => STEPS[name];

/** A text in ASCII, as the specification page writes it. */
function escapes(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === "'") out += "\\'";
    else if (code > 0xffff) out += `\\u{${code.toString(16)}}`;
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += character;
  }
  return `'${out}'`;
}

describe('frozen outputs', () => {
  it.each(VECTORS)('%s %j → %j', (name, input, output) => {
    expect(step(name)(input)).toBe(output);
    expect(step(name)(output)).toBe(output);
  });

  it('equal those of the specification', () => {
    const page = readFileSync(new URL('../../docs/spec/prepare-v1.md', import.meta.url), 'utf8');
    for (const [name, input, output] of VECTORS) {
      expect(page).toContain(`| \`${name}\` | \`\` ${escapes(input)} \`\` | \`\` ${escapes(output)} \`\` |`);
    }
    for (const [name, input, code] of REFUSED) {
      expect(page).toContain(`| \`${name}\` | \`\` ${escapes(input)} \`\` | \`${code}\` |`);
    }
  });
});

describe('refusals', () => {
  it.each(REFUSED)('%s %j: %s', (name, input, code) => {
    expect(codeOf(() => step(name)(input))).toBe(code);
  });

  it.each(PREPARE_NAMES as readonly StepName[])('%s takes only text', (name) => {
    const hostile = [undefined, null, 0, 1n, true, Symbol('x'), {}, [], ['a'], new String('a'), new Date(0), () => 'a'];
    for (const value of hostile) expect(codeOf(() => step(name)(value as string))).toBe('wrong_type');
  });

  it('have numbers as fields of the issue', () => {
    const long = `${'a'.repeat(65)}@example.com`;
    try {
      emailAddress(long);
      expect.unreachable();
    } catch (error) {
      expect((error as TrefoilError).issues[0]).toMatchObject({ minimum: 1, maximum: 64, actual: 65 });
    }
  });

  it('state the place of an unassigned code point in the original text', () => {
    expect(() => emailAddress('  \u{1f419}\u0378@example.com')).toThrow('at index 4');
  });
});

describe('limits of e-mail addresses', () => {
  const a = (length: number): string => 'a'.repeat(length);

  it('allow a local part of 64 octets', () => {
    expect(emailAddress(`${a(64)}@example.com`)).toBe(`${a(64)}@example.com`);
    expect(codeOf(() => emailAddress(`${a(65)}@example.com`))).toBe('not_an_email');
    expect(emailAddress(`${'\u00e9'.repeat(32)}@example.com`)).toHaveLength(44);
    expect(codeOf(() => emailAddress(`${'\u00e9'.repeat(33)}@example.com`))).toBe('not_an_email');
    // Characters of three octets, and of four.
    for (const [character, most] of [
      ['\u7528', 21],
      ['\u{1f419}', 16],
    ] as const) {
      const longest = `${character.repeat(most)}@example.com`;
      expect(emailAddress(longest)).toBe(longest);
      expect(codeOf(() => emailAddress(character + longest))).toBe('not_an_email');
    }
  });

  it('allow a domain of 255 octets with labels of 63', () => {
    const domain = [a(63), a(63), a(63), a(63)].join('.');
    expect(emailAddress(`x@${domain}`)).toBe(`x@${domain}`);
    expect(codeOf(() => emailAddress(`x@${domain}a`))).toBe('not_an_email');
    expect(codeOf(() => emailAddress(`x@${domain}.a`))).toBe('not_an_email');
    expect(codeOf(() => emailAddress(`x@${a(64)}.com`))).toBe('not_an_email');
  });

  it('are checked again after folding', () => {
    // Ⱥ has two octets, ⱥ three.
    expect(emailAddressExact(`${'\u023a'.repeat(32)}@example.com`)).toHaveLength(44);
    expect(codeOf(() => emailAddress(`${'\u023a'.repeat(32)}@example.com`))).toBe('not_an_email');
    expect(emailAddress(`${'\u023a'.repeat(21)}@example.com`)).toBe(`${'\u2c65'.repeat(21)}@example.com`);
  });

  it('need only linear time for long hostile text', () => {
    const n = 1_000_000;
    const long = [a(n), ' '.repeat(n), `a${' '.repeat(n)}a`, '@'.repeat(n), '.'.repeat(n), `+${'('.repeat(n)}`];
    long.push(`+${'(1)'.repeat(n / 2)}`, `+${'( '.repeat(n)}0`, `a@${'a-'.repeat(n)}`, `a@${'a.'.repeat(n)}`);
    const start = performance.now();
    for (const text of long) {
      trim(text);
      for (const refusing of [emailAddress, phoneE164, phone, wholeNumber, digitsOnly]) {
        try {
          refusing(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TrefoilError);
        }
      }
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('runs of combining marks', () => {
  const marks = (count: number): string => '\u0323\u0301'.repeat(count).slice(0, count);
  const NORMALISING = { nfc, nfkc, casefold, emailAddress, emailAddressExact };
  const longest = (text: string): number => {
    let [run, most] = [0, 0];
    for (const character of text.normalize('NFKD')) {
      run = NON_STARTERS.has(character) ? run + 1 : 0;
      most = Math.max(most, run);
    }
    return most;
  };

  /** A definition that the library does not use: a non-starter may change places with a mark of another class. */
  const MARKS = ['\u0334', '\u3099', '\u094d', '\u0323', '\u0301', '\u0345'];
  const NON_STARTERS = new Set<string>();
  for (let code = 0x300; code <= 0x1ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    if (!/\p{M}/u.test(character) || character.normalize('NFD') !== character) continue;
    const moves = MARKS.some(
      (mark) => mark !== character && (character + mark).normalize('NFD') === (mark + character).normalize('NFD'),
    );
    if (moves) NON_STARTERS.add(character);
  }

  it('of 30 are accepted unchanged; runs of 31 are too_long, with both numbers in the issue', () => {
    for (const [name, step] of Object.entries(NORMALISING)) {
      const value = (count: number) => `a${marks(count)}b${name.startsWith('email') ? '@example.com' : ''}`;
      const form = name === 'nfkc' ? 'NFKC' : 'NFC';
      // A local part has at most 64 octets, and 30 marks are 60.
      expect(step(value(30)), name).toBe(value(30).normalize(form));
      try {
        step(value(31));
        expect.unreachable(name);
      } catch (error) {
        expect((error as TrefoilError).issues[0]).toMatchObject({ code: 'too_long', maximum: 30, actual: 31 });
      }
    }
  });

  it('are counted as in UAX #15: in NFKD, continued by characters that decompose, ended by ASCII', () => {
    const cases: readonly (readonly [text: string, count: number])[] = [
      ['\u0344'.repeat(15), 30],
      ['\u0344'.repeat(16), 32],
      [`\u1f82${marks(27)}`, 30],
      [`\u1f82${marks(28)}`, 31],
      ['\uff9e\u0301'.repeat(16), 32],
      [`${marks(30)}a${marks(30)}`, 30],
      [`${marks(30)}\u00a8${marks(29)}`, 30],
      [`${marks(30)}\u00a8${marks(30)}`, 31],
      [`\u{1d160}${'\u{1d165}'.repeat(28)}`, 30],
      [`\u{1d160}${'\u{1d165}'.repeat(29)}`, 31],
      ['\u0903'.repeat(100), 0],
      [`${'\u0928\u093f'.repeat(50)}`, 0],
      ['\u200d'.repeat(100), 0],
    ];
    for (const [text, count] of cases) {
      expect(longest(text), escapes(text)).toBe(count);
      if (count > 30)
        expect(
          codeOf(() => nfc(text)),
          escapes(text),
        ).toBe('too_long');
      else expect(nfc(text)).toBe(text.normalize('NFC'));
    }
  });

  it('grow by at most three with a code point, unless the fast check finds it', () => {
    for (let code = 0xa0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      if (!isAssigned(code)) continue;
      const parts = [...character.normalize('NFKD')].map((part) => NON_STARTERS.has(part));
      const first = parts.indexOf(false);
      const leading = first < 0 ? parts.length : first;
      const trailing = parts.length - 1 - parts.lastIndexOf(false);
      // If the NFKD is all non-starters, there are at most 2, and the pattern finds the code point. Any other code
      // point begins with a starter and ends with at most 3 non-starters.
      const fine =
        first < 0 ? leading <= 2 && /^[\p{M}\uff9e\uff9f]$/u.test(character) : leading === 0 && trailing <= 3;
      if (!fine) expect.unreachable(`U+${code.toString(16)}`);
    }
  });

  it('an address may be up to twice as long before NFC as after it', () => {
    const octets = (text: string): number => Buffer.byteLength(text);
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      const most = 2 * octets(character.normalize('NFC'));
      if (character.length > most || character.normalize('NFD').length > most) expect.unreachable(`U+${code}`);
    }
    // 21 times 4 code units before NFC, 63 octets after.
    const long = `${'\u03b1\u0313\u0300\u0345'.repeat(21)}@example.com`;
    expect(emailAddress(long)).toBe(long.normalize('NFC'));
    expect(codeOf(() => emailAddress(`${'a'.repeat(640)}@example.com`))).toBe('not_an_email');
  });

  it('need only linear time, even if a value has 400,000', () => {
    const value = `a${marks(400_000)}`;
    const start = performance.now();
    for (const step of Object.values(NORMALISING)) {
      expect(codeOf(() => step(value))).toMatch(/^(?:too_long|not_an_email)$/);
      expect(codeOf(() => step(`${value}@example.com`))).toMatch(/^(?:too_long|not_an_email)$/);
    }
    // If runs were sorted by insertion, each would take half a minute.
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe('the table of Unicode 15.1.0', () => {
  it('equals the output of the generator', () => {
    expect(readFileSync(new URL('../../src/prepare/unicode-15-1.ts', import.meta.url), 'utf8')).toBe(render());
  });

  it('knows for every code point whether it is assigned', () => {
    const unassigned = new Uint8Array(0x110000);
    for (const { begin, end } of UNASSIGNED) unassigned.fill(1, begin, end);
    for (let code = 0; code <= 0x10ffff; code++) {
      if (isAssigned(code) !== (unassigned[code] === 0)) expect.unreachable(`U+${code.toString(16)}`);
    }
  });

  // 15.1 assigned U+2FFC. A runtime that knows it has 15.1 or later, and later versions do not remove code points.
  it.runIf(/\P{Cn}/u.test('\u2ffc'))('has no assigned code point that is unassigned in this runtime', () => {
    const unassignedHere = /\p{Cn}/u;
    for (let code = 0; code <= 0x10ffff; code++) {
      const surrogate = code >= 0xd800 && code <= 0xdfff;
      if (!surrogate && unassignedHere.test(String.fromCodePoint(code)) && isAssigned(code)) {
        expect.unreachable(`U+${code.toString(16)}`);
      }
    }
  });

  it('folds every code point as CaseFolding.txt specifies', () => {
    const text = (to: number | readonly number[]): string => String.fromCodePoint(...(Array.isArray(to) ? to : [to]));
    const full = new Map([...C, ...F] as [number, number | number[]][]);
    const simple = new Map([...C, ...S] as [number, number][]);
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      const wrong = foldFull(character) !== text(full.get(code) ?? code);
      if (wrong || foldSimple(character) !== text(simple.get(code) ?? code)) {
        expect.unreachable(`U+${code.toString(16)}`);
      }
    }
    expect(full.size).toBe(C.size + F.size);
  });

  it('has the same simple folding as regular expressions of this runtime', () => {
    for (const [code, to] of [...C, ...S]) {
      const same = new RegExp(`^\\u{${to.toString(16)}}$`, 'iu').test(String.fromCodePoint(code));
      if (!same) expect.unreachable(`U+${code.toString(16)}`);
    }
  });
});

describe('a step', () => {
  it.each(PREPARE_NAMES)('%s is a frozen function with its name', (name) => {
    const found = prepareByName(name)!;
    expect(found.step).toBe(name);
    expect(found.name).toBe(name);
    expect(Object.isFrozen(found)).toBe(true);
    expect(found).toBe(step(name as StepName));
    expect(found.length).toBe(1);
    expect(prepareSteps('prepare', found)).toEqual([found]);
  });

  it('is the only kind of export of the subpath, besides readings', () => {
    const readings = ['readDate', 'readEpoch', 'readNumber', 'readPhone'];
    expect(Object.keys(subpath).sort()).toEqual([...PREPARE_NAMES, ...readings].sort());
  });

  it.each(['', 'NFC', 'lowercase', '__proto__', 'constructor', 'toString'])('%j is not the name of one', (name) => {
    expect(prepareByName(name)).toBeUndefined();
  });

  it('is recognised from another copy of the library, by its symbol', () => {
    const other = Object.assign((text: string) => text.normalize('NFC'), {
      step: 'nfc',
      [Symbol.for('trefoil.prepare.v1')]: 'nfc',
    });
    expect(prepareSteps('prepare', [trim, other])).toEqual([trim, other]);
  });
});

describe('prepareSteps', () => {
  it('keeps the order and freezes a copy', () => {
    const list = [trim, nfkc, digitsOnly];
    const steps = prepareSteps('prepare', list);
    list.pop();
    expect(steps).toEqual([trim, nfkc, digitsOnly]);
    expect(Object.isFrozen(steps)).toBe(true);
    expect(prepareSteps('prepare', [])).toEqual([]);
    expect(prepareSteps('prepare', Array(8).fill(nfc))).toHaveLength(8);
  });

  const symbol = Symbol.for('trefoil.prepare.v1');
  const refused: readonly unknown[] = [
    undefined,
    null,
    'nfc',
    ['nfc'],
    (text: string) => text,
    [nfc, (text: string) => text],
    Array(9).fill(nfc),
    Array(2),
    [[nfc]],
    { step: 'nfc', [symbol]: 'nfc' },
    Object.assign((text: string) => text, { step: 'nfc' }),
    Object.assign((text: string) => text, { step: 'mine', [symbol]: 'mine' }),
    Object.assign((text: string) => text, { step: 'nfc', [symbol]: 'trim' }),
    new Set([nfc]),
  ];
  it.each(refused.map((value) => [value]))('refuses %o', (value) => {
    try {
      prepareSteps('prepare', value);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      expect(isArgumentError(error) && error.argument).toBe('prepare');
      expect((error as Error).message).toMatch(/^"prepare" expected /);
    }
  });
});

it('equates the spellings that the specification names, and no others', () => {
  expect(casefold('\u00df')).toBe(casefold('SS'));
  expect(emailAddress('ma\u00df@example.com')).not.toBe(emailAddress('mass@example.com'));
  expect(emailAddress('a.b@example.com')).not.toBe(emailAddress('ab@example.com'));
  expect(emailAddress('a+b@example.com')).not.toBe(emailAddress('a@example.com'));
  expect(emailAddress('a@b\u00fccher.example')).not.toBe(emailAddress('a@xn--bcher-kva.example'));
  expect(nfc('\uff11')).not.toBe(nfkc('\uff11'));
  expect(ipAddress('::ffff:192.0.2.7')).toBe(ipAddress('192.0.2.7'));
  expect(ipAddress('::192.0.2.7')).not.toBe(ipAddress('192.0.2.7'));
  expect(ipAddress('2002:c000:207::1')).not.toBe(ipAddress('192.0.2.7'));
});
