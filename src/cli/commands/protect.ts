/** `trefoil protect`: pseudonymises files of records under a policy. */

import type { Command } from 'commander';
import type { Context } from '../options.ts';
import { addRun } from '../run/run.ts';

const HELP = `
Examples:
  trefoil protect people.csv --policy p.yaml --keys keys.json --out people.safe.csv
  trefoil protect people.csv --policy p.yaml --keys keys.json --dry-run
  zcat log.ndjson.gz | trefoil protect --format ndjson --policy p.yaml --keys keys.json | gzip > log.safe.ndjson.gz`;

export function addProtect(parent: Command, context: Context): void {
  const command = parent
    .command('protect')
    .summary('pseudonymise files of records')
    .description('Pseudonymises records under a policy.');
  addRun(command, 'protect', HELP, context);
}
