/** Settles the conflicts of an import, once all rows of the export are in the store. */

import { concat, equalBytes } from '../../core/bytes.ts';
import { mapKey } from '../map-key.ts';
import type { Content } from '../rows/content.ts';
import type { Session } from '../session.ts';
import type { Change, Stale } from '../stores/store.ts';
import { findByHandle, readSubjectRows, type SubjectState } from '../subjects.ts';
import { scan } from '../upkeep/walk.ts';
import {
  addMerged,
  BATCH,
  type Conflict,
  type GivesWay,
  type Item,
  isKey,
  isOfSubject,
  type Merged,
  merge,
  NOTHING,
  rowsIn,
} from './merge.ts';

/**
 * Settles conflicts. A row of the store that leads to nothing is replaced: the row of a subject whose key was erased,
 * and the row of a value whose token was forgotten. Such rows remain if a value or subject was protected again after
 * its erasure (`onErased: 'new'`).
 *
 * If a subject has two keys, the one of the export was not written. If the store has that key all the same, it is
 * removed: no row leads to it, so shredding would not find it.
 */
export async function settle(session: Session, conflicts: readonly Conflict[]): Promise<Merged> {
  let settled = NOTHING;
  if (conflicts.length === 0) return settled;
  const isLive = await liveTokensOf(session, conflicts);
  const subjects = await subjectsOf(session, conflicts);
  const brought = new Set(conflicts.flatMap(({ item }) => (item.key === undefined ? [] : [mapKey(item.content.rest)])));
  const givesWay: GivesWay = (table, there, exported) => {
    if (table === 'value') {
      return isLive.get(mapKey(there.link)) === false && isLive.get(mapKey(exported.link)) === true;
    }
    const stateOf = (content: Content) =>
      isOfSubject(table, content) ? subjects.get(mapKey(content.rest)) : undefined;
    const own = stateOf(exported);
    const isAlive = typeof own === 'object' || (own === 'absent' && brought.has(mapKey(exported.rest)));
    return stateOf(there) === 'shredded' && isAlive;
  };
  // They are settled one by one, because several may have one place.
  for (const conflict of conflicts) {
    const { item } = conflict;
    // The store has another key for a handle. This conflict cannot be settled.
    if (isKey(item.table, item.content)) {
      settled = addMerged(settled, { ...NOTHING, conflicts: [conflict] });
      continue;
    }
    // The subject was shredded in the store and protected again afterwards: its state in the export is out of date.
    const isPast = isOfSubject(item.table, item.content) && subjects.get(mapKey(item.content.rest)) === 'shredded';
    const result = isPast ? { ...NOTHING, there: rowsIn(item) } : await merge(session, [item], { givesWay });
    settled = addMerged(settled, result);
  }
  for (const { item, there } of settled.conflicts) {
    if (there !== null && isOfSubject(item.table, item.content)) await removeKey(session, item);
  }
  return settled;
}

/** Returns, by the links of mappings whose values are in conflict, whether the token is in the store and live. */
async function liveTokensOf(session: Session, conflicts: readonly Conflict[]): Promise<ReadonlyMap<string, boolean>> {
  const live = new Map<string, boolean>();
  for (const { item, there } of conflicts) {
    if (item.table !== 'value' || there === null) continue;
    for (const { link } of [item.content, there]) live.set(mapKey(link), false);
  }
  if (live.size === 0) return live;
  for await (const rows of scan(session, 'token')) {
    const view = session.view();
    for (const row of rows) {
      const content = view.open('token', row)?.content;
      if (content?.state === 'live' && live.has(mapKey(content.link))) live.set(mapKey(content.link), true);
    }
  }
  return live;
}

/** Returns the states of the subjects that are in conflict, by their handles. */
async function subjectsOf(
  session: Session,
  conflicts: readonly Conflict[],
): Promise<ReadonlyMap<string, SubjectState>> {
  const handles = new Map<string, Uint8Array>();
  for (const { item, there } of conflicts) {
    for (const content of [item.content, ...(there === null ? [] : [there])]) {
      if (isOfSubject(item.table, content)) handles.set(mapKey(content.rest), content.rest);
    }
  }
  const all = [...handles];
  const found = new Map<string, SubjectState>();
  for (let first = 0; first < all.length; first += BATCH) {
    const some = all.slice(first, first + BATCH);
    const states = await session.withView((view) =>
      findByHandle(
        view,
        some.map(([, handle]) => handle),
      ),
    );
    for (const [i, [name]] of some.entries()) found.set(name, states[i]!);
  }
  return found;
}

/**
 * Removes a live key to which the row of its subject does not lead. The key is in the export, with all that it opens.
 */
function removeKey(session: Session, { inner, content: { rest: handle } }: Item): Promise<null> {
  return session.withView(async (view): Promise<null | Stale> => {
    const keyInner = view.subjects.keyIndexesOf([handle]);
    const { rows, opened } = await readSubjectRows(view, concat([inner, keyInner]));
    const row = rows[1];
    if (row === undefined && (await view.isOutdated())) return 'stale';
    if (row === undefined || opened[1]?.content.state !== 'live') return null;
    // Another import may have made the row of the subject lead to this key.
    if (opened[0]?.content.state === 'live' && equalBytes(opened[0].content.rest, handle)) return null;
    const change: Change = { table: 'subject', index: row.index, from: row.version, to: null };
    return (await view.store.change(view.meta.generation, [change])) === true ? null : 'stale';
  });
}
