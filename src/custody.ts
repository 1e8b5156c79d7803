/**
 * Custody of key files (`trefoil/custody`): what a key file needs while it is at rest, and an identity in shares.
 */

export type { AgeIdentity, AgeModule, AgeRecipient, AgeStanza } from './custody/age.ts';
export { type OpenKeyFileOptions, openKeyFile } from './custody/open.ts';
export { type CustodyOptions, type SealOptions, sealKeyFile } from './custody/seal.ts';
export type { Ceremony } from './custody/shares/ceremony.ts';
export { type CheckedShare, checkShare } from './custody/shares/check.ts';
export { type CombineOptions, combineShares } from './custody/shares/combine.ts';
export type { AgePackage, ShamirPackage } from './custody/shares/packages.ts';
export { type SplitIdentity, type SplitOptions, splitIdentity } from './custody/shares/split.ts';
export { contextBytes, type KeyContext, type KeyWrapper, type WrapperCall } from './custody/wrapper.ts';
export {
  type AwsKms,
  type AwsKmsClient,
  type AwsKmsCommands,
  type AwsKmsOptions,
  awsKms,
} from './custody/wrappers/aws-kms.ts';
export { type VaultTransitOptions, vaultTransit } from './custody/wrappers/vault-transit.ts';
