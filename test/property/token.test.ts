/**
 * Properties of tokens and of columns, for any text, form, length and kind of column.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  inspect,
  planLength,
  type TokenOptions,
  type TrefoilError,
  token,
  tokenPattern,
  type Utf8Column,
  utf8Column,
  utf8Texts,
} from '../../src/index.ts';
import { type FormCase, type FormName, formReference, LENGTHS } from '../reference/token.ts';
import { DOMAIN, keys, ROOT } from '../rule/keys.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: 'binary-ascii', maxLength: 130 }),
  fc.constantFrom('', 'a', 'x'.repeat(55), 'x'.repeat(56), '\0', '\ufeff'),
);
const cell = fc.oneof({ weight: 6, arbitrary: text }, fc.constantFrom(null, undefined));
const label = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/);

/** Any rule of token, and what the reference needs for it. */
const rule = fc
  .tuple(
    fc.constantFrom(...(Object.keys(LENGTHS) as FormName[])),
    fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    fc.constantFrom('hmac-sha256' as const, 'blake3' as const),
    label,
    fc.constantFrom([''], []),
  )
  .map(([form, part, prf, name, missing]) => {
    const [least, most] = LENGTHS[form];
    const length = least + Math.floor(part * (most - least + 1));
    const labelled = form === 'labelled' ? { label: name } : {};
    const short = length === most ? {} : { length, population: 2, maxCollisionProbability: 0.5 };
    const options: TokenOptions = { scope: 'any', form, prf, missing, ...labelled, ...short };
    const reference: FormCase = {
      root: ROOT,
      domain: DOMAIN,
      scope: 'any',
      prepare: [],
      form,
      prf,
      length,
      ...labelled,
    };
    return { options, reference };
  });

describe('a column of tokens', () => {
  it('is the reference’s, cell by cell, as an array and as UTF-8, once and many times over', () => {
    fc.assert(
      fc.property(
        rule,
        fc.array(cell, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (r, few, n) => {
          const bound = token(r.options).bind(keys);
          const keep = r.options.missing?.length === 1;
          const expected = few.map((value) =>
            value === null || value === undefined || (value === '' && keep) ? value : formReference(r.reference, value),
          );
          const column = Array.from({ length: n }, () => few).flat();
          const out = Array.from({ length: n }, () => expected).flat();
          expect(bound.protectMany(column)).toEqual(out);
          expect(utf8Texts(bound.protectMany(utf8Column(column)) as Utf8Column)).toEqual(
            out.map((value) => value ?? null),
          );
          few.forEach((value, i) => {
            expect(bound.protect(value)).toBe(expected[i]);
          });
        },
      ),
      { numRuns: 150, seed: 21 },
    );
  });

  it('of whole numbers is that of their decimals, in every kind of array', () => {
    const kinds = [
      [Int8Array, fc.integer({ min: -128, max: 127 })],
      [Int16Array, fc.integer({ min: -32_768, max: 32_767 })],
      [Uint16Array, fc.integer({ min: 0, max: 65_535 })],
      [Int32Array, fc.integer()],
      [Uint32Array, fc.integer({ min: 0, max: 2 ** 32 - 1 })],
      [Float32Array, fc.integer({ min: -(2 ** 24), max: 2 ** 24 })],
      [Float64Array, fc.maxSafeInteger()],
    ] as const;
    const bound = token({ scope: 'any' }).bind(keys);
    for (const [kind, number] of kinds) {
      fc.assert(
        fc.property(fc.array(number, { maxLength: 40 }), (column) => {
          const expected = column.map((value) => bound.protect(BigInt(value).toString()));
          expect(bound.protectMany(kind.from(column))).toEqual(expected);
          expect(bound.protectMany(column)).toEqual(expected);
        }),
        { numRuns: 40, seed: 22 },
      );
    }
  });

  it('of any numbers refuses exactly those that are no safe integers', () => {
    const bound = token({ scope: 'any' }).bind(keys);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 2 ** 53, 0.5)), {
          minLength: 1,
          maxLength: 30,
        }),
        (column) => {
          const bad = column.flatMap((value, i) => (Number.isSafeInteger(value) ? [] : [i + 1]));
          let rows: (number | undefined)[] = [];
          try {
            bound.protectMany(Float64Array.from(column));
          } catch (error) {
            rows = (error as TrefoilError).issues.map((issue) => issue.row);
          }
          expect(rows).toEqual(bad);
        },
      ),
      { numRuns: 300, seed: 23 },
    );
  });
});

describe('a token', () => {
  it('matches its value and no other, and is read and found when it is labelled', () => {
    fc.assert(
      fc.property(rule, text, text, (r, value, other) => {
        const bound = token({ ...r.options, missing: [] }).bind(keys);
        const made = bound.protect(value) as string;
        expect(bound.matches(value, made)).toBe(true);
        // With six digits, two values may get the same token.
        const same = bound.protect(other) === made;
        expect(bound.matches(other, made)).toBe(same);
        if (r.options.form !== 'labelled') return;
        expect(inspect(made)).toMatchObject({ label: r.options.label, keyId: keys.keyId, intact: true });
        expect(tokenPattern.exec(`"${made}"`)?.[0]).toBe(made);
        expect(token({ scope: 'b', onToken: 'pass' }).bind(keys).protect(made)).toBe(made);
      }),
      { numRuns: 400, seed: 24 },
    );
  });
});

describe('planLength', () => {
  it('grows with the population, falls with what is tolerated, and is enough', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('labelled' as const, 'bare' as const, 'hex' as const, 'base64url' as const, 'digits' as const),
        fc.integer({ min: 2, max: 2 ** 31 }),
        fc.integer({ min: 2, max: 2 ** 31 }),
        fc.double({ min: 1e-15, max: 0.99, noNaN: true }),
        fc.double({ min: 1e-15, max: 0.99, noNaN: true }),
        (form, n1, n2, p1, p2) => {
          const [few, many] = [Math.min(n1, n2), Math.max(n1, n2)];
          const [strict, lax] = [Math.min(p1, p2), Math.max(p1, p2)];
          const plan = (population: number, maxCollisionProbability: number) => {
            try {
              return planLength({ population, maxCollisionProbability, form });
            } catch (error) {
              expect(error).toBeInstanceOf(RangeError);
              return Number.POSITIVE_INFINITY;
            }
          };
          expect(plan(few, lax)).toBeLessThanOrEqual(plan(many, lax));
          expect(plan(few, lax)).toBeLessThanOrEqual(plan(few, strict));
          const length = plan(many, strict);
          const bits = { labelled: 5, bare: 5, hex: 4, base64url: 6, digits: Math.log2(10) }[form] * length;
          if (length !== Number.POSITIVE_INFINITY) {
            // The exact probability that all are different is above 1 - bound.
            expect(many * (many - 1) * 2 ** -(Math.min(bits, form === 'digits' ? bits : 128) + 1)).toBeLessThanOrEqual(
              strict * (1 + 1e-9),
            );
          }
        },
      ),
      { numRuns: 2000, seed: 25 },
    );
  });
});
