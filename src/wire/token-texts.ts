/**
 * Tags to the texts of tokens, one or a batch, with what is the same for all of them written once.
 */

import { decodeAscii, GROUP } from '../core/ascii.ts';
import { CHECK_LENGTH } from './check-characters.ts';
import { checkedWriter, type Form, formOf } from './token-forms.ts';

/** Writes tokens. Word j of a tag is at `at + j * step`. */
export interface TokenTexts {
  /** The token of one tag of eight words. */
  readonly one: (tag: Int32Array) => string;
  /** The body alone. */
  readonly body: (tag: Int32Array) => string;
  /** The tokens of tags 0 to `count` - 1, which begin at `tagAt(i)`, into the places `rows[i]` of `out`. */
  readonly many: (
    tags: Int32Array,
    tagAt: (slot: number) => number,
    step: number,
    rows: Int32Array,
    count: number,
    out: unknown[],
  ) => void;
}

/** Set-up for one form, length and, for labelled tokens, head: the label with its `_`, and the shown key id. */
export function tokenTexts(form: Form, length: number, head: string): TokenTexts {
  const write = form === 'labelled' ? checkedWriter(length, head) : formOf(form).writer(length);
  const width = head.length + length + (form === 'labelled' ? CHECK_LENGTH : 0);
  // A group is written behind one another, decoded at once and cut. The heads stand there from the beginning.
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
