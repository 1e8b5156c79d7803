/// <reference types="node" />
/** `trefoil keys check-share`: tests one share against the record of its ceremony. */

import type { Command } from 'commander';
import { checkShare } from '../../../custody.ts';
import { type Context, checkFileName, need } from '../../options.ts';
import { DASH, refuseTwoDashes } from '../../outputs.ts';
import { ceremonyOption, namingFiles, readCeremonyFile, readShareFile } from '../../shares/share-files.ts';
import { askForOneShare } from '../../shares/typed-shares.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
A holder can test their share alone, every year, without meeting the others. It
is then the share that was handed out. Only a drill with the other holders
proves that the shares join to the identity. Without FILE, the share is typed on
the terminal and not shown.

The exit code is 7 if the share is mistyped, was changed, or is of another
ceremony.

Examples:
  trefoil keys check-share share-2.txt --ceremony ceremony.json
  trefoil keys check-share --ceremony ceremony.json`;

export function addKeysCheckShare(parent: Command, context: Context): void {
  parent
    .command('check-share')
    .summary('test one share against the record of its ceremony')
    .description('Tests one share of an identity against the record of its ceremony.')
    .argument('[FILE]', 'file of the share (default: typed on the terminal)')
    .addOption(ceremonyOption('record of the ceremony (required)'))
    .addHelpText('after', helpText(HELP))
    .action(async (file: string | undefined, options: { ceremony?: string }) => {
      if (file !== undefined) checkFileName('FILE', file);
      const record = need(options.ceremony, '--ceremony');
      refuseTwoDashes('input', [
        ['FILE', file ?? DASH],
        ['--ceremony', record],
      ]);
      const ceremony = await readCeremonyFile(record);
      const text = file === undefined ? await askForOneShare(context) : await readShareFile(file, context.voice);
      const share = await namingFiles(file === undefined ? [] : [file], record, () => checkShare(text, ceremony));
      const { number, shares, threshold, recipient } = share;
      await writeOut(
        `share ${number} of ${shares}, ${threshold} needed, ceremony ${share.ceremony}\nopens ${recipient}\n`,
      );
      context.voice.note('this is the share that was handed out; only a drill proves that the shares join');
    });
}
