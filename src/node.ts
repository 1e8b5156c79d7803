/**
 * Files (`trefoil/node`): protects, reveals and rekeys whole files, with workers, and opens files of rejects. It also
 * keeps a log in a folder.
 */

export type { FileFormat } from './files/file-format.ts';
export type { Compression } from './files/inputs/compression.ts';
export type { LogFolderOptions } from './files/log/folder.ts';
export { logFolder } from './files/log/folder.ts';
export { readLogFolder } from './files/log/source.ts';
export { type WitnessFolder, type WitnessFolderOptions, witnessFolder } from './files/log/witness-state.ts';
export type { FileOptions, FileResult } from './files/plan.ts';
export type { Reject, Rejects, RejectsTable } from './files/rejects.ts';
export {
  openRejects,
  protectFile,
  protectFiles,
  rekeyFile,
  rekeyFiles,
  revealFile,
  revealFiles,
} from './files/verbs.ts';
export type { CsvOptions } from './io/csv/codec.ts';
export type { Progress, RecordOptions, SampleRecord } from './io/records.ts';
export type { CanMove, CanProtect, CanReveal } from './io/stream.ts';
