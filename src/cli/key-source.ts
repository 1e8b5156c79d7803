/// <reference types="node" />
/**
 * Where the keys come from: `--keys FILE`, else the file that TREFOIL_KEYS_FILE names, else the text in TREFOIL_KEYS.
 * The text is JSON or, if it is sealed, an age file (docs/spec/at-rest-v1.md); its first bytes tell which. An argument
 * never holds keys, because every user of a machine can list the arguments of its processes.
 */

import type { Option } from 'commander';
import { fileKind, MAX_FILE } from '../custody/age.ts';
import { fail, TrefoilError } from '../errors.ts';
import { parseFiles } from '../keys/keyset.ts';
import type { Keyset } from '../keys.ts';
import { regionOfProcess } from './custody/region.ts';
import { readSecretBytes, warnIfShared } from './custody/secret-file.ts';
import { UsageError } from './exit.ts';
import { type Context, checkFileName, filesOption } from './options.ts';

/** A keyset and where it came from. */
export interface KeySource {
  readonly keyset: Keyset;
  /** Paths of the key files, which together are one keyset; none if the keys came from TREFOIL_KEYS. */
  readonly files: readonly string[];
  /** Whether one of the files is sealed. */
  readonly isSealed: boolean;
}

/** The options that name keys, as commander returns them. */
export interface KeyOptions {
  readonly keys?: readonly string[] | undefined;
  readonly identity?: readonly string[] | undefined;
}

/** The option `--keys`, the same for every command. */
export function keysOption(): Option {
  const text = 'key file; several are one keyset (default: the path in TREFOIL_KEYS_FILE, or the text in TREFOIL_KEYS)';
  return filesOption('--keys', text);
}

/** The option `--identity`, which opens a sealed key file. */
export function identityOption(): Option {
  return filesOption('--identity', 'what opens a sealed key file: an identity file of age, or a key of a KMS');
}

/** Reads the keys. Returns `null` if neither the options nor the environment name any. */
export async function findKeys(options: KeyOptions, context: Context): Promise<KeySource | null> {
  // An empty variable counts as unset, because scripts unset variables so.
  const variable = process.env.TREFOIL_KEYS_FILE || undefined;
  const files = options.keys ?? (variable === undefined ? [] : [checkFileName('TREFOIL_KEYS_FILE', variable)]);
  if (files.length > 0) {
    const texts: KeyText[] = [];
    for (const file of files) texts.push(await readText(file, options, context, passphraseIsSet()));
    // What is wrong with one file is reported with its name, and what is wrong with all of them with all names.
    const keyset = named(files.join(', '), () =>
      parse(
        texts.map(({ json }) => json),
        files,
      ),
    );
    return { keyset, files, isSealed: texts.some(({ isSealed }) => isSealed) };
  }
  const text = process.env.TREFOIL_KEYS || undefined;
  if (text !== undefined) {
    const { json, isSealed } = await open(text, 'TREFOIL_KEYS', options, context, passphraseIsSet());
    return { keyset: named('TREFOIL_KEYS', () => parse([json])), files: [], isSealed };
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

/** The text of a key file. */
interface KeyText {
  /** The JSON text of the keyset, or of a part of it. */
  readonly json: string;
  readonly isSealed: boolean;
  /** Whether a passphrase has opened it. */
  readonly usedPassphrase: boolean;
}

/** The content of a key file. */
export interface KeyFile extends KeyText {
  readonly keyset: Keyset;
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
  const text = await readText(path, options, context, mustBeSealed);
  return { ...text, keyset: named(path, () => parse([text.json])) };
}

/** Reads the text of a key file. */
async function readText(path: string, options: KeyOptions, context: Context, mustBeSealed: boolean): Promise<KeyText> {
  const bytes = await readSecretBytes(path, 'the key file', MAX_FILE);
  // A sealed file may lie where others can read it.
  if (fileKind(bytes) === 'json') await warnIfShared(path, 'the key file', context.voice);
  return open(bytes, path, options, context, mustBeSealed);
}

/** @param label the path of the key file, or the variable that has its text. */
async function open(
  file: Uint8Array | string,
  label: string,
  { identity }: KeyOptions,
  context: Context,
  mustBeSealed: boolean,
): Promise<KeyText> {
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
    return { json, isSealed, usedPassphrase };
  } catch (error) {
    throw withFile(label, error);
  }
}

/** Parses the texts of one keyset, in the region of this process. */
function parse(texts: readonly string[], names: readonly string[] | null = null): Keyset {
  return parseFiles(texts, names, regionOfProcess());
}

/** Does some work whose errors name a file. */
function named<T>(label: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withFile(label, error);
  }
}

function withFile(label: string, error: unknown): unknown {
  if (!(error instanceof TrefoilError)) return error;
  return new TrefoilError(
    error.issues.map((issue) => ({ file: label, ...issue })),
    error.total,
  );
}

function plainText(file: Uint8Array | string): string {
  if (typeof file === 'string') return file;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file);
  } catch {
    return fail('invalid_keyset', 'the key file is not UTF-8');
  }
}
