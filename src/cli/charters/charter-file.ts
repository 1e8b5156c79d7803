/// <reference types="node" />
/** Files with charters: drafts and notes. They are read as bytes, because digests are over bytes. */

import { TrefoilError } from '../../errors.ts';
import { systemError } from '../../files/system-error.ts';
import { parseCharter } from '../../govern/charter/parse.ts';
import { signersOf } from '../../govern/charter/succession.ts';
import { MOST_BYTES } from '../../govern/text/lines.ts';
import type { Charter } from '../../govern.ts';
import { readAtMost } from '../policy-file.ts';

/** A charter as a file has it. */
export interface CharterFile {
  readonly path: string;
  /** The file: a text, or a note with signatures. */
  readonly content: string;
  readonly charter: Charter;
  /** Whether there are signatures. */
  readonly isNote: boolean;
}

/**
 * Reads a charter. Its signatures are not looked at.
 *
 * @throws TrefoilError `charter_invalid`, `note_invalid`, `io_failed`, with the file.
 */
export async function readCharterFile(path: string): Promise<CharterFile> {
  let bytes: Uint8Array;
  try {
    bytes = await readAtMost(path, MOST_BYTES);
  } catch (error) {
    throw systemError(error, 'the charter cannot be read', path);
  }
  if (bytes.length > MOST_BYTES) {
    const message = `the charter and its signatures are longer than ${MOST_BYTES} bytes`;
    throw new TrefoilError([{ code: 'charter_invalid', message, file: path }]);
  }
  const charter = inFile(path, () => parseCharter(bytes));
  const content = new TextDecoder().decode(bytes);
  return { path, content, charter, isNote: content !== charter.text };
}

/** The keepers of a charter who have signed a file; nobody has signed a draft. */
export function keepersWhoSigned({ path, content, isNote }: CharterFile, charter: Charter): readonly string[] {
  return isNote ? inFile(path, () => signersOf(content, charter)) : [];
}

/** Runs a function over what was read, and names the file in its errors. */
export function inFile<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(
      error.issues.map((issue) => ({ ...issue, file: path })),
      error.total,
    );
  }
}
