import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { caseKept } from '../../src/format/case-kept.ts';
import { random } from '../reference/random.ts';
import { counted, engineOf, enumerated, JUNK, kept, outlined, plainData, refusal } from './values.ts';

/** The table of docs/spec/fpe-v1.md, by code point: symbol, property, size, letters from–to. */
const TABLE: readonly (readonly [string, RegExp, number, string])[] = [
  ['9', /^\p{Nd}$/u, 10, '30-39'],
  ['A', /^\p{Lu}$/u, 26, '41-5a'],
  ['a', /^\p{Ll}$/u, 26, '61-7a'],
  ['E', /^\p{Lu}$/u, 30, 'c0-d6 d8-de'],
  ['e', /^\p{Ll}$/u, 32, 'df-f6 f8-ff'],
  ['L', /^\p{Lu}$/u, 65, '100-17f 18f-18f 218-21b 1e9e-1e9e'],
  ['l', /^\p{Ll}$/u, 64, '100-17f 218-21b 259-259'],
  ['V', /^\p{Lu}$/u, 47, '1a0-1a0 1af-1af 1ea0-1ef9'],
  ['v', /^\p{Ll}$/u, 47, '1a1-1a1 1b0-1b0 1ea0-1ef9'],
  ['G', /^\p{Lu}$/u, 33, '386-3ab'],
  ['g', /^\p{Ll}$/u, 36, '390-390 3ac-3ce'],
  ['R', /^\p{Lu}$/u, 33, '401-401 410-42f'],
  ['r', /^\p{Ll}$/u, 33, '430-44f 451-451'],
];
// Further Cyrillic: the rest of U+0400–U+045F, and these pairs.
const PAIRS = [0x490, 0x492, 0x496, 0x49a, 0x4a2, 0x4ae, 0x4b0, 0x4b2, 0x4b6, 0x4ba, 0x4d8, 0x4e2, 0x4e8, 0x4ee];

/** The letters of every class in their order, from code points and properties of Unicode alone. */
const classes = new Map<string, string>(
  TABLE.map(([symbol, property, , ranges]) => {
    const letters: string[] = [];
    for (const range of ranges.split(' ')) {
      const [from, to] = range.split('-').map((code) => Number.parseInt(code, 16));
      for (let code = from!; code <= to!; code++) {
        const letter = String.fromCharCode(code);
        if (property.test(letter) && letter.normalize('NFKC') === letter) letters.push(letter);
      }
    }
    return [symbol, letters.join('')];
  }),
);
const further = [0x400, ...Array.from({ length: 14 }, (_, i) => 0x402 + i)];
classes.set('C', String.fromCharCode(...further, ...PAIRS));
classes.set('c', String.fromCharCode(...further.map((code) => code + 0x50), ...PAIRS.map((code) => code + 1)));

const LETTERS = [...classes.values()].join('');
const CLEAR = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~\u00a0\u00b7\u02bc\u2010\u2011\u2013\u2018\u2019';
const any = caseKept({ minSize: 10 });

const symbolOf = (letter: string) => [...classes].find(([, letters]) => letters.includes(letter))?.[0];

/** The definition, literally. */
function literal(value: string): { shape: string; clear: string; size: bigint; index: bigint } {
  let [shape, clear, size, index] = ['', '', 1n, 0n];
  for (const character of value) {
    const symbol = symbolOf(character);
    if (symbol === undefined) {
      clear += character;
      continue;
    }
    const letters = classes.get(symbol)!;
    shape += symbol;
    clear += 'x';
    size *= BigInt(letters.length);
    index = index * BigInt(letters.length) + BigInt(letters.indexOf(character));
  }
  return { shape, clear, size, index };
}

describe('the classes of caseKept@1', () => {
  it('are those of the table, in its order', () => {
    for (const [symbol, letters] of classes) {
      expect([...letters].sort()).toEqual([...letters]);
      const six = letters[0]!.repeat(6);
      const parts = engineOf(any).split(letters[0]!);
      expect(parts).toMatchObject({ shape: symbol, clear: 'x', size: letters.length, index: 0 });
      expect(enumerated(any, letters[0]!)).toEqual([...letters]);
      expect(engineOf(any).split(six).shape).toBe(symbol.repeat(6));
    }
    for (const [symbol, , size] of TABLE) expect([symbol, classes.get(symbol)!.length]).toEqual([symbol, size]);
    expect([classes.get('C')!.length, classes.get('c')!.length]).toEqual([29, 29]);
    expect(
      createHash('sha256')
        .update([...classes].join())
        .digest('hex'),
    ).toBe('2c696d45ef49e6111a310801b36684485910596fb4d82e43a247bd0e719f3cdc');
  });

  it('every code point is a letter of one class, clear, or refused', () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      const taken = any.test(`aa${character}`);
      if (taken !== (LETTERS.includes(character) || CLEAR.includes(character))) wrong.push(code.toString(16));
      if (code === 0x2fff) code = 0xfdff;
      if (code === 0x1ffff) code = 0xdfeff;
    }
    expect(wrong).toEqual([]);
    expect(new Set(LETTERS).size).toBe(LETTERS.length);
    // What stays in clear is no letter with a case, no digit and no mark.
    expect(/[\p{L}\p{M}\p{N}]/u.test(CLEAR.replace('\u02bc', ''))).toBe(false);
  });

  it('keep the case, one code unit a letter, and stay in NFC in any order', () => {
    for (const [symbol, letters] of classes) {
      for (const letter of letters) {
        expect(letter.length).toBe(1);
        expect(letter.normalize('NFC')).toBe(letter);
        if (symbol !== '9')
          expect(symbol === symbol.toUpperCase() ? /\p{Lu}/u : /\p{Ll}/u).toSatisfy((p: RegExp) => p.test(letter));
      }
    }
    const all = LETTERS + CLEAR;
    let unstable = 0;
    for (const a of all) for (const b of all) if ((a + b).normalize('NFC') !== a + b) unstable++;
    expect(unstable).toBe(0);
  });
});

describe('caseKept', () => {
  const NAMES = [
    'Ada Lovelace',
    'Grace Brewster Murray Hopper',
    'Zoë O’Brien-Łukasz',
    "Siobhán O'Connor",
    'Jean-Luc Ångström',
    'STRASSE 12, 10115 Berlin',
    'Groß GROẞ',
    'Nguyễn Thị Minh Khai',
    'Ðorđe Šušnjić',
    'Ştefan Țepeș',
    'İpek Çağlı',
    'Γιώργος Παπαδόπουλος',
    'Мария Склодовская',
    'Володимир Зеленський',
    'Əliyev Heydər',
    'Ґалаґан Їжакевич',
    'Ўткір Ғуломов',
    'Marcel·lí Domènech',
    'Smith\u00a0III, Ph.D. (*1984)',
    'abcdef',
    '000000',
    `${'Wolfeschlegelsteinhausenbergerdorff '.repeat(7)}jr`,
    'ỹ'.repeat(256),
  ];

  it.each(NAMES)('%s', (name) => {
    const { size, index, ...rest } = kept(caseKept(), name);
    expect({ ...rest, size: BigInt(size), index: BigInt(index) }).toEqual({ layout: null, ...literal(name) });
    const values = counted(caseKept(), name, 60);
    for (const value of values) {
      expect(value.length).toBe(name.length);
      expect(value.normalize('NFC')).toBe(value);
      const found = literal(value);
      expect(found.shape).toBe(rest.shape);
      expect(found.clear).toBe(rest.clear);
    }
    outlined(caseKept(), values);
  });

  it('against the definition, over many cases', () => {
    const next = random('caseKept');
    const digest = createHash('sha256');
    const all = LETTERS + CLEAR;
    for (let i = 0; i < 1500; i++) {
      const length = 1 + next.below(i % 10 === 0 ? 256 : 20);
      let value = '';
      while (value.length < length)
        value += next.below(3) > 0 ? LETTERS[26 + next.below(26)]! : all[next.below(all.length)]!;
      const expected = literal(value);
      if (expected.size < 10n) continue;
      const { shape, clear, size, index } = kept(any, value);
      expect({ shape, clear, size: BigInt(size), index: BigInt(index) }).toEqual(expected);
      digest.update(`${value} ${index}\n`);
    }
    expect(digest.digest('hex')).toBe('11d7d9887bb9dc504cbd63a4be4db3455768ffe99dec5d003640a7e9a98f19f5');
  });

  it('every value of small forms', () => {
    expect(enumerated(any, 'Bo')).toHaveLength(676);
    expect(enumerated(any, 'B-1 ß')).toHaveLength(26 * 10 * 32);
    expect(enumerated(any, 'Anna')).toHaveLength(456_976);
    expect(enumerated(caseKept())).toHaveLength(1_000_000);
  });

  it('the form is public, literals are clear', () => {
    const { split } = engineOf(caseKept());
    expect(split('Ada Lovelace')).toMatchObject({ shape: 'AaaAaaaaaaa', clear: 'xxx xxxxxxxx' });
    expect(split('Ada-Lovelace')).toMatchObject({ shape: 'AaaAaaaaaaa', clear: 'xxx-xxxxxxxx' });
    expect(split('x, y, z 1984')).toMatchObject({ shape: 'aaa9999', clear: 'x, x, x xxxx' });
    expect(split(' Łódź  ')).toMatchObject({ shape: 'Leal', clear: ' xxxx  ' });
  });

  it('a value must have a million possibilities, or what minSize says', () => {
    expect(refusal(caseKept(), 'Anna').issues[0]).toMatchObject({ minimum: 1_000_000, actual: 456_976 });
    expect(refusal(caseKept(), '12345').issues[0]).toMatchObject({ actual: 100_000 });
    kept(caseKept(), 'Annas');
    kept(caseKept(), '123456');
    kept(caseKept({ minSize: 400_000 }), 'Anna');
    refusal(caseKept({ minSize: 456_977 }), 'Anna');
    kept(caseKept({ minSize: 456_976 }), 'Anna');
    expect(refusal(any, '- .').issues[0]).toMatchObject({ minimum: 10, actual: 1 });
    kept(any, 'B');
  });

  it('the smallest form is the least product of classes that is enough', () => {
    const sizes = [...new Set([...classes.values()].map((letters) => letters.length))];
    for (const minSize of [10, 11, 26, 27, 30, 100, 101, 456_976, 456_977, 999_999, 1_000_000]) {
      let products = [1];
      let best = Number.POSITIVE_INFINITY;
      while (products.length > 0) {
        const longer = new Set(products.flatMap((product) => sizes.map((size) => product * size)));
        for (const product of longer) if (product >= minSize && product < best) best = product;
        products = [...longer].filter((product) => product < minSize);
      }
      const format = caseKept({ minSize });
      expect([minSize, format.size]).toEqual([minSize, BigInt(best)]);
      expect(engineOf(format).split(format.unrank(0)).size).toBe(best);
      expect(format.rank(format.unrank(format.size - 1n))).toBe(format.size - 1n);
    }
    expect(caseKept().size).toBe(1_000_000n);
    expect(caseKept().unrank(0)).toBe('000000');
    expect(caseKept({ minSize: 10 }).strength()).toMatchObject({ codebook: true, engine: 'table' });
    expect(caseKept().strength()).toMatchObject({
      codebook: false,
      engine: 'ff1-cycle-walking',
      because: 'the smallest form of at least 1000000 values: 10 × 10 × 10 × 10 × 10 × 10',
    });
    expect(engineOf(caseKept()).outline).toMatchObject({ min: 4, max: 256 });
    expect(engineOf(any).outline.min).toBe(1);
  });

  it.each([
    ...JUNK.filter((value) => value !== 'Infinity' && value !== '[object Object]'),
    'Zoe\u0308 Lovelace',
    'Ada\nLovelace',
    'Ada\tLovelace',
    'Ada Lovelace\u0000',
    'Ada Lovelace\u200b',
    'Ada\u3000Lovelace',
    '山田太郎 Yamada',
    'محمد Muhammad',
    'Ａｄａ Lovelace',
    'Ada Lovelace \u{1f600}',
    'Ada Lovelace Ǆ',
    'Ada Loveſace',
    'Mª Carmen Lopez',
    'ĳsbrand jansen',
    '½ Lovelace',
    'Ada Lovelace ²',
    'a'.repeat(257),
  ])('%.30j is refused', (value) => {
    refusal(caseKept(), value);
  });

  it('says which character, and never the value', () => {
    expect(refusal(caseKept(), 'Zoe\u0308 Lovelace').message).toBe(
      'character 4 is a combining mark: normalise the value to NFC first',
    );
    expect(refusal(caseKept(), 'Ada\nLovelace').issues[0]).toMatchObject({ actual: 4 });
    expect(refusal(caseKept(), 'a'.repeat(257)).issues[0]).toMatchObject({ maximum: 256 });
  });

  it.each([
    [{ minSize: 9 }, RangeError],
    [{ minSize: 1_000_001 }, RangeError],
    [{ minSize: 10.5 }, RangeError],
    [{ minSize: '10' }, TypeError],
    [{ minSize: null }, TypeError],
    [{ min: 3 }, TypeError],
    [null, TypeError],
  ])('the options %o are refused', (options, error) => {
    expect(() => caseKept(options as never)).toThrow(error as never);
  });

  it('descriptor and data: minSize is a check', () => {
    expect(engineOf(caseKept()).descriptor).toEqual(['caseKept@1']);
    expect(engineOf(any).descriptor).toEqual(['caseKept@1']);
    expect(engineOf(any).hasClear).toBe(true);
    plainData(caseKept(), { type: 'caseKept' });
    plainData(any, { type: 'caseKept', minSize: 10 });
  });
});
