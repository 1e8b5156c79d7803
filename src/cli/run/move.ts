/** `rekey` and `project`: their own options, and the policy bound to the keys of both sides. */

import type { Command } from 'commander';
import { given } from '../../core/given.ts';
import { openKeys } from '../../keys/domain-keys.ts';
import type { DomainKeys, Keyset } from '../../keys.ts';
import type { MoveDirection } from '../../policy/bound.ts';
import { policyLeaves } from '../../policy/policy.ts';
import { type FilePolicy, project, rekey } from '../../policy.ts';
import { revealAccess } from '../../reveal.ts';
import { isKeyed, type PolicyWithKeys, throwAwayKeys } from '../bind.ts';
import { UsageError } from '../exit.ts';
import { checkFrom, fromOption } from '../from-key.ts';
import { findKeys, needKeys } from '../key-source.ts';
import { type Context, fileOption, filesOption, option } from '../options.ts';
import { loadPolicy } from '../policy-file.ts';
import { storeNames } from '../stores/places.ts';
import type { RunOptions } from './options.ts';

/** Adds the options that only these commands have. */
export function addMoveOptions(command: Command, direction: MoveDirection): void {
  if (direction === 'project') {
    command
      .addOption(option('--to', 'DOMAIN', 'domain of the recipient (required)', (value) => value))
      .addOption(fileOption('--as', 'policy file of the recipient: what of each field the recipient may have'));
  }
  command
    .addOption(fromOption('fpe, tokens without a label'))
    .addOption(filesOption('--to-keys', 'key file of the side that records are moved to (default: that of --keys)'));
}

/**
 * Reads the keys of both sides and binds the policy to them.
 *
 * @throws UsageError for keys and options that are missing; TrefoilError if keys or policies cannot be used.
 */
export async function bindMove(
  policy: FilePolicy,
  direction: MoveDirection,
  options: RunOptions,
  context: Context,
): Promise<PolicyWithKeys> {
  const { keys, identity, toKeys, rejects } = options;
  if (direction === 'project' && options.to === undefined) {
    throw new UsageError('--to DOMAIN is required', 'it is the domain of the recipient');
  }
  const needed = direction === 'project' || rejects !== undefined || isKeyed(policy) || policy.keyCheck !== undefined;
  const source = await (needed ? needKeys({ keys, identity }, context) : findKeys({ keys, identity }, context));
  const target = toKeys === undefined ? source : await needKeys({ keys: toKeys, identity }, context);
  const as = options.as === undefined ? null : (await loadPolicy(options.as)).policy;
  const from = domainOf(source?.keyset, policy.domain!) ?? throwAwayKeys(policy);
  const to =
    direction === 'project' ? target!.keyset.domain(options.to!) : (domainOf(target?.keyset, policy.domain!) ?? from);
  if (as !== null && as.domain !== options.to) {
    throw new UsageError('--to and the policy of --as name different domains', 'both name the domain of the recipient');
  }
  checkFrom(options.from, from, source?.keyset ?? null, options.to);
  if (direction === 'rekey' && source !== null) checkHasOlder(policy, from, to, context);
  const moveKeys = { from, to, ...given({ fromKey: options.from }) };
  const bound =
    direction === 'rekey'
      ? rekey(policy, moveKeys, revealAccess)
      : project(policy, { ...moveKeys, ...given({ as: as ?? undefined }) }, revealAccess);
  if (direction === 'rekey' && storeNames(policy).length > 0) {
    context.voice.note('tokens of a vault stay as they are; trefoil vault rekey moves the rows of its store');
  }
  const otherFiles = [...(target?.files ?? []), ...(options.as === undefined ? [] : [options.as])];
  return { bound, keys: source === null ? null : to, keyFiles: source?.files ?? [], otherFiles };
}

function domainOf(keyset: Keyset | undefined, domain: string): DomainKeys | null {
  return keyset?.domain(domain) ?? null;
}

/**
 * Checks that there is a key to move values from. Values that show their key pass if they have the primary key, so such
 * a run does nothing and no harm; for other values it would ask for a key that does not exist.
 *
 * @throws UsageError if the policy has values that do not show their key.
 */
function checkHasOlder(policy: FilePolicy, from: DomainKeys, to: DomainKeys, { voice }: Context): void {
  const leaves = policyLeaves(policy).filter(({ engine }) => engine.mover !== undefined);
  const { keys } = openKeys(from);
  if (leaves.length === 0 || keys.some(({ id, isReady }) => id !== to.keyId && !isReady)) return;
  const ready = keys.filter(({ id, isReady }) => id !== to.keyId && isReady).map(({ id }) => id);
  const message = `there is nothing to move: the key file has no older key than the primary key ${to.keyId}`;
  const hint =
    ready.length === 0
      ? 'a rotation begins with trefoil keys add and trefoil keys promote'
      : `key ${ready.join(', ')} is ready and makes no values yet: run trefoil keys promote first`;
  if (leaves.some(({ engine }) => engine.mover?.showsKey === false)) throw new UsageError(message, hint);
  voice.note(`${message}; ${hint}`);
}
