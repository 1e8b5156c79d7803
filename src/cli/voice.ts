/// <reference types="node" />
/**
 * What trefoil says on standard error, in age's voice: `trefoil: error: …`, `trefoil: hint: …`, `trefoil: warning: …`,
 * lower case, no full stop. Standard output is for data alone.
 */

import { isArgumentError } from '../core/checks.ts';
import { visible } from '../core/visible.ts';
import { formatIssue, type Issue, TrefoilError } from '../errors.ts';
import { EXIT, exitCodeOf, Interrupted, UsageError } from './exit.ts';

/** Where a fault of trefoil's own is reported. */
const REPORT_TO = 'report it to the maintainers with this line and the version, without any data';

/** Speaks on standard error. */
export interface Voice {
  /** Something was done. */
  readonly note: (text: string) => void;
  readonly warning: (text: string) => void;
  readonly hint: (text: string) => void;
  /** Says why a run ends, and gives its exit code. */
  readonly failure: (error: unknown) => number;
}

/** Makes a voice that writes lines to `say`. */
export function makeVoice(say: (line: string) => void, debug: boolean): Voice {
  const line = (kind: string, text: string): void => say(`trefoil: ${kind}${printable(text)}\n`);

  function failure(error: unknown): number {
    const code = exitCodeOf(error);
    if (error instanceof TrefoilError) {
      for (const [index, text] of issueLines(error).entries()) {
        if (index === 0) line('error: ', text);
        else say(`  ${printable(text)}\n`);
      }
      const advice = adviceFor(error);
      if (advice !== null) line('hint: ', advice);
    } else if (error instanceof UsageError || error instanceof Interrupted) {
      line('error: ', error.message);
      if (error instanceof UsageError && error.hint !== undefined) line('hint: ', error.hint);
    } else {
      // The message of an unexpected error may quote a value. Argument errors never do (core/checks.ts).
      const name = error instanceof Error ? error.name : 'not an error';
      line('error: ', `internal fault: ${name}${isArgumentError(error) ? `: ${error.message}` : ''}`);
      line('hint: ', REPORT_TO);
      if (debug && error instanceof Error) say(`${error.stack ?? error.message}\n`);
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

/** All the issues of an error, one a line; several come under a line that counts them. */
function issueLines(error: TrefoilError): string[] {
  const lines = error.issues.map((issue) => formatIssue(issue as Issue));
  if (error.total === 1) return lines;
  if (error.total > lines.length) lines.push(`… and ${error.total - lines.length} more`);
  return [`${error.total} problems`, ...lines];
}

/** What to do next, where the command line knows more about it than the library's message can say. */
function adviceFor(error: TrefoilError): string | null {
  switch (error.code) {
    case 'output_exists':
      // Not for key files: nothing replaces them, and their message does not speak of it.
      return error.message.includes('force') ? '--force replaces it' : null;
    case 'key_check_required':
      return 'print the line for the policy with trefoil keys inspect --keys FILE --domain NAME';
    case 'record_too_large':
      return 'raise the limit with --max-record BYTES if records are meant to be that long';
    case 'malformed_subject':
      return 'lines before this one were done, and this one and those after it were not: mend it, and run them again';
    default:
      return null;
  }
}

/**
 * Text for a terminal: control characters are shown and not obeyed. File names and field names come from outside, and
 * an escape sequence in one could repaint the screen.
 */
export function printable(text: string): string {
  return visible(text);
}

/** `1,000`, whatever the system's language. */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** The exit codes, for the end of every help page. */
export const EXIT_HELP: string = `

Exit codes: ${EXIT.done} done, ${EXIT.data} data, ${EXIT.usage} usage, ${EXIT.policy} policy, ${EXIT.keys} keys,
${EXIT.io} input or output, ${EXIT.unverified} something does not verify,
${EXIT.partial} done but something was left out or not found, ${EXIT.interrupted} interrupted (docs/guide/command-line.md)`;
