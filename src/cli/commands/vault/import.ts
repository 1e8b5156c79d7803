/// <reference types="node" />
/** `trefoil vault import`: joins an export with a store. */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { TrefoilError } from '../../../errors.ts';
import { openInput } from '../../../files/inputs/input-file.ts';
import type { Stores } from '../../../vault/session.ts';
import type { VaultStore } from '../../../vault/stores/store.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { keysOption, needKeys } from '../../key-source.ts';
import { type Context, checkFileName, fileOption, need } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy } from '../../policy-file.ts';
import { writeOut } from '../../stdout.ts';
import { openStores } from '../../stores/open.ts';
import { isServer, placesOf, ruleOfStore, storeOption, vaultOption } from '../../stores/places.ts';
import { EXIT_HELP, plural } from '../../voice.ts';

const HELP = `
No FILE, or -, is standard input. The store may be new, or in use. An import never undoes an erasure: what either side has
erased is erased afterwards, and a warning counts the rows that lived in the store until then. Where both sides have
something else, the store keeps what it has, and the exit code is 9. A file that was cut or changed ends with exit code 7,
and the message says what was written before. You can run an import again at any time.

Examples:
  trefoil vault import people.vault.ndjson --policy p.yaml --keys keys.json --vault postgres://db.example/people
  zstd -dc people.vault.ndjson.zst | trefoil vault import --policy p.yaml --keys keys.json --vault people.db`;

interface ImportOptions {
  readonly policy?: string;
  readonly keys?: string;
  readonly vault?: readonly string[];
  readonly store?: string;
}

export function addVaultImport(parent: Command, context: Context): void {
  parent
    .command('import')
    .summary('join an export with a store')
    .description('Joins what trefoil vault export wrote with a store; writes what was done as one JSON object.')
    .argument('[FILE]', 'file that trefoil vault export wrote')
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(keysOption())
    .addOption(vaultOption())
    .addOption(storeOption())
    .addHelpText('after', HELP + EXIT_HELP)
    .action((file: string | undefined, options: ImportOptions) => importFrom(file ?? '-', options, context));
}

async function importFrom(file: string, options: ImportOptions, { signal, voice, exit }: Context): Promise<void> {
  refuseTwoDashes('input', [
    ['FILE', file],
    ['--policy', options.policy],
    ['--keys', options.keys],
  ]);
  const { policy } = await loadPolicy(need(options.policy, '--policy'));
  const rule = ruleOfStore(policy, options.store);
  const { keyset } = await needKeys(options.keys, voice);
  const name = checkFileName('FILE', file);
  if (name === '-' && process.stdin.isTTY) throw new UsageError('say which file, or give the export on standard input');
  const source = name === '-' ? process.stdin : await openInput(name);
  const stores = await openOrMake(rule.store, options.vault ?? []);
  try {
    const keys = keyset.domain(policy.domain!);
    const done = await rule.import(keys, stores, until(signal, source)).catch((error: unknown) => {
      throw name === '-' ? error : inFile(error, name);
    });
    await writeOut(`${JSON.stringify({ store: rule.store, ...done })}\n`);
    if (done.erased > 0) {
      voice.warning(
        `${plural(done.erased, 'row')} of the store lived and ${done.erased === 1 ? 'is' : 'are'} destroyed now, erased as in the export`,
      );
    }
    if (done.conflicts > 0) {
      voice.warning(`${plural(done.conflicts, 'row')} left out, where the store has another and keeps it`);
      exit(EXIT.partial);
    }
  } finally {
    for (const store of Object.values(stores)) await store.close();
  }
}

/**
 * Opens the store that an export goes into. A file that is not there is made when the store is used first: an export that
 * is refused before leaves none.
 */
async function openOrMake(name: string, given: readonly string[]): Promise<Stores> {
  const place = placesOf([name], given).get(name)!;
  const open = () => openStores([name], given, { create: true });
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

async function* until(signal: AbortSignal, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}

/** A line is that of a file, and so is what makes it no whole export. */
function inFile(error: unknown, file: string): unknown {
  if (!(error instanceof TrefoilError)) return error;
  const issues = error.issues.map((issue) =>
    issue.line === undefined && issue.code !== 'export_refused' ? issue : { ...issue, file },
  );
  return new TrefoilError(issues, error.total);
}
