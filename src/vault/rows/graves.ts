/**
 * Graves (docs/spec/vault-v1.md, "Graves"). A grave says that whatever has a certain link is erased. It is an erased
 * row in the table `subject`, whose index is derived from the link. The link of a mapping survives every change of
 * keys, so an import recognises a forgotten mapping under whichever key of the inner layer its rows are.
 */

import { cut } from '../../core/bytes.ts';
import { type Change, INDEX, type Row } from '../stores/store.ts';
import { goneContent, HANDLE } from './content.ts';
import type { View } from './view.ts';

/** The graves that a store has for some links. */
export interface Graves {
  /** The grave of each link, if it has one. */
  readonly rows: readonly (Row | undefined)[];
  /** The inner index of the grave of each link. */
  readonly inners: readonly Uint8Array[];
  /** Returns the index under which a new grave of the link at `i` is written. */
  readonly first: (i: number) => Uint8Array;
}

/** Looks up the graves of links. */
export async function findGraves(view: View, links: readonly Uint8Array[]): Promise<Graves> {
  if (links.length === 0) return { rows: [], inners: [], first: () => new Uint8Array(INDEX) };
  const column = view.subjects.graveIndexesOf(links);
  const places = view.placesOf([column]);
  const rows = places.pick(await view.store.get('subject', places.all));
  return { rows, inners: cut(column, INDEX), first: places.first };
}

/** Returns the change that makes the grave of each link; `null` if it has one already. All links must be different. */
export async function graveChanges(view: View, links: readonly Uint8Array[]): Promise<(Change | null)[]> {
  const { rows, first } = await findGraves(view, links);
  const wanted = links.flatMap((_, i) => (rows[i] === undefined ? [i] : []));
  const made = view.sealMany(
    'subject',
    wanted.map((i) => {
      // A grave holds nothing, as the row of a shredded subject.
      return { at: { index: first(i) }, content: goneContent(view.meta.subjects, HANDLE), expires: null };
    }),
  );
  const out = new Array<Change | null>(links.length).fill(null);
  for (const [k, i] of wanted.entries()) out[i] = { table: 'subject', index: made[k]!.index, from: 0, to: made[k]! };
  return out;
}
