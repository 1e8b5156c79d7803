/** JSON for other programs that is also safe to print on a terminal. */

import { visible } from '../core/visible.ts';

/** JSON in which a bigint is written as a number, or as text if the number would be rounded. */
export function toJson(value: unknown, space?: number): string {
  const text = JSON.stringify(
    value,
    (_, member: unknown) => {
      if (typeof member !== 'bigint') return member;
      return Number.isSafeInteger(Number(member)) ? Number(member) : member.toString();
    },
    space,
  );
  // JSON escapes control characters up to U+001F. A field name may contain others, and marks that reorder a line.
  return text.replace(/[\u007f-\u{10ffff}]/gu, (character) =>
    visible(character) === character ? character : escaped(character),
  );
}

/** A character with every code unit as a JSON escape. */
function escaped(character: string): string {
  return Array.from(character.split(''), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
