/// <reference types="node" />
/**
 * The passphrase stanza of age (https://c2sp.org/age, "The scrypt recipient type") by `node:crypto`. The package
 * computes scrypt in JavaScript, which takes half as long again (measured: 1.1 s of processor time instead of 0.75 s)
 * and keeps the process from doing anything else, such as ending at Ctrl-C.
 */

import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import type { AgeIdentity, AgeRecipient } from '../../custody.ts';
import { fail } from '../../errors.ts';

const LABEL = 'age-encryption.org/v1/scrypt';

/** The base-2 logarithm of the number of rounds, for new files: as the command `age` has it. */
const WORK_FACTOR = 18;

/** The highest work factor that is opened. It needs 1 GiB of memory. */
const MAX_WORK_FACTOR = 20;

const SALT_LENGTH = 16;
const TAG_LENGTH = 16;
const BLOCK_SIZE = 8;

const AEAD = 'chacha20-poly1305';
/** The key is used once, so the nonce is constant. */
const NONCE: Uint8Array = new Uint8Array(12);

/** The key that a file key is wrapped with. */
function wrapKeyOf(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Buffer> {
  const N = 2 ** workFactor;
  // 128 * N * r bytes are the algorithm's table.
  const options = { N, r: BLOCK_SIZE, p: 1, maxmem: 128 * N * BLOCK_SIZE + 2 ** 20 };
  const labelled = Buffer.concat([Buffer.from(LABEL, 'ascii'), salt]);
  return new Promise((resolve, reject) => {
    scrypt(passphrase, labelled, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** Base64 without padding, as age writes arguments. */
const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');

/** Makes the recipient that seals a file with a passphrase. */
export function scryptRecipient(passphrase: string): AgeRecipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(SALT_LENGTH);
      const key = await wrapKeyOf(passphrase, salt, WORK_FACTOR);
      const cipher = createCipheriv(AEAD, key, NONCE, { authTagLength: TAG_LENGTH });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      key.fill(0);
      return [{ args: ['scrypt', encode(salt), String(WORK_FACTOR)], body: Uint8Array.from(body) }];
    },
  };
}

/** Makes the identity that opens a file with a passphrase. */
export function scryptIdentity(passphrase: string): AgeIdentity {
  return {
    async unwrapFileKey(stanzas) {
      const [stanza] = stanzas;
      if (stanza?.args[0] !== 'scrypt') return null;
      const [, saltText = '', workFactor = ''] = stanza.args;
      const salt = Buffer.from(saltText, 'base64');
      const isWhole = stanza.args.length === 3 && salt.length === SALT_LENGTH && encode(salt) === saltText;
      const isNumber = /^[1-9][0-9]?$/.test(workFactor) && Number(workFactor) <= MAX_WORK_FACTOR;
      if (!isWhole || !isNumber || stanza.body.length !== 16 + TAG_LENGTH) {
        fail('invalid_keyset', 'the sealed key file is damaged: its passphrase stanza is not one of age');
      }
      const key = await wrapKeyOf(passphrase, salt, Number(workFactor));
      const decipher = createDecipheriv(AEAD, key, NONCE, { authTagLength: TAG_LENGTH });
      decipher.setAuthTag(stanza.body.subarray(16));
      try {
        return Uint8Array.from(Buffer.concat([decipher.update(stanza.body.subarray(0, 16)), decipher.final()]));
      } catch {
        // Another passphrase.
        return null;
      } finally {
        key.fill(0);
      }
    },
  };
}
