import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { PREPARE_NAMES, prepareByName } from '../../src/prepare/steps.ts';
import { casefold, emailAddress, emailAddressExact, nfc, phoneE164, trim } from '../../src/prepare.ts';

// Characters that cause trouble: two spellings, foldings that change length or order, layout, invisible characters.
const TRICKY = [
  ...'aAzZ09.@+-_ ()/\'"',
  ...'\u00df\u1e9e\u0130\u0131\u017f\u212a\u212b\u2126\u01f0',
  ...'\u0149\u023a\u0345\u0390\u03c2\u03a3\u1fbc\u1fb3\u1f88\ufb03',
  ...'\u0300\u0301\u0307\u0308\u030c\u0313\u0323\u0331\u0338\u0342\u034f\u0f71\u0f72\u3099',
  ...'\u1100\u1161\u11a8\uac00\u13a0\uab70\u0958\u037e\u1fef\u2000\u00a0\u3000\ufeff\u200b\u00ad\ufffd\uff11\u3002',
  '\u{10400}',
  '\u{1e900}',
  '\u{1d15e}',
  '\u{1f469}',
  '\u{2f800}',
  '\u{110ba}',
  '\u{e0041}',
  '\u0378',
  '\ud800',
];

const tricky = fc.oneof(fc.constantFrom(...TRICKY), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
const text = fc.string({ unit: tricky, maxLength: 24 });
const part = fc.string({ unit: tricky, minLength: 1, maxLength: 8 });
const email = fc.tuple(part, part, part).map(([local, label, top]) => `${local}@${label}.${top}`);
const phone = fc
  .array(fc.constantFrom(...'0123456789 -./()\u00a0\u2013'), { minLength: 5, maxLength: 20 })
  .map((characters) => `+${characters.join('')}`);
const value = fc.oneof(text, email, phone);

/** Returns the result of a step, or the error that it throws. */
function run(step: (text: string) => string, input: string): string | TrefoilError {
  try {
    return step(input);
  } catch (error) {
    if (error instanceof TrefoilError) return error;
    throw error;
  }
}

describe.each(PREPARE_NAMES)('%s', (name) => {
  const step = prepareByName(name)!;

  it('done twice is done once', () => {
    fc.assert(
      fc.property(value, (input) => {
        const once = run(step, input);
        if (typeof once === 'string') expect(run(step, once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });

  it('gives well-formed text', () => {
    fc.assert(
      fc.property(value, (input) => {
        const output = run(step, input);
        if (typeof output === 'string') expect(output.isWellFormed()).toBe(true);
      }),
    );
  });

  it('a message says nothing about a value except numbers', () => {
    // If two values differ only in letters that no message has, their messages must be the same.
    const secret = fc.string({
      unit: fc.constantFrom(...'\u0414\u0416\u0429\u042f\u0436\u0449'),
      minLength: 4,
      maxLength: 12,
    });
    fc.assert(
      fc.property(secret, value, fc.nat(24), (piece, around, at) => {
        const input = around.slice(0, at) + piece + around.slice(at);
        const output = run(step, input);
        if (typeof output === 'string') return;
        const shown = JSON.stringify([output.message, output.stack?.split('\n    at ')[0], ...output.issues]);
        expect(shown).not.toMatch(/[\u0400-\u04ff]/);
        const other = run(step, input.replace(/[\u0414\u0416\u0429\u042f\u0436\u0449]/g, '\u0418'));
        expect(other instanceof TrefoilError && other.message).toBe(output.message);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what joins', () => {
  it('canonical equivalents have one nfc, casefold and address', () => {
    fc.assert(
      fc.property(value, (input) => {
        fc.pre(input.isWellFormed());
        for (const step of [nfc, casefold, emailAddress, emailAddressExact]) {
          const [a, b] = [run(step, input), run(step, input.normalize('NFD'))];
          if (typeof a === 'string') expect(b).toBe(a);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('casefold is equal exactly for canonical caseless matches (D145)', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'sS\u00df\u1e9e\u017fkK\u212a\u03c3\u03c2\u0345\u03b9\u0301'),
      maxLength: 4,
    });
    // A check with data that is not ours: texts with equal foldings have equal upper case.
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        if (casefold(a) === casefold(b)) expect(upper(a)).toBe(upper(b));
        else expect(upper(a) === upper(b)).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('trim is the trim of this runtime', () => {
    fc.assert(fc.property(text, (input) => !input.isWellFormed() || trim(input) === input.trim()));
  });

  it('an ASCII address is its lower case', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (input) => {
        const output = run(emailAddress, input);
        // fast-check makes labels of lengths that RFC 5321 allows, so nothing is refused here.
        expect(output).toBe(input.toLowerCase());
        const at = input.indexOf('@');
        expect(run(emailAddressExact, input)).toBe(input.slice(0, at) + input.slice(at).toLowerCase());
      }),
    );
  });

  it('layout between digits changes no phone number', () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{6,14}$/);
    const layout = fc.array(fc.constantFrom('', ' ', '-', '.', '/', '\u00a0', '\u202f', '\u2010', '\u2013'), {
      minLength: 16,
      maxLength: 16,
    });
    fc.assert(
      fc.property(digits, layout, (number, gaps) => {
        const written = [...number].map((digit, i) => gaps[i]! + digit).join('');
        expect(phoneE164(`+${written}`)).toBe(`+${number}`);
      }),
    );
  });
});

function upper(input: string): string {
  return input.normalize('NFD').toUpperCase().normalize('NFD').toLowerCase().toUpperCase().normalize('NFD');
}

describe('the quick way of plain values', () => {
  // A space in front makes a step take its general path, because the fast path takes no value that begins with one.
  const result = (step: (text: string) => string, text: string): string => {
    try {
      return step(text);
    } catch (error) {
      return (error as TrefoilError).code;
    }
  };
  const atom = fc.string({ unit: fc.constantFrom(...'aZ09.-+!_{}~ @é"('), maxLength: 8 });
  const long = fc
    .tuple(fc.constantFrom(0, 1, 62, 63, 64, 65, 66), fc.constantFrom(1, 62, 63, 64, 190), fc.constantFrom(1, 63, 64))
    .map(([local, label, top]) => `${'a'.repeat(local)}@${'b'.repeat(label)}.${'c'.repeat(top)}`);
  const address = fc.oneof(
    fc.tuple(atom, atom, atom).map(([local, label, top]) => `${local}@${label}.${top}`),
    fc.tuple(atom, atom).map(([local, domain]) => `${local}@${domain}`),
    fc.array(fc.constantFrom('a', 'B', '.', '-', '@'), { maxLength: 12 }).map((parts) => parts.join('')),
    long,
    email,
  );

  it.each([emailAddress, emailAddressExact])('$step: gives and refuses what the long way does', (step) => {
    fc.assert(
      fc.property(address, (text) => {
        expect(result(step, text)).toBe(result(step, ` ${text}`));
      }),
      { numRuns: 20_000 },
    );
  });

  it('domains of every length around 255 octets', () => {
    const labels = `${'d'.repeat(63)}.`.repeat(3);
    for (let rest = 55; rest <= 66; rest++) {
      const text = `Ada@${labels}${'e'.repeat(rest)}`;
      expect(result(emailAddress, text)).toBe(result(emailAddress, ` ${text}`));
    }
    expect(result(emailAddress, `Ada@${labels}${'e'.repeat(63)}`)).toBe(`ada@${labels}${'e'.repeat(63)}`);
    expect(result(emailAddress, `Ada@${labels}${'e'.repeat(61)}.ee`)).toBe('not_an_email');
  });

  it('phoneE164: gives and refuses what the long way does', () => {
    const anything = fc.string({ unit: fc.constantFrom(...'0123456789 -./()+\u2013,'), maxLength: 20 });
    fc.assert(
      fc.property(
        fc.oneof(
          phone,
          anything,
          anything.map((rest) => `+${rest}`),
        ),
        (text) => {
          expect(result(phoneE164, text)).toBe(result(phoneE164, ` ${text}`));
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
