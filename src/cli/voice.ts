/// <reference types="node" />
/**
 * What trefoil writes to standard error, in the manner of age: `trefoil: error: …`, `trefoil: hint: …`,
 * `trefoil: warning: …`, in lower case and without a full stop. Standard output is for data only.
 */

import { isArgumentError } from '../core/checks.ts';
import { visible } from '../core/visible.ts';
import { formatIssue, type Issue, TrefoilError } from '../errors.ts';
import { EXIT_TABLE, exitCodeOf, Interrupted, UsageError } from './exit.ts';

/** What to do about an error in trefoil itself. */
const REPORT = 'please report this line and the output of trefoil --version to the maintainers, without any data';

/** Writes lines to standard error. */
export interface Voice {
  /** Writes what was done. */
  readonly note: (text: string) => void;
  readonly warning: (text: string) => void;
  readonly hint: (text: string) => void;
  /** Writes why a run failed, and returns its exit code. */
  readonly failure: (error: unknown) => number;
}

/** Makes a voice over any writer. With `debug` it also writes the stack of an error in trefoil itself. */
export function makeVoice(write: (line: string) => void, debug: boolean): Voice {
  const line = (kind: string, text: string): void => write(`trefoil: ${kind}${printable(text)}\n`);

  function failure(error: unknown): number {
    const code = exitCodeOf(error);
    if (error instanceof TrefoilError) {
      for (const [index, text] of issueLines(error).entries()) {
        if (index === 0) line('error: ', text);
        else write(`  ${printable(text)}\n`);
      }
      const advice = adviceFor(error);
      if (advice !== null) line('hint: ', advice);
    } else if (error instanceof UsageError || error instanceof Interrupted) {
      line('error: ', error.message);
      if (error instanceof UsageError && error.hint !== undefined) line('hint: ', error.hint);
    } else {
      // The message of an unexpected error may quote a value. Those of argument errors never do (core/checks.ts).
      const name = error instanceof Error ? error.name : 'not an error';
      line('error: ', `internal error: ${name}${isArgumentError(error) ? `: ${error.message}` : ''}`);
      line('hint: ', REPORT);
      if (debug && error instanceof Error) write(`${error.stack ?? error.message}\n`);
    }
    return code;
  }

  return {
    note: (text) => line('', text),
    warning: (text) => line('warning: ', text),
    hint: (text) => line('hint: ', text),
    failure,
  };
}

/** The issues of an error, one per line. If there are several, the first line counts them. */
function issueLines(error: TrefoilError): string[] {
  const lines = error.issues.map((issue) => formatIssue(issue as Issue));
  if (error.total === 1) return lines;
  if (error.total > lines.length) lines.push(`… and ${error.total - lines.length} more`);
  return [`${error.total} problems`, ...lines];
}

/** What to do about an error, if the command line has an answer that the library's message cannot have. */
function adviceFor(error: TrefoilError): string | null {
  switch (error.code) {
    case 'output_exists':
      // A key file is never replaced, and its message does not mention force.
      return error.message.includes('force') ? 'use --force to replace the file' : null;
    case 'key_check_required':
      return 'trefoil keys inspect --keys FILE --domain NAME prints the line to put into the policy';
    case 'record_too_large':
      return 'if the data has records of this length, raise the limit with --max-record BYTES';
    case 'malformed_subject':
      return 'the lines before this one are erased; correct this line, then run it and the lines after it again';
    default:
      return null;
  }
}

/**
 * Text for a terminal, with control characters written as escapes. File names and field names come from outside, and an
 * escape sequence in one of them could repaint the screen.
 */
export function printable(text: string): string {
  return visible(text);
}

/** A number with thousands separators, `1,000`, in every locale. */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${wordFor(value, noun, `${noun}s`)}`;
}

/** The form of a word for a number of things: `is` for one row, `are` for two rows. */
export function wordFor(value: number, one: string, several: string): string {
  return value === 1 ? one : several;
}

/** The end of a help page: what a command has to add to its options, if anything, and the table of exit codes. */
export function helpText(text = ''): string {
  const table = Object.values(EXIT_TABLE).map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return [text === '' ? '' : `${text}\n`, 'Exit codes:', ...table].join('\n');
}
