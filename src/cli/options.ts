/// <reference types="node" />
/**
 * Options and their arguments. What an argument holds is never repeated in a message: somebody will paste a secret or
 * a name into the wrong place.
 */

import { Option } from 'commander';
import { UsageError } from './exit.ts';
import type { Voice } from './voice.ts';

/** What every command gets from `main.ts`. */
export interface Context {
  /** Aborted with `Interrupted` on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  readonly voice: Voice;
  /** Sets the exit code of a run that came to its end. */
  readonly exit: (code: number) => void;
}

/** An option with an argument; said twice, it is an error and not a silent choice of the last. */
export function option<T>(flag: string, argument: string, text: string, parse: (value: string) => T): Option {
  return new Option(`${flag} <${argument}>`, text).argParser((value: string, previous: T | undefined): T => {
    if (previous !== undefined) throw new UsageError(`${flag} is there twice`);
    return parse(value);
  });
}

/** An option that names a file. */
export function fileOption(flag: string, text: string, argument = 'FILE'): Option {
  return option(flag, argument, text, (value) => checkFileName(flag, value));
}

/** An option that names a file and may be there several times. */
export function filesOption(flag: string, text: string, argument = 'FILE'): Option {
  return new Option(`${flag} <${argument}>`, text).argParser((value: string, previous: readonly string[] = []) => [
    ...previous,
    checkFileName(flag, value),
  ]);
}

/** The content of a key file where its name belongs, as `--keys "$(cat keys.json)"` gives it. */
const KEY_MATERIAL = /trefoil-root|^\s*\{/;

/** Checks the name of a file. What may be a key is never repeated: messages about files name them. */
export function checkFileName(what: string, value: string): string {
  if (value === '') throw new UsageError(`${what} expected the name of a file, got nothing`);
  if (value.includes('\0')) throw new UsageError(`${what} expected the name of a file, got a NUL in it`);
  if (KEY_MATERIAL.test(value)) {
    throw new UsageError(
      `${what} expected the name of a file, got what looks like the content of a key file`,
      'name the file, or put its content into TREFOIL_KEYS; other users of this machine may have seen it by now',
    );
  }
  return value;
}

/**
 * The argument of an option that must be there. Commander would ask for it before it looks at unknown options, and so
 * answer a mistyped `--polcy` with "not specified".
 */
export function need<T>(value: T | undefined, flag: string): T {
  if (value === undefined) throw new UsageError(`${flag} FILE is needed`);
  return value;
}

/** `a, b or c`. */
function oneOf(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), words[words.length - 1]].filter(Boolean).join(' or ');
}

/** An option that takes one of a few words. */
export function wordOption<T extends string>(
  flag: string,
  argument: string,
  text: string,
  words: readonly T[],
): Option {
  return option(flag, argument, `${text}: ${oneOf(words)}`, (value) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw new UsageError(`${flag} expected ${oneOf(words)}`);
    return word;
  });
}

/** An option that takes a whole number. */
export function integerOption(flag: string, argument: string, text: string, minimum: number, maximum: number): Option {
  return option(flag, argument, text, (value) => {
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= minimum && number <= maximum)) {
      throw new UsageError(`${flag} expected a whole number from ${minimum} to ${maximum}`);
    }
    return number;
  });
}

/** An option that takes names with commas between them. */
export function namesOption(flag: string, text: string): Option {
  return option(flag, 'NAMES', `${text}: a,b,c`, (value) => {
    const names = value.split(',');
    if (names.some((name) => name === '')) throw new UsageError(`${flag} expected names with commas between them`);
    if (new Set(names).size !== names.length) throw new UsageError(`${flag} has a name twice`);
    return names;
  });
}

/** An option that takes a number of records, or a share of them. */
export function shareOption(flag: string, text: string): Option {
  return option(flag, 'N|P%', text, (value): number | `${number}%` => {
    if (/^[0-9]{1,15}$/.test(value)) return Number(value);
    const share = /^([0-9]{1,3}(?:\.[0-9]{1,6})?)%$/.exec(value)?.[1];
    if (share === undefined || Number(share) > 100) {
      throw new UsageError(`${flag} expected a whole number, or a share from 0% to 100%`);
    }
    return `${Number(share)}%`;
  });
}

/** Separators that have a name on the command line. */
const SEPARATORS: Readonly<Record<string, string>> = { '\\t': '\t', tab: '\t', pipe: '|', semicolon: ';', comma: ',' };

/** The column separator: one character, or the names that a shell can type. */
export function delimiterOption(): Option {
  return option(
    '--delimiter',
    'C',
    'column separator of CSV, one character; or tab, pipe, semicolon (default: ,)',
    (value) => {
      const delimiter = Object.hasOwn(SEPARATORS, value) ? SEPARATORS[value]! : value;
      if (delimiter.length !== 1 || /["\r\n\0\ufeff\ud800-\udfff]/.test(delimiter)) {
        throw new UsageError(
          '--delimiter expected one character that is neither a quotation mark nor a line end',
          'write tab for a tab',
        );
      }
      return delimiter;
    },
  );
}
