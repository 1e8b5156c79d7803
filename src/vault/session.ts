/**
 * A store with its keys: the metadata as last seen, the layers of every key that they name, and what is done when
 * another process has changed them meanwhile.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail, TrefoilError } from '../errors.ts';
import type { DomainKey, OpenedKeys } from '../keys/domain-keys.ts';
import { type Inner, innerLayer, type SubjectKeys, subjectKeys } from './rows/inner.ts';
import { readMeta, type VaultMeta, writeMeta } from './rows/meta.ts';
import { type Outer, outerLayer } from './rows/outer.ts';
import { makeView, type View } from './rows/view.ts';
import type { Meta, Stale, VaultStore } from './stores/store.ts';

/** A store with its keys. */
export interface Session {
  readonly store: VaultStore;
  /** Its name in policies. */
  readonly name: string;
  readonly keys: OpenedKeys;
  /** The metadata as last seen. */
  readonly meta: () => VaultMeta;
  /** The store by them. */
  readonly view: () => View;
  /** The outer layer of a key that the metadata name. */
  readonly outer: (id: string) => Outer;
  /** The inner layer of a scope under a key. */
  readonly inner: (id: string, scope: string, withSubject: boolean) => Inner;
  readonly subjects: SubjectKeys;
  /**
   * Does some work with the metadata as they are, and once more whenever they turn out to be others.
   *
   * @throws TrefoilError `store_busy` when that goes on.
   */
  readonly steady: <T>(work: (view: View) => Promise<T | Stale>) => Promise<T>;
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
  const viewOf = (own: VaultMeta): View => {
    const isOlder = async () => {
      await refresh();
      return meta !== own;
    };
    return makeView({ store, subjects, outer, isOlder }, own);
  };
  let view = viewOf(meta);

  function take(next: VaultMeta): void {
    meta = next;
    view = viewOf(next);
  }

  async function refresh(): Promise<boolean> {
    let found = await store.meta();
    // Of two answers at once the older one may come last: one that goes back is asked for again.
    if (found !== null && found.generation < meta.generation) found = await store.meta();
    if (found === null) fail('store_broken', 'the metadata of the vault are gone');
    if (found.generation === meta.generation) return false;
    const next = await read(found);
    if (next.generation !== meta.generation) take(next);
    return true;
  }

  function inner(id: string, scope: string, withSubject: boolean): Inner {
    const place = `${id} ${scope} ${withSubject}`;
    const made = inners.get(place) ?? innerLayer(keyOf(id), name, scope, withSubject);
    inners.set(place, made);
    return made;
  }

  return {
    store,
    name,
    keys,
    meta: () => meta,
    view: () => view,
    outer,
    inner,
    subjects,
    async steady(work) {
      for (let i = 0; i < TRIES; i++) {
        const done = await work(view);
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
      if (done) take(next);
      else await refresh();
      return done;
    },
  };
}
