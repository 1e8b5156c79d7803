/** Optional properties. */

/**
 * Returns the entries that are not `undefined`, in their order: `{ label, ...given({ why }) }` has a `why` only if one
 * was set. With `exactOptionalPropertyTypes`, an optional property may be left out but may not be `undefined`.
 */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const out: Partial<Record<keyof T, unknown>> = {};
  for (const name of Object.keys(options) as (keyof T)[]) {
    if (options[name] !== undefined) out[name] = options[name];
  }
  return out as { [K in keyof T]?: Exclude<T[K], undefined> };
}
