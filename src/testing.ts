/**
 * Public keysets for tests (`trefoil/testing`). They open only the domains `test` and `test-…`.
 */

export type { Keyset } from './keys/keyset.ts';
export { testKeyset } from './keys/testing.ts';
