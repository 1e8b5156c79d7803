/// <reference types="node" />
/** Who signs: the options `--key` and `--ssh` of commands that sign for an officer. */

import type { Command } from 'commander';
import { fail } from '../../errors.ts';
import { notePartySigner, type PartySigner } from '../../govern/officers/party-signer.ts';
import { partyOf } from '../../govern/officers/signatures.ts';
import type { Charter } from '../../govern.ts';
import { inFile } from '../charters/charter-file.ts';
import { readNoteKeyFile } from '../custody/note-key.ts';
import { UsageError } from '../exit.ts';
import { sshKeygenSigner } from '../officers/ssh-keygen.ts';
import { fileOption } from '../options.ts';
import type { Voice } from '../voice.ts';

/** What the two options are set to. */
export interface SignerOptions {
  readonly key?: string;
  readonly ssh?: string;
}

/** Adds the two options. */
export function addSignerOptions(command: Command, who: string): Command {
  return command
    .addOption(fileOption('--key', `private key of ${who}, as officer new makes it`))
    .addOption(fileOption('--ssh', `key of OpenSSH of ${who}, or its .pub file if an agent has the key`));
}

/** A signer, and the handle that the charter has for its key. */
export interface NamedSigner {
  readonly signer: PartySigner;
  readonly handle: string;
}

/**
 * The signer that the options name.
 *
 * @throws UsageError unless exactly one is set. TrefoilError `not_in_charter` if no officer has the key.
 */
export async function signerOf({ key, ssh }: SignerOptions, charter: Charter, voice: Voice): Promise<NamedSigner> {
  if ((key === undefined) === (ssh === undefined)) {
    throw new UsageError('set either --key FILE or --ssh FILE', 'an officer signs with a key that the charter names');
  }
  const parties = new Map([...charter.officers].map(([handle, { keys }]) => [handle, keys]));
  if (ssh !== undefined) {
    const signer = await sshKeygenSigner(ssh, parties);
    return { signer, handle: signer.handle! };
  }
  const text = await readNoteKeyFile(key!, voice);
  const signer = inFile(key!, () => notePartySigner(text));
  const party = partyOf(parties, signer.key);
  if (party === null) return fail('not_in_charter', 'the charter has no officer with this key', { file: key! });
  return { signer, handle: party.handle };
}
