/**
 * Text whose letters keep their case and script: every letter and digit becomes a character of its own class, and
 * everything else stays where it is. The classes below belong to `caseKept@1` and never change.
 */

import { checkInteger, checkOptions } from '../core/checks.ts';
import { given } from '../core/given.ts';
import { fail } from '../errors.ts';
import { type Format, type Index, type IndexParts, makeFormat } from './engine.ts';
import { MAX_FORMAT_LENGTH } from './lengths.ts';

/** The format that {@link caseKept} makes. */
export interface CaseKeptFormat extends Format {
  readonly type: 'caseKept';
  readonly minSize?: number;
}

/** Options of {@link caseKept}. */
export interface CaseKeptOptions {
  /** Refuse values whose form has fewer possibilities than this: 10 to 1,000,000; 1,000,000 by default. */
  readonly minSize?: number;
}

interface Class {
  /** The character that denotes the class in a shape. */
  readonly symbol: string;
  /** Ordered by code point. */
  readonly letters: string;
}

// Every letter is one UTF-16 code unit, one code point, in NFC, and has the case of its class. No letter composes with
// another one, so the output is in NFC and has the length of the value. Alphabets that are often used alone have
// classes of their own: ASCII stays ASCII, ISO 8859-1 stays ISO 8859-1, Russian stays Russian.
const CLASSES: readonly Class[] = [
  { symbol: '9', letters: '0123456789' },
  { symbol: 'A', letters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' },
  { symbol: 'a', letters: 'abcdefghijklmnopqrstuvwxyz' },
  { symbol: 'E', letters: 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞ' },
  { symbol: 'e', letters: 'ßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ' },
  // Latin Extended-A without the letters that NFKC decomposes (ĳ, ŀ, ŉ, ſ), with letters of Azerbaijani and Romanian
  // and the capital sharp s.
  {
    symbol: 'L',
    letters: 'ĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽƏȘȚẞ',
  },
  {
    symbol: 'l',
    letters: 'āăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĵķĸĺļľłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżžșțə',
  },
  { symbol: 'V', letters: 'ƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ' },
  { symbol: 'v', letters: 'ơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ' },
  { symbol: 'G', letters: 'ΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫ' },
  { symbol: 'g', letters: 'ΐάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ' },
  { symbol: 'R', letters: 'ЁАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ' },
  { symbol: 'r', letters: 'абвгдежзийклмнопрстуфхцчшщъыьэюяё' },
  { symbol: 'C', letters: 'ЀЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҖҚҢҮҰҲҶҺӘӢӨӮ' },
  { symbol: 'c', letters: 'ѐђѓєѕіїјљњћќѝўџґғҗқңүұҳҷһәӣөӯ' },
];

/**
 * Characters that stay in clear: printable ASCII except letters and digits, the no-break space, the middle dot of
 * Catalan, the apostrophes U+02BC, U+2018 and U+2019, the hyphens U+2010 and U+2011 and the en dash. A character that
 * is neither here nor in a class is refused, because a letter without a class would be left in the output as it is.
 */
const CLEAR = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' + '\u00a0\u00b7\u02bc\u2010\u2011\u2013\u2018\u2019';

/** Marks an enciphered character in the clear part. It is a letter, so it is never a clear character itself. */
const HOLE = 'x';
const HOLE_CODE = 0x78;

/** The default of `minSize`. With fewer values than this, anyone who may protect can list them all. */
const FLOOR = 1_000_000;

const LARGEST: number = /* @__PURE__ */ CLASSES.reduce((most, { letters }) => Math.max(most, letters.length), 0);

/** Size of the tables: the last letter of a class is at U+1EF9, the last clear character at U+2019. */
const CODES = 0x2020;
const NONE = 255;
const IN_CLEAR = 254;

interface Tables {
  /** By code unit: the number of its class, `IN_CLEAR` or `NONE`. */
  readonly classOf: Uint8Array;
  /** By code unit: its place in its class. */
  readonly numeralOf: Uint8Array;
  /** By code unit of a symbol: the class. */
  readonly ofSymbol: readonly Class[];
}

// Code units of the text that is being written. Strings that grow by one character at a time took twice as long for
// 24 letters (measured).
const SHAPE_CODES: Uint16Array = /* @__PURE__ */ new Uint16Array(MAX_FORMAT_LENGTH);
const CLEAR_CODES: Uint16Array = /* @__PURE__ */ new Uint16Array(MAX_FORMAT_LENGTH);

const TABLES: Tables = /* @__PURE__ */ makeTables();

function makeTables(): Tables {
  const classOf = new Uint8Array(CODES).fill(NONE);
  const numeralOf = new Uint8Array(CODES);
  const ofSymbol: Class[] = [];
  for (let i = 0; i < CLEAR.length; i++) classOf[CLEAR.charCodeAt(i)] = IN_CLEAR;
  for (const [number, each] of CLASSES.entries()) {
    ofSymbol[each.symbol.charCodeAt(0)] = each;
    for (let i = 0; i < each.letters.length; i++) {
      classOf[each.letters.charCodeAt(i)] = number;
      numeralOf[each.letters.charCodeAt(i)] = i;
    }
  }
  return { classOf, numeralOf, ofSymbol };
}

/**
 * Words that keep their form: `Ada Lovelace` becomes other letters in the form `Xxx Xxxxxxxx`.
 *
 * Every letter is replaced by a letter of its own class, and every digit by a digit. The classes, each in upper and
 * lower case, are A–Z, the other letters of ISO 8859-1, other Latin letters, the letters of Vietnamese, Greek, Russian,
 * and other Cyrillic letters (docs/spec/fpe-v1.md has the table). ASCII punctuation, spaces, apostrophes and dashes
 * stay as they are. All other characters are refused, including combining marks: normalise to NFC first. All letters of
 * a value form one space, so if one letter changes, all of them change. A value has at most 256 characters.
 *
 * The form of a value must have 1,000,000 possibilities, which are five letters or six digits. `minSize` lowers this,
 * down to 10, and with it the smallest space of the format; it changes no output. `Bo` has 676 possibilities.
 *
 * *Warning*: the form is public: lengths of words, case, scripts, which letters have accents, punctuation. A long or
 * unusual name may be recognised by its form alone. The output is random letters, so it can spell a word. If you do not
 * need the form, take `token` or `seal`.
 *
 * @throws TypeError or RangeError if an option does not fit.
 *
 * @example
 * ```ts
 * import { caseKept } from 'trefoil/format';
 *
 * const name = caseKept();
 * name.test('Zoë O’Brien-Łukasz'); // → true
 * name.unrank(0, 'Ada Lovelace'); // → 'Aaa Aaaaaaaa'
 * name.test('Anna'); // → false
 * caseKept({ minSize: 400_000 }).test('Anna'); // → true
 * ```
 */
export function caseKept(options: CaseKeptOptions = {}): CaseKeptFormat {
  const { minSize } = checkOptions('options', options, ['minSize']);
  const least = minSize === undefined ? FLOOR : checkInteger('minSize', minSize, 10, FLOOR);
  const sample = leastShape(least);
  const sizes = sample.classes.map(({ letters }) => letters.length);
  const characters = CLASSES.map(({ letters }) => letters).join('') + CLEAR;
  let shortest = 0;
  for (let size = 1; size < least; size *= LARGEST) shortest++;

  return makeFormat(
    { type: 'caseKept', ...given({ minSize }) },
    {
      kind: 'index',
      descriptor: ['caseKept@1'],
      smallest: {
        size: BigInt(sample.size),
        because: `the smallest form of at least ${least} values: ${sizes.join(' × ')}`,
      },
      hasClear: true,
      steady: true,
      visible: 'the lengths, the case and script of every letter, and every character that is not a letter or digit',
      outline: { min: shortest, max: MAX_FORMAT_LENGTH, at: () => characters },
      sample: {
        shape: sample.classes.map(({ symbol }) => symbol).join(''),
        clear: HOLE.repeat(sample.classes.length),
        layout: null,
        size: sample.size,
        index: 0,
      },
      split: (text) => splitLetters(text, least),
      assemble: assembleLetters,
    },
  ) as CaseKeptFormat;
}

/** Splits a value whose form has at least `least` possibilities. */
function splitLetters(text: string, least: number): IndexParts {
  const { classOf, numeralOf } = TABLES;
  if (text.length > MAX_FORMAT_LENGTH) {
    fail('outside_format', `the value is too long: expected at most ${MAX_FORMAT_LENGTH} characters`, {
      maximum: MAX_FORMAT_LENGTH,
    });
  }
  let filled = 0;
  // Mixed radix, most significant first. `low` is the number of the letters since the last move to `high`, `width` its
  // size. Both stay below 2^53.
  let low = 0;
  let width = 1;
  let high: bigint | null = null;
  let highWidth = 1n;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const number = code < CODES ? classOf[code]! : NONE;
    if (number === IN_CLEAR) {
      CLEAR_CODES[i] = code;
      continue;
    }
    if (number === NONE) refuseCharacter(code, i + 1);
    const { symbol, letters } = CLASSES[number]!;
    const radix = letters.length;
    SHAPE_CODES[filled++] = symbol.charCodeAt(0);
    CLEAR_CODES[i] = HOLE_CODE;
    if (width * radix > 2 ** 53) {
      const wide = BigInt(width);
      high = high === null ? BigInt(low) : high * wide + BigInt(low);
      highWidth *= wide;
      low = 0;
      width = 1;
    }
    low = low * radix + numeralOf[code]!;
    width *= radix;
  }
  const shape = textOf(SHAPE_CODES, filled);
  const clear = textOf(CLEAR_CODES, text.length);
  if (high === null) {
    if (width < least) refuseSmall(width, least);
    return { shape, clear, layout: null, size: width, index: low };
  }
  const wide = BigInt(width);
  return { shape, clear, layout: null, size: highWidth * wide, index: high * wide + BigInt(low) };
}

/** Writes the letters of an index into the places of the clear part. */
function assembleLetters({ shape, clear }: IndexParts, index: Index): string {
  writeLetters(shape, index);
  let next = 0;
  for (let i = 0; i < clear.length; i++) {
    const code = clear.charCodeAt(i);
    CLEAR_CODES[i] = code === HOLE_CODE ? SHAPE_CODES[next++]! : code;
  }
  return textOf(CLEAR_CODES, clear.length);
}

/** Writes the letters of an index into `SHAPE_CODES`, from the last to the first. */
function writeLetters(shape: string, index: Index): void {
  const { ofSymbol } = TABLES;
  let rest = index;
  let i = shape.length - 1;
  while (i >= 0) {
    // As many letters as fit in one number, so that the bigint is divided once for some eleven letters.
    let low: number;
    let from = 0;
    if (typeof rest === 'number') {
      low = rest;
    } else {
      let width = 1;
      from = i + 1;
      while (from > 0) {
        const radix = ofSymbol[shape.charCodeAt(from - 1)]!.letters.length;
        if (width * radix > 2 ** 53) break;
        width *= radix;
        from--;
      }
      if (from === 0) {
        low = Number(rest);
      } else {
        const wide = BigInt(width);
        low = Number(rest % wide);
        rest /= wide;
      }
    }
    for (; i >= from; i--) {
      const { letters } = ofSymbol[shape.charCodeAt(i)]!;
      const next = Math.floor(low / letters.length);
      SHAPE_CODES[i] = letters.charCodeAt(low - next * letters.length);
      low = next;
    }
  }
}

function textOf(codes: Uint16Array, length: number): string {
  return String.fromCharCode.apply(null, codes.subarray(0, length) as unknown as number[]);
}

/** The smallest form that a value can have: the classes with the smallest product that is at least `minSize`. */
function leastShape(minSize: number): { readonly size: number; readonly classes: readonly Class[] } {
  // One class of each size, smallest first.
  const classes = [...new Map(CLASSES.map((each) => [each.letters.length, each])).values()].sort(
    (a, b) => a.letters.length - b.letters.length,
  );
  let best: { readonly size: number; readonly classes: readonly Class[] } = { size: Number.POSITIVE_INFINITY, classes };
  const extend = (size: number, from: number, chosen: readonly Class[]): void => {
    if (size >= minSize) {
      if (size < best.size) best = { size, classes: chosen };
      return;
    }
    for (let i = from; i < classes.length; i++) extend(size * classes[i]!.letters.length, i, [...chosen, classes[i]!]);
  };
  extend(1, 0, []);
  return best;
}

function refuseCharacter(code: number, place: number): never {
  // U+0300–U+036F, Combining Diacritical Marks.
  const why =
    code >= 0x300 && code <= 0x36f
      ? 'is a combining mark: normalise the value to NFC first'
      : 'is neither in a class of letters nor punctuation that stays in clear';
  fail('outside_format', `character ${place} ${why}`, { actual: place });
}

function refuseSmall(size: number, least: number): never {
  fail(
    'outside_format',
    `the form of the value has ${size} possibilities, expected at least ${least}: ` +
      'take token or seal for short values, or set a lower minSize',
    { minimum: least, actual: size },
  );
}
