/**
 * Graves: what has the link of a grave is over (docs/spec/vault-v1.md, "Graves"). A grave is an erased row in the table
 * `subject`, under the index that the link gives. The link of a mapping outlives every change of keys, so an import knows
 * a mapping that was forgotten, under whichever key of the inner layer its rows come.
 */

import { cut } from '../core/bytes.ts';
import { type Content, goneContent, HANDLE } from './content.ts';
import { INDEX } from './outer.ts';
import type { Change, Row } from './store.ts';
import type { View } from './view.ts';

/** The graves of links: the row of each where there is one, and the index that it is written under. */
export async function findGraves(
  view: View,
  links: readonly Uint8Array[],
): Promise<{ readonly rows: readonly (Row | undefined)[]; readonly first: (i: number) => Uint8Array }> {
  if (links.length === 0) return { rows: [], first: () => new Uint8Array(INDEX) };
  const places = view.placesOf([view.subjects.graveIndexesOf(links)]);
  return { rows: places.pick(await view.store.get('subject', places.all)), first: places.first };
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

/** The inner indexes of the graves of links. */
export function graveIndexes(view: View, links: readonly Uint8Array[]): Uint8Array[] {
  return cut(view.subjects.graveIndexesOf(links), INDEX);
}
