/** `trefoil vault rekey`: moves the rows of the stores of a policy to the primary key. */

import type { Command } from 'commander';
import { EXIT } from '../../exit.ts';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { addVaultOptions, onePerStore, openVaults, untilAborted, type VaultOptions } from '../../stores/vaults.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Other processes may use the stores meanwhile. The exit code is 9 if rows are
left under an older key.`;

export function addVaultRekey(parent: Command, context: Context): void {
  const command = parent
    .command('rekey')
    .summary('move all rows to the outer layer of the primary key')
    .description('Moves all rows to the outer layer of the primary key. Writes one JSON object per store.');
  addVaultOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((options: VaultOptions) => rekey(options, context));
}

async function rekey(options: VaultOptions, context: Context): Promise<void> {
  const vaults = onePerStore(await openVaults(options, context));
  const reports = await untilAborted(
    context.signal,
    Promise.all(vaults.map(async ({ rule, vault }) => ({ store: rule.store, ...(await vault.rekey()) }))),
  );
  if (reports.some(({ left }) => left > 0)) context.exit(EXIT.partial);
  for (const report of reports) await writeJsonLine(report);
}
