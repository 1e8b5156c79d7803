/**
 * What is done to mappings whose tokens are given: verification to the bottom, and a change of the inner key, which only
 * value and token open. upkeep.ts has what the outer layer is enough for.
 */

import { type Issue, MAX_ISSUES } from '../../errors.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { Session } from '../session.ts';
import type { Change, Stale } from '../stores/store.ts';
import type { Rekeyed, Verified } from './stores.ts';

/** Both rows of each token, to the bottom. */
export async function verifyTokens(mapping: Mapping, tokens: readonly string[]): Promise<Verified> {
  const bad: (Issue & { row: number })[] = [];
  const inspected = await mapping.inspect(tokens, (row, issue) => bad.push({ ...issue, row: row + 1 }));
  const inner: Record<string, number> = {};
  const outer: Record<string, number> = {};
  const opened = inspected.flatMap((one, row) => (one === undefined ? [] : [{ one, row }]));
  const values = await mapping.valueRowsOf(opened.map(({ one }) => one));
  for (const [k, { one, row }] of opened.entries()) {
    const { content, row: stored } = one.found;
    inner[content.inner] = (inner[content.inner] ?? 0) + 1;
    outer[stored.key] = (outer[stored.key] ?? 0) + 1;
    if (values[k] !== null) continue;
    bad.push({ code: 'row_broken', message: 'the value of this token has another token, or none', row: row + 1 });
  }
  bad.sort((a, b) => a.row - b.row);
  return { rows: tokens.length, problems: [], broken: bad.length, outer, inner, tokens: bad.slice(0, MAX_ISSUES) };
}

/** Tokens whose rows are changed at once. */
const REKEY_BATCH = 250;

/** The mappings of tokens under the primary key's inner layer. */
export async function rekeyTokens(session: Session, mapping: Mapping, tokens: readonly string[]): Promise<Rekeyed> {
  const { id } = session.keys.primary;
  await beginInner(session, id);
  let moved = 0;
  let left = 0;
  for (let first = 0; first < tokens.length; first += REKEY_BATCH) {
    const inspected = await mapping.inspect(tokens.slice(first, first + REKEY_BATCH), () => left++);
    // A token that is twice in the list is one.
    const opened = [...new Set(inspected)].filter((one) => one !== undefined);
    const values = await mapping.valueRowsOf(opened);
    const done = await session.steady(async (view): Promise<Rekeyed | Stale> => {
      // A rekey to another primary key came meanwhile: nothing is said to be under this one that is under that one.
      if (view.meta.inner[0] !== id) {
        await beginInner(session, id);
        return 'stale';
      }
      const planned = (await mapping.renew(view, opened, values)).filter((change) => change !== null);
      const stuck = opened.length - planned.length;
      // Those under the new key already need none.
      const changes = planned.filter(({ length }) => length > 0);
      const change = (some: readonly (readonly Change[])[]) => view.store.change(view.meta.generation, some.flat());
      const all = changes.length === 0 || (await change(changes));
      if (all === 'stale') return all;
      if (all) return { moved: changes.length, left: stuck };
      // Somebody else changed one of them.
      let some = 0;
      for (const one of changes) if ((await change([one])) === true) some++;
      return { moved: some, left: stuck + changes.length - some };
    });
    moved += done.moved;
    left += done.left;
  }
  return { moved, left };
}

/** Says that new rows are under the primary key's inner layer; old ones are still found. */
async function beginInner(session: Session, id: string): Promise<void> {
  while (session.meta().inner[0] !== id) {
    const { outer, inner } = session.meta();
    await session.change({ outer, inner: [id, ...inner.filter((other) => other !== id)] });
  }
}
