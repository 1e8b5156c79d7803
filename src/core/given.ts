/** Optional properties. */

/**
 * Returns the entries that are not `undefined`, in their order: `{ label, ...given({ why }) }` has a `why` only if one
 * was set. With `exactOptionalPropertyTypes`, an optional property may be left out but may not be `undefined`.
 */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Entries are defined and not assigned: an accessor that somebody put on `Object.prototype` sees nothing of them.
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
