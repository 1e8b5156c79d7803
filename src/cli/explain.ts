/** `trefoil explain`: the record of processing for a policy, as Markdown. */

import type { Command } from 'commander';
import { explain } from '../policy.ts';
import { type Context, fileOption, need } from './options.ts';
import { openFileOrStdout } from './outputs.ts';
import { loadPolicy } from './policy-file.ts';
import { EXIT_HELP } from './voice.ts';

const HELP = `
Per field: what happens to it, what it joins with, whether it can be turned back and with what. No keys are needed.

Example:
  trefoil explain --policy people.policy.yaml --out people.policy.md`;

export function addExplain(parent: Command, context: Context): void {
  parent
    .command('explain')
    .summary('write what a policy does, as Markdown')
    .description('Writes the record of what a policy does with each field, as Markdown.')
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .option('--force', 'replace an existing file')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (options: { policy?: string; out?: string; force?: boolean }) => {
      const policyFile = need(options.policy, '--policy');
      const { policy } = await loadPolicy(policyFile);
      const text = explain(policy);
      const markdown = text.endsWith('\n') ? text : `${text}\n`;
      const file = await openFileOrStdout(options.out, { force: options.force === true, inputs: [policyFile] });
      try {
        await file.write(new TextEncoder().encode(markdown));
        context.signal.throwIfAborted();
        await file.finish();
      } catch (error) {
        await file.discard();
        throw error;
      }
    });
}
