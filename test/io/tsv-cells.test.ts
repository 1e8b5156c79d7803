import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Issue } from '../../src/errors.ts';
import { cellColumn, readCells, type TsvCell, writeCell, writeCells } from '../../src/io/tsv/cells.ts';

/**
 * A reference for COPY's text format, written from its page, one character at a time. It reads everything that COPY
 * FROM reads, except octal and hexadecimal bytes. Our reader must read the same or refuse.
 */
function literalRead(line: string): TsvCell[] {
  const cells: TsvCell[] = [];
  let raw = '';
  let text = '';
  const close = (): void => {
    // "The null string is matched before removing backslashes."
    cells.push(raw === '\\N' ? null : text);
    raw = '';
    text = '';
  };
  const characters = line.split('');
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === '\t') {
      close();
      continue;
    }
    raw += character;
    if (character !== '\\') {
      text += character;
      continue;
    }
    const next = characters[++i] ?? '';
    raw += next;
    const found = 'bfnrtv'.indexOf(next);
    // "Any other backslashed character that is not mentioned in the above table will be taken to represent itself."
    text += next !== '' && found !== -1 ? '\b\f\n\r\t\v'.charAt(found) : next;
  }
  close();
  return cells;
}

/** "… must be preceded by a backslash: backslash itself, newline, carriage return, and the current delimiter." */
function literalWrite(cells: readonly TsvCell[]): string {
  const out: string[] = [];
  for (const [c, cell] of cells.entries()) {
    if (c > 0) out.push('\t');
    if (cell === null) out.push('\\N');
    else {
      for (const unit of cell.split('')) {
        const found = '\b\f\n\r\t\v\\'.indexOf(unit);
        out.push(found === -1 ? unit : `\\${'bfnrtv\\'.charAt(found)}`);
      }
    }
  }
  return out.join('');
}

const nasty = fc.constantFrom(
  'a',
  'N',
  'n',
  't',
  '.',
  'é',
  '👩',
  '\\',
  '\\N',
  '\\.',
  '\t',
  '\n',
  '\r',
  '\b',
  '\f',
  '\v',
  "'",
  '"',
);
const cell = fc.oneof(
  fc.constant(null),
  fc.string({ unit: nasty, maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const cells = fc.array(cell, { minLength: 1, maxLength: 6 });

test('property: any cells are written as the page says, and read again', () => {
  fc.assert(
    fc.property(cells, (row) => {
      const line = writeCells(row);
      expect(line).toBe(literalWrite(row));
      expect(line).not.toMatch(/[\n\r]/);
      expect(readCells(line)).toEqual(row);
    }),
    { numRuns: 20_000 },
  );
});

test('property: any line is read as the page says, or refused at its first wrong backslash', () => {
  let refused = 0;
  const line = fc.string({
    unit: fc.constantFrom('a', 'N', 'n', '0', 'x', '.', '\\', '\\', '\t', "'", '👩'),
    maxLength: 10,
  });
  fc.assert(
    fc.property(line, (text) => {
      const read = readCells(text);
      if (Array.isArray(read)) {
        expect(read).toEqual(literalRead(text));
        return;
      }
      refused++;
      expect(read.code).toBe('bad_escape');
      if (text === '\\.') return;
      const at = read.column! - 1;
      expect(text.charAt(at)).toBe('\\');
      expect("bfnrtv\\'").not.toContain(text.charAt(at + 1) || 'nothing');
      // The part before it is valid: the half cell is text or null.
      expect(Array.isArray(readCells(text.slice(0, at)))).toBe(true);
    }),
    { numRuns: 20_000 },
  );
  expect(refused).toBeGreaterThan(1000);
});

describe('reads', () => {
  test.each<[string, string, TsvCell[]]>([
    ['an empty line: one empty cell', '', ['']],
    ['empty cells', '\t\t', ['', '', '']],
    ['null and the empty text', '\\N\t\t\\N', [null, '', null]],
    ['the text \\N', '\\\\N', ['\\N']],
    ['the text \\.', '\\\\.', ['\\.']],
    ['every escape', "\\b\\f\\n\\r\\t\\v\\\\\\'", ["\b\f\n\r\t\v\\'"]],
    ['control characters that stand for themselves', '\b\f\v\u0001\u0085\u2028', ['\b\f\v\u0001\u0085\u2028']],
    ['quotes, which mean nothing', '"a\t"b"', ['"a', '"b"']],
    ['spaces, which stay', ' a \t  ', [' a ', '  ']],
    ['NULL in words, which is text', 'NULL\tnull\tN', ['NULL', 'null', 'N']],
  ])('%s', (_, line, expected) => {
    expect(readCells(line)).toEqual(expected);
  });
});

describe('refuses', () => {
  test.each<[string, string, number]>([
    ['a path of Windows', 'a\tC:\\docs', 5],
    ['null with text before it', 'a\\N', 2],
    ['null with text behind it', '\\Na', 1],
    ['text that ends in the middle', 'a\t\\n\t\\null\\', 11],
    ['octal', 'a\\101', 2],
    ['hexadecimal', '\\x41', 1],
    ['ClickHouse’s NUL', '\\0', 1],
    ['a backslash before a tab', 'a\\\tb', 2],
    ['a backslash at the end', 'a\tb\\', 4],
    ['three at the end', '\\\\\\', 3],
    ['the end marker', '\\.', 1],
    ['the end marker in a cell', 'a\t\\.', 3],
    ['a carriage return', 'a\rb\\x', 2],
    ['after a surrogate pair: units are counted', '👩\\x', 3],
  ])('%s', (_, line, column) => {
    const { code, column: at, message } = readCells(line) as Issue;
    expect({ code, at }).toEqual({ code: 'bad_escape', at: column });
    for (const piece of ['docs', '101', 'x41']) expect(message).not.toContain(piece);
  });
});

test('escapes what must be escaped and nothing else', () => {
  expect(writeCell(null)).toBe('\\N');
  expect(writeCell('')).toBe('');
  expect(writeCell('it\'s \u0001\u007f\u0085\u2028 "x"')).toBe('it\'s \u0001\u007f\u0085\u2028 "x"');
  for (let unit = 1; unit < 0xd800; unit++) {
    const text = String.fromCharCode(unit);
    expect(writeCell(text)).toBe('\b\f\n\r\t\v\\'.includes(text) ? literalWrite([text]) : text);
  }
});

test('columns of cells', () => {
  const line = 'a\t\\N\t\t👩x';
  expect([0, 1, 2, 3].map((index) => cellColumn(line, index))).toEqual([1, 3, 6, 7]);
});
