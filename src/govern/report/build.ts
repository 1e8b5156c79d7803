/**
 * Making a report: one pass over the entries of a log (docs/guide/govern/oversight.md). The memory grows with warrants
 * and people, not with entries.
 *
 * It judges what the log says. Whether the log is whole is asked before, by `verifyLog`.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { entryReader } from '../../log/entry/entry.ts';
import type { UseEntry } from '../../log/entry/kinds.ts';
import type { Charter } from '../charter/charter.ts';
import type { ProtectedPeople } from '../people/protected.ts';
import { newAccounts, type Placed } from './accounts.ts';
import { watchClock, watchSilences } from './activity.ts';
import { newCounters } from './counters.ts';
import { finished, stateOf } from './finish.ts';
import { type Contradiction, type LogState, listing, type Report } from './report.ts';

/** The end of the years that an entry may have. */
const LAST_TIME = 253_402_300_799;

/** Options of {@link reportOf} and {@link reportBuilder}. Times are seconds since 1970 in UTC. */
export interface ReportOptions {
  /**
   * SHA-256 of the text of the first charter of the log, 64 hexadecimal digits. Without it the log's own first one is
   * taken, and the report states that.
   */
  readonly firstCharter?: string | undefined;
  /**
   * Opens a sealed pseudonym: `open` of `subjectSealer` with the key of the shard. Without it the report does not see
   * people, and states that.
   */
  readonly openSubject?: ((sealed: string) => string) | undefined;
  /** The list of protected people that the newest charter names. Needs `openSubject`. */
  readonly protected?: ProtectedPeople | undefined;
  /** Beginning of the period. Default: the first entry. What was before it counts for windows and budgets only. */
  readonly from?: number | undefined;
  /** End of the period; an entry at this time is not in it. Default: after the last entry. */
  readonly to?: number | undefined;
  /** The time. Default: that of the system. */
  readonly now?: number | undefined;
}

/** Makes a report of entries that are passed one after the other. */
export interface ReportBuilder {
  /**
   * Takes the next entry, from index 0 on. The bytes are not kept.
   *
   * @throws TrefoilError `entry_invalid`; `charter_invalid`, `charter_unsigned` for a first charter that is not the
   *   pinned one, or that is not signed.
   */
  readonly add: (index: number, entry: Uint8Array) => void;
  /** The newest charter so far; `null` before the first one. */
  readonly charter: () => Charter | null;
  /**
   * The report.
   *
   * @param log what `verifyLog` returned; `null` leaves the state of the log out.
   * @throws TrefoilError `charter_invalid` if the log has no charter, or if the list of protected people is not the one
   *   that the charter names.
   */
  readonly finish: (log: LogState | null) => Report;
}

/**
 * Makes a report of a log.
 *
 * **Note**: verify the log first, with `verifyLog`. A report of a log that was not verified is one of what somebody
 * wrote. What was never logged is in no report.
 *
 * @param entries the bytes of all entries from the first one on, also if the report is of a later period.
 * @param log what `verifyLog` returned, for the first line. Default: `null`.
 * @returns plain data that `JSON.stringify` writes: counts, handles, names of purposes, digests and pseudonyms. No
 *   value, token, case or reason is in it.
 * @throws TrefoilError `entry_invalid`, `charter_invalid`, `charter_unsigned`.
 * @throws TypeError, RangeError for wrong options.
 *
 * @example
 * ```ts
 * import { openCharter, parseCharter, reportOf, reportText } from 'trefoil/govern';
 * import { newNoteKey, noteSigner, signNote, writeEntry } from 'trefoil/log';
 *
 * const eva = newNoteKey('eva.example');
 * const text =
 *   'trefoil charter v1\nversion 1\ndomain eu-enclave\n' +
 *   `log ${newNoteKey('log.example').verifierKey}\nquorum none\n` +
 *   `officer eva keeper note ${eva.verifierKey}\nchange 1:keeper\n`;
 * const note = await signNote(text, [noteSigner(eva.privateKey)]);
 * const at = 1_796_126_400;
 * const entries = [writeEntry({ kind: 'charter', note }, at), writeEntry({ kind: 'beat' }, at + 600)];
 * const report = reportOf(entries, { firstCharter: parseCharter(text).sha256, now: at + 900 });
 * report.totals.uses; // → 0
 * reportText(report).startsWith('eu-enclave, '); // → true
 * ```
 */
export function reportOf(
  entries: Iterable<Uint8Array>,
  options: ReportOptions = {},
  log: LogState | null = null,
): Report {
  if (typeof entries?.[Symbol.iterator] !== 'function')
    badType('entries', `expected entries, got ${typeName(entries)}`);
  const builder = reportBuilder(options);
  let index = 0;
  for (const entry of entries) builder.add(index++, entry);
  return builder.finish(log);
}

function checkedState(state: unknown): LogState {
  if (typeof state !== 'object' || state === null) {
    return badType('log', `expected what verifyLog returns, or null, got ${typeName(state)}`);
  }
  return stateOf(state as LogState);
}

/** Checks a digest. @throws TypeError, RangeError */
export function checkDigest(argument: string, value: unknown): void {
  if (typeof value !== 'string') badType(argument, `expected 64 hexadecimal digits, got ${typeName(value)}`);
  if (!/^[0-9a-f]{64}$/.test(value)) badRange(argument, 'expected 64 hexadecimal digits in lower case');
}

/** Options with their defaults. */
interface Settings {
  readonly firstCharter: string | null;
  readonly openSubject: ((sealed: string) => string) | null;
  readonly list: ProtectedPeople | null;
  readonly from: number | null;
  readonly to: number | null;
  readonly now: number;
}

function settingsOf(options: ReportOptions): Settings {
  const names = ['firstCharter', 'openSubject', 'protected', 'from', 'to', 'now'];
  const given = checkOptions<ReportOptions>('options', options, names);
  const { firstCharter, openSubject, protected: list, from, to, now = Math.floor(Date.now() / 1000) } = given;
  if (firstCharter !== undefined) checkDigest('firstCharter', firstCharter);
  if (openSubject !== undefined && typeof openSubject !== 'function') {
    badType('openSubject', `expected a function, got ${typeName(openSubject)}`);
  }
  if (list !== undefined && typeof list?.has !== 'function') {
    badType('protected', `expected a list of parseProtected, got ${typeName(list)}`);
  }
  if (list !== undefined && openSubject === undefined) {
    badType('openSubject', 'expected a function, because protected people are found by their pseudonyms');
  }
  for (const [name, time] of Object.entries({ from: from ?? 0, to: to ?? 0, now }))
    checkInteger(name, time, 0, LAST_TIME);
  if (to !== undefined && to <= (from ?? 0)) badRange('to', 'expected a time after "from"');
  return {
    firstCharter: firstCharter ?? null,
    openSubject: openSubject ?? null,
    list: list ?? null,
    from: from ?? null,
    to: to ?? null,
    now,
  };
}

/**
 * Makes a builder, for entries that come one after the other, as the option `entry` of `verifyLog` passes them. See
 * {@link reportOf}.
 *
 * @throws TypeError, RangeError for wrong options.
 *
 * @example
 * ```ts
 * import { reportBuilder } from 'trefoil/govern';
 * import { verifyLog } from 'trefoil/log';
 *
 * async function lookAt(...[source, options]: Parameters<typeof verifyLog>): Promise<number | null> {
 *   const builder = reportBuilder({});
 *   const found = await verifyLog(source, { ...options, entry: builder.add });
 *   return found.ok ? builder.finish(found).standsOut : null;
 * }
 * ```
 */
export function reportBuilder(options: ReportOptions): ReportBuilder {
  const { firstCharter, openSubject, list, from, to, now } = settingsOf(options);
  const read = entryReader();
  const contradictions = listing<Contradiction>();
  const accounts = newAccounts({ firstCharter, openSubject, contradict: contradictions.add });
  const period = { from: from ?? 0, to: to ?? LAST_TIME + 1 };
  const counters = newCounters(accounts, period, list, contradictions.add);
  const [silences, clocks] = [watchSilences(period), watchClock()];
  let first: number | null = null;
  let last = 0;

  return Object.freeze({
    charter: accounts.charter,
    add(index: number, bytes: Uint8Array): void {
      const { event, at } = read(index, bytes);
      first ??= at;
      last = at;
      silences.see(index, at);
      clocks.see(index, at);
      if (event === null) {
        counters.unknown(at);
        return;
      }
      const placed: Placed = { index, at, event, sha256: () => writeHex(sha256Of(bytes)) };
      if (event.kind === 'use' || event.kind === 'glass') counters.use(placed as Placed<UseEntry>);
      else counters.other(placed);
    },
    finish(state: LogState | null): Report {
      const log = state === null ? null : checkedState(state);
      const charter = accounts.charter();
      if (charter === null) return fail('charter_invalid', 'the log has no charter, so nobody knows its rules');
      if (list !== null && list.sha256 !== charter.protected?.sha256) {
        fail('charter_invalid', 'the list of protected people is not the one that the newest charter names');
      }
      return finished({
        charter,
        isPinned: firstCharter !== null,
        seesPeople: openSubject !== null,
        hasList: list !== null,
        period: { from: from ?? first ?? 0, to: to ?? Math.max(now, last + 1) },
        now,
        accounts,
        counters,
        log,
        contradictions: contradictions.done(),
        silences: silences.done(now),
        clocks: log === null ? [] : clocks.done(log.cosigned),
      });
    },
  });
}
