/// <reference types="node" />
/**
 * What is done when a command ends, however it ends: stores are closed here and not by each command, so that an error
 * or a signal leaves them as a run that went well does.
 */

import type { Voice } from './voice.ts';

/** Something that is open. */
export interface AtEnd {
  /** Closes it in good order. */
  readonly close: (voice: Voice) => Promise<void>;
  /** Closes it at once, where the process ends before there is time for more; nothing can be awaited then. */
  readonly closeNow?: () => void;
}

const open = new Set<AtEnd>();

/** Has something closed when the command ends. */
export function atEnd(one: AtEnd): void {
  if (open.size === 0) process.once('exit', closeNow);
  open.add(one);
}

/** Closes what is open. Called once, by `main.ts`. */
export async function closeAll(voice: Voice): Promise<void> {
  for (const one of open) {
    open.delete(one);
    await one.close(voice);
  }
}

function closeNow(): void {
  for (const { closeNow } of open) closeNow?.();
}
