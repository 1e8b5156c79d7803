/** Verifier keys, private keys and signers. */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { cosigner, newNoteKey, noteSigner, openNote, type Signer, signNote, verifierKey } from '../../src/log.ts';
import { bytes } from '../helpers/hex.ts';

const ANNA = newNoteKey('anna.example');
const WITNESS = newNoteKey('witness.example', { algorithm: 'cosignature/v1' });
const CHECKPOINT = 'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';

/** A key that x/mod's note.GenerateKey would write from the seed of RFC 8032, section 7.1, test 2. */
const SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const fixed = (name: string) => newNoteKey(name, { random: () => bytes(SEED) });

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    for (const secret of [ANNA.privateKey.slice(-40), WITNESS.privateKey.slice(-40)]) {
      expect(error.message).not.toContain(secret);
    }
    return error.code;
  }
  return 'accepted';
};
const b64 = (data: Uint8Array) => Buffer.from(data).toString('base64');

describe('verifier keys', () => {
  it('have a name, a key hash and an algorithm, and are frozen data', () => {
    const text = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    const key = verifierKey(text);
    expect({ ...key }).toEqual({ name: 'example.com/foo', keyHash: '530d903a', text, algorithm: 'ed25519' });
    expect(Object.isFrozen(key)).toBe(true);
    expect(JSON.parse(JSON.stringify(key))).toEqual({ ...key });
    expect(verifierKey(WITNESS.verifierKey).algorithm).toBe('cosignature/v1');
  });

  const [name = '', hash = '', key = ''] = fixed('a.example').verifierKey.split('+');
  it.each([
    ['no text', ''],
    ['no plus', 'a.example'],
    ['no key', `${name}+${hash}`],
    ['no name', `+${hash}+${key}`],
    ['a space in the name', `a example+${hash}+${key}`],
    ['a line feed at the end', `${name}+${hash}+${key}\n`],
    ['another name', `b.example+${hash}+${key}`],
    ['a short key hash', `${name}+${hash.slice(1)}+${key}`],
    ['a key hash in upper case', `${name}+${'ABCDEF01'}+${key}`],
    ['another key hash', `${name}+${'00000000'}+${key}`],
    ['a key that is not base64', `${name}+${hash}+${key.slice(0, -1)}`],
    ['a key in the alphabet for URLs', `${name}+${hash}+_${key.slice(1)}`],
    ['a private key', ANNA.privateKey],
    ['a long text', 'a'.repeat(100_000)],
  ])('with %s are refused', (_, text) => {
    expect(code(() => verifierKey(text))).toBe('note_key_invalid');
  });

  /** A verifier key with a key hash that fits, whatever the key is. */
  const fitting = (type: number, data: Uint8Array): string => {
    const typed = Buffer.concat([Buffer.of(type), data]);
    const digest = process.getBuiltinModule('node:crypto').createHash('sha256').update('x.example\n').update(typed);
    return `x.example+${digest.digest('hex').slice(0, 8)}+${b64(typed)}`;
  };
  const point = Buffer.from(key, 'base64').subarray(1);

  it.each([
    ['small order', bytes(`01${'00'.repeat(31)}`)],
    ['small order, a point of order 8', bytes('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')],
    ['an encoding that is not canonical', bytes(`ee${'ff'.repeat(30)}7f`)],
    ['31 bytes', point.subarray(1)],
    ['33 bytes', Buffer.concat([point, Buffer.of(0)])],
    ['no bytes', new Uint8Array(0)],
  ])('with a key of %s are refused, for notes and for cosignatures', (_, data) => {
    for (const type of [1, 4]) expect(code(() => verifierKey(fitting(type, data)))).toBe('note_key_invalid');
  });

  it('with a key of mixed order are refused', () => {
    const edges = readFileSync(new URL('../kernel/curves/edges.jsonl', import.meta.url), 'utf8')
      .trimEnd()
      .split('\n');
    const mixed = edges.map((line) => JSON.parse(line)).filter(({ name }) => /^A \+ [1-7] T8/.test(name));
    expect(mixed.length).toBeGreaterThan(50);
    for (const key of new Set<string>(mixed.map(({ key }) => key))) {
      expect(() => verifierKey(fitting(1, bytes(key)))).toThrow(/prime order/);
    }
  });

  it.each([0, 2, 3, 5, 6, 255])('of type %i are refused, because nothing here verifies them', (type) => {
    expect(() => verifierKey(fitting(type, point))).toThrow(/type/);
  });

  it('of types 1 and 4 with one public key are two keys with two key hashes', () => {
    const [note, witness] = [1, 4].map((type) => verifierKey(fitting(type, point)));
    expect(note!.keyHash).not.toBe(witness!.keyHash);
  });
});

describe('private keys', () => {
  it('have the form of Go, and give the verifier key of Go', () => {
    // Computed with golang.org/x/mod v0.43.0, note.GenerateKey over the seed.
    expect(fixed('anna.dpo.example')).toEqual({
      privateKey: 'PRIVATE+KEY+anna.dpo.example+ecee6d64+AUzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7',
      verifierKey: 'anna.dpo.example+ecee6d64+AT1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM',
    });
  });

  it('that were made twice differ', () => {
    expect(newNoteKey('a').privateKey).not.toBe(newNoteKey('a').privateKey);
  });

  it('sign with the signer that was made from them, with or without a final line feed', async () => {
    for (const text of [ANNA.privateKey, `${ANNA.privateKey}\n`]) {
      const signer = noteSigner(text);
      expect(signer.verifierKey).toBe(ANNA.verifierKey);
      const note = await signNote('text\n', [signer]);
      expect(openNote(note, [verifierKey(ANNA.verifierKey)]).text).toBe('text\n');
    }
  });

  it.each([
    ['nothing', ''],
    ['a verifier key', ANNA.verifierKey],
    ['another name', ANNA.privateKey.replace('anna', 'bela')],
    ['a cut end', ANNA.privateKey.slice(0, -4)],
    ['two line feeds', `${ANNA.privateKey}\n\n`],
    ['a carriage return', `${ANNA.privateKey}\r\n`],
    ['a space', ` ${ANNA.privateKey}`],
    ['a key for cosignatures', WITNESS.privateKey],
  ])('with %s are refused', (_, text) => {
    expect(code(() => noteSigner(text))).toBe('note_key_invalid');
  });

  it('for notes make no cosigner: one key has one use', () => {
    expect(code(() => cosigner(ANNA.privateKey))).toBe('note_key_invalid');
    expect(() => cosigner(ANNA.privateKey)).toThrow(/two uses/);
  });

  it('do not show in the signer', () => {
    const secret = ANNA.privateKey.split('+').at(-1)!;
    const signer = noteSigner(ANNA.privateKey);
    const shown = [inspect(signer, { showHidden: true, depth: 9 }), JSON.stringify(signer), String(signer)].join();
    expect(shown).not.toContain(secret.slice(0, 10));
    expect(Object.keys(signer).sort()).toEqual(['keyHash', 'name', 'sign', 'verifierKey']);
  });

  it.each(['', 'a b', 'a+b', 'a\tb', 'a\u2003b', '\ud800', 'a'.repeat(256)])(
    'are not made for a wrong name',
    (name) => {
      expect(() => newNoteKey(name)).toThrow(RangeError);
    },
  );

  it('are not made from a generator that gives something else than 32 bytes', () => {
    for (const random of [() => new Uint8Array(31), () => 'x'.repeat(32)]) {
      expect(() => newNoteKey('a', { random: random as never })).toThrow(RangeError);
    }
  });

  it('of any name and seed are read again', () => {
    const names = fc.string({ minLength: 1, maxLength: 40 }).filter((name) => !/[\s+\x00-\x20\x85]/.test(name));
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(names, seeds, fc.constantFrom('ed25519', 'cosignature/v1'), (name, seed, algorithm) => {
        const { privateKey, verifierKey: text } = newNoteKey(name, { algorithm, random: () => seed });
        const signer = (algorithm === 'ed25519' ? noteSigner : cosigner)(privateKey);
        expect(signer.verifierKey).toBe(text);
        expect(verifierKey(text)).toMatchObject({ name, keyHash: signer.keyHash, text, algorithm });
      }),
      { numRuns: 50 },
    );
  });
});

describe('signing', () => {
  const signer = noteSigner(ANNA.privateKey);

  it.each([
    ['no final line feed', 'text'],
    ['nothing', ''],
    ['a carriage return', 'a\r\n'],
    ['a NUL', 'a\0\n'],
    ['a tab', 'a\tb\n'],
    ['65,537 bytes', `${'x'.repeat(65_536)}\n`],
    ['the first line of a cosignature', `cosignature/v1\ntime 1\n${CHECKPOINT}`],
  ])('a text with %s is refused', async (_, text) => {
    await expect(signNote(text, [signer])).rejects.toMatchObject({ code: 'note_invalid' });
  });

  it('a text with half of a surrogate pair is refused', async () => {
    await expect(signNote('\ud800\n', [signer])).rejects.toMatchObject({ code: 'lone_surrogate' });
  });

  it('bytes that are no note text are refused by the signer itself', () => {
    for (const message of ['SSHSIG', 'text', '\ufffe\0\n']) {
      expect(code(() => signer.sign(new TextEncoder().encode(message)))).toBe('note_invalid');
    }
    expect(code(() => signer.sign(Uint8Array.of(0xff, 0x0a)))).toBe('note_invalid');
  });

  it('a signer outside this process signs as well, also later', async () => {
    const key = noteSigner(ANNA.privateKey);
    const remote: Signer = { ...key, sign: async (message) => key.sign(message) };
    expect(openNote(await signNote('text\n', [remote]), [verifierKey(ANNA.verifierKey)]).text).toBe('text\n');
  });

  it.each([
    ['returns another signature', async () => new Uint8Array(64)],
    ['returns no bytes', async () => 'signature'],
    ['returns nothing', () => undefined],
    ['signs another text', () => signer.sign(new TextEncoder().encode('other\n'))],
  ])('a signer that %s makes no note', async (_, sign) => {
    const wrong = { ...signer, sign } as Signer;
    await expect(signNote('text\n', [wrong])).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  it('a signer that writes into the message does not change what the next one signs', async () => {
    const other = newNoteKey('bela.example');
    const writing: Signer = {
      ...signer,
      sign: (message) => {
        const signature = signer.sign(message);
        message.fill(0);
        return signature;
      },
    };
    const note = await signNote('text\n', [writing, noteSigner(other.privateKey)]);
    expect(
      openNote(
        note,
        [ANNA, other].map(({ verifierKey: text }) => verifierKey(text)),
      ).signatures.length,
    ).toBe(2);
  });

  it('lists of signers with a key twice, with none and with more than 100 are mistakes of the caller', async () => {
    for (const signers of [[], [signer, signer], new Array(101).fill(signer)]) {
      await expect(signNote('text\n', signers)).rejects.toThrow(RangeError);
    }
    await expect(signNote('text\n', signer as never)).rejects.toThrow(TypeError);
  });

  it('what a signer throws passes through', async () => {
    const broken: Signer = {
      ...signer,
      sign: () => {
        throw new Error('the token was removed');
      },
    };
    await expect(signNote('text\n', [broken])).rejects.toThrow('the token was removed');
  });
});

describe('cosignatures', () => {
  it.each([
    ['a charter', 'trefoil charter v1\nversion 4\n'],
    ['two lines', 'log.example\n0\n'],
    ['an empty origin', CHECKPOINT.replace('log.example', '')],
    ['a size with a leading zero', CHECKPOINT.replace('\n0\n', '\n00\n')],
    ['a size of 2^63', CHECKPOINT.replace('\n0\n', '\n9223372036854775808\n')],
    ['a negative size', CHECKPOINT.replace('\n0\n', '\n-1\n')],
    ['a root of 31 bytes', CHECKPOINT.replace(/\S+=\n$/, `${b64(new Uint8Array(31))}\n`)],
    ['a root with bits after its end', CHECKPOINT.replace('U=\n', 'V=\n')],
    ['an empty extension line', `${CHECKPOINT}\n`],
    ['a control character', CHECKPOINT.replace('log', 'l\tog')],
  ])('a text with %s is no checkpoint and gets none', async (_, text) => {
    const witness = cosigner(WITNESS.privateKey);
    expect(code(() => witness.sign(new TextEncoder().encode(text)))).toBe('note_invalid');
    await expect(signNote(text, [witness])).rejects.toMatchObject({ code: 'note_invalid' });
  });

  it.each([CHECKPOINT, `${CHECKPOINT}extension\n`, CHECKPOINT.replace('\n0\n', '\n9223372036854775807\n')])(
    'a checkpoint gets one with the time of the clock in whole seconds',
    async (text) => {
      const note = await signNote(text, [cosigner(WITNESS.privateKey, { now: () => 1_679_315_147_999 })]);
      const { signatures } = openNote(note, [verifierKey(WITNESS.verifierKey)]);
      expect(signatures.map(({ time }) => time)).toEqual([1_679_315_147]);
    },
  );

  it('a clock that is not one is a mistake of the caller', () => {
    for (const now of [() => -1, () => 0, () => 999, () => Number.NaN, () => Number.POSITIVE_INFINITY, () => '1']) {
      const witness = cosigner(WITNESS.privateKey, { now: now as never });
      expect(() => witness.sign(new TextEncoder().encode(CHECKPOINT))).toThrow(RangeError);
    }
  });

  it('the time is signed: a note with another time is refused', async () => {
    const note = await signNote(CHECKPOINT, [cosigner(WITNESS.privateKey)]);
    const parts = note.split(' ');
    const signature = Buffer.from(parts[2]!, 'base64');
    signature[11]! ^= 1;
    const changed = `${parts.slice(0, 2).join(' ')} ${signature.toString('base64')}\n`;
    expect(code(() => openNote(changed, [verifierKey(WITNESS.verifierKey)]))).toBe('signature_invalid');
  });
});
