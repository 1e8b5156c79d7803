/**
 * Subjects and their keys (docs/spec/vault-v1.md, "Subjects"). Each subject has a random handle and a random key, and
 * all its values are sealed under this key as well. One row, found by the subject, holds the handle; a second row,
 * found by the handle, holds the key. So no row of a value names its subject; and when the contents of both rows are
 * destroyed, nothing leads from the subject to its values any more.
 */

import { concat, cut } from '../core/bytes.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { type Content, HANDLE, LINK } from './rows/content.ts';
import { graveChanges } from './rows/graves.ts';
import type { Places } from './rows/places.ts';
import type { OpenedRow, View } from './rows/view.ts';
import { type Change, INDEX, type Row, type Stale } from './stores/store.ts';

/** A subject with its key. */
export interface Subject {
  readonly handle: Uint8Array;
  /** Key of AES-256-SIV. */
  readonly key: Uint8Array;
  /** 32 bytes that precede each value in its name. Without them nobody can test a guess of a value. */
  readonly name: Uint8Array;
}

/**
 * State of a subject in a store: its key; `shredded` if the key was destroyed; `broken` if a row is missing or does not
 * verify; `absent` if the store does not know the subject.
 */
export type SubjectState = Subject | 'shredded' | 'broken' | 'absent';

/**
 * What to do with a subject that has no key: leave it, create a key if the subject is absent, or also create a new key
 * if it was shredded.
 */
export type IfAbsent = 'leave' | 'create' | 'renew';

/** Bytes of the AES-256-SIV key of a subject. */
export const SIV_KEY = 64;

/** Bytes of the rest of a key's row: that key, followed by the subject's name. */
export const KEY: number = SIV_KEY + 32;

/** How often work is repeated if another process changes the same rows. More often is a fault. */
export const ROUNDS = 8;

/** Returns the states of the subjects that have these handles. */
export async function findByHandle(
  view: View,
  handles: readonly Uint8Array[],
): Promise<readonly SubjectState[] | Stale> {
  if (handles.length === 0) return [];
  const { rows, opened } = await readSubjectRows(view, view.subjects.keyIndexesOf(handles));
  // A key that is not found may have moved to an index that this view does not know.
  if (rows.includes(undefined) && (await view.isOutdated())) return 'stale';
  return handles.map((handle, i) => {
    if (rows[i] === undefined) return 'absent';
    const content = opened[i]?.content;
    if (content?.rest.length !== KEY) return 'broken';
    if (content.state !== 'live') return 'shredded';
    const { rest } = content;
    return { handle, key: rest.subarray(0, SIV_KEY), name: rest.subarray(SIV_KEY) };
  });
}

/**
 * Looks up subjects by a column of their inner indexes, which must all be different. With `create`, absent subjects get
 * a key. With `renew`, shredded ones get a new key, too. A subject counts as shredded if its own row is erased, and
 * also if only its key is, as an import leaves it that died between the two.
 */
export async function findSubjects(
  view: View,
  indexes: Uint8Array,
  ifAbsent: IfAbsent,
): Promise<readonly SubjectState[] | Stale> {
  const each = cut(indexes, INDEX);
  const out = new Array<SubjectState>(each.length).fill('broken');
  let left = each.map((_, i) => i);
  // If another process creates a key first, the next round finds that key.
  for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
    const { places, rows, opened } = await readSubjectRows(view, concat(left.map((i) => each[i]!)));
    const live: { readonly i: number; readonly row: Row; readonly handle: Uint8Array }[] = [];
    const absent: number[] = [];
    const again: number[] = [];
    for (const [k, i] of left.entries()) {
      const content = opened[k]?.content;
      if (rows[k] === undefined) absent.push(k);
      else if (content?.rest.length !== HANDLE) out[i] = 'broken';
      else if (content.state === 'live') live.push({ i, row: rows[k], handle: content.rest });
      else if (ifAbsent !== 'renew') out[i] = 'shredded';
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
      if (state === 'shredded' && ifAbsent === 'renew') {
        if ((await renew(view, row, null)) === 'stale') return 'stale';
        again.push(i);
        continue;
      }
      // A handle without a key: a row of the table is missing, or the subject is being shredded at this moment.
      out[i] = state === 'absent' ? 'broken' : state;
    }
    if (ifAbsent === 'leave') {
      // A subject that is not found may have moved to an index that this view does not know.
      if (absent.length > 0 && (await view.isOutdated())) return 'stale';
      for (const k of absent) out[left[k]!] = 'absent';
    } else if (absent.length > 0) {
      const wanted = absent.map((k) => ({ index: places.first(k), unless: places.others(k) }));
      // If another process makes one of them, nothing is written, and the next round reads what is left. From then on
      // the others are made without it.
      if ((await create(view, wanted, round > 0)) === 'stale') return 'stale';
      again.push(...absent.map((k) => left[k]!));
    }
    left = again;
  }
  return out;
}

/** The rows at a column of inner indexes. */
export interface SubjectRows {
  readonly places: Places;
  readonly rows: readonly (Row | undefined)[];
  /** The same rows, opened; `null` for a row that is missing or does not verify. */
  readonly opened: readonly (OpenedRow | null)[];
}

export async function readSubjectRows(view: View, inners: Uint8Array): Promise<SubjectRows> {
  const places = view.placesOf([inners]);
  const rows = places.pick(await view.store.get('subject', places.all));
  return { places, rows, opened: view.openMany('subject', rows) };
}

/** A subject to be made: the index of its row, and other indexes at which it may already have a row. */
interface Wanted {
  readonly index: Uint8Array;
  readonly unless: readonly Uint8Array[];
}

/**
 * Makes new subjects. Both rows of each are written in one change, which is made only if the subject has no row under
 * an older outer key. So a process that dies leaves no key that no row leads to: such a key could never be shredded.
 *
 * If another process makes one of the subjects, nothing is written; with `inHalves`, the batch is divided until only
 * those are left out.
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
 * Writes a new handle and key in place of a handle that was destroyed, or whose key was. It writes nothing if another
 * process has changed the row.
 *
 * @param tombstone link of the row if it is an erased one; else `null`.
 */
async function renew(view: View, row: Row, tombstone: Uint8Array | null): Promise<boolean | Stale> {
  const { handles, keys } = fresh(view, 1);
  const to = view.seal('subject', { instead: row }, contentsOf(view, handles)[0]!, null);
  // With a grave, an export that has this tombstone does not erase the new subject (graves.ts).
  const [grave] = tombstone === null ? [] : await graveChanges(view, [tombstone]);
  return view.store.change(view.meta.generation, [
    { table: 'subject', index: keys[0]!.index, from: 0, to: keys[0]! },
    { table: 'subject', index: row.index, from: row.version, to },
    ...(grave ? [grave] : []),
  ]);
}

/** Returns new handles, and the rows of their keys. */
function fresh(view: View, count: number): { readonly handles: readonly Uint8Array[]; readonly keys: readonly Row[] } {
  const handles = cut(randomBytes(HANDLE * count), HANDLE);
  const contents = contentsOf(view, cut(randomBytes(KEY * count), KEY));
  const drafts = cut(view.subjects.keyIndexesOf(handles), INDEX).map((inner, i) => {
    return { at: { inner }, content: contents[i]!, expires: null };
  });
  return { handles, keys: view.sealMany('subject', drafts) };
}

/** Returns live contents with these rests. */
function contentsOf(view: View, rests: readonly Uint8Array[]): Content[] {
  const links = cut(randomBytes(LINK * rests.length), LINK);
  return rests.map((rest, i) => ({ state: 'live', inner: view.meta.subjects, link: links[i]!, rest }));
}

/** Returns the issue of a value whose subject has no key. */
export function subjectIssue(state: 'shredded' | 'broken'): Issue {
  return state === 'shredded'
    ? {
        code: 'erased',
        message:
          'the subject was erased from the vault, and the rule refuses erased subjects (onErased: error); set ' +
          'onErased: missing to leave the value out, or use --on-error reject to leave its record out',
      }
    : {
        code: 'row_broken',
        message: 'the row of the subject in the vault is damaged or was changed; run trefoil vault verify',
      };
}
