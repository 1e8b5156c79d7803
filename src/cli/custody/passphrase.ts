/// <reference types="node" />
/**
 * Passphrases: from the file that TREFOIL_PASSPHRASE_FILE names, or typed on the terminal. An argument or a variable
 * never holds one, because other processes can read both.
 */

import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import { TrefoilError } from '../../errors.ts';
import { UsageError } from '../exit.ts';
import { type Context, checkFileName } from '../options.ts';
import { readSecretFile } from './secret-file.ts';

const VARIABLE = 'TREFOIL_PASSPHRASE_FILE';

/** Longest file with a passphrase, in bytes. */
const MAX_BYTES = 4_096;

/** Fewest characters of a passphrase for a new file. Anyone who has the file can try passphrases without limit. */
const MIN_CHARACTERS = 12;

/** Reads the passphrase from the file that the variable names; `null` if it is not set. */
export async function passphraseFromFile({ voice }: Context): Promise<string | null> {
  const path = process.env[VARIABLE] || undefined;
  if (path === undefined) return null;
  checkFileName(VARIABLE, path);
  const text = await readSecretFile(path, 'the file with the passphrase', MAX_BYTES, voice);
  // Editors and `echo` end a file with a line ending.
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase === '' || /[\r\n]/.test(passphrase)) {
    const message = 'the file with the passphrase must have exactly one line';
    throw new TrefoilError([{ code: 'key_refused', message, file: path }]);
  }
  return passphrase;
}

/** Asks for the passphrase of a sealed key file; `null` if there is no terminal. */
export async function askPassphrase(file: string, context: Context): Promise<string | null> {
  const terminal = openTerminal();
  if (terminal === null) return null;
  try {
    return await ask(terminal, `passphrase of ${file}: `, context);
  } finally {
    terminal.input.destroy();
  }
}

/**
 * Asks twice for a new passphrase.
 *
 * @throws UsageError if there is no terminal, the two differ, or it is short.
 */
export async function askNewPassphrase(context: Context): Promise<string> {
  const terminal = openTerminal();
  if (terminal === null) {
    throw new UsageError(
      'there is no terminal to ask for the passphrase',
      `put it into a file and set ${VARIABLE} to its path`,
    );
  }
  try {
    const first = await ask(terminal, 'new passphrase: ', context);
    if ((await ask(terminal, 'the same again: ', context)) !== first) {
      throw new UsageError('the two passphrases differ');
    }
    return first;
  } finally {
    terminal.input.destroy();
  }
}

/** Checks that a passphrase for a new file is not short. @throws UsageError */
export function checkNewPassphrase(passphrase: string): string {
  if ([...passphrase].length < MIN_CHARACTERS) {
    throw new UsageError(
      `the passphrase has fewer than ${MIN_CHARACTERS} characters`,
      'take five words that were drawn by chance: anyone who gets the file can try passphrases without limit',
    );
  }
  return passphrase;
}

/** A terminal: what is typed, and where questions are written. */
interface Terminal {
  readonly input: ReadStream;
  readonly write: (text: string) => void;
}

/**
 * The terminal of this process, which exists even if standard input is a pipe and standard error a file; `null` if
 * there is none.
 */
function openTerminal(): Terminal | null {
  try {
    const fd = openSync('/dev/tty', 'r+');
    return { input: new ReadStream(fd), write: (text) => void writeSync(fd, text) };
  } catch {
    return null;
  }
}

/** Writes a question and reads a line, whose characters are not shown. */
function ask(terminal: Terminal, question: string, { signal }: Context): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: terminal.input, output: silent, terminal: true });
  terminal.write(`trefoil: ${question}`);
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      lines.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    // The terminal passes Ctrl-C as a character while it is not shown.
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    lines.on('close', () => reject(new UsageError('no passphrase was typed')));
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
  }).finally(() => terminal.write('\n')) as Promise<string>;
}
