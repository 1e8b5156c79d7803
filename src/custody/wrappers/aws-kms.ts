/**
 * Key wrapper of AWS KMS, over a client of the AWS SDK for JavaScript v3 that the caller has made
 * (https://docs.aws.amazon.com/kms/latest/APIReference, "Encrypt" and "Decrypt").
 */

import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { checkCall, contextBytes, type KeyContext, type KeyWrapper, type WrapperCall } from '../wrapper.ts';

/** What is asked of AWS KMS. */
interface Input {
  readonly KeyId: string;
  readonly EncryptionAlgorithm: 'SYMMETRIC_DEFAULT';
  readonly EncryptionContext: Record<string, string>;
}

/** What the client is passed beside its input. */
interface SendOptions {
  readonly abortSignal: AbortSignal;
}

/** A client that has a method for each operation, such as `new KMS({ … })`. */
export interface AwsKms {
  encrypt(input: Input & { readonly Plaintext: Uint8Array }, options: SendOptions): Promise<unknown>;
  decrypt(input: Input & { readonly CiphertextBlob: Uint8Array }, options: SendOptions): Promise<unknown>;
}

/** A client that sends commands: `new KMSClient({ … })`. */
export interface AwsKmsClient {
  // biome-ignore lint/suspicious/noExplicitAny: the client takes the union of all its commands, which is not named here
  send(command: any, options: SendOptions): Promise<unknown>;
}

/** The two classes of commands of `@aws-sdk/client-kms`. */
export interface AwsKmsCommands {
  readonly EncryptCommand: new (input: Input & { readonly Plaintext: Uint8Array }) => object;
  readonly DecryptCommand: new (input: Input & { readonly CiphertextBlob: Uint8Array }) => object;
}

/** Options of {@link awsKms}. */
export interface AwsKmsOptions {
  /**
   * `new KMS({ … })`, or `new KMSClient({ … })` with `commands`. Set its `maxAttempts` to 1: calls are repeated here.
   */
  readonly client: AwsKms | AwsKmsClient;
  /** ARN of a symmetric key: `arn:aws:kms:REGION:ACCOUNT:key/ID`. */
  readonly keyId: string;
  /** `{ EncryptCommand, DecryptCommand }` of `@aws-sdk/client-kms`, for a `KMSClient`. */
  readonly commands?: AwsKmsCommands;
}

/** An ARN of a key. An alias is not accepted: it can be pointed at another key. */
const ARN = /^arn:aws[a-z-]{0,16}:kms:[a-z0-9-]{1,32}:[0-9]{12}:key\/[A-Za-z0-9-]{1,64}$/;

/**
 * Makes a key wrapper of AWS KMS. Its `uri` is `aws-kms:` and the ARN. The context is the EncryptionContext, so a key
 * policy can demand it (`kms:EncryptionContext:name`) and CloudTrail shows it.
 *
 * The process needs `kms:Encrypt` to seal, and `kms:Decrypt` to open.
 *
 * @throws TypeError, RangeError for options that do not fit.
 *
 * @example
 * ```ts
 * // not run: needs an account of AWS
 * import { type AwsKms, awsKms } from 'trefoil/custody';
 *
 * // new KMS({ region: 'eu-central-1', maxAttempts: 1 }) of @aws-sdk/client-kms
 * declare const client: AwsKms;
 * const keyId = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
 * const wrapper = awsKms({ client, keyId });
 * ```
 */
export function awsKms(options: AwsKmsOptions): KeyWrapper {
  const { client, keyId, commands } = checkOptions<AwsKmsOptions>('options', options, ['client', 'keyId', 'commands']);
  if (typeof keyId !== 'string') badType('keyId', `expected text, got ${typeName(keyId)}`);
  if (!ARN.test(keyId)) badRange('keyId', 'expected the ARN of a key, "arn:aws:kms:REGION:ACCOUNT:key/ID"');
  const { encrypt, decrypt } = verbsOf(client, commands);
  const input = (context: KeyContext): Input => ({
    KeyId: keyId,
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    // By way of the bytes, which checks it and copies it.
    EncryptionContext: JSON.parse(new TextDecoder().decode(contextBytes(context))),
  });

  return Object.freeze({
    uri: `aws-kms:${keyId}`,
    async wrap(key: Uint8Array, context: KeyContext, call: WrapperCall): Promise<Uint8Array> {
      const signal = checkCall('key', key, call);
      const answer = await encrypt({ ...input(context), Plaintext: key }, { abortSignal: signal });
      return partOf(answer, 'CiphertextBlob', keyId);
    },
    async unwrap(wrapped: Uint8Array, context: KeyContext, call: WrapperCall): Promise<Uint8Array> {
      const signal = checkCall('wrapped', wrapped, call);
      const answer = await decrypt({ ...input(context), CiphertextBlob: wrapped }, { abortSignal: signal });
      return partOf(answer, 'Plaintext', keyId);
    },
  });
}

/** The two verbs of a client, of either kind. */
function verbsOf(client: unknown, commands: AwsKmsCommands | undefined): AwsKms {
  const found = (client ?? {}) as Partial<AwsKms & AwsKmsClient>;
  if (commands !== undefined) {
    const { EncryptCommand, DecryptCommand } = (commands ?? {}) as Partial<AwsKmsCommands>;
    if (typeof EncryptCommand !== 'function' || typeof DecryptCommand !== 'function') {
      badType('commands', 'expected { EncryptCommand, DecryptCommand } of @aws-sdk/client-kms');
    }
    if (typeof found.send !== 'function') badType('client', `expected a KMSClient, got ${typeName(client)}`);
    return {
      encrypt: (input, options) => found.send!(new EncryptCommand(input), options),
      decrypt: (input, options) => found.send!(new DecryptCommand(input), options),
    };
  }
  if (typeof found.encrypt !== 'function' || typeof found.decrypt !== 'function') {
    badType('client', 'expected a KMS of @aws-sdk/client-kms, or a KMSClient with "commands"');
  }
  return {
    encrypt: (input, options) => found.encrypt!(input, options),
    decrypt: (input, options) => found.decrypt!(input, options),
  };
}

/** The bytes of an answer. The SDK returns an answer without them as a success, and one about another key, too. */
function partOf(answer: unknown, part: 'CiphertextBlob' | 'Plaintext', keyId: string): Uint8Array {
  const found = (answer ?? {}) as Readonly<Record<string, unknown>>;
  const bytes = found[part];
  if (!(bytes instanceof Uint8Array) || found.KeyId !== keyId) {
    return fail('key_answer_broken', 'AWS KMS did not answer with a key');
  }
  return bytes;
}
