/**
 * Regular expressions: the values are all texts that a bounded expression matches as a whole, and they are one space
 * (docs/spec/fpe-v1.md, "Regular expressions").
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail } from '../errors.ts';
import { asIndex, type Format, makeFormat, type Parts } from './engine.ts';
import { compile } from './language/compile.ts';

/** The format that {@link regex} makes. */
export interface RegexFormat extends Format {
  readonly type: 'regex';
  readonly regex: string;
}

const NOTHING: Parts = { shape: '', clear: '', layout: null };

/**
 * All texts that a bounded regular expression matches as a whole; each becomes another one of them.
 *
 * Taken are literals, classes such as `[A-F0-9_-]`, `\d` (0–9), `\w` (A–Z, a–z, 0–9, `_`), groups, `|`, `?`, `{n}`,
 * `{n,m}`, and `^` and `$` at the ends. What is taken means what it means in JavaScript with the flag `u`. There is no
 * `*`, `+` or `{n,}` (no longest value), no `.`, `[^…]`, `\s` or `\p` (most of Unicode), no look-around, no
 * back-reference.
 *
 * All values are one space, in the order of length and then of code points: the length may change, and a value that
 * matches one alternative may become one that matches another. Outputs are spread evenly over all values: of
 * `[A-Z]{1,2}[0-9]{6,7}`, seven in eight have two letters and seven digits. Two expressions of the same values are the
 * same format: `(a|b){2}` and `[ab][ab]` have the same outputs.
 *
 * *Warning*: one value more in the expression is another format, and changes every output.
 *
 * @param source The expression of at most 4,096 characters, or a RegExp without flags or with `u`. Values have at most
 * 256 code points; the minimal automaton has at most 4,096 states.
 * @throws TypeError, RangeError for an expression that is not taken, naming the place; for one that is too large; for
 * one with a single value.
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
      fail('outside_format', `expected at most ${longest} characters`, { maximum: longest });
    const fitting = language.reach(value);
    if (fitting === [...value].length) {
      fail('outside_format', `ends too early for the regular expression, after ${fitting} characters`, {
        actual: fitting,
      });
    }
    fail('outside_format', `character ${fitting + 1} does not fit the regular expression`, { actual: fitting + 1 });
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
      sample: { ...NOTHING, size, index: typeof size === 'number' ? 0 : 0n },
      split(value) {
        const index = language.rank(value);
        if (index === null) refuse(value);
        return { shape: '', clear: '', layout: null, size, index };
      },
      assemble: (_, index) => language.unrank(index),
    },
  ) as RegexFormat;
}

/** Without the flag `u`, `\u{61}` and characters beyond U+FFFF mean something else in JavaScript than here. */
function sourceOf(source: unknown): string {
  if (typeof source === 'string') return source;
  if (!(source instanceof RegExp)) badType('regex', `expected text or a RegExp, got ${typeName(source)}`);
  const { flags, source: expression } = source;
  if (flags !== '' && flags !== 'u') badRange('regex', 'expected no flags but "u"');
  if (flags === '' && /\\u\{|[\ud800-\udfff]/.test(expression)) {
    badRange('regex', 'expected the flag "u" for \\u{…} and for characters beyond U+FFFF');
  }
  return expression;
}
