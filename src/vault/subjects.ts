/**
 * The keys of subjects: a random handle and a random key for each, which everything of the subject is named and sealed
 * under as well. The handle is found by the subject, the key by the handle, so nothing that is kept of a value names its
 * subject; and when both are destroyed, nothing leads from the one to the other any more.
 */

import { concat, cut } from '../core/bytes.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { type Content, HANDLE, LINK } from './rows/content.ts';
import { dig } from './rows/graves.ts';
import { INDEX } from './rows/outer.ts';
import type { Places } from './rows/places.ts';
import type { Found, View } from './rows/view.ts';
import type { Change, Row, Stale } from './stores/store.ts';

/** A subject whose key is there. */
export interface Subject {
  readonly handle: Uint8Array;
  /** Of AES-256-SIV. */
  readonly key: Uint8Array;
  /** 32 bytes that name its values together with the values: without them no value can be guessed any more. */
  readonly name: Uint8Array;
}

/** A subject as the store has it: with its key, without it for ever, broken, or not at all. */
export type SubjectState = Subject | 'shredded' | 'broken' | 'absent';

/** What is done about a subject whose key is not there. */
export type Missing = 'leave' | 'create' | 'renew';

/** Bytes of a key's row: the key of AES-256-SIV, and the name. */
export const KEY = 96;
export const SIV_KEY = 64;

/** Rounds of a race that nobody wins: more than this is a fault. */
export const ROUNDS = 8;

/** The keys that belong to handles. */
export async function findByHandle(
  view: View,
  handles: readonly Uint8Array[],
): Promise<readonly SubjectState[] | Stale> {
  if (handles.length === 0) return [];
  const { rows, found } = await readSubjectRows(view, view.subjects.keyIndexesOf(handles));
  // Before a key is said to be gone: its row may have moved to an index that we did not know of.
  if (rows.includes(undefined) && (await view.isOlder())) return 'stale';
  return handles.map((handle, i) => {
    if (rows[i] === undefined) return 'absent';
    const content = found[i]?.content;
    if (content?.rest.length !== KEY) return 'broken';
    if (content.state !== 'live') return 'shredded';
    const { rest } = content;
    return { handle, key: rest.subarray(0, SIV_KEY), name: rest.subarray(SIV_KEY) };
  });
}

/**
 * Looks subjects up by a column of their inner indexes, all of them different; with `create` those that are absent get a
 * key, with `renew` shredded ones, too: those whose row is erased, and those whose key alone is, as an import leaves it
 * that died between the two.
 */
export async function findSubjects(
  view: View,
  indexes: Uint8Array,
  missing: Missing,
): Promise<readonly SubjectState[] | Stale> {
  const each = cut(indexes, INDEX);
  const out = new Array<SubjectState>(each.length).fill('broken');
  let left = each.map((_, i) => i);
  // Who loses a race finds the winner's key in the next round.
  for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
    const { places, rows, found } = await readSubjectRows(view, concat(left.map((i) => each[i]!)));
    const live: { readonly i: number; readonly row: Row; readonly handle: Uint8Array }[] = [];
    const absent: number[] = [];
    const again: number[] = [];
    for (const [k, i] of left.entries()) {
      const content = found[k]?.content;
      if (rows[k] === undefined) absent.push(k);
      else if (content?.rest.length !== HANDLE) out[i] = 'broken';
      else if (content.state === 'live') live.push({ i, row: rows[k], handle: content.rest });
      else if (missing !== 'renew') out[i] = 'shredded';
      else if ((await renew(view, rows[k], content.link)) === 'stale') return 'stale';
      else again.push(i);
    }
    const keys = await findByHandle(
      view,
      live.map(({ handle }) => handle),
    );
    if (keys === 'stale') return keys;
    for (const [k, { i, row }] of live.entries()) {
      const state = keys[k]!;
      if (state === 'shredded' && missing === 'renew') {
        if ((await renew(view, row, null)) === 'stale') return 'stale';
        again.push(i);
        continue;
      }
      // A handle without its key: rows of the table are missing, or it is being shredded at this instant.
      out[i] = state === 'absent' ? 'broken' : state;
    }
    if (missing === 'leave') {
      // Before a subject is said to be absent: it may have moved to an index that we did not know of.
      if (absent.length > 0 && (await view.isOlder())) return 'stale';
      for (const k of absent) out[left[k]!] = 'absent';
    } else if (absent.length > 0) {
      const wanted = absent.map((k) => ({ index: places.first(k), unless: places.others(k) }));
      // Somebody else makes one of them: the next round reads who is left, and from then on the others are made without
      // it.
      if ((await create(view, wanted, round > 0)) === 'stale') return 'stale';
      again.push(...absent.map((k) => left[k]!));
    }
    left = again;
  }
  return out;
}

/** The rows under a column of inner indexes, as they are and opened. */
export interface SubjectRows {
  readonly places: Places;
  readonly rows: readonly (Row | undefined)[];
  readonly found: readonly (Found | null)[];
}

export async function readSubjectRows(view: View, inners: Uint8Array): Promise<SubjectRows> {
  const places = view.placesOf([inners]);
  const rows = places.pick(await view.store.get('subject', places.all));
  return { places, rows, found: view.openMany('subject', rows) };
}

/** A subject to be made: the index of its row, and others under which it may stand already. */
interface Wanted {
  readonly index: Uint8Array;
  readonly unless: readonly Uint8Array[];
}

/**
 * New subjects. Both rows of each are written in one change, which also says that no row of the subject is under an
 * older key of the outer layer: a process that dies leaves no key that nothing leads to, for it could never be
 * shredded. Where another process makes one of the same subjects nothing is written, or with `inHalves` all but those.
 */
async function create(view: View, wanted: readonly Wanted[], inHalves: boolean): Promise<null | Stale> {
  const { handles, keys } = fresh(view, wanted.length);
  const contents = contentsOf(view, handles);
  const rows = view.sealMany(
    'subject',
    wanted.map(({ index }, i) => ({ at: { index }, content: contents[i]!, expires: null })),
  );
  const made = [...keys, ...rows].map((to): Change => ({ table: 'subject', index: to.index, from: 0, to }));
  const free = wanted.flatMap(({ unless }) => {
    return unless.map((index): Change => ({ table: 'subject', index, from: 0, to: null }));
  });
  const done = await view.store.change(view.meta.generation, [...made, ...free]);
  if (done === 'stale') return done;
  if (done || !inHalves || wanted.length === 1) return null;
  const half = wanted.length >> 1;
  const first = await create(view, wanted.slice(0, half), inHalves);
  return first === 'stale' ? first : create(view, wanted.slice(half), inHalves);
}

/**
 * Another handle and key in the place of a handle that was destroyed, or whose key was, unless somebody else was first.
 *
 * @param tombstone the link of the row, if it is an erased one.
 */
async function renew(view: View, row: Row, tombstone: Uint8Array | null): Promise<boolean | Stale> {
  const { handles, keys } = fresh(view, 1);
  const to = view.seal('subject', { instead: row }, contentsOf(view, handles)[0]!, null);
  // An export with this tombstone does not erase who came after it: graves.ts.
  const [grave] = tombstone === null ? [] : await dig(view, [tombstone]);
  return view.store.change(view.meta.generation, [
    { table: 'subject', index: keys[0]!.index, from: 0, to: keys[0]! },
    { table: 'subject', index: row.index, from: row.version, to },
    ...(grave ? [grave] : []),
  ]);
}

/** Handles, and the rows of their keys. */
function fresh(view: View, count: number): { readonly handles: readonly Uint8Array[]; readonly keys: readonly Row[] } {
  const handles = cut(randomBytes(HANDLE * count), HANDLE);
  const contents = contentsOf(view, cut(randomBytes(KEY * count), KEY));
  const drafts = cut(view.subjects.keyIndexesOf(handles), INDEX).map((inner, i) => {
    return { at: { inner }, content: contents[i]!, expires: null };
  });
  return { handles, keys: view.sealMany('subject', drafts) };
}

/** Live contents. */
function contentsOf(view: View, rests: readonly Uint8Array[]): Content[] {
  const links = cut(randomBytes(LINK * rests.length), LINK);
  return rests.map((rest, i) => ({ state: 'live', inner: view.meta.subjects, link: links[i]!, rest }));
}

/** What is wrong with a subject, for the value that belongs to it. */
export function subjectIssue(state: 'shredded' | 'broken'): Issue {
  return state === 'shredded'
    ? { code: 'erased', message: 'the subject was erased from the vault, and its policy says that it stays so' }
    : { code: 'row_broken', message: 'the row of the subject does not verify; see trefoil vault verify' };
}
