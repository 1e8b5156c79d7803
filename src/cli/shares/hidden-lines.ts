/// <reference types="node" />
/**
 * Lines that a person types on the terminal and that are not shown. All questions share one reader, so two lines that
 * are pasted together answer two questions.
 */

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from '../exit.ts';

/** Asks on the terminal. */
export interface HiddenLines {
  /** Writes a question to standard error and returns the next line. @throws UsageError if the input has ended. */
  readonly ask: (question: string) => Promise<string>;
  /** Gives the terminal back. It must be called, also after an error. */
  readonly close: () => void;
}

/**
 * Opens the terminal for questions.
 *
 * @param signal ends a question with its reason.
 * @throws UsageError if standard input is not a terminal.
 */
export function openHiddenLines(signal: AbortSignal, hint: string): HiddenLines {
  if (!process.stdin.isTTY) throw new UsageError('no share is named, and standard input is not a terminal', hint);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const waiting: string[] = [];
  let isClosed = false;
  let wake = (): void => {};
  terminal.on('line', (line) => {
    waiting.push(line);
    wake();
  });
  terminal.on('close', () => {
    isClosed = true;
    wake();
  });
  // The terminal sends no signals while what is typed is not shown, so Ctrl-C is sent by hand.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  return {
    async ask(question) {
      process.stderr.write(`${question}: `);
      while (waiting.length === 0 && !isClosed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      process.stderr.write('\n');
      signal.throwIfAborted();
      const line = waiting.shift();
      if (line === undefined) throw new UsageError('the input ended before all lines were typed');
      return line;
    },
    close() {
      signal.removeEventListener('abort', onAbort);
      terminal.close();
    },
  };
}
