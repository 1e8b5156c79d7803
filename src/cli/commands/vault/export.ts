/// <reference types="node" />
/** `trefoil vault export`: writes the rows of a store to a file, sealed as they are. */

import type { Command } from 'commander';
import { EXIT } from '../../exit.ts';
import { identityOption, keysOption, needKeys } from '../../key-source.ts';
import { type Context, fileOption, need } from '../../options.ts';
import { DASH, openFileOrStdout, refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy, policyOption } from '../../policy-file.ts';
import { refuseOwnInput } from '../../stdout.ts';
import { openStores } from '../../stores/open.ts';
import { placesOf, ruleOfStore, storeFiles, storeOption, vaultOption } from '../../stores/places.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
An export is a backup, or the way to move a store: trefoil vault import reads it
into a store of any kind. Other processes may use the store meanwhile. The file
is sealed like the store, but anyone who has the keys can read it; --out makes a
file that only its owner can read. Rows that do not verify are left out, and the
exit code is then 9.

Examples:
  trefoil vault export --policy p.yaml --keys keys.json --vault people.db --out people.vault.ndjson
  trefoil vault export --policy p.yaml --keys keys.json --vault people.db | zstd > people.vault.ndjson.zst`;

interface ExportOptions {
  readonly policy?: string;
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly vault?: readonly string[];
  readonly store?: string;
  readonly out?: string;
  readonly force?: boolean;
}

/** Whether a line of an export is a row. Other lines name the store or end a part. */
const isRow = (line: string): boolean => line.startsWith('{"table":');

/** Characters that are collected before they are written. */
const CHUNK = 1 << 18;

export function addVaultExport(parent: Command, context: Context): void {
  parent
    .command('export')
    .summary('write all rows of a store, sealed as they are')
    .description('Writes all rows of a store, sealed as they are. Writes one JSON object per line.')
    .addOption(policyOption())
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(vaultOption())
    .addOption(storeOption())
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .option('--force', 'replace an existing file')
    .addHelpText('after', helpText(HELP))
    .action((options: ExportOptions) => exportTo(options, context));
}

async function exportTo(options: ExportOptions, context: Context): Promise<void> {
  const { signal, voice, exit } = context;
  const { out, force = false, vault = [] } = options;
  const path = need(options.policy, '--policy');
  refuseTwoDashes('input', [
    ['--policy', path],
    ['--keys', options.keys],
  ]);
  const { policy } = await loadPolicy(path);
  const rule = ruleOfStore(policy, options.store);
  const source = await needKeys(options, context);
  const inputs = [path, ...source.files, ...storeFiles(placesOf([rule.store], vault).values())];
  if (out === undefined || out === DASH) refuseOwnInput(inputs);
  const stores = await openStores([rule.store], vault, { create: false });
  try {
    const opened = await rule.open(source.keyset.domain(policy.domain!), stores);
    const output = await openFileOrStdout(out, { force, inputs, mode: 0o600 });
    const encoder = new TextEncoder();
    let broken = 0;
    let rows = 0;
    try {
      let text = '';
      const onBroken = () => {
        broken++;
      };
      for await (const line of opened.export({ onBroken })) {
        signal.throwIfAborted();
        if (isRow(line)) rows++;
        text += line;
        if (text.length < CHUNK) continue;
        await output.write(encoder.encode(text));
        text = '';
      }
      await output.write(encoder.encode(text));
      await output.finish();
    } catch (error) {
      await output.discard();
      throw error;
    }
    voice.note(`${plural(rows, 'row')} exported`);
    if (broken > 0) {
      voice.warning(
        `${plural(broken, 'row')} ${wordFor(broken, 'does', 'do')} not verify and ${wordFor(broken, 'was', 'were')} left out`,
      );
      voice.hint('trefoil vault verify lists the problems of the store');
      exit(EXIT.partial);
    }
  } finally {
    for (const store of Object.values(stores)) await store.close();
  }
}
