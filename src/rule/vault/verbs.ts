/**
 * A `vault` rule that was opened with its keys and its store: the verbs that it offers, and what each of them checks.
 */

import type { VaultToken } from '../../core/brands.ts';
import { badRange, badType, checkOptions, checkText, typeName } from '../../core/checks.ts';
import { collectIssues, type ReportIssue } from '../../core/issues.ts';
import type { Missing } from '../../core/missing.ts';
import { type Issue, TrefoilError } from '../../errors.ts';
import { protectingKey } from '../../keys/domain-keys.ts';
import { demandUngoverned } from '../../keys/place/refusals.ts';
import type { Mapping } from '../../vault/mapping/mapping.ts';
import type { Session } from '../../vault/session.ts';
import {
  isCertificate,
  type ShredCertificate,
  type ShredOptions,
  type SubjectNow,
  shredSubject,
  subjectNow,
} from '../../vault/shredding.ts';
import { type ExportOptions, exportStore } from '../../vault/transfer/export.ts';
import {
  type Rekeyed,
  rekeyOuter,
  statsOf,
  sweep,
  type VaultStats,
  type Verified,
  verifyStore,
} from '../../vault/upkeep/stores.ts';
import { rekeyTokens, verifyTokens } from '../../vault/upkeep/tokens.ts';
import { type OnErased, overTokens, overValues, sparing, subjectText, type VaultMissing } from './columns.ts';

type Subject = string | number | bigint | null | undefined;

/** The subject of a value, for a rule with a `subject`. */
export interface OfSubject {
  readonly subject?: Subject;
}

/** The subject of each value of a column, for a rule with a `subject`. */
export interface OfSubjects {
  readonly subjects?: readonly Subject[];
}

/** `null`, if the rule has `onErased: missing`: the value was erased. */
type Erased<E> = E extends 'missing' ? null : never;

/** A `vault` rule with its keys and its store. */
export interface OpenVault<Scope extends string = string, E = Exclude<OnErased, 'missing'>> {
  /** Returns the token of a value: the one that it has, or a new one. `null` and `undefined` pass. */
  readonly protect: <V extends string | null | undefined>(
    value: V,
    options?: OfSubject,
  ) => Promise<VaultToken<Scope> | Missing<V> | Erased<E>>;
  /**
   * Returns the tokens of a column. It works in batches of 1,000 and throws one error, with the first 100 issues and
   * their rows from 1.
   */
  readonly protectMany: <V extends string | null | undefined>(
    column: readonly V[],
    options?: OfSubjects,
  ) => Promise<(VaultToken<Scope> | Missing<V> | Erased<E>)[]>;
  /**
   * Returns the token that a value has, or `null`. It makes no token.
   *
   * @throws TrefoilError `warrant_required` if the keys are governed; so do `exists`, `rekey` and `export`.
   */
  readonly lookup: (value: string, options?: OfSubject) => Promise<VaultToken<Scope> | null>;
  /** Whether this vault made the token in this scope, even if the mapping was forgotten since. */
  readonly exists: (token: string) => Promise<boolean>;
  /**
   * Checks the store: opens every row and compares the tables with each other. With `tokens` it checks the two rows of
   * each of these tokens instead, their inner layer included.
   */
  readonly verify: (options?: { readonly tokens: readonly string[] }) => Promise<Verified>;
  /**
   * Moves the whole store to the outer layer of the primary key. New mappings keep getting the older inner layer. With
   * `tokens` it moves the mappings of these tokens to the inner layer of the primary key, which new mappings then get
   * as well. Others may use the store meanwhile, and a run that was stopped may be started again.
   */
  readonly rekey: (options?: { readonly tokens: readonly string[] }) => Promise<Rekeyed>;
  /** Returns the sizes of the tables, and the keys that their rows are encrypted with. */
  readonly stats: () => Promise<VaultStats>;
  /**
   * Returns the rows of the whole store as lines of text, for `import` of a `vault` rule. The rows stay encrypted as
   * they are in the store. Others may use the store meanwhile. An export without its last line is incomplete.
   *
   * @throws TrefoilError `row_broken` if a row does not verify and there is no `onBroken`; `store_busy` if the keys
   *   of the store are changed meanwhile.
   */
  readonly export: (options?: ExportOptions) => AsyncIterable<string>;
}

/** A `vault` rule that may reveal and erase. */
export interface RevealingVault<Scope extends string = string, E = Exclude<OnErased, 'missing'>>
  extends OpenVault<Scope, E> {
  /**
   * Returns the value of a token. `null` and `undefined` pass.
   *
   * @throws TrefoilError `malformed_token`; `unknown_token` if the token is of another scope, domain or store, or has
   *   expired; `forgotten`, unless the rule has `onErased: missing`; `row_broken` if its rows do not verify (the error
   *   does not tell why).
   */
  readonly reveal: <V extends VaultToken<Scope> | null | undefined>(
    token: V,
  ) => Promise<string | Missing<V> | Erased<E>>;
  /** Returns the values of a column of tokens. Throws one error, with the first 100 issues and their rows from 1. */
  readonly revealMany: <V extends VaultToken<Scope> | null | undefined>(
    tokens: readonly V[],
  ) => Promise<(string | Missing<V> | Erased<E>)[]>;
  /** Destroys the mapping of a token and keeps the token itself known. Returns whether the mapping still existed. */
  readonly forget: (token: string) => Promise<boolean>;
  /**
   * Removes the rows of the whole store that have expired by `now`, in milliseconds since 1970 (the current time by
   * default). Returns the number of rows.
   */
  readonly expire: (now?: number) => Promise<number>;
  /**
   * Destroys the key of a subject, and with it everything that this store holds of the subject, in all scopes. Returns
   * a certificate.
   *
   * If the store does not know the subject, nothing is done and the result is `null`: the subject was mistyped, or this
   * is the wrong store. With `inAdvance` the store refuses such a subject from then on, and the certificate states
   * that.
   *
   * @throws TrefoilError `missing_subject`; `row_broken` if the row of the subject does not verify, and then nothing is
   *   done.
   */
  readonly shred: (subject: string | number | bigint, options?: ShredOptions) => Promise<ShredCertificate | null>;
  /**
   * Whether a certificate was made by this store, is unchanged, and is about this subject; `null` means any subject.
   */
  readonly isCertificate: (certificate: ShredCertificate, subject: string | number | bigint | null) => boolean;
  /**
   * Returns what this store has now about the subject of a certificate:
   *
   * - `erased`;
   * - `alive`, if the subject was loaded again after its erasure, or if the certificate is from another store with
   *   the same name and keys;
   * - `unknown`, if the store has nothing about the subject;
   * - `null`, if the certificate does not verify.
   *
   * @throws TrefoilError `row_broken` if the row of the subject does not verify.
   */
  readonly stateOf: (certificate: ShredCertificate) => Promise<SubjectNow | null>;
}

/** What the verbs need: the open store, one scope of it, and two options of the rule. */
export interface OpenScope {
  readonly session: Session;
  readonly mapping: Mapping;
  /** Path of the subject's field, or `null` if the rule has no subject. */
  readonly subject: string | null;
  readonly onErased: OnErased;
  readonly missing: VaultMissing;
}

/** The verbs of an open rule. Those that reveal and erase are there only if the caller may reveal. */
export function openVault<Scope extends string, E>(scope: OpenScope, revealing: boolean): OpenVault<Scope, E> {
  return Object.freeze({
    ...protectingVerbs(scope),
    ...storeVerbs(scope),
    ...(revealing && { ...revealingVerbs(scope), ...shreddingVerbs(scope) }),
  }) as unknown as OpenVault<Scope, E>;
}

function protectingVerbs({ session, mapping, subject, onErased, missing }: OpenScope) {
  const make = sparing(mapping.protect, onErased);
  return {
    protect(value: unknown, options?: unknown) {
      protectingKey(session.keys);
      return runOne((report) => {
        const subjects = readSubjects(subject, options, 'subject', 1);
        return overValues(make, [value], subjects, missing, report);
      });
    },
    protectMany(column: unknown, options?: unknown) {
      protectingKey(session.keys);
      const values = checkColumn(column);
      const subjects = readSubjects(subject, options, 'subjects', values.length);
      return runMany((report) => overValues(make, values, subjects, missing, report));
    },
    // With governed keys both are refused: each is a guess at what the store holds, and nobody would count it.
    lookup: (value: unknown, options?: unknown) =>
      runOne((report) => {
        demandUngoverned(session.keys, 'lookup');
        const values = [checkText(value)];
        const subjects = readSubjects(subject, options, 'subject', 1);
        return overValues(mapping.lookup, values, subjects, missing, report);
      }),
    exists: (token: unknown) =>
      runOne((report) => {
        demandUngoverned(session.keys, 'lookup');
        return mapping.exists([checkText(token)], report);
      }),
  };
}

function storeVerbs({ session, mapping }: OpenScope) {
  return {
    verify: async (options?: unknown) =>
      options === undefined ? verifyStore(session) : verifyTokens(mapping, readTokens(options)),
    async rekey(options?: unknown) {
      demandUngoverned(session.keys, 'rekey');
      return options === undefined ? rekeyOuter(session) : rekeyTokens(session, mapping, readTokens(options));
    },
    stats: () => statsOf(session),
    export(options: unknown = {}) {
      demandUngoverned(session.keys, 'export');
      const { onBroken } = checkOptions('options', options, ['onBroken']);
      if (onBroken !== undefined && typeof onBroken !== 'function') {
        badType('onBroken', `expected a function, got ${typeName(onBroken)}`);
      }
      return exportStore(session, { onBroken: onBroken as ExportOptions['onBroken'] });
    },
  };
}

function revealingVerbs({ session, mapping, onErased, missing }: OpenScope) {
  const open = sparing(mapping.reveal, onErased);
  return {
    reveal: (token: unknown) => runOne((report) => overTokens(open, [token], missing, report)),
    revealMany: (tokens: unknown) => runMany((report) => overTokens(open, checkColumn(tokens), missing, report)),
    forget: (token: unknown) => runOne((report) => mapping.forget([checkText(token)], report)),
    expire: (now?: number) => sweep(session, now),
  };
}

function shreddingVerbs({ session }: OpenScope) {
  const certified = 'it cannot be compared with the certificate';
  return {
    async shred(subject: unknown, options: unknown = {}) {
      const { inAdvance } = checkOptions('options', options, ['inAdvance']);
      if (inAdvance !== undefined && inAdvance !== true) badRange('inAdvance', 'expected true, or no such option');
      return shredSubject(session, subjectText(subject, 'nothing was erased'), inAdvance === true);
    },
    isCertificate: (certificate: unknown, subject: unknown) =>
      isCertificate(session, checkCertificate(certificate), subject === null ? null : subjectText(subject, certified)),
    async stateOf(certificate: unknown) {
      const own = Object.freeze({ ...checkCertificate(certificate) });
      return isCertificate(session, own, null) ? subjectNow(session, own) : null;
    },
  };
}

/** Runs a verb over one item, and throws the item's issue after the verb has ended. */
async function runOne(work: (report: ReportIssue) => Promise<unknown[]>): Promise<unknown> {
  const issues: Issue[] = [];
  const [out] = await work((_, issue) => issues.push(issue));
  if (issues.length > 0) throw new TrefoilError(issues);
  return out;
}

/** Runs a verb over a column, and throws one error for all issues after the verb has ended. */
async function runMany(work: (report: ReportIssue) => Promise<unknown[]>): Promise<unknown[]> {
  const { report, throwIfAny } = collectIssues();
  const out = await work(report);
  throwIfAny();
  return out;
}

/** The subjects that the caller passed, or `null` if the rule has no subject. */
function readSubjects(
  subject: string | null,
  options: unknown,
  name: 'subject' | 'subjects',
  count: number,
): readonly unknown[] | null {
  const passed = options === undefined ? undefined : checkOptions('options', options, [name])[name];
  if (subject === null) {
    if (passed !== undefined) badRange(name, 'is only for rules with a subject');
    return null;
  }
  if (name === 'subject') return [passed];
  if (!Array.isArray(passed)) badType('subjects', `expected an array, got ${typeName(passed)}`);
  if (passed.length !== count) badRange('subjects', 'expected as many subjects as there are values');
  return passed;
}

function readTokens(options: unknown): readonly string[] {
  return checkColumn(checkOptions('options', options, ['tokens']).tokens);
}

function checkColumn<T>(column: unknown): readonly T[] {
  if (!Array.isArray(column)) badType('column', `expected an array, got ${typeName(column)}`);
  return column;
}

function checkCertificate(value: unknown): ShredCertificate {
  if (typeof value !== 'object' || value === null) {
    badType('certificate', `expected an object, got ${typeName(value)}`);
  }
  return value as ShredCertificate;
}
