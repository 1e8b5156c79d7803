/** A store by one set of metadata: where rows are, and what is in them. */

import { concat, cut } from '../../core/bytes.ts';
import { randomBytes } from '../../kernel/random.ts';
import type { Row, Table, VaultStore } from '../stores/store.ts';
import { type Content, readContent, writeContent } from './content.ts';
import type { SubjectKeys } from './inner.ts';
import type { VaultMeta } from './meta.ts';
import { type Bound, INDEX, type Outer } from './outer.ts';
import { type Places, placesIn } from './places.ts';

/** A row that could be opened. */
export interface Found {
  readonly row: Row;
  readonly content: Content;
}

/** Where a row is written: a new one by its inner index, or its index under the key that is written with; or in the place of another. */
export type Place = { readonly inner: Uint8Array } | { readonly index: Uint8Array } | { readonly instead: Row };

/** A row before it is sealed. */
export interface Draft {
  readonly at: Place;
  readonly content: Content;
  readonly expires: number | null;
}

/**
 * A store by one set of metadata. Whatever is looked up, opened, sealed and written together goes by one view, so that
 * nothing mixes two sets when another verb reads new ones in between; what is written names the view's generation.
 */
export interface View {
  readonly store: VaultStore;
  readonly meta: VaultMeta;
  readonly subjects: SubjectKeys;
  /** Where the rows of some names may stand, by columns of their inner indexes: the one that is written under first. */
  readonly placesOf: (inners: readonly Uint8Array[]) => Places;
  /** Opens rows; `null` for those that do not verify, and for those that are not there. */
  readonly openMany: (table: Table, rows: readonly (Row | undefined)[]) => (Found | null)[];
  readonly open: (table: Table, row: Row) => Found | null;
  /** Seals rows, each at an inner index, under the key that is written with, or in the place of another, under its key. */
  readonly sealMany: (table: Table, drafts: readonly Draft[]) => Row[];
  readonly seal: (table: Table, at: Place, content: Content, expires: number | null) => Row;
  /**
   * Reads the metadata anew and tells whether they are others by now. Asked before something is said to be absent: it may
   * have moved to an index that this view does not know of.
   */
  readonly isOlder: () => Promise<boolean>;
}

/** What all views of a store have in common. */
export interface Common extends Pick<View, 'store' | 'subjects'> {
  readonly outer: (id: string) => Outer;
  readonly isOlder: (own: VaultMeta) => Promise<boolean>;
}

export function makeView({ store, subjects, outer, isOlder }: Common, own: VaultMeta): View {
  function openMany(table: Table, rows: readonly (Row | undefined)[]): (Found | null)[] {
    const out = new Array<Found | null>(rows.length).fill(null);
    // Under a key that the metadata do not name, nothing was written by a vault, also if the keyset has that key.
    for (const id of own.outer) {
      const places: number[] = [];
      const list: Row[] = [];
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i];
        if (row === undefined || row.key !== id) continue;
        places.push(i);
        list.push(row);
      }
      if (list.length === 0) continue;
      const contents = outer(id).openMany(table, list, readContent);
      for (let k = 0; k < list.length; k++) {
        const content = contents[k]!;
        if (content === null) continue;
        const isNamed = table === 'subject' ? content.inner === own.subjects : own.inner.includes(content.inner);
        if (isNamed) out[places[k]!] = { row: list[k]!, content };
      }
    }
    return out;
  }

  /** Under which index each row is written. */
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
      const places: number[] = [];
      for (let i = 0; i < drafts.length; i++) if (idOf(drafts[i]!) === id) places.push(i);
      const own = places.map((i) => drafts[i]!);
      const indexes = indexesOf(layer, own);
      const bounds = own.map(({ at, expires }, k): Bound => {
        const version = 'instead' in at ? at.instead.version + 1 : versions[places[k]!]!;
        return { index: indexes[k]!, version, expires };
      });
      const rows = layer.sealMany(
        table,
        bounds,
        own.map(({ content }) => writeContent(content)),
      );
      for (let k = 0; k < rows.length; k++) out[places[k]!] = rows[k]!;
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
    isOlder: () => isOlder(own),
  };
}

/** Where the versions of rows begin: anywhere, so that a version does not tell whether the row was ever changed. */
function firstVersions(count: number): Int32Array {
  const bytes = new DataView(randomBytes(4 * count).buffer);
  return Int32Array.from({ length: count }, (_, i) => 1 + (bytes.getUint32(4 * i) >>> 2));
}
