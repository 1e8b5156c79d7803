/**
 * One scope of a vault: how the rows of its mappings are found, written and read (docs/spec/vault-v1.md, "Inner layer" and
 * "Content"). values.ts and tokens.ts say when. Everything works on lists.
 */

import { concat, cut, encodeList, equalBytes, padTo, unpadded, utf8 } from '../../core/bytes.ts';
import type { Issue } from '../../errors.ts';
import { type EachKeys, openEach, sealEach } from '../../kernel/siv/keyed.ts';
import { SIV_LENGTH } from '../../kernel/siv/siv.ts';
import { bucketOf } from '../../wire/sealed-texts.ts';
import { isOver, today } from '../days.ts';
import { type Content, HANDLE, readUnderSubject, SHOWN, writeShown, writeUnderSubject } from '../rows/content.ts';
import type { Inner, Name } from '../rows/inner.ts';
import { INDEX } from '../rows/outer.ts';
import type { Places } from '../rows/places.ts';
import { TOKEN } from '../rows/token-text.ts';
import type { Draft, Found, Place, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Row } from '../stores/store.ts';
import { SIV_KEY, type Subject } from '../subjects.ts';

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
  /** Where the row by value is written; `null` for its index under the keys that are written with. */
  readonly at: Place | null;
  /** The same for the row by token. */
  readonly tokenAt?: Place | null;
}

/** What a store has of some names. */
export interface Lookup {
  readonly places: Places;
  /** Of several rows of a name the one that counts: live before broken, broken before erased, erased before expired. */
  readonly rows: readonly (Row | undefined)[];
  /** These rows, opened. */
  readonly found: readonly (Found | null)[];
  /** All rows of a name, opened. */
  readonly allOf: (i: number) => readonly (Found | null)[];
  /** Whether some name may have moved to an index that the view does not know of. */
  readonly unsure: boolean;
}

/** A token's row, opened. */
export interface Opened {
  readonly body: Uint8Array;
  readonly found: Found;
  readonly subject: Subject | null;
  /** UTF-8. */
  readonly value: Uint8Array;
}

/** What one key of the inner layer has of a name: a row under some key of the outer layer, or a free index under its first. */
export interface Column {
  readonly inner: string;
  readonly index: Uint8Array;
  readonly row: Row | undefined;
  /** `null` where no row is, and for one that does not verify. */
  readonly content: Content | null;
}

/** One scope of a vault. */
export interface Scope {
  readonly session: Session;
  readonly options: ScopeOptions;
  /** The name of a value in the inner layer: with its subject's name before it, which dies with the subject, or alone. */
  readonly nameOf: (value: Name, subject: Subject | null) => Name;
  readonly placesOf: (view: View, which: Which, names: readonly Name[]) => Places;
  /** Bytes of the rest of a row by value. */
  readonly valueLength: number;
  /** What each key of the inner layer has of some names. */
  readonly columnsOf: (view: View, which: Which, names: readonly Name[]) => Promise<Column[][]>;
  readonly lookUp: (view: View, which: Which, names: readonly Name[]) => Promise<Lookup>;
  /** What the inner layer has sealed in live rows; `null` for what does not open, and for what is no live row. */
  readonly openInner: (
    which: Which,
    found: readonly (Found | null)[],
    names: readonly Name[],
  ) => readonly (Uint8Array | null)[];
  /** The 16 bytes of the tokens that by-value rows keep; `null` for what does not verify. */
  readonly tokensOf: (
    inside: readonly (Uint8Array | null)[],
    subjects: readonly (Subject | null)[],
  ) => readonly (Uint8Array | null)[];
  /** The values that by-token rows have, by the tokens. */
  readonly valuesOf: (
    inside: readonly (Uint8Array | null)[],
    subjects: readonly (Subject | null)[],
    bodies: readonly Uint8Array[],
  ) => readonly (Uint8Array | null)[];
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

  /** What a subject's key has sealed is bound to the scope, to the table and, by token, to the token. */
  const dataOfValue = encodeList([scope, 'value', NO_TOKEN]);
  const headOfToken = encodeList([scope, 'token', new Uint8Array(TOKEN)]);
  function dataOfToken(token: Uint8Array): Uint8Array {
    const data = headOfToken.slice();
    data.set(token, data.length - TOKEN);
    return data;
  }

  /** Seals contents under the keys of their subjects, where the scope has them. */
  function sealUnder(
    contents: readonly Uint8Array[],
    pairs: readonly Pair[],
    dataOf: (pair: Pair) => Uint8Array,
  ): readonly Uint8Array[] {
    if (!withSubject) return contents;
    const sealed = sealEach(keysOf(pairs.map(({ subject }) => subject!)), contents, pairs.map(dataOf));
    return sealed.map((bytes, i) => writeUnderSubject({ handle: pairs[i]!.subject!.handle, sealed: bytes }));
  }

  /** The other way; `null` for what does not verify, or names another subject. */
  function openUnder(
    inside: readonly (Uint8Array | null)[],
    subjects: readonly (Subject | null)[],
    dataOf: (i: number) => Uint8Array,
  ): readonly (Uint8Array | null)[] {
    if (!withSubject) return inside;
    const places: number[] = [];
    const [own, parts, data] = [[] as Subject[], [] as Uint8Array[], [] as Uint8Array[]];
    for (const [i, bytes] of inside.entries()) {
      const subject = subjects[i]!;
      if (bytes === null || subject === null) continue;
      const { handle, sealed } = readUnderSubject(bytes);
      if (!equalBytes(handle, subject.handle)) continue;
      places.push(i);
      own.push(subject);
      parts.push(sealed);
      data.push(dataOf(i));
    }
    const out = new Array<Uint8Array | null>(inside.length).fill(null);
    for (const [k, opened] of openEach(keysOf(own), parts, data).entries()) out[places[k]!] = opened;
    return out;
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

  function placesOf(view: View, which: Which, names: readonly Name[]): Places {
    const inners = view.meta.inner.map((id) => innerOf(id)[which].indexesOf(names));
    return view.placesOf(inners);
  }

  return {
    session,
    options,
    nameOf,
    placesOf,
    valueLength: withSubject ? SHOWN + HANDLE + 2 * SIV_LENGTH + TOKEN : SHOWN + SIV_LENGTH + TOKEN,

    async columnsOf(view, which, names) {
      const places = placesOf(view, which, names);
      const { inner } = view.meta;
      const each = places.pickEach(await view.store.get(which, places.all));
      const found = view.openMany(which, each.flat());
      return each.map((rows, i) => {
        return inner.map((id, k) => {
          // The columns of the inner keys, once for each key of the outer layer.
          const column = rows.findIndex((row, c) => row !== undefined && c % inner.length === k);
          const opened = column < 0 ? null : found[i * places.columns + column]!;
          const row = column < 0 ? undefined : rows[column];
          return { inner: id, index: row?.index ?? places.at(i, k), row, content: opened?.content ?? null };
        });
      });
    },

    async lookUp(view, which, names) {
      const places = placesOf(view, which, names);
      const stored = await view.store.get(which, places.all);
      // Under one key of the inner layer a name has one row at most, whatever the keys of the outer layer.
      const isOne = view.meta.inner.length === 1;
      const rows = isOne ? places.pick(stored) : new Array<Row | undefined>(names.length).fill(undefined);
      let found = isOne ? view.openMany(which, rows) : new Array<Found | null>(names.length).fill(null);
      let allOf = (i: number): readonly (Found | null)[] => (rows[i] === undefined ? [] : [found[i]!]);
      if (!isOne) {
        const each = places.pickAll(stored);
        const opened = view.openMany(which, each.flat());
        const all: (Found | null)[][] = [];
        let at = 0;
        const day = today();
        found = each.map((own, i) => {
          const ours = opened.slice(at, at + own.length);
          at += own.length;
          all.push(ours);
          let best = -1;
          for (let k = 0; k < own.length; k++) {
            if (best < 0 || rankOf(ours[k]!, day) < rankOf(ours[best]!, day)) best = k;
          }
          rows[i] = own[best];
          return best < 0 ? null : ours[best]!;
        });
        allOf = (i) => all[i]!;
      }
      // A value that came back has a live row beside its tombstones, a token never.
      const isUnsure = (row: Row | undefined, i: number) =>
        row === undefined || (which === 'value' && found[i]?.content.state === 'erased');
      return { places, rows, found, allOf, unsure: rows.some(isUnsure) };
    },

    openInner(which, found, names) {
      const out = new Array<Uint8Array | null>(found.length).fill(null);
      const idOf = (one: Found | null) => (one?.content.state === 'live' ? one.content.inner : null);
      const before = which === 'value' ? SHOWN : 0;
      byInner(found, idOf, (layer, places) => {
        const keys = layer[which].keysOf(places.map((i) => names[i]!));
        const sealed = places.map((i) => found[i]!.content.rest);
        const opened = openEach(keys, sealed, null, before);
        for (let k = 0; k < places.length; k++) out[places[k]!] = opened[k]!;
      });
      return out;
    },

    tokensOf(inside, subjects) {
      const tokens = openUnder(inside, subjects, () => dataOfValue);
      return tokens.map((token) => (token?.length === TOKEN ? token : null));
    },

    valuesOf(inside, subjects, bodies) {
      return openUnder(inside, subjects, (i) => dataOfToken(bodies[i]!)).map((padded) => {
        const value = padded === null ? null : unpadded(padded);
        return value !== null && bucketOf(value.length) === padded!.length ? value : null;
      });
    },

    pairs(view, pairs) {
      const [values, tokens] = [new Array<Draft>(pairs.length), new Array<Draft>(pairs.length)];
      const idOf = ({ inner }: Pair) => inner;
      byInner(pairs, idOf, (layer, places) => {
        const own = places.map((i) => pairs[i]!);
        const names = own.map(({ value, subject }) => nameOf(value, subject));
        const bodies = own.map(({ body }) => body);
        const kept = sealUnder(bodies, own, () => dataOfValue);
        // The value, one byte 0x80, and zeros to the next bucket of seal-v1: lengths show to a power of two.
        const padded = sealUnder(
          own.map(({ value }) => padTo(value, bucketOf(value.length))),
          own,
          ({ body }) => dataOfToken(body),
        );
        const valueAt = own.some(({ at }) => at === null) ? cut(layer.value.indexesOf(names), INDEX) : [];
        const tokenAt = cut(layer.token.indexesOf(bodies), INDEX);
        const byValue = sealEach(layer.value.keysOf(names), kept, null);
        const byToken = sealEach(layer.token.keysOf(bodies), padded, null);
        for (let k = 0; k < places.length; k++) {
          const i = places[k]!;
          const { inner, shown, link, expires, at, tokenAt: insteadOf = null } = own[k]!;
          const content = (rest: Uint8Array) => ({ state: 'live' as const, inner, link, rest });
          values[i] = { at: at ?? { inner: valueAt[k]! }, content: content(writeShown(shown, byValue[k]!)), expires };
          tokens[i] = { at: insteadOf ?? { inner: tokenAt[k]! }, content: content(byToken[k]!), expires };
        }
      });
      return { values: view.sealMany('value', values), tokens: view.sealMany('token', tokens) };
    },
  };
}

/** Which of several rows of a name counts: the lowest. One that does not verify may be the live one. */
function rankOf(found: Found | null, day: number): number {
  if (found === null) return 1;
  if (found.content.state === 'erased') return 2;
  return isOver(found.row, day) ? 3 : 0;
}

/** The keys of subjects, as one column. */
function keysOf(subjects: readonly Subject[]): EachKeys {
  return { keys: concat(subjects.map(({ key }) => key)), keyLength: SIV_KEY };
}

/** Items that go to the store at once. */
export const BATCH = 1000;

export const BROKEN: Issue = {
  code: 'row_broken',
  message: 'the row in the vault does not verify; see trefoil vault verify',
};
