/// <reference types="node" />
/** The files of warrants: charters, notes and dossiers. They are read as bytes, because digests are over bytes. */

import type { Option } from 'commander';
import { TrefoilError } from '../../errors.ts';
import { openOutput } from '../../files/outputs/output-file.ts';
import { systemError } from '../../files/system-error.ts';
import { MOST_BYTES } from '../../govern/text/lines.ts';
import { MOST_DOSSIER_BYTES } from '../../govern/warrant/dossier.ts';
import { type Charter, openCharter, parseCharter } from '../../govern.ts';
import { inFile } from '../charters/charter-file.ts';
import { type Context, fileOption } from '../options.ts';
import { readAtMost } from '../policy-file.ts';
import type { Voice } from '../voice.ts';

export { charterPinOption } from './charter-pin.ts';

/** The option `--charter`. */
export const charterOption = (): Option => fileOption('--charter', 'signed charter (required)');

/**
 * Opens a charter: reads it, and verifies that enough of its own keepers have signed it. Without a pin that is all:
 * anyone who can write the file can write another charter with other keepers. A message states it.
 *
 * @throws TrefoilError as `openCharter`, with the file; `io_failed`.
 */
export async function openCharterFile(path: string, pin: string | undefined, voice: Voice): Promise<Charter> {
  const bytes = await readBytes(path, MOST_BYTES, 'the charter');
  const charter = inFile(path, () => openCharter(bytes, { sha256: pin ?? parseCharter(bytes).sha256 }));
  if (pin === undefined) {
    voice.note(
      `the charter is taken from ${path} as it is: version ${charter.version}, sha256:${charter.sha256}; ` +
        'compare it, or pin it with --charter-sha256',
    );
  }
  return charter;
}

/** Reads a note, at most 32,768 bytes of UTF-8. */
export async function readNote(path: string): Promise<string> {
  const bytes = await readBytes(path, MOST_BYTES, 'the note');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TrefoilError([{ code: 'note_invalid', message: 'the note is not UTF-8', file: path }]);
  }
}

/** Reads a dossier. */
export function readDossier(path: string): Promise<Uint8Array> {
  return readBytes(path, MOST_DOSSIER_BYTES, 'the dossier');
}

/** Reads at most `limit` bytes, and one more of a longer file, so that its reader refuses it. */
async function readBytes(path: string, limit: number, what: string): Promise<Uint8Array> {
  try {
    return await readAtMost(path, limit);
  } catch (error) {
    throw systemError(error, `${what} cannot be read`, path);
  }
}

/** The dossier that lies beside a warrant: `w.note` and `w.dossier`. */
export function dossierBeside(note: string): string {
  return `${note.replace(/\.note$/, '')}.dossier`;
}

/** A file to write that only its owner can read: it may say whom a warrant is about, or be about to be signed. */
export interface PrivateFile {
  readonly path: string;
  readonly content: string;
  /** Whether the file may replace one, as a note with one more signature does. */
  readonly force: boolean;
}

/**
 * Writes files, all or none: each gets its name when all are complete.
 *
 * @throws TrefoilError `output_exists`, `io_failed`, `no_space`.
 */
export async function writePrivateFiles(files: readonly PrivateFile[], { signal }: Context): Promise<void> {
  const outputs = [];
  try {
    for (const { path, content, force } of files) {
      const output = await openOutput(path, { force, mode: 0o600 });
      outputs.push(output);
      await output.write(new TextEncoder().encode(content));
    }
    signal.throwIfAborted();
    for (const output of outputs) await output.finish();
  } catch (error) {
    for (const output of outputs) await output.discard();
    throw error;
  }
}
