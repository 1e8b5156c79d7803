/**
 * A log that is open: what an application does with it. An append is fulfilled when its entry is on the disk, under a
 * checkpoint that is signed and in the head.
 */

import { badRange, badType, checkInteger, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { parseNote } from '../../note/parse.ts';
import type { Signer } from '../../note/signer.ts';
import type { Verifier } from '../../note/verifier.ts';
import { checkOpening } from '../entry/commitment.ts';
import { entryEncoder, MAX_ENTRY, readEntry } from '../entry/entry.ts';
import type { LogEvent } from '../entry/kinds.ts';
import { allEntries } from '../tree/all-entries.ts';
import { parseCheckpoint } from '../tree/checkpoint.ts';
import type { LogPolicy } from '../tree/policy.ts';
import { writeLogProof } from '../tree/proof-text.ts';
import { inclusionProof } from '../tree/proofs.ts';
import { hashesOf } from '../tree/source.ts';
import type { Committer } from './commit.ts';
import type { Appended } from './group.ts';
import { makeQueue } from './queue.ts';
import type { LogStore } from './store.ts';
import { witnessing } from './witnessing.ts';

/** The longest time to wait for cosignatures: a day, in milliseconds. */
const MOST_WAIT = 86_400_000;

/** What the entries of a log are: those of log-v1, or bytes of an application. */
export type LogEntries = 'log-v1' | 'bytes';

/** Options of an append. */
export interface AppendOptions {
  /** The opening of the entry's commitment. It is stored outside the tree, where it can be destroyed. */
  readonly opening?: string | undefined;
}

/** What opening a log had to mend after a crash. */
export interface Recovery {
  /** How many entries of the journal were written and signed. Nobody was told that they are in the log. */
  readonly taken: number;
  /** Whether the checkpoint was published again from the head. */
  readonly published: boolean;
}

/** A log that is open for writing. */
export interface Log {
  /** The identity of the log: the name of its key. */
  readonly origin: string;
  /** The key that its checkpoints verify under. */
  readonly verifierKey: string;
  readonly recovery: Recovery;
  /** The number of entries under the newest signed checkpoint. */
  size(): number;
  /** The newest signed checkpoint: a note. */
  checkpoint(): string;
  /**
   * Appends an entry. Its place is decided when this is called: calls without waiting keep their order.
   *
   * @param entry for `log-v1`, what happened; the log adds the time, which never falls. For `bytes`, at most 65,535.
   * @returns the index of the entry, a checkpoint that it is under, and its bytes, when all are on the disk. Keep the
   *   bytes if you want to prove the entry without the log: `checkProof` takes them.
   * @throws TrefoilError `entry_invalid` or `opening_wrong`, and nothing was written; `io_failed`, `no_space`,
   *   `log_in_use`, and the log has stopped: every later append is `log_stopped`. An entry whose append failed this way
   *   may be in the log when it is opened again.
   */
  append(entry: LogEvent | Uint8Array, options?: AppendOptions): Promise<Appended>;
  /**
   * The proof that an entry is in the log: the text of a `.tlog-proof`. It is under the newest checkpoint that enough
   * witnesses have cosigned, if that covers the entry, and otherwise under the newest signed one.
   *
   * @throws RangeError if no checkpoint covers the entry yet; TrefoilError `io_failed`.
   */
  prove(index: number): Promise<string>;
  /**
   * Waits for a checkpoint of at least this size whose cosignatures satisfy the quorum of `witnesses`.
   *
   * @param timeout in milliseconds, at most a day.
   * @returns the checkpoint with its cosignatures: a note.
   * @throws TrefoilError `witness_missing` after that time, with the names of the witnesses that have not cosigned. The
   *   entries stay in the log. `log_rolled_back`, `log_forked` as soon as a witness has proven it, and always after.
   */
  cosigned(size: number, timeout: number): Promise<string>;
  /**
   * Reads the entries under the newest signed checkpoint, from the first one on. An accounting that is made of them is
   * to be trusted after the last one alone, because they are held against the root at the end.
   *
   * @throws TrefoilError from the generator: `log_broken`, `io_failed`.
   */
  entries(): AsyncGenerator<Uint8Array>;
  /** The opening of an entry. `null`: it has none, or it was destroyed. */
  opening(index: number): Promise<string | null>;
  /** Destroys the opening of an entry. Its proofs stay valid. Returns whether there was an opening. */
  destroyOpening(index: number): Promise<boolean>;
  /**
   * Waits for the appends, and at most 5 seconds for cosignatures that are being asked for, so that they are published.
   * Then it gives the log free. No append is taken after it.
   */
  close(): Promise<void>;
}

/** What an open log is made of. */
export interface LogParts {
  readonly store: LogStore;
  readonly committer: Committer;
  readonly entries: LogEntries;
  readonly now: () => number;
  readonly signer: Signer;
  readonly recovery: Recovery;
  readonly policy: LogPolicy | null;
  readonly fetch: typeof globalThis.fetch;
  readonly log: Verifier;
  /** The time of the last entry, in seconds since 1970. */
  readonly time: number;
}

/** Makes the log over a committer, and compares it with what its witnesses have seen. */
export async function makeLog(parts: LogParts): Promise<Log> {
  const { store, committer, signer, recovery, policy, fetch, log, now } = parts;
  const bytesOf = entryWriter(parts);
  const queue = makeQueue(committer.size(), async ({ records, count, openings }) => {
    const checkpoint = await committer.commit({ records: records(), count: count(), openings });
    witnesses?.ask();
    return checkpoint;
  });
  const witnesses =
    policy === null ? null : witnessing({ policy, log, source: store, committer, fetch, now, onProven: queue.stop });
  await witnesses?.start();
  let closed: Promise<void> | null = null;

  return Object.freeze({
    origin: signer.name,
    verifierKey: signer.verifierKey,
    recovery: Object.freeze(recovery),
    size: committer.size,
    checkpoint: committer.head,
    // An async function would make another promise for every entry, which takes a tenth of the time of an append.
    append(entry: LogEvent | Uint8Array, options?: AppendOptions): Promise<Appended> {
      try {
        const opening = openingIn(options);
        if (closed !== null) fail('log_stopped', 'the log is closed; open it again');
        // Nothing is waited for before the entry has its place.
        return queue.append(bytesOf(entry, opening), opening ?? null);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    async prove(index: number): Promise<string> {
      const [checkpoint, size] = [committer.head(), committer.size()];
      checkInteger('index', index, 0, size - 1);
      const cosigned = witnesses?.latest() ?? null;
      const under = cosigned !== null && cosigned.size > index ? cosigned : { note: checkpoint, size };
      const hashes = await inclusionProof(hashesOf(store, under.size), index, under.size);
      return writeLogProof({ index, hashes, checkpoint: under.note, extra: null });
    },
    async cosigned(size: number, timeout: number): Promise<string> {
      checkInteger('size', size, 0, committer.size());
      checkInteger('timeout', timeout, 0, MOST_WAIT);
      if (witnesses === null) fail('witness_missing', 'the log was opened without the option `witnesses`');
      return witnesses.cosigned(size, timeout);
    },
    entries(): AsyncGenerator<Uint8Array> {
      const { size, root } = parseCheckpoint(parseNote(committer.head()).text);
      return allEntries(store, size, root);
    },
    async opening(index: number): Promise<string | null> {
      return store.readOpening(checkInteger('index', index, 0, Number.MAX_SAFE_INTEGER));
    },
    async destroyOpening(index: number): Promise<boolean> {
      return store.destroyOpening(checkInteger('index', index, 0, Number.MAX_SAFE_INTEGER));
    },
    close(): Promise<void> {
      closed ??= (async () => {
        await queue.idle();
        await witnesses?.close();
        await committer.idle();
        await store.close();
      })();
      return closed;
    },
  });
}

function openingIn(options: AppendOptions | undefined): string | undefined {
  return options === undefined ? undefined : checkOptions<AppendOptions>('options', options, ['opening']).opening;
}

/**
 * Makes the function that turns an entry into its bytes, and checks its opening. It waits for nothing, so the time of
 * entries never falls. The bytes are used again: copy them before the next call.
 */
function entryWriter({ entries, now, time }: LogParts): (entry: unknown, opening: string | undefined) => Uint8Array {
  let last = time;
  if (entries === 'log-v1') {
    const encode = entryEncoder();
    return (entry, opening) => {
      const at = Math.max(last, secondsOf(now()));
      const bytes = encode(entry as LogEvent, at);
      if (opening !== undefined) checkOpening(commitOf(bytes), opening);
      last = at;
      return bytes;
    };
  }
  return (entry, opening) => {
    if (!(entry instanceof Uint8Array)) badType('entry', `expected bytes, got ${typeName(entry)}`);
    if (entry.length > MAX_ENTRY) badRange('entry', `expected at most ${MAX_ENTRY} bytes`);
    if (opening !== undefined) badRange('options', 'has an opening, and entries of bytes have none');
    return entry;
  };
}

/** The commitment of an entry. It is read from the bytes that are written, and not from the object of the caller. */
function commitOf(bytes: Uint8Array): string {
  const { event } = readEntry(bytes);
  if (event === null || !('commit' in event)) badRange('options', 'has an opening, and the entry has no commitment');
  return event.commit;
}

/** A time of the clock in seconds. */
function secondsOf(milliseconds: unknown): number {
  if (typeof milliseconds !== 'number' || !Number.isFinite(milliseconds)) {
    badType('now', 'expected a function that returns a number of milliseconds');
  }
  return Math.max(0, Math.floor(milliseconds / 1000));
}
