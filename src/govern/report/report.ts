/**
 * What a report for overseers says, as plain data (docs/guide/govern/oversight.md). It has counts, handles of officers
 * and desks, names of purposes and scopes, digests, and pseudonyms of people; no value, no token and no reason.
 *
 * Its rules are fixed, and stated here or in the charter. Nothing is learned from the data, so the same log gives the
 * same report to everybody.
 */

import { badType, typeName } from '../../core/checks.ts';
import type { IssueCode } from '../../errors.ts';
import type { Verification } from '../../log/verify/verify.ts';

/** What is known of the log itself, from its verification. */
export type LogState = Pick<Verification, 'origin' | 'size' | 'cosigned' | 'silent' | 'witnessed'>;

/** The numbers of a purpose, within the period. */
export interface PurposeRow {
  readonly purpose: string;
  /** The name of the purpose in the Data Privacy Vocabulary; `null` if the charter states none. */
  readonly dpv: string | null;
  readonly isGlass: boolean;
  /** Warrants that were logged or used. */
  readonly warrants: number;
  readonly uses: number;
  /** Values that the uses were for. */
  readonly values: number;
  /** Values that were opened. A use without an outcome counts as opened. */
  readonly opened: number;
  /** How many people, each once; `null` if the report was made without the key of the shard. */
  readonly people: number | null;
  /** Uses whose people are the word of the desk, and were not verified. */
  readonly unbound: number;
}

/** What an officer asked and agreed to, within the period. */
export interface OfficerRow {
  readonly handle: string;
  /** Warrants of this requester. */
  readonly asked: number;
  /** Warrants of others that this officer's signature counted for. */
  readonly approved: number;
}

/** A requester and an approver of most of the requester's warrants. */
export interface PairRow {
  readonly requester: string;
  readonly approver: string;
  /** How many of the requester's warrants the approver has approved. */
  readonly warrants: number;
  /** How many warrants the requester has. */
  readonly of: number;
}

/** A person who was looked at again and again. */
export interface RepeatedPerson {
  /** 16 symbols. Only somebody with the key of the domain and a table can find the person. */
  readonly pseudonym: string;
  /** The most warrants that were used about the person in one window of the alert. */
  readonly warrants: number;
  /** Their requesters and purposes, each once, in alphabetical order. */
  readonly requesters: readonly string[];
  readonly purposes: readonly string[];
  /** From the first to the last of these uses, in seconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** A warrant whose breadth was not used. */
export interface UnusedWarrant {
  /** SHA-256 of the text of the warrant. */
  readonly warrant: string;
  readonly requester: string;
  readonly purpose: string;
  /** The most values; `null`: any number. */
  readonly values: number | null;
  /** How many were used. */
  readonly used: number;
}

/** An entry, and how long after it nothing was written. */
export interface Silence {
  /** The entry before the silence. */
  readonly after: number;
  /** Its time, in seconds since 1970. */
  readonly from: number;
  readonly seconds: number;
  /** Whether an entry followed. If not, the log has ended, or was cut. */
  readonly hasEnded: boolean;
}

/** Refused requests within a short time. */
export interface Burst {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** A use of break-glass that nobody has ratified. */
export interface UnratifiedUse {
  readonly entry: number;
  readonly requester: string;
  readonly purpose: string;
  readonly at: number;
  /** Whether the time of the purpose for it has passed. */
  readonly isOverdue: boolean;
}

/** An entry that a gateway that follows its charter does not write. */
export interface Contradiction {
  readonly entry: number;
  /** The code of the error that the gateway should have answered with. */
  readonly code: IssueCode;
  readonly message: string;
}

/** A list that is cut if it is long. */
export interface Cut<Item> {
  readonly count: number;
  /** The first ones: at most {@link MOST_LISTED}. */
  readonly first: readonly Item[];
}

/** The most items of one kind that a report lists. All are counted. */
export const MOST_LISTED = 100;

/** A threshold of the report: that of the charter, or the default. */
export interface SubjectThreshold {
  readonly count: number;
  readonly seconds: number;
  readonly isDefault: boolean;
}

/** The share of a requester's warrants that one approver may have, and from how many warrants on. */
export interface PairThreshold {
  readonly percent: number;
  readonly least: number;
  readonly isDefault: boolean;
}

/** A report. Times are seconds since 1970 in UTC. */
export interface Report {
  readonly trefoil: 'report-v1';
  readonly domain: string;
  /** The newest charter. */
  readonly charter: {
    readonly version: number;
    readonly sha256: string;
    /** SHA-256 of the text of the first one, and whether the reader has pinned it. */
    readonly first: string;
    readonly isPinned: boolean;
  };
  /** From, and up to but without. */
  readonly period: { readonly from: number; readonly to: number };
  /** When the report was made. */
  readonly now: number;
  /** `G1`: the charter demands no witness, so nobody outside has to cosign; `G2`: it does. */
  readonly level: 'G1' | 'G2';
  /** What the report could see. */
  readonly sees: { readonly people: boolean; readonly protected: boolean | null };
  /** `null` if the state of the log was not passed. */
  readonly log: LogState | null;
  /** Entries of the period. */
  readonly entries: number;
  readonly thresholds: {
    readonly subject: SubjectThreshold;
    readonly pair: PairThreshold;
    /** Hours of the day in UTC; `null` if the charter states none. */
    readonly hours: { readonly from: number; readonly to: number } | null;
  };
  readonly totals: {
    readonly warrants: number;
    readonly uses: number;
    readonly values: number;
    readonly opened: number;
    readonly people: number | null;
    /** How many sealed pseudonyms the uses have: people count once for each use. */
    readonly sealed: number;
  };
  readonly purposes: readonly PurposeRow[];
  readonly officers: readonly OfficerRow[];
  readonly pairs: readonly PairRow[];
  /** `null` without the key of the shard. Those with most warrants first. */
  readonly repeated: Cut<RepeatedPerson> | null;
  /** Warrants that have ended, and were never used. */
  readonly unused: Cut<UnusedWarrant> & { readonly values: number };
  /** Warrants that have ended, with less than a tenth of their values used. */
  readonly barelyUsed: Cut<UnusedWarrant>;
  /** Uses outside the hours of the charter; `null` if it states none. */
  readonly outsideHours: Cut<number> | null;
  /** Refused requests by code, and bursts of at least 20 in an hour. */
  readonly denials: { readonly count: number; readonly codes: Readonly<Record<string, number>> } & {
    readonly bursts: Cut<Burst>;
  };
  /** Warrants that an officer has refused. */
  readonly refusals: number;
  readonly unratified: Cut<UnratifiedUse> & { readonly overdue: number };
  /** Uses that have no outcome and are older than ten minutes. */
  readonly withoutOutcome: Cut<number>;
  /** Uses that name nobody, although their purpose counts people. */
  readonly unnamed: Cut<number>;
  readonly contradictions: Cut<Contradiction>;
  /** More than 11 minutes without an entry. */
  readonly silences: Cut<Silence>;
  /** Witnesses whose time differs by more than ten minutes: by how many seconds the log is ahead of them. */
  readonly clocks: readonly { readonly witness: string; readonly ahead: number }[];
  /** Starts of the writer. */
  readonly starts: number;
  /** Versions of the charter that took effect. */
  readonly charters: readonly { readonly entry: number; readonly version: number }[];
  /** What happened to keys, by event, and the exports. */
  readonly keys: Readonly<Record<string, number>>;
  readonly exports: Cut<{ readonly entry: number; readonly key: string }>;
  readonly erasures: number;
  /** Uses about protected people; `null` without the list or the key of the shard. */
  readonly protected: Cut<number> | null;
  /** Values that clients were allowed to protect or look up. They may not have used all of them. */
  readonly forward: readonly {
    readonly client: string;
    readonly verb: string;
    readonly scope: string;
    readonly values: number;
  }[];
  /** Entries of a newer version, which this one cannot read. */
  readonly unknown: number;
  /** How many of these things stand out: the lines that {@link Report} as text marks with an exclamation mark. */
  readonly standsOut: number;
}

const BRAND = Symbol.for('trefoil.report.v1');

/** Marks a report, so that what is printed is one that was made here. */
export function branded(report: Report): Report {
  return Object.freeze(Object.defineProperty(report, BRAND, { value: true }));
}

/** @throws TypeError if a value is not a report of `reportOf`. */
export function checkReport(value: unknown): void {
  const isOne = typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  if (!isOne) badType('report', `expected a report of reportOf, got ${typeName(value)}`);
}

/** A list that is being made: all are counted, the first ones are kept. */
export interface Listing<Item> {
  readonly add: (item: Item) => void;
  readonly done: () => Cut<Item>;
}

export function listing<Item>(): Listing<Item> {
  const first: Item[] = [];
  let count = 0;
  return {
    add(item) {
      if (count++ < MOST_LISTED) first.push(item);
    },
    done: () => ({ count, first }),
  };
}
