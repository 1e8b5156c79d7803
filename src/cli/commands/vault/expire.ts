/** `trefoil vault expire`: removes the rows that have expired. */

import type { Command } from 'commander';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { addVaultOptions, onePerStore, openVaults, untilAborted, type VaultOptions } from '../../stores/vaults.ts';
import { helpText } from '../../voice.ts';

export function addVaultExpire(parent: Command, context: Context): void {
  const command = parent
    .command('expire')
    .summary('remove the rows that have expired')
    .description('Removes the rows that have expired. Writes one JSON object per store.');
  addVaultOptions(command)
    .addHelpText('after', helpText())
    .action((options: VaultOptions) => expire(options, context));
}

async function expire(options: VaultOptions, context: Context): Promise<void> {
  const vaults = onePerStore(await openVaults(options, context));
  const all = Promise.all(
    vaults.map(async ({ rule, vault }) => ({ store: rule.store, removed: await vault.expire() })),
  );
  for (const one of await untilAborted(context.signal, all)) await writeJsonLine(one);
}
