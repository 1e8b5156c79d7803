/** JSON for other programs, which people look at on a terminal. */

import { visible } from '../core/visible.ts';

/** JSON with sizes that are bigints written as numbers, and as text where a number would be rounded. */
export function toJson(value: unknown, space?: number): string {
  const text = JSON.stringify(
    value,
    (_, member: unknown) => {
      if (typeof member !== 'bigint') return member;
      return Number.isSafeInteger(Number(member)) ? Number(member) : member.toString();
    },
    space,
  );
  // JSON's own escapes end at U+001F; a field's name may hold marks that reorder a line.
  return text.replace(/[\u007f-\u{10ffff}]/gu, (character) =>
    visible(character) === character ? character : escaped(character),
  );
}

/** Every code unit as JSON escapes it. */
function escaped(character: string): string {
  return Array.from(character.split(''), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
