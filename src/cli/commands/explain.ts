/** `trefoil explain`: describes what a policy does to each field, as Markdown. */

import type { Command } from 'commander';
import { explain, type FilePolicy } from '../../policy.ts';
import { UsageError } from '../exit.ts';
import { identityOption, type KeyOptions, needKeys } from '../key-source.ts';
import { type Context, fileOption, filesOption, need } from '../options.ts';
import { openFileOrStdout, refuseTwoDashes } from '../outputs.ts';
import { loadPolicy } from '../policy-file.ts';
import { helpText } from '../voice.ts';

const HELP = `
For each field it says what happens to it, which fields it joins with, whether
it can be revealed, and with what. For several policies it also says which of
their fields join, which only seem to, and why.

No keys are needed. With --keys it also names the recipients in the key file,
who have other tokens of the same people, and says who can link them. The page
never shows keys.

Examples:
  trefoil explain --policy people.policy.yaml --out people.policy.md
  trefoil explain --policy people.policy.yaml --keys keys.json
  trefoil explain --policy people.policy.yaml --policy orders.policy.yaml`;

interface ExplainFlags extends KeyOptions {
  readonly policy?: readonly string[];
  readonly out?: string;
  readonly force?: boolean;
}

export function addExplain(parent: Command, context: Context): void {
  parent
    .command('explain')
    .summary('describe what a policy does, as Markdown')
    .description('Describes what a policy does to each field, as Markdown.')
    .addOption(filesOption('--policy', 'policy file, YAML or JSON (required); repeat it to explain policies together'))
    .addOption(filesOption('--keys', 'key file whose recipients are named; several are one keyset'))
    .addOption(identityOption())
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .option('--force', 'replace an existing file')
    .addHelpText('after', helpText(HELP))
    .action(async (options: ExplainFlags) => {
      const files = need(options.policy, '--policy');
      const { keys = [] } = options;
      refuseTwoDashes('input', [...files.map((file) => ['--policy', file] as const), ['--keys', keys]]);
      if (keys.length === 0 && options.identity !== undefined) {
        throw new UsageError('--identity is set, but no key file', 'use --keys FILE');
      }
      const policies: FilePolicy[] = [];
      for (const file of files) policies.push((await loadPolicy(file)).policy);
      // The variables of the environment are not asked: a page without recipients needs no keys.
      const more = keys.length === 0 ? {} : { keyset: (await needKeys(options, context)).keyset };
      const text = policies.length === 1 ? explain(policies[0]!, more) : explain(policies, { names: files, ...more });
      const markdown = text.endsWith('\n') ? text : `${text}\n`;
      const file = await openFileOrStdout(options.out, { force: options.force === true, inputs: [...files, ...keys] });
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
