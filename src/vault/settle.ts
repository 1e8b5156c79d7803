/** Conflicts of an import, judged once all rows of the export are there. */

import type { Content } from './content.ts';
import { add, BATCH, type Conflict, type GivesWay, isOfSubject, type Joined, join, NOTHING } from './join.ts';
import { nameOf } from './names.ts';
import type { Session } from './session.ts';
import type { Change, Stale } from './store.ts';
import { findByHandle, type SubjectState } from './subjects.ts';
import { scan } from './upkeep.ts';

/**
 * Judges conflicts once all rows are there. A row that leads to nothing gives way: that of a subject to a key that was
 * erased, and that of a value whose token was forgotten. Both are left behind where a value or subject came back after
 * its erasure (`onErased: 'new'`).
 *
 * Of a subject that has two keys, the one that was not taken is removed again: shredding would not find it.
 */
export async function settle(session: Session, conflicts: readonly Conflict[]): Promise<Joined> {
  let settled = NOTHING;
  if (conflicts.length === 0) return settled;
  const tokens = await tokensOf(session, conflicts);
  const subjects = await subjectsOf(session, conflicts);
  const givesWay: GivesWay = (table, there, given) => {
    if (table === 'value') return tokens.get(nameOf(there.link)) === false && tokens.get(nameOf(given.link)) === true;
    const key = (content: Content) => (isOfSubject(table, content) ? subjects.get(nameOf(content.rest)) : undefined);
    return key(there) === 'shredded' && typeof key(given) === 'object';
  };
  // One by one: several may be for one place.
  for (const { item } of conflicts) {
    // A subject that was shredded here and came back since: what it was in the export is over.
    const isOver = isOfSubject(item.table, item.content) && subjects.get(nameOf(item.content.rest)) === 'shredded';
    settled = add(settled, isOver ? { ...NOTHING, there: 1 } : await join(session, [item], { givesWay }));
  }
  for (const { item, there } of settled.conflicts) {
    if (there !== null && isOfSubject(item.table, item.content)) await removeKey(session, item.content.rest);
  }
  return settled;
}

/** Of the mappings whose values are in conflict, by their links: whether the token is there and live. */
async function tokensOf(session: Session, conflicts: readonly Conflict[]): Promise<ReadonlyMap<string, boolean>> {
  const live = new Map<string, boolean>();
  for (const { item, there } of conflicts) {
    if (item.table !== 'value' || there === null) continue;
    for (const { link } of [item.content, there]) live.set(nameOf(link), false);
  }
  if (live.size === 0) return live;
  for await (const rows of scan(session, 'token')) {
    const view = session.view();
    for (const row of rows) {
      const content = view.open('token', row)?.content;
      if (content?.state === 'live' && live.has(nameOf(content.link))) live.set(nameOf(content.link), true);
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
      if (isOfSubject(item.table, content)) handles.set(nameOf(content.rest), content.rest);
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

/** Takes a live key away again. It is in the export still, and so is what it opens. */
function removeKey(session: Session, handle: Uint8Array): Promise<null> {
  return session.steady(async (view): Promise<null | Stale> => {
    const places = view.placesOf([view.subjects.keyIndexesOf([handle])]);
    const [row] = places.pick(await view.store.get('subject', places.all));
    if (row === undefined && (await view.isOlder())) return 'stale';
    if (row === undefined || view.open('subject', row)?.content.state !== 'live') return null;
    const change: Change = { table: 'subject', index: row.index, from: row.version, to: null };
    return (await view.store.change(view.meta.generation, [change])) === true ? null : 'stale';
  });
}
