/** `--from KEYID`: the key that made the values which do not show their key. */

import type { Option } from 'commander';
import { KEY_ID } from '../keys/checks.ts';
import { describeKeyset } from '../keys/described.ts';
import { openKeys } from '../keys/domain-keys.ts';
import type { DomainKeys, Keyset } from '../keys.ts';
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
 * @param keyset of the keys; a key has another shown id in each of its domains. `null` if there is no key file.
 * @param target the domain that records are moved to.
 * @throws UsageError that names the keys of the domain, another domain in which the id is shown, or the day on which
 *   the key was retired.
 */
export function checkFrom(id: string | undefined, keys: DomainKeys, keyset: Keyset | null, target?: string): void {
  if (id === undefined || Object.hasOwn(keys.keyCheck, id)) return;
  const ids = Object.keys(keys.keyCheck);
  const other = keyset === null ? null : domainOfId(keyset, id, target);
  if (other !== null && other !== keys.domain) {
    throw new UsageError(
      `--from names key ${id}, which is the id in domain ${other}; the input is of domain ${keys.domain}, whose ` +
        `${ids.length === 1 ? 'id is' : 'ids are'} ${ids.join(', ')}`,
      'name the id that the key has in the domain of the input',
    );
  }
  const known = `the keys of domain ${keys.domain} are ${ids.join(', ')}`;
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

/** The domain that the keyset knows, or the target, in which values show an id; `null` if there is none. */
function domainOfId(keyset: Keyset, id: string, target: string | undefined): string | null {
  const domains = [...(target === undefined ? [] : [target]), ...describeKeyset(keyset, null).domains];
  const shows = (domain: string) => describeKeyset(keyset, domain).keys.some(({ shown }) => shown?.id === id);
  return domains.find(shows) ?? null;
}
