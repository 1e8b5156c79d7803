/// <reference types="node" />
/** Sealing a key file: who can open it, as `--to` names them, and the file itself. */

import { type AgeRecipient, type KeyWrapper, sealKeyFile } from '../../custody.ts';
import { UsageError } from '../exit.ts';
import type { Context } from '../options.ts';
import { plural } from '../voice.ts';
import { loadAge } from './age-package.ts';
import { linesOf, withName } from './identities.ts';
import { isWrapper, type NamedWrapper, namedWrapper } from './wrappers.ts';

/** Who can open a sealed file. */
export interface Ways {
  readonly recipients: readonly (string | AgeRecipient)[];
  readonly wrappers: readonly KeyWrapper[];
  readonly name: string | undefined;
  readonly region: string | undefined;
}

/** Reads the values of `--to`: recipients of age, files of them, and keys of a KMS. */
export async function waysOf(to: readonly string[]): Promise<Ways> {
  const recipients: string[] = [];
  const named: NamedWrapper[] = [];
  for (const one of to) {
    if (isWrapper(one)) named.push(await namedWrapper('--to', one));
    else if (isRecipient(one)) recipients.push(one);
    else recipients.push(...(await linesOf(one, 'the file of recipients', isRecipient, null)));
  }
  return { recipients, ...withName('--to', named) };
}

const isRecipient = (text: string): boolean => /^age1[0-9a-z]{20,}$/.test(text);

/** Options of {@link sealed}. */
export interface SealedOptions {
  readonly armour: boolean;
  readonly allowMultiRegion: boolean;
}

/**
 * Seals the JSON text of a key file.
 *
 * @throws UsageError if age refuses the recipients, or a key of a KMS exists in several regions.
 */
export async function sealed(
  json: string,
  { recipients, wrappers, name, region }: Ways,
  { armour, allowMultiRegion }: SealedOptions,
  { signal }: Context,
): Promise<Uint8Array | string> {
  try {
    return await sealKeyFile(json, {
      age: await loadAge(),
      recipients,
      wrappers,
      armour,
      allowMultiRegion,
      signal,
      ...(name === undefined ? {} : { name }),
      ...(region === undefined ? {} : { region }),
    });
  } catch (error) {
    const { argument } = error as { readonly argument?: unknown };
    if (argument === 'allowMultiRegion') {
      throw new UsageError(
        '--to names a multi-region key of AWS, and the keys are for one region',
        'name a key of that region, or use trefoil keys wrap with --allow-multi-region if its replicas stay there',
      );
    }
    if (argument !== 'recipients') throw error;
    throw new UsageError(`--to: ${(error as Error).message.replace('"recipients" ', '')}`);
  }
}

/** Says who can open a file, for the message: `1 recipient and 1 key wrapper`. */
export function waysText({ recipients, wrappers }: Ways): string {
  const parts = [
    ...(recipients.length > 0 ? [plural(recipients.length, 'recipient')] : []),
    ...(wrappers.length > 0 ? [plural(wrappers.length, 'key wrapper')] : []),
  ];
  return parts.join(' and ');
}
