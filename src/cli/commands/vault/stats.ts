/** `trefoil vault stats`: shows the size of each store of a policy, and the ids of its keys. */

import type { Command } from 'commander';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { addVaultOptions, onePerStore, openVaults, untilAborted, type VaultOptions } from '../../stores/vaults.ts';
import { helpText } from '../../voice.ts';

export function addVaultStats(parent: Command, context: Context): void {
  const command = parent
    .command('stats')
    .summary('show the size and the key ids of each store')
    .description('Shows the size of each table and the ids of the keys. Writes one JSON object per store.');
  addVaultOptions(command)
    .addHelpText('after', helpText())
    .action((options: VaultOptions) => stats(options, context));
}

async function stats(options: VaultOptions, context: Context): Promise<void> {
  const vaults = onePerStore(await openVaults(options, context));
  const all = Promise.all(vaults.map(({ vault }) => vault.stats()));
  for (const one of await untilAborted(context.signal, all)) await writeJsonLine(one);
}
