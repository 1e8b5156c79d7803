/**
 * The main module of trefoil: the rules, the policy that says which rule each field gets, and the keysets that policies
 * and rules are bound to. Formats, prepare steps, the vault and file formats have modules of their own.
 */

export type { Enciphered, Sealed, Token } from './core/brands.ts';
export { type ColumnOf, type NumberColumn, type Utf8Column, utf8Column, utf8Texts } from './core/columns.ts';
export { type AnyIssue, formatIssue, type Issue, type IssueCode, TrefoilError } from './errors.ts';
export { type DomainKeys, type KeyCheck, type Keyset, keyset } from './keys.ts';
export {
  type BoundPolicy,
  type Each,
  each,
  type Policy,
  type PolicyOptions,
  policy,
  type RevealingPolicy,
} from './policy.ts';
export { type CoarsenBucket, type CoarsenRule, coarsen } from './rule/coarsen.ts';
export { type ConstantRule, type ConstantValue, constant } from './rule/constant.ts';
export { type DropRule, drop } from './rule/drop.ts';
export { type BoundFpe, type FpeOptions, type FpeRule, fpe, type RevealingFpe } from './rule/fpe.ts';
export { type KeepRule, keep, type Scalar } from './rule/keep.ts';
export { type MaskRule, mask } from './rule/mask.ts';
export { mark, optional } from './rule/options.ts';
export type { Common, Role, Rule } from './rule/rule.ts';
export {
  type BoundSeal,
  inspectSealed,
  type RevealingSeal,
  type SealedParts,
  type SealOptions,
  type SealRule,
  seal,
} from './rule/seal.ts';
export {
  type BoundShiftDate,
  type ShiftDateOptions,
  type ShiftDateRule,
  type SubjectInput,
  shiftDate,
} from './rule/shift-date.ts';
export type { ContextColumn, ContextInput, Per, PerArguments, PerField } from './rule/token/contexts.ts';
export { type ProjectOptions, projectTokens, type TokenProjection } from './rule/token/project.ts';
export {
  type BoundToken,
  type RenewOptions,
  type TokenInput,
  type TokenOptions,
  type TokenRule,
  token,
} from './rule/token.ts';
export { inspect, type TokenParts, tokenPattern } from './wire/labelled-token.ts';
export { type LengthPlan, planLength } from './wire/token-lengths.ts';
