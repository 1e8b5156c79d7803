/** What the rows of a scope hold, sealed and opened (docs/spec/vault-v1.md, "Content"). All functions work on lists. */

import { concat, cut, equalBytes, padTo, unpadded } from '../../core/bytes.ts';
import { type EachKeys, openEach, sealEach } from '../../kernel/siv/keyed.ts';
import { SIV_LENGTH } from '../../kernel/siv/siv.ts';
import { bucketOf } from '../../wire/sealed-texts.ts';
import { HANDLE, readUnderSubject, SHOWN, writeShown, writeUnderSubject } from '../rows/content.ts';
import type { Inner, Name } from '../rows/inner.ts';
import { TOKEN } from '../rows/token-text.ts';
import type { Draft, OpenedRow, Target, View } from '../rows/view.ts';
import { INDEX, type Row } from '../stores/store.ts';
import { SIV_KEY, type Subject } from '../subjects.ts';
import { innerOf, nameOf, type Scope, type Which } from './scope.ts';

/** A mapping before its rows are written. */
export interface Pair {
  /** UTF-8 of the value. */
  readonly value: Uint8Array;
  readonly subject: Subject | null;
  /** Shown id of the key of the inner layer. */
  readonly inner: string;
  /** The key id in the text of the token. */
  readonly shown: string;
  /** The 16 bytes of the token. */
  readonly body: Uint8Array;
  readonly link: Uint8Array;
  readonly expires: number | null;
  /** Where the row by value is written; `null` for its index under the first outer key. */
  readonly at: Target | null;
  /** The same for the row by token. */
  readonly tokenAt?: Target | null;
}

/** Returns the number of bytes in the rest of a row by value. */
export function valueLength({ options }: Scope): number {
  return options.withSubject ? SHOWN + HANDLE + 2 * SIV_LENGTH + TOKEN : SHOWN + SIV_LENGTH + TOKEN;
}

/**
 * Opens what the inner layer has sealed in rows; `null` for a row that is not live, and for one that does not verify.
 */
export function openInner(
  scope: Scope,
  which: Which,
  opened: readonly (OpenedRow | null)[],
  names: readonly Name[],
): readonly (Uint8Array | null)[] {
  const out = new Array<Uint8Array | null>(opened.length).fill(null);
  const idOf = (row: OpenedRow | null) => (row?.content.state === 'live' ? row.content.inner : null);
  const before = which === 'value' ? SHOWN : 0;
  byInner(scope, opened, idOf, (layer, positions) => {
    const keys = layer[which].keysOf(positions.map((i) => names[i]!));
    const sealed = positions.map((i) => opened[i]!.content.rest);
    const inside = openEach(keys, sealed, null, before);
    for (let k = 0; k < positions.length; k++) out[positions[k]!] = inside[k]!;
  });
  return out;
}

/** Returns the 16 bytes of the tokens in opened rows by value; `null` for what does not verify. */
export function tokensOf(
  scope: Scope,
  inside: readonly (Uint8Array | null)[],
  subjects: readonly (Subject | null)[],
): readonly (Uint8Array | null)[] {
  const tokens = openUnder(scope, inside, subjects, () => scope.dataOfValue);
  return tokens.map((token) => (token?.length === TOKEN ? token : null));
}

/** Returns the values in opened rows by token; `null` for what does not verify. */
export function valuesOf(
  scope: Scope,
  inside: readonly (Uint8Array | null)[],
  subjects: readonly (Subject | null)[],
  bodies: readonly Uint8Array[],
): readonly (Uint8Array | null)[] {
  return openUnder(scope, inside, subjects, (i) => dataOfToken(scope, bodies[i]!)).map((padded) => {
    const value = padded === null ? null : unpadded(padded);
    return value !== null && bucketOf(value.length) === padded!.length ? value : null;
  });
}

/** Seals both rows of mappings. */
export function sealPairs(
  scope: Scope,
  view: View,
  pairs: readonly Pair[],
): { readonly values: readonly Row[]; readonly tokens: readonly Row[] } {
  const [values, tokens] = [new Array<Draft>(pairs.length), new Array<Draft>(pairs.length)];
  const idOf = ({ inner }: Pair) => inner;
  byInner(scope, pairs, idOf, (layer, positions) => {
    const own = positions.map((i) => pairs[i]!);
    const names = own.map(({ value, subject }) => nameOf(value, subject));
    const bodies = own.map(({ body }) => body);
    const kept = sealUnder(scope, bodies, own, () => scope.dataOfValue);
    // The value, one byte 0x80, and zeros to the next bucket of seal-v1: the length shows only the power of two.
    const padded = sealUnder(
      scope,
      own.map(({ value }) => padTo(value, bucketOf(value.length))),
      own,
      ({ body }) => dataOfToken(scope, body),
    );
    const valueAt = own.some(({ at }) => at === null) ? cut(layer.value.indexesOf(names), INDEX) : [];
    const tokenAt = cut(layer.token.indexesOf(bodies), INDEX);
    const byValue = sealEach(layer.value.keysOf(names), kept, null);
    const byToken = sealEach(layer.token.keysOf(bodies), padded, null);
    for (let k = 0; k < positions.length; k++) {
      const i = positions[k]!;
      const { inner, shown, link, expires, at, tokenAt: insteadOf = null } = own[k]!;
      const content = (rest: Uint8Array) => ({ state: 'live' as const, inner, link, rest });
      values[i] = { at: at ?? { inner: valueAt[k]! }, content: content(writeShown(shown, byValue[k]!)), expires };
      tokens[i] = { at: insteadOf ?? { inner: tokenAt[k]! }, content: content(byToken[k]!), expires };
    }
  });
  return { values: view.sealMany('value', values), tokens: view.sealMany('token', tokens) };
}

/** Calls `work` with the positions of the items under each key of the inner layer; an item may be under none. */
function byInner<T>(
  scope: Scope,
  items: readonly T[],
  idOf: (item: T) => string | null,
  work: (layer: Inner, positions: readonly number[]) => void,
): void {
  const groups = new Map<string, number[]>();
  for (let i = 0; i < items.length; i++) {
    const id = idOf(items[i]!);
    if (id === null) continue;
    const positions = groups.get(id);
    if (positions === undefined) groups.set(id, [i]);
    else positions.push(i);
  }
  for (const [id, positions] of groups) work(innerOf(scope, id), positions);
}

/** Associated data of what a subject's key seals in a row by token: scope, table and token. */
function dataOfToken({ dataOfTokens }: Scope, token: Uint8Array): Uint8Array {
  const data = dataOfTokens.slice();
  data.set(token, data.length - TOKEN);
  return data;
}

/** Seals contents under the keys of their subjects, if the scope has subjects. */
function sealUnder(
  { options }: Scope,
  contents: readonly Uint8Array[],
  pairs: readonly Pair[],
  dataOf: (pair: Pair) => Uint8Array,
): readonly Uint8Array[] {
  if (!options.withSubject) return contents;
  const sealed = sealEach(keysOf(pairs.map(({ subject }) => subject!)), contents, pairs.map(dataOf));
  return sealed.map((bytes, i) => writeUnderSubject({ handle: pairs[i]!.subject!.handle, sealed: bytes }));
}

/** The inverse; `null` for what does not verify, or names another subject. */
function openUnder(
  { options }: Scope,
  inside: readonly (Uint8Array | null)[],
  subjects: readonly (Subject | null)[],
  dataOf: (i: number) => Uint8Array,
): readonly (Uint8Array | null)[] {
  if (!options.withSubject) return inside;
  const positions: number[] = [];
  const [own, parts, data] = [[] as Subject[], [] as Uint8Array[], [] as Uint8Array[]];
  for (const [i, bytes] of inside.entries()) {
    const subject = subjects[i]!;
    if (bytes === null || subject === null) continue;
    const { handle, sealed } = readUnderSubject(bytes);
    if (!equalBytes(handle, subject.handle)) continue;
    positions.push(i);
    own.push(subject);
    parts.push(sealed);
    data.push(dataOf(i));
  }
  const out = new Array<Uint8Array | null>(inside.length).fill(null);
  for (const [k, opened] of openEach(keysOf(own), parts, data).entries()) out[positions[k]!] = opened;
  return out;
}

/** Returns the keys of subjects as one column. */
function keysOf(subjects: readonly Subject[]): EachKeys {
  return { keys: concat(subjects.map(({ key }) => key)), keyLength: SIV_KEY };
}
