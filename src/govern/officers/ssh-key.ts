/**
 * Public keys of OpenSSH: RFC 4253, section 6.6; RFC 8709 (Ed25519); RFC 5656 (ECDSA); PROTOCOL.u2f of OpenSSH (keys on
 * hardware, `sk-…`, https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.u2f). Four types are read. RSA and
 * DSA are not, because they have forms that verifiers judge differently; nor are certificates, because a charter names
 * keys, and no authority over them.
 */

import { decodeBase64, encodeBase64 } from '../../core/base64.ts';
import { concat, utf8 } from '../../core/bytes.ts';
import { badType, checkOptions, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { ed25519Verifier } from '../../kernel/curves/ed25519.ts';
import { p256Verifier } from '../../kernel/curves/p256.ts';
import { sha256Of } from '../../kernel/digest.ts';
import { type SshReader, sshReader, sshUint32 } from './ssh-wire.ts';

const CHECK = Symbol.for('trefoil.ssh-key.v1');

/** What an SSH signature must show, besides that it verifies. Only keys on hardware can show it. */
export interface SshDemands {
  /** The flag of user presence: somebody touched the hardware key. `ssh-keygen -Y verify` does not ask for it. */
  readonly touch: boolean;
  /** The flag of user verification: the hardware key asked for a PIN or a finger. */
  readonly verified: boolean;
}

/** A public key of OpenSSH. It is data; its code is behind a symbol. */
export interface SshKey {
  readonly type: SshKeyType;
  /** The public key as SSH writes it (RFC 4253, section 6.6). */
  readonly blob: Uint8Array;
  readonly demands: SshDemands;
}

/** The types of keys that are read. */
export type SshKeyType =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'sk-ssh-ed25519@openssh.com'
  | 'sk-ecdsa-sha2-nistp256@openssh.com';

/** What a signature over a message shows: the flags of the hardware, 0 for other keys. `null`: it does not verify. */
export type ShownFlags = number | null;

/** Verifies the signature field of an SSHSIG. @throws what `refuse` throws, if it is not a signature of this type. */
export type SshCheck = (message: Uint8Array, signature: Uint8Array, refuse: (message: string) => never) => ShownFlags;

const TYPES: Readonly<Record<SshKeyType, { readonly curve: 'ed25519' | 'p256'; readonly isHardware: boolean }>> = {
  'ssh-ed25519': { curve: 'ed25519', isHardware: false },
  'ecdsa-sha2-nistp256': { curve: 'p256', isHardware: false },
  'sk-ssh-ed25519@openssh.com': { curve: 'ed25519', isHardware: true },
  'sk-ecdsa-sha2-nistp256@openssh.com': { curve: 'p256', isHardware: true },
};

/** The longest base64 of a key: far more than any of the four types has. */
const MOST_SYMBOLS = 1024;

/**
 * What the application of a key on hardware must be. `ssh-keygen` makes keys with `ssh:` alone. A browser lets a web
 * page use a key whose application is the page's own host name, and no host name begins with `ssh:`. So no web page can
 * ask such a key for a signature.
 */
const APPLICATION = /^ssh:[\x21-\x7e]{0,251}$/;

/**
 * Reads a public key of OpenSSH, the line of a `.pub` file: type, base64 and perhaps a comment, which is dropped.
 *
 * Read are `ssh-ed25519`, `ecdsa-sha2-nistp256`, and their forms on hardware, `sk-ssh-ed25519@openssh.com` and
 * `sk-ecdsa-sha2-nistp256@openssh.com`, whose application must begin with `ssh:`. An Ed25519 key must be the canonical
 * encoding of a point of prime order, and a P-256 key an uncompressed point of the curve: `ssh-keygen` does not look at
 * the former. It takes about a millisecond, so read each key once.
 *
 * @param demands what signatures must show. Only keys on hardware can be asked for it.
 * @throws TrefoilError `ssh_key_invalid`.
 * @throws TypeError for demands that are something else.
 *
 * @example
 * ```ts
 * import { sshKey } from 'trefoil/govern';
 *
 * const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILMXhLvGk+CLoG+U4S5/BeH4CNfBMty4RrHac2G3bsE1 anna@laptop';
 * sshKey(line).type; // → 'ssh-ed25519'
 * ```
 */
export function sshKey(line: string, demands: Partial<SshDemands> = {}): SshKey {
  const given = checkOptions<Partial<SshDemands>>('demands', demands, ['touch', 'verified']);
  const { touch = false, verified = false } = given;
  if (typeof touch !== 'boolean' || typeof verified !== 'boolean') badType('demands', 'expected true or false');
  if (typeof line !== 'string') return refuse(`expected the line of a .pub file, got ${typeName(line)}`);
  const [type = '', base64 = ''] = line.replace(/\r?\n$/, '').split(' ', 2);
  return readSshKey(type, base64, { touch, verified });
}

/**
 * Reads the two words of a key.
 *
 * @throws TrefoilError `ssh_key_invalid`.
 */
export function readSshKey(type: string, base64: string, demands: SshDemands): SshKey {
  const kind = kindOf(type);
  if (base64.length > MOST_SYMBOLS) refuse('the key is longer than any key of its type');
  const blob = decodeBase64(base64);
  if (blob === null || blob.length === 0) return refuse('the key is not canonical base64; copy the line again');
  const { touch, verified } = demands;
  if ((touch || verified) && !kind.isHardware) {
    refuse('a key that is not on hardware (sk-…) cannot show a touch or a PIN, so neither can be demanded of it');
  }
  const { raw, application } = partsOf(blob, type as SshKeyType);
  const verify = (kind.curve === 'ed25519' ? ed25519Verifier : p256Verifier)(raw, (fault) =>
    refuse(`the key ${fault}`),
  );
  const key: SshKey = {
    type: type as SshKeyType,
    blob,
    demands: Object.freeze({ touch, verified }),
  };
  const check: SshCheck = (message, signature, refuseSignature) => {
    const read = readSignature(signature, type as SshKeyType, refuseSignature);
    const signed =
      application === null
        ? message
        : // PROTOCOL.u2f, "SSH U2F Signatures": application, flags, counter and message, the first and last as SHA-256.
          concat([sha256Of(utf8(application)), Uint8Array.of(read.flags), sshUint32(read.counter), sha256Of(message)]);
    return verify(signed, read.signature) ? read.flags : null;
  };
  return Object.freeze(Object.defineProperty(key, CHECK, { value: check }));
}

/** The code of a key. `null`: {@link readSshKey} did not make it. */
export function sshCheckOf(key: unknown): SshCheck | null {
  if (typeof key !== 'object' || key === null || !Object.hasOwn(key, CHECK)) return null;
  return (key as { readonly [CHECK]?: SshCheck })[CHECK] ?? null;
}

/** The key as a `.pub` file and `allowed_signers` have it: type and base64. */
export function sshKeyText(key: SshKey): string {
  return `${key.type} ${encodeBase64(key.blob)}`;
}

/** The bare public key in hexadecimal digits: 32 bytes of Ed25519, or 65 of P-256. */
export function rawSshKey(key: SshKey): string {
  return writeHex(partsOf(key.blob, key.type).raw);
}

/** What a type of keys is. */
function kindOf(type: string): (typeof TYPES)[SshKeyType] {
  if (Object.hasOwn(TYPES, type)) return TYPES[type as SshKeyType];
  const known = Object.keys(TYPES).join(', ');
  if (type.includes('-cert-')) {
    return refuse(`the key is a certificate; name the key itself, of one of the types ${known}`);
  }
  if (/^(?:ssh-rsa|rsa-|ssh-dss)/.test(type)) {
    return refuse(`keys of RSA and DSA are not taken; make one of the types ${known}`);
  }
  if (type.startsWith('webauthn-')) {
    return refuse('the type is one of signatures; a key made by ssh-keygen -t ecdsa-sk has another');
  }
  return refuse(`the text does not begin with a type of keys that is taken: ${known}`);
}

/** Splits the blob of a key. */
function partsOf(
  blob: Uint8Array,
  type: SshKeyType,
): { readonly raw: Uint8Array; readonly application: string | null } {
  const { curve, isHardware } = TYPES[type];
  const reader = sshReader(blob);
  if (reader.text() !== type) refuse('the base64 is a key of another type than the word before it');
  if (curve === 'p256' && reader.text() !== 'nistp256') refuse('the key names another curve than nistp256');
  const raw = reader.string();
  if (raw === null) return refuse('the key ends too early; copy the line again');
  const application = isHardware ? reader.text() : null;
  if (isHardware && (application === null || !APPLICATION.test(application))) {
    refuse('the application of the key does not begin with "ssh:", so others than OpenSSH can use the key');
  }
  if (!reader.isAtEnd()) refuse('the key has bytes after its end');
  return { raw, application };
}

/** The parts of a signature field: 64 bytes, and what hardware adds. */
interface ReadSignature {
  readonly signature: Uint8Array;
  readonly flags: number;
  readonly counter: number;
}

function readSignature(bytes: Uint8Array, type: SshKeyType, refuse: (message: string) => never): ReadSignature {
  const { curve, isHardware } = TYPES[type];
  const reader = sshReader(bytes);
  if (reader.text() !== type) refuse('the signature is of another type than the key of the charter');
  const inner = reader.string();
  const flags = isHardware ? reader.byte() : 0;
  const counter = isHardware ? reader.uint32() : 0;
  if (inner === null || flags === null || counter === null) return refuse('the signature ends too early');
  if (!reader.isAtEnd()) refuse('the signature has bytes after its end');
  const signature = curve === 'ed25519' ? inner : scalarsOf(sshReader(inner));
  if (signature?.length !== 64) return refuse('the signature does not have the form of its type');
  return { signature, flags, counter };
}

/** r and s of ECDSA (RFC 5656, section 3.1.2), as 64 bytes. */
function scalarsOf(reader: SshReader): Uint8Array | null {
  const r = reader.scalar();
  const s = reader.scalar();
  return r === null || s === null || !reader.isAtEnd() ? null : concat([r, s]);
}

/** Throws `ssh_key_invalid`. */
function refuse(message: string): never {
  return fail('ssh_key_invalid', message);
}
