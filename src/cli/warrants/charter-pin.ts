/** The option that pins a charter. It is apart from what reads charters, which runs over records do not load. */

import type { Option } from 'commander';
import { UsageError } from '../exit.ts';
import { option } from '../options.ts';

/** The option `--charter-sha256`: which charter it has to be. */
export const charterPinOption = (): Option =>
  option('--charter-sha256', 'HEX', 'digest that the text of the charter must have', (value) => {
    const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(value)?.[1];
    if (digest !== undefined) return digest;
    throw new UsageError('--charter-sha256 expected 64 hexadecimal digits in lower case');
  });
