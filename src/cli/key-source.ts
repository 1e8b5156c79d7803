/// <reference types="node" />
/**
 * Where the keys come from: `--keys FILE`, else the file that TREFOIL_KEYS_FILE names, else the text in TREFOIL_KEYS.
 * The text is JSON or, if it is sealed, an age file (docs/spec/at-rest-v1.md); its first bytes tell which. An argument
 * never holds keys, because every user of a machine can list the arguments of its processes.
 */

import type { Option } from 'commander';
import { fileKind, MAX_FILE } from '../custody/age.ts';
import { fail, TrefoilError } from '../errors.ts';
import { type Keyset, keyset } from '../keys.ts';
import { regionOfProcess } from './custody/region.ts';
import { readSecretBytes, warnIfShared } from './custody/secret-file.ts';
import { UsageError } from './exit.ts';
import { type Context, checkFileName, fileOption, filesOption } from './options.ts';

/** A keyset and where it came from. */
export interface KeySource {
  readonly keyset: Keyset;
  /** Path of the key file; `null` if the keys came from TREFOIL_KEYS. */
  readonly file: string | null;
}

/** The options that name keys, as commander returns them. */
export interface KeyOptions {
  readonly keys?: string | undefined;
  readonly identity?: readonly string[] | undefined;
}

/** The option `--keys`, the same for every command. */
export function keysOption(): Option {
  return fileOption('--keys', 'key file (default: the path in TREFOIL_KEYS_FILE, or the text in TREFOIL_KEYS)');
}

/** The option `--identity`, which opens a sealed key file. */
export function identityOption(): Option {
  return filesOption('--identity', 'what opens a sealed key file: an identity file of age, or a key of a KMS');
}

/** Reads the keys. Returns `null` if neither the options nor the environment name any. */
export async function findKeys(options: KeyOptions, context: Context): Promise<KeySource | null> {
  // An empty variable counts as unset, because scripts unset variables so.
  const file = options.keys ?? (process.env.TREFOIL_KEYS_FILE || undefined);
  if (file !== undefined) {
    const { keyset } = await readKeyFile(checkFileName('TREFOIL_KEYS_FILE', file), options, context, passphraseIsSet());
    return { keyset, file };
  }
  const text = process.env.TREFOIL_KEYS || undefined;
  if (text !== undefined) {
    const { keyset } = await read(text, 'TREFOIL_KEYS', options, context, passphraseIsSet());
    return { keyset, file: null };
  }
  if (options.identity !== undefined) throw new UsageError('--identity is set, but no key file', 'use --keys FILE');
  return null;
}

/**
 * Reads the keys.
 *
 * @throws UsageError if neither the options nor the environment name any.
 */
export async function needKeys(options: KeyOptions, context: Context): Promise<KeySource> {
  const found = await findKeys(options, context);
  if (found === null) {
    throw new UsageError(
      'the keys are missing',
      'use --keys FILE or set TREFOIL_KEYS_FILE; trefoil keys new --out FILE makes a key file',
    );
  }
  return found;
}

/** The content of a key file. */
export interface KeyFile {
  readonly keyset: Keyset;
  /** The JSON text of the keyset. */
  readonly json: string;
  readonly isSealed: boolean;
  /** Whether a passphrase has opened it. */
  readonly usedPassphrase: boolean;
}

/** Whether the environment has a passphrase to open key files with. */
const passphraseIsSet = (): boolean => Boolean(process.env.TREFOIL_PASSPHRASE_FILE);

/**
 * Reads a key file, sealed or not. Its errors name the file and never quote the content.
 *
 * @param mustBeSealed whether a plain file is refused even if no identity is named.
 */
export async function readKeyFile(
  path: string,
  options: KeyOptions,
  context: Context,
  mustBeSealed = false,
): Promise<KeyFile> {
  const bytes = await readSecretBytes(path, 'the key file', MAX_FILE);
  // A sealed file may lie where others can read it.
  if (fileKind(bytes) === 'json') await warnIfShared(path, 'the key file', context.voice);
  return read(bytes, path, options, context, mustBeSealed);
}

/** @param label the path of the key file, or the variable that has its text. */
async function read(
  file: Uint8Array | string,
  label: string,
  { identity }: KeyOptions,
  context: Context,
  mustBeSealed: boolean,
): Promise<KeyFile> {
  try {
    const kind = fileKind(file);
    // Anyone who can write the key file could put a plain one in the place of a sealed one. So an identity or a
    // passphrase says that the file must be sealed.
    const hasIdentity = identity !== undefined || Boolean(process.env.TREFOIL_IDENTITY_FILE);
    if (kind === 'json' && (hasIdentity || mustBeSealed)) {
      fail('key_not_sealed', 'the key file is not sealed, although an identity or a passphrase is set to open it');
    }
    // Only the runs that need it load what opens sealed files.
    const isSealed = kind === 'age' || kind === 'armour';
    const { json, usedPassphrase } = isSealed
      ? await (await import('./custody/open.ts')).openSealed(file, label, identity, context)
      : { json: plainText(file), usedPassphrase: false };
    const region = regionOfProcess();
    const opened = keyset.parse(json, region === undefined ? {} : { region });
    return { keyset: opened, json, isSealed, usedPassphrase };
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(
      error.issues.map((issue) => ({ file: label, ...issue })),
      error.total,
    );
  }
}

function plainText(file: Uint8Array | string): string {
  if (typeof file === 'string') return file;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch {
    return fail('invalid_keyset', 'the key file is not UTF-8');
  }
}
