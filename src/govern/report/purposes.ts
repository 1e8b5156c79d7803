/** The numbers of each purpose within the period. */

import type { Account } from './accounts.ts';
import type { PurposeRow } from './report.ts';

/** What was counted of one purpose. */
interface Tally {
  uses: number;
  values: number;
  /** Values that uses with an outcome did not open. */
  unopened: number;
  unbound: number;
  readonly warrants: Set<string>;
  readonly people: Set<string>;
  /** The newest account under the purpose: for its terms. */
  last: Account;
}

/** Counts by purpose. Its memory grows with warrants and people. */
export interface PurposeTallies {
  readonly warrant: (account: Account) => void;
  readonly use: (account: Account, values: number, people: readonly string[] | null, isBound: boolean) => void;
  readonly outcome: (account: Account, unopened: number) => void;
  readonly rows: (seesPeople: boolean) => PurposeRow[];
  /** All people of all purposes, each once. */
  readonly people: () => number;
  readonly warrants: () => number;
}

export function purposeTallies(): PurposeTallies {
  const tallies = new Map<string, Tally>();
  const everybody = new Set<string>();
  const of = (account: Account): Tally => {
    let tally = tallies.get(account.purpose);
    if (tally === undefined) {
      const none = { uses: 0, values: 0, unopened: 0, unbound: 0, last: account };
      tally = { ...none, warrants: new Set(), people: new Set() };
      tallies.set(account.purpose, tally);
    }
    tally.warrants.add(account.sha256);
    tally.last = account;
    return tally;
  };
  return {
    warrant: (account) => void of(account),
    use(account, values, people, isBound) {
      const tally = of(account);
      tally.uses++;
      tally.values += values;
      if (!isBound) tally.unbound++;
      for (const person of people ?? []) {
        tally.people.add(person);
        everybody.add(person);
      }
    },
    outcome(account, unopened) {
      of(account).unopened += unopened;
    },
    rows: (seesPeople) =>
      [...tallies]
        .map(
          ([purpose, tally]): PurposeRow => ({
            purpose,
            dpv: tally.last.terms?.dpv ?? null,
            isGlass: tally.last.terms?.isGlass ?? false,
            warrants: tally.warrants.size,
            uses: tally.uses,
            values: tally.values,
            opened: tally.values - tally.unopened,
            people: seesPeople ? tally.people.size : null,
            unbound: tally.unbound,
          }),
        )
        .sort((a, b) => b.uses - a.uses || b.warrants - a.warrants || (a.purpose < b.purpose ? -1 : 1)),
    people: () => everybody.size,
    warrants: () => [...tallies.values()].reduce((sum, { warrants }) => sum + warrants.size, 0),
  };
}
