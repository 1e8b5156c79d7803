/**
 * A ratification: officers agree afterwards to uses of a break-glass warrant (docs/spec/govern/warrant-v1.md,
 * "Ratification"). It names each use by its place in the log and by its bytes, so nobody ratifies a use unseen.
 */

import { utf8 } from '../../core/bytes.ts';
import { digestOf, wholeOf } from '../text/items.ts';
import { checkReason } from './dossier.ts';
import { checkFields, digestHex, only, readFields, textOf } from './fields.ts';

const TITLE = 'trefoil ratification v1';

/** A use of a warrant: the index of its entry in the log, and SHA-256 of the bytes of the entry. */
export interface RatifiedUse {
  /** From 0 to 999,999,999. */
  readonly index: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** What a ratification says. */
export interface RatificationFields {
  /** SHA-256 of the warrant's text, 64 hexadecimal digits. */
  readonly warrant: string;
  /** The uses, ascending. Those that are not named stay unratified. */
  readonly uses: readonly RatifiedUse[];
  /** Why, as a reason of a dossier. It is logged, so it must not name people of the data. */
  readonly why: string;
}

/** A ratification that was read. Nothing has verified it. */
export interface Ratification extends RatificationFields {
  readonly text: string;
  /** SHA-256 of the text, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads a ratification without verifying it.
 *
 * @param note the note, or its text without signatures: at most 32,768 bytes, which is about 300 uses.
 * @throws TrefoilError `warrant_invalid` with the line; `wrong_type`.
 *
 * @example
 * ```ts
 * import { parseRatification } from 'trefoil/govern';
 *
 * const { uses } = parseRatification(
 *   'trefoil ratification v1\n' +
 *     `warrant sha256:${'0'.repeat(64)}\n` +
 *     `use 811 sha256:${'1'.repeat(64)}\n` +
 *     'why An ambulance was on its way.\n',
 * );
 * uses[0]?.index; // → 811
 * ```
 */
export function parseRatification(note: string | Uint8Array): Ratification {
  const text = textOf(note);
  const { take, has, end, refuse } = readFields(text, TITLE, ['why']);
  const warrant = take('warrant', 'sha256:HEX', only(digestOf));
  const uses: RatifiedUse[] = [];
  do {
    const use = take('use', 'an index and sha256:HEX', ({ items }) => {
      const index = wholeOf(items[0]);
      const sha256 = digestOf(items[1]);
      return items.length === 2 && index !== null && sha256 !== null ? Object.freeze({ index, sha256 }) : null;
    });
    if (use.index <= (uses.at(-1)?.index ?? -1)) refuse('the uses are not in the order of the log, each once');
    uses.push(use);
  } while (has('use'));
  const why = take('why', 'text', ({ rest }) => rest);
  end();
  checkReason(why, 'line "why"', 'warrant_invalid');
  return Object.freeze({ text, sha256: digestHex(utf8(text)), warrant, uses: Object.freeze(uses), why });
}

const TYPES = { warrant: 'text', uses: 'list', why: 'text' } as const;
const USE_TYPES = { index: 'number', sha256: 'text' } as const;

/**
 * Writes the text of a ratification, and reads it, so that no wrong one is written.
 *
 * @throws TrefoilError `warrant_invalid`. TypeError, RangeError for a field of another type.
 *
 * @example
 * ```ts
 * import { writeRatification } from 'trefoil/govern';
 *
 * const uses = [{ index: 811, sha256: '1'.repeat(64) }];
 * writeRatification({ warrant: '0'.repeat(64), uses, why: 'An ambulance was on its way.' }).text;
 * ```
 */
export function writeRatification(fields: RatificationFields): Ratification {
  const { warrant, uses, why } = checkFields<RatificationFields>('fields', fields, TYPES);
  const lines = uses.map((use) => {
    const { index, sha256 } = checkFields<RatifiedUse>('uses', use, USE_TYPES);
    return `use ${index} sha256:${sha256}\n`;
  });
  return parseRatification(`${TITLE}\nwarrant sha256:${warrant}\n${lines.join('')}why ${why}\n`);
}
