/// <reference types="node" />
/** `trefoil keys new`: makes a key file. */

import type { Command } from 'commander';
import { keyset } from '../../../keys.ts';
import { secretAccess } from '../../../reveal.ts';
import { writeKeyFile } from '../../custody/new-file.ts';
import { type Context, fileOption, nameOption, need } from '../../options.ts';
import { DASH } from '../../outputs.ts';
import { helpText } from '../../voice.ts';

const HELP = `
The file contains one random root key, the secret of everything that is
protected with it. Keep it where you keep secrets, and keep a copy where it
cannot be lost. An existing file is never overwritten.

With --renewable it contains two: a base, and the first key over it. Then the
tokens of the first key, too, can be replaced later so that nobody can link
them with the new ones.

Examples:
  trefoil keys new --out keys.json
  trefoil keys new --renewable --region eu --out keys.json`;

interface NewOptions {
  readonly renewable?: boolean;
  readonly region?: string;
  readonly out?: string;
}

export function addKeysNew(parent: Command, context: Context): void {
  parent
    .command('new')
    .summary('make a key file')
    .description('Makes a key file that only its owner can read.')
    .option('--renewable', 'make two root keys: a base that is never primary, and the first key over it')
    .addOption(nameOption('--region', 'region of the keys: they open only where TREFOIL_REGION names it'))
    .addOption(fileOption('--out', 'file to make (required)'))
    .addHelpText('after', helpText(HELP))
    .action((options: NewOptions) => make(options, context));
}

async function make({ renewable = false, region, out: option }: NewOptions, context: Context): Promise<void> {
  const out = need(option, '--out');
  const made = keyset.generate({ renewable, ...(region === undefined ? {} : { region }) });
  await writeKeyFile(out, made.export(secretAccess), context);
  const base = renewable ? ` and its base ${made.ids[1]}` : '';
  context.voice.note(`wrote ${out === DASH ? 'to standard output' : out} with root key ${made.primary}${base}`);
  context.voice.note(
    'keep the file secret and keep a copy: anyone who has it can reveal everything, and without it nobody can',
  );
  if (region !== undefined) {
    context.voice.note(`the keys open only in processes whose variable TREFOIL_REGION is ${region}`);
  }
}
