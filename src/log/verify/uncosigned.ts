/**
 * The newest entries of a log, which no quorum of witnesses has cosigned yet, and how long that may last. A log is
 * nearly always a few entries ahead of its witnesses. The rule (docs/guide/overseer.md, "Entries that are not cosigned
 * yet"):
 *
 * 1. While the newest cosignature that completes a quorum is at most 20 minutes old, they are no more than a remark. A
 *    log writes a `beat` every ten minutes and has it cosigned; 20 minutes are two of them.
 * 2. If it is older, the witnesses are *late*.
 * 3. If an entry is still not cosigned that a look saw more than 30 minutes ago, the log is *unwitnessed*. This does
 *    not depend on what witnesses have cosigned since: a log that shows them a smaller tree, again and again, is found.
 * 4. If no cosignatures of a quorum are known at all, the log is *unwitnessed* as well.
 *
 * A witness that stopped after a look cannot make 3 before 2: its clock may be ahead of ours by at most the ten minutes
 * that 3 adds to 2 (cosign-time.ts).
 */

import { MOST_SECONDS_AHEAD } from '../tree/cosign-time.ts';

/** How old the newest cosignature of a quorum may be while entries wait for the next one, in seconds. */
const MOST_SECONDS_LATE = 1200;

/** How long an entry that a look saw may stay without the cosignatures of a quorum, in seconds. */
const MOST_SECONDS_OPEN: number = MOST_SECONDS_LATE + MOST_SECONDS_AHEAD;

/** Looks that are nearer to each other than this, in seconds, count as one: the first. */
const SECONDS_APART = 60;

/** The most looks in a record. With the numbers above there are at most 31, unless the clock was set. */
export const MOST_OPEN_LOOKS = 64;

/** A look that saw entries which no quorum had cosigned. */
export interface OpenLook {
  /** How many entries the log had. */
  readonly size: number;
  /** The clock of the overseer, in seconds since 1970. */
  readonly time: number;
}

/** How much of a log a quorum has cosigned. */
export interface Witnessed {
  /** How many entries, from the first. */
  readonly witnessed: number;
  /** The time of the cosignature that completes the quorum, in seconds since 1970; `null` if there is no quorum. */
  readonly witnessedAt: number | null;
}

/** Whether entries wait for cosignatures and the newest of a quorum is too old. @param now milliseconds since 1970. */
export function isLate({ witnessed, witnessedAt }: Witnessed, size: number, now: number): boolean {
  if (witnessed >= size) return false;
  // With a clock that is not a number, the witnesses are late.
  return witnessedAt === null || !(now / 1000 - witnessedAt <= MOST_SECONDS_LATE);
}

/** Whether a look saw an entry too long ago that is still not cosigned. @param now milliseconds since 1970. */
export function isOverdue(looks: readonly OpenLook[], witnessed: number, now: number): boolean {
  return looks.some(({ size, time }) => size > witnessed && !(now / 1000 - time <= MOST_SECONDS_OPEN));
}

/**
 * The looks to remember after one at a log of `size` entries. Sizes and times grow.
 *
 * @param now milliseconds since 1970. A look from the future, because the clock was set back, was one of now.
 */
export function openLooks(
  before: readonly OpenLook[],
  { witnessed }: Witnessed,
  size: number,
  now: number,
): readonly OpenLook[] {
  const time = Math.max(0, Math.floor(now / 1000));
  const looks = before
    .filter((look) => look.size > witnessed)
    .map((look) => ({ size: look.size, time: Math.min(look.time, time) }));
  const last = looks.at(-1);
  if (size > witnessed && size > (last?.size ?? 0)) {
    const isNear = last !== undefined && (time - last.time < SECONDS_APART || looks.length === MOST_OPEN_LOOKS);
    // With the time of the earlier look, the new entries are due a little sooner, and never later.
    if (isNear) looks[looks.length - 1] = { size, time: last.time };
    else looks.push({ size, time });
  }
  return Object.freeze(looks.map((look) => Object.freeze(look)));
}
