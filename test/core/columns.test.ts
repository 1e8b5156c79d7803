import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnLength, isNumberColumn, isUtf8Column, readUtf8 } from '../../src/core/columns.ts';
import { type Utf8Column, utf8Column, utf8Texts } from '../../src/index.ts';
import { codeOf, thrown } from '../helpers/errors.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii', maxLength: 80 }),
  fc.constantFrom('', '\ufeff', '\ufeffa', '\0', '\ufffd', '\u{10ffff}', '\ud7ff\ue000', 'x'.repeat(300)),
);
const texts = fc.array(fc.oneof({ weight: 5, arbitrary: text }, fc.constant(null), fc.constant(undefined)), {
  maxLength: 70,
});

/** Arrow's layout to the letter. */
function literal(column: readonly (string | null | undefined)[]): Utf8Column {
  const pieces = column.map((value) => Buffer.from(value ?? '', 'utf8'));
  const ends = [0];
  for (const piece of pieces) ends.push(ends.at(-1)! + piece.length);
  const validity = new Uint8Array(Math.ceil(column.length / 8));
  column.forEach((value, i) => {
    if (typeof value === 'string') validity[Math.floor(i / 8)]! += 2 ** (i % 8);
  });
  return {
    offsets: Int32Array.from(ends),
    bytes: new Uint8Array(Buffer.concat(pieces)),
    ...(column.some((value) => typeof value !== 'string') ? { validity } : {}),
  };
}

describe('utf8Column', () => {
  it('is the layout of Arrow, and goes back', () => {
    fc.assert(
      fc.property(texts, (column) => {
        const made = utf8Column(column);
        const expected = literal(column);
        expect(made.offsets).toEqual(expected.offsets);
        expect(Buffer.from(made.bytes)).toEqual(Buffer.from(expected.bytes));
        expect(made.validity).toEqual(expected.validity);
        expect('validity' in made).toBe('validity' in expected);
        const back = column.map((value) => value ?? null);
        expect(utf8Texts(made)).toEqual(back);
        expect(utf8Texts(expected)).toEqual(back);
        expect(columnLength(made)).toBe(column.length);
      }),
      { numRuns: 1000, seed: 6 },
    );
  });

  it.each([0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1023, 1024, 1025])('of %s texts, with and without holes', (count) => {
    for (const every of [0, 1, 2, 8, 16]) {
      const column = Array.from({ length: count }, (_, i) =>
        every !== 0 && i % every === 0 ? null : i % 5 === 0 ? 'Zoë' : `row ${i}`,
      );
      expect(utf8Texts(utf8Column(column))).toEqual(column);
      expect(utf8Texts(literal(column))).toEqual(column);
    }
  });

  it('grows with what comes: long texts behind short ones', () => {
    const column = ['', 'a', 'é'.repeat(10_000), 'b', '\u{1f600}'.repeat(100_000), '', 'c'];
    expect(utf8Texts(utf8Column(column))).toEqual(column);
  });

  it('gives offsets that begin at 0 and bytes that are no longer than the last says', () => {
    const { offsets, bytes } = utf8Column(['Ada', 'Zoë']);
    expect([...offsets]).toEqual([0, 3, 7]);
    expect(bytes).toHaveLength(7);
  });

  it.each(['\ud800', 'a\udc00', '\udc00\ud800'])('refuses half a surrogate pair: %j', (half) => {
    expect(codeOf(() => utf8Column(['fine', half]))).toBe('lone_surrogate');
  });

  it.each([5, true, {}, [], Symbol('s'), 5n, new Date(0)])('%o is no text of it', (value) => {
    expect(codeOf(() => utf8Column([value as never]))).toBe('wrong_type');
  });

  it.each([null, undefined, 'text', 5, {}, new Uint8Array(3), new Set(['a'])])('%o is no array', (value) => {
    expect(() => utf8Column(value as never)).toThrow(/^"texts" expected an array, got /);
  });
});

/** Bytes that are not UTF-8 (Unicode, table 3-7), each alone. */
const INVALID: readonly (readonly [string, readonly number[]])[] = [
  ['a continuation alone', [0x80]],
  ['the last continuation alone', [0xbf]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['an overlong slash of two', [0xc0, 0xaf]],
  ['an overlong DEL of two', [0xc1, 0xbf]],
  ['an overlong slash of three', [0xe0, 0x80, 0xaf]],
  ['the last overlong of three', [0xe0, 0x9f, 0xbf]],
  ['an overlong slash of four', [0xf0, 0x80, 0x80, 0xaf]],
  ['the last overlong of four', [0xf0, 0x8f, 0xbf, 0xbf]],
  ['the first surrogate', [0xed, 0xa0, 0x80]],
  ['the last surrogate', [0xed, 0xbf, 0xbf]],
  ['a pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ['behind U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a lead byte of five', [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ['FE', [0xfe]],
  ['FF', [0xff]],
  ['two of two, cut', [0xc3]],
  ['three, cut after one', [0xe2]],
  ['three, cut after two', [0xe2, 0x82]],
  ['four, cut after three', [0xf0, 0x9f, 0x98]],
  ['ASCII in the middle', [0xe2, 0x41, 0xac]],
  ['Latin-1', [0x5a, 0x6f, 0xeb]],
];

describe('readUtf8', () => {
  it.each(INVALID)('reports %s by its place, and gives it out nowhere', (_, bad) => {
    for (const at of [0, 1, 14, 15, 16, 17, 31, 32, 39]) {
      const column = Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? 'Zoë' : `row ${i}`));
      const pieces = column.map((value, i) => (i === at ? Buffer.from(bad) : Buffer.from(value)));
      const offsets = Int32Array.from([0, ...pieces.map((_, i) => Buffer.concat(pieces.slice(0, i + 1)).length)]);
      const made = { offsets, bytes: new Uint8Array(Buffer.concat(pieces)) };
      const refused: number[] = [];
      expect(readUtf8(made, (index) => refused.push(index))).toEqual(
        column.map((value, i) => (i === at ? null : value)),
      );
      expect(refused).toEqual([at]);
      const error = thrown(() => utf8Texts(made));
      expect(error.code).toBe('not_utf8');
      expect(error.message).not.toContain('row');
      // If a text is missing, its bytes are not read.
      const validity = new Uint8Array(5).fill(0xff);
      validity[at >> 3]! ^= 1 << (at & 7);
      expect(utf8Texts({ ...made, validity })).toEqual(column.map((value, i) => (i === at ? null : value)));
    }
  });

  it('a character that is cut between two texts belongs to neither', () => {
    const bytes = new Uint8Array(Buffer.from('a\u20acb\u{1f600}c'));
    const refused: number[] = [];
    expect(
      readUtf8({ offsets: Int32Array.of(0, 2, 5, 7, 10), bytes }, (index) => {
        refused.push(index);
      }),
    ).toEqual([null, null, null, null]);
    expect(refused).toEqual([0, 1, 2, 3]);
  });

  it('offsets need not begin at 0, nor end at the end, and the bytes may lie in a larger buffer', () => {
    const all = new Uint8Array(Buffer.from('beforeAdaZoë\ufeffbehind'));
    const bytes = new Uint8Array(Uint8Array.from([9, 9, ...all]).buffer, 2);
    const made = { offsets: Int32Array.of(6, 9, 13, 13, 16), bytes };
    expect(utf8Texts(made)).toEqual(['Ada', 'Zoë', '', '\ufeff']);
    const part = { offsets: Int32Array.of(0, 6, 9, 13, 13, 16, 16).subarray(1, 6), bytes };
    expect(utf8Texts(part)).toEqual(['Ada', 'Zoë', '', '\ufeff']);
    expect(utf8Texts({ ...made, validity: null })).toEqual(['Ada', 'Zoë', '', '\ufeff']);
    expect(utf8Texts({ ...made, validity: Uint8Array.of(0b11111010) })).toEqual([null, 'Zoë', null, '\ufeff']);
  });

  it('any cut of any bytes gives either the text of just these bytes or a report', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          text.map((value) => new Uint8Array(Buffer.from(value, 'utf8'))),
        ),
        fc.array(fc.nat(60), { maxLength: 40 }),
        (bytes, cuts) => {
          const offsets = Int32Array.from([...cuts.map((cut) => cut % (bytes.length + 1)), 0]).sort();
          const refused = new Set<number>();
          const read = readUtf8({ offsets, bytes }, (index) => refused.add(index));
          for (let i = 0; i + 1 < offsets.length; i++) {
            let expected: string | null = null;
            try {
              expected = strict.decode(bytes.slice(offsets[i], offsets[i + 1]));
            } catch {}
            expect(read[i]).toBe(expected);
            expect(refused.has(i)).toBe(expected === null);
          }
        },
      ),
      { numRuns: 3000, seed: 7 },
    );
  });

  const bytes = new Uint8Array(10).fill(65);
  it.each<[string, object, new () => Error, RegExp]>([
    ['descending', { offsets: Int32Array.of(0, 5, 4, 10), bytes }, RangeError, /^"offsets" /],
    ['descending at the end', { offsets: Int32Array.of(0, 5, 3), bytes }, RangeError, /^"offsets" /],
    ['negative', { offsets: Int32Array.of(-1, 5), bytes }, RangeError, /^"offsets" /],
    ['all negative', { offsets: Int32Array.of(-5, -2), bytes }, RangeError, /^"offsets" /],
    [
      'beyond the bytes',
      { offsets: Int32Array.of(0, 11), bytes },
      RangeError,
      /^"offsets" reach beyond the end of the bytes$/,
    ],
    ['beyond no bytes', { offsets: Int32Array.of(0, 1), bytes: new Uint8Array(0) }, RangeError, /^"offsets" /],
    ['a beginning beyond', { offsets: Int32Array.of(11), bytes }, RangeError, /^"offsets" /],
    ['a negative beginning of nothing', { offsets: Int32Array.of(-1), bytes }, RangeError, /^"offsets" /],
    ['no offsets at all', { offsets: new Int32Array(0), bytes }, RangeError, /^"offsets" expected one offset more/],
    ['64-bit offsets', { offsets: BigInt64Array.of(0n, 1n), bytes }, TypeError, /^"offsets" expected an Int32Array/],
    ['an array of offsets', { offsets: [0, 1], bytes }, TypeError, /^"offsets" expected an Int32Array, got array$/],
    ['unsigned offsets', { offsets: Uint32Array.of(0, 1), bytes }, TypeError, /^"offsets" /],
    ['null offsets', { offsets: null, bytes }, TypeError, /^"offsets" .*got null$/],
    ['text as bytes', { offsets: Int32Array.of(0, 1), bytes: 'A' }, TypeError, /^"bytes" expected bytes, got string$/],
    ['a buffer as bytes', { offsets: Int32Array.of(0, 1), bytes: bytes.buffer }, TypeError, /^"bytes" /],
    ['null as bytes', { offsets: Int32Array.of(0), bytes: null }, TypeError, /^"bytes" /],
    [
      'too few bits',
      { offsets: new Int32Array(10), bytes, validity: new Uint8Array(1) },
      RangeError,
      /^"validity" has fewer bits than there are texts$/,
    ],
    ['bits as text', { offsets: new Int32Array(2), bytes, validity: 'x' }, TypeError, /^"validity" /],
    ['bits as an array', { offsets: new Int32Array(2), bytes, validity: [1] }, TypeError, /^"validity" /],
  ])('refuses offsets, bytes and bits that lie: %s', (_, column, kind, message) => {
    const run = () => utf8Texts(column as Utf8Column);
    expect(run).toThrow(kind);
    expect(run).toThrow(message);
  });

  it.each([null, undefined, 5, 'text', [], {}, new Uint8Array(2)])('%o is no column', (value) => {
    const run = () => utf8Texts(value as never);
    expect(run).toThrow(TypeError);
    expect(run).toThrow(/^"/);
  });
});

describe('what is a column', () => {
  it.each([
    new Int8Array(3),
    new Int16Array(3),
    new Int32Array(3),
    new Uint16Array(3),
    new Uint32Array(3),
    new Float32Array(3),
    new Float64Array(3),
    new BigInt64Array(3),
    new BigUint64Array(3),
  ])('%o of numbers', (column) => {
    expect(isNumberColumn(column)).toBe(true);
    expect(isUtf8Column(column)).toBe(false);
    expect(columnLength(column)).toBe(3);
  });

  it.each([
    new Uint8Array(3),
    new Uint8ClampedArray(3),
    Buffer.from('abc'),
    new DataView(new ArrayBuffer(4)),
    new ArrayBuffer(4),
    'text',
    5,
    null,
    undefined,
    {},
    { length: 2 },
    { offsets: new Int32Array(1) },
    { bytes: new Uint8Array(1) },
    new Map(),
    () => 1,
  ])('%o is none', (column) => {
    expect(columnLength(column)).toBeNull();
  });

  it('arrays and UTF-8', () => {
    expect(columnLength([])).toBe(0);
    expect(columnLength(['a', 'b'])).toBe(2);
    expect(columnLength(utf8Column([]))).toBe(0);
    expect(columnLength(utf8Column(['a', null]))).toBe(2);
  });
});
