import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isArgumentError } from '../../src/core/checks.ts';
import { compile } from '../../src/format/language/compile.ts';
import { regex } from '../../src/format/regex.ts';
import { keyset } from '../../src/keys.ts';
import { revealAccess } from '../../src/reveal.ts';
import { fpe } from '../../src/rule/fpe.ts';
import { HostileError, hostileValues, MARKER } from '../hostile.ts';
import { random } from '../reference/random.ts';
import {
  ALPHABET,
  canonicalOf,
  compareTexts,
  counted as countedFrom,
  languageOf,
  randomTree,
  write,
} from '../reference/regex.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';
import { counted, engineOf, enumerated, JUNK, kept, outlined, plainData, refusal } from './values.ts';

/** Whole languages are compared up to this many values. */
const WHOLE = 20_000;

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(isArgumentError(error) && error.argument === 'regex').toBe(true);
    expect(error).toBeInstanceOf(RangeError);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

/** A pseudo-random tree by its number, with its language; none where that is too large or has one value. */
function example(seed: number): { source: string; texts: string[]; name: string } | null {
  const name = `regex ${seed}`;
  const source = random(name);
  const tree = randomTree(source, 1 + source.below(3));
  const language = languageOf(tree, WHOLE);
  if (language === null || language.size < 2) return null;
  if ([...language].some((text) => [...text].length > 256)) return null;
  return { source: write(tree, source), texts: [...language].sort(compareTexts), name };
}

describe('what it takes', () => {
  it.each<[string, number | bigint, string, string]>([
    ['[A-Z]{1,2}[0-9]{6,7}', 7_722_000_000, 'A000000', 'ZZ9999999'],
    ['[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}', 26 * 27 * 10 * 37 * 6760, 'A0 0AA', 'ZZ9Z 9ZZ'],
    ['\\d{3}-\\d{2}-\\d{4}', 10 ** 9, '000-00-0000', '999-99-9999'],
    ['\\w', 63, '0', 'z'],
    ['[\\w.-]', 65, '-', 'z'],
    ['^(?:GB|XI)[0-9]{9}$', 2 * 10 ** 9, 'GB000000000', 'XI999999999'],
    ['^a|b$|^cd$', 3, 'a', 'cd'],
    ['(a|b){2}', 4, 'aa', 'bb'],
    ['a?b?', 4, '', 'ab'],
    ['(|a)(){9}((b){0}c)', 2, 'c', 'ac'],
    ['a{0}[01]', 2, '0', '1'],
    ['x(1|12)(3|23)', 3, 'x13', 'x1223'],
    ['[-a]|[b-]|[--]|[+-]', 4, '+', 'b'],
    ['[a\\-c]', 3, '-', 'c'],
    ['\\.\\*\\/\\-\\@\\ \\{[.*+?(){}|$^/]', 12, '.*/-@ {$', '.*/-@ {}'],
    ['[\\^a]', 2, '^', 'a'],
    ['[\\t\\n\\v\\f\\r]', 5, '\t', '\r'],
    ['[\\x41\\u0042\\u{43}\\u{1f600}]', 4, 'A', '\u{1f600}'],
    ['[\u{1f600}-\u{1f64f}]{2}', 6400, '\u{1f600}\u{1f600}', '\u{1f64f}\u{1f64f}'],
    ['[\\u0000-\\u{10ffff}]', 0x110000 - 2048, '\0', '\u{10ffff}'],
    ['[\\ud7ff-\\ue000]', 2, '\ud7ff', '\ue000'],
    ['[a-z]{256}', 26n ** 256n, 'a'.repeat(256), 'z'.repeat(256)],
    ['[A-Za-z0-9]{1,64}', (62n ** 65n - 62n) / 61n, '0', 'z'.repeat(64)],
    ['([a-z]?){256}', (26n ** 257n - 1n) / 25n, '', 'z'.repeat(256)],
  ])('%s', (source, size, first, last) => {
    const format = regex(source);
    expect(format.size).toBe(BigInt(size));
    expect(format.unrank(0)).toBe(first);
    expect(format.unrank(BigInt(size) - 1n)).toBe(last);
    for (const value of [first, last]) {
      kept(format, value);
      expect(new RegExp(`^(?:${source})$`, /\\[@ ]/.test(source) ? '' : 'u').test(value)).toBe(true);
    }
    if (size > 1000) counted(format, undefined, 50);
    else enumerated(format);
  });

  it('a value is the whole text', () => {
    const format = regex('[a-z]{3,4}');
    for (const value of ['', 'ab', 'abcde', 'abc\n', '\nabc', ' abc', 'aBc', 'ab1', 'ABC', 'ａｂｃ', ...JUNK]) {
      if (!/^[a-z]{3,4}$/.test(value) || value.endsWith('\n')) refusal(format, value);
    }
  });

  it('says where a value stops to fit, and nothing of it', () => {
    const format = regex('[A-Z]{2}[0-9]{4}(-[0-9]{3})?');
    expect(refusal(format, 'AB12Q4').message).toBe('character 5 does not fit the regular expression');
    expect(refusal(format, 'AB1234X').message).toBe('character 7 does not fit the regular expression');
    expect(refusal(format, 'AB1234-99').message).toBe(
      'the value ends too early for the regular expression, after 9 characters',
    );
    expect(refusal(format, '').message).toBe('the value ends too early for the regular expression, after 0 characters');
    expect(refusal(format, 'AB1234-9999').message).toBe('character 11 does not fit the regular expression');
    expect(refusal(format, 'A'.repeat(100)).message).toBe('the value is too long: expected at most 10 characters');
    expect(refusal(format, '\u{1f600}'.repeat(7)).issues[0]).toMatchObject({ actual: 1 });
    for (const half of ['AB12\ud83d4', '\udc00', 'AB1234\ud83d']) expect(format.test(half)).toBe(false);
  });

  it('is plain data, and a RegExp gives its source', () => {
    plainData(regex('[a-z]{6}'), { type: 'regex', regex: '[a-z]{6}' });
    expect(JSON.stringify(regex(/^[a-z]\/{6}$/u))).toBe('{"type":"regex","regex":"^[a-z]\\\\/{6}$"}');
    expect(regex(/[a-c]/).size).toBe(3n);
    expect(regex(/[\u{1f600}-\u{1f602}]/u).size).toBe(3n);
    expect(regex(/[ -~]/).size).toBe(95n);
    for (const flags of ['i', 'm', 's', 'g', 'y', 'd', 'iu', 'v']) {
      expect(messageOf(() => regex(new RegExp('[a-c]', flags)))).toBe('"regex" expected no flags but "u"');
    }
    for (const source of ['[\u{1f600}-a]', 'a\u{1f600}|b', '\\u{61}|b']) {
      let expression: RegExp;
      try {
        expression = new RegExp(source);
      } catch {
        continue;
      }
      expect(messageOf(() => regex(expression))).toMatch(/^"regex" expected the flag "u", because of /);
    }
  });

  it('the index is a number up to 2^53 values and a bigint beyond', () => {
    for (const [source, size] of [
      ['[01]{0,52}', 2n ** 53n - 1n],
      ['[01]{53}', 2n ** 53n],
      ['[01]{0,52}|2', 2n ** 53n],
      ['[01]{0,52}|[23]', 2n ** 53n + 1n],
      ['[01]{53}|', 2n ** 53n + 1n],
      ['[01]{1,53}', 2n ** 54n - 2n],
      ['[01]{54}', 2n ** 54n],
    ] as const) {
      const format = regex(source);
      expect(format.size).toBe(size);
      expect(typeof engineOf(format).sample.index).toBe(size <= 2n ** 53n ? 'number' : 'bigint');
      counted(format, undefined, 200);
    }
  });

  it('knows which characters stand where', () => {
    for (const source of ['[A-C]{1,2}[0-3]{1,2}(-x)?', 'a|bc|bde', '(a|)(b|)(c|\u{1f600})']) {
      outlined(regex(source), enumerated(regex(source)));
    }
    const { outline } = engineOf(regex('[A-C]{1,2}[0-9](-|é)?'));
    expect([0, 1, 2, 3, 4, 1000].map(outline.at)).toEqual(['ABC', '0123456789ABC', '-0123456789é', '-é', '', '']);
    expect(engineOf(regex('a?[\\u{10000}-\\u{10fff}]')).outline.at(0)).toBe(null);
    expect(engineOf(regex('a?[\\u{10000}-\\u{10fff}]')).outline.at(1)?.length).toBe(2 * 4096);
    expect(engineOf(regex('[\\0-\\u{10ffff}]'.replace('\\0', '\\x00'))).outline.at(0)).toBe(null);
    expect(engineOf(regex('([a-z]?){256}')).outline.at(255)).toBe('abcdefghijklmnopqrstuvwxyz');
  });
});

describe('against the literal reference', () => {
  const seed = fc.nat(2 ** 31).map(example);

  it('the language, its order and its canonical text are those of the sets', () => {
    fc.assert(
      fc.property(seed, (made) => {
        fc.pre(made !== null);
        const { source, texts } = made;
        const language = compile(source);
        expect(language.size).toBe(BigInt(texts.length));
        expect(language.shortest).toBe([...texts[0]!].length);
        expect(language.longest).toBe([...texts.at(-1)!].length);
        expect(texts.map((_, index) => language.unrank(index))).toEqual(texts);
        expect(texts.map((text) => language.rank(text))).toEqual(texts.map((_, index) => index));
        if (texts.length < 2000) expect(language.canonical).toBe(canonicalOf(texts));
      }),
      { numRuns: 800 },
    );
  });

  it('takes the texts that RegExp takes, and no others', () => {
    fc.assert(
      fc.property(seed, (made) => {
        fc.pre(made !== null);
        const { source, texts, name } = made;
        const { rank } = compile(source);
        const expression = new RegExp(`^(?:${source})$`, 'u');
        const { below } = random(`${name} texts`);
        const character = () => String.fromCodePoint(ALPHABET[below(ALPHABET.length)]!);
        let refused = 0;
        for (let i = 0; i < 60; i++) {
          const text = [...texts[below(texts.length)]!];
          for (let changes = below(4); changes > 0; changes--) {
            const place = below(text.length + 1);
            text.splice(place, below(3), ...Array.from({ length: below(3) }, character));
          }
          const value = text.join('');
          const accepted = expression.test(value);
          if (!accepted) refused++;
          expect(rank(value) !== null).toBe(accepted);
        }
        expect(refused).toBeLessThan(60);
      }),
      { numRuns: 800 },
    );
  });

  it('two expressions of one language are one format', () => {
    fc.assert(
      fc.property(seed, (made) => {
        fc.pre(made !== null && made.texts.length <= 60);
        const { source, texts } = made;
        // The list of all values, in a pseudo-random order, every character escaped.
        const list = [...texts]
          .sort((a, b) => compareTexts([...a].reverse().join(''), [...b].reverse().join('')))
          .map((text) => [...text].map((each) => `\\u{${each.codePointAt(0)!.toString(16)}}`).join(''))
          .join('|');
        fc.pre(list.length <= 4096);
        expect(engineOf(regex(list)).descriptor).toEqual(engineOf(regex(source)).descriptor);
      }),
      { numRuns: 300 },
    );
    for (const same of [
      ['(a|b){2}', '[ab][ab]', 'aa|ab|ba|bb', '^[a-b]{2,2}$', 'a(a|b)|b(b|a)'],
      ['a{0,3}', '(a?){3}', '(a(a(a)?)?)?', '|a|aa|aaa', '(a{0,2})(a{0,1})'],
      ['(ab|cb){1,2}', '[ac]b([ac]b)?', '(?:(?:a|c)b){2}|ab|cb'],
      ['\\d', '[0-9]', '[0-45-9]', '[0-5]|[3-9]', '\\x30|[1-9]'],
    ]) {
      expect(new Set(same.map((source) => engineOf(regex(source)).descriptor[1])).size).toBe(1);
    }
    const others = ['a', 'b', 'a?', 'aa', 'ab', 'a|b', 'ab?'].map((end) => engineOf(regex(`[xy]${end}`)).descriptor[1]);
    expect(new Set(others).size).toBe(7);
  });

  it('large languages have the ranks that are counted along the canonical text', () => {
    for (const source of [
      '[A-Z]{1,2}[0-9]{6,7}',
      '[a-z]{40}',
      '([a-y]|z[0-9]){1,40}',
      '[acegikmoqsuwy]{1,60}(-[acx])?',
      '[a-z0-9._%-]{1,20}@[a-z0-9.-]{1,23}\\.[a-z]{2,6}',
      '(a?b?c?){30}',
      '([0-9]{1,3}\\.){3}[0-9]{1,3}',
      '((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])',
      '(00|[a-z]{3}|\u{1f600}){1,30}x{0,9}',
      '[ -~]{1,100}',
    ]) {
      const language = compile(source);
      const slow = countedFrom(language.canonical);
      expect(language.size).toBe(slow.size);
      const next = random(source);
      let before: { index: bigint; text: string } | null = null;
      const indices = Array.from({ length: 40 }, () => BigInt(`0x${next.bytes(100).toString('hex')}`) % slow.size);
      for (const index of indices.concat(0n, slow.size - 1n, slow.size / 2n)) {
        const text = slow.unrank(index);
        expect(language.unrank(slow.size <= 2n ** 53n ? Number(index) : index)).toBe(text);
        expect(BigInt(language.rank(text)!)).toBe(index);
        expect(slow.rank(text)).toBe(index);
        if (before !== null) expect(compareTexts(text, before.text) > 0).toBe(index > before.index);
        before = { index, text };
      }
    }
  });

  it('an accumulated digest over pseudo-random expressions is pinned', () => {
    const fast = createHash('sha256');
    const slow = createHash('sha256');
    let languages = 0;
    for (let seed = 0; languages < 400; seed++) {
      const made = example(seed);
      if (made === null || made.texts.length > 1500) continue;
      languages++;
      const { source, texts } = made;
      const { canonical, size, unrank } = compile(source);
      fast.update(`${canonical}\n${size}\n${texts.map((_, index) => unrank(index)).join('\n')}\n`);
      slow.update(`${canonicalOf(texts)}\n${texts.length}\n${texts.join('\n')}\n`);
    }
    const digest = fast.digest('hex');
    expect(digest).toBe(slow.digest('hex'));
    expect(digest).toBe('a95e7f0f8870e4c1fdc2bb036de21e1fafb25c595855c0f15a1e073440de1ba3');
  });
});

describe('the canonical text', () => {
  it.each([
    ['[A-Z]\\d?', '41-5a>1;+30-39>2;+'],
    ['[ab]', '61-62>1;+'],
    ['a?', '+61>1;+'],
    ['[acx]|b1', '61>1,62>2,63>1,78>1;+;31>1'],
    ['[\\ud7ff-\\ue000]', 'd7ff>1,e000>1;+'],
    ['\u{1f600}|\u{10ffff}', '1f600>1,10ffff>1;+'],
    ['(ab|cd)[01]', '61>1,63>2;62>3;64>3;30-31>4;+'],
  ])('%s is %s', (source, text) => {
    expect(engineOf(regex(source)).descriptor).toEqual(['regex@1', text]);
  });
});

describe('the vectors of the specification', () => {
  it.each([
    [
      '[A-Z]{1,2}[0-9]{6,7}',
      '41-5a>1;30-39>2,41-5a>3;30-39>4;30-39>2;30-39>5;30-39>6;30-39>7;30-39>8;+30-39>9;+',
      {
        A000000: 0n,
        K013377: 10_013_377n,
        Z999999: 25_999_999n,
        A0000000: 26_000_000n,
        AA000000: 36_000_000n,
        K0133770: 386_133_770n,
        ZZ9999999: 7_721_999_999n,
      },
    ],
    [
      '(25[0-5]|[1-9]?[0-9])-\\d{3}[a-f]?',
      '30>1,31>2,32>3,33-39>2;2d>4;2d>4,30-39>1;2d>4,30-34>1,35>5,36-39>1;30-39>6;' +
        '2d>4,30-35>1;30-39>7;30-39>8;+61-66>9;+',
      { '0-000': 0n, '7-123b': 112_739n, '250-999f': 711_999n },
    ],
    ['[A-Za-z0-9]{8,20}', null, { Trefoil2024: 25_919_082_861_092_862_176n }],
  ])('%s', (source, canonical, indices) => {
    const format = regex(source);
    if (canonical !== null) expect(engineOf(format).descriptor).toEqual(['regex@1', canonical]);
    for (const [value, index] of Object.entries(indices)) {
      expect(format.rank(value)).toBe(index);
      expect(format.unrank(index)).toBe(value);
      expect(countedFrom(engineOf(format).descriptor[1]!).rank(value)).toBe(index);
    }
  });
});

describe('what it refuses', () => {
  it.each<[string, number, RegExp]>([
    ['a*', 2, /"\*" has no bound: write \{0,n\}$/],
    ['a+', 2, /"\+" has no bound: write \{1,n\}$/],
    ['(ab)+', 5, /"\+" has no bound/],
    ['a{2,}', 2, /without an upper bound: write \{n,m\}$/],
    ['a{,3}', 2, /expected \{n\} or \{n,m\}/],
    ['a{2, 3}', 2, /expected \{n\} or \{n,m\}/],
    ['a{x}', 2, /expected \{n\} or \{n,m\}/],
    ['a{2', 2, /expected \{n\} or \{n,m\}/],
    ['a{', 2, /expected \{n\} or \{n,m\}/],
    ['a{3,2}', 2, /out of order: 3 is more than 2$/],
    ['a{257}', 2, /a bound is more than 256$/],
    [`a{${'9'.repeat(400)}}`, 2, /a bound is more than 256$/],
    ['a??', 3, /lazy quantifier/],
    ['a{2}?', 5, /lazy quantifier/],
    ['a?+', 3, /possessive quantifier/],
    ['a{2}{3}', 5, /two quantifiers/],
    ['a?*', 3, /two quantifiers/],
    ['*a', 1, /repeats nothing/],
    ['a|?b', 3, /repeats nothing/],
    ['(+)', 2, /repeats nothing/],
    ['^{2}', 2, /repeats nothing/],
    ['{2}', 1, /repeats nothing/],
    ['a.b', 2, /"\." is any character of Unicode/],
    ['[^a]', 1, /a negated class/],
    ['\\D', 1, /a negated class/],
    ['\\W', 1, /a negated class/],
    ['[\\S]', 2, /a negated class/],
    ['\\s', 1, /white space of many kinds/],
    ['[\\p{L}]', 2, /Unicode property/],
    ['\\P{L}', 1, /Unicode property/],
    ['\\bab', 1, /word boundary/],
    ['a\\B', 2, /word boundary/],
    ['[\\b]', 2, /word boundary/],
    ['(a)\\1', 4, /back-reference/],
    ['(?<x>a)', 1, /a named group/],
    ['(?P<x>a)', 1, /a named group/],
    ['(a)\\k<x>', 4, /back-reference/],
    ['(?=a)b', 1, /look-ahead/],
    ['(?!a)b', 1, /look-ahead/],
    ['(?<=a)b', 1, /look-behind/],
    ['(?<!a)b', 1, /look-behind/],
    ['(?>a)', 1, /atomic group/],
    ['(?i:a)', 1, /a group with an option/],
    ['(?#a)', 1, /a group with an option/],
    ['(?', 1, /a group with an option/],
    ['a^b', 2, /"\^" is allowed only at the ends/],
    ['a$b', 2, /"\$" is allowed only at the ends/],
    ['(^a)', 2, /"\^" is allowed only at the ends/],
    ['(a$)', 3, /"\$" is allowed only at the ends/],
    ['^^a', 2, /"\^" is allowed only at the ends/],
    ['a$$', 2, /"\$" is allowed only at the ends/],
    ['(a', 1, /"\(" is never closed/],
    ['((a)', 1, /"\(" is never closed/],
    ['a)', 2, /"\)" closes no group/],
    ['(a))', 4, /"\)" closes no group/],
    ['[a', 1, /"\[" is never closed/],
    ['[a-', 1, /"\[" is never closed/],
    ['[]', 1, /an empty class/],
    ['[]a]', 1, /an empty class/],
    ['a]', 2, /"\]" closes nothing/],
    ['a}', 2, /"\}" closes nothing/],
    ['[b-a]', 2, /out of order/],
    ['[a-\\d]', 2, /a range from or to a class/],
    ['[\\w-z]', 2, /a range from or to a class/],
    ['[a-c-e]', 5, /"-" between ranges/],
    ['[--/]', 3, /"-" between ranges/],
    ['[+--]', 4, /"-" as the end of a range/],
    ['[[a]', 2, /"\[" in a class/],
    ['[[:alpha:]]', 2, /"\[" in a class/],
    ['[a&&b]', 3, /"&&" in a class/],
    ['\\', 1, /has nothing to escape/],
    ['[\\', 2, /has nothing to escape/],
    ['\\q', 1, /an unknown escape/],
    ['\\é', 1, /an unknown escape/],
    ['\\\u{1f600}', 1, /an unknown escape/],
    ['\\0', 1, /octal/],
    ['\\cA', 1, /control character/],
    ['\\x4', 1, /two hexadecimal/],
    ['\\xg0', 1, /two hexadecimal/],
    ['\\u004', 1, /four hexadecimal/],
    ['\\u{}', 1, /one to six hexadecimal/],
    ['\\u{61', 1, /one to six hexadecimal/],
    ['\\u{0000061}', 1, /one to six hexadecimal/],
    ['\\u{110000}', 1, /a number above the last code point/],
    ['\\ud83d\\ude00', 1, /half of a surrogate pair/],
    ['[\\u{dfff}]', 2, /half of a surrogate pair/],
    ['[a-z]{257}', 6, /a bound is more than 256$/],
    ['[a-z]{200}[a-z]{57}', 1, /the longest value would have 257 characters, expected at most 256$/],
    ['([a-z]{16}){17}', 12, /the longest value would have 272 characters/],
    [`${'('.repeat(65)}a|b${')'.repeat(65)}`, 65, /groups nest more than 64 deep$/],
    ['a\u{1f600}*', 3, /"\*" has no bound/],
  ])('%.40s', (source, place, why) => {
    const message = messageOf(() => regex(source));
    expect(message).toMatch(why);
    expect(message.startsWith(`"regex" at character ${place}: `)).toBe(true);
    expect(message.length).toBeLessThan(200);
  });

  it.each([
    ['', 'has only one value, so nothing would be enciphered'],
    ['a', 'has only one value, so nothing would be enciphered'],
    ['^$', 'has only one value, so nothing would be enciphered'],
    ['(abc){3}|abcabcabc', 'has only one value, so nothing would be enciphered'],
    ['a\ud83d|b', 'expected text without halves of surrogate pairs'],
    [`[ab]${'c'.repeat(4096)}`, 'expected at most 4096 characters, got 4100'],
    ['[\\u{10000}-\\u{10ffff}]{205}', 'has more than 2^4096 values: allow only shorter ones'],
  ])('%.40j', (source, why) => {
    expect(messageOf(() => regex(source))).toBe(`"regex" ${why}`);
  });

  it('what JavaScript refuses is refused, too', () => {
    const { below } = random('junk expressions');
    const pieces = [...'ab1-^$|?*+(){}[]\\.,:=!<>xudw0{}', '{2}', '{1,2}', '\\d', '[a-c]', '(?:', '(', ')', '|'];
    let taken = 0;
    for (let i = 0; i < 30_000; i++) {
      const source = Array.from({ length: 1 + below(7) }, () => pieces[below(pieces.length)]).join('');
      let language: ReturnType<typeof compile>;
      try {
        language = compile(source);
      } catch (error) {
        if (!isArgumentError(error)) throw error;
        continue;
      }
      taken++;
      // What is taken is valid, and means the same; only `\-` and its like are beyond the flag `u`.
      const expression = new RegExp(`^(?:${source})$`, /\\[-,:=!<>]/.test(source) ? '' : 'u');
      for (const index of [0n, language.size / 2n, language.size - 1n]) {
        expect(expression.test(language.unrank(Number(index)))).toBe(true);
      }
    }
    expect(taken).toBeGreaterThan(1500);
  });
});

describe('limits', () => {
  const signs = Array.from({ length: 1300 }, (_, i) => String.fromCharCode(0x4e00 + 2 * i)).join('');

  it.each([
    ['the n-th letter from the end', '(a|b){0,20}a(a|b){20}', /too large|states/],
    ['the same of twelve lengths', Array.from({ length: 12 }, (_, i) => `[ab]{${i}}a[ab]{20}`).join('|'), /states/],
    ['nested repetition of it', '((a|b){0,20}a(a|b){20}|c){1,6}', /too large/],
    ['4,000 empty alternatives, 256 times', `(${'|'.repeat(4000)}a){256}`, /too large/],
    ['1,300 ranges, 256 times', `[${signs}]{1,256}`, /too large/],
    ['600 words, 80 times', `(${signs.slice(0, 1200).replace(/../g, '$&|')}a){1,80}`, /too large/],
    ['too many ranges', `[${signs.slice(0, 400)}]{256}`, /ranges, expected at most 65536$/],
    ['too many counts', '[ab]{0,200}a[ab]{3}', /counts, expected at most 262144/],
  ])('%s', (_, source, why) => {
    expect(messageOf(() => regex(source))).toMatch(why);
  });

  it.each([
    ['mixed case', '[A-Za-z0-9]{1,64}'],
    ['one length', '[a-z]{256}'],
    ['many lengths', '[a-z]{1,256}'],
    ['optional letters', '([a-z]?){256}'],
    ['nested repetitions', '((((a?){4}){4}){4}){4}'],
    ['the 11th letter from the end', '(a|b){0,10}a(a|b){10}'],
    ['optional letters in a row', '(a?b?c?d?){60}'],
    ['64 groups', `${'('.repeat(64)}[ab]${')?'.repeat(64)}`],
    ['many ranges', `[${signs.slice(0, 200)}]{200}`],
    ['600 times the same', `(${'[a-z]|'.repeat(600)}\\d){1,256}`],
    ['an address', '[a-z0-9._%-]{1,64}@[a-z0-9.-]{1,63}\\.[a-z]{2,6}'],
  ])('takes %s', (_, source) => {
    const format = regex(source);
    const last = format.unrank(format.size - 1n);
    expect(format.rank(last)).toBe(format.size - 1n);
    expect(new RegExp(`^(?:${source})$`, 'u').test(format.unrank(0))).toBe(true);
  });
});

describe('hostile values', () => {
  it('as an expression', () => {
    for (const [name, value] of hostileValues()) {
      try {
        regex(value as string);
        expect(name).toMatch(/text|JSON/);
      } catch (error) {
        if (error instanceof HostileError) continue;
        expect(error, name).toSatisfy((each) => each instanceof TypeError || each instanceof RangeError);
        expect((error as Error).message, name).not.toContain(MARKER);
      }
    }
  });

  it('as a value', () => {
    const format = regex('[A-Z]{1,2}[0-9]{6,7}');
    for (const [name, value] of hostileValues()) {
      expect(format.test(value as string), name).toBe(false);
      try {
        format.rank(value as string);
        expect.unreachable(name);
      } catch (error) {
        expect((error as Error).message, name).not.toContain(MARKER);
      }
    }
  });
});

describe('under fpe', () => {
  it.each(['[A-Z]{1,2}[0-9]{6,7}', '(ab|[c-z]){6}\\d{0,3}', '[A-Za-z0-9]{8,20}'])(
    '%s goes and comes back',
    (source) => {
      const format = regex(source);
      const keys = keyset.parse(keysetJson(testRoot('regex')));
      const { keyCheck } = keys.domain('eu');
      const bound = fpe({ scope: 'passport', format }).bind(keys.domain('eu', { keyCheck }), revealAccess);
      const values = Array.from({ length: 50 }, (_, i) => format.unrank((format.size * BigInt(i)) / 50n));
      const outputs = values.map((value) => bound.protect(value));
      for (const output of outputs) expect(format.test(output)).toBe(true);
      expect(new Set(outputs).size).toBe(50);
      expect(bound.protectMany(values)).toEqual(outputs);
      expect(bound.revealMany(outputs)).toEqual(values);
    },
  );
});
