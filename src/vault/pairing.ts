/**
 * Subjects come in two rows, and a key that no row of a subject leads to can never be shredded. So an import takes the keys
 * that it wrote and that nothing leads to away again; those of others are for `verify` to report.
 */

import { cut } from '../core/bytes.ts';
import { makeComparison } from './comparison.ts';
import { isOfSubject, type Joined } from './join.ts';
import { nameOf } from './names.ts';
import { INDEX } from './outer.ts';
import { inBatches, makeRecords, rowsOf } from './rows.ts';
import type { Session } from './session.ts';
import type { Stale } from './store.ts';

/** The keys of subjects that one import wrote. */
export interface Pairing {
  readonly note: (session: Session, joined: Partial<Pick<Joined, 'keys' | 'writtenKeys' | 'handles'>>) => void;
  /** Removes those of them that nothing leads to. */
  readonly clean: (session: Session) => Promise<void>;
}

/** Keys that are looked for in one reading of the subjects. */
const LOOKED_FOR = 100_000;

const BATCH = 1000;

export function watchPairs(): Pairing {
  // Index and version of each key that was written, and sums of what leads to keys.
  const written = makeRecords(INDEX + 4);
  const sums = makeComparison();

  return {
    note(session, { keys = [], writtenKeys = [], handles = [] }) {
      for (const inner of keys) sums.one(inner);
      if (handles.length > 0) for (const inner of cut(session.subjects.keyIndexesOf(handles), INDEX)) sums.other(inner);
      for (const { index, version } of writtenKeys) {
        const record = new Uint8Array(INDEX + 4);
        record.set(index);
        new DataView(record.buffer).setUint32(INDEX, version);
        written.add(record);
      }
    },
    async clean(session) {
      // Nearly always every key came with its row.
      if (sums.odd().size === 0) return;
      for (const batch of written.batches(LOOKED_FOR)) await removeUnpaired(session, batch);
    },
  };
}

function removeUnpaired(session: Session, records: readonly Uint8Array[]): Promise<null> {
  return session.steady(async (view): Promise<null | Stale> => {
    const left = new Map(records.map((record) => [nameOf(record.subarray(0, INDEX)), record]));
    for await (const batch of inBatches(rowsOf(session, view, 'subject'), BATCH)) {
      const rows = batch.filter(({ content }) => content.state === 'live' && isOfSubject('subject', content));
      if (rows.length === 0) continue;
      const places = view.placesOf([view.subjects.keyIndexesOf(rows.map(({ content }) => content.rest))]);
      for (const index of places.all) left.delete(nameOf(index));
    }
    if (await view.isOlder()) return 'stale';
    for (const record of left.values()) {
      const version = new DataView(record.buffer, record.byteOffset).getUint32(INDEX);
      const change = { table: 'subject' as const, index: record.slice(0, INDEX), from: version, to: null };
      // One that somebody changed since is no longer the one that was written.
      if ((await view.store.change(view.meta.generation, [change])) === 'stale') return 'stale';
    }
    return null;
  });
}
