/** Who asked and who agreed, and pairs of the two that are always the same. */

import type { Account } from './accounts.ts';
import type { OfficerRow, PairRow, PairThreshold } from './report.ts';

/** Counts warrants by requester and approver. */
export function officersOf(accounts: readonly Account[]): readonly OfficerRow[] {
  const rows = new Map<string, { asked: number; approved: number }>();
  const row = (handle: string) => {
    const known = rows.get(handle) ?? { asked: 0, approved: 0 };
    rows.set(handle, known);
    return known;
  };
  for (const { requester, approvers } of accounts) {
    row(requester).asked++;
    for (const approver of approvers) row(approver).approved++;
  }
  return [...rows]
    .map(([handle, counts]) => ({ handle, ...counts }))
    .sort((a, b) => b.asked - a.asked || b.approved - a.approved || (a.handle < b.handle ? -1 : 1));
}

/**
 * Finds approvers who have approved at least this share of a requester's warrants, of requesters with enough of them.
 * Warrants that need no approval, as of break-glass, do not count.
 */
export function pairsOf(accounts: readonly Account[], { percent, least }: PairThreshold): readonly PairRow[] {
  const byRequester = new Map<string, { of: number; readonly by: Map<string, number> }>();
  for (const { requester, approvers } of accounts) {
    if (approvers.length === 0) continue;
    const row = byRequester.get(requester) ?? { of: 0, by: new Map<string, number>() };
    byRequester.set(requester, row);
    row.of++;
    for (const approver of approvers) row.by.set(approver, (row.by.get(approver) ?? 0) + 1);
  }
  const pairs: PairRow[] = [];
  for (const [requester, { of, by }] of byRequester) {
    if (of < least) continue;
    for (const [approver, warrants] of by) {
      if (warrants * 100 >= percent * of) pairs.push({ requester, approver, warrants, of });
    }
  }
  return pairs.sort(
    (a, b) => b.warrants - a.warrants || (a.requester + a.approver < b.requester + b.approver ? -1 : 1),
  );
}
