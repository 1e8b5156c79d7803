import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspect, keyset, policy, type TokenOptions, token, tokenPattern } from '../../src/index.ts';
import { casefold, trim } from '../../src/prepare.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import {
  bodyReference,
  type FormCase,
  type FormName,
  formReference,
  LENGTHS,
  tagReference,
} from '../reference/token.ts';
import { check, keysetJson } from '../reference/tree.ts';
import { DOMAIN, keys, otherDomain, otherKeyset, ROOT } from './keys.ts';

const FORMS = Object.keys(LENGTHS) as FormName[];
const PRFS = ['hmac-sha256', 'blake3'] as const;
const at = { root: ROOT, domain: DOMAIN, scope: 'person', prepare: [] } as const;

/** Every form and length. A length below the maximum is for a population of two. */
const CASES = FORMS.flatMap((form) => {
  const [least, most] = LENGTHS[form];
  return Array.from({ length: most - least + 1 }, (_, i) => {
    const length = least + i;
    const short = length === most ? {} : { length, population: 2, maxCollisionProbability: 0.5 };
    return [form, length, { ...short, ...(form === 'labelled' ? { label: 'cust' } : {}) }] as const;
  });
});
const options = (form: FormName, more: object): TokenOptions => ({ scope: 'person', form, ...more });

describe.each(PRFS)('%s', (prf) => {
  it.each(CASES)('%s of %s characters is the page’s construction', (form, length, more) => {
    const rule = token({ ...options(form, more), prf }).bind(keys);
    const values = ['Ada', 'Zoë\u{1f600}', 'x'.repeat(55), 'x'.repeat(56), 'x'.repeat(1200), '10017', ' ', '\0'];
    const reference: FormCase = { ...at, form, length, prf, ...('label' in more ? { label: 'cust' } : {}) };
    const expected = values.map((value) => formReference(reference, value));
    expect(values.map((value) => rule.protect(value))).toEqual(expected);
    expect(rule.protectMany(values)).toEqual(expected);
    values.forEach((value, i) => {
      expect(rule.matches(value, expected[i]!)).toBe(true);
      expect(rule.matches(`${value}.`, expected[i]!)).toBe(false);
    });
  });

  it('the bodies of one value are beginnings of one tag, in every form and length', () => {
    const tag = tagReference({ ...at, prf }, 'Ada');
    for (const [form, length, more] of CASES) {
      const out = token({ ...options(form, more), prf })
        .bind(keys)
        .protect('Ada') as string;
      const body = form === 'labelled' ? out.slice('cust_'.length + 5, -4) : out;
      expect(body).toBe(bodyReference(form, length, tag));
    }
  });
});

it('for any value, scope, domain, label, form and function', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 90 }),
      fc.constantFrom('a', 'person.email', '0_-.z'),
      fc.constantFrom('eu', 'us-mirror'),
      fc.constantFrom(...PRFS),
      fc.constantFrom(...CASES),
      fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/),
      (value, scope, domain, prf, [form, length, more], label) => {
        const labelled = form === 'labelled' ? { label } : {};
        const rule = token({ ...options(form, more), ...labelled, scope, prf });
        const bound = rule.bind(keyset.parse(keysetJson(ROOT)).domain(domain));
        const expected = formReference(
          { root: ROOT, domain, scope, prepare: [], prf, form, length, ...labelled },
          value,
        );
        expect(bound.protect(value)).toBe(expected);
        expect(bound.protectMany([value, null, value])).toEqual([expected, null, expected]);
      },
    ),
    { numRuns: 300, seed: 11 },
  );
});

describe('what joins', () => {
  it('the functions never do, labels and forms always', () => {
    const body = (more: object) =>
      inspect(
        token({ scope: 'person', ...more })
          .bind(keys)
          .protect('Ada') as string,
      )!.body;
    expect(body({})).toBe(body({ label: 'x', population: 1e9 }));
    expect(body({ prf: 'blake3' })).toBe(body({ prf: 'blake3', label: 'y' }));
    expect(body({ prf: 'blake3' })).not.toBe(body({}));
    expect(body({ prf: 'hmac-sha256' })).toBe(body({}));
  });
});

describe('matches', () => {
  it.each(CASES)('%s of %s: a text in another form is malformed_token', (form, length, more) => {
    const rule = token(options(form, more)).bind(keys);
    const made = rule.protect('Ada') as string;
    const candidates = ['', 'x', ' ', made.slice(1), made.slice(0, -1), `${made}0`, ` ${made}`, `${made}\n`];
    candidates.push(`${made}\u0301`, made.replace(/[0-9a-zA-Z]/, '\u0660'), 'Ada');
    if (form !== 'base64url' && made !== made.toUpperCase()) candidates.push(made.toUpperCase());
    if (form === 'uuid') {
      candidates.push(made.replaceAll('-', ''), `{${made}}`, `urn:uuid:${made}`);
      for (const version of '0123456679abcdef') candidates.push(made.slice(0, 14) + version + made.slice(15));
      for (const variant of '01234567cdef') candidates.push(made.slice(0, 19) + variant + made.slice(20));
    }
    if (form === 'base64url') candidates.push(`${made.slice(0, -1)}=`, `${made.slice(0, -1)}+`, `${made}==`);
    for (const candidate of candidates) {
      if (candidate === made) continue;
      const code = codeOf(() => rule.matches('Ada', candidate));
      expect(code, JSON.stringify(candidate)).toBe('malformed_token');
      expect(thrown(() => rule.matches('Ada', candidate)).message).not.toContain('Ada');
    }
    expect(length).toBe(form === 'labelled' ? made.length - 14 : made.length);
  });

  it.each(FORMS)('%s: what is no text is refused', (form) => {
    const rule = token({ scope: 'person', form }).bind(keys);
    for (const candidate of [null, undefined, 5, {}, [], true, Symbol('s'), '\ud800'] as unknown as string[]) {
      expect(['malformed_token', 'wrong_type', 'lone_surrogate']).toContain(
        codeOf(() => rule.matches('Ada', candidate)),
      );
    }
  });

  it.each(FORMS.filter((form) => form !== 'labelled'))('%s of another domain is no match', (form) => {
    const rule = token({ scope: 'person', form }).bind(keys);
    for (const other of [otherDomain, otherKeyset]) {
      expect(rule.matches('Ada', token({ scope: 'person', form }).bind(other).protect('Ada') as string)).toBe(false);
    }
  });

  it('labelled: a token of another length is malformed, of another label it matches', () => {
    const short = token({ scope: 'person', label: 'cust', length: 12, population: 1000 }).bind(keys);
    const long = token({ scope: 'person', label: 'cust' }).bind(keys);
    expect(codeOf(() => short.matches('Ada', long.protect('Ada') as string))).toBe('malformed_token');
    expect(codeOf(() => long.matches('Ada', short.protect('Ada') as string))).toBe('malformed_token');
    const other = token({ scope: 'person', label: 'z', length: 12, population: 1000 }).bind(keys);
    expect(short.matches('Ada', other.protect('Ada') as string)).toBe(true);
    const foreign = token({ scope: 'person', label: 'cust', length: 12, population: 1000 }).bind(otherDomain);
    expect(codeOf(() => short.matches('Ada', foreign.protect('Ada') as string))).toBe('foreign_token');
  });
});

describe('a shorter labelled token as a value', () => {
  const more = { label: 'cust', length: 7, population: 100 } as const;
  const short = token({ scope: 'person', ...more }).bind(keys);
  const own = short.protect('Ada') as string;

  it('of these keys is an error in every rule of theirs, or passes', () => {
    expect(own).toHaveLength(5 + 5 + 7 + 4);
    for (const form of FORMS) {
      const rule = token({ scope: 'other', form }).bind(keys);
      expect(codeOf(() => rule.protect(own))).toBe('already_token');
      expect(thrown(() => rule.protectMany(['x', own])).issues).toMatchObject([{ code: 'already_token', row: 2 }]);
      const passing = token({ scope: 'other', form, onToken: 'pass' }).bind(keys);
      expect(passing.protect(own)).toBe(own);
      expect(passing.protectMany([own, 'x', own])).toEqual([own, passing.protect('x'), own]);
    }
    const folded = token({ scope: 'other', prepare: [trim, casefold], onToken: 'pass' }).bind(keys);
    expect(folded.protect(` ${own.toUpperCase()} `)).toBe(own);
    expect(folded.protectMany([` ${own.toUpperCase()} `])).toEqual([own]);
    const strict = token({ scope: 'other', prepare: [trim, casefold] }).bind(keys);
    expect(codeOf(() => strict.protectMany([` ${own.toUpperCase()} `]))).toBe('already_token');
  });

  it('of other keys, damaged, cut, without its label or inside text is an ordinary value', () => {
    const foreign = token({ scope: 'person', ...more })
      .bind(otherDomain)
      .protect('Ada') as string;
    const damaged = own.slice(0, -1) + (own.endsWith('0') ? '1' : '0');
    for (const value of [foreign, damaged, own.slice(0, -1), own.slice(5), `see ${own}`, own.toUpperCase()]) {
      expect(short.protect(value)).toBe(formReference({ ...at, form: 'labelled', length: 7, label: 'cust' }, value));
      expect(short.protectMany([value])).toEqual([short.protect(value)]);
    }
  });

  it('is found in text, and read', () => {
    const sentence = `from ${own}, to (${own}).`;
    expect(sentence.match(new RegExp(tokenPattern, 'g'))).toEqual([own, own]);
    expect(inspect(own)).toEqual({ label: 'cust', keyId: keys.keyId, body: own.slice(10, 17), intact: true });
    for (const text of [`${own}_`, `_${own}`, `A${own}`, `${own}u`, own.slice(5)]) {
      expect(tokenPattern.test(text)).toBe(false);
    }
    // With one more letter the text still looks like a token. Its check characters show that it is not.
    expect(inspect(`x${own}`)?.intact).toBe(false);
    expect(inspect(`${own}0`)?.intact).toBe(false);
  });
});

it('bare forms of these keys are ordinary values: nothing tells them', () => {
  for (const form of FORMS.filter((name) => name !== 'labelled')) {
    const value = token({ scope: 'person', form }).bind(keys).protect('Ada') as string;
    expect(token({ scope: 'b' }).bind(keys).protect(value)).toBe(formReference({ ...at, scope: 'b' }, value));
  }
});

describe('options', () => {
  it('stand in the rule as they were given, in JSON too', () => {
    const rule = token({
      scope: 'a',
      form: 'hex',
      length: 20,
      population: 1_000_000,
      maxCollisionProbability: 1e-9,
      prf: 'blake3',
    });
    expect({ ...rule }).toEqual({
      rule: 'token',
      scope: 'a',
      form: 'hex',
      length: 20,
      population: 1_000_000,
      maxCollisionProbability: 1e-9,
      prf: 'blake3',
    });
    expect(JSON.parse(JSON.stringify(rule))).toEqual({ ...rule });
    expect(policy({ f: rule }).fields).toEqual({ f: { ...rule } });
    expect({ ...token({ scope: 'a', length: undefined, form: undefined, prf: undefined } as never) }).toEqual({
      rule: 'token',
      scope: 'a',
    });
  });

  it('a whole length needs no population; with one, it has to be enough', () => {
    for (const form of FORMS) {
      const [, most] = LENGTHS[form];
      if (form !== 'uuid') expect(token({ scope: 'a', form, length: most }).length).toBe(most);
      expect(token({ scope: 'a', form, population: 1e9 }).population).toBe(1e9);
      expect(() => token({ scope: 'a', form, population: 2 ** 53 - 1, maxCollisionProbability: 1e-9 })).toThrow(
        RangeError,
      );
    }
  });

  it.each([
    [{ form: 'octal' }, RangeError, /^"form" expected one of labelled, bare, uuid, hex, base64url, digits$/],
    [{ form: 'toString' }, RangeError, /^"form" /],
    [{ form: '__proto__' }, RangeError, /^"form" /],
    [{ form: null }, RangeError, /^"form" /],
    [{ form: ['hex'] }, RangeError, /^"form" /],
    [{ prf: 'sha1' }, RangeError, /^"prf" expected one of hmac-sha256, blake3$/],
    [{ prf: 'constructor' }, RangeError, /^"prf" /],
    [{ prf: null }, RangeError, /^"prf" /],
    [
      { form: 'uuid', length: 36 },
      RangeError,
      /^"length" does not apply to a uuid, which has only one length; leave it out$/,
    ],
    [{ form: 'hex', label: 'x' }, RangeError, /^"label" belongs to the labelled form/],
    [{ form: 'hex', length: 5, population: 2 }, RangeError, /^"length" expected a whole number from 6 to 32$/],
    [{ form: 'hex', length: 33 }, RangeError, /^"length" expected a whole number from 6 to 32$/],
    [{ form: 'bare', length: 27 }, RangeError, /^"length" expected a whole number from 6 to 26$/],
    [{ form: 'base64url', length: 23 }, RangeError, /^"length" expected a whole number from 6 to 22$/],
    [{ form: 'digits', length: 39 }, RangeError, /^"length" expected a whole number from 6 to 38$/],
    [{ length: 12.5, population: 2 }, RangeError, /^"length" /],
    [{ length: Number.NaN, population: 2 }, RangeError, /^"length" /],
    [{ length: '12', population: 2 }, TypeError, /^"length" expected a whole number, got string$/],
    [{ length: null }, TypeError, /^"length" /],
    [{ label: 'x', length: 12 }, RangeError, /^"length" is shorter than 26, so it needs a population/],
    [{ form: 'hex', length: 31 }, RangeError, /^"length" is shorter than 32, so it needs a population/],
    [{ length: 12, population: 2 }, RangeError, /^"length" must be 26 for a labelled token without a label/],
    [{ population: 1 }, RangeError, /^"population" expected a whole number from 2 to /],
    [{ population: 2 ** 53 }, RangeError, /^"population" /],
    [{ population: 1.5 }, RangeError, /^"population" /],
    [{ population: '9' }, TypeError, /^"population" /],
    [{ population: null }, TypeError, /^"population" /],
    [{ maxCollisionProbability: 0.1 }, RangeError, /^"maxCollisionProbability" needs a population as well/],
    [{ population: 9, maxCollisionProbability: 0 }, RangeError, /^"maxCollisionProbability" expected a number above 0/],
    [{ population: 9, maxCollisionProbability: 1 }, RangeError, /^"maxCollisionProbability" /],
    [{ population: 9, maxCollisionProbability: Number.NaN }, RangeError, /^"maxCollisionProbability" /],
    [{ population: 9, maxCollisionProbability: '1' }, TypeError, /^"maxCollisionProbability" expected a number, got/],
    [{ population: 9, maxCollisionProbability: null }, TypeError, /^"maxCollisionProbability" /],
    [
      { form: 'digits', length: 9, population: 175_000_000 },
      RangeError,
      /^"length" is too short: with 9 characters \(29\.9 bits\), two of 175000000 values collide with a probability of up to 1, and at most 1\.0e-6 is allowed; planLength computes the length$/,
    ],
  ] as const)('%o is refused', (more, kind, message) => {
    const run = () => token({ scope: 'a', ...more } as never);
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });
});

describe('null, undefined and the empty text', () => {
  it.each(CASES)('%s of %s: pass, and are protected where the rule says so', (form, length, more) => {
    const rule = token(options(form, more)).bind(keys);
    expect(rule.protectMany([null, '', undefined])).toEqual([null, '', undefined]);
    const full = token({ ...options(form, more), missing: [] }).bind(keys);
    const label = 'label' in more ? { label: more.label as string } : {};
    const expected = formReference({ ...at, form, length, ...label }, '');
    expect(full.protect('')).toBe(expected);
    expect(full.protectMany([null, '', undefined])).toEqual([null, expected, undefined]);
  });
});

describe('check characters', () => {
  it('are those of the polynomial, for labels of every length and bodies of every length', () => {
    for (let label = 1; label <= 16; label++) {
      for (let length = 6; length <= 26; length++) {
        const name = 'abcdefghijklmn09'.slice(0, label);
        const rule = token({ scope: 'a', label: name, length, population: 2, maxCollisionProbability: 0.5 }).bind(keys);
        for (const value of ['Ada', 'Bob']) {
          const out = rule.protect(value) as string;
          expect(out.startsWith(`${name}_${keys.keyId}`)).toBe(true);
          expect(out.slice(-4)).toBe(check(out.slice(0, -4)));
          expect(inspect(out)?.intact).toBe(true);
          expect(rule.protectMany([value])).toEqual([out]);
        }
      }
    }
  });
});
