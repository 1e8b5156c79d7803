/**
 * People who are looked at again and again: so many warrants about one person in one window of time. This is the rule
 * that finds a journalist whose record is opened under one pretext after another, by whomever.
 */

import type { RepeatedPerson } from './report.ts';

/** What is counted: a warrant by its digest, with those who are behind it. */
export interface Pretext {
  readonly sha256: string;
  readonly requester: string;
  readonly purpose: string;
}

/** A warrant that was used about somebody, and when last. */
interface Sighting {
  readonly pretext: Pretext;
  readonly at: number;
}

/** So many warrants about one person within so many seconds. */
export interface Threshold {
  readonly count: number;
  readonly seconds: number;
}

/** Watches people. Its memory grows with people and with the warrants about each of them. */
export interface PeopleWatch {
  /**
   * Takes a use about a person. Times do not fall.
   *
   * @param threshold of the charter that is in force at this use.
   * @param isInPeriod whether a window that ends with this use is reported.
   */
  readonly see: (pseudonym: string, pretext: Pretext, at: number, threshold: Threshold, isInPeriod: boolean) => void;
  /** Those who were seen too often, most warrants first. */
  readonly repeated: () => RepeatedPerson[];
}

/** Makes a watch: warrants about one person, each used within the last so many seconds. */
export function watchPeople(): PeopleWatch {
  const people = new Map<string, Sighting[]>();
  const worst = new Map<string, readonly Sighting[]>();
  return {
    see(pseudonym, pretext, at, { count, seconds }, isInPeriod) {
      const sightings = people.get(pseudonym) ?? [];
      if (sightings.length === 0) people.set(pseudonym, sightings);
      // A warrant counts once, at its latest use: so the list is ascending, and a window is its end.
      const same = sightings.findIndex((one) => one.pretext.sha256 === pretext.sha256);
      if (same !== -1) sightings.splice(same, 1);
      sightings.push({ pretext, at });
      if (!isInPeriod || sightings.length < count) return;
      const window = sightings.filter((one) => one.at > at - seconds);
      if (window.length >= count && window.length >= (worst.get(pseudonym)?.length ?? 0)) worst.set(pseudonym, window);
    },
    repeated() {
      const found = [...worst].map(([pseudonym, sightings]) => inWords(pseudonym, sightings));
      return found.sort((a, b) => b.warrants - a.warrants || (a.pseudonym < b.pseudonym ? -1 : 1));
    },
  };
}

function inWords(pseudonym: string, sightings: readonly Sighting[]): RepeatedPerson {
  const each = (name: 'requester' | 'purpose') => [...new Set(sightings.map(({ pretext }) => pretext[name]))].sort();
  return {
    pseudonym,
    warrants: sightings.length,
    requesters: each('requester'),
    purposes: each('purpose'),
    from: sightings[0]!.at,
    to: sightings.at(-1)!.at,
  };
}
