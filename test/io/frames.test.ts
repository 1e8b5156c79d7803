import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Block, type Framing, LINES, makeFrames, type Oversize, recordLines } from '../../src/io/frames.ts';
import { cut } from './helpers.ts';

type Found = { text: string; line: number; ended?: boolean };

const byte = (character: string): number => character.charCodeAt(0);
const CSV: Framing = { quote: byte('"'), escapedBy: null, delimiter: byte(','), cr: true };
const ESCAPED: Framing = { ...CSV, escapedBy: byte('\\') };
const UNQUOTED: Framing = { ...CSV, quote: null };

function framesOf(
  text: string,
  framing: Framing,
  quota: number,
  maxRecord: number,
  lengths: readonly number[] = [],
): Found[] {
  const frames = makeFrames({ framing: () => framing, maxRecord, quota: () => quota });
  const found: Found[] = [];
  const take = (all: Iterable<Block | Oversize>): void => {
    for (const one of all) {
      if (one.kind === 'oversize') found.push({ text: `!${Buffer.from(one.head)}`, line: one.line });
      else found.push({ text: Buffer.from(one.bytes).toString(), line: one.line, ended: one.ended });
    }
  };
  for (const chunk of cut(Buffer.from(text), lengths)) take(frames.push(chunk));
  take(frames.end());
  return found;
}

/** A reference: one record a block, character by character, as simple as possible. */
function reference(text: string, { quote, escapedBy, delimiter, cr }: Framing, maxRecord: number): Found[] {
  const found: Found[] = [];
  let record = '';
  let line = 1;
  let here = 1;
  const flush = (ended: boolean, end: string): void => {
    if (record.length > maxRecord) found.push({ text: `!${record.slice(0, maxRecord)}`, line });
    else if (record + end !== '') found.push({ text: record + end, line, ended });
    record = '';
    line = here;
  };
  let state: 'begin' | 'bare' | 'quoted' = 'begin';
  for (let i = 0; i < text.length; i++) {
    const [code, next] = [text.charCodeAt(i), text.charCodeAt(i + 1)];
    const end = code === 13 && next === 10 && cr ? '\r\n' : code === 10 || (code === 13 && cr) ? text[i]! : '';
    if (end !== '') here++;
    if (end !== '' && state !== 'quoted') {
      state = 'begin';
      flush(true, end);
      i += end.length - 1;
      continue;
    }
    record += end === '' ? text[i]! : end;
    if (end !== '') i += end.length - 1;
    else if (state === 'quoted' && code === escapedBy && (next === quote || next === escapedBy)) record += text[++i]!;
    else if (state === 'quoted' && code === quote && next === quote) record += text[++i]!;
    else if (state === 'quoted') state = code === quote ? 'bare' : 'quoted';
    else if (code === delimiter) state = 'begin';
    else state = state === 'begin' && code === quote ? 'quoted' : 'bare';
  }
  flush(false, '');
  return found;
}

const texts = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\r\n', 'bc', '\\'), maxLength: 30 });
const framings = fc.constantFrom(CSV, ESCAPED, UNQUOTED, LINES);
const lengths = fc.array(fc.nat({ max: 5 }), { maxLength: 30 });

test('blocks of one record are those of the reference, whatever the chunks', () => {
  fc.assert(
    fc.property(texts, lengths, framings, fc.integer({ min: 1, max: 12 }), (text, cuts, framing, maxRecord) => {
      expect(framesOf(text, framing, 1, maxRecord, cuts)).toEqual(reference(text, framing, maxRecord));
    }),
    { numRuns: 5000 },
  );
});

test('chunks do not change the blocks, and blocks hold all bytes', () => {
  fc.assert(
    fc.property(texts, lengths, framings, fc.integer({ min: 1, max: 4 }), (text, cuts, framing, quota) => {
      const whole = framesOf(text, framing, quota, 1000);
      expect(framesOf(text, framing, quota, 1000, cuts)).toEqual(whole);
      expect(whole.map((block) => block.text).join('')).toBe(text);
    }),
  );
});

test('a block ends at the quota', () => {
  expect(framesOf('a\nb\r\n"c\n\nd"\re', CSV, 2, 100)).toEqual([
    { text: 'a\nb\r\n', line: 1, ended: true },
    { text: '"c\n\nd"\re', line: 3, ended: false },
  ]);
});

test('lines of the records of a block', () => {
  const bytes = Buffer.from('a\nb\r\n"c\n\r\nd"\re');
  expect(recordLines({ kind: 'records', bytes, line: 7, ended: false }, CSV)).toEqual([7, 8, 9, 12]);
  expect(recordLines({ kind: 'records', bytes: Buffer.from('"\n"'), line: 1, ended: false }, LINES)).toEqual([1, 2]);
});

test('the lines of records are where the cutter cuts, whatever the quotes', () => {
  fc.assert(
    fc.property(texts, framings, (text, framing) => {
      const bytes = Buffer.from(text);
      const lines = framesOf(text, framing, 1, 1000).map(({ line }) => line);
      expect(recordLines({ kind: 'records', bytes, line: 1, ended: true }, framing)).toEqual(lines);
    }),
    { numRuns: 3000 },
  );
});

test('a quote after the byte order mark opens the first cell, and a quote inside a cell hides no line end', () => {
  expect(framesOf('\ufeff"a\nb",c\nd\n', CSV, 1, 100, [1, 1, 1, 1, 1]).map(({ line }) => line)).toEqual([1, 3]);
  expect(framesOf('xyz"\n"\n', CSV, 1, 100).map(({ line }) => line)).toEqual([1, 2]);
  expect(framesOf('a,b"\nc"d,e\nf\n', CSV, 1, 100).map(({ line }) => line)).toEqual([1, 2, 3]);
});
