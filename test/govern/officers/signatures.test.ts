/** Who has signed a charter or a warrant: lines of note keys and of keys of OpenSSH under one text. */
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../../src/errors.ts';
import type { SshNamespace } from '../../../src/govern/officers/namespace.ts';
import { type PartyKey, readPartyKeys } from '../../../src/govern/officers/party-key.ts';
import { notePartySigner, sshPartySigner } from '../../../src/govern/officers/party-signer.ts';
import { addSignature, lineNameOf, partyOf, signaturesOf } from '../../../src/govern/officers/signatures.ts';
import { newNoteKey } from '../../../src/log.ts';
import { armour, type Choices, type Private, privateKey, sshLine, sshsig, TYPES } from './sshsig.ts';

const TEXT = 'trefoil warrant v1\nid 7x2k9q0m4d8r5t1w3y6b8c0f2h\n';
const NAMESPACE = 'warrant@trefoil';
const throwing = (message: string): never => {
  throw new Error(message);
};
const keysOf = (text: string): readonly PartyKey[] => readPartyKeys(text.split(' '), throwing);

/** The code of the error, and its line if it has one. */
function failed(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrefoilError)) return (error as Error).name;
    const { code, line } = error.issues[0]!;
    return line === undefined ? code : `${code} ${line}`;
  }
  return 'nothing';
}

async function rejected(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  return failed(() => {
    if (error !== null) throw error;
  });
}

const noteKey = (name: string, seed: number) =>
  newNoteKey(name, { random: (length) => new Uint8Array(length).fill(seed) });
const anna = noteKey('anna.dpo.example', 1);
const annaToo = noteKey('anna.other.example', 2);
const ed = privateKey('ssh-ed25519', 3);
const skEd = privateKey('sk-ssh-ed25519@openssh.com', 4);
const skEc = privateKey('sk-ecdsa-sha2-nistp256@openssh.com', 5);
const stranger = privateKey('ssh-ed25519', 6);

const PARTIES: ReadonlyMap<string, readonly PartyKey[]> = new Map([
  ['dora', keysOf(`ssh ${skEc.line} touch verified`)],
  ['anna', keysOf(`note ${anna.verifierKey} note ${annaToo.verifierKey} ssh ${ed.line}`)],
  ['bela', keysOf(`ssh ${skEd.line} touch`)],
]);

const bySsh = (handle: string, key: Private, choices: Choices = {}, text = TEXT): string =>
  sshLine(handle, key, sshsig(key, text, NAMESPACE, choices));
const byNote = (privateText: string, text = TEXT): Promise<string> =>
  notePartySigner(privateText).sign(text, NAMESPACE);
const note = (...lines: readonly string[]): string => `${TEXT}\n${lines.join('')}`;
const open = (text: string, namespace: SshNamespace = NAMESPACE) => signaturesOf(text, PARTIES, namespace);

describe('signaturesOf', () => {
  it('counts each party once, in the order of the parties, with the first line of each key', async () => {
    const lines = [
      bySsh('bela', skEd),
      await byNote(annaToo.privateKey),
      bySsh('nobody', stranger),
      bySsh('anna', ed, { hash: 'sha256' }),
      await byNote(anna.privateKey),
      bySsh('anna', ed),
      bySsh('dora', skEc, { flags: 5 }),
    ];
    const { text, by, unknown } = open(note(...lines));
    expect(text).toBe(TEXT);
    expect([...by.keys()]).toEqual(['dora', 'anna', 'bela']);
    // The keys of anna are in the order of the charter; of two lines of one key, the first is named.
    const named = (handle: string) => by.get(handle)!.map(({ line }) => `${line}\n`);
    expect(named('anna')).toEqual([lines[4], lines[1], lines[3]]);
    expect(named('bela')).toEqual([lines[0]]);
    expect(by.get('dora')![0]!.key).toBe(PARTIES.get('dora')![0]);
    expect(unknown).toBe(1);
    expect(open(Buffer.from(note(...lines)) as never).by.size).toBe(3);
  });

  it('returns nobody if nobody known has signed', () => {
    const { by, unknown } = open(note(bySsh('bela', stranger), bySsh('anna', skEd)));
    expect([by.size, unknown]).toEqual([0, 2]);
  });

  it('a line in the name of a party by another key is nobody’s', async () => {
    const other = noteKey('anna.dpo.example', 9);
    const { by, unknown } = open(note(await byNote(other.privateKey), await byNote(anna.privateKey)));
    expect([[...by.keys()], unknown]).toEqual([['anna'], 1]);
    // The handle is part of the key hash, so a line cannot be moved to another handle.
    expect(open(note(bySsh('dora', skEd))).by.size).toBe(0);
    expect(open(note(bySsh('bela', skEd).replace('bela', 'anna'))).by.size).toBe(0);
  });

  it('a broken signature by a known key refuses the note, whoever else has signed', async () => {
    const good = await byNote(anna.privateKey);
    const broken = await byNote(annaToo.privateKey, `${TEXT}values 9\n`);
    expect(failed(() => open(note(good, broken)))).toBe('signature_invalid 5');
    expect(failed(() => open(note(broken, good)))).toBe('signature_invalid 4');
    expect(failed(() => open(note(good, bySsh('bela', skEd, {}, `${TEXT}values 9\n`))))).toBe('signature_invalid 5');
    expect(failed(() => open(note(good, bySsh('bela', skEd, { namespace: 'refusal@trefoil' }))))).toBe(
      'ssh_signature_invalid 5',
    );
    expect(failed(() => open(note(good, sshLine('bela', skEd, Buffer.from('x')))))).toBe('ssh_signature_invalid 5');
  });

  it('the second line of a key must verify as well', async () => {
    const good = await byNote(anna.privateKey);
    expect(open(note(good, good)).by.get('anna')!.length).toBe(1);
    expect(failed(() => open(note(bySsh('anna', ed), good, bySsh('anna', ed, { version: 0 }))))).toBe(
      'ssh_signature_invalid 6',
    );
    const broken = await byNote(anna.privateKey, `${TEXT}values 9\n`);
    expect(failed(() => open(note(good, broken)))).toBe('signature_invalid 5');
  });

  it('a signature without the touch that the charter demands refuses the note', () => {
    expect(failed(() => open(note(bySsh('bela', skEd, { flags: 0 }))))).toBe('ssh_signature_invalid 4');
    expect(failed(() => open(note(bySsh('bela', skEd, { flags: 4 }))))).toBe('ssh_signature_invalid 4');
    expect(failed(() => open(note(bySsh('dora', skEc, { flags: 1 }))))).toBe('ssh_signature_invalid 4');
    expect(failed(() => open(note(bySsh('dora', skEc, { flags: 4 }))))).toBe('ssh_signature_invalid 4');
    expect(open(note(bySsh('dora', skEc, { flags: 5 }))).by.size).toBe(1);
    // Two lines of one key, of which one shows the touch.
    expect(failed(() => open(note(bySsh('bela', skEd), bySsh('bela', skEd, { flags: 0 }))))).toBe(
      'ssh_signature_invalid 5',
    );
  });

  it.each([
    ['no signature', TEXT],
    ['an empty line in the text', `${TEXT}\nmore\n\n${bySsh('bela', skEd)}`],
    ['a text that begins with an empty line', `\n${TEXT}\n${bySsh('bela', skEd)}`],
    ['carriage returns', note(bySsh('bela', skEd)).replaceAll('\n', '\r\n')],
    ['no last line feed', note(bySsh('bela', skEd)).slice(0, -1)],
    ['something after the signatures', `${note(bySsh('bela', skEd))}more\n`],
    ['a first line of another kind', `trefoil charter v1\n\n${bySsh('bela', skEd)}`],
    ['a first line without a version', `trefoil warrant\n\n${bySsh('bela', skEd)}`],
    ['a first line with more after the version', `trefoil warrant v1 x\n\n${bySsh('bela', skEd)}`],
    ['another first line', `log.example\n\n${bySsh('bela', skEd)}`],
    ['more than 32 KiB', `trefoil warrant v1\n${'x'.repeat(32_768)}\n\n${bySsh('bela', skEd)}`],
    ['more than 32 KiB of signatures', note(...Array<string>(99).fill(bySsh('dora', skEc, { flags: 5 })))],
  ])('%s: note_invalid', (_, text) => {
    expect(failed(() => open(text)).split(' ')[0]).toBe('note_invalid');
  });

  it('parties that share a key, or the name of a line, are a mistake of the caller', () => {
    const shared = [
      new Map([
        ['a', keysOf(`ssh ${ed.line}`)],
        ['b', keysOf(`ssh ${ed.line}`)],
      ]),
      // The same public key, as another type and as a note key.
      new Map([
        ['a', keysOf(`ssh ${privateKey('ssh-ed25519', 1).line}`)],
        ['b', keysOf(`note ${anna.verifierKey}`)],
      ]),
    ];
    for (const parties of shared) {
      expect(failed(() => signaturesOf(note(bySsh('a', ed)), parties, NAMESPACE))).toBe('RangeError');
    }
    const made = [{ kind: 'ssh', raw: '00', ssh: { type: 'ssh-ed25519', blob: ed.blob, demands: {} } }];
    for (const parties of [{}, new Map([['a', made]]), new Map([['a', [null]]])]) {
      expect(failed(() => signaturesOf(note(bySsh('a', ed)), parties as never, NAMESPACE))).toBe('TypeError');
    }
    for (const namespace of ['git', '', undefined, 'x@trefoil', 'toString']) {
      expect(failed(() => signaturesOf(note(bySsh('bela', skEd)), PARTIES, namespace as never))).toBe('RangeError');
    }
  });

  it('every byte of a note flipped: nothing more is signed than before, and nothing else', async () => {
    const whole = Buffer.from(
      note(await byNote(anna.privateKey), bySsh('bela', skEd), bySsh('dora', skEc, { flags: 5 })),
    );
    const text = Buffer.from(TEXT).length;
    for (const at of whole.keys()) {
      const flipped = Uint8Array.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      let opened: ReturnType<typeof open> | null = null;
      try {
        opened = signaturesOf(flipped, PARTIES, NAMESPACE);
      } catch (error) {
        expect((error as TrefoilError).code, `${at}`).toMatch(/^(note_invalid|(ssh_)?signature_invalid)$/);
      }
      // A flip in a name or key hash makes a line nobody's. Under a text that was changed, no line verifies.
      if (opened === null) continue;
      expect(at, `${at}`).toBeGreaterThan(text);
      expect(opened.text).toBe(TEXT);
      expect([opened.by.size, opened.unknown], `${at}`).toEqual([2, 1]);
    }
  });
});

describe('one use is not another', () => {
  const KINDS = ['charter', 'warrant', 'refusal', 'ratification', 'clock'] as const;
  it.each(KINDS)('a signature of a %s is none of any other text', async (kind) => {
    const text = `trefoil ${kind} v1\nat 2026-11-30T20:00:00Z\n`;
    const namespace: SshNamespace = `${kind}@trefoil`;
    const ssh = sshPartySigner('anna', ed.line, async (message, name) =>
      sshsig(ed, Buffer.from(message).toString(), name),
    );
    for (const signer of [ssh, notePartySigner(anna.privateKey)]) {
      const whole = addSignature(text, await signer.sign(text, namespace));
      expect(open(whole, namespace).by.size).toBe(1);
      for (const other of KINDS.filter((one) => one !== kind)) {
        expect(failed(() => open(whole, `${other}@trefoil`))).toBe('note_invalid 1');
        // Nor does a signer sign it.
        expect(await rejected(signer.sign(text, `${other}@trefoil`))).toBe('note_invalid 1');
        // The line under a text of the other kind.
        const moved = whole.replace(`trefoil ${kind} v1`, `trefoil ${other} v1`);
        expect(failed(() => open(moved, `${other}@trefoil`))).toMatch(/^(ssh_)?signature_invalid 4$/);
      }
    }
  });

  it('a key that is in two formats: what one signs is no signature of the other', async () => {
    const seed = 8;
    const twin = noteKey('anna', seed);
    const parties = (text: string) => new Map([['anna', keysOf(text)]]);
    const ssh = privateKey('ssh-ed25519', seed);
    const asNote = note(await byNote(twin.privateKey));
    const asSsh = note(bySsh('anna', ssh));
    expect(signaturesOf(asNote, parties(`ssh ${ssh.line}`), NAMESPACE).by.size).toBe(0);
    expect(signaturesOf(asSsh, parties(`note ${twin.verifierKey}`), NAMESPACE).by.size).toBe(0);
    // And under the line of the other one it does not verify.
    const bare = Buffer.from(asNote.trimEnd().split(' ').at(-1)!, 'base64').subarray(4);
    expect(failed(() => signaturesOf(note(sshLine('anna', ssh, bare)), parties(`ssh ${ssh.line}`), NAMESPACE))).toBe(
      'ssh_signature_invalid 4',
    );
    const hash = Buffer.from(twin.verifierKey.split('+')[1]!, 'hex');
    const moved = `— anna ${Buffer.concat([hash, ssh.bare(Buffer.from('SSHSIG'))]).toString('base64')}\n`;
    expect(failed(() => signaturesOf(note(moved), parties(`note ${twin.verifierKey}`), NAMESPACE))).toBe(
      'signature_invalid 4',
    );
  });
});

describe('signers', () => {
  it.each(TYPES)('%s: bytes or armour, in a line that verifies', async (type) => {
    const key = privateKey(type);
    for (const form of [(blob: Uint8Array) => blob, armour]) {
      const signer = sshPartySigner('eva', key.line, async (message, namespace) => {
        expect(namespace).toBe(NAMESPACE);
        return form(sshsig(key, Buffer.from(message).toString(), namespace));
      });
      expect(signer.handle).toBe('eva');
      const line = await signer.sign(TEXT, NAMESPACE);
      const { by } = signaturesOf(note(line), new Map([['eva', keysOf(`ssh ${key.line}`)]]), NAMESPACE);
      expect(by.get('eva')![0]!.key.raw).toBe(signer.key.raw);
    }
  });

  it('what signs must return its signature, with what the charter demands', async () => {
    const demanding = PARTIES.get('bela')![0]!;
    if (demanding.kind !== 'ssh') return expect.fail('the key is one of notes');
    const signing = (blob: unknown) => sshPartySigner('bela', demanding.ssh, async () => blob as Uint8Array);
    const good = sshsig(skEd, TEXT, NAMESPACE);
    expect(await rejected(signing(good).sign(TEXT, NAMESPACE))).toBe('nothing');
    for (const [blob, code] of [
      [sshsig(skEd, TEXT, NAMESPACE, { flags: 0 }), 'ssh_signature_invalid'],
      [sshsig(skEd, `${TEXT}x\n`, NAMESPACE), 'signature_invalid'],
      [sshsig(privateKey('sk-ssh-ed25519@openssh.com', 9), TEXT, NAMESPACE), 'ssh_signature_invalid'],
      [new Uint8Array(0), 'ssh_signature_invalid'],
      ['', 'ssh_signature_invalid'],
      [null, 'ssh_signature_invalid'],
      [[1], 'ssh_signature_invalid'],
    ] as const) {
      expect(await rejected(signing(blob).sign(TEXT, NAMESPACE))).toBe(code);
    }
    const failing = sshPartySigner('bela', demanding.ssh, async () => {
      throw new RangeError('the agent is gone');
    });
    await expect(failing.sign(TEXT, NAMESPACE)).rejects.toThrow('the agent is gone');
  });

  it('sign nothing but texts of the namespace, and ask nobody before', async () => {
    let asked = 0;
    const ssh = sshPartySigner('anna', ed.line, async () => {
      asked++;
      return new Uint8Array(0);
    });
    for (const signer of [ssh, notePartySigner(anna.privateKey)]) {
      for (const text of [
        '',
        'trefoil warrant v1',
        'trefoil warrant v1\r\n',
        'trefoil warrant v0\n',
        'trefoil warrant v1\n\nmore\n',
        '\ntrefoil warrant v1\n',
        'cosignature/v1\ntime 1\nlog.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
        'trefoil warrant v1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
        'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
        'SSHSIG\0\0\0\x0fwarrant@trefoil\n',
        '"@method": POST\n"@signature-params": ("@method")\n',
        `trefoil warrant v1\n${'x'.repeat(32_768)}\n`,
        'trefoil warrant v1\n\ud800\n',
      ]) {
        expect((await rejected(signer.sign(text, NAMESPACE))).split(' ')[0]).toBe('note_invalid');
      }
      expect(await rejected(signer.sign(undefined as never, NAMESPACE))).toBe('TypeError');
      expect(await rejected(signer.sign(TEXT, 'git' as never))).toBe('RangeError');
    }
    expect(asked).toBe(0);
  });

  it('have a handle of a charter, and a key', () => {
    const sign = async () => new Uint8Array(0);
    expect(notePartySigner(anna.privateKey).handle).toBeNull();
    for (const handle of ['', 'Anna', 'a b', 'a+b', 'é', undefined]) {
      expect(failed(() => sshPartySigner(handle as never, ed.line, sign))).toBe('RangeError');
    }
    expect(failed(() => sshPartySigner('anna', 'ssh-rsa AAAA', sign))).toBe('ssh_key_invalid');
    expect(failed(() => sshPartySigner('anna', { type: ed.type } as never, sign))).toBe('TypeError');
    expect(failed(() => sshPartySigner('anna', ed.line, null as never))).toBe('TypeError');
    expect(failed(() => notePartySigner(noteKey('w', 1).verifierKey))).toBe('note_key_invalid');
    const witness = newNoteKey('w.example', { algorithm: 'cosignature/v1' });
    expect(failed(() => notePartySigner(witness.privateKey))).toBe('note_key_invalid');
  });
});

describe('addSignature', () => {
  it('makes a note of a text, and extends a note, in the order of signing', async () => {
    const first = await byNote(anna.privateKey);
    const one = addSignature(TEXT, first);
    expect(one).toBe(note(first));
    expect(addSignature(one, bySsh('bela', skEd))).toBe(note(first, bySsh('bela', skEd)));
    expect(addSignature(TEXT, first.trimEnd())).toBe(one);
  });

  it('keeps what others have written, to the byte', () => {
    const odd = `— someone.else ${Buffer.alloc(3000, 1).toString('base64')}\n`;
    expect(addSignature(note(odd, odd), bySsh('bela', skEd))).toBe(note(odd, odd, bySsh('bela', skEd)));
  });

  it('refuses a key that has signed already', async () => {
    const one = note(await byNote(anna.privateKey), bySsh('bela', skEd));
    expect(failed(() => addSignature(one, bySsh('bela', skEd, { counter: 10 })))).toBe('note_invalid');
    expect(failed(() => addSignature(one, bySsh('anna', ed)))).toBe('nothing');
  });

  it.each([
    ['no line', ''],
    ['two lines', `${bySsh('bela', skEd)}${bySsh('anna', ed)}`],
    ['a line and an empty one', `${bySsh('bela', skEd)}\n`],
    ['an empty line before', `\n${bySsh('bela', skEd)}`],
    ['another text and a line', `more\n\n${bySsh('bela', skEd)}`],
    ['no signature', '— bela \n'],
    ['words', 'trefoil warrant v1\n'],
  ])('%s is no signature line', (_, line) => {
    expect(failed(() => addSignature(TEXT, line)).split(' ')[0]).toBe('note_invalid');
  });

  it('refuses what is no text or note, and what would be too long', () => {
    const line = bySsh('bela', skEd);
    for (const text of ['', 'no line feed', `${TEXT}\n`, `${TEXT}\nmore\n`, 'a\r\n', `x${'y'.repeat(32_768)}\n`]) {
      expect(failed(() => addSignature(text, line)).split(' ')[0], JSON.stringify(text.slice(0, 40))).toBe(
        'note_invalid',
      );
    }
    const nearly = `trefoil warrant v1\n${'x'.repeat(32_600)}\n`;
    expect(failed(() => addSignature(nearly, line))).toBe('note_invalid');
    expect(failed(() => addSignature(undefined as never, line))).toBe('TypeError');
    expect(failed(() => addSignature(TEXT, 7 as never))).toBe('TypeError');
  });
});

it('a key is found among the parties whatever its name, with the demands of the charter', () => {
  const [found] = [partyOf(PARTIES, keysOf(`ssh ${skEd.line}`)[0]!)];
  expect(found?.handle).toBe('bela');
  expect(found?.key).toBe(PARTIES.get('bela')![0]);
  const renamed = noteKey('another.example', 1).verifierKey;
  expect(partyOf(PARTIES, keysOf(`note ${renamed}`)[0]!)?.handle).toBe('anna');
  expect(partyOf(PARTIES, keysOf(`ssh ${stranger.line}`)[0]!)).toBeNull();
});

it('lines of SSH keys have the handle as name, and those of note keys the name of the key', () => {
  expect(lineNameOf('anna', keysOf(`note ${anna.verifierKey}`)[0]!)).toMatch(/^anna\.dpo\.example\+[0-9a-f]{8}$/);
  expect(lineNameOf('bela', keysOf(`ssh ${skEd.line}`)[0]!)).toMatch(/^bela\+[0-9a-f]{8}$/);
});
