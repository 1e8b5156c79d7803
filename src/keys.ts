/**
 * Keysets and domain keys.
 */

export type { DomainKeys, KeyCheck } from './keys/domain-keys.ts';
export { type Keyset, keyset } from './keys/keyset.ts';
