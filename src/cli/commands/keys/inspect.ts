/// <reference types="node" />
/** `trefoil keys inspect`: shows the ids and key checks of a key file, never its keys. */

import type { Command } from 'commander';
import { NAME_PATTERN } from '../../../core/checks.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, option } from '../../options.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
With --domain it prints, for each key, the line that pins it in a policy. Put
one of them into the policy file; a run with other keys then stops before its
first row. Neither ids nor key checks are secret.

Examples:
  trefoil keys inspect --keys keys.json
  trefoil keys inspect --keys keys.json --domain eu-enclave`;

/** Checks the argument of `--domain`. */
function readDomain(value: string): string {
  if (!NAME_PATTERN.test(value)) {
    throw new UsageError(
      '--domain expected 1 to 64 characters of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
    );
  }
  return value;
}

export function addKeysInspect(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .summary('show the ids and key checks of a key file, never the keys')
    .description('Shows the ids of the root keys, and the key ids and key checks of a domain. It never shows keys.')
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(option('--domain', 'NAME', 'domain whose key ids and key checks are shown', readDomain))
    .option('--json', 'write JSON')
    .addHelpText('after', helpText(HELP))
    .action(async (options: KeyOptions & { domain?: string; json?: boolean }) => {
      const { keyset } = await needKeys(options, context);
      const domain = options.domain === undefined ? null : keyset.domain(options.domain);
      if (options.json === true) {
        const shown = domain === null ? {} : { domain: domain.domain, keyId: domain.keyId, keyCheck: domain.keyCheck };
        const { ids, primary, testIds } = keyset;
        await writeOut(`${JSON.stringify({ ids, primary, testIds, ...shown }, null, 2)}\n`);
        return;
      }
      const lines = keyset.ids.map((id) => {
        const isTest = keyset.testIds.includes(id) ? ': public test keys, only for the domains test and test-…' : '';
        return `root key ${id}${id === keyset.primary ? ' (primary)' : ''}${isTest}`;
      });
      if (domain !== null) {
        lines.push(`domain ${domain.domain}: protects with key ${domain.keyId}`);
        // One line per key. A policy pins one of them: the primary key to protect, or an older one to reveal.
        const older = Object.keys(domain.keyCheck).length > 1;
        for (const [id, check] of Object.entries(domain.keyCheck)) {
          const note =
            id === domain.keyId ? '   # primary: protects and reveals' : '   # older: reveals what it has protected';
          lines.push(`keyCheck: { "${id}": "${check}" }${older ? note : ''}`);
        }
      }
      await writeOut(`${lines.join('\n')}\n`);
    });
}
