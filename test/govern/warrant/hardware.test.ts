/**
 * Approvals by keys of OpenSSH, also on hardware, through the whole of a verification: the flags that the charter
 * demands, the namespace, and every byte of a signature line.
 */
import { describe, expect, test } from 'vitest';
import { parseCharter } from '../../../src/govern/charter/parse.ts';
import { addSignature, sshPartySigner, verifyWarrant } from '../../../src/govern.ts';
import { codeOf, thrown } from '../../helpers/errors.ts';
import { type Choices, privateKey, type SshType, sshsig, TYPES } from '../officers/sshsig.ts';
import { charterText, made, NOW, signed } from './shared.ts';

/** A charter in which greta approves with a key of this type, and the purpose demands 1 of the role board. */
function charterWith(line: string, demands: string) {
  return parseCharter(
    charterText()
      .replace(/^desk chris-desk/m, `officer greta board ssh ${line}${demands}\ndesk chris-desk`)
      .replace('approvals 1:approver values 50', 'approvals 1:approver,1:board values 50'),
  );
}

async function warrantBy(type: SshType, demands = '', choices: Choices = {}) {
  const key = privateKey(type);
  const charter = charterWith(key.line, demands);
  const { text, dossier } = made({}, 'ssh', charter);
  // The signature is made as the choices say; a signer of ours would refuse a wrong one, so the line of a right one is
  // taken apart.
  const right = sshPartySigner('greta', key.line, async (message, namespace) =>
    sshsig(key, new TextDecoder().decode(message), namespace, { flags: 5 }),
  );
  const line = await right.sign(text, 'warrant@trefoil');
  const [, head, base64] = /^(\S+ \S+ )(\S+)\n$/.exec(line)!;
  const hash = Buffer.from(base64!, 'base64').subarray(0, 4);
  const made_ = sshsig(key, text, 'warrant@trefoil', { flags: 5, ...choices });
  const note = addSignature(
    await signed(text, ['chris', 'anna']),
    `${head}${Buffer.concat([hash, made_]).toString('base64')}\n`,
  );
  return { note, options: { charter, dossier, now: NOW } };
}

describe('an approval by a key of OpenSSH', () => {
  test.each(TYPES)('of type %s counts, with both hashes', async (type) => {
    for (const hash of ['sha256', 'sha512']) {
      const { note, options } = await warrantBy(type, '', { hash });
      expect(verifyWarrant(note, options).approvers.map(({ handle }) => handle)).toEqual(['anna', 'greta']);
    }
  });

  test('on hardware shows the touch and the PIN that the charter demands', async () => {
    const type = 'sk-ssh-ed25519@openssh.com';
    const flagsOf = { '': [0, 1, 4, 5], ' touch': [1, 5], ' verified': [4, 5], ' touch verified': [5] };
    for (const [demands, good] of Object.entries(flagsOf)) {
      for (const flags of [0, 1, 4, 5]) {
        const { note, options } = await warrantBy(type, demands, { flags });
        if (good.includes(flags)) expect(verifyWarrant(note, options).approvers.length).toBe(2);
        else expect(codeOf(() => verifyWarrant(note, options))).toBe('ssh_signature_invalid');
      }
    }
  });

  test('for another use, such as a refusal, refuses the whole note', async () => {
    for (const namespace of ['refusal@trefoil', 'charter@trefoil', 'file', 'warrant@trefoil ']) {
      const { note, options } = await warrantBy('ssh-ed25519', '', { namespace });
      expect(thrown(() => verifyWarrant(note, options)).message).toContain('its namespace');
    }
  });

  test('with any byte of its line flipped, the warrant does not verify', async () => {
    const { note, options } = await warrantBy('sk-ecdsa-sha2-nistp256@openssh.com', ' touch');
    expect(verifyWarrant(note, options).approvers.length).toBe(2);
    const bytes = new TextEncoder().encode(note);
    const start = new TextEncoder().encode(note.slice(0, note.indexOf('— greta'))).length;
    for (let at = start; at < bytes.length; at++) {
      const changed = bytes.with(at, bytes[at]! ^ (1 << (at % 8)));
      expect(() => verifyWarrant(changed, options), `byte ${at}`).toThrow();
    }
  });
});
