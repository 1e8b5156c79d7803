/** Reading the entries of a log that are verified: counting their kinds, and finding the first that is not one. */

import { TrefoilError } from '../../errors.ts';
import { entryReader } from '../entry/entry.ts';
import { LENGTH_BYTES } from '../tree/bundle.ts';
import { MOST_SECONDS_AHEAD } from '../tree/cosign-time.ts';
import type { HashedBundle } from './bundles.ts';
import { type Finding, finding } from './finding.ts';

/** What entries are: log-v1, of which each is read and checked, or bytes of any kind. */
export type EntryFormat = 'log-v1' | 'bytes';

/** Takes an entry whose bytes are those of the tree. They are a view, which is only valid during the call. */
export type VisitEntry = (index: number, bytes: Uint8Array) => void | Promise<void>;

/** An entry and its time. */
export interface TimedEntry {
  /** The number of the entry, from 0. */
  readonly entry: number;
  /** Its time by the clock of the log's writer, in seconds since 1970. */
  readonly time: number;
}

/** The most kinds that are counted, because a log may have a new one in each entry. */
const MOST_KINDS = 100;

const OTHER_ENTRIES =
  'if this log has entries of its own form, verify it with `--entries bytes`, in code `entries: "bytes"`; if it ' +
  'should have those of log-v1, keep a copy of the file and ask the operator of the log';

/** Reads the entries of bundles. */
export interface EntryVisitor {
  /** Reads the entries of a bundle from some number on. */
  readonly visit: (bundle: HashedBundle, from: number) => Promise<void>;
  /** How many entries were read. */
  readonly checked: () => number;
  /** How many there are of each kind, of the first 100 kinds. */
  readonly kinds: () => Record<string, number>;
  /** How many are of a kind or version that this version of trefoil does not know. */
  readonly unknown: () => number;
  /** The time of the last one, in seconds since 1970; `null` if times were not read. */
  readonly at: () => number | null;
  /** The first whose time is more than ten minutes ahead of the clock. */
  readonly ahead: () => TimedEntry | null;
  /** The first that is not in its form, or whose time falls. */
  readonly finding: () => Finding | null;
}

/**
 * Makes a visitor.
 *
 * @param since the time of the entry before the first, which no time may be before.
 * @param now milliseconds since 1970, read after the checkpoint: no entry was written later.
 */
export function entryVisitor(
  format: EntryFormat,
  since: number | null,
  each: VisitEntry | undefined,
  now: number,
): EntryVisitor {
  const kinds = new Map<string, number>();
  const read = entryReader();
  let checked = 0;
  let unknown = 0;
  let at = since;
  let first: Finding | null = null;
  let ahead: TimedEntry | null = null;

  function readOne(index: number, bytes: Uint8Array): void {
    // After a wrong entry, the times of the next ones mean nothing.
    if (first !== null) return;
    try {
      const entry = read(index, bytes);
      if (at !== null && entry.at < at) first = wrong(index, 'has a time before that of the entry that precedes it');
      at = entry.at;
      // With a clock that is not a number, every time is ahead.
      if (ahead === null && !(at <= now / 1000 + MOST_SECONDS_AHEAD)) ahead = Object.freeze({ entry: index, time: at });
      if (!entry.known) unknown++;
      const count = kinds.get(entry.kind) ?? 0;
      if (count > 0 || kinds.size < MOST_KINDS) kinds.set(entry.kind, count + 1);
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      const what = `is not one of log-v1: ${error.issues[0]!.message.replace(/^entry \d+: /, '')}`;
      // An honest log of other entries has such a first one. What its entries are is for the overseer to know.
      first = wrong(index, what, index === 0 ? { hint: OTHER_ENTRIES } : {});
    }
  }

  return {
    async visit({ first: start, whole, file }, from) {
      const bytes = file.bytes!;
      for (let i = 0, end = 0; i < whole; i++) {
        const length = (bytes[end]! << 8) | bytes[end + 1]!;
        const entry = bytes.subarray(end + LENGTH_BYTES, end + LENGTH_BYTES + length);
        end += LENGTH_BYTES + length;
        if (start + i < from) continue;
        checked++;
        if (format === 'log-v1') readOne(start + i, entry);
        // A call that is not asynchronous costs nothing to wait for.
        const waiting = each?.(start + i, entry);
        if (waiting !== undefined) await waiting;
      }
    },
    checked: () => checked,
    kinds: () => Object.fromEntries([...kinds].sort(([a], [b]) => (a < b ? -1 : 1))),
    unknown: () => unknown,
    at: () => (format === 'log-v1' ? at : null),
    ahead: () => ahead,
    finding: () => first,
  };
}

function wrong(entry: number, what: string, more: Partial<Finding> = {}): Finding {
  return finding('unreadable', `entry ${entry} ${what}`, { code: 'entry_invalid', entry, ...more });
}
