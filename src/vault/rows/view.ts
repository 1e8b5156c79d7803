/**
 * A view of a store: where its rows are, and how they are opened and sealed, according to one version of the metadata.
 */

import { concat, cut } from '../../core/bytes.ts';
import { randomBytes } from '../../kernel/random.ts';
import { INDEX, type Row, type Table, type VaultStore } from '../stores/store.ts';
import { type Content, readContent, writeContent } from './content.ts';
import type { SubjectKeys } from './inner.ts';
import type { VaultMeta } from './meta.ts';
import type { Bound, Outer } from './outer.ts';
import { type Places, placesIn } from './places.ts';

/** A row that verified, with its content. */
export interface OpenedRow {
  readonly row: Row;
  readonly content: Content;
}

/**
 * Where a row is written: a new row at its inner index, or at its index under the first outer key; or in place of a
 * row.
 */
export type Target = { readonly inner: Uint8Array } | { readonly index: Uint8Array } | { readonly instead: Row };

/** A row before it is sealed. */
export interface Draft {
  readonly at: Target;
  readonly content: Content;
  readonly expires: number | null;
}

/**
 * A view of a store according to one version of its metadata. Rows that are looked up, opened, sealed and written
 * together use one view, so that no two versions are mixed if another verb reads newer metadata in between. Every write
 * names the view's generation.
 */
export interface View {
  readonly store: VaultStore;
  readonly meta: VaultMeta;
  readonly subjects: SubjectKeys;
  /**
   * Returns the places of names. `inners` are columns of their inner indexes, one for each key of the inner layer; the
   * first is the one of new rows.
   */
  readonly placesOf: (inners: readonly Uint8Array[]) => Places;
  /** Opens rows; `null` for a row that does not verify, and for a missing row. */
  readonly openMany: (table: Table, rows: readonly (Row | undefined)[]) => (OpenedRow | null)[];
  readonly open: (table: Table, row: Row) => OpenedRow | null;
  /** Seals rows: a new row under the first outer key, and a row that replaces another under that row's key. */
  readonly sealMany: (table: Table, drafts: readonly Draft[]) => Row[];
  readonly seal: (table: Table, at: Target, content: Content, expires: number | null) => Row;
  /**
   * Reads the metadata again and returns whether they have changed. It is called before anything is reported as absent,
   * because the row may have moved to an index that this view does not know.
   */
  readonly isOutdated: () => Promise<boolean>;
}

/** The parts that all views of a store share. */
export interface Common extends Pick<View, 'store' | 'subjects'> {
  readonly outer: (id: string) => Outer;
  readonly isOutdated: (own: VaultMeta) => Promise<boolean>;
}

/** Makes the view of a version of the metadata. */
export function makeView({ store, subjects, outer, isOutdated }: Common, own: VaultMeta): View {
  function openMany(table: Table, rows: readonly (Row | undefined)[]): (OpenedRow | null)[] {
    const out = new Array<OpenedRow | null>(rows.length).fill(null);
    // A vault writes nothing under a key that the metadata do not name, even if the keyset has that key.
    for (const id of own.outer) {
      const positions: number[] = [];
      const list: Row[] = [];
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i];
        if (row === undefined || row.key !== id) continue;
        positions.push(i);
        list.push(row);
      }
      if (list.length === 0) continue;
      const contents = outer(id).openMany(table, list, readContent);
      for (let k = 0; k < list.length; k++) {
        const content = contents[k]!;
        if (content === null) continue;
        const isNamed = table === 'subject' ? content.inner === own.subjects : own.inner.includes(content.inner);
        if (isNamed) out[positions[k]!] = { row: list[k]!, content };
      }
    }
    return out;
  }

  /** Returns the index of each row. */
  function indexesOf(layer: Outer, drafts: readonly Draft[]): Uint8Array[] {
    const inners = drafts.flatMap(({ at }) => ('inner' in at ? at.inner : []));
    const made = cut(layer.indexesOf(concat(inners)), INDEX);
    let next = 0;
    return drafts.map(({ at }) => ('inner' in at ? made[next++]! : 'index' in at ? at.index : at.instead.index));
  }

  function sealMany(table: Table, drafts: readonly Draft[]): Row[] {
    const out = new Array<Row>(drafts.length);
    const first = own.outer[0]!;
    const versions = firstVersions(drafts.length);
    const idOf = ({ at }: Draft) => ('instead' in at ? at.instead.key : first);
    for (const id of new Set(drafts.map(idOf))) {
      const layer = outer(id);
      const positions: number[] = [];
      for (let i = 0; i < drafts.length; i++) if (idOf(drafts[i]!) === id) positions.push(i);
      const own = positions.map((i) => drafts[i]!);
      const indexes = indexesOf(layer, own);
      const bounds = own.map(({ at, expires }, k): Bound => {
        const version = 'instead' in at ? at.instead.version + 1 : versions[positions[k]!]!;
        return { index: indexes[k]!, version, expires };
      });
      const rows = layer.sealMany(
        table,
        bounds,
        own.map(({ content }) => writeContent(content)),
      );
      for (let k = 0; k < rows.length; k++) out[positions[k]!] = rows[k]!;
    }
    return out;
  }
  return {
    store,
    meta: own,
    subjects,
    placesOf: (inners) => placesIn(own.outer.flatMap((id) => inners.map((column) => outer(id).indexesOf(column)))),
    openMany,
    open: (table, row) => openMany(table, [row])[0]!,
    sealMany,
    seal: (table, at, content, expires) => sealMany(table, [{ at, content, expires }])[0]!,
    isOutdated: () => isOutdated(own),
  };
}

/** Returns random first versions, so that a version does not show whether the row was ever changed. */
function firstVersions(count: number): Int32Array {
  const bytes = new DataView(randomBytes(4 * count).buffer);
  return Int32Array.from({ length: count }, (_, i) => 1 + (bytes.getUint32(4 * i) >>> 2));
}
