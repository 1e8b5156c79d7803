/**
 * The vault: random tokens, an encrypted mapping in a store, and the interface of a store. Stores are in
 * `trefoil/vault-sqlite` and `trefoil/vault-postgres`; `trefoil/vault-contract` is a test suite for a store of your
 * own.
 */

export type { VaultToken } from './core/brands.ts';
export type { OfSubject, OfSubjects, OpenVault, RevealingVault } from './rule/vault/verbs.ts';
export { type VaultOptions, type VaultRule, vault } from './rule/vault.ts';
export type { Stores } from './vault/session.ts';
export type { Destroyed, ShredCertificate, ShredOptions, SubjectNow } from './vault/shredding.ts';
export { memoryStore } from './vault/stores/memory.ts';
export type { Change, Entry, Meta, Row, Stale, Table, TableSize, VaultStore } from './vault/stores/store.ts';
export type { ExportOptions } from './vault/transfer/export.ts';
export type { ExportSource, Imported } from './vault/transfer/import.ts';
export type { BrokenRow, Rekeyed, VaultStats, Verified } from './vault/upkeep/stores.ts';
