/** What is counted of the entries of the period. Entries before and after it reach the accounts alone. */

import type { DoneEntry, ForwardEntry, KeyEntry, LogEvent, UseEntry } from '../../log/entry/kinds.ts';
import type { Charter } from '../charter/charter.ts';
import type { ProtectedPeople } from '../people/protected.ts';
import type { Account, Accounts, OpenUse, Placed } from './accounts.ts';
import { type Period, watchBursts } from './activity.ts';
import { watchPeople } from './people.ts';
import { purposeTallies } from './purposes.ts';
import {
  type Contradiction,
  type Cut,
  listing,
  MOST_LISTED,
  type PairThreshold,
  type RepeatedPerson,
  type Report,
  type SubjectThreshold,
} from './report.ts';

/** Five warrants about one person in thirty days, if the charter has no line `alert subject`. */
const DEFAULT_SUBJECT: SubjectThreshold = Object.freeze({ count: 5, seconds: 30 * 86_400, isDefault: true });

/** One approver for 80 % of at least ten warrants, if the charter has no line `alert pair`. */
const DEFAULT_PAIR: PairThreshold = Object.freeze({ percent: 80, least: 10, isDefault: true });

export function subjectThreshold(charter: Charter | null): SubjectThreshold {
  const stated = charter?.alerts.subject ?? null;
  return stated === null ? DEFAULT_SUBJECT : { ...stated, isDefault: false };
}

export function pairThreshold(charter: Charter): PairThreshold {
  const { pair } = charter.alerts;
  return pair === null ? DEFAULT_PAIR : { ...pair, isDefault: false };
}

/** The sums of a period. */
export interface Totals {
  entries: number;
  uses: number;
  values: number;
  /** Values of uses whose outcome says that they were not opened. */
  unopened: number;
  sealed: number;
  starts: number;
  refusals: number;
  erasures: number;
  unknown: number;
}

/** Counts entries, and returns the parts of a report that follow from them. */
export interface Counters {
  readonly unknown: (at: number) => void;
  readonly use: (entry: Placed<UseEntry>) => void;
  readonly other: (entry: Placed) => void;
  readonly totals: Readonly<Totals>;
  readonly purposes: ReturnType<typeof purposeTallies>;
  /** The warrants that were logged or used in the period. */
  readonly warrants: () => readonly Account[];
  readonly repeated: () => Cut<RepeatedPerson>;
  readonly lists: () => Pick<Report, 'unnamed' | 'charters' | 'keys' | 'exports' | 'denials' | 'forward'> & {
    readonly outsideHours: Cut<number>;
    readonly touched: Cut<number>;
  };
}

/** Makes counters. */
export function newCounters(
  accounts: Accounts,
  period: Period,
  list: ProtectedPeople | null,
  contradict: (found: Contradiction) => void,
): Counters {
  const purposes = purposeTallies();
  const seen = new Set<Account>();
  const watch = watchPeople();
  const totals: Totals = {
    entries: 0,
    uses: 0,
    values: 0,
    unopened: 0,
    sealed: 0,
    starts: 0,
    refusals: 0,
    erasures: 0,
    unknown: 0,
  };
  const [outsideHours, unnamed, touched] = [listing<number>(), listing<number>(), listing<number>()];
  const charters: { readonly entry: number; readonly version: number }[] = [];
  const events = eventCounters();
  const isIn = (at: number): boolean => at >= period.from && at < period.to;

  function countOutcome({ at, account, values }: OpenUse, { opened, failed }: DoneEntry): void {
    if (!isIn(at)) return;
    // A value that failed may have been seen on its way. Only what was refused was certainly not opened.
    const unopened = Math.max(0, values - opened - failed);
    totals.unopened += unopened;
    if (account !== null) purposes.outcome(account, unopened);
  }

  return {
    unknown(at) {
      if (!isIn(at)) return;
      totals.unknown++;
      totals.entries++;
    },
    use(entry) {
      const { index, at, event } = entry;
      const { account, values, people, isUnnamed } = accounts.takeUse(entry);
      const charter = accounts.charter();
      if (account !== null) {
        const threshold = subjectThreshold(charter);
        for (const person of people ?? []) watch.see(person, account, at, threshold, isIn(at));
      }
      const isProtected = list !== null && people?.some(list.has) === true;
      if (isProtected && account !== null && account.charter.protected?.sha256 === list.sha256) {
        const message = 'the use is about a protected person, and signatures that this needs are missing';
        if (!account.isForProtected) contradict({ entry: index, code: 'warrant_unsigned', message });
      }
      if (!isIn(at)) return;
      totals.entries++;
      totals.uses++;
      totals.values += values;
      totals.sealed += event.subjects.length;
      if (isUnnamed) unnamed.add(index);
      if (isProtected) touched.add(index);
      const hours = charter?.alerts.hours ?? null;
      if (hours !== null && !isWithin(at, hours)) outsideHours.add(index);
      if (account === null) return;
      seen.add(account);
      purposes.use(account, values, people, event.bound);
    },
    other(entry) {
      const { index, at, event } = entry;
      const before = accounts.charter();
      const { outcome, account } = accounts.take(entry);
      if (outcome !== null) countOutcome(outcome.use, outcome.done);
      if (!isIn(at)) return;
      totals.entries++;
      const charter = accounts.charter();
      if (charter !== null && charter !== before) charters.push({ entry: index, version: charter.version });
      if (account !== null) {
        seen.add(account);
        purposes.warrant(account);
      } else if (event.kind === 'start') totals.starts++;
      else if (event.kind === 'refusal') totals.refusals++;
      else if (event.kind === 'erase') totals.erasures++;
      else events.see(event, index, at);
    },
    totals,
    purposes,
    warrants: () => [...seen],
    repeated() {
      const all = watch.repeated();
      return { count: all.length, first: all.slice(0, MOST_LISTED) };
    },
    lists: () => ({
      outsideHours: outsideHours.done(),
      unnamed: unnamed.done(),
      touched: touched.done(),
      charters,
      ...events.done(),
    }),
  };
}

/** Counts keys, refused requests and leases of clients. */
function eventCounters() {
  const keys: Record<string, number> = {};
  const exports = listing<{ readonly entry: number; readonly key: string }>();
  const codes = new Map<string, number>();
  const bursts = watchBursts();
  const forward = new Map<string, { client: string; verb: string; scope: string; values: number }>();
  let denied = 0;

  function seeKey({ event, key }: KeyEntry, entry: number): void {
    keys[event] = (keys[event] ?? 0) + 1;
    if (event === 'exported') exports.add({ entry, key });
  }

  function seeForward({ client, verb, scope, count }: ForwardEntry): void {
    const name = `${client} ${verb} ${scope}`;
    const row = forward.get(name) ?? { client, verb, scope, values: 0 };
    row.values += count;
    forward.set(name, row);
  }

  return {
    see(event: LogEvent, entry: number, at: number): void {
      if (event.kind === 'key') seeKey(event, entry);
      else if (event.kind === 'forward') seeForward(event);
      else if (event.kind === 'deny') {
        denied += event.count;
        codes.set(event.code, (codes.get(event.code) ?? 0) + event.count);
        bursts.see(at, event.count);
      }
    },
    done: (): Pick<Report, 'keys' | 'exports' | 'denials' | 'forward'> => ({
      keys,
      exports: exports.done(),
      denials: {
        count: denied,
        codes: Object.fromEntries([...codes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
        bursts: bursts.done(),
      },
      forward: [...forward.values()].sort((a, b) => b.values - a.values || (a.client < b.client ? -1 : 1)),
    }),
  };
}

/** Whether a time is within the hours of a charter, which may pass midnight. */
function isWithin(at: number, { from, to }: { readonly from: number; readonly to: number }): boolean {
  const hour = Math.floor((at % 86_400) / 3600);
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}
