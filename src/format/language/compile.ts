/**
 * From a regular expression to its language: syntax, then minimal automaton, then order.
 */

import { badRange } from '../../core/checks.ts';
import { type Automaton, automatonOf, automatonText } from './automaton.ts';
import { type Ranking, rankingOf } from './ranking.ts';
import { parse } from './syntax.ts';

/** The most characters that are listed for one position. If there are more, they count as not known. */
const MAX_LISTED = 4096;

/** A finite language, counted. */
export interface Language extends Ranking {
  /** The one spelling of the minimal automaton: the same for all expressions with the same language. */
  readonly canonical: string;
  /** Returns how many code points from the start of a text are the beginning of some value. */
  readonly reach: (text: string) => number;
  /** Returns the characters that values have at a position, from 0; `null` if there are more than 4,096. */
  readonly charactersAt: (position: number) => string | null;
}

/** @throws RangeError if an expression has syntax that is not allowed, is too large, or has only one value. */
export function compile(source: string): Language {
  const automaton = automatonOf(parse(source));
  const ranking = rankingOf(automaton);
  if (ranking.size < 2n) badRange('regex', 'has only one value, so nothing would be enciphered');
  // The largest space that the engines take.
  if (ranking.size > 1n << 4096n) badRange('regex', 'has more than 2^4096 values: allow only shorter ones');
  return {
    ...ranking,
    canonical: automatonText(automaton),
    reach: (text) => reach(automaton, text),
    charactersAt: charactersAt(automaton),
  };
}

function reach({ firstRange, from, to, target }: Automaton, text: string): number {
  let state = 0;
  let count = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    let range = firstRange[state]!;
    const end = firstRange[state + 1]!;
    while (range < end && point > to[range]!) range++;
    if (range === end || point < from[range]!) break;
    state = target[range]!;
    count++;
  }
  return count;
}

/** Only composed formats need the characters of a position, so they are computed when they are first needed. */
function charactersAt({ firstRange, from, to, target }: Automaton): Language['charactersAt'] {
  /** By number of code points: the states that can be reached by that many. */
  const states: (readonly number[])[] = [[0]];
  const found: (string | null)[] = [];

  function find(position: number): string | null {
    const before = states[position]!;
    const points = new Set<number>();
    const after = new Set<number>();
    let known = true;
    for (const state of before) {
      for (let range = firstRange[state]!; range < firstRange[state + 1]!; range++) {
        after.add(target[range]!);
        known &&= points.size + to[range]! - from[range]! < 2 * MAX_LISTED;
        for (let point = from[range]!; known && point <= to[range]!; point++) points.add(point);
      }
    }
    states[position + 1] = [...after];
    if (!known || points.size > MAX_LISTED) return null;
    return [...points]
      .sort((a, b) => a - b)
      .map((point) => String.fromCodePoint(point))
      .join('');
  }

  return (position) => {
    while (found.length <= position && states[found.length]!.length > 0) found.push(find(found.length));
    return found[position] === undefined ? '' : found[position];
  };
}
