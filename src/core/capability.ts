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

/** Makes a capability. Only `reveal.ts` calls it. */
export function capability<T extends RevealAccess | SecretAccess>(name: T['~trefoil.capability']): T {
  return Object.freeze(Object.defineProperty({}, CAPABILITY, { value: name })) as T;
}

/** Returns whether a value is the capability with a name. */
export function isCapability(value: unknown, name: 'reveal' | 'secret'): boolean {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[CAPABILITY] === name;
}
