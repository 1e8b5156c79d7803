/**
 * The checkpoints that a verification begins with: that of the log, and those that its witnesses serve. What two signed
 * checkpoints prove needs no other file.
 */

import { TrefoilError } from '../../errors.ts';
import { MOST_NOTE_BYTES } from '../../note/note-text.ts';
import { type OpenedCheckpoint, openCheckpoint } from '../tree/open-checkpoint.ts';
import type { LogPolicy } from '../tree/policy.ts';
import { CHECKPOINT_PATH, type LogSource } from '../tree/source.ts';
import { Fault, type Finding, fault, finding, within } from './finding.ts';
import type { CheckedSeen } from './seen.ts';
import { attempted, type Unread } from './unread.ts';
import { type AskWitness, askWitnesses, isSameTree, type WitnessView } from './witnesses.ts';

/** Whom to ask, and what is known. */
interface HeadSettings {
  readonly policy: LogPolicy;
  readonly seen: CheckedSeen | null;
  readonly ask: AskWitness | null;
  /** How long the log may need to show a checkpoint that a witness has, in milliseconds. */
  readonly patience: number;
}

/** A checkpoint that the log has signed. */
export interface SignedHead {
  readonly opened: OpenedCheckpoint;
  /** The checkpoint with its signatures. */
  readonly note: string;
}

/** The checkpoint of a log, and those that its witnesses have. */
export interface Head extends SignedHead {
  readonly views: readonly WitnessView[];
  /** If the checkpoint was read again and that did not succeed: what is wrong, or could not be read. */
  readonly later: Fault | Unread | null;
}

/** Reads the checkpoint and asks the witnesses. @throws Fault if there is none that the log has signed. */
export async function readHead(log: LogSource, { policy, seen, ask, patience }: HeadSettings): Promise<Head> {
  const first = await readCheckpoint(log, policy);
  const { origin, size } = first.opened;
  if (seen !== null && origin !== seen.seen.origin) {
    // The policy names both: the operator may have put another log into the place of the one that was seen.
    fault('unsigned', 'the checkpoint is of another log of the policy than that of the last look', {
      path: CHECKPOINT_PATH,
      hint: 'check that LOG and the record of the last look belong together; if they do, ask where that log is now',
    });
  }
  const views = ask === null ? [] : await askWitnesses(ask, policy, origin);
  // A witness may have cosigned a checkpoint that the log is about to publish.
  if (views.every((view) => view.size <= size)) return { ...first, views, later: null };
  await new Promise((resolve) => setTimeout(resolve, patience));
  const again = await attempted(readNext(log, policy, first));
  if (!(again instanceof Error)) return { ...again, views, later: null };
  // The first one is signed as well, and proves what it proves. But the log might have shown a larger one.
  return { ...first, views: again instanceof Fault ? views : views.filter((view) => view.size <= size), later: again };
}

/** Reads the checkpoint again. @throws Fault if it is none of this log, or of another tree. */
async function readNext(log: LogSource, policy: LogPolicy, first: SignedHead): Promise<SignedHead> {
  const next = await readCheckpoint(log, policy);
  const { origin, size } = first.opened;
  // The witnesses were asked about the first log. If the policy has several, their answers say nothing of another.
  if (next.opened.origin !== origin) {
    fault('unsigned', 'the checkpoint is of another log than a moment before', { path: CHECKPOINT_PATH });
  }
  if (next.opened.size < size) return first;
  if (next.opened.size === size && !isSameTree(next.opened, first.opened)) {
    const message = 'the log has another tree than a moment before, of the same size';
    fault('forked', message, { ...within([0, size]), evidence: [first.note, next.note] });
  }
  return next;
}

async function readCheckpoint(log: LogSource, policy: LogPolicy): Promise<SignedHead> {
  const path = CHECKPOINT_PATH;
  const bytes = await log.read(path, MOST_NOTE_BYTES);
  if (bytes === null) return fault('deleted', 'the log has no checkpoint', { path });
  try {
    const opened = openCheckpoint(bytes, policy);
    return { opened, note: new TextDecoder().decode(bytes) };
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    const { code, message } = error.issues[0]!;
    const word = code === 'note_unsigned' || code === 'signature_invalid' ? 'unsigned' : 'unreadable';
    const hint =
      code === 'signature_invalid'
        ? 'keep a copy of the file: it was changed after it was signed, or a wrong signature was added to it'
        : undefined;
    return fault(word, `the checkpoint of the log is not good: ${message}`, {
      code,
      path,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** What the checkpoint and that of the last look prove without any other file; `null` if they prove nothing. */
export function provenBy({ opened, note }: SignedHead, { seen, root }: CheckedSeen): Finding | null {
  const { size } = opened;
  const evidence = [seen.checkpoint, note];
  if (size < seen.size) {
    const message = `the log has ${size} entries, and had ${seen.size} at the last look`;
    return finding('rolled back', message, { entry: size, range: [size, seen.size], evidence });
  }
  if (size > seen.size || isSameTree(opened, { size, root })) return null;
  return finding('forked', FORKED, { ...within([0, size]), evidence });
}

export const FORKED: string = 'the log has another tree than at the last look: entries were changed, and signed again';
