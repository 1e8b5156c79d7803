/** Which times of others count. */

/** How far the clock of a witness, or of the writer of a log, may be ahead of ours, in seconds. */
export const MOST_SECONDS_AHEAD = 600;

/**
 * Whether a cosignature may have been made at its time. A witness must not state the time 0
 * (https://c2sp.org/tlog-witness), and verifiers may reject times in the future (https://c2sp.org/tlog-cosignature):
 * of the cosignatures of a witness the latest counts, so one from the future would stand for all that follow.
 *
 * @param time seconds since 1970.
 * @param now milliseconds since 1970.
 */
export function isPlausible(time: number, now: number): boolean {
  return time > 0 && time <= now / 1000 + MOST_SECONDS_AHEAD;
}
