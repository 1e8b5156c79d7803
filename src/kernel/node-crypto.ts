/**
 * The functions of node:crypto, if the runtime has them (Node, Bun, Deno). `process.getBuiltinModule` needs no import,
 * so a file that uses this one is the same in a browser's bundle and in CommonJS.
 */

/**
 * Returns node:crypto, or `null` if the runtime has none or lacks one of the named functions.
 *
 * @param names the functions that the caller uses.
 */
export function nodeCrypto<Functions>(...names: readonly (keyof Functions & string)[]): Functions | null {
  const process = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process;
  const crypto = process?.getBuiltinModule?.('node:crypto') as Record<string, unknown> | undefined;
  return crypto !== undefined && names.every((name) => typeof crypto[name] === 'function')
    ? (crypto as Functions)
    : null;
}
