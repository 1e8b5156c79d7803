/** Tables for a terminal: columns aligned by display width, long cells cut, control characters written as escapes. */

import { printable } from './voice.ts';

/** Widest cell in terminal columns. */
const MAX_WIDTH = 32;

// Terminals give two columns to the characters that Unicode calls East Asian wide (UAX #11), and to emoji. This list
// has the most frequent blocks.
const BMP =
  '\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6';
const WIDE = new RegExp(`[${BMP}\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}]`, 'u');
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

function widthOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** The number of columns that a text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** A text on one line, at most `width` columns wide. If it is cut, it ends with `…`. */
export function cutToFit(text: string, width: number = MAX_WIDTH): string {
  const shown = printable(text);
  if (displayWidth(shown) <= width) return shown;
  let out = '';
  let left = width - 1;
  for (const character of shown) {
    left -= widthOf(character);
    if (left < 0) break;
    out += character;
  }
  return `${out}…`;
}

/** Rows of cells as aligned lines. The last column is not padded. */
export function renderTable(rows: readonly (readonly string[])[], indent = '  '): string {
  const cells = rows.map((row) => row.map((cell) => cutToFit(cell)));
  const widths: number[] = [];
  for (const row of cells)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
  return cells
    .map((row) => {
      const padded = row.map((cell, i) =>
        i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - displayWidth(cell)),
      );
      return `${indent}${padded.join('  ').trimEnd()}\n`;
    })
    .join('');
}
