/**
 * Cutting a text into the parts of a `seq`, in the one way that there is. The plan is made, and proven, once:
 *
 * 1. a part of one length is as long as that;
 * 2. a part of varying length with nothing but such parts behind it has what they leave;
 * 3. any other part of varying length ends before the first character of the next part, which it cannot have itself.
 */

import { badRange } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';
import { concatenated, type Known, never } from './outline.ts';

/** How long a part is. */
type Width =
  | { readonly by: 'length'; readonly length: number }
  | { readonly by: 'rest'; readonly behind: number }
  | { readonly by: 'stop'; readonly stop: ReadonlySet<string> };

/** How texts are cut. */
export interface Plan {
  /** What is known of the texts. */
  readonly whole: Known;
  /** Cuts a text into as many texts as there are parts. Throws `outside_format` where that cannot be done. */
  readonly cut: (text: string) => string[];
}

const SURROGATE = /[\ud800-\udfff]/;

/**
 * The limit of length is one on the parts that keep their length when they are enciphered: with one on the whole text, an
 * accepted value could become one that is too long to be read back.
 *
 * @param names what to call each part in a message.
 * @param elastic which parts may have another length when they are enciphered.
 * @param room most characters of all other parts together.
 * @throws RangeError for parts that could be cut in two ways.
 */
export function planCut(
  argument: string,
  outlines: readonly Known[],
  names: readonly string[],
  elastic: readonly boolean[],
  room: number,
): Plan {
  const steady = concatenated(outlines.filter((_, i) => !elastic[i]));
  if (steady.min > room) {
    const least = steady.min + MAX_FORMAT_LENGTH - room;
    badRange(argument, `expected parts that fit in ${MAX_FORMAT_LENGTH} characters, these have at least ${least}`);
  }
  const all = concatenated(outlines);
  const maximum = all.max - Math.max(0, steady.max - room);
  const whole = { ...all, max: maximum };
  const widths = outlines.map((outline, i): Width => {
    if (outline.min === outline.max) return { by: 'length', length: outline.min };
    const behind = outlines.slice(i + 1);
    const after = concatenated(behind);
    if (after.min === after.max) return { by: 'rest', behind: after.min };
    const next = behind[0]!;
    const stop = next.min === 0 ? null : next.at(0);
    if (stop !== null && never(outline, stop)) return { by: 'stop', stop: new Set(stop) };
    const other = i + 1 + behind.findIndex(({ min, max }) => min !== max);
    return badRange(
      argument,
      `${names[i]} and ${names[other]} both vary in length, and nothing shows where ${names[i]} ends; give one of ` +
        `them one length, or put a literal behind ${names[i]} that it cannot have in it`,
    );
  });

  function cut(text: string): string[] {
    const points = SURROGATE.test(text) ? [...text] : null;
    const length = points === null ? text.length : points.length;
    if (length < whole.min || length > maximum) {
      const range = whole.min === maximum ? `${maximum}` : `${whole.min} to ${maximum}`;
      fail('outside_format', `expected ${range} characters, got ${length}`, {
        minimum: whole.min,
        maximum,
        actual: length,
      });
    }
    const pieces = new Array<string>(widths.length);
    let from = 0;
    let kept = 0;
    for (let i = 0; i < widths.length; i++) {
      const width = widths[i]!;
      let to = from;
      if (width.by === 'length') to = from + width.length;
      else if (width.by === 'rest') to = length - width.behind;
      else while (to < length && !width.stop.has(points === null ? text[to]! : points[to]!)) to++;
      if (to < from || to > length) fail('outside_format', `the text ends before ${names[i]} does`);
      if (!elastic[i]) kept += to - from;
      pieces[i] = points === null ? text.slice(from, to) : points.slice(from, to).join('');
      from = to;
    }
    if (from !== length) fail('outside_format', `${length - from} characters stand behind ${names.at(-1)}`);
    if (kept > room) {
      fail('outside_format', `the parts that keep their length have at most ${room} characters, here ${kept}`, {
        maximum: room,
        actual: kept,
      });
    }
    return pieces;
  }

  return { whole, cut };
}
