/**
 * How a run ends: the exit codes, and the errors that only a command line has.
 */

import { type IssueCode, type IssueKind, TrefoilError } from '../errors.ts';

/** Exit codes (docs/guide/command-line.md, "Exit codes"). They are part of the interface. */
export const EXIT = {
  done: 0,
  /** A value or a record is wrong, and nothing was written. */
  data: 1,
  usage: 2,
  policy: 3,
  keys: 4,
  io: 5,
  /** Something does not verify: a vault, an export, a certificate, an item given to `inspect`. */
  unverified: 7,
  /** Done, but something was left out or not found: rejected records, rows of an export or import, unknown subjects. */
  partial: 9,
  /** EX_SOFTWARE of sysexits.h: a fault of trefoil's own. */
  fault: 70,
  /** 128 + SIGHUP, as shells report it: the terminal has gone. */
  hungUp: 129,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

/** Codes that say that something does not verify, whatever their kind. */
const UNVERIFIED: ReadonlySet<IssueCode> = new Set(['row_broken', 'export_refused', 'store_broken']);

const BY_KIND: Record<IssueKind, number> = { data: EXIT.data, policy: EXIT.policy, keys: EXIT.keys, io: EXIT.io };

/** The command line itself is wrong. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  /** What to type instead. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The signals that end a run in good order: what is half-written is taken away. */
export const SIGNALS: Readonly<Record<'SIGHUP' | 'SIGINT' | 'SIGTERM', readonly [word: string, code: number]>> = {
  SIGHUP: ['hung up', EXIT.hungUp],
  SIGINT: ['interrupted', EXIT.interrupted],
  SIGTERM: ['terminated', EXIT.terminated],
};

/** A signal asked for the end of the run. It is the reason of the `AbortSignal` that all work listens to. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: keyof typeof SIGNALS) {
    const [word, code] = SIGNALS[signal];
    super(word);
    this.exitCode = code;
  }
}

/** The exit code of an error that was thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof TrefoilError) return UNVERIFIED.has(error.code) ? EXIT.unverified : BY_KIND[error.kind];
  return EXIT.fault;
}
