/** Where in the text of a charter something is: the numbers of lines, for messages that name no name. */

import type { Charter, Purpose } from './charter.ts';

/** The number of the line that begins with these words, from 1; `null` if there is none. */
export function lineOf({ text }: Charter, ...words: readonly string[]): number | null {
  const at = text.split('\n').findIndex((line) => {
    const items = line.split(' ');
    return words.every((word, i) => items[i] === word);
  });
  return at === -1 ? null : at + 1;
}

/** The number of the line of a purpose. */
export function lineOfPurpose(charter: Charter, { name, isGlass }: Purpose): number | null {
  return lineOf(charter, isGlass ? 'glass' : 'purpose', name);
}
