/**
 * The extract of a log for one person: when somebody opened their record, and for what purpose
 * (docs/guide/govern/oversight.md). It goes by the people whom uses name, and by nothing else; what was never logged is
 * not in it.
 *
 * Some purposes must not be shown, or not yet. Whether there was such a use must not be seen from the extract, so all
 * that it says of them is in general words, and is said to everybody.
 */

import { badType, checkInteger, checkOptions, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { entryReader } from '../../log/entry/entry.ts';
import type { UseEntry } from '../../log/entry/kinds.ts';
import type { Charter } from '../charter/charter.ts';
import { type Account, newAccounts, type Placed } from './accounts.ts';
import { checkDigest } from './build.ts';
import { plural, span } from './words.ts';

/** A use that a person is told of. */
export interface ShownUse {
  /** Index of its entry. */
  readonly entry: number;
  /** When, in seconds since 1970. */
  readonly at: number;
  readonly purpose: string;
  /** The name of the purpose in the Data Privacy Vocabulary; `null` if the charter states none. */
  readonly dpv: string | null;
  readonly isGlass: boolean;
  /** How many values of each scope were asked for, of all people of this use together. */
  readonly scopes: Readonly<Record<string, number>>;
  /** How many people the use names, this one included. */
  readonly people: number;
  /** Whether something was opened: `unknown` if the log has no outcome, which counts as opened. */
  readonly outcome: 'opened' | 'nothing opened' | 'unknown';
  /** The bytes of the entry, which its proof is about. It holds the pseudonyms of the others, sealed. */
  readonly bytes: Uint8Array;
}

/** What a person is told. */
export interface Extract {
  readonly domain: string;
  /** When the extract was made, in seconds since 1970. */
  readonly now: number;
  readonly uses: readonly ShownUse[];
  /** What the extract does not show, in sentences. They are the same for everybody. */
  readonly notes: readonly string[];
}

/** Options of {@link extractBuilder}. */
export interface ExtractOptions {
  /** The pseudonyms of the person: one for each root key. At least one. */
  readonly pseudonyms: Iterable<string>;
  /** Opens a sealed pseudonym: `open` of `subjectSealer` with the key of the shard. */
  readonly openSubject: (sealed: string) => string;
  /** SHA-256 of the text of the first charter. Default: the log's own first one. */
  readonly firstCharter?: string | undefined;
  /** The time, in seconds since 1970. Default: that of the system. */
  readonly now?: number | undefined;
}

/** Makes an extract of entries that are passed one after the other. */
export interface ExtractBuilder {
  /** Takes the next entry. @throws TrefoilError as `ReportBuilder.add`. */
  readonly add: (index: number, entry: Uint8Array) => void;
  readonly charter: () => Charter | null;
  /** @throws TrefoilError `charter_invalid` if the log has no charter. */
  readonly finish: () => Extract;
}

/** A use about the person, shown or not. */
interface Found extends Omit<ShownUse, 'outcome' | 'purpose' | 'dpv' | 'isGlass'> {
  readonly account: Account | null;
  readonly values: number;
}

/**
 * Makes a builder of an extract for one person. Verify the log first, or at the same time.
 *
 * A use is shown when the delay of its purpose (`show`) has passed: that of the charter at the time of the warrant, or
 * that of the newest one, whichever is longer. A purpose with `show never` is never shown.
 *
 * @throws TypeError, RangeError for wrong options.
 *
 * @example
 * ```ts
 * import { type Extract, extractBuilder } from 'trefoil/govern';
 *
 * function extractOf(entries: Iterable<Uint8Array>, ...[options]: Parameters<typeof extractBuilder>): Extract {
 *   const builder = extractBuilder(options);
 *   let index = 0;
 *   for (const entry of entries) builder.add(index++, entry);
 *   return builder.finish();
 * }
 * ```
 */
export function extractBuilder(options: ExtractOptions): ExtractBuilder {
  const names = ['pseudonyms', 'openSubject', 'firstCharter', 'now'];
  const given = checkOptions<ExtractOptions>('options', options, names);
  const { pseudonyms, openSubject, firstCharter = null, now = Math.floor(Date.now() / 1000) } = given;
  if (typeof pseudonyms?.[Symbol.iterator] !== 'function' || typeof pseudonyms === 'string') {
    badType('pseudonyms', `expected a list of texts, got ${typeName(pseudonyms)}`);
  }
  if (typeof openSubject !== 'function') badType('openSubject', `expected a function, got ${typeName(openSubject)}`);
  if (firstCharter !== null) checkDigest('firstCharter', firstCharter);
  checkInteger('now', now, 0, Number.MAX_SAFE_INTEGER);
  const person = new Set(pseudonyms);
  if (person.size === 0) badType('pseudonyms', 'expected at least one pseudonym');
  const read = entryReader();
  const accounts = newAccounts({ firstCharter, openSubject, contradict: () => {} });
  const found: Found[] = [];
  /** Whether a use about the person has opened something, by the index of its entry; `null`: there is no outcome. */
  const outcomes = new Map<number, boolean | null>();

  function takeUse(placed: Placed<UseEntry>, bytes: Uint8Array): void {
    const { index, at, event } = placed;
    const { account, values, people } = accounts.takeUse(placed);
    if (people?.some((one) => person.has(one)) !== true) return;
    outcomes.set(index, null);
    const { scopes, subjects } = event;
    found.push({ entry: index, at, scopes, people: subjects.length, bytes: bytes.slice(), account, values });
  }

  return Object.freeze({
    charter: accounts.charter,
    add(index: number, bytes: Uint8Array): void {
      const { event, at } = read(index, bytes);
      if (event === null) return;
      const placed: Placed = { index, at, event, sha256: () => writeHex(sha256Of(bytes)) };
      if (event.kind === 'use' || event.kind === 'glass') {
        takeUse(placed as Placed<UseEntry>, bytes);
        return;
      }
      const { outcome } = accounts.take(placed);
      if (outcome !== null && outcomes.has(outcome.done.entry))
        outcomes.set(outcome.done.entry, outcome.done.opened + outcome.done.failed > 0);
    },
    finish(): Extract {
      const charter = accounts.charter();
      if (charter === null) return fail('charter_invalid', 'the log has no charter, so nobody knows what may be shown');
      const uses = found.flatMap(({ account, values: _, ...use }): ShownUse[] => {
        const delay = account === null ? null : delayOf(account, charter);
        if (account === null || delay === null || use.at + delay > now) return [];
        const opened = outcomes.get(use.entry) ?? null;
        const outcome = opened === null ? 'unknown' : opened ? 'opened' : 'nothing opened';
        const { terms, purpose } = account;
        return [{ ...use, purpose, dpv: terms?.dpv ?? null, isGlass: terms?.isGlass ?? false, outcome }];
      });
      return { domain: charter.domain, now, uses, notes: notesOf(charter) };
    },
  });
}

/** After how many seconds a use may be shown; `null`: never. Of two charters, the stricter one counts. */
function delayOf({ terms, purpose }: Account, charter: Charter): number | null {
  if (terms === null) return null;
  const newest = charter.purposes.get(purpose) ?? terms;
  return terms.show === null || newest.show === null ? null : Math.max(terms.show, newest.show);
}

/** What the extract leaves out. It depends on the charter alone, never on the person. */
function notesOf({ purposes }: Charter): readonly string[] {
  const all = [...purposes.values()];
  const delays = all.flatMap(({ show }) => (show === null ? [] : [show]));
  const longest = Math.max(0, ...delays);
  return [
    'This extract has the uses of warrants that name this person. What was opened without being written into the log ' +
      'is not in it.',
    'For each use it gives the number of values and of people of the whole use. How many of the values are about this ' +
      'person is not in the log.',
    longest === 0
      ? 'Uses are shown at once.'
      : `Uses are shown some time after they happened, depending on their purpose: up to ${plural(
          Math.ceil(longest / 86_400),
          'day',
        )} later (${span(longest)}).`,
    'The charter may have purposes whose uses are never shown, such as investigations, and uses of whole tables name ' +
      'nobody. Such uses are not in any extract, and this one does not say whether there were any.',
    'The entry in a proof has the other people of its use as sealed pseudonyms. Without the key of the shard they say ' +
      'how many people there were, and nothing about who they are.',
  ];
}
