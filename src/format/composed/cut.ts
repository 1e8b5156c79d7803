/**
 * Cuts a text into the parts of a `seq`. The plan is made once, and making it proves that there is only one way to cut:
 *
 * 1. a part whose values have one length has that length;
 * 2. a part of varying length that is followed only by such parts has the characters that they leave;
 * 3. any other part of varying length ends before the first character of the next part, which it cannot have itself.
 */

import { badRange } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { MAX_FORMAT_LENGTH } from '../lengths.ts';
import { concatenated, type Known, never } from './outline.ts';

/** How the length of a part is found. */
type Width =
  | { readonly by: 'length'; readonly length: number }
  | { readonly by: 'rest'; readonly after: number }
  | { readonly by: 'stop'; readonly stop: ReadonlySet<string> };

/** How texts are cut. */
export interface Plan {
  /** What is known of the texts. */
  readonly whole: Known;
  /** Cuts a text into one text for each part. @throws TrefoilError `outside_format` if it cannot be cut. */
  readonly cut: (text: string) => string[];
}

const SURROGATE = /[\ud800-\udfff]/;

/**
 * Makes the plan. The limit of length holds for the parts that keep their length when they are enciphered. A limit for
 * the whole text would not do: an accepted value could become one that is too long to be revealed.
 *
 * @param names the name of each part in messages.
 * @param elastic which parts may have another length when they are enciphered.
 * @param room the most characters of all other parts together.
 * @throws RangeError if there could be two ways to cut a text.
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
    badRange(argument, `expected parts of at most ${MAX_FORMAT_LENGTH} characters together, got at least ${least}`);
  }
  const all = concatenated(outlines);
  const maximum = all.max - Math.max(0, steady.max - room);
  const whole = { ...all, max: maximum };
  const widths = outlines.map((outline, i): Width => {
    if (outline.min === outline.max) return { by: 'length', length: outline.min };
    const following = outlines.slice(i + 1);
    const after = concatenated(following);
    if (after.min === after.max) return { by: 'rest', after: after.min };
    const next = following[0]!;
    const stop = next.min === 0 ? null : next.at(0);
    if (stop !== null && never(outline, stop)) return { by: 'stop', stop: new Set(stop) };
    const other = i + 1 + following.findIndex(({ min, max }) => min !== max);
    return badRange(
      argument,
      `${names[i]} and ${names[other]} both vary in length, and nothing shows where ${names[i]} ends: give one of ` +
        `them a fixed length, or add a literal after ${names[i]} whose first character it cannot have`,
    );
  });

  function cut(text: string): string[] {
    const points = SURROGATE.test(text) ? [...text] : null;
    const length = points === null ? text.length : points.length;
    if (length < whole.min || length > maximum) {
      const range = whole.min === maximum ? `${maximum}` : `${whole.min} to ${maximum}`;
      fail('outside_format', `the value has ${length} characters, expected ${range}`, {
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
      else if (width.by === 'rest') to = length - width.after;
      else while (to < length && !width.stop.has(points === null ? text[to]! : points[to]!)) to++;
      if (to < from || to > length) fail('outside_format', `the value ends before ${names[i]} does`);
      if (!elastic[i]) kept += to - from;
      pieces[i] = points === null ? text.slice(from, to) : points.slice(from, to).join('');
      from = to;
    }
    if (from !== length) fail('outside_format', `the value has ${length - from} characters after ${names.at(-1)}`);
    if (kept > room) {
      fail('outside_format', `the parts that keep their length have ${kept} characters, expected at most ${room}`, {
        maximum: room,
        actual: kept,
      });
    }
    return pieces;
  }

  return { whole, cut };
}
