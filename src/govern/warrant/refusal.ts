/**
 * A refusal: an officer ends a warrant (docs/spec/govern/warrant-v1.md, "Refusal"). It is logged, as the warrant is.
 */

import { utf8 } from '../../core/bytes.ts';
import { digestOf, timeOf, writeTime } from '../text/items.ts';
import { checkReason } from './dossier.ts';
import { checkFields, digestHex, only, readFields, textOf } from './fields.ts';
import { nameOf } from './warrant.ts';

const TITLE = 'trefoil refusal v1';

/** What a refusal says. */
export interface RefusalFields {
  /** SHA-256 of the warrant's text, 64 hexadecimal digits. */
  readonly warrant: string;
  /** The handle of the officer who refuses. */
  readonly officer: string;
  /** When, in seconds since 1970 in UTC. */
  readonly at: number;
  /** Why, as a reason of a dossier. It is logged, so it must not name people of the data. */
  readonly why: string;
}

/** A refusal that was read. Nothing has verified it. */
export interface Refusal extends RefusalFields {
  readonly text: string;
  /** SHA-256 of the text, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads a refusal without verifying it.
 *
 * @param note the note, or its text without signatures: at most 32,768 bytes.
 * @throws TrefoilError `warrant_invalid` with the line; `wrong_type`.
 *
 * @example
 * ```ts
 * import { parseRefusal } from 'trefoil/govern';
 *
 * const { officer } = parseRefusal(
 *   'trefoil refusal v1\n' +
 *     `warrant sha256:${'0'.repeat(64)}\n` +
 *     'officer bela\n' +
 *     'at 2026-11-30T20:10:00Z\n' +
 *     'why The ticket was closed in March.\n',
 * );
 * officer; // → 'bela'
 * ```
 */
export function parseRefusal(note: string | Uint8Array): Refusal {
  const text = textOf(note);
  const { take, end } = readFields(text, TITLE, ['why']);
  const warrant = take('warrant', 'sha256:HEX', only(digestOf));
  const officer = take('officer', 'a handle', only(nameOf));
  const at = take('at', 'a time such as 2026-11-30T20:00:00Z', only(timeOf));
  const why = take('why', 'text', ({ rest }) => rest);
  end();
  checkReason(why, 'line "why"', 'warrant_invalid');
  return Object.freeze({ text, sha256: digestHex(utf8(text)), warrant, officer, at, why });
}

const TYPES = { warrant: 'text', officer: 'text', at: 'time', why: 'text' } as const;

/**
 * Writes the text of a refusal, and reads it, so that no wrong one is written.
 *
 * @throws TrefoilError `warrant_invalid`. TypeError, RangeError for a field of another type.
 *
 * @example
 * ```ts
 * import { writeRefusal } from 'trefoil/govern';
 *
 * const fields = { warrant: '0'.repeat(64), officer: 'bela', at: 1_796_068_800, why: 'The ticket was closed.' };
 * writeRefusal(fields).text.split('\n')[3]; // → 'at 2026-11-30T20:00:00Z'
 * ```
 */
export function writeRefusal(fields: RefusalFields): Refusal {
  const { warrant, officer, at, why } = checkFields<RefusalFields>('fields', fields, TYPES);
  return parseRefusal(`${TITLE}\nwarrant sha256:${warrant}\nofficer ${officer}\nat ${writeTime(at)}\nwhy ${why}\n`);
}
