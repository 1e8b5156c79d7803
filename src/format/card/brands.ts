/**
 * Number ranges of card networks: which leading digits and which lengths a card of each brand has.
 *
 * They only check digits of the input that stay in clear and change no output, so they may be updated when the networks
 * announce changes. The ranges are those that the networks publish for acquirers (issuer identification numbers of
 * ISO/IEC 7812-1). If two networks share a range, both have it.
 */

import { badRange, badType, checkOneOf, typeName } from '../../core/checks.ts';

/** A card network. */
export type CardBrand = 'visa' | 'mastercard' | 'amex' | 'discover' | 'jcb' | 'diners' | 'unionpay' | 'maestro' | 'mir';

interface Brand {
  /** The first and the last of a run of leading digits, both with the same number of digits. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** Lengths in digits, ascending. */
  readonly lengths: readonly number[];
}

const UP_TO_19 = [16, 17, 18, 19];

const BRANDS: Readonly<Record<CardBrand, Brand>> = {
  visa: { ranges: [[4, 4]], lengths: [13, 16, 19] },
  mastercard: {
    ranges: [
      [51, 55],
      [2221, 2720],
    ],
    lengths: [16],
  },
  amex: {
    ranges: [
      [34, 34],
      [37, 37],
    ],
    lengths: [15],
  },
  discover: {
    ranges: [
      [65, 65],
      [644, 649],
      [6011, 6011],
    ],
    lengths: UP_TO_19,
  },
  jcb: { ranges: [[3528, 3589]], lengths: UP_TO_19 },
  diners: {
    ranges: [
      [36, 36],
      [38, 39],
      [300, 305],
      [309, 309],
    ],
    lengths: [14, 15, ...UP_TO_19],
  },
  unionpay: {
    ranges: [
      [62, 62],
      [81, 81],
    ],
    lengths: UP_TO_19,
  },
  maestro: {
    ranges: [
      [5018, 5018],
      [5020, 5020],
      [5038, 5038],
      [5893, 5893],
      [6304, 6304],
      [6759, 6759],
      [6761, 6763],
    ],
    lengths: [12, 13, 14, 15, ...UP_TO_19],
  },
  mir: { ranges: [[2200, 2204]], lengths: UP_TO_19 },
};

const NAMES = Object.keys(BRANDS) as readonly CardBrand[];

/** A check for some brands. */
export interface BrandCheck {
  readonly names: readonly CardBrand[];
  /** Lengths of any of the brands, ascending. */
  readonly lengths: readonly number[];
  /** How many leading digits must stay in clear, so that a card becomes a card of the same brand. */
  readonly first: number;
  /** Returns whether the leading digits and the length belong to one of the brands. `digits` has numbers 0 to 9. */
  readonly has: (digits: Uint8Array, length: number) => boolean;
  /** Returns leading digits that a card of this length can have. */
  readonly sample: (length: number) => string;
}

/** Checks a list of brands. */
export function checkBrands(argument: string, value: unknown): BrandCheck {
  if (!Array.isArray(value)) badType(argument, `expected a list of ${NAMES.join(', ')}, got ${typeName(value)}`);
  if (value.length === 0) badRange(argument, `expected at least one of ${NAMES.join(', ')}`);
  const names = value.map((name) => checkOneOf(argument, name, NAMES));
  if (new Set(names).size !== names.length) badRange(argument, 'expected every brand once');
  const brands = names.map((name) => BRANDS[name]);
  const digitsOf = (from: number) => `${from}`.length;
  return {
    names: Object.freeze(names),
    lengths: [...new Set(brands.flatMap((brand) => brand.lengths))].sort((a, b) => a - b),
    first: Math.max(...brands.flatMap((brand) => brand.ranges.map(([from]) => digitsOf(from)))),
    has(digits, length) {
      return brands.some(
        (brand) =>
          brand.lengths.includes(length) &&
          brand.ranges.some(([from, to]) => {
            let lead = 0;
            for (let i = 0; i < digitsOf(from); i++) lead = lead * 10 + digits[i]!;
            return lead >= from && lead <= to;
          }),
      );
    },
    sample: (length) => `${brands.find((brand) => brand.lengths.includes(length))!.ranges[0]![0]}`,
  };
}
