/**
 * Text from outside on a page or a terminal: what nobody sees, or what repaints or reorders the line, is shown as an
 * escape.
 */

/**
 * Controls, line and paragraph separators, marks of direction (UAX #9), zero-width space, word joiner and invisible
 * operators, soft hyphen, byte order mark, annotations, tags, halves of surrogate pairs. The zero-width joiners stay:
 * Persian and emoji need them.
 */
const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** The text on one line, with escapes as JavaScript writes them in place of what is not to be obeyed: `\u202e`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escapeOf);
}

/** A character as JavaScript writes it in a text. */
export function escapeOf(character: string): string {
  if (character === '\t') return '\\t';
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
