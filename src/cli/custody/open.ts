/// <reference types="node" />
/** Opens sealed key files for the commands. */

import { isForPassphrase } from '../../custody/age.ts';
import { openKeyFile } from '../../custody.ts';
import { fail } from '../../errors.ts';
import type { Context } from '../options.ts';
import { loadAge } from './age-package.ts';
import { readIdentities } from './identities.ts';
import { askPassphrase, passphraseFromFile } from './passphrase.ts';
import { scryptIdentity } from './scrypt.ts';

/**
 * Opens a sealed key file with the identities of the command line or the environment and, if the file has a passphrase,
 * with that of TREFOIL_PASSPHRASE_FILE or of the person at the terminal.
 *
 * @param file the bytes or the text of the file.
 * @param label its path, or the variable that contains it.
 * @returns the JSON text of the keyset, and whether a passphrase has opened the file.
 */
export async function openSealed(
  file: Uint8Array | string,
  label: string,
  identity: readonly string[] | undefined,
  context: Context,
): Promise<{ readonly json: string; readonly usedPassphrase: boolean }> {
  const age = await loadAge();
  const { identities, wrappers, name, region } = await readIdentities(identity, context);
  const needsPassphrase = isForPassphrase(file, age);
  const passphrase = needsPassphrase
    ? ((await passphraseFromFile(context)) ?? (await askPassphrase(label, context)))
    : null;
  const ways = [...identities, ...(passphrase === null ? [] : [scryptIdentity(passphrase)])];
  if (ways.length + wrappers.length === 0) {
    fail(
      'key_refused',
      needsPassphrase
        ? 'the key file is sealed with a passphrase, and there is no terminal to ask for it; set TREFOIL_PASSPHRASE_FILE'
        : 'the key file is sealed; name what opens it with --identity FILE or TREFOIL_IDENTITY_FILE',
    );
  }
  const json = await openKeyFile(file, {
    age,
    identities: ways,
    wrappers,
    signal: context.signal,
    ...(name === undefined ? {} : { name }),
    ...(region === undefined ? {} : { region }),
  });
  return { json, usedPassphrase: needsPassphrase };
}
