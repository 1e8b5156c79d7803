/** Sealed key files: the package and the real command `age` open what the other has sealed, and damage is refused. */
import * as age from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgeStanza, openKeyFile, type SealOptions, sealKeyFile } from '../../src/custody.ts';
import { TrefoilError } from '../../src/errors.ts';
import { codeOf, rejection, thrown } from '../helpers/errors.ts';
import { type AgePlace, HAS_AGE, makeAgePlace, newIdentity, newKeyset } from './age.ts';

const text = newKeyset();
let own: Awaited<ReturnType<typeof newIdentity>>;
let other: typeof own;

beforeAll(async () => {
  own = await newIdentity();
  other = await newIdentity();
});

const seal = (more: Partial<SealOptions> = {}) => sealKeyFile(text, { age, recipients: [own.recipient], ...more });
const open = (file: Uint8Array | string, identity = own.identity) => openKeyFile(file, { age, identities: [identity] });
const codeOfOpening = async (file: Uint8Array | string, identity?: string) =>
  (await rejection(open(file, identity))).code;

/** A file with these stanzas, made by the package over a recipient of our own. */
async function fileWith(make: (fileKey: Uint8Array) => AgeStanza[] | Promise<AgeStanza[]>, payload = text) {
  const encrypter = new age.Encrypter();
  encrypter.addRecipient({ wrapFileKey: make });
  return encrypter.encrypt(payload);
}

/** The stanza of a recipient. */
async function stanzaFor(recipient: string, fileKey: Uint8Array): Promise<AgeStanza> {
  // The package has no public way to the stanza of a recipient.
  const encrypter = new age.Encrypter();
  encrypter.addRecipient(recipient);
  const { recipients } = encrypter as unknown as { readonly recipients: readonly [age.Recipient] };
  const [found] = await recipients[0].wrapFileKey(fileKey);
  return found!;
}

describe('a sealed file', () => {
  it('opens for every recipient, as bytes and as armour, and for nobody else', async () => {
    const file = await seal({ recipients: [own.recipient, other.recipient] });
    expect(file).toBeInstanceOf(Uint8Array);
    expect(await open(file as Uint8Array)).toBe(text);
    expect(await open(file as Uint8Array, other.identity)).toBe(text);
    expect(await codeOfOpening(file as Uint8Array, (await newIdentity()).identity)).toBe('key_refused');

    const armoured = (await seal({ armour: true })) as string;
    expect(armoured).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(await open(armoured)).toBe(text);
    expect(await open(new TextEncoder().encode(`\n${armoured.replaceAll('\n', '\r\n')}`))).toBe(text);
  });

  it('opens with a passphrase, and with no other', { timeout: 120_000 }, async () => {
    const file = await sealKeyFile(text, { age, passphrase: 'five words drawn by chance' });
    expect(await openKeyFile(file, { age, passphrase: 'five words drawn by chance' })).toBe(text);
    const refused = await rejection(openKeyFile(file, { age, passphrase: 'five words drawn by chancf' }));
    expect(refused.code).toBe('key_refused');
    expect(refused.message).toContain('sealed with a passphrase');
    expect(await codeOfOpening(file)).toBe('key_refused');
  });

  it('says what it is sealed with, if nothing opens it', async () => {
    const file = await seal({ recipients: [own.recipient, other.recipient] });
    const { message } = await rejection(open(file as Uint8Array, (await newIdentity()).identity));
    expect(message).toBe('nothing that was passed opens the key file, which is sealed with 2 recipients');
  });

  it('with a post-quantum recipient opens, and such a recipient beside others is refused', async () => {
    const identity = await age.generateHybridIdentity();
    const recipient = await age.identityToRecipient(identity);
    expect(await open((await seal({ recipients: [recipient] })) as Uint8Array, identity)).toBe(text);
    const mixed = await rejection(seal({ recipients: [recipient, own.recipient] }), RangeError);
    expect(mixed.message).toBe(
      '"recipients" has post-quantum recipients beside others, and age refuses such a mixture',
    );
  });

  it('is not made if it would not open: with too many recipients, or with stanzas of a recipient of the caller', async () => {
    const many = Array.from({ length: 65 }, () => own.recipient);
    await expect(seal({ recipients: many })).rejects.toThrow('"recipients" expected at most 64');
    const stanza = { args: ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '10'], body: new Uint8Array(32) };
    const odd = { wrapFileKey: () => [stanza] };
    expect((await rejection(seal({ recipients: [own.recipient, odd] }))).code).toBe('invalid_keyset');
    const broken = { wrapFileKey: () => [{ args: ['a b', ''], body: new Uint8Array(1) }] };
    expect((await rejection(seal({ recipients: [broken] }))).code).toBe('key_refused');
  });

  it('is not made from a text that is no keyset', async () => {
    expect((await rejection(sealKeyFile('{}', { age, recipients: [own.recipient] }))).code).toBe('invalid_keyset');
  });
});

describe.skipIf(!HAS_AGE)('the command age', () => {
  let place: AgePlace;
  beforeAll(() => {
    place = makeAgePlace();
  });
  afterAll(() => place.remove());

  it('opens what was sealed, as bytes and as armour', async () => {
    for (const armour of [false, true]) {
      const file = await seal({ recipients: [other.recipient, place.recipient], armour });
      expect(place.decrypt(file)).toBe(text);
    }
  });

  it('seals what opens, as bytes and as armour', async () => {
    expect(await open(place.encrypt(text), place.identity)).toBe(text);
    expect(await open(place.encrypt(text, '-a', '-r', place.recipient), place.identity)).toBe(text);
  });

  it('opens a file with the stanza of a key wrapper beside its own', async () => {
    const wrapper = {
      uri: 'test:key',
      wrap: async (key: Uint8Array) => Uint8Array.from(key, (byte) => byte ^ 0x55),
      unwrap: async (wrapped: Uint8Array) => Uint8Array.from(wrapped, (byte) => byte ^ 0x55),
    };
    const file = await seal({ recipients: [place.recipient], wrappers: [wrapper], name: 'production' });
    expect(place.decrypt(file as Uint8Array)).toBe(text);
    expect(await openKeyFile(file, { age, wrappers: [wrapper], name: 'production' })).toBe(text);
  });
});

describe('damage', () => {
  it('in any single byte of a file of 1 KB is refused, with a message that says nothing of the content', async () => {
    const padded = `${text}${' '.repeat(Math.max(0, 1024 - 200 - text.length))}`;
    const file = await sealKeyFile(padded, { age, recipients: [own.recipient] });
    expect(file.length).toBeGreaterThanOrEqual(1_000);
    const secret = /trefoil-root-1_\w+/.exec(text)![0];
    const codes = new Map<string, number>();
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice();
      changed[at]! ^= 1 << (at % 8);
      const { code, message, cause } = await rejection(open(changed));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      expect(cause).toBeUndefined();
      expect(message).not.toContain(secret.slice(16, 28));
      expect(message).not.toContain(own.identity.slice(16, 28));
    }
    // A change in the share or in the wrapped key makes the stanza one of somebody else. All others break the file.
    expect([...codes.keys()].sort()).toEqual(['invalid_keyset', 'key_refused']);
    expect(codes.get('key_refused')).toBeLessThan(110);
  });

  it('by a cut at any length, and by bytes at the end', async () => {
    const file = (await seal()) as Uint8Array;
    for (let length = 0; length < file.length; length += 7) {
      const { code } = await rejection(open(file.slice(0, length)));
      expect(code, String(length)).toBe('invalid_keyset');
    }
    expect(await codeOfOpening(Uint8Array.from([...file, 0]))).toBe('invalid_keyset');
  });

  it('of the armour', async () => {
    const armoured = (await seal({ armour: true })) as string;
    for (const broken of [
      armoured.replace(/-----END.*/, ''),
      armoured.slice(0, 200),
      armoured.replace(/\n.{64}\n/, '\n'),
      `${armoured}x`,
      armoured.replace('\n', '\n*'),
    ]) {
      expect(await codeOfOpening(broken)).toBe('invalid_keyset');
    }
  });

  it('by a payload that is not UTF-8', async () => {
    const encrypter = new age.Encrypter();
    encrypter.addRecipient(own.recipient);
    expect(await codeOfOpening(await encrypter.encrypt(Uint8Array.of(0x7b, 0xff, 0x7d)))).toBe('invalid_keyset');
  });
});

describe('a file that somebody else has written', () => {
  it('with a stanza taken from another file is refused', async () => {
    // The stanza of file A, which we open, in a file whose key is another one.
    let stanza: AgeStanza | undefined;
    await fileWith(async (key) => {
      stanza = await stanzaFor(own.recipient, key);
      return [stanza];
    });
    const swapped = await fileWith(() => [stanza!]);
    expect(await codeOfOpening(swapped)).toBe('invalid_keyset');
    // Two whole files whose headers are swapped.
    const [a, b] = (await Promise.all([seal(), seal()])) as [Uint8Array, Uint8Array];
    const end = (file: Uint8Array) => new TextDecoder('latin1').decode(file).indexOf('\n--- ') + 49;
    const mixed = Uint8Array.from([...a.slice(0, end(a)), ...b.slice(end(b))]);
    expect(await codeOfOpening(mixed)).toBe('invalid_keyset');
  });

  it('sealed to our recipient opens: age names no sender', async () => {
    const foreign = newKeyset();
    const file = await sealKeyFile(foreign, { age, recipients: [own.recipient] });
    // What stops it is the key check of the policy.
    const { keyset } = await import('../../src/keys.ts');
    const { keyCheck } = keyset.parse(text).domain('eu');
    const opened = keyset.parse(await open(file));
    expect(codeOf(() => opened.domain('eu', { keyCheck }))).toBe('key_check_mismatch');
  });

  it('in plain JSON is not sealed, with or without white space and a byte order mark before it', async () => {
    for (const plain of [text, ` \n${text}`, `\ufeff${text}`, new TextEncoder().encode(text)]) {
      expect(await codeOfOpening(plain)).toBe('key_not_sealed');
    }
    for (const junk of ['', 'x', '[]', new Uint8Array(0), Uint8Array.of(0, 1, 2)]) {
      expect(await codeOfOpening(junk)).toBe('invalid_keyset');
    }
  });

  it('with a passphrase of too much work is refused at once', async () => {
    for (const factor of ['30', '21', '0', '-1', '1e1', '999999999999']) {
      const file = await fileWith(() => [
        { args: ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', factor], body: new Uint8Array(32) },
      ]);
      const begin = performance.now();
      const { code } = await rejection(openKeyFile(file, { age, passphrase: 'x' }));
      expect(performance.now() - begin).toBeLessThan(500);
      expect(code).toBe('invalid_keyset');
    }
  });

  it('with a passphrase beside a recipient is refused, even for who has the identity', async () => {
    const file = await fileWith(async (key) => [
      await stanzaFor(own.recipient, key),
      { args: ['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '10'], body: new Uint8Array(32) },
    ]);
    expect(await codeOfOpening(file)).toBe('invalid_keyset');
  });

  it('with too many stanzas, or too large, is refused in little time', async () => {
    const stanza: AgeStanza = { args: ['X25519', 'A'.repeat(43)], body: new Uint8Array(32) };
    const many = await fileWith(() => Array.from({ length: 9_000 }, () => stanza));
    expect(many.length).toBeLessThan(1_048_576);
    const begin = performance.now();
    expect(await codeOfOpening(many)).toBe('invalid_keyset');
    const large = await fileWith(() => Array.from({ length: 100_000 }, () => stanza));
    const { message } = await rejection(open(large));
    expect(message).toBe('the key file is larger than 1 MiB');
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});

describe('options', () => {
  it.each([
    ['no way in', {}, '"options" expected recipients, wrappers or a passphrase'],
    ['an empty passphrase', { passphrase: '' }, '"passphrase" expected a text that is not empty'],
    [
      'a text that is no recipient',
      { recipients: ['age1x'] },
      '"recipients" expected recipients of age ("age1…"), got a text that is not one',
    ],
    ['a time limit of 0', { recipients: [], timeout: 0 }, '"timeout" expected a whole number from 1 to 600000'],
    ['an unknown option', { recipient: [] }, '"options" has an option that is not one of'],
  ])('%s is refused', async (_, more, message) => {
    const options = { age, ...more } as SealOptions;
    await expect(sealKeyFile(text, options)).rejects.toThrow(message);
  });

  it('a passphrase beside recipients is refused', async () => {
    const { message } = await rejection(seal({ passphrase: 'x' }), RangeError);
    expect(message).toContain('"passphrase" cannot be combined with recipients or wrappers');
  });

  it('another module than age-encryption is refused', async () => {
    const options = { age: {}, identities: [own.identity] } as never;
    await expect(openKeyFile('', options)).rejects.toThrow('"age" expected the module age-encryption, got object');
  });

  it('an identity that is no text of age is refused, and not quoted', async () => {
    const { message } = await rejection(openKeyFile('', { age, identities: ['AGE-SECRET-KEY-1QQ'] }), TrefoilError);
    expect(message).toBe('the key file is neither an age file nor JSON');
    const file = (await seal()) as Uint8Array;
    const wrong = await rejection(openKeyFile(file, { age, identities: ['AGE-SECRET-KEY-1QQ'] }), RangeError);
    expect(wrong.message).toBe(
      '"identities" expected identities of age ("AGE-SECRET-KEY-1…"), got a text that is not one',
    );
  });

  it('the error of an identity of the caller is not passed on', async () => {
    const file = (await seal()) as Uint8Array;
    const leak = {
      unwrapFileKey: () => {
        throw new Error(text);
      },
    };
    const error = await rejection(openKeyFile(file, { age, identities: [leak] }));
    expect(error.message).not.toContain('trefoil-root');
    expect(
      thrown(() => {
        throw error;
      }).cause,
    ).toBeUndefined();
  });
});
