/** `trefoil vault stats`: the sizes of the stores of a policy, and the keys that their rows are under. */

import type { Command } from 'commander';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { addVaultOptions, onePerStore, openVaults, untilAborted, type VaultOptions } from '../../stores/vaults.ts';
import { EXIT_HELP } from '../../voice.ts';

export function addVaultStats(parent: Command, context: Context): void {
  const command = parent
    .command('stats')
    .summary('count the rows of each store, by table and key')
    .description('Counts the rows of each store, by table and by key. Writes one JSON object per store.');
  addVaultOptions(command)
    .addHelpText('after', EXIT_HELP)
    .action((options: VaultOptions) => stats(options, context));
}

async function stats(options: VaultOptions, context: Context): Promise<void> {
  const vaults = onePerStore(await openVaults(options, context));
  const all = Promise.all(vaults.map(({ vault }) => vault.stats()));
  for (const one of await untilAborted(context.signal, all)) await writeJsonLine(one);
}
