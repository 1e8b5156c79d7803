import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Block, makeFrames, type Oversize, recordLines } from '../../src/io/frames.ts';
import { cut } from './helpers.ts';

type Found = { text: string; line: number; ended?: boolean };

function framesOf(
  text: string,
  quoted: boolean,
  quota: number,
  maxRecord: number,
  lengths: readonly number[] = [],
): Found[] {
  const frames = makeFrames({ quoted, maxRecord, quota: () => quota });
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

/** A reference: one record a block, as simple as possible. */
function reference(text: string, quoted: boolean, maxRecord: number): Found[] {
  const found: Found[] = [];
  const token = quoted ? /"[^"]*(?:"|$)|\r\n|[\r\n]|[^"\r\n]+/g : /\n|[^\n]+/g;
  let record = '';
  let line = 1;
  let here = 1;
  const flush = (ended: boolean, end: string): void => {
    if (record.length > maxRecord) found.push({ text: `!${record.slice(0, maxRecord)}`, line });
    else if (record + end !== '') found.push({ text: record + end, line, ended });
    record = '';
    line = here;
  };
  for (const [part] of text.matchAll(token)) {
    here += (part.match(quoted ? /\r\n|[\r\n]/g : /\n/g) ?? []).length;
    if (/^[\r\n]+$/.test(part) && (quoted || part === '\n')) flush(true, part);
    else record += part;
  }
  flush(false, '');
  return found;
}

const texts = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', '\r\n', 'bc'), maxLength: 30 });
const lengths = fc.array(fc.nat({ max: 5 }), { maxLength: 30 });

test('blocks of one record are those of the reference, whatever the chunks', () => {
  fc.assert(
    fc.property(texts, lengths, fc.boolean(), fc.integer({ min: 1, max: 12 }), (text, cuts, quoted, maxRecord) => {
      expect(framesOf(text, quoted, 1, maxRecord, cuts)).toEqual(reference(text, quoted, maxRecord));
    }),
    { numRuns: 3000 },
  );
});

test('chunks do not change the blocks, and blocks hold all bytes', () => {
  fc.assert(
    fc.property(texts, lengths, fc.integer({ min: 1, max: 4 }), (text, cuts, quota) => {
      const whole = framesOf(text, true, quota, 1000);
      expect(framesOf(text, true, quota, 1000, cuts)).toEqual(whole);
      expect(whole.map((block) => block.text).join('')).toBe(text);
    }),
  );
});

test('a block ends at the quota', () => {
  expect(framesOf('a\nb\r\n"c\n\nd"\re', true, 2, 100)).toEqual([
    { text: 'a\nb\r\n', line: 1, ended: true },
    { text: '"c\n\nd"\re', line: 3, ended: false },
  ]);
});

test('lines of the records of a block', () => {
  const bytes = Buffer.from('a\nb\r\n"c\n\r\nd"\re');
  expect(recordLines({ kind: 'records', bytes, line: 7, ended: false }, true)).toEqual([7, 8, 9, 12]);
  expect(recordLines({ kind: 'records', bytes: Buffer.from('"\n"'), line: 1, ended: false }, false)).toEqual([1, 2]);
});
