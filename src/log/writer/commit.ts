/**
 * Writing a group to the disk, in the order that a crash demands (docs/spec/log-v1.md, "Writing"): openings, journal,
 * tiles, signature, head, checkpoint. Nothing is signed that is not on the disk, and nobody is told of an entry that no
 * checkpoint in the head covers.
 */

import { fail } from '../../errors.ts';
import { signNote } from '../../note/sign.ts';
import type { Signer } from '../../note/signer.ts';
import { writeCheckpoint } from '../tree/checkpoint.ts';
import type { GrowingTree } from './growing-tree.ts';
import type { Base, Journal } from './journal.ts';
import type { LogStore, StoredOpening } from './store.ts';

/** The entries that are written together. */
export interface Batch {
  /** The entries, each after its length in two bytes. */
  readonly records: Uint8Array;
  readonly count: number;
  readonly openings: readonly StoredOpening[];
}

/** Writes the groups of one log. */
export interface Committer {
  /** The newest signed checkpoint, which is the head. */
  readonly head: () => string;
  /** The number of entries under it. */
  readonly size: () => number;
  /** Writes a group and returns the new head. The first error is final: the caller must not call it again. */
  readonly commit: (batch: Batch) => Promise<string>;
  /** The same for a group that the journal has already. */
  readonly commitAgain: (batch: Batch) => Promise<string>;
  /** Waits until nothing is being written any more. */
  readonly idle: () => Promise<void>;
  /** Publishes the checkpoint of a size with more signatures, if it is still the newest. */
  readonly publishAgain: (note: string, size: number) => Promise<void>;
}

/** Makes the committer of a log whose head was read from its store. */
export function makeCommitter(
  store: LogStore,
  signer: Signer,
  tree: GrowingTree,
  journal: Journal,
  firstHead: string,
): Committer {
  let head = firstHead;
  let size = tree.size();
  /** Publishing is done by groups and by witnesses, one after the other. */
  let published: Promise<void> = Promise.resolve();
  /** Partial tiles are removed after their group is fulfilled. It never rejects. */
  let dropped: Promise<void> = Promise.resolve();

  function publish(note: string, of: number): Promise<void> {
    const done = published.then(() => (of === size ? store.publish(note) : undefined));
    published = done.catch(() => {});
    return done;
  }

  /** Openings and journal. Another writer may have taken the store over while this process was stopped. */
  async function writeJournal(
    base: Base,
    records: Uint8Array,
    count: number,
    openings: Batch['openings'],
  ): Promise<void> {
    if (openings.length > 0) await store.writeOpenings(openings);
    await Promise.all([store.writeJournal(journal.write(base, records, count)), store.check()]);
  }

  /** Removes partial tiles. The group is signed already, so an error only leaves files that nobody needs. */
  async function dropPartials(paths: readonly string[]): Promise<void> {
    try {
      await store.dropPartials(paths);
    } catch {
      // The next verification does not read them.
    }
  }

  async function commit({ records, count, openings }: Batch, isNew: boolean): Promise<string> {
    const base = { origin: signer.name, size: tree.size(), root: tree.root() };
    const journaled = isNew ? writeJournal(base, records, count, openings) : Promise.resolve();
    // The tree is computed while the journal is being written. If that fails, the tree is never used again.
    const growth = tree.grow(records, count);
    await journaled;
    await dropped;
    await store.writeTree(growth.files);
    const note = await checkpointOf(signer, growth);
    await checkHead(store, head);
    await store.writeHead(note);
    head = note;
    size = growth.size;
    await publish(note, growth.size);
    dropped = dropPartials(growth.replaced);
    return note;
  }

  return {
    head: () => head,
    size: () => size,
    commit: (batch) => commit(batch, true),
    commitAgain: (batch) => commit(batch, false),
    publishAgain: publish,
    async idle() {
      await published;
      await dropped;
    },
  };
}

/** The signed checkpoint of a tree. The key name of a log is its origin. */
export async function checkpointOf(
  signer: Signer,
  { size, root }: { readonly size: number; readonly root: Uint8Array },
): Promise<string> {
  return signNote(writeCheckpoint({ origin: signer.name, size, root }), [signer]);
}

/** Compares the head with the one that this writer has written last. */
async function checkHead(store: LogStore, known: string): Promise<void> {
  const [head] = await Promise.all([store.readHead(), store.check()]);
  if (head === known) return;
  fail('log_in_use', 'the head was changed by somebody else while this process was writing; only one may write a log');
}
