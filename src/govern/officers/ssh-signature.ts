/**
 * SSH signatures of texts: PROTOCOL.sshsig of OpenSSH, version 1
 * (https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig). What `ssh-keygen -Y sign` writes is read;
 * of what `ssh-keygen -Y verify` accepts, these are refused: signatures of hardware without the touch or PIN that the
 * charter demands, S of Ed25519 that is L or more, numbers of ECDSA with zeros in front, version 0, and every namespace
 * but ours.
 */

import { decodeBase64 } from '../../core/base64.ts';
import { concat, equalBytes, utf8 } from '../../core/bytes.ts';
import { fail, type Where } from '../../errors.ts';
import { sha256Of, sha512Of } from '../../kernel/digest.ts';
import type { SshNamespace } from './namespace.ts';
import { type SshKey, sshCheckOf } from './ssh-key.ts';
import { sshReader, sshString } from './ssh-wire.ts';

/** The magic preamble, which no text has: a length follows it, and so a NUL ("One key, one protocol"). */
const MAGIC = 'SSHSIG';

const VERSION = 1;

/** Bytes of the longest signature field of a known type are about 120, of a key 110. */
const MOST_BYTES = 4096;

/** Flags of hardware (WebAuthn, section 6.1, "Authenticator Data"). Others say nothing to us, as to OpenSSH. */
const FLAGS = { touch: 0x01, verified: 0x04 } as const;

const HASHES: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = { sha256: sha256Of, sha512: sha512Of };

const BEGIN = '-----BEGIN SSH SIGNATURE-----\n';
const END = '-----END SSH SIGNATURE-----\n';

/**
 * Verifies an SSH signature of a message by one key.
 *
 * @param blob the bytes of an SSHSIG, without armour.
 * @throws TrefoilError `ssh_signature_invalid` if it is not an SSHSIG of this key and namespace, or does not show what
 *   the key's demands ask for; `signature_invalid` if it does not verify.
 */
export function checkSshSignature(
  key: SshKey,
  namespace: SshNamespace,
  message: Uint8Array,
  blob: Uint8Array,
  where: Where = {},
): void {
  const refuse = (words: string): never => fail('ssh_signature_invalid', words, where);
  const { hashName, hash, signature } = readSshSignature(blob, key, namespace, refuse);
  const signed = concat([
    utf8(MAGIC),
    sshString(utf8(namespace)),
    sshString(new Uint8Array(0)),
    sshString(utf8(hashName)),
    sshString(hash(message)),
  ]);
  const flags = sshCheckOf(key)!(signed, signature, refuse);
  if (flags === null) {
    const words = 'the SSH signature by a known key does not verify: the text was changed, or was never signed by it';
    fail('signature_invalid', words, where);
  }
  if (key.demands.touch && (flags & FLAGS.touch) === 0) {
    refuse('the charter demands a touch of the hardware key, and the signature was made without one');
  }
  if (key.demands.verified && (flags & FLAGS.verified) === 0) {
    refuse('the charter demands a PIN or finger of the hardware key, and the signature was made without one');
  }
}

/** Splits an SSHSIG and checks everything but the signature. */
function readSshSignature(
  blob: Uint8Array,
  key: SshKey,
  namespace: SshNamespace,
  refuse: (words: string) => never,
): {
  readonly hashName: string;
  readonly hash: (bytes: Uint8Array) => Uint8Array;
  readonly signature: Uint8Array;
} {
  if (blob.length > MOST_BYTES) refuse('the SSH signature is longer than any of a key that is taken');
  const magic = utf8(MAGIC);
  if (!equalBytes(blob.subarray(0, magic.length), magic)) refuse('the bytes are not an SSH signature');
  const reader = sshReader(blob.subarray(magic.length));
  if (reader.uint32() !== VERSION) refuse('the SSH signature is not of version 1');
  const publicKey = reader.string();
  const stated = reader.text();
  const reserved = reader.string();
  const hashName = reader.text();
  const signature = reader.string();
  if (publicKey === null || reserved === null || signature === null) {
    return refuse('the SSH signature ends too early');
  }
  if (!reader.isAtEnd()) refuse('the SSH signature has bytes after its end');
  if (!equalBytes(publicKey, key.blob)) refuse('the SSH signature is by another key than its line says');
  if (stated !== namespace) refuse(`the SSH signature is for another use than ${namespace}, its namespace`);
  if (reserved.length !== 0) refuse('the SSH signature has something in its reserved field');
  if (hashName === null || !Object.hasOwn(HASHES, hashName)) {
    return refuse('the SSH signature is over another hash than sha256 or sha512');
  }
  return { hashName, hash: HASHES[hashName]!, signature };
}

/**
 * Takes the armour off an SSH signature, as `ssh-keygen -Y sign` writes it. Line ends of Windows are understood.
 *
 * @throws TrefoilError `ssh_signature_invalid`.
 */
export function unarmoured(text: string): Uint8Array {
  const whole = text.length > 2 * MOST_BYTES ? '' : text.replaceAll('\r\n', '\n');
  const lines = whole.startsWith(BEGIN) && whole.endsWith(END) ? whole.slice(BEGIN.length, -END.length) : '';
  const isBase64 = /^(?:[A-Za-z0-9+/=]{1,76}\n)+$/.test(lines);
  return (
    (isBase64 ? decodeBase64(lines.replaceAll('\n', '')) : null) ??
    fail('ssh_signature_invalid', 'the text is not an SSH signature as ssh-keygen -Y sign writes it')
  );
}
