/** `trefoil project`: moves files of protected records into the domain of a recipient. */

import type { Command } from 'commander';
import type { Context } from '../options.ts';
import { addRun } from '../run/run.ts';

const HELP = `
Tokens become those of the recipient. Fields of the rules seal, fpe, vault and
shiftDate are refused unless the policy of the recipient drops or coarsens them.
Tokens without a label do not show their key: name it with --from. Then the note
OUT.trefoil-rekeyed says that OUT has moved. The recipient does not need it.

Example:
  trefoil project people.safe.csv --policy p.yaml --keys keys.json \\
    --to partner-b --as b.policy.yaml --out people.b.csv`;

export function addProject(parent: Command, context: Context): void {
  const command = parent
    .command('project')
    .summary('make the copy of protected files that a recipient may have')
    .description('Moves protected records into the domain of a recipient, without going back to the originals.');
  addRun(command, 'project', HELP, context);
}
