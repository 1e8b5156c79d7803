/// <reference types="node" />
/** `trefoil keys combine`: joins shares to the identity that was split. */

import type { Command } from 'commander';
import { combineShares } from '../../../custody.ts';
import { fail, TrefoilError } from '../../../errors.ts';
import { type Context, checkFileName, fileOption, need } from '../../options.ts';
import { DASH, openFileOrStdout, refuseTwoDashes } from '../../outputs.ts';
import { loadPackages } from '../../shares/packages.ts';
import { ceremonyOption, namingFiles, readCeremonyFile, readShareFile } from '../../shares/share-files.ts';
import { askForShares } from '../../shares/typed-shares.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Without files, the holders type their shares on the terminal, one after another.
What is typed is not shown, and a line that is mistyped is asked for again.

The identity opens every file that was encrypted to the recipient of the
ceremony. Use it, and remove the file. It is never overwritten, and the command
age reads it with -i.

The exit code is 4 if there are too few shares. It is 7 if a share is mistyped,
is of another ceremony, or is wrong; with --ceremony its number is named.

Examples:
  trefoil keys combine share-1.txt share-3.txt share-5.txt --ceremony ceremony.json --out-identity identity.txt
  trefoil keys combine --out-identity identity.txt`;

interface CombineFiles {
  readonly ceremony?: string;
  readonly outIdentity?: string;
}

export function addKeysCombine(parent: Command, context: Context): void {
  parent
    .command('combine')
    .summary('join shares to the identity that was split')
    .description('Joins shares to the identity that was split, and writes it for trefoil and for the command age.')
    .argument('[SHARE...]', 'files of shares (default: typed on the terminal)')
    .addOption(ceremonyOption('record of the ceremony, which tells which share is wrong'))
    .addOption(fileOption('--out-identity', 'file to make (required)'))
    .addHelpText('after', helpText(HELP))
    .action((files: readonly string[], options: CombineFiles) => combine(files, options, context));
}

async function combine(files: readonly string[], options: CombineFiles, context: Context): Promise<void> {
  const out = need(options.outIdentity, '--out-identity');
  for (const file of files) checkFileName('SHARE', file);
  // Without files, the terminal is standard input.
  const inputs = files.length === 0 ? [DASH] : files;
  refuseTwoDashes('input', [...inputs.map((file) => ['SHARE', file] as const), ['--ceremony', options.ceremony]]);
  const packages = await loadPackages();
  const ceremony = options.ceremony === undefined ? undefined : await readCeremonyFile(options.ceremony);
  // The output is opened before anybody types, so that an existing file ends the run at once.
  const file = await openIdentityFile(out);
  try {
    const texts = files.length === 0 ? await askForShares(context) : await readShares(files, context);
    const all = { ...packages, ...(ceremony !== undefined && { ceremony }) };
    const identity = await namingFiles(files, options.ceremony, () => combineShares(texts, all));
    const recipient = await packages.age.identityToRecipient(identity);
    context.signal.throwIfAborted();
    await file.write(new TextEncoder().encode(`# public key: ${recipient}\n${identity}\n`));
    await file.finish();
    context.voice.note(
      `wrote the identity ${out === DASH ? 'to standard output' : `to ${out}`}; it opens ${recipient}`,
    );
    context.voice.note('remove the identity when you have used it: anyone who has it needs no shares');
  } catch (error) {
    await file.discard();
    throw error;
  }
}

async function readShares(files: readonly string[], { voice }: Context): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const file of files) texts.push(await readShareFile(file, voice));
  return texts;
}

/** Opens the output. The library's message for an existing file advises to remove it, and an identity is not ours. */
async function openIdentityFile(path: string) {
  try {
    return await openFileOrStdout(path, { force: false, mode: 0o600 });
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== 'output_exists') throw error;
    return fail('output_exists', 'the file exists, and identities are never overwritten; choose another name', {
      file: path,
    });
  }
}
