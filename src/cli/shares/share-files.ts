/// <reference types="node" />
/** Reads the files of shares and of the record of a ceremony. */

import type { Option } from 'commander';
import type { Ceremony } from '../../custody.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { readSecretBytes, warnIfShared } from '../custody/secret-file.ts';
import { fileOption } from '../options.ts';
import type { Voice } from '../voice.ts';

/** Longest file of a share, and longest record of a ceremony, in bytes. What trefoil writes is much shorter. */
const MAX_SHARE = 4096;
const MAX_RECORD = 65_536;

/** The option `--ceremony`. */
export function ceremonyOption(text: string): Option {
  return fileOption('--ceremony', text);
}

/** Reads a share, and warns if other users can read the file. @throws TrefoilError `io_failed`, `share_mistyped`. */
export async function readShareFile(path: string, voice: Voice): Promise<string> {
  await warnIfShared(path, 'the share', voice);
  const text = await readText(path, MAX_SHARE, 'the share');
  return text ?? fail('share_mistyped', 'the file is not the text of a share', { file: path });
}

/** Reads the record of a ceremony. Its content is checked by the library. @throws TrefoilError `ceremony_broken`. */
export async function readCeremonyFile(path: string): Promise<Ceremony> {
  const text = await readText(path, MAX_RECORD, 'the record of the ceremony');
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Ceremony;
  } catch {
    // The message of the parser would quote the file.
  }
  return fail('ceremony_broken', 'the file is not the record of a ceremony; get it from another holder', {
    file: path,
  });
}

/** The text of a file; `null` if it is too long or is not UTF-8. */
async function readText(path: string, limit: number, what: string): Promise<string | null> {
  const bytes = await readSecretBytes(path, what, limit);
  if (bytes.length > limit) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Waits for work on shares and puts the names of files in the places of its errors. */
export async function namingFiles<T>(
  files: readonly string[],
  ceremony: string | undefined,
  work: () => Promise<T> | T,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    const issues = error.issues.map(({ row, ...issue }) => {
      const file = issue.code === 'ceremony_broken' ? ceremony : files[(row ?? 1) - 1];
      // An issue of all shares together has no file.
      const isPlaced = issue.code === 'ceremony_broken' || row !== undefined || files.length === 1;
      return isPlaced && file !== undefined ? { ...issue, file } : issue;
    });
    throw new TrefoilError(issues, error.total);
  }
}
