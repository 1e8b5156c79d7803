/** The file of docs/spec/at-rest-v1.md, which an independent program has made, opens by both of its ways in. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as age from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from '../../src/core/base64.ts';
import { wrapperRecipient } from '../../src/custody/stanza.ts';
import { contextBytes, type KeyContext, type KeyWrapper, openKeyFile } from '../../src/custody.ts';
import { keyset } from '../../src/keys.ts';
import { HAS_AGE, makeAgePlace } from '../custody/age.ts';
import { rejection } from '../helpers/errors.ts';
import { bytes, hex } from '../helpers/hex.ts';

const page = readFileSync(new URL('../../docs/spec/at-rest-v1.md', import.meta.url), 'utf8');
const rows = [...page.slice(page.indexOf('## Vectors')).matchAll(/^\| (.+?) \| `(.+?)` \|$/gm)];
const vector = new Map(rows.map(([, name, value]) => [name!, value!]));
const file = decodeBase64url(vector.get('file')!)!;
const text = vector.get('payload')!;

/** The KMS of the page. It encrypts with the nonce of the page alone. */
const imported = crypto.subtle.importKey('raw', bytes(vector.get('key of the KMS')!), 'AES-GCM', false, [
  'encrypt',
  'decrypt',
]);
const nonce = bytes(vector.get('wrapped key')!).slice(0, 12);
const gcm = (iv: Uint8Array, context: KeyContext) => ({
  name: 'AES-GCM',
  iv: Uint8Array.from(iv),
  additionalData: Uint8Array.from(contextBytes(context)),
});
const wrapper: KeyWrapper = {
  uri: 'example:main',
  async wrap(key, context) {
    const sealed = await crypto.subtle.encrypt(gcm(nonce, context), await imported, Uint8Array.from(key));
    return Uint8Array.from([...nonce, ...new Uint8Array(sealed)]);
  },
  async unwrap(wrapped, context) {
    const parameters = gcm(wrapped.subarray(0, 12), context);
    const body = Uint8Array.from(wrapped.subarray(12));
    return new Uint8Array(await crypto.subtle.decrypt(parameters, await imported, body));
  },
};

describe('at-rest-v1', () => {
  it('has the file of the page', () => {
    expect(createHash('sha256').update(file).digest('hex')).toBe(
      'd73864fe1f031ba255e5abf4f6797e870efbe22516dc616e28aa1a4ada3eeb68',
    );
    expect(keyset.parse(text).domain('eu-enclave').keyId).toBe('s0nr0');
  });

  it('opens it with the identity, and with the KMS', async () => {
    expect(await openKeyFile(file, { age, identities: [vector.get('identity')!] })).toBe(text);
    expect(await openKeyFile(file, { age, wrappers: [wrapper], name: 'production', region: 'eu' })).toBe(text);
  });

  it.each([{ name: 'production' }, { name: 'production', region: 'us' }, { name: 'test', region: 'eu' }])(
    'does not open it with the KMS for %o',
    async (options) => {
      await rejection(openKeyFile(file, { age, wrappers: [wrapper], ...options }));
    },
  );

  it('writes the stanza of the page', async () => {
    const context: KeyContext = { trefoil: 'keyset', name: 'production', region: 'eu' };
    expect(new TextDecoder().decode(contextBytes(context))).toBe(vector.get('context'));
    const recipient = wrapperRecipient(wrapper, { context, timeout: 1_000, signal: undefined });
    const [stanza, ...others] = await recipient.wrapFileKey(bytes(vector.get('file key')!));
    expect(others).toEqual([]);
    expect(stanza!.args).toEqual(['trefoil/kms-v1', vector.get('argument of the stanza')]);
    expect(hex(stanza!.body)).toBe(vector.get('wrapped key'));
    expect(await age.identityToRecipient(vector.get('identity')!)).toBe(vector.get('recipient'));
  });

  it.skipIf(!HAS_AGE)('is opened by the command age', () => {
    const place = makeAgePlace();
    expect(place.decrypt(file, vector.get('identity')!)).toBe(text);
    place.remove();
  });
});
