/// <reference types="node" />
/** What the commands share that write a changed key file: `keys add`, `keys promote` and `keys retire`. */

import { type Command, Option } from 'commander';
import { fail } from '../../errors.ts';
import { describeKeyset } from '../../keys/described.ts';
import type { Keyset } from '../../keys.ts';
import { secretAccess } from '../../reveal.ts';
import { UsageError } from '../exit.ts';
import type { KeySource } from '../key-source.ts';
import { type Context, checkFileName, fileOption } from '../options.ts';
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

/** The words of each change, for a key file that is narrowed. */
const NARROWED = {
  add: 'a key that is added here is in no other file; add it to the file that this one was made from',
  promote: 'promote the key in the file that this one was made from',
} as const;

/**
 * Refuses to rotate a narrowed key file: its holder would protect with a key that nobody else has. One that is narrowed
 * to `rekey` alone may get a key of its own, which the second of two houses needs (docs/guide/keys/recipients.md).
 *
 * @throws TrefoilError `not_granted`.
 */
export function refuseNarrowed(keyset: Keyset, change: keyof typeof NARROWED): void {
  const { verbs } = describeKeyset(keyset, null);
  if (verbs === null || verbs.every((verb) => verb === 'rekey')) return;
  fail(
    'not_granted',
    `the key file is narrowed to ${verbs.join(' and ')}: ${NARROWED[change]}, and run trefoil keys narrow again`,
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

/** The options that say how a changed keyset is written. */
export interface WriteOptions {
  readonly to?: readonly string[];
  readonly plain?: boolean;
}

/** The option `--to`, which names who can open a file; may be repeated. */
export function toOption(what: string): Option {
  const text = `${what}: a recipient of age, a file of them, or a key of a KMS; may be repeated`;
  return new Option('--to <RECIPIENT>', text).argParser((value: string, previous: readonly string[] = []) => [
    ...previous,
    checkFileName('--to', value),
  ]);
}

/** Adds the options `--to` and `--plain`, and `--out`, to a command that writes a changed key file. */
export function addWriteOptions(command: Command): Command {
  return command
    .addOption(fileOption('--out', 'file to make (required)'))
    .addOption(toOption('seal the new file, and who can open it'))
    .option('--plain', 'write plain JSON, although the key file that is read is sealed');
}

/**
 * Writes a changed keyset to a new file, and reports what it contains. A sealed key file stays sealed: nobody can read
 * from it who its recipients are, so `--to` names them, and plain JSON is written only if `--plain` demands it.
 *
 * @throws UsageError if the file that was read is sealed, and neither is set.
 */
export async function writeChanged(
  out: string,
  { keyset, source, what }: Changed,
  { to = [], plain = false }: WriteOptions,
  context: Context,
): Promise<void> {
  if (plain && to.length > 0) throw new UsageError('--plain and --to cannot be combined');
  if (source.isSealed && !plain && to.length === 0) {
    throw new UsageError(
      'the key file that was read is sealed, and nothing says who can open the new one',
      'name them with --to, as for trefoil keys wrap; a sealed file does not show its recipients. --plain writes JSON',
    );
  }
  const json = keyset.export(secretAccess);
  const where = out === DASH ? 'to standard output' : out;
  if (to.length === 0) {
    await writeKeyFile(out, json, context);
    context.voice.note(`wrote ${where}: ${what}`);
    if (plain && source.isSealed) {
      context.voice.warning(
        'the key file that was read is sealed, and this one is not; seal it with trefoil keys wrap',
      );
    }
    return;
  }
  // Only the runs that need it load what seals files.
  const { sealed, waysOf, waysText } = await import('./sealing.ts');
  const ways = await waysOf(to);
  await writeKeyFile(out, await sealed(json, ways, { armour: false, allowMultiRegion: false }, context), context);
  context.voice.note(`wrote ${where}, sealed with ${waysText(ways)}: ${what}`);
  if (ways.recipients.length === 0) {
    context.voice.hint('without the KMS nobody can open it; seal it to a recipient, too');
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
