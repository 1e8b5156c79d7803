/**
 * Who may turn something back, for what, and who has to agree (`trefoil/govern`): charters, and what is signed under
 * them.
 */

export type {
  Alerts,
  Charter,
  Client,
  Desk,
  ForwardVerb,
  Officer,
  Purpose,
  Rate,
  WarrantVerb,
} from './govern/charter/charter.ts';
export type { PartyKey, SshDemands, SshKey, SshNamespace } from './govern/officers/party-key.ts';
export { notePartySigner, type PartySigner, type SshSign, sshPartySigner } from './govern/officers/party-signer.ts';
export { addSignature } from './govern/officers/signatures.ts';
export { type SshKeyType, sshKey } from './govern/officers/ssh-key.ts';
export type { Demand } from './govern/text/items.ts';
