/** What a report counts of the log's own life: silences, bursts of refusals, and the clock against the witnesses. */

import type { Vouched } from '../../log/verify/compared.ts';
import { type Burst, type Cut, listing, type Silence } from './report.ts';

/** A log writes an entry at least every ten minutes, and a group may take a moment. In seconds. */
export const MOST_SILENCE = 660;

/** A burst of refusals: at least so many within so many seconds. */
export const BURST = { count: 20, seconds: 3600 } as const;

/** How far the clock of the log and that of a witness may differ, in seconds. */
export const MOST_CLOCK = 600;

/** A period, from and up to but without. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** Finds silences. Each entry is passed in its order. */
export function watchSilences(period: Period): {
  readonly see: (index: number, at: number) => void;
  /** @param now seconds since 1970. */
  readonly done: (now: number) => Cut<Silence>;
} {
  const found = listing<Silence>();
  let last: { readonly index: number; readonly at: number } | null = null;
  const silence = (until: number, hasEnded: boolean): void => {
    if (last === null || until - last.at <= MOST_SILENCE) return;
    if (until <= period.from || last.at >= period.to) return;
    found.add({ after: last.index, from: last.at, seconds: until - last.at, hasEnded });
  };
  return {
    see(index, at) {
      silence(at, true);
      last = { index, at };
    },
    done(now) {
      silence(Math.min(now, period.to), false);
      return found.done();
    },
  };
}

/** Finds bursts of refused requests. Overlapping ones are one. */
export function watchBursts(): { readonly see: (at: number, count: number) => void; readonly done: () => Cut<Burst> } {
  const recent: { readonly at: number; readonly count: number }[] = [];
  const bursts: { from: number; to: number; count: number }[] = [];
  let sum = 0;
  return {
    see(at, count) {
      recent.push({ at, count });
      sum += count;
      while (recent[0]!.at <= at - BURST.seconds) sum -= recent.shift()!.count;
      if (sum < BURST.count) return;
      const last = bursts.at(-1);
      if (last === undefined || recent[0]!.at > last.to) bursts.push({ from: recent[0]!.at, to: at, count: sum });
      else {
        last.to = at;
        last.count += count;
      }
    },
    done() {
      const found = listing<Burst>();
      for (const burst of bursts) found.add(burst);
      return found.done();
    },
  };
}

/** How many entries back the time of an entry is known. A witness that is further behind is late anyway. */
const REMEMBERED = 4096;

/** Compares the times of entries with those of the witnesses that have cosigned them. */
export function watchClock(): {
  readonly see: (index: number, at: number) => void;
  readonly done: (cosigned: readonly Vouched[]) => { readonly witness: string; readonly ahead: number }[];
} {
  const times = new Map<number, number>();
  return {
    see(index, at) {
      times.set(index, at);
      times.delete(index - REMEMBERED);
    },
    done: (cosigned) =>
      cosigned.flatMap(({ name, time, size }) => {
        const at = times.get(size - 1);
        if (at === undefined) return [];
        // The newest entry may be ten minutes old when a witness cosigns it.
        const ahead = at - time;
        return ahead > MOST_CLOCK || ahead < -MOST_CLOCK - MOST_SILENCE ? [{ witness: name, ahead }] : [];
      }),
  };
}
