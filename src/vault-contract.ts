/** The tests that a store of your own has to pass (`trefoil/vault-contract`). */

export { type ContractCase, contractCases, type FreshStore } from './vault/contract/contract.ts';
