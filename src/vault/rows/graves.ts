/**
 * Graves: what has the link of a grave is over (docs/spec/vault-v1.md, "Graves"). A grave is an erased row in the table
 * `subject`, under the index that the link gives. The link of a mapping outlives every change of keys, so an import knows
 * a mapping that was forgotten, under whichever key of the inner layer its rows come.
 */

import { cut } from '../../core/bytes.ts';
import type { Change, Row } from '../stores/store.ts';
import { type Content, goneContent, HANDLE } from './content.ts';
import { INDEX } from './outer.ts';
import type { View } from './view.ts';

/** What the store has for some links. */
export interface Graves {
  /** The row of each link that has a grave. */
  readonly rows: readonly (Row | undefined)[];
  /** The inner index of the grave of each link, and the index that it is written under. */
  readonly inners: readonly Uint8Array[];
  readonly first: (i: number) => Uint8Array;
}

/** Looks for the graves of links. */
export async function findGraves(view: View, links: readonly Uint8Array[]): Promise<Graves> {
  if (links.length === 0) return { rows: [], inners: [], first: () => new Uint8Array(INDEX) };
  const column = view.subjects.graveIndexesOf(links);
  const places = view.placesOf([column]);
  const rows = places.pick(await view.store.get('subject', places.all));
  return { rows, inners: cut(column, INDEX), first: places.first };
}

/** Graves for links, all of them different; those that have one are left out. */
export async function dig(view: View, links: readonly Uint8Array[]): Promise<(Change | null)[]> {
  const { rows, first } = await findGraves(view, links);
  const wanted = links.flatMap((_, i) => (rows[i] === undefined ? [i] : []));
  const made = view.sealMany(
    'subject',
    wanted.map((i) => ({ at: { index: first(i) }, content: graveContent(view), expires: null })),
  );
  const out = new Array<Change | null>(links.length).fill(null);
  for (const [k, i] of wanted.entries()) out[i] = { table: 'subject', index: made[k]!.index, from: 0, to: made[k]! };
  return out;
}

/** What is in a grave: nothing, as in the row of a subject that was shredded. */
function graveContent(view: View): Content {
  return goneContent(view.meta.subjects, HANDLE);
}
