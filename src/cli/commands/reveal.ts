/** `trefoil reveal`: reveals the fields of protected records whose rule can be reversed, and keeps the others. */

import type { Command } from 'commander';
import type { Context } from '../options.ts';
import { addRun } from '../run/run.ts';

const HELP = `
Fields of the rules seal, fpe and vault are revealed; those of all other rules
stay as they are. Fields of the rule fpe do not show their key, and the policy
must pin it. Their record shows it if it has labelled tokens or sealed values;
if it has none and the key file has several keys, name the key with --from.

Examples:
  trefoil reveal people.safe.csv --policy p.yaml --keys keys.json --out people.back.csv
  trefoil reveal cards.safe.csv --policy p.yaml --keys keys.json --from s0nr0 --out cards.back.csv`;

export function addReveal(parent: Command, context: Context): void {
  const command = parent
    .command('reveal')
    .summary('reveal files that were protected')
    .description('Reveals the fields of protected records whose rule can be reversed.');
  addRun(command, 'reveal', HELP, context);
}
