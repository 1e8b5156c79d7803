/// <reference types="node" />
/**
 * Checkpoints that a witness has refused although the log has signed them: what an overseer may need as evidence.
 *
 * Anybody can send a public checkpoint with a wrong proof. So forks, which only the key of the log can make, have
 * places of their own, and nothing is kept twice.
 */

import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../files/system-error.ts';
import { originHash } from '../../log/witness/latest.ts';

/** The most forks, and the most other checkpoints, that are kept for one log, so that a client cannot fill the disk. */
const MOST = 16;

/** A checkpoint that was refused. */
export interface Disputed {
  readonly origin: string;
  readonly note: string;
  /** The checkpoint of the same size that was cosigned: the two prove a fork. `null` if nothing is proven. */
  readonly other: string | null;
}

/** Where a checkpoint was kept; `known` if it is there already; `full` if it was not kept. */
export type Kept = { readonly file: string } | 'known' | 'full';

/** Keeps them, one after the other, so that the limit holds. */
export interface DisputedKeeper {
  readonly keep: (disputed: Disputed) => Promise<Kept>;
  /** Waits until all are kept. */
  readonly idle: () => Promise<void>;
}

/** Makes the keeper of a folder. */
export function disputedKeeper(folder: string): DisputedKeeper {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    keep(disputed) {
      const done = turn.then(() => keep(folder, disputed));
      turn = done.catch(() => {});
      return done;
    },
    async idle() {
      await turn;
    },
  };
}

async function keep(folder: string, { origin, note, other }: Disputed): Promise<Kept> {
  const prefix = `${originHash(origin)}.${other === null ? 'disputed' : 'forked'}-`;
  // Signatures may differ where the checkpoint does not.
  const name = `${prefix}${originHash(note.slice(0, note.indexOf('\n\n'))).slice(0, 16)}`;
  const names = (await readdir(folder)).filter((found) => found.startsWith(prefix) && !found.endsWith('.other'));
  if (names.includes(name)) return 'known';
  if (names.length >= MOST) return 'full';
  const file = join(folder, name);
  // The one that names the pair comes last: if it is there, both are.
  if (other !== null) await writeWhole(`${file}.other`, other);
  await writeWhole(file, note);
  return { file };
}

/** Writes a file; on an error nothing of it stays. */
async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flush: true });
  } catch (error) {
    await unlink(file).catch((failed) => {
      if (errorCode(failed) !== 'ENOENT') throw failed;
    });
    throw error;
  }
}
