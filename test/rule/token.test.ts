import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspect, token, tokenPattern } from '../../src/index.ts';
import { casefold, digitsOnly, emailAddress, ipAddress, nfc, nfkc, phoneE164, trim } from '../../src/prepare.ts';
import { ALPHABET } from '../../src/wire/base32.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { tokenReference } from '../reference/token.ts';
import { DOMAIN, keys, otherDomain, otherKeyset, ROOT } from './keys.ts';

const bound = token({ scope: 'person', label: 'cust' }).bind(keys);
const wellFormed = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });

describe('the construction', () => {
  it('is the one of the specification, from the root to the token, for any value', () => {
    fc.assert(
      fc.property(
        wellFormed,
        fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
        fc.option(fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/), { nil: undefined }),
        (value, scope, label) => {
          const expected = tokenReference(
            { root: ROOT, domain: DOMAIN, scope, prepare: [], ...(label !== undefined && { label }) },
            value,
          );
          const options = { scope, ...(label !== undefined && { label }) };
          expect(token(options).bind(keys).protect(value)).toBe(expected.labelled);
          expect(token({ scope, form: 'bare' }).bind(keys).protect(value)).toBe(expected.bare);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has the names of the steps in the key and their result in the HMAC', () => {
    const cases = [
      [[trim], ['trim'], ' Ada ', 'Ada'],
      [[trim, casefold], ['trim', 'casefold'], ' ADA ', 'ada'],
      [[casefold, trim], ['casefold', 'trim'], ' ADA ', 'ada'],
      [[emailAddress], ['emailAddress'], ' Ada@Example.COM', 'ada@example.com'],
      [[phoneE164], ['phoneE164'], '+49 (30) 901-820', '+4930901820'],
      [[ipAddress], ['ipAddress'], '::FFFF:c000:207', '192.0.2.7'],
      [[nfkc, digitsOnly], ['nfkc', 'digitsOnly'], '１２-34', '1234'],
      [[nfc], ['nfc'], 'Zoe\u0308', 'Zo\u00eb'],
    ] as const;
    for (const [prepare, names, value, prepared] of cases) {
      const expected = tokenReference(
        { root: ROOT, domain: DOMAIN, scope: 'person', prepare: names, label: 'cust' },
        prepared,
      );
      expect(token({ scope: 'person', prepare, label: 'cust' }).bind(keys).protect(value)).toBe(expected.labelled);
    }
  });

  it('one step alone and in a list are the same', () => {
    const alone = token({ scope: 'a', prepare: trim });
    const list = token({ scope: 'a', prepare: [trim] });
    const none = token({ scope: 'a', prepare: [] });
    expect(alone.bind(keys).protect(' x')).toBe(list.bind(keys).protect('x'));
    expect(none.bind(keys).protect('x')).toBe(token({ scope: 'a' }).bind(keys).protect('x'));
    expect([alone.prepare, list.prepare, none.prepare]).toEqual(['trim', ['trim'], []]);
  });
});

describe('what joins and what does not', () => {
  const bodies = (options: Parameters<typeof token>[0], domain = keys) =>
    inspect(token(options).bind(domain).protect('Ada') as string)!.body;

  it('label and form do not separate', () => {
    const body = bodies({ scope: 'a' });
    expect(bodies({ scope: 'a', label: 'x' })).toBe(body);
    expect(bodies({ scope: 'a', onToken: 'pass', missing: [] })).toBe(body);
    expect(token({ scope: 'a', form: 'bare' }).bind(keys).protect('Ada')).toBe(body);
  });

  it('scope, prepare, domain and keyset do', () => {
    const all = [
      bodies({ scope: 'a' }),
      bodies({ scope: 'b' }),
      bodies({ scope: 'a', prepare: trim }),
      bodies({ scope: 'a', prepare: [trim, nfc] }),
      bodies({ scope: 'a', prepare: [nfc, trim] }),
      bodies({ scope: 'a' }, otherDomain),
      bodies({ scope: 'a' }, otherKeyset),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('inputs', () => {
  it('null, undefined and the empty text pass, in every form', () => {
    for (const rule of [
      bound,
      token({ scope: 'a', form: 'bare' }).bind(keys),
      token({ scope: 'a', prepare: trim }).bind(keys),
    ]) {
      expect(rule.protect(null)).toBeNull();
      expect(rule.protect(undefined)).toBeUndefined();
      expect(rule.protect('')).toBe('');
      expect(rule.protectMany([null, '', undefined])).toEqual([null, '', undefined]);
    }
  });

  it('text that is empty once prepared is empty', () => {
    expect(token({ scope: 'a', prepare: trim }).bind(keys).protect(' \t\u00a0')).toBe('');
  });

  it('missing: [] makes a token of the empty text, and of one that is empty once prepared', () => {
    const rule = token({ scope: 'a', prepare: trim, missing: [] }).bind(keys);
    const expected = tokenReference({ root: ROOT, domain: DOMAIN, scope: 'a', prepare: ['trim'] }, '').labelled;
    expect(rule.protect('')).toBe(expected);
    expect(rule.protect('  ')).toBe(expected);
    expect(rule.protect(null)).toBeNull();
    expect(rule.protect(undefined)).toBeUndefined();
  });

  it('numbers and bigints count as their decimal text', () => {
    expect(bound.protect(10017)).toBe(bound.protect('10017'));
    expect(bound.protect(10017n)).toBe(bound.protect('10017'));
    expect(bound.protect(-7)).toBe(bound.protect('-7'));
    expect(bound.protect(0)).toBe(bound.protect('0'));
    expect(bound.protect(-0)).toBe(bound.protect('0'));
    expect(bound.protect(Number.MAX_SAFE_INTEGER)).toBe(bound.protect('9007199254740991'));
    expect(bound.protect(2n ** 80n)).toBe(bound.protect('1208925819614629174706176'));
    expect(bound.protect('010017')).not.toBe(bound.protect(10017));
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 53), 1e21])('the number %s is none', (value) => {
    expect(codeOf(() => bound.protect(value))).toBe('unsafe_integer');
  });

  it('a Date is the text that JSON.stringify writes for it', () => {
    const date = new Date('2024-03-31T08:15:00Z');
    expect(bound.protect(date)).toBe(bound.protect(JSON.parse(JSON.stringify({ date })).date));
    expect(bound.matches(date, bound.protect('2024-03-31T08:15:00.000Z'))).toBe(true);
    expect(bound.protectMany([date, date])).toEqual([bound.protect(date), bound.protect(date)]);
    for (const wrong of [new Date(Number.NaN), new Date(8.64e15)])
      expect(codeOf(() => bound.protect(wrong))).toBe('not_a_date');
  });

  it.each([true, {}, [], Symbol('s'), () => 1, Buffer.from('x')])('%o is none', (value) => {
    expect(codeOf(() => bound.protect(value as unknown as string))).toBe('wrong_type');
  });

  it.each(['\ud800', 'a\udc00', '\udc00\ud800', 'Zoë\ud83d'])('half a surrogate pair is refused: %j', (value) => {
    expect(codeOf(() => bound.protect(value))).toBe('lone_surrogate');
    expect(codeOf(() => token({ scope: 'a', prepare: trim }).bind(keys).protect(value))).toBe('lone_surrogate');
    expect(codeOf(() => bound.matches(value, 'x'))).toBe('lone_surrogate');
  });

  it('pairs, the empty byte and U+FFFD are ordinary, and all differ', () => {
    const tokens = ['\u{1f600}', '\ufffd', '\0', '\0\0', ' ', '\u00e9', 'e\u0301', 'É'].map((value) =>
      bound.protect(value),
    );
    expect(new Set(tokens).size).toBe(8);
  });

  it('a value that a step refuses is that step’s error', () => {
    expect(codeOf(() => token({ scope: 'a', prepare: emailAddress }).bind(keys).protect('no address'))).toBe(
      'not_an_email',
    );
    expect(codeOf(() => token({ scope: 'a', prepare: phoneE164 }).bind(keys).protect('030 901820'))).toBe(
      'not_a_phone',
    );
    expect(codeOf(() => token({ scope: 'a', prepare: digitsOnly }).bind(keys).protect('none'))).toBe('not_digits');
  });
});

describe('a token as a value', () => {
  const own = bound.protect('10017') as string;
  const foreign = token({ scope: 'person', label: 'cust' }).bind(otherDomain).protect('10017') as string;

  it('of these keys is an error, of any scope, label and rule', () => {
    expect(codeOf(() => bound.protect(own))).toBe('already_token');
    expect(codeOf(() => token({ scope: 'b' }).bind(keys).protect(own))).toBe('already_token');
    expect(codeOf(() => token({ scope: 'b', form: 'bare' }).bind(keys).protect(own))).toBe('already_token');
    expect(codeOf(() => bound.protect(token({ scope: 'b' }).bind(keys).protect('x') as string))).toBe('already_token');
  });

  it('passes with onToken: pass', () => {
    const passing = token({ scope: 'person', onToken: 'pass' }).bind(keys);
    expect(passing.protect(own)).toBe(own);
    expect(passing.protectMany([own, '10017'])[0]).toBe(own);
    expect(passing.protect(`${own} `)).not.toBe(`${own} `);
  });

  it('of other keys, a damaged one, one inside text and a bare one are ordinary values', () => {
    const damaged = `${own.slice(0, -1)}${own.endsWith('0') ? '1' : '0'}`;
    const bare = token({ scope: 'person', form: 'bare' }).bind(keys).protect('10017') as string;
    for (const value of [foreign, damaged, `see ${own}`, own.toUpperCase(), bare]) {
      const out = bound.protect(value) as string;
      expect(inspect(out)!.intact).toBe(true);
      expect(out).not.toBe(value);
    }
  });
});

describe('matches', () => {
  it('tells the value of a token, whatever its label was', () => {
    const made = token({ scope: 'person', label: 'old' }).bind(keys).protect('10017') as string;
    expect(bound.matches('10017', made)).toBe(true);
    expect(bound.matches(10017, made)).toBe(true);
    expect(bound.matches(10017n, made)).toBe(true);
    expect(bound.matches('10018', made)).toBe(false);
    expect(bound.matches('', made)).toBe(false);
  });

  it('prepares the value', () => {
    const rule = token({ scope: 'mail', prepare: emailAddress }).bind(keys);
    expect(rule.matches(' ADA@example.com', rule.protect('ada@Example.com') as string)).toBe(true);
  });

  it('another scope does not match', () => {
    expect(bound.matches('10017', token({ scope: 'b' }).bind(keys).protect('10017') as string)).toBe(false);
  });

  it('a token of another domain or keyset is foreign_token', () => {
    for (const other of [otherDomain, otherKeyset]) {
      const foreign = token({ scope: 'person' }).bind(other).protect('10017') as string;
      expect(codeOf(() => bound.matches('10017', foreign))).toBe('foreign_token');
    }
  });

  it('what is no intact token is malformed_token, and every changed character is noticed', () => {
    const made = bound.protect('10017') as string;
    const bare = token({ scope: 'person', form: 'bare' }).bind(keys).protect('10017') as string;
    for (const candidate of [
      '',
      'x',
      '10017',
      bare,
      made.slice(1),
      made.slice(0, -1),
      `${made}0`,
      ` ${made}`,
      `${made}\n`,
      made.toUpperCase(),
    ]) {
      expect(['malformed_token', 'foreign_token']).toContain(codeOf(() => bound.matches('10017', candidate)));
    }
    for (let at = 0; at < made.length; at++) {
      for (const symbol of 'a0z_') {
        if (symbol === made[at]) continue;
        expect(codeOf(() => bound.matches('10017', made.slice(0, at) + symbol + made.slice(at + 1)))).toBe(
          'malformed_token',
        );
      }
    }
    for (const candidate of [null, undefined, 5, {}, Symbol('s')]) {
      expect(codeOf(() => bound.matches('10017', candidate as unknown as string))).toBe('malformed_token');
    }
  });

  it('of the bare form takes bare tokens, and cannot tell a foreign one', () => {
    const rule = token({ scope: 'person', form: 'bare' }).bind(keys);
    const made = rule.protect('10017') as string;
    expect(rule.matches('10017', made)).toBe(true);
    expect(rule.matches('10018', made)).toBe(false);
    expect(
      rule.matches('10017', token({ scope: 'person', form: 'bare' }).bind(otherDomain).protect('10017') as string),
    ).toBe(false);
    for (const candidate of [
      '',
      bound.protect('10017') as string,
      made.slice(1),
      `${made}0`,
      made.toUpperCase(),
      `${made.slice(0, -1)}1`,
    ]) {
      expect(codeOf(() => rule.matches('10017', candidate))).toBe('malformed_token');
    }
  });
});

describe('columns', () => {
  it('are the values one by one', () => {
    const column = ['a', null, '', 'b', undefined, 7, 'a'];
    expect(bound.protectMany(column)).toEqual(column.map((value) => bound.protect(value)));
    expect(bound.protectMany([])).toEqual([]);
  });

  it('throw once, with the first 100 issues, rows from 1 and the number of all', () => {
    const column = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? 'fine' : '\ud800'));
    const error = thrown(() => bound.protectMany(column));
    expect(error.code).toBe('lone_surrogate');
    expect(error.issues).toHaveLength(100);
    expect(error.total).toBe(150);
    expect(error.issues.map(({ row }) => row)).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i + 2));
    expect(error.message).toContain('150 problems');
  });

  it('are not written to, and may be frozen', () => {
    const column = Object.freeze(['a', 'b']);
    bound.protectMany(column);
    expect(column).toEqual(['a', 'b']);
  });

  it.each([null, undefined, 'text', 5, {}, new Set(['a']), new Uint8Array(2)])('%o is none', (column) => {
    expect(() => bound.protectMany(column as unknown as string[])).toThrow(/^"column" expected an array, got/);
  });
});

describe('inspect and tokenPattern', () => {
  const made = bound.protect('10017') as string;

  it('reads the parts', () => {
    const [, label, keyId, body] = /^([a-z0-9]+)_(.{5})(.{26}).{4}$/.exec(made)!;
    expect(inspect(made)).toEqual({ label, keyId, body, intact: true });
    expect(label).toBe('cust');
    expect(keyId).toBe(keys.keyId);
    const plain = token({ scope: 'person' }).bind(keys).protect('10017') as string;
    expect(inspect(plain)).toEqual({ label: null, keyId, body, intact: true });
  });

  it('a changed character is not intact, or is no token at all', () => {
    for (let at = 0; at < made.length; at++) {
      for (const symbol of ALPHABET) {
        if (symbol === made[at]) continue;
        expect(inspect(made.slice(0, at) + symbol + made.slice(at + 1))?.intact ?? false).toBe(false);
      }
    }
  });

  it('a body has one spelling: bits behind the 128th are no token', () => {
    const at = made.length - 5;
    for (const symbol of ALPHABET) {
      expect(inspect(made.slice(0, at) + symbol + made.slice(at + 1)) === null).toBe(!'048cgmrw'.includes(symbol));
    }
  });

  it.each([
    '',
    'x',
    'cust_',
    `x_${made}`,
    `${made} `,
    `${made}\n`,
    `_${made}`,
    `Cust_${made.slice(5)}`,
    `1ust_${made.slice(5)}`,
    made.slice(5).toUpperCase(),
    `abcdefghijklmnopq_${made.slice(5)}`,
  ])('%j is no token', (text) => {
    expect(inspect(text)).toBeNull();
  });

  it.each([null, undefined, 5, {}, [], Symbol('s')])('%o is no token', (value) => {
    expect(inspect(value as unknown as string)).toBeNull();
  });

  it('the published expression finds tokens in text, and nothing that runs on', () => {
    const plain = token({ scope: 'person' }).bind(keys).protect('10017') as string;
    const sentence = `see ${made}, ${plain}; (${made}) "${plain}".`;
    expect(sentence.match(new RegExp(tokenPattern, 'g'))).toEqual([made, plain, made, plain]);
    for (const text of [`x${plain}`, `${plain}x`, `${made}_`, `A${made}`, `_${made}`]) {
      expect(tokenPattern.test(text)).toBe(false);
    }
    expect(tokenPattern.test(`é${made}é`)).toBe(true);
    // A cut token looks like a shorter one. Its check characters show that it is not.
    expect(inspect(made.slice(0, -1))?.intact).toBe(false);
  });

  it('finds what inspect takes', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        const text = bound.protect(value) as string;
        expect(tokenPattern.exec(`<${text}>`)?.[0]).toBe(text);
        expect(inspect(text)?.intact).toBe(true);
      }),
    );
  });
});

describe('the rule', () => {
  it('is frozen plain data', () => {
    const rule = token({
      scope: 'person.email',
      prepare: [trim, emailAddress],
      label: 'mail',
      onToken: 'pass',
      missing: [],
      optional: true,
      why: 'calls',
    });
    expect(Object.isFrozen(rule)).toBe(true);
    expect(Object.isFrozen(rule.prepare)).toBe(true);
    expect(JSON.parse(JSON.stringify(rule))).toEqual({ ...rule });
    expect({ ...rule }).toEqual({
      rule: 'token',
      scope: 'person.email',
      prepare: ['trim', 'emailAddress'],
      label: 'mail',
      onToken: 'pass',
      missing: [],
      optional: true,
      why: 'calls',
    });
    expect({ ...token({ scope: 'a', optional: false }) }).toEqual({ rule: 'token', scope: 'a' });
  });

  it('bound has no way back', () => {
    expect(Object.isFrozen(bound)).toBe(true);
    const verbs = ['candidates', 'matches', 'protect', 'protectMany', 'renew', 'renewMany'];
    expect(Object.keys(bound).sort()).toEqual(verbs);
  });

  it.each([
    [{ scope: 'A' }, RangeError],
    [{ scope: '' }, RangeError],
    [{}, TypeError],
    [{ scope: 5 }, TypeError],
    [{ scope: 'a', label: 'Cust' }, RangeError],
    [{ scope: 'a', label: '' }, RangeError],
    [{ scope: 'a', label: 'a_b' }, RangeError],
    [{ scope: 'a', label: '1a' }, RangeError],
    [{ scope: 'a', label: 'a'.repeat(17) }, RangeError],
    [{ scope: 'a', label: 5 }, TypeError],
    [{ scope: 'a', label: 'x', form: 'bare' }, RangeError],
    [{ scope: 'a', form: 'octal' }, RangeError],
    [{ scope: 'a', onToken: 'skip' }, RangeError],
    [{ scope: 'a', missing: 'NA' }, TypeError],
    [{ scope: 'a', missing: ['NA', 'NA'] }, RangeError],
    [{ scope: 'a', empty: 'protect' }, TypeError],
    [{ scope: 'a', prepare: 'trim' }, TypeError],
    [{ scope: 'a', prepare: (text: string) => text }, TypeError],
    [{ scope: 'a', prepare: [trim, null] }, TypeError],
    [{ scope: 'a', prepare: new Array(9).fill(trim) }, TypeError],
    [{ scope: 'a', lable: 'x' }, TypeError],
    [{ scope: 'a', optional: 'yes' }, TypeError],
    [{ scope: 'a', why: 5 }, TypeError],
    [{ scope: 'a', why: 'x'.repeat(1001) }, TypeError],
    [null, TypeError],
    ['person', TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => token(options as never)).toThrow(kind);
  });

  it.each([undefined, null, {}, 'eu', { domain: 'eu', keyId: 'aaaaa', keyCheck: {} }])(
    'keys that are none: %j',
    (wrong) => {
      expect(() => token({ scope: 'a' }).bind(wrong as never)).toThrow(/^"keys" expected domain keys/);
    },
  );
});

it('knows a token in other letters or between spaces once it is prepared', () => {
  const own = token({ scope: 'a' }).bind(keys).protect('x');
  const spaced = token({ scope: 'b', prepare: trim });
  const folded = token({ scope: 'b', prepare: casefold });
  expect(codeOf(() => spaced.bind(keys).protect(` ${own} `))).toBe('already_token');
  expect(codeOf(() => folded.bind(keys).protect(own.toUpperCase()))).toBe('already_token');
  const passing = token({ scope: 'b', prepare: trim, onToken: 'pass' }).bind(keys);
  expect(passing.protect(` ${own}`)).toBe(own);
});
