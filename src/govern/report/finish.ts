/** The end of a report: what is known only when all entries were read. */

import { badType, checkInteger } from '../../core/checks.ts';
import type { Charter } from '../charter/charter.ts';
import type { Account, Accounts } from './accounts.ts';
import type { Period } from './activity.ts';
import { type Counters, pairThreshold, subjectThreshold } from './counters.ts';
import { officersOf, pairsOf } from './officers.ts';
import {
  branded,
  type Contradiction,
  type Cut,
  type LogState,
  listing,
  type Report,
  type Silence,
  type UnratifiedUse,
  type UnusedWarrant,
} from './report.ts';

/** A warrant is barely used with less than this share of its values. */
const BARELY = 0.1;

/** How long a use may run without an outcome, in seconds. */
const MOST_RUNNING = 600;

/** What a report is finished from. */
export interface Gathered {
  readonly charter: Charter;
  readonly isPinned: boolean;
  readonly seesPeople: boolean;
  /** Whether the list of protected people was passed. */
  readonly hasList: boolean;
  readonly period: Period;
  readonly now: number;
  readonly accounts: Accounts;
  readonly counters: Counters;
  readonly log: LogState | null;
  readonly contradictions: Cut<Contradiction>;
  readonly silences: Cut<Silence>;
  readonly clocks: Report['clocks'];
}

/** Makes the report. */
export function finished(gathered: Gathered): Report {
  const { charter, isPinned, seesPeople, hasList, period, now, accounts, counters, log } = gathered;
  const { contradictions, silences, clocks } = gathered;
  const { totals, purposes } = counters;
  const { outsideHours, touched, ...lists } = counters.lists();
  const warrants = counters.warrants();
  const thresholds = {
    subject: subjectThreshold(charter),
    pair: pairThreshold(charter),
    hours: charter.alerts.hours,
  };
  const report: Omit<Report, 'standsOut'> = {
    trefoil: 'report-v1',
    domain: charter.domain,
    charter: { version: charter.version, sha256: charter.sha256, first: accounts.first()!, isPinned },
    period,
    now,
    level: charter.isUnwitnessed ? 'G1' : 'G2',
    sees: { people: seesPeople, protected: charter.protected === null ? null : hasList && seesPeople },
    log,
    entries: totals.entries,
    thresholds,
    totals: {
      warrants: warrants.length,
      uses: totals.uses,
      values: totals.values,
      opened: totals.values - totals.unopened,
      people: seesPeople ? purposes.people() : null,
      sealed: totals.sealed,
    },
    purposes: purposes.rows(seesPeople),
    officers: officersOf(warrants),
    pairs: pairsOf(warrants, thresholds.pair),
    repeated: seesPeople ? counters.repeated() : null,
    ...breadthOf(warrants, Math.min(now, period.to)),
    outsideHours: thresholds.hours === null ? null : outsideHours,
    refusals: totals.refusals,
    unratified: unratifiedOf(accounts, period, now),
    withoutOutcome: withoutOutcomeOf(accounts, period, now),
    contradictions,
    silences,
    clocks,
    starts: totals.starts,
    erasures: totals.erasures,
    protected: hasList && seesPeople ? touched : null,
    unknown: totals.unknown,
    ...lists,
  };
  return branded({ ...report, standsOut: standingOut(report) });
}

/** Checks the state of a log, and keeps what a report says of it. @throws TypeError, RangeError */
export function stateOf(log: LogState): LogState {
  const { origin, size, cosigned, silent, witnessed } = log;
  if (origin !== null && typeof origin !== 'string') badType('log', 'expected an origin as text');
  for (const number of [size, witnessed]) checkInteger('log', number, 0, Number.MAX_SAFE_INTEGER);
  if (!Array.isArray(cosigned) || !Array.isArray(silent)) badType('log', 'expected what verifyLog returns');
  return {
    origin,
    size,
    witnessed,
    silent: Array.from(silent, (name: unknown) =>
      typeof name === 'string' ? name : badType('log', 'expected names as text'),
    ),
    cosigned: Array.from(cosigned, (one: unknown) => {
      if (typeof one !== 'object' || one === null) badType('log', 'expected cosignatures as verifyLog returns them');
      const { name, ...rest } = one as Readonly<Record<string, unknown>>;
      if (typeof name !== 'string') badType('log', 'expected the name of a witness as text');
      const [time, of] = [rest.time, rest.size].map((it) => checkInteger('log', it, 0, Number.MAX_SAFE_INTEGER));
      return { name, time: time!, size: of! };
    }),
  };
}

/** Warrants that have ended, and were used not at all or for a small part. */
function breadthOf(warrants: readonly Account[], end: number): Pick<Report, 'unused' | 'barelyUsed'> {
  const [unused, barely] = [listing<UnusedWarrant>(), listing<UnusedWarrant>()];
  let values = 0;
  for (const { sha256, requester, purpose, uses, values: used, warrant, isRefused } of warrants) {
    // One that was refused could not be used, and one that is valid still may be.
    if (isRefused || warrant.until >= end) continue;
    const row = { warrant: sha256, requester, purpose, values: warrant.values, used };
    if (uses === 0) {
      unused.add(row);
      values += warrant.values ?? 0;
    } else if (warrant.values !== null && used < BARELY * warrant.values) barely.add(row);
  }
  return { unused: { ...unused.done(), values }, barelyUsed: barely.done() };
}

function unratifiedOf({ warrants }: Accounts, { from, to }: Period, now: number): Report['unratified'] {
  const found = listing<UnratifiedUse>();
  let overdue = 0;
  for (const { glass, requester, purpose, terms } of warrants.values()) {
    for (const { entry, at, isRatified } of glass.values()) {
      if (isRatified || at < from || at >= to) continue;
      const isOverdue = now > at + (terms?.ratify?.seconds ?? 0);
      if (isOverdue) overdue++;
      found.add({ entry, requester, purpose, at, isOverdue });
    }
  }
  return { ...found.done(), overdue };
}

function withoutOutcomeOf({ open }: Accounts, { from, to }: Period, now: number): Cut<number> {
  const found = listing<number>();
  for (const [entry, { at }] of open) if (at >= from && at < to && now > at + MOST_RUNNING) found.add(entry);
  return found.done();
}

/** How many things of a report stand out. */
function standingOut(report: Omit<Report, 'standsOut'>): number {
  const { pairs, repeated, outsideHours, denials, unratified, withoutOutcome, unnamed } = report;
  const { contradictions, silences, clocks, exports, unknown } = report;
  return [
    pairs.length,
    repeated?.count ?? 0,
    outsideHours?.count ?? 0,
    denials.bursts.count,
    unratified.overdue,
    withoutOutcome.count,
    unnamed.count,
    contradictions.count,
    silences.count,
    clocks.length,
    exports.count,
    report.protected?.count ?? 0,
    unknown,
  ].reduce((sum, count) => sum + count, 0);
}
