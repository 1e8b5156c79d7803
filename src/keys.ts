/**
 * Keysets: making, reading and writing root keys, and the keys of the domains that are derived from them.
 */

export type { DomainKeys, KeyCheck } from './keys/domain-keys.ts';
export { type Keyset, keyset } from './keys/keyset.ts';
