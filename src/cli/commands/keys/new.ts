/// <reference types="node" />
/** `trefoil keys new`: makes a key file. */

import type { Command } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import type { Output } from '../../../files/outputs/output-file.ts';
import { keyset } from '../../../keys.ts';
import { secretAccess } from '../../../reveal.ts';
import { type Context, fileOption, need } from '../../options.ts';
import { DASH, openFileOrStdout } from '../../outputs.ts';
import { EXIT_HELP } from '../../voice.ts';

const HELP = `
The file holds one random root key. It is the secret of everything that is protected with it: keep it where
secrets are kept, and a copy where it cannot be lost. An existing file is never overwritten.

Example:
  trefoil keys new --out keys.json`;

export function addKeysNew(parent: Command, context: Context): void {
  parent
    .command('new')
    .summary('make a key file')
    .description('Makes a key file that its owner alone can read.')
    .addOption(fileOption('--out', 'file to make (required)'))
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (options: { out?: string }) => {
      const out = need(options.out, '--out');
      const made = keyset.generate();
      const file = await openKeyFile(out);
      try {
        await file.write(new TextEncoder().encode(made.export(secretAccess)));
        context.signal.throwIfAborted();
        await file.finish();
      } catch (error) {
        await file.discard();
        throw error;
      }
      context.voice.note(`wrote ${out === DASH ? 'to standard output' : out} with root key ${made.primary}`);
      context.voice.note(
        'the file is the secret: whoever reads it can reveal everything, and without it nothing can be',
      );
    });
}

/** The library's message for an existing output says "remove it", which is the last thing to do with a key file. */
async function openKeyFile(path: string): Promise<Output> {
  try {
    return await openFileOrStdout(path, { force: false, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'output_exists') throw error;
    fail('output_exists', 'the file exists, and keys are never overwritten; choose another name', { file: path });
  }
}
