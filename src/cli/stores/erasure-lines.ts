/// <reference types="node" />
/**
 * What `vault forget` and `vault shred` erase: tokens or subjects, one per line of standard input. They are never
 * arguments, because every user of a machine can see the arguments of its processes.
 */

import type { Command } from 'commander';
import { EXIT, UsageError } from '../exit.ts';
import { type Line, linesOf, standardInput } from '../lines.ts';
import type { Context } from '../options.ts';
import { plural, wordFor } from '../voice.ts';

/**
 * Refuses arguments of a command that reads `items` ("tokens", "subjects") from standard input. Commander's own error
 * would not say where the items belong.
 *
 * @throws UsageError
 */
export function refuseArguments({ args }: Command, items: string): void {
  if (args.length === 0) return;
  throw new UsageError(
    `${items} cannot be arguments, which other users of this machine can see`,
    `pass the ${items} on standard input, one per line`,
  );
}

/**
 * The lines of standard input that are not empty. If some are empty, a warning counts them and the exit code is 9: a
 * script's variable that is not set becomes an empty line.
 *
 * @param items what the lines are: "tokens" or "subjects".
 */
export async function* erasureLines(
  { signal, voice, exit }: Context,
  items: string,
): AsyncGenerator<Line, void, undefined> {
  let filled = 0;
  let empty = 0;
  for await (const line of linesOf(standardInput(signal, items))) {
    if (line.text === '') {
      empty++;
      continue;
    }
    filled++;
    yield line;
    // The erasure of this line is complete and written. After a signal no other is begun.
    signal.throwIfAborted();
  }
  if (empty > 0) {
    voice.warning(
      `${plural(empty, 'line')} of standard input ${wordFor(empty, 'was', 'were')} empty and erased nothing`,
    );
    exit(EXIT.partial);
  } else if (filled === 0) {
    voice.warning(`standard input contained no ${items}, so nothing was erased`);
  }
}
