/// <reference types="node" />
/**
 * The note beside a file that was rekeyed: `OUT.trefoil-rekeyed`, one line of JSON. It is written if no field of the
 * policy shows its key, because nothing else tells such a file from one that was not rekeyed, and a second run would
 * turn its values into others without an error.
 *
 * A note is about one content, by SHA-256: beside a file with another content it says nothing. A file that is copied,
 * renamed or loaded into a database loses its note, and output to a pipe has none. So the note is a help against an
 * accident, and the scheme of names and folders of a rotation still has to keep old and new files apart.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fail } from '../../errors.ts';
import type { BoundInside, Direction } from '../../policy/bound.ts';
import { STDIN } from '../inputs/inputs.ts';
import { errorCode, systemError } from '../system-error.ts';
import { writeWhole } from './resume.ts';

const VERSION = 'rekeyed-v1';

/** Content of a note. It has no value and nothing that can be turned back. */
interface Note {
  readonly trefoil: typeof VERSION;
  readonly domain: string;
  /** Shown ids of the keys that the file was moved from and to. */
  readonly from: string;
  readonly to: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
}

/** The name of the note beside a file. */
export function noteName(path: string): string {
  return `${path}.trefoil-rekeyed`;
}

/** Whether the outputs of a run get notes: it rekeys, some fields do not show their key, and no field does. */
export function getsNote(inside: BoundInside, direction: Direction): boolean {
  return direction === 'rekey' && showsNothing(inside) && inside.fromKey !== null;
}

/** Whether the policy has fields that do not show their key, and no field that shows it. */
function showsNothing({ leaves, witnesses }: BoundInside): boolean {
  return witnesses.length === 0 && leaves.some(({ engine }) => engine.mover?.showsKey === false);
}

/**
 * Refuses inputs whose notes say that they are of another key than the one that this run takes them for.
 *
 * @throws TrefoilError `already_rekeyed`, or `wrong_key` if records are revealed; `io_failed` if a note cannot be read.
 */
export async function refuseNoted(inputs: readonly string[], inside: BoundInside, direction: Direction): Promise<void> {
  if (direction === 'protect' || !showsNothing(inside)) return;
  const { keys, fromKey } = inside;
  // Without a name, a policy of such fields is revealed with its only key.
  const taken = fromKey ?? keys.pinned?.[0] ?? keys.primary.id;
  for (const input of inputs) {
    const note = input === STDIN ? null : await readNote(input);
    if (note === null || note.domain !== (inside.moving?.from ?? keys).domain || note.to === taken) continue;
    if ((await sha256Of(input)) !== note.sha256) continue;
    fail(
      direction === 'rekey' ? 'already_rekeyed' : 'wrong_key',
      `the note beside the file (${noteName(input)}) says that it was rekeyed to key ${note.to}, and this run takes ` +
        `its values for those of key ${taken}; if the note is right, name that key (--from ${note.to}, in code fromKey)`,
      { file: input },
    );
  }
}

/**
 * Writes the note beside an output. It is written before the output gets its name, so that no such file is without one.
 *
 * @param content path of the complete output under its temporary name.
 * @throws TrefoilError `no_space`, `io_failed`.
 */
export async function writeNote(output: string, content: string, { moving }: BoundInside): Promise<void> {
  const { from, to, fromKey } = moving!;
  const note: Note = {
    ...{ trefoil: VERSION, domain: from.domain, from: fromKey!, to: to.primary.id },
    sha256: await sha256Of(content),
  };
  await writeWhole(noteName(output), `${JSON.stringify(note)}\n`, 0o644);
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
      'is not a note of trefoil rekey; find out which key made the file beside it, and remove the note',
      {
        file,
      },
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
