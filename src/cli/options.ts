/// <reference types="node" />
/**
 * Kinds of options, and how their arguments are checked. No message repeats an argument, because sooner or later
 * somebody pastes a secret or a person's name into the wrong place.
 */

import { Option } from 'commander';
import { NAME_PATTERN } from '../core/checks.ts';
import { nearest } from '../core/suggest.ts';
import { ENCODINGS, type EncodingName } from '../io/encoding.ts';
import { UsageError } from './exit.ts';
import type { Voice } from './voice.ts';

/** What `main.ts` passes to every command. */
export interface Context {
  /** Aborted with `Interrupted` on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  readonly voice: Voice;
  /** Sets the exit code of a command that does not throw. */
  readonly exit: (code: number) => void;
}

/** An option with an argument. Setting it twice is an error, because a silent choice of the last would be a guess. */
export function option<T>(flag: string, argument: string, text: string, parse: (value: string) => T): Option {
  return new Option(`${flag} <${argument}>`, text).argParser((value: string, previous: T | undefined): T => {
    if (previous !== undefined) throw new UsageError(`${flag} is set twice`);
    return parse(value);
  });
}

/** An option whose argument is a name, as domains, scopes and regions have. */
export function nameOption(flag: string, text: string): Option {
  return option(flag, 'NAME', text, (value) => checkName(flag, value));
}

/** An option whose argument is a name and that may be set several times. */
export function listedNamesOption(flag: string, text: string): Option {
  return new Option(`${flag} <NAME>`, text).argParser((value: string, previous: readonly string[] = []) => [
    ...previous,
    checkName(flag, value),
  ]);
}

function checkName(flag: string, value: string): string {
  if (NAME_PATTERN.test(value)) return value;
  throw new UsageError(
    `${flag} expected 1 to 64 characters of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit`,
  );
}

/** An option that names a file. */
export function fileOption(flag: string, text: string, argument = 'FILE'): Option {
  return option(flag, argument, text, (value) => checkFileName(flag, value));
}

/** An option that names a file and may be set several times. */
export function filesOption(flag: string, text: string, argument = 'FILE'): Option {
  return new Option(`${flag} <${argument}>`, text).argParser((value: string, previous: readonly string[] = []) => [
    ...previous,
    checkFileName(flag, value),
  ]);
}

/** Text that is probably the content of a key file, as in the mistake `--keys "$(cat keys.json)"`. */
const KEY_MATERIAL = /trefoil-root|AGE-SECRET-KEY-|PRIVATE\+KEY\+|^\s*\{/i;

/**
 * Checks the name of a file. Later messages quote file names, so a text that may be a key is refused here.
 *
 * @param label the option or argument that names the file.
 * @throws UsageError
 */
export function checkFileName(label: string, value: string): string {
  if (value === '') throw new UsageError(`${label} expected the name of a file, got nothing`);
  if (value.includes('\0')) throw new UsageError(`${label} expected the name of a file, got one with a NUL character`);
  if (KEY_MATERIAL.test(value)) {
    throw new UsageError(
      `${label} expected the name of a file, got what looks like the content of a key file`,
      'pass the name of the file, or put its content into TREFOIL_KEYS; other users of this machine may have seen it',
    );
  }
  return value;
}

/**
 * The argument of a required option. It is checked here and not by commander, which looks for required options before
 * unknown ones and would answer a mistyped `--polcy` with "--policy not specified".
 *
 * @throws UsageError if the option is not set.
 */
export function need<T>(value: T | undefined, flag: string): T {
  if (value === undefined) throw new UsageError(`${flag} FILE is required`);
  return value;
}

/** `a, b or c`. */
function oneOf(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), words[words.length - 1]].filter(Boolean).join(' or ');
}

/**
 * An option whose argument is one of several words.
 *
 * @param meant the word that another one stands for elsewhere, for the hint.
 */
export function wordOption<T extends string>(
  flag: string,
  argument: string,
  text: string,
  words: readonly T[],
  meant: (value: string) => T | null = () => null,
): Option {
  return option(flag, argument, `${text}: ${oneOf(words)}`, (value) => {
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const similar = meant(value) ?? nearest(value, words);
    throw new UsageError(
      `${flag} expected ${oneOf(words)}`,
      similar === null ? undefined : `did you mean ${flag} ${similar}?`,
    );
  });
}

/** An option whose argument is a whole number. */
export function integerOption(flag: string, argument: string, text: string, minimum: number, maximum: number): Option {
  return option(flag, argument, text, (value) => {
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= minimum && number <= maximum)) {
      throw new UsageError(`${flag} expected a whole number from ${minimum} to ${maximum}`);
    }
    return number;
  });
}

/** An option whose argument is a list of names, separated by commas. */
export function namesOption(flag: string, text: string): Option {
  return option(flag, 'NAMES', `${text}: a,b,c`, (value) => {
    const names = value.split(',');
    if (names.some((name) => name === '')) {
      throw new UsageError(
        `${flag} expected names separated by commas, and a name is empty`,
        'choose a name for a column that has none, and drop it in the policy (NAME: drop)',
      );
    }
    if (new Set(names).size !== names.length) throw new UsageError(`${flag} has a name twice`);
    return names;
  });
}

/** An option whose argument is a number of records, or a share of all records. */
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

/** Column separators by names that are easy to type in a shell. */
const SEPARATORS: Readonly<Record<string, string>> = { '\\t': '\t', tab: '\t', pipe: '|', semicolon: ';', comma: ',' };

/**
 * Other names of encodings (https://encoding.spec.whatwg.org/#names-and-labels, and those of Python and Java), without
 * what is no letter or digit. None is accepted, because one encoding has one name here; they are for the hint.
 */
const OTHER_NAMES: readonly (readonly [names: RegExp, encoding: EncodingName])[] = [
  [/^(latin1?|l1|(iso|iec)?8859|iso88591|ibm819|cp819)$/, 'iso-8859-1'],
  [/^(latin9|latin0|l9|iso885915)$/, 'iso-8859-15'],
  [/^(ansi|xcp1252|(cp|win|windows|ms)?1252|windows(latin1|ansi)?)$/, 'windows-1252'],
  [/^(u8|utf8(bom|sig|mb4)?|unicode11utf8|ascii|usascii)$/, 'utf-8'],
  [/^(u16|utf16|ucs2|unicode)$/, 'utf-16'],
  [/^(utf16le|ucs2le|unicodelittle)$/, 'utf-16le'],
  [/^(utf16be|ucs2be|unicodebig)$/, 'utf-16be'],
];

/** The encoding that another name stands for; `null` if it is not known. */
function encodingMeant(name: string): EncodingName | null {
  const bare = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return OTHER_NAMES.find(([names]) => names.test(bare))?.[1] ?? null;
}

/** The option `--encoding` of an input. */
export function encodingOption(): Option {
  const text = 'encoding of the input; the output is UTF-8 (default: utf-8)';
  return wordOption('--encoding', 'NAME', text, ENCODINGS, encodingMeant);
}

/** The option `--quote`: one character, or none. */
export function quoteOption(): Option {
  return option('--quote', 'C', 'what is around quoted CSV cells of the input: one character, or none', (value) => {
    if (value !== 'none' && !ONE_CHARACTER.test(value)) {
      throw new UsageError('--quote expected none, or one ASCII character that is not a line ending');
    }
    return value;
  });
}

/** The option `--escape`: one character. */
export function escapeOption(): Option {
  return option('--escape', 'C', 'what escapes a quote in CSV cells of the input: one character', (value) => {
    if (!ONE_CHARACTER.test(value)) {
      throw new UsageError('--escape expected one ASCII character that is not a line ending');
    }
    return value;
  });
}

const ONE_CHARACTER = /^[\x01-\x09\x0b\x0c\x0e-\x7f]$/;

/** The option `--delimiter`: one character, or one of the names. */
export function delimiterOption(): Option {
  return option(
    '--delimiter',
    'C',
    'CSV column separator: one character, or tab, pipe, semicolon (default: ,)',
    (value) => {
      const delimiter = Object.hasOwn(SEPARATORS, value) ? SEPARATORS[value]! : value;
      if (delimiter.length !== 1 || /["\r\n\0\ufeff\ud800-\udfff]/.test(delimiter)) {
        throw new UsageError(
          '--delimiter expected one character that is neither a quotation mark nor a line ending',
          'write tab for a tab',
        );
      }
      return delimiter;
    },
  );
}
