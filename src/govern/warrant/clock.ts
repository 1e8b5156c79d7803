/**
 * A clock statement: keepers of the charter state what time it is, after the clock of a gateway has jumped
 * (docs/spec/govern/warrant-v1.md, "Clock").
 */

import { utf8 } from '../../core/bytes.ts';
import { timeOf, writeTime } from '../text/items.ts';
import { checkReason } from './dossier.ts';
import { checkFields, digestHex, only, readFields, textOf } from './fields.ts';
import { nameOf } from './warrant.ts';

const TITLE = 'trefoil clock v1';

/** What a clock statement says. */
export interface ClockFields {
  readonly domain: string;
  /** The time that it states, in seconds since 1970 in UTC. */
  readonly at: number;
  /** Why, as a reason of a dossier. It is logged, so it must not name people of the data. */
  readonly why: string;
}

/** A clock statement that was read. Nothing has verified it. */
export interface ClockStatement extends ClockFields {
  readonly text: string;
  /** SHA-256 of the text, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads a clock statement without verifying it.
 *
 * @param note the note, or its text without signatures: at most 32,768 bytes.
 * @throws TrefoilError `warrant_invalid` with the line; `wrong_type`.
 *
 * @example
 * ```ts
 * import { parseClock } from 'trefoil/govern';
 *
 * const { at } = parseClock(
 *   'trefoil clock v1\n' +
 *     'domain eu-enclave\n' +
 *     'at 2026-12-01T08:00:00Z\n' +
 *     'why The gateway was off for two days.\n',
 * );
 * at; // → 1796112000
 * ```
 */
export function parseClock(note: string | Uint8Array): ClockStatement {
  const text = textOf(note);
  const { take, end } = readFields(text, TITLE, ['why']);
  const domain = take('domain', 'a name', only(nameOf));
  const at = take('at', 'a time such as 2026-11-30T20:00:00Z', only(timeOf));
  const why = take('why', 'text', ({ rest }) => rest);
  end();
  checkReason(why, 'line "why"', 'warrant_invalid');
  return Object.freeze({ text, sha256: digestHex(utf8(text)), domain, at, why });
}

const TYPES = { domain: 'text', at: 'time', why: 'text' } as const;

/**
 * Writes the text of a clock statement, and reads it, so that no wrong one is written.
 *
 * @throws TrefoilError `warrant_invalid`. TypeError, RangeError for a field of another type.
 *
 * @example
 * ```ts
 * import { writeClock } from 'trefoil/govern';
 *
 * writeClock({ domain: 'eu-enclave', at: 1_796_068_800, why: 'The gateway was off for two days.' }).text;
 * ```
 */
export function writeClock(fields: ClockFields): ClockStatement {
  const { domain, at, why } = checkFields<ClockFields>('fields', fields, TYPES);
  return parseClock(`${TITLE}\ndomain ${domain}\nat ${writeTime(at)}\nwhy ${why}\n`);
}
