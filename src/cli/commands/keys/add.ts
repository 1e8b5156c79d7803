/// <reference types="node" />
/** `trefoil keys add`: adds a root key that is ready, or the domain of a recipient. */

import type { Command } from 'commander';
import { describeKeyset } from '../../../keys/described.ts';
import { addDomain, addKey } from '../../../keys.ts';
import {
  addWriteOptions,
  refuseNarrowed,
  type WriteOptions,
  warnOfPins,
  writeChanged,
} from '../../custody/changing.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, nameOption, need } from '../../options.ts';
import { helpText } from '../../voice.ts';

const HELP = `
The new key is ready: it reads and makes no values before keys promote makes it
primary. So every process can get it before the first value shows it. Its tokens
join those of the primary key once trefoil rekey has renewed them, which needs
no originals. With --new-lineage they never join them: the key is then a base of
its own, or with --renewable a base and a first key over it are added.

With --domain and --of no key is added, but the domain of a recipient: its
tokens can be made from those of its parent by trefoil project.

Examples:
  trefoil keys add --keys keys.json --out keys-2.json
  trefoil keys add --domain partner-b --of eu-enclave --keys keys.json --out keys-2.json`;

interface AddOptions extends KeyOptions, WriteOptions {
  readonly out?: string;
  readonly newLineage?: true;
  readonly renewable?: true;
  readonly domain?: string;
  readonly of?: string;
}

export function addKeysAdd(parent: Command, context: Context): void {
  const command = parent
    .command('add')
    .summary('add a root key that is ready, or a recipient')
    .description(
      'Adds a root key that is ready to become primary, or the domain of a recipient, and writes a new file.',
    )
    .addOption(keysOption())
    .addOption(identityOption())
    .option('--new-lineage', 'make a key whose tokens never join older ones')
    .option('--renewable', 'with --new-lineage: also make a base, so that the new key can be destroyed one day')
    .addOption(nameOption('--domain', 'domain of a recipient to add, in place of a key'))
    .addOption(nameOption('--of', 'domain whose tokens are projected for the recipient'));
  addWriteOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((options: AddOptions) => add(options, context));
}

async function add(options: AddOptions, context: Context): Promise<void> {
  const { domain, of, newLineage = false, renewable = false } = options;
  const out = need(options.out, '--out');
  if ((domain === undefined) !== (of === undefined)) throw new UsageError('--domain and --of need each other');
  if (domain !== undefined && newLineage) throw new UsageError('--new-lineage cannot be combined with --domain');
  if (renewable && !newLineage) {
    throw new UsageError('--renewable needs --new-lineage', 'a key of the same lineage takes the base that is there');
  }
  const source = await needKeys(options, context);
  const { keyset } = source;
  if (domain !== undefined) {
    if (describeKeyset(keyset, null).parents.get(domain) === of) {
      throw new UsageError(
        `domain ${domain} is a recipient of ${of} already`,
        'nothing changed, and no file was written; use the key file as it is',
      );
    }
    const known = addDomain(keyset, domain, { of: of! });
    await writeChanged(out, { keyset: known, source, what: `domain ${domain} of ${of}` }, options, context);
    context.voice.note(
      `if ${domain} has data already: its tokens change, and its sealed values open with the old key file only`,
    );
    warnOfPins(known, context);
    return;
  }
  refuseNarrowed(keyset, 'add');
  const changed = addKey(keyset, { newLineage, renewable });
  // A base that was added comes after its first key.
  const [id, base] = changed.ids.filter((one) => !keyset.ids.includes(one));
  const added = base === undefined ? `root key ${id}` : `root key ${id}, over its base ${base},`;
  const what = `${added} is ready; ${changed.primary} still makes new values`;
  await writeChanged(out, { keyset: changed, source, what }, options, context);
  warnOfPins(changed, context);
  if (newLineage) {
    context.voice.warning(`tokens of ${id} will join no tokens of older keys, and no older token can be renewed to it`);
  }
  context.voice.hint(
    `give the file to every process, then run trefoil keys promote ${id}; trefoil keys inspect prints the pins`,
  );
}
