/**
 * The accounting of a log: what its entries say about charters, warrants, budgets and rates. One function takes one
 * entry, whether it was read at the start or is being written now, so there is no second book that could differ from
 * the log.
 */

import { fail } from '../../errors.ts';
import type { LogEvent } from '../../log/entry/kinds.ts';
import type { Charter, Purpose } from '../charter/charter.ts';
import { openCharter } from '../charter/succession.ts';
import { parseClock } from '../warrant/clock.ts';
import { parseRatification } from '../warrant/ratification.ts';
import { parseRefusal } from '../warrant/refusal.ts';
import { parseWarrant, type Warrant } from '../warrant/warrant.ts';
import { makeWindows, type Windows } from './windows.ts';

/** A use of a break-glass warrant. */
export interface GlassUse {
  /** When, in seconds since 1970. */
  readonly at: number;
  /** Its entry; `null` until that is on the disk. */
  index: number | null;
  /** SHA-256 of the bytes of the entry, 64 hexadecimal digits. */
  sha256: string | null;
  isRatified: boolean;
}

/** What was done under one warrant. */
export interface WarrantAccount {
  readonly warrant: Warrant;
  /** Its purpose, as the charter had it when the warrant was logged. */
  readonly purpose: Purpose;
  isRefused: boolean;
  /** How many uses, and how many values they took. */
  uses: number;
  values: number;
  /** The pseudonyms of the people that they took. */
  readonly people: Set<string>;
  /** For break-glass: its uses, in their order. */
  readonly glass: GlassUse[];
}

/** The accounts of a log. They change with every entry, and only {@link take} changes them. */
export interface Ledger {
  /** The newest charter; `null` before the first one. */
  charter: Charter | null;
  /** By SHA-256 of the text. */
  readonly warrants: Map<string, WarrantAccount>;
  /** SHA-256 of the text of the warrant that owns an id. */
  readonly ids: Map<string, string>;
  /** Values that clients may protect and desks have opened: see {@link rateName}. */
  readonly rates: Windows;
  /** Break-glass warrants that were used: by requester, and of all under the name `*`. */
  readonly glass: Windows;
  /** The time of the last entry, in seconds since 1970. */
  last: number;
  /** The time of the last statement of keepers about the clock. */
  clock: number;
  /** Whether the shard has ended. */
  isEnded: boolean;
}

/** What an entry is taken with. */
export interface TakeOptions {
  /** When the entry was written, in seconds since 1970. */
  readonly at: number;
  /** SHA-256 of the text of the first charter, which is pinned. */
  readonly firstCharter: string;
  /** Opens a sealed pseudonym (log/entry/subjects.ts). */
  readonly open: (sealed: string) => string;
}

/** No window of a charter is longer than ten years (text/items.ts). */
const LONGEST = 3660 * 86_400;

/** Makes an empty ledger. */
export function newLedger(): Ledger {
  const ledger: Ledger = {
    charter: null,
    warrants: new Map(),
    ids: new Map(),
    rates: makeWindows(() => longestRate(ledger.charter)),
    glass: makeWindows(() => LONGEST),
    last: 0,
    clock: 0,
    isEnded: false,
  };
  return ledger;
}

function longestRate(charter: Charter | null): number {
  return charter === null ? LONGEST : charter.rates.reduce((longest, { seconds }) => Math.max(longest, seconds), 0);
}

/** The name under which values are counted: for whom, which verb, and which scope or `*` for all of them. */
export function rateName(of: 'client' | 'desk', handle: string, verb: string, scope: string): string {
  return `${of} ${handle} ${verb} ${scope}`;
}

/**
 * Takes an entry of the log.
 *
 * @returns the use of break-glass that it is, whose place is filled in when it is known; else `null`.
 * @throws TrefoilError `log_broken` if the entry contradicts those before it, and what `openCharter` throws.
 */
export function take(ledger: Ledger, event: LogEvent, options: TakeOptions): GlassUse | null {
  const { at } = options;
  if (ledger.isEnded) broken('an entry follows the end of the shard');
  ledger.last = Math.max(ledger.last, at);
  switch (event.kind) {
    case 'charter':
      takeCharter(ledger, event.note, options.firstCharter);
      return null;
    case 'warrant':
      takeWarrant(ledger, event.note);
      return null;
    case 'refusal': {
      const account = ledger.warrants.get(parseRefusal(event.note).warrant);
      if (account !== undefined) account.isRefused = true;
      return null;
    }
    case 'ratified':
      takeRatification(ledger, event.note);
      return null;
    case 'use':
    case 'glass':
      return takeUse(ledger, event, options);
    case 'forward':
      // A lease may be spent up to its end.
      countRates(ledger, 'client', event.client, event.verb, { [event.scope]: event.count }, event.to);
      return null;
    case 'carry':
      if (event.of === 'glass') ledger.glass.add(event.name, event.to, event.count);
      else if (event.verb !== undefined && event.scope !== undefined) {
        countRates(ledger, 'client', event.name, event.verb, { [event.scope]: event.count }, event.to);
      }
      return null;
    case 'clock':
      ledger.clock = Math.max(ledger.clock, parseClock(event.note).at);
      return null;
    case 'end':
      ledger.isEnded = true;
      return null;
    default:
      return null;
  }
}

function takeCharter(ledger: Ledger, note: string, first: string): void {
  ledger.charter = openCharter(note, ledger.charter === null ? { sha256: first } : { previous: ledger.charter });
}

function takeWarrant(ledger: Ledger, note: string): void {
  const warrant = parseWarrant(note);
  const purpose = ledger.charter?.purposes.get(warrant.purpose);
  if (purpose === undefined) broken('a warrant is for a purpose that the charter before it does not have');
  if (ledger.warrants.has(warrant.sha256) || ledger.ids.has(warrant.id)) broken('a warrant or its id is there twice');
  ledger.ids.set(warrant.id, warrant.sha256);
  ledger.warrants.set(warrant.sha256, {
    warrant,
    purpose,
    isRefused: false,
    uses: 0,
    values: 0,
    people: new Set(),
    glass: [],
  });
}

function takeRatification(ledger: Ledger, note: string): void {
  const { warrant, uses } = parseRatification(note);
  const glass = ledger.warrants.get(warrant)?.glass ?? [];
  for (const { index, sha256 } of uses) {
    const use = glass.find((one) => one.index === index && one.sha256 === sha256);
    if (use !== undefined) use.isRatified = true;
  }
}

function takeUse(
  ledger: Ledger,
  event: Extract<LogEvent, { kind: 'use' | 'glass' }>,
  { at, open }: TakeOptions,
): GlassUse | null {
  const account = ledger.warrants.get(event.warrant);
  if (account === undefined) broken('a use is under a warrant that the log does not have');
  if (event.n !== account.uses + 1) broken('the uses of a warrant are not numbered one after the other');
  account.uses = event.n;
  for (const count of Object.values(event.scopes)) account.values += count;
  for (const subject of event.subjects) account.people.add(open(subject));
  const { desk, requester } = account.warrant;
  countRates(ledger, 'desk', desk, 'reveal', event.scopes, at);
  if (event.kind === 'use') return null;
  if (event.n === 1) for (const name of [requester, '*']) ledger.glass.add(name, at, 1);
  const use: GlassUse = { at, index: null, sha256: null, isRatified: false };
  account.glass.push(use);
  return use;
}

function countRates(
  { rates }: Ledger,
  of: 'client' | 'desk',
  handle: string,
  verb: string,
  scopes: Readonly<Record<string, number>>,
  at: number,
): void {
  for (const [scope, count] of Object.entries(scopes)) {
    rates.add(rateName(of, handle, verb, scope), at, count);
    rates.add(rateName(of, handle, verb, '*'), at, count);
  }
}

function broken(message: string): never {
  return fail('log_broken', `the log cannot be accounted for: ${message}`);
}
