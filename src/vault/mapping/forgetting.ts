/**
 * What forgetting writes (docs/spec/vault-v1.md, "Forgetting"): tombstones of a token and its value under every key of the
 * inner layer, so that no order of these keys brings a row back, and a grave for rows that come under keys of later.
 */

import { equalBytes } from '../../core/bytes.ts';
import { isOver, today } from '../days.ts';
import { mapKey } from '../map-key.ts';
import { type Content, goneContent } from '../rows/content.ts';
import { dig } from '../rows/graves.ts';
import type { View } from '../rows/view.ts';
import type { Change } from '../stores/store.ts';
import type { Column, Opened, Scope } from './scope.ts';

/** A tombstone before it is sealed, of the mapping at `i`. */
interface Erasure {
  readonly i: number;
  readonly column: Column;
  readonly content: Content;
}

/** Both rows of each mapping, erased under every key of the inner layer, and its grave. */
export async function erasing(
  scope: Scope,
  view: View,
  batch: readonly { readonly opened: Opened }[],
): Promise<Change[][]> {
  const opened = batch.map((one) => one.opened);
  const tokens = await scope.columnsOf(
    view,
    'token',
    opened.map(({ body }) => body),
  );
  const values = await scope.columnsOf(
    view,
    'value',
    opened.map(({ value, subject }) => scope.nameOf(value, subject)),
  );
  const day = today();
  // Two tokens of one call may have one value, and a change names no row twice.
  const named = new Set<string>();
  const isNew = (table: string, index: Uint8Array): boolean => {
    const name = table + mapKey(index);
    return !named.has(name) && named.add(name) !== undefined;
  };
  const drafts = { value: [] as Erasure[], token: [] as Erasure[] };
  const plans = opened.map(({ found }, i) => {
    const links = tokens[i]!.flatMap(({ content }) => (content?.state === 'live' ? [content.link] : []));
    // Somebody else was first.
    if (links.length === 0) return [];
    const isOwn = ({ content }: Column) => links.some((link) => equalBytes(content!.link, link));
    const isLive = ({ row, content }: Column) => content?.state === 'live' && !isOver(row!, day);
    // Where the value has another token that lives, it is not erased, and that token's rows stay as they are.
    const isAnothers = values[i]!.some((one) => isLive(one) && !isOwn(one));
    const own = values[i]!.filter((one) => !isAnothers || (one.content?.state === 'live' && isOwn(one)));
    const lengths = { token: found.content.rest.length, value: scope.valueLength };
    const plan = { token: tokens[i]!, value: own };
    for (const table of ['value', 'token'] as const) {
      for (const column of plan[table]) {
        const isLeft = column.row !== undefined && column.content?.state !== 'live';
        if (isLeft || !isNew(table, column.index)) continue;
        const content = goneContent(column.inner, column.content?.rest.length ?? lengths[table]);
        drafts[table].push({ i, column, content });
      }
    }
    return links.filter((link) => isNew('grave', link));
  });
  const changes = opened.map((): Change[] => []);
  for (const table of ['value', 'token'] as const) {
    const sealed = view.sealMany(
      table,
      drafts[table].map(({ column: { row, index }, content }) => {
        return { at: row === undefined ? { index } : { instead: row }, content, expires: null };
      }),
    );
    for (const [k, { i, column }] of drafts[table].entries()) {
      const to = sealed[k]!;
      changes[i]!.push({ table, index: to.index, from: column.row?.version ?? 0, to });
    }
  }
  const owners = plans.flatMap((links, i) => links.map(() => i));
  for (const [k, grave] of (await dig(view, plans.flat())).entries()) {
    if (grave !== null) changes[owners[k]!]!.push(grave);
  }
  return changes;
}
