/// <reference types="node" />
/** The vaults of a policy, opened for a command of `trefoil vault`, and the options that those commands share. */

import type { Command } from 'commander';
import type { Keyset } from '../../keys.ts';
import { pinned } from '../../policy/bind.ts';
import type { FilePolicy } from '../../policy.ts';
import { revealAccess } from '../../reveal.ts';
import type { RevealingVault } from '../../rule/vault/verbs.ts';
import type { VaultRule } from '../../rule/vault.ts';
import { UsageError } from '../exit.ts';
import { identityOption, keysOption, needKeys } from '../key-source.ts';
import { type Context, need } from '../options.ts';
import { loadPolicy, policyOption } from '../policy-file.ts';
import { openStores } from './open.ts';
import { storeNames, vaultOption, vaultRules } from './places.ts';

/** The options of {@link addVaultOptions}, as commander returns them. */
export interface VaultOptions {
  readonly policy?: string;
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly vault?: readonly string[];
}

/** A vault rule of the policy and its vault. */
export interface OpenVault {
  readonly rule: VaultRule;
  readonly vault: RevealingVault;
}

/** Adds the options that say which policy, keys and stores a command works with. */
export function addVaultOptions(command: Command): Command {
  return command.addOption(policyOption()).addOption(keysOption()).addOption(identityOption()).addOption(vaultOption());
}

/** Opens the vault of every vault rule of the policy. The stores are closed when the command ends. */
export async function openVaults(options: VaultOptions, context: Context): Promise<readonly OpenVault[]> {
  const { policy } = await loadPolicy(need(options.policy, '--policy'));
  if (vaultRules(policy).length === 0) throw new UsageError('the policy has no vault rule');
  const { keyset } = await needKeys(options, context);
  return openVaultsOf(policy, keyset, options.vault ?? []);
}

/** The same for a policy and keys that were read already. The keys must be those that the policy pins. */
export async function openVaultsOf(
  policy: FilePolicy,
  keyset: Keyset,
  places: readonly string[],
): Promise<readonly OpenVault[]> {
  const keys = pinned(policy, keyset.domain(policy.domain!));
  const stores = await openStores(storeNames(policy), places, { create: false });
  const vaults: OpenVault[] = [];
  for (const rule of vaultRules(policy)) vaults.push({ rule, vault: await rule.open(keys, stores, revealAccess) });
  return vaults;
}

/** One vault for each store. Work on a whole store is done once, however many rules share the store. */
export function onePerStore(vaults: readonly OpenVault[]): readonly OpenVault[] {
  return vaults.filter(({ rule }, i) => vaults.findIndex((other) => other.rule.store === rule.store) === i);
}

/** The result of some work. If a signal interrupts the run first, it rejects at once with the reason of the signal. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
