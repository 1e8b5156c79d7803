/**
 * The order of a log: every append has its place when it is called, and the groups are written one after the other.
 *
 * While a group is being written, new appends gather in the next one. So a single append waits for nobody, and many
 * share one signature and one set of files.
 */

import { fail, TrefoilError } from '../../errors.ts';
import { type Appended, type Group, makeGroup } from './group.ts';

/** Appends that wait to be written. */
export interface Queue {
  /** Gives an entry, whose bytes are copied, its place. The promise is fulfilled when it is written. */
  readonly append: (entry: Uint8Array, opening: string | null) => Promise<Appended>;
  /** Writes nothing more. What waits is rejected. */
  readonly stop: (error: unknown) => void;
  readonly isStopped: () => boolean;
  /** Waits until nothing is being written. */
  readonly idle: () => Promise<void>;
}

/**
 * Makes the queue of a log.
 *
 * @param size the number of entries so far.
 * @param write writes a group and returns the checkpoint that it is under. Its first error stops the queue.
 */
export function makeQueue(size: number, write: (group: Group) => Promise<string>): Queue {
  /** The groups that are not being written yet. Only the last one takes entries. */
  const waiting: Group[] = [];
  let next = size;
  let running: Promise<void> | null = null;
  /** Why the queue was stopped: the first error. */
  let reason: { readonly error: unknown } | null = null;

  /** Writes the groups that wait. It never rejects. */
  async function run(): Promise<void> {
    // Appends of the same turn of the event loop are written together.
    await null;
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      try {
        group.resolve(await write(group));
      } catch (error) {
        group.reject(error);
        stop(error);
      }
    }
    running = null;
  }

  function stop(error: unknown): void {
    reason ??= { error };
    for (const group of waiting.splice(0)) group.reject(error);
  }

  function groupFor(length: number): Group {
    const current = waiting.at(-1);
    if (current?.hasRoom(length)) return current;
    const group = makeGroup(next);
    waiting.push(group);
    return group;
  }

  return {
    append(entry, opening) {
      if (reason !== null) stoppedBy(reason.error);
      const added = groupFor(entry.length).add(entry, opening);
      next++;
      running ??= run();
      return added;
    },
    stop,
    isStopped: () => reason !== null,
    async idle() {
      await running;
    },
  };
}

/** Names the first error. The text of an error that is not ours may quote anything, so it is not repeated. */
function stoppedBy(error: unknown): never {
  const first = error instanceof TrefoilError ? error.issues[0] : undefined;
  const why = first === undefined ? 'an error of the store or of the signer' : `${first.code}: ${first.message}`;
  fail('log_stopped', `the log has stopped (${why}); mend the cause, then open the log again`, {
    ...(first?.file === undefined ? {} : { file: first.file }),
  });
}
