/**
 * Policies: which rule each field of a record has, in code or as a file.
 */

export type { Issue } from './errors.ts';
export { check } from './policy/check.ts';
export { type ExplainOptions, explain } from './policy/explain/explain.ts';
export type { ValuePath } from './policy/file/options.ts';
export { type Locate, parsePolicy } from './policy/file/parse.ts';
export { type ProjectingPolicy, type ProjectOptions, project } from './policy/move/project.ts';
export { type RekeyingPolicy, type RekeyOptions, rekey } from './policy/move/rekey.ts';
export { keyNeeds, type Narrowed, type NarrowedField, type NarrowOptions, narrow } from './policy/narrow.ts';
export { policy } from './policy/policy.ts';
export { each } from './policy/tree.ts';
export type {
  AnyRow,
  BackRow,
  BoundFilePolicy,
  BoundPolicy,
  Each,
  Fields,
  FilePolicy,
  InputRow,
  ManyOptions,
  OpenFilePolicy,
  OpenPolicy,
  OutputRow,
  Policy,
  PolicyOptions,
  RevealingFilePolicy,
  RevealingOpenFilePolicy,
  RevealingOpenPolicy,
  RevealingPolicy,
  RevealOptions,
  SafeRow,
} from './policy/types.ts';
