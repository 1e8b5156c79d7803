/**
 * Forgetting a mapping (docs/spec/vault-v1.md, "Forgetting"). It writes tombstones of a token and its value under every
 * key of the inner layer, so that no order of these keys brings a row back, and a grave for rows under keys that come
 * later.
 */

import { equalBytes } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { type Content, goneContent } from '../rows/content.ts';
import { graveChanges } from '../rows/graves.ts';
import type { View } from '../rows/view.ts';
import type { Change } from '../stores/store.ts';
import { ROUNDS } from '../subjects.ts';
import { BATCH, type Column, columnsOf, nameOf, type ReportIssue, type Scope, type Which } from './scope.ts';
import { valueLength } from './sealing.ts';
import { findTokens, type OpenedToken } from './tokens.ts';

const WHICH: readonly Which[] = ['value', 'token'];

/** A mapping that is to be forgotten, with the positions of its token in the list. */
interface Wanted {
  readonly positions: readonly number[];
  readonly token: OpenedToken;
}

/**
 * Destroys the mappings of tokens, and returns which of them still existed. The rows of the tokens stay, as forgotten
 * ones.
 */
export async function forgetTokens(
  scope: Scope,
  tokens: readonly string[],
  report: ReportIssue,
): Promise<(boolean | undefined)[]> {
  const { session } = scope;
  const out = new Array<boolean | undefined>(tokens.length).fill(undefined);
  let left = tokens.map((_, i) => i);
  let destroyed = false;
  for (let round = 0; left.length > 0; round++) {
    if (round === ROUNDS) fail('store_busy', 'other processes keep changing the same mappings; try again');
    const list = left;
    const seen = await findTokens(
      scope,
      list.map((i) => tokens[i]!),
      (k, issue) => report(list[k]!, issue),
    );
    const wanted: Wanted[] = [];
    for (const { positions, mapping } of seen) {
      if (mapping !== 'forgotten') wanted.push({ positions: positions.map((k) => list[k]!), token: mapping });
      else for (const k of positions) out[list[k]!] ??= false;
    }
    // After a round in which another process has changed one of them, they are forgotten one by one.
    const size = round === 0 ? Math.ceil(BATCH / (2 * session.meta().inner.length + 1)) : 1;
    left = [];
    for (let first = 0; first < wanted.length; first += size) {
      const batch = wanted.slice(first, first + size);
      const gone = await forgetBatch(scope, batch);
      for (const [k, { positions }] of batch.entries()) {
        for (const i of positions) {
          if (gone[k]) out[i] = true;
          else left.push(i);
        }
        destroyed ||= gone[k]!;
      }
    }
  }
  if (destroyed) await session.scrub();
  return out;
}

/** Destroys some mappings. Returns which it has destroyed; all others have to be looked up again. */
async function forgetBatch(scope: Scope, batch: readonly Wanted[]): Promise<readonly boolean[]> {
  const { session } = scope;
  const view = session.view();
  const changes = await erase(
    scope,
    view,
    batch.map(({ token }) => token),
  );
  const done = (await view.store.change(view.meta.generation, changes.flat())) === true;
  if (!done) await session.refresh();
  // If a mapping has no live row any more, another process has forgotten or moved it.
  return changes.map((own) => done && own.length > 0);
}

/** A tombstone before it is sealed, of the mapping at `i`. */
interface Erasure {
  readonly i: number;
  readonly column: Column;
  readonly content: Content;
}

/** Returns the changes that erase both rows of each mapping under every key of the inner layer, and make its grave. */
async function erase(scope: Scope, view: View, tokens: readonly OpenedToken[]): Promise<Change[][]> {
  const byToken = await columnsOf(
    scope,
    view,
    'token',
    tokens.map(({ body }) => body),
  );
  const byValue = await columnsOf(
    scope,
    view,
    'value',
    tokens.map(({ value, subject }) => nameOf(value, subject)),
  );
  const day = today();
  // Two tokens of one call may have one value, but a change must not name a row twice.
  const named = new Set<string>();
  const isNew = (table: string, index: Uint8Array): boolean => {
    const key = table + mapKey(index);
    return !named.has(key) && named.add(key) !== undefined;
  };
  const drafts = { value: [] as Erasure[], token: [] as Erasure[] };
  const graves = tokens.map(({ opened }, i) => {
    const links = byToken[i]!.flatMap(({ content }) => (content?.state === 'live' ? [content.link] : []));
    // Another process was first.
    if (links.length === 0) return [];
    const columns = { token: byToken[i]!, value: ownColumns(byValue[i]!, links, day) };
    const lengths = { token: opened.content.rest.length, value: valueLength(scope) };
    for (const table of WHICH) {
      for (const column of columns[table]) {
        const isLeft = column.row !== undefined && column.content?.state !== 'live';
        if (isLeft || !isNew(table, column.index)) continue;
        const content = goneContent(column.inner, column.content?.rest.length ?? lengths[table]);
        drafts[table].push({ i, column, content });
      }
    }
    return links.filter((link) => isNew('grave', link));
  });
  const changes = tokens.map((): Change[] => []);
  for (const table of WHICH) addErasures(view, table, drafts[table], changes);
  const owners = graves.flatMap((links, i) => links.map(() => i));
  for (const [k, grave] of (await graveChanges(view, graves.flat())).entries()) {
    if (grave !== null) changes[owners[k]!]!.push(grave);
  }
  return changes;
}

/**
 * Returns the columns of a value in which it is erased. If the value has another live token, the value is not erased:
 * then they are only those with the links of the token that is forgotten.
 */
function ownColumns(columns: readonly Column[], links: readonly Uint8Array[], day: number): readonly Column[] {
  const isOwn = ({ content }: Column) => links.some((link) => equalBytes(content!.link, link));
  const isLive = ({ row, content }: Column) => content?.state === 'live' && !isOver(row!, day);
  if (!columns.some((column) => isLive(column) && !isOwn(column))) return columns;
  return columns.filter((column) => column.content?.state === 'live' && isOwn(column));
}

/** Seals tombstones, and adds each to the changes of its mapping. */
function addErasures(view: View, table: Which, erasures: readonly Erasure[], changes: readonly Change[][]): void {
  const sealed = view.sealMany(
    table,
    erasures.map(({ column: { row, index }, content }) => {
      return { at: row === undefined ? { index } : { instead: row }, content, expires: null };
    }),
  );
  for (const [k, { i, column }] of erasures.entries()) {
    const to = sealed[k]!;
    changes[i]!.push({ table, index: to.index, from: column.row?.version ?? 0, to });
  }
}
