/**
 * The lines of a charter by their words, each as often as it may occur, in their order
 * (docs/spec/govern/charter-v1.md).
 */

import { nearest } from '../../core/suggest.ts';
import type { Line, Refuse } from '../text/lines.ts';

/** The words in the order of their lines, and how often each occurs. */
const ORDER = [
  ['trefoil', 'once'],
  ['version', 'once'],
  ['previous', 'at most once'],
  ['domain', 'once'],
  ['subject', 'at most once'],
  ['log', 'once'],
  ['answers', 'at most once'],
  ['witness', 'any number'],
  ['group', 'any number'],
  ['quorum', 'once'],
  ['officer', 'any number'],
  ['desk', 'any number'],
  ['client', 'any number'],
  ['case shown', 'at most once'],
  ['purpose', 'any number'],
  ['glass', 'any number'],
  ['rate client', 'any number'],
  ['rate desk', 'any number'],
  ['protected', 'at most once'],
  ['alert subject', 'at most once'],
  ['alert pair', 'at most once'],
  ['alert hours', 'at most once'],
  ['openings', 'at most once'],
  ['change', 'once'],
] as const;

/** The word of a line: its first, or its first two, because `rate client` and `rate desk` are lines of two families. */
export type CharterWord = (typeof ORDER)[number][0];

const WORDS: readonly string[] = ORDER.map(([word]) => word);
const FIRST_WORDS: readonly string[] = [...new Set(WORDS.map((word) => word.split(' ')[0]!))];

/** The lines of a charter, by family. The items of a line follow its word. */
export interface Arranged {
  /** The line that every charter has. */
  readonly one: (word: CharterWord) => Line;
  /** The line, or `null` if the charter does not have it. */
  readonly maybe: (word: CharterWord) => Line | null;
  readonly all: (word: CharterWord) => readonly Line[];
}

/** Sorts the lines by family, and refuses unknown words, lines out of order, second ones and missing ones. */
export function arrange(lines: readonly Line[], refuse: Refuse): Arranged {
  const families = new Map<string, Line[]>();
  let at = 0;
  for (const line of lines) {
    const { word, items } = familyOf(line, refuse);
    const place = WORDS.indexOf(word);
    if (place < at) refuse(`lines ${word} come before lines ${WORDS[at]}`, line.number);
    refuseMissing(lines, families, at, place, line.number, refuse);
    at = place;
    const family = families.get(word) ?? [];
    if (family.length > 0 && ORDER[place]![1] !== 'any number') {
      refuse(`a charter has one line ${word}, and this is the second`, line.number);
    }
    families.set(word, [...family, { ...line, items }]);
  }
  refuseMissing(lines, families, at, ORDER.length, lines.length + 1, refuse);
  const all = (word: CharterWord): readonly Line[] => families.get(word) ?? [];
  return { all, one: (word) => all(word)[0]!, maybe: (word) => all(word)[0] ?? null };
}

/** The family of a line, and the items after the word of the family. */
function familyOf(line: Line, refuse: Refuse): { readonly word: string; readonly items: readonly string[] } {
  if (WORDS.includes(line.word)) return { word: line.word, items: line.items };
  const word = `${line.word} ${line.items[0] ?? ''}`;
  if (WORDS.includes(word)) return { word, items: line.items.slice(1) };
  const seconds = WORDS.filter((known) => known.startsWith(`${line.word} `)).map((known) => known.split(' ')[1]!);
  if (seconds.length > 0) refuse(`the word after ${line.word} is not ${seconds.join(' or ')}`, line.number);
  const similar = nearest(line.word, FIRST_WORDS);
  const hint = similar === null ? '' : `; did you mean ${similar}?`;
  return refuse(`the line begins with a word that charters do not have${hint}`, line.number);
}

/** Refuses if a line that every charter has is not among those before the family `to`. */
function refuseMissing(
  lines: readonly Line[],
  families: ReadonlyMap<string, readonly Line[]>,
  from: number,
  to: number,
  number: number,
  refuse: Refuse,
): void {
  for (const [word, times] of ORDER.slice(from, to)) {
    if (times !== 'once' || families.has(word)) continue;
    const isLater = lines.some((line) => line.word === word);
    refuse(isLater ? `the line ${word} belongs before this one` : `the charter lacks a line ${word} here`, number);
  }
}
