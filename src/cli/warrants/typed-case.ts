/// <reference types="node" />
/**
 * A decision on the terminal: what is decided is shown there, and the case number is typed, so that nobody signs by
 * pressing a key. The terminal is that of the process, also if its outputs are files: an officer must see the very text
 * that they are about to sign.
 */

import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ReadStream } from 'node:tty';
import { UsageError } from '../exit.ts';
import type { Context } from '../options.ts';
import { printable } from '../voice.ts';

/**
 * Shows lines and asks for the case number.
 *
 * @param wanted the number of the case.
 * @throws UsageError if there is no terminal, or another text is typed.
 */
export async function confirmCase(lines: readonly string[], wanted: string, { signal }: Context): Promise<void> {
  const terminal = openTerminal();
  try {
    writeSync(terminal.fd, `${lines.map(printable).join('\n')}\n`);
    writeSync(terminal.fd, 'trefoil: to sign, type the number of the case: ');
    const typed = await readLine(terminal.input, signal);
    if (typed.trim() !== wanted) {
      throw new UsageError('what was typed is not the number of the case; nothing was signed');
    }
  } finally {
    terminal.input.destroy();
  }
}

function openTerminal(): { readonly fd: number; readonly input: ReadStream } {
  try {
    const fd = openSync('/dev/tty', 'r+');
    return { fd, input: new ReadStream(fd) };
  } catch {
    throw new UsageError(
      'there is no terminal to show the warrant on and to type the number of the case into',
      'sign on a terminal; programs do not approve warrants',
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
