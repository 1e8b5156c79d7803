/** `trefoil reveal`: the way back, for the rules that have one. The other fields stay as they are. */

import type { Command } from 'commander';
import type { Context } from '../options.ts';
import { addRun } from '../run/run.ts';

const HELP = `
What was sealed or enciphered (rules seal and fpe) is turned back; tokens and coarsened values stay. To reveal fpe
fields the policy must pin the key check.

Example:
  trefoil reveal people.safe.csv --policy p.yaml --keys keys.json --out people.back.csv`;

export function addReveal(parent: Command, context: Context): void {
  const command = parent
    .command('reveal')
    .summary('turn a file back')
    .description('Turns sealed and enciphered fields back.');
  addRun(command, 'reveal', HELP, context);
}
