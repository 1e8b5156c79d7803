/** Logs (`trefoil/log`): entries, commitments and the writer of a log that can only grow. */

export type { Commitment, CommitmentOptions } from './log/entry/commitment.ts';
export { checkOpening, commitment } from './log/entry/commitment.ts';
export type { KnownEntry, ReadEntry, UnknownEntry } from './log/entry/entry.ts';
export { entryReader, readEntry, writeEntry } from './log/entry/entry.ts';
export type * from './log/entry/kinds.ts';
export type { SubjectSealer, SubjectSealerOptions } from './log/entry/subjects.ts';
export { subjectSealer } from './log/entry/subjects.ts';
