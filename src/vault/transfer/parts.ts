/** The rows of one part of an export, opened and put together. */

import { cut } from '../../core/bytes.ts';
import { fail, type Where } from '../../errors.ts';
import { mapKey } from '../map-key.ts';
import { readContent } from '../rows/content.ts';
import type { SubjectKeys } from '../rows/inner.ts';
import type { Outer } from '../rows/outer.ts';
import { INDEX, type Row, type Table } from '../stores/store.ts';
import type { Head } from './lines.ts';
import { type Item, isKey, isOfSubject } from './merge.ts';

/** A row of a part whose MAC has not been checked yet. */
export interface WaitingRow {
  readonly table: Table;
  readonly row: Row;
  readonly where: Where;
}

/**
 * Opens rows; `null` for a row that does not verify, or whose content names an inner key that the export does not name.
 */
export function openRows(
  waiting: readonly WaitingRow[],
  { outer, inner, subjects }: Head,
  outerOf: (id: string) => Outer,
): (Item | null)[] {
  const out = new Array<Item | null>(waiting.length).fill(null);
  for (const table of new Set(waiting.map((one) => one.table))) {
    for (const id of outer) {
      const positions = waiting.flatMap((one, i) => (one.table === table && one.row.key === id ? [i] : []));
      if (positions.length === 0) continue;
      const layer = outerOf(id);
      const contents = layer.openMany(
        table,
        positions.map((i) => waiting[i]!.row),
        readContent,
      );
      for (const [k, i] of positions.entries()) {
        const content = contents[k]!;
        const isNamed = content !== null && (table === 'subject' ? [subjects] : inner).includes(content.inner);
        if (!isNamed) continue;
        const { index, expires } = waiting[i]!.row;
        out[i] = { table, inner: layer.innerOf(index), content, expires };
      }
    }
  }
  return out;
}

/**
 * Returns the items of a part, with each live key of a subject inside the row that leads to it. An export writes that
 * row before the key, in the same part. A key without such a row is refused, because it could never be shredded.
 */
export function pairKeys(subjects: SubjectKeys, items: readonly Item[], whereOf: (i: number) => Where): Item[] {
  const leads = items.filter(({ table, content }) => content.state === 'live' && isOfSubject(table, content));
  const inners = cut(subjects.keyIndexesOf(leads.map(({ content }) => content.rest)), INDEX);
  const placeOf = new Map(leads.map((lead, i) => [lead, mapKey(inners[i]!)]));
  // A row may be in an export several times.
  const open = new Map<string, number[]>();
  const out: Item[] = [];
  for (const [i, item] of items.entries()) {
    const place = placeOf.get(item);
    if (place !== undefined) open.set(place, [...(open.get(place) ?? []), out.length]);
    if (!isKey(item.table, item.content)) {
      out.push(item);
      continue;
    }
    const at = open.get(mapKey(item.inner))?.shift();
    if (at === undefined) {
      fail('export_refused', 'the key of a subject is not preceded by the row that leads to it', whereOf(i));
    }
    out[at] = { ...out[at]!, key: item };
  }
  return out;
}
