/**
 * The text of a PostgreSQL array, as `array_out` writes it into COPY and into CSV
 * (https://www.postgresql.org/docs/current/arrays.html, section 8.15.6, "Array Input and Output Syntax"):
 * `{a,"b,c",NULL}`. Pure text, no Node.
 *
 * - Elements are separated by commas. (Those of the type `box` are separated by semicolons; such a text has one element
 *   here, or is refused.)
 * - An element is quoted if it is empty, is the word NULL in any letter case, or has a brace, a comma, a quote, a
 *   backslash or white space. In quotes a backslash comes before each quote and backslash.
 * - NULL without quotes is null.
 * - A brace begins a further dimension.
 *
 * Explicit bounds (`[0:2]={a,b,c}`) are refused: they are rare, and a reader that ignores them shifts every index.
 *
 * The reader also takes what `array_in` takes and `array_out` never writes: white space around elements, and a
 * backslash outside quotes. Writing such an array gives the same array, in the spelling of `array_out`.
 */

/** An element: its text, null, or the elements of a further dimension. */
export type PgElement = string | null | readonly PgElement[];

/** The most dimensions that PostgreSQL allows (`MAXDIM`). */
const MAX_DIMENSIONS = 6;

/** White space of `array_in`. */
const SPACE = /[ \t\n\v\f\r]*/y;

/** Whether a text begins as an array of PostgreSQL, or as one with explicit bounds. */
export function looksLikePgArray(text: string): boolean {
  return /^[ \t\n\v\f\r]*(?:\{|\[[-+]?[0-9]+(?::[-+]?[0-9]+)?\].*=)/s.test(text);
}

/** An array that is being read. */
interface Reading {
  readonly text: string;
  at: number;
}

/** Reads an array; returns what is wrong with a text that is not one. The message has nothing of the text in it. */
export function readPgArray(text: string): { readonly elements: readonly PgElement[] } | { readonly wrong: string } {
  const reading: Reading = { text, at: 0 };
  skipSpace(reading);
  if (text[reading.at] === '[') {
    return { wrong: 'the array has explicit bounds, as [0:2]={…}; copy it with bounds that begin at 1' };
  }
  const elements = text[reading.at] === '{' ? readDimension(reading, 1) : null;
  if (elements !== null) skipSpace(reading);
  if (elements === null || reading.at !== text.length) {
    return { wrong: `the cell is not an array of PostgreSQL from its character ${reading.at + 1} on` };
  }
  return { elements };
}

/** Reads from an opening brace to after the closing one; `null` if the text is wrong at the current place. */
function readDimension(reading: Reading, depth: number): PgElement[] | null {
  const { text } = reading;
  reading.at++;
  const elements: PgElement[] = [];
  skipSpace(reading);
  if (text[reading.at] === '}') {
    reading.at++;
    return elements;
  }
  for (;;) {
    skipSpace(reading);
    const next = text[reading.at];
    if (next === '{' && depth === MAX_DIMENSIONS) return null;
    const element = next === '{' ? readDimension(reading, depth + 1) : readElement(reading);
    if (element === undefined || (element === null && next === '{')) return null;
    elements.push(element);
    skipSpace(reading);
    const after = text[reading.at];
    if (after !== ',' && after !== '}') return null;
    reading.at++;
    if (after === '}') return elements;
  }
}

/** Reads a text or NULL; `undefined` if the text is wrong at the current place. */
function readElement(reading: Reading): string | null | undefined {
  return reading.text[reading.at] === '"' ? readQuoted(reading) : readBare(reading);
}

function readQuoted(reading: Reading): string | undefined {
  const { text } = reading;
  // Piece by piece: one pattern for the whole element needs memory for each character, and fails after some megabytes.
  let out = '';
  let at = reading.at + 1;
  for (;;) {
    QUOTE_OR_BACKSLASH.lastIndex = at;
    const found = QUOTE_OR_BACKSLASH.exec(text)?.index;
    if (found === undefined) return undefined;
    out += text.slice(at, found);
    if (text[found] === '"') {
      reading.at = found + 1;
      return out;
    }
    if (found + 1 >= text.length) return undefined;
    out += text[found + 1];
    at = found + 2;
  }
}

const QUOTE_OR_BACKSLASH = /["\\]/g;
const BARE_END = /[{},"\\]/g;

/** An element without quotes ends at a comma or brace. White space at its end does not belong to it. */
function readBare(reading: Reading): string | null | undefined {
  const { text } = reading;
  const start = reading.at;
  let out = '';
  let escaped = 0;
  let at = start;
  for (;;) {
    BARE_END.lastIndex = at;
    const found = BARE_END.exec(text)?.index ?? text.length;
    out += text.slice(at, found);
    const next = text[found];
    if (next === '\\' && found + 1 < text.length) {
      out += text[found + 1];
      escaped = out.length;
      at = found + 2;
      continue;
    }
    reading.at = found;
    if (next !== ',' && next !== '}') return undefined;
    const bare = out.slice(0, escaped) + out.slice(escaped).replace(/[ \t\n\v\f\r]+$/, '');
    if (bare === '') return undefined;
    return escaped === 0 && bare.toUpperCase() === 'NULL' ? null : bare;
  }
}

function skipSpace(reading: Reading): void {
  SPACE.lastIndex = reading.at;
  SPACE.test(reading.text);
  reading.at = SPACE.lastIndex;
}

/** What makes quotes necessary: `array_out`. */
const QUOTED_IF = /^$|^null$|[{},"\\ \t\n\v\f\r]/i;

/** Writes an array as `array_out` does. */
export function writePgArray(elements: readonly PgElement[]): string {
  return `{${elements.map(writeElement).join(',')}}`;
}

function writeElement(element: PgElement): string {
  if (element === null) return 'NULL';
  if (typeof element !== 'string') return writePgArray(element);
  return QUOTED_IF.test(element) ? `"${element.replace(/["\\]/g, '\\$&')}"` : element;
}
