/** `--from KEYID`: the key that made the values which do not show their key. */

import type { Option } from 'commander';
import { KEY_ID } from '../keys/checks.ts';
import { openKeys } from '../keys/domain-keys.ts';
import type { DomainKeys } from '../keys.ts';
import { UsageError } from './exit.ts';
import { option } from './options.ts';

/** @param which values do not show their key, in words. */
export function fromOption(which: string): Option {
  return option('--from', 'KEYID', `key that made the values which do not show their key (${which})`, (value) => {
    if (!KEY_ID.test(value)) {
      throw new UsageError('--from expected a key id of five characters', 'trefoil keys inspect shows the key ids');
    }
    return value;
  });
}

/**
 * Checks that the keys have the key of `--from`.
 *
 * @throws UsageError that names the keys of the domain, and the day on which the key was retired.
 */
export function checkFrom(id: string | undefined, keys: DomainKeys): void {
  if (id === undefined || Object.hasOwn(keys.keyCheck, id)) return;
  const known = `the keys of domain ${keys.domain} are ${Object.keys(keys.keyCheck).join(', ')}`;
  const day = openKeys(keys).retired.get(id);
  if (day === undefined) {
    throw new UsageError(
      `--from names key ${id}, which is not in the key file; ${known}`,
      'use the key file that has it',
    );
  }
  throw new UsageError(
    `--from names key ${id}, which was retired on ${day} and is not in the key file any more; ${known}`,
    'use the key file from before it was retired, if it still exists',
  );
}
