/**
 * A session: an opened store with its keys. It holds the metadata that were read last and the layers of all keys that
 * they name, and it repeats work if another process has changed the metadata meanwhile.
 */

import { badRange, badType, typeName } from '../core/checks.ts';
import { fail, TrefoilError } from '../errors.ts';
import type { DomainKey, OpenedKeys } from '../keys/domain-keys.ts';
import { type Inner, innerLayer, type SubjectKeys, subjectKeys } from './rows/inner.ts';
import { readMeta, type VaultMeta, writeMeta } from './rows/meta.ts';
import { type Outer, outerLayer } from './rows/outer.ts';
import { type Common, makeView, type View } from './rows/view.ts';
import type { Meta, Stale, VaultStore } from './stores/store.ts';

/** An opened store with its keys. */
export interface Session {
  readonly store: VaultStore;
  /** Name of the store in policies. */
  readonly name: string;
  readonly keys: OpenedKeys;
  /** Returns the metadata that were read last. */
  readonly meta: () => VaultMeta;
  /** Returns the view of the store according to these metadata. */
  readonly view: () => View;
  /** Returns the outer layer of a key. */
  readonly outer: (id: string) => Outer;
  /** Returns the inner layer of a scope under a key. */
  readonly inner: (id: string, scope: string, withSubject: boolean) => Inner;
  readonly subjects: SubjectKeys;
  /**
   * Runs `work` with the current view. If `work` returns `stale`, it reads the metadata again and repeats.
   *
   * @throws TrefoilError `store_busy` after 20 attempts.
   */
  readonly withView: <T>(work: (view: View) => Promise<T | Stale>) => Promise<T>;
  /**
   * Has the store remove the remains of destroyed rows from its files. If a reader prevents that, nothing is undone:
   * the next erasure removes them, too.
   */
  readonly scrub: () => Promise<void>;
  /** Reads the metadata again and returns whether they have changed. */
  readonly refresh: () => Promise<boolean>;
  /** Replaces the lists of keys in the metadata. Returns `false` if another process changed the metadata first. */
  readonly change: (lists: Pick<VaultMeta, 'outer' | 'inner'>) => Promise<boolean>;
}

/** How often work is repeated. A change of the metadata is rare; twenty in a row are a fault. */
const TRIES = 20;

/** The stores that a caller passes, by the names that policies use. */
export type Stores = Readonly<Record<string, VaultStore>>;

const VERBS = ['open', 'meta', 'setMeta', 'get', 'create', 'change', 'scan', 'sweep', 'sizes', 'scrub'] as const;

/** Returns a store of those that a caller passes. */
export function pickStore(stores: unknown, name: string): VaultStore {
  if (typeof stores !== 'object' || stores === null)
    badType('stores', `expected stores by name, got ${typeName(stores)}`);
  const store = Object.hasOwn(stores, name) ? (stores as Record<string, unknown>)[name] : undefined;
  if (store === undefined) badRange('stores', `has no store ${name}, which the policy names; pass one under this name`);
  const verbs = typeof store === 'object' && store !== null ? (store as Record<string, unknown>) : {};
  if (VERBS.some((verb) => typeof verbs[verb] !== 'function')) {
    badType('stores', `expected a store under ${name}, as sqliteStore(…) returns it, got ${typeName(store)}`);
  }
  return store as VaultStore;
}

/** The part of the first metadata that a new store takes over from an export, so that it can continue another store. */
export type Origin = Pick<VaultMeta, 'inner' | 'subjects'>;

/**
 * Opens a store. A new store gets its first metadata.
 *
 * @param origin keys of the inner layer for a new store; without it, everything is under the primary key.
 * @throws TrefoilError `wrong_domain`, `unknown_key`, `store_version`, `store_broken`, and errors of the store itself.
 */
export async function openSession(
  store: VaultStore,
  name: string,
  keys: OpenedKeys,
  origin?: Origin,
): Promise<Session> {
  const layers = makeLayers(keys, name);
  await store.open();
  const meta = await openMeta({ store, name, keys, layers }, origin);
  const subjects = subjectKeys(layers.keyOf(meta.subjects), name);
  const isOutdated = async (own: VaultMeta) => {
    await refresh(state);
    return state.view.meta !== own;
  };
  const common: Common = { store, subjects, outer: layers.outer, isOutdated };
  const state: State = { store, name, keys, layers, common, view: makeView(common, meta) };
  return {
    store,
    name,
    keys,
    meta: () => state.view.meta,
    view: () => state.view,
    outer: layers.outer,
    inner: layers.inner,
    subjects,
    withView: (work) => withView(state, work),
    scrub: () => scrub(store),
    refresh: () => refresh(state),
    change: (lists) => change(state, lists),
  };
}

/** What opens the metadata of a store. */
interface Opening {
  readonly store: VaultStore;
  readonly name: string;
  readonly keys: OpenedKeys;
  readonly layers: Layers;
}

/** A session inside. */
interface State extends Opening {
  readonly common: Common;
  /** According to the metadata that were read last. */
  view: View;
}

/** The layers of all keys, each made when it is first needed. */
interface Layers {
  readonly keyOf: (id: string) => DomainKey;
  readonly outer: (id: string) => Outer;
  readonly inner: (id: string, scope: string, withSubject: boolean) => Inner;
  readonly macOf: (id: string) => Outer['mac'];
}

function makeLayers(keys: OpenedKeys, name: string): Layers {
  const byId = new Map(keys.keys.map((key) => [key.id, key]));
  const outers = new Map<string, Outer>();
  const inners = new Map<string, Inner>();

  function keyOf(id: string): DomainKey {
    const key = byId.get(id);
    if (key !== undefined) return key;
    return fail(
      'unknown_key',
      `the vault uses key ${id}, which the keyset does not have; use the keyset of this vault`,
    );
  }

  function outer(id: string): Outer {
    const made = outers.get(id) ?? outerLayer(keyOf(id), name);
    outers.set(id, made);
    return made;
  }

  function inner(id: string, scope: string, withSubject: boolean): Inner {
    const place = `${id} ${scope} ${withSubject}`;
    const made = inners.get(place) ?? innerLayer(keyOf(id), name, scope, withSubject);
    inners.set(place, made);
    return made;
  }

  return { keyOf, outer, inner, macOf: (id) => outer(id).mac };
}

/** Reads the metadata of a store, or writes the first ones of a new store. */
async function openMeta(opening: Opening, origin: Origin | undefined): Promise<VaultMeta> {
  const { store, name, keys, layers } = opening;
  const found = await store.meta();
  if (found !== null) return checkMeta(opening, found);
  const { id } = keys.primary;
  const { inner, subjects } = origin ?? { inner: [id], subjects: id };
  const meta = { generation: 1, domain: keys.domain, store: name, outer: [id], inner, subjects };
  if (await store.setMeta(writeMeta(meta, layers.macOf))) return meta;
  // Another process was first.
  return checkMeta(opening, (await store.meta())!);
}

function checkMeta({ name, keys, layers }: Opening, found: Meta): VaultMeta {
  const meta = readMeta(found, keys.domain, name, layers.macOf);
  for (const id of [...meta.outer, ...meta.inner, meta.subjects]) layers.keyOf(id);
  return meta;
}

async function withView<T>(state: State, work: (view: View) => Promise<T | Stale>): Promise<T> {
  for (let i = 0; i < TRIES; i++) {
    const done = await work(state.view);
    if (done !== 'stale') return done;
    await refresh(state);
  }
  return fail('store_busy', 'other processes keep changing the keys of the vault; try again');
}

async function scrub(store: VaultStore): Promise<void> {
  try {
    await store.scrub();
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'store_busy') throw error;
  }
}

async function refresh(state: State): Promise<boolean> {
  const { store } = state;
  let found = await store.meta();
  // If two reads run at once, the older result may arrive last. A generation that goes back is read again.
  if (found !== null && found.generation < state.view.meta.generation) found = await store.meta();
  if (found === null) fail('store_broken', 'the metadata of the vault are missing; restore them from a backup');
  if (found.generation === state.view.meta.generation) return false;
  const next = checkMeta(state, found);
  state.view = makeView(state.common, next);
  return true;
}

async function change(state: State, { outer, inner }: Pick<VaultMeta, 'outer' | 'inner'>): Promise<boolean> {
  const { meta } = state.view;
  const next = { ...meta, outer, inner, generation: meta.generation + 1 };
  const done = await state.store.setMeta(writeMeta(next, state.layers.macOf));
  if (done) state.view = makeView(state.common, next);
  else await refresh(state);
  return done;
}
