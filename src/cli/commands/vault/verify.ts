/** `trefoil vault verify`: opens every row of the stores of a policy, and compares their tables with each other. */

import type { Command } from 'commander';
import { EXIT } from '../../exit.ts';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { addVaultOptions, onePerStore, openVaults, untilAborted, type VaultOptions } from '../../stores/vaults.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
The exit code is 7 if a row does not verify.`;

export function addVaultVerify(parent: Command, context: Context): void {
  const command = parent
    .command('verify')
    .summary('open every row, and compare the tables with each other')
    .description('Opens every row, and compares the tables with each other. Writes one JSON object per store.');
  addVaultOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((options: VaultOptions) => verify(options, context));
}

async function verify(options: VaultOptions, context: Context): Promise<void> {
  const vaults = onePerStore(await openVaults(options, context));
  const reports = await untilAborted(
    context.signal,
    Promise.all(vaults.map(async ({ rule, vault }) => ({ store: rule.store, ...(await vault.verify()) }))),
  );
  const broken = reports.reduce((sum, report) => sum + report.broken, 0);
  if (broken > 0) {
    context.voice.warning(`${plural(broken, 'row')} ${wordFor(broken, 'does', 'do')} not verify`);
    context.exit(EXIT.unverified);
  }
  for (const report of reports) await writeJsonLine(report);
}
