/** Conflicts of an import, judged once all rows of the export are there. */

import { concat, equalBytes } from '../../core/bytes.ts';
import { mapKey } from '../map-key.ts';
import type { Content } from '../rows/content.ts';
import type { Session } from '../session.ts';
import type { Change, Stale } from '../stores/store.ts';
import { findByHandle, readSubjectRows, type SubjectState } from '../subjects.ts';
import { scan } from '../upkeep/stores.ts';
import {
  add,
  BATCH,
  type Conflict,
  type GivesWay,
  type Item,
  isKey,
  isOfSubject,
  type Joined,
  join,
  NOTHING,
  rowsIn,
} from './merge.ts';

/**
 * Judges conflicts once all rows are there. A row that leads to nothing gives way: that of a subject to a key that was
 * erased, and that of a value whose token was forgotten. Both are left behind where a value or subject came back after
 * its erasure (`onErased: 'new'`).
 *
 * Of a subject that has two keys, the one that is not taken was not written. If the store has it all the same, nothing
 * leads to it, so it is removed: shredding would not find it.
 */
export async function settle(session: Session, conflicts: readonly Conflict[]): Promise<Joined> {
  let settled = NOTHING;
  if (conflicts.length === 0) return settled;
  const tokens = await tokensOf(session, conflicts);
  const subjects = await subjectsOf(session, conflicts);
  const brought = new Set(conflicts.flatMap(({ item }) => (item.key === undefined ? [] : [mapKey(item.content.rest)])));
  const givesWay: GivesWay = (table, there, given) => {
    if (table === 'value') return tokens.get(mapKey(there.link)) === false && tokens.get(mapKey(given.link)) === true;
    const key = (content: Content) => (isOfSubject(table, content) ? subjects.get(mapKey(content.rest)) : undefined);
    const own = key(given);
    const isAlive = typeof own === 'object' || (own === 'absent' && brought.has(mapKey(given.rest)));
    return key(there) === 'shredded' && isAlive;
  };
  // One by one: several may be for one place.
  for (const conflict of conflicts) {
    const { item } = conflict;
    // A key that the store has otherwise: there is no other way for it.
    if (isKey(item.table, item.content)) {
      settled = add(settled, { ...NOTHING, conflicts: [conflict] });
      continue;
    }
    // A subject that was shredded here and came back since: what it was in the export is over.
    const isOver = isOfSubject(item.table, item.content) && subjects.get(mapKey(item.content.rest)) === 'shredded';
    settled = add(settled, isOver ? { ...NOTHING, there: rowsIn(item) } : await join(session, [item], { givesWay }));
  }
  for (const { item, there } of settled.conflicts) {
    if (there !== null && isOfSubject(item.table, item.content)) await removeKey(session, item);
  }
  return settled;
}

/** Of the mappings whose values are in conflict, by their links: whether the token is there and live. */
async function tokensOf(session: Session, conflicts: readonly Conflict[]): Promise<ReadonlyMap<string, boolean>> {
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

/** The keys of the subjects that are in conflict, by their handles. */
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
    const states = await session.steady((view) =>
      findByHandle(
        view,
        some.map(([, handle]) => handle),
      ),
    );
    for (const [i, [name]] of some.entries()) found.set(name, states[i]!);
  }
  return found;
}

/** Takes a live key away that the row of its subject does not lead to. It is in the export, and so is what it opens. */
function removeKey(session: Session, { inner, content: { rest: handle } }: Item): Promise<null> {
  return session.steady(async (view): Promise<null | Stale> => {
    const keyInner = view.subjects.keyIndexesOf([handle]);
    const { rows, found } = await readSubjectRows(view, concat([inner, keyInner]));
    const row = rows[1];
    if (row === undefined && (await view.isOlder())) return 'stale';
    if (row === undefined || found[1]?.content.state !== 'live') return null;
    // Another import may have had it take the place of what was there.
    if (found[0]?.content.state === 'live' && equalBytes(found[0].content.rest, handle)) return null;
    const change: Change = { table: 'subject', index: row.index, from: row.version, to: null };
    return (await view.store.change(view.meta.generation, [change])) === true ? null : 'stale';
  });
}
