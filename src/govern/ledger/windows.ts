/** Counts in windows of time: how much was used by somebody in the last so many seconds. */

/** Something that was counted. */
interface Counted {
  /** In seconds since 1970. */
  readonly at: number;
  readonly count: number;
}

/** Counts by name. */
export interface Windows {
  readonly add: (name: string, at: number, count: number) => void;
  /** How much was counted under a name in the `seconds` before `now`. */
  readonly sum: (name: string, now: number, seconds: number) => number;
}

/** Makes empty windows. When something is added, what is older by more than `longest` seconds is forgotten. */
export function makeWindows(longest: () => number): Windows {
  const counts = new Map<string, Counted[]>();
  return {
    add(name, at, count) {
      const kept = (counts.get(name) ?? []).filter((one) => one.at > at - longest());
      kept.push({ at, count });
      counts.set(name, kept);
    },
    sum(name, now, seconds) {
      const list = counts.get(name) ?? [];
      return list.reduce((total, one) => (one.at > now - seconds ? total + one.count : total), 0);
    },
  };
}
