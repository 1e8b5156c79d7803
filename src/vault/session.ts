/**
 * A store with its keys: the metadata as last seen, the layers of every key that they name, and what is done when
 * another process has changed them meanwhile.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail, TrefoilError } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import type { DomainKey, OpenedKeys } from '../keys/domain-keys.ts';
import { type Content, readContent, writeContent } from './content.ts';
import { type Inner, innerLayer, type SubjectKeys, subjectKeys } from './inner.ts';
import { readMeta, type VaultMeta, writeMeta } from './meta.ts';
import { type Bound, type Outer, outerLayer } from './outer.ts';
import type { Meta, Row, Stale, Table, VaultStore } from './store.ts';

/** A row that could be opened. */
export interface Found {
  readonly row: Row;
  readonly content: Content;
}

/** A store with its keys. */
export interface Session {
  readonly store: VaultStore;
  /** Its name in policies. */
  readonly name: string;
  readonly keys: OpenedKeys;
  /** The metadata as last seen. */
  readonly meta: () => VaultMeta;
  /** The outer layer of a key that the metadata name. */
  readonly outer: (id: string) => Outer;
  /** The inner layer of a scope under a key. */
  readonly inner: (id: string, scope: string, withSubject: boolean) => Inner;
  readonly subjects: SubjectKeys;
  /** All indexes under which a row may stand: the one it is written under first. */
  readonly indexesOf: (inners: readonly Uint8Array[]) => readonly Uint8Array[];
  /** The same for columns of inner indexes: columns of indexes, the one that is written under first. */
  readonly columnsOf: (inners: readonly Uint8Array[]) => readonly Uint8Array[];
  /** Opens rows; `null` for those that do not verify, and for those that are not there. */
  readonly openMany: (table: Table, rows: readonly (Row | undefined)[]) => (Found | null)[];
  readonly open: (table: Table, row: Row) => Found | null;
  /** Seals rows, each at an inner index, under the key that is written with, or in the place of another, under its key. */
  readonly sealMany: (table: Table, drafts: readonly Draft[]) => Row[];
  readonly seal: (table: Table, at: Place, content: Content, expires: number | null) => Row;
  /**
   * Does some work with the metadata as they are, and once more whenever they turn out to be others.
   *
   * @throws TrefoilError `store_busy` when that goes on.
   */
  readonly steady: <T>(work: () => Promise<T | Stale>) => Promise<T>;
  /**
   * Has the store take out of its files what is left of destroyed rows. A reader that keeps the store from it does not undo
   * what was destroyed: the next erasure takes it along.
   */
  readonly scrub: () => Promise<void>;
  /** Reads the metadata anew, and tells whether they are others. */
  readonly refresh: () => Promise<boolean>;
  /** Replaces the metadata; `false` when somebody else did so first. */
  readonly change: (meta: Omit<VaultMeta, 'generation' | 'domain' | 'store' | 'subjects'>) => Promise<boolean>;
}

/** Where a row is written: a new one by its inner index, or its index under the key that is written with; or in the place of another. */
export type Place = { readonly inner: Uint8Array } | { readonly index: Uint8Array } | { readonly instead: Row };

/** A row before it is sealed. */
export interface Draft {
  readonly at: Place;
  readonly content: Content;
  readonly expires: number | null;
}

/** Where the versions of rows begin: anywhere, so that a version does not tell whether the row was ever changed. */
function firstVersions(count: number): Int32Array {
  const bytes = new DataView(randomBytes(4 * count).buffer);
  return Int32Array.from({ length: count }, (_, i) => 1 + (bytes.getUint32(4 * i) >>> 2));
}

/** How often work is begun again. A change of metadata is rare; several in a row are a fault. */
const TRIES = 20;

/** The stores that a caller hands over, by the names that policies give them. */
export type Stores = Readonly<Record<string, VaultStore>>;

const VERBS = ['open', 'meta', 'setMeta', 'get', 'create', 'change', 'scan', 'sweep', 'sizes', 'scrub'] as const;

/** Takes a store out of those that a caller hands over. */
export function pickStore(stores: unknown, name: string): VaultStore {
  if (typeof stores !== 'object' || stores === null)
    badType('stores', `expected stores by name, got ${typeName(stores)}`);
  const store = Object.hasOwn(stores, name) ? (stores as Record<string, unknown>)[name] : undefined;
  if (store === undefined) badRange('stores', `has no store ${name}, which the policy names`);
  const verbs = typeof store === 'object' && store !== null ? (store as Record<string, unknown>) : {};
  if (VERBS.some((verb) => typeof verbs[verb] !== 'function')) {
    badType('stores', `expected a store as ${name}, as sqliteStore(…) gives it, got ${typeName(store)}`);
  }
  return store as VaultStore;
}

/** What the first metadata of a new store say, where it is to go on with what another store began. */
export type Origin = Pick<VaultMeta, 'inner' | 'subjects'>;

/**
 * Opens a store.
 *
 * @param origin for a store that is new; without it all of it is under the primary key.
 * @throws TrefoilError `wrong_domain`, `unknown_key`, `store_version`, `store_broken`, and what the store itself refuses.
 */
export async function openSession(
  store: VaultStore,
  name: string,
  keys: OpenedKeys,
  origin?: Origin,
): Promise<Session> {
  const byId = new Map(keys.keys.map((key) => [key.id, key]));
  const keyOf = (id: string): DomainKey =>
    byId.get(id) ?? fail('unknown_key', `the vault is under key ${id}, which the keys do not have; take its keyset`);
  const outers = new Map<string, Outer>();
  const outer = (id: string): Outer => {
    const made = outers.get(id) ?? outerLayer(keyOf(id), name);
    outers.set(id, made);
    return made;
  };
  const macOf = (id: string) => outer(id).mac;
  const inners = new Map<string, Inner>();

  async function read(found: Meta): Promise<VaultMeta> {
    const meta = readMeta(found, keys.domain, name, macOf);
    for (const id of [...meta.outer, ...meta.inner, meta.subjects]) keyOf(id);
    return meta;
  }

  async function first(): Promise<VaultMeta> {
    const found = await store.meta();
    if (found !== null) return read(found);
    const { id } = keys.primary;
    const { inner, subjects } = origin ?? { inner: [id], subjects: id };
    const meta = { generation: 1, domain: keys.domain, store: name, outer: [id], inner, subjects };
    if (await store.setMeta(writeMeta(meta, macOf))) return meta;
    // Another process was first.
    return read((await store.meta())!);
  }

  await store.open();
  let meta = await first();
  const subjects = subjectKeys(keyOf(meta.subjects), name);

  function openMany(table: Table, rows: readonly (Row | undefined)[]): (Found | null)[] {
    const out = new Array<Found | null>(rows.length).fill(null);
    // Under a key that the metadata do not name, nothing was written by a vault, also if the keyset has that key.
    for (const id of meta.outer) {
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
        const isNamed = table === 'subject' ? content.inner === meta.subjects : meta.inner.includes(content.inner);
        if (isNamed) out[places[k]!] = { row: list[k]!, content };
      }
    }
    return out;
  }

  function sealMany(table: Table, drafts: readonly Draft[]): Row[] {
    const out = new Array<Row>(drafts.length);
    const first = meta.outer[0]!;
    const versions = firstVersions(drafts.length);
    const idOf = ({ at }: Draft) => ('instead' in at ? at.instead.key : first);
    for (const id of new Set(drafts.map(idOf))) {
      const layer = outer(id);
      const places: number[] = [];
      const bounds: Bound[] = [];
      const contents: Uint8Array[] = [];
      for (let i = 0; i < drafts.length; i++) {
        const draft = drafts[i]!;
        if (idOf(draft) !== id) continue;
        const { at, content, expires } = draft;
        places.push(i);
        contents.push(writeContent(content));
        if ('instead' in at) bounds.push({ index: at.instead.index, version: at.instead.version + 1, expires });
        else {
          const index = 'index' in at ? at.index : layer.indexOf(at.inner);
          bounds.push({ index, version: versions[i]!, expires });
        }
      }
      const rows = layer.sealMany(table, bounds, contents);
      for (let k = 0; k < rows.length; k++) out[places[k]!] = rows[k]!;
    }
    return out;
  }

  async function refresh(): Promise<boolean> {
    const found = await store.meta();
    if (found === null) fail('store_broken', 'the metadata of the vault are gone');
    if (found.generation === meta.generation) return false;
    meta = await read(found);
    return true;
  }

  return {
    store,
    name,
    keys,
    meta: () => meta,
    outer,
    inner(id, scope, withSubject) {
      const place = `${id} ${scope} ${withSubject}`;
      const made = inners.get(place) ?? innerLayer(keyOf(id), name, scope, withSubject);
      inners.set(place, made);
      return made;
    },
    subjects,
    indexesOf: (inner) => meta.outer.flatMap((id) => inner.map((index) => outer(id).indexOf(index))),
    columnsOf: (inners) => meta.outer.flatMap((id) => inners.map((column) => outer(id).indexesOf(column))),
    openMany,
    open: (table, row) => openMany(table, [row])[0]!,
    sealMany,
    seal: (table, at, content, expires) => sealMany(table, [{ at, content, expires }])[0]!,
    async steady(work) {
      for (let i = 0; i < TRIES; i++) {
        const done = await work();
        if (done !== 'stale') return done;
        await refresh();
      }
      return fail('store_busy', 'the vault is being changed by others all the time; try again');
    },
    async scrub() {
      try {
        await store.scrub();
      } catch (error) {
        if (!(error instanceof TrefoilError) || error.code !== 'store_busy') throw error;
      }
    },
    refresh,
    async change({ outer, inner }) {
      const next = { ...meta, outer, inner, generation: meta.generation + 1 };
      const done = await store.setMeta(writeMeta(next, macOf));
      if (done) meta = next;
      else await refresh();
      return done;
    },
  };
}
