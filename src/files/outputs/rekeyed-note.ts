/// <reference types="node" />
/**
 * The note beside a file that was rekeyed or projected: `OUT.trefoil-rekeyed`, one line of JSON. It is written if the
 * policy has fields that do not show their key. Other fields show it, but each of them may be missing in a record. Such
 * a record looks like one that was not moved, and a second run would turn its values into others without an error.
 *
 * A note is about one content, by SHA-256: beside a file with another content it says nothing. A file that is copied,
 * renamed or loaded into a database loses its note, and output to a pipe has none. So the note is a help against an
 * accident, and the scheme of names and folders of a rotation still has to keep old and new files apart.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import { type BoundInside, type Direction, isMove } from '../../policy/bound.ts';
import { hidesKey } from '../../policy/unmarked/witnesses.ts';
import { STDIN } from '../inputs/inputs.ts';
import { errorCode, systemError } from '../system-error.ts';
import { writeWhole } from './resume.ts';

const VERSION = 'rekeyed-v1';

/** Content of a note. It has no value and nothing that can be turned back. */
interface Note {
  readonly trefoil: typeof VERSION;
  /** Domain of the values now: of a projected file that of the recipient. */
  readonly domain: string;
  /** Shown ids of the keys that the file was moved from and to, each in the domain of its side. */
  readonly from: string;
  readonly to: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
}

/** The name of the note beside a file. */
export function noteName(path: string): string {
  return `${path}.trefoil-rekeyed`;
}

/** Whether the outputs of a run get notes: it moves fields to another key that do not show theirs. */
export function getsNote({ leaves, fromKey }: BoundInside, direction: Direction): boolean {
  return isMove(direction) && fromKey !== null && leaves.some(hidesKey);
}

/**
 * Refuses inputs whose notes say that they are of another key or domain than the one that this run takes them for.
 *
 * @throws TrefoilError `already_rekeyed`, or `wrong_key` if records are revealed; `io_failed` if a note cannot be read.
 */
export async function refuseNoted(inputs: readonly string[], inside: BoundInside, direction: Direction): Promise<void> {
  if (direction === 'protect' || !inside.leaves.some(hidesKey)) return;
  const keys = inside.moving?.from ?? inside.keys;
  const { domain } = keys;
  // Without a name, a record that shows no key is revealed with the only key that is pinned.
  const taken = inside.fromKey ?? (keys.pinned?.length === 1 ? keys.pinned[0]! : null);
  for (const input of inputs) {
    for (const { note, file } of await notesOf(input)) {
      if (note.domain === domain && (taken === null || note.to === taken)) continue;
      if ((await sha256Of(input)) !== note.sha256) continue;
      const [is, as] =
        note.domain === domain
          ? [`key ${note.to}`, `key ${taken}`]
          : [`key ${note.to} in domain ${note.domain}`, `domain ${domain}`];
      const advice =
        note.domain === domain
          ? `name that key (--from ${note.to}, in code fromKey)`
          : 'use the policy and the keys of that domain';
      fail(
        isMove(direction) ? 'already_rekeyed' : 'wrong_key',
        `the note beside the file (${file}) says that it was moved to ${is}, and this run takes its values for those ` +
          `of ${as}; if the note is right, ${advice}`,
        { file: input },
      );
    }
  }
}

/**
 * Writes the note beside an output. It is written before the output gets its name, so that no such file is without one.
 *
 * @param content path of the complete output under its temporary name.
 * @throws TrefoilError `no_space`, `io_failed`.
 */
export async function writeNote(output: string, content: string, { moving }: BoundInside): Promise<void> {
  const { to, fromKey } = moving!;
  const note: Note = {
    ...{ trefoil: VERSION, domain: to.domain, from: fromKey!, to: to.primary.id },
    sha256: await sha256Of(content),
  };
  await writeWhole(noteName(await targetOf(output)), `${JSON.stringify(note)}\n`, 0o644);
}

/** The file to which the links of a path lead: an output replaces that file and not the link. */
function targetOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** The notes beside an input: beside the file, and beside the link that it was passed as. */
async function notesOf(input: string): Promise<readonly { readonly note: Note; readonly file: string }[]> {
  if (input === STDIN) return [];
  const found: { note: Note; file: string }[] = [];
  for (const path of new Set([input, await targetOf(input)])) {
    const note = await readNote(path);
    if (note !== null) found.push({ note, file: noteName(path) });
  }
  return found;
}

async function readNote(input: string): Promise<Note | null> {
  const file = noteName(input);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw systemError(error, 'cannot be read', file);
  }
  let note: Partial<Note> | null = null;
  try {
    note = JSON.parse(text) as Partial<Note>;
  } catch {
    // Refused below.
  }
  if (note?.trefoil !== VERSION || ![note.domain, note.from, note.to, note.sha256].every(isText)) {
    fail(
      'io_failed',
      'is not a note of trefoil rekey or project; find out which key made the file beside it, and remove the note',
      { file },
    );
  }
  return note as Note;
}

const isText = (value: unknown): boolean => typeof value === 'string';

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw systemError(error, 'cannot be read', path);
  }
  return hash.digest('hex');
}
