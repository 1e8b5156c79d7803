/** Moves mappings to a new key of the inner layer (docs/spec/vault-v1.md, "Changing keys"). This needs their tokens. */

import { equalBytes } from '../../core/bytes.ts';
import { isOver, today } from '../days.ts';
import { readId } from '../rows/content.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Change, Row } from '../stores/store.ts';
import { type Column, columnsOf, nameOf, type Scope, type Which } from './scope.ts';
import { openInner, type Pair, sealPairs, tokensOf } from './sealing.ts';
import type { OpenedToken } from './tokens.ts';

/** A row that is replaced; `null` for a free index. */
type ReplacedRow = { readonly instead: Row } | null;

/** A mapping to be moved. */
interface Move {
  /** Position in the list. */
  readonly i: number;
  /** Its present rows. */
  readonly byValue: Row;
  readonly byToken: Row;
  /** Where its rows are written. */
  readonly valueAt: ReplacedRow;
  readonly tokenAt: ReplacedRow;
  readonly pair: Pair;
}

/** Returns the changes that move mappings to the first keys of the metadata; see `renew` of mapping.ts. */
export async function renewPairs(
  scope: Scope,
  view: View,
  tokens: readonly OpenedToken[],
  values: readonly (OpenedRow | null)[],
): Promise<(readonly Change[] | null)[]> {
  const names = tokens.map(({ value, subject }) => nameOf(value, subject));
  const kept = tokensOf(
    scope,
    openInner(scope, 'value', values, names),
    tokens.map(({ subject }) => subject),
  );
  const valueColumns = await columnsOf(scope, view, 'value', names);
  const tokenColumns = await columnsOf(
    scope,
    view,
    'token',
    tokens.map(({ body }) => body),
  );
  const inner = view.meta.inner[0]!;
  const out = new Array<readonly Change[] | null>(tokens.length).fill(null);
  const moves = tokens.flatMap((token, i): Move[] => {
    const byValue = values[i]!;
    if (byValue === null) return [];
    if (token.opened.content.inner === inner && byValue.content.inner === inner) {
      out[i] = leftovers(token, byValue, valueColumns[i]!, tokenColumns[i]!);
      return [];
    }
    const move = planMove(inner, token, byValue, kept[i]!, valueColumns[i]!, tokenColumns[i]!);
    return move === null ? [] : [{ i, ...move }];
  });
  const sealed = sealPairs(
    scope,
    view,
    moves.map(({ pair }) => pair),
  );
  for (const [k, { i, byValue, byToken, valueAt, tokenAt }] of moves.entries()) {
    out[i] = [
      ...changesOf('value', byValue, valueAt, sealed.values[k]!),
      ...changesOf('token', byToken, tokenAt, sealed.tokens[k]!),
      ...leftovers(tokens[i]!, values[i]!, valueColumns[i]!, tokenColumns[i]!),
    ];
  }
  return out;
}

/** Plans the move of one mapping; `null` if it cannot be moved. */
function planMove(
  inner: string,
  { body, opened, subject, value }: OpenedToken,
  byValue: OpenedRow,
  kept: Uint8Array | null,
  valueColumns: readonly Column[],
  tokenColumns: readonly Column[],
): Omit<Move, 'i'> | null {
  // The row by value has to name this token.
  if (kept === null || !equalBytes(kept, body)) return null;
  const { link } = opened.content;
  // Two stores that were filled independently and then merged may each have made a token for a value. Under one key
  // there is only one row by value: it is that of the token which `protect` returns, before the move and after it.
  const day = today();
  const counts = valueColumns.find(({ row, content }) => content?.state === 'live' && !isOver(row!, day));
  if (counts === undefined || !equalBytes(counts.content!.link, link)) return null;
  const [valueAt, tokenAt] = [targetIn(valueColumns[0]!, link), targetIn(tokenColumns[0]!, link)];
  if (valueAt === 'taken' || tokenAt === 'taken') return null;
  // The key id that the token shows is kept in the row by value: the text that the caller passes is not trusted.
  const shown = readId(byValue.content.rest, 0);
  const { expires } = opened.row;
  const pair: Pair = { value, subject, inner, shown, body, link, expires, at: valueAt, tokenAt };
  return { byValue: byValue.row, byToken: opened.row, valueAt, tokenAt, pair };
}

/**
 * Returns the changes that remove the rows of a mapping under older keys, beside the two that count: an import of an
 * export from before a move has put them back. The row under the first key is not among them: it counts, or is written.
 */
function leftovers(
  { opened }: OpenedToken,
  byValue: OpenedRow,
  valueColumns: readonly Column[],
  tokenColumns: readonly Column[],
): Change[] {
  const { link } = opened.content;
  const removals = (table: Which, columns: readonly Column[], counts: Row): Change[] =>
    columns.slice(1).flatMap(({ row, content }): Change[] => {
      if (row === undefined || content?.state !== 'live' || !equalBytes(content.link, link)) return [];
      return equalBytes(row.index, counts.index) ? [] : [{ table, index: row.index, from: row.version, to: null }];
    });
  return [...removals('value', valueColumns, byValue.row), ...removals('token', tokenColumns, opened.row)];
}

/**
 * Returns where a row of a mapping is written under a key: a free index, a tombstone of its name, or its own older row.
 */
function targetIn({ row, content }: Column, link: Uint8Array): ReplacedRow | 'taken' {
  if (row === undefined) return null;
  if (content?.state === 'erased') return { instead: row };
  return content !== null && equalBytes(content.link, link) ? { instead: row } : 'taken';
}

/** Returns the changes that move one row, or replace it if its index remains. */
function changesOf(table: Which, old: Row, at: ReplacedRow, to: Row): Change[] {
  const write: Change = { table, index: to.index, from: at?.instead.version ?? 0, to };
  return equalBytes(old.index, to.index) ? [write] : [{ table, index: old.index, from: old.version, to: null }, write];
}
