/**
 * Upkeep of mappings whose tokens are known: full verification, and a change of the inner key. Both have to open the
 * inner layer, which needs value or token. stores.ts has the upkeep that needs the outer layer only.
 */

import { type Issue, MAX_ISSUES } from '../../errors.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { OpenedToken } from '../mapping/tokens.ts';
import type { OpenedRow, View } from '../rows/view.ts';
import type { Session } from '../session.ts';
import type { Change, Stale } from '../stores/store.ts';
import type { Rekeyed, Verified } from './stores.ts';

/** Opens both rows of each token completely. */
export async function verifyTokens(mapping: Mapping, tokens: readonly string[]): Promise<Verified> {
  const bad: (Issue & { row: number })[] = [];
  const inspected = await mapping.inspect(tokens, (row, issue) => bad.push({ ...issue, row: row + 1 }));
  const inner: Record<string, number> = {};
  const outer: Record<string, number> = {};
  const opened = inspected.flatMap((one, row) => (one === undefined ? [] : [{ token: one, row }]));
  const values = await mapping.valueRowsOf(opened.map(({ token }) => token));
  for (const [k, { token, row }] of opened.entries()) {
    const { content, row: stored } = token.opened;
    inner[content.inner] = (inner[content.inner] ?? 0) + 1;
    outer[stored.key] = (outer[stored.key] ?? 0) + 1;
    if (values[k] !== null) continue;
    bad.push({
      code: 'row_broken',
      message: 'the value of this token has another token in the vault, or none',
      row: row + 1,
    });
  }
  bad.sort((a, b) => a.row - b.row);
  return { rows: tokens.length, problems: [], broken: bad.length, outer, inner, tokens: bad.slice(0, MAX_ISSUES) };
}

/** Mappings that are moved at once. */
const REKEY_BATCH = 250;

/** Moves the mappings of tokens to the primary key's inner layer. */
export async function rekeyTokens(session: Session, mapping: Mapping, tokens: readonly string[]): Promise<Rekeyed> {
  const { id } = session.keys.primary;
  await beginInner(session, id);
  let moved = 0;
  let left = 0;
  for (let first = 0; first < tokens.length; first += REKEY_BATCH) {
    const inspected = await mapping.inspect(tokens.slice(first, first + REKEY_BATCH), () => left++);
    // A token that is several times in the list counts once.
    const opened = [...new Set(inspected)].filter((one) => one !== undefined);
    const values = await mapping.valueRowsOf(opened);
    const done = await session.withView((view) => moveBatch(session, view, mapping, opened, values));
    moved += done.moved;
    left += done.left;
  }
  return { moved, left };
}

async function moveBatch(
  session: Session,
  view: View,
  mapping: Mapping,
  opened: readonly OpenedToken[],
  values: readonly (OpenedRow | null)[],
): Promise<Rekeyed | Stale> {
  const { id } = session.keys.primary;
  // After a rekey to another primary key, no mapping may be reported as moved that is under that key.
  if (view.meta.inner[0] !== id) {
    await beginInner(session, id);
    return 'stale';
  }
  const planned = (await mapping.renew(view, opened, values)).filter((changes) => changes !== null);
  const stuck = opened.length - planned.length;
  // Mappings that are under the new key already need no change.
  const moves = planned.filter(({ length }) => length > 0);
  const change = (some: readonly (readonly Change[])[]) => view.store.change(view.meta.generation, some.flat());
  const all = moves.length === 0 || (await change(moves));
  if (all === 'stale') return all;
  if (all) return { moved: moves.length, left: stuck };
  // Another process has changed one of them, so they are moved one by one.
  let moved = 0;
  for (const one of moves) if ((await change([one])) === true) moved++;
  return { moved, left: stuck + moves.length - moved };
}

/**
 * Makes the primary key the first one of the inner layer: new rows are written under it, and old ones are still found.
 */
async function beginInner(session: Session, id: string): Promise<void> {
  while (session.meta().inner[0] !== id) {
    const { outer, inner } = session.meta();
    await session.change({ outer, inner: [id, ...inner.filter((other) => other !== id)] });
  }
}
