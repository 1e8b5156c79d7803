/// <reference types="node" />
/** `trefoil inspect`: what a token or a sealed value shows without a key. */

import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { inspectSealed } from '../../rule/seal.ts';
import { inspect } from '../../wire/labelled-token.ts';
import { EXIT } from '../exit.ts';
import type { Context } from '../options.ts';
import { writeJsonLine, writeOut } from '../stdout.ts';
import { count, helpText, plural, wordFor } from '../voice.ts';

const HELP = `
Items are numbered and never repeated, because a text that is not a token may be
a name. The exit code is 7 if an item is damaged or was not written by trefoil.

Examples:
  trefoil inspect cust_k3m7a8qz…
  tail -n +2 people.safe.csv | cut -d, -f1 | trefoil inspect`;

/** What one item is. */
export type Finding =
  | { readonly kind: 'token'; readonly label: string | null; readonly keyId: string; readonly intact: boolean }
  | { readonly kind: 'sealed'; readonly keyId: string; readonly version: number; readonly algorithm: number }
  | { readonly kind: 'unknown' };

/** Finds out what an item is. */
export function findOut(text: string): Finding {
  const token = inspect(text);
  if (token?.intact === true) return { kind: 'token', label: token.label, keyId: token.keyId, intact: true };
  const sealed = inspectSealed(text);
  if (sealed !== null) {
    const { keyId, version, algorithm } = sealed;
    return { kind: 'sealed', keyId, version, algorithm };
  }
  if (token !== null) return { kind: 'token', label: token.label, keyId: token.keyId, intact: false };
  return { kind: 'unknown' };
}

function describe(item: number, finding: Finding): string {
  switch (finding.kind) {
    case 'token': {
      const label = finding.label === null ? 'without a label' : `label ${finding.label}`;
      return `${item}: token, ${label}, key ${finding.keyId}, ${finding.intact ? 'intact' : 'damaged'}`;
    }
    case 'sealed':
      // Only its key can tell whether it is intact.
      return `${item}: sealed value, key ${finding.keyId}, version ${finding.version}`;
    default:
      return `${item}: neither a labelled token nor a sealed value`;
  }
}

export function addInspect(parent: Command, context: Context): void {
  parent
    .command('inspect')
    .summary('show what tokens and sealed values are')
    .description('Shows label and key id of tokens and sealed values, and whether a token is intact. Needs no keys.')
    .argument('[TOKEN...]', 'tokens or sealed values (default: standard input, one per line)')
    .option('--json', 'write one JSON object per item')
    .addHelpText('after', helpText(HELP))
    .action(async (tokens: string[], options: { json?: boolean }) => {
      let item = 0;
      let bad = 0;
      const items = tokens.length > 0 ? tokens : createInterface({ input: process.stdin, signal: context.signal });
      for await (const text of items) {
        context.signal.throwIfAborted();
        item++;
        const finding = findOut(text);
        if (finding.kind === 'unknown' || (finding.kind === 'token' && !finding.intact)) bad++;
        await (options.json === true ? writeJsonLine({ item, ...finding }) : writeOut(`${describe(item, finding)}\n`));
      }
      context.signal.throwIfAborted();
      if (bad === 0) return;
      context.voice.note(
        `${count(bad)} of ${plural(item, 'item')} ${wordFor(bad, 'is', 'are')} damaged or ${wordFor(bad, 'was', 'were')} not written by trefoil`,
      );
      context.exit(EXIT.unverified);
    });
}
