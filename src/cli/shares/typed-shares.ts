/// <reference types="node" />
/** Shares that their holders type on the terminal. What is typed is not shown. */

import { type ReadShare, readShare } from '../../custody/shares/share-text.ts';
import { TrefoilError } from '../../errors.ts';
import type { Context } from '../options.ts';
import { wordFor } from '../voice.ts';
import { type HiddenLines, openHiddenLines } from './hidden-lines.ts';

/**
 * Asks for shares until there are as many different ones as the first of them says that are needed. A line that is
 * mistyped is asked for again.
 *
 * @returns the texts of the shares.
 * @throws UsageError if standard input is not a terminal, or ends.
 */
export async function askForShares({ signal, voice }: Context): Promise<readonly string[]> {
  const terminal = openHiddenLines(signal, 'name the files of the shares, or type the shares on a terminal');
  try {
    voice.note('type the two lines of each share, with or without spaces; what you type is not shown');
    const texts = new Map<number, string>();
    for (let threshold = 2; texts.size < threshold; ) {
      const { text, share } = await askForShare(terminal, texts.size + 1, voice);
      if (texts.has(share.number)) {
        voice.warning(`share ${share.number} was typed already; type another one`);
        continue;
      }
      texts.set(share.number, text);
      threshold = share.threshold;
      const left = threshold - texts.size;
      if (left > 0) {
        voice.note(`share ${share.number} of ${share.shares}; ${left} more ${wordFor(left, 'is', 'are')} needed`);
      }
    }
    return [...texts.values()];
  } finally {
    terminal.close();
  }
}

/** Asks for one share. @throws UsageError if standard input is not a terminal, or ends. */
export async function askForOneShare({ signal, voice }: Context): Promise<string> {
  const terminal = openHiddenLines(signal, 'name the file of the share, or type the share on a terminal');
  try {
    voice.note('type the two lines of the share, with or without spaces; what you type is not shown');
    return (await askForShare(terminal, null, voice)).text;
  } finally {
    terminal.close();
  }
}

/** @param place the number of the question; `null` if there is only one share. */
async function askForShare(
  terminal: HiddenLines,
  place: number | null,
  voice: Context['voice'],
): Promise<{ readonly text: string; readonly share: ReadShare }> {
  const lines: [string | null, string | null] = [null, null];
  for (;;) {
    for (const i of [0, 1] as const) lines[i] ??= await askForLine(terminal, place, i + 1);
    const text = lines.map((line, i) => `${i + 1}: ${line}`).join('\n');
    try {
      return { text, share: readShare(text) };
    } catch (error) {
      if (!(error instanceof TrefoilError)) throw error;
      const { line } = error.issues[0]!;
      voice.warning(error.message);
      // Only a line that is named is asked for alone.
      if (line !== 2) lines[0] = null;
      if (line !== 1) lines[1] = null;
    }
  }
}

/** One line, without the label that a person may have typed as well. */
async function askForLine(terminal: HiddenLines, place: number | null, line: number): Promise<string> {
  const typed = await terminal.ask(place === null ? `line ${line}` : `share ${place}, line ${line}`);
  const rest = typed.trim();
  return rest.startsWith(`${line}:`) ? rest.slice(2) : rest;
}
