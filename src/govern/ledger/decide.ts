/**
 * Whether a use of a warrant, or a lease of a client, is allowed now. Everything that was decided before counts,
 * whether it is on the disk yet or not: the caller takes the entry into the ledger in the same step, without waiting.
 */

import { fail } from '../../errors.ts';
import type { ForwardEntry, UseEntry } from '../../log/entry/kinds.ts';
import type { Rate } from '../charter/charter.ts';
import { checkCharterOf, checkTimeOf } from '../warrant/steps.ts';
import { type Ledger, rateName, type WarrantAccount } from './ledger.ts';

/** A use that somebody wants to make. */
export interface WantedUse {
  /** SHA-256 of the text of the warrant. */
  readonly warrant: string;
  /** How many values of each scope, at least one. */
  readonly scopes: Readonly<Record<string, number>>;
  /** The pseudonyms of the people, each once. None for a warrant about whole tables. */
  readonly people: readonly string[];
}

/** What is known about an allowed use before it is written. */
export interface AllowedUse {
  readonly kind: UseEntry['kind'];
  readonly n: number;
  readonly account: WarrantAccount;
}

/** How long a lease may be spent, in seconds. */
export const LEASE_SECONDS = 600;

/** The most values of a lease, unless a single request has more. */
export const MOST_LEASE = 10_000;

/**
 * Decides a use.
 *
 * @param now seconds since 1970; never before the last entry.
 * @throws TrefoilError `warrant_invalid` for a warrant that the log does not have; `warrant_refused`,
 *   `charter_outdated`, `warrant_expired`, `warrant_exceeds`, `budget_spent`, `rate_spent`, `glass_unratified`,
 *   `glass_spent`.
 */
export function decideUse(ledger: Ledger, wanted: WantedUse, now: number): AllowedUse {
  const account = standing(ledger, wanted.warrant, now);
  const { warrant, purpose, uses } = account;
  checkBudget(account, wanted);
  const values = Object.entries(wanted.scopes);
  for (const [scope, count] of values) {
    checkRates(ledger, { of: 'desk', handle: warrant.desk, verb: 'reveal', scope }, count, now);
  }
  const total = values.reduce((sum, [, count]) => sum + count, 0);
  checkRates(ledger, { of: 'desk', handle: warrant.desk, verb: 'reveal', scope: '*' }, total, now);
  checkRatified(ledger, warrant.requester, now);
  if (purpose.isGlass && uses === 0) checkGlass(ledger, account, now);
  return { kind: purpose.isGlass ? 'glass' : 'use', n: uses + 1, account };
}

/**
 * Whether a warrant may still be used: also asked after a wait, because the log's order decides.
 *
 * @throws TrefoilError as {@link decideUse}, apart from budgets and rates.
 */
export function standing(ledger: Ledger, sha256: string, now: number): WarrantAccount {
  const account = ledger.warrants.get(sha256);
  if (account === undefined) return fail('warrant_invalid', 'the log does not have the warrant; present it first');
  if (account.isRefused) fail('warrant_refused', 'an officer has refused the warrant; ask for another one');
  checkCharterOf(account.warrant, ledger.charter!);
  checkTimeOf(account.warrant, now);
  return account;
}

function checkBudget({ warrant, values, people }: WarrantAccount, wanted: WantedUse): void {
  const asked = Object.entries(wanted.scopes);
  if (asked.some(([scope]) => !warrant.scopes.includes(scope))) {
    fail('warrant_exceeds', 'values of a scope are asked for that the warrant does not name');
  }
  const total = asked.reduce((sum, [, count]) => sum + count, values);
  if (warrant.values !== null && total > warrant.values) {
    fail('budget_spent', 'the warrant does not have so many values left; nothing of this batch was opened', {
      maximum: warrant.values,
      actual: total,
    });
  }
  const all = new Set([...people, ...wanted.people]).size;
  if (warrant.subjects !== null && all > warrant.subjects) {
    fail('budget_spent', 'the warrant is not for so many people; nothing of this batch was opened', {
      maximum: warrant.subjects,
      actual: all,
    });
  }
}

/** Who spends, and on what. */
interface Spending {
  readonly of: Rate['of'];
  readonly handle: string;
  readonly verb: string;
  /** `*`: the lines of the charter for all scopes together. */
  readonly scope: string;
}

/** The lines of the charter that limit a spending: those for this scope alone, or for all scopes together. */
function linesFor({ charter }: Ledger, { of, handle, verb, scope }: Spending): readonly Rate[] {
  return charter!.rates.filter(
    (rate) =>
      rate.of === of && rate.verb === verb && rate.scope === scope && (rate.handle === '*' || rate.handle === handle),
  );
}

/** How much is left by the lines that limit a spending; infinite if there is no such line. */
function leftOf(ledger: Ledger, spending: Spending, now: number): number {
  const { of, handle, verb, scope } = spending;
  const name = rateName(of, handle, verb, scope);
  return linesFor(ledger, spending).reduce(
    (left, rate) => Math.min(left, rate.count - ledger.rates.sum(name, now, rate.seconds)),
    Number.POSITIVE_INFINITY,
  );
}

function checkRates(ledger: Ledger, spending: Spending, count: number, now: number): void {
  const left = leftOf(ledger, spending, now);
  if (count > left) {
    fail('rate_spent', 'the charter does not allow so many values in this window; wait, or ask for fewer', {
      maximum: Math.max(0, left),
      actual: count,
    });
  }
}

function checkRatified({ warrants }: Ledger, requester: string, now: number): void {
  for (const { warrant, purpose, glass } of warrants.values()) {
    const seconds = purpose.ratify?.seconds ?? null;
    if (warrant.requester !== requester || seconds === null) continue;
    if (glass.some(({ at, isRatified }) => !isRatified && now > at + seconds)) {
      fail('glass_unratified', 'uses of break-glass by this requester were not ratified in time');
    }
  }
}

function checkGlass({ glass }: Ledger, { warrant, purpose }: WarrantAccount, now: number): void {
  if (purpose.atMost === null) return;
  const { each, all, seconds } = purpose.atMost;
  const used = [
    [glass.sum(warrant.requester, now, seconds), each],
    [glass.sum('*', now, seconds), all],
  ] as const;
  for (const [actual, maximum] of used) {
    if (actual >= maximum) {
      fail('glass_spent', 'break-glass was used as often as the charter allows in this window', { maximum, actual });
    }
  }
}

/** Values that a client wants to protect or to look up. */
export interface WantedLease {
  readonly client: string;
  readonly verb: ForwardEntry['verb'];
  readonly scope: string;
  readonly count: number;
}

/**
 * Decides how large a lease is: at least what is wanted, and up to `wish` if there is room, so that not every request
 * of a busy client is an entry. What no line of the charter allows is refused.
 *
 * @throws TrefoilError `not_in_charter` if no rate allows it, `rate_spent`.
 */
export function decideLease(ledger: Ledger, wanted: WantedLease, wish: number, now: number): ForwardEntry {
  const { client, verb, scope, count } = wanted;
  const spending = ['*', scope].map((one) => ({ of: 'client', handle: client, verb, scope: one }) as const);
  const lines = spending.flatMap((one) => linesFor(ledger, one));
  if (lines.length === 0) {
    fail('not_in_charter', 'no rate of the charter allows this client to do this with values of this scope');
  }
  for (const one of spending) checkRates(ledger, one, count, now);
  const left = Math.min(...spending.map((one) => leftOf(ledger, one, now)));
  const tenth = Math.floor(Math.min(...lines.map((rate) => rate.count)) / 10);
  const size = Math.max(count, Math.min(MOST_LEASE, left, tenth, wish));
  return { kind: 'forward', client, scope, verb, count: size, from: now, to: now + LEASE_SECONDS };
}
