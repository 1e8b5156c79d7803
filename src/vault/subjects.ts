/**
 * The keys of subjects: a random handle and a random key for each, which everything of the subject is named and sealed
 * under as well. The handle is found by the subject, the key by the handle, so nothing that is kept of a value names its
 * subject; and when both are destroyed, nothing leads from the one to the other any more.
 */

import { concat, cut } from '../core/bytes.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { type Content, HANDLE, LINK } from './content.ts';
import type { Places } from './index-table.ts';
import { INDEX } from './outer.ts';
import type { Change, Row, Stale } from './store.ts';
import type { Found, View } from './view.ts';

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
 * key, with `renew` shredded ones, too.
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
    const live: { readonly i: number; readonly handle: Uint8Array }[] = [];
    const absent: number[] = [];
    const again: number[] = [];
    for (const [k, i] of left.entries()) {
      const content = found[k]?.content;
      if (rows[k] === undefined) absent.push(k);
      else if (content?.rest.length !== HANDLE) out[i] = 'broken';
      else if (content.state === 'live') live.push({ i, handle: content.rest });
      else if (missing !== 'renew') out[i] = 'shredded';
      else if ((await renew(view, rows[k])) === 'stale') return 'stale';
      else again.push(i);
    }
    const keys = await findByHandle(
      view,
      live.map(({ handle }) => handle),
    );
    if (keys === 'stale') return keys;
    for (const [k, { i }] of live.entries()) {
      const state = keys[k]!;
      // A handle without its key: rows of the table are missing, or it is being shredded at this instant.
      out[i] = state === 'absent' ? 'broken' : state;
    }
    if (missing === 'leave') {
      // Before a subject is said to be absent: it may have moved to an index that we did not know of.
      if (absent.length > 0 && (await view.isOlder())) return 'stale';
      for (const k of absent) out[left[k]!] = 'absent';
    } else if (absent.length > 0) {
      const wanted = absent.map((k) => ({ index: places.first(k), unless: places.others(k) }));
      if ((await create(view, wanted)) === 'stale') return 'stale';
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

/** New subjects. Their keys are written before their handles: a handle never leads nowhere. */
async function create(
  view: View,
  wanted: readonly { readonly index: Uint8Array; readonly unless: readonly Uint8Array[] }[],
): Promise<null | Stale> {
  const { store } = view;
  const { generation } = view.meta;
  const { handles, keys } = fresh(view, wanted.length);
  const made = keys.map((row) => ({ row }));
  if ((await store.create(generation, 'subject', made)) === 'stale') return 'stale';
  const contents = contentsOf(view, handles);
  const rows = view.sealMany(
    'subject',
    wanted.map(({ index }, i) => ({ at: { index }, content: contents[i]!, expires: null })),
  );
  const entries = wanted.map(({ unless }, i) => ({ row: rows[i]!, unless }));
  const won = await store.create(generation, 'subject', entries);
  if (won === 'stale') return 'stale';
  // Keys of those who lost belong to nobody.
  const winners = new Set(won);
  const lost = keys.flatMap(({ index, version }, i): Change[] =>
    winners.has(i) ? [] : [{ table: 'subject', index, from: version, to: null }],
  );
  if (lost.length > 0) await store.change(generation, lost);
  return null;
}

/** Another handle and key in the place of a handle that was destroyed, unless somebody else was first. */
async function renew(view: View, row: Row): Promise<boolean | Stale> {
  const { handles, keys } = fresh(view, 1);
  const to = view.seal('subject', { instead: row }, contentsOf(view, handles)[0]!, null);
  return view.store.change(view.meta.generation, [
    { table: 'subject', index: keys[0]!.index, from: 0, to: keys[0]! },
    { table: 'subject', index: row.index, from: row.version, to },
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

/** The content of a handle or key that was destroyed. */
export function goneOf(view: View, length: number): Content {
  return { state: 'erased', inner: view.meta.subjects, link: randomBytes(LINK), rest: new Uint8Array(length) };
}

/** What is wrong with a subject, for the value that belongs to it. */
export function subjectIssue(state: 'shredded' | 'broken'): Issue {
  return state === 'shredded'
    ? { code: 'erased', message: 'the subject was erased from the vault, and its policy says that it stays so' }
    : { code: 'row_broken', message: 'the row of the subject does not verify; see trefoil vault verify' };
}
