/**
 * The parts of the package `age-encryption` that are used here. The caller passes the package in, so that a program
 * without sealed key files neither installs nor bundles it.
 */

import { utf8 } from '../core/bytes.ts';
import { badType, typeName } from '../core/checks.ts';

/** A stanza of the header of an age file (https://c2sp.org/age, "Recipient stanza"). */
export interface AgeStanza {
  readonly args: string[];
  readonly body: Uint8Array;
}

/** Opens the file key of an age file: an `Identity` of `age-encryption`. */
export interface AgeIdentity {
  unwrapFileKey(stanzas: AgeStanza[]): Uint8Array | null | Promise<Uint8Array | null>;
}

/** Seals the file key of an age file: a `Recipient` of `age-encryption`. */
export interface AgeRecipient {
  wrapFileKey(fileKey: Uint8Array): AgeStanza[] | Promise<AgeStanza[]>;
}

/** The module `age-encryption`, from `import * as age from 'age-encryption'`. */
export interface AgeModule {
  readonly Encrypter: new () => {
    setPassphrase(passphrase: string): void;
    addRecipient(recipient: string | AgeRecipient): void;
    encrypt(file: Uint8Array): Promise<Uint8Array>;
  };
  readonly Decrypter: new () => {
    addPassphrase(passphrase: string): void;
    addIdentity(identity: string | AgeIdentity): void;
    decrypt(file: Uint8Array): Promise<Uint8Array>;
  };
  readonly armor: { encode(file: Uint8Array): string; decode(text: string): Uint8Array };
}

/** Checks that a value is the module. */
export function checkAge(value: unknown): AgeModule {
  const { Encrypter, Decrypter, armor } = (value ?? {}) as Partial<AgeModule>;
  if (typeof Encrypter !== 'function' || typeof Decrypter !== 'function' || typeof armor?.decode !== 'function') {
    badType('age', `expected the module age-encryption, got ${typeName(value)}`);
  }
  return value as AgeModule;
}

/** The largest key file in bytes, sealed or not. A keyset has at most 65,536 characters. */
export const MAX_FILE = 1_048_576;

/** What a key file is, by its first bytes. */
export type FileKind = 'age' | 'armour' | 'json' | 'other';

/** The first line of every age file, and of its form in ASCII. */
const AGE = 'age-encryption.org/';
const ARMOUR = '-----BEGIN AGE ENCRYPTED FILE-----';

/** Returns what a key file is. Only its first bytes are looked at, so the rest may be broken. */
export function fileKind(file: Uint8Array | string): FileKind {
  const head = typeof file === 'string' ? file.slice(0, 1024) : new TextDecoder().decode(file.subarray(0, 1024));
  if (head.startsWith(AGE)) return 'age';
  // trimStart removes a byte order mark, too.
  const text = head.trimStart();
  if (text.startsWith(ARMOUR)) return 'armour';
  return text.startsWith('{') ? 'json' : 'other';
}

/**
 * Returns whether a sealed file opens with a passphrase. Then its first stanza, which is its only one, is of the type
 * scrypt.
 */
export function isForPassphrase(file: Uint8Array | string, { armor }: AgeModule): boolean {
  try {
    const text = typeof file === 'string' ? file : new TextDecoder().decode(file);
    const bytes = fileKind(file) === 'armour' ? armor.decode(text) : utf8(text);
    return /^[^\n]*\n-> scrypt /.test(new TextDecoder().decode(bytes.subarray(0, 64)));
  } catch {
    // The armour is broken, which opening the file reports.
    return false;
  }
}
