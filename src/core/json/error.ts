/**
 * Finds where a text stops being JSON (RFC 8259). It is called when `JSON.parse` has refused the text, because the
 * engine's own message repeats the input. It takes one pass, without recursion.
 */

const SPACE = /[\t\n\r ]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

/** Returns where the match of a pattern at a position ends, or -1 if the pattern does not match there. */
function end(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/**
 * Returns where a string ends, or -1 if it does not. It goes piece by piece: a single pattern with a repeated
 * alternative needs memory for each character, and fails with a RangeError after some megabytes.
 */
function endOfString(text: string, start: number): number {
  if (text[start] !== '"') return -1;
  for (let at = start + 1; ; ) {
    at = end(PLAIN, text, at);
    if (text[at] === '"') return at + 1;
    at = end(ESCAPE, text, at);
    if (at === -1) return -1;
  }
}

/**
 * Returns the index of the first character that is not allowed where it is, or the length of the text if the text ends
 * too early. If a string is wrong inside, it is the index of its first character.
 */
export function jsonErrorAt(text: string): number {
  // The objects and arrays that are open: `{` or `[`.
  const open: string[] = [];
  let at = end(SPACE, text, 0);
  let expected: 'value' | 'value or end' | 'name' | 'name or end' | 'comma or end' = 'value';
  for (;;) {
    const character = text[at];
    const closes = character === (open[open.length - 1] === '{' ? '}' : ']') && open.length > 0;
    if (expected === 'comma or end') {
      if (open.length === 0) return at;
      if (closes) {
        open.pop();
        at++;
      } else if (character === ',') {
        at++;
        expected = open[open.length - 1] === '{' ? 'name' : 'value';
      } else return at;
    } else if (expected.endsWith('or end') && closes) {
      open.pop();
      at++;
      expected = 'comma or end';
    } else if (expected.startsWith('name')) {
      const name = endOfString(text, at);
      if (name === -1) return at;
      at = end(SPACE, text, name);
      if (text[at] !== ':') return at;
      at++;
      expected = 'value';
    } else if (character === '{' || character === '[') {
      open.push(character);
      at++;
      expected = character === '{' ? 'name or end' : 'value or end';
    } else {
      const value = Math.max(endOfString(text, at), end(NUMBER, text, at), end(WORD, text, at));
      if (value === -1) return at;
      at = value;
      expected = 'comma or end';
    }
    at = end(SPACE, text, at);
  }
}
