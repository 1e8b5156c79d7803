/** `trefoil vault shred`: destroys the keys of subjects, which it reads from standard input, and certifies it. */

import type { Command } from 'commander';
import { given } from '../../../core/given.ts';
import { fail } from '../../../errors.ts';
import { BODY_LENGTH, inspect } from '../../../wire/labelled-token.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { type Line, oddity } from '../../lines.ts';
import type { Context } from '../../options.ts';
import { writeJsonLine } from '../../stdout.ts';
import { erasureLines, refuseArguments } from '../../stores/erasure-lines.ts';
import { addVaultOptions, onePerStore, openVaults, type VaultOptions } from '../../stores/vaults.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Standard input holds one subject per line, written as in the data. Each store
with subjects answers each line: with a certificate, or with found: false if it
does not know the subject. The exit code is 9 if there is such an answer.`;

interface ShredOptions extends VaultOptions {
  readonly inAdvance?: true;
}

export function addVaultShred(parent: Command, context: Context): void {
  const command = parent
    .command('shred')
    .allowExcessArguments(true)
    .summary('destroy the keys of the subjects on standard input, with certificates')
    .description('Destroys the keys of the subjects on standard input, and writes a certificate for each.');
  addVaultOptions(command)
    .option('--in-advance', 'also shred subjects that the store does not know')
    .addHelpText('after', helpText(HELP))
    .action((options: ShredOptions, command: Command) => {
      refuseArguments(command, 'subjects');
      return shredAll(options, context);
    });
}

async function shredAll(options: ShredOptions, context: Context): Promise<void> {
  const vaults = await openVaults(options, context);
  const withSubjects = onePerStore(vaults.filter(({ rule }) => rule.subject !== undefined));
  if (withSubjects.length === 0) {
    throw new UsageError('no vault rule of the policy has a subject', 'vault forget erases single tokens');
  }
  for await (const line of erasureLines(context, 'subjects')) {
    checkSubject(line);
    for (const { rule, vault } of withSubjects) {
      const certificate = await vault.shred(line.text, given({ inAdvance: options.inAdvance }));
      if (certificate === null) context.exit(EXIT.partial);
      // Each line is answered at once: a later one may fail, and the erasures before it must be on record.
      await writeJsonLine(certificate ?? { line: line.number, found: false, store: rule.store });
    }
  }
}

/**
 * Refuses a line that cannot be a subject because of its form, before anything is destroyed for it. Otherwise the
 * command could certify the erasure of a subject that was never loaded.
 *
 * @throws TrefoilError `malformed_subject`, with the number of the line.
 */
function checkSubject({ number: line, text }: Line): void {
  const odd = oddity(text);
  if (odd !== null) fail('malformed_subject', `${odd}; write the subject as it is in the data`, { line });
  const token = inspect(text);
  // An identifier of another system may look like a short token. Its check characters fit by chance once in 1,048,576.
  if (token !== null && (token.intact || token.body.length === BODY_LENGTH)) {
    fail('malformed_subject', 'the line is a token; vault shred takes subjects, and vault forget takes tokens', {
      line,
    });
  }
}
