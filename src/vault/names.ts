/** Bytes as keys of maps, and days. */

/** A text for a few bytes: one character a byte. */
export function nameOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
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

/** Whether the day of a row has come: it is read as absent. */
export function isOver({ expires }: { readonly expires: number | null }, day: number): boolean {
  return expires !== null && expires <= day;
}
