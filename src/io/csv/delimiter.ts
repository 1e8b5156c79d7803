/** What the first line of a CSV file says about its delimiter. */

import { fail } from '../../errors.ts';
import type { BoundInside } from '../../policy/bound.ts';

export function isOneAscii(character: unknown): character is string {
  return typeof character === 'string' && /^[\x01-\x7f]$/.test(character) && !/[\r\n]/.test(character);
}

/** The delimiter that a first line such as `sep=;` names, as Excel writes and reads it; `null` for any other line. */
export function separatorOf(
  text: string,
  { quote, escapedBy }: { readonly quote: string | null; readonly escapedBy: string | null },
): { readonly line: string; readonly delimiter: string } | null {
  const [line, character, delimiter] = /^(?:sep=(.)|"sep=(.)")(?=[\r\n]|$)/i.exec(text) ?? [];
  const named = character ?? delimiter;
  if (named === undefined || !isOneAscii(named) || [quote, escapedBy, '"'].includes(named)) return null;
  return { line: line!, delimiter: named };
}

/** Refuses a file whose first line names another delimiter than the caller. */
export function checkSeparator(named: string, delimiter: string | null): void {
  if (delimiter === null || delimiter === named) return;
  const message = 'the first line (sep=) names another delimiter than the option; leave out the option (--delimiter)';
  fail('delimiter_mismatch', message, { line: 1, column: 1 });
}

/** Delimiters that are often used, with their names on the command line. */
const USUAL: readonly (readonly [string, string])[] = [
  [',', 'comma'],
  [';', 'semicolon'],
  ['\t', 'tab'],
  ['|', 'pipe'],
];

/**
 * Refuses a first line that has no field of the policy, but would have one if another usual delimiter separated its
 * cells. Without this check the message could only say that the line may be data.
 */
export function checkDelimiter(names: readonly string[], delimiter: string, { leaves }: BoundInside): void {
  const fields = new Set(leaves.map(({ header }) => header));
  if (names.some((name) => fields.has(name))) return;
  const line = names.join(delimiter);
  for (const [other, name] of USUAL) {
    if (other === delimiter || !line.split(other).some((cell) => fields.has(cell.replace(/^"(.*)"$/, '$1')))) continue;
    const message = `the first line has fields of the policy if another delimiter separates them: --delimiter ${name}`;
    fail('header_missing', message, { line: 1, column: 1 });
  }
}

/** The name of a usual delimiter other than the one that is set; `null` if the character is none. */
export function usualDelimiter(character: string, set: string): string | null {
  return USUAL.find(([usual]) => usual === character && usual !== set)?.[1] ?? null;
}
