/**
 * Keysets: making, reading, writing and rotating root keys, and the keys of the domains that are derived from them.
 */

export type { KeyCheck } from './keys/checks.ts';
export type { DomainKeys } from './keys/domain-keys.ts';
export type { KeyNeed } from './keys/granting.ts';
export { type DomainOptions, type GenerateOptions, type Keyset, keyset, type ParseOptions } from './keys/keyset.ts';
export {
  type AddDomainOptions,
  type AddKeyOptions,
  addDomain,
  addKey,
  promoteKey,
  type RetireKeyOptions,
  retireKey,
} from './keys/rotation.ts';
