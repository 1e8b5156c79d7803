/// <reference types="node" />
/** `trefoil warrant refuse`: an officer ends a warrant. */

import type { Command } from 'commander';
import { parseWarrant, signRefusal, writeRefusal } from '../../../govern.ts';
import { inFile } from '../../charters/charter-file.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, need, option } from '../../options.ts';
import { DASH, refuseTwoDashes } from '../../outputs.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';
import { charterOption, charterPinOption, openCharterFile, readNote, writePrivateFiles } from '../../warrants/files.ts';
import { addSignerOptions, type SignerOptions, signerOf } from '../../warrants/signer.ts';

const HELP = `
Who could approve a warrant, and keepers of the charter, may refuse it. The
refusal is a note of its own. It ends the warrant as soon as the log has it, so
send it to the operator of the gateway. What you write after --why is logged for
others to read: 10 to 2,000 characters, and nothing about the people.

Example:
  trefoil warrant refuse w.note --charter c.note --key bela.key --out w.refusal \\
    --why 'The ticket was closed in March.'`;

interface RefuseOptions extends SignerOptions {
  readonly charter?: string;
  readonly charterSha256?: string;
  readonly why?: string;
  readonly out?: string;
}

export function addWarrantRefuse(parent: Command, context: Context): void {
  const command = parent
    .command('refuse')
    .summary('end a warrant')
    .description('Signs a refusal for an officer, which ends a warrant.')
    .argument('<NOTE>', 'file of the warrant')
    .addOption(charterOption())
    .addOption(charterPinOption())
    .addOption(option('--why', 'TEXT', 'why (required)', (value) => value))
    .addOption(fileOption('--out', 'file of the refusal to make (required)'));
  addSignerOptions(command, 'the officer')
    .addHelpText('after', helpText(HELP))
    .action((path: string, options: RefuseOptions) => refuse(path, options, context));
}

async function refuse(path: string, options: RefuseOptions, context: Context): Promise<void> {
  const charterFile = need(options.charter, '--charter');
  const out = need(options.out, '--out');
  if (options.why === undefined) throw new UsageError('--why TEXT is required');
  refuseTwoDashes('input', [
    ['NOTE', path],
    ['--charter', charterFile],
  ]);
  const charter = await openCharterFile(charterFile, options.charterSha256, context.voice);
  const note = await readNote(path);
  const warrant = inFile(path, () => parseWarrant(note));
  const { signer, handle } = await signerOf(options, charter, context.voice);
  const at = Math.floor(Date.now() / 1000);
  const { text } = writeRefusal({ warrant: warrant.sha256, officer: handle, at, why: options.why.normalize('NFC') });
  const content = await signRefusal(text, { charter, warrant, signer });
  if (out === DASH) await writeOut(content);
  else await writePrivateFiles([{ path: out, content, force: false }], context);
  context.voice.note(`signed by ${handle}; the warrant ends when the log has this refusal`);
}
