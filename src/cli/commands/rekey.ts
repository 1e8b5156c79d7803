/** `trefoil rekey`: moves files of protected records to the primary key. */

import type { Command } from 'commander';
import type { Context } from '../options.ts';
import { addRun } from '../run/run.ts';

const HELP = `
Labelled tokens and sealed values show their key, and those of the primary key
pass. Fields of the rule fpe, and tokens without a label, do not: name their key
with --from, and rekey such a file once. For fpe the policy must pin both keys.
Then the note OUT.trefoil-rekeyed says that OUT has moved: keep it beside OUT.

Examples:
  trefoil rekey people.safe.csv --policy p.yaml --keys keys.json --out people.new.csv
  trefoil rekey cards.safe.csv --policy p.yaml --keys keys.json --from s0nr0 --out cards.new.csv`;

export function addRekey(parent: Command, context: Context): void {
  const command = parent
    .command('rekey')
    .summary('move protected files to the primary key')
    .description('Moves protected records to the primary key, without going back to the originals.');
  addRun(command, 'rekey', HELP, context);
}
