/**
 * National check digits inside the account numbers of the IBAN registry.
 *
 * A country is listed here if every account has them by a published rule: in ECBS TR 201 (Register of European Account
 * Numbers), in the national rules that it cites, and in the registry's own field "national check digits". If a rule
 * holds only for some banks (Germany, the United Kingdom, Denmark, Sweden, the Netherlands since 2016) or is not
 * certain, the country is not listed, and these digits are enciphered like others.
 *
 * There are two kinds. A *written* check follows from the other characters and always exists, so it is left out and
 * computed anew. A *weighted* number is valid if the weighted sum of all its digits is a multiple of 11. If the check
 * digit would have to be 10, the account does not exist; weighted.ts counts those that do.
 *
 * Characters are codes: 0 to 9 digits, 10 to 35 letters.
 */

type Codes = Uint8Array;

/** Check characters that follow from the others. */
export interface WrittenCheck {
  /** Their positions in the account number, from 0. */
  readonly at: readonly number[];
  /** Writes them. The characters that were in their places before are not looked at. */
  readonly write: (bban: Codes) => void;
}

/** A run of digits whose weighted sum is a multiple of 11. */
export interface WeightedNumber {
  readonly from: number;
  readonly weights: readonly number[];
  /** A place in the run, from 0: this digit and the next are not both 0. */
  readonly notBothZero?: number;
}

/** A piece of the account number modulo 97, letters as two digits 10 to 35 (ISO 7064, ISO 13616-1). */
export function mod97(codes: Codes, from: number, to: number, start = 0): number {
  let rest = start;
  for (let i = from; i < to; i++) {
    const code = codes[i]!;
    rest = (rest * (code < 10 ? 10 : 100) + code) % 97;
  }
  return rest;
}

/** Two digits at a position. */
function writeTwo(bban: Codes, at: number, number: number): void {
  bban[at] = Math.floor(number / 10);
  bban[at + 1] = number % 10;
}

/** ISO 7064, MOD 97-10, at the end of `length` characters: 98 minus the remainder, 02 to 98. */
function iso97(length: number): WrittenCheck {
  const at = length - 2;
  return { at: [at, at + 1], write: (bban) => writeTwo(bban, at, 98 - ((mod97(bban, 0, at) * 100) % 97)) };
}

/** The key, 01 to 97, that makes the whole number a multiple of 97. `value` returns what a character counts. */
function key97(length: number, value: (code: number) => number): WrittenCheck {
  const at = length - 2;
  return {
    at: [at, at + 1],
    write(bban) {
      let rest = 0;
      for (let i = 0; i < at; i++) rest = (rest * 10 + value(bban[i]!)) % 97;
      writeTwo(bban, at, 97 - ((rest * 100) % 97));
    },
  };
}

/** Clé RIB: A to I and J to R count 1 to 9, S to Z count 2 to 9. */
const ribValue = (code: number): number => (code < 10 ? code : code < 28 ? ((code - 10) % 9) + 1 : code - 26);

/** A digit that makes a weighted sum a multiple of 10; its own weight is 1. */
function mod10(from: number, weights: readonly number[]): WrittenCheck {
  const at = from + weights.length;
  return {
    at: [at],
    write(bban) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * bban[from + i]!;
      bban[at] = (10 - (sum % 10)) % 10;
    },
  };
}

/** Spain, dígitos de control: 11 minus the weighted sum modulo 11, with 11 written as 0 and 10 as 1. */
function spanish(bban: Codes, from: number, weights: readonly number[], at: number): void {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * bban[from + i]!;
  const rest = sum % 11;
  bban[at] = rest < 2 ? rest : 11 - rest;
}

/** Codice CIN: what a character counts at odd places. At even places it counts its number in the alphabet. */
const CIN_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

const CIN: WrittenCheck = {
  at: [0],
  write(bban) {
    let sum = 0;
    for (let i = 1; i <= 22; i++) {
      const number = bban[i]! < 10 ? bban[i]! : bban[i]! - 10;
      sum += i % 2 === 1 ? CIN_ODD[number]! : number;
    }
    bban[0] = 10 + (sum % 26);
  },
};

/** ISO 7064, MOD 11,10: the recursion of clause 8, once over a run of digits. */
function mod11and10(from: number, at: number): WrittenCheck {
  return {
    at: [at],
    write(bban) {
      let product = 10;
      for (let i = from; i < at; i++) {
        const sum = (product + bban[i]!) % 10;
        product = ((sum === 0 ? 10 : sum) * 2) % 11;
      }
      bban[at] = (11 - product) % 10;
    },
  };
}

function both(first: WrittenCheck, second: WrittenCheck): WrittenCheck {
  return {
    at: [...first.at, ...second.at],
    write(bban) {
      first.write(bban);
      second.write(bban);
    },
  };
}

/** By country; part of `iban@1`. Made by a call without side effects, so that bundles without `iban` drop it. */
export const WRITTEN_CHECKS: Readonly<Record<string, WrittenCheck>> = /* @__PURE__ */ makeWrittenChecks();

function makeWrittenChecks(): Readonly<Record<string, WrittenCheck>> {
  const rib = key97(23, ribValue);
  return {
    // Albania: bank and branch, 9-7-3-1.
    AL: mod10(0, [9, 7, 3, 1, 9, 7, 3]),
    BA: iso97(16),
    // Belgium: the remainder itself, and 97 for 0.
    BE: { at: [10, 11], write: (bban) => writeTwo(bban, 10, mod97(bban, 0, 10) || 97) },
    // Estonia: 7-3-1 from the right over all but the two digits of the bank.
    EE: mod10(2, [7, 1, 3, 7, 1, 3, 7, 1, 3, 7, 1, 3, 7]),
    ES: {
      at: [8, 9],
      write(bban) {
        spanish(bban, 0, [4, 8, 5, 10, 9, 7, 3, 6], 8);
        spanish(bban, 10, [1, 2, 4, 8, 5, 10, 9, 7, 3, 6], 9);
      },
    },
    // Finland: Luhn.
    FI: {
      at: [13],
      write(bban) {
        let sum = 0;
        for (let i = 0; i < 13; i++) {
          const twice = bban[i]! * (i % 2 === 0 ? 2 : 1);
          sum += twice > 9 ? twice - 9 : twice;
        }
        bban[13] = (10 - (sum % 10)) % 10;
      },
    },
    FR: rib,
    // Croatia: bank and account.
    HR: both(mod11and10(0, 6), mod11and10(7, 16)),
    // Hungary: bank and branch, account. An account of eight digits has its check digit in the eighth place and zeros
    // after it; there the weight is 1 too, so that the sum over sixteen places is the same.
    HU: both(mod10(0, [9, 7, 3, 1, 9, 7, 3]), mod10(8, [9, 7, 3, 1, 9, 7, 3, 1, 9, 7, 3, 1, 9, 7, 3])),
    IT: CIN,
    MC: rib,
    ME: iso97(18),
    MK: iso97(15),
    MR: key97(23, (code) => code),
    // Poland: the number of the bank.
    PL: mod10(0, [3, 9, 7, 1, 3, 9, 7]),
    PT: iso97(21),
    RS: iso97(18),
    SI: iso97(15),
    SM: CIN,
    TL: iso97(19),
    TN: key97(20, (code) => code),
    XK: iso97(16),
  };
}

const CZECH: readonly WeightedNumber[] = [
  { from: 4, weights: [10, 5, 8, 4, 2, 1] },
  { from: 10, weights: [6, 3, 7, 9, 10, 5, 8, 4, 2, 1] },
];

/** By country; all are part of `iban@1`. The weight of the last digit is 1. */
export const WEIGHTED_NUMBERS: Readonly<Record<string, readonly WeightedNumber[]>> = {
  // Czechia: prefix and number (decree 169/2011); Slovakia has kept the rule.
  CZ: CZECH,
  // Norway: accounts between banks have 00 as fifth and sixth digit. For these, TR 201 has another rule than the
  // programs in use, so they are refused and never written.
  NO: [{ from: 0, weights: [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], notBothZero: 4 }],
  SK: CZECH,
};
