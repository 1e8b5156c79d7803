/**
 * Places: who is asked before governed keys turn something back. A place grants what a warrant allows, and every batch
 * of values is a use that it notes first. What a place demands and where it notes uses is not decided here: rules and
 * policies know only these interfaces (`govern/access/` has the place that keeps charters and logs).
 *
 * **This is a log of habit and no wall**: a program that has governed keys in its own process has the keys.
 */

import type { WarrantAccess } from '../../core/capability.ts';
import type { Issue } from '../../errors.ts';

/** What is done with protected values, in the words of a warrant. */
export type PlaceVerb = 'reveal' | 'rekey' | 'erase' | 'lookup' | 'project';

/** The field that says whose record it is. */
export interface SubjectField {
  /** Its path in the policy. */
  readonly path: string;
  /**
   * Its rule, as plain data. Only a `token` gives each person a name that lasts; `after` is what the rule writes before
   * the token. `options` has the names of everything that is set.
   */
  readonly rule: {
    readonly rule: string;
    readonly scope: string | null;
    readonly after: string;
    readonly options: readonly string[];
  };
  /**
   * Returns the output of the rule for the text of a person, under the primary key.
   *
   * @throws TrefoilError if the rule does not take the text, or needs other fields of the record.
   */
  readonly outputOf: (text: string) => string;
}

/** What will be done with the keys, as it is known before the first record. */
export interface PlaceFacts {
  readonly verb: PlaceVerb;
  readonly domain: string;
  /** What may be turned back, as `kind:scope` or `kind:store/scope`: each once, in ascending order. */
  readonly scopes: readonly string[];
  /** Those of the scopes whose values are bound to a person: a value of somebody else is found out. */
  readonly bound: readonly string[];
  /** `null` if the policy does not say whose records they are. */
  readonly subject: SubjectField | null;
}

/** Values that are turned back together: one use. */
export interface Batch {
  readonly verb: PlaceVerb;
  /** How many values of each scope there are, at least one in all. Missing values do not count. */
  readonly values: ReadonlyMap<string, number>;
  /**
   * Whose values they are: the content of the subject's field, each once. `null` if the policy names no such field. It
   * is what the record says; nobody has verified it.
   */
  readonly subjects: readonly string[] | null;
  /** How many of the values are in records that do not say whose they are. */
  readonly withoutSubject: number;
}

/** What became of the values of a use. The sum is the number of its values. */
export interface Outcome {
  /** Turned back, whatever became of the record afterwards. */
  readonly opened: number;
  /** Tried, and not turned back: broken, of another key, erased. */
  readonly failed: number;
  /** Not tried, because the record was rejected before, or the work ended. */
  readonly refused: number;
}

/** A use that was noted. */
export interface Use {
  /** Notes what became of it. If this fails, nothing of the batch is returned. */
  readonly done: (outcome: Outcome) => Promise<void>;
}

/** What a warrant allows, for one policy. */
export interface Grant {
  /**
   * Set if values must be bound to people: returns the text of the person whom the content of a subject's field names,
   * and `null` for somebody else. A value that belongs to another person then has the issue `other_subject`.
   */
  readonly personOf: ((subject: string) => string | null) | null;
  /**
   * Notes a use and returns when it may begin. Nothing is turned back before.
   *
   * @throws TrefoilError `budget_spent`, `warrant_expired`, `warrant_exceeds` and other codes of warrants and logs.
   */
  readonly use: (batch: Batch) => Promise<Use>;
}

/** Columns that are turned in another process, with the part of the policy that is about them. */
export interface FarBatch {
  /** Rules as plain data, by path. */
  readonly fields: Readonly<Record<string, object>>;
  /** By name; all have one length. */
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  /** Path of the field that says whose record it is; `null` if the policy names none. */
  readonly subject: string | null;
  /** The texts that are no value; `null` if the policy does not list them. */
  readonly missing: readonly string[] | null;
  /** The check values that are pinned, by shown key id; `null` if none is. */
  readonly keyCheck: Readonly<Record<string, string>> | null;
  /** Shown id of the key that made the values which do not show theirs; `null` if they show it or there are none. */
  readonly fromKey: string | null;
}

/** What became of a {@link FarBatch}. */
export interface FarAnswer {
  /** By name: as long as they were. */
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  /** The row counts from 0; the issue has the field. */
  readonly issues: readonly { readonly row: number; readonly issue: Issue }[];
  /** How many values became missing because they were erased. */
  readonly erased: number;
}

/** Keys that are in another process, which does the work. */
export interface Elsewhere {
  /**
   * The code that opens a policy over it: `farRules` of policy/elsewhere/. It comes with the place and not by an
   * import, so a program without a gateway does not have it.
   */
  readonly rules: unknown;
  /** The most rows of a batch. */
  readonly mostRows: number;
  /**
   * Presents a warrant there.
   *
   * @returns what turns batches back: each is a use.
   */
  readonly present: (access: WarrantAccess) => Promise<(batch: FarBatch) => Promise<FarAnswer>>;
  /** Protects a batch there. */
  readonly protect: (batch: FarBatch) => Promise<FarAnswer>;
}

/** Who is asked before something is turned back. */
export interface Place {
  /**
   * Holds a warrant against what is to be done.
   *
   * @throws TrefoilError with the codes of warrants.
   */
  readonly grant: (access: WarrantAccess, facts: PlaceFacts) => Promise<Grant>;
  /** Set if the keys are in another process: then it is asked for the work and not for a grant. */
  readonly elsewhere?: Elsewhere;
}
