/** Writes tags as the texts of tokens, one or a batch. What is the same in all tokens is written once. */

import { decodeAscii, GROUP } from '../core/ascii.ts';
import { checkedWriter } from './body-writers.ts';
import { CHECK_LENGTH } from './check-characters.ts';
import { type Form, formOf } from './token-forms.ts';

/** Writes tokens of one form, length and head. */
export interface TokenTexts {
  /** Returns the token of a tag of eight words. */
  readonly one: (tag: Int32Array) => string;
  /** Returns the body of that token. */
  readonly body: (tag: Int32Array) => string;
  /**
   * Writes the tokens of tags 0 to `count` - 1 into `out`: that of tag i at `rows[i]`. Word j of tag i is at
   * `tagAt(i) + j * step`.
   */
  readonly many: (
    tags: Int32Array,
    tagAt: (slot: number) => number,
    step: number,
    rows: Int32Array,
    count: number,
    out: unknown[],
  ) => void;
}

/**
 * Makes the writer.
 *
 * @param head For labelled tokens: the label with its `_`, if there is one, and the shown key id. Empty for other
 *   forms.
 */
export function tokenTexts(form: Form, length: number, head: string): TokenTexts {
  const write = form === 'labelled' ? checkedWriter(length, head) : formOf(form).writer(length);
  const width = head.length + length + (form === 'labelled' ? CHECK_LENGTH : 0);
  // A group of tokens is written one after another, decoded at once and cut. The heads are written here, once.
  const group = new Uint8Array(GROUP * width);
  for (let i = 0; i < group.length; i++) group[i] = i % width < head.length ? head.charCodeAt(i % width) : 0;
  const view = new DataView(group.buffer);

  return {
    one(tag) {
      write(tag, 0, 1, view, head.length);
      return decodeAscii(group, 0, width);
    },
    body(tag) {
      write(tag, 0, 1, view, head.length);
      return decodeAscii(group, head.length, head.length + length);
    },
    many(tags, tagAt, step, rows, count, out) {
      for (let first = 0; first < count; first += GROUP) {
        const size = Math.min(GROUP, count - first);
        for (let i = 0; i < size; i++) write(tags, tagAt(first + i), step, view, i * width + head.length);
        const text = decodeAscii(group, 0, size * width);
        for (let i = 0; i < size; i++) out[rows[first + i]!] = text.slice(i * width, (i + 1) * width);
      }
    },
  };
}
