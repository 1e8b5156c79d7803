/**
 * Custody of key files (`trefoil/custody`): what a key file needs while it is at rest, and an
 * identity in shares.
 */

export type { Ceremony } from './custody/shares/ceremony.ts';
export { type CheckedShare, checkShare } from './custody/shares/check.ts';
export { type CombineOptions, combineShares } from './custody/shares/combine.ts';
export type { AgePackage, ShamirPackage } from './custody/shares/packages.ts';
export { type SplitIdentity, type SplitOptions, splitIdentity } from './custody/shares/split.ts';
export { contextBytes, type KeyContext, type KeyWrapper, type WrapperCall } from './custody/wrapper.ts';
