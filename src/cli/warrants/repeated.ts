/** Options of commands about warrants that may be repeated, and numbers of uses. */

import { Option } from 'commander';
import { fail } from '../../errors.ts';
import type { RatifiedUse } from '../../govern.ts';

/** An option whose argument is a text and that may be set several times. */
export function listedOption(flag: string, argument: string, text: string): Option {
  return new Option(`${flag} <${argument}>`, text).argParser((value: string, previous: readonly string[] = []) => [
    ...previous,
    value,
  ]);
}

/**
 * Reads the uses that are ratified: a line for each, `INDEX sha256:HEX`.
 *
 * @throws TrefoilError `warrant_invalid` with the line.
 */
export function usesOf(text: string): readonly RatifiedUse[] {
  const lines = text.replace(/\n$/, '').split('\n');
  return lines.map((line, i) => {
    const [, index, sha256] = /^(0|[1-9][0-9]{0,8}) sha256:([0-9a-f]{64})\r?$/.exec(line) ?? [];
    if (sha256 === undefined) fail('warrant_invalid', 'expected the index of an entry and sha256:HEX', { line: i + 1 });
    return { index: Number(index), sha256 };
  });
}
