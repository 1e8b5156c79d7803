/** The words of a line as values: numbers, times, durations, scopes and demands. Each has exactly one spelling. */

/** A demand for signatures: so many officers of this role. */
export interface Demand {
  readonly count: number;
  readonly role: string;
}

/** The longest duration: 3,660 days, ten years. */
const MOST_DAYS = 3660;

const SECONDS = { m: 60, h: 3600, d: 86_400 } as const;

/** Reads a whole number of at most nine digits, without leading zeros. `null`: it is none. */
export function wholeOf(item: string | undefined): number | null {
  return item !== undefined && /^(?:0|[1-9][0-9]{0,8})$/.test(item) ? Number(item) : null;
}

/** Reads a duration, `5m`, `12h` or `7d`, in seconds. `null` if it is not one, is zero, or has more than 3,660 days. */
export function durationOf(item: string | undefined): number | null {
  const number = wholeOf(item?.slice(0, -1));
  const unit = SECONDS[item?.slice(-1) as keyof typeof SECONDS] as number | undefined;
  if (number === null || unit === undefined || number === 0) return null;
  const seconds = number * unit;
  return seconds <= MOST_DAYS * SECONDS.d ? seconds : null;
}

const TIME = /^20[2-9][0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;

/** Reads a time of the years 2020 to 2099, `2026-11-30T20:00:00Z`, in seconds since 1970. `null` if there is none. */
export function timeOf(item: string | undefined): number | null {
  if (item === undefined || !TIME.test(item)) return null;
  const seconds = Date.parse(item) / 1000;
  return Number.isInteger(seconds) && writeTime(seconds) === item ? seconds : null;
}

/** Writes seconds since 1970 as {@link timeOf} reads them. */
export function writeTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Reads a digest, `sha256:` and 64 lower-case hexadecimal digits, and returns the digits. */
export function digestOf(item: string | undefined): string | null {
  return /^sha256:([0-9a-f]{64})$/.exec(item ?? '')?.[1] ?? null;
}

const SCOPE = /^[a-zA-Z]{1,32}:(?:[a-z0-9][a-z0-9._-]{0,63}\/)?[a-z0-9][a-z0-9._-]{0,63}$/;

/** Whether a word is a scope with its kind: `seal:person.name`, `vault:people/person.name`. */
export function isScope(item: string | undefined): item is string {
  return item !== undefined && SCOPE.test(item);
}

/** Reads a demand: `2:approver`. */
export function demandOf(item: string | undefined): Demand | null {
  const match = /^([0-9]+):([a-z0-9][a-z0-9._-]{0,63})$/.exec(item ?? '');
  const count = wholeOf(match?.[1]);
  return match === null || count === null || count > 100 ? null : { count, role: match[2]! };
}
