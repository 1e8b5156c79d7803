/**
 * Keysets: making, reading and writing root keys, and the keys of the domains that are derived from them.
 */

export type { KeyCheck } from './keys/checks.ts';
export type { DomainKeys } from './keys/domain-keys.ts';
export { type DomainOptions, type GenerateOptions, type Keyset, keyset, type ParseOptions } from './keys/keyset.ts';
