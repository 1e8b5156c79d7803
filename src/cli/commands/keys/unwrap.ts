/// <reference types="node" />
/** `trefoil keys unwrap`: opens a sealed key file and writes the keyset as plain JSON. */

import type { Command } from 'commander';
import { fail } from '../../../errors.ts';
import { writeKeyFile } from '../../custody/new-file.ts';
import { identityOption, type KeyOptions, readKeyFile } from '../../key-source.ts';
import { type Context, checkFileName, fileOption, need } from '../../options.ts';
import { DASH } from '../../outputs.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Commands open a sealed key file by themselves, so you need this one only to
change a key file by hand or to leave the sealing. The new file is readable for
its owner alone.

Examples:
  trefoil keys unwrap keys.age --identity identity.txt --out keys.json
  trefoil keys unwrap keys.age --out keys.json`;

export function addKeysUnwrap(parent: Command, context: Context): void {
  parent
    .command('unwrap')
    .summary('open a sealed key file and write it as JSON')
    .description('Opens a sealed key file and writes the keyset as JSON, into a file that only its owner can read.')
    .argument('<FILE>', 'sealed key file; -: standard input')
    .addOption(identityOption())
    .addOption(fileOption('--out', 'file to make (required)'))
    .addHelpText('after', helpText(HELP))
    .action(async (file: string, options: KeyOptions & { readonly out?: string }) => {
      const out = need(options.out, '--out');
      const { json, isSealed } = await readKeyFile(checkFileName('FILE', file), options, context);
      if (!isSealed) fail('key_not_sealed', 'the key file is not sealed, so there is nothing to open', { file });
      await writeKeyFile(out, json, context);
      context.voice.note(`wrote ${out === DASH ? 'to standard output' : out}: anyone who can read it has the keys`);
    });
}
