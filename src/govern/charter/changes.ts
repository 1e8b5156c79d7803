/**
 * What a charter changes against the version before, in words, for the keeper who signs it. Lines are compared, and not
 * what was read of them: so nothing that a charter says can change without being listed.
 */

import type { Charter } from './charter.ts';
import { checkIsCharter } from './parse.ts';

/** One thing that differs between two charters. */
export interface CharterChange {
  readonly kind: 'new' | 'gone' | 'changed';
  /** What it is, in words: `officer anna`, `the quorum`. */
  readonly what: string;
  /** What differs, in words, one after the other; empty for what is new or gone. */
  readonly how: readonly string[];
  /** The line of the version before, without its line feed; `null` for what is new. */
  readonly before: string | null;
  /** The line of this version; `null` for what is gone. */
  readonly after: string | null;
}

/** How many words after the first name the thing that a line is about. */
const NAMED: Readonly<Record<string, number>> = {
  witness: 1,
  group: 1,
  officer: 1,
  desk: 1,
  client: 1,
  purpose: 1,
  glass: 1,
  rate: 4,
  alert: 1,
};

/** Words of a purpose that name what follows them. */
const FIELDS = 'verb scopes approvals values subjects hours witnessed ratify at-most show'.split(' ');

/**
 * Lists what differs between two versions of a charter. The lines `version` and `previous`, which always do, are left
 * out.
 *
 * @returns what is gone, new and changed, in the order of the lines of `charter`, what is gone first.
 * @throws TypeError for something else than two charters.
 *
 * @example
 * ```ts
 * import { charterChanges, parseCharter } from 'trefoil/govern';
 * import { newNoteKey } from 'trefoil/log';
 *
 * const text =
 *   'trefoil charter v1\nversion 1\ndomain eu-enclave\n' +
 *   `log ${newNoteKey('log.example').verifierKey}\nquorum none\n` +
 *   `officer eva keeper note ${newNoteKey('eva.example').verifierKey}\nchange 1:keeper\n`;
 * const next = text.replace('eva keeper', 'eva keeper,approver');
 * charterChanges(parseCharter(next), parseCharter(text)).map(({ kind, what, how }) => [kind, what, ...how]);
 * // → [['changed', 'officer eva', 'roles: was keeper, is keeper,approver']]
 * ```
 */
export function charterChanges(charter: Charter, previous: Charter): readonly CharterChange[] {
  const after = linesOf(checkIsCharter('charter', charter));
  const before = linesOf(checkIsCharter('previous', previous));
  const gone = [...before].filter(([what]) => !after.has(what));
  return Object.freeze([
    ...gone.map(([what, line]): CharterChange => ({ kind: 'gone', what, how: [], before: line, after: null })),
    ...[...after].flatMap(([what, line]): readonly CharterChange[] => {
      const old = before.get(what);
      if (old === undefined) return [{ kind: 'new', what, how: [], before: null, after: line }];
      return old === line ? [] : [{ kind: 'changed', what, how: differences(old, line), before: old, after: line }];
    }),
    ...reordered(before, after),
  ]);
}

/** The order of lines means nothing to a reader, but it is signed, and logged notes list their signers in it. */
function reordered(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly CharterChange[] {
  const kept = [...before.keys()].filter((what) => after.has(what));
  const now = [...after.keys()].filter((what) => before.has(what));
  if (kept.every((what, i) => what === now[i])) return [];
  return [{ kind: 'changed', what: 'the order of the lines', how: [], before: null, after: null }];
}

/** The lines of a charter by what they are about. */
function linesOf({ text }: Charter): ReadonlyMap<string, string> {
  const lines = new Map<string, string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const items = line.split(' ');
    const [word = ''] = items;
    if (word === 'version' || word === 'previous') continue;
    const named = Object.hasOwn(NAMED, word) ? NAMED[word]! : 0;
    let what = named === 0 ? `the line ${word}` : items.slice(0, 1 + named).join(' ');
    // One rate may have several windows, and only what differs in them tells them apart.
    if (lines.has(what)) what = line;
    lines.set(what, line);
  }
  return lines;
}

/** What differs between two lines about one thing, by the names of their values. */
function differences(before: string, after: string): readonly string[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const names = [...new Set([...now.keys(), ...old.keys()])];
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), now.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`${name}: is new, ${is}`];
    return is === undefined ? [`${name}: is gone, was ${was}`] : [`${name}: was ${was}, is ${is}`];
  });
}

/** The parts of a line by their names. Together they are the whole line. */
function partsOf(line: string): ReadonlyMap<string, string> {
  const items = line.split(' ');
  const [word = ''] = items;
  const rest = items.slice(1 + (Object.hasOwn(NAMED, word) ? NAMED[word]! : 0));
  if (word === 'officer')
    return new Map([
      ['roles', rest[0]!],
      ['keys', rest.slice(1).join(' ')],
    ]);
  if (word === 'rate') return new Map([['limit', rest.join(' ')]]);
  if (word !== 'purpose' && word !== 'glass') return new Map([['the line', rest.join(' ')]]);
  const parts = new Map<string, string>();
  let name = 'its place in the Data Privacy Vocabulary';
  for (const item of rest) {
    if (FIELDS.includes(item)) name = item;
    else if (item === 'unbound') parts.set('unbound', 'yes');
    else parts.set(name, parts.has(name) ? `${parts.get(name)} ${item}` : item);
  }
  return parts;
}
