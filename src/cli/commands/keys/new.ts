/// <reference types="node" />
/** `trefoil keys new`: makes a key file. */

import type { Command } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import type { Output } from '../../../files/outputs/output-file.ts';
import { keyset } from '../../../keys.ts';
import { secretAccess } from '../../../reveal.ts';
import { type Context, fileOption, need } from '../../options.ts';
import { DASH, openFileOrStdout } from '../../outputs.ts';
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
        'keep the file secret and keep a copy: anyone who has it can reveal everything, and without it nobody can',
      );
    });
}

/** Opens the output. The library's message for an existing file advises to remove it, which is wrong for a key file. */
async function openKeyFile(path: string): Promise<Output> {
  try {
    return await openFileOrStdout(path, { force: false, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'output_exists') throw error;
    fail('output_exists', 'the file exists, and key files are never overwritten; choose another name', { file: path });
  }
}
