/// <reference types="node" />
/** `trefoil keys promote`: makes a root key primary. */

import type { Command } from 'commander';
import { describeKeyset } from '../../../keys/described.ts';
import { promoteKey } from '../../../keys.ts';
import {
  addWriteOptions,
  knownId,
  refuseNarrowed,
  type WriteOptions,
  warnOfPins,
  writeChanged,
} from '../../custody/changing.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, need } from '../../options.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Every process must have the key before: it reads values that others make. The
key that was primary stays and reads what it has made.

Example:
  trefoil keys promote 7rk2m9qa --keys keys-2.json --out keys-3.json`;

interface PromoteOptions extends KeyOptions, WriteOptions {
  readonly out?: string;
}

export function addKeysPromote(parent: Command, context: Context): void {
  const command = parent
    .command('promote')
    .summary('make a root key primary: it makes new values from now on')
    .description('Makes a root key primary, and writes a new file.')
    .argument('<ID>', 'id of the root key, as trefoil keys inspect shows it')
    .addOption(keysOption())
    .addOption(identityOption());
  addWriteOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((id: string, options: PromoteOptions) => promote(id, options, context));
}

async function promote(argument: string, options: PromoteOptions, context: Context): Promise<void> {
  const out = need(options.out, '--out');
  const source = await needKeys(options, context);
  const { keyset } = source;
  const id = knownId(keyset, argument);
  if (id === keyset.primary) throw new UsageError(`root key ${id} is primary already`);
  refuseNarrowed(keyset, 'promote');
  const { keys } = describeKeyset(keyset, null);
  const changed = promoteKey(keyset, id);
  const what = `root key ${id} makes new values; ${keyset.primary} reads old ones`;
  await writeChanged(out, { keyset: changed, source, what }, options, context);
  warnOfPins(changed, context);
  const [before, now] = [keyset.primary, id].map((one) => keys.find((key) => key.id === one)!);
  if ((now!.base ?? id) !== (before!.base ?? before!.id)) {
    context.voice.warning(`new tokens join no tokens of ${before!.id}: the two keys have different bases`);
  }
  if (now!.state === 'old') context.voice.warning(`root key ${id} was primary before: this turns a rotation back`);
  context.voice.hint(
    'give the file to every process, then run trefoil rekey over the data; ' +
      'trefoil keys inspect --domain NAME prints the pin with "protects", which refuses the older file',
  );
}
