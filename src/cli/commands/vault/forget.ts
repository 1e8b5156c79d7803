/** `trefoil vault forget`: destroys the mappings of tokens, which it reads from standard input. */

import type { Command } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import type { RevealingVault } from '../../../rule/vault/verbs.ts';
import { inspect } from '../../../wire/labelled-token.ts';
import { EXIT } from '../../exit.ts';
import { type Line, oddity } from '../../lines.ts';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { erasureLines, refuseArguments } from '../../stores/erasure-lines.ts';
import { addVaultOptions, type OpenVault, openVaults, type VaultOptions } from '../../stores/vaults.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Standard input holds one token per line. The exit code is 9 if a token is
in no vault of the policy.`;

export function addVaultForget(parent: Command, context: Context): void {
  const command = parent
    .command('forget')
    .allowExcessArguments(true)
    .summary('destroy the mappings of the tokens on standard input')
    .description('Destroys the mappings of the tokens on standard input. Writes one JSON object per line.');
  addVaultOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((options: VaultOptions, command: Command) => {
      refuseArguments(command, 'tokens');
      return forgetAll(options, context);
    });
}

async function forgetAll(options: VaultOptions, context: Context): Promise<void> {
  const vaults = await openVaults(options, context);
  for await (const line of erasureLines(context, 'tokens')) {
    checkToken(line);
    // Each line is answered at once: a later one may fail, and the erasures before it must be on record.
    await writeJsonLine(await forgetOne(vaults, line, context));
  }
}

/**
 * Refuses a line that cannot be a token because of its form.
 *
 * @throws TrefoilError `malformed_token`, with the number of the line.
 */
function checkToken({ number: line, text }: Line): void {
  const odd = oddity(text);
  if (odd !== null) fail('malformed_token', `${odd}; write the token as it is in the data`, { line });
}

async function forgetOne(vaults: readonly OpenVault[], { number: line, text: token }: Line, context: Context) {
  for (const { vault } of vaults) {
    if (await hasToken(vault, token)) return { line, found: true, forgotten: await vault.forget(token) };
  }
  context.exit(EXIT.partial);
  if (inspect(token) === null) {
    context.voice.hint(`line ${line} is not a token; vault forget takes tokens, and vault shred takes subjects`);
  }
  return { line, found: false, forgotten: false };
}

/** Whether a vault has made this token; `false` if the text is not one of its tokens. */
async function hasToken(vault: RevealingVault, token: string): Promise<boolean> {
  try {
    return await vault.exists(token);
  } catch (error) {
    if (error instanceof TrefoilError && error.code === 'malformed_token') return false;
    throw error;
  }
}
