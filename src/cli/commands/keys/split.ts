/// <reference types="node" />
/** `trefoil keys split`: makes an identity that exists in shares alone. */

import { mkdir, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { splitIdentity } from '../../../custody.ts';
import { fail } from '../../../errors.ts';
import { type Output, openOutput } from '../../../files/outputs/output-file.ts';
import { guard } from '../../../files/system-error.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, integerOption, namesOption, need } from '../../options.ts';
import { DASH } from '../../outputs.ts';
import { loadPackages } from '../../shares/packages.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Makes a new identity of age and splits it. Any --threshold of the --shares join
to it, and fewer tell nothing about it. The identity itself is not written. Its
recipient, which is public, goes to standard output: encrypt files to it.

The folder must be empty or new. It gets a file for each share, which only you
can read, and ceremony.json, which is public. Hand each share to its holder, and
a copy of ceremony.json with it; then remove the shares from this machine.

Example:
  trefoil keys split --shares 5 --threshold 3 --out-dir ceremony --present Ada,Zoe`;

interface SplitCommand {
  readonly shares?: number;
  readonly threshold?: number;
  readonly outDir?: string;
  readonly present?: readonly string[];
}

export function addKeysSplit(parent: Command, context: Context): void {
  parent
    .command('split')
    .summary('make an identity that exists in shares alone')
    .description('Makes an identity of age that exists in shares alone, and prints its recipient.')
    .addOption(integerOption('--shares', 'N', 'how many shares to make, 2 to 16 (required)', 2, 16))
    .addOption(integerOption('--threshold', 'M', 'how many shares join to the identity (required)', 2, 16))
    .addOption(fileOption('--out-dir', 'empty or new folder for the files (required)', 'DIR'))
    .addOption(namesOption('--present', 'who is present, for the record'))
    .addHelpText('after', helpText(HELP))
    .action((options: SplitCommand) => split(options, context));
}

async function split(options: SplitCommand, { signal, voice }: Context): Promise<void> {
  const { shares, threshold, outDir, present = [] } = options;
  if (shares === undefined) throw new UsageError('--shares N is required');
  if (threshold === undefined) throw new UsageError('--threshold M is required');
  if (threshold > shares) throw new UsageError('--threshold cannot be more than --shares');
  const folder = outDir ?? need<string>(undefined, '--out-dir');
  if (folder === DASH) throw new UsageError('--out-dir cannot be standard output');
  if (present.some((name) => name.length > 200) || present.length > 64) {
    throw new UsageError('--present has too many names, or one that is too long');
  }
  const packages = await loadPackages();
  const isNew = await makeFolder(folder);
  try {
    const made = await splitIdentity({ ...packages, shares, threshold, present });
    signal.throwIfAborted();
    await writeAll(
      [
        ...made.shares.map((text, i) => [join(folder, `share-${i + 1}.txt`), text] as const),
        [join(folder, 'ceremony.json'), `${JSON.stringify(made.ceremony, null, 2)}\n`],
      ],
      signal,
    );
    await writeOut(`${made.recipient}\n`);
    voice.note(`wrote ${shares} shares and ceremony.json into ${folder}; any ${threshold} shares join to the identity`);
    voice.note('hand each share to its holder with a copy of ceremony.json, and remove the shares from this machine');
    voice.note('before you rely on it, hold a drill: trefoil keys combine with shares that their holders bring');
  } catch (error) {
    if (isNew) await rmdir(folder).catch(() => {});
    throw error;
  }
}

/**
 * Makes the folder, which only its owner can read. An older ceremony in it would be mixed with the new one.
 *
 * @returns whether the folder is new.
 * @throws TrefoilError `output_exists` if the folder is not empty.
 */
async function makeFolder(folder: string): Promise<boolean> {
  const isNew = (await guard(folder, mkdir(folder, { recursive: true, mode: 0o700 }))) !== undefined;
  if ((await guard(folder, readdir(folder))).length > 0) {
    fail('output_exists', 'the folder is not empty, and a ceremony needs one of its own; choose another name', {
      file: folder,
    });
  }
  return isNew;
}

/** Writes all files, or none: every file is complete on the disk before the first gets its name. */
async function writeAll(files: readonly (readonly [path: string, text: string])[], signal: AbortSignal) {
  const open: Output[] = [];
  const named: string[] = [];
  try {
    for (const [path, text] of files) {
      const file = await openOutput(path, { force: false, mode: 0o600 });
      open.push(file);
      await file.write(new TextEncoder().encode(text));
      await file.close();
    }
    signal.throwIfAborted();
    for (const [i, file] of open.entries()) {
      await file.finish();
      named.push(files[i]![0]);
    }
  } catch (error) {
    for (const file of open.slice(named.length)) await file.discard();
    for (const path of named) await unlink(path).catch(() => {});
    throw error;
  }
}
