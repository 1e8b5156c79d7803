/// <reference types="node" />
/** `trefoil vault import`: merges an export into a store. */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { TrefoilError } from '../../../errors.ts';
import { openInput } from '../../../files/inputs/input-file.ts';
import type { Stores } from '../../../vault/session.ts';
import type { VaultStore } from '../../../vault/stores/store.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { identityOption, keysOption, needKeys } from '../../key-source.ts';
import { type Context, checkFileName, need } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy, policyOption } from '../../policy-file.ts';
import { writeJsonLine } from '../../stdout.ts';
import { openStores } from '../../stores/open.ts';
import { isServer, placesOf, ruleOfStore, storeOption, vaultOption } from '../../stores/places.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
The store may be new or already in use. An import never undoes an erasure:
whatever either side has erased stays erased, and a warning counts the rows of
the store that the import erases. If both sides have different rows in the same
place, the store keeps its own, and the exit code is 9. If the file was cut or
changed, the exit code is 7, and the message says what was written before. You
can run an import again at any time.

Examples:
  trefoil vault import people.vault.ndjson --policy p.yaml --keys keys.json --vault postgres://db.example/people
  zstd -dc people.vault.ndjson.zst | trefoil vault import --policy p.yaml --keys keys.json --vault people.db`;

interface ImportOptions {
  readonly policy?: string;
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly vault?: readonly string[];
  readonly store?: string;
}

export function addVaultImport(parent: Command, context: Context): void {
  parent
    .command('import')
    .summary('merge an export into a store')
    .description('Merges an export of trefoil vault export into a store. Writes its counts as one JSON object.')
    .argument('[FILE]', 'file of the export (default, or -: standard input)')
    .addOption(policyOption())
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(vaultOption())
    .addOption(storeOption())
    .addHelpText('after', helpText(HELP))
    .action((file: string | undefined, options: ImportOptions) => importFrom(file ?? '-', options, context));
}

async function importFrom(file: string, options: ImportOptions, context: Context): Promise<void> {
  const { signal, voice, exit } = context;
  refuseTwoDashes('input', [
    ['FILE', file],
    ['--policy', options.policy],
    ['--keys', options.keys],
  ]);
  const { policy } = await loadPolicy(need(options.policy, '--policy'));
  const rule = ruleOfStore(policy, options.store);
  const { keyset } = await needKeys(options, context);
  const name = checkFileName('FILE', file);
  if (name === '-' && process.stdin.isTTY) {
    throw new UsageError('the export is missing', 'name its file, or pass it on standard input');
  }
  const source = name === '-' ? process.stdin : await openInput(name);
  const stores = await openOrMake(rule.store, options.vault ?? []);
  try {
    const keys = keyset.domain(policy.domain!);
    const done = await rule.import(keys, stores, until(signal, source)).catch((error: unknown) => {
      throw name === '-' ? error : inFile(error, name);
    });
    await writeJsonLine({ store: rule.store, ...done });
    if (done.erased > 0) {
      voice.warning(
        `${plural(done.erased, 'row')} of the store ${wordFor(done.erased, 'was', 'were')} destroyed, because the export has erased them`,
      );
    }
    if (done.conflicts > 0) {
      voice.warning(`${plural(done.conflicts, 'row')} left out, because the store has another row in the same place`);
      exit(EXIT.partial);
    }
  } finally {
    for (const store of Object.values(stores)) await store.close();
  }
}

/**
 * Opens the store that an export is imported into. If it is a file that does not exist, the file is made when the store
 * is first used, so that an export that is refused earlier leaves no file.
 */
async function openOrMake(name: string, options: readonly string[]): Promise<Stores> {
  const place = placesOf([name], options).get(name)!;
  const open = () => openStores([name], options, { create: true });
  if (isServer(place) || existsSync(checkFileName('--vault', place))) return open();
  let made: Promise<Stores> | null = null;
  const store = async () => {
    made ??= open();
    return (await made)[name]!;
  };
  const late: VaultStore = {
    kind: 'sqlite',
    open: async () => (await store()).open(),
    meta: async () => (await store()).meta(),
    setMeta: async (meta) => (await store()).setMeta(meta),
    get: async (table, indexes) => (await store()).get(table, indexes),
    create: async (generation, table, entries) => (await store()).create(generation, table, entries),
    change: async (generation, changes) => (await store()).change(generation, changes),
    scan: async (table, range) => (await store()).scan(table, range),
    sweep: async (generation, day) => (await store()).sweep(generation, day),
    sizes: async () => (await store()).sizes(),
    scrub: async () => (await store()).scrub(),
    close: async () => (made === null ? undefined : (await store()).close()),
  };
  return { [name]: late };
}

/** The chunks of a source, until the run is interrupted. */
async function* until(signal: AbortSignal, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}

/** Adds the file's name to the issues of its lines, and to the issue that it is not a complete export. */
function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof TrefoilError)) return error;
  const issues = error.issues.map((issue) =>
    issue.line === undefined && issue.code !== 'export_refused' ? issue : { ...issue, file },
  );
  return new TrefoilError(issues, error.total);
}
