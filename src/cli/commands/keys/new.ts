/// <reference types="node" />
/** `trefoil keys new`: makes a key file. */

import type { Command } from 'commander';
import { keyset } from '../../../keys.ts';
import { secretAccess } from '../../../reveal.ts';
import { writeKeyFile } from '../../custody/new-file.ts';
import { type Context, fileOption, need } from '../../options.ts';
import { DASH } from '../../outputs.ts';
import { helpText } from '../../voice.ts';

const HELP = `
The file contains one random root key, the secret of everything that is
protected with it. Keep it where you keep secrets, and keep a copy where it
cannot be lost. An existing file is never overwritten.

Example:
  trefoil keys new --out keys.json`;

export function addKeysNew(parent: Command, context: Context): void {
  parent
    .command('new')
    .summary('make a key file')
    .description('Makes a key file that only its owner can read.')
    .addOption(fileOption('--out', 'file to make (required)'))
    .addHelpText('after', helpText(HELP))
    .action(async (options: { out?: string }) => {
      const out = need(options.out, '--out');
      const made = keyset.generate();
      await writeKeyFile(out, made.export(secretAccess), context);
      context.voice.note(`wrote ${out === DASH ? 'to standard output' : out} with root key ${made.primary}`);
      context.voice.note(
        'keep the file secret and keep a copy: anyone who has it can reveal everything, and without it nobody can',
      );
    });
}
