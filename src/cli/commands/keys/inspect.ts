/// <reference types="node" />
/** `trefoil keys inspect`: what is in a key file, without the keys. */

import type { Command } from 'commander';
import { NAME_PATTERN } from '../../../core/checks.ts';
import { UsageError } from '../../exit.ts';
import { keysOption, needKeys } from '../../key-source.ts';
import { type Context, option } from '../../options.ts';
import { writeOut } from '../../stdout.ts';
import { EXIT_HELP } from '../../voice.ts';

const HELP = `
With --domain it prints, for each key, the line that pins it in a policy file, so that a run with other keys stops
before its first row. Take one line. Neither ids nor key checks are secret.

Examples:
  trefoil keys inspect --keys keys.json
  trefoil keys inspect --keys keys.json --domain eu-enclave`;

/** The option `--domain`. */
function readDomain(value: string): string {
  if (!NAME_PATTERN.test(value)) {
    throw new UsageError(
      '--domain expected 1 to 64 characters of a-z, 0-9, ".", "_", "-", the first a letter or digit',
    );
  }
  return value;
}

export function addKeysInspect(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .summary('show ids and key checks of a key file, never keys')
    .description("Shows the ids of root keys, and a domain's shown key ids and key checks. Never key bytes.")
    .addOption(keysOption())
    .addOption(option('--domain', 'NAME', 'a pseudonymisation domain: show its key ids and checks', readDomain))
    .option('--json', 'write JSON')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (options: { keys?: string; domain?: string; json?: boolean }) => {
      const { keyset } = await needKeys(options.keys, context.voice);
      const domain = options.domain === undefined ? null : keyset.domain(options.domain);
      if (options.json === true) {
        const shown = domain === null ? {} : { domain: domain.domain, keyId: domain.keyId, keyCheck: domain.keyCheck };
        await writeOut(`${JSON.stringify({ ids: keyset.ids, primary: keyset.primary, ...shown }, null, 2)}\n`);
        return;
      }
      const lines = keyset.ids.map((id) => `root key ${id}${id === keyset.primary ? ' (primary)' : ''}`);
      if (domain !== null) {
        lines.push(`domain ${domain.domain}: what is protected now shows key ${domain.keyId}`);
        // One line a key: a policy pins one, the primary to protect, an older one to reveal what that one protected.
        const older = Object.keys(domain.keyCheck).length > 1;
        for (const [id, check] of Object.entries(domain.keyCheck)) {
          const note = id === domain.keyId ? '   # protects now' : '   # older: to reveal what it protected';
          lines.push(`keyCheck: { "${id}": "${check}" }${older ? note : ''}`);
        }
      }
      await writeOut(`${lines.join('\n')}\n`);
    });
}
