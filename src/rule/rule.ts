/**
 * What every rule is: frozen plain data (it stands in the policy file), with the work behind a registered symbol, and
 * the verbs of a rule that is bound alone. This is the only sibling that a rule's file imports.
 */

import { isCapability, type RevealAccess } from '../core/capability.ts';
import { badRange, badType, checkName, checkOptions, typeName } from '../core/checks.ts';
import { isNumberColumn, isUtf8Column, readUtf8, type Utf8Column, utf8Column } from '../core/columns.ts';
import { fail, type Issue, kindOf, MAX_ISSUES, TrefoilError } from '../errors.ts';
import { type DomainKeys, type OpenedKeys, openKeys } from '../keys/domain-keys.ts';

const ENGINE = Symbol.for('trefoil.rule.v1');

/** What every rule may say in a policy. */
export interface Common {
  /** The field may be absent from a record. */
  readonly optional?: boolean;
  /** Why the field is treated so: it goes into the record of processing that `explain` writes. */
  readonly why?: string;
}

/** A rule: frozen plain data that says what happens to one field. */
export interface Rule extends Common {
  /** Name of the rule, as in the policy file. */
  readonly rule: string;
}

/** A rule as its constructor gives it: with `optional: true` the type says that the field may be absent. */
export type MayBeAbsent<R extends Rule, Optional extends boolean> = [Optional] extends [true]
  ? R & { readonly optional: true }
  : R;

/** Takes a value's issue and the index of the value in its column. */
export type Report = (index: number, issue: Issue) => void;

/** Other columns of the same records, as they came, by the paths that the rule's `needs` name. */
export type Siblings = (path: string) => readonly unknown[];

/**
 * Turns a column into a column of the same length. A cell whose issue was reported is left `undefined`. `siblings` is
 * there for rules that need some.
 */
export type ColumnVerb = (column: readonly unknown[], report: Report, siblings?: Siblings) => unknown[];

/** A rule with its keys: key set-up is done, what is left is per-value work. */
export interface BoundColumns {
  readonly protect: ColumnVerb;
  /** `protect` of one value, for rules that can do one with less ado than a column; it throws. */
  readonly protectOne?: (value: unknown) => unknown;
  /** Gives back what was protected; a rule that cannot go back passes the column as it is. */
  readonly reveal: ColumnVerb;
}

/** The same for a rule that waits for something outside: a store. */
export type AsyncVerb = (column: readonly unknown[], report: Report, siblings?: Siblings) => Promise<unknown[]>;

/** A rule with its keys and its store. */
export interface AsyncColumns {
  readonly protect: AsyncVerb;
  readonly reveal: AsyncVerb;
}

/** How a rule's output comes about, in the words of the record of processing. */
export type Origin =
  | 'derived from the value with a key'
  | 'random'
  | 'fixed'
  | 'taken from the value'
  | 'the value itself'
  | 'nothing';

/** What `explain` and `check` need to know about a rule. */
export interface Facts {
  /** One sentence: what happens to a value, with the texts of the policy apart from the words. */
  readonly what: string | readonly (string | { readonly quoted: string })[];
  readonly origin: Origin;
  /** With what a value can be turned back. */
  readonly back: 'never' | 'key' | 'store and key' | 'unchanged';
  /** Rules of one group use one key: equal values have equal outputs, but for a token's label. `null`: it has no scope. */
  readonly joins: string | null;
  /** Scope, for rules that have one. */
  readonly scope: string | null;
  /** What an outsider still sees. */
  readonly visible: string;
}

/** The work behind a rule. */
export interface RuleEngine {
  readonly facts: Facts;
  /** Whether `bind` needs keys. */
  readonly keyed: boolean;
  /** Whether revealing needs a pinned key check, because the output cannot tell a wrong key. */
  readonly needsPin: boolean;
  /** What a cell of a text file (CSV) must be turned into before it is protected. */
  readonly cell: 'text' | 'integer';
  /** Whether a number of JSON comes to the rule as its text: two spellings of one number may be judged differently. */
  readonly readsSpelling?: boolean;
  /** Whether the field is gone from a record after it was protected. */
  readonly removes: boolean;
  /** Paths of other fields of the record whose values the rule looks at; most rules need none. */
  readonly needs?: readonly string[];
  /** Why the rule cannot be bound at all, such as a space that is too small; a fact of the rule, not of keys. */
  readonly unfit: Issue | null;
  /** Key set-up. `revealing` says whether the caller holds `revealAccess`; keys are `null` for rules without. */
  readonly bind: (keys: OpenedKeys | null, revealing: boolean) => BoundColumns;
  /** Key set-up of a rule that waits for a store; `bind` of such a rule throws. */
  readonly open?: (keys: OpenedKeys, stores: unknown) => Promise<AsyncColumns>;
}

/** Puts the engine on a rule's data, with verbs that are not part of the data, and freezes it. */
export function makeRule<T extends { readonly rule: string }, V extends object>(
  data: T,
  engine: RuleEngine,
  verbs: V,
): T & V {
  for (const [name, value] of Object.entries(verbs)) Object.defineProperty(data, name, { value });
  Object.defineProperty(data, ENGINE, { value: engine });
  return Object.freeze(data) as T & V;
}

/** The engine of a rule, or `null` for anything that is not a rule. */
export function ruleEngine(value: unknown): RuleEngine | null {
  if (typeof value !== 'object' || value === null) return null;
  return ((value as Record<symbol, unknown>)[ENGINE] as RuleEngine | undefined) ?? null;
}

/**
 * The same rule for a field that may be absent. It is the way to say so for `keep` and `drop`, which take no options.
 *
 * @example
 * ```ts
 * import { keep, keyset, optional, policy } from 'trefoil';
 *
 * const p = policy({ country: optional(keep) });
 * p.bind(keyset.generate().domain('eu')).protect({}); // → {}
 * ```
 */
export function optional<R extends Rule>(rule: R): R & { readonly optional: true } {
  const engine = ruleEngine(rule);
  if (engine === null) badType('rule', `expected a rule, got ${typeName(rule)}`);
  const hidden: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(rule)) {
    if (!Object.prototype.propertyIsEnumerable.call(rule, name))
      hidden[name] = (rule as unknown as Record<string, unknown>)[name];
  }
  return makeRule({ ...rule, optional: true as const }, engine, hidden) as unknown as R & { readonly optional: true };
}

/** The options of a rule, checked for their names. */
export interface RuleOptions<T> {
  /** A copy of the options that are there; nothing else is read. */
  readonly own: T;
  /** Those that every rule has, without absent members. */
  readonly common: Common;
}

/** Checks the names of a rule's options, and the options that every rule has. */
export function checkRule<T>(name: string, options: T, known: readonly string[]): RuleOptions<T> {
  const own = checkOptions<T & Common>('options', options, [...known, 'optional', 'why']);
  const { optional: absent, why } = own as { readonly optional?: unknown; readonly why?: unknown };
  if (absent !== undefined && typeof absent !== 'boolean')
    badType('optional', `expected true or false, got ${typeName(absent)}`);
  if (why !== undefined && (typeof why !== 'string' || why.length > 1000)) {
    badType('why', `expected text of at most 1000 characters for ${name}`);
  }
  const common = {
    ...(absent === true ? { optional: true } : {}),
    ...(why === undefined ? {} : { why: why as string }),
  };
  return { own, common };
}

/** An option of a rule as it is written in the policy file; `undefined` if it is not there. */
export function ruleOption(rule: Rule, name: string): unknown {
  return Object.hasOwn(rule, name) ? (rule as unknown as Record<string, unknown>)[name] : undefined;
}

/** Those of the options that are there, in the given order: what stands in the policy file. */
export function given<T extends object, K extends keyof T>(options: T, names: readonly K[]): Partial<Pick<T, K>> {
  const out: Partial<Pick<T, K>> = {};
  for (const name of names) if (options[name] !== undefined) out[name] = options[name];
  return out;
}

/** Checks the scope of a rule. */
export function checkScope(options: { readonly scope?: unknown }): string {
  return checkName('scope', options.scope);
}

/** The path of the field that says whose a value is; whether the policy has such a field is the policy's business. */
export function checkSubject(subject: unknown): string {
  if (typeof subject !== 'string') badType('subject', `expected the path of a field, got ${typeName(subject)}`);
  if (subject === '') badRange('subject', 'expected the path of a field');
  // What is escaped belongs to a name.
  if (subject.replace(/\\./g, '').includes('[')) {
    badRange('subject', 'expected a path without arrays: a record has one subject');
  }
  return subject;
}

/** A subject's text, which is there. @param so What comes of it when it is not. */
export function checkWhose(text: string, what: string, so: string): string {
  if (text === '') fail('missing_subject', `the record does not say whose ${what} it is, so ${so}`);
  return text;
}

/** Checks `empty`: what happens to the empty string. */
export function checkEmpty(empty: unknown): 'keep' | 'protect' {
  if (empty === undefined) return 'keep';
  if (empty !== 'keep' && empty !== 'protect') badRange('empty', 'expected keep or protect');
  return empty;
}

/**
 * Applies a function to every cell that holds something. `null` and `undefined` pass, and so does the empty string
 * unless `empty` is `'protect'`: a missing value is not a person.
 */
export function mapColumn(
  column: readonly unknown[],
  apply: (value: unknown) => unknown,
  report: Report,
  empty: 'keep' | 'protect' = 'keep',
): unknown[] {
  const out = new Array<unknown>(column.length);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (value === null || value === undefined || (value === '' && empty === 'keep')) {
      out[i] = value;
      continue;
    }
    try {
      out[i] = apply(value);
    } catch (error) {
      report(i, issueOf(error));
    }
  }
  return out;
}

/** The issue of a value's error. What is not about data (a fault, an argument) goes on up. */
export function issueOf(error: unknown): Issue {
  if (error instanceof TrefoilError && kindOf(error.code) === 'data') return error.issues[0]!;
  throw error;
}

/** Opens keys for a bound rule and settles whether it may reveal. */
export function openFor(
  keys: DomainKeys,
  access: RevealAccess | undefined,
): { opened: OpenedKeys; revealing: boolean } {
  return { opened: openKeys(keys), revealing: checkAccess(access) };
}

/** Tells whether the capability is there; anything else that is given is an error. */
export function checkAccess(access: unknown): boolean {
  if (access === undefined) return false;
  if (!isCapability(access, 'reveal')) badType('revealAccess', 'expected revealAccess of trefoil/reveal');
  return true;
}

/**
 * Runs a verb over a column and throws once, with the first 100 issues and their row numbers from 1. What comes as
 * UTF-8 with offsets goes as such.
 */
export function runColumn(verb: ColumnVerb, column: readonly unknown[]): unknown[];
export function runColumn(verb: ColumnVerb, column: unknown): unknown[] | Utf8Column;
export function runColumn(verb: ColumnVerb, column: unknown): unknown[] | Utf8Column {
  const issues: Issue[] = [];
  let total = 0;
  const report: Report = (index, issue) => {
    total++;
    if (issues.length < MAX_ISSUES) issues.push({ ...issue, row: index + 1 });
  };
  let out: unknown[];
  if (isUtf8Column(column)) {
    const texts = readUtf8(column, (index) => report(index, { code: 'not_utf8', message: 'the text is no UTF-8' }));
    // The rule's own issues come after these, and people read row by row.
    const unread = issues.splice(0);
    out = verb(texts, report);
    issues.unshift(...unread);
    issues.sort((a, b) => a.row! - b.row!);
    issues.length = Math.min(issues.length, MAX_ISSUES);
  } else {
    // Numbers of a typed array become an array of them: 2 ns each, and one way for the rules.
    const values: unknown = isNumberColumn(column) ? Array.from<unknown>(column) : column;
    if (!Array.isArray(values)) {
      badType(
        'column',
        `expected an array, got ${typeName(column)}; typed arrays of numbers and { offsets, bytes } of UTF-8 do as well`,
      );
    }
    out = verb(values, report);
  }
  if (total > 0) throw new TrefoilError(issues, total);
  return isUtf8Column(column) ? utf8Column(out as string[]) : out;
}

/**
 * Runs a verb over a column whose issues are reported one by one. From the second issue on, errors are made without a stack
 * trace: nobody sees the trace of an error that becomes an issue, and a column of bad values spends most of its time on
 * them (measured). `Error.stackTraceLimit` is V8's; elsewhere nothing changes.
 */
export function runReported(
  verb: ColumnVerb,
  column: readonly unknown[],
  report: Report,
  siblings: Siblings,
): unknown[] {
  const { stackTraceLimit } = Error as { stackTraceLimit?: unknown };
  let traced = typeof stackTraceLimit === 'number';
  const setLimit = (limit: unknown): unknown => Reflect.set(Error, 'stackTraceLimit', limit);
  const reportOne: Report = (index, issue) => {
    if (traced) setLimit(0);
    traced = false;
    report(index, issue);
  };
  try {
    return verb(column, reportOne, siblings);
  } finally {
    if (typeof stackTraceLimit === 'number') setLimit(stackTraceLimit);
  }
}

/** Texts that are looked at to tell whether a column repeats: one of 16, and 128 at most. Shorter columns are not asked. */
const SAMPLE = 128;
const ONE_OF = 16;
const WORTH_IT = 512;

/**
 * The same verb, which does equal texts of a column once when the column repeats. `work` depends on nothing but the
 * value, as all rules do. Measured: a look-up costs 60 ns, so only columns with fewer than some 60 % different texts
 * gain, as cities, first names and agents do; the sample costs a column that has not 1 %.
 */
export function onceEach(work: ColumnVerb): ColumnVerb {
  return (column, report) => {
    if (!repeats(column)) return work(column, report);
    const places = new Map<string, number>();
    const different: unknown[] = [];
    const placeOf = new Int32Array(column.length);
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      // Only texts: 0 and -0 are one key of a map and two values of a column.
      let place = typeof value === 'string' ? places.get(value) : undefined;
      if (place === undefined) {
        place = different.push(value) - 1;
        if (typeof value === 'string') places.set(value, place);
      }
      placeOf[i] = place;
    }
    const issues = new Map<number, Issue>();
    const done = work(different, (place, issue) => issues.set(place, issue));
    const out = new Array<unknown>(column.length);
    for (let i = 0; i < out.length; i++) out[i] = done[placeOf[i]!];
    if (issues.size > 0) {
      for (let i = 0; i < out.length; i++) {
        const issue = issues.get(placeOf[i]!);
        if (issue !== undefined) report(i, issue);
      }
    }
    return out;
  };
}

/**
 * Whether fewer than some 60 % of a column's texts are different, from r repeats among n texts that lie apart: those are
 * what about n^2 / 2 r equally frequent texts give, after the problem of birthdays.
 */
function repeats(column: readonly unknown[]): boolean {
  if (column.length < WORTH_IT) return false;
  const count = Math.min(SAMPLE, Math.floor(column.length / ONE_OF));
  const step = column.length / count;
  const seen = new Set<string>();
  let texts = 0;
  for (let k = 0; k < count; k++) {
    const value = column[Math.floor(k * step)];
    if (typeof value !== 'string') continue;
    texts++;
    seen.add(value);
  }
  const r = texts - seen.size;
  return r >= 2 && (texts * texts) / (2 * r) < 0.8 * column.length;
}

/** Runs a verb over one value. */
export function runValue(verb: ColumnVerb, value: unknown): unknown {
  return verb([value], (_, issue) => {
    throw new TrefoilError([issue]);
  })[0];
}

/** The verbs of a rule that is bound alone: without the capability there is no `reveal`. */
export function boundVerbs(columns: BoundColumns, revealing: boolean): object {
  return Object.freeze({
    protect: columns.protectOne ?? ((value: unknown) => runValue(columns.protect, value)),
    protectMany: (column: unknown) => runColumn(columns.protect, column),
    ...(revealing && {
      reveal: (value: unknown) => runValue(columns.reveal, value),
      revealMany: (column: unknown) => runColumn(columns.reveal, column),
    }),
  });
}

/** Refuses to reveal without the capability. The compiler says so first. */
export function refuseReveal(): never {
  fail('reveal_access_required', 'bind with revealAccess of trefoil/reveal to turn values back');
}
