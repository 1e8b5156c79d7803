/** `trefoil explain`: describes what a policy does to each field, as Markdown. */

import type { Command } from 'commander';
import { explain, type FilePolicy } from '../../policy.ts';
import { type Context, fileOption, filesOption, need } from '../options.ts';
import { openFileOrStdout, refuseTwoDashes } from '../outputs.ts';
import { loadPolicy } from '../policy-file.ts';
import { helpText } from '../voice.ts';

const HELP = `
For each field it says what happens to it, which fields it joins with, whether
it can be revealed, and with what. No keys are needed. For several policies it
also says which of their fields join, which only seem to, and why.

Examples:
  trefoil explain --policy people.policy.yaml --out people.policy.md
  trefoil explain --policy people.policy.yaml --policy orders.policy.yaml`;

export function addExplain(parent: Command, context: Context): void {
  parent
    .command('explain')
    .summary('describe what a policy does, as Markdown')
    .description('Describes what a policy does to each field, as Markdown.')
    .addOption(filesOption('--policy', 'policy file, YAML or JSON (required); repeat it to explain policies together'))
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .option('--force', 'replace an existing file')
    .addHelpText('after', helpText(HELP))
    .action(async (options: { policy?: readonly string[]; out?: string; force?: boolean }) => {
      const files = need(options.policy, '--policy');
      refuseTwoDashes(
        'input',
        files.map((file) => ['--policy', file] as const),
      );
      const policies: FilePolicy[] = [];
      for (const file of files) policies.push((await loadPolicy(file)).policy);
      const text = policies.length === 1 ? explain(policies[0]!) : explain(policies, { names: files });
      const markdown = text.endsWith('\n') ? text : `${text}\n`;
      const file = await openFileOrStdout(options.out, { force: options.force === true, inputs: files });
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
