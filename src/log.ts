/**
 * Logs that anybody can verify, and the signed notes that they are made of (`trefoil/log`), in the formats of
 * https://c2sp.org: for services that keep a log, for overseers who verify it, and for witnesses.
 */

export { leafHash, nodeHash } from './kernel/merkle.ts';
export type { Commitment, CommitmentOptions } from './log/entry/commitment.ts';
export { checkOpening, commitment } from './log/entry/commitment.ts';
export type { KnownEntry, ReadEntry, UnknownEntry } from './log/entry/entry.ts';
export { entryReader, readEntry, writeEntry } from './log/entry/entry.ts';
export type {
  BeatEntry,
  CarryEntry,
  DenyEntry,
  DoneEntry,
  EndEntry,
  EntryKind,
  EraseEntry,
  ForwardEntry,
  KeyEntry,
  LogEvent,
  NoteEntry,
  StartEntry,
  UseEntry,
} from './log/entry/kinds.ts';
export type { SubjectSealer, SubjectSealerOptions } from './log/entry/subjects.ts';
export { subjectSealer } from './log/entry/subjects.ts';
export { bundleBytes, parseBundle } from './log/tree/bundle.ts';
export { type CheckProofOptions, checkProof, type ProvenEntry } from './log/tree/check-proof.ts';
export { type Checkpoint, parseCheckpoint, writeCheckpoint } from './log/tree/checkpoint.ts';
export { type EdgeStart, type Tile, type TreeEdge, treeEdge } from './log/tree/edge.ts';
export { type LogAtOptions, logAt } from './log/tree/http.ts';
export type { HashReader, TreeNode } from './log/tree/nodes.ts';
export { type Cosigned, type OpenedCheckpoint, openCheckpoint } from './log/tree/open-checkpoint.ts';
export { type LogPolicy, type PolicyWitness, parseLogPolicy } from './log/tree/policy.ts';
export { type LogProof, parseLogProof, writeLogProof } from './log/tree/proof-text.ts';
export { checkConsistency, checkInclusion, consistencyProof, inclusionProof } from './log/tree/proofs.ts';
export { hashesOf, type LogSource } from './log/tree/source.ts';
export { type TilePlace, tilePath } from './log/tree/tiles.ts';
export type { Vouched } from './log/verify/compared.ts';
export type { EntryFormat, TimedEntry, VisitEntry } from './log/verify/entries.ts';
export type { Finding, FindingWord } from './log/verify/finding.ts';
export { parseSeen, type Seen, type SeenCosigned } from './log/verify/seen.ts';
export { type Verification, type VerifyOptions, verifyLog } from './log/verify/verify.ts';
export type { AskWitness } from './log/verify/witnesses.ts';
export { type Cosignature, type CosignOptions, cosign, type ProofFrom } from './log/witness/cosign.ts';
export type { WitnessCallOptions, WitnessPlace } from './log/witness/exchange.ts';
export { latestOf, type WitnessedCheckpoint } from './log/witness/latest.ts';
export { type WitnessEvent, type WitnessOptions, witness } from './log/witness/server.ts';
export { type WitnessState, witnessMemory } from './log/witness/state.ts';
export type { Appended } from './log/writer/group.ts';
export { type OpenLogOptions, openLog } from './log/writer/open-log.ts';
export type { AppendOptions, Log, LogEntries, Recovery } from './log/writer/sequencer.ts';
export type { LogStore, StoredOpening, TreeFile } from './log/writer/store.ts';
export type { NoteAlgorithm } from './note/key-name.ts';
export { type OpenedNote, type OpenedSignature, openNote } from './note/open.ts';
export { type NoteSignature, type ParsedNote, parseNote } from './note/parse.ts';
export { signNote } from './note/sign.ts';
export {
  type CosignerOptions,
  cosigner,
  type NoteKey,
  type NoteKeyOptions,
  newNoteKey,
  noteSigner,
  type Signer,
} from './note/signer.ts';
export { type Verifier, verifierKey } from './note/verifier.ts';
