/**
 * One scope of a vault: how the rows of its mappings are found, written and read (docs/spec/vault-v1.md, "Inner layer" and
 * "Content"). values.ts and tokens.ts say when. Everything works on lists.
 */

import { concat, cut, encodeList, equalBytes, padTo, unpadded, utf8 } from '../core/bytes.ts';
import { bucketOf } from '../core/sealed-texts.ts';
import type { Issue } from '../errors.ts';
import { readUnderSubject, SHOWN, writeShown, writeUnderSubject } from './content.ts';
import type { Places } from './index-table.ts';
import { type Inner, type Name, openUnder, sealUnder } from './inner.ts';
import { INDEX } from './outer.ts';
import type { Session } from './session.ts';
import type { Row } from './store.ts';
import type { Subject } from './subjects.ts';
import { TOKEN } from './token-text.ts';
import type { Draft, Found, Place, View } from './view.ts';

/** What a scope is told. */
export interface ScopeOptions {
  readonly scope: string;
  readonly label: string | undefined;
  /** Days that a mapping is kept; `null` for ever. */
  readonly ttl: number | null;
  readonly withSubject: boolean;
  readonly onErased: 'error' | 'new';
}

export type Which = 'value' | 'token';

/** Says what is wrong with the item at an index of a list. */
export type Report = (index: number, issue: Issue) => void;

/** A mapping before its rows are written. */
export interface Pair {
  /** UTF-8 of the value. */
  readonly value: Uint8Array;
  readonly subject: Subject | null;
  /** Shown id of the inner key, and the one that the text of the token shows. */
  readonly inner: string;
  readonly shown: string;
  /** The 16 bytes of the token. */
  readonly body: Uint8Array;
  readonly link: Uint8Array;
  readonly expires: number | null;
  /** Where the row by value is to stand; `null` for its index under the keys that are written with. */
  readonly at: Place | null;
}

/** One scope of a vault. */
export interface Scope {
  readonly session: Session;
  readonly options: ScopeOptions;
  /** The name of a value in the inner layer: with its subject's name before it, which dies with the subject, or alone. */
  readonly nameOf: (value: Name, subject: Subject | null) => Name;
  readonly placesOf: (view: View, which: Which, names: readonly Name[]) => Places;
  /** What the inner layer has sealed in live rows; `null` for what does not open, and for what is no live row. */
  readonly openInner: (
    which: Which,
    found: readonly (Found | null)[],
    names: readonly Name[],
  ) => readonly (Uint8Array | null)[];
  /** The 16 bytes of the token that a by-value row keeps. */
  readonly tokenOf: (inside: Uint8Array | null, subject: Subject | null) => Uint8Array | null;
  /** The value that a by-token row has. */
  readonly valueOf: (inside: Uint8Array, subject: Subject | null, body: Uint8Array) => Uint8Array | null;
  /** Both rows of mappings. */
  readonly pairs: (
    view: View,
    pairs: readonly Pair[],
  ) => { readonly values: readonly Row[]; readonly tokens: readonly Row[] };
}

/** A by-value row is bound to no token: it is what is looked up to find one. */
const NO_TOKEN: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Opens a scope of a vault. */
export function openScope(session: Session, options: ScopeOptions): Scope {
  const { scope, withSubject } = options;
  const innerOf = (id: string): Inner => session.inner(id, scope, withSubject);

  /** What the subject's key has sealed is bound to the scope, to the table and to the token. */
  const dataOf = (which: Which, token: Uint8Array) => encodeList([scope, which, token]);

  function under(subject: Subject | null, plain: Uint8Array, which: Which, token: Uint8Array): Uint8Array {
    if (subject === null) return plain;
    return writeUnderSubject({ handle: subject.handle, sealed: subject.siv.seal(plain, dataOf(which, token)) });
  }

  function openedUnder(subject: Subject | null, bytes: Uint8Array, which: Which, token: Uint8Array): Uint8Array | null {
    if (subject === null) return bytes;
    const { handle, sealed } = readUnderSubject(bytes);
    return equalBytes(handle, subject.handle) ? subject.siv.open(sealed, dataOf(which, token)) : null;
  }

  function nameOf(value: Name, subject: Subject | null): Name {
    if (subject === null) return value;
    return concat([subject.name, typeof value === 'string' ? utf8(value) : value]);
  }

  /** Does something for the items under each key of the inner layer. */
  function byInner<T>(
    items: readonly T[],
    idOf: (item: T) => string | null,
    work: (layer: Inner, places: readonly number[]) => void,
  ): void {
    const groups = new Map<string, number[]>();
    for (let i = 0; i < items.length; i++) {
      const id = idOf(items[i]!);
      if (id === null) continue;
      const places = groups.get(id);
      if (places === undefined) groups.set(id, [i]);
      else places.push(i);
    }
    for (const [id, places] of groups) work(innerOf(id), places);
  }

  return {
    session,
    options,
    nameOf,

    placesOf(view, which, names) {
      const inners = view.meta.inner.map((id) => innerOf(id)[which].indexesOf(names));
      return view.placesOf(inners);
    },

    openInner(which, found, names) {
      const out = new Array<Uint8Array | null>(found.length).fill(null);
      const idOf = (one: Found | null) => (one?.content.state === 'live' ? one.content.inner : null);
      const before = which === 'value' ? SHOWN : 0;
      byInner(found, idOf, (layer, places) => {
        const keys = layer[which].keysOf(places.map((i) => names[i]!));
        const sealed = places.map((i) => found[i]!.content.rest);
        const opened = openUnder(keys, sealed, before);
        for (let k = 0; k < places.length; k++) out[places[k]!] = opened[k]!;
      });
      return out;
    },

    tokenOf(inside, subject) {
      const token = inside === null ? null : openedUnder(subject, inside, 'value', NO_TOKEN);
      return token?.length === TOKEN ? token : null;
    },

    valueOf(inside, subject, body) {
      const padded = openedUnder(subject, inside, 'token', body);
      const value = padded === null ? null : unpadded(padded);
      return value !== null && bucketOf(value.length) === padded!.length ? value : null;
    },

    pairs(view, pairs) {
      const [values, tokens] = [new Array<Draft>(pairs.length), new Array<Draft>(pairs.length)];
      const idOf = ({ inner }: Pair) => inner;
      byInner(pairs, idOf, (layer, places) => {
        const own = places.map((i) => pairs[i]!);
        const names = own.map(({ value, subject }) => nameOf(value, subject));
        const bodies = own.map(({ body }) => body);
        const kept = own.map(({ subject, body }) => under(subject, body, 'value', NO_TOKEN));
        // The value, one byte 0x80, and zeros to the next bucket of seal-v1: lengths show to a power of two.
        const padded = own.map(({ subject, value, body }) =>
          under(subject, padTo(value, bucketOf(value.length)), 'token', body),
        );
        const valueAt = own.some(({ at }) => at === null) ? cut(layer.value.indexesOf(names), INDEX) : [];
        const tokenAt = cut(layer.token.indexesOf(bodies), INDEX);
        const byValue = sealUnder(layer.value.keysOf(names), kept);
        const byToken = sealUnder(layer.token.keysOf(bodies), padded);
        for (let k = 0; k < places.length; k++) {
          const i = places[k]!;
          const { inner, shown, link, expires, at } = own[k]!;
          const content = (rest: Uint8Array) => ({ state: 'live' as const, inner, link, rest });
          values[i] = { at: at ?? { inner: valueAt[k]! }, content: content(writeShown(shown, byValue[k]!)), expires };
          tokens[i] = { at: { inner: tokenAt[k]! }, content: content(byToken[k]!), expires };
        }
      });
      return { values: view.sealMany('value', values), tokens: view.sealMany('token', tokens) };
    },
  };
}

/** Items that go to the store at once. */
export const BATCH = 1000;

export const BROKEN: Issue = {
  code: 'row_broken',
  message: 'the row in the vault does not verify; see trefoil vault verify',
};
