/**
 * Regular expressions: the values are all texts that a bounded expression matches as a whole. They form one space
 * (docs/spec/fpe-v1.md, "Regular expressions").
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { asIndex, type Format, makeFormat, NO_PARTS } from './engine.ts';
import { compile } from './language/compile.ts';

/** The format that {@link regex} makes. */
export interface RegexFormat extends Format {
  readonly type: 'regex';
  readonly regex: string;
}

/**
 * All texts that a bounded regular expression matches as a whole. Each of them becomes another one.
 *
 * The expression may have literals, classes such as `[A-F0-9_-]`, `\d` (0–9), `\w` (A–Z, a–z, 0–9, `_`), groups, `|`,
 * `?`, `{n}`, `{n,m}`, and `^` and `$` at the ends, which mean what they mean in JavaScript with the flag `u`. It may
 * not have `*`, `+` or `{n,}`, because then there is no longest value; nor `.`, `[^…]`, `\s` or `\p`, which stand for
 * much of Unicode; nor look-around or back-references.
 *
 * All values form one space, ordered by length and then by code points. So the length may change, and a value that
 * matches one alternative may become a value that matches another. Outputs are spread evenly over all values: of
 * `[A-Z]{1,2}[0-9]{6,7}`, seven in eight have two letters and seven digits. Two expressions with the same values are
 * the same format: `(a|b){2}` and `[ab][ab]` have the same outputs.
 *
 * *Warning*: if one value is added to the expression, it is another format, and every output changes.
 *
 * @param source The expression, of at most 4,096 characters, or a RegExp without flags or with `u`. Values have at most
 * 256 code points; the minimal automaton has at most 4,096 states.
 * @throws TypeError or RangeError, which names the place, if the expression has a part that is not allowed; RangeError
 *   if it is too large or has a single value.
 *
 * @example
 * ```ts
 * import { regex } from 'trefoil/format';
 *
 * const passport = regex('[A-Z]{1,2}[0-9]{6,7}');
 * passport.test('K013377'); // → true
 * passport.test('K01337'); // → false
 * passport.size; // → 7722000000n
 * passport.rank('A000001'); // → 1n
 * ```
 */
export function regex(source: string | RegExp): RegexFormat {
  const expression = sourceOf(source);
  const language = compile(expression);
  const { shortest, longest } = language;
  const size = asIndex(language.size);
  const lengths = shortest === longest ? `${longest}` : `${shortest} to ${longest}`;

  function refuse(value: string): never {
    if (value.length > 2 * longest)
      fail('outside_format', `the value is too long: expected at most ${longest} characters`, { maximum: longest });
    const fitting = language.reach(value);
    if (fitting === [...value].length) {
      fail('outside_format', `the value ends too early for the regular expression, after ${fitting} characters`, {
        actual: fitting,
      });
    }
    fail('outside_format', `character ${fitting + 1} does not fit the regular expression`, {
      actual: fitting + 1,
    });
  }

  return makeFormat(
    { type: 'regex', regex: expression },
    {
      kind: 'index',
      descriptor: ['regex@1', language.canonical],
      smallest: { size: language.size, because: `all values of the regular expression, ${lengths} characters long` },
      hasClear: false,
      visible:
        shortest === longest
          ? 'what the regular expression fixes for every value'
          : 'what the regular expression fixes for every value; the length may change',
      outline: { min: shortest, max: longest, at: language.charactersAt },
      sample: { ...NO_PARTS, size, index: typeof size === 'number' ? 0 : 0n },
      split(value) {
        const index = language.rank(value);
        if (index === null) refuse(value);
        return { shape: '', clear: '', layout: null, size, index };
      },
      assemble: (_, index) => language.unrank(index),
    },
  ) as RegexFormat;
}

/** Refuses `\u{61}` and characters above U+FFFF without the flag `u`: JavaScript then reads them differently. */
function sourceOf(source: unknown): string {
  if (typeof source === 'string') return source;
  if (!(source instanceof RegExp)) badType('regex', `expected text or a RegExp, got ${typeName(source)}`);
  const { flags, source: expression } = source;
  if (flags !== '' && flags !== 'u') badRange('regex', 'expected no flags but "u"');
  if (flags === '' && /\\u\{|[\ud800-\udfff]/.test(expression)) {
    badRange('regex', 'expected the flag "u", because of \\u{…} or characters above U+FFFF');
  }
  return expression;
}
