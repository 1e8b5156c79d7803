/// <reference types="node" />
/**
 * A decision on the terminal: what is decided is shown there, and a word of it is typed, so that nobody signs by
 * pressing a key. The terminal is that of the process, even if its outputs are files: a signer must see the very text
 * that they sign.
 */

import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream } from 'node:tty';
import { UsageError } from '../exit.ts';
import type { Context } from '../options.ts';
import { printable } from '../voice.ts';

/** What is asked. */
export interface Question {
  /** The lines that are shown before the question. */
  readonly lines: readonly string[];
  /** What is to be typed, in words: `the number of the version`. */
  readonly what: string;
  /** What must be typed. */
  readonly wanted: string;
}

/**
 * Shows lines on the terminal and waits until a word of them is typed.
 *
 * @throws UsageError if there is no terminal, or something else is typed.
 */
export async function confirmTyped({ lines, what, wanted }: Question, { signal }: Context): Promise<void> {
  const { input, write, close } = openTerminal(what);
  try {
    write(`${lines.map(printable).join('\n')}\n`);
    write(`trefoil: to sign, type ${what}: `);
    const typed = await readLine(input, signal);
    if (typed.trim() !== wanted) throw new UsageError(`what was typed is not ${what}; nothing was signed`);
  } finally {
    close();
  }
}

/** A terminal: what is typed, and where questions are written. */
interface Terminal {
  readonly input: ReadStream;
  readonly write: (text: string) => void;
  readonly close: () => void;
}

function openTerminal(what: string): Terminal {
  try {
    // It is opened twice: reading makes its own descriptor non-blocking, and a long charter would not fit into it.
    const output = openSync('/dev/tty', 'w');
    const input = new ReadStream(openSync('/dev/tty', 'r+'));
    return {
      input,
      write: (text) => writeFileSync(output, text),
      close() {
        closeSync(output);
        input.destroy();
      },
    };
  } catch {
    throw new UsageError(
      `there is no terminal to show the text on and to type ${what} into`,
      'sign on a terminal; no option answers in place of the signer',
    );
  }
}

/** Reads a line, which the terminal shows while it is typed. */
function readLine(input: ReadStream, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input, terminal: false });
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      lines.close();
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => reject(new UsageError('nothing was typed, and nothing was signed')));
  });
}
