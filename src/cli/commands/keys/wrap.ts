/// <reference types="node" />
/** `trefoil keys wrap`: seals a key file, so that only the named recipients, keys of a KMS or a passphrase open it. */

import type { Command } from 'commander';
import { loadAge } from '../../custody/age-package.ts';
import { toOption } from '../../custody/changing.ts';
import { writeKeyFile } from '../../custody/new-file.ts';
import { askNewPassphrase, checkNewPassphrase, passphraseFromFile } from '../../custody/passphrase.ts';
import { regionOfProcess } from '../../custody/region.ts';
import { scryptRecipient } from '../../custody/scrypt.ts';
import { sealed, type Ways, waysOf, waysText } from '../../custody/sealing.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, readKeyFile } from '../../key-source.ts';
import { type Context, checkFileName, fileOption, need } from '../../options.ts';
import { DASH } from '../../outputs.ts';
import { helpText } from '../../voice.ts';

const HELP = `
FILE is a key file, plain or sealed. The new file is an age file: every
recipient and every key of a KMS that --to names can open it alone. It says who
may open the keys from now on; the keys stay the same, and old copies of the
file still open in the old ways.

--to takes a recipient (age1…), a file with recipients, or a key of a KMS with
the name that you give the keyset:
  vault-transit:MOUNT/KEY#NAME   HashiCorp Vault, at VAULT_ADDR with VAULT_TOKEN
  aws-kms:ARN#NAME               AWS KMS, with @aws-sdk/client-kms
A passphrase comes from the terminal or from the file that
TREFOIL_PASSPHRASE_FILE names, and is the only way into its file.

Examples:
  trefoil keys wrap keys.json --to recipients.txt --out keys.age
  trefoil keys wrap keys.json --to vault-transit:transit/trefoil#production --to recipients.txt --out keys.age
  trefoil keys wrap keys.json --passphrase --out keys.age`;

interface WrapOptions {
  readonly to?: readonly string[];
  readonly passphrase?: true;
  readonly identity?: readonly string[];
  readonly armour?: true;
  readonly allowMultiRegion?: true;
  readonly out?: string;
}

export function addKeysWrap(parent: Command, context: Context): void {
  parent
    .command('wrap')
    .summary('seal a key file')
    .description('Seals a key file. The new file is an age file that only its owner can read.')
    .argument('<FILE>', 'key file to seal; -: standard input')
    .addOption(toOption('who can open the file'))
    .option('--passphrase', 'seal the file with a passphrase')
    .addOption(identityOption())
    .option('--armour', 'write ASCII text, which fits into TREFOIL_KEYS')
    .option('--allow-multi-region', 'seal keys for one region with a key of AWS that exists in several')
    .addOption(fileOption('--out', 'file to make (required)'))
    .addHelpText('after', helpText(HELP))
    .action((file: string, options: WrapOptions) => wrap(file, options, context));
}

async function wrap(file: string, options: WrapOptions, context: Context): Promise<void> {
  const { to = [], passphrase = false, armour = false } = options;
  const out = need(options.out, '--out');
  if (passphrase && to.length > 0) {
    throw new UsageError('--passphrase and --to cannot be combined', 'a passphrase is the only way into its file');
  }
  if (!passphrase && to.length === 0) throw new UsageError('--to or --passphrase is required');
  await loadAge();
  // Mistakes in the recipients are reported before anybody is asked for a passphrase.
  const ways = passphrase ? null : await waysOf(to);
  const source = await readKeyFile(checkFileName('FILE', file), options, context);
  const seals = ways ?? (await newPassphrase(source.usedPassphrase, context));
  const content = await sealed(
    source.json,
    seals,
    { armour, allowMultiRegion: options.allowMultiRegion === true },
    context,
  );
  await writeKeyFile(out, content, context);
  const { voice } = context;
  const by = passphrase ? 'a passphrase' : waysText(seals);
  voice.note(`wrote ${out === DASH ? 'to standard output' : out}, sealed with ${by}`);
  if (seals.recipients.length === 0) voice.hint('without the KMS nobody can open it; seal it to a recipient, too');
  voice.hint('try to open the new file with trefoil keys inspect before you remove the old one');
}

/** A new passphrase: from the file of the environment, unless that one has opened the old file. */
async function newPassphrase(usedPassphrase: boolean, context: Context): Promise<Ways> {
  const fromFile = usedPassphrase ? null : await passphraseFromFile(context);
  const passphrase = checkNewPassphrase(fromFile ?? (await askNewPassphrase(context)));
  return { recipients: [scryptRecipient(passphrase)], wrappers: [], name: undefined, region: regionOfProcess() };
}
