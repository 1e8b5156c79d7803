/// <reference types="node" />
/**
 * Closes stores when a command ends. It is done here and not in each command, so that an error or a signal leaves a
 * store in the same state as a success does.
 */

import type { Voice } from './voice.ts';

/** Something to close. */
export interface AtEnd {
  /** Closes it in good order, and may wait. */
  readonly close: (voice: Voice) => Promise<void>;
  /** Closes it at once, if the process exits before `close` was called. It cannot wait for anything. */
  readonly closeNow?: () => void;
}

const open = new Set<AtEnd>();

/** Registers something to close when the command ends. */
export function atEnd(opened: AtEnd): void {
  if (open.size === 0) process.once('exit', closeNow);
  open.add(opened);
}

/** Closes everything that was registered. `main.ts` calls it once. */
export async function closeAll(voice: Voice): Promise<void> {
  for (const opened of open) {
    open.delete(opened);
    await opened.close(voice);
  }
}

function closeNow(): void {
  for (const { closeNow } of open) closeNow?.();
}
