/**
 * SSH keys and signatures, made from PROTOCOL.sshsig and PROTOCOL.u2f with node:crypto, so that every part can be made
 * wrong. Nothing of src is used.
 */
import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type SshType =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'sk-ssh-ed25519@openssh.com'
  | 'sk-ecdsa-sha2-nistp256@openssh.com';

export const TYPES: readonly SshType[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
];

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const string = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([uint32(bytes.length), bytes]);
};
export const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** A number as SSH writes it, or with zeros in front. */
export const mpint = (bytes: Uint8Array, zeros = 0): Buffer => {
  let at = 0;
  while (bytes[at] === 0) at++;
  const digits = bytes.subarray(at);
  const sign = (digits[0] ?? 0) >= 0x80 ? 1 : 0;
  return string(Buffer.concat([Buffer.alloc(sign + zeros), digits]));
};

/** The private half of a key. */
export interface Private {
  readonly type: SshType;
  readonly isHardware: boolean;
  /** The bare public key. */
  readonly raw: Buffer;
  readonly blob: Buffer;
  /** Type and base64. */
  readonly line: string;
  /** The 64 bytes of a signature, as of IEEE P1363. */
  readonly bare: (message: Uint8Array) => Buffer;
}

/** Makes a key from a seed of one byte. */
export function privateKey(type: SshType, seed = 7, application = 'ssh:'): Private {
  const isHardware = type.startsWith('sk-');
  const scalar = Buffer.alloc(32, seed);
  let raw: Buffer;
  let key: KeyObject;
  if (type.includes('ed25519')) {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), scalar]);
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
  } else {
    const head = '303102010104' + '20';
    const der = Buffer.concat([Buffer.from(head, 'hex'), scalar, Buffer.from('a00a06082a8648ce3d030107', 'hex')]);
    key = createPrivateKey({ key: der, format: 'der', type: 'sec1' });
    raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-65);
  }
  const blob = keyBlob(type, raw, application);
  return {
    type,
    isHardware,
    raw,
    blob,
    line: `${type} ${blob.toString('base64')}`,
    bare: (message) =>
      type.includes('ed25519') ? sign(null, message, key) : sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

/** A public key as SSH writes it. */
export function keyBlob(type: string, raw: Uint8Array, application = 'ssh:', curve = 'nistp256'): Buffer {
  const parts = [string(type)];
  if (type.includes('ecdsa')) parts.push(string(curve));
  parts.push(string(raw));
  if (type.startsWith('sk-')) parts.push(string(application));
  return Buffer.concat(parts);
}

/** What can be chosen, and made wrong, in a signature. */
export interface Choices {
  readonly magic?: string;
  readonly version?: number;
  readonly namespace?: string;
  readonly reserved?: string;
  readonly hash?: string;
  readonly flags?: number;
  readonly counter?: number;
  /** The key that the SSHSIG names. */
  readonly key?: Uint8Array;
  /** The type that the signature field names. */
  readonly signatureType?: string;
  /** Changes the 64 bytes. */
  readonly change?: (bare: Buffer, message: Buffer) => Buffer;
  /** Writes the 64 bytes in another way. */
  readonly write?: (bare: Buffer) => Buffer;
  /** What stands after flags and counter, and after the whole. */
  readonly afterSignature?: string;
  readonly after?: string;
}

/** The message that a key which is not on hardware signs. */
export function signedMessage(text: string, namespace: string, hash: string, reserved = ''): Buffer {
  const digest = createHash(hash === 'sha256' || hash === 'sha1' ? hash : 'sha512')
    .update(text)
    .digest();
  return Buffer.concat([Buffer.from('SSHSIG'), string(namespace), string(reserved), string(hash), string(digest)]);
}

/** Makes an SSHSIG. Every choice is signed as it is. */
export function sshsig(key: Private, text: string, namespace: string, choices: Choices = {}): Buffer {
  const { hash = 'sha512', reserved = '', flags = 1, counter = 9 } = choices;
  let message = signedMessage(text, choices.namespace ?? namespace, hash, reserved);
  const tail = key.isHardware ? Buffer.concat([Buffer.of(flags), uint32(counter)]) : Buffer.alloc(0);
  if (key.isHardware) message = Buffer.concat([sha256(applicationOf(key)), tail, sha256(message)]);
  const bare = choices.change?.(key.bare(message), message) ?? key.bare(message);
  const inner =
    choices.write?.(bare) ??
    (key.type.includes('ecdsa') ? Buffer.concat([mpint(bare.subarray(0, 32)), mpint(bare.subarray(32))]) : bare);
  const signature = Buffer.concat([
    string(choices.signatureType ?? key.type),
    string(inner),
    tail,
    Buffer.from(choices.afterSignature ?? ''),
  ]);
  return Buffer.concat([
    Buffer.from(choices.magic ?? 'SSHSIG'),
    uint32(choices.version ?? 1),
    string(choices.key ?? key.blob),
    string(choices.namespace ?? namespace),
    string(reserved),
    string(hash),
    string(signature),
    Buffer.from(choices.after ?? ''),
  ]);
}

function applicationOf({ blob }: Private): Buffer {
  return blob.subarray(blob.lastIndexOf('ssh:'));
}

/** The armour of `ssh-keygen`. */
export function armour(blob: Uint8Array): string {
  const lines = Buffer.from(blob)
    .toString('base64')
    .match(/.{1,70}/g)!;
  return `-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`;
}

/** The line of a signature in a note. */
export function sshLine(handle: string, key: Private, blob: Uint8Array): string {
  const hash = sha256(handle, '\n', Buffer.of(0xff), 'trefoil sshsig v1', key.blob).subarray(0, 4);
  return `— ${handle} ${Buffer.concat([hash, blob]).toString('base64')}\n`;
}

/** Whether the real `ssh-keygen -Y verify` says that the signature is good. */
export function opensshVerifies(
  folder: string,
  line: string,
  text: string,
  namespace: string,
  blob: Uint8Array,
): boolean {
  writeFileSync(join(folder, 'allowed'), `anna ${line}\n`);
  writeFileSync(join(folder, 'sig'), armour(blob));
  const args = [
    '-Y',
    'verify',
    '-f',
    join(folder, 'allowed'),
    '-I',
    'anna',
    '-n',
    namespace,
    '-s',
    join(folder, 'sig'),
  ];
  const { status, stdout } = spawnSync('ssh-keygen', args, { input: text, encoding: 'utf8' });
  return status === 0 && stdout.startsWith('Good ');
}

let found: boolean | undefined;

/** Whether there is an `ssh-keygen` to compare with. */
export function hasSshKeygen(): boolean {
  // Without a terminal and with a wrong option it prints its usage and ends.
  found ??= spawnSync('ssh-keygen', ['-?'], { stdio: 'ignore' }).error === undefined;
  return found;
}
