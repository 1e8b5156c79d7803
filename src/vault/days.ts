/** Days: rows expire by the day, so that they do not show when exactly they were made. */

const DAY = 86_400_000;

let latest = 0;

/**
 * Returns the current day, counted from 1970-01-01 in UTC. Within a process it never goes back: a row that has expired
 * stays expired when the clock is set back.
 */
export function today(): number {
  latest = Math.max(latest, dayOf(Date.now()));
  return latest;
}

/** Returns the day of a time in milliseconds since 1970-01-01. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY);
}

/** Whether a row has expired. An expired row is treated as absent until it is removed. */
export function isOver({ expires }: { readonly expires: number | null }, day: number): boolean {
  return expires !== null && expires <= day;
}
