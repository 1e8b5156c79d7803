/** Bytes as keys of maps, and days. */

/** A text for 16 bytes: one character a byte. */
export function nameOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

const DAY = 86_400_000;

let latest = 0;

/**
 * The day, counted from 1970-01-01. It never goes back inside a process: what has expired stays so when a clock is set
 * back.
 */
export function today(): number {
  latest = Math.max(latest, Math.floor(Date.now() / DAY));
  return latest;
}
