/** How a run ends: the table of exit codes, the code of each error, and the errors that only a command line has. */

import { type IssueCode, type IssueKind, TrefoilError } from '../errors.ts';

/**
 * The exit codes, as every help page prints them. They are part of the interface; docs/guide/command-line.md has an
 * example of each. 70 is EX_SOFTWARE of sysexits.h. Codes above 128 are 128 + the number of the signal, as in shells.
 */
export const EXIT_TABLE = {
  done: [0, 'success'],
  data: [1, 'a value or a record is wrong'],
  usage: [2, 'the command line is wrong'],
  policy: [3, 'the policy is wrong'],
  keys: [4, 'the keys are wrong, or not those of the policy'],
  io: [5, 'a file, a stream or a store cannot be read or written'],
  refused: [6, 'refused: by a warrant, a charter, a budget or a rate'],
  unverified: [7, 'a row, an export, a certificate, a share, a token, a note or a log does not verify'],
  partial: [9, 'success, but something was left out or not found'],
  fault: [70, 'an error in trefoil itself'],
  hungUp: [129, 'hung up (SIGHUP)'],
  interrupted: [130, 'interrupted (SIGINT, Ctrl-C)'],
  terminated: [143, 'terminated (SIGTERM)'],
} as const;

type ExitName = keyof typeof EXIT_TABLE;

/** The exit codes by name. */
export const EXIT = Object.fromEntries(Object.entries(EXIT_TABLE).map(([name, [code]]) => [name, code])) as {
  readonly [Name in ExitName]: (typeof EXIT_TABLE)[Name][0];
};

/** Error codes of things that do not verify. Their exit code is 7, whatever the kind of the error. */
const UNVERIFIED: ReadonlySet<IssueCode> = new Set([
  'row_broken',
  'export_refused',
  'store_broken',
  'share_mistyped',
  'share_foreign',
  'share_wrong',
  'ceremony_broken',
  'note_invalid',
  'note_unsigned',
  'signature_invalid',
  'checkpoint_invalid',
  'proof_invalid',
  'witness_missing',
  'log_broken',
  'log_rolled_back',
  'log_forked',
  'witness_disagrees',
  'witness_answer_broken',
  'witness_state_broken',
  'entry_invalid',
  'opening_wrong',
]);

/** The exit code of every other error follows from its kind. */
const BY_KIND: Record<IssueKind, number> = {
  data: EXIT.data,
  policy: EXIT.policy,
  keys: EXIT.keys,
  io: EXIT.io,
  refused: EXIT.refused,
};

/** The command line is wrong: an option, an argument, or a combination of them. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** The signals that end a run in good order: unfinished files are removed. */
export const SIGNALS: Readonly<Record<'SIGHUP' | 'SIGINT' | 'SIGTERM', readonly [message: string, code: number]>> = {
  SIGHUP: ['hung up', EXIT.hungUp],
  SIGINT: ['interrupted', EXIT.interrupted],
  SIGTERM: ['terminated', EXIT.terminated],
};

/** A signal that ends the run. It is the reason of the `AbortSignal` that all work listens to. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: keyof typeof SIGNALS) {
    const [message, code] = SIGNALS[signal];
    super(message);
    this.exitCode = code;
  }
}

/** The exit code for an error that a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof TrefoilError) return UNVERIFIED.has(error.code) ? EXIT.unverified : BY_KIND[error.kind];
  return EXIT.fault;
}
