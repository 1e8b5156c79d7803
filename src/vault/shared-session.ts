/**
 * The sessions of all open stores: rules that use one store with one keyset share a session, and so they share what it
 * knows of the store.
 */

import type { OpenedKeys } from '../keys/domain-keys.ts';
import { type Origin, openSession, type Session } from './session.ts';
import type { VaultStore } from './stores/store.ts';

interface SharedSession {
  readonly opened: OpenedKeys;
  readonly name: string;
  readonly session: Promise<Session>;
}

const sessions: WeakMap<VaultStore, readonly SharedSession[]> = /* @__PURE__ */ new WeakMap();

/**
 * Returns the session of a store under these keys and this name, and opens one if there is none. A session that is
 * already open reads the metadata again, because another process may have changed them.
 *
 * @param origin how the metadata of a new store begin; see {@link openSession}.
 */
export function sharedSession(store: VaultStore, name: string, opened: OpenedKeys, origin?: Origin): Promise<Session> {
  const known = sessions.get(store) ?? [];
  const found = known.find((one) => one.opened === opened && one.name === name);
  if (found !== undefined) return found.session.then((session) => session.refresh().then(() => session));
  const session = openSession(store, name, opened, origin);
  sessions.set(store, [...known, { opened, name, session }]);
  // A store that could not be opened may be tried again.
  session.catch(() => dropSession(store, session));
  return session;
}

function dropSession(store: VaultStore, session: Promise<Session>): void {
  sessions.set(
    store,
    (sessions.get(store) ?? []).filter((one) => one.session !== session),
  );
}
