/**
 * Capabilities: frozen objects that a caller must pass to do something dangerous. They are recognised by a registered
 * symbol and not by identity, so that the CommonJS build and the ES module build in one process accept each other's.
 */

const CAPABILITY = Symbol.for('trefoil.capability');

/** Allows to reveal protected values. Import it from `trefoil/reveal`. */
export interface RevealAccess {
  readonly '~trefoil.capability': 'reveal';
}

/** Allows to export key material. Import it from `trefoil/reveal`. */
export interface SecretAccess {
  readonly '~trefoil.capability': 'secret';
}

/** Allows to reveal what one warrant names, with governed keys. `warrantAccess` of `trefoil/govern` makes it. */
export interface WarrantAccess {
  readonly '~trefoil.capability': 'warrant';
}

/** Makes a capability. Only `reveal.ts` and {@link warrantCapability} call it. */
export function capability<T extends RevealAccess | SecretAccess>(name: T['~trefoil.capability']): T {
  return Object.freeze(Object.defineProperty({}, CAPABILITY, { value: name })) as T;
}

const PAPERS = Symbol.for('trefoil.warrant-access.v1');

/**
 * Makes a capability that carries the papers of a warrant. They are in a closure, where `JSON.stringify`, `toString`
 * and `util.inspect` do not find them.
 */
export function warrantCapability(papers: () => unknown): WarrantAccess {
  const hidden = { [CAPABILITY]: { value: 'warrant' }, [PAPERS]: { value: papers } };
  return Object.freeze(Object.defineProperties({}, hidden)) as WarrantAccess;
}

/** Returns what {@link warrantCapability} was called with; `undefined` if the value is not one. */
export function papersOf(access: unknown): unknown {
  if (!isCapability(access, 'warrant')) return undefined;
  const papers = (access as Record<symbol, unknown>)[PAPERS];
  return typeof papers === 'function' ? (papers as () => unknown)() : undefined;
}

/** Returns whether a value is the capability with a name. */
export function isCapability(value: unknown, name: 'reveal' | 'secret' | 'warrant'): boolean {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[CAPABILITY] === name;
}
