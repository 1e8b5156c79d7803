/** Test suite for your own store of a vault (`trefoil/vault-contract`). */

export { type ContractCase, contractCases } from './vault/contract/contract.ts';
export type { FreshStore } from './vault/contract/verbs.ts';
