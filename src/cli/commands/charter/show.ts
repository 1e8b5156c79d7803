/// <reference types="node" />
/** `trefoil charter show`: what a signed charter says, or a part of it for another tool. */

import type { Command } from 'commander';
import { openCharter } from '../../../govern.ts';
import { inFile, keepersWhoSigned, readCharterFile } from '../../charters/charter-file.ts';
import { allowedSigners } from '../../charters/exports.ts';
import { charterInWords, levelLine, signedLine, titleOf } from '../../charters/words.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, option, wordOption } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { writeOut } from '../../stdout.ts';
import { helpText, printable } from '../../voice.ts';

const HELP = `
The signatures are verified. Without --sha256 that proves only that the keepers
whom the file itself names have signed it, or those of the file of --previous:
anyone can make such files. Compare the digest.

--as log-policy writes the log and its witnesses as a C2SP tlog-policy.
--as allowed-signers writes the SSH keys for ssh-keygen -Y verify -f.

Examples:
  trefoil charter show charter.note --sha256 3f0c…
  trefoil charter show charter-4.note --previous charter-3.note
  trefoil charter show charter.note --as allowed-signers > allowed_signers`;

interface ShowOptions {
  readonly previous?: string;
  readonly sha256?: string;
  readonly as?: 'allowed-signers' | 'log-policy';
}

export function addCharterShow(parent: Command, context: Context): void {
  parent
    .command('show')
    .summary('show what a signed charter says')
    .description('Verifies the signatures of a charter and shows what it says.')
    .argument('<NOTE>', 'charter with its signatures')
    .addOption(fileOption('--previous', 'version before, which this one must follow'))
    .addOption(option('--sha256', 'HEX', 'digest that the text must have', digestOf))
    .addOption(wordOption('--as', 'FORM', 'write a part for another tool', ['allowed-signers', 'log-policy']))
    .addHelpText('after', helpText(HELP))
    .action((path: string, options: ShowOptions) => show(path, options, context));
}

function digestOf(value: string): string {
  const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(value)?.[1];
  if (digest !== undefined) return digest;
  throw new UsageError('--sha256 expected 64 hexadecimal digits in lower case');
}

async function show(
  path: string,
  { previous: previousPath, sha256, as }: ShowOptions,
  context: Context,
): Promise<void> {
  refuseTwoDashes('input', [
    ['NOTE', path],
    ['--previous', previousPath],
  ]);
  const file = await readCharterFile(path);
  const { charter } = file;
  inFile(path, () => openCharter(file.content, { sha256: sha256 ?? charter.sha256 }));
  if (previousPath !== undefined) {
    const { charter: previous } = await readCharterFile(previousPath);
    inFile(path, () => openCharter(file.content, { previous }));
    if (sha256 === undefined) {
      context.voice.note(
        `the version before is taken from ${previousPath} as it is: sha256:${previous.sha256}; compare its digest`,
      );
    }
  } else if (sha256 === undefined) {
    context.voice.note(
      'the charter names its own keepers, so its signatures alone do not say whose it is; compare its digest',
    );
  }
  if (as === 'log-policy') return writeOut(charter.logPolicyText);
  if (as === 'allowed-signers') return writeOut(allowedSigners(charter));
  const lines = [
    titleOf(charter),
    levelLine(charter),
    signedLine(keepersWhoSigned(file, charter), charter),
    ...charterInWords(charter),
  ];
  return writeOut(`${lines.map(printable).join('\n')}\n`);
}
