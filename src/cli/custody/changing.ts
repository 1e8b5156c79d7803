/// <reference types="node" />
/** What the commands share that write a changed key file: `keys add`, `keys promote` and `keys retire`. */

import { describeKeyset } from '../../keys/described.ts';
import type { Keyset } from '../../keys.ts';
import { secretAccess } from '../../reveal.ts';
import { UsageError } from '../exit.ts';
import type { KeySource } from '../key-source.ts';
import type { Context } from '../options.ts';
import { DASH } from '../outputs.ts';
import { writeKeyFile } from './new-file.ts';

/** Length of the key ids that values show. */
const SHOWN = 5;

/**
 * Returns the id of a root key that an argument names. No message repeats the argument.
 *
 * @throws UsageError if the keyset does not have the key.
 */
export function knownId(keyset: Keyset, id: string): string {
  if (keyset.ids.includes(id)) return id;
  const hint = `the key file has the root keys ${keyset.ids.join(', ')}`;
  throw new UsageError(
    'ID is not the id of a root key of the key file',
    id.length === SHOWN ? `${hint}; the five characters that values show are another id` : hint,
  );
}

/** A keyset that was made from key files. */
export interface Changed {
  readonly keyset: Keyset;
  /** The files that were read. They stay as they are. */
  readonly source: KeySource;
  /** What was changed, for the message. */
  readonly what: string;
}

/** Writes a changed keyset to a new file, and reports what it contains. */
export async function writeChanged(out: string, { keyset, source, what }: Changed, context: Context): Promise<void> {
  await writeKeyFile(out, keyset.export(secretAccess), context);
  context.voice.note(`wrote ${out === DASH ? 'to standard output' : out}: ${what}`);
  if (source.isSealed) {
    context.voice.warning('the key file that was read is sealed, and this one is not; seal it with trefoil keys wrap');
  }
}

/** Warns that the branch check, which policies pin, covers every key and so is another one now. */
export function warnOfPins(keyset: Keyset, { voice }: Context): void {
  if (!describeKeyset(keyset, null).keys.some(({ branches }) => branches !== null && branches.length > 0)) return;
  voice.warning(
    'the file has branches, and its branchCheck is another one now: pin the line that trefoil keys inspect prints in ' +
      'every policy that uses the file',
  );
}
