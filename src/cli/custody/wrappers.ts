/// <reference types="node" />
/**
 * Key wrappers on the command line: `vault-transit:MOUNT/KEY#NAME` and `aws-kms:ARN#NAME`. NAME is the name of the
 * keyset, to which the KMS binds the key. Address and credentials come from the environment, by the names that the
 * tools of each KMS use.
 */

import { NAME_PATTERN } from '../../core/checks.ts';
import { type AwsKms, awsKms, type KeyWrapper, vaultTransit } from '../../custody.ts';
import { fail } from '../../errors.ts';
import { UsageError } from '../exit.ts';

/** A wrapper and the name of the keyset. */
export interface NamedWrapper {
  readonly wrapper: KeyWrapper;
  readonly name: string;
}

const KINDS: Readonly<Record<string, (rest: string, flag: string) => Promise<KeyWrapper>>> = {
  'vault-transit': transit,
  'aws-kms': aws,
};

/** Whether an argument names a key wrapper, and not a file. A file of such a name is written `./aws-kms:…`. */
export function isWrapper(argument: string): boolean {
  return Object.hasOwn(KINDS, argument.split(':')[0]!) && argument.includes(':');
}

/** Makes the wrapper that an argument names. @throws UsageError */
export async function namedWrapper(flag: string, argument: string): Promise<NamedWrapper> {
  const [, kind = '', rest = '', name = ''] = /^([^:]*):([^#]*)#?(.*)$/s.exec(argument) ?? [];
  if (!NAME_PATTERN.test(name)) {
    throw new UsageError(
      `${flag} expected the name of the keyset at the end, as in ${kind}:…#production`,
      'the KMS binds the key to this name, so that a test file never opens in its place',
    );
  }
  return { wrapper: await KINDS[kind]!(rest, flag), name };
}

async function transit(path: string, flag: string): Promise<KeyWrapper> {
  const slash = path.lastIndexOf('/');
  const { VAULT_ADDR: address = '', VAULT_TOKEN: token = '', VAULT_NAMESPACE: namespace = '' } = process.env;
  if (address === '' || token === '') {
    throw new UsageError(
      `${address === '' ? 'VAULT_ADDR' : 'VAULT_TOKEN'} is not set, which ${flag} vault-transit:… needs`,
      'set it as for the command vault',
    );
  }
  try {
    return vaultTransit({
      address,
      token,
      mount: path.slice(0, Math.max(0, slash)),
      key: path.slice(slash + 1),
      ...(namespace === '' ? {} : { namespace }),
    });
  } catch (error) {
    const { argument } = error as { readonly argument?: string };
    throw new UsageError(
      argument === 'address' || argument === 'token' || argument === 'namespace'
        ? `VAULT_${argument === 'address' ? 'ADDR' : argument.toUpperCase()}: ${(error as Error).message}`
        : `${flag} expected vault-transit:MOUNT/KEY#NAME, such as vault-transit:transit/trefoil#production`,
    );
  }
}

async function aws(arn: string, flag: string): Promise<KeyWrapper> {
  const name = '@aws-sdk/client-kms';
  let found: { readonly KMS: new (options: object) => AwsKms };
  try {
    found = (await import(name)) as typeof found;
  } catch {
    return fail('io_failed', `aws-kms needs the package ${name}: npm install ${name}`);
  }
  const [, , , region = ''] = arn.split(':');
  try {
    // The SDK would repeat a call by itself, beside the attempts that are made here.
    return awsKms({ client: new found.KMS({ region, maxAttempts: 1 }), keyId: arn });
  } catch {
    throw new UsageError(`${flag} expected aws-kms:ARN#NAME, with the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID`);
  }
}
