/**
 * Text from outside, made safe to show on a page or a terminal: characters that nobody can see, and characters that
 * repaint or reorder the line, are shown as escapes.
 */

/**
 * Control characters, line and paragraph separators, direction marks (UAX #9), zero-width space, word joiner and
 * invisible operators, soft hyphen, byte order mark, annotation marks, tags, halves of surrogate pairs. The zero-width
 * joiners are not in the list, because Persian and emoji need them.
 */
const UNSEEN =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Returns the text on one line, with such characters written as escapes of JavaScript: `\u202e`. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escapeOf);
}

/** Returns the escape of a character, as JavaScript writes it in a text. */
export function escapeOf(character: string): string {
  if (character === '\t') return '\\t';
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
