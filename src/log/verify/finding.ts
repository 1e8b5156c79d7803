/** What can be wrong with a log. */

import type { IssueCode } from '../../errors.ts';

/**
 * What has happened to a log, in one word:
 *
 * - `deleted`: entries or hashes are missing that the checkpoint has, and others after them are there.
 * - `cut`: entries are missing from somewhere to the end.
 * - `rewritten`: an entry does not hash to its leaf, or a tile not to its place in the tree.
 * - `forked`: the log has signed two trees of which neither extends the other.
 * - `rolled back`: the log has signed a larger tree before.
 * - `unreadable`: a file or an entry is not in its form.
 * - `unsigned`: the checkpoint is not signed by a log of the policy.
 * - `unwitnessed`: too few witnesses have cosigned.
 */
export type FindingWord =
  | 'deleted'
  | 'cut'
  | 'rewritten'
  | 'forked'
  | 'rolled back'
  | 'unreadable'
  | 'unsigned'
  | 'unwitnessed';

/** One thing that is wrong with a log. It names places, and never shows what an entry says. */
export interface Finding {
  /** The code, as that of an error. */
  readonly code: IssueCode;
  readonly word: FindingWord;
  /** The number of the first entry that is concerned, from 0; only if it is known exactly. */
  readonly entry?: number;
  /**
   * The entries that are concerned, from the first to before the second number: all of them if they are missing or not
   * cosigned; otherwise those among which the first wrong one is.
   */
  readonly range?: readonly [from: number, to: number];
  /** The file that is concerned. */
  readonly path?: string;
  /** The name of the witness in the policy whose checkpoint shows it. */
  readonly witness?: string;
  /** Checkpoints, with their signatures, that prove it to anybody. */
  readonly evidence?: readonly string[];
  /** What is wrong: lower case, without a full stop. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
}

/**
 * Sorts findings by the first entry. Last are the witnesses whose tree could not be compared, which follows from
 * something else that is wrong.
 */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const isConsequence = ({ witness, code }: Finding): boolean => witness !== undefined && code === 'log_broken';
  return findings.toSorted((a, b) => Number(isConsequence(a)) - Number(isConsequence(b)) || firstOf(a) - firstOf(b));
}

/** The first entry that is or may be concerned. */
const firstOf = ({ entry, range }: Finding): number => entry ?? range?.[0] ?? 0;

/** Where something is wrong among some entries: the exact one if there is only one. */
export function within(range: readonly [from: number, to: number]): Pick<Finding, 'entry' | 'range'> {
  return range[1] - range[0] === 1 ? { entry: range[0], range } : { range };
}

/** Ends a part of the verification with a finding. */
export class Fault extends Error {
  readonly finding: Finding;
  /** What the source has thrown when the finding was to be made more exact. */
  override readonly cause: unknown;

  constructor(finding: Finding, cause?: unknown) {
    super(finding.message);
    this.finding = finding;
    this.cause = cause;
  }
}

const HINTS: Record<FindingWord, string> = {
  deleted: 'ask the operator of the log for the file; a backup or a mirror may have it',
  cut: 'ask the operator of the log for the entries; a backup or a mirror may have them',
  rewritten: 'keep a copy of the file and compare it with a backup or a mirror',
  forked: 'keep the checkpoints of `evidence`: together they prove it to anybody who has the key of the log',
  'rolled back': 'keep the checkpoints of `evidence`: they prove that the log had more entries',
  unreadable: 'keep a copy of the file and ask the operator of the log',
  unsigned: 'check that the policy has the key of this log',
  unwitnessed: 'ask the witnesses why they did not cosign, and do not rely on the entries until they do',
};

/** Makes a finding whose hint is that of its word. */
export function finding(word: FindingWord, message: string, more: Partial<Finding> = {}): Finding {
  return Object.freeze({ code: CODES[word], word, message, hint: HINTS[word], ...more });
}

/** Throws a {@link Fault}. */
export function fault(word: FindingWord, message: string, more: Partial<Finding> = {}): never {
  throw new Fault(finding(word, message, more));
}

const CODES: Record<FindingWord, IssueCode> = {
  deleted: 'log_broken',
  cut: 'log_broken',
  rewritten: 'log_broken',
  unreadable: 'log_broken',
  forked: 'log_forked',
  'rolled back': 'log_rolled_back',
  unsigned: 'note_unsigned',
  unwitnessed: 'witness_missing',
};

/** The result of some work, or the finding that ended it. */
export async function caught<T>(work: Promise<T>): Promise<T | Fault> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
