import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { formatCipher } from '../../src/format/cipher.ts';
import { type Format, formatEngine } from '../../src/format/engine.ts';
import { card, caseKept, digits, integer, oneOf, pattern, regex, seq, text, uuid } from '../../src/format.ts';
import { type Enciphered, fpe, keyset } from '../../src/index.ts';
import { revealAccess, secretAccess } from '../../src/reveal.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { type FormatCase, fpeReference, luhnDigit, luhnHolds } from '../reference/fpe.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';
import { DOMAIN, keys, otherDomain, otherKeyset, pinned, ROOT } from './keys.ts';

const ALPHABET = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789';
const ASTRAL = '\u{1f600}\u{1f601}\u{1f602}\u{10400}éëZ0';

const digitString = (min: number, max: number) =>
  fc.array(fc.nat(9), { minLength: min, maxLength: max }).map((list) => list.join(''));
const over = (alphabet: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });
const cards = digitString(12, 18).map((body) => body + luhnDigit(body));
const spaced = fc
  .tuple(cards, fc.array(fc.constantFrom('', '', ' ', '-'), { minLength: 19, maxLength: 19 }))
  .map(([number, gaps]) => [...number].map((digit, i) => (i === 0 ? digit : gaps[i]! + digit)).join(''));

const CASES = [
  ['digits', digits(), { type: 'digits' }, digitString(6, 64)],
  ['text', text(ALPHABET), { type: 'text', alphabet: ALPHABET }, over(ALPHABET, 4, 40)],
  ['astral text', text(ASTRAL), { type: 'text', alphabet: ASTRAL }, over(ASTRAL, 7, 40)],
  ['two symbols', text('01'), { type: 'text', alphabet: '01' }, over('01', 20, 80)],
  ['card', card(), { type: 'card', first: 0 }, spaced],
  ['card with 6 clear', card({ clear: { first: 6 } }), { type: 'card', first: 6 }, spaced],
  [
    'pattern in one radix',
    pattern('999-999-99'),
    { type: 'pattern', pattern: '999-999-99' },
    over('0123456789', 8, 8).map((s) => `${s.slice(0, 3)}-${s.slice(3, 6)}-${s.slice(6)}`),
  ],
  [
    'pattern in two',
    pattern('A999999'),
    { type: 'pattern', pattern: 'A999999' },
    fc.tuple(over('ABCXYZ', 1, 1), digitString(6, 6)).map((p) => p.join('')),
  ],
  [
    'pattern with letters',
    pattern('\\A-Aa9aA'),
    { type: 'pattern', pattern: '\\A-Aa9aA' },
    fc.constantFrom('A-Xy7zQ', 'A-Aa0aA', 'A-Zz9zZ', 'A-Qq5qQ'),
  ],
] as const;

describe.each(CASES)('%s', (_, format, reference, values) => {
  const rule = fpe({ scope: 'field', format });
  const bound = rule.bind(pinned, revealAccess);

  it('is the construction of the specification, from the root to the ciphertext, and comes back', () => {
    fc.assert(
      fc.property(values as fc.Arbitrary<string>, (value) => {
        expect(format.test(value)).toBe(true);
        const out = bound.protect(value) as Enciphered<'field'>;
        expect(out).toBe(
          fpeReference({ root: ROOT, domain: DOMAIN, scope: 'field', format: reference as FormatCase }, value),
        );
        expect(format.test(out)).toBe(true);
        expect([...out].length).toBe([...value].length);
        expect(bound.reveal(out)).toBe(value);
      }),
      { numRuns: 60 },
    );
  });

  it('differs under another scope, domain and keyset', () => {
    const [value] = fc.sample(values as fc.Arbitrary<string>, { numRuns: 1, seed: 7 });
    const outs = [
      bound.protect(value!),
      fpe({ scope: 'other', format }).bind(keys).protect(value!),
      rule.bind(otherDomain).protect(value!),
      rule.bind(otherKeyset).protect(value!),
    ];
    // The smallest of these spaces has more than a million values.
    expect(new Set(outs).size).toBe(4);
  });
});

describe('missing values', () => {
  const bound = fpe({ scope: 'field', format: digits() }).bind(pinned, revealAccess);

  it('null, undefined and the empty text pass, both ways', () => {
    expect(bound.protectMany([null, undefined, ''])).toEqual([null, undefined, '']);
    expect(bound.revealMany([null, undefined, '' as Enciphered<'field'>])).toEqual([null, undefined, '']);
  });

  it('missing: [] holds the empty text against the format', () => {
    const strict = fpe({ scope: 'field', format: digits(), missing: [] }).bind(keys);
    expect(codeOf(() => strict.protect(''))).toBe('outside_format');
    expect(strict.protect(null)).toBeNull();
  });

  it('a format that has the empty text keeps it no other way than the rest', () => {
    const formats = [regex('[0-9]{0,4}'), seq(regex('[0-9]{0,4}')), oneOf(regex('[0-9]{0,4}'), pattern('AAAAA'))];
    for (const format of formats) {
      const message =
        '"missing" expected texts that are no value of the format, and the empty text is one; leave it out of the list';
      expect(() => fpe({ scope: 'field', format, missing: ['-', ''] })).toThrow(new RangeError(message));
      expect(() => fpe({ scope: 'field', format }).bind(keys)).toThrow(new RangeError(message));
      const both = fpe({ scope: 'field', format, missing: [] }).bind(pinned, revealAccess);
      // The one value whose ciphertext is empty, and the ciphertext of the empty one.
      const hidden = both.reveal('' as Enciphered<'field'>);
      expect(hidden).not.toBe('');
      expect(both.protectMany([hidden, null])).toEqual(['', null]);
      expect(both.reveal(both.protect(''))).toBe('');
    }
    expect(() => fpe({ scope: 'field', format: regex('[0-9]{1,6}') })).not.toThrow();
  });

  it('a number of JSON is refused with what to do', () => {
    const salary = fpe({ scope: 'field', format: integer({ min: 0, max: 10_000_000 }) }).bind(keys);
    const error = thrown(() => salary.protect(42 as never));
    expect(error.issues[0]).toMatchObject({ code: 'wrong_type' });
    expect(error.message).toContain('write numbers as text, or seal them with value: integer');
  });

  it.each([5, 5n, true, {}, [], ['1', '2', '3', '4', '5', '6'], new Date(0)])('%o is no text', (value) => {
    expect(codeOf(() => bound.protect(value as unknown as string))).toBe('wrong_type');
    expect(codeOf(() => bound.reveal(value as unknown as Enciphered<'field'>))).toBe('wrong_type');
  });

  it('half a surrogate pair is refused', () => {
    expect(codeOf(() => bound.protect('12345\ud800'))).toBe('lone_surrogate');
  });
});

describe('layout', () => {
  const bound = fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }).bind(pinned, revealAccess);

  it('4111-1111…, 4111 1111… and 41111111… join, and layout comes back where it was', () => {
    const plain = bound.protect('4111111111111111') as string;
    for (const value of [
      '4111-1111-1111-1111',
      '4111 1111 1111 1111',
      '4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1',
      '411111 1111111111',
      '4111 1111-11111111',
    ]) {
      const out = bound.protect(value) as string;
      expect(out.replace(/[ -]/g, '')).toBe(plain);
      expect(out.replace(/[0-9]/g, '#')).toBe(value.replace(/[0-9]/g, '#'));
      expect(bound.reveal(out as Enciphered<'card.pan'>)).toBe(value);
    }
  });

  it('the first six digits stay, the check digit is right, the number is another', () => {
    fc.assert(
      fc.property(cards, (value) => {
        const out = bound.protect(value) as string;
        expect(out.slice(0, 6)).toBe(value.slice(0, 6));
        expect(luhnHolds(out)).toBe(true);
        expect(out).toHaveLength(value.length);
      }),
    );
  });

  it('clear digits and length enter the tweak: numbers that differ there only are not related', () => {
    // One secret part after a hundred issuer numbers and in five lengths.
    const outs = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const clear = `${400_000 + i}`;
      for (const zeros of ['', '0', '00', '000', '0000']) {
        const body = `${clear}${zeros}111111`;
        const out = bound.protect(body + luhnDigit(body)) as string;
        outs.add(out.slice(-7, -1));
      }
    }
    expect(outs.size).toBeGreaterThan(495);
  });
});

describe('the floor', () => {
  it('is judged when the rule is bound, for the smallest shape, with the numbers', () => {
    const cases = [
      [digits({ length: 3 }), 1000n],
      [digits({ min: 3, max: 64 }), 1000n],
      [card({ clear: { first: 8, last: 4 }, length: 16 }), 1000n],
      [card({ clear: { first: 12 }, length: 16 }), 1000n],
      [pattern('A99'), 2600n],
      [pattern('9'), 10n],
      [text('ab', { length: 13 }), 8192n],
      [text('abc', { min: 1 }), 3n],
    ] as const;
    for (const [format, size] of cases) {
      expect(format.size).toBe(size);
      const rule = fpe({ scope: 'field', format });
      const error = thrown(() => rule.bind(keys));
      expect(error.code).toBe('space_too_small');
      expect(error.message).toContain(`${size} values`);
      expect(error.message).toContain('10000');
      expect(error.issues[0]).toMatchObject({ minimum: 10_000, actual: Number(size) });
      const allowed = fpe({ scope: 'field', format, allowCodebook: 'a list of wards, which is public' }).bind(keys);
      expect(format.test(allowed.protect(format.unrank(0n)))).toBe(true);
    }
    expect(
      thrown(() => fpe({ scope: 'f', format: card({ clear: { first: 8, last: 4 }, length: 16 }) }).bind(keys)).message,
    ).toContain('10^3');
  });

  it('takes no empty reason, and no space of one value whatever the reason', () => {
    for (const allowCodebook of ['', '  ', 1, true, 'x'.repeat(1001)]) {
      expect(() => fpe({ scope: 'f', format: digits(), allowCodebook: allowCodebook as string })).toThrow(TypeError);
    }
  });

  it('lets the smallest spaces of the defaults through', () => {
    for (const format of [
      digits(),
      digits({ length: 6 }),
      card({ clear: { first: 6 } }),
      pattern('999999'),
      pattern('999-999'),
      text('0123456789', { length: 6 }),
    ]) {
      expect(format.size).toBe(1_000_000n);
      expect(() => fpe({ scope: 'field', format }).bind(keys)).not.toThrow();
    }
    expect(card().size).toBe(10n ** 12n);
    expect(card({ clear: { first: 6 }, length: 16 }).size).toBe(10n ** 9n);
  });
});

describe('revealing', () => {
  const rule = fpe({ scope: 'field', format: digits() });
  const keyset = pinned;

  it('needs the capability', () => {
    const bound = rule.bind(keys);
    expect(Object.keys(bound)).toEqual(['protect', 'protectMany', 'candidates']);
    for (const access of [null, {}, true, secretAccess, 'reveal']) {
      expect(() => rule.bind(keyset, access as never)).toThrow(/^"revealAccess" expected revealAccess/);
    }
  });

  it('needs a pinned key check, and says so when bound', () => {
    expect(codeOf(() => rule.bind(keys, revealAccess))).toBe('key_check_required');
  });

  it('a changed ciphertext reveals as another value: nothing detects it', () => {
    const bound = rule.bind(keyset, revealAccess);
    const out = bound.protect('123456789') as string;
    const changed = out.slice(0, -1) + ((Number(out.at(-1)) + 1) % 10);
    expect(bound.reveal(changed as Enciphered<'field'>)).not.toBe('123456789');
  });

  it('limits of length are a check and change no output', () => {
    const wide = fpe({ scope: 'field', format: digits({ min: 6, max: 200 }) }).bind(keys);
    const exact = fpe({ scope: 'field', format: digits({ length: 9 }) }).bind(keys);
    expect(wide.protect('123456789')).toBe(exact.protect('123456789'));
    const cardOf = (options: object) =>
      fpe({ scope: 'field', format: card(options) })
        .bind(keys)
        .protect('4111111111111111');
    expect(cardOf({ length: 16 })).toBe(cardOf({}));
    expect(cardOf({ min: 14, max: 17 })).toBe(cardOf({}));
    expect(cardOf({ clear: { first: 0 } })).toBe(cardOf({}));
    expect(cardOf({ clear: {} })).toBe(cardOf({}));
    expect(cardOf({ clear: { first: 1 } })).not.toBe(cardOf({}));
  });
});

describe('columns', () => {
  it('are the values one by one, there and back', () => {
    const bound = fpe({ scope: 'field', format: digits() }).bind(pinned, revealAccess);
    const column = ['123456', null, '', '1234567', undefined, '123456'];
    const out = bound.protectMany(column);
    expect(out).toEqual(column.map((value) => bound.protect(value)));
    expect(bound.revealMany(out)).toEqual(column);
  });

  it('throw once, with rows', () => {
    const bound = fpe({ scope: 'field', format: digits() }).bind(keys);
    const error = thrown(() => bound.protectMany(['123456', '12-456', null, '1']));
    expect(error.issues.map(({ row, code }) => [row, code])).toEqual([
      [2, 'outside_format'],
      [4, 'outside_format'],
    ]);
  });
});

describe('the rule', () => {
  it('is frozen plain data, with the format in it', () => {
    const rule = fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }), missing: [''], why: 'tests' });
    expect(JSON.parse(JSON.stringify(rule))).toEqual({
      rule: 'fpe',
      scope: 'card.pan',
      format: { type: 'card', clear: { first: 6 } },
      missing: [''],
      why: 'tests',
    });
    expect([rule, rule.format].every(Object.isFrozen)).toBe(true);
    expect(Object.isFrozen((rule.format as ReturnType<typeof card>).clear)).toBe(true);
  });

  it.each([
    [{ scope: 'a' }, TypeError],
    [{ scope: 'a', format: 'card' }, TypeError],
    [{ scope: 'a', format: { type: 'card' } }, TypeError],
    [{ scope: 'a', format: card }, TypeError],
    [{ format: card() }, TypeError],
    [{ scope: 'A', format: card() }, RangeError],
    [{ scope: 'a', format: card(), prepare: [] }, TypeError],
    [{ scope: 'a', format: card(), missing: ['4111111111111111'] }, RangeError],
    [undefined, TypeError],
  ])('%j is refused', (options, kind) => {
    expect(() => fpe(options as never)).toThrow(kind);
  });
});

describe('many shapes', () => {
  /** Protects texts one after the other, and returns the outputs. */
  const cipherOf = (format: Format, keyOf: (engine: string) => Uint8Array) => {
    const { read, runMany } = formatCipher(formatEngine('format', format), 'protect', keyOf);
    return (value: string) => runMany([read(value)])[0]!;
  };

  it('a key is derived once for each engine, and outputs are those of the shape alone', () => {
    const names: string[] = [];
    const keyOf = (engine: string) => {
      names.push(engine);
      return new Uint8Array(32).fill(engine.length);
    };
    const cases: [Format, string[], string[]][] = [
      [caseKept(), Array.from({ length: 32 }, (_, i) => caseOf('abcdefgh', i)), ['ff1-cycle-walking']],
      [
        caseKept({ minSize: 5000 }),
        ['Abc', 'aBc', 'Anna', 'ANNA', 'Ada Lovelace'],
        ['ff1-cycle-walking', 'sometimes-recurse'],
      ],
      [digits({ min: 3, max: 20 }), ['123', '1234', '12345', '123456', '1234567'], ['ff1', 'table']],
      [
        seq(text('01', { min: 1, max: 30 }), '-', regex('[ab]{1,30}')),
        ['0-a', '01-a', '0-ab', `${'01'.repeat(10)}-ab`, `${'01'.repeat(9)}-abab`],
        ['ff1-cycle-walking'],
      ],
    ];
    for (const [format, values, engines] of cases) {
      names.length = 0;
      const protect = cipherOf(format, keyOf);
      const outs = [...values, ...values].map(protect);
      expect([...names].sort()).toEqual(engines);
      expect(outs).toEqual([...values, ...values].map((value) => cipherOf(format, keyOf)(value)));
    }
  });

  it('the tables of all shapes have one bound', () => {
    // 17 shapes of 2^18 values each, 2 MiB with both directions.
    const format = seq(text('01', { min: 1, max: 17 }), '-', text('01', { min: 1, max: 17 }));
    const values = Array.from({ length: 17 }, (_, i) => `${'0'.repeat(i + 1)}-${'1'.repeat(17 - i)}`);
    const protect = cipherOf(format, () => new Uint8Array(32).fill(9));
    const outs = values.map(protect);
    // Each table is drawn from a key stream of its own, for which the AES module is loaded.
    const made = vi.spyOn(process, 'getBuiltinModule');
    expect(protect(values[16]!)).toBe(outs[16]);
    expect(made).not.toHaveBeenCalled();
    expect(protect(values[0]!)).toBe(outs[0]);
    expect(made).toHaveBeenCalledTimes(1);
    made.mockRestore();
  });

  it('more sizes than shuffles are kept change nothing', () => {
    const format = caseKept({ minSize: 10_000 });
    const alphabets = ['a', 'A', 'я', 'Я', '1', 'é', 'α', 'Ω', 'ß', 'ñ'];
    const values = alphabets.flatMap((a) => alphabets.flatMap((b) => ['a', 'я', '7'].map((c) => `${a}${b}${c}`)));
    const fitting = [...values.filter(format.test), ...['abc', 'ABC']].filter(format.test);
    expect(fitting.length).toBeGreaterThan(1);
    const keyOf = () => new Uint8Array(32).fill(3);
    const protect = cipherOf(format, keyOf);
    const outs = fitting.map(protect);
    for (const i of [0, 1, fitting.length - 1]) expect(cipherOf(format, keyOf)(fitting[i]!)).toBe(outs[i]);
    expect(fitting.map(protect)).toEqual(outs);
  });
});

/** The text, with each letter in upper case whose bit is set. */
function caseOf(letters: string, bits: number): string {
  return [...letters].map((letter, i) => (((bits >> i) & 1) === 1 ? letter.toUpperCase() : letter)).join('');
}

describe('candidates', () => {
  it('are one ciphertext for each key, the primary first', () => {
    const roots = [testRoot('candidates 1'), testRoot('candidates 2'), testRoot('candidates 3')];
    const of = (...order: number[]) => keyset.parse(keysetJson(...order.map((i) => roots[i]!))).domain('eu');
    for (const [format, value] of [
      [digits({ length: 12 }), '123456789012'],
      [uuid(), '01890a5d-ac96-774b-bcce-b302099a8057'],
      [card({ clear: { first: 6 } }), '4111 1111 1111 1111'],
    ] as const) {
      const rule = fpe({ scope: 'candidates', format, missing: ['', 'n/a'] });
      const { candidates } = rule.bind(of(2, 0, 1));
      expect(candidates(value)).toEqual([2, 0, 1].map((i) => rule.bind(of(i)).protect(value)));
      expect(candidates('n/a')).toEqual(['n/a']);
      for (const other of ['no value', null, undefined, 7]) expect(() => candidates(other as never)).toThrow();
    }
  });
});
