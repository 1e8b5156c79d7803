/// <reference types="node" />
/** `trefoil keys check-share`: tests one share against the record of its ceremony. */

import type { Command } from 'commander';
import { checkShare } from '../../../custody.ts';
import { type Context, checkFileName, need } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { ceremonyOption, namingFiles, readCeremonyFile, readShareFile } from '../../shares/share-files.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
A holder can test their share alone, every year, without meeting the others. It
is then the share that was handed out. Only a drill with the other holders
proves that the shares join to the identity.

The exit code is 7 if the share is mistyped, was changed, or is of another
ceremony.

Example:
  trefoil keys check-share share-2.txt --ceremony ceremony.json`;

export function addKeysCheckShare(parent: Command, context: Context): void {
  parent
    .command('check-share')
    .summary('test one share against the record of its ceremony')
    .description('Tests one share of an identity against the record of its ceremony.')
    .argument('FILE', 'file of the share')
    .addOption(ceremonyOption('record of the ceremony (required)'))
    .addHelpText('after', helpText(HELP))
    .action(async (file: string, options: { ceremony?: string }) => {
      checkFileName('FILE', file);
      const record = need(options.ceremony, '--ceremony');
      refuseTwoDashes('input', [
        ['FILE', file],
        ['--ceremony', record],
      ]);
      const ceremony = await readCeremonyFile(record);
      const text = await readShareFile(file);
      const share = await namingFiles([file], record, () => checkShare(text, ceremony));
      const { number, shares, threshold, recipient } = share;
      await writeOut(
        `share ${number} of ${shares}, ${threshold} needed, ceremony ${share.ceremony}\nopens ${recipient}\n`,
      );
      context.voice.note('this is the share that was handed out; only a drill proves that the shares join');
    });
}
