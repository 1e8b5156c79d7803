/** The requests that a gateway may be sent once more after a restart. */

import { badType, checkInteger, typeName } from '../../core/checks.ts';
import { readEntry } from '../../log/entry/entry.ts';
import { NONCE_SECONDS } from '../wire/limits.ts';

/**
 * Finds the digests of requests that the log has from the last two minutes, so that a gateway that begins anew knows
 * them.
 *
 * @param entries those of the log, as `log.entries()` gives them.
 * @param now seconds since 1970.
 *
 * @example
 * ```ts
 * import { recentRequests } from 'trefoil/gateway';
 *
 * async function* none(): AsyncGenerator<Uint8Array> {}
 * (await recentRequests(none(), 1_796_068_800)).size; // → 0
 * ```
 */
export async function recentRequests(entries: AsyncIterable<Uint8Array>, now: number): Promise<Set<string>> {
  checkInteger('now', now, 0, Number.MAX_SAFE_INTEGER);
  if (typeof Object(entries)[Symbol.asyncIterator] !== 'function') {
    badType('entries', `expected the entries of a log, got ${typeName(entries)}`);
  }
  const found = new Set<string>();
  for await (const bytes of entries) {
    const { at, event } = readEntry(bytes);
    if (at >= now - NONCE_SECONDS && (event?.kind === 'use' || event?.kind === 'glass')) found.add(event.request);
  }
  return found;
}
