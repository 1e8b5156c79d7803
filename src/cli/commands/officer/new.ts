/// <reference types="node" />
/** `trefoil officer new`: makes a key that signs notes, or one that cosigns checkpoints. */

import type { Command, Option } from 'commander';
import { visible } from '../../../core/visible.ts';
import { TrefoilError } from '../../../errors.ts';
import { newNoteKey } from '../../../log.ts';
import { isKeyName } from '../../../note/key-name.ts';
import { LONGEST_NAME, verifierOfPrivateKey } from '../../../note/signer.ts';
import { writeKeyFile } from '../../custody/new-file.ts';
import { readNoteKeyFile } from '../../custody/note-key.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, need, option } from '../../options.ts';
import { DASH } from '../../outputs.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
The file contains the private key, which Go's sumdb/note can use as well. Its
verifier key, which is public, goes to standard output. An existing file is
never overwritten. With --out - the private key is the output, and the verifier
key is in a message.

A name is like a URL without https://, for example anna.dpo.example. A key has
one use: make another one for a witness.

Examples:
  trefoil officer new --name anna.dpo.example --out anna.key
  trefoil officer new --witness --name witness.example/w1 --out witness.key
  trefoil officer new --verifier-key anna.key`;

interface NewOptions {
  readonly name?: string;
  readonly out?: string;
  readonly witness?: boolean;
  readonly verifierKey?: string;
}

export function addOfficerNew(parent: Command, context: Context): void {
  parent
    .command('new')
    .summary('make a key that signs notes')
    .description('Makes a key that signs notes, and prints its verifier key.')
    .addOption(keyNameOption())
    .addOption(fileOption('--out', 'file to make (required)'))
    .option('--witness', 'make a key that cosigns checkpoints of logs, and signs nothing else')
    .addOption(fileOption('--verifier-key', 'make nothing, and print the verifier key of this file'))
    .addHelpText('after', helpText(HELP))
    .action((options: NewOptions) => (options.verifierKey === undefined ? make : show)(options, context));
}

/** The option `--name`. Names of note keys are not those of domains and scopes. */
function keyNameOption(): Option {
  return option('--name', 'NAME', 'name of the key, in each of its signatures (required)', (value) => {
    if (isKeyName(value) && value.length <= LONGEST_NAME) {
      if (visible(value) === value) return value;
      throw new UsageError('--name has a character that cannot be seen, or that reorders a line', 'type the name anew');
    }
    throw new UsageError(
      `--name expected 1 to ${LONGEST_NAME} characters without white space, plus and control characters`,
      'name the key like a URL without https://, such as anna.dpo.example',
    );
  });
}

async function make({ name, out: path, witness = false }: NewOptions, context: Context): Promise<void> {
  if (name === undefined) throw new UsageError('--name NAME is required');
  const out = need(path, '--out');
  const { privateKey, verifierKey } = newNoteKey(name, { algorithm: witness ? 'cosignature/v1' : 'ed25519' });
  await writeKeyFile(out, `${privateKey}\n`, context);
  if (out === DASH) context.voice.note(`wrote to standard output; the verifier key is ${verifierKey}`);
  else {
    await writeOut(`${verifierKey}\n`).catch((error: unknown) => {
      context.voice.note(`wrote ${out}; its verifier key was not written, and --verifier-key ${out} prints it`);
      throw error;
    });
    context.voice.note(`wrote ${out}; the line on standard output is its verifier key, which is public`);
  }
  context.voice.note('keep the file secret: anyone who has it can sign in this name');
}

async function show({ name, out, witness, verifierKey }: NewOptions, { voice }: Context): Promise<void> {
  if (name !== undefined || out !== undefined || witness !== undefined) {
    throw new UsageError('--verifier-key makes no key, so it cannot be with --name, --out or --witness');
  }
  const file = need(verifierKey, '--verifier-key');
  const text = await readNoteKeyFile(file, voice);
  await writeOut(`${verifierOf(text, file)}\n`);
}

function verifierOf(privateKey: string, file: string): string {
  try {
    return verifierOfPrivateKey(privateKey).text;
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(error.issues.map((issue) => ({ ...issue, file })));
  }
}
