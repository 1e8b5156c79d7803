/**
 * Who may turn something back, for what, and who has to agree (`trefoil/govern`): charters, and what is signed under
 * them.
 */

export type { WarrantAccess } from './core/capability.ts';
export { type GovernOptions, govern } from './govern/access/govern.ts';
export type { UseKeeper } from './govern/access/place.ts';
export { type WarrantPapers, warrantAccess } from './govern/access/warrant-access.ts';
export { type CharterChange, charterChanges } from './govern/charter/changes.ts';
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
export type { CharterFinding, CharterFindingWord } from './govern/charter/check/finding.ts';
export { type CheckCharterOptions, checkCharter, type FormatSpace } from './govern/charter/check.ts';
export { parseCharter } from './govern/charter/parse.ts';
export { type OpenCharterOptions, openCharter } from './govern/charter/succession.ts';
export type { NotedUse, Sequencer, SequencerOptions, UseRequest } from './govern/ledger/sequencer.ts';
export { openSequencer } from './govern/ledger/sequencer.ts';
export type { PartyKey, SshDemands, SshKey, SshNamespace } from './govern/officers/party-key.ts';
export { notePartySigner, type PartySigner, type SshSign, sshPartySigner } from './govern/officers/party-signer.ts';
export { addSignature } from './govern/officers/signatures.ts';
export { type SshKeyType, sshKey } from './govern/officers/ssh-key.ts';
export {
  type ProtectedOptions,
  type ProtectedPeople,
  parseProtected,
  writeProtected,
} from './govern/people/protected.ts';
export { type PseudonymOptions, subjectPseudonyms } from './govern/people/pseudonyms.ts';
export { type ReportBuilder, type ReportOptions, reportBuilder, reportOf } from './govern/report/build.ts';
export {
  type Extract,
  type ExtractBuilder,
  type ExtractOptions,
  extractBuilder,
  type ShownUse,
} from './govern/report/extract.ts';
export type {
  Burst,
  Contradiction,
  Cut,
  LogState,
  OfficerRow,
  PairRow,
  PairThreshold,
  PurposeRow,
  RepeatedPerson,
  Report,
  Silence,
  SubjectThreshold,
  UnratifiedUse,
  UnusedWarrant,
} from './govern/report/report.ts';
export { drawSample, type SampleDraw } from './govern/report/sample.ts';
export { reportText } from './govern/report/text.ts';
export type { Demand } from './govern/text/items.ts';
export { type NewWarrant, type NewWarrantOptions, newWarrant, type WarrantRequest } from './govern/warrant/ask.ts';
export { type ClockFields, type ClockStatement, parseClock, writeClock } from './govern/warrant/clock.ts';
export {
  type Dossier,
  type DossierFields,
  type DossierSubject,
  parseDossier,
  writeDossier,
} from './govern/warrant/dossier.ts';
export {
  parseRatification,
  type Ratification,
  type RatificationFields,
  type RatifiedUse,
  writeRatification,
} from './govern/warrant/ratification.ts';
export { parseRefusal, type Refusal, type RefusalFields, writeRefusal } from './govern/warrant/refusal.ts';
export {
  type SignAboutOptions,
  type SignWarrantOptions,
  signRatification,
  signRefusal,
  signWarrant,
} from './govern/warrant/sign.ts';
export { type VerifiedWarrant, type VerifyWarrantOptions, verifyWarrant } from './govern/warrant/verify.ts';
export {
  type AboutWarrantOptions,
  type VerifiedClock,
  type VerifiedRatification,
  type VerifiedRefusal,
  verifyClock,
  verifyRatification,
  verifyRefusal,
} from './govern/warrant/verify-statements.ts';
export { parseWarrant, type Warrant, type WarrantCase, type WarrantFields } from './govern/warrant/warrant.ts';
export { type WarrantWordsOptions, warrantInWords } from './govern/warrant/words.ts';
