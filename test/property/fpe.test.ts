/**
 * Properties of every format under a rule: revealing, the form of outputs, columns, other scopes, and that values are
 * not mapped to themselves more often than in a random permutation.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alphabet, ff1 } from '../../src/ff1.ts';
import { formatEngine, sizeOf } from '../../src/format/engine.ts';
import * as formats from '../../src/format.ts';
import { card, caseKept, digits, enumOf, type Format, integer, pattern, phone, text } from '../../src/format.ts';
import { fpe } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { random } from '../reference/random.ts';
import { keys, otherDomain, otherKeyset, pinned } from '../rule/keys.ts';
import { EVERY_FORMAT, type FormatCase, ruleOf } from './every-format.ts';

/** Bound rules without brands, so that outputs and inputs can be in one list. */
interface Verbs {
  readonly protect: (value: string) => string;
  readonly protectMany: (column: readonly string[]) => string[];
  readonly reveal: (value: string) => string;
  readonly revealMany: (column: readonly string[]) => string[];
}

const bindOf = (each: FormatCase): Verbs => ruleOf(each).bind(pinned, revealAccess) as unknown as Verbs;

/** How many values the shape of a value has. */
const sizeLike = (format: Format, like: string): bigint => {
  const engine = formatEngine('format', format);
  return BigInt(sizeOf(engine, engine.split(like)));
};

/** Values of a format, in the shapes of the case, the first and the last of each among them. */
const valuesOf = ({ format, like }: FormatCase) =>
  fc
    .tuple(fc.constantFrom(...like), fc.oneof({ weight: 8, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 420n }) }, ends))
    .map(([model, number]) => {
      const size = sizeLike(format, model);
      return format.unrank(number < 0n ? size + number : number % size, model);
    });
const ends = fc.constantFrom(0n, -1n);

it('the list has a format of every kind that there is', () => {
  const exported = Object.keys(formats).filter((name) => name !== 'clear');
  expect([...new Set(EVERY_FORMAT.map(({ format }) => format.type))].sort()).toEqual(exported.sort());
});

describe.each(EVERY_FORMAT.map((each) => [each.name, each] as const))('%s', (_, each) => {
  const { format, like, outputs, revealed = (value: string) => value } = each;
  const bound = bindOf(each);

  it('takes the values of the list', () => {
    for (const value of like) expect([value, format.test(value)]).toEqual([value, true]);
  });

  it('protect gives a value of the format and of the shape, and reveal gives back what went in', () => {
    fc.assert(
      fc.property(valuesOf(each), (value) => {
        const out = bound.protect(value);
        expect(out.isWellFormed()).toBe(true);
        if (outputs === undefined) {
          expect(format.test(out)).toBe(true);
          const engine = formatEngine('format', format);
          const { shape, clear } = engine.split(out);
          expect({ shape, clear }).toEqual({ shape: engine.split(value).shape, clear: engine.split(value).clear });
        } else {
          expect(out).toMatch(outputs);
          expect(format.test(out)).toBe(false);
          // An input is not an output either: the two can be told apart both ways.
          expect(codeOf(() => bound.reveal(value))).toBe('outside_format');
          expect(codeOf(() => bound.protect(out))).toBe('outside_format');
        }
        expect(bound.reveal(out)).toBe(revealed(value, out));
      }),
      { numRuns: 60 },
    );
  });

  it('a column is its values one by one, in any order and company, and a new binding says the same', () => {
    fc.assert(
      fc.property(fc.array(valuesOf(each), { minLength: 1, maxLength: 12 }), (values) => {
        const column = bound.protectMany(values);
        expect(column).toEqual(values.map((value) => bound.protect(value)));
        expect(bound.revealMany(column)).toEqual(values.map((value, i) => revealed(value, column[i]!)));
        expect(bound.protectMany([...values].reverse())).toEqual([...column].reverse());
      }),
      { numRuns: 15 },
    );
    expect(bindOf(each).protectMany(like)).toEqual(like.map((value) => bound.protect(value)));
  });

  it('distinct values of one shape have distinct outputs', () => {
    for (const model of like) {
      const size = sizeLike(format, model);
      const next = random(`${each.name} ${model}`);
      const ranks = new Set<bigint>([0n, size - 1n]);
      const most = size < 200n ? Number(size) : 200;
      while (ranks.size < most) ranks.add(BigInt(`0x${next.bytes(60).toString('hex')}`) % size);
      const values = [...ranks].map((rank) => format.unrank(rank, model));
      expect(new Set(values).size).toBe(ranks.size);
      expect(new Set(bound.protectMany(values)).size).toBe(ranks.size);
    }
  });

  it('refuses what is not of the format, in every function and without quoting it', () => {
    for (const value of like) {
      for (const tail of ['\n', '\u0302', '\u200b', '\u{1f603}', '\uff11', '\0']) {
        const wrong = value + tail;
        expect([wrong, format.test(wrong)]).toEqual([wrong, false]);
        const error = thrown(() => bound.protect(wrong));
        expect(error.code).toBe('outside_format');
        if (value.length > 4) expect(error.message).not.toContain(value);
      }
      expect(codeOf(() => bound.protect(`${value}\ud800`))).toBe('lone_surrogate');
    }
  });

  it('empty text passes, and is no value of the format', () => {
    expect(format.test('')).toBe(false);
    expect(bound.protect('')).toBe('');
    expect(bound.reveal('')).toBe('');
    const rule = fpe({ scope: 'field', format, missing: [], allowCodebook: 'a test' });
    expect(codeOf(() => rule.bind(keys).protect(''))).toBe('outside_format');
  });
});

/** Formats whose outputs are spread over this many values, with values to try, by engine. */
const SPACES: readonly (readonly [string, Format, readonly string[]])[] = [
  ['table, numerals', digits({ length: 5 }), many(2000, 100_000, (n) => `${n}`.padStart(5, '0'))],
  ['table, index', integer({ min: 0, max: 99_999 }), many(2000, 100_000, (n) => `${n}`)],
  ['table, list', enumOf(Array.from({ length: 60_000 }, (_, i) => `v${i}`)), many(2000, 60_000, (n) => `v${n}`)],
  [
    'sometimes-recurse, numerals',
    card({ clear: { first: 6, last: 4 }, length: 16, luhn: 'any' }),
    many(2000, 100_000, (n) => `411111${`${n}`.padStart(6, '0')}1111`),
  ],
  ['sometimes-recurse, index', caseKept({ minSize: 10_000 }), many(2000, 26 ** 3, letters)],
  ['ff1', digits({ length: 6 }), many(2000, 1_000_000, (n) => `${n}`.padStart(6, '0'))],
  ['ff1-cycle-walking', integer({ min: 0, max: 1_500_000 }), many(2000, 1_500_001, (n) => `${n}`)],
  ['ff1-cycle-walking, phone', phone(), many(2000, 1_000_000, (n) => `+39 0${`${n}`.padStart(6, '0')}`)],
];

/** Different values, numbered at random. */
function many(count: number, size: number, write: (n: number) => string): readonly string[] {
  const next = random(`values of ${size}`);
  const values = new Set<string>();
  while (values.size < count) values.add(write(next.below(size)));
  return [...values];
}

function letters(n: number): string {
  return String.fromCharCode(65 + Math.floor(n / 676), 97 + (Math.floor(n / 26) % 26), 97 + (n % 26));
}

const agreements = (a: readonly string[], b: readonly string[]): number =>
  a.filter((value, i) => value === b[i]).length;

describe('among 2,000 values of a space', () => {
  // Of a random permutation of n values, 2,000 have 2,000/n fixed points on average, 0.11 in the smallest space here
  // (17,576 values) and 0.02 in those of 100,000. More than 4 come with a probability below 10^-6.
  const FEW = 4;
  const protectOf = (format: Format, scope: string, under = keys) =>
    fpe({ scope, format }).bind(under).protectMany as unknown as Verbs['protectMany'];

  it.each(SPACES)('%s: no more stay what they are than in a random permutation', (_, format, values) => {
    const out = protectOf(format, 'a')(values);
    expect(new Set(out).size).toBe(values.length);
    expect(agreements(values, out)).toBeLessThanOrEqual(FEW);
    // Nor does enciphering twice return the input.
    expect(agreements(values, protectOf(format, 'a')(out))).toBeLessThanOrEqual(FEW + 2);
  });

  it.each(SPACES)('%s: another scope, domain and keyset has an unrelated permutation', (_, format, values) => {
    const out = protectOf(format, 'a')(values);
    for (const other of [
      protectOf(format, 'b'),
      protectOf(format, 'a', otherDomain),
      protectOf(format, 'a', otherKeyset),
    ]) {
      const changed = other(values);
      expect(agreements(out, changed)).toBeLessThanOrEqual(FEW);
      // Nor are two permutations the same up to a constant: the differences do not repeat.
      const differences = new Set(values.map((_, i) => format.rank(changed[i]!) - format.rank(out[i]!)));
      expect(differences.size).toBeGreaterThan(values.length * 0.9);
    }
  });

  it('formats of one size under one scope have unrelated permutations', () => {
    const numbers = many(2000, 100_000, (n) => `${n}`.padStart(5, '0'));
    const equal: readonly Format[] = [
      digits({ length: 5 }),
      text('0123456789', { length: 5 }),
      text('9876543210', { length: 5 }),
      pattern('99999'),
    ];
    const outs = equal.map((format) => protectOf(format, 'a')(numbers));
    for (let i = 0; i < outs.length; i++) {
      for (let j = 0; j < i; j++) expect(agreements(outs[i]!, outs[j]!), `${i} ${j}`).toBeLessThanOrEqual(FEW);
    }
  });

  it('clear parts and lengths have unrelated permutations of their own', () => {
    const secrets = many(2000, 100_000, (n) => `${n}`.padStart(6, '0'));
    const cards = card({ clear: { first: 6, last: 4 }, length: 16, luhn: 'any' });
    const middle = (first: string, last: string) =>
      protectOf(cards, 'a')(secrets.map((secret) => first + secret + last)).map((out) => out.slice(6, 12));
    const outs = [middle('411111', '1111'), middle('411111', '1112'), middle('411112', '1111')];
    expect(agreements(outs[0]!, outs[1]!)).toBeLessThanOrEqual(FEW);
    expect(agreements(outs[0]!, outs[2]!)).toBeLessThanOrEqual(FEW);

    const short = protectOf(digits(), 'a')(secrets);
    const long = protectOf(digits(), 'a')(secrets.map((secret) => `0${secret}`)).map((out) => out.slice(1));
    expect(agreements(short, long)).toBeLessThanOrEqual(FEW);
  });
});

describe('values that people have been caught with', () => {
  const round = (format: Format, value: string): string => {
    const bound = fpe({ scope: 'probe', format, allowCodebook: 'a test' }).bind(pinned, revealAccess);
    const out = bound.protect(value);
    expect(bound.reveal(out)).toBe(value);
    expect(format.test(out)).toBe(true);
    return out;
  };
  const refused = (format: Format, value: string) =>
    codeOf(() => fpe({ scope: 'probe', format, allowCodebook: 'a test' }).bind(keys).protect(value));

  it('a number with a dash is no string of digits, and never loses it', () => {
    const value = '12-4567890';
    for (const format of [digits(), digits({ length: 9 }), digits({ length: 10 }), integer({ min: 0, max: 10 ** 10 })])
      expect(refused(format, value)).toBe('outside_format');
    const out = round(pattern('99-9999999'), value);
    expect(out).toMatch(/^[0-9]{2}-[0-9]{7}$/);
    expect(out).not.toBe(value);
    expect(refused(pattern('99-9999999'), '124567890')).toBe('outside_format');
    expect(refused(pattern('99-9999999'), '12–4567890')).toBe('outside_format');
  });

  it('repeated digits are values like any other', () => {
    const repeated = Array.from({ length: 10 }, (_, digit) => `${digit}`.repeat(10));
    for (const format of [digits(), text('0123456789'), pattern('9999999999'), digits({ length: 10 })]) {
      const outs = repeated.map((value) => round(format, value));
      expect(new Set(outs).size).toBe(10);
      // Of 10^10 values, ten consist of one repeated digit: one among ten outputs has a probability of 10^-8.
      for (const out of outs) expect(new Set(out).size).toBeGreaterThan(1);
    }
  });

  it('sixty bits: all zeros and all ones come back, and outputs have as many of each as chance has it', () => {
    const bits = text('01', { length: 60 });
    const values = ['0'.repeat(60), '1'.repeat(60), '01'.repeat(30), `${'0'.repeat(59)}1`, `1${'0'.repeat(59)}`];
    for (const value of values) expect(round(bits, value)).not.toBe(value);
    const column = Array.from({ length: 1000 }, (_, i) => i.toString(2).padStart(60, '0'));
    const outs = fpe({ scope: 'probe', format: bits }).bind(keys).protectMany(column) as readonly string[];
    for (let at = 0; at < 60; at++) {
      // 1,000 tosses of a coin: six standard deviations are 95.
      const ones = outs.filter((out) => out[at] === '1').length;
      expect(Math.abs(ones - 500), `bit ${at}`).toBeLessThan(95);
    }
  });

  it('one digit: a permutation of ten, refused without a reason', () => {
    const one = digits({ length: 1 });
    const outs = Array.from({ length: 10 }, (_, n) => round(one, `${n}`));
    expect([...outs].sort()).toEqual([...'0123456789']);
    expect(codeOf(() => fpe({ scope: 'probe', format: one }).bind(keys))).toBe('space_too_small');
    expect(refused(digits(), '7')).toBe('outside_format');
    expect(refused(one, '12')).toBe('outside_format');
  });

  it('leading zeros stay digits, and are no integers', () => {
    const values = ['000000', '000001', '0000000', '001234'];
    const outs = values.map((value) => round(digits(), value));
    expect(outs.map((out) => out.length)).toEqual(values.map((value) => value.length));
    const all = fpe({ scope: 'probe', format: digits({ length: 5 }) })
      .bind(keys)
      .protectMany(Array.from({ length: 1000 }, (_, i) => `${10_000 + i}`)) as readonly string[];
    expect(all.filter((out) => out.startsWith('0')).length).toBeGreaterThan(50);
    for (const value of ['007', '00', '-0', '+7', '7.0', ' 7', '7 ', '0x7', '7e0'])
      expect([value, refused(integer({ min: -10_000, max: 10_000 }), value)]).toEqual([value, 'outside_format']);
  });

  it('upper and lower case are two, and neither becomes the other', () => {
    const names = caseKept();
    expect(round(names, 'ADA LOVELACE')).toMatch(/^[A-Z]{3} [A-Z]{8}$/);
    expect(round(names, 'ada lovelace')).toMatch(/^[a-z]{3} [a-z]{8}$/);
    const both = text('abcdefghijABCDEFGHIJ', { length: 8 });
    expect(round(both, 'abcdefgh')).not.toBe(round(both, 'ABCDEFGH'));
    expect(refused(pattern('aaaaa'), 'Abcde')).toBe('outside_format');
    expect(refused(pattern('AAAAA'), 'ABCDe')).toBe('outside_format');
    expect(refused(text('abcdefghij'), 'ABCDEFGHIJ')).toBe('outside_format');
  });

  it('composed and decomposed letters, and characters beyond U+FFFF, are what they are', () => {
    expect(refused(caseKept(), 'Zoe\u0308 Lovelace')).toBe('outside_format');
    const marks = text('abe\u0301\u0302é', { length: 9 });
    const composed = round(marks, 'éabéabéab');
    const decomposed = round(marks, 'e\u0301abe\u0301abe');
    expect([...composed].length).toBe(9);
    expect([...decomposed].length).toBe(9);
    const faces = text('\u{1f600}\u{1f601}\u{1f602}\u{1f603}', { length: 12 });
    const out = round(faces, '\u{1f600}\u{1f601}'.repeat(6));
    expect([...out].length).toBe(12);
    expect(out.length).toBe(24);
    for (const value of ['\uff11\uff12\uff13\uff14\uff15\uff16', '\u0661\u0662\u0663\u0664\u0665\u0666', '12345\u0301'])
      expect(refused(digits(), value)).toBe('outside_format');
  });
});

describe('trefoil/ff1', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const numerals = [4, 1, 1, 1, 1, 1, 1, 1, 1, 1];

  it('keeps no hold of a tweak, a key or a list of numerals that the caller changes later', () => {
    const own = key.slice();
    const cipher = ff1(own, 10);
    const tweak = Uint8Array.of(1, 2, 3, 4);
    const first = cipher.encrypt(numerals, tweak);
    tweak[0] = 9;
    own.fill(0);
    const changed = cipher.encrypt(numerals, tweak);
    expect(changed).not.toEqual(first);
    expect(changed).toEqual(ff1(key, 10).encrypt(numerals, Uint8Array.of(9, 2, 3, 4)));
    tweak[0] = 1;
    expect(cipher.encrypt(numerals, tweak)).toEqual(first);
    expect(cipher.decrypt(first, tweak)).toEqual(numerals);
    expect(numerals).toEqual([4, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('a batch reads each tweak as it is, though two places hold one buffer or views of one', () => {
    const cipher = ff1(key, 10);
    const buffer = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const shared = buffer.subarray(0, 4);
    const tweaks = [shared, buffer.subarray(4), shared, Uint8Array.of(1, 2, 3, 4)];
    const batch = tweaks.map(() => numerals);
    const out = cipher.encryptMany(batch, tweaks);
    expect(out[0]).toEqual(out[2]);
    expect(out[0]).toEqual(out[3]);
    expect(out[1]).not.toEqual(out[0]);
    expect(out).toEqual(tweaks.map((tweak) => cipher.encrypt(numerals, tweak)));
    buffer.fill(0);
    const after = cipher.encryptMany(batch, tweaks);
    expect(after[3]).toEqual(out[3]);
    expect(after[0]).toEqual(cipher.encrypt(numerals, new Uint8Array(4)));
    expect(after[0]).not.toEqual(out[0]);
    expect(cipher.decryptMany(after, tweaks)).toEqual(batch);
    expect(cipher.encryptMany(batch, shared)).toEqual(batch.map(() => after[0]));
  });

  it('takes no string of one numeral, nor one of too few values', () => {
    for (const short of [[], [7], [1, 2, 3, 4, 5]]) expect(() => ff1(key, 10).encrypt(short)).toThrow(RangeError);
    expect(() => ff1(key, 10, { minDomain: 100 }).encrypt([7])).toThrow(RangeError);
    const old = ff1(key, 10, { minDomain: 100 });
    const all = Array.from({ length: 100 }, (_, n) => [Math.floor(n / 10), n % 10]);
    const out = old.encryptMany(all);
    expect(new Set(out.map(String)).size).toBe(100);
    expect(old.decryptMany(out)).toEqual(all);
  });

  it('reads the symbols of an alphabet as the places that they have', () => {
    const hex = alphabet('0123456789abcdef');
    expect(hex.parse('00ff')).toEqual([0, 0, 15, 15]);
    expect(hex.format(hex.parse('00ff'))).toBe('00ff');
    expect(() => hex.parse('00FF')).toThrow(RangeError);
    expect(hex.parse('')).toEqual([]);
  });
});
