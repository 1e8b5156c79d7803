/** `rekey` and `project`: their own options, and the policy bound to the keys of both sides. */

import type { Command } from 'commander';
import { given } from '../../core/given.ts';
import { TrefoilError } from '../../errors.ts';
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
  const moveKeys = { from, to, ...given({ fromKey: options.from }) };
  const idle = direction === 'rekey' && source !== null ? idleOf(policy, from, to) : null;
  const bound =
    direction === 'rekey'
      ? unlessIdle(idle, () => rekey(policy, moveKeys, revealAccess))
      : project(policy, { ...moveKeys, ...given({ as: as ?? undefined }) }, revealAccess);
  if (idle !== null) context.voice.note(`${idle.message}; ${idle.hint}`);
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
 * Says why no record can move: nothing was made with another key than the one that values are moved to. Values that
 * show the primary key pass, so such a run does nothing and no harm. Returns `null` if there is a key to move from.
 */
function idleOf(policy: FilePolicy, from: DomainKeys, to: DomainKeys): UsageError | null {
  const { keys } = openKeys(from);
  const others = keys.filter(({ id }) => id !== to.keyId);
  if (policyLeaves(policy).every(({ engine }) => engine.mover === undefined)) return null;
  if (others.some(({ isReady }) => !isReady)) return null;
  return new UsageError(
    `there is nothing to move: the key file has no older key than the primary key ${to.keyId}`,
    others.length === 0
      ? 'a rotation begins with trefoil keys add and trefoil keys promote'
      : `key ${others.map(({ id }) => id).join(', ')} is ready and makes no values yet: run trefoil keys promote first`,
  );
}

/** What a policy asks for whose values do not show their key. Without an older key, nobody could name one. */
const ASKS: readonly string[] = ['epoch_required', 'key_check_required'];

function unlessIdle<T>(idle: UsageError | null, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    throw idle !== null && error instanceof TrefoilError && ASKS.includes(error.code) ? idle : error;
  }
}
