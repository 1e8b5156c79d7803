/**
 * The account number of one country (BBAN) as a whole number, and back. Every valid account of the structure has one
 * number below `size`, and every number below `size` is a valid account.
 *
 * The free characters are read in mixed radix, most significant first. A weighted number (weighted.ts) counts as one
 * place, whose size is that of its set. Places are combined into pieces below 2^53, so that there is one bigint
 * operation a piece.
 */

import { asIndex, type Index } from '../engine.ts';
import { classesOf, STRUCTURES } from './countries.ts';
import { WEIGHTED_NUMBERS, WRITTEN_CHECKS } from './national.ts';
import { type WeightedSet, weightedSet } from './weighted.ts';

/** Why characters are not an account: the place of a wrong character, or which kind of check fails. */
export type Refusal = { readonly at: number } | 'written' | 'weighted';

/** The accounts of one country. */
export interface Accounts {
  /** Number of characters of the account number. */
  readonly length: number;
  readonly size: Index;
  /**
   * Returns the number of an account, or -1 if it is not valid; then `why` says what is wrong. Characters are codes 0
   * to 35.
   */
  readonly rank: (bban: Uint8Array) => Index;
  readonly why: (bban: Uint8Array) => Refusal;
  /** Writes the account of a number. The characters that stay in clear must be in their places before. */
  readonly write: (bban: Uint8Array, index: Index) => void;
  /** Places of the characters that stay in clear. They are consecutive. */
  readonly clear: readonly number[];
}

const FIRST: Readonly<Record<string, number>> = { n: 0, a: 10, c: 0, k: 10 };
const RADIX: Readonly<Record<string, number>> = { n: 10, a: 26, c: 36, k: 26 };

/** One place: the character at `at`, or a weighted number that begins there. */
interface Place {
  readonly size: number;
  readonly at: number;
  readonly first: number;
  readonly set: WeightedSet | null;
}

/** Some consecutive places, together below 2^53. */
interface Piece {
  readonly size: number;
  readonly places: readonly Place[];
}

/**
 * The accounts of a country. One closure, so that tables and lengths are constants of the inner functions, which run
 * for every value.
 *
 * @param country a code of the registry.
 */
export function accountsOf(country: string): Accounts {
  const classes = classesOf(STRUCTURES[country]!);
  const length = classes.length;
  const written = WRITTEN_CHECKS[country] ?? null;
  const weighted = WEIGHTED_NUMBERS[country] ?? [];
  const clear = [...classes].flatMap((kind, at) => (kind === 'k' ? [at] : []));
  const firsts = Uint8Array.from(classes, (kind) => FIRST[kind]!);
  const radices = Uint8Array.from(classes, (kind) => RADIX[kind]!);
  const checks = written?.at ?? [];
  const kept = new Uint8Array(checks.length);

  const pieces = inPieces(placesOf());
  const total = pieces.reduce((product, piece) => product * BigInt(piece.size), 1n);
  const size = asIndex(total);
  const wide = typeof size === 'bigint';
  const sizes = pieces.map((piece) => BigInt(piece.size));

  function placesOf(): Place[] {
    const places: Place[] = [];
    for (let at = 0; at < length; at++) {
      const number = weighted.find(({ from }) => from === at);
      if (number !== undefined) {
        const set = weightedSet(number);
        places.push({ size: set.size, at, first: 0, set });
        at += number.weights.length - 1;
      } else if (!checks.includes(at) && !clear.includes(at)) {
        places.push({ size: radices[at]!, at, first: firsts[at]!, set: null });
      }
    }
    return places;
  }

  /** The place of the first character that does not fit the structure, or -1. */
  function misfit(bban: Uint8Array): number {
    for (let at = 0; at < length; at++) {
      const numeral = bban[at]! - firsts[at]!;
      if (numeral < 0 || numeral >= radices[at]!) return at;
    }
    return -1;
  }

  /** Whether the written check characters are right. `bban` is the same afterwards. */
  function writtenHolds(bban: Uint8Array): boolean {
    if (written === null) return true;
    for (let i = 0; i < checks.length; i++) kept[i] = bban[checks[i]!]!;
    written.write(bban);
    let same = true;
    for (let i = 0; i < checks.length; i++) {
      if (bban[checks[i]!] !== kept[i]) same = false;
      bban[checks[i]!] = kept[i]!;
    }
    return same;
  }

  /** The number of one piece, or -1 if a weighted number in it is not in its set. */
  function rankPiece({ places }: Piece, bban: Uint8Array): number {
    let number = 0;
    for (let i = 0; i < places.length; i++) {
      const { set, at, first, size } = places[i]!;
      const numeral = set === null ? bban[at]! - first : set.rank(bban);
      if (numeral < 0) return -1;
      number = number * size + numeral;
    }
    return number;
  }

  function writePiece({ places }: Piece, bban: Uint8Array, number: number): void {
    let rest = number;
    for (let i = places.length - 1; i >= 0; i--) {
      const { set, at, first, size } = places[i]!;
      const next = Math.floor(rest / size);
      const numeral = rest - next * size;
      rest = next;
      if (set === null) bban[at] = numeral + first;
      else set.write(bban, numeral);
    }
  }

  return {
    length,
    size,
    clear,
    rank(bban) {
      if (misfit(bban) >= 0 || !writtenHolds(bban)) return -1;
      let index: Index = wide ? 0n : 0;
      for (let i = 0; i < pieces.length; i++) {
        const number = rankPiece(pieces[i]!, bban);
        if (number < 0) return -1;
        if (typeof index === 'bigint') index = index * sizes[i]! + BigInt(number);
        else index = index * pieces[i]!.size + number;
      }
      return index;
    },
    why(bban) {
      const at = misfit(bban);
      return at >= 0 ? { at } : writtenHolds(bban) ? 'weighted' : 'written';
    },
    write(bban, index) {
      let rest = index;
      for (let i = pieces.length - 1; i >= 0; i--) {
        const piece = pieces[i]!;
        if (typeof rest === 'bigint') {
          // What is left is the most significant piece.
          writePiece(piece, bban, Number(i === 0 ? rest : rest % sizes[i]!));
          if (i > 0) rest /= sizes[i]!;
        } else {
          const next: number = Math.floor(rest / piece.size);
          writePiece(piece, bban, rest - next * piece.size);
          rest = next;
        }
      }
      written?.write(bban);
    },
  };
}

function inPieces(places: readonly Place[]): Piece[] {
  const pieces: { size: number; places: Place[] }[] = [];
  for (const place of places) {
    const last = pieces.at(-1);
    if (last !== undefined && last.size * place.size <= Number.MAX_SAFE_INTEGER) {
      last.places.push(place);
      last.size *= place.size;
    } else {
      pieces.push({ size: place.size, places: [place] });
    }
  }
  return pieces;
}
