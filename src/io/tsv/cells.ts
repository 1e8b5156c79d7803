/**
 * Cells of a TSV line, as PostgreSQL's `COPY … TO STDOUT` writes them (text format:
 * https://www.postgresql.org/docs/current/sql-copy.html, "File Formats"). Hive, ClickHouse (TabSeparated) and others
 * write the same in essence. Pure text, no Node.
 *
 * Cells are separated by a tab, and a line ends with a line feed. `\N` as a whole cell is null; an empty cell is the
 * empty text, which is a different value. There is no quoting: a special character is written with a backslash.
 *
 * | escape | character | | escape | character |
 * |---|---|---|---|---|
 * | `\b` | backspace, U+0008 | | `\r` | carriage return, U+000D |
 * | `\t` | tab, U+0009 | | `\v` | vertical tab, U+000B |
 * | `\n` | line feed, U+000A | | `\f` | form feed, U+000C |
 * | `\\` | backslash | | `\'` | apostrophe (ClickHouse writes it so; read only) |
 *
 * COPY FROM reads three more forms, which COPY TO never writes. They are refused here:
 *
 * - octal and hexadecimal bytes;
 * - a backslash before any other character. COPY removes such a backslash without a warning, so the path `C:\temp\new`
 *   from a careless writer would lose characters;
 * - `\.`, which ends the data for servers before version 18.
 */

import type { Issue } from '../../errors.ts';

/** A cell: text, or null. */
export type TsvCell = string | null;

/** How null is written. Cells are compared with it before escapes are read: the text `\N` is written `\\N`. */
const NULL = '\\N';

/** The escapes that are read, by the character after the backslash. */
const READ: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['\\', '\\'],
  ["'", "'"],
]);

const WRITTEN: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\\': '\\\\',
};

/**
 * Reads a line without its end. Returns its cells, or an issue with the column where reading stopped.
 *
 * A line without a backslash, which is nearly every line, is only split (measured: a tenth of the time of reading cell
 * by cell).
 */
export function readCells(line: string): TsvCell[] | Issue {
  const bare = line.indexOf('\r');
  if (bare !== -1) return badEscape(bare, 'a carriage return inside a line; write it as \\r');
  const cells: TsvCell[] = line.split('\t');
  if (!line.includes('\\')) return cells;
  if (line === '\\.') return badEscape(0, 'the line is \\., the end marker of a dump; remove it');
  let start = 0;
  for (let c = 0; c < cells.length; c++) {
    const cell = cells[c]!;
    if (cell === NULL) cells[c] = null;
    else if (cell.includes('\\')) {
      const text = unescapeCell(cell);
      if (typeof text === 'number') return badEscape(start + text, UNKNOWN);
      cells[c] = text;
    }
    start += cell.length + 1;
  }
  return cells;
}

const UNKNOWN =
  "a backslash that begins no escape (\\\\ \\b \\f \\n \\r \\t \\v \\', or \\N as a whole cell); write it twice";

function badEscape(at: number, message: string): Issue {
  return { code: 'bad_escape', message, column: at + 1 };
}

/** The text of a cell, or the index of a backslash that does not begin an escape. */
function unescapeCell(cell: string): string | number {
  let text = '';
  let from = 0;
  for (let at = cell.indexOf('\\'); at !== -1; at = cell.indexOf('\\', from)) {
    const character = READ.get(cell.charAt(at + 1));
    if (character === undefined) return at;
    text += cell.slice(from, at) + character;
    from = at + 2;
  }
  return text + cell.slice(from);
}

const SPECIAL = /[\b\t\n\v\f\r\\]/;
const SPECIALS = /[\b\t\n\v\f\r\\]/g;

/** Writes one cell, byte for byte as COPY TO does. */
export function writeCell(cell: TsvCell): string {
  if (cell === null) return NULL;
  return SPECIAL.test(cell) ? cell.replace(SPECIALS, (character) => WRITTEN[character]!) : cell;
}

/** Writes a line, without its end. */
export function writeCells(cells: readonly TsvCell[]): string {
  return cells.map(writeCell).join('\t');
}

/** Column on which a cell of a line begins, from 1; column 1 if the line has fewer cells. */
export function cellColumn(line: string, index: number): number {
  let at = 0;
  for (let c = 0; c < index; c++) at = line.indexOf('\t', at) + 1;
  return at + 1;
}
